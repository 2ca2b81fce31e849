//! Waits that may be left, how far they are, and what takes longer than usual.

use nofm::engine::{Choice, Event, Intent, LaneState, Outcome, ProbeKey, Reading, Stamp, StepPhase};
use nofm::words;

use super::{HEAD, INSTALL, ROLE, farm, session, stage, world};
use crate::sim::session::{Crashes, Session};

const MAY: &str = "id = \"agents\"\ntitle = \"Agents\"\nwait = \"here.load == 100\"\nrequired = false\ntimeout = \"3h\"\n\
    progress = [\"here.load\", \"100\"]";

fn is_waiting(session: &Session) -> bool {
    session.state.active_lanes().any(|lane| lane.step == StepPhase::Waiting && !lane.steps.is_empty())
}

fn lane(session: &Session) -> &LaneState {
    session.state.active_lanes().next().expect("one is under way")
}

#[test]
fn a_wait_that_is_not_required_may_be_left_and_is_left_to_do() {
    for crashes in [Crashes::Never, Crashes::Percent(30)] {
        let mut started = farm(&[&stage("servers", "", &[MAY, INSTALL])], 1, world(1));
        started.crashes = crashes;
        let mut session = started.started_until(is_waiting);
        session.pass(60_000);
        let key = session.state.step_key(lane(&session));
        assert!(session.state.may_be_left(lane(&session)));
        session.intent(&Intent::LeaveWait { key: key.clone() }).expect("it need not be waited for");
        session.rest();
        assert!(session.is_done(), "{}", session.tail());
        let lane = &session.state.stages[0].lanes[0];
        let record = lane.records.iter().find(|record| record.step.as_str() == "agents").expect("a record");
        assert_eq!(record.outcome, Outcome::Tolerated);
        assert!(record.why.starts_with("operator did not wait"), "{}", record.why);
        let [item] = &session.state.to_do[..] else { panic!("{:?}", session.state.to_do) };
        assert!(item.starts_with("s1: \"Agents\" was left by operator after "), "{item}");
        assert!(item.ends_with("here.load == 100"), "{item}");
        let again = session.intent(&Intent::LeaveWait { key });
        assert!(again.is_err(), "it is over");
    }
}

#[test]
fn a_wait_that_is_required_is_waited_for() {
    let must = MAY.replace("required = false\n", "");
    let mut session = farm(&[&stage("servers", "", &[&must])], 1, world(1)).started_until(is_waiting);
    let key = session.state.step_key(lane(&session));
    assert!(!session.state.may_be_left(lane(&session)));
    let refused = session.intent(&Intent::LeaveWait { key }).expect_err("the vendor requires it");
    assert!(refused.contains("requires"), "{refused}");
    assert_eq!(session.count(|event| matches!(event, Event::WaitLeft { .. })), 0);
}

#[test]
fn how_far_a_wait_is_stands_beside_it() {
    let mut session = farm(&[&stage("servers", "", &[MAY])], 1, world(1)).started_until(is_waiting);
    session.world.set("load", Some("s1"), "40");
    session.pass(20_000);
    assert_eq!(words::lane::progress(&session.state, lane(&session)).as_deref(), Some("40 of 100"));
    let text = words::lane::text(&session.state, lane(&session), session.now_ms());
    assert!(text.contains(": 40 of 100"), "{text}");
    let row = words::lane::row(&session.state, lane(&session), session.now_ms());
    assert_eq!(row.note.as_deref(), Some("40 of 100"));
    session.world.silence("load", Some("s1"), u64::MAX);
    session.pass(20_000);
    assert_eq!(words::lane::progress(&session.state, lane(&session)), None, "nobody can tell");
}

