//! The folder of one session.

use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::atomic::{private_folder, read_text, sync_folder};
use super::line::{Header, sha256_hex};
use super::lock::{self, Holder, Lock};
use super::state::check_name;
use super::{JournalError, write_atomic};
use crate::model::SessionId;

/// Longest `session.toml`, in bytes.
const LONGEST_SETUP: u64 = 16 << 20;
/// Longest name of an output log, in bytes, so that `.log` still fits behind it.
const LONGEST_OUTPUT: usize = 200;

/// Where a session's files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDir {
    path: PathBuf,
    id: SessionId,
}

/// The right to write to a session, held until it is dropped or the process ends.
#[derive(Debug)]
pub struct SessionLock {
    session: SessionDir,
    _lock: Lock,
}

impl SessionDir {
    /// The session whose folder is `path`, wherever it lies: a bundle that was unpacked, for one.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let id = SessionId::from(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        Self { path, id }
    }

    pub(super) fn create(path: PathBuf, setup: &str) -> Result<Self, JournalError> {
        let session = Self::at(path);
        DirBuilder::new().mode(0o700).create(&session.path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => JournalError::SessionExists(session.id.as_str().to_owned()),
            _ => JournalError::io("creating", &session.path, error),
        })?;
        if let Err(error) = session.fill(setup) {
            // A session without its setup is none; what went wrong is told.
            let _ = std::fs::remove_dir_all(&session.path);
            return Err(error);
        }
        Ok(session)
    }

    fn fill(&self, setup: &str) -> Result<(), JournalError> {
        private_folder(&self.path.join("output"))?;
        write_atomic(&self.setup_path(), setup.as_bytes())?;
        sync_folder(self.path.parent().unwrap_or(Path::new(".")))
    }

    pub fn id(&self) -> &SessionId {
        &self.id
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Profile, inventory and answers as they were when the session began. Never written again.
    pub fn setup_path(&self) -> PathBuf {
        self.path.join("session.toml")
    }

    pub fn journal_path(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// The program's own diagnostics.
    pub fn log_path(&self) -> PathBuf {
        self.path.join("nofm.log")
    }

    /// The file given up when the disk is full, so that the last words find room.
    pub(super) fn reserve_path(&self) -> PathBuf {
        self.path.join("reserve")
    }

    /// The path of what was recorded under `name`, without the ending `.log` or `.idx`.
    pub(super) fn output_path(&self, name: &str, ending: &str) -> Result<PathBuf, JournalError> {
        check_name("an output log", name, LONGEST_OUTPUT)?;
        Ok(self.path.join("output").join(format!("{name}.{ending}")))
    }

    /// The setup file, seen to be the one that the journal began with.
    ///
    /// # Errors
    /// [`JournalError::OtherSetup`] when it is another one.
    pub fn setup(&self, header: &Header) -> Result<String, JournalError> {
        let path = self.setup_path();
        let text = read_text(&path, LONGEST_SETUP)?;
        let found = sha256_hex(text.as_bytes());
        if found == header.setup {
            Ok(text)
        } else {
            let expected = crate::text::escape::safe_cut(&header.setup, 64).into_owned();
            Err(JournalError::OtherSetup { path, expected, found })
        }
    }

    /// The SHA-256 of the setup file as it is now.
    pub(super) fn setup_hash(&self) -> Result<String, JournalError> {
        Ok(sha256_hex(read_text(&self.setup_path(), LONGEST_SETUP)?.as_bytes()))
    }

    /// Takes the right to write. `at` is the time now, for whoever finds it taken.
    ///
    /// # Errors
    /// [`JournalError::Held`], with the process, when another one has it.
    pub fn lock(&self, at: Timestamp) -> Result<SessionLock, JournalError> {
        let lock = Lock::take(&self.lock_path(), &self.id, at)?;
        Ok(SessionLock { session: self.clone(), _lock: lock })
    }

    /// The process that has the right to write now, if any has.
    pub fn holder(&self) -> Result<Option<Holder>, JournalError> {
        lock::holder(&self.lock_path())
    }

    fn lock_path(&self) -> PathBuf {
        self.path.join("lock")
    }
}

impl SessionLock {
    pub fn session(&self) -> &SessionDir {
        &self.session
    }
}
