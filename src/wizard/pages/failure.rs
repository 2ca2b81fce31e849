//! What failed, what that means, what is allowed now, and what is not, and why.

use crate::engine::{About, FailureRecord, Question, StepKey};
use crate::wizard::look::Tone;
use crate::wizard::paint::{Canvas, lines};
use crate::wizard::panes;
use crate::wizard::scene::Scene;
use crate::words;

/// Where the facts stand beside their words.
const BESIDE: u16 = 9;
/// Lines that are shown of what it printed last.
const TAIL: usize = 8;

pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>, question: &Question) {
    let columns = canvas.width();
    let head = panes::progress_head(scene, canvas);
    let rows = canvas.height().saturating_sub(head);
    let About::Failure(key) = &question.about else { return };
    // The choices and the line of help.
    let choices = u16::try_from(question.options.len()).unwrap_or(u16::MAX).saturating_add(1);
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

/// A word, what stands beside it, and how it looks.
type Fact = (&'static str, String, Tone);

fn what(scene: &Scene<'_>, canvas: &mut Canvas<'_>, key: &StepKey, question: &Question) {
    let columns = canvas.width().saturating_sub(BESIDE + 2);
    let mut rows: Vec<Fact> = Vec::new();
    for (word, text, tone) in facts(scene, key, question) {
        for (index, line) in lines(&text, columns).into_iter().enumerate() {
            rows.push((if index == 0 { word } else { "" }, line, tone));
        }
    }
    if let Some(run) = run_of(scene, key) {
        let tail = scene.printed.tail(&run, TAIL, 0);
        let printed = tail.lines.into_iter().enumerate();
        rows.extend(printed.map(|(index, line)| (if index == 0 { "Output" } else { "" }, line, Tone::Dim)));
    }
    let shown = usize::from(canvas.height());
    let top = scene.view.spot().scroll.min(rows.len().saturating_sub(shown));
    for (y, (word, text, tone)) in rows.iter().skip(top).take(shown).enumerate() {
        let y = u16::try_from(y).unwrap_or(u16::MAX);
        canvas.text(1, y, word, Tone::Dim);
        canvas.text(BESIDE, y, text, *tone);
    }
    canvas.scroll(top, rows.len());
}

/// What matters most first: the page may be too small for all of it, and scrolls.
fn facts(scene: &Scene<'_>, key: &StepKey, question: &Question) -> Vec<Fact> {
    let state = scene.state;
    let mut facts: Vec<Fact> = Vec::new();
    let cause = question.details.first().cloned().unwrap_or_default();
    facts.push(("What", cause.clone(), Tone::Fail));
    let last = run_of(scene, key).and_then(|run| scene.printed.tail(&run, 1, 0).lines.pop());
    facts.extend(last.map(|line| ("Said", line, Tone::Plain)));
    for row in words::bans::beside(state, question) {
        let press = if row.why_not.is_none() { " (U)" } else { "" };
        facts.push(("Barred", row.text, Tone::Fail));
        facts.push(("", format!("{}{press}", row.way_out), Tone::Plain));
    }
    if let Some(first) = first_of(scene, key) {
        let attempt =
            if key.attempt > 1 { format!("; now at attempt {}", key.attempt) } else { String::new() };
        let since = words::short(scene.now_ms.saturating_sub(first.at_ms));
        let when = format!("{}, {since} ago{attempt}", scene.clock(first.at_ms));
        facts.push(("When", when, Tone::Plain));
        let first = first.cause.to_string();
        if first != cause {
            facts.push(("First", format!("the first cause was: {first}"), Tone::Fail));
        }
    }
    let health = words::health::health(state);
    let roles: Vec<String> = health.roles.iter().map(words::health::RoleHealth::text).collect();
    facts.push(("Farm", roles.join("; "), Tone::Plain));
    facts.extend(health.once.iter().map(|once| ("Once", once.text(), Tone::Plain)));
    let running = state.active_lanes().filter(|lane| lane.is_running()).count();
    let held = if running == 0 {
        "no new server is started; nothing runs".to_owned()
    } else {
        format!("no new server is started; {running} finish what they are at")
    };
    facts.push(("Held", held, Tone::Plain));
    let further =
        words::bans::details(question).skip(1).filter(|detail| !detail.starts_with("first cause: "));
    facts.extend(further.map(|detail| ("Vendor", detail.clone(), Tone::Plain)));
    facts
}

/// The run of the step that failed; a wait, or what is done by hand, has none.
fn run_of(scene: &Scene<'_>, key: &StepKey) -> Option<String> {
    let lane = scene.state.lane(&key.lane).filter(|lane| scene.state.step_key(lane) == *key)?;
    Some(lane.targets.last()?.run.clone())
}

/// The failure as it was first seen, whatever was tried since.
fn first_of<'a>(scene: &Scene<'a>, key: &StepKey) -> Option<&'a FailureRecord> {
    scene.state.failures.iter().find(|failure| failure.key.lane == key.lane && failure.key.step == key.step)
}
