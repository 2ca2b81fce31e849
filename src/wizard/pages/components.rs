//! What is found on the servers, against what the inventory says.

use std::collections::BTreeSet;

use crossterm::event::KeyCode;

use super::list::{self, counted};
use super::sheet::Sheet;
use crate::engine::{Intent, Phase, Purpose, Seen, State};
use crate::inventory::Server;
use crate::model::{ServerName, Value};
use crate::plan::Facts;
use crate::text::width::width;
use crate::wizard::face::{Face, Go};
use crate::wizard::keys::{self, Binding, Command, key, letter};
use crate::wizard::look::Tone;
use crate::wizard::paint::{Canvas, centred};
use crate::wizard::scene::Scene;
use crate::words::components::{self, ComponentRow, Found, RegisteredRow};

/// What the product has registered, against the inventory.
#[derive(Debug)]
pub(in crate::wizard) struct Registered {
    rows: Vec<RegisteredRow>,
    /// Servers of the inventory that the product does not know.
    missing: BTreeSet<ServerName>,
}

impl Registered {
    fn of(state: &State) -> Self {
        let rows = components::registered(state);
        let missing = rows.iter().flat_map(|row| row.missing.iter().cloned()).collect();
        Self { rows, missing }
    }

    /// `yes`, `NO`, `?`; empty where the product keeps no list of its role.
    fn word(&self, server: &Server) -> &'static str {
        let own: Vec<&RegisteredRow> =
            self.rows.iter().filter(|row| server.roles.contains(&row.role)).collect();
        if own.is_empty() {
            "-"
        } else if self.missing.contains(&server.name) {
            "NO"
        } else if own.iter().any(|row| !row.is_known) {
            "?"
        } else {
            "yes"
        }
    }
}

fn registered(scene: &Scene<'_>) -> std::sync::Arc<Registered> {
    let state = scene.state;
    let seen = Seen::new(state, None);
    let facts = state.setup.profile.roles.iter().filter_map(|role| role.registered.as_ref());
    let listed: Vec<Option<Value>> = facts.map(|fact| seen.fact(fact, None)).collect();
    scene.story.tables.registered.get(&listed, || Registered::of(state))
}

pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let state = scene.state;
    let servers = &state.setup.inventory.servers;
    let (columns, rows) = (canvas.width(), canvas.height());
    let registered = registered(scene);
    let mut y = 0;
    let (text, tone) = progress(state);
    canvas.text(0, y, &text, tone);
    y += 1;
    for row in &registered.rows {
        // The list of servers is worth more than what is said of it.
        let room = (rows / 3).saturating_sub(y);
        if room == 0 {
            break;
        }
        let mut part = canvas.part(0, y, columns, room);
        y += if row.agrees {
            let count = state.setup.count_of(&row.role);
            let text = format!("+ {}: {count} registered, as in the inventory", row.label);
            part.text(0, 0, &text, Tone::Ok);
            1
        } else {
            let (mark, tone) = if row.is_known { ("! ", Tone::Warn) } else { ("? ", Tone::Dim) };
            part.hanging(0, 0, mark, &format!("{}: {}", row.label, row.text), tone)
        };
    }
    let row = scene.view.spot().row.min(servers.len().saturating_sub(1));
    let detail = servers.get(row).map(|server| detail(state, server, &registered, columns));
    let left = rows.saturating_sub(y);
    let wanted = detail.as_ref().map_or(0, |sheet| u16::try_from(sheet.len()).unwrap_or(u16::MAX));
    let below = if left < 8 { 0 } else { wanted.min(left / 2) };
    let list = left.saturating_sub(below + u16::from(below > 0));
    server_rows(scene, &mut canvas.part(0, y, columns, list), &registered, row);
    if let (Some(sheet), true) = (detail, below > 0) {
        canvas.rule(y + list);
        sheet.draw(&mut canvas.part(0, y + list + 1, columns, below), 0);
    }
}

/// What is being looked at.
fn progress(state: &State) -> (String, Tone) {
    let under_way = state.measures.keys().filter(|purpose| matches!(purpose, Purpose::Survey(_))).count();
    match (state.surveyed, under_way) {
        (false, _) => ("Nothing was looked at yet; R looks.".to_owned(), Tone::Warn),
        (true, 0) => ("As found on the servers. Is this what the inventory says?".to_owned(), Tone::Plain),
        (true, count) => (format!("Looking ... {} to go", counted(count, "place", "places")), Tone::Running),
    }
}

