//! What the farm's state means for those who use it: who is in service, what can be done but once, what is held.

use std::collections::HashMap;

use super::lane;
use super::title::place;
use crate::engine::{LanePhase, LaneState, Outcome, State, StepPhase};
use crate::model::{RoleId, ServerName, StageId};
use crate::plan::PlanStep;
use crate::profile::{Act, Role};

/// The farm as its users meet it, as far as this session can tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    pub roles: Vec<RoleHealth>,
    pub once: Vec<OnceRow>,
    /// What does not go on until somebody acts, and what is forbidden, as sentences.
    pub held: Vec<String>,
}

/// The servers of a role. Whoever is stopped, worked on or out of reach counts as out of service; of the others
/// nobody measures that they serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleHealth {
    pub role: RoleId,
    pub label: String,
    pub of: usize,
    /// Each with the reason.
    pub out: Vec<(ServerName, String)>,
    /// How many must be in service, where the profile says so.
    pub least: Option<usize>,
}

impl RoleHealth {
    /// How many count as in service.
    pub fn in_service(&self) -> usize {
        self.of.saturating_sub(self.out.len())
    }

    /// The count as a sentence.
    pub fn text(&self) -> String {
        let least = self.least.filter(|least| *least > 0);
        let least = least.map(|least| format!(", at least {least} must be")).unwrap_or_default();
        format!("{}: {} of {} in service{least}", self.label, self.in_service(), self.of)
    }
}

/// A step that is carried out once for the whole farm, such as the renewal of a database's schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceRow {
    pub stage: StageId,
    pub title: String,
    /// Where it was started, or is to be.
    pub server: Option<ServerName>,
    pub state: Once,
}

/// What became of a step that is carried out once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once {
    NotStarted,
    UnderWay,
    Done,
    Skipped,
    Failed,
    /// It was begun, and nobody knows whether it worked.
    Unknown,
    /// It was begun in an earlier round, and nothing undid it since.
    Earlier,
}

impl OnceRow {
    /// What became of it, as a sentence.
    pub fn text(&self) -> String {
        let place = place(self.server.as_ref());
        let state = match self.state {
            Once::NotStarted => format!("was not started yet; {place} is to carry it out"),
            Once::UnderWay => format!("is under way on {place}"),
            Once::Done => format!("is done, by {place}"),
            Once::Skipped => "was skipped".to_owned(),
            Once::Failed => format!("was begun on {place} and FAILED; it may have taken effect in part"),
            Once::Unknown => format!("was begun on {place}; whether it took effect is NOT KNOWN"),
            Once::Earlier => format!("was begun on {place} in an earlier round"),
        };
        format!("\"{}\" {state}", self.title)
    }
}

/// The farm as its users meet it now.
pub fn health(state: &State) -> Health {
    Health { roles: roles(state), once: once(state), held: held(state) }
}

fn roles(state: &State) -> Vec<RoleHealth> {
    let stage = state.setup.profile.stages.get(state.stage);
    let worked_on: HashMap<&ServerName, bool> = state
        .active_lanes()
        .filter_map(|lane| Some((lane.key.server.as_ref()?, lane.is_in_trouble())))
        .collect();
    let row = |role: &Role| {
        let servers: Vec<_> = state.setup.inventory.of_role(&role.id).collect();
        let out = servers
            .iter()
            .filter_map(|server| Some((server.name.clone(), why_out(state, &worked_on, &server.name)?)));
        let keep_up = stage.filter(|stage| stage.roles.contains(&role.id)).and_then(|stage| stage.keep_up);
        RoleHealth {
            role: role.id.clone(),
            label: role.label.clone(),
            of: servers.len(),
            out: out.collect(),
            least: keep_up.or(role.keep_up).map(|keep_up| keep_up.least(servers.len())),
        }
    };
    state.setup.profile.roles.iter().map(row).filter(|row| row.of > 0).collect()
}

/// Why `server` counts as out of service, given who is `worked_on` and whether in trouble. `None`: it does not.
fn why_out(state: &State, worked_on: &HashMap<&ServerName, bool>, server: &ServerName) -> Option<String> {
    if let Some(why) = state.lost.get(server) {
        return Some(format!("cannot be reached: {why}"));
    }
    let text = match worked_on.get(server) {
        Some(true) => "stands half-way, in trouble",
        _ if state.stopped.contains(server) => "its services are stopped",
        Some(false) => "it is being worked on",
        None if state.is_down(server) => "stands half-way",
        None => return None,
    };
    Some(text.to_owned())
}

