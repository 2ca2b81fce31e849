//! The prechecks: a live matrix of checks and servers, the selected one in detail, and what may be done about it.
//!
//! A check is selected by its place in the profile and not by its row, so that the selection stays with it while
//! outcomes come in and the rows are put in order anew.

mod draw;
mod table;

use crossterm::event::KeyCode;

use super::list;
use crate::engine::{Intent, Phase, ScriptRef};
use crate::wizard::face::{Face, Go};
use crate::wizard::keys::{self, Binding, Command, key, letter};
use crate::wizard::scene::Scene;
use crate::wizard::view::{Dialog, Spot, Sure, Typing, Wanted};

pub(super) use draw::draw;
use table::{At, CheckLine, Sign, table};
pub(in crate::wizard) use table::{CheckTable, Places};

/// What stands above the page: the counts.
pub(super) fn title(scene: &Scene<'_>) -> String {
    let table = table(scene);
    let counts = [
        (table.count(&[Sign::Blocks, Sign::Unclear]), "block"),
        (table.count(&[Sign::Warns, Sign::Vague]), "warn"),
        (table.count(&[Sign::Waived]), "waived"),
        (table.count(&[Sign::Open]), "to come"),
        (table.count(&[Sign::Passes]), "ready"),
    ];
    let parts: Vec<String> = counts
        .into_iter()
        .filter(|(count, word)| *count > 0 || matches!(*word, "block" | "warn" | "ready"))
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    format!("Prechecks: {}", parts.join(", "))
}

pub(super) fn why_not_next(scene: &Scene<'_>) -> Option<String> {
    let table = table(scene);
    let blocks = table.count(&[Sign::Blocks, Sign::Unclear]);
    if blocks > 0 {
        return Some(format!("0 blockers, there {} {blocks}", if blocks == 1 { "is" } else { "are" }));
    }
    (table.count(&[Sign::Open]) > 0).then(|| "every check carried out".to_owned())
}

/// The check that is selected: the operator's, or the worst.
fn selected<'t>(scene: &Scene<'_>, table: &'t CheckTable) -> Option<&'t CheckLine> {
    let spot = scene.view.spot();
    let own = || table.lines.iter().find(|line| line.order == spot.row);
    if spot.still { own() } else { None }.or_else(|| table.lines.first())
}

/// The place of it that is selected: the operator's column, or the first where something is to be done.
fn selected_at(scene: &Scene<'_>, table: &CheckTable, line: &CheckLine) -> At {
    let column = scene.view.spot().column.checked_sub(1);
    let own = column.and_then(|column| table.columns.get(column)).filter(|at| line.places.contains(at));
    own.or_else(|| line.problems.first().or_else(|| line.places.first())).cloned().flatten()
}

/// The places of a check, those first where something is to be done.
fn in_order<'t>(scene: &Scene<'_>, line: &'t CheckLine) -> Vec<&'t At> {
    let rest =
        line.places.iter().filter(|at| !Sign::of(scene.state, &line.check, at, line.blocks).is_problem());
    line.problems.iter().chain(rest).collect()
}

/// Whether the detail has the whole page.
fn is_whole(scene: &Scene<'_>) -> bool {
    scene.view.spot().pane == 1
}

pub(super) fn bindings(scene: &Scene<'_>) -> Vec<Binding> {
    let checks = table(scene);
    let fixed = list::why_fixed(scene);
    let line = selected(scene, &checks);
    let none = || "there is no check".to_owned();
    let (fix, waive) = match line {
        Some(line) => {
            let at = selected_at(scene, &checks, line);
            let sign = Sign::of(scene.state, &line.check, &at, line.blocks);
            (why_not_fix(scene, line, sign), why_not_waive(line, sign))
        }
        None => (Some(none()), Some(none())),
    };
    let whole = is_whole(scene);
    let mut table = vec![
        Binding::new(
            [letter('r'), key(KeyCode::F(5))],
            Command::Recheck,
            "Recheck",
            "check the selected one again",
        )
        .unless(fixed.clone().or_else(|| line.is_none().then(none))),
        Binding::new([letter('a')], Command::RecheckAll, "All", "check everything again")
            .unless(fixed.clone()),
        Binding::new(
            [letter('f')],
            Command::Fix,
            "Fix",
            "have it mended by the vendor's steps, then check again",
        )
        .unless(fixed.clone().or(fix)),
        Binding::new([letter('w')], Command::Waive, "Waive", "waive the selected warning, with a reason")
            .unless(fixed.or(waive)),
        Binding::new(
            [key(KeyCode::Enter), letter('o')],
            Command::Open,
            if whole { "Matrix" } else { "Detail" },
            "between the matrix and everything about the selected check",
        ),
        Binding::new([key(KeyCode::Right), letter('l')], Command::Right, "Server", "the next server"),
        Binding::new([key(KeyCode::Left), letter('h')], Command::Left, "", "the server before"),
    ];
    if whole {
        table.push(Binding::new([key(KeyCode::Esc)], Command::Close, "", "back to the matrix"));
    }
    table.extend(keys::MOVES);
    table
}

