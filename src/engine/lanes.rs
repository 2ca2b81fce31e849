//! What an event does to stages, lanes and steps.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::event::{Before, Cause, Close, End, Outcome};
use super::key::{LaneKey, Place, ScriptRef, StepKey};
use super::measure::Purpose;
use super::question::{About, Choice, Question};
use super::state::{
    CheckState, FailureRecord, LanePhase, LaneState, Phase, Record, StageState, State, StepPhase, TargetState,
};
use crate::model::{CheckId, Known, ServerName, ViewerId};
use crate::plan;

impl State {
    pub(super) fn fix_plan(&mut self) {
        let Ok(plan) = plan::build(&self.setup, &self.answers) else { return };
        self.stages = (0..plan.stages.len()).map(|index| self.new_stage(&plan, index)).collect();
        self.plan = Some(Arc::new(plan));
        self.phase = Phase::Running;
    }

    pub(super) fn new_stage(&self, plan: &plan::Plan, index: usize) -> StageState {
        let script = ScriptRef::Stage(self.setup.profile.stages[index].id.clone());
        let lanes: Vec<LaneState> = plan.stages[index]
            .iter()
            .map(|lane| {
                let key = LaneKey {
                    script: script.clone(),
                    server: lane.server.clone(),
                    round: self.round,
                    item: None,
                };
                let mut state = LaneState::new(key, lane.steps.clone());
                if let Some(reason) = lane.server.as_ref().and_then(|server| self.left_out.get(server)) {
                    state.phase = LanePhase::LeftOut(reason.clone());
                }
                state
            })
            .collect();
        let by_server: HashMap<_, _> = lanes
            .iter()
            .enumerate()
            .filter_map(|(index, lane)| Some((lane.key.server.clone()?, index)))
            .collect();
        // A stage of a later round may have nobody left to wait for.
        let next = lanes.iter().take_while(|lane| lane.phase != LanePhase::Waiting).count();
        StageState {
            lanes,
            by_server,
            next,
            active: BTreeSet::new(),
            entered: false,
            left: false,
            entered_ms: 0,
            left_ms: 0,
        }
    }

    pub(super) fn enter_stage(&mut self, id: &crate::model::StageId) {
        if self.before.is_none() {
            let before =
                self.latest.iter().map(|(key, dated)| (key.clone(), dated.reading.clone())).collect();
            self.before = Some(before);
            self.measures.remove(&Purpose::Before);
        }
        let now_ms = self.time.now_ms;
        if let Some(index) = self.stage_index(id)
            && let Some(stage) = self.stages.get_mut(index)
        {
            stage.entered = true;
            stage.entered_ms = now_ms;
            self.stage = index;
        }
    }

    pub(super) fn enter_lane(&mut self, key: &LaneKey) {
        let now_ms = self.time.now_ms;
        let ScriptRef::Stage(id) = &key.script else { return };
        let Some(index) = self.stage_index(id) else { return };
        let Some(stage) = self.stages.get_mut(index) else { return };
        let Some(number) = stage.lane_of(key.server.as_ref()) else { return };
        let Some(lane) = stage.lanes.get_mut(number) else { return };
        if lane.phase == LanePhase::Waiting && lane.key == *key {
            lane.phase = LanePhase::Active;
            lane.entered_ms = now_ms;
            lane.step_ms = now_ms;
            stage.active.insert(number);
            while stage.lanes.get(stage.next).is_some_and(|lane| lane.phase != LanePhase::Waiting) {
                stage.next += 1;
            }
        }
    }

    pub(super) fn begin_side(&mut self, key: &LaneKey, of: Option<StepKey>) {
        let count = self.script(&key.script).map_or(0, |script| script.steps.len());
        let server = self.server_of(key);
        let steps: Vec<u16> = (0..count)
            .filter(|&index| self.side_step_applies(key, index, server))
            .filter_map(|index| u16::try_from(index).ok())
            .collect();
        let mut lane = LaneState::new(key.clone(), steps.into());
        lane.phase = LanePhase::Active;
        lane.entered_ms = self.time.now_ms;
        lane.step_ms = self.time.now_ms;
        lane.of = of;
        self.sides.push(lane);
    }

