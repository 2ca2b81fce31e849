//! What to do next: a pure function of the state and the time.
//!
//! It keeps no queue. A runner that died and folds the same journal decides the same again, and whatever was
//! under way is named again as [`Work`].

mod barred;
mod fail;
mod finish;
mod gates;
mod stage;
mod step;

use std::collections::BTreeSet;

use super::event::{Close, Event};
use super::key::StepKey;
use super::measure::{Measured, Purpose};
use super::question::{About, Answer, Choice, Question};
use super::state::{Phase, State};
use super::work::{Decision, Work};

/// How often what is waited for is looked at, before the farm's speed divides it.
pub(super) const POLL: std::time::Duration = std::time::Duration::from_secs(5);
/// How long a step's proof and a server's gates are waited for.
pub(super) const PATIENCE: std::time::Duration = std::time::Duration::from_mins(10);

/// What follows from `state` at session time `now_ms`.
pub fn decide(state: &State, now_ms: u64) -> Decision {
    let mut decision = Decision::default();
    if state.closed.is_some() {
        return decision;
    }
    let mut decider = Decider { state, now_ms, out: &mut decision, relevant: BTreeSet::new() };
    decider.questions_to_tell();
    decider.checks();
    match state.phase {
        Phase::Running | Phase::Ending if state.barred().next().is_some() => decider.barred(),
        Phase::Preparing => decider.fixes(),
        Phase::Running => {
            decider.fixes();
            decider.stages();
        }
        Phase::Ending => {
            decider.fixes();
            decider.ending();
        }
    }
    decider.withdraw();
    decider.halt();
    decider.work();
    decision
}

struct Decider<'a> {
    state: &'a State,
    now_ms: u64,
    out: &'a mut Decision,
    /// What there is to be asked now; a question about anything else is out of date.
    relevant: BTreeSet<About>,
}

impl Decider<'_> {
    fn record(&mut self, event: Event) {
        self.out.record.push(event);
    }

    /// Asks, unless it is asked already. What may be chosen can change while a question stands: then it is
    /// asked anew, so that nobody answers the old one.
    fn ask(&mut self, about: About, text: String, details: Vec<String>, options: Vec<Answer>) {
        self.relevant.insert(about.clone());
        match self.state.question(&about) {
            Some(asked) if asked.options == options => {}
            Some(asked) => self.record(Event::Withdrawn { question: asked.id }),
            // A session that is to stop asks nothing new: it is asked when it goes on.
            None if self.state.halt.is_some() => {}
            None => self.record(Event::Asked { question: Question { id: 0, about, text, details, options } }),
        }
    }

    /// Withdraws every question that there is no more reason to ask.
    fn withdraw(&mut self) {
        if !self.out.record.is_empty() {
            return;
        }
        let old = self.state.asked.iter().filter(|(about, _)| !self.relevant.contains(about));
        self.out.record.extend(old.map(|(_, id)| Event::Withdrawn { question: *id }));
    }

    /// Whether the measure for `purpose` is complete; begins it, or begins it anew once `every_ms` has passed
    /// since the last one, which the caller concluded nothing from.
    fn measured(&mut self, purpose: Purpose) -> bool {
        match self.state.measures.get(&purpose) {
            Some(measure) => measure.open.is_empty(),
            // What needs nothing measured is not worth an event.
            None if self.state.probes_of(&purpose).is_empty() => true,
            None => {
                self.record(Event::MeasureBegun { purpose });
                false
            }
        }
    }

    /// Begins the measure for `purpose` again `every_ms` after it was last begun.
    fn measure_again(&mut self, purpose: Purpose, every_ms: u64) {
        let begun_ms = self.state.measures.get(&purpose).map_or(0, |measure| measure.begun_ms);
        let due_ms = begun_ms.saturating_add(every_ms);
        if self.now_ms >= due_ms {
            self.record(Event::MeasureBegun { purpose });
        } else {
            self.out.wake_at(due_ms);
        }
    }

    /// What no server answers is asked of the operator, where the profile says so.
    fn questions_to_tell(&mut self) {
        for probe in &self.state.asking {
            let about = About::Tell(probe.clone());
            let (text, why) = self.state.tell_text(probe);
            let details = why.map(|why| vec![format!("not seen by itself: {why}")]).unwrap_or_default();
            let options = vec![
                Answer::new(Choice::Tell, "your word counts, and is marked as such").with_text(),
                Answer::new(Choice::Unknown, "it stays unknown, which never counts as a yes"),
                hold(),
            ];
            self.ask(about, text, details, options);
        }
    }

    /// Concludes every check whose readings are complete.
    fn checks(&mut self) {
        for (check, server) in self.state.measures.complete_checks().cloned() {
            let judged = self.state.judge_check(&check, server.as_ref());
            self.out.record.push(Event::Checked {
                check,
                server,
                verdict: judged.verdict,
                shown: judged.shown,
                known: judged.known,
            });
        }
    }

    /// A session that is to stop does so once nothing runs any more.
    fn halt(&mut self) {
        let Some(close) = &self.state.halt else { return };
        // Of what waits for a person nothing is heard; a session that goes on later finds it where it is.
        let found_again = |lane| close.is_resumable() && self.state.is_shut_out(lane);
        let mut running = self.state.active_lanes().filter(|lane| lane.is_running());
        let waits = self.state.halt_waits && running.any(|lane| !found_again(lane));
        if !self.out.record.is_empty() || waits {
            return;
        }
        // Whatever else would happen waits for the session to be resumed.
        self.record(Event::Closed { close: close.clone() });
    }

    fn work(&mut self) {
        if !self.out.record.is_empty() {
            return;
        }
        self.out.work.extend(
            self.state
                .wanted
                .iter()
                .map(|(probe, asked)| Work::Probe { probe: probe.clone(), asked: *asked }),
        );
        for lane in self.state.active_lanes().filter(|lane| lane.is_running()) {
            let key = self.state.step_key(lane);
            let open = lane.targets.iter().filter(|target| target.end.is_none());
            self.out
                .work
                .extend(open.map(|target| Work::Run { key: key.clone(), place: target.place.clone() }));
        }
    }

    /// Whether nothing new is started at all.
    fn is_held(&self) -> bool {
        self.state.halt.is_some() || self.state.paused || self.state.room_low.is_some()
    }

    fn is_paused(&self, key: &StepKey) -> bool {
        self.is_held()
            || key.lane.server.as_ref().is_some_and(|server| self.state.paused_servers.contains(server))
    }
}

