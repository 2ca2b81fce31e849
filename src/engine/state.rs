//! What is known of a session after a number of events.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::access::Request;
use super::bans::Ban;
use super::event::{Before, Cause, Close, End, Outcome, Stamp};
use super::key::{GATES, LaneKey, Place, ScriptRef, StepKey};
use super::measure::{ProbeKey, Reading};
use super::measures::Measures;
use super::question::{About, Question};
use crate::inventory::Server;
use crate::model::{
    Access, CheckId, InputId, Known, NoticeId, ServerName, StageId, StepId, Verdict, ViewerId,
};
use crate::plan::{AnswerBook, Plan, PlanStep, Scope, Script, Setup};
use crate::profile::Stage;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Answers, prechecks, summary: nothing is changed but by a fix that the operator asked for.
    Preparing,
    Running,
    /// The checks at the end.
    Ending,
}

/// The fold of a session's events.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each tells of one thing that happened or did not")]
pub struct State {
    pub setup: Arc<Setup>,
    /// Sequence number of the last event.
    pub seq: u64,
    pub time: SessionTime,
    pub phase: Phase,
    pub closed: Option<Close>,
    pub answers: AnswerBook,
    pub notices: BTreeSet<NoticeId>,
    pub unsure: BTreeSet<InputId>,
    pub checks: BTreeMap<(CheckId, Option<ServerName>), CheckState>,
    pub latest: HashMap<ProbeKey, Dated>,
    pub before: Option<HashMap<ProbeKey, Reading>>,
    pub measures: Measures,
    /// Probes that some measure waits for, with the event after which the answer must have been asked for.
    pub wanted: BTreeMap<ProbeKey, u64>,
    /// Probes that only the operator can answer.
    pub asking: BTreeSet<ProbeKey>,
    pub plan: Option<Arc<Plan>>,
    pub round: u32,
    /// Index of the stage in turn.
    pub stage: usize,
    pub stages: Vec<StageState>,
    /// Recoveries and fixes, in the order they began.
    pub sides: Vec<LaneState>,
    pub once: BTreeMap<(StageId, StepId), Option<ServerName>>,
    pub questions: BTreeMap<u64, Question>,
    pub asked: BTreeMap<About, u64>,
    pub bans: Vec<Ban>,
    pub paused: bool,
    pub paused_servers: BTreeSet<ServerName>,
    /// Nothing new is started until there is room on the console's disk.
    pub room_low: Option<RoomLow>,
    pub left_out: BTreeMap<ServerName, String>,
    /// Why no new step is started: the session is to stop, and whether for good.
    pub halt: Option<Close>,
    /// Whether the halt waits for what runs on servers. What is not waited for goes on there, and is found again.
    pub halt_waits: bool,
    /// Servers out of service: a step stopped their services and none started them since, or they were left out
    /// half-way.
    pub stopped: BTreeSet<ServerName>,
    pub lost: BTreeMap<ServerName, String>,
    /// The services that steps found by a pattern, by place and pattern.
    pub services: BTreeMap<(Place, String), BTreeSet<String>>,
    /// What servers wait for that only a person can say.
    pub access: BTreeMap<Access, Request>,
    pub failures: Vec<FailureRecord>,
    pub to_do: Vec<String>,
    pub pen: Option<ViewerId>,
    pub end_accepted: bool,
    pub surveyed: bool,
    /// Whether the checks of the start were asked for.
    pub checked: bool,
}

/// Time within a session, which goes on over restarts and never backwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionTime {
    /// Session milliseconds at the last event.
    pub now_ms: u64,
    pub last: Option<Stamp>,
    /// Session milliseconds at the start of the runner.
    base_ms: u64,
}

impl SessionTime {
    pub(super) fn advance(&mut self, stamp: Stamp) {
        match self.last {
            Some(last) if last.epoch == stamp.epoch => {}
            // Between two runners only the wall clock tells how long it was; a clock set back counts as no time.
            Some(last) => {
                let away = u64::try_from(stamp.wall_ms.saturating_sub(last.wall_ms)).unwrap_or(0);
                self.base_ms = self.now_ms.saturating_add(away).saturating_sub(stamp.mono_ms);
            }
            None => {}
        }
        self.now_ms = self.now_ms.max(self.base_ms.saturating_add(stamp.mono_ms));
        self.last = Some(stamp);
    }

