//! What failed, what that means, what is allowed now, and what is not, and why.

use crate::engine::{About, FailureRecord, Question, StepKey};
use crate::wizard::look::Tone;
use crate::wizard::paint::Canvas;
use crate::wizard::panes;
use crate::wizard::scene::Scene;
use crate::words;

pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>, question: &Question) {
    let columns = canvas.width();
    let head = panes::progress_head(scene, canvas);
    let rows = canvas.height().saturating_sub(head);
    let About::Failure(key) = &question.about else { return };
    // The choices, the line of help and a row of air.
    let choices = u16::try_from(question.options.len()).unwrap_or(u16::MAX).saturating_add(2);
    let facts = rows.saturating_sub(choices).max(rows / 2);
    {
        let mut part = canvas.part(0, head, columns, facts);
        let mut inside = part.boxed(&format!("X {}", question.text), true);
        what(scene, &mut inside, key, question);
    }
    panes::choices(
        scene,
        &mut canvas.part(1, head + facts, columns.saturating_sub(2), rows - facts),
        question,
    );
}

fn what(scene: &Scene<'_>, canvas: &mut Canvas<'_>, key: &StepKey, question: &Question) {
    let state = scene.state;
    let first = first_of(scene, key);
    let mut y = 0;
    let mut say = |canvas: &mut Canvas<'_>, word: &str, text: &str, tone: Tone| {
        if !text.is_empty() && y < canvas.height() {
            canvas.text(1, y, word, Tone::Dim);
            y = canvas.hanging(8, y, "", text, tone);
        }
    };
    if let Some(cause) = question.details.first() {
        say(canvas, "What", cause, Tone::Fail);
    }
    if let Some(first) = first {
        let attempt =
            if key.attempt > 1 { format!("; now at attempt {}", key.attempt) } else { String::new() };
        let since = words::short(scene.now_ms.saturating_sub(first.at_ms));
        say(canvas, "When", &format!("{}, {since} ago{attempt}", scene.clock(first.at_ms)), Tone::Plain);
        let cause = first.cause.to_string();
        if question.details.first() != Some(&cause) {
            say(canvas, "First", &format!("the first cause was: {cause}"), Tone::Fail);
        }
    }
    for detail in question.details.iter().skip(1).filter(|detail| !detail.starts_with("first cause: ")) {
        say(canvas, "Vendor", detail, Tone::Plain);
    }
    let health = words::health::health(state);
    let roles: Vec<String> = health.roles.iter().map(words::health::RoleHealth::text).collect();
    say(canvas, "Farm", &roles.join("; "), Tone::Plain);
    for once in &health.once {
        say(canvas, "Once", &once.text(), Tone::Plain);
    }
    let running = state.active_lanes().filter(|lane| lane.is_running()).count();
    let held = if running == 0 {
        "no new server is started; nothing runs".to_owned()
    } else {
        format!("no new server is started; {running} finish what they are at")
    };
    say(canvas, "Held", &held, Tone::Plain);
    let run = state.lane(&key.lane).and_then(|lane| scene.story.run_of_lane(lane));
    let room = usize::from(canvas.height().saturating_sub(y));
    if let Some(run) = run
        && room > 1
    {
        let tail = scene.printed.tail(&run, room - 1, 0);
        if !tail.lines.is_empty() {
            canvas.text(1, y, "It printed last (Esc, then Enter: everything)", Tone::Dim);
            for line in &tail.lines {
                y += 1;
                canvas.text(3, y, line, Tone::Plain);
            }
        }
    }
}

/// The failure as it was first seen, whatever was tried since.
fn first_of<'a>(scene: &Scene<'a>, key: &StepKey) -> Option<&'a FailureRecord> {
    scene.state.failures.iter().find(|failure| failure.key.lane == key.lane && failure.key.step == key.step)
}
