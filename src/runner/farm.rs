//! The farm of a session beyond the session: nobody else is at work on it, and what is forbidden on it stays so from
//! one session to the next.
//!
//! A farm is known again by its machines, too: the same servers under another name are the same farm.

use jiff::Timestamp;

use super::RunnerError;
use crate::engine::{Ban, Close, Event, Origin, State};
use crate::inventory::{Host, first_shared};
use crate::journal::{self, FarmDir, FarmLock, JournalError, Lifted, SessionDir, StateDir};
use crate::model::SessionId;
use crate::plan::{SessionFile, Setup};
use crate::profile::Forbidden;

/// How a ban ends that the vendor names nothing for.
const LAPSED: &str = "an upgrade of this farm came to its good end";

pub(super) struct Farm {
    state_dir: StateDir,
    lock: FarmLock,
    session: SessionId,
    profile: String,
    name: String,
    hosts: Vec<Host>,
}

impl Farm {
    /// Takes the farm for `session`.
    ///
    /// # Errors
    /// When another session is at work on it, or on one of its machines under another name.
    pub(super) fn take(
        state_dir: &StateDir,
        session: &SessionId,
        setup: &Setup,
    ) -> Result<Self, RunnerError> {
        let (profile, name) = (setup.profile.id.clone(), setup.inventory.farm.clone());
        let lock = state_dir.farm(&identity(&profile, &name))?.lock(session, Timestamp::now())?;
        let hosts = setup.inventory.hosts();
        let farm =
            Self { state_dir: state_dir.clone(), lock, session: session.clone(), profile, name, hosts };
        farm.alone()?;
        Ok(farm)
    }

    /// Farms of the same product under other names, with those names.
    fn others(&self) -> Result<Vec<(FarmDir, String)>, JournalError> {
        let own = identity(&self.profile, &self.name);
        let prefix = identity(&self.profile, "");
        let farms = self.state_dir.farms()?.into_iter().filter(|farm| farm.identity() != own);
        Ok(farms
            .filter_map(|farm| {
                let name = farm.identity().strip_prefix(&prefix)?.to_owned();
                Some((farm, name))
            })
            .collect())
    }

    /// Two that begin at the same moment have both taken theirs before they look, so one at least sees the other.
    fn alone(&self) -> Result<(), RunnerError> {
        for (farm, name) in self.others()? {
            let Some(holder) = farm.holder()? else { continue };
            let session =
                SessionDir::at(self.state_dir.path().join("sessions").join(holder.session.as_str()));
            let text = std::fs::read_to_string(session.setup_path())
                .map_err(|_| RunnerError::Unclear { farm: name.clone(), session: holder.session.clone() })?;
            let setup = SessionFile::parse(&text)?.setup(holder.session.clone())?;
            if let Some(host) = first_shared(&self.hosts, &setup.inventory.hosts()) {
                let server = host.name.clone();
                return Err(RunnerError::Shared { server, farm: name, session: holder.session });
            }
        }
        Ok(())
    }

    /// Every ban of this farm, lifted or not, with the folder it stands in, its place there, and what the farm is
    /// called there.
    fn bans(&self) -> Result<Vec<(FarmDir, usize, String, journal::Ban)>, JournalError> {
        let mut farms = vec![(self.lock.farm().clone(), self.name.clone())];
        farms.extend(self.others()?);
        let mut bans = Vec::new();
        for (index, (farm, name)) in farms.into_iter().enumerate() {
            let concerns =
                |ban: &journal::Ban| index == 0 || first_shared(&self.hosts, &ban.servers).is_some();
            let all = farm.bans()?.into_iter().enumerate().filter(|(_, ban)| concerns(ban));
            bans.extend(all.map(|(place, ban)| (farm.clone(), place, name.clone(), ban)));
        }
        Ok(bans)
    }

    /// What is forbidden now.
    pub(super) fn standing(&self) -> Result<Vec<Ban>, JournalError> {
        let mut standing: Vec<Ban> = Vec::new();
        for (_, _, farm, ban) in self.bans()? {
            let (None, Some(act)) = (&ban.lifted, act(&ban.act)) else { continue };
            let origin = (ban.session != self.session).then_some(Origin { session: ban.session, farm });
            let lifted_by = (!ban.lifted_by.is_empty()).then_some(ban.lifted_by);
            let ban = Ban { act, why: ban.why, lifted_by, failure: ban.failure.into(), origin };
            match standing.iter_mut().find(|known| known.is_like(&ban)) {
                // Of two who say the same the other session counts: it bars this one.
                Some(known) => known.origin = known.origin.take().or(ban.origin),
                None => standing.push(ban),
            }
        }
        Ok(standing)
    }

