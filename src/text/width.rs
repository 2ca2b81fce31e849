//! How many columns of a terminal a text takes, and texts made to take a given number of them.
//!
//! The texts are safe ones (see [`super::escape`]): a control character has no width of its own.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What stands for the part that a cut left out.
pub const ELLIPSIS: &str = "…";

/// The columns that `text` takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text` in at most `columns`; where something is left out it ends in [`ELLIPSIS`].
pub fn cut(text: &str, columns: usize) -> Cow<'_, str> {
    cut_with(text, columns, ELLIPSIS)
}

/// Like [`cut`], with another ellipsis, for a console that has no glyph for the usual one.
pub fn cut_with<'t>(text: &'t str, columns: usize, ellipsis: &str) -> Cow<'t, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let Some(room) = columns.checked_sub(width(ellipsis)) else {
        return Cow::Borrowed(head(text, columns));
    };
    Cow::Owned(format!("{}{ellipsis}", head(text, room)))
}

/// `text` in exactly `columns`: cut where it is too long, followed by blanks where it is too short.
pub fn pad(text: &str, columns: usize) -> String {
    let mut text = cut(text, columns).into_owned();
    text.extend(std::iter::repeat_n(' ', columns.saturating_sub(width(&text))));
    text
}

/// Like [`pad`], with the blanks in front: for numbers in a column.
pub fn pad_start(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(&text))))
}

/// `text` as lines of at most `columns`, broken at blanks, and inside a word only where the word alone is too
/// long. Line ends of the text stay line ends, and so does an empty line. A character wider than `columns`
/// stands on a line of its own, which is then too wide: nothing is left out.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    text.split('\n').flat_map(|line| wrap_line(line, columns.max(1))).collect()
}

fn wrap_line(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    // The indentation of a line is part of it; blanks between words are one.
    let indent = &text[..text.len() - text.trim_start_matches(' ').len()];
    let mut line = if width(indent) < columns { indent.to_owned() } else { String::new() };
    let mut at_start = true;
    for mut word in text.split(' ').filter(|word| !word.is_empty()) {
        if !at_start && !fits(word, columns.saturating_sub(width(&line) + 1)) {
            lines.push(std::mem::take(&mut line));
            at_start = true;
        }
        if !at_start {
            line.push(' ');
        }
        loop {
            let first = match head(word, columns.saturating_sub(width(&line))) {
                "" if line.is_empty() => &word[..word.chars().next().map_or(0, char::len_utf8)],
                first => first,
            };
            line.push_str(first);
            word = &word[first.len()..];
            if word.is_empty() {
                break;
            }
            lines.push(std::mem::take(&mut line));
        }
        at_start = false;
    }
    lines.push(line);
    lines
}

fn fits(text: &str, columns: usize) -> bool {
    head(text, columns).len() == text.len()
}

/// The longest beginning of `text` that fits into `columns`.
fn head(text: &str, columns: usize) -> &str {
    let mut taken = 0;
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        taken += c.width().unwrap_or(1);
        if taken > columns {
            end = at;
            break;
        }
    }
    // Some characters are wider together than apart.
    while width(&text[..end]) > columns {
        end = text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("日本"), 4);
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("日本語", 1), "…");
        assert_eq!(cut("日本語", 0), "");
        assert_eq!(cut_with("abcdef", 5, "..."), "ab...");
        assert_eq!(cut_with("abcdef", 2, "..."), "ab");
        assert_eq!(pad("日本語", 4), "日… ");
        assert_eq!(pad_start("7", 3), "  7");
    }

    #[test]
    fn lines_break_at_blanks_and_long_words_inside() {
        assert_eq!(wrap("one two  three", 8), ["one two", "three"]);
        assert_eq!(wrap("a /very/long/path b", 6), ["a", "/very/", "long/p", "ath b"]);
        assert_eq!(wrap("one\n\ntwo", 8), ["one", "", "two"]);
        assert_eq!(wrap("  - a point", 8), ["  - a", "point"]);
        assert_eq!(wrap("日本", 1), ["日", "本"]);
        assert_eq!(wrap("", 4), [""]);
    }

    proptest! {
        #[test]
        fn nothing_gets_wider_than_asked(text in "[ -~äé日本\u{301}\u{fe0f}☂]{0,60}", columns in 0_usize..20) {
            prop_assert!(width(&cut(&text, columns)) <= columns);
            prop_assert_eq!(width(&pad(&text, columns)), columns);
            prop_assert_eq!(width(&pad_start(&text, columns)), columns);
            for line in wrap(&text, columns.max(2)) {
                prop_assert!(width(&line) <= columns.max(2), "{line:?}");
            }
        }

        #[test]
        fn wrapping_loses_nothing_but_blanks(text in "[ a-zä日\u{301}\n]{0,60}", columns in 0_usize..20) {
            let bare = |text: &str| text.replace([' ', '\n'], "");
            prop_assert_eq!(bare(&wrap(&text, columns).concat()), bare(&text));
        }
    }
}
