//! What is kept of a farm beyond its sessions: who upgrades it now, and what must not be done to it.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::atomic::read_text;
use super::lock::{self, Holder, Lock};
use super::{JournalError, write_atomic};
use crate::inventory::Host;
use crate::model::SessionId;

const FORMAT: u32 = 1;
/// Longest `bans.toml`, in bytes.
const LONGEST: u64 = 4 << 20;

/// Something that the vendor forbids on this farm since a failure, until it is lifted with evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ban {
    /// What is forbidden, as the profile names it.
    pub act: String,
    /// The vendor's reason.
    pub why: String,
    /// What has to be seen before it may be lifted.
    pub lifted_by: String,
    /// The profile's rule that says so.
    pub failure: String,
    pub session: SessionId,
    pub at: Timestamp,
    /// `None` as long as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted: Option<Lifted>,
    /// The machines of the farm, by which it is known again under another name.
    #[serde(default)]
    pub servers: Vec<Host>,
}

/// How a ban came to be lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifted {
    pub evidence: String,
    pub session: SessionId,
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u32,
    farm: String,
    #[serde(default)]
    ban: Vec<Ban>,
}

/// A farm's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FarmDir {
    path: PathBuf,
    identity: String,
}

/// The right to change a farm: one session has it at a time.
#[derive(Debug)]
pub struct FarmLock {
    farm: FarmDir,
    _lock: Lock,
}

impl FarmDir {
    pub(super) fn at(path: PathBuf, identity: &str) -> Self {
        Self { path, identity: identity.to_owned() }
    }

    /// What it was asked for by.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Takes the farm for a session.
    ///
    /// # Errors
    /// [`JournalError::Held`], with process and session, when another session of this state folder has it.
    pub fn lock(&self, session: &SessionId, at: Timestamp) -> Result<FarmLock, JournalError> {
        let lock = Lock::take(&self.lock_path(), session, at)?;
        Ok(FarmLock { farm: self.clone(), _lock: lock })
    }

    /// Who has the farm now, if anybody has.
    pub fn holder(&self) -> Result<Option<Holder>, JournalError> {
        lock::holder(&self.lock_path())
    }

    /// Every ban there ever was, lifted or not, the oldest first.
    ///
    /// # Errors
    /// A file that cannot be read or understood is an error, and never taken for one without bans.
    pub fn bans(&self) -> Result<Vec<Ban>, JournalError> {
        let path = self.bans_path();
        let text = match read_text(&path, LONGEST) {
            Err(error) if error.is_missing() => return Ok(Vec::new()),
            text => text?,
        };
        let malformed = |what: String| JournalError::Malformed { path: path.clone(), what };
        let file: File = toml::from_str(&text).map_err(|error| {
            let what = crate::text::escape::safe_cut(error.message(), 200).into_owned();
            malformed(format!("{what}; what is forbidden on this farm is not known: mend the file"))
        })?;
        if file.format != FORMAT {
            return Err(malformed(format!(
                "is in format {}; this program reads format {FORMAT}",
                file.format
            )));
        }
        if file.farm != self.identity {
            return Err(malformed("belongs to another farm".to_owned()));
        }
        Ok(file.ban)
    }

    fn lock_path(&self) -> PathBuf {
        self.path.join("lock")
    }

    fn bans_path(&self) -> PathBuf {
        self.path.join("bans.toml")
    }
}

impl FarmLock {
    pub fn farm(&self) -> &FarmDir {
        &self.farm
    }

    /// Adds bans, durably.
    pub fn ban(&self, bans: impl IntoIterator<Item = Ban>) -> Result<(), JournalError> {
        let mut all = self.farm.bans()?;
        all.extend(bans);
        self.write(all)
    }

    /// Lifts the ban at `index` of [`FarmDir::bans`]. It stays in the list, with how it was lifted.
    ///
    /// # Errors
    /// [`JournalError::NoBan`] when there is none that stands at `index`.
    pub fn lift(&self, index: usize, lifted: Lifted) -> Result<(), JournalError> {
        let mut all = self.farm.bans()?;
        let count = all.len();
        match all.get_mut(index) {
            Some(ban) if ban.lifted.is_none() => ban.lifted = Some(lifted),
            _ => return Err(JournalError::NoBan { index, count }),
        }
        self.write(all)
    }

    fn write(&self, ban: Vec<Ban>) -> Result<(), JournalError> {
        let path = self.farm.bans_path();
        let file = File { format: FORMAT, farm: self.farm.identity.clone(), ban };
        let text = toml::to_string(&file)
            .map_err(|error| JournalError::Malformed { path: path.clone(), what: error.to_string() })?;
        write_atomic(&path, text.as_bytes())
    }
}
