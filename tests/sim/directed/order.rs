//! Whose turn it is: order, positions, gates, soak, servers in service.

use nofm::engine::{Choice, Event, Intent, LanePhase};

use super::{ANY_FAILURE, HEAD, INSTALL, ROLE, check, farm, session, stage, world};
use crate::sim::world::Fault;

const GATE: &str = "gates = [\"is_up\"]";

fn is_up() -> String {
    check("is_up", "here.up", "")
}

#[test]
fn first_and_last_come_first_and_last_and_the_others_as_they_are_listed() {
    let keys = "first = \"here.name == 's3'\"\nlast = \"here.name == 's1'\"";
    let steps = [
        "id = \"note\"\nrun = \"note\"\non = \"first\"",
        INSTALL,
        "id = \"extra\"\nrun = \"extra\"\non = \"not-last\"",
    ];
    let session = farm(&[&stage("servers", keys, &steps)], 4, world(4)).started();
    assert_eq!(session.began_on("install"), ["s3", "s2", "s4", "s1"]);
    assert_eq!(session.began_on("note"), ["s3"]);
    assert_eq!(session.began_on("extra"), ["s3", "s2", "s4"]);
    assert!(session.is_done());
}

#[test]
fn gates_are_waited_for_ten_minutes_and_then_the_operator_is_asked() {
    let mut world = world(2);
    world.set("up", Some("s1"), "no");
    let mut session = farm(&[&is_up(), &stage("servers", GATE, &[INSTALL])], 2, world).started();
    let waited_ms = session.journal.iter().find_map(|(_, event)| match event {
        Event::StepFailed { cause: nofm::engine::Cause::Expired { waited_ms, .. }, .. } => Some(*waited_ms),
        _ => None,
    });
    assert_eq!(waited_ms, Some(600_000));
    assert_eq!(session.began_on("install"), ["s1"], "the next server waits");
    assert_eq!(session.offered(), ["look_again", "leave_out", "hold", "abort"]);
    session.world.set("up", Some("s1"), "yes");
    session.reply(Choice::LookAgain, "").expect("looks again");
    assert_eq!(session.began_on("install"), ["s1", "s2"]);
    assert!(session.is_done());
}

#[test]
fn a_gate_that_is_unknown_is_closed() {
    let mut world = world(2);
    world.silence("up", Some("s1"), 120_000);
    let session = farm(&[&is_up(), &stage("servers", GATE, &[INSTALL])], 2, world).started();
    let done = session.journal.iter().find(|(_, event)| matches!(event, Event::LaneDone { .. }));
    assert!(done.is_some_and(|(stamp, _)| stamp.mono_ms >= 120_000), "{}", session.tail());
}

#[test]
fn soak_begins_anew_when_a_gate_closes() {
    let keys = "gates = [\"is_up\"]\nsoak = \"2m\"";
    let mut session = farm(&[&is_up(), &stage("servers", keys, &[INSTALL])], 1, world(1));
    session.set_fact_at(60_000, "up", Some("s1"), "no");
    session.set_fact_at(90_000, "up", Some("s1"), "yes");
    let session = session.started();
    assert_eq!(session.count(|event| matches!(event, Event::SoakBegun { .. })), 2);
    let done = session.journal.iter().find(|(_, event)| matches!(event, Event::LaneDone { .. }));
    let at_ms = done.expect("it comes to an end").0.mono_ms;
    assert!((210_000..220_000).contains(&at_ms), "90 s and 2 minutes, found {at_ms}");
}

#[test]
fn the_next_server_does_not_begin_in_the_moment_the_last_one_fails() {
    let mut world = world(3);
    // Both end at the same moment, one well and one badly.
    world.fault("install", Some("s2"), Fault::Fails(1));
    let run = "id = \"install\"\nrun = \"install\"";
    let mut session = farm(&[&stage("servers", "at-a-time = 2", &[run])], 3, world).started();
    assert_eq!(session.began_on("install"), ["s1", "s2"]);
    assert_eq!(session.lane("s3").0, &LanePhase::Waiting);
    session.reply(Choice::Retry, "").expect("offered");
    assert_eq!(session.began_on("install"), ["s1", "s2", "s2", "s3"]);
}

