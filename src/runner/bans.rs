//! What stays forbidden on a farm from one session to the next.

use jiff::Timestamp;

use crate::engine::{Ban, Event};
use crate::journal::{self, FarmLock, JournalError, Lifted};
use crate::model::SessionId;
use crate::profile::Forbidden;

/// The bans that stand, as the engine knows them.
pub(super) fn standing(lock: &FarmLock) -> Result<Vec<Ban>, JournalError> {
    let bans = lock.farm().bans()?;
    Ok(bans
        .into_iter()
        .filter(|ban| ban.lifted.is_none())
        .filter_map(|ban| {
            Some(Ban {
                act: act(&ban.act)?,
                why: ban.why,
                lifted_by: (!ban.lifted_by.is_empty()).then_some(ban.lifted_by),
                failure: "earlier".into(),
            })
        })
        .collect())
}

/// Keeps with the farm what an event says of bans.
pub(super) fn keep(lock: &FarmLock, session: &SessionId, event: &Event) -> Result<(), JournalError> {
    match event {
        Event::FailureRuled { bans, .. } if !bans.is_empty() => {
            let known = lock.farm().bans()?;
            let new = bans.iter().map(|ban| journal::Ban {
                act: word(ban.act),
                why: ban.why.clone(),
                lifted_by: ban.lifted_by.clone().unwrap_or_default(),
                session: session.clone(),
                at: Timestamp::now(),
                lifted: None,
            });
            // The same failure met again, or folded again after a crash, forbids nothing new.
            let is_known = |ban: &journal::Ban| {
                known.iter().any(|old| old.lifted.is_none() && old.act == ban.act && old.why == ban.why)
            };
            lock.ban(new.filter(|ban| !is_known(ban)).collect::<Vec<_>>())
        }
        Event::BanLifted { act, evidence, .. } => {
            let word = word(*act);
            let lifted = |at| Lifted { evidence: evidence.clone(), session: session.clone(), at };
            for (index, ban) in lock.farm().bans()?.iter().enumerate() {
                if ban.lifted.is_none() && ban.act == word {
                    lock.lift(index, lifted(Timestamp::now()))?;
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn word(act: Forbidden) -> String {
    match serde_json::to_value(act) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

fn act(word: &str) -> Option<Forbidden> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}
