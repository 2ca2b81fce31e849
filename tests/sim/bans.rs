//! What is forbidden is never carried out, seen from the events alone.

use nofm::engine::{Ban, Event, State};
use nofm::profile::{Act, Forbidden};

/// What stands, kept apart from the state that is judged by it.
#[derive(Debug, Default)]
pub struct Bans {
    standing: Vec<Ban>,
}

impl Bans {
    /// The act that `event` carries out though it is forbidden, before it is applied.
    pub fn broken_by(&self, state: &State, event: &Event) -> Option<Forbidden> {
        let barred = |foreign: bool| {
            let mut bans = self.standing.iter().filter(|ban| ban.act == Forbidden::NewSession);
            bans.any(|ban| !foreign || ban.origin.is_some())
        };
        let reboots = |key| matches!(state.act_of(key), Some(Act::Reboot));
        let act = match event {
            Event::PlanFixed { .. } if barred(false) => return Some(Forbidden::NewSession),
            Event::StageEntered { .. }
            | Event::LaneEntered { .. }
            | Event::StepCleared { .. }
            | Event::StepIntended { .. }
            | Event::WaitBegun { .. }
            | Event::RoundBegun { .. }
            | Event::EndChecksBegun
                if barred(true) && state.plan.is_some() =>
            {
                return Some(Forbidden::NewSession);
            }
            Event::StepIntended { key, .. } if reboots(key) => Forbidden::Reboot,
            Event::LeftOut { .. } => Forbidden::LeaveOut,
            Event::RecoveryBegun { .. } => Forbidden::Recover,
            Event::CollectBegun { .. } => Forbidden::Collect,
            _ => return None,
        };
        self.standing.iter().any(|ban| ban.act == act).then_some(act)
    }

    pub fn apply(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::BansFound { bans } => self.standing.clone_from(bans),
            Event::FailureRuled { bans, .. } => {
                for ban in bans {
                    if !self.standing.iter().any(|known| known.act == ban.act && known.why == ban.why) {
                        self.standing.push(ban.clone());
                    }
                }
            }
            Event::BanLifted { act, why, evidence, .. } => {
                let at = self.standing.iter().position(|ban| ban.act == *act && ban.why == *why);
                let ban = at.map(|at| self.standing.remove(at)).ok_or("what does not stand is lifted")?;
                if ban.lifted_by.is_none() || evidence.trim().is_empty() {
                    return Err(format!("it is lifted with nothing that lifts it: {ban:?}, {evidence:?}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the state knows the same.
    pub fn is_known_to(&self, state: &State) -> bool {
        self.standing == state.bans
    }
}
