//! How it ended: what became of whom, what failed on the way, what is left to do, and where it is all kept.

use crossterm::event::KeyCode;

use super::verification;
use crate::engine::{Close, State};
use crate::wizard::face::Face;
use crate::wizard::keys::{self, Binding, Command, key};
use crate::wizard::look::Tone;
use crate::wizard::paint::Canvas;
use crate::wizard::panes::{self, Row};
use crate::wizard::scene::Scene;
use crate::words::finish::{self, End};
use crate::words::lane::Status;
use crate::words::{self, checks, notices, tally};

pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let (title, _) = heading(scene.state);
    let mut inside = canvas.boxed(title, true);
    panes::sheet(&mut inside, &rows(scene.state, scene.session), scene.view.spot().scroll);
}

fn heading(state: &State) -> (&'static str, Option<String>) {
    let end = state.close().map(|close| End::Closed(close.clone()));
    match end.as_ref().and_then(End::heading) {
        Some((title, why)) => (title, why.map(str::to_owned)),
        None => ("Not ended: the session is under way", None),
    }
}

fn rows(state: &State, (id, folder): &(String, String)) -> Vec<Row> {
    let mut rows = Vec::new();
    let (tone, mark) = match state.close() {
        Some(Close::Done) => (Tone::Ok, "+ "),
        Some(Close::Failed { .. }) => (Tone::Fail, "X "),
        Some(Close::Stopped { .. }) | None => (Tone::Warn, "! "),
    };
    if state.plan.is_none() {
        rows.push(Row::new("", "Nothing was begun: no server was upgraded.", Tone::Title));
    } else if let Some(text) = tally::full(state) {
        rows.push(Row::new(mark, text, tone));
    }
    if let Some(why) = heading(state).1 {
        rows.push(Row::new(mark, why, tone));
    }
    if matches!(state.close(), Some(Close::Stopped { .. })) {
        rows.push(Row::new("> ", format!("nofm resume {id} goes on with it"), Tone::Title));
    }
    to_do(state, &mut rows);
    if state.plan.is_some() {
        upgrade(state, &mut rows);
    }
    told(state, &mut rows);
    Row::head(&mut rows, "The session");
    rows.push(Row::new("  ", format!("is kept in {folder}"), Tone::Plain));
    rows.push(Row::new("  ", format!("nofm review {id} shows every moment of it again"), Tone::Plain));
    rows
}

fn to_do(state: &State, rows: &mut Vec<Row>) {
    for (index, text) in state.to_do.iter().enumerate() {
        if index == 0 {
            Row::head(rows, "Left to do");
        }
        rows.push(Row::new(&format!("{:>3}. ", index + 1), text.clone(), Tone::Warn));
    }
}

/// Server by server, then what failed, then the checks.
fn upgrade(state: &State, rows: &mut Vec<Row>) {
    Row::head(rows, "Servers");
    for server in finish::servers(state) {
        let (mark, tone) = match server.status {
            None => ("  . ", Tone::Dim),
            Some(Status::Done) => ("  + ", Tone::Ok),
            Some(Status::LeftOut) => ("  - ", Tone::Warn),
            Some(Status::Failed | Status::Recovering) => ("  X ", Tone::Fail),
            Some(Status::Unknown) => ("  ? ", Tone::Fail),
            Some(_) => ("  ! ", Tone::Warn),
        };
        rows.push(Row::new(mark, server.text, tone));
    }
    if let Some(text) = finish::not_begun(state) {
        rows.push(Row::new("  . ", text, Tone::Dim));
    }
    for (index, text) in finish::failures(state).into_iter().enumerate() {
        if index == 0 {
            Row::head(rows, "What failed on the way, as it was first seen");
        }
        rows.push(Row::new("  X ", text, Tone::Fail));
    }
    if finish::has_end_checks(state) {
        let all = checks::rows(state, true);
        let counts = checks::Counts::of(&all);
        let problems: Vec<_> = all.into_iter().filter(checks::CheckRow::is_problem).collect();
        Row::head(rows, format!("Checks at the end: {counts}"));
        rows.extend(verification::rows(state, &problems).into_iter().filter(|_| !problems.is_empty()));
    }
}

/// What was waived, and what the vendor wants read at the end.
fn told(state: &State, rows: &mut Vec<Row>) {
    for (index, text) in finish::waived(state).into_iter().enumerate() {
        if index == 0 {
            Row::head(rows, "Waived");
        }
        rows.push(Row::new("  - ", text, Tone::Warn));
    }
    if state.plan.is_none() || !matches!(state.close(), Some(Close::Done | Close::Failed { .. })) {
        return;
    }
    for (index, id) in notices::of_page(state, crate::profile::Page::Finish).iter().enumerate() {
        let Some(notice) = state.setup.profile.notice(id) else { continue };
        if index == 0 {
            Row::head(rows, "From the vendor");
        }
        for line in words::notices::text(state, notice).lines() {
            rows.push(Row::new("  ", line, Tone::Plain));
        }
    }
}

pub(super) fn bindings(_scene: &Scene<'_>) -> Vec<Binding> {
    let mut table = keys::MOVES.to_vec();
    table.push(Binding::new([key(KeyCode::PageDown)], Command::PageDown, "More", "a page down"));
    table.push(Binding::new([key(KeyCode::Enter)], Command::Leave, "Leave", "leave; everything is kept"));
    table
}

pub(super) fn act(face: &mut Face, command: Command) {
    let rows = {
        let scene = face.scene();
        rows(scene.state, scene.session)
    };
    let (columns, height) = face.view().size;
    let top = face.view().spot().scroll;
    // Borders; header, note and footer.
    let (columns, shown) = (columns.saturating_sub(2), height.saturating_sub(5));
    let to = panes::scrolled(command, &rows, top, columns, shown);
    face.edit(|view| view.spot_mut().scroll = to);
}
