//! What servers wait for that only a person can say, on the screen: seen, answered, left for later, and never kept.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use insta::assert_snapshot;
use jiff::tz::TimeZone;
use nofm::client::{Follower, Mode};
use nofm::engine::Event;
use nofm::model::{Access, ViewerId};
use nofm::wizard::Face;
use nofm::wizard::look::{Colours, Glyphs, Theme};

use super::cells::ready;
use super::recorded::Recorded;
use super::stand_in::StandIn;
use super::{USUAL, frame, frame_in, live, operator, pictures, press, review, rows, text};
use crate::rows::farm::WHOLE;
use crate::rows::rehearsal::Scene;

const SECRET: &str = "Gr\u{e4}fin\"7 zzyzx";
/// A key that is pressed later than this was pressed by somebody who could read what it answers.
const READ: Duration = Duration::from_millis(450);

pub fn key(host: &str, kind: &str) -> Access {
    let print =
        "SHA256:uNiVztksCsDhcc0u9e8BrrdfIZ3aLtEhq9DMW5Pb0gM".replace("uNiV", &format!("{host:_<4.4}"));
    Access::HostKey { host: host.into(), kind: kind.into(), fingerprint: print }
}

pub fn sudo() -> Access {
    Access::Sudo { user: "admin".into(), only: None }
}

/// A session under way in which servers wait for `asked`.
fn asked(asked: &[(Access, &[&str], &str)]) -> Recorded {
    let profile = super::recorded::igel();
    let mut rehearsal = Scene::of(&profile, WHOLE).begun().expect("it begins");
    let is = |event: &Event| match event {
        Event::StepIntended { key, .. } => key.step == "update.install",
        _ => false,
    };
    rehearsal.until(is).expect("it is installed");
    for (access, servers, complaint) in asked {
        let servers = servers.iter().map(|server| (*server).into()).collect();
        let (access, complaint) = (access.clone(), (*complaint).to_owned());
        rehearsal.session.happens(Event::AccessAsked { access, servers, complaint });
    }
    Recorded::whole(&rehearsal)
}

/// Servers wait for words of every kind.
pub fn many() -> Recorded {
    asked(&[
        (key("ums1.example.org", "ssh-ed25519"), &["ums1"], ""),
        (key("[10.0.0.2]:2222", "ecdsa-sha2-nistp256"), &["ums2", "ums3"], ""),
        (sudo(), &["lb1", "lb2", "ums4"], "The server did not take the last one."),
    ])
}

fn picture(recorded: &Recorded, keys: &[KeyCode], size: (u16, u16), theme: &Theme) -> String {
    let mut face = live(recorded);
    frame(&mut face, size);
    let now_ms = face.state().time.now_ms;
    face.hold(Some(now_ms + 12_000));
    for code in keys {
        press(&mut face, *code);
    }
    recorded.neutral(&text(&frame_in(&mut face, size, theme)))
}

#[test]
fn the_page_and_the_field() {
    let usual = Theme::new(Colours::Sixteen, Glyphs::Unicode);
    let bare = Theme::new(Colours::None, Glyphs::Ascii);
    let many = many();
    let down = KeyCode::Down;
    assert_snapshot!("access", picture(&many, &[], USUAL, &usual));
    assert_snapshot!("access_small", picture(&many, &[down], (44, 14), &bare));
    assert_snapshot!("access_secret", picture(&many, &[down, down], USUAL, &usual));
    let typed = [down, down, KeyCode::Enter, KeyCode::Char('q'), KeyCode::Char('?')];
    assert_snapshot!("access_typing", picture(&many, &typed, USUAL, &usual));
    assert_snapshot!("access_typing_small", picture(&many, &typed, (44, 12), &bare));
    assert_snapshot!("access_all", picture(&many, &[KeyCode::Char('a')], USUAL, &usual));
    assert_snapshot!("access_later", picture(&many, &[KeyCode::Esc], USUAL, &usual));
}

