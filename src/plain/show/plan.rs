//! What will be done: every step on every server, in order.

use std::io;

use super::super::printer::Printer;
use crate::plan::{AnswerBook, Plan, Setup};
use crate::words::place;
use crate::words::summary::{self, LaneRows, NO_RETURN, ON_FAILURE, PlanRow};

/// Lines beyond which servers with the same steps as the one before are not written out.
const LONG: usize = 400;

/// The plan for a person: stages, servers, numbered steps, the point of no return, and what happens on a failure.
pub fn plan(out: &mut Printer, setup: &Setup, answers: &AnswerBook, plan: &Plan) -> io::Result<()> {
    let stages = summary::stages(setup, answers, plan, false);
    let count: usize = stages.iter().flat_map(|stage| &stage.lanes).map(|lane| lane.steps.len()).sum();
    for stage in &stages {
        out.blank()?;
        let estimate = stage.estimate.text().map(|text| format!(", {text}")).unwrap_or_default();
        out.line(&format!(
            "Stage {} of {}: {}{}{estimate}",
            stage.number, stage.of, stage.title, stage.pace
        ))?;
        if stage.lanes.is_empty() {
            out.line("    nothing to do here")?;
        }
        for lane in &stage.lanes {
            turn(out, lane, stage.lanes.len(), count > LONG)?;
        }
    }
    if let Some(text) = summary::total(&stages).text() {
        out.blank()?;
        out.text(&format!(
            "Altogether: {text}. The time that people take to answer, and servers to be ready, comes on top."
        ))?;
    }
    out.blank()?;
    out.text(ON_FAILURE)?;
    for rule in summary::rules(setup, plan) {
        out.hanging("  - ", &rule.text())?;
    }
    Ok(())
}

fn turn(out: &mut Printer, lane: &LaneRows, of: usize, long: bool) -> io::Result<()> {
    let name = place(lane.server.as_ref());
    if long && lane.same {
        let number = |row: Option<&PlanRow>| row.map_or(0, |row| row.number);
        let (first, last) = (number(lane.steps.first()), number(lane.steps.last()));
        return out
            .line(&format!("  {name}: the same steps as the server before, numbers {first} to {last}"));
    }
    let turn = if of > 1 { format!(" ({} of {of})", lane.turn) } else { String::new() };
    out.line(&format!("  {name}{turn}"))?;
    lane.steps.iter().try_for_each(|row| step(out, row))
}

fn step(out: &mut Printer, row: &PlanRow) -> io::Result<()> {
    if row.no_return {
        out.line(&format!("      ---- {NO_RETURN} ----"))?;
    }
    let notes = row.notes();
    let notes = if notes.is_empty() { String::new() } else { format!("  [{}]", notes.join("; ")) };
    out.hanging(&format!("{:>6}. ", row.number), &format!("{}{notes}", row.title))
}

/// The commands of every step, by number.
pub fn commands(out: &mut Printer, setup: &Setup, answers: &AnswerBook, plan: &Plan) -> io::Result<()> {
    for row in summary::rows(setup, answers, plan, true) {
        out.line(&format!("{:>6}. {}: {}", row.number, place(row.server.as_ref()), row.title))?;
        out.verbatim(8, row.command.as_deref().unwrap_or_default())?;
    }
    Ok(())
}
