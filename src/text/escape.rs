//! Foreign text made safe for a terminal.
//!
//! What a server, a file or a person wrote may hold escape sequences, characters that turn the reading
//! direction round, or characters that nobody sees. None of them reaches the terminal: each is shown as what
//! it is, `^[` for an escape character, `\u{202e}` for a direction override, `\xff` for a byte that is no
//! UTF-8. The result is for showing only: it cannot be turned back, and a text that holds the two characters
//! `^[` looks like one that held an escape character.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// What becomes of line ends (`\n` and `\r\n`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newline {
    /// They stay, as `\n`.
    Keep,
    /// They are shown as the two characters `\n`, so that the text stays on one line.
    Show,
}

/// Combining marks shown on one character; a mark beyond these is spelt out, so that a tower of marks does not
/// paint over the lines above.
const MOST_MARKS: u8 = 4;
const TAB: usize = 8;
const ELLIPSIS: char = '…';

/// `text` on one line, safe to show.
pub fn safe(text: &str) -> Cow<'_, str> {
    safe_with(text, Newline::Show)
}

/// `text`, safe to show, its line ends kept or shown.
pub fn safe_with(text: &str, newline: Newline) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut escaper = Escaper::new(newline);
    escaper.push_str(text);
    Cow::Owned(escaper.out)
}

/// Bytes that should be UTF-8, safe to show. Those that are not appear as `\xNN`.
pub fn safe_bytes(bytes: &[u8], newline: Newline) -> String {
    let mut escaper = Escaper::new(newline);
    for chunk in bytes.utf8_chunks() {
        escaper.push_str(chunk.valid());
        for byte in chunk.invalid() {
            escaper.spell(format_args!("\\x{byte:02x}"));
        }
    }
    escaper.out
}

/// The beginning of `text` on one line, safe to show, in at most `max_chars` characters; where something is
/// left out the last of them is `…`. Looks at no more of `text` than it needs.
pub fn safe_cut(text: &str, max_chars: usize) -> Cow<'_, str> {
    let mut escaper = Escaper::new(Newline::Show);
    let (mut count, mut fits) = (0, 0);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let before = escaper.out.len();
        escaper.push(c, chars.peek() == Some(&'\n'));
        count += escaper.out[before..].chars().count();
        if count > max_chars {
            escaper.out.truncate(fits);
            if max_chars > 0 {
                escaper.out.push(ELLIPSIS);
            }
            return Cow::Owned(escaper.out);
        }
        if count < max_chars {
            fits = escaper.out.len();
        }
    }
    if escaper.out == text { Cow::Borrowed(text) } else { Cow::Owned(escaper.out) }
}

struct Escaper {
    out: String,
    newline: Newline,
    /// Columns since the last line end, for tabs.
    column: usize,
    /// How many more marks the last character may carry; 0 when it is none that carries any.
    marks: u8,
}

impl Escaper {
    fn new(newline: Newline) -> Self {
        Self { out: String::new(), newline, column: 0, marks: 0 }
    }

    fn push_str(&mut self, text: &str) {
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            self.push(c, chars.peek() == Some(&'\n'));
        }
    }

    fn push(&mut self, c: char, before_line_feed: bool) {
        match c {
            '\r' if before_line_feed => {}
            '\n' if self.newline == Newline::Keep => {
                self.out.push('\n');
                (self.column, self.marks) = (0, 0);
            }
            '\n' => self.spell(format_args!("\\n")),
            '\t' => self.blanks(TAB - self.column % TAB),
            ' ' => self.blanks(1),
            '\0'..='\x1f' | '\x7f' => self.spell(format_args!("^{}", char::from(c as u8 ^ 0x40))),
            '!'..='~' => self.plain(c, 1),
            '\u{3000}' => self.blanks(2),
            _ if c.is_whitespace() && !matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}') => self.blanks(1),
            _ if !is_visible(c) => self.spell(format_args!("\\u{{{:x}}}", u32::from(c))),
            _ => match c.width().unwrap_or(0) {
                0 if self.marks == 0 => self.spell(format_args!("\\u{{{:x}}}", u32::from(c))),
                0 => {
                    self.out.push(c);
                    self.marks -= 1;
                }
                width => self.plain(c, width),
            },
        }
    }

    fn plain(&mut self, c: char, width: usize) {
        self.out.push(c);
        self.column += width;
        self.marks = MOST_MARKS;
    }

    fn blanks(&mut self, count: usize) {
        self.out.extend(std::iter::repeat_n(' ', count));
        self.column += count;
        self.marks = 0;
    }

    fn spell(&mut self, ascii: std::fmt::Arguments<'_>) {
        let before = self.out.len();
        // Writing to a string cannot fail.
        let _ = self.out.write_fmt(ascii);
        self.column += self.out.len() - before;
        self.marks = 0;
    }
}

