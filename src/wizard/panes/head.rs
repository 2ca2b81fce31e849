//! The lines at the top.

use crate::engine::{Close, Phase};
use crate::text::duration;
use crate::wizard::draw::{seat_word, step_of, waiting_words};
use crate::wizard::look::Tone;
use crate::wizard::paint::{Canvas, lines};
use crate::wizard::scene::Scene;
use crate::words;

/// What is upgraded, from which version to which; at the right the step or the time.
pub(in crate::wizard) fn header(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let setup = &scene.state.setup;
    canvas.tint(0, Tone::Header);
    let right = if scene.view.page.is_preparing() && scene.review.is_none() {
        let (at, of) = step_of(scene);
        format!("Step {at} of {of} ")
    } else {
        format!("{} ", scene.clock(scene.now_ms))
    };
    let mut end = canvas.right(0, &right, Tone::Header);
    let seat = seat_word(scene).map(|(word, _)| word);
    for word in seat.into_iter().chain(waiting_words(scene).map(str::to_owned)) {
        let columns = u16::try_from(word.len() + 2).unwrap_or(0);
        end = end.saturating_sub(columns);
        canvas.text(end, 0, &word, Tone::HeaderMark);
    }
    let target = scene.target().map(|version| format!(" -> {version}")).unwrap_or_default();
    let text = format!(" nofm  \"{}\"{target}  {}", setup.inventory.farm, setup.profile.product);
    canvas.cell(0, 0, end.saturating_sub(1), &text, Tone::Header);
}

/// `n of m servers updated`, a bar, the stage; below it what is not n, and what the state of the session is.
/// Gives the row behind.
pub(in crate::wizard) fn progress_head(scene: &Scene<'_>, canvas: &mut Canvas<'_>) -> u16 {
    let state = scene.state;
    let digest = scene.story.digest();
    let sentence = digest.sentence.as_deref().unwrap_or("nothing is counted in this stage");
    let mut x = canvas.text(1, 0, sentence, Tone::Title) + 2;
    if let Some(tally) = &digest.tally
        && canvas.width().saturating_sub(x) > 26
    {
        let columns = (canvas.width() - x - 24).min(40);
        let n = tally.updated + tally.told;
        canvas.bar(x, 0, columns, n, tally.of, Tone::Ok);
        x += columns + 1;
        let percent = (n * 100).checked_div(tally.of).unwrap_or(0);
        canvas.text(x, 0, &format!("{percent:>3}%"), Tone::Plain);
    }
    let since = state.stages.iter().filter(|stage| stage.entered).map(|stage| stage.entered_ms).min();
    let until = if state.close().is_some() { state.time.now_ms } else { scene.now_ms };
    if let Some(since) = since {
        let took = duration::short(std::time::Duration::from_millis(until.saturating_sub(since)));
        canvas.right(0, &format!("+{took} "), Tone::Dim);
    }
    let mut x = 1;
    let mut say = |canvas: &mut Canvas<'_>, text: &str, tone: Tone| {
        x = canvas.text(x, 1, text, tone) + 2;
    };
    match state.close() {
        Some(Close::Done) => say(canvas, "DONE", Tone::Ok),
        Some(Close::Failed { .. }) => say(canvas, "FAILED", Tone::Fail),
        Some(Close::Stopped { .. }) => say(canvas, "STOPPED, can be resumed", Tone::Warn),
        None if scene.deserted => say(canvas, "NO RUNNER: nofm resume goes on", Tone::Fail),
        None if state.halt.is_some() => say(canvas, "STOPPING", Tone::Warn),
        None if state.room_low.is_some() => say(canvas, "CONSOLE'S DISK FULL", Tone::Fail),
        None if state.paused => say(canvas, "PAUSED: C goes on", Tone::Warn),
        None if !digest.trouble.is_empty() => say(canvas, "HELD", Tone::Fail),
        None => {}
    }
    if let (Phase::Running, Some(stage)) = (state.phase, state.setup.profile.stages.get(state.stage)) {
        let stages = state.setup.profile.stages.len();
        say(canvas, &format!("Stage {} of {stages}: {}", state.stage + 1, stage.title), Tone::Plain);
    }
    if state.phase == Phase::Ending && state.close().is_none() {
        say(canvas, "Every stage is behind; now what must hold at the end is looked at", Tone::Plain);
    }
    let counts = [
        (digest.active.len(), "in turn", Tone::Running),
        (digest.trouble.len(), "failed", Tone::Fail),
        (digest.waiting.len(), "waiting", Tone::Plain),
        (digest.done.len(), "done", Tone::Ok),
        (state.left_out.len(), "left out", Tone::Warn),
        (state.lost.len(), "out of reach", Tone::Fail),
    ];
    for (count, word, tone) in counts.into_iter().filter(|(count, ..)| *count > 0) {
        say(canvas, &format!("{count} {word}"), tone);
    }
    let mut y = 2;
    let rows = if scene.view.size.1 < 24 { 1 } else { 2 };
    for banner in words::notices::banners(state) {
        let text = banner.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut mark = " ! ";
        for line in lines(&text, canvas.width().saturating_sub(4)).iter().take(rows) {
            canvas.tint(y, Tone::Banner);
            canvas.text(0, y, &format!("{mark}{line}"), Tone::Banner);
            mark = "   ";
            y += 1;
        }
    }
    y
}
