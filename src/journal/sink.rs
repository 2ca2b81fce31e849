//! The file of a journal, written a batch at a time.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::JournalError;
use super::line::{Chain, Stamp, sha256_hex, write_event};
use super::read::End;

/// What is given up when the disk is full, in bytes.
const RESERVE: usize = 64 << 10;
/// A file system may take a moment until the blocks of a removed file can be used.
const TRIES: u32 = 40;
const BETWEEN: Duration = Duration::from_millis(50);

/// An event on its way to the journal.
#[derive(Debug)]
pub(super) struct Pending {
    pub stamp: Stamp,
    pub json: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Sink {
    pub file: File,
    pub path: PathBuf,
    pub reserve: PathBuf,
    /// Where the last batch that was wholly written ends.
    pub end: End,
    /// Whether something was written since the last sync.
    pub unsynced: bool,
}

impl Sink {
    /// Writes a batch with one call. After a full disk the file ends where it ended before.
    pub(super) fn write(&mut self, batch: &[Pending]) -> Result<(), JournalError> {
        let mut bytes = Vec::new();
        let End { mut seq, mut chain, offset } = self.end;
        for event in batch {
            seq += 1;
            chain = write_event(&mut bytes, seq, event.stamp, &event.json, chain);
        }
        self.unsynced |= !bytes.is_empty();
        if let Err(error) = self.file.write_all(&bytes) {
            let error = JournalError::io("writing", &self.path, error);
            if error.is_full() {
                self.cut(offset)?;
            }
            return Err(error);
        }
        self.end = End { seq, chain, offset: offset + bytes.len() as u64 };
        Ok(())
    }

    /// Brings what was written to disk. An error is final: the system may have dropped the pages that it could not
    /// write, and a second call would succeed without them.
    pub(super) fn sync(&mut self) -> Result<(), JournalError> {
        if self.unsynced {
            self.file.sync_data().map_err(|error| self.not_synced(error))?;
            self.unsynced = false;
        }
        Ok(())
    }

    /// Writes one last event and syncs it; where there is no room, in that of the reserve.
    pub(super) fn last_words(&mut self, event: Pending) -> Result<u64, JournalError> {
        let batch = [event];
        let mut outcome = self.write(&batch);
        if outcome.as_ref().is_err_and(JournalError::is_full) {
            std::fs::remove_file(&self.reserve)
                .map_err(|error| JournalError::io("removing", &self.reserve, error))?;
        }
        for _ in 0..TRIES {
            if !outcome.as_ref().is_err_and(JournalError::is_full) {
                break;
            }
            std::thread::sleep(BETWEEN);
            outcome = self.write(&batch);
        }
        outcome?;
        self.sync()?;
        Ok(self.end.seq)
    }

    /// Takes back what was written behind `offset`, durably: else lines that were refused could come back with a
    /// power cut.
    pub(super) fn cut(&mut self, offset: u64) -> Result<(), JournalError> {
        self.file.set_len(offset).and_then(|()| self.file.sync_all()).map_err(|error| self.not_synced(error))
    }

    fn not_synced(&self, error: std::io::Error) -> JournalError {
        JournalError::NotSynced { path: self.path.clone(), source: Arc::new(error) }
    }
}

/// Makes sure of the reserve, of bytes that no file system can store in less.
pub(super) fn keep_reserve(path: &Path) -> Result<(), JournalError> {
    if path.metadata().is_ok_and(|about| about.len() == RESERVE as u64) {
        return Ok(());
    }
    let mut bytes = String::with_capacity(RESERVE);
    let mut block = String::from("held for the last words of this session");
    while bytes.len() < RESERVE {
        block = sha256_hex(block.as_bytes());
        bytes.push_str(&block);
    }
    super::write_atomic(path, bytes.as_bytes())
}

impl End {
    pub(super) fn of_header(bytes: usize, chain: Chain) -> Self {
        Self { seq: 0, offset: bytes as u64, chain }
    }
}
