//! A lane at a glance.

use super::{by_hand_since_ms, late_text, progress};
use crate::engine::{About, LaneKey, LanePhase, LaneState, Phase, Question, State, StepPhase};
use crate::words::access::title;
use crate::words::summary::step_ms;
use crate::words::title::{script_title, step_title};

/// How a lane stands. The worst comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    Done,
    Waiting,
    Running,
    /// It takes longer than usual.
    Late,
    LeftOut,
    /// Its next step is not started because an operator paused it.
    Paused,
    /// It does not go on until somebody decides: it is asked, the session is to stop, or another server is in trouble.
    Held,
    Recovering,
    Unknown,
    Failed,
}

impl Status {
    /// The status in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Late => "late",
            Self::LeftOut => "left out",
            Self::Paused => "paused",
            Self::Held => "held",
            Self::Recovering => "recovering",
            Self::Unknown => "unknown",
            Self::Failed => "FAILED",
        }
    }
}

/// A lane as a list shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneRow {
    pub key: LaneKey,
    /// The stage, the recovery or the fix.
    pub title: String,
    pub status: Status,
    /// The step in turn; `None` before the first one and behind the last.
    pub step: Option<String>,
    /// How many steps are behind, and how many there are.
    pub steps: (usize, usize),
    /// Milliseconds that the step in turn has been under way, or failed; of a lane that is over, what all of it took.
    pub elapsed_ms: Option<u64>,
    /// Milliseconds that the step in turn usually takes.
    pub expect_ms: Option<u64>,
    /// What is to be said beside the status: a cause, a reason, what is asked.
    pub note: Option<String>,
}

/// `lane` at session time `now_ms`.
pub fn row(state: &State, lane: &LaneState, now_ms: u64) -> LaneRow {
    let (status, note) = status(state, lane, now_ms);
    let is_open = matches!(lane.phase, LanePhase::Active | LanePhase::Recovering);
    let began = !matches!(lane.step, StepPhase::Ready | StepPhase::Cleared);
    let elapsed_ms = match lane.phase {
        LanePhase::Active | LanePhase::Recovering => began
            .then_some(lane.phase_ms)
            .or_else(|| by_hand_since_ms(state, lane))
            .map(|since_ms| now_ms.saturating_sub(since_ms)),
        LanePhase::Done | LanePhase::Given => Some(lane.ended_ms.saturating_sub(lane.entered_ms)),
        LanePhase::Waiting | LanePhase::LeftOut(_) => None,
    };
    let expect_ms = match (&lane.step, state.plan_step(lane)) {
        (StepPhase::Soaking, _) => {
            state.stage_of(&lane.key).and_then(|stage| stage.soak).map(|soak| state.setup.scaled_ms(soak))
        }
        (_, Some(step)) => step_ms(&state.setup, step),
        (_, None) => None,
    };
    LaneRow {
        key: lane.key.clone(),
        title: script_title(state, &lane.key),
        status,
        step: is_open.then(|| step_title(state, &state.step_key(lane))),
        steps: (lane.cursor.min(lane.steps.len()), lane.steps.len()),
        elapsed_ms,
        expect_ms: expect_ms.filter(|_| is_open),
        note,
    }
}

fn status(state: &State, lane: &LaneState, now_ms: u64) -> (Status, Option<String>) {
    match &lane.phase {
        LanePhase::Done => (Status::Done, None),
        LanePhase::LeftOut(why) => (Status::LeftOut, Some(why.clone())),
        LanePhase::Given => (Status::Failed, Some("given up after the recovery".to_owned())),
        LanePhase::Recovering => (Status::Recovering, recovered(state, lane)),
        LanePhase::Waiting => waiting(state, lane),
        LanePhase::Active => active(state, lane, now_ms),
    }
}

/// What the recovery of a lane is of.
fn recovered(state: &State, lane: &LaneState) -> Option<String> {
    let key = state.step_key(lane);
    let of = state.failures.iter().rev().find(|failure| failure.key == key);
    of.map(|failure| failure.cause.to_string())
}

/// A turn that was not begun. Only in the stage in turn does anything hold it but its order.
fn waiting(state: &State, lane: &LaneState) -> (Status, Option<String>) {
    if let Some(why) = paused(state, lane, false) {
        return (Status::Paused, Some(why));
    }
    let in_turn = state.phase == Phase::Running
        && state
            .setup
            .profile
            .stages
            .get(state.stage)
            .is_some_and(|stage| state.stage_of(&lane.key).is_some_and(|own| own.id == stage.id));
    if !in_turn {
        return (Status::Waiting, None);
    }
    if let Some(why) = paused(state, lane, true) {
        return (Status::Paused, Some(why));
    }
    match super::holds(state) {
        Some(why) => (Status::Held, Some(why)),
        None => (Status::Waiting, None),
    }
}

/// By whom nothing is started: the server's own pause, or with `all` also the session's.
fn paused(state: &State, lane: &LaneState, all: bool) -> Option<String> {
    if lane.key.server.as_ref().is_some_and(|server| state.paused_servers.contains(server)) {
        return Some("nothing is started here until it is let go on".to_owned());
    }
    if all && let Some(low) = &state.room_low {
        return Some(format!("the console's disk is full below {}: goes on when there is room", low.path));
    }
    (all && state.paused).then(|| "nothing new is started until it is let go on".to_owned())
}

fn active(state: &State, lane: &LaneState, now_ms: u64) -> (Status, Option<String>) {
    let lost = lane.key.server.as_ref().and_then(|server| state.lost.get(server));
    let lost = lost.map(|why| format!("cannot be reached: {why}"));
    let knocks = lane.key.server.as_ref().and_then(|server| {
        state.access.iter().find(|(_, request)| request.servers.contains(server)).map(|(access, _)| access)
    });
    let lost = knocks.map(|access| format!("your word is waited for: {}", title(access))).or(lost);
    let question = question(state, lane);
    let asked = question.map(|question| question.text.clone());
    match &lane.step {
        StepPhase::Failed(cause) => (Status::Failed, Some(cause.to_string())),
        StepPhase::Unknown(cause) => (Status::Unknown, Some(cause.to_string())),
        StepPhase::Ready | StepPhase::Cleared => match (paused(state, lane, true), &state.halt) {
            (Some(why), _) => (Status::Paused, Some(why)),
            (None, Some(_)) => (Status::Held, super::holds(state)),
            (None, None) if asked.is_some() && is_late(state, lane, now_ms) => (Status::Late, asked),
            (None, None) if asked.is_some() => (Status::Held, asked),
            (None, None) => (Status::Running, lost),
        },
        StepPhase::Running | StepPhase::Waiting | StepPhase::Proving { .. } | StepPhase::Soaking => {
            if is_late(state, lane, now_ms)
                || question.is_some_and(|question| matches!(question.about, About::Slow(_)))
            {
                (Status::Late, asked.or(lost).or_else(|| progress(state, lane)))
            } else if asked.is_some() {
                (Status::Held, asked)
            } else {
                (Status::Running, lost.or_else(|| progress(state, lane)))
            }
        }
    }
}

fn question<'a>(state: &'a State, lane: &LaneState) -> Option<&'a Question> {
    state.questions.values().find(|question| question.about.step().is_some_and(|key| key.lane == lane.key))
}

fn is_late(state: &State, lane: &LaneState, now_ms: u64) -> bool {
    (lane.is_running() && lane.late_ms().is_some_and(|late_ms| now_ms >= late_ms))
        || late_text(state, lane, now_ms).is_some()
}
