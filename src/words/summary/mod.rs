//! What will be done: every step on every server, in order, how long it takes, and what is offered when one fails.

mod command;
mod estimate;
mod rules;

pub use estimate::{Estimate, approximate, step_ms};
pub use rules::{ON_FAILURE, RuleRow, rules};

use std::collections::BTreeSet;

use serde::Serialize;

use crate::inventory::Server;
use crate::model::{ServerName, StageId, StepId};
use crate::plan::{AnswerBook, Plan, PlanStep, Scope, Setup};
use crate::profile::{At, AtATime, Stage};

/// One step on one server.
#[derive(Clone, Debug, Serialize)]
pub struct PlanRow {
    /// Counted from 1 over the whole plan.
    pub number: usize,
    pub stage: StageId,
    pub server: Option<ServerName>,
    pub step: StepId,
    pub title: String,
    pub no_return: bool,
    pub once: bool,
    pub optional: bool,
    /// Milliseconds that it usually takes on this farm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect_ms: Option<u64>,
    /// Where it runs, if that is not the server itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What decides when its turn comes whether it is carried out.
    #[serde(rename = "if", skip_serializing_if = "Vec::is_empty")]
    pub only_if: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl PlanRow {
    /// What is to be known of it beside its title, each in a few words.
    pub fn notes(&self) -> Vec<String> {
        let mut notes: Vec<String> = Vec::new();
        notes.extend(self.at.iter().cloned());
        notes.extend(self.once.then(|| "once for the whole farm".to_owned()));
        notes.extend(self.optional.then(|| "only if you say so".to_owned()));
        notes.extend(self.only_if.iter().map(|expr| format!("if {expr}")));
        notes
    }
}

/// What stands above the first step behind which there is no simple way back.
pub const NO_RETURN: &str = "point of no return: from here on there is no simple way back";

/// A stage of the plan, with the turns of its servers.
#[derive(Clone, Debug)]
pub struct StageRows {
    /// Counted from 1.
    pub number: usize,
    /// How many stages there are.
    pub of: usize,
    pub stage: StageId,
    pub title: String,
    /// How many servers take their turn, and how many at a time; empty for less than two.
    pub pace: String,
    /// Empty: nothing is to be done.
    pub lanes: Vec<LaneRows>,
    /// With as many servers at a time as may be.
    pub estimate: Estimate,
}

/// One server's turn in a stage, or the farm's.
#[derive(Clone, Debug)]
pub struct LaneRows {
    pub server: Option<ServerName>,
    /// Counted from 1.
    pub turn: usize,
    /// Whether its steps are those of the turn before.
    pub same: bool,
    pub steps: Vec<PlanRow>,
    pub estimate: Estimate,
}

/// The plan stage by stage, with the command of each step where `with_commands`.
pub fn stages(setup: &Setup, answers: &AnswerBook, plan: &Plan, with_commands: bool) -> Vec<StageRows> {
    let mut number = 0;
    let mut rows = Vec::new();
    for (index, lanes) in plan.stages.iter().enumerate() {
        let (Some(stage), Some(script)) = (setup.profile.stages.get(index), setup.scripts.stages.get(index))
        else {
            continue;
        };
        let mut turns = Vec::with_capacity(lanes.len());
        // Of the turns that have a step for once the first one carries it out.
        let mut once = BTreeSet::new();
        for (turn, lane) in lanes.iter().enumerate() {
            let server = lane.server.as_ref().and_then(|name| setup.server(name));
            let steps = lane.steps.iter().filter_map(|&step| script.steps.get(usize::from(step)));
            let steps = steps.map(|step| {
                number += 1;
                PlanRow {
                    number,
                    stage: stage.id.clone(),
                    server: lane.server.clone(),
                    step: step.id.clone(),
                    title: step.title.clone(),
                    no_return: step.step.no_return,
                    once: step.step.once,
                    optional: step.step.optional || step.optional_until.is_some(),
                    expect_ms: step_ms(setup, step),
                    at: at_words(&step.at),
                    only_if: open_conditions(setup, answers, server, step),
                    command: with_commands.then(|| command::text(setup, answers, server, step)),
                }
            });
            let steps: Vec<PlanRow> = steps.collect();
            turns.push(LaneRows {
                server: lane.server.clone(),
                turn: turn + 1,
                same: turn > 0 && lanes.get(turn - 1).is_some_and(|before| before.steps == lane.steps),
                estimate: estimate::lane(
                    setup,
                    stage,
                    steps.iter().filter(|row| !row.once || once.insert(row.step.clone())),
                ),
                steps,
            });
        }
        rows.push(StageRows {
            number: index + 1,
            of: plan.stages.len(),
            stage: stage.id.clone(),
            title: stage.title.clone(),
            pace: pace(stage, lanes.len()),
            estimate: estimate::stage(setup, stage, &turns),
            lanes: turns,
        });
    }
    rows
}

/// The whole plan: its stages one after another.
pub fn total(stages: &[StageRows]) -> Estimate {
    let mut total = Estimate::default();
    for stage in stages {
        total += stage.estimate;
    }
    total
}

/// Every step of the plan, in order, with its command where `with_commands`.
pub fn rows(setup: &Setup, answers: &AnswerBook, plan: &Plan, with_commands: bool) -> Vec<PlanRow> {
    let stages = stages(setup, answers, plan, with_commands);
    stages.into_iter().flat_map(|stage| stage.lanes).flat_map(|lane| lane.steps).collect()
}

/// The command of the step in `row`, as far as it can be told before its turn.
pub fn command(setup: &Setup, answers: &AnswerBook, row: &PlanRow) -> Option<String> {
    let stage = setup.profile.stages.iter().position(|stage| stage.id == row.stage)?;
    let step = setup.scripts.stages.get(stage)?.find(&row.step)?;
    let server = row.server.as_ref().and_then(|name| setup.server(name));
    Some(command::text(setup, answers, server, step))
}

fn pace(stage: &Stage, count: usize) -> String {
    match stage.at_a_time {
        _ if count < 2 => String::new(),
        AtATime::Number(1) => format!(" ({count} servers, one after another)"),
        AtATime::Number(number) => format!(" ({count} servers, {number} at a time)"),
        AtATime::All => format!(" ({count} servers, all at the same time)"),
    }
}

fn at_words(at: &At) -> Option<String> {
    match at {
        At::Here => None,
        At::Local => Some("on this console".to_owned()),
        At::Peer => Some("on another server in service".to_owned()),
        At::Peers => Some("on all other servers of the stage".to_owned()),
        At::Role(role) => Some(format!("on every server of role {role}")),
        At::One(role) => Some(format!("on one server of role {role}")),
    }
}

/// The conditions that are settled only when the step's turn comes.
fn open_conditions(
    setup: &Setup,
    answers: &AnswerBook,
    server: Option<&Server>,
    step: &PlanStep,
) -> Vec<String> {
    let open = step.when.iter().filter(|when| {
        !Scope::settled(setup, answers, server).with(&when.with).is_settled(when.expr.names())
    });
    open.map(|when| when.expr.source().to_owned()).collect()
}
