//! What the pages before the start have in common: a selected row, a text that is scrolled, and when nothing may be
//! changed any more.

use crate::engine::Phase;
use crate::wizard::draw;
use crate::wizard::face::Face;
use crate::wizard::keys::{self, Binding, Command};
use crate::wizard::scene::Scene;

/// Why nothing can be changed on this page. `None`: it can.
pub(super) fn why_fixed(scene: &Scene<'_>) -> Option<String> {
    if scene.state.close().is_some() {
        return Some("the session is closed".to_owned());
    }
    let begun = scene.state.phase != Phase::Preparing;
    scene.hands_off().or_else(|| begun.then(|| "the upgrade has begun".to_owned()))
}

/// Columns and rows of the page.
pub(super) fn room(scene: &Scene<'_>) -> (u16, u16) {
    draw::room(scene.view.size)
}

/// Through a text that has no selected row.
pub(super) fn scrolls() -> Vec<Binding> {
    let mut table = keys::MOVES.to_vec();
    for binding in &mut table {
        if binding.command == Command::PageDown {
            binding.label = "Read on";
        }
    }
    table
}

/// Moves the selected row, of `total`, where `command` is a move. False: it is none.
pub(super) fn select(face: &mut Face, command: Command, total: usize) -> bool {
    if !is_move(command) {
        return false;
    }
    let page = usize::from(room(&face.scene()).1 / 2).max(1);
    let row = face.view().spot().row.min(total.saturating_sub(1));
    let to = keys::moved(command, row, total, page);
    face.edit(|view| view.spot_mut().row = to);
    true
}

/// Scrolls a text of `lines`, of which `rows` are seen. False: `command` is no move.
pub(super) fn scroll(face: &mut Face, command: Command, lines: usize, rows: u16) -> bool {
    if !is_move(command) {
        return false;
    }
    let tops = lines.saturating_sub(usize::from(rows)) + 1;
    let top = face.view().spot().top.min(tops - 1);
    let to = keys::moved(command, top, tops, usize::from(rows.saturating_sub(1)).max(1));
    face.edit(|view| view.spot_mut().top = to);
    true
}

fn is_move(command: Command) -> bool {
    keys::MOVES.iter().any(|binding| binding.command == command)
}

/// `one thing`, or `N things`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}
