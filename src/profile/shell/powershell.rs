//! How PowerShell reads a command.

use super::{Place, Unit};
use crate::text::quote::is_powershell_quote;

/// What the reader is within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    /// A command: the whole, `$(…)` or `(…)`.
    Command,
    Double,
}

struct Reader<'u> {
    units: &'u [Unit],
    at: usize,
    frames: Vec<Frame>,
    places: Vec<Option<Place>>,
}

/// For each hole, why it cannot stand where it does.
pub(super) fn places(units: &[Unit]) -> Vec<Option<Place>> {
    let mut reader = Reader { units, at: 0, frames: vec![Frame::Command], places: Vec::new() };
    while reader.at < units.len() {
        reader.step();
    }
    reader.places
}

fn is_double_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}' | '\u{201e}')
}

/// Whether a word ends before `c`.
fn ends_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, ')' | '}' | ']' | ',' | ';' | '|' | '&')
}

/// Whether a word begins after `c`.
fn begins_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | '{' | '[' | ',' | ';' | '|' | '&')
}

impl Reader<'_> {
    fn char(&self, ahead: usize) -> Option<char> {
        match self.units.get(self.at + ahead) {
            Some(Unit::Char(c)) => Some(*c),
            _ => None,
        }
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.char(i) == Some(c))
    }

    fn before(&self) -> Option<Unit> {
        self.at.checked_sub(1).and_then(|at| self.units.get(at)).copied()
    }

    fn at_word_start(&self) -> bool {
        match self.before() {
            None => true,
            Some(Unit::Char(c)) => begins_word(c),
            Some(Unit::Hole) => false,
        }
    }

    fn hole(&mut self, place: Option<Place>) {
        self.places.push(place);
        self.at += 1;
    }

    fn step(&mut self) {
        let double = self.frames.last() == Some(&Frame::Double);
        let Some(c) = self.char(0) else {
            let place = if double { Some(Place::Quotes) } else { self.touching() };
            return self.hole(place);
        };
        match c {
            '`' => self.escape(),
            '$' if self.starts_with("$(") => {
                self.frames.push(Frame::Command);
                self.at += 2;
            }
            c if double && is_double_quote(c) => {
                if self.char(1).is_some_and(is_double_quote) {
                    self.at += 2;
                } else {
                    self.frames.pop();
                    self.at += 1;
                }
            }
            _ if double => self.at += 1,
            '@' if self.char(1).is_some_and(|c| is_double_quote(c) || is_powershell_quote(c)) => {
                self.here_string();
            }
            c if is_powershell_quote(c) => self.single(),
            c if is_double_quote(c) => {
                self.frames.push(Frame::Double);
                self.at += 1;
            }
            '(' => {
                self.frames.push(Frame::Command);
                self.at += 1;
            }
            ')' if self.frames.len() > 1 => {
                self.frames.pop();
                self.at += 1;
            }
            '<' if self.starts_with("<#") => self.until("#>", Place::Comment),
            '#' if self.at_word_start() => self.until("\n", Place::Comment),
            '-' if self.starts_with("--%") && self.at_word_start() => self.until("\n", Place::Verbatim),
            _ => self.at += 1,
        }
    }

    /// Whether a hole among the words of a command touches what it must not.
    fn touching(&self) -> Option<Place> {
        let after = self.units.get(self.at + 1).copied();
        let touches_quote = |unit: Option<Unit>| match unit {
            Some(Unit::Char(c)) => is_powershell_quote(c) || is_double_quote(c),
            Some(Unit::Hole) => true,
            None => false,
        };
        let goes_on = matches!(after, Some(Unit::Char(c)) if !ends_word(c));
        if touches_quote(self.before()) || touches_quote(after) || (self.at_word_start() && goes_on) {
            return Some(Place::Glued);
        }
        matches!(self.before(), Some(Unit::Char('$' | '@'))).then_some(Place::Escaped)
    }

    fn escape(&mut self) {
        self.at += 1;
        match self.units.get(self.at) {
            Some(Unit::Hole) => self.hole(Some(Place::Escaped)),
            Some(Unit::Char(_)) => self.at += 1,
            None => {}
        }
    }

    fn single(&mut self) {
        self.at += 1;
        while let Some(unit) = self.units.get(self.at) {
            match unit {
                Unit::Hole => self.hole(Some(Place::Quotes)),
                Unit::Char(c) if is_powershell_quote(*c) => {
                    let doubled = self.char(1).is_some_and(is_powershell_quote);
                    self.at += 1 + usize::from(doubled);
                    if !doubled {
                        return;
                    }
                }
                Unit::Char(_) => self.at += 1,
            }
        }
    }

    /// `@'` or `@"` up to its end at the start of a line.
    fn here_string(&mut self) {
        let is_end: fn(char) -> bool =
            if self.char(1).is_some_and(is_double_quote) { is_double_quote } else { is_powershell_quote };
        self.at += 2;
        while let Some(unit) = self.units.get(self.at) {
            match unit {
                Unit::Hole => self.hole(Some(Place::HereDocument)),
                Unit::Char('\n') if self.char(1).is_some_and(is_end) && self.char(2) == Some('@') => {
                    self.at += 3;
                    return;
                }
                Unit::Char(_) => self.at += 1,
            }
        }
    }

    /// Up to and with `end`.
    fn until(&mut self, end: &str, place: Place) {
        while let Some(unit) = self.units.get(self.at) {
            match unit {
                Unit::Hole => self.hole(Some(place)),
                Unit::Char(_) if self.starts_with(end) => {
                    self.at += end.chars().count();
                    return;
                }
                Unit::Char(_) => self.at += 1,
            }
        }
    }
}
