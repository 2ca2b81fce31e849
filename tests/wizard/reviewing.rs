//! A review: every event, forwards and backwards, and nothing is sent.

use crossterm::event::KeyCode;
use nofm::engine::{Event, State};
use nofm::journal::read_all;
use nofm::model::ViewerId;
use nofm::wizard::Face;
use serde_json::json;

use super::recorded::{Recorded, igel};
use super::{LARGE, USUAL, frame, press, press_ctrl, review, rows, text};
use crate::rows::farm::WHOLE;
use crate::rows::rehearsal::Scene;
use crate::sim::rng::Rng;
use crate::sim::same::same;
use crate::sim::world::Fault;

/// A failed upgrade during which two people looked at things.
fn watched() -> Recorded {
    let profile = igel();
    let mut scene = Scene::of(&profile, WHOLE);
    scene.world.fault("install", Some("ums1"), Fault::Fails(3));
    let mut rehearsal = scene.checked().expect("it is checked");
    let (operator, other) = (ViewerId::from("operator"), ViewerId::from("other"));
    let look = |rehearsal: &mut crate::rows::rehearsal::Rehearsal, who: &ViewerId, view| {
        rehearsal.session.look(who, view);
    };
    look(&mut rehearsal, &operator, json!({ "page": "summary", "size": [80, 24] }));
    look(&mut rehearsal, &other, json!({ "page": "components", "size": [80, 24] }));
    rehearsal.begin().expect("it begins");
    rehearsal.until_asked("updated", "ums2").expect("it is asked");
    look(&mut rehearsal, &operator, json!({ "page": "progress", "filter": "done", "size": [80, 24] }));
    look(&mut rehearsal, &other, json!({ "page": "progress", "filter": "waiting", "size": [80, 24] }));
    look(&mut rehearsal, &operator, json!({ "page": "progress", "aside": true, "size": [80, 24] }));
    rehearsal.until_failed().expect("it fails");
    look(
        &mut rehearsal,
        &operator,
        json!({ "page": "progress", "dialog": { "help": { "top": 0 } }, "size": [80, 24] }),
    );
    Recorded::whole(&rehearsal)
}

fn events(recorded: &Recorded) -> Vec<Event> {
    let read = read_all::<Event>(&recorded.session).expect("it is whole");
    read.events.into_iter().map(|entry| entry.event).collect()
}

fn at(face: &Face) -> u64 {
    face.state().seq
}

/// Everything that is there at an event: the state, and the picture.
fn moment(face: &mut Face, seq: u64) -> (State, ratatui::buffer::Buffer) {
    face.seek(seq).expect("it is there");
    assert_eq!(at(face), seq);
    (face.state().clone(), frame(face, USUAL))
}

fn is_same(one: &(State, ratatui::buffer::Buffer), other: &(State, ratatui::buffer::Buffer)) -> bool {
    same(&one.0, &other.0) && one.1 == other.1
}

#[test]
fn wherever_it_comes_from_a_review_shows_the_same() {
    let recorded = watched();
    let count = events(&recorded).len() as u64;
    assert!(count > 200, "{count} events are worth going back over");
    let mut face = review(&recorded);
    let forwards: Vec<_> = (1..=count).map(|seq| moment(&mut face, seq)).collect();
    for seq in (1..=count).rev() {
        let there = &forwards[usize::try_from(seq).expect("few") - 1];
        assert!(is_same(&moment(&mut face, seq), there), "back at {seq}");
    }
    let mut rng = Rng::new(7);
    for _ in 0..200 {
        let seq = rng.within(1, count);
        let there = &forwards[usize::try_from(seq).expect("few") - 1];
        assert!(is_same(&moment(&mut face, seq), there), "jump to {seq}");
    }
}

#[test]
fn keys_stop_at_every_event_but_what_others_look_at() {
    let recorded = watched();
    let events = events(&recorded);
    let stops: Vec<u64> = (1..)
        .zip(&events)
        .filter(|(_, event)| !matches!(event, Event::Looked { viewer, .. } if *viewer == "other"))
        .map(|(seq, _)| seq)
        .collect();
    let mut face = review(&recorded);
    let mut forwards = vec![at(&face)];
    while forwards.len() <= events.len() {
        press(&mut face, KeyCode::Right);
        if forwards.last() == Some(&at(&face)) {
            break;
        }
        forwards.push(at(&face));
    }
    assert_eq!(forwards, stops);
    let mut backwards = vec![at(&face)];
    while backwards.len() <= events.len() {
        press(&mut face, KeyCode::Left);
        if backwards.last() == Some(&at(&face)) {
            break;
        }
        backwards.push(at(&face));
    }
    backwards.reverse();
    assert_eq!(backwards, stops);
    press(&mut face, KeyCode::PageDown);
    assert_eq!(at(&face), stops[10]);
    press(&mut face, KeyCode::End);
    assert_eq!(at(&face), events.len() as u64);
    press(&mut face, KeyCode::Home);
    assert_eq!(at(&face), 1);
}