/// The heading, then a row a server, as many as fit.
fn server_rows(scene: &Scene<'_>, canvas: &mut Canvas<'_>, registered: &Registered, row: usize) {
    let servers = &scene.state.setup.inventory.servers;
    let columns = canvas.width();
    let shown = usize::from(canvas.height().saturating_sub(1));
    let top = centred(row, shown, servers.len());
    let names = servers.iter().skip(top).take(shown).map(|server| width(server.name.as_str()));
    let name = u16::try_from(names.max().unwrap_or(0)).unwrap_or(u16::MAX).clamp(6, (columns / 3).max(6));
    // Name, version, how it is known, registered, roles.
    let at = [3, name + 4, name + 17, name + 26, name + 31];
    for (x, word) in at.into_iter().zip(["Server", "Version", "Known", "Reg.", "Roles"]) {
        canvas.text(x, 0, word, Tone::Dim);
    }
    let mut rows = canvas.below(1);
    for (y, (index, server)) in servers.iter().enumerate().skip(top).take(shown).enumerate() {
        let y = u16::try_from(y).unwrap_or(u16::MAX);
        let found = components::row(scene.state, server);
        let is_registered = registered.word(server);
        let (mark, tone) = mark(&found, is_registered);
        let selected = index == row;
        let tone = if selected { Tone::Selected } else { tone };
        let mut line = rows.part(0, y, columns.saturating_sub(1), 1);
        if selected {
            line.tint(0, Tone::Selected);
        }
        let (version, known) = match &found.version {
            None => ("none".to_owned(), String::new()),
            Some(Found::Is(value, known)) => (value.to_string(), known.to_string()),
            Some(Found::Unknown(_)) => ("not known".to_owned(), String::new()),
        };
        line.text(0, 0, &format!("{}{mark}", if selected { ">" } else { " " }), tone);
        let texts = [found.server.as_str(), &*version, &*known, is_registered, &*found.roles.join(", ")];
        for (index, text) in texts.into_iter().enumerate() {
            let until = at.get(index + 1).map_or(columns, |next| next - 1);
            line.cell(at[index], 0, until.saturating_sub(at[index]), text, tone);
        }
    }
    rows.scroll(top, servers.len());
}

/// Whether it is as the inventory says.
fn mark(found: &ComponentRow, registered: &str) -> (&'static str, Tone) {
    let is_absent =
        found.installed.iter().any(|(_, found)| matches!(found, Found::Is(Value::YesNo(false), _)));
    let is_unknown = matches!(found.version, Some(Found::Unknown(_)))
        || found.installed.iter().any(|(_, found)| matches!(found, Found::Unknown(_)));
    if is_absent || registered == "NO" {
        ("!", Tone::Warn)
    } else if is_unknown {
        ("?", Tone::Warn)
    } else {
        ("+", Tone::Plain)
    }
}

fn detail(state: &State, server: &Server, registered: &Registered, columns: u16) -> Sheet {
    let found = components::row(state, server);
    let mut sheet = Sheet::new(columns);
    let head = format!("{} ({}, {}, {})", found.server, found.address, found.os, found.reach);
    sheet.say(&head, Tone::Title);
    sheet.say(&format!("{}; {}", found.roles.join(", "), found.version_text()), Tone::Plain);
    for text in found.installed_texts() {
        sheet.say(&text, Tone::Plain);
    }
    if registered.missing.contains(&server.name) {
        sheet.say("It stands in the inventory, but the product has not registered it.", Tone::Warn);
    }
    if let Some(why) = state.lost.get(&server.name) {
        sheet.say(&format!("It cannot be reached: {why}"), Tone::Fail);
    }
    sheet
}

pub(super) fn bindings(scene: &Scene<'_>) -> Vec<Binding> {
    let mut table = keys::MOVES.to_vec();
    table.push(
        Binding::new(
            [letter('r'), key(KeyCode::F(5))],
            Command::Recheck,
            "Look again",
            "look at every server again; where the inventory is wrong, stop, mend it and begin anew",
        )
        .unless(list::why_fixed(scene)),
    );
    table
}

pub(super) fn act(face: &mut Face, command: Command) -> Go<()> {
    if command == Command::Recheck {
        return face.post(&Intent::Survey);
    }
    let total = face.state().setup.inventory.servers.len();
    list::select(face, command, total);
    Ok(())
}

/// Has the servers looked at, the first time.
pub(super) fn enter(face: &mut Face) -> Go<()> {
    let scene = face.scene();
    let wanted = scene.state.phase == Phase::Preparing && !scene.state.surveyed;
    if wanted && list::why_fixed(&scene).is_none() { face.post(&Intent::Survey) } else { Ok(()) }
}
