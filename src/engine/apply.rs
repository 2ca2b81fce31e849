//! The fold: what an event changes. Total: an event that does not fit changes nothing.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::event::{Cause, Close, End, Event, Outcome, Stamp};
use super::key::{LaneKey, ScriptRef, StepKey};
use super::measure::{Measured, ProbeKey, Probes, Purpose, Reading};
use super::question::{About, Choice, Question};
use super::state::{
    CheckState, Dated, FailureRecord, LanePhase, LaneState, Measure, Phase, Record, StageState, State, StepPhase,
    TargetState,
};
use super::view::Seen;
use crate::model::{CheckId, Known, ServerName};
use crate::plan;
use crate::profile::Source;

impl State {
    /// The state after `event`, the next of its session.
    pub fn apply(&mut self, seq: u64, stamp: Stamp, event: &Event) {
        self.seq = seq;
        self.time.advance(stamp);
        match event {
            Event::Opened { .. } => {
                // Whoever held the pen was a viewer of the process before.
                self.pen = None;
                // Stopped sessions go on; what was asked is asked still.
                if !matches!(self.closed, Some(Close::Done | Close::Failed { .. })) {
                    self.closed = None;
                }
                // What ends it for good ends it still, though the runner died before it could say so.
                if matches!(self.halt, Some(Close::Stopped { .. })) {
                    self.halt = None;
                    self.halt_waits = true;
                }
                self.look_anew(|_| true);
            }
            Event::BansFound { bans } => self.bans.clone_from(bans),
            Event::BanLifted { act, .. } => self.bans.retain(|ban| ban.act != *act),
            Event::Answered { input, key, value, .. } => {
                if self.answers.given(input, key) != Some(value) {
                    self.answers.set(input.clone(), key, value.clone());
                    if self.phase == Phase::Preparing {
                        self.void_checks();
                    }
                }
            }
            Event::NoticeConfirmed { notice, .. } => {
                self.notices.insert(notice.clone());
            }
            Event::UnsureAgreed { input, .. } => {
                self.unsure.insert(input.clone());
            }
            Event::SurveyWanted => self.survey(),
            Event::ChecksWanted { check, server } => self.want_checks(false, check.as_ref(), server.as_ref()),
            Event::EndChecksBegun => {
                self.phase = Phase::Ending;
                self.want_checks(true, None, None);
            }
            Event::EndChecksAccepted { .. } => self.end_accepted = true,
            Event::MeasureBegun { purpose } => self.begin_measure(purpose.clone()),
            Event::Read { probe, asked, reading } => self.read(probe, *asked, reading),
            Event::Checked { check, server, verdict, shown, known } => {
                let place = (check.clone(), server.clone());
                let at_ms = self.time.now_ms;
                let check = self.checks.entry(place.clone()).or_insert_with(CheckState::new);
                check.verdict = Some(*verdict);
                check.shown.clone_from(shown);
                check.known = *known;
                check.at_ms = at_ms;
                self.measures.remove(&Purpose::Check(place.0, place.1));
            }
            Event::Waived { check, server, reason, .. } => {
                let check = self.checks.entry((check.clone(), server.clone())).or_insert_with(CheckState::new);
                check.waived = Some(reason.clone());
            }
            Event::PlanFixed { .. } => self.fix_plan(),
            Event::StageEntered { stage } => self.enter_stage(stage),
            Event::StageLeft { stage } => {
                if let Some(index) = self.stage_index(stage)
                    && let Some(stage) = self.stages.get_mut(index)
                {
                    stage.left = true;
                    stage.left_ms = self.time.now_ms;
                    self.stage = index + 1;
                }
            }
            Event::LaneEntered { lane } => self.enter_lane(lane),
            Event::StepCleared { key } => {
                self.on_step(key, |lane, _| lane.step = StepPhase::Cleared);
                self.measures.remove(&Purpose::Turn(key.clone()));
            }
            Event::StepIntended { key, targets, once, .. } => {
                self.on_step(key, |lane, now_ms| {
                    lane.step = StepPhase::Running;
                    lane.phase_ms = now_ms;
                    lane.awaited_ms = now_ms;
                    lane.targets = targets
                        .iter()
                        .map(|target| TargetState {
                            place: target.place.clone(),
                            run: target.run.clone(),
                            end: None,
                            tail: String::new(),
                            bytes: 0,
                            has: None,
                            lacks: None,
                        })
                        .collect();
                });
                if *once && let ScriptRef::Stage(stage) = &key.lane.script {
                    self.once.insert((stage.clone(), key.step.clone()), key.lane.server.clone());
                }
                self.measures.remove(&Purpose::Needs(key.clone()));
            }
            Event::WaitBegun { key } => {
                let once = self.current(key).and_then(|lane| self.plan_step(lane)).is_some_and(|step| step.step.once);
                if once && let ScriptRef::Stage(stage) = &key.lane.script {
                    self.once.insert((stage.clone(), key.step.clone()), key.lane.server.clone());
                }
                self.on_step(key, |lane, now_ms| {
                    lane.step = StepPhase::Waiting;
                    lane.phase_ms = now_ms;
                });
                self.measures.remove(&Purpose::Needs(key.clone()));
                self.measures.remove(&Purpose::Wait(key.clone()));
            }
            Event::TargetEnded { key, place, end, tail, bytes, has, lacks } => {
                self.on_step(key, |lane, _| {
                    let target = lane.targets.iter_mut().find(|target| target.place == *place);
                    if let Some(target) = target.filter(|target| target.end.is_none()) {
                        target.end = Some(end.clone());
                        target.tail.clone_from(tail);
                        target.bytes = *bytes;
                        target.has = *has;
                        target.lacks = *lacks;
                    }
                });
            }
            Event::ProofBegun { key, by_hand } => {
                self.on_step(key, |lane, now_ms| {
                    lane.step = StepPhase::Proving { by_hand: *by_hand, patient: !by_hand };
                    lane.phase_ms = now_ms;
                });
                self.measures.remove(&Purpose::Proof(key.clone()));
                self.measures.remove(&Purpose::Tells(key.clone()));
            }
            Event::StepSettled { key, outcome, known, why } => self.settle(key, *outcome, *known, why),
            Event::StepFailed { key, cause } => self.fail(key, cause, false),
            Event::StepUnknown { key, cause } => self.fail(key, cause, true),
            Event::FailureRuled { key, rule, bans } => {
                self.on_step(key, |lane, _| lane.ruled = Some(rule.clone()));
                self.measures.remove(&Purpose::Rule(key.clone()));
                for ban in bans {
                    if !self.bans.contains(ban) {
                        self.bans.push(ban.clone());
                    }
                }
            }
            Event::SoakBegun { lane } => {
                let now_ms = self.time.now_ms;
                if let Some(lane) = self.lane_mut(lane) {
                    lane.step = StepPhase::Soaking;
                    lane.phase_ms = now_ms;
                }
            }
            Event::LaneDone { lane } => {
                // Its gates hold, so whatever was stopped on it runs again.
                if self.stage_of(lane).is_some_and(|stage| !stage.gates.is_empty())
                    && let Some(server) = &lane.server
                {
                    self.stopped.remove(server);
                }
                self.close_lane(lane, LanePhase::Done);
            }
            Event::LeftOut { server, reason, .. } => self.leave_out(server, reason),
            Event::RecoveryBegun { lane, of } => {
                self.note_settled(of, "recovery");
                self.on_step(of, |lane, _| lane.phase = LanePhase::Recovering);
                self.begin_side(lane, Some(of.clone()));
            }
            Event::FixBegun { lane } => self.begin_side(lane, None),
            Event::Undone { steps } => {
                self.once.retain(|(_, used), _| {
                    !steps.iter().any(|undone| {
                        used == undone || used.as_str().strip_prefix(undone.as_str()).is_some_and(|rest| rest.starts_with('.'))
                            || used.as_str().rsplit('.').next() == Some(undone.as_str())
                    })
                });
            }
            Event::RoundBegun { round, stage } => self.begin_round(*round, stage),
            Event::Asked { question } => {
                self.asked.insert(question.about.clone(), seq);
                self.questions.insert(seq, Question { id: seq, ..question.clone() });
            }
            Event::Replied { question, choice, text, .. } => self.reply(*question, *choice, text),
            Event::Withdrawn { question } => {
                self.take_question(*question);
            }
            Event::Paused { server: None, .. } => self.paused = true,
            Event::Unpaused { server: None, .. } => {
                self.paused = false;
                self.look_anew(|purpose| matches!(purpose, Purpose::Turn(_) | Purpose::Needs(_)));
            }
            Event::Paused { server: Some(server), .. } => {
                self.paused_servers.insert(server.clone());
            }
            Event::Unpaused { server: Some(server), .. } => {
                self.paused_servers.remove(server);
                self.look_anew(|purpose| matches!(purpose, Purpose::Turn(_) | Purpose::Needs(_)));
            }
            Event::StopWanted { .. } => {
                let why = "the operator stopped it".to_owned();
                self.halt.get_or_insert(Close::Stopped { why });
            }
            Event::ReachLost { server, why } => {
                self.lost.insert(server.clone(), why.clone());
            }
            Event::ReachBack { server } => {
                self.lost.remove(server);
            }
            Event::ToDo { text } => {
                if !self.to_do.contains(text) {
                    self.to_do.push(text.clone());
                }
            }
            Event::PenTaken { viewer, .. } => self.pen = Some(viewer.clone()),
            Event::PenLeft { viewer } => {
                self.pen.take_if(|pen| pen == viewer);
            }
            Event::Closed { close } => self.closed = Some(close.clone()),
            Event::TornTail { .. } | Event::Refused { .. } | Event::Typed { .. } => {}
        }
    }

