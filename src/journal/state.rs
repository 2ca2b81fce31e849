//! The state folder: every session, socket and farm of one user.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use jiff::Timestamp;

use super::atomic::{private_folder, read_text};
use super::farm::FarmDir;
use super::line::sha256_hex;
use super::session::SessionDir;
use super::{JournalError, write_atomic};
use crate::model::SessionId;

/// What a path of a socket may be long, in bytes, its closing zero left out.
const LONGEST_SOCKET: usize = 107;
/// Longest text that says which farm a folder is of, in bytes.
const LONGEST_IDENTITY: u64 = 64 * 1024;
/// What an id of a session may be long, in bytes.
const LONGEST_ID: usize = 120;

/// `sessions/`, `run/` for sockets, `farms/` for what outlives a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDir {
    root: PathBuf,
}

impl StateDir {
    /// The folder that `NOFM_HOME` names, or `nofm` in the platform's folder for state. Created where missing.
    pub fn from_env() -> Result<Self, JournalError> {
        if let Some(root) = std::env::var_os("NOFM_HOME").filter(|root| !root.is_empty()) {
            return Self::at(PathBuf::from(root));
        }
        let platform = etcetera::choose_base_strategy().map_err(|_| JournalError::NoHome)?;
        Self::at(platform.state_dir().unwrap_or_else(|| platform.data_dir()).join("nofm"))
    }

    /// The state folder at `root`. Created where missing, with mode 0700.
    pub fn at(root: impl Into<PathBuf>) -> Result<Self, JournalError> {
        let root = std::path::absolute(root.into())
            .map_err(|error| JournalError::io("finding", Path::new("the state folder"), error))?;
        if !root.is_dir() {
            if let Some(parent) = root.parent() {
                std::fs::create_dir_all(parent)
                    .map_err(|error| JournalError::io("creating", parent, error))?;
            }
            private_folder(&root)?;
        }
        let state = Self { root };
        for folder in ["sessions", "run", "farms"] {
            private_folder(&state.root.join(folder))?;
        }
        Ok(state)
    }

    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Starts a session's folder with its setup file, complete and synced.
    ///
    /// # Errors
    /// [`JournalError::SessionExists`] when the id is taken.
    pub fn create_session(&self, id: &SessionId, setup: &str) -> Result<SessionDir, JournalError> {
        check_name("a session", id.as_str(), LONGEST_ID)?;
        SessionDir::create(self.root.join("sessions").join(id.as_str()), setup)
    }

    /// All sessions, the newest first.
    pub fn sessions(&self) -> Result<Vec<SessionDir>, JournalError> {
        let folder = self.root.join("sessions");
        let wrong = |error| JournalError::io("listing", &folder, error);
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(wrong)? {
            let entry = entry.map_err(wrong)?;
            if entry.file_type().map_err(wrong)?.is_dir()
                && let Ok(name) = entry.file_name().into_string()
                && check_name("a session", &name, LONGEST_ID).is_ok()
            {
                names.push(name);
            }
        }
        names.sort_unstable_by(|a, b| b.cmp(a));
        Ok(names.into_iter().map(|name| SessionDir::at(folder.join(name))).collect())
    }

    /// The one session whose id is `wanted`, or begins or ends with it.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn find(&self, wanted: &str) -> Result<SessionDir, JournalError> {
        let all = self.sessions()?;
        if let Some(exact) = all.iter().find(|session| session.id().as_str() == wanted) {
            return Ok(exact.clone());
        }
        let fits = |session: &&SessionDir| {
            let id = session.id().as_str();
            !wanted.is_empty() && (id.starts_with(wanted) || id.ends_with(wanted))
        };
        let mut fitting: Vec<_> = all.iter().filter(fits).collect();
        match (fitting.pop(), fitting.len()) {
            (None, _) => {
                Err(JournalError::NoSession { wanted: wanted.to_owned(), folder: self.root.join("sessions") })
            }
            (Some(one), 0) => Ok(one.clone()),
            (Some(last), others) => {
                fitting.push(last);
                let some: Vec<_> = fitting.iter().take(3).map(|session| session.id().as_str()).collect();
                let some = some.join(", ");
                Err(JournalError::ManySessions { wanted: wanted.to_owned(), count: others + 1, some })
            }
        }
    }

    /// Where a session's runner listens: short, and the same for everybody who knows the id.
    ///
    /// # Errors
    /// [`JournalError::SocketPath`] when the state folder lies too deep for a socket.
    pub fn socket_path(&self, session: &SessionId) -> Result<PathBuf, JournalError> {
        let path =
            self.root.join("run").join(format!("{}.sock", &sha256_hex(session.as_str().as_bytes())[..8]));
        let bytes = path.as_os_str().len();
        if bytes > LONGEST_SOCKET { Err(JournalError::SocketPath { path, bytes }) } else { Ok(path) }
    }

    /// What is kept of a farm beyond its sessions. `identity` says which farm: the same text for the same farm.
    pub fn farm(&self, identity: &str) -> Result<FarmDir, JournalError> {
        let path = self.root.join("farms").join(&sha256_hex(identity.as_bytes())[..16]);
        private_folder(&path)?;
        let named = path.join("identity");
        if !named.exists() {
            write_atomic(&named, identity.as_bytes())?;
        }
        Ok(FarmDir::at(path, identity))
    }

    /// Every farm that something is kept of.
    ///
    /// # Errors
    /// A farm whose identity cannot be read is an error: what is forbidden on it would not be known.
    pub fn farms(&self) -> Result<Vec<FarmDir>, JournalError> {
        let folder = self.root.join("farms");
        let wrong = |error| JournalError::io("listing", &folder, error);
        let mut farms = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(wrong)? {
            let entry = entry.map_err(wrong)?;
            if !entry.file_type().map_err(wrong)?.is_dir() {
                continue;
            }
            let path = entry.path();
            match read_text(&path.join("identity"), LONGEST_IDENTITY) {
                Ok(identity) => farms.push(FarmDir::at(path, &identity)),
                // Its folder was made this very moment, and nothing stands in it yet.
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error),
            }
        }
        farms.sort_unstable_by(|a, b| a.identity().cmp(b.identity()));
        Ok(farms)
    }

    /// Bytes that this user can still write to the file system of the state folder.
    pub fn free_space(&self) -> Result<u64, JournalError> {
        let about = rustix::fs::statvfs(&self.root)
            .map_err(|error| JournalError::io("measuring the free space of", &self.root, error))?;
        Ok(about.f_bavail.saturating_mul(about.f_frsize))
    }
}

/// A new session's id, such as `2026-11-21T041233Z-igel_ums_ha-7f3a`; ids sort by time.
pub fn session_id(at: Timestamp, profile: &str, random: u16) -> SessionId {
    let profile: String = profile
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' })
        .take(60)
        .collect();
    SessionId::from(format!("{}-{profile}-{random:04x}", at.strftime("%Y-%m-%dT%H%M%SZ")))
}

/// Sixteen bits that differ from one call to the next: enough to tell apart two sessions of one second. No secret.
pub fn random_bits() -> u16 {
    use std::hash::{BuildHasher as _, Hasher as _};
    let [low, high, ..] = std::hash::RandomState::new().build_hasher().finish().to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// Refuses what could leave a folder, hide in it, or need quoting.
pub(super) fn check_name(what: &'static str, name: &str, most: usize) -> Result<(), JournalError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if !name.is_empty() && name.len() <= most && !name.starts_with('.') && name.chars().all(plain) {
        Ok(())
    } else {
        Err(JournalError::BadName { what, name: name.chars().take(200).collect(), most })
    }
}
