//! What servers printed, read from the session's files: only what is shown, and only when it grew.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::journal::{OutputReader, SessionDir};
use crate::text::escape::{Newline, safe_bytes};

/// Runs whose files are kept open.
const OPEN: usize = 64;
/// The longest line that is kept for the screen, in characters.
const LINE: usize = 1000;

/// The last lines of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tail {
    /// Bytes it printed so far.
    pub(super) bytes: u64,
    pub(super) lines: Vec<String>,
    /// What cannot be read, and why.
    pub(super) wrong: Option<String>,
}

struct Open {
    reader: OutputReader,
    /// The tail as it was read last: up to which byte, how many lines.
    last: Option<(u64, usize, Tail)>,
    used: u64,
}

pub(super) struct Printed {
    session: SessionDir,
    open: RefCell<HashMap<String, Open>>,
    uses: RefCell<u64>,
    /// Nothing that came later is shown.
    until: Option<jiff::Timestamp>,
}

impl Printed {
    pub(super) fn new(session: SessionDir) -> Self {
        Self { session, open: RefCell::default(), uses: RefCell::new(0), until: None }
    }

    /// From here on only what had come at `at` is shown; `None`: everything.
    pub(super) fn only_until(&mut self, at: Option<jiff::Timestamp>) {
        self.until = at;
    }

    /// Bytes that `run` printed; 0 where it printed nothing yet.
    pub(super) fn size(&self, run: &str) -> u64 {
        self.with(run, |open, until| size(&open.reader, until)).and_then(Result::ok).unwrap_or(0)
    }

    /// The last `count` lines of `run`, `below` lines above its end.
    pub(super) fn tail(&self, run: &str, count: usize, below: usize) -> Tail {
        let found = self.with(run, |open, until| {
            let bytes = size(&open.reader, until)?;
            let lines = count + below;
            if let Some((at, read, tail)) = &open.last
                && *at == bytes
                && *read == lines
            {
                return Ok(tail.clone());
            }
            let (_, raw) = open.reader.tail(bytes, lines).map_err(|error| error.to_string())?;
            let mut lines_read = text_lines(&raw);
            let keep = lines_read.len().saturating_sub(below);
            lines_read.truncate(keep);
            let skip = lines_read.len().saturating_sub(count);
            lines_read.drain(..skip);
            let tail = Tail { bytes, lines: lines_read, wrong: None };
            open.last = Some((bytes, lines, tail.clone()));
            Ok(tail)
        });
        match found {
            None => Tail::default(),
            Some(Ok(tail)) => tail,
            Some(Err(wrong)) => Tail { wrong: Some(wrong), ..Tail::default() },
        }
    }

    /// Bytes from `from` on, at most 1 MiB.
    pub(super) fn bytes(&self, run: &str, from: u64) -> Vec<u8> {
        let read = self.with(run, |open, until| {
            let to = size(&open.reader, until)?;
            open.reader.window(from.min(to), to).map_err(|error| error.to_string())
        });
        read.and_then(Result::ok).unwrap_or_default()
    }

    fn with<T>(
        &self,
        run: &str,
        what: impl FnOnce(&mut Open, Option<jiff::Timestamp>) -> Result<T, String>,
    ) -> Option<Result<T, String>> {
        let mut open = self.open.borrow_mut();
        *self.uses.borrow_mut() += 1;
        if !open.contains_key(run) {
            let reader = match OutputReader::open(&self.session, run) {
                Ok(reader) => reader,
                Err(error) if error.is_missing() => return None,
                Err(error) => return Some(Err(error.to_string())),
            };
            if open.len() >= OPEN
                && let Some(oldest) =
                    open.iter().min_by_key(|(_, open)| open.used).map(|(run, _)| run.clone())
            {
                open.remove(&oldest);
            }
            open.insert(run.to_owned(), Open { reader, last: None, used: 0 });
        }
        let found = open.get_mut(run)?;
        found.used = *self.uses.borrow();
        Some(what(found, self.until))
    }
}

fn size(reader: &OutputReader, until: Option<jiff::Timestamp>) -> Result<u64, String> {
    match until {
        None => reader.size(),
        Some(at) => reader.size_at(at),
    }
    .map_err(|error| error.to_string())
}

/// Lines as a terminal would leave them: of what a carriage return wrote over, the last stays.
pub(super) fn text_lines(raw: &[u8]) -> Vec<String> {
    let mut lines: Vec<String> = raw
        .split(|byte| *byte == b'\n')
        .map(|line| {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let line = line.rsplit(|byte| *byte == b'\r').next().unwrap_or(line);
            let text = safe_bytes(line, Newline::Show);
            match text.char_indices().nth(LINE) {
                Some((at, _)) => format!("{}..", &text[..at]),
                None => text,
            }
        })
        .collect();
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}
