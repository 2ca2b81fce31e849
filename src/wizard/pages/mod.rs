//! The pages: one file each, with what it shows, its keys, and what they do.
//!
//! Every page has the same four functions: `bindings` is the table of its keys, `draw` its picture, `act` carries a
//! command out, and `why_not_next` says what is missing before the next page may be entered.

mod access;
mod bans;
mod components;
mod failure;
mod finish;
mod inputs;
mod list;
mod notices;
mod prechecks;
mod progress;
mod sheet;
mod summary;
mod verification;
mod welcome;

pub(super) use access::is_word;
pub(super) use bans::{asked_about, open as lift_ban, other as other_ban};
pub(super) use components::Registered;
pub(super) use inputs::{InputLine, candidates, input_prompt, read_input};
pub(super) use prechecks::{CheckTable, Places};
pub(super) use summary::{PlanTable, command_of};
pub(super) use welcome::Versions;

use super::face::{Face, Go};
use super::keys::{self, Binding, Command};
use super::paint::Canvas;
use super::scene::{Scene, Seat};
use super::view::{Dialog, Page};
use super::{dialogs, panes};
use crate::engine::{Phase, State};
use crate::profile;

/// The pages that this session has.
pub(super) fn all(scene: &Scene<'_>) -> Vec<Page> {
    Page::ALL.into_iter().filter(|page| applies(scene, *page)).collect()
}

fn applies(scene: &Scene<'_>, page: Page) -> bool {
    match page {
        Page::Licence | Page::Information | Page::Requirements | Page::Firewall => {
            !notices::shown(scene, page).is_empty()
        }
        Page::Further => further_from(scene.state).is_some(),
        _ => true,
    }
}

/// The first stage behind the last one that counts servers, where there is one.
fn further_from(state: &State) -> Option<usize> {
    let stages = &state.setup.profile.stages;
    let counted = stages.iter().rposition(|stage| stage.tally.is_some())?;
    let servers = &stages.get(counted)?.roles;
    // What only brings the counted servers back belongs to their upgrade.
    let next = stages
        .iter()
        .skip(counted + 1)
        .position(|stage| stage.roles.iter().any(|role| !servers.contains(role)))?;
    Some(counted + 1 + next)
}

/// Whether the stage in turn is about further components.
pub(super) fn is_further(state: &State) -> bool {
    further_from(state).is_some_and(|from| state.stage >= from)
}

/// Whether `page` is behind the session.
pub(super) fn is_behind(scene: &Scene<'_>, page: Page) -> bool {
    let state = scene.state;
    let now = Page::of(state);
    if now.is_preparing() {
        return page.is_preparing()
            && why_not(scene, page).is_none()
            && page != Page::Summary
            && (page < scene.view.page || was_seen(scene, page));
    }
    page < now
}

/// Whether something on the page was settled in the session, as far as that can be told.
fn was_seen(scene: &Scene<'_>, page: Page) -> bool {
    let state = scene.state;
    match page {
        Page::Components => state.surveyed,
        Page::Prechecks => state.checked,
        Page::Licence | Page::Requirements | Page::Information | Page::Firewall => {
            notices::shown(scene, page).iter().any(|notice| state.notices.contains(&notice.id))
        }
        _ => false,
    }
}

/// The notices that a page shows.
pub(super) fn notices_of(page: Page) -> Option<profile::Page> {
    Some(match page {
        Page::Licence => profile::Page::Licence,
        Page::Information => profile::Page::Information,
        Page::Requirements => profile::Page::Requirements,
        Page::Firewall => profile::Page::Firewall,
        Page::Finish => profile::Page::Finish,
        _ => return None,
    })
}

/// What stands above the page.
pub(super) fn title(scene: &Scene<'_>) -> String {
    match scene.view.page {
        Page::Prechecks => prechecks::title(scene),
        page => page.title().to_owned(),
    }
}

/// Why the page after `page` may not be entered yet.
pub(super) fn why_not(scene: &Scene<'_>, page: Page) -> Option<String> {
    match page {
        Page::Licence | Page::Information | Page::Requirements | Page::Firewall => {
            notices::why_not_next(scene, page)
        }
        Page::Inputs => inputs::why_not_next(scene),
        Page::Prechecks => prechecks::why_not_next(scene),
        _ => None,
    }
}

