//! The output of a step, looked at as it comes.

use jiff::Timestamp;
use regex::bytes::Regex;

use super::act::Order;
use crate::journal::{OutputLog, OutputReader};
use crate::text::escape::{Newline, safe_bytes};

/// Bytes of a step's output that go into the journal.
const TAIL: usize = 4096;
/// The longest line that `has` and `lacks` look at, in bytes; the rest of a longer one is not looked at.
const LINE: usize = 64 * 1024;

/// Looks at the output as it comes: its end, and what a profile wants it to have or to lack.
pub(super) struct Watch {
    pub(super) bytes: u64,
    /// How many of them are kept, where there was no room on the console's disk for all.
    pub(super) cut: Option<u64>,
    tail: Vec<u8>,
    line: Vec<u8>,
    pub(super) has: Option<(Regex, bool)>,
    pub(super) lacks: Option<(Regex, bool)>,
}

impl Watch {
    pub(super) fn new(order: &Order) -> Self {
        let regex = |source: &Option<String>| {
            let source = source.as_ref()?;
            Some((Regex::new(source).ok()?, false))
        };
        Self {
            bytes: 0,
            cut: None,
            tail: Vec::new(),
            line: Vec::new(),
            has: regex(&order.has),
            lacks: regex(&order.lacks),
        }
    }

    pub(super) fn see(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        let over = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..over);
        if self.has.is_none() && self.lacks.is_none() {
            return;
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    /// A line of our own, where there is no command that prints.
    pub(super) fn say(&mut self, log: &mut OutputLog, line: &str) {
        let line = format!("{line}\n");
        self.see(line.as_bytes());
        if let Err(error) = log.append(line.as_bytes(), Timestamp::now()) {
            tracing::warn!(%error, "the output could not be kept");
        }
    }

    fn end_line(&mut self) {
        // `$` means the end of the line, however the server ends its lines.
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        for (regex, found) in [&mut self.has, &mut self.lacks].into_iter().flatten() {
            *found |= regex.is_match(line);
        }
        self.line.clear();
    }

    /// Sees what an earlier runner recorded.
    pub(super) fn catch_up(&mut self, order: &Order) {
        let len = order.log.len();
        let Ok(reader) = OutputReader::open(&order.session, &order.run) else { return };
        let mut at = 0;
        while at < len {
            let to = len.min(at + (1 << 20));
            match reader.window(at, to) {
                Ok(bytes) => self.see(&bytes),
                Err(error) => tracing::warn!(%error, run = %order.run, "the output cannot be read back"),
            }
            at = to;
        }
    }

    pub(super) fn tail(&mut self) -> String {
        self.end_line();
        safe_bytes(&self.tail, Newline::Keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_line_is_that_of_its_text() {
        let regex = Regex::new("ready$").expect("a pattern");
        for (text, finds) in [
            ("ready\n", true),
            ("no\r\nready\r\n", true),
            ("ready", true),
            ("ready now\n", false),
            ("ready\r\r\n", false),
        ] {
            let mut watch = Watch {
                bytes: 0,
                cut: None,
                tail: Vec::new(),
                line: Vec::new(),
                has: Some((regex.clone(), false)),
                lacks: None,
            };
            watch.see(text.as_bytes());
            watch.tail();
            assert_eq!(watch.has.map(|(_, found)| found), Some(finds), "{text:?}");
        }
    }
}
