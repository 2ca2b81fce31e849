//! What holds of every cell of every page, whatever the size of the terminal and whatever stands in what is shown.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::rc::Rc;

use crossterm::event::KeyCode;
use nofm::engine::{Intent, StepKey};
use nofm::model::ViewerId;
use nofm::profile::builtin;
use nofm::wizard::look::{Colours, Glyphs, Theme};
use nofm::wizard::{Face, Page};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Color;
use serde_json::json;

use super::recorded::{Recorded, igel, usual};
use super::{LARGE, USUAL, access, frame, frame_in, live, pictures, press, review, rows};
use crate::rows::farm::WHOLE;
use crate::rows::rehearsal::Scene;
use crate::sim::world::Fault;

/// What every font of a Linux console has.
const GLYPHS: &str = "─│┌┐└┘├┤┬┴┼═║╔╗╚╝╠╣╦╩╬■█░▒▲▼←↑→↓•·°±≥≤";
/// Letters that servers and people of these tests write.
const FOREIGN: &str = "äöü漢字é";

/// Escape sequences, control bytes, direction marks, what nobody sees, what is too long and what is too wide.
const HOSTILE: &str = "ä漢字 \u{1b}[2J\u{1b}]0;title\u{7}\u{1b}[31mred\u{1b}[0m\r\u{8}\u{0}\u{7f}\u{85}\u{9b}5n \
                       \u{202e}backwards\u{2066}\u{200b}e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}\u{301} \
                       tab\there\u{feff} end";

fn hostile_output(_: &StepKey) -> Vec<u8> {
    let mut bytes = HOSTILE.as_bytes().to_vec();
    bytes.extend_from_slice(b"\n\xff\xfe\x80 no text\n\x1bP+q544e\x1b\\ \x1b[6n\x0e\x0f\n");
    bytes.extend_from_slice("漢".repeat(3000).as_bytes());
    bytes.push(b'\n');
    bytes.extend_from_slice(HOSTILE.as_bytes());
    bytes
}

/// A failure where everything that somebody else wrote is hostile.
fn hostile() -> Recorded {
    let viewer = ViewerId::from(HOSTILE);
    let mut toml = String::new();
    for c in HOSTILE.chars() {
        let _ = write!(toml, "\\u{:04X}", u32::from(c));
    }
    let text = builtin::find("igel_ums_ha").expect("a built-in profile");
    let written = text.replace("\"Updating UMS Servers\"", &format!("\"{toml}\""));
    assert_ne!(written, text, "the profile has a stage of this title");
    let profile = nofm::profile::parse("igel-ums-ha.toml", &written).expect("a title may hold anything");
    let mut scene = Scene::of(&profile, WHOLE);
    scene.world.fault("install", Some("ums1"), Fault::Fails(3));
    scene.world.effects.get_mut("install").expect("it is known").output = HOSTILE.into();
    let mut rehearsal = scene.begun().expect("it begins");
    rehearsal.session.viewer = viewer.clone();
    rehearsal.intent(&Intent::TakePen { by_force: true }).expect("the pen is free");
    rehearsal.until_failed().expect("it fails");
    rehearsal.session.look(&viewer, json!({ "page": "progress", "note": HOSTILE, "size": [80, 24] }));
    let count = rehearsal.session.journal.len();
    Recorded::with(&written, &rehearsal, count, hostile_output)
}

/// Everything is answered, checked and confirmed.
pub fn ready() -> Recorded {
    let profile = igel();
    let mut rehearsal = Scene::of(&profile, WHOLE).checked().expect("it is checked");
    for notice in rehearsal.session.state.open_notices() {
        rehearsal.intent(&Intent::ConfirmNotice { notice }).expect("it is confirmed");
    }
    Recorded::whole(&rehearsal)
}

/// What is read before the start is hostile, and not what is wanted.
fn spoilt() -> Recorded {
    let profile = igel();
    let mut scene = Scene::of(&profile, WHOLE);
    scene.world.set("registered_servers", None, &format!("ums1\nums2\n{HOSTILE}"));
    for fact in ["component_version", "service_status", "mode", "pending_jobs"] {
        scene.world.set(fact, Some("ums1"), HOSTILE);
    }
    scene.world.down.insert("ums2".into());
    let mut rehearsal = scene.open().expect("it opens");
    rehearsal.intent(&Intent::Survey).expect("it is wanted");
    rehearsal.intent(&Intent::Check { check: None, server: None }).expect("it is wanted");
    rehearsal.pursue();
    for notice in rehearsal.session.state.open_notices() {
        rehearsal.intent(&Intent::ConfirmNotice { notice }).expect("it is confirmed");
    }
    Recorded::whole(&rehearsal)
}

