//! What will be done, what is still missing for it, and the word that begins it.

mod draw;
mod table;

use crossterm::event::KeyCode;

use super::list::{self, counted};
use crate::engine::{Lack, State};
use crate::profile;
use crate::wizard::face::{Face, Go};
use crate::wizard::keys::{self, Binding, Command, key, letter};
use crate::wizard::scene::Scene;
use crate::wizard::view::{Dialog, Page, Typing, Wanted};
use crate::words::summary;

pub(super) use draw::draw;
pub(in crate::wizard) use table::PlanTable;
use table::{PlanLine, Row, Summary, lacks};

/// The page where what is lacking is settled.
fn page_of(state: &State, lack: &Lack) -> Page {
    match lack {
        Lack::Input { .. } | Lack::Unsure(_) | Lack::Plan { .. } => Page::Inputs,
        Lack::Notice(notice) => match state.setup.profile.notice(notice).map(|notice| notice.page) {
            Some(profile::Page::Licence) => Page::Licence,
            Some(profile::Page::Requirements) => Page::Requirements,
            Some(profile::Page::Firewall) => Page::Firewall,
            _ => Page::Information,
        },
        Lack::Unchecked | Lack::Blocked { .. } | Lack::Warned { .. } => Page::Prechecks,
        Lack::Banned(_) => Page::Welcome,
    }
}

/// Why it cannot begin.
fn why_not_begin(scene: &Scene<'_>) -> Option<String> {
    let state = scene.state;
    if let Some(why) = list::why_fixed(scene) {
        return Some(why);
    }
    let lacks = lacks(scene);
    if let Some((_, first)) = lacks.first() {
        let others = lacks.len() - 1;
        let more =
            if others > 0 { format!(" (and {})", counted(others, "other", "others")) } else { String::new() };
        return Some(format!("{first}{more}"));
    }
    let mends = state.sides.iter().any(|lane| !lane.phase.is_closed());
    mends.then(|| "something is still being mended".to_owned())
}

fn selected(scene: &Scene<'_>, summary: &Summary) -> usize {
    scene.view.spot().row.min(summary.len().saturating_sub(1))
}

pub(super) fn bindings(scene: &Scene<'_>) -> Vec<Binding> {
    let summary = Summary::of(scene, list::room(scene).0);
    let (label, why_not) = match summary.row(selected(scene, &summary)) {
        Some(Row::Lack(_)) => ("Go there", None),
        Some(Row::Plan(PlanLine::Step(_))) => ("Command", None),
        _ => ("Command", Some("no step is selected".to_owned())),
    };
    let mut table = vec![
        Binding::new(
            [letter('g'), key(KeyCode::F(10))],
            Command::Begin,
            "BEGIN",
            "begin the upgrade: asks for a word first",
        )
        .unless(why_not_begin(scene)),
        Binding::new(
            [key(KeyCode::Enter), letter('o')],
            Command::Open,
            label,
            "the command of the selected step, or the page where what is missing is settled",
        )
        .unless(why_not),
    ];
    // G begins here.
    table.extend(keys::MOVES);
    table
}

pub(super) fn act(face: &mut Face, command: Command) -> Go<()> {
    let scene = face.scene();
    let summary = Summary::of(&scene, list::room(&scene).0);
    let row = selected(&scene, &summary);
    match command {
        Command::Begin => {
            if let Some(plan) = summary.plan.hash.clone() {
                face.open(Dialog::Type { wanted: Wanted::Begin { plan }, typing: Typing::default() });
            }
        }
        Command::Open => match summary.row(row) {
            Some(Row::Lack((lack, _))) => {
                let page = page_of(scene.state, lack);
                return super::enter(face, page);
            }
            Some(Row::Plan(PlanLine::Step(row))) => face.open(Dialog::Command { row, top: 0 }),
            _ => {}
        },
        command => {
            list::select(face, command, summary.len());
        }
    }
    Ok(())
}

/// Title and text of the command of a step, by its number counted from 0.
pub(in crate::wizard) fn command_of(scene: &Scene<'_>, row: usize) -> Option<(String, String)> {
    let state = scene.state;
    let summary = Summary::of(scene, list::room(scene).0);
    let step = summary.plan.step(row)?;
    let place = crate::words::place(step.server.as_ref());
    let title = format!("Step {} on {place}: {}", step.number, step.title);
    let mut text = summary::command(&state.setup, &state.answers, step).unwrap_or_default();
    text = text.trim().to_owned();
    for note in step.notes() {
        text = format!("{text}\n\n[{note}]");
    }
    Some((title, text))
}