    fn side_step_applies(
        &self,
        key: &LaneKey,
        index: usize,
        server: Option<&crate::inventory::Server>,
    ) -> bool {
        let Some(step) = self.script(&key.script).and_then(|script| script.steps.get(index)) else {
            return false;
        };
        let mut conditions = &step.when;
        if key.script == ScriptRef::Collect {
            match self.setup.scripts.collection.fits(index, server) {
                Some(of) => conditions = &of.when,
                None => return false,
            }
        }
        conditions.iter().all(|when| {
            let scope = plan::Scope::settled(&self.setup, &self.answers, server).with(&when.with);
            !scope.is_settled(when.expr.names()) || when.expr.test(&|name| scope.lookup(name)) != Some(false)
        })
    }

    pub(super) fn settle(&mut self, key: &StepKey, outcome: Outcome, known: Known, why: &str) {
        if outcome == Outcome::Succeeded {
            self.note_services(key);
        }
        self.note_settled(key, why);
        let group = self.current(key).and_then(|lane| self.plan_step(lane)?.optional_until);
        let skip_until = group.filter(|_| outcome == Outcome::Skipped);
        let agreed = self.current(key).is_some_and(|lane| lane.optional_agreed);
        self.on_step(key, |lane, now_ms| {
            let exit = lane.targets.iter().find_map(|target| match target.end {
                Some(super::event::End::Exit(exit)) => Some(exit),
                _ => None,
            });
            let tail = lane.targets.first().map(|target| target.tail.clone()).unwrap_or_default();
            lane.records.push(Record {
                step: key.step.clone(),
                attempt: key.attempt,
                outcome,
                known,
                why: why.to_owned(),
                began_ms: lane.step_ms,
                ended_ms: now_ms,
                exit,
                tail,
            });
            lane.cursor += 1;
            if !agreed && let Some(until) = skip_until {
                while lane.steps.get(lane.cursor).is_some_and(|&index| usize::from(index) < until) {
                    lane.cursor += 1;
                }
            }
            lane.step = StepPhase::Ready;
            lane.step_ms = now_ms;
            lane.phase_ms = now_ms;
            lane.attempt = 1;
            lane.targets.clear();
            lane.start_agreed = false;
            lane.ruled = None;
        });
        // An agreement holds to the end of the optional steps.
        if agreed
            && self.lane(&key.lane).and_then(|lane| self.plan_step(lane)?.optional_until) != group
            && let Some(lane) = self.lane_mut(&key.lane)
        {
            lane.optional_agreed = false;
        }
        self.forget_measures(key);
    }

    /// A settled step needs no measure any more, and nobody is asked for one.
    pub(super) fn forget_measures(&mut self, key: &StepKey) {
        for purpose in [
            Purpose::Turn(key.clone()),
            Purpose::Needs(key.clone()),
            Purpose::Wait(key.clone()),
            Purpose::Proof(key.clone()),
            Purpose::Tells(key.clone()),
            Purpose::Rule(key.clone()),
        ] {
            self.drop_measure(&purpose);
        }
    }

    /// Forgets a measure, and what was to be read for nothing else.
    pub(super) fn drop_measure(&mut self, purpose: &Purpose) {
        let Some(measure) = self.measures.remove(purpose) else { return };
        self.note_open(purpose, |lane| lane.open = lane.open.saturating_sub(measure.open.len()));
        for probe in measure.open {
            if !self.measures.want(&probe) {
                self.wanted.remove(&probe);
                self.asking.remove(&probe);
            }
        }
    }

