//! Where in a command a placeholder may stand.
//!
//! A placeholder is quoted for the shell when it is filled in. Within quotes of the command itself, or
//! wherever else the shell does not read it as a word, that quoting would end the quotes around it, and the
//! value would be read as a command. Such a place is a mistake of the profile. The readers here know as
//! much of their shell as it takes to tell; where they are in doubt, they refuse.

mod powershell;
mod sh;

use std::ops::Range;

use super::expr::{Part, Problem, Shell, Template};

/// A command as its shell reads it, with holes where the placeholders stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Char(char),
    Hole,
}

/// Why a placeholder cannot be quoted rightly where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Quotes,
    Backticks,
    HereDocument,
    Comment,
    /// `${…}` or `$((…))`.
    Expansion,
    /// Behind a character that changes what a quote means.
    Escaped,
    /// The text around it is not read alike by every shell.
    Doubtful,
    /// PowerShell would take it and what touches it for two words, or for one string.
    Glued,
    /// Behind `--%`.
    Verbatim,
}

/// Every placeholder of `command` that stands where it cannot be quoted for `shell`.
pub(super) fn misplaced(command: &Template, shell: Shell) -> Vec<Problem> {
    let mut units = Vec::new();
    let mut spans: Vec<Range<usize>> = Vec::new();
    for part in command.parts() {
        match part {
            Part::Text(text) => units.extend(text.chars().map(Unit::Char)),
            Part::Placeholder(placeholder) => {
                units.push(Unit::Hole);
                spans.push(placeholder.span());
            }
        }
    }
    let places = match shell {
        Shell::None => return Vec::new(),
        Shell::Sh => sh::places(&units),
        Shell::PowerShell => powershell::places(&units),
    };
    let problem = |(span, place): (Range<usize>, Option<Place>)| {
        let text = command.source().get(span.clone()).unwrap_or_default();
        place.map(|place| Problem::new(span, place.message()).help(place.help(text, shell)))
    };
    spans.into_iter().zip(places).filter_map(problem).collect()
}

impl Place {
    fn message(self) -> &'static str {
        match self {
            Self::Quotes => "a placeholder cannot stand within quotes of a command",
            Self::Backticks => "a placeholder cannot stand within backticks",
            Self::HereDocument => "a placeholder cannot stand within a here-document",
            Self::Comment => "a placeholder cannot stand within a comment",
            Self::Expansion => "a placeholder cannot stand within an expansion of the shell",
            Self::Escaped => "a placeholder cannot stand right behind this character",
            Self::Doubtful => "what stands before this placeholder is not read alike by every shell",
            Self::Glued => "a placeholder at the start of a word cannot touch what follows it",
            Self::Verbatim => "a placeholder cannot stand behind `--%`",
        }
    }

    fn help(self, placeholder: &str, shell: Shell) -> String {
        let set = if shell == Shell::Sh { "value=" } else { "$value = " };
        match (self, shell) {
            (Self::Quotes, Shell::Sh) => format!(
                "it is quoted by itself: end the quotes before it and open them again after it, \
                 \"dir=\"{placeholder}\"/log\""
            ),
            (Self::Quotes | Self::Glued, _) => {
                format!("it is quoted by itself: join the parts, ('dir=' + {placeholder} + '\\log')")
            }
            (Self::Backticks, _) => format!("write $(…) instead: $(basename {placeholder})"),
            (Self::HereDocument | Self::Expansion, _) => {
                format!("set a variable before, {set}{placeholder}, and write $value here")
            }
            (Self::Comment, _) => "take it out of the comment".to_owned(),
            (Self::Escaped, _) => {
                format!("it is quoted by itself: write {placeholder} with a space before it")
            }
            (Self::Doubtful, _) => "write $'…' in another way, such as with printf".to_owned(),
            (Self::Verbatim, _) => "take `--%` away and quote what follows".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
