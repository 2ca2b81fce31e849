//! Words for a shell, and foreign words made fit to show.

use std::fmt::Write as _;

use crate::text::quote::is_powershell_quote;

/// `text` as one word for a POSIX shell, whatever it holds.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `text` as one string of PowerShell, whatever it holds.
pub(super) fn powershell_quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for c in text.chars() {
        if is_powershell_quote(c) {
            quoted.push(c);
        }
        quoted.push(c);
    }
    quoted.push('\'');
    quoted
}

/// What a server said, fit to show: one line, control and bidirectional characters escaped, cut to `most` characters.
pub(super) fn shown(bytes: &[u8], most: usize) -> String {
    // One more than is shown, so that a cut can be seen; no character has more than four bytes.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(most.saturating_add(1).saturating_mul(4))]);
    let mut out = String::new();
    for (count, c) in text.trim().chars().enumerate() {
        if count == most {
            out.push('…');
            break;
        }
        if is_plain(c) {
            out.push(c);
        } else if c == '\n' {
            out.push_str(" | ");
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "{}", c.escape_default());
        }
    }
    out
}

fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_holds_no_control_character_and_has_an_end() {
        let text = shown(b"\x1b]0;title\x07ok\r\n\xe2\x80\xae next\xc2\x9b", 200);
        assert!(!text.chars().any(char::is_control), "{text}");
        assert!(text.contains("ok") && text.contains("next"), "{text}");
        assert_eq!(shown(&[b'x'; 1000], 10), "xxxxxxxxxx…");
    }

    #[test]
    fn a_quote_stays_within_the_word() {
        assert_eq!(quoted("it's $(x)"), r"'it'\''s $(x)'");
    }
}
