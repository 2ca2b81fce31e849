//! Licence, information, requirements and firewall: what the vendor wants read, and some of it confirmed.

use crossterm::event::KeyCode;

use super::list::{self, counted};
use super::sheet::Sheet;
use crate::engine::Intent;
use crate::profile::Notice;
use crate::wizard::face::{Face, Go};
use crate::wizard::keys::{Binding, Command, key, letter};
use crate::wizard::look::Tone;
use crate::wizard::paint::{Canvas, centred};
use crate::wizard::scene::Scene;
use crate::wizard::view::Page;
use crate::words;

/// The notices of the page that apply here.
pub(super) fn shown<'a>(scene: &Scene<'a>, page: Page) -> Vec<&'a Notice> {
    let state = scene.state;
    let Some(page) = super::notices_of(page) else { return Vec::new() };
    let ids = scene
        .story
        .tables
        .notices
        .get(&scene.story.news, || state.notices_shown().map(|notice| notice.id.clone()).collect());
    let found = ids.iter().filter_map(|id| state.setup.profile.notice(id));
    found.filter(|notice| notice.page == page).collect()
}

/// Those of them that are confirmed, each with its number on the page.
fn to_confirm<'a>(scene: &Scene<'a>, page: Page) -> Vec<(usize, &'a Notice)> {
    let numbered = (1..).zip(shown(scene, page));
    numbered.filter(|(_, notice)| notice.confirm).collect()
}

pub(super) fn why_not_next(scene: &Scene<'_>, page: Page) -> Option<String> {
    let all = to_confirm(scene, page);
    let open = all.iter().filter(|(_, notice)| !scene.state.notices.contains(&notice.id)).count();
    match open {
        0 => None,
        1 if all.len() == 1 => Some("your confirmation".to_owned()),
        open => Some(counted(open, "more confirmation", "confirmations")),
    }
}

fn sheet(scene: &Scene<'_>, columns: u16) -> Sheet {
    let notices = shown(scene, scene.view.page);
    let mut sheet = Sheet::new(columns);
    for (number, notice) in (1..).zip(&notices) {
        if number > 1 {
            sheet.blank();
        }
        if notices.len() > 1 {
            sheet.say(&format!("{number} of {}", notices.len()), Tone::Title);
        }
        sheet.say(&words::notices::text(scene.state, notice), Tone::Plain);
        sheet.cite(0, notice.cite.as_deref());
    }
    sheet
}

/// Rows for the text, and rows for what is confirmed below it, of `rows`.
fn split(scene: &Scene<'_>, rows: u16) -> (u16, u16) {
    let confirms = to_confirm(scene, scene.view.page).len();
    // The rule, the confirmations, what confirming means.
    let below = u16::try_from(confirms).unwrap_or(u16::MAX).saturating_add(2).min(rows / 2);
    (rows - below, below)
}

pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let (columns, rows) = (canvas.width(), canvas.height());
    let (above, below) = split(scene, rows);
    let sheet = sheet(scene, columns.saturating_sub(1));
    let top = sheet.clamped(scene.view.spot().top, above);
    sheet.draw_scrolled(&mut canvas.part(0, 0, columns, above), top);
    canvas.rule(above);
    if sheet.len() > usize::from(above) {
        let last = (top + usize::from(above)).min(sheet.len());
        let place = format!(" lines {} to {last} of {}, PgDn reads on ", top + 1, sheet.len());
        canvas.part(0, above, columns, 1).right(0, &place, Tone::Dim);
    }
    confirmations(scene, &mut canvas.part(0, above + 1, columns, below.saturating_sub(1)));
}

/// `( ) I confirm`, a row for each.
fn confirmations(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let state = scene.state;
    let all = to_confirm(scene, scene.view.page);
    if all.is_empty() {
        canvas.text(0, 0, "To be read; nothing is to be confirmed here.", Tone::Dim);
        return;
    }
    let row = scene.view.spot().row.min(all.len() - 1);
    let rows = usize::from(canvas.height());
    // What confirming means gives way where there is no room for all.
    let fit = if rows > all.len() { rows - 1 } else { rows };
    let top = centred(row, fit, all.len());
    let mut y = 0;
    for (index, (number, notice)) in all.iter().enumerate().skip(top).take(fit) {
        let is_confirmed = state.notices.contains(&notice.id);
        let mark = if is_confirmed { "(*)" } else { "( )" };
        let selected = if index == row { ">" } else { " " };
        let what = if shown(scene, scene.view.page).len() > 1 {
            let text = words::notices::text(state, notice);
            format!(" {number}: {}", text.lines().next().unwrap_or_default())
        } else {
            String::new()
        };
        let word = if is_confirmed { "confirmed" } else { "I confirm" };
        let tone = match (index == row, is_confirmed) {
            (true, _) => Tone::Selected,
            (false, true) => Tone::Ok,
            (false, false) => Tone::Plain,
        };
        canvas.text(0, y, &format!("{selected}{mark} {word}{what}"), tone);
        y += 1;
    }
    let hint = "Space confirms it, with your name and the time.";
    canvas.text(0, y, hint, Tone::Dim);
}

pub(super) fn bindings(scene: &Scene<'_>) -> Vec<Binding> {
    let all = to_confirm(scene, scene.view.page);
    if all.is_empty() {
        return list::scrolls();
    }
    let row = scene.view.spot().row.min(all.len() - 1);
    let is_confirmed = all.get(row).is_some_and(|(_, notice)| scene.state.notices.contains(&notice.id));
    let why_not =
        list::why_fixed(scene).or_else(|| is_confirmed.then(|| "it is confirmed, and stays so".to_owned()));
    let mut table = vec![
        Binding::new(
            [letter(' '), key(KeyCode::Enter)],
            Command::Toggle,
            "Confirm",
            "confirm what is selected, for good",
        )
        .unless(why_not),
    ];
    table.extend(list::scrolls());
    if all.len() > 1 {
        let help = "to the next thing that is to be confirmed";
        table.push(Binding::new([key(KeyCode::Tab)], Command::OtherPane, "Other", help));
    }
    table
}

pub(super) fn act(face: &mut Face, command: Command) -> Go<()> {
    let (lines, above, all) = {
        let scene = face.scene();
        let (columns, rows) = list::room(&scene);
        let all: Vec<_> =
            to_confirm(&scene, scene.view.page).iter().map(|(_, notice)| notice.id.clone()).collect();
        (sheet(&scene, columns.saturating_sub(1)).len(), split(&scene, rows).0, all)
    };
    let row = face.view().spot().row.min(all.len().saturating_sub(1));
    match command {
        Command::Toggle => {
            let Some(notice) = all.get(row).cloned() else { return Ok(()) };
            face.post(&Intent::ConfirmNotice { notice })?;
            // On to the next one that is open.
            let open = |at: &usize| !face.state().notices.contains(&all[*at]);
            let next = (row + 1..all.len()).chain(0..row).find(open).unwrap_or(row);
            face.edit(|view| view.spot_mut().row = next);
        }
        Command::OtherPane => face.edit(|view| view.spot_mut().row = (row + 1) % all.len().max(1)),
        command => {
            list::scroll(face, command, lines, above);
        }
    }
    Ok(())
}