#[test]
fn failures_and_decisions_are_found() {
    let recorded = watched();
    let events = events(&recorded);
    let seqs = |is: fn(&Event) -> bool| -> Vec<u64> {
        (1..).zip(&events).filter(|(_, event)| is(event)).map(|(seq, _)| seq).collect()
    };
    let failures = seqs(|event| matches!(event, Event::StepFailed { .. } | Event::StepUnknown { .. }));
    let replies = seqs(|event| matches!(event, Event::Replied { .. }));
    assert!(!failures.is_empty() && replies.len() > 5);
    let mut face = review(&recorded);
    press(&mut face, KeyCode::Char('x'));
    assert_eq!(at(&face), failures[0]);
    assert!(text(&frame(&mut face, USUAL)).contains("FAILED"), "the event is told in words");
    let last = *failures.last().expect("one");
    press(&mut face, KeyCode::End);
    press_ctrl(&mut face, 'x');
    assert_eq!(at(&face), last);
    press(&mut face, KeyCode::Home);
    let mut decisions = Vec::new();
    for _ in 0..events.len() {
        press(&mut face, KeyCode::Char('d'));
        if decisions.last() == Some(&at(&face)) {
            break;
        }
        decisions.push(at(&face));
    }
    assert!(replies.iter().all(|reply| decisions.contains(reply)), "{decisions:?} has {replies:?}");
    assert!(text(&frame(&mut face, USUAL)).contains("Nothing was decided after this."));
}

#[test]
fn the_screen_is_the_operators_until_one_looks_round_by_oneself() {
    let recorded = watched();
    let events = events(&recorded);
    let is_waiting = |event: &Event| matches!(event, Event::Looked { viewer, .. } if *viewer == "other");
    let others = (1..).zip(&events).filter(|(_, event)| is_waiting(event)).map(|(seq, _)| seq).last();
    let mut face = review(&recorded);
    face.seek(others.expect("the other looked")).expect("it is there");
    let seen = rows(&frame(&mut face, USUAL));
    assert!(seen[0].contains(&format!("REVIEW {}/{} READ ONLY", at(&face), events.len())), "{}", seen[0]);
    let shown = seen.join("\n");
    assert!(shown.contains("Servers: done"), "the operator has the pen, not the other:\n{shown}");
    assert!(shown.contains("choose by number"), "their question reads as it did:\n{shown}");
    // A key of the page is no key of the review.
    press(&mut face, KeyCode::Char('f'));
    assert!(text(&frame(&mut face, USUAL)).contains("Servers: done"));
    press(&mut face, KeyCode::Tab);
    press(&mut face, KeyCode::Char('a'));
    press(&mut face, KeyCode::Char('f'));
    assert!(text(&frame(&mut face, USUAL)).contains("Servers: all"), "{}", text(&frame(&mut face, USUAL)));
    press(&mut face, KeyCode::Char('p'));
    let told = text(&frame(&mut face, USUAL));
    assert!(told.contains("this is a review"), "{told}");
    press(&mut face, KeyCode::Tab);
    assert!(text(&frame(&mut face, USUAL)).contains("Servers: done"));
}

#[test]
fn the_help_is_of_the_review_and_goes_away_again() {
    let recorded = watched();
    let mut face = review(&recorded);
    let before = frame(&mut face, USUAL);
    press(&mut face, KeyCode::Char('?'));
    let help = text(&frame(&mut face, LARGE));
    assert!(help.contains("the failure before") && help.contains("leave the review"), "{help}");
    press(&mut face, KeyCode::Esc);
    assert!(before == frame(&mut face, USUAL));
    // The operator's own help is shown as the operator had it.
    press(&mut face, KeyCode::End);
    let help = text(&frame(&mut face, USUAL));
    assert!(help.contains("Keys: Upgrade") && !help.contains("leave the review"), "{help}");
}
