//! What is wrong in a file, where, and what would be right.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

/// More than these are counted and not shown: nobody reads on, and a damaged file has thousands.
const SHOWN: usize = 100;

/// One mistake, at its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// Bytes of the source.
    pub span: Range<usize>,
    /// What stands beside the place; may be empty.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
    /// Other places that belong to it.
    pub also: Vec<(Range<usize>, String)>,
}

impl Diagnostic {
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { message: message.into(), span, label: String::new(), help: None, also: Vec::new() }
    }

    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub fn also(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.also.push((span, label.into()));
        self
    }
}

/// Everything that is wrong in one text, in the order of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    /// What the operator calls the file.
    pub name: String,
    pub source: String,
    pub list: Vec<Diagnostic>,
}

/// A diagnostic as a program reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry<'a> {
    pub file: &'a str,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    pub message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'a str>,
}

impl Diagnostics {
    /// The diagnostics of `source`, ordered by place.
    pub fn new(name: &str, source: &str, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.span.end));
        Self { name: name.to_owned(), source: source.to_owned(), list }
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// `Err(self)` unless it is empty.
    pub fn none_or(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Line and column of a byte of the source, both counted from 1.
    pub fn place(&self, byte: usize) -> (usize, usize) {
        let before = &self.source[..floor(&self.source, byte)];
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    /// Each diagnostic with line and column.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.list.iter().map(|diagnostic| {
            let (line, column) = self.place(diagnostic.span.start);
            Entry {
                file: &self.name,
                line,
                column,
                message: &diagnostic.message,
                help: diagnostic.help.as_deref(),
            }
        })
    }

    /// A JSON array of [`Entry`].
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self.entries().collect::<Vec<_>>())
    }

    /// A span that can be underlined: within the text, on the boundaries of characters, not empty where
    /// the text goes on.
    fn sound(&self, span: &Range<usize>) -> Range<usize> {
        let start = floor(&self.source, span.start);
        let end = floor(&self.source, span.end).max(start);
        start..end
    }

    fn render(&self, diagnostic: &Diagnostic) -> String {
        let primary = AnnotationKind::Primary.span(self.sound(&diagnostic.span));
        let label = (!diagnostic.label.is_empty()).then_some(diagnostic.label.as_str());
        let mut snippet =
            Snippet::source(self.source.as_str()).path(safe(&self.name)).annotation(primary.label(label));
        for (span, label) in &diagnostic.also {
            snippet =
                snippet.annotation(AnnotationKind::Context.span(self.sound(span)).label(label.as_str()));
        }
        let mut group = Group::with_title(Level::ERROR.primary_title(diagnostic.message.as_str()));
        group = group.element(snippet);
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        Renderer::plain().term_width(110).render(&[group])
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in self.list.iter().take(SHOWN) {
            writeln!(f, "{}\n", self.render(diagnostic))?;
        }
        let name = safe(&self.name);
        match self.list.len() {
            0 => write!(f, "{name}: no mistakes"),
            1 => write!(f, "{name}: 1 mistake"),
            count if count > SHOWN => write!(f, "{name}: {count} mistakes, the first {SHOWN} shown"),
            count => write!(f, "{name}: {count} mistakes"),
        }
    }
}

impl std::error::Error for Diagnostics {}

/// `text` as it may stand in a message: in backticks, control characters escaped, cut when long.
pub fn quoted(text: &str) -> String {
    const LONG: usize = 60;
    let cut = if text.chars().count() > LONG { "…" } else { "" };
    format!("`{}{cut}`", safe(&text.chars().take(LONG).collect::<String>()))
}

fn safe(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// The one of `known` that `word` was most likely meant to be.
pub fn meant<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let limit = match word.chars().count() {
        0..=2 => 0,
        3..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate, limit), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be changed, added, left out or swapped with their neighbour to make `b` of `a`,
/// with `-` and `_` taken for the same. More than `limit` may come out as any number above it.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    let letters =
        |text: &str| text.chars().map(|c| if c == '-' { '_' } else { c }).take(64).collect::<Vec<_>>();
    let (a, b) = (letters(a), letters(b));
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(rows[i - 2][j - 2] + 1);
            }
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// The last boundary of a character at or before `byte`.
fn floor(text: &str, byte: usize) -> usize {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_shows_place_and_help() {
        let source = "nofm = 1\nserfer = \"größe\"\n";
        let diagnostics = Diagnostics::new(
            "farm.toml",
            source,
            vec![Diagnostic::new(9..15, "unknown key `serfer`").help("did you mean `server`?")],
        );
        insta::assert_snapshot!(diagnostics, @r#"
        error: unknown key `serfer`
         --> farm.toml:2:1
          |
        2 | serfer = "größe"
          | ^^^^^^
          |
          = help: did you mean `server`?

        farm.toml: 1 mistake
        "#);
        assert_eq!(diagnostics.to_json()[0]["line"], 2);
    }

    #[test]
    fn a_span_beyond_the_text_or_within_a_character_does_no_harm() {
        let diagnostics =
            Diagnostics::new("x", "ä", vec![Diagnostic::new(1..99, "wrong").also(1..1, "here")]);
        assert!(diagnostics.to_string().contains("wrong"));
    }

    #[test]
    fn control_characters_of_the_source_do_not_reach_the_terminal() {
        let diagnostics = Diagnostics::new(
            "a\u{1b}[2J",
            "x = \"\u{1b}[2J\u{7}\"",
            vec![Diagnostic::new(0..1, quoted("\u{1b}"))],
        );
        let shown = diagnostics.to_string();
        assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
    }

    #[test]
    fn words_close_by_are_meant() {
        assert_eq!(meant("timout", ["title", "timeout"]), Some("timeout"));
        assert_eq!(meant("no_return", ["no-return"]), Some("no-return"));
        assert_eq!(meant("recieve", ["receive"]), Some("receive"));
        assert_eq!(meant("zzz", ["timeout"]), None);
    }
}
