//! The end of a server's way through a stage: gates, soak, and the version that counts for n.

use super::{Decider, PATIENCE, POLL};
use crate::engine::event::Event;
use crate::engine::key::{ScriptRef, StepKey};
use crate::engine::measure::Purpose;
use crate::engine::state::{LaneState, StepPhase};
use crate::model::Verdict;

impl Decider<'_> {
    pub(super) fn gates(&mut self, lane: &LaneState, key: &StepKey) {
        if let ScriptRef::Recovery(id) = &lane.key.script
            && let Some(rule) = self.state.setup.profile.failure(id)
            && !rule.undoes.is_empty()
        {
            self.record(Event::Undone { steps: rule.undoes.clone() });
        }
        if !matches!(lane.key.script, ScriptRef::Stage(_)) {
            return self.record(Event::LaneDone { lane: lane.key.clone() });
        }
        let state = self.state;
        let soak = state.stage_of(&lane.key).and_then(|stage| stage.soak);
        match &lane.step {
            StepPhase::Ready | StepPhase::Cleared => self.record(Event::WaitBegun { key: key.clone() }),
            StepPhase::Failed(cause) => self.failed(lane, key, cause),
            StepPhase::Waiting => {
                let purpose = Purpose::Wait(key.clone());
                let mut open = String::from("its gates could not be measured");
                if self.measured(purpose.clone()) {
                    match self.closed_gate(lane, key) {
                        None if soak.is_some() => {
                            return self.record(Event::SoakBegun { lane: lane.key.clone() });
                        }
                        None => return self.record(Event::LaneDone { lane: lane.key.clone() }),
                        Some(gate) => open = gate,
                    }
                    self.measure_again(purpose, state.setup.scaled_ms(POLL));
                }
                self.expire(lane, key, PATIENCE, &open);
            }
            StepPhase::Soaking => {
                let purpose = Purpose::Wait(key.clone());
                let until_ms =
                    lane.phase_ms.saturating_add(soak.map_or(0, |soak| state.setup.scaled_ms(soak)));
                if self.measured(purpose.clone()) {
                    if self.closed_gate(lane, key).is_some() {
                        return self.record(Event::WaitBegun { key: key.clone() });
                    }
                    let measured_ms = state.measures.get(&purpose).map_or(0, |measure| measure.begun_ms);
                    if self.now_ms >= until_ms && measured_ms >= until_ms.min(self.now_ms) {
                        return self.record(Event::LaneDone { lane: lane.key.clone() });
                    }
                    if self.now_ms >= until_ms {
                        return self.record(Event::MeasureBegun { purpose });
                    }
                    self.measure_again(purpose, state.setup.scaled_ms(POLL));
                }
                if self.now_ms < until_ms {
                    self.out.wake_at(until_ms);
                }
            }
            StepPhase::Running | StepPhase::Proving { .. } | StepPhase::Unknown(_) => {}
        }
    }

    /// The first gate that does not hold, in words.
    fn closed_gate(&self, lane: &LaneState, key: &StepKey) -> Option<String> {
        let stage = self.state.stage_of(&lane.key)?;
        stage.gates.iter().find_map(|gate| {
            let server = self.state.check_server(gate, key);
            let judged = self.state.judge_check(gate, server.as_ref());
            let title = self.state.setup.profile.check(gate).map_or(gate.as_str(), |check| &check.title);
            (judged.verdict != Verdict::Pass).then(|| format!("{title} ({})", judged.shown))
        })
    }
}
