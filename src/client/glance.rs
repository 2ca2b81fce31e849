//! A session at a glance, for lists.

use super::error::ClientError;
use super::follow::{Follower, Mode};
use crate::engine::{Close, OtherPlan, Phase, State};
use crate::journal::{SessionDir, StateDir};
use crate::model::{Tally, ViewerId};

/// What a list shows of a session.
#[derive(Clone, Debug)]
pub struct Glance {
    pub farm: String,
    pub product: String,
    pub base: std::path::PathBuf,
    pub phase: Phase,
    pub close: Option<Close>,
    pub tally: Option<Tally>,
    /// Process of the runner at work.
    pub runner: Option<u32>,
    /// Milliseconds since 1970 of the last event.
    pub last_ms: i64,
    pub questions: usize,
    /// Why this program cannot go on with it: another one made another plan.
    pub other_plan: Option<OtherPlan>,
}

/// Reads a session as far as it is.
///
/// # Errors
/// Files that are not as they were written.
pub fn glance(state_dir: &StateDir, session: &SessionDir) -> Result<Glance, ClientError> {
    let runner = session.holder()?.map(|holder| holder.pid);
    let mut follower = Follower::open(state_dir, session, ViewerId::from("list"), Mode::Rest)?;
    let mut program = String::new();
    let mut other_plan = None;
    while let Some(entry) = follower.next_event()? {
        if let Err(found) = follower.state().understood(&entry.event, &mut program) {
            other_plan = Some(found);
        }
    }
    let state = follower.state();
    let file = std::fs::read_to_string(session.setup_path())
        .ok()
        .and_then(|text| crate::plan::SessionFile::parse(&text).ok());
    Ok(Glance {
        farm: state.setup.inventory.farm.clone(),
        product: state.setup.profile.product.clone(),
        base: file.map(|file| file.base).unwrap_or_default(),
        phase: state.phase,
        close: state.close().cloned(),
        tally: if state.plan.is_some() { counted(state).map(|(_, tally)| tally) } else { None },
        runner,
        last_ms: state.time.last.map_or(0, |stamp| stamp.wall_ms),
        questions: state.questions.len() + state.access.len(),
        other_plan,
    })
}

/// What the operator counts: the tally of the stage in turn where the profile has one for it, else that of the last
/// such stage before, else that of the first to come. With it the index of the stage.
pub fn counted(state: &State) -> Option<(usize, Tally)> {
    let stages = &state.setup.profile.stages;
    let counts = |index: &usize| {
        let planned = state.stages.get(*index).is_none_or(|stage| !stage.lanes.is_empty());
        planned && stages.get(*index).is_some_and(|stage| stage.tally.is_some() && !stage.roles.is_empty())
    };
    let last = state.stage.min(stages.len().saturating_sub(1));
    match (0..=last).rev().find(counts).or_else(|| (0..stages.len()).find(counts)) {
        Some(index) => Some((index, state.tally_of(index)?)),
        // A profile that says nothing of it still has servers with versions.
        None => Some((state.stage, state.tally()?)),
    }
}