    /// Time passed in which nobody looked, or nothing could be started: what was read for a step may no longer
    /// be so. Steps that were to be started are looked at from their turn on.
    fn look_anew(&mut self, which: impl Fn(&Purpose) -> bool) {
        let old: Vec<Purpose> = self
            .measures
            .keys()
            .filter(|purpose| purpose.step().is_some() && which(purpose))
            .cloned()
            .collect();
        for purpose in old {
            self.drop_measure(&purpose);
        }
        let lanes = self.stages.iter_mut().flat_map(|stage| {
            let active = &stage.active;
            stage.lanes.iter_mut().enumerate().filter(|(index, _)| active.contains(index)).map(|(_, lane)| lane)
        });
        for lane in lanes.chain(self.sides.iter_mut()) {
            lane.start_agreed = false;
            if lane.step == StepPhase::Cleared {
                lane.step = StepPhase::Ready;
            }
        }
    }

    /// Does `change` to the lane whose step in turn is `key`.
    fn on_step(&mut self, key: &StepKey, change: impl FnOnce(&mut LaneState, u64)) {
        let now_ms = self.time.now_ms;
        if self.current(key).is_some()
            && let Some(lane) = self.lane_mut(&key.lane)
        {
            change(lane, now_ms);
        }
    }

    fn want_checks(&mut self, at_end: bool, check: Option<&CheckId>, server: Option<&ServerName>) {
        self.checked |= !at_end;
        let places = self.check_places(at_end);
        // A check whose servers changed with the answers is not to be remembered for the ones it lost.
        if check.is_none() && server.is_none() {
            let known: BTreeSet<_> = places.iter().cloned().collect();
            self.checks.retain(|place, _| known.contains(place));
        }
        for (id, at) in places {
            if check.is_none_or(|check| *check == id) && server.is_none_or(|server| at.as_ref() == Some(server)) {
                self.checks.entry((id.clone(), at.clone())).or_insert_with(CheckState::new);
                self.begin_measure(Purpose::Check(id, at));
            }
        }
    }

