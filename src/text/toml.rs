//! A TOML text walked by hand, element by element, so that every mistake in it is found and each is shown at
//! its place.
//!
//! A reading function that finds a mistake reports it and gives a stand-in back, so that the walk goes on.
//! What was read is good only when [`Doc::finish`] is without diagnostics.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostic::{Diagnostic, Diagnostics, meant, quoted};
use super::{duration, size};

/// No file that an administrator writes comes near it.
const LARGEST: usize = 1 << 20;

/// A text and what was found wrong in it.
pub struct Doc<'s> {
    source: &'s str,
    root: Spanned<DeTable<'s>>,
    /// Something is missing of the text as it was meant: what is absent is then no mistake of its own.
    broken: Cell<bool>,
    problems: RefCell<Vec<Diagnostic>>,
}

/// A table; the keys asked for are the keys it may have.
pub struct Table<'d> {
    doc: &'d Doc<'d>,
    entries: &'d DeTable<'d>,
    span: Range<usize>,
    what: String,
    known: RefCell<Vec<&'static str>>,
}

/// A value under its key.
#[derive(Clone)]
pub struct Item<'d> {
    doc: &'d Doc<'d>,
    key: &'d str,
    key_span: Range<usize>,
    value: &'d DeValue<'d>,
    span: Range<usize>,
}

/// A string, which knows where each of its bytes stands in the source.
#[derive(Clone)]
pub struct Text<'d> {
    doc: &'d Doc<'d>,
    value: &'d str,
    span: Range<usize>,
}

impl<'s> Doc<'s> {
    /// Reads `source`; what TOML itself finds wrong is reported already.
    pub fn parse(source: &'s str) -> Self {
        let (text, too_large) = if source.len() > LARGEST { ("", true) } else { (source, false) };
        let (root, errors) = DeTable::parse_recoverable(text);
        let doc = Self { source, root, broken: Cell::new(false), problems: RefCell::default() };
        if too_large {
            doc.broken.set(true);
            doc.report(
                Diagnostic::new(0..0, "the file is larger than 1 MiB")
                    .help("take out whatever is no setting, such as embedded data"),
            );
        }
        for error in errors {
            doc.broken.set(true);
            let span = error.span().unwrap_or(0..0);
            let mut problem = Diagnostic::new(span.clone(), format!("this is not TOML: {}", error.message()));
            if doc.slice(span).contains('\\') || error.message().contains("escape") {
                problem = problem.help("a text with a backslash stands in '…': 'C:\\Program Files'");
            }
            doc.report(problem);
        }
        doc
    }

    pub fn root(&self) -> Table<'_> {
        Table {
            doc: self,
            entries: self.root.get_ref(),
            span: 0..self.source.find('\n').unwrap_or(self.source.len()).min(LARGEST),
            what: "the file".to_owned(),
            known: RefCell::default(),
        }
    }

    pub fn report(&self, problem: Diagnostic) {
        let mut problems = self.problems.borrow_mut();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// Reports that something is missing, unless part of the text could not be read.
    pub fn report_absence(&self, problem: Diagnostic) {
        if !self.broken.get() {
            self.report(problem);
        }
    }

    /// Whether the text could be read as TOML throughout.
    pub fn is_whole(&self) -> bool {
        !self.broken.get()
    }

    pub fn slice(&self, span: Range<usize>) -> &str {
        self.source.get(span).unwrap_or_default()
    }

    /// What was reported.
    pub fn finish(self, name: &str) -> Diagnostics {
        Diagnostics::new(name, self.source, self.problems.into_inner())
    }
}

impl<'d> Table<'d> {
    pub fn doc(&self) -> &'d Doc<'d> {
        self.doc
    }

    pub fn entries(&self) -> &'d DeTable<'d> {
        self.entries
    }

    /// Where it begins: its header, or the whole of an inline table.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// What messages call it.
    pub fn what(&self) -> &str {
        &self.what
    }

    pub fn named(mut self, what: impl Into<String>) -> Self {
        self.what = what.into();
        self
    }