/// Nothing was begun yet.
fn preparing() -> Recorded {
    let profile = igel();
    Recorded::whole(&Scene::of(&profile, WHOLE).checked().expect("it is checked"))
}

/// Every session, and what is pressed on it: each of these is a screen of its own.
fn screens() -> Vec<(String, Face, Rc<Recorded>)> {
    type Named = (&'static str, fn() -> Recorded);
    let sessions: [Named; 8] = [
        ("preparing", preparing),
        ("under way", pictures::under_way),
        ("asked", pictures::asked),
        ("failed", pictures::failed),
        ("hostile", hostile),
        ("ending", pictures::ending),
        ("done", pictures::done),
        ("servers wait", access::many),
    ];
    let keys: [&[KeyCode]; 12] = [
        &[],
        &[KeyCode::Char('?')],
        &[KeyCode::Char('a')],
        &[KeyCode::Char('a'), KeyCode::Enter],
        &[KeyCode::Char('a'), KeyCode::Enter, KeyCode::Char('/'), KeyCode::Char('l')],
        &[KeyCode::Enter],
        &[KeyCode::Char('a'), KeyCode::Char('o')],
        &[KeyCode::Char('a'), KeyCode::Char('s')],
        &[KeyCode::Char('a'), KeyCode::Char('f'), KeyCode::Char('f')],
        &[KeyCode::Char('q')],
        &[KeyCode::Char('i')],
        &[KeyCode::PageDown, KeyCode::Char('2')],
    ];
    let mut screens = Vec::new();
    for (name, session) in sessions {
        let recorded = Rc::new(session());
        for keys in keys {
            let mut face = live(&recorded);
            frame(&mut face, USUAL);
            for key in keys {
                press(&mut face, *key);
            }
            screens.push((format!("{name} {keys:?}"), face, recorded.clone()));
        }
        for keys in
            [&[][..], &[KeyCode::Char('e')], &[KeyCode::Char('e'), KeyCode::Tab], &[KeyCode::Char('?')]]
        {
            let mut face = review(&recorded);
            for key in keys {
                press(&mut face, *key);
            }
            screens.push((format!("review of {name} {keys:?}"), face, recorded.clone()));
        }
    }
    screens.extend(before_the_start());
    screens
}

/// Every page before the start, as it is and after some of its keys.
fn before_the_start() -> Vec<(String, Face, Rc<Recorded>)> {
    let keys: [&[KeyCode]; 7] = [
        &[],
        &[KeyCode::Char('?')],
        &[KeyCode::Enter],
        &[KeyCode::Down, KeyCode::Down, KeyCode::Enter],
        &[KeyCode::Right, KeyCode::Char('w'), KeyCode::Char('ä')],
        &[KeyCode::End, KeyCode::Char('f')],
        &[KeyCode::PageDown, KeyCode::Char(' ')],
    ];
    let mut screens = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, recorded) in [("ready", Rc::new(ready())), ("spoilt", Rc::new(spoilt()))] {
        for pages in 0..Page::ALL.len() {
            for keys in keys {
                let mut face = live(&recorded);
                frame(&mut face, USUAL);
                for _ in 0..pages {
                    press(&mut face, KeyCode::Char('n'));
                }
                let page = face.view().page;
                for key in keys {
                    press(&mut face, *key);
                }
                if seen.insert((name, page, format!("{keys:?}"))) {
                    screens.push((format!("{name}, page {page:?} {keys:?}"), face, recorded.clone()));
                }
            }
        }
    }
    let reached = |wanted| seen.iter().any(|(_, page, _)| *page == wanted);
    for page in Page::ALL.into_iter().filter(|page| page.is_preparing()) {
        assert!(reached(page), "no way leads to {page:?}");
    }
    screens
}

fn sizes() -> Vec<(u16, u16)> {
    let mut sizes = vec![(500, 200), (1, 200), (500, 1), (200, 60), (100, 11), (72, 24), (71, 24)];
    sizes.extend([USUAL, LARGE]);
    for columns in [1, 2, 3, 5, 8, 13, 21, 34, 39, 40, 41, 55, 61] {
        for rows in [1, 2, 3, 4, 7, 9, 10, 11, 15, 25] {
            sizes.push((columns, rows));
        }
    }
    sizes
}

