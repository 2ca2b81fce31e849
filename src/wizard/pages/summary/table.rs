//! The plan as lines: made once for a set of answers, and looked at a screen at a time.

use std::sync::Arc;

use crate::engine::{Lack, State};
use crate::plan;
use crate::wizard::look::Tone;
use crate::wizard::pages::sheet::Sheet;
use crate::wizard::scene::Scene;
use crate::words;
use crate::words::summary::{self, Estimate, LaneRows, ON_FAILURE, PlanRow, RuleRow, StageRows};

/// A line of the plan, by the indices of what it shows.
#[derive(Clone, Copy, Debug)]
pub(super) enum PlanLine {
    Stage(usize),
    Lane(usize, usize),
    /// Above the first step that cannot simply be taken back.
    NoReturn,
    /// By its number, counted from 0.
    Step(usize),
    Nothing,
}

#[derive(Debug, Default)]
pub(in crate::wizard) struct PlanTable {
    /// What the operator agrees to; `None`: no plan can be made yet.
    pub(super) hash: Option<String>,
    pub(super) total: Estimate,
    pub(super) lines: Vec<PlanLine>,
    stages: Vec<StageRows>,
    /// Stage, turn and step of each numbered step.
    steps: Vec<(usize, usize, usize)>,
    pub(super) servers: usize,
    /// What is offered when a step fails, as sentences.
    rules: Vec<String>,
}

impl PlanTable {
    fn of(state: &State) -> Self {
        let Ok(plan) = plan::build(&state.setup, &state.answers) else { return Self::default() };
        let stages = summary::stages(&state.setup, &state.answers, &plan, false);
        let rules = summary::rules(&state.setup, &plan).iter().map(RuleRow::text).collect();
        let total = summary::total(&stages);
        let mut table = Self { hash: Some(plan.hash), total, rules, ..Self::default() };
        let mut servers = std::collections::BTreeSet::new();
        for (at, stage) in stages.iter().enumerate() {
            table.lines.push(PlanLine::Stage(at));
            if stage.lanes.is_empty() {
                table.lines.push(PlanLine::Nothing);
            }
            for (turn, lane) in stage.lanes.iter().enumerate() {
                servers.extend(&lane.server);
                table.lines.push(PlanLine::Lane(at, turn));
                for (index, step) in lane.steps.iter().enumerate() {
                    table.lines.extend(step.no_return.then_some(PlanLine::NoReturn));
                    table.lines.push(PlanLine::Step(table.steps.len()));
                    table.steps.push((at, turn, index));
                }
            }
        }
        table.servers = servers.len();
        table.stages = stages;
        table
    }

    pub(super) fn stage(&self, at: usize) -> Option<&StageRows> {
        self.stages.get(at)
    }

    pub(super) fn lane(&self, at: usize, turn: usize) -> Option<&LaneRows> {
        self.stages.get(at)?.lanes.get(turn)
    }

    /// A step by its number, counted from 0.
    pub(super) fn step(&self, number: usize) -> Option<&PlanRow> {
        let (at, turn, index) = *self.steps.get(number)?;
        self.lane(at, turn)?.steps.get(index)
    }

    pub(super) fn steps(&self) -> usize {
        self.steps.len()
    }
}

/// Everything the page lists: what is lacking, the plan, and what holds while it is carried out.
pub(super) struct Summary {
    pub(super) lacks: Arc<Vec<(Lack, String)>>,
    pub(super) plan: Arc<PlanTable>,
    pub(super) tail: Sheet,
}

/// A row of the page.
#[derive(Clone, Copy)]
pub(super) enum Row<'s> {
    Lack(&'s (Lack, String)),
    Plan(PlanLine),
    /// A line of the text behind the plan.
    Tail(usize),
}

impl Summary {
    pub(super) fn of(scene: &Scene<'_>, columns: u16) -> Self {
        let tables = &scene.story.tables;
        let lacks = lacks(scene);
        let plan = tables.plan.get(&scene.state.answers, || PlanTable::of(scene.state));
        let tail = tail(scene, &plan.rules, columns.saturating_sub(3));
        Self { lacks, plan, tail }
    }

    pub(super) fn len(&self) -> usize {
        self.lacks.len() + self.plan.lines.len() + self.tail.len()
    }

    pub(super) fn row(&self, index: usize) -> Option<Row<'_>> {
        if let Some(lack) = self.lacks.get(index) {
            return Some(Row::Lack(lack));
        }
        let index = index - self.lacks.len();
        if let Some(line) = self.plan.lines.get(index) {
            return Some(Row::Plan(*line));
        }
        let index = index - self.plan.lines.len();
        (index < self.tail.len()).then_some(Row::Tail(index))
    }
}

/// What keeps it from being begun, each as a sentence.
pub(super) fn lacks(scene: &Scene<'_>) -> Arc<Vec<(Lack, String)>> {
    scene.story.tables.lacks.get(&scene.story.news, || {
        let lacking = scene.state.lacking().into_iter();
        lacking.map(|lack| (lack.clone(), scene.state.lack_text(&lack))).collect()
    })
}

/// What happens on a failure, and what is forbidden meanwhile.
fn tail(scene: &Scene<'_>, rules: &[String], columns: u16) -> Sheet {
    let state = scene.state;
    let mut sheet = Sheet::new(columns);
    sheet.blank();
    sheet.say("While it is carried out", Tone::Title);
    for notice in state.notices_shown().filter(|notice| notice.banner.is_some()) {
        let text = words::notices::text(state, notice);
        sheet.item(Some(("!", Tone::Warn)), 2, &text, Tone::Warn);
    }
    sheet.item(
        Some(("-", Tone::Dim)),
        2,
        "What runs on a server is never cut off, also when you leave.",
        Tone::Plain,
    );
    sheet.blank();
    sheet.say("If something fails", Tone::Title);
    sheet.say(ON_FAILURE, Tone::Plain);
    for rule in rules {
        sheet.item(Some(("-", Tone::Dim)), 2, rule, Tone::Plain);
    }
    sheet
}