    /// The value of `key`, which is hereby allowed.
    pub fn get(&self, key: &'static str) -> Option<Item<'d>> {
        self.known.borrow_mut().push(key);
        self.entries.get_key_value(key).map(|(key, value)| Item::new(self.doc, key, value))
    }

    /// The value of `key`, which must be there.
    pub fn need(&self, key: &'static str) -> Option<Item<'d>> {
        let item = self.get(key);
        if item.is_none() {
            self.doc.report_absence(
                Diagnostic::new(self.span(), format!("{} has no `{key}`", self.what))
                    .label(format!("`{key}` is missing")),
            );
        }
        item
    }

    /// The text under `key`, for people to read.
    pub fn string(&self, key: &'static str) -> Option<String> {
        self.get(key).map(|item| item.string())
    }

    /// The yes or no under `key`.
    pub fn yes_no(&self, key: &'static str, default: bool) -> bool {
        self.get(key).map_or(default, |item| item.yes_no())
    }

    /// Everything in it, in the order of the text.
    pub fn items(&self) -> Vec<Item<'d>> {
        let mut items: Vec<_> = self.entries.iter().map(|(k, v)| Item::new(self.doc, k, v)).collect();
        items.sort_by_key(|item| item.key_span.start);
        items
    }

    /// Reports every key that was not asked for.
    pub fn finish(self) {
        let known = self.known.borrow();
        for item in self.items() {
            if known.contains(&item.key) {
                continue;
            }
            let problem =
                Diagnostic::new(item.key_span(), format!("{} has no key {}", self.what, quoted(item.key)))
                    .label("unknown key");
            let help = match meant(item.key, known.iter().copied()) {
                Some(key) => format!("did you mean `{key}`?"),
                None => format!("what it may have: {}", listed(known.iter().copied())),
            };
            self.doc.report(problem.help(help));
        }
    }
}

impl<'d> Item<'d> {
    fn new(
        doc: &'d Doc<'d>,
        key: &'d Spanned<std::borrow::Cow<'d, str>>,
        value: &'d Spanned<DeValue<'d>>,
    ) -> Self {
        Self { doc, key: key.get_ref(), key_span: key.span(), value: value.get_ref(), span: value.span() }
    }

    pub fn doc(&self) -> &'d Doc<'d> {
        self.doc
    }

    pub fn key(&self) -> &'d str {
        self.key
    }

    pub fn key_span(&self) -> Range<usize> {
        self.key_span.clone()
    }

    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub fn value(&self) -> &'d DeValue<'d> {
        self.value
    }

    pub fn is_table(&self) -> bool {
        self.value.is_table()
    }

    pub fn is_text(&self) -> bool {
        self.value.is_str()
    }

    /// Reports that the value is not what `expected` says.
    pub fn expected(&self, expected: &str) {
        let found = match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with decimals",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        // A table with a header has no value that could be underlined.
        let span = if self.is_table() { self.key_span() } else { self.span() };
        self.doc.report(
            Diagnostic::new(span, format!("`{}` is {expected}, not {found}", self.key))
                .label(format!("expected: {expected}")),
        );
    }