fn wrong_cells(buffer: &Buffer) -> Vec<String> {
    let mut wrong = Vec::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        for x in buffer.area.left()..buffer.area.right() {
            let symbol = buffer[(x, y)].symbol();
            // Marks on a letter are what somebody wrote.
            let is_mark = |c: char| ('\u{300}'..='\u{36f}').contains(&c);
            let known =
                |c: char| matches!(c, ' '..='~') || GLYPHS.contains(c) || FOREIGN.contains(c) || is_mark(c);
            if !symbol.chars().all(known) {
                wrong.push(format!("{x},{y}: {symbol:?}"));
            }
        }
    }
    wrong.truncate(5);
    wrong
}

#[test]
fn every_page_is_drawn_at_every_size_in_glyphs_that_every_console_has() {
    let mut wrong = Vec::new();
    for (name, mut face, _recorded) in screens() {
        for size in sizes() {
            let cells = wrong_cells(&frame(&mut face, size));
            if !cells.is_empty() {
                wrong.push(format!("{name} at {size:?}: {}", cells.join("; ")));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_told_by_colour_alone() {
    let keys = [KeyCode::Down, KeyCode::Char('2'), KeyCode::Tab, KeyCode::Char('f'), KeyCode::Char(' ')];
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (name, mut face, _recorded) in screens() {
        for key in keys {
            let before = frame(&mut face, USUAL);
            press(&mut face, key);
            let after = frame(&mut face, USUAL);
            if before != after {
                compared += 1;
                if rows(&before) == rows(&after) {
                    wrong.push(format!("{name}: {key:?} changes colours and no text"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 50, "only {compared} changes were compared");
}

#[test]
fn a_terminal_without_colours_or_without_glyphs_tells_the_same() {
    let mono = Theme::new(Colours::None, Glyphs::Unicode);
    let ascii = Theme::new(Colours::Eight, Glyphs::Ascii);
    for (name, mut face, _recorded) in screens() {
        let coloured = frame(&mut face, USUAL);
        let plain = frame_in(&mut face, USUAL, &mono);
        assert_eq!(rows(&coloured), rows(&plain), "{name}");
        let coloured_cell = |cell: &Cell| cell.fg != Color::Reset || cell.bg != Color::Reset;
        assert!(!plain.content.iter().any(coloured_cell), "{name} has colours where there are none");
        let shown = rows(&frame_in(&mut face, USUAL, &ascii));
        assert!(shown.iter().all(|row| row.is_ascii()), "{name}: {}", shown.join("\n"));
    }
}

#[test]
fn servers_in_different_states_differ_in_text() {
    let recorded = pictures::failed();
    let text = rows(&frame(&mut live_aside(&recorded), USUAL));
    let row = |server: &str| {
        let row = text.iter().find(|row| row.starts_with('│') && row.contains(server)).expect("its row");
        row.chars().take(33).collect::<String>().replace(server, "").replace('>', " ")
    };
    let (done, failed, waiting) = (row("ums2"), row("ums1"), row("ums3"));
    assert!(done.contains('+') && done.contains("done"), "{done}");
    assert!(failed.contains('X') && failed.contains("FAILED"), "{failed}");
    assert!(waiting.contains('·') && !waiting.contains("done"), "{waiting}");
}

fn live_aside(recorded: &Recorded) -> Face {
    let mut face = live(recorded);
    press(&mut face, KeyCode::Char('a'));
    face
}

#[test]
fn what_a_hostile_server_prints_is_shown_as_what_it_is() {
    let recorded = hostile();
    let mut face = live_aside(&recorded);
    press(&mut face, KeyCode::Enter);
    let text = rows(&frame(&mut face, LARGE)).join("\n");
    for shown in ["^[P+q544e^[", "\\xff\\xfe", "\\u{202e}backwards", "\\u{9b}5n"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    // The usual output is there too, so that this is no empty page.
    assert_ne!(hostile_output(&some_key(&recorded)), usual(&some_key(&recorded)));
}

fn some_key(recorded: &Recorded) -> StepKey {
    let face = live(recorded);
    face.state().failures.first().expect("it failed").key.clone()
}