    pub(super) fn fail(&mut self, key: &StepKey, cause: &Cause, unknown: bool) {
        if self.current(key).is_none() {
            return;
        }
        // Looked at again and found as before, it is no second failure.
        let is_known = |failure: &FailureRecord| {
            failure.key == *key
                && failure.cause == *cause
                && failure.unknown == unknown
                && failure.settled.is_none()
        };
        if !self.failures.iter().any(is_known) {
            self.failures.push(FailureRecord {
                key: key.clone(),
                cause: cause.clone(),
                unknown,
                at_ms: self.time.now_ms,
                settled: None,
            });
        }
        self.forget_measures(key);
        self.on_step(key, |lane, now_ms| {
            lane.phase_ms = now_ms;
            lane.ruled = None;
            lane.step =
                if unknown { StepPhase::Unknown(cause.clone()) } else { StepPhase::Failed(cause.clone()) };
        });
    }

    pub(super) fn note_settled(&mut self, key: &StepKey, how: &str) {
        for failure in &mut self.failures {
            if failure.key.lane == key.lane && failure.key.step == key.step && failure.settled.is_none() {
                failure.settled = Some(how.to_owned());
            }
        }
    }

    pub(super) fn close_lane(&mut self, key: &LaneKey, phase: LanePhase) {
        let now_ms = self.time.now_ms;
        if let Some(lane) = self.lane_mut(key) {
            lane.phase = phase;
            lane.ended_ms = now_ms;
        }
        if let ScriptRef::Stage(id) = &key.script
            && let Some(index) = self.stage_index(id)
            && let Some(stage) = self.stages.get_mut(index)
            && let Some(number) = stage.lane_of(key.server.as_ref())
        {
            stage.active.remove(&number);
            while stage.lanes.get(stage.next).is_some_and(|lane| lane.phase != LanePhase::Waiting) {
                stage.next += 1;
            }
        }
        if let ScriptRef::Fix(check) = &key.script {
            let at_end = self.phase == Phase::Ending;
            self.want_checks(at_end, Some(&check.clone()), None);
        }
        self.after_recovery(key);
    }

    /// Whether there is something to collect after a failure at `lane`.
    pub(super) fn can_collect(&self, lane: &LaneKey) -> bool {
        let key = LaneKey { script: ScriptRef::Collect, item: None, ..lane.clone() };
        let count = self.setup.scripts.collection.script.steps.len();
        (0..count).any(|index| self.side_step_applies(&key, index, self.server_of(&key)))
    }

    /// A recovery or a collection that ended hands back to the lane it is of.
    fn after_recovery(&mut self, key: &LaneKey) {
        let Some(of) = self.lane(key).and_then(|lane| lane.of.clone()) else { return };
        if key.script == ScriptRef::Collect {
            return self.on_step(&of, |lane, _| lane.phase = LanePhase::Active);
        }
        let ScriptRef::Recovery(id) = &key.script else { return };
        let then = self.setup.profile.failure(id).map(|failure| failure.then.clone());
        match then {
            Some(crate::profile::Then::Retry) => self.retry(&of),
            Some(crate::profile::Then::Stage(_)) => {}
            Some(crate::profile::Then::End) | None => {
                self.close_lane(&of.lane, LanePhase::Given);
                let why = "the recovery that the vendor prescribes was carried out; the upgrade ends here"
                    .to_owned();
                self.halt = Some(Close::Failed { why });
            }
        }
    }

    pub(super) fn retry(&mut self, key: &StepKey) {
        let Some(lane) = self.current(key).filter(|lane| !lane.phase.is_closed()) else { return };
        let never_began = |target: &TargetState| matches!(target.end, Some(End::NotStarted(_)));
        if !lane.targets.is_empty()
            && lane.targets.iter().all(never_began)
            && let ScriptRef::Stage(stage) = &key.lane.script
        {
            self.once.remove(&(stage.clone(), key.step.clone()));
        }
        self.note_settled(key, "tried again");
        self.on_step(key, |lane, now_ms| {
            lane.phase = LanePhase::Active;
            lane.step = StepPhase::Ready;
            lane.attempt += 1;
            lane.start_agreed = false;
            lane.targets.clear();
            lane.ruled = None;
            lane.step_ms = now_ms;
            lane.phase_ms = now_ms;
        });
    }