#[test]
fn it_lies_over_every_page_and_a_question() {
    let recorded = ready();
    let stand_in = StandIn::of(&recorded);
    stand_in.knocks(&sudo(), &["ums1"], "");
    let mut face = joined(&recorded, "operator", false);
    assert!(shown(&mut face).contains("Your word is needed"));
    press(&mut face, KeyCode::Esc);
    let left = shown(&mut face);
    assert!(
        left.contains("Welcome") && left.contains("F4: ACCESS NEEDED") && left.contains("F4 Access"),
        "{left}"
    );
    stand_in.knocks(&key("ums2", "ssh-rsa"), &["ums2"], "");
    take_in(&mut face, |state| state.access.len() == 2);
    assert!(shown(&mut face).contains("Your word is needed, 1 of 2"), "something new is shown at once");
    press(&mut face, KeyCode::Esc);
    press(&mut face, KeyCode::F(4));
    assert!(shown(&mut face).contains("Your word is needed"));

    let question = pictures::asked();
    let stand_in = StandIn::of(&question);
    let mut face = joined(&question, "operator", false);
    assert!(shown(&mut face).contains("Your answer is needed"));
    stand_in.knocks(&sudo(), &["ums1"], "");
    take_in(&mut face, |state| !state.access.is_empty());
    let over = shown(&mut face);
    assert!(over.contains("Your word is needed") && over.contains("ANSWER NEEDED"), "{over}");
}

pub fn joined(recorded: &Recorded, name: &str, watch: bool) -> Face {
    let mode = if watch { Mode::Watch } else { Mode::Live };
    let follower = Follower::open(&recorded.state_dir, &recorded.session, ViewerId::from(name), mode);
    let mut face = Face::live(follower.expect("it opens"), watch).in_zone(TimeZone::UTC);
    face.take_in().expect("it is read");
    face
}

pub fn shown(face: &mut Face) -> String {
    rows(&frame(face, USUAL)).join("\n")
}

/// Until the face has seen that `holds`.
pub fn take_in(face: &mut Face, holds: impl Fn(&nofm::engine::State) -> bool) {
    let began = Instant::now();
    while !holds(face.state()) {
        assert!(began.elapsed() < Duration::from_secs(20), "in vain: {:?}", face.state().access);
        face.listen(Duration::from_millis(20)).expect("the runner is there");
        face.take_in().expect("it is read");
    }
}

/// Looks, and waits until what is seen can be answered.
fn read(face: &mut Face) -> String {
    let seen = shown(face);
    std::thread::sleep(READ);
    seen
}

fn given(stand_in: &StandIn) -> Vec<String> {
    let journal = stand_in.journal();
    journal.lines().filter(|line| line.contains("access_given")).map(str::to_owned).collect()
}

#[test]
fn a_key_that_came_before_it_could_be_read_answers_nothing() {
    let recorded = ready();
    let stand_in = StandIn::of(&recorded);
    let mut face = joined(&recorded, "operator", false);
    read(&mut face);
    stand_in.knocks(&key("ums1", "ssh-ed25519"), &["ums1"], "");
    take_in(&mut face, |state| state.access.len() == 1);
    press(&mut face, KeyCode::Char('y'));
    assert!(shown(&mut face).contains("came before this could be read"));
    std::thread::sleep(READ);
    stand_in.knocks(&key("ums0", "ssh-ed25519"), &["ums2"], "");
    take_in(&mut face, |state| state.access.len() == 2);
    press(&mut face, KeyCode::Char('y'));
    assert_eq!(given(&stand_in), [""; 0], "another key came in front of it meanwhile");
    // What is selected by hand was read already.
    read(&mut face);
    press(&mut face, KeyCode::Down);
    press(&mut face, KeyCode::Char('y'));
    take_in(&mut face, |state| state.access.len() == 1);
    assert!(
        stand_in.state().access.contains_key(&key("ums0", "ssh-ed25519")),
        "the selected one was trusted"
    );
    // The same key once more was meant for the one that is gone.
    shown(&mut face);
    press(&mut face, KeyCode::Char('y'));
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(given(&stand_in).len(), 1);
}

