//! What a server prints, with what it does above.

use crate::engine::{LaneState, StepPhase};
use crate::wizard::look::Tone;
use crate::wizard::paint::Canvas;
use crate::wizard::scene::Scene;
use crate::words;
use crate::words::lane::{LaneRow, Status};

/// The pane of one lane: its step, how long it takes, the last lines of its output.
pub(in crate::wizard) fn output(scene: &Scene<'_>, canvas: &mut Canvas<'_>, lane: &LaneState, focused: bool) {
    let told = words::lane::row(scene.state, lane, scene.now_ms);
    let place = words::place(lane.key.server.as_ref());
    let attempt = if lane.attempt > 1 { format!(", attempt {}", lane.attempt) } else { String::new() };
    let step = if lane.phase.is_closed() {
        String::new()
    } else {
        format!("  {}{attempt}", told.step.clone().unwrap_or_default())
    };
    let title = format!("{place}{step}");
    let mut inside = canvas.boxed(&title, focused);
    let tone = tone(&told);
    let usual = told.expect_ms.map(|ms| format!(" of usually {}", words::short(ms))).unwrap_or_default();
    let elapsed = told.elapsed_ms.map(|ms| format!("  {}{usual}", words::short(ms))).unwrap_or_default();
    let mut y = 0;
    if inside.height() > 1 {
        let x = inside.text(0, 0, &format!("{} {}{elapsed}", mark(&told), told.status.word()), tone);
        if let (Some(spent), Some(whole)) = (told.elapsed_ms, told.expect_ms)
            && !lane.phase.is_closed()
            && inside.width().saturating_sub(x) > 12
        {
            let columns = (inside.width() - x - 2).min(20);
            let (spent, whole) = (usize::try_from(spent).unwrap_or(0), usize::try_from(whole).unwrap_or(0));
            inside.bar(x + 1, 0, columns, spent, whole, tone);
        }
        y = 1;
    }
    if let StepPhase::Failed(cause) | StepPhase::Unknown(cause) = &lane.step
        && !lane.phase.is_closed()
    {
        y = inside.hanging(0, y, "", &cause.to_string(), Tone::Fail);
    }
    let rows = usize::from(inside.height().saturating_sub(y));
    if rows == 0 {
        return;
    }
    match scene.story.run_of_lane(lane) {
        Some(run) => {
            let tail = scene.printed.tail(&run, rows, 0);
            if let Some(wrong) = &tail.wrong {
                inside.text(0, y, wrong, Tone::Warn);
            }
            for line in &tail.lines {
                inside.text(0, y, line, Tone::Plain);
                y += 1;
            }
        }
        None => {
            inside.text(0, y, "nothing was started here so far", Tone::Dim);
        }
    }
}

/// The sign of a lane's state; colour only repeats it.
pub(in crate::wizard) fn mark(row: &LaneRow) -> &'static str {
    match row.status {
        Status::Done => "+",
        Status::Waiting | Status::Held => "·",
        Status::Running => ">",
        Status::Late | Status::Recovering => "!",
        Status::LeftOut | Status::Paused => "-",
        Status::Unknown => "?",
        Status::Failed => "X",
    }
}

pub(in crate::wizard) fn tone(row: &LaneRow) -> Tone {
    match row.status {
        Status::Done => Tone::Ok,
        Status::Waiting | Status::Held => Tone::Dim,
        Status::Running => Tone::Running,
        Status::Late | Status::LeftOut | Status::Paused => Tone::Warn,
        Status::Recovering | Status::Unknown | Status::Failed => Tone::Fail,
    }
}