fn why_not_fix(scene: &Scene<'_>, line: &CheckLine, sign: Sign) -> Option<String> {
    let is_own = |lane: &&crate::engine::LaneState| matches!(&lane.key.script, ScriptRef::Fix(of) if *of == line.check);
    let mut sides = scene.state.sides.iter().filter(is_own);
    if !line.has_fix {
        Some("the vendor names no steps for this; do what the remedy says, then R".to_owned())
    } else if !sign.is_problem() {
        Some("there is nothing to be mended here".to_owned())
    } else if sides.any(|lane| !lane.phase.is_closed()) {
        Some("it is being mended".to_owned())
    } else {
        None
    }
}

fn why_not_waive(line: &CheckLine, sign: Sign) -> Option<String> {
    match sign {
        Sign::Warns | Sign::Vague => None,
        _ if line.blocks && sign.is_problem() => Some("a blocker is never passed".to_owned()),
        _ => Some("there is nothing to be waived here".to_owned()),
    }
}

pub(super) fn act(face: &mut Face, command: Command) -> Go<()> {
    let (checks, line_at) = {
        let scene = face.scene();
        let checks = table(&scene);
        let line = selected(&scene, &checks);
        let at = line.map(|line| (line.check.clone(), selected_at(&scene, &checks, line)));
        (checks, at)
    };
    if command == Command::RecheckAll {
        return face.post(&Intent::Check { check: None, server: None });
    }
    let Some((check, server)) = line_at else { return Ok(()) };
    match command {
        Command::Recheck => return face.post(&Intent::Check { check: Some(check), server: None }),
        Command::Fix => face.open(Dialog::Sure { about: Sure::Fix { check, server }, yes: false }),
        Command::Waive => {
            let wanted = Wanted::Waive { check, server };
            face.open(Dialog::Type { wanted, typing: Typing::default() });
        }
        Command::Open | Command::Close => face.edit(|view| {
            let spot = view.spot_mut();
            spot.pane = usize::from(command == Command::Open && spot.pane == 0);
        }),
        Command::Left => to_server(face, &checks, Command::Up),
        Command::Right => to_server(face, &checks, Command::Down),
        command if is_whole(&face.scene()) => to_server(face, &checks, command),
        command => to_check(face, &checks, command),
    }
    Ok(())
}

fn to_check(face: &mut Face, checks: &CheckTable, command: Command) {
    let scene = face.scene();
    let own = selected(&scene, checks).map(|line| line.order);
    let at = checks.lines.iter().position(|line| Some(line.order) == own).unwrap_or(0);
    let page = usize::from(list::room(&scene).1 / 3).max(1);
    let to = keys::moved(command, at, checks.lines.len(), page);
    if let Some(line) = checks.lines.get(to).filter(|_| to != at || command == Command::First) {
        face.edit(|view| {
            let spot = view.spot_mut();
            (spot.row, spot.still) = (line.order, true);
        });
    }
}

/// To another place of the selected check: as the columns stand, or as the list below has them.
fn to_server(face: &mut Face, checks: &CheckTable, command: Command) {
    let scene = face.scene();
    let Some(line) = selected(&scene, checks) else { return };
    let has_columns = draw::has_columns(checks, list::room(&scene).0) && !is_whole(&scene);
    let places: Vec<&At> = if has_columns { line.places.iter().collect() } else { in_order(&scene, line) };
    let own = selected_at(&scene, checks, line);
    let at = places.iter().position(|at| **at == own).unwrap_or(0);
    let page = usize::from(list::room(&scene).1 / 2).max(1);
    let to = keys::moved(command, at, places.len(), page);
    let Some(column) = places.get(to).and_then(|to| checks.columns.iter().position(|at| at == *to)) else {
        return;
    };
    let order = line.order;
    face.edit(|view| {
        let spot = view.spot_mut();
        (spot.row, spot.still, spot.column) = (order, true, column + 1);
    });
}

/// Has everything checked, the first time and where answers changed since.
pub(super) fn enter(face: &mut Face) -> Go<()> {
    // The worst is seen first.
    face.edit(|view| *view.spot_mut() = Spot::default());
    let scene = face.scene();
    if scene.state.phase != Phase::Preparing || list::why_fixed(&scene).is_some() {
        return Ok(());
    }
    let is_open = table(&scene).count(&[Sign::Open]) > 0;
    if !scene.state.checked || is_open && !scene.state.measures.has_check() {
        face.post(&Intent::Check { check: None, server: None })?;
    }
    Ok(())
}
