//! Format 1: one JSON object a line, and the chain that ties each line to the one before.
//!
//! ```text
//! {"nofm_journal":1,"program":"0.1.0","session":"…","setup":"…","started":"…","chain":"…"}
//! {"seq":1,"at":"2026-11-21T04:12:33.000Z","epoch":1,"mono":0,"event":…,"chain":"…"}
//! ```
//! A line ends in `,"chain":"C"}` and a line feed. `C` is the first 32 hexadecimal digits (lower case) of the SHA-256
//! of the 32 digits of the line before (32 zeros for the first line) followed by the bytes of this line up to, and
//! without, its `,"chain":"`. The first line has the sequence number 0 without saying so.

use std::fmt;
use std::io::Write as _;

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::JournalError;
use crate::model::SessionId;
use crate::text::escape;

/// The format this program writes.
pub const FORMAT: u32 = 1;
/// The longest line, in bytes, its line feed included.
pub const LONGEST_LINE: usize = 1 << 20;
/// `,"chain":"` + 32 digits + `"}`
const SEAL: usize = SEAL_OPEN.len() + DIGITS + SEAL_CLOSE.len();
const SEAL_OPEN: &[u8] = br#","chain":""#;
const SEAL_CLOSE: &[u8] = br#""}"#;
const DIGITS: usize = 32;

/// When something happened, by three clocks: a wall clock, which may jump; which run of the runner; and the
/// milliseconds since that run began, which never jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    at: Timestamp,
    pub epoch: u32,
    pub mono_ms: u64,
}

impl Stamp {
    /// Of `at` only whole milliseconds are kept, here as in the journal, so that a live state and a replayed one are
    /// the same.
    pub fn new(at: Timestamp, epoch: u32, mono_ms: u64) -> Self {
        Self { at: whole_ms(at), epoch, mono_ms }
    }

    pub fn at(&self) -> Timestamp {
        self.at
    }
}

fn whole_ms(at: Timestamp) -> Timestamp {
    let down = TimestampRound::new().smallest(Unit::Millisecond).mode(RoundMode::Floor);
    at.round(down).unwrap_or(at)
}

/// The first line of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The format of the lines.
    pub nofm_journal: u32,
    /// The version of the program that started the session.
    pub program: String,
    pub session: SessionId,
    /// SHA-256 of `session.toml`, hexadecimal.
    pub setup: String,
    pub started: Timestamp,
}

/// One event of a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<E> {
    /// 1 for the first event, and one more for each that follows.
    pub seq: u64,
    pub stamp: Stamp,
    pub event: E,
}

/// A line of an event, without its chain.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line<E> {
    pub seq: u64,
    at: Timestamp,
    epoch: u32,
    mono: u64,
    event: E,
}

impl<E> From<Line<E>> for Entry<E> {
    fn from(line: Line<E>) -> Self {
        Self { seq: line.seq, stamp: Stamp::new(line.at, line.epoch, line.mono), event: line.event }
    }
}

/// The last link of a chain: it stands for every line up to here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Chain([u8; DIGITS / 2]);

impl Chain {
    pub(super) const START: Self = Self([0; DIGITS / 2]);

    fn next(self, body: &[u8]) -> Self {
        let digest = Sha256::new().chain_update(self.to_string()).chain_update(body).finalize();
        let mut link = [0; DIGITS / 2];
        link.copy_from_slice(&digest[..DIGITS / 2]);
        Self(link)
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// SHA-256 as 64 hexadecimal digits.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

/// An event as JSON on one line that does no harm in a terminal: characters that are not visible are escaped.
pub(super) fn event_json<E: Serialize>(event: &E) -> Result<Vec<u8>, JournalError> {
    let not_json = |error: serde_json::Error| JournalError::NotJson(error.into());
    let plain = serde_json::to_string(event).map_err(not_json)?;
    if plain.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(plain.into_bytes());
    }
    let mut json = String::with_capacity(plain.len() + 16);
    for c in plain.chars() {
        if escape::is_visible(c) {
            json.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = fmt::Write::write_fmt(&mut json, format_args!("\\u{unit:04x}"));
            }
        }
    }
    Ok(json.into_bytes())
}

/// Appends the first line of a journal to `out`.
pub(super) fn write_header(out: &mut Vec<u8>, header: &Header) -> Result<Chain, JournalError> {
    let mut json = serde_json::to_vec(header).map_err(|error| JournalError::NotJson(error.into()))?;
    json.pop();
    let from = out.len();
    out.extend_from_slice(&json);
    Ok(seal(out, from, Chain::START))
}

/// Appends the line of one event to `out`.
pub(super) fn write_event(out: &mut Vec<u8>, seq: u64, stamp: Stamp, event: &[u8], before: Chain) -> Chain {
    let from = out.len();
    let (at, epoch, mono) = (stamp.at, stamp.epoch, stamp.mono_ms);
    // Writing to memory cannot fail.
    let _ = write!(out, r#"{{"seq":{seq},"at":"{at:.3}","epoch":{epoch},"mono":{mono},"event":"#);
    out.extend_from_slice(event);
    seal(out, from, before)
}

fn seal(out: &mut Vec<u8>, from: usize, before: Chain) -> Chain {
    let chain = before.next(&out[from..]);
    out.extend_from_slice(SEAL_OPEN);
    out.extend_from_slice(chain.to_string().as_bytes());
    out.extend_from_slice(SEAL_CLOSE);
    out.push(b'\n');
    chain
}

/// Checks the chain of a line (without its line feed) and leaves the JSON object without it in `line`.
pub(super) fn unseal(line: &mut Vec<u8>, before: Chain) -> Result<Chain, &'static str> {
    let Some(end) = line.len().checked_sub(SEAL) else {
        return Err("it is no line of a journal");
    };
    let (body, seal) = line.split_at(end);
    let Some(digits) = seal.strip_prefix(SEAL_OPEN).and_then(|rest| rest.strip_suffix(SEAL_CLOSE)) else {
        return Err("it does not end in a chain value");
    };
    let chain = before.next(body);
    if chain.to_string().as_bytes() != digits {
        return Err("its chain value does not follow from the lines up to here");
    }
    line.truncate(end);
    line.push(b'}');
    Ok(chain)
}
