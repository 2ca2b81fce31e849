//! Events for programs.

use std::fmt::Write as _;

use serde::Serialize;

use crate::engine::Event;
use crate::journal::Entry;
use crate::text::escape::is_visible;

/// An event as the journal writes it, without the chain.
pub(super) fn entry(entry: &Entry<Event>) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        seq: u64,
        at: String,
        epoch: u32,
        mono: u64,
        event: &'a Event,
    }
    object(&Line {
        seq: entry.seq,
        at: format!("{:.3}", entry.stamp.at()),
        epoch: entry.stamp.epoch,
        mono: entry.stamp.mono_ms,
        event: &entry.event,
    })
}

/// `value` as JSON on one line. What is not visible is escaped: the line may be looked at in a terminal.
pub fn object(value: &impl Serialize) -> String {
    let plain = serde_json::to_string(value).unwrap_or_else(|error| {
        // Only a map with keys that are no text can fail, and none is written.
        serde_json::json!({ "error": error.to_string() }).to_string()
    });
    if plain.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return plain;
    }
    let mut text = String::with_capacity(plain.len() + 16);
    for c in plain.chars() {
        if is_visible(c) {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}
