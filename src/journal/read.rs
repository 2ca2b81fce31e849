//! Reading a journal: at once, or as it grows.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::JournalError;
use super::line::{Chain, Entry, FORMAT, Header, LONGEST_LINE, Line, unseal};
use super::session::SessionDir;
use crate::text::escape;

/// A whole journal.
#[derive(Clone, Debug)]
pub struct Read<E> {
    pub header: Header,
    pub events: Vec<Entry<E>>,
    /// Bytes of a last line that was never written to its end. Nothing in it had been acknowledged.
    pub torn: Option<u64>,
    pub(super) end: End,
}

/// Where the last whole line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub seq: u64,
    pub offset: u64,
    pub chain: Chain,
}

/// What [`verify`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub events: u64,
    /// Bytes of a torn last line.
    pub torn: Option<u64>,
    /// The chain value of the last whole line: noted elsewhere, it witnesses everything up to there.
    pub head: Chain,
}

/// Reads a session's whole journal.
///
/// # Errors
/// A line that is not as it was written, anywhere but in a torn last line; another format; an event that is no `E`.
pub fn read_all<E: DeserializeOwned>(session: &SessionDir) -> Result<Read<E>, JournalError> {
    let mut reader = Reader::open(session)?;
    let mut events = Vec::new();
    while let Some(entry) = reader.next_event()? {
        events.push(entry);
    }
    let torn = reader.torn();
    Ok(Read { header: reader.header, events, torn, end: reader.scanner.end })
}

/// Whether a session's journal is whole and unchanged, and its setup file the one it was started with.
///
/// # Errors
/// The first mistake, with its line.
pub fn verify(session: &SessionDir) -> Result<Verified, JournalError> {
    let mut reader = Reader::open(session)?;
    session.setup(&reader.header)?;
    while reader.next_event::<IgnoredAny>()?.is_some() {}
    let torn = reader.torn();
    Ok(Verified { events: reader.scanner.end.seq, torn, head: reader.scanner.end.chain })
}

/// Follows a journal as it grows.
#[derive(Debug)]
pub struct Reader {
    scanner: Scanner,
    header: Header,
}

impl Reader {
    /// Opens a session's journal and reads its header.
    pub fn open(session: &SessionDir) -> Result<Self, JournalError> {
        let mut scanner = Scanner::open(&session.journal_path())?;
        let header = scanner.header()?;
        Ok(Self { scanner, header })
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The sequence number of the last event read; 0 before the first.
    pub fn seq(&self) -> u64 {
        self.scanner.end.seq
    }

    /// Bytes of a line without an end that stood behind the last event when it was last looked for more.
    pub fn torn(&self) -> Option<u64> {
        self.scanner.torn
    }

    /// Reads on, up to the event `synced`, as far as the journal holds it. While a runner writes, `synced` must be a
    /// number that it told as synced: what lies behind may yet be taken back. `u64::MAX` reads a journal at rest.
    pub fn read_to<E: DeserializeOwned>(&mut self, synced: u64) -> Result<Vec<Entry<E>>, JournalError> {
        let mut events = Vec::new();
        if self.seq() < synced {
            self.scanner.refresh()?;
        }
        while self.seq() < synced {
            match self.scanner.event()? {
                Some(entry) => events.push(entry),
                None => break,
            }
        }
        Ok(events)
    }
}

/// A place in a journal, from which it can be read again.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    end: End,
    line: u64,
}

impl Reader {
    /// Where it stands: behind the last event read.
    pub fn mark(&self) -> Mark {
        Mark { end: self.scanner.end, line: self.scanner.line }
    }

    /// Goes to `mark`, a place in this very journal.
    pub fn go_to(&mut self, mark: Mark) -> Result<(), JournalError> {
        self.scanner.end = mark.end;
        self.scanner.line = mark.line;
        self.scanner.refresh()
    }

    /// The next event of a journal, or of a part of one, that does not change any more. `None`: there is none.
    pub fn next_event<E: DeserializeOwned>(&mut self) -> Result<Option<Entry<E>>, JournalError> {
        self.scanner.event()
    }
}

