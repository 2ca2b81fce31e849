//! Who may say what: pens, late and doubled answers, pauses.

use nofm::engine::{Choice, Close, Event, Intent, StepPhase};
use nofm::model::ViewerId;

use super::{INSTALL, check, farm, half_measured, stage, world};

const LOOK: &str = "id = \"look\"\nconfirm = \"Well?\"";

#[test]
fn a_second_pen_is_refused_until_it_is_taken_by_force() {
    let mut session = farm(&[&stage("servers", "", &[LOOK])], 1, world(1)).started();
    let other = ViewerId::from("other");
    let reply = Intent::Reply { question: session.question().id, choice: Choice::Yes, text: String::new() };
    assert!(session.wish(&other, &reply).expect_err("refused").contains("another viewer holds the pen"));
    let take = |by_force| Intent::TakePen { by_force };
    assert!(session.wish(&other, &take(false)).expect_err("refused").contains("operator holds the pen"));
    session.wish(&other, &take(true)).expect("taken");
    assert!(session.intent(&reply).is_err(), "the first one looks on now");
    session.wish(&other, &reply).expect("answered");
    session.rest();
    assert!(session.is_done());
    let refused = session.count(|event| matches!(event, Event::Refused { .. }));
    assert_eq!(refused, 3, "what was refused is journalled");
}

#[test]
fn an_answer_that_comes_late_or_twice_changes_nothing() {
    let mut session = farm(&[&stage("servers", "", &[LOOK])], 2, world(2)).started();
    let reply = Intent::Reply { question: session.question().id, choice: Choice::Yes, text: String::new() };
    session.intent(&reply).expect("answered");
    session.rest();
    assert_eq!(session.question().about.server().map(ToString::to_string), Some("s2".to_owned()));
    assert!(session.intent(&reply).expect_err("late").contains("no longer open"));
    session.rest();
    assert!(!session.is_done(), "the second server was not confirmed by the answer to the first");
}

#[test]
fn a_pause_finishes_what_runs_and_starts_no_other() {
    let steps = [INSTALL, "id = \"note\"\nrun = \"note\""];
    let mut session = farm(&[&stage("servers", "", &steps)], 2, world(2))
        .started_until(|session| session.began("install") == 1);
    session.intent(&Intent::Pause { server: None }).expect("paused");
    session.rest();
    assert_eq!((session.began("install"), session.began("note")), (1, 0));
    assert_eq!(session.lane("s1").1, &StepPhase::Ready, "the step that ran was looked at");
    session.intent(&Intent::Unpause { server: None }).expect("goes on");
    session.rest();
    assert!(session.is_done());
}

#[test]
fn a_paused_server_holds_those_behind_it_and_no_other() {
    let mut session = farm(&[&stage("servers", "", &[INSTALL])], 3, world(3));
    session.intent(&Intent::Pause { server: Some("s2".into()) }).expect("paused");
    let mut session = session.started();
    assert_eq!(session.began_on("install"), ["s1"]);
    session.intent(&Intent::Unpause { server: Some("s2".into()) }).expect("goes on");
    session.rest();
    assert_eq!(session.began_on("install"), ["s1", "s2", "s3"]);
}

#[test]
fn what_a_step_needs_is_measured_anew_after_a_pause() {
    let ready = check("ready", "here.load == 0 and here.up", "");
    let install = "id = \"install\"\nrun = \"install\"\nneeds = [\"ready\"]";
    let mut session =
        farm(&[&ready, &stage("servers", "", &[install])], 1, world(1)).started_until(half_measured);
    session.intent(&Intent::Pause { server: None }).expect("paused");
    session.rest();
    session.world.set("load", Some("s1"), "3");
    session.intent(&Intent::Unpause { server: None }).expect("goes on");
    session.rest();
    assert_eq!(session.began("install"), 0, "{}", session.tail());
    assert!(session.question().details[0].contains("load 3"), "{:?}", session.question());
}

#[test]
fn what_an_attended_step_needs_is_measured_when_the_operator_starts_it() {
    let drained = check("drained", "here.load == 0", "");
    let wizard = "id = \"wizard\"\nattended = \"setup\"\nneeds = [\"drained\"]";
    let mut session = farm(&[&drained, &stage("servers", "", &[wizard])], 1, world(1)).started();
    assert_eq!(session.offered(), ["start", "done", "cannot", "hold"]);
    session.pass(3_600_000);
    session.world.set("load", Some("s1"), "3");
    session.reply(Choice::Start, "").expect("wanted");
    assert_eq!(session.began("wizard"), 0);
    session.world.set("load", Some("s1"), "0");
    session.reply(Choice::LookAgain, "").expect("looks again");
    session.reply(Choice::Start, "").expect("wanted");
    assert_eq!(session.began("wizard"), 1);
    assert!(session.is_done(), "{}", session.tail());
}

#[test]
fn a_stop_waits_for_what_runs_and_a_resume_goes_on_from_there() {
    let mut session = farm(&[&stage("servers", "", &[INSTALL])], 2, world(2))
        .started_until(|session| session.began("install") == 1);
    session.intent(&Intent::Stop).expect("stops");
    session.rest();
    assert!(matches!(&session.state.closed, Some(Close::Stopped { why }) if why.contains("operator")));
    assert_eq!(session.began("install"), 1);
    session.resume();
    session.rest();
    assert_eq!(session.began_on("install"), ["s1", "s2"]);
    assert!(session.is_done());
}
