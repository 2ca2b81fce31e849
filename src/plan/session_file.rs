//! `session.toml`: everything a session was started from, as text, so that the fold can always be made again.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::setup::Setup;
use crate::inventory::Inventory;
use crate::model::SessionId;
use crate::profile;

/// The format this program writes, and the only one it reads.
pub const FORMAT: u32 = 1;

/// A session's fixed part as it is stored. Holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionFile {
    pub nofm_session: u32,
    /// By how much a rehearsal's farm is faster than the vendor's; 1 on real servers.
    pub speed: f64,
    /// Whether the farm is a stand-in.
    pub rehearsal: bool,
    pub profile: Source,
    pub inventory: Source,
    /// Folder that the inventory's relative paths are below.
    pub base: PathBuf,
}

/// A file as it was: its name for messages, and its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    pub name: String,
    pub text: String,
}

#[derive(Debug, thiserror::Error)]
pub enum SessionFileError {
    #[error("session.toml cannot be read: {0}")]
    Syntax(#[from] toml::de::Error),
    #[error(
        "session.toml has format {found}, this program reads format {FORMAT}; use the nofm that wrote it"
    )]
    Format { found: u32 },
    #[error("the profile kept in session.toml is refused by this program:\n{0}")]
    Profile(String),
    #[error("the inventory kept in session.toml is refused by this program:\n{0}")]
    Inventory(String),
}

impl SessionFile {
    /// # Errors
    /// When it is no session file of this format.
    pub fn parse(text: &str) -> Result<Self, SessionFileError> {
        let file: Self = toml::from_str(text)?;
        if file.nofm_session == FORMAT {
            Ok(file)
        } else {
            Err(SessionFileError::Format { found: file.nofm_session })
        }
    }

    /// As it is stored.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_default()
    }

    /// The setup it tells of.
    ///
    /// # Errors
    /// When the profile or the inventory in it is not accepted.
    pub fn setup(&self, session: SessionId) -> Result<Setup, SessionFileError> {
        let profile = profile::parse(&self.profile.name, &self.profile.text)
            .map_err(|wrong| SessionFileError::Profile(wrong.to_string()))?;
        let inventory = Inventory::parse(&self.inventory.name, &self.inventory.text, &self.base)
            .map_err(|wrong| SessionFileError::Inventory(wrong.to_string()))?;
        Ok(Setup::new(session, profile, inventory, self.speed))
    }
}