#[test]
fn servers_begin_as_many_at_a_time_as_the_stage_says() {
    let mut most = 0;
    let mut session = farm(&[&stage("servers", "at-a-time = 2", &[INSTALL])], 5, world(5));
    session.begin().expect("begins");
    session.go(u64::MAX, |session| {
        most = most.max(session.state.stages[0].active.len());
        false
    });
    assert_eq!(most, 2);
    assert!(session.is_done());
}

fn with_keep_up(
    keep_up: &str,
    tables: &[&str],
    servers: usize,
    world: crate::sim::world::World,
) -> crate::sim::session::Session {
    session(&format!("{HEAD}{ROLE}keep-up = {keep_up}\n{}{ANY_FAILURE}", tables.concat()), servers, world)
}

#[test]
fn keep_up_lets_no_more_begin_than_may_be_down() {
    let mut most = 0;
    let mut session =
        with_keep_up("\"majority\"", &[&stage("servers", "at-a-time = \"all\"", &[INSTALL])], 5, world(5));
    session.begin().expect("begins");
    session.go(u64::MAX, |session| {
        most = most.max(session.state.stages[0].active.len());
        false
    });
    assert_eq!(most, 2, "3 of 5 stay in service");
    assert!(session.is_done());
}

#[test]
fn keep_up_counts_a_server_out_of_reach_as_down() {
    let mut session = with_keep_up("\"all-but-1\"", &[&stage("servers", "", &[INSTALL])], 3, world(3));
    session.lose("s3", 0, 3_600_000);
    session.begin().expect("begins");
    session.pass(600_000);
    assert_eq!(session.began("install"), 0);
    let question = session.question();
    assert!(
        question.text.contains("1 of 3 Server would be left in service, at least 2 must be"),
        "{}",
        question.text
    );
    session.rest();
    assert!(session.is_done(), "it goes on by itself once the server is back, and the question is withdrawn");
    assert_eq!(session.state.questions.len(), 0);
}

#[test]
fn a_server_left_out_half_way_counts_as_down() {
    let mut world = world(3);
    world.fault("install", Some("s1"), Fault::Fails(1));
    let mut session = with_keep_up("\"all-but-1\"", &[&stage("servers", "", &[INSTALL])], 3, world).started();
    session.reply(Choice::LeaveOut, "its disk is broken").expect("offered");
    assert_eq!(session.began_on("install"), ["s1"]);
    assert!(
        session.question().text.contains("s2 cannot be taken out of service"),
        "{}",
        session.question().text
    );
    assert_eq!(session.state.to_do, ["s1 was left out: its disk is broken"]);
}

#[test]
fn leaving_out_is_refused_with_the_profiles_reason() {
    let mut world = world(2);
    world.fault("install", Some("s1"), Fault::Fails(1));
    let keys = "leave-out = \"The schema needs every server.\"";
    let mut session = farm(&[&stage("servers", keys, &[INSTALL])], 2, world).started();
    assert!(!session.offered().contains(&"leave_out"));
    let question = session.question().id;
    let reply = Intent::Reply { question, choice: Choice::LeaveOut, text: "please".into() };
    assert_eq!(session.intent(&reply), Err("The schema needs every server.".to_owned()));
    let wish = Intent::LeaveOut { server: "s2".into(), reason: "please".into() };
    assert_eq!(session.intent(&wish), Err("The schema needs every server.".to_owned()));
}

#[test]
fn a_server_bound_to_a_step_for_once_is_not_left_out() {
    let renew = "id = \"renew\"\non = \"last\"\nonce = true\nrun = \"renew\"";
    let mut session = farm(&[&stage("servers", "", &[INSTALL, renew])], 2, world(2))
        .started_until(|s| s.began("install") == 1);
    let wish = Intent::LeaveOut { server: "s2".into(), reason: "please".into() };
    assert!(session.intent(&wish).expect_err("refused").contains("bound to \"renew\""));
}

#[test]
fn what_runs_is_never_cut_off_by_leaving_its_server_out() {
    let mut session =
        farm(&[&stage("servers", "", &[INSTALL])], 2, world(2)).started_until(|s| s.began("install") == 1);
    let wish = Intent::LeaveOut { server: "s1".into(), reason: "please".into() };
    assert!(session.intent(&wish).expect_err("refused").contains("a step runs on s1"));
}