/// Every key that does something now, the page's own first.
pub(super) fn bindings(scene: &Scene<'_>) -> Vec<Binding> {
    if let Some(dialog) = &scene.view.dialog {
        return dialogs::bindings(dialog);
    }
    let mut table = vec![keys::HELP];
    if matches!(scene.seat, Seat::Reviewer) {
        table.extend(super::review::bindings(scene));
    }
    if scene.shows_access() {
        table.extend(access::bindings(scene));
        table.extend(take_pen(scene));
        table.push(keys::LEAVE);
        return keys::each_once(table);
    }
    if scene.knocks() {
        table.push(access::REOPEN);
    }
    if asks(scene) {
        table.extend(panes::question_bindings(scene));
    } else if scene.question().is_some() {
        let help = "back to the question that waits";
        table.push(Binding::new(
            [keys::key(crossterm::event::KeyCode::Esc), keys::letter('a')],
            Command::Aside,
            "To the question",
            help,
        ));
    }
    let mut own = match scene.view.page {
        Page::Welcome => welcome::bindings(scene),
        Page::Licence | Page::Information | Page::Requirements | Page::Firewall => notices::bindings(scene),
        Page::Components => components::bindings(scene),
        Page::Inputs => inputs::bindings(scene),
        Page::Prechecks => prechecks::bindings(scene),
        Page::Summary => summary::bindings(scene),
        Page::Progress | Page::Further => progress::bindings(scene),
        Page::Verification => verification::bindings(scene),
        Page::Finish => finish::bindings(scene),
    };
    if asks(scene) {
        // The last line is the question's; the page's keys stay in the help.
        for binding in &mut own {
            binding.label = "";
        }
    }
    table.extend(own);
    if scene.view.page != Page::Welcome {
        table.extend(bans::binding(scene, []));
    }
    table.extend(take_pen(scene));
    if scene.view.page.is_preparing() && scene.state.phase == Phase::Preparing {
        let first = all(scene).first() == Some(&scene.view.page);
        if !first {
            table.push(keys::BACK);
        }
        if scene.view.page != Page::Summary {
            let lacks = why_not(scene, scene.view.page);
            table.push(keys::NEXT.unless(lacks.map(|lacks| format!("needs: {lacks}"))));
        }
    }
    table.push(keys::LEAVE);
    // A question comes before the page, and the page before what every page has.
    keys::each_once(table)
}

fn take_pen(scene: &Scene<'_>) -> Option<Binding> {
    matches!(scene.seat, Seat::Operator { pen: false }).then(|| {
        Binding::new(
            [keys::letter('t')],
            Command::TakePen,
            "Take the pen",
            "act from here: the other viewer can then only look on",
        )
    })
}

/// Whether the question in turn has the keys.
pub(super) fn asks(scene: &Scene<'_>) -> bool {
    scene.question().is_some() && !scene.view.aside && !scene.shows_access()
}

pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    if scene.shows_access() {
        return access::draw(scene, canvas);
    }
    let (columns, rows) = (canvas.width(), canvas.height());
    let mut left = rows;
    if asks(scene)
        && let Some(question) = scene.question()
    {
        if scene.failure().is_some() && !scene.view.page.is_preparing() {
            return failure::draw(scene, canvas, question);
        }
        let most = rows.saturating_sub(rows / 3).max(3);
        let wanted = panes::question_rows(question, columns).min(most);
        left = rows - wanted;
        panes::question(scene, &mut canvas.part(0, left, columns, wanted), question);
    }
    let mut page = canvas.part(0, 0, columns, left);
    match scene.view.page {
        Page::Welcome => welcome::draw(scene, &mut page),
        Page::Licence | Page::Information | Page::Requirements | Page::Firewall => {
            notices::draw(scene, &mut page);
        }
        Page::Components => components::draw(scene, &mut page),
        Page::Inputs => inputs::draw(scene, &mut page),
        Page::Prechecks => prechecks::draw(scene, &mut page),
        Page::Summary => summary::draw(scene, &mut page),
        Page::Progress | Page::Further => progress::draw(scene, &mut page),
        Page::Verification => verification::draw(scene, &mut page),
        Page::Finish => finish::draw(scene, &mut page),
    }
}

/// Carries out what a key of the page means.
pub(super) fn act(face: &mut Face, command: Command) -> Go<()> {
    if face.scene().shows_access() {
        return access::act(face, command);
    }
    match face.view().page {
        Page::Welcome => {
            welcome::act(face, command);
            Ok(())
        }
        Page::Licence | Page::Information | Page::Requirements | Page::Firewall => {
            notices::act(face, command)
        }
        Page::Components => components::act(face, command),
        Page::Inputs => inputs::act(face, command),
        Page::Prechecks => prechecks::act(face, command),
        Page::Summary => summary::act(face, command),
        Page::Progress | Page::Further => progress::act(face, command),
        Page::Verification => {
            verification::act(face, command);
            Ok(())
        }
        Page::Finish => {
            finish::act(face, command);
            Ok(())
        }
    }
}

/// To the page after or before the one that is shown.
pub(super) fn turn(face: &mut Face, on: bool) -> Go<()> {
    let page = face.view().page;
    let pages = all(&face.scene());
    let Some(at) = pages.iter().position(|known| *known == page) else { return Ok(()) };
    let to = if on { at.checked_add(1) } else { at.checked_sub(1) };
    let Some(to) = to.and_then(|to| pages.get(to)).copied() else { return Ok(()) };
    if on && !to.is_preparing() {
        return Ok(());
    }
    enter(face, to)
}

/// Shows `page`, and has done what it shows the outcome of.
pub(super) fn enter(face: &mut Face, page: Page) -> Go<()> {
    // Where nothing is asked about, keys are meant for the page; Esc leads back to the question.
    let aside = page.is_preparing()
        && !matches!(page, Page::Components | Page::Prechecks)
        && !face.state().questions.is_empty();
    face.edit(|view| {
        view.page = page;
        view.aside = aside;
        view.note = None;
        view.dialog = None::<Dialog>;
    });
    match page {
        Page::Components => components::enter(face),
        Page::Prechecks => prechecks::enter(face),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