    pub fn text(&self) -> Option<Text<'d>> {
        if let Some(value) = self.value.as_str() {
            return Some(Text { doc: self.doc, value, span: self.span() });
        }
        self.expected("a text");
        None
    }

    /// A text for people: not empty.
    pub fn string(&self) -> String {
        let Some(text) = self.text() else { return String::new() };
        if text.value.trim().is_empty() {
            self.doc.report(Diagnostic::new(self.span(), format!("`{}` is empty", self.key)));
        }
        text.value.to_owned()
    }

    pub fn yes_no(&self) -> bool {
        self.value.as_bool().unwrap_or_else(|| {
            self.expected("true or false");
            false
        })
    }

    /// `true`: the one value of a key that stands for itself.
    pub fn only_true(&self) {
        if self.value.as_bool() != Some(true) {
            self.doc.report(
                Diagnostic::new(self.span(), format!("`{}` can only be `true`", self.key))
                    .help("leave the key out to say no"),
            );
        }
    }

    pub fn whole_number(&self, range: Range<i64>) -> Option<i64> {
        let number = self.value.as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        match number {
            Some(number) if range.contains(&number) => Some(number),
            found => {
                let bounds = format!("from {} to {}", range.start, range.end - 1);
                if found.is_some() {
                    let message = format!("`{}` is out of range", self.key);
                    self.doc.report(
                        Diagnostic::new(self.span(), message).help(format!("a whole number {bounds}")),
                    );
                } else {
                    self.expected(&format!("a whole number {bounds}"));
                }
                None
            }
        }
    }

    pub fn number(&self) -> Option<f64> {
        let number = match self.value {
            DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).ok().map(|n| {
                #[expect(clippy::cast_precision_loss, reason = "no setting has more than 53 bits")]
                let number = n as f64;
                number
            }),
            DeValue::Float(n) => n.as_str().parse::<f64>().ok().filter(|n| n.is_finite()),
            _ => None,
        };
        if number.is_none() {
            self.expected("a number");
        }
        number
    }

    pub fn duration(&self) -> Option<Duration> {
        let text = self.text()?;
        duration::parse(text.value)
            .map_err(|error| text.report(format!("{} is no duration", quoted(text.value)), error))
            .ok()
    }

    /// Bytes.
    pub fn size(&self) -> Option<u64> {
        let text = self.text()?;
        size::parse(text.value)
            .map_err(|error| text.report(format!("{} is no size", quoted(text.value)), error))
            .ok()
    }

    /// The one of `words` that stands there.
    pub fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = words.iter().find(|(word, _)| *word == text.value);
        if found.is_none() {
            let help = match meant(text.value, words.iter().map(|(word, _)| *word)) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("one of {}", listed(words.iter().map(|(word, _)| *word))),
            };
            text.report(format!("`{}` cannot be {}", self.key, quoted(text.value)), help);
        }
        found.map(|(_, value)| *value)
    }

    /// The elements of a list, each under the key of the list.
    pub fn list(&self) -> Vec<Item<'d>> {
        let Some(elements) = self.value.as_array() else {
            self.expected("a list");
            return Vec::new();
        };
        elements
            .iter()
            .map(|element| Item {
                value: element.get_ref(),
                span: element.span(),
                key_span: element.span(),
                ..self.clone()
            })
            .collect()
    }

    /// The texts of a list, none of them twice.
    pub fn texts(&self) -> Vec<Text<'d>> {
        let mut texts: Vec<Text<'d>> = Vec::new();
        for text in self.list().iter().filter_map(Item::text) {
            if let Some(first) = texts.iter().find(|first| first.value == text.value) {
                let problem =
                    Diagnostic::new(text.span(), format!("{} stands here twice", quoted(text.value)));
                self.doc.report(problem.also(first.span(), "first here"));
            } else {
                texts.push(text);
            }
        }
        texts
    }

    pub fn table(&self, what: impl Into<String>) -> Option<Table<'d>> {
        let Some(entries) = self.value.as_table() else {
            self.expected("a table");
            return None;
        };
        let inline =
            self.doc.slice(self.span()).starts_with('{') || self.doc.slice(self.span()).starts_with('[');
        let span = if inline { self.span() } else { self.key_span() };
        Some(Table { doc: self.doc, entries, span, what: what.into(), known: RefCell::default() })
    }
}

