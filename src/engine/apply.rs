//! The fold: what an event changes. Total: an event that does not fit changes nothing.

use std::collections::BTreeSet;

use super::event::{Close, Event, Stamp};
use super::key::{ScriptRef, StepKey};
use super::measure::{Measured, ProbeKey, Probes, Purpose, Reading};
use super::measures::Measure;
use super::question::Question;
use super::state::{CheckState, Dated, LanePhase, LaneState, Phase, RoomLow, State, StepPhase, TargetState};
use super::view::Seen;
use crate::model::{CheckId, Known, ServerName};
use crate::profile::{Act, Source};

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
                // What waited did so in the process before, and asks anew.
                self.access.clear();
                self.look_anew(|_| true);
                self.drop_measure(&Purpose::Finish);
            }
            Event::BansFound { bans } => self.bans.clone_from(bans),
            Event::BanLifted { act, why, .. } => {
                self.bans.retain(|ban| ban.act != *act || ban.why != *why);
            }
            Event::Answered { input, key, value, .. } => {
                if self.answers.given(input, key) != Some(value) {
                    self.answers.set(input.clone(), key, value.clone());
                    self.void_checks();
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
                let check =
                    self.checks.entry((check.clone(), server.clone())).or_insert_with(CheckState::new);
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
                self.drop_measure(&Purpose::Turn(key.clone()));
            }
            Event::StepIntended { key, targets, once, .. } => {
                let patience_ms = self.patience_ms(key);
                self.on_step(key, |lane, now_ms| {
                    lane.step = StepPhase::Running;
                    lane.phase_ms = now_ms;
                    lane.awaited_ms = now_ms;
                    lane.patience_ms = patience_ms;
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
                            before: None,
                        })
                        .collect();
                });
                if *once && let ScriptRef::Stage(stage) = &key.lane.script {
                    self.once.insert((stage.clone(), key.step.clone()), key.lane.server.clone());
                }
                self.drop_measure(&Purpose::Needs(key.clone()));
            }
            Event::WaitBegun { key } => {
                let once = self
                    .current(key)
                    .and_then(|lane| self.plan_step(lane))
                    .is_some_and(|step| step.step.once);
                if once && let ScriptRef::Stage(stage) = &key.lane.script {
                    self.once.insert((stage.clone(), key.step.clone()), key.lane.server.clone());
                }
                self.on_step(key, |lane, now_ms| {
                    lane.step = StepPhase::Waiting;
                    lane.phase_ms = now_ms;
                });
                self.drop_measure(&Purpose::Needs(key.clone()));
                self.drop_measure(&Purpose::Wait(key.clone()));
            }
            Event::WaitLeft { key, viewer } => self.leave_wait(key, viewer),
            Event::LookedUp { key, place, before } => self.looked_up(key, place, before),
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
                self.drop_measure(&Purpose::Proof(key.clone()));
                self.drop_measure(&Purpose::Tells(key.clone()));
            }
            Event::StepSettled { key, outcome, known, why } => self.settle(key, *outcome, *known, why),
            Event::StepFailed { key, cause } => self.fail(key, cause, false),
            Event::StepUnknown { key, cause } => self.fail(key, cause, true),
            Event::FailureRuled { key, rule, bans } => {
                self.on_step(key, |lane, _| lane.ruled = Some(rule.clone()));
                self.drop_measure(&Purpose::Rule(key.clone()));
                self.pronounce(bans);
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
            Event::CollectBegun { lane, of } => {
                self.on_step(of, |lane, _| lane.phase = LanePhase::Recovering);
                self.begin_side(lane, Some(of.clone()));
            }
            Event::FixBegun { lane } => self.begin_side(lane, None),
            Event::Undone { steps } => {
                self.once.retain(|(_, used), _| {
                    !steps.iter().any(|undone| {
                        used == undone
                            || used
                                .as_str()
                                .strip_prefix(undone.as_str())
                                .is_some_and(|rest| rest.starts_with('.'))
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
            Event::RoomLow { free, path } => {
                self.room_low = Some(RoomLow { free: *free, path: path.clone() });
            }
            Event::RoomBack { .. } => {
                self.room_low = None;
                self.look_anew(|purpose| matches!(purpose, Purpose::Turn(_) | Purpose::Needs(_)));
            }
            Event::StopWanted { .. } => {
                let why = "the operator stopped it".to_owned();
                self.halt.get_or_insert(Close::Stopped { why });
            }
            Event::AccessAsked { access, servers, complaint } => {
                self.access_asked(access, servers, complaint);
            }
            Event::AccessGiven { access, .. } | Event::AccessDenied { access, .. } => {
                self.access.remove(access);
            }
            Event::AccessWithdrawn { access, servers } => self.access_withdrawn(access, servers),
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
            Event::Closed { close } => {
                self.closed = Some(close.clone());
                self.access.clear();
            }
            Event::TornTail { .. }
            | Event::Refused { .. }
            | Event::Typed { .. }
            | Event::OutputCut { .. }
            | Event::Looked { .. } => {}
        }
    }

    /// Time passed in which nobody looked, or nothing could be started: what was read for a step may no longer
    /// be so. Steps that were to be started are looked at from their turn on.
    pub(super) fn look_anew(&mut self, which: impl Fn(&Purpose) -> bool) {
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
            stage
                .lanes
                .iter_mut()
                .enumerate()
                .filter(|(index, _)| active.contains(index))
                .map(|(_, lane)| lane)
        });
        for lane in lanes.chain(self.sides.iter_mut()) {
            lane.start_agreed = false;
            if lane.step == StepPhase::Cleared {
                lane.step = StepPhase::Ready;
            }
        }
    }

    /// Does `change` to the lane whose step in turn is `key`.
    pub(super) fn on_step(&mut self, key: &StepKey, change: impl FnOnce(&mut LaneState, u64)) {
        let now_ms = self.time.now_ms;
        if self.current(key).is_some()
            && let Some(lane) = self.lane_mut(&key.lane)
        {
            change(lane, now_ms);
        }
    }

    pub(super) fn want_checks(&mut self, at_end: bool, check: Option<&CheckId>, server: Option<&ServerName>) {
        self.checked |= !at_end;
        let places = self.check_places(at_end);
        // A check whose servers changed with the answers is not to be remembered for the ones it lost.
        if check.is_none() && server.is_none() {
            let known: BTreeSet<_> = places.iter().cloned().collect();
            self.checks.retain(|place, _| known.contains(place));
        }
        for (id, at) in places {
            if check.is_none_or(|check| *check == id)
                && server.is_none_or(|server| at.as_ref() == Some(server))
            {
                self.checks.entry((id.clone(), at.clone())).or_insert_with(CheckState::new);
                self.begin_measure(Purpose::Check(id, at));
            }
        }
    }

    /// Answers changed: what the checks of the start found was found with other ones.
    pub(super) fn void_checks(&mut self) {
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
        let servers: Vec<ServerName> =
            self.setup.inventory.servers.iter().map(|server| server.name.clone()).collect();
        for server in servers {
            self.begin_measure(Purpose::Survey(Some(server)));
        }
        self.begin_measure(Purpose::Survey(None));
    }

    pub(super) fn begin_measure(&mut self, purpose: Purpose) {
        let open = self.probes_of(&purpose);
        self.drop_measure(&purpose);
        for probe in &open {
            self.wanted.insert(probe.clone(), self.seq);
            self.asking.remove(probe);
        }
        // Looking around for the operator concludes nothing, so an empty one is over at once.
        if open.is_empty() && matches!(purpose, Purpose::Survey(_)) {
            return;
        }
        self.note_open(&purpose, |lane| lane.open += open.len());
        let quiet = self.quiet_probes_of(&purpose, &open);
        let unread = BTreeSet::new();
        let (begun_ms, begun_seq) = (self.time.now_ms, self.seq);
        self.measures.begin(purpose, Measure { begun_ms, begun_seq, open, quiet, unread });
    }

    /// Keeps the count of what a lane's measures wait for.
    pub(super) fn note_open(&mut self, purpose: &Purpose, change: impl FnOnce(&mut LaneState)) {
        if let Some(lane) = purpose.step().and_then(|key| self.lane_mut(&key.lane)) {
            change(lane);
        }
    }

    /// How long a step is waited for before the operator is asked.
    fn patience_ms(&self, key: &StepKey) -> Option<u64> {
        let step = &self.plan_step(self.current(key)?)?.step;
        let limit = match self.act_of(key) {
            Some(Act::Service { .. } | Act::Reboot) => Some(step.timeout),
            _ => step.late,
        };
        limit.map(|limit| self.setup.scaled_ms(limit))
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
                } else {
                    self.own_probes(id, server, &mut probes);
                }
            }
            Purpose::Before => return self.before_probes(),
            Purpose::Finish => self.finish_probes(&mut probes),
            Purpose::Turn(key)
            | Purpose::Needs(key)
            | Purpose::Wait(key)
            | Purpose::Proof(key)
            | Purpose::Tells(key) => {
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
        // It comes too late: whoever waited for it has the newer one.
        if self.latest.get(probe).is_some_and(|latest| latest.asked > asked) {
            return;
        }
        let told = reading.known == Known::Told;
        let dated = Dated { reading: reading.clone(), asked, at_ms: self.time.now_ms };
        let unknown = matches!(reading.seen, Measured::Unknown(_));
        if unknown && !told && self.can_be_told(probe) {
            for purpose in self.measures.go_without(probe, asked) {
                self.note_open(&purpose, |lane| lane.open = lane.open.saturating_sub(1));
            }
            let is_wanted = self.measures.want(probe);
            // The operator's word counts on where nobody asks for a new one.
            let has_word = self
                .latest
                .get(probe)
                .is_some_and(|l| l.reading.known == Known::Told && l.reading.value().is_some());
            if is_wanted || !has_word {
                self.latest.insert(probe.clone(), dated);
            }
            if self.wanted.get(probe).is_some_and(|since| *since <= asked) {
                self.wanted.remove(probe);
                if is_wanted {
                    self.asking.insert(probe.clone());
                }
            }
            return;
        }
        self.latest.insert(probe.clone(), dated);
        self.asking.remove(probe);
        if self.wanted.get(probe).is_some_and(|since| *since <= asked) {
            self.wanted.remove(probe);
        }
        for purpose in self.measures.read(probe, asked) {
            self.note_open(&purpose, |lane| lane.open = lane.open.saturating_sub(1));
        }
    }

    /// Whether the operator's word is asked for where the servers do not answer.
    pub fn can_be_told(&self, probe: &ProbeKey) -> bool {
        match probe {
            ProbeKey::Fact(fact, _) => self
                .setup
                .profile
                .fact(fact)
                .is_some_and(|fact| fact.ask.is_some() || matches!(fact.source, Source::Ask)),
            ProbeKey::Check(check, _) => self
                .setup
                .profile
                .check(check)
                .is_some_and(|check| matches!(check.kind, crate::profile::CheckKind::Ask(_))),
        }
    }
}