    /// Session milliseconds at `mono_ms` of the present runner.
    pub fn at_mono(&self, mono_ms: u64) -> u64 {
        self.now_ms.max(self.base_ms.saturating_add(mono_ms))
    }

    /// The wall clock at session time `ms`, before or after the last event, as far as that one tells.
    pub fn wall_ms(&self, ms: u64) -> i64 {
        let wall = self.last.map_or(0, |stamp| stamp.wall_ms);
        let whole = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        wall.saturating_add(whole(ms)).saturating_sub(whole(self.now_ms))
    }
}

/// The disk that the console keeps its sessions on, when it was found nearly full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomLow {
    /// Bytes that were free.
    pub free: u64,
    pub path: String,
}

/// A reading and when it was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Dated {
    pub reading: Reading,
    /// The event after which it was asked for.
    pub asked: u64,
    pub at_ms: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CheckState {
    /// `None` while it was never concluded.
    pub verdict: Option<Verdict>,
    /// The measured value beside its limit.
    pub shown: String,
    pub known: Known,
    pub at_ms: u64,
    pub waived: Option<String>,
}

impl CheckState {
    pub(super) fn new() -> Self {
        Self { verdict: None, shown: String::new(), known: Known::Seen, at_ms: 0, waived: None }
    }
}

#[derive(Clone, Debug)]
pub struct StageState {
    pub lanes: Vec<LaneState>,
    pub by_server: HashMap<ServerName, usize>,
    /// Index of the first lane that was never looked at for its turn.
    pub next: usize,
    pub active: BTreeSet<usize>,
    pub entered: bool,
    pub left: bool,
    pub entered_ms: u64,
    pub left_ms: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub enum LanePhase {
    Waiting,
    Active,
    /// A recovery of it is under way.
    Recovering,
    Done,
    LeftOut(String),
    /// A recovery ended, and with it the lane.
    Given,
}

impl LanePhase {
    /// Whether nothing more happens on it.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Done | Self::LeftOut(_) | Self::Given)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum StepPhase {
    Ready,
    Cleared,
    Running,
    Waiting,
    /// `done` is looked at: once where a person says that it is done, else until patience ends.
    Proving {
        by_hand: bool,
        patient: bool,
    },
    Soaking,
    Failed(Cause),
    Unknown(Cause),
}

#[derive(Clone, Debug)]
pub struct LaneState {
    pub key: LaneKey,
    pub steps: Arc<[u16]>,
    /// Index into `steps`; their number for the gates at the end.
    pub cursor: usize,
    pub phase: LanePhase,
    pub step: StepPhase,
    pub attempt: u32,
    pub targets: Vec<TargetState>,
    /// Session milliseconds.
    pub entered_ms: u64,
    pub step_ms: u64,
    pub phase_ms: u64,
    /// Since when a step that is under way has been waited for without the operator being asked.
    pub awaited_ms: u64,
    /// How long it is waited for before the operator is asked.
    pub patience_ms: Option<u64>,
    /// How many readings its measures wait for.
    pub open: usize,
    pub ended_ms: u64,
    /// The operator agreed to the optional steps in turn.
    pub optional_agreed: bool,
    /// The operator wants the attended step in turn started.
    pub start_agreed: bool,
    /// Which failure rule fits the failure in turn.
    pub ruled: Option<Option<crate::model::FailureId>>,
    pub records: Vec<Record>,
    /// The step that a recovery is of.
    pub of: Option<StepKey>,
}

impl LaneState {
    pub(super) fn new(key: LaneKey, steps: Arc<[u16]>) -> Self {
        Self {
            key,
            steps,
            cursor: 0,
            phase: LanePhase::Waiting,
            step: StepPhase::Ready,
            attempt: 1,
            targets: Vec::new(),
            entered_ms: 0,
            step_ms: 0,
            phase_ms: 0,
            awaited_ms: 0,
            patience_ms: None,
            open: 0,
            ended_ms: 0,
            optional_agreed: false,
            start_agreed: false,
            ruled: None,
            records: Vec::new(),
            of: None,
        }
    }

