//! How the summary looks: how long it takes, what is lacking, then step after step.

use super::table::{PlanLine, Row, Summary};
use super::{page_of, selected};
use crate::wizard::look::Tone;
use crate::wizard::pages::list::counted;
use crate::wizard::paint::{Canvas, centred};
use crate::wizard::scene::Scene;
use crate::words;
use crate::words::summary::{Estimate, NO_RETURN, PlanRow, approximate};

/// Rows that say more of what is selected, at most.
const MORE: u16 = 3;

pub(in crate::wizard::pages) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let (columns, rows) = (canvas.width(), canvas.height());
    let summary = Summary::of(scene, columns);
    let row = selected(scene, &summary);
    let head = if rows < 8 { 1 } else { 2 };
    let more = if rows < 8 { 0 } else { MORE };
    head_rows(&summary, &mut canvas.part(0, 0, columns, head));
    let below = more + u16::from(more > 0);
    let fit = rows.saturating_sub(head + below);
    {
        let mut list = canvas.part(0, head, columns, fit);
        let top = centred(row, usize::from(fit), summary.len());
        for (y, index) in (0..fit).zip(top..summary.len()) {
            let mut line = list.part(0, y, columns.saturating_sub(1), 1);
            line_of(&summary, &mut line, index, index == row);
        }
        list.scroll(top, summary.len());
    }
    if more > 0 {
        canvas.rule(head + fit);
        say_more(scene, &mut canvas.part(0, head + fit + 1, columns, more), &summary, row);
    }
}

/// How much it is, and whether it can begin.
fn head_rows(summary: &Summary, canvas: &mut Canvas<'_>) {
    let plan = &summary.plan;
    let (text, tone) = match (summary.lacks.len(), &plan.hash) {
        (0, Some(_)) => ("Nothing was changed so far. G begins; it asks first.".to_owned(), Tone::Ok),
        (0, None) => ("No plan can be made.".to_owned(), Tone::Fail),
        (1, _) => ("! It cannot begin: one thing is missing. Enter leads to it.".to_owned(), Tone::Warn),
        (count, _) => {
            (format!("! It cannot begin: {count} things are missing. Enter leads there."), Tone::Warn)
        }
    };
    let counts = format!(
        "{} on {}",
        counted(plan.steps(), "step", "steps"),
        counted(plan.servers, "server", "servers")
    );
    let total = match (plan.total.expect_ms, plan.total.unestimated) {
        (0, _) => String::new(),
        (ms, 0) => format!(", about {}", approximate(ms)),
        (ms, open) => format!(", about {} + {open} of unknown time", approximate(ms)),
    };
    if canvas.height() < 2 {
        canvas.text(0, 0, &text, tone);
        return;
    }
    if plan.hash.is_some() {
        canvas.text(0, 0, &format!("{counts}{total}"), Tone::Title);
    }
    canvas.text(0, 1, &text, tone);
}

fn line_of(summary: &Summary, line: &mut Canvas<'_>, index: usize, is_selected: bool) {
    if is_selected {
        line.tint(0, Tone::Selected);
    }
    let shade = |tone| if is_selected { Tone::Selected } else { tone };
    let sign = if is_selected { ">" } else { " " };
    match summary.row(index) {
        Some(Row::Lack((_, text))) => {
            line.text(0, 0, &format!("{sign}! {text}"), shade(Tone::Warn));
        }
        Some(Row::Plan(PlanLine::Stage(at))) => {
            let Some(stage) = summary.plan.stage(at) else { return };
            let text = format!("{sign}Stage {} of {}: {}{}", stage.number, stage.of, stage.title, stage.pace);
            with_time(line, &text, &time(&stage.estimate), shade(Tone::Title));
        }
        Some(Row::Plan(PlanLine::Lane(at, turn))) => {
            let Some(lane) = summary.plan.lane(at, turn) else { return };
            let name = words::place(lane.server.as_ref());
            with_time(line, &format!("{sign} {name}"), &time(&lane.estimate), shade(Tone::Running));
        }
        Some(Row::Plan(PlanLine::NoReturn)) => {
            line.text(0, 0, &format!("{sign} !! {NO_RETURN}"), shade(Tone::Fail));
        }
        Some(Row::Plan(PlanLine::Step(number))) => {
            if let Some(step) = summary.plan.step(number) {
                with_time(line, &step_text(sign, step), &step_time(step), shade(Tone::Plain));
            }
        }
        Some(Row::Plan(PlanLine::Nothing)) => {
            line.text(0, 0, &format!("{sign} nothing to do here"), shade(Tone::Dim));
        }
        Some(Row::Tail(index)) => {
            line.text(0, 0, sign, shade(Tone::Plain));
            let columns = line.width();
            summary.tail.draw_line(&mut line.part(1, 0, columns, 1), 0, index);
        }
        None => {}
    }
}