#[test]
fn all_that_were_listed_are_trusted_and_no_other() {
    let recorded = ready();
    let stand_in = StandIn::of(&recorded);
    let keys = ["ums1", "ums2", "ums3"].map(|host| key(host, "ssh-ed25519"));
    for access in &keys[..2] {
        stand_in.knocks(access, &["ums1"], "");
    }
    let mut face = joined(&recorded, "operator", false);
    read(&mut face);
    press(&mut face, KeyCode::Char('a'));
    assert!(shown(&mut face).contains("Are these 2 host keys, as they were listed, the right ones?"));
    press(&mut face, KeyCode::Enter);
    assert_eq!(given(&stand_in), [""; 0], "no is marked until the other is");
    read(&mut face);
    press(&mut face, KeyCode::Char('a'));
    stand_in.knocks(&keys[2], &["ums3"], "");
    take_in(&mut face, |state| state.access.len() == 3);
    press(&mut face, KeyCode::Char('y'));
    take_in(&mut face, |state| state.access.len() == 1);
    assert!(stand_in.state().access.contains_key(&keys[2]));
    read(&mut face);
    press(&mut face, KeyCode::Char('x'));
    take_in(&mut face, |state| state.access.is_empty());
    assert!(stand_in.journal().contains("access_denied"));
}

#[test]
fn a_secret_reaches_the_runner_and_stands_nowhere() {
    let recorded = ready();
    let stand_in = StandIn::of(&recorded);
    stand_in.knocks(&sudo(), &["ums1", "ums2"], "");
    let mut face = joined(&recorded, "operator", false);
    read(&mut face);
    press(&mut face, KeyCode::Enter);
    face.paste("forgotten").expect("it is taken");
    face.tell_view();
    assert!(shown(&mut face).contains("> *********"));
    press(&mut face, KeyCode::Esc);
    press(&mut face, KeyCode::F(4));
    read(&mut face);
    press(&mut face, KeyCode::Enter);
    assert!(!shown(&mut face).contains("> *"), "what was typed before is forgotten");
    press(&mut face, KeyCode::Enter);
    assert!(shown(&mut face).contains("It was not given: nothing was typed."));
    let (first, rest) = SECRET.split_at(4);
    for c in first.chars().chain(['?', 'q']) {
        press(&mut face, KeyCode::Char(c));
        face.tell_view();
    }
    press(&mut face, KeyCode::Backspace);
    press(&mut face, KeyCode::Backspace);
    face.paste(&format!("{rest}\n")).expect("it is taken");
    face.tell_view();
    let screen = shown(&mut face);
    assert!(screen.contains("> ************** ") && !screen.contains("zzyzx"), "{screen}");
    press(&mut face, KeyCode::Enter);
    take_in(&mut face, |state| state.access.is_empty());
    face.tell_view();
    // The last of it is on its way to the journal.
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(stand_in.secrets(), [(sudo(), SECRET.to_owned())]);
    let journal = stand_in.journal();
    assert!(journal.contains("access_given") && journal.contains("\"dialog\":{\"secret\""), "{journal}");
    let digits = SECRET.bytes().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex: String = digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect();
    for trace in ["zzyzx", "forgotten", &*hex, "***"] {
        assert!(!journal.contains(trace), "{trace} stands in the journal");
    }
    let mut reviewed = review(&recorded);
    press(&mut reviewed, KeyCode::End);
    for _ in 0..30 {
        press(&mut reviewed, KeyCode::Left);
        assert!(
            !text(&frame(&mut reviewed, USUAL)).contains("***"),
            "how much was typed is seen in a review"
        );
    }
}

