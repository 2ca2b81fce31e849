//! One process at a time: a locked file that says who holds it.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::JournalError;
use super::atomic::read_text;
use crate::model::SessionId;
use crate::text::escape;

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    pub since: Timestamp,
    pub session: SessionId,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let session = escape::safe_cut(self.session.as_str(), 100);
        if self.pid == 0 {
            return f.write_str("a process that is just starting or ending: try again");
        }
        write!(f, "process {} since {} for session {session}", self.pid, self.since)
    }
}

/// A lock, held until it is dropped or the process ends, however it ends. The file stays: removing it would let
/// two processes hold two files of one name.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Longest text of a lock file, in bytes.
const LONGEST: u64 = 4096;
/// [`holder`] holds the lock for an instant, so one refusal is not yet an answer.
const TRIES: u32 = 5;
const BETWEEN: Duration = Duration::from_millis(20);

impl Lock {
    /// Takes the lock for this process. Blocks for at most 0.1 s.
    ///
    /// # Errors
    /// [`JournalError::Held`] with the holder when another process has it.
    pub(super) fn take(path: &Path, session: &SessionId, at: Timestamp) -> Result<Self, JournalError> {
        let wrong = |error| JournalError::io("locking", path, error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(wrong)?;
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(wrong(error)),
                Err(TryLockError::WouldBlock) if attempt < TRIES => std::thread::sleep(BETWEEN),
                Err(TryLockError::WouldBlock) => {
                    return Err(JournalError::Held { path: path.to_owned(), holder: written_holder(path) });
                }
            }
        }
        let holder = Holder { pid: std::process::id(), since: at, session: session.clone() };
        let text = toml::to_string(&holder)
            .map_err(|error| JournalError::Malformed { path: path.to_owned(), what: error.to_string() })?;
        file.set_len(0).and_then(|()| file.rewind()).map_err(wrong)?;
        file.write_all(text.as_bytes()).map_err(wrong)?;
        Ok(Self { _file: file })
    }
}

/// Who holds the lock at this moment, if anybody does.
pub(super) fn holder(path: &Path) -> Result<Option<Holder>, JournalError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(JournalError::io("opening", path, error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(written_holder(path))),
        Err(TryLockError::Error(error)) => Err(JournalError::io("locking", path, error)),
    }
}

/// What the holder wrote; process 0 where it has not written yet.
fn written_holder(path: &Path) -> Holder {
    read_text(path, LONGEST).ok().and_then(|text| toml::from_str(&text).ok()).unwrap_or_else(|| Holder {
        pid: 0,
        since: Timestamp::UNIX_EPOCH,
        session: SessionId::from(""),
    })
}
