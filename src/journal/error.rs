//! What can go wrong with a session's files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;

use super::lock::Holder;

/// Cloneable, since a failed writer tells everybody who waits for it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    #[error("{doing} {path}: {source}")]
    Io { doing: &'static str, path: PathBuf, source: Arc<io::Error> },

    #[error("no space left to write {path}: {source}; free some, then resume the session")]
    Full { path: PathBuf, source: Arc<io::Error> },

    #[error(
        "{path} could not be brought to disk: {source}; what was written since the last success may be lost, \
         so nothing more is written: look after the disk, then resume the session"
    )]
    NotSynced { path: PathBuf, source: Arc<io::Error> },

    #[error("the writer of {path} is closed")]
    Closed { path: PathBuf },

    #[error("an event of {bytes} bytes is longer than a line of the journal may be ({most} bytes)")]
    TooLong { bytes: usize, most: usize },

    #[error("an event cannot be written as JSON: {0}")]
    NotJson(Arc<serde_json::Error>),

    #[error(
        "{path} line {line}: {what}; the journal was damaged or changed, and is not used: put back a copy of it as it was \
         written, or begin a new session"
    )]
    Broken { path: PathBuf, line: u64, what: String },

    #[error(
        "{path} is in format {found}, written by nofm {program}; this program reads format {known}: \
         use nofm {program}"
    )]
    Version { path: PathBuf, found: u64, known: u32, program: String },

    #[error(
        "{path} line {line}: this program does not know what it says ({what}); nofm {program} wrote it: use that"
    )]
    Unknown { path: PathBuf, line: u64, what: String, program: String },

    #[error(
        "{path} is not the file this session was started with: its SHA-256 is {found}, the journal says {expected}; put \
         back the one it was started with, or begin a new session"
    )]
    OtherSetup { path: PathBuf, expected: String, found: String },

    #[error("{path} is held by {holder}")]
    Held { path: PathBuf, holder: Holder },

    #[error("{path}: {what}")]
    Malformed { path: PathBuf, what: String },

    #[error("no session matches {wanted:?} in {folder}; `nofm sessions` lists them")]
    NoSession { wanted: String, folder: PathBuf },

    #[error("{wanted:?} matches {count} sessions, among them {some}; give more of the name")]
    ManySessions { wanted: String, count: usize, some: String },

    #[error("the session {0} exists already")]
    SessionExists(String),

    #[error(
        "{name:?} cannot name {what}: only letters, digits and . _ - are allowed, no dot first, at most {most} characters"
    )]
    BadName { what: &'static str, name: String, most: usize },

    #[error(
        "the path of the socket, {path}, is {bytes} bytes long and may have 107: set NOFM_HOME to a shorter path"
    )]
    SocketPath { path: PathBuf, bytes: usize },

    #[error("{path} is not safe to keep sessions in: {what}")]
    NotPrivate { path: PathBuf, what: String },

    #[error("the user has no home folder to keep sessions in: set NOFM_HOME to a folder of yours")]
    NoHome,

    #[error("there is no ban {index} of {count} to lift, or it is lifted already")]
    NoBan { index: usize, count: usize },
}

impl JournalError {
    /// The error of a system call on `path`, with what was being done: "reading", "writing".
    pub(super) fn io(doing: &'static str, path: &Path, source: impl Into<io::Error>) -> Self {
        let source = Arc::new(source.into());
        if is_out_of_space(&source) {
            Self::Full { path: path.to_owned(), source }
        } else {
            Self::Io { doing, path: path.to_owned(), source }
        }
    }

    /// Whether the disk, the quota or the allowed size of a file is used up.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// Whether the file itself is missing.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

fn is_out_of_space(error: &io::Error) -> bool {
    let full = [Errno::NOSPC, Errno::DQUOT, Errno::FBIG];
    error.raw_os_error().is_some_and(|code| full.iter().any(|errno| errno.raw_os_error() == code))
}