    /// Answers changed: what the checks of the start found was found with other ones.
    fn void_checks(&mut self) {
        for check in self.checks.values_mut() {
            check.verdict = None;
        }
        let under_way: Vec<Purpose> =
            self.measures.keys().filter(|purpose| matches!(purpose, Purpose::Check(..))).cloned().collect();
        for purpose in under_way {
            self.begin_measure(purpose);
        }
    }

    fn survey(&mut self) {
        self.surveyed = true;
        let servers: Vec<ServerName> = self.setup.inventory.servers.iter().map(|server| server.name.clone()).collect();
        for server in servers {
            self.begin_measure(Purpose::Survey(Some(server)));
        }
        self.begin_measure(Purpose::Survey(None));
    }

    fn begin_measure(&mut self, purpose: Purpose) {
        let open = self.probes_of(&purpose);
        for probe in &open {
            self.wanted.insert(probe.clone(), self.seq);
            self.asking.remove(probe);
        }
        // Looking around for the operator concludes nothing, so an empty one is over at once.
        if open.is_empty() && matches!(purpose, Purpose::Survey(_)) {
            return;
        }
        self.measures.insert(purpose, Measure { begun_ms: self.time.now_ms, begun_seq: self.seq, open });
    }

    /// What must be read for `purpose`.
    pub(super) fn probes_of(&self, purpose: &Purpose) -> BTreeSet<ProbeKey> {
        let mut probes = Probes::new(self);
        let profile = &self.setup.profile;
        match purpose {
            Purpose::Survey(None) => {
                for fact in profile.roles.iter().filter_map(|role| role.registered.as_ref()) {
                    probes.fact(fact, None, 0);
                }
            }
            Purpose::Survey(Some(name)) => {
                let Some(server) = self.setup.server(name) else { return BTreeSet::new() };
                for role in server.roles.iter().filter_map(|role| profile.role(role)) {
                    for fact in role.version.iter().chain(&role.detect) {
                        probes.fact(fact, Some(server), 0);
                    }
                }
            }
            Purpose::Check(id, server) => {
                let server = server.as_ref().and_then(|server| self.setup.server(server));
                if let Some(check) = profile.check(id) {
                    probes.check(check, server, 0);
                } else if let Some(fact) = server.and_then(|server| plan::version_fact(&self.setup, server)) {
                    probes.fact(fact, server, 0);
                }
            }
            Purpose::Before => return self.before_probes(),
            Purpose::Turn(key) | Purpose::Needs(key) | Purpose::Wait(key) | Purpose::Proof(key) | Purpose::Tells(key) => {
                self.step_probes(purpose, key, &mut probes);
            }
            Purpose::Rule(key) => {
                let seen = Seen::new(self, Some(&key.lane));
                let scope = self.scope(&seen, self.server_of(&key.lane));
                for when in self.rules_about(key).into_iter().filter_map(|rule| rule.when.as_ref()) {
                    probes.expr(when, &scope);
                }
            }
        }
        probes.take()
    }