fn abort() -> Answer {
    Answer::new(Choice::Abort, "ends this upgrade for good, with the state of every server")
}

/// Offered with every question: nothing must be answered at once.
fn hold() -> Answer {
    Answer::new(Choice::Hold, "stop here; `nofm resume` asks again")
}

impl State {
    /// The text of a question whose answer is the operator's word, and why it was not seen instead.
    fn tell_text(&self, probe: &super::measure::ProbeKey) -> (String, Option<String>) {
        use super::measure::ProbeKey;
        use crate::profile::CheckKind;
        let (ProbeKey::Fact(_, server) | ProbeKey::Check(_, server)) = probe;
        let seen = super::view::Seen::new(self, None);
        let scope = self.scope(&seen, server.as_ref().and_then(|server| self.setup.server(server)));
        let template = match probe {
            ProbeKey::Fact(fact, _) => self.setup.profile.fact(fact).and_then(|fact| fact.ask.as_ref()),
            ProbeKey::Check(check, _) => {
                self.setup.profile.check(check).and_then(|check| match &check.kind {
                    CheckKind::Ask(text) => Some(text),
                    _ => None,
                })
            }
        };
        let text = template.map_or_else(
            || format!("What is {probe}?"),
            |template| {
                template
                    .render(crate::profile::Shell::None, &|name| scope.lookup(name))
                    .unwrap_or_else(|_| template.source().to_owned())
            },
        );
        let why = self.latest.get(probe).and_then(|dated| match &dated.reading.seen {
            Measured::Unknown(why) => Some(why.clone()),
            _ => None,
        });
        (text, why.filter(|why| !why.is_empty()))
    }
}

impl Close {
    /// Whether the session may be resumed.
    pub fn is_resumable(&self) -> bool {
        matches!(self, Self::Stopped { .. })
    }
}

/// The lanes that mend what a check found: one a server, or one an orphaned entry.
pub(super) fn fix_lanes(
    state: &State,
    check: &crate::model::CheckId,
    server: Option<&crate::model::ServerName>,
) -> Vec<super::key::LaneKey> {
    use super::key::{LaneKey, ScriptRef};
    use crate::profile::CheckKind;
    let items = match state.setup.profile.check(check).map(|check| &check.kind) {
        Some(CheckKind::Registered(role)) => state
            .registered(role)
            .map(|(orphans, _)| orphans.into_iter().map(Some).collect())
            .unwrap_or_default(),
        _ => vec![None],
    };
    let before = state.sides.len();
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| LaneKey {
            script: ScriptRef::Fix(check.clone()),
            server: server.cloned(),
            round: u32::try_from(before + index).unwrap_or(u32::MAX).saturating_add(1),
            item,
        })
        .collect()
}

pub(super) use fail::frees;
pub(super) use step::targets;