    pub(super) fn leave_out(&mut self, server: &ServerName, reason: &str) {
        self.left_out.insert(server.clone(), reason.to_owned());
        for index in 0..self.stages.len() {
            let lane =
                self.stages[index].lane_of(Some(server)).and_then(|lane| self.stages[index].lanes.get(lane));
            if let Some(lane) = lane.filter(|lane| !lane.phase.is_closed()) {
                let key = lane.key.clone();
                let step = self.step_key(lane);
                // Nobody knows how much of it works.
                if lane.phase == LanePhase::Active
                    && (lane.step != StepPhase::Ready || !lane.records.is_empty())
                {
                    self.stopped.insert(server.clone());
                }
                self.note_settled(&step, "left out");
                self.forget_measures(&step);
                self.drop_questions(&key);
                self.close_lane(&key, LanePhase::LeftOut(reason.to_owned()));
            }
        }
        let of_it =
            |lane: &LaneState| lane.of.as_ref().is_some_and(|of| of.lane.server.as_ref() == Some(server));
        for lane in self.sides.iter_mut().filter(|lane| of_it(lane) && !lane.phase.is_closed()) {
            lane.phase = LanePhase::LeftOut(reason.to_owned());
        }
    }

    fn drop_questions(&mut self, lane: &LaneKey) {
        let gone: Vec<u64> = self
            .questions
            .values()
            .filter(|question| question.about.step().is_some_and(|key| key.lane == *lane))
            .map(|question| question.id)
            .collect();
        for id in gone {
            self.take_question(id);
        }
    }

    pub(super) fn begin_round(&mut self, round: u32, stage: &crate::model::StageId) {
        // A stage that is not behind is not skipped.
        let Some(from) = self.stage_index(stage).map(|index| index.min(self.stage)) else { return };
        let Some(plan) = self.plan.clone() else { return };
        self.round = round;
        for index in from..self.stages.len() {
            let lanes: Vec<LaneKey> = self.stages[index].lanes.iter().map(|lane| lane.key.clone()).collect();
            for lane in lanes {
                self.drop_questions(&lane);
            }
            self.stages[index] = self.new_stage(&plan, index);
        }
        self.stage = from;
        self.measures.clear();
        // The lanes before that stage, and recoveries, stay.
        let stay = self.stages.iter_mut().flat_map(|stage| &mut stage.lanes).chain(&mut self.sides);
        stay.for_each(|lane| lane.open = 0);
        self.wanted.clear();
        self.asking.clear();
    }

    pub(super) fn take_question(&mut self, id: u64) -> Option<Question> {
        let question = self.questions.remove(&id)?;
        self.asked.remove(&question.about);
        Some(question)
    }

