//! What is to be upgraded, where, and what this wizard does about it; what an earlier session left behind.

use std::collections::{BTreeMap, BTreeSet};

use crossterm::event::KeyCode;

use super::bans;
use super::list::{self, counted};
use super::sheet::Sheet;
use crate::engine::State;
use crate::model::{Known, ServerName, Value};
use crate::wizard::face::Face;
use crate::wizard::keys::{Binding, Command, key};
use crate::wizard::look::Tone;
use crate::wizard::paint::Canvas;
use crate::wizard::scene::Scene;
use crate::words::components::{self, Found};

/// Columns of the words at the left.
const LABEL: u16 = 9;
/// Servers of a role that are named.
const NAMED: usize = 6;

/// Which versions were found, on how many servers each.
#[derive(Debug, Default)]
pub(in crate::wizard) struct Versions {
    found: BTreeMap<(String, Known), usize>,
    unknown: usize,
}

impl Versions {
    fn of(state: &State) -> Self {
        let mut versions = Self::default();
        for server in &state.setup.inventory.servers {
            match components::version(state, server) {
                Some(Found::Is(Value::Version(version), known)) => {
                    *versions.found.entry((version.to_string(), known)).or_default() += 1;
                }
                Some(_) => versions.unknown += 1,
                None => {}
            }
        }
        versions
    }

    fn text(&self) -> String {
        if self.found.is_empty() {
            return "not known yet: the page Components looks for it".to_owned();
        }
        let servers = |count: usize| counted(count, "server", "servers");
        let found = self.found.iter();
        let mut parts: Vec<String> = found
            .map(|((version, known), count)| format!("{version} on {} ({known})", servers(*count)))
            .collect();
        parts.extend((self.unknown > 0).then(|| format!("not known on {}", servers(self.unknown))));
        parts.join(", ")
    }
}

fn sheet(scene: &Scene<'_>, columns: u16) -> Sheet {
    let setup = &scene.state.setup;
    let mut sheet = Sheet::new(columns);
    sheet.say(&setup.profile.product, Tone::Title);
    sheet.blank();
    bans::rows(scene, &mut sheet);
    let row = |sheet: &mut Sheet, label: &str, text: &str, tone: Tone| {
        sheet.item(Some((label, Tone::Dim)), LABEL, text, tone);
    };
    let servers = counted(setup.inventory.servers.len(), "server", "servers");
    row(&mut sheet, "Farm", &format!("{}, {servers}", setup.inventory.farm), Tone::Plain);
    for role in &setup.profile.roles {
        let of_role: Vec<&ServerName> =
            setup.inventory.of_role(&role.id).take(NAMED).map(|server| &server.name).collect();
        let count = setup.count_of(&role.id);
        if count > 0 {
            let names: Vec<&str> = of_role.into_iter().map(ServerName::as_str).collect();
            let more = if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };
            row(&mut sheet, "", &format!("{count} {}: {}{more}", role.label, names.join(", ")), Tone::Plain);
        }
    }
    let versions = scene.story.tables.versions.get(&scene.story.news, || Versions::of(scene.state));
    row(&mut sheet, "From", &versions.text(), Tone::Plain);
    let target = scene.target().unwrap_or_else(|| "not known yet: the page Inputs asks for it".to_owned());
    row(&mut sheet, "To", &target, Tone::Plain);
    if let Some(cite) = &setup.profile.cite {
        row(&mut sheet, "Follows", &format!("the vendor's document \"{cite}\""), Tone::Plain);
    }
    sheet.blank();
    let (word, means, tone) = real_or_not(scene.state);
    sheet.item(Some((word, tone)), 11, &means, Tone::Plain);
    sheet.blank();
    sheet.say(
        "Until you type the word begin on the page Summary, servers are only looked at, but for what you have mended \
         on the page Prechecks. Each page can be left and entered again.",
        Tone::Plain,
    );
    sheet.say("N goes on, B goes back, Q leaves, ? shows every key.", Tone::Plain);
    sheet
}

/// Whether this is about servers that people work with.
fn real_or_not(state: &State) -> (&'static str, String, Tone) {
    let servers = &state.setup.inventory.servers;
    let all: BTreeSet<bool> = servers.iter().map(|server| server.root().is_some()).collect();
    let stand_ins = servers.iter().filter(|server| server.root().is_some()).count();
    if !all.contains(&false) {
        let text = "Every server is a stand-in, in a folder on this machine. No other machine is touched: try \
                    everything, mistakes too.";
        ("REHEARSAL", text.to_owned(), Tone::Ok)
    } else if stand_ins == 0 {
        let text = "These are the servers of the inventory themselves. What the plan says is done to them, and some of \
                    it cannot be undone. nofm lab rehearses the same on stand-ins.";
        ("REAL", text.to_owned(), Tone::Warn)
    } else {
        let text = format!(
            "{stand_ins} of {} servers are stand-ins on this machine. The others are REAL: what the plan says is done \
             to them.",
            servers.len()
        );
        ("MIXED", text, Tone::Warn)
    }
}

pub(super) fn bindings(scene: &Scene<'_>) -> Vec<Binding> {
    let mut table = list::scrolls();
    if scene.state.bans.len() > 1 {
        let help = "the next thing that is forbidden";
        table.push(Binding::new([key(KeyCode::Tab)], Command::OtherPane, "Next ban", help));
    }
    table.extend(bans::binding(scene, [key(KeyCode::Enter)]));
    table
}

pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    sheet(scene, canvas.width().saturating_sub(1)).draw_scrolled(canvas, scene.view.spot().top);
}

pub(super) fn act(face: &mut Face, command: Command) {
    let (lines, rows) = {
        let scene = face.scene();
        let (columns, rows) = list::room(&scene);
        (sheet(&scene, columns.saturating_sub(1)).len(), rows)
    };
    match command {
        Command::OtherPane => bans::next(face),
        command => {
            list::scroll(face, command, lines, rows);
        }
    }
}