fn once(state: &State) -> Vec<OnceRow> {
    let mut rows = Vec::new();
    for (stage, script) in state.stages.iter().zip(&state.setup.scripts.stages) {
        for (index, step) in script.steps.iter().enumerate().filter(|(_, step)| step.step.once) {
            let has = |lane: &&LaneState| lane.steps.iter().any(|own| usize::from(*own) == index);
            let mut lanes: Vec<&LaneState> = stage.lanes.iter().filter(has).collect();
            let Some(first) = lanes.first() else { continue };
            let Some(own) = state.stage_of(&first.key) else { continue };
            let used = state.once.get(&(own.id.clone(), step.id.clone()));
            // Where it was started counts more than where it was planned.
            lanes.sort_by_key(|lane| used != Some(&lane.key.server));
            let outcome = lanes.iter().find_map(|lane| {
                let is_used = used == Some(&lane.key.server);
                Some((*lane, outcome(state, lane, step, is_used)?))
            });
            let (server, state) = match (outcome, used) {
                (Some((lane, outcome)), _) => (lane.key.server.clone(), outcome),
                (None, Some(server)) => (server.clone(), Once::Earlier),
                (None, None) => (lanes.first().and_then(|lane| lane.key.server.clone()), Once::NotStarted),
            };
            rows.push(OnceRow { stage: own.id.clone(), title: step.title.clone(), server, state });
        }
    }
    rows
}

/// What became of `step` on `lane`, whose server `is_used` for it or not. `None`: it was not begun there, or undone.
fn outcome(state: &State, lane: &LaneState, step: &PlanStep, is_used: bool) -> Option<Once> {
    if state.plan_step(lane).is_some_and(|present| present.id == step.id) {
        match &lane.step {
            // It may have failed at what it needs, before anything was begun.
            StepPhase::Failed(_) => return is_used.then_some(Once::Failed),
            StepPhase::Unknown(_) => return is_used.then_some(Once::Unknown),
            StepPhase::Running | StepPhase::Proving { .. } => return Some(Once::UnderWay),
            StepPhase::Waiting => return is_used.then_some(Once::UnderWay),
            StepPhase::Ready | StepPhase::Cleared | StepPhase::Soaking => {}
        }
    }
    let record = lane.records.iter().rev().find(|record| record.step == step.id)?;
    let by_hand = step.step.act.iter().any(|(_, act)| matches!(act, Act::Manual(_) | Act::Confirm(_)));
    match record.outcome {
        // What is done by hand is never begun here, so nothing tells that it was undone.
        Outcome::Succeeded => (is_used || by_hand).then_some(Once::Done),
        Outcome::DoneBefore => Some(Once::Done),
        Outcome::Skipped => Some(Once::Skipped),
        Outcome::Tolerated => is_used.then_some(Once::Failed),
    }
}

fn held(state: &State) -> Vec<String> {
    let mut held: Vec<String> = Vec::new();
    held.extend(state.paused.then(|| "paused: what runs is finished, nothing new is started".to_owned()));
    held.extend(super::room_low(state));
    held.extend(state.paused_servers.iter().map(|server| format!("{server} is paused")));
    held.extend(lane::holds(state));
    let waiting = state
        .stages
        .get(state.stage)
        .filter(|stage| stage.entered && !stage.left)
        .map(|stage| stage.lanes.iter().filter(|lane| lane.phase == LanePhase::Waiting).count());
    if let (Some(count @ 1..), false) = (waiting, held.is_empty())
        && let Some(stage) = state.setup.profile.stages.get(state.stage)
    {
        let turns = if count == 1 { "1 turn".to_owned() } else { format!("{count} turns") };
        held.push(format!("not begun yet: {turns} of \"{}\"", stage.title));
    }
    held.extend(state.left_out.iter().map(|(server, why)| format!("{server} is left out: {why}")));
    held.extend(state.bans.iter().map(ToString::to_string));
    held
}
