//! One server's way through a stage, a recovery or a fix.

mod row;

pub use row::{LaneRow, Status, row};

use super::title::{place, short, step_title};
use crate::engine::{About, Close, LaneState, Question, State, StepPhase};

/// What is under way on `lane` at session time `now_ms`, in a sentence.
pub fn text(state: &State, lane: &LaneState, now_ms: u64) -> String {
    let title = step_title(state, &state.step_key(lane));
    let since = short(now_ms.saturating_sub(lane.phase_ms));
    let doing = match &lane.step {
        StepPhase::Ready | StepPhase::Cleared => "is next".to_owned(),
        StepPhase::Running => format!("runs for {since}"),
        StepPhase::Waiting => match progress(state, lane) {
            Some(progress) => format!("waits for {since}: {progress}"),
            None => format!("waits for {since}"),
        },
        StepPhase::Proving { .. } => format!("is looked at for {since}"),
        StepPhase::Soaking => format!("is watched for {since}"),
        StepPhase::Failed(cause) => format!("FAILED: {cause}"),
        StepPhase::Unknown(cause) => format!("is NOT KNOWN to have worked: {cause}"),
    };
    format!("{}: \"{title}\" {doing}", place(lane.key.server.as_ref()))
}

/// How far what `lane` waits for is: `120 of 400`. `None`: nobody can tell.
pub fn progress(state: &State, lane: &LaneState) -> Option<String> {
    let (done, whole) = state.wait_progress(lane)?;
    Some(format!("{done} of {whole}"))
}

/// That what `lane` waits for or looks at takes longer than usual, in a sentence. `None`: it does not. Of a step that
/// runs the engine itself asks when it is late.
pub fn late_text(state: &State, lane: &LaneState, now_ms: u64) -> Option<String> {
    let since_ms = match lane.step {
        StepPhase::Waiting | StepPhase::Proving { .. } => lane.phase_ms,
        StepPhase::Cleared => by_hand_since_ms(state, lane)?,
        _ => return None,
    };
    let step = state.plan_step(lane)?;
    let limit_ms = state.setup.scaled_ms(step.step.late?);
    let since_ms = now_ms.saturating_sub(since_ms);
    let usual = step.step.expect.map(|usual| format!(", usually {}", short(state.setup.scaled_ms(usual))));
    (since_ms > limit_ms).then(|| {
        format!(
            "{}: \"{}\" is late: {} so far{}; it is not cut off",
            place(lane.key.server.as_ref()),
            step.title,
            short(since_ms),
            usual.unwrap_or_default(),
        )
    })
}

/// Since when a person is at what `lane` has in turn. `None`: it is nothing that a person does, or it takes as long as it
/// takes.
fn by_hand_since_ms(state: &State, lane: &LaneState) -> Option<u64> {
    let step = &state.plan_step(lane)?.step;
    step.expect.or(step.late)?;
    let key = state.step_key(lane);
    let asked = [About::Manual(key.clone()), About::Attended(key.clone()), About::Confirm(key)];
    asked.iter().any(|about| state.asked.contains_key(about)).then_some(lane.step_ms)
}

/// Why no other server begins, in a sentence. `None`: nothing holds them.
pub fn holds(state: &State) -> Option<String> {
    if let Some(halt) = &state.halt {
        return Some(match halt {
            Close::Done => "the session ends".to_owned(),
            Close::Failed { why } => format!("the session ends as failed: {why}"),
            Close::Stopped { why } => format!("the session is to stop: {why}"),
        });
    }
    if let Some(lane) = state.active_lanes().find(|lane| lane.is_in_trouble()) {
        let place = place(lane.key.server.as_ref());
        let title = step_title(state, &state.step_key(lane));
        return Some(format!("{place} is in trouble at \"{title}\"; no other server is started"));
    }
    let keep_up = |question: &&Question| matches!(question.about, About::KeepUp(_));
    state.questions.values().find(keep_up).map(|question| question.text.clone())
}