    /// A reading came in: it is the latest, and every measure that was begun before it was asked for has it.
    fn read(&mut self, probe: &ProbeKey, asked: u64, reading: &Reading) {
        let told = reading.known == Known::Told;
        let dated = Dated { reading: reading.clone(), at_ms: self.time.now_ms };
        self.latest.insert(probe.clone(), dated);
        let unknown = matches!(reading.seen, Measured::Unknown(_));
        if unknown && !told && self.can_be_told(probe) {
            if self.wanted.get(probe).is_some_and(|since| *since <= asked) {
                self.wanted.remove(probe);
                self.asking.insert(probe.clone());
            }
            return;
        }
        self.asking.remove(probe);
        if self.wanted.get(probe).is_some_and(|since| *since <= asked) {
            self.wanted.remove(probe);
        }
        for measure in self.measures.values_mut() {
            if measure.begun_seq <= asked {
                measure.open.remove(probe);
            }
        }
        self.measures.retain(|purpose, measure| !(measure.open.is_empty() && matches!(purpose, Purpose::Survey(_))));
    }

    /// Whether the operator's word is asked for where the servers do not answer.
    pub fn can_be_told(&self, probe: &ProbeKey) -> bool {
        match probe {
            ProbeKey::Fact(fact, _) => self
                .setup
                .profile
                .fact(fact)
                .is_some_and(|fact| fact.ask.is_some() || matches!(fact.source, Source::Ask)),
            ProbeKey::Check(check, _) => self.setup.profile.check(check).is_some_and(|check| {
                matches!(check.kind, crate::profile::CheckKind::Ask(_))
            }),
        }
    }