fn step_text(sign: &str, step: &PlanRow) -> String {
    let mut marks: Vec<&str> = Vec::new();
    marks.extend(step.once.then_some("once"));
    marks.extend(step.optional.then_some("if you say so"));
    marks.extend((!step.only_if.is_empty()).then_some("if needed"));
    let marks = if marks.is_empty() { String::new() } else { format!("  [{}]", marks.join(", ")) };
    format!("{sign}{:>5}. {}{marks}", step.number, step.title)
}

fn step_time(step: &PlanRow) -> String {
    step.expect_ms.map(approximate).unwrap_or_default()
}

fn time(estimate: &Estimate) -> String {
    let more = if estimate.unestimated > 0 { "+" } else { "" };
    if estimate.expect_ms == 0 { String::new() } else { format!("{}{more}", approximate(estimate.expect_ms)) }
}

/// A text, and at the right border how long it takes.
fn with_time(line: &mut Canvas<'_>, text: &str, time: &str, tone: Tone) {
    let from = line.right(0, time, tone);
    line.cell(0, 0, from.saturating_sub(1), text, tone);
}

/// What the row has no room for.
fn say_more(scene: &Scene<'_>, canvas: &mut Canvas<'_>, summary: &Summary, row: usize) {
    match summary.row(row) {
        Some(Row::Lack((lack, text))) => {
            let columns = canvas.width();
            let y = canvas.part(0, 0, columns, MORE - 1).hanging(0, 0, "! ", text, Tone::Warn);
            let page = page_of(scene.state, lack).title();
            canvas.text(2, y.min(MORE - 1), &format!("Enter: to the page {page}"), Tone::Key);
        }
        Some(Row::Plan(PlanLine::Step(number))) => {
            let Some(step) = summary.plan.step(number) else { return };
            let place = words::place(step.server.as_ref());
            let y = canvas.hanging(0, 0, "", &format!("{place}: {}", step.title), Tone::Title);
            let mut notes = step.notes();
            notes.extend(step.expect_ms.map(|ms| format!("usually {}", approximate(ms))));
            notes.push("Enter shows its command".to_owned());
            canvas.hanging(0, y, "", &notes.join("; "), Tone::Plain);
        }
        Some(Row::Plan(PlanLine::Stage(at))) => {
            let Some(stage) = summary.plan.stage(at) else { return };
            let time = stage.estimate.text().map(|text| format!(", {text}")).unwrap_or_default();
            canvas.hanging(0, 0, "", &format!("{}{}{time}", stage.title, stage.pace), Tone::Plain);
        }
        Some(Row::Plan(PlanLine::Lane(at, turn))) => {
            let Some(lane) = summary.plan.lane(at, turn) else { return };
            let time = lane.estimate.text().map(|text| format!(", {text}")).unwrap_or_default();
            let place = words::place(lane.server.as_ref());
            canvas.hanging(0, 0, "", &format!("{place}: turn {}{time}", lane.turn), Tone::Plain);
        }
        _ => {
            canvas.text(0, 0, "What people and measuring take comes on top of the times.", Tone::Dim);
        }
    }
}
