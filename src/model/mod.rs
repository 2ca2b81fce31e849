//! Ids, versions, values and how they are known: the words every other room speaks.
//!
//! Knows no I/O, no clock and no file format. Everything here is plain data.

mod access;
mod ids;
mod value;
mod version;

pub use access::Access;
pub use ids::{
    CheckId, FactId, FailureId, InputId, NoticeId, ProcedureId, RoleId, ServerName, SessionId, StageId,
    StepId, ViewerId, is_name,
};
pub use value::{Known, Tally, Value, Verdict};
pub use version::{Version, VersionPattern};

/// The system a server runs, which decides the shell its commands are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Os {
    Linux,
    /// Another Unix with a POSIX shell.
    Unix,
    /// Windows PowerShell 5.1.
    Windows,
}

impl Os {
    /// As profiles and inventories write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Unix => "unix",
            Self::Windows => "windows",
        }
    }
}
