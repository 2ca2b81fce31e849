//! The tables of keys, of every page.

use std::sync::Arc;

use crossterm::event::KeyCode;

use super::*;
use crate::engine::{About, Answer, Ban, CheckState, Choice, Question, Request};
use crate::inventory::{Inventory, Reach, Server};
use crate::journal::SessionDir;
use crate::model::{Access, Known, Os, RoleId, Verdict, ViewerId};
use crate::plan::Setup;
use crate::profile::builtin;
use crate::wizard::keys::{Key, letter};
use crate::wizard::printed::Printed;
use crate::wizard::story::Story;
use crate::wizard::view::{Spot, View};

const SEATS: [Seat; 4] =
    [Seat::Operator { pen: true }, Seat::Operator { pen: false }, Seat::Watcher, Seat::Reviewer];

/// A farm with a Windows server, so that every page is there.
fn state() -> State {
    let profile = profile::parse("igel", builtin::find("igel_ums_ha").expect("it is built in"));
    let server = |(name, role, os): (&str, &str, Os)| Server {
        name: name.into(),
        address: format!("{name}.example"),
        roles: vec![RoleId::from(role)],
        os,
        reach: Reach::Ssh(Box::default()),
        stand_in: None,
        inputs: std::collections::BTreeMap::new(),
    };
    let servers =
        [("ums1", "server", Os::Linux), ("ums2", "server", Os::Windows), ("lb1", "balancer", Os::Linux)];
    let inventory = Inventory::new("keys", servers.map(server).to_vec());
    let profile = profile.unwrap_or_else(|wrong| panic!("{wrong}"));
    State::new(Arc::new(Setup::new("keys".into(), profile, inventory, 1.0)))
}

fn question() -> Question {
    let answer = |choice| Answer { choice, does: String::new(), refused: None, wants_text: false };
    Question {
        id: 5,
        about: About::EndCheck("clocks".into(), None),
        text: "What now?".to_owned(),
        details: Vec::new(),
        options: vec![answer(Choice::Retry), answer(Choice::Hold)],
    }
}

/// With outcomes of every kind, and two bans.
fn troubled() -> State {
    let mut state = state();
    let outcomes = [
        (Some(Verdict::Fail), None),
        (Some(Verdict::Unknown), None),
        (Some(Verdict::Fail), Some("a reason")),
        (Some(Verdict::Pass), None),
        (None, None),
    ];
    for (place, (verdict, waived)) in state.check_places(false).into_iter().zip(outcomes.iter().cycle()) {
        let (shown, waived) = ("1.9 GB free, 4.5 GB needed".to_owned(), waived.map(str::to_owned));
        let check = CheckState { verdict: *verdict, shown, known: Known::Seen, at_ms: 0, waived };
        state.checks.insert(place, check);
    }
    let ban = |lifted_by: Option<&str>| Ban {
        act: profile::Forbidden::NewSession,
        why: "The database is half renewed.".to_owned(),
        lifted_by: lifted_by.map(str::to_owned),
        failure: "schema".into(),
        origin: None,
    };
    state.bans = vec![ban(None), ban(Some("A restored backup."))];
    state.surveyed = true;
    state.checked = true;
    state
}

/// Servers wait for words of every kind, and a question stands.
fn knocked() -> State {
    let mut state = state();
    state.questions.insert(5, question());
    let key = |host: &str| Access::HostKey {
        host: host.to_owned(),
        kind: "ssh-ed25519".to_owned(),
        fingerprint: "SHA256:x".to_owned(),
    };
    for access in [key("ums1"), key("ums2"), Access::Sudo { user: "admin".to_owned(), only: None }] {
        let servers = std::iter::once("ums1".into()).collect();
        let request = Request { seq: 7, since_ms: 0, servers, complaint: "No.".to_owned() };
        state.access.insert(access, request);
    }
    state
}

/// Calls `look` with every page, from every seat, with and without a question, with it and looking round, with
/// servers that wait for a word and with that left for later.
fn everywhere(look: impl Fn(&Scene<'_>)) {
    let quiet = state();
    let mut asked = quiet.clone();
    asked.questions.insert(5, question());
    let troubled = troubled();
    let knocks = knocked();
    let printed = Printed::new(SessionDir::at("/nowhere/keys"));
    let (viewer, session) = (ViewerId::from("me"), ("keys".to_owned(), String::new()));
    for page in Page::ALL {
        for (state, aside, later) in [
            (&quiet, false, None),
            (&asked, false, None),
            (&asked, true, None),
            (&troubled, false, None),
            (&knocks, false, None),
            (&knocks, false, Some(u64::MAX)),
        ] {
            let story = Story::default();
            for (seat, pane) in SEATS.iter().flat_map(|seat| [(seat, 0), (seat, 1)]) {
                let mut view = View { page, aside, later, size: (80, 24), ..View::default() };
                // With a pane of its own, the last word that is waited for.
                view.knock = state.access.keys().nth(2 * pane).cloned();
                view.spots.insert(page, Spot { pane, ..Spot::default() });
                look(&Scene {
                    state,
                    story: &story,
                    view: &view,
                    printed: &printed,
                    seat,
                    viewer: &viewer,
                    now_ms: 0,
                    review: None,
                    zone: &jiff::tz::TimeZone::UTC,
                    session: &session,
                    busy: None,
                    terminal: None,
                    deserted: false,
                    typed: 0,
                });
            }
        }
    }
}

#[test]
fn every_page_is_there_where_windows_is() {
    everywhere(|scene| assert_eq!(all(scene), Page::ALL));
}

#[test]
fn no_key_is_bound_twice() {
    everywhere(|scene| {
        let table = bindings(scene);
        let keys: Vec<Key> = table.iter().flat_map(Binding::keys).collect();
        for (index, key) in keys.iter().enumerate() {
            assert!(
                !keys[..index].contains(key),
                "{} is bound twice on {:?} for {:?}: {table:#?}",
                key.name(),
                scene.view.page,
                scene.seat
            );
        }
    });
}

#[test]
fn every_key_can_be_typed_on_every_keyboard() {
    everywhere(|scene| {
        for binding in bindings(scene) {
            let keys: Vec<Key> = binding.keys().collect();
            let is_letter = |key: &Key| matches!(key.code, KeyCode::Char(_)) && !key.ctrl;
            let has_function = keys.iter().any(|key| matches!(key.code, KeyCode::F(_)));
            assert!(!has_function || keys.iter().any(is_letter), "a function key alone: {binding:?}");
            for awkward in "[]{}\\~@".chars() {
                assert!(
                    !keys.contains(&letter(awkward)),
                    "{awkward} cannot be typed everywhere: {binding:?}"
                );
            }
        }
    });
}

#[test]
fn a_page_is_drawn_at_every_size() {
    use crate::wizard::look::{Env, Theme, Wish};
    let env = Env::read(|name| (name == "TERM").then(|| "xterm".to_owned()));
    let theme = Theme::of(&env, &Wish { glyphs: None, colour: None });
    for size in [(1, 1), (2, 5), (40, 10), (41, 11), (60, 15), (80, 24), (200, 60)] {
        everywhere(|scene| {
            let area = ratatui::layout::Rect::new(0, 0, size.0, size.1);
            let mut buffer = ratatui::buffer::Buffer::empty(area);
            crate::wizard::draw::draw(scene, &mut buffer, &theme);
        });
    }
}