    pub(super) fn reply(&mut self, id: u64, choice: Choice, text: &str) {
        let Some(question) = self.take_question(id) else { return };
        match (&question.about, choice) {
            (About::Slow(_), Choice::Hold) => {
                self.halt_waits = false;
                self.halt = Some(Close::Stopped { why: format!("{}; it goes on there", question.text) });
            }
            (About::Slow(key), Choice::LookAgain) => {
                self.on_step(key, |lane, now_ms| lane.awaited_ms = now_ms);
            }
            (About::Failure(key), Choice::Skip) => {
                self.note_settled(key, "the fix was given up");
                self.close_lane(&key.lane, LanePhase::Given);
            }
            (_, Choice::Hold) => {
                let why = format!("held by the operator at: {}", question.text);
                self.halt = Some(Close::Stopped { why });
            }
            (_, Choice::Abort) => {
                self.halt =
                    Some(Close::Failed { why: format!("ended by the operator at: {}", question.text) });
            }
            (About::Optional(key), Choice::Do) => self.on_step(key, |lane, _| lane.optional_agreed = true),
            (About::Attended(key), Choice::Start) => {
                self.on_step(key, |lane, _| lane.start_agreed = true);
                self.drop_measure(&Purpose::Needs(key.clone()));
            }
            (About::Failure(key), Choice::Retry) => self.retry(key),
            (About::Failure(key), Choice::LookAgain) if self.current(key).is_some_and(LaneState::waited) => {
                self.retry(key);
            }
            (About::Settle(key) | About::Failure(key), Choice::LookAgain) => {
                self.on_step(key, |lane, now_ms| {
                    lane.step = StepPhase::Proving { by_hand: false, patient: false };
                    lane.phase_ms = now_ms;
                });
            }
            (About::Failure(key), Choice::Waive) => {
                if let Some(StepPhase::Failed(Cause::Needs { check, .. })) =
                    self.current(key).map(|lane| lane.step.clone())
                {
                    let server = self.check_server(&check, key);
                    let state = self.checks.entry((check, server)).or_insert_with(CheckState::new);
                    state.waived = Some(text.to_owned());
                    self.retry(key);
                }
            }
            (About::EndCheck(check, server), Choice::LookAgain) => {
                self.want_checks(true, Some(&check.clone()), server.as_ref());
            }
            (About::EndCheck(check, server), Choice::Waive) => {
                let state =
                    self.checks.entry((check.clone(), server.clone())).or_insert_with(CheckState::new);
                state.waived = Some(text.to_owned());
            }
            _ => {}
        }
    }

    /// The server a check is about when it is asked for at `key`.
    pub(super) fn check_server(&self, check: &CheckId, key: &StepKey) -> Option<ServerName> {
        let check = self.setup.profile.check(check)?;
        if check.roles.is_empty() { None } else { key.lane.server.clone() }
    }

    pub(super) fn leave_wait(&mut self, key: &StepKey, viewer: &ViewerId) {
        let Some(lane) = self.current(key).filter(|lane| lane.step == StepPhase::Waiting) else { return };
        let Some(step) = self.plan_step(lane) else { return };
        let waited = std::time::Duration::from_millis(self.time.now_ms.saturating_sub(lane.phase_ms));
        let waited = crate::text::duration::short(waited);
        let until = self.wait_of(key).map_or("", |wait| wait.until.source());
        let place = key.lane.server.as_ref().map_or("the farm", |server| server.as_str());
        let text = format!("{place}: \"{}\" was left by {viewer} after {waited}: {until}", step.title);
        let why = format!("{viewer} did not wait for it any longer, after {waited}");
        self.to_do.push(text);
        self.settle(key, Outcome::Tolerated, Known::Told, &why);
    }

    pub(super) fn looked_up(&mut self, key: &StepKey, place: &Place, before: &Before) {
        let mut is_new = false;
        self.on_step(key, |lane, _| {
            let target = lane.targets.iter_mut().find(|target| target.place == *place);
            if let Some(target) = target.filter(|target| target.end.is_none() && target.before.is_none()) {
                target.before = Some(before.clone());
                is_new = true;
            }
        });
        if let (true, Before::Services(found)) = (is_new, before) {
            for (pattern, names) in found {
                let known = self.services.entry((place.clone(), pattern.clone())).or_default();
                known.extend(names.iter().cloned());
            }
        }
    }

    /// Services that a step stopped or started, so that servers out of service are counted as such.
    fn note_services(&mut self, key: &StepKey) {
        let Some(lane) = self.current(key) else { return };
        let Some(step) = self.plan_step(lane) else { return };
        let act = step.step.act.iter().find_map(|(_, act)| match act {
            crate::profile::Act::Service { act, .. } => Some(*act),
            _ => None,
        });
        let Some(act) = act else { return };
        let places: Vec<ServerName> = lane
            .targets
            .iter()
            .filter_map(|target| match &target.place {
                Place::Server(server) => Some(server.clone()),
                Place::Console => None,
            })
            .collect();
        for server in places {
            if act == crate::profile::ServiceAct::Stop {
                self.stopped.insert(server);
            } else {
                self.stopped.remove(&server);
            }
        }
    }
}
