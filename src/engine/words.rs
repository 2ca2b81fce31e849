//! Events and causes in words, the same for every face.

use std::fmt;

use super::bans::{Ban, Origin};
use super::event::{Cause, End, Outcome};
use super::measure::ProbeKey;
use crate::profile::Forbidden;

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended { place, why } => write!(f, "on {place}: {why}"),
            Self::NotStarted { place, why } => write!(f, "could not be started on {place}: {why}"),
            Self::Needs { check, shown, .. } => {
                write!(f, "`{check}` must hold right before it and does not: {shown}")
            }
            Self::NotProved { done } => write!(f, "it ended, but this does not hold: {done}"),
            Self::Expired { waited_ms, until } => {
                let waited = std::time::Duration::from_millis(*waited_ms);
                write!(f, "waited {} in vain for: {until}", crate::text::duration::short(waited))
            }
            Self::Unclear { what } => f.write_str(what),
            Self::Told { why } => write!(f, "the operator says: {why}"),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(status) => write!(f, "exit status {status}"),
            Self::Lost(why) => write!(f, "lost: {why}"),
            Self::NotStarted(why) => write!(f, "not started: {why}"),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Succeeded => "done",
            Self::DoneBefore => "done before",
            Self::Skipped => "skipped",
            Self::Tolerated => "failed, and tolerated",
        })
    }
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Retry => "trying again",
            Self::ByHand => "doing it by hand",
            Self::LeaveOut => "leaving a server out",
            Self::Recover => "recovering",
            Self::Hold => "holding",
            Self::Abort => "ending it",
            Self::Collect => "collecting",
            Self::NewSession => "a new upgrade of this farm",
            Self::Reboot => "a restart",
        })
    }
}

impl fmt::Display for Ban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is forbidden: {}", self.act, self.why)?;
        match &self.origin {
            Some(Origin { session, farm }) => {
                write!(f, " (since the session {session} of the farm \"{farm}\")")
            }
            None => Ok(()),
        }
    }
}

impl Ban {
    /// How it comes to an end.
    pub fn way_out(&self) -> String {
        match &self.lifted_by {
            Some(what) => format!("it is lifted by: {what}"),
            None => "nothing lifts it but the good end of an upgrade of this farm".to_owned(),
        }
    }
}

impl fmt::Display for ProbeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, server) = match self {
            Self::Fact(fact, server) => (fact.as_str(), server),
            Self::Check(check, server) => (check.as_str(), server),
        };
        write!(f, "{}", name.replace('_', " "))?;
        match server {
            Some(server) => write!(f, " of {server}"),
            None => Ok(()),
        }
    }
}
