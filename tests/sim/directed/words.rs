//! What is said of a session to a person.

use nofm::engine::{Choice, Intent};
use nofm::words::health::{Once, health};
use nofm::words::lane::{Status, row};
use nofm::words::{finish, summary, tally};

use super::{INSTALL, farm, stage, world};
use crate::sim::session::Session;
use crate::sim::world::Fault;

const RENEW: &str = "id = \"renew\"\non = \"last\"\nonce = true\nrun = \"renew\"\ndone = \"farm.schema == 2\"\nexpect = \"30m\"";
const SLOW: &str = "id = \"install\"\nrun = \"install\"\nexpect = \"10m\"";

fn statuses(session: &Session) -> Vec<Status> {
    let lanes = &session.state.stages[0].lanes;
    lanes.iter().map(|lane| row(&session.state, lane, session.now_ms()).status).collect()
}

/// Minutes that the plan of `servers` servers takes.
fn minutes(session: &Session) -> u64 {
    let plan = nofm::plan::build(&session.setup, &session.state.answers).expect("a plan");
    let stages = summary::stages(&session.setup, &session.state.answers, &plan, false);
    summary::total(&stages).expect_ms / 60_000
}

#[test]
fn servers_that_may_be_out_together_take_their_time_together() {
    let of = |keys: &str| minutes(&farm(&[&stage("servers", keys, &[SLOW])], 5, world(5)));
    assert_eq!(of(""), 50, "one after another");
    assert_eq!(of("at-a-time = 2"), 30);
    assert_eq!(of("at-a-time = \"all\""), 10);
    assert_eq!(of("at-a-time = \"all\"\nkeep-up = \"majority\""), 30, "two of five may be out of service");
    assert_eq!(of("at-a-time = \"all\"\nkeep-up = \"all-but-1\""), 50, "one of five may be");
    assert_eq!(of("soak = \"5m\""), 75, "watched for a while");
}

#[test]
fn a_step_for_once_takes_its_time_once() {
    let once = "id = \"renew\"\nonce = true\nrun = \"renew\"\nexpect = \"30m\"";
    assert_eq!(minutes(&farm(&[&stage("servers", "", &[once, SLOW])], 3, world(3))), 60);
}

#[test]
fn a_failure_holds_the_others_and_says_so() {
    let mut world = world(3);
    world.fault("install", Some("s2"), Fault::FailsAfterwards(1));
    let session = farm(&[&stage("servers", "", &[INSTALL, RENEW])], 3, world).started();
    assert_eq!(statuses(&session), [Status::Done, Status::Failed, Status::Held], "{}", session.tail());
    let health = health(&session.state);
    assert_eq!(health.roles[0].in_service(), 2);
    assert_eq!(health.roles[0].out[0].0.as_str(), "s2");
    assert!(health.held[0].contains("s2 is in trouble"), "{:?}", health.held);
    assert_eq!(health.once[0].state, Once::NotStarted);
    assert_eq!(health.once[0].server.as_ref().map(nofm::model::ServerName::as_str), Some("s3"));
    assert_eq!(tally::short(&session.state).as_deref(), Some("1 of 3, 1 FAILED"));
    let results = finish::servers(&session.state);
    assert_eq!(results[1].status, Some(Status::Failed));
}

#[test]
fn a_schema_that_may_have_been_renewed_is_not_called_renewed() {
    let mut world = world(2);
    world.fault("renew", None, Fault::Lost(false));
    let mut session = farm(&[&stage("servers", "", &[INSTALL, RENEW])], 2, world).started();
    assert_eq!(health(&session.state).once[0].state, Once::Unknown);
    assert_eq!(statuses(&session)[1], Status::Unknown);
    session.world.set("schema", None, "2");
    session.reply(Choice::LookAgain, "").expect("the proof settles it");
    assert!(session.is_done());
    assert_eq!(health(&session.state).once[0].state, Once::Done);
    assert_eq!(health(&session.state).held, [] as [String; 0]);
    assert_eq!(statuses(&session), [Status::Done, Status::Done]);
}

#[test]
fn who_pauses_sees_what_is_paused() {
    let mut session = farm(&[&stage("servers", "", &[INSTALL])], 2, world(2))
        .started_until(|session| session.began("install") == 1);
    session.intent(&Intent::Pause { server: None }).expect("paused");
    assert_eq!(statuses(&session), [Status::Running, Status::Paused]);
    session.intent(&Intent::Unpause { server: None }).expect("let go on");
    session.rest();
    assert!(session.is_done(), "{}", session.tail());
}
