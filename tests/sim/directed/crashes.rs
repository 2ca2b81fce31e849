//! A runner that dies at any event loses nothing and does nothing twice.

use nofm::engine::{Choice, Close, Event, Intent, ProbeKey};

use super::{INSTALL, check, farm, half_measured, stage, world};
use crate::sim::session::{Crashes, Session};
use crate::sim::world::Fault;

/// Two servers with most of what a step can be, one that is lost, and a question on each.
fn busy() -> Session {
    let drained = check("drained", "here.load == 0", "");
    let up = check("is_up", "here.up", "phase = [\"start\", \"end\"]");
    let steps = [
        "id = \"drain\"\nrun = \"drain\"",
        "id = \"install\"\nrun = \"install\"\nneeds = [\"drained\"]\ndone = \"here.ver == target\"",
        "id = \"mates\"\nrun = \"note\"\nat = \"peers\"",
        "id = \"look\"\nconfirm = \"Well?\"",
        "id = \"renew\"\non = \"last\"\nonce = true\nrun = \"renew\"\ndone = \"farm.schema == 2\"",
    ];
    let mut world = world(2);
    world.set("load", Some("s1"), "5");
    world.fault("install", Some("s2"), Fault::Lost(true));
    farm(&[&drained, &up, &stage("servers", "gates = [\"is_up\"]\nsoak = \"30s\"", &steps)], 2, world)
}

/// Confirms until it is done; begins as often as it takes.
fn carried_out(mut session: Session) -> Session {
    for _ in 0..50 {
        if session.is_preparing() {
            let _ = session.begin();
        }
        session.rest();
        if session.state.closed.is_some() {
            break;
        }
        if !session.state.questions.is_empty() {
            let question = session.question().id;
            let _ = session.intent(&Intent::Reply { question, choice: Choice::Yes, text: String::new() });
        }
    }
    session
}

fn is_right(session: &Session) {
    assert!(session.is_done(), "{}", session.tail());
    assert_eq!(session.began_on("install"), ["s1", "s2"]);
    assert_eq!((session.began("drain"), session.began("mates"), session.began("renew")), (2, 2, 1));
    assert_eq!(session.state.tally().map(|tally| (tally.updated, tally.of)), Some((2, 2)));
}

#[test]
fn a_crash_after_any_event_changes_nothing_that_happens() {
    let whole = carried_out(busy());
    is_right(&whole);
    for count in 1..=whole.journal.len() {
        let mut session = busy();
        session.digest_every = 64;
        session.crashes = Crashes::After(count);
        is_right(&carried_out(session));
    }
}

#[test]
fn a_crash_after_every_event_changes_nothing_that_happens() {
    let mut session = busy();
    session.crashes = Crashes::Always;
    let session = carried_out(session);
    assert!(session.crash_count > 50, "it died {} times", session.crash_count);
    is_right(&session);
}

#[test]
fn a_run_that_goes_on_while_the_runner_is_dead_is_found_and_not_begun_again() {
    let mut session =
        farm(&[&stage("servers", "", &[INSTALL])], 1, world(1)).started_until(|s| s.began("install") == 1);
    session.crash();
    session.rest();
    assert_eq!(session.began("install"), 1);
    assert!(session.is_done());
}

#[test]
fn what_a_step_needs_is_measured_anew_after_a_crash() {
    let ready = check("ready", "here.load == 0 and here.up", "");
    let install = "id = \"install\"\nrun = \"install\"\nneeds = [\"ready\"]";
    let mut session =
        farm(&[&ready, &stage("servers", "", &[install])], 1, world(1)).started_until(half_measured);
    // Of the two readings it needs one was made; that one is no longer so when the next runner goes on.
    match session.journal.last() {
        Some((_, Event::Read { probe: ProbeKey::Fact(fact, _), .. })) if *fact == "load" => {
            session.world.set("load", Some("s1"), "2");
        }
        _ => session.world.set("up", Some("s1"), "no"),
    }
    session.crash();
    session.rest();
    assert_eq!(session.began("install"), 0);
}

#[test]
fn soak_and_patience_go_on_over_a_crash_and_a_clock_that_jumps() {
    let mut world = world(1);
    world.set("up", Some("s1"), "no");
    let up = check("is_up", "here.up", "");
    let mut session = farm(&[&up, &stage("servers", "gates = [\"is_up\"]", &[INSTALL])], 1, world);
    session.begin().expect("begins");
    session.pass(200_000);
    session.world.clock_error_ms = -7_200_000;
    session.crash();
    session.go(700_000, |session| !session.state.questions.is_empty());
    let at_ms = session.world.now_ms;
    // Session time stood still while nobody ran it, and no longer.
    assert!((600_000..690_000).contains(&at_ms), "asked at {at_ms}");
}

#[test]
fn an_end_that_the_operator_ordered_is_an_end_though_the_runner_dies() {
    let mut world = world(1);
    world.fault("install", None, Fault::Fails(1));
    let run = "id = \"install\"\nrun = \"install\"";
    let mut session = farm(&[&stage("servers", "", &[run])], 1, world).started();
    let question = session.question().id;
    session.intent(&Intent::Reply { question, choice: Choice::Abort, text: String::new() }).expect("offered");
    session.crash();
    session.rest();
    assert!(matches!(&session.state.closed, Some(Close::Failed { .. })), "{}", session.tail());
}