    /// What is forbidden now, where the session knows it otherwise.
    pub(super) fn news(&self, state: &State) -> Result<Option<Vec<Ban>>, JournalError> {
        let standing = self.standing()?;
        let same = standing.len() == state.bans.len()
            && standing
                .iter()
                .all(|ban| state.bans.iter().any(|known| known.is_like(ban) && known.origin == ban.origin));
        Ok((!same).then_some(standing))
    }

    /// Keeps with the farm what `event` forbids, before it is journalled: a crash in between forgets no ban.
    pub(super) fn before(&self, event: &Event) -> Result<(), JournalError> {
        match event {
            Event::FailureRuled { bans, .. } if !bans.is_empty() => {
                let known = self.lock.farm().bans()?;
                let new = bans.iter().map(|ban| journal::Ban {
                    act: ban.act.word().to_owned(),
                    why: ban.why.clone(),
                    lifted_by: ban.lifted_by.clone().unwrap_or_default(),
                    failure: ban.failure.to_string(),
                    session: self.session.clone(),
                    at: Timestamp::now(),
                    lifted: None,
                    servers: self.hosts.clone(),
                });
                // The same failure met again forbids nothing new.
                let is_known = |ban: &journal::Ban| {
                    known.iter().any(|old| old.lifted.is_none() && old.act == ban.act && old.why == ban.why)
                };
                self.lock.ban(new.filter(|ban| !is_known(ban)).collect::<Vec<_>>())
            }
            Event::Closed { close: Close::Done } => self.lapse(),
            _ => Ok(()),
        }
    }

    /// Lifts with the farm what `event` lifts, once that is journalled.
    pub(super) fn after(&self, event: &Event) -> Result<(), JournalError> {
        let Event::BanLifted { act, why, evidence, .. } = event else { return Ok(()) };
        let act = act.word();
        self.lift(evidence, |_, ban| ban.act == act && ban.why == *why)
    }

    /// What nothing but a good end lifts is lifted by it, where the whole of the farm it was said of has come to it.
    fn lapse(&self) -> Result<(), JournalError> {
        let own = self.lock.farm();
        self.lift(LAPSED, |farm, ban| {
            let has = |host: &Host| self.hosts.iter().any(|own| own.is_same(host));
            ban.lifted_by.is_empty() && (farm == own || ban.servers.iter().all(has))
        })
    }

    fn lift(
        &self,
        evidence: &str,
        which: impl Fn(&FarmDir, &journal::Ban) -> bool,
    ) -> Result<(), JournalError> {
        for (farm, place, _, ban) in self.bans()? {
            if ban.lifted.is_some() || !which(&farm, &ban) {
                continue;
            }
            let (evidence, session) = (evidence.to_owned(), self.session.clone());
            let lifted = Lifted { evidence, session, at: Timestamp::now() };
            if farm == *self.lock.farm() {
                self.lock.lift(place, lifted)?;
            } else {
                farm.lock(&self.session, Timestamp::now())?.lift(place, lifted)?;
            }
        }
        Ok(())
    }

    /// Why what stands with a farm of another name cannot be lifted from here.
    pub(super) fn why_not_lifted(&self, act: Forbidden, why: &str) -> Option<String> {
        let act = act.word();
        let bans = match self.bans() {
            Ok(bans) => bans,
            Err(error) => return Some(error.to_string()),
        };
        let concerned = bans.into_iter().filter(|(farm, _, _, ban)| {
            ban.lifted.is_none() && ban.act == act && ban.why == why && farm != self.lock.farm()
        });
        concerned.into_iter().find_map(|(farm, _, name, _)| match farm.holder() {
            Ok(None) => None,
            Ok(Some(holder)) => Some(format!(
                "it stands with the farm \"{name}\", which the session {} is at work on: lift it there",
                holder.session
            )),
            Err(error) => Some(error.to_string()),
        })
    }
}

/// What a farm is told by across sessions: its product and what its operators call it.
fn identity(profile: &str, farm: &str) -> String {
    format!("{profile}/{farm}")
}

fn act(word: &str) -> Option<Forbidden> {
    Forbidden::WORDS.iter().find(|(known, _)| *known == word).map(|(_, act)| *act)
}