#[derive(Debug)]
struct Scanner {
    from: BufReader<File>,
    path: PathBuf,
    /// Lines read so far.
    line: u64,
    end: End,
    torn: Option<u64>,
    buffer: Vec<u8>,
    program: String,
}

impl Scanner {
    fn open(path: &Path) -> Result<Self, JournalError> {
        let file = File::open(path).map_err(|error| JournalError::io("opening", path, error))?;
        Ok(Self {
            from: BufReader::with_capacity(1 << 16, file),
            path: path.to_owned(),
            line: 0,
            end: End { seq: 0, offset: 0, chain: Chain::START },
            torn: None,
            buffer: Vec::new(),
            program: String::new(),
        })
    }

    /// Looks again at what follows the last whole line.
    fn refresh(&mut self) -> Result<(), JournalError> {
        let wrong = |error| JournalError::io("reading", &self.path, error);
        let length = self.from.get_ref().metadata().map_err(wrong)?.len();
        if length < self.end.offset {
            return Err(self.broken("the journal became shorter than it was"));
        }
        self.from.seek(SeekFrom::Start(self.end.offset)).map_err(wrong)?;
        Ok(())
    }

    fn header(&mut self) -> Result<Header, JournalError> {
        #[derive(Deserialize)]
        struct Written {
            nofm_journal: u64,
            program: String,
        }
        if !self.line()? {
            return Err(self.broken("the journal has no whole first line"));
        }
        let known: Written =
            serde_json::from_slice(&self.buffer).map_err(|_| self.broken("this is no journal of nofm"))?;
        self.program = escape::safe_cut(&known.program, 40).into_owned();
        if known.nofm_journal != u64::from(FORMAT) {
            return Err(JournalError::Version {
                path: self.path.clone(),
                found: known.nofm_journal,
                known: FORMAT,
                program: self.program.clone(),
            });
        }
        self.unseal()?;
        serde_json::from_slice(&self.buffer).map_err(|error| self.unknown(&error))
    }

    /// `None`: nothing whole follows.
    fn event<E: DeserializeOwned>(&mut self) -> Result<Option<Entry<E>>, JournalError> {
        if !self.line()? {
            return Ok(None);
        }
        let before = self.end;
        self.unseal()?;
        let line: Line<E> = serde_json::from_slice(&self.buffer).map_err(|error| self.unknown(&error))?;
        let expected = before.seq + 1;
        if line.seq != expected {
            return Err(self.broken(&format!("it has the number {} and should have {expected}", line.seq)));
        }
        self.end.seq = expected;
        Ok(Some(line.into()))
    }

    /// Reads the next line into the buffer, without its line feed. False: no whole one follows.
    fn line(&mut self) -> Result<bool, JournalError> {
        self.buffer.clear();
        self.torn = None;
        let read = (&mut self.from)
            .take(LONGEST_LINE as u64)
            .read_until(b'\n', &mut self.buffer)
            .map_err(|error| JournalError::io("reading", &self.path, error))?;
        if self.buffer.pop_if(|last| *last == b'\n').is_some() {
            self.line += 1;
            return Ok(true);
        }
        if read == LONGEST_LINE {
            self.line += 1;
            return Err(self.broken(&format!("it is longer than {LONGEST_LINE} bytes")));
        }
        self.torn = (read > 0).then_some(read as u64);
        Ok(false)
    }

    fn unseal(&mut self) -> Result<(), JournalError> {
        let length = self.buffer.len() as u64 + 1;
        self.end.chain = unseal(&mut self.buffer, self.end.chain).map_err(|what| self.broken(what))?;
        self.end.offset += length;
        Ok(())
    }

    fn broken(&self, what: &str) -> JournalError {
        JournalError::Broken { path: self.path.clone(), line: self.line.max(1), what: what.to_owned() }
    }

    /// The chain holds, so this is what was written: by a program that knew more.
    fn unknown(&self, error: &serde_json::Error) -> JournalError {
        JournalError::Unknown {
            path: self.path.clone(),
            line: self.line,
            what: escape::safe_cut(&error.to_string(), 200).into_owned(),
            program: self.program.clone(),
        }
    }
}