    fn fix_plan(&mut self) {
        let Ok(plan) = plan::build(&self.setup, &self.answers) else { return };
        self.stages = (0..plan.stages.len()).map(|index| self.new_stage(&plan, index)).collect();
        self.plan = Some(Arc::new(plan));
        self.phase = Phase::Running;
    }

    fn new_stage(&self, plan: &plan::Plan, index: usize) -> StageState {
        let script = ScriptRef::Stage(self.setup.profile.stages[index].id.clone());
        let lanes: Vec<LaneState> = plan.stages[index]
            .iter()
            .map(|lane| {
                let key = LaneKey { script: script.clone(), server: lane.server.clone(), round: self.round, item: None };
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
        StageState {
            lanes,
            by_server,
            next: 0,
            active: BTreeSet::new(),
            entered: false,
            left: false,
            entered_ms: 0,
            left_ms: 0,
        }
    }

    fn enter_stage(&mut self, id: &crate::model::StageId) {
        if self.before.is_none() {
            let before = self.latest.iter().map(|(key, dated)| (key.clone(), dated.reading.clone())).collect();
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

    fn enter_lane(&mut self, key: &LaneKey) {
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

    fn begin_side(&mut self, key: &LaneKey, of: Option<StepKey>) {
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

    fn side_step_applies(&self, key: &LaneKey, index: usize, server: Option<&crate::inventory::Server>) -> bool {
        let Some(step) = self.script(&key.script).and_then(|script| script.steps.get(index)) else { return false };
        step.when.iter().all(|when| {
            let scope = plan::Scope::settled(&self.setup, &self.answers, server).with(&when.with);
            !scope.is_settled(when.expr.names()) || when.expr.test(&|name| scope.lookup(name)) != Some(false)
        })
    }

    fn settle(&mut self, key: &StepKey, outcome: Outcome, known: Known, why: &str) {
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
        if agreed && self.lane(&key.lane).and_then(|lane| self.plan_step(lane)?.optional_until) != group {
            let lane = self.lane_mut(&key.lane);
            lane.into_iter().for_each(|lane| lane.optional_agreed = false);
        }
        self.forget_measures(key);
    }

    /// A settled step needs no measure any more, and nobody is asked for one.
    fn forget_measures(&mut self, key: &StepKey) {
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
    fn drop_measure(&mut self, purpose: &Purpose) {
        let Some(measure) = self.measures.remove(purpose) else { return };
        for probe in measure.open {
            if !self.measures.values().any(|other| other.open.contains(&probe)) {
                self.wanted.remove(&probe);
                self.asking.remove(&probe);
            }
        }
    }

    fn fail(&mut self, key: &StepKey, cause: &Cause, unknown: bool) {
        if self.current(key).is_none() {
            return;
        }
        self.failures.push(FailureRecord {
            key: key.clone(),
            cause: cause.clone(),
            unknown,
            at_ms: self.time.now_ms,
            settled: None,
        });
        self.forget_measures(key);
        self.on_step(key, |lane, now_ms| {
            lane.phase_ms = now_ms;
            lane.ruled = None;
            lane.step =
                if unknown { StepPhase::Unknown(cause.clone()) } else { StepPhase::Failed(cause.clone()) };
        });
    }

    fn note_settled(&mut self, key: &StepKey, how: &str) {
        for failure in &mut self.failures {
            if failure.key.lane == key.lane && failure.key.step == key.step && failure.settled.is_none() {
                failure.settled = Some(how.to_owned());
            }
        }
    }

    fn close_lane(&mut self, key: &LaneKey, phase: LanePhase) {
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

    /// A recovery that ended hands back to the lane it is of.
    fn after_recovery(&mut self, key: &LaneKey) {
        let ScriptRef::Recovery(id) = &key.script else { return };
        let Some(of) = self.lane(key).and_then(|lane| lane.of.clone()) else { return };
        let then = self.setup.profile.failure(id).map(|failure| failure.then.clone());
        match then {
            Some(crate::profile::Then::Retry) => self.retry(&of),
            Some(crate::profile::Then::Stage(_)) => {}
            Some(crate::profile::Then::End) | None => {
                self.close_lane(&of.lane, LanePhase::Given);
                let why = "the recovery that the vendor prescribes was carried out; the upgrade ends here".to_owned();
                self.halt = Some(Close::Failed { why });
            }
        }
    }

    fn retry(&mut self, key: &StepKey) {
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

    fn leave_out(&mut self, server: &ServerName, reason: &str) {
        self.left_out.insert(server.clone(), reason.to_owned());
        for index in 0..self.stages.len() {
            let lane = self.stages[index].lane_of(Some(server)).and_then(|lane| self.stages[index].lanes.get(lane));
            if let Some(lane) = lane.filter(|lane| !lane.phase.is_closed()) {
                let key = lane.key.clone();
                let step = self.step_key(lane);
                // Nobody knows how much of it works.
                if lane.phase == LanePhase::Active && (lane.step != StepPhase::Ready || !lane.records.is_empty()) {
                    self.stopped.insert(server.clone());
                }
                self.note_settled(&step, "left out");
                self.forget_measures(&step);
                self.drop_questions(&key);
                self.close_lane(&key, LanePhase::LeftOut(reason.to_owned()));
            }
        }
        let of_it = |lane: &LaneState| lane.of.as_ref().is_some_and(|of| of.lane.server.as_ref() == Some(server));
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

    fn begin_round(&mut self, round: u32, stage: &crate::model::StageId) {
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
        self.wanted.clear();
        self.asking.clear();
    }

    fn take_question(&mut self, id: u64) -> Option<Question> {
        let question = self.questions.remove(&id)?;
        self.asked.remove(&question.about);
        Some(question)
    }

    fn reply(&mut self, id: u64, choice: Choice, text: &str) {
        let Some(question) = self.take_question(id) else { return };
        match (&question.about, choice) {
            (About::Slow(_), Choice::Hold) => {
                self.halt_waits = false;
                self.halt = Some(Close::Stopped { why: format!("{}; it goes on there", question.text) });
            }
            (About::Slow(key), Choice::LookAgain) => self.on_step(key, |lane, now_ms| lane.awaited_ms = now_ms),
            (About::Failure(key), Choice::Skip) => {
                self.note_settled(key, "the fix was given up");
                self.close_lane(&key.lane, LanePhase::Given);
            }
            (_, Choice::Hold) => {
                let why = format!("held by the operator at: {}", question.text);
                self.halt = Some(Close::Stopped { why });
            }
            (_, Choice::Abort) => self.halt = Some(Close::Failed { why: format!("ended by the operator at: {}", question.text) }),
            (About::Optional(key), Choice::Do) => self.on_step(key, |lane, _| lane.optional_agreed = true),
            (About::Attended(key), Choice::Start) => {
                self.on_step(key, |lane, _| lane.start_agreed = true);
                self.drop_measure(&Purpose::Needs(key.clone()));
            }
            (About::Failure(key), Choice::Retry) => self.retry(key),
            (About::Failure(key), Choice::LookAgain) if self.current(key).is_some_and(LaneState::waited) => self.retry(key),
            (About::Settle(key) | About::Failure(key), Choice::LookAgain) => {
                self.on_step(key, |lane, now_ms| {
                    lane.step = StepPhase::Proving { by_hand: false, patient: false };
                    lane.phase_ms = now_ms;
                });
            }
            (About::Failure(key), Choice::Waive) => {
                if let Some(StepPhase::Failed(Cause::Needs { check, .. })) = self.current(key).map(|lane| lane.step.clone())
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
                let state = self.checks.entry((check.clone(), server.clone())).or_insert_with(CheckState::new);
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
                super::key::Place::Server(server) => Some(server.clone()),
                super::key::Place::Console => None,
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