/// Whether a character leaves something to see: neither a control, format, private or unassigned one (the standard
/// library's own table, asked through `escape_debug`), nor one that Unicode lets vanish. Of blanks only the usual one
/// counts as visible.
pub fn is_visible(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    let mut text = [0; 5];
    // Behind another character, or every combining mark would be escaped.
    text[0] = b'a';
    let length = 1 + c.encode_utf8(&mut text[1..]).len();
    let printable = std::str::from_utf8(&text[..length]).is_ok_and(|text| text.escape_debug().count() == 2);
    printable && !vanishes(c)
}

/// Printable characters with the property `Default_Ignorable_Code_Point`.
fn vanishes(c: char) -> bool {
    matches!(c,
        '\u{34f}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2065}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a terminal obeys, reorders or does not draw.
    fn is_dangerous(c: char) -> bool {
        c.is_control()
            || matches!(u32::from(c),
                0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfe00..=0xfe0f
                | 0xfeff | 0xfff9..=0xfffb | 0xe000..=0xf8ff | 0xe0000..=0x10_ffff)
    }

    #[test]
    fn every_character_there_is_comes_out_harmless() {
        for c in '\0'..=char::MAX {
            let shown = safe(&format!("a{c}")).into_owned();
            assert!(!shown.contains(is_dangerous), "{:x} came out as {shown:?}", u32::from(c));
            assert!(shown.len() > 1, "{:x} vanished", u32::from(c));
        }
    }

    #[test]
    fn what_is_foreign_is_shown_as_what_it_is() {
        assert_eq!(safe("\x1b]52;c;AAAA\x07"), "^[]52;c;AAAA^G");
        assert_eq!(safe("\u{9b}2J\x7f"), "\\u{9b}2J^?");
        assert_eq!(safe("abc\u{202e}fdp.exe"), "abc\\u{202e}fdp.exe");
        assert_eq!(safe("one\r\ntwo\rthree\n"), "one\\ntwo^Mthree\\n");
        assert_eq!(safe_with("one\r\ntwo\rthree\n", Newline::Keep), "one\ntwo^Mthree\n");
        assert_eq!(safe("a\tb"), "a       b");
        assert_eq!(safe_bytes(b"Gr\xfc\xdfe \xe2\x9c\x93", Newline::Show), "Gr\\xfc\\xdfe ✓");
    }

    #[test]
    fn what_people_write_stays_as_it_is() {
        for text in ["Ubergrößen, naïve, co\u{302}te\u{301}", "日本語のサーバー", "עברית", "✓ 100 % — done…"]
        {
            assert_eq!(safe(text), text);
        }
        assert!(matches!(safe("plain"), Cow::Borrowed("plain")));
    }

    #[test]
    fn marks_need_a_character_and_stay_few() {
        assert_eq!(safe("\u{301}a"), "\\u{301}a");
        assert_eq!(safe(" \u{301}"), " \\u{301}");
        assert_eq!(safe(&format!("a{}", "\u{301}".repeat(5))), "a\u{301}\u{301}\u{301}\u{301}\\u{301}");
    }

    #[test]
    fn a_cut_never_halves_an_escape() {
        assert_eq!(safe_cut("abc", 3), "abc");
        assert_eq!(safe_cut("abcd", 3), "ab…");
        assert_eq!(safe_cut("ab\u{202e}cd", 7), "ab…");
        assert_eq!(safe_cut("a\x1b", 2), "a…");
        assert_eq!(safe_cut("anything", 0), "");
        assert_eq!(safe_cut("", 0), "");
    }

    proptest! {
        #[test]
        fn no_byte_survives_that_a_terminal_obeys(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let one_line = safe_bytes(&bytes, Newline::Show);
            prop_assert!(!one_line.contains(is_dangerous), "{one_line:?}");
            let lines = safe_bytes(&bytes, Newline::Keep);
            prop_assert!(!lines.replace('\n', "").contains(is_dangerous), "{lines:?}");
        }

        #[test]
        fn a_cut_keeps_to_its_bound_and_is_safe(text in any::<String>(), max in 0_usize..40) {
            let shown = safe_cut(&text, max);
            prop_assert!(shown.chars().count() <= max);
            prop_assert!(!shown.contains(is_dangerous));
            if safe(&text).chars().count() <= max {
                prop_assert_eq!(shown, safe(&text));
            }
        }

        #[test]
        fn what_is_safe_stays_as_it_is(text in any::<String>()) {
            let once = safe(&text).into_owned();
            prop_assert_eq!(safe(&once).into_owned(), once);
        }
    }
}
