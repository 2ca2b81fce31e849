//! What happened. A session is the fold of these, so each is a fact in the past, complete in itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bans::Ban;
use super::key::{LaneKey, Place, StepKey};
use super::measure::{ProbeKey, Purpose, Reading};
use super::question::{Choice, Question};
use crate::model::{
    Access, CheckId, FailureId, InputId, Known, NoticeId, ServerName, StageId, StepId, Value, Verdict,
    ViewerId,
};
use crate::profile::Forbidden;

/// When an event was journalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Milliseconds since 1970, by the console's clock, which may jump.
    pub wall_ms: i64,
    /// How many runners this session had before; each starts its monotonic clock anew.
    pub epoch: u32,
    /// Milliseconds since the runner started.
    pub mono_ms: u64,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Succeeded,
    /// `done` held before it, so it was not carried out.
    DoneBefore,
    /// Its `when` does not hold, or the operator skipped an optional step.
    Skipped,
    /// It failed, and the profile says that this is no more than a warning.
    Tolerated,
}

/// Why a step failed, or why nothing is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The exit status, or what its output has or lacks.
    Ended { place: Place, why: String },
    /// The step could not be started at all: nothing was done.
    NotStarted { place: Place, why: String },
    /// A check that must hold right before it does not.
    Needs { check: CheckId, verdict: Verdict, shown: String },
    /// `done` does not hold after it.
    NotProved { done: String },
    /// What a wait or a gate waits for did not come in time.
    Expired { waited_ms: u64, until: String },
    /// Whether it applies, or what it would say, cannot be told.
    Unclear { what: String },
    /// The operator says so.
    Told { why: String },
}

/// How a run on a server ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    Exit(i32),
    /// It began, and nobody knows how it ended.
    Lost(String),
    /// It never began.
    NotStarted(String),
}

/// What a step goes by at one of its places, as it was before it was started there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Before {
    /// What told this start of the server from every other.
    Boot(String),
    /// The services that patterns stand for.
    Services(BTreeMap<String, Vec<String>>),
}

/// One place a step runs at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub place: Place,
    pub run: String,
}

