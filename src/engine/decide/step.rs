//! One step on one server: its turn, its needs, its start, its end, its proof.

use super::{Decider, PATIENCE, POLL};
use crate::engine::event::{Cause, End, Event, Outcome, Target};
use crate::engine::key::{GATES, LaneKey, ScriptRef, StepKey};
use crate::engine::measure::Purpose;
use crate::engine::question::{About, Answer, Choice};
use crate::engine::state::{LanePhase, LaneState, StepPhase};
use crate::engine::view::Seen;
use crate::model::{Known, Verdict};
use crate::plan::PlanStep;
use crate::profile::{Act, Forbidden, Severity, Shell};

impl Decider<'_> {
    pub(super) fn lane(&mut self, lane: &LaneState) {
        if lane.phase != LanePhase::Active {
            return;
        }
        // With thousands of lanes under way most of them wait; they are not looked at any further.
        match lane.step {
            StepPhase::Running
                if lane.is_running() && lane.late_ms().is_none_or(|late_ms| self.now_ms < late_ms) =>
            {
                lane.late_ms().into_iter().for_each(|late_ms| self.out.wake_at(late_ms));
                return;
            }
            StepPhase::Waiting | StepPhase::Soaking => {}
            _ if lane.open > 0 => return,
            _ => {}
        }
        let key = self.state.step_key(lane);
        let Some(step) = self.state.plan_step(lane) else {
            self.gates(lane, &key);
            return;
        };
        match &lane.step {
            StepPhase::Ready => self.turn(lane, &key, step),
            StepPhase::Cleared => self.begin(lane, &key, step),
            StepPhase::Running => self.ended(lane, &key, step),
            StepPhase::Waiting => self.wait(lane, &key, step),
            StepPhase::Proving { by_hand, patient } => self.prove(lane, &key, step, *by_hand, *patient),
            StepPhase::Soaking => {}
            StepPhase::Failed(cause) => self.failed(lane, &key, cause),
            StepPhase::Unknown(cause) => self.unknown(&key, step, cause),
        }
    }

    /// Whether the step applies, and whether it is done already.
    fn turn(&mut self, lane: &LaneState, key: &StepKey, step: &PlanStep) {
        if self.is_paused(key) {
            return;
        }
        let purpose = Purpose::Turn(key.clone());
        if !self.measured(purpose.clone()) {
            return;
        }
        let state = self.state;
        let seen = Seen::new(state, Some(&key.lane));
        for when in &step.when {
            let scope = state.step_scope(&seen, key, step).with(&when.with);
            match when.expr.test(&|name| scope.lookup(name)) {
                Some(true) => {}
                Some(false) => {
                    let why = format!("does not apply: {}", when.expr.source());
                    return self.settle(key, Outcome::Skipped, Known::Seen, why);
                }
                None => {
                    let what = format!("whether it applies ({}) is unknown", when.expr.source());
                    return self
                        .record(Event::StepFailed { key: key.clone(), cause: Cause::Unclear { what } });
                }
            }
        }
        let looked = seen.without(state.measures.get(&purpose).map(|measure| &measure.unread));
        let scope = state.step_scope(&looked, key, step);
        // An unknown `done` does not keep a step from being started: what it needs, and `once`, do.
        let done = step.step.done.as_ref().and_then(|done| done.test(&|name| scope.lookup(name)));
        if done == Some(true) {
            let why = step.step.done.as_ref().map_or("", |done| done.source());
            return self.settle(key, Outcome::DoneBefore, Known::Seen, format!("held before: {why}"));
        }
        // Nobody is asked about what does not apply.
        if step.optional_until.is_some() && !lane.optional_agreed {
            self.ask(
                About::Optional(key.clone()),
                format!("Optional: {}. Carry it out?", step.title),
                Vec::new(),
                vec![
                    Answer::new(Choice::Skip, "it is not carried out"),
                    Answer::new(Choice::Do, "it is carried out"),
                    super::hold(),
                ],
            );
            return;
        }
        self.record(Event::StepCleared { key: key.clone() });
    }

    /// Measures what the step needs, and starts it right after.
    fn begin(&mut self, lane: &LaneState, key: &StepKey, step: &PlanStep) {
        if self.is_paused(key) || self.once_elsewhere(key, step) {
            return;
        }
        let needs = self.state.needs_of(key, step);
        if !needs.is_empty() && !self.measured(Purpose::Needs(key.clone())) {
            return;
        }
        for need in needs {
            let server = self.state.check_server(need, key);
            let judged = self.state.judge_check(need, server.as_ref());
            let place = (need.clone(), server);
            let waived = self.state.checks.get(&place).is_some_and(|check| check.waived.is_some());
            let warns =
                self.state.setup.profile.check(need).is_some_and(|check| check.severity == Severity::Warn);
            if judged.verdict != Verdict::Pass && !(warns && waived) {
                self.record(Event::Checked {
                    check: need.clone(),
                    server: place.1,
                    verdict: judged.verdict,
                    shown: judged.shown.clone(),
                    known: judged.known,
                });
                let cause =
                    Cause::Needs { check: need.clone(), verdict: judged.verdict, shown: judged.shown };
                return self.record(Event::StepFailed { key: key.clone(), cause });
            }
        }
        let Some(act) = self.state.act_of(key) else {
            let what = "the profile says nothing for this server's system".to_owned();
            return self.record(Event::StepFailed { key: key.clone(), cause: Cause::Unclear { what } });
        };
        match act {
            Act::Confirm(text) => self.ask_step(key, step, text, About::Confirm(key.clone())),
            Act::Manual(text) => self.ask_step(key, step, text, About::Manual(key.clone())),
            Act::Attended(_) if lane.start_agreed => self.intend(key, step, true),
            Act::Attended(_) => self.ask_attended(key, step),
            Act::Reboot if self.state.ban(Forbidden::Reboot).is_some() => self.barred_step(key, step),
            Act::Wait(_) => self.record(Event::WaitBegun { key: key.clone() }),
            Act::Run(_) | Act::Upload(_) | Act::Service { .. } | Act::Reboot | Act::Collect(_) => {
                self.intend(key, step, false);
            }
            Act::Use { .. } => {}
        }
    }

    fn ask_step(&mut self, key: &StepKey, step: &PlanStep, text: &crate::profile::Template, about: About) {
        let state = self.state;
        let seen = Seen::new(state, Some(&key.lane));
        let scope = state.step_scope(&seen, key, step);
        let text = match text.render(Shell::None, &|name| scope.lookup(name)) {
            Ok(text) => text,
            Err(error) => {
                let what = format!("what to ask is not known: {error}");
                return self.record(Event::StepFailed { key: key.clone(), cause: Cause::Unclear { what } });
            }
        };
        let options = if matches!(about, About::Confirm(_)) {
            vec![
                Answer::new(Choice::Yes, "confirmed; the next step follows"),
                Answer::new(Choice::No, "it is not so: counts as a failure of this step").with_text(),
                super::hold(),
            ]
        } else {
            vec![
                Answer::new(Choice::Done, "you did it"),
                Answer::new(Choice::Cannot, "it cannot be done: counts as a failure of this step")
                    .with_text(),
                super::hold(),
            ]
        };
        self.ask(
            about,
            text,
            step.step.cite.clone().map(|cite| format!("vendor: {cite}")).into_iter().collect(),
            options,
        );
    }

    fn ask_attended(&mut self, key: &StepKey, step: &PlanStep) {
        let command = match self.state.command(key) {
            Ok(command) => command,
            Err(what) => {
                return self.record(Event::StepFailed { key: key.clone(), cause: Cause::Unclear { what } });
            }
        };
        let mut options = vec![
            Answer::new(Choice::Done, "you went through it elsewhere"),
            Answer::new(Choice::Cannot, "it cannot be done: counts as a failure of this step").with_text(),
            super::hold(),
        ];
        let (text, details) = if self.state.lacks_terminal(key.lane.server.as_ref()) {
            let why = "this server has no `script` (util-linux), so no terminal outlives a lost connection there: \
                       log in yourself and go through it";
            (
                format!("{}: carry it out by hand", step.title),
                vec![why.to_owned(), format!("command: {command}")],
            )
        } else {
            options.insert(0, Answer::new(Choice::Start, "starts it on the server and shows its terminal"));
            let text = format!("{}: the installer asks its questions in a terminal", step.title);
            (text, vec![format!("command: {command}")])
        };
        self.ask(About::Attended(key.clone()), text, details, options);
    }

    /// Whether a step for once in a round is, or was, carried out on another server.
    fn once_elsewhere(&mut self, key: &StepKey, step: &PlanStep) -> bool {
        let ScriptRef::Stage(id) = &key.lane.script else { return false };
        if !step.step.once {
            return false;
        }
        // Of two servers whose turn it is at the same moment the other looks again once this one is journalled.
        let begins =
            |event: &Event| matches!(event, Event::StepIntended { key: other, .. } if other.step == key.step);
        if self.out.record.iter().any(begins) {
            return true;
        }
        let Some(user) = self.state.once.get(&(id.clone(), step.id.clone())) else { return false };
        let other = LaneKey { server: user.clone(), ..key.lane.clone() };
        let Some(lane) = self.state.lane(&other).filter(|_| other != key.lane) else { return false };
        if lane.records.iter().any(|record| record.step == step.id && record.outcome != Outcome::Skipped) {
            let place = user.as_ref().map_or("the farm", |server| server.as_str());
            self.settle(key, Outcome::Skipped, Known::Inferred, format!("carried out once, on {place}"));
            return true;
        }
        !lane.phase.is_closed()
    }

    /// Journals that the step will be started.
    fn intend(&mut self, key: &StepKey, step: &PlanStep, tty: bool) {
        match self.state.intent(key, step, tty) {
            Ok(Event::StepIntended { targets, .. }) if targets.is_empty() => {
                let why = "there is no server to carry it out on".to_owned();
                self.settle(key, Outcome::Skipped, Known::Inferred, why);
            }
            Ok(event) => self.record(event),
            Err(cause) => self.record(Event::StepFailed { key: key.clone(), cause }),
        }
    }

    /// Every place the step runs at has ended: was it as it should be?
    fn ended(&mut self, lane: &LaneState, key: &StepKey, step: &PlanStep) {
        if lane.targets.iter().any(|target| target.end.is_none()) {
            return self.slow(lane, key, step);
        }
        let mut lost = false;
        for target in &lane.targets {
            let why = match &target.end {
                Some(End::NotStarted(why)) => {
                    let cause = Cause::NotStarted { place: target.place.clone(), why: why.clone() };
                    return self.record(Event::StepFailed { key: key.clone(), cause });
                }
                Some(End::Lost(_)) => {
                    lost = true;
                    continue;
                }
                Some(End::Exit(exit)) if !step.step.exit.contains(exit) => format!("exit status {exit}"),
                _ if target.has == Some(false) => {
                    format!("its output lacks `{}`", step.step.has.as_ref().map_or("", |has| has.as_str()))
                }
                _ if target.lacks == Some(true) => {
                    format!(
                        "its output has `{}`",
                        step.step.lacks.as_ref().map_or("", |lacks| lacks.as_str())
                    )
                }
                _ => continue,
            };
            let cause = Cause::Ended { place: target.place.clone(), why };
            return self.record(Event::StepFailed { key: key.clone(), cause });
        }
        if step.step.done.is_some() || !step.step.tells.is_empty() {
            self.record(Event::ProofBegun { key: key.clone(), by_hand: false });
        } else if lost {
            self.record(Event::StepUnknown { key: key.clone(), cause: lost_cause(lane) });
        } else {
            let seen = match self.state.act_of(key) {
                Some(Act::Upload(_)) => Some("its checksum was compared on the server"),
                Some(Act::Reboot) => Some("it answers, and was started anew"),
                _ => None,
            };
            if let Some(why) = seen {
                return self.settle(key, Outcome::Succeeded, Known::Seen, why.to_owned());
            }
            let status =
                if lane.targets.len() == 1 { "its exit status" } else { "the exit status everywhere" };
            self.settle(key, Outcome::Succeeded, Known::Inferred, format!("from {status}"));
        }
    }

    /// What takes longer than is usual is the operator's to judge; it is never ended for it.
    fn slow(&mut self, lane: &LaneState, key: &StepKey, step: &PlanStep) {
        if lane.late_ms().is_none_or(|late_ms| self.now_ms < late_ms) {
            return;
        }
        let place = key.lane.server.as_ref().map_or("the farm", |server| server.as_str());
        let ran = std::time::Duration::from_millis(self.now_ms.saturating_sub(lane.phase_ms));
        let ran = crate::text::duration::short(ran);
        self.ask(
            About::Slow(key.clone()),
            format!("{place}: \"{}\" is late, it has run for {ran}", step.title),
            vec!["late is not failed; nothing is ended on the server whatever you choose".to_owned()],
            vec![
                Answer::new(Choice::LookAgain, "goes on waiting, as long again before it asks"),
                Answer::new(
                    Choice::Unknown,
                    "is no longer waited for; whether it worked is then yours to settle",
                ),
                Answer::new(Choice::Hold, "stop here without waiting for it; `nofm resume` finds it again"),
            ],
        );
    }

    /// Looks at `done` until it holds, or until patience ends.
    fn prove(&mut self, lane: &LaneState, key: &StepKey, step: &PlanStep, by_hand: bool, patient: bool) {
        if !step.step.tells.is_empty() && !self.measured(Purpose::Tells(key.clone())) {
            return;
        }
        let Some(done) = &step.step.done else {
            let known = if by_hand { Known::Told } else { Known::Inferred };
            let why = if by_hand { "by the operator's word" } else { "from its exit status" };
            return self.settle(key, Outcome::Succeeded, known, why.to_owned());
        };
        let purpose = Purpose::Proof(key.clone());
        if !self.measured(purpose.clone()) {
            return;
        }
        let state = self.state;
        let seen = Seen::new(state, Some(&key.lane));
        let scope = state.step_scope(&seen, key, step);
        let holds = done.test(&|name| scope.lookup(name));
        if holds == Some(true) {
            return self.settle(key, Outcome::Succeeded, Known::Seen, format!("holds: {}", done.source()));
        }
        if lane.targets.iter().any(|target| matches!(target.end, Some(End::Lost(_)))) && !by_hand {
            return self.record(Event::StepUnknown { key: key.clone(), cause: lost_cause(lane) });
        }
        let deadline_ms = lane.phase_ms.saturating_add(state.setup.scaled_ms(PATIENCE));
        if !patient || self.now_ms >= deadline_ms {
            let done = done.source().to_owned();
            let event = match holds {
                Some(_) => Event::StepFailed { key: key.clone(), cause: Cause::NotProved { done } },
                None => Event::StepUnknown { key: key.clone(), cause: Cause::NotProved { done } },
            };
            return self.record(event);
        }
        self.out.wake_at(deadline_ms);
        self.measure_again(purpose, state.setup.scaled_ms(POLL));
    }

    fn wait(&mut self, lane: &LaneState, key: &StepKey, step: &PlanStep) {
        let state = self.state;
        let Some(wait) = state.wait_of(key) else { return };
        let purpose = Purpose::Wait(key.clone());
        if self.measured(purpose.clone()) {
            let seen = Seen::new(state, Some(&key.lane));
            let scope = state.step_scope(&seen, key, step);
            if wait.until.test(&|name| scope.lookup(name)) == Some(true) {
                return self.settle(
                    key,
                    Outcome::Succeeded,
                    Known::Seen,
                    format!("came true: {}", wait.until.source()),
                );
            }
            self.measure_again(purpose, state.setup.scaled_ms(wait.every));
        }
        self.expire(lane, key, step.step.timeout, wait.until.source());
    }

    /// A wait that takes too long is the operator's to judge; nothing is undone by it.
    pub(super) fn expire(
        &mut self,
        lane: &LaneState,
        key: &StepKey,
        timeout: std::time::Duration,
        until: &str,
    ) {
        let measure = self.state.measures.get(&Purpose::Wait(key.clone()));
        if measure.is_some_and(|measure| measure.open.iter().any(|probe| self.state.asking.contains(probe))) {
            // The operator is asked, and may take their time.
            return;
        }
        let deadline_ms = lane.phase_ms.saturating_add(self.state.setup.scaled_ms(timeout));
        if self.now_ms >= deadline_ms {
            let waited_ms = self.now_ms.saturating_sub(lane.phase_ms);
            let cause = Cause::Expired { waited_ms, until: until.to_owned() };
            self.record(Event::StepFailed { key: key.clone(), cause });
        } else {
            self.out.wake_at(deadline_ms);
        }
    }

    pub(super) fn settle(&mut self, key: &StepKey, outcome: Outcome, known: Known, why: String) {
        self.record(Event::StepSettled { key: key.clone(), outcome, known, why });
    }
}

/// Why nothing is known of how the step ended.
fn lost_cause(lane: &LaneState) -> Cause {
    let lost = lane.targets.iter().find_map(|target| match &target.end {
        Some(End::Lost(why)) => Some((target.place.clone(), why.clone())),
        _ => None,
    });
    match lost {
        Some((place, why)) => Cause::Ended { place, why: format!("how it ended is not known: {why}") },
        None => Cause::Unclear { what: GATES.to_owned() },
    }
}

/// The places a step runs at, each with a run id of its own.
pub(crate) fn targets(
    places: Vec<crate::engine::key::Place>,
    run: impl Fn(&crate::engine::key::Place) -> String,
) -> Vec<Target> {
    places.into_iter().map(|place| Target { run: run(&place), place }).collect()
}