#[test]
fn a_stage_of_the_farm_counts_what_it_says_during_and_after() {
    let count = "[[stages]]\nid = \"agents\"\ntitle = \"Agents\"\ntally = \"{{ farm.schema }} of 9 agents\"\n\
        [[stages.steps]]\nid = \"wait\"\nwait = \"farm.schema == 9\"\ntimeout = \"3h\"\n";
    let full = |session: &Session| words::tally::full(&session.state).expect("it is counted");
    let tables =
        [&stage("servers", "", &[INSTALL]), count, &stage("after", "", &["id = \"note\"\nrun = \"note\""])];
    let mut session = farm(&tables.map(|table| table), 1, world(1))
        .started_until(|session| session.state.stage == 1 && is_waiting(session));
    assert!(session.state.tally().is_some_and(|tally| tally.of == 1), "servers are counted still");
    session.world.set("schema", None, "4");
    session.pass(20_000);
    assert_eq!(full(&session), "1 of 1; 4 of 9 agents");
    session.world.set("schema", None, "9");
    session.rest();
    assert!(session.is_done(), "{}", session.tail());
    assert_eq!(full(&session), "1 of 1; 9 of 9 agents");
}

#[test]
fn what_a_person_does_is_late_after_its_time() {
    let hand = "id = \"hand\"\nmanual = \"Install it.\"\nexpect = \"10m\"\nlate = \"20m\"";
    let mut session = farm(&[&stage("servers", "", &[hand])], 1, world(1)).started();
    let late = |session: &Session| words::lane::late_text(&session.state, lane(session), session.now_ms());
    session.pass(19 * 60_000);
    assert_eq!(late(&session), None);
    session.pass(2 * 60_000);
    let text = late(&session).expect("it is late");
    assert!(text.contains("\"hand\" is late: 21m"), "{text}");
    let row = words::lane::row(&session.state, lane(&session), session.now_ms());
    assert_eq!(row.status, words::lane::Status::Late);
    session.reply(Choice::Done, "").expect("late is not failed");
    assert!(session.is_done(), "{}", session.tail());
}

#[test]
fn files_of_the_same_name_do_not_meet_on_the_server() {
    let file = |id: &str| {
        format!("[inputs.{id}]\nlabel = \"{id}\"\nkind = \"file\"\ndefault = \"/media/{id}/setup.bin\"\n")
    };
    let upload = |id: &str| format!("id = \"{id}\"\nupload = \"{id}\"");
    let (one, two) = (upload("one"), upload("two"));
    let run = "id = \"note\"\nrun = \"cmp {{ inputs.one.remote }} {{ inputs.two.remote }}\"";
    let tables = [file("one"), file("two"), stage("servers", "", &[&one, &two, run])].concat();
    let profile = format!("{HEAD}{ROLE}{tables}{}", super::ANY_FAILURE);
    let session = session(&profile, 1, world(1)).started();
    assert!(session.is_done(), "{}", session.tail());
    let commands: Vec<&str> = session
        .journal
        .iter()
        .filter_map(|(_, event)| match event {
            Event::StepIntended { command, .. } => Some(command.as_str()),
            _ => None,
        })
        .collect();
    let [one, two] = ["/var/lib/nofm/uploads/one/setup.bin", "/var/lib/nofm/uploads/two/setup.bin"];
    assert_eq!(
        commands,
        [
            format!("copy /media/one/setup.bin to {one}"),
            format!("copy /media/two/setup.bin to {two}"),
            format!("cmp '{one}' '{two}'"),
        ]
    );
}

#[test]
fn an_answer_that_comes_late_is_never_taken_for_a_newer_one() {
    let hand = "id = \"hand\"\nmanual = \"Install it.\"\ndone = \"here.ver == target\"";
    let mut session = farm(&[&stage("servers", "", &[hand])], 1, world(1)).started();
    let probe = ProbeKey::Fact("ver".into(), Some("s1".into()));
    let asked = |(_, event): &(Stamp, Event)| match event {
        Event::Read { probe: read, asked, .. } if *read == probe => Some(*asked),
        _ => None,
    };
    let newest = session.journal.iter().filter_map(asked).max().expect("it was read");
    let known = session.state.latest[&probe].clone();
    let reading = Reading::unknown("it did not answer");
    session.happens(Event::Read { probe: probe.clone(), asked: newest - 1, reading: reading.clone() });
    assert_eq!(session.state.latest[&probe], known);
    session.happens(Event::Read { probe: probe.clone(), asked: newest, reading: reading.clone() });
    assert_eq!(session.state.latest[&probe].reading, reading);
}