/// How a session ended, or why it stands still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Close {
    Done,
    /// For good: what is left is the vendor's next step.
    Failed {
        why: String,
    },
    /// May be resumed.
    Stopped {
        why: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A runner took the session over. The first event, and the first after each crash, hold or stop.
    Opened {
        program: String,
        host: String,
    },
    /// Everything that is forbidden on this farm now, whoever said so.
    BansFound {
        bans: Vec<Ban>,
    },
    BanLifted {
        act: Forbidden,
        /// The reason it was forbidden for: of what is forbidden for two reasons one may be lifted.
        why: String,
        evidence: String,
        viewer: ViewerId,
    },
    /// The runner cut a line off the journal's end that was not written whole.
    TornTail {
        bytes: u64,
    },
    Answered {
        input: InputId,
        key: String,
        value: Value,
        viewer: ViewerId,
    },
    NoticeConfirmed {
        notice: NoticeId,
        viewer: ViewerId,
    },
    /// An input that the vendor does not vouch for was seen and agreed to.
    UnsureAgreed {
        input: InputId,
        viewer: ViewerId,
    },
    /// The start's checks are to be carried out: all, one, or one on one server.
    ChecksWanted {
        check: Option<CheckId>,
        server: Option<ServerName>,
    },
    /// Versions and registered servers are to be read off.
    SurveyWanted,
    MeasureBegun {
        purpose: Purpose,
    },
    /// A question to a server was answered, or is known not to be. `asked`: the sequence number of the event
    /// after which it was put, so that an older answer is never taken for a newer one.
    Read {
        probe: ProbeKey,
        asked: u64,
        reading: Reading,
    },
    Checked {
        check: CheckId,
        server: Option<ServerName>,
        verdict: Verdict,
        shown: String,
        known: Known,
    },
    Waived {
        check: CheckId,
        server: Option<ServerName>,
        reason: String,
        viewer: ViewerId,
    },
    /// The operator agreed to this plan: from here on it is carried out.
    PlanFixed {
        hash: String,
        viewer: ViewerId,
    },
    StageEntered {
        stage: StageId,
    },
    StageLeft {
        stage: StageId,
    },
    LaneEntered {
        lane: LaneKey,
    },
    /// Its `when` holds and its `done` does not: the step will be carried out.
    StepCleared {
        key: StepKey,
    },
    /// It will now be started: journalled and synced before it is.
    StepIntended {
        key: StepKey,
        targets: Vec<Target>,
        command: String,
        tty: bool,
        once: bool,
    },
    /// A wait began.
    WaitBegun {
        key: StepKey,
    },
    /// An operator does not wait to the end for what need not be waited for.
    WaitLeft {
        key: StepKey,
        viewer: ViewerId,
    },
    /// What the step goes by at a place, looked up and journalled before it is started there: after a crash it goes by
    /// this, not by how things are then.
    LookedUp {
        key: StepKey,
        place: Place,
        before: Before,
    },
    TargetEnded {
        key: StepKey,
        place: Place,
        end: End,
        /// The end of what it printed, made safe and cut to a few lines.
        tail: String,
        /// Bytes it printed.
        bytes: u64,
        /// Whether its output has what `has` asks for, and whether it has what `lacks` forbids.
        has: Option<bool>,
        lacks: Option<bool>,
    },
    /// Every target ended; whether it worked is now looked at.
    ProofBegun {
        key: StepKey,
        by_hand: bool,
    },
    StepSettled {
        key: StepKey,
        outcome: Outcome,
        known: Known,
        why: String,
    },
    StepFailed {
        key: StepKey,
        cause: Cause,
    },
    StepUnknown {
        key: StepKey,
        cause: Cause,
    },
    /// Which of the profile's failure rules fits.
    FailureRuled {
        key: StepKey,
        rule: Option<FailureId>,
        bans: Vec<Ban>,
    },
    /// Gates hold; the server is watched for its soak time.
    SoakBegun {
        lane: LaneKey,
    },
    LaneDone {
        lane: LaneKey,
    },
    LeftOut {
        server: ServerName,
        reason: String,
        viewer: ViewerId,
    },
    RecoveryBegun {
        lane: LaneKey,
        of: StepKey,
    },
    /// What the vendor's support needs is collected, after which the failure is asked about again.
    CollectBegun {
        lane: LaneKey,
        of: StepKey,
    },
    /// What a recovery undid may be done once more.
    Undone {
        steps: Vec<StepId>,
    },
    /// The procedure is gone through again from this stage on.
    RoundBegun {
        round: u32,
        stage: StageId,
    },
    FixBegun {
        lane: LaneKey,
    },
    Asked {
        question: Question,
    },
    Replied {
        question: u64,
        choice: Choice,
        text: String,
        viewer: ViewerId,
    },
    /// A question that no longer needs an answer.
    Withdrawn {
        question: u64,
    },
    Paused {
        server: Option<ServerName>,
        viewer: ViewerId,
    },
    Unpaused {
        server: Option<ServerName>,
        viewer: ViewerId,
    },
    StopWanted {
        viewer: ViewerId,
    },
    /// The disk that the console keeps its sessions on is nearly full: nothing new is started.
    RoomLow {
        free: u64,
        path: String,
    },
    /// There is room on it again.
    RoomBack {
        free: u64,
    },
    /// Of what a step printed not all is kept, for want of room on the console's disk. The server keeps the whole.
    OutputCut {
        key: StepKey,
        place: Place,
        kept: u64,
        printed: u64,
    },
    EndChecksBegun,
    EndChecksAccepted {
        viewer: ViewerId,
    },
    /// Servers wait for a word of a person before they can be used. Asked again where further servers wait for the
    /// same; where the word given before was of no use, `complaint` says why.
    AccessAsked {
        access: Access,
        servers: Vec<ServerName>,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        complaint: String,
    },
    /// A host key is trusted, or a secret was given, which stands nowhere.
    AccessGiven {
        access: Access,
        viewer: ViewerId,
    },
    AccessDenied {
        access: Access,
        viewer: ViewerId,
    },
    /// These servers wait for it no longer, though nobody said anything.
    AccessWithdrawn {
        access: Access,
        servers: Vec<ServerName>,
    },
    ReachLost {
        server: ServerName,
        why: String,
    },
    ReachBack {
        server: ServerName,
    },
    /// Something that the operator must do after the session.
    ToDo {
        text: String,
    },
    PenTaken {
        viewer: ViewerId,
        by_force: bool,
    },
    /// The viewer who held the pen is gone.
    PenLeft {
        viewer: ViewerId,
    },
    /// What a viewer wanted, and why it was not done.
    Refused {
        viewer: ViewerId,
        intent: String,
        why: String,
    },
    /// Keys typed into an attended run; how many, never which.
    Typed {
        key: StepKey,
        count: u64,
    },
    /// What a viewer looks at from here on; how it is written is the face's own. Changes nothing, and may be lost
    /// in a crash.
    Looked {
        viewer: ViewerId,
        view: serde_json::Value,
    },
    Closed {
        close: Close,
    },
}
