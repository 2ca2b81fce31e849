//! What identifies a step that was or will be carried out.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{CheckId, FailureId, ServerName, StageId, StepId};

/// Which of the profile's scripts a lane carries out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScriptRef {
    Stage(StageId),
    Recovery(FailureId),
    Fix(CheckId),
    /// What is collected after a failure.
    Collect,
}

impl fmt::Display for ScriptRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stage(id) => id.fmt(f),
            Self::Recovery(id) => write!(f, "recovery of {id}"),
            Self::Fix(id) => write!(f, "fix of {id}"),
            Self::Collect => f.write_str("collecting"),
        }
    }
}

/// One server's way through a script; the farm's where there is no server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LaneKey {
    pub script: ScriptRef,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerName>,
    /// The round a stage is in; for recoveries, fixes and collections how many there were before, so that none is taken
    /// for another.
    pub round: u32,
    /// The orphaned entry a fix is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
}

/// A step of a lane at one attempt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepKey {
    pub lane: LaneKey,
    pub step: StepId,
    /// Counted from 1.
    pub attempt: u32,
}

impl fmt::Display for LaneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.server {
            Some(server) => write!(f, "{server}, {}", self.script),
            None => write!(f, "{}", self.script),
        }
    }
}

impl fmt::Display for StepKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, step {}", self.lane, self.step)?;
        if self.attempt > 1 {
            write!(f, ", attempt {}", self.attempt)?;
        }
        Ok(())
    }
}

/// The step at the end of every lane of a stage: gates, soak, and the version that counts for n.
pub const GATES: &str = "gates";

/// Where a command runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Console,
    Server(ServerName),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Console => f.pad("console"),
            Self::Server(server) => server.fmt(f),
        }
    }
}
