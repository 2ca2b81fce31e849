//! What the vendor forbids after a failure: what it keeps from being done, and how it comes to an end.

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::state::State;
use crate::model::{FailureId, SessionId, ViewerId};
use crate::profile::Forbidden;

/// A ban that a profile pronounced. It stays with the farm until it is lifted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    pub act: Forbidden,
    pub why: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted_by: Option<String>,
    pub failure: FailureId,
    /// `None`: it was pronounced in this very session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// The session that pronounced a ban, and what it called the farm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub session: SessionId,
    pub farm: String,
}

impl Ban {
    /// Whether it forbids the same for the same reason, whoever said so.
    pub fn is_like(&self, other: &Self) -> bool {
        self.act == other.act && self.why == other.why
    }
}

impl State {
    /// The ban on `act`, where one stands.
    pub fn ban(&self, act: Forbidden) -> Option<&Ban> {
        self.bans.iter().find(|ban| ban.act == act)
    }

    /// What keeps this session from being begun, or gone on with. What its own failure forbids about others is no
    /// reason: how it goes on itself is what the vendor's rule for that failure offers.
    pub fn barred(&self) -> impl Iterator<Item = &Ban> {
        self.bans
            .iter()
            .filter(|ban| ban.act == Forbidden::NewSession && (self.plan.is_none() || ban.origin.is_some()))
    }

    pub(super) fn pronounce(&mut self, bans: &[Ban]) {
        for ban in bans {
            if !self.bans.iter().any(|known| known.is_like(ban)) {
                self.bans.push(ban.clone());
            }
        }
    }

    pub(super) fn judge_lift(
        &self,
        viewer: ViewerId,
        act: Forbidden,
        why: &str,
        evidence: &str,
    ) -> Result<Vec<Event>, String> {
        let like = |ban: &&Ban| ban.act == act && ban.why == why;
        let ban = self.bans.iter().find(like).ok_or("this is not forbidden, or was lifted already")?;
        match &ban.lifted_by {
            None => Err(format!("the vendor names nothing that lifts it: {}", ban.why)),
            Some(what) if evidence.trim().is_empty() => {
                Err(format!("it is lifted by: {what}; type what shows that this is so"))
            }
            Some(_) => {
                let (why, evidence) = (ban.why.clone(), evidence.trim().to_owned());
                Ok(vec![Event::BanLifted { act, why, evidence, viewer }])
            }
        }
    }
}
