//! What the vendor forbids, wherever a page shows it, and the key that lifts it.

use super::sheet::Sheet;
use crate::engine::Ban;
use crate::wizard::face::Face;
use crate::wizard::keys::{Binding, Command, Key, letter};
use crate::wizard::look::Tone;
use crate::wizard::scene::Scene;
use crate::wizard::view::{Dialog, Page, Typing, Wanted};
use crate::words;

const LABEL: &str = "Lift the ban";
const HELP: &str = "say what shows that something is lifted that the vendor forbids";

/// What stands first on the page Welcome.
pub(super) fn rows(scene: &Scene<'_>, sheet: &mut Sheet) {
    let selected = selected(scene);
    for (index, row) in words::bans::rows(scene.state).enumerate() {
        let mark = if index == selected && scene.state.bans.len() > 1 { ">!" } else { " !" };
        sheet.item(Some((mark, Tone::Fail)), 3, &row.text, Tone::Fail);
        let press = if row.why_not.is_none() { " Press U, and say what shows that this is so." } else { "" };
        sheet.item(None, 3, &format!("{}.{press}", row.way_out.trim_end_matches('.')), Tone::Plain);
        sheet.blank();
    }
}

/// Of several on the page Welcome.
fn selected(scene: &Scene<'_>) -> usize {
    scene.view.spot().row.min(scene.state.bans.len().saturating_sub(1))
}

/// The ban that the key is about: the selected one, or the first that can be lifted.
fn in_turn<'a>(scene: &Scene<'a>) -> Option<&'a Ban> {
    let first = || words::bans::liftable(scene.state).next().or(scene.state.bans.first());
    if scene.view.page == Page::Welcome { scene.state.bans.get(selected(scene)) } else { first() }
}

/// The key, where something is forbidden.
pub(super) fn binding<const N: usize>(scene: &Scene<'_>, more: [Key; N]) -> Option<Binding> {
    let ban = in_turn(scene)?;
    let closed = scene.state.close().map(|_| "the session is closed".to_owned());
    let stays = words::bans::why_not_lifted(ban).map(str::to_owned);
    let why_not = scene.hands_off().or(closed).or(stays);
    let binding = match more.first() {
        Some(more) => Binding::new([letter('u'), *more], Command::LiftBan, LABEL, HELP),
        None => Binding::new([letter('u')], Command::LiftBan, LABEL, HELP),
    };
    Some(binding.unless(why_not))
}

/// The next of several on the page Welcome.
pub(super) fn next(face: &mut Face) {
    let (selected, count) = (selected(&face.scene()), face.state().bans.len());
    face.edit(|view| view.spot_mut().row = (selected + 1) % count.max(1));
}

/// Asks what shows that the ban is lifted.
pub(in crate::wizard) fn open(face: &mut Face) {
    let Some(ban) = in_turn(&face.scene()).cloned() else { return };
    let wanted = Wanted::Evidence { act: ban.act, why: ban.why };
    face.open(Dialog::Type { wanted, typing: Typing::default() });
}

/// The ban that is asked about.
pub(in crate::wizard) fn asked_about<'a>(scene: &Scene<'a>, wanted: &Wanted) -> Option<&'a Ban> {
    let Wanted::Evidence { act, why } = wanted else { return None };
    scene.state.bans.iter().find(|ban| ban.act == *act && ban.why == *why)
}

/// The one before or after it, of those that can be lifted.
pub(in crate::wizard) fn other(scene: &Scene<'_>, wanted: &Wanted, on: bool) -> Option<Wanted> {
    let open: Vec<&Ban> = words::bans::liftable(scene.state).collect();
    let now = asked_about(scene, wanted)?;
    let at = open.iter().position(|ban| ban.is_like(now))?;
    let to = if on { at + 1 } else { at + open.len() - 1 };
    let ban = open.get(to % open.len())?;
    Some(Wanted::Evidence { act: ban.act, why: ban.why.clone() })
}
