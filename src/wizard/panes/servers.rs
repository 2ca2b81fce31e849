//! The servers of the stage in turn. Only the rows that are seen are built.

use super::output::{mark, tone};
use crate::engine::{LaneState, StageState};
use crate::wizard::look::Tone;
use crate::wizard::paint::Canvas;
use crate::wizard::scene::Scene;
use crate::wizard::view::Filter;
use crate::words;

/// How many lanes the filter lets through.
pub(in crate::wizard) fn lanes_shown(scene: &Scene<'_>) -> usize {
    match list(scene) {
        Some(list) => list.len(),
        None => stage(scene).map_or(0, |stage| stage.lanes.len()),
    }
}

/// The lane in row `row` of what the filter lets through.
pub(in crate::wizard) fn lane_at<'a>(scene: &Scene<'a>, row: usize) -> Option<&'a LaneState> {
    let index = match list(scene) {
        Some(list) => *list.get(row)?,
        None => row,
    };
    stage(scene)?.lanes.get(index)
}

fn stage<'a>(scene: &Scene<'a>) -> Option<&'a StageState> {
    let state = scene.state;
    state.stages.get(state.stage).or_else(|| state.stages.last())
}

fn list<'a>(scene: &Scene<'a>) -> Option<&'a [usize]> {
    let digest = scene.story.digest();
    match scene.view.filter {
        Filter::All => None,
        Filter::Active => Some(&digest.active),
        Filter::Trouble => Some(&digest.trouble),
        Filter::Waiting => Some(&digest.waiting),
        Filter::Done => Some(&digest.done),
    }
}

/// One row a server: sign, name, what it does, how long.
pub(in crate::wizard) fn server_rows(scene: &Scene<'_>, canvas: &mut Canvas<'_>, row: usize, top: usize) {
    let rows = usize::from(canvas.height());
    let total = lanes_shown(scene);
    if total == 0 {
        canvas.text(0, 0, "no server here", Tone::Dim);
        return;
    }
    let wide = if total > rows { canvas.width().saturating_sub(1) } else { canvas.width() };
    for (y, index) in (top..total.min(top + rows)).enumerate() {
        let Some(lane) = lane_at(scene, index) else { continue };
        let y = u16::try_from(y).unwrap_or(u16::MAX);
        let told = words::lane::row(scene.state, lane, scene.now_ms);
        let selected = index == row;
        let shade = if selected { Tone::Selected } else { tone(&told) };
        let mut line = canvas.part(0, y, wide, 1);
        if selected {
            line.tint(0, Tone::Selected);
        }
        let word = told.status.word();
        let took = told.elapsed_ms.map(words::short).unwrap_or_default();
        let end = format!("{word:>8} {took:>7}");
        let from = line.right(0, &end, shade);
        line.cell(
            0,
            0,
            from.saturating_sub(1),
            &format!(
                "{}{} {}",
                if selected { ">" } else { " " },
                mark(&told),
                words::place(lane.key.server.as_ref())
            ),
            shade,
        );
    }
    canvas.scroll(top, total);
}