    /// Whether a step is under way on a server.
    pub fn is_running(&self) -> bool {
        self.phase == LanePhase::Active
            && self.step == StepPhase::Running
            && self.targets.iter().any(|target| target.end.is_none())
    }

    /// When what runs is late.
    pub fn late_ms(&self) -> Option<u64> {
        Some(self.awaited_ms.saturating_add(self.patience_ms?))
    }

    /// Whether it failed at something it waited for, so that nothing was started that failed.
    pub(super) fn waited(&self) -> bool {
        match &self.step {
            StepPhase::Failed(Cause::Expired { .. } | Cause::Needs { .. } | Cause::Unclear { .. }) => true,
            StepPhase::Failed(_) => self.cursor >= self.steps.len(),
            _ => false,
        }
    }

    /// Whether it failed or nothing is known of it.
    pub fn is_in_trouble(&self) -> bool {
        self.phase == LanePhase::Recovering
            || self.phase == LanePhase::Active
                && matches!(self.step, StepPhase::Failed(_) | StepPhase::Unknown(_))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetState {
    pub place: Place,
    pub run: String,
    pub end: Option<End>,
    pub tail: String,
    pub bytes: u64,
    pub has: Option<bool>,
    pub lacks: Option<bool>,
    /// Absent where there is nothing to be looked up, or it was not yet.
    pub before: Option<Before>,
}

/// A step that is behind a lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub step: StepId,
    pub attempt: u32,
    pub outcome: Outcome,
    pub known: Known,
    pub why: String,
    pub began_ms: u64,
    pub ended_ms: u64,
    pub exit: Option<i32>,
    pub tail: String,
}

/// A failure, kept as it was first seen whatever happened since.
#[derive(Clone, Debug, PartialEq)]
pub struct FailureRecord {
    pub key: StepKey,
    pub cause: Cause,
    pub unknown: bool,
    pub at_ms: u64,
    /// How it was settled, once it was.
    pub settled: Option<String>,
}

impl State {
    pub fn new(setup: Arc<Setup>) -> Self {
        Self {
            setup,
            seq: 0,
            time: SessionTime::default(),
            phase: Phase::Preparing,
            closed: None,
            answers: AnswerBook::default(),
            notices: BTreeSet::new(),
            unsure: BTreeSet::new(),
            checks: BTreeMap::new(),
            latest: HashMap::new(),
            before: None,
            measures: Measures::default(),
            wanted: BTreeMap::new(),
            asking: BTreeSet::new(),
            plan: None,
            round: 1,
            stage: 0,
            stages: Vec::new(),
            sides: Vec::new(),
            once: BTreeMap::new(),
            questions: BTreeMap::new(),
            asked: BTreeMap::new(),
            bans: Vec::new(),
            paused: false,
            paused_servers: BTreeSet::new(),
            room_low: None,
            left_out: BTreeMap::new(),
            halt: None,
            halt_waits: true,
            stopped: BTreeSet::new(),
            lost: BTreeMap::new(),
            services: BTreeMap::new(),
            access: BTreeMap::new(),
            failures: Vec::new(),
            to_do: Vec::new(),
            pen: None,
            end_accepted: false,
            surveyed: false,
            checked: false,
        }
    }

    /// The script a lane carries out.
    pub fn script(&self, script: &ScriptRef) -> Option<&Arc<Script>> {
        let scripts = &self.setup.scripts;
        match script {
            ScriptRef::Stage(id) => scripts.stages.get(self.stage_index(id)?),
            ScriptRef::Recovery(id) => scripts.recoveries.get(id),
            ScriptRef::Fix(id) => scripts.fixes.get(id),
            ScriptRef::Collect => Some(&scripts.collection.script),
        }
    }

