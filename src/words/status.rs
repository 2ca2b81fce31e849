//! Where a session stands, for somebody who joins or asks.

use super::tally;
use super::{access, lane};
use crate::engine::{Phase, State};
use crate::text::size;

/// What is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Once there is a plan.
    pub tally: Option<String>,
    pub phase: Option<String>,
    /// What each server that is under way does.
    pub lanes: Vec<String>,
    /// Servers that cannot be reached.
    pub lost: Vec<String>,
    /// What servers wait for that only a person can say.
    pub access: Vec<String>,
    /// What is paused.
    pub paused: Vec<String>,
}

/// What is under way at session time `now_ms`.
pub fn status(state: &State, now_ms: u64) -> Status {
    let mut paused: Vec<String> = Vec::new();
    paused.extend(state.paused.then(|| "It is paused: nothing new is started.".to_owned()));
    paused.extend(state.paused_servers.iter().map(|server| format!("{server} is paused.")));
    paused.extend(room_low(state));
    Status {
        tally: tally::full(state).filter(|_| state.plan.is_some()),
        phase: phase(state),
        lanes: state.active_lanes().map(|active| lane::text(state, active, now_ms)).collect(),
        lost: state.lost.iter().map(|(server, why)| format!("{server} cannot be reached: {why}")).collect(),
        access: access::open(state).map(|text| format!("your word is waited for: {text}")).collect(),
        paused,
    }
}

/// Why nothing new is started, where the console's disk has no room for it.
pub fn room_low(state: &State) -> Option<String> {
    let low = state.room_low.as_ref()?;
    Some(format!(
        "The console's disk is full: {} free below {}. Nothing new is started, what runs is followed to its end; it \
         goes on by itself when there is room.",
        size::short(low.free),
        low.path
    ))
}

/// Which part of the session is in turn.
pub fn phase(state: &State) -> Option<String> {
    match (state.phase, state.setup.profile.stages.get(state.stage)) {
        (Phase::Preparing, _) => Some("Nothing was started yet.".to_owned()),
        (Phase::Running, Some(present)) => Some(format!(
            "Stage {} of {}: {}",
            state.stage + 1,
            state.setup.profile.stages.len(),
            present.title
        )),
        (Phase::Running, None) => None,
        (Phase::Ending, _) => Some("The checks at the end are under way.".to_owned()),
    }
}