impl<'d> Text<'d> {
    pub fn as_str(&self) -> &'d str {
        self.value
    }

    pub fn doc(&self) -> &'d Doc<'d> {
        self.doc
    }

    /// The whole of it, quotes included.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Reports a mistake in the whole of it.
    pub fn report(&self, message: impl Into<String>, help: impl std::fmt::Display) {
        self.doc.report(Diagnostic::new(self.span(), message).help(help.to_string()));
    }

    /// Where bytes of the value stand in the source; the whole text where that cannot be said.
    pub fn at(&self, range: Range<usize>) -> Range<usize> {
        let raw = self.doc.slice(self.span());
        match (offset(raw, self.value, range.start), offset(raw, self.value, range.end)) {
            (Some(start), Some(end)) if start <= end => {
                let start = start + continuation(&raw[start..end]);
                self.span.start + start..self.span.start + end
            }
            _ => self.span(),
        }
    }

    /// The first escape in it that stands for a control character: `"C:\temp"` holds a tab.
    pub fn control_escape(&self) -> Option<Range<usize>> {
        let raw = self.doc.slice(self.span());
        if !raw.starts_with('"') {
            return None;
        }
        let mut chars = raw.char_indices();
        while let Some((at, c)) = chars.next() {
            if c == '\\' && chars.next().is_some_and(|(_, c)| matches!(c, 't' | 'n' | 'b' | 'f' | 'r' | 'e'))
            {
                return Some(self.span.start + at..self.span.start + at + 2);
            }
        }
        None
    }
}

/// `words` as `a, b, c`.
pub fn listed<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Where byte `target` of `value` stands in `raw`, the TOML string with its quotes.
fn offset(raw: &str, value: &str, target: usize) -> Option<usize> {
    let quote = ["'''", "\"\"\"", "'", "\""].into_iter().find(|quote| raw.starts_with(quote))?;
    let mut at = quote.len();
    if quote.len() == 3 {
        at += ["\r\n", "\n"].into_iter().find(|newline| raw[at..].starts_with(newline)).map_or(0, str::len);
    }
    let mut done = 0;
    while done < target {
        let rest = &raw[at..];
        let (taken, given) = if quote.starts_with('"') && rest.starts_with('\\') {
            escape(rest)?
        } else {
            let c = rest.chars().next()?;
            if !value[done..].starts_with(c) {
                return None;
            }
            (c.len_utf8(), c.len_utf8())
        };
        at += taken;
        done += given;
    }
    (done == target).then_some(at)
}

/// Bytes at the start of `rest` that stand for nothing: a backslash at the end of a line.
fn continuation(rest: &str) -> usize {
    match rest.starts_with('\\').then(|| escape(rest)).flatten() {
        Some((taken, 0)) => taken,
        _ => 0,
    }
}

/// Bytes that the escape at the start of `rest` takes, and bytes it stands for.
fn escape(rest: &str) -> Option<(usize, usize)> {
    let kind = rest[1..].chars().next()?;
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        c if c.is_whitespace() => {
            let trimmed = rest[1..].trim_start();
            return Some((rest.len() - trimmed.len(), 0));
        }
        _ => return Some((2, 1)),
    };
    let code = u32::from_str_radix(rest.get(2..2 + digits)?, 16).ok()?;
    Some((2 + digits, char::from_u32(code)?.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(source: &str) -> Diagnostics {
        Doc::parse(source).finish("x.toml")
    }

    #[test]
    fn every_mistake_of_toml_is_found() {
        let diagnostics = whole("a = \"C:\\Program\"\nb = \nc = 1\nc = 2\n");
        assert!(diagnostics.list.len() >= 3, "{diagnostics}");
        assert!(diagnostics.to_string().contains("stands in '…'"), "{diagnostics}");
    }

    #[test]
    fn a_place_in_a_text_is_found_behind_escapes() {
        for source in [
            "a = \"x\\\"\\u00e9\\n   HERE\"",
            "a = '''\nx\"é HERE'''",
            "a = \"\"\"\nx\\\"é\\\n  \n HERE\"\"\"",
            "a = 'x\"é HERE'",
        ] {
            let doc = Doc::parse(source);
            let text = doc.root().get("a").and_then(|item| item.text()).expect("a text");
            let at = text.as_str().find("HERE").expect("in the value");
            assert_eq!(doc.slice(text.at(at..at + 4)), "HERE", "{source}");
        }
    }

    #[test]
    fn a_file_too_large_is_refused_unread() {
        assert_eq!(whole(&"#".repeat(LARGEST + 1)).list.len(), 1);
    }
}
