//! The checks at the end: what holds, what does not, and what to do about it.

use crossterm::event::KeyCode;

use crate::engine::State;
use crate::model::Verdict;
use crate::wizard::face::Face;
use crate::wizard::keys::{self, Binding, Command, key, letter};
use crate::wizard::look::Tone;
use crate::wizard::paint::Canvas;
use crate::wizard::panes::{self, Row};
use crate::wizard::scene::Scene;
use crate::wizard::view::{Dialog, Sure};
use crate::words;
use crate::words::checks::{CheckRow, Counts};

/// Rows beyond which servers that pass are only counted.
const LONG: usize = 100;

pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let head = panes::progress_head(scene, canvas);
    let checks = words::checks::rows(scene.state, true);
    let title = format!("Checks at the end: {}", tally(&checks));
    let mut below = canvas.below(head);
    let mut inside = below.boxed(&title, false);
    panes::sheet(&mut inside, &rows(scene.state, &checks), scene.view.spot().scroll);
}

fn tally(checks: &[CheckRow]) -> String {
    let open = checks.iter().filter(|row| row.verdict.is_none()).count();
    let concluded: Vec<CheckRow> = checks.iter().filter(|row| row.verdict.is_some()).cloned().collect();
    let counts = Counts::of(&concluded);
    if open > 0 { format!("{counts}, {open} not checked yet") } else { counts.to_string() }
}

/// Check by check, what does not hold before what does; then what to do.
pub(super) fn rows(state: &State, checks: &[CheckRow]) -> Vec<Row> {
    let long = checks.len() > LONG;
    let mut rows = Vec::new();
    if checks.is_empty() {
        rows.push(Row::new("", "This profile has no checks for the end.", Tone::Dim));
    }
    let mut groups: Vec<&[CheckRow]> = checks.chunk_by(|a, b| a.check == b.check).collect();
    groups.sort_by_key(|group| {
        let concluded = |row: &&CheckRow| row.verdict.is_some();
        !group.iter().filter(concluded).any(CheckRow::is_problem)
    });
    for group in groups {
        let Some(first) = group.first() else { continue };
        Row::head(&mut rows, first.title.clone());
        let (pass, rest): (Vec<_>, Vec<_>) = group.iter().partition(|row| row.verdict == Some(Verdict::Pass));
        rows.extend(rest.into_iter().map(row));
        if long && !pass.is_empty() {
            rows.push(Row::new("  + ", format!("{} servers: pass", pass.len()), Tone::Ok));
        } else {
            rows.extend(pass.into_iter().map(row));
        }
    }
    let remedies = words::checks::remedies(state, &concluded(checks));
    for (index, remedy) in remedies.iter().enumerate() {
        if index == 0 {
            Row::head(&mut rows, "What to do");
        }
        rows.push(Row::new("  - ", remedy.text.clone(), Tone::Plain));
        if let Some(cite) = &remedy.cite {
            rows.push(Row::new("    ", format!("vendor: {cite}"), Tone::Dim));
        }
    }
    rows
}

/// Only of what was looked at it is known whether something is to be done.
fn concluded(checks: &[CheckRow]) -> Vec<CheckRow> {
    checks.iter().filter(|row| row.verdict.is_some()).cloned().collect()
}

/// One check on one server: sign, place, word, what was measured. Colour only repeats the sign.
fn row(check: &CheckRow) -> Row {
    let (mark, tone) = match (check.verdict, &check.waived) {
        (Some(Verdict::Pass), _) => ("  + ", Tone::Ok),
        (None, _) => ("  . ", Tone::Dim),
        (_, Some(_)) => ("  - ", Tone::Warn),
        (Some(Verdict::Unknown), None) => ("  ? ", Tone::Fail),
        (Some(Verdict::Fail), None) if check.blocks => ("  X ", Tone::Fail),
        (Some(Verdict::Fail), None) => ("  ! ", Tone::Warn),
    };
    let text = check.text();
    Row::new(mark, text.trim_end_matches([':', ' ']), tone)
}

pub(super) fn bindings(scene: &Scene<'_>) -> Vec<Binding> {
    let closed = scene.state.close().map(|_| "the session is closed".to_owned());
    let mut table = keys::MOVES.to_vec();
    table.push(Binding::new([key(KeyCode::PageDown)], Command::PageDown, "More", "a page down"));
    table.push(
        Binding::new(
            [letter('s')],
            Command::Stop,
            "Stop",
            "stop safely: the session ends and can be resumed, and then checks again",
        )
        .unless(scene.hands_off().or(closed)),
    );
    table
}

pub(super) fn act(face: &mut Face, command: Command) {
    if command == Command::Stop {
        face.open(Dialog::Sure { about: Sure::Stop, yes: false });
        return;
    }
    let state = face.state();
    let rows = rows(state, &words::checks::rows(state, true));
    let (columns, height) = face.view().size;
    let top = face.view().spot().scroll;
    // Borders; header, head, note and footer.
    let (columns, shown) = (columns.saturating_sub(2), height.saturating_sub(7));
    let to = panes::scrolled(command, &rows, top, columns, shown);
    face.edit(|view| view.spot_mut().scroll = to);
}
