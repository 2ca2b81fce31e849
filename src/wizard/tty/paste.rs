//! Pasted text, as it comes in brackets.

/// Bytes of pasted text that are kept; what goes beyond is left out.
pub(super) const PASTE_MAX: usize = 64 * 1024;

const END: &[u8] = b"\x1b[201~";

/// A paste that has begun.
#[derive(Default)]
pub(super) struct Paste {
    text: Vec<u8>,
    /// How much of [`END`] the last bytes are.
    matched: usize,
}

impl Paste {
    /// Takes one more byte. True: it was the last.
    pub(super) fn push(&mut self, byte: u8) -> bool {
        if END.get(self.matched) == Some(&byte) {
            self.matched += 1;
            return self.matched == END.len();
        }
        let matched = std::mem::take(&mut self.matched);
        self.keep(&END[..matched]);
        if byte == END[0] {
            self.matched = 1;
        } else {
            self.keep(&[byte]);
        }
        false
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = PASTE_MAX.saturating_sub(self.text.len());
        self.text.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// What was pasted so far, as it came.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        let matched = std::mem::take(&mut self.matched);
        self.keep(&END[..matched]);
        self.text
    }

    /// The text alone: line ends as `\n`, a tab as a space, no other control character.
    pub(super) fn into_text(self) -> String {
        let whole = match std::str::from_utf8(&self.text) {
            // Cut in the middle of a character, by the limit.
            Err(error) if error.error_len().is_none() => &self.text[..error.valid_up_to()],
            _ => &self.text,
        };
        let text = String::from_utf8_lossy(whole);
        let mut clean = String::with_capacity(text.len());
        let mut last = ' ';
        for one in text.chars() {
            match one {
                '\n' if last == '\r' => {}
                '\r' | '\n' => clean.push('\n'),
                '\t' => clean.push(' '),
                one if one.is_control() => {}
                one => clean.push(one),
            }
            last = one;
        }
        clean
    }
}