#[test]
fn what_is_too_long_is_said_and_left_out() {
    let recorded = many();
    let mut face = live(&recorded);
    frame(&mut face, USUAL);
    let now_ms = face.state().time.now_ms;
    face.hold(Some(now_ms + 12_000));
    for code in [KeyCode::Down, KeyCode::Down, KeyCode::Enter] {
        press(&mut face, code);
    }
    face.paste(&"\u{e4}".repeat(600)).expect("it is taken");
    assert!(shown(&mut face).contains("1024 bytes"));
    face.key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL)).expect("it is taken");
    assert!(!shown(&mut face).contains("> *"), "Ctrl-U wipes it");
}

#[test]
fn who_looks_on_sees_it_and_cannot_answer() {
    let recorded = ready();
    let stand_in = StandIn::of(&recorded);
    stand_in.happens(&Event::PenTaken { viewer: operator(), by_force: false });
    stand_in.knocks(&sudo(), &["ums1"], "");
    for (name, watch, why) in [("watcher", true, "you only look on"), ("second", false, "holds the pen")] {
        let mut face = joined(&recorded, name, watch);
        let seen = read(&mut face);
        assert!(seen.contains("Your word is needed") && seen.contains(why), "{seen}");
        press(&mut face, KeyCode::Enter);
        assert!(shown(&mut face).contains("Not now: "));
        press(&mut face, KeyCode::Char('x'));
        press(&mut face, KeyCode::Esc);
        assert!(shown(&mut face).contains("F4: ACCESS NEEDED"), "who looks on may look round");
    }
    assert_eq!(stand_in.state().access.len(), 1);
}

#[test]
fn a_field_closes_when_nobody_waits_for_it_any_more() {
    let recorded = ready();
    let stand_in = StandIn::of(&recorded);
    stand_in.knocks(&sudo(), &["ums1"], "");
    let mut face = joined(&recorded, "operator", false);
    read(&mut face);
    press(&mut face, KeyCode::Enter);
    press(&mut face, KeyCode::Char('s'));
    stand_in.happens(&Event::AccessWithdrawn { access: sudo(), servers: vec!["ums1".into()] });
    take_in(&mut face, |state| state.access.is_empty());
    let screen = shown(&mut face);
    assert!(screen.contains("No server waits for this any more.") && !screen.contains("> *"), "{screen}");
}

#[test]
fn every_event_of_it_has_a_sentence() {
    let recorded = many();
    let state = live(&recorded).state().clone();
    let line = |event: &Event| nofm::words::line(&state, event).unwrap_or_default();
    let servers = vec!["ums1".into(), "ums2".into()];
    let (access, viewer) = (key("ums1", "ssh-rsa"), operator());
    let complaint = "it was not taken".to_owned();
    let print = "SHA256:ums1";
    for (event, parts) in [
        (
            Event::AccessAsked { access: sudo(), servers: servers.clone(), complaint },
            vec!["ums1, ums2 wait for a person: password of admin (sudo): it was not taken"],
        ),
        (
            Event::AccessGiven { access: access.clone(), viewer: viewer.clone() },
            vec!["operator trusts the host key of ums1 (ssh-rsa): ", print],
        ),
        (
            Event::AccessGiven { access: sudo(), viewer: viewer.clone() },
            vec!["operator gave the password of admin"],
        ),
        (
            Event::AccessDenied { access: access.clone(), viewer },
            vec!["operator does not trust the host key", print],
        ),
        (Event::AccessWithdrawn { access, servers }, vec!["ums1, ums2 wait for a person no more: host key"]),
    ] {
        for part in parts {
            assert!(line(&event).contains(part), "{}", line(&event));
        }
    }
    let status = nofm::words::status::status(&state, 0);
    assert_eq!(status.access.len(), 3, "{status:?}");
    assert!(nofm::words::access::without_a_person(&sudo()).contains("NOPASSWD"));
}