    pub fn stage_index(&self, id: &StageId) -> Option<usize> {
        self.setup.profile.stages.iter().position(|stage| stage.id == *id)
    }

    /// The stage a lane belongs to; `None` for recoveries and fixes.
    pub fn stage_of(&self, key: &LaneKey) -> Option<&Stage> {
        match &key.script {
            ScriptRef::Stage(id) => self.setup.profile.stage(id),
            _ => None,
        }
    }

    pub fn lane(&self, key: &LaneKey) -> Option<&LaneState> {
        match &key.script {
            ScriptRef::Stage(id) => {
                let stage = self.stages.get(self.stage_index(id)?)?;
                let lane = stage.lanes.get(stage.lane_of(key.server.as_ref())?)?;
                (lane.key.round == key.round).then_some(lane)
            }
            _ => self.sides.iter().find(|lane| lane.key == *key),
        }
    }

    pub(super) fn lane_mut(&mut self, key: &LaneKey) -> Option<&mut LaneState> {
        match &key.script {
            ScriptRef::Stage(id) => {
                let index = self.stage_index(id)?;
                let stage = self.stages.get_mut(index)?;
                let lane = stage.lane_of(key.server.as_ref())?;
                stage.lanes.get_mut(lane).filter(|lane| lane.key.round == key.round)
            }
            _ => self.sides.iter_mut().find(|lane| lane.key == *key),
        }
    }

    /// The step in turn on a lane; `None` at its gates.
    pub fn plan_step(&self, lane: &LaneState) -> Option<&PlanStep> {
        let index = *lane.steps.get(lane.cursor)?;
        self.script(&lane.key.script)?.steps.get(usize::from(index))
    }

    /// The key of the step in turn on a lane.
    pub fn step_key(&self, lane: &LaneState) -> StepKey {
        let step = self.plan_step(lane).map_or_else(|| StepId::from(GATES), |step| step.id.clone());
        StepKey { lane: lane.key.clone(), step, attempt: lane.attempt }
    }

    /// The step in turn, if it is `key`.
    pub(super) fn current(&self, key: &StepKey) -> Option<&LaneState> {
        self.lane(&key.lane).filter(|lane| self.step_key(lane) == *key)
    }

    /// Every lane that is under way: the stage's and those of recoveries and fixes.
    pub fn active_lanes(&self) -> impl Iterator<Item = &LaneState> {
        let stage = self.stages.get(self.stage);
        let stage_lanes = stage
            .into_iter()
            .flat_map(|stage| stage.active.iter().filter_map(|&index| stage.lanes.get(index)));
        stage_lanes.chain(self.sides.iter().filter(|lane| !lane.phase.is_closed()))
    }

    pub fn server_of(&self, lane: &LaneKey) -> Option<&Server> {
        self.setup.server(lane.server.as_ref()?)
    }

    pub fn scope<'a>(&'a self, facts: &'a super::view::Seen<'a>, server: Option<&'a Server>) -> Scope<'a> {
        Scope { facts, ..Scope::settled(&self.setup, &self.answers, server) }
    }

    /// Where the expressions and texts of the step at `key` are looked up.
    pub fn step_scope<'a>(
        &'a self,
        facts: &'a super::view::Seen<'a>,
        key: &'a StepKey,
        step: &'a PlanStep,
    ) -> Scope<'a> {
        let scope = self.scope(facts, self.server_of(&key.lane)).with(&step.with);
        Scope { item: key.lane.item.as_deref(), ..scope }
    }

    /// The open question about `about`.
    pub fn question(&self, about: &About) -> Option<&Question> {
        self.questions.get(self.asked.get(about)?)
    }

    /// Session milliseconds at `mono_ms` of the present runner.
    pub fn now_ms(&self, mono_ms: u64) -> u64 {
        self.time.at_mono(mono_ms)
    }
}

impl StageState {
    pub(super) fn lane_of(&self, server: Option<&ServerName>) -> Option<usize> {
        match server {
            Some(server) => self.by_server.get(server).copied(),
            None => (self.by_server.is_empty() && !self.lanes.is_empty()).then_some(0),
        }
    }
}
