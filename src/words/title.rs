//! What things are called: places, stages, steps, checks, choices, durations.

use std::time::Duration;

use crate::engine::{Choice, GATES, LaneKey, ScriptRef, State, StepKey};
use crate::model::{CheckId, InputId, ServerName, StageId, Verdict};
use crate::text::duration;

/// As it is written in questions: `by hand`, `leave out`.
pub fn choice_word(choice: Choice) -> String {
    spaced(choice.as_str())
}

/// The word that says how a check came out.
pub fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passes",
        Verdict::Fail => "DOES NOT PASS",
        Verdict::Unknown => "is UNKNOWN",
    }
}

/// The title of a check, or its id where the profile has none of that id.
pub fn check_title(state: &State, check: &CheckId) -> String {
    state.check_facts(check).map_or_else(|| spaced(check.as_str()), |facts| facts.title.to_owned())
}

/// The title of a stage.
pub fn stage_title(state: &State, id: &StageId) -> String {
    state.setup.profile.stage(id).map_or_else(|| spaced(id.as_str()), |found| found.title.clone())
}

/// The title of a step, wherever it stands.
pub fn step_title(state: &State, key: &StepKey) -> String {
    if key.step == GATES {
        return "what must hold after it".to_owned();
    }
    let step = state.script(&key.lane.script).and_then(|script| script.find(&key.step));
    step.map_or_else(|| spaced(key.step.as_str()), |step| step.title.clone())
}

/// Where something is: a server, or the farm.
pub fn place(server: Option<&ServerName>) -> &str {
    server.map_or("the farm", ServerName::as_str)
}

/// `ms` as a person says it.
pub fn short(ms: u64) -> String {
    duration::short(Duration::from_millis(ms))
}

/// What a lane carries out.
pub fn script_title(state: &State, lane: &LaneKey) -> String {
    match &lane.script {
        ScriptRef::Stage(id) => stage_title(state, id),
        ScriptRef::Recovery(_) => "the recovery".to_owned(),
        ScriptRef::Collect => "collecting".to_owned(),
        ScriptRef::Fix(check) => format!("mending \"{}\"", check_title(state, check)),
    }
}

/// An input by its label, quoted, with the key it is answered under.
pub(super) fn input_of(state: &State, input: &InputId, key: &str) -> String {
    let label =
        state.setup.profile.input(input).map_or_else(|| spaced(input.as_str()), |input| input.label.clone());
    if key.is_empty() { format!("\"{label}\"") } else { format!("\"{label}\" for {key}") }
}

/// Places in a row; of many only the first.
pub(super) fn listed(places: &[String]) -> String {
    match places {
        [] => "nothing".to_owned(),
        [.., _] if places.len() > 6 => format!("{} and {} more", places[..5].join(", "), places.len() - 5),
        _ => places.join(", "),
    }
}

/// An id as words.
pub(super) fn spaced(id: &str) -> String {
    id.replace('_', " ")
}
