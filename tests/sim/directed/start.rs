//! Before the start: what blocks, what is waived, what makes no plan.

use nofm::engine::{ATTENDED_TERMINAL, Choice, Intent, Lack, Measured};
use nofm::model::{InputId, Value};

use super::{INSTALL, check, farm, stage, world};

#[test]
fn a_newer_version_than_the_one_to_reach_blocks_the_start() {
    let mut world = world(2);
    world.set("ver", Some("s2"), "2.1");
    let mut session = farm(&[&stage("servers", "", &[INSTALL])], 2, world);
    let why = session.begin().expect_err("the start is refused");
    assert!(why.contains("2.1 is installed, 2.0 is older. Set up a new farm"), "{why}");
    let check = "installed_version".into();
    let waive = Intent::Waive { check, server: Some("s2".into()), reason: "I want it".into() };
    let why = session.intent(&waive).expect_err("it is no warning");
    assert!(why.contains("a blocker is never passed"), "{why}");
}

#[test]
fn a_version_that_cannot_be_read_blocks_the_start() {
    let mut world = world(2);
    world.set("ver", Some("s1"), "a version");
    let mut session = farm(&[&stage("servers", "", &[INSTALL])], 2, world);
    let why = session.begin().expect_err("the start is refused");
    assert!(why.contains("on s1 blocks") && why.contains("cannot be read"), "{why}");
}

#[test]
fn a_check_that_is_unknown_blocks_as_one_that_fails() {
    let mut world = world(1);
    world.silence("load", Some("s1"), u64::MAX);
    let room = check("room", "here.load < 5", "phase = [\"start\"]");
    let mut session = farm(&[&room, &stage("servers", "", &[INSTALL])], 1, world);
    let why = session.begin().expect_err("the start is refused");
    assert!(why.contains("\"room\" on s1 blocks: load unknown (it did not answer)"), "{why}");
}

#[test]
fn a_server_that_can_hold_no_terminal_is_warned_of_and_its_installer_carried_out_by_hand() {
    let mut world = world(1);
    let at = (ATTENDED_TERMINAL.to_owned(), Some("s1".into()));
    world.checks.insert(at, Measured::Holds(false));
    let wizard = "id = \"wizard\"\nattended = \"setup\"";
    let mut session = farm(&[&stage("servers", "", &[wizard])], 1, world);
    let why = session.begin().expect_err("it warns");
    assert!(why.contains("no `script` (util-linux) there"), "{why}");
    let waive = Intent::Waive {
        check: ATTENDED_TERMINAL.into(),
        server: Some("s1".into()),
        reason: "we have a console there".into(),
    };
    session.intent(&waive).expect("waived");
    let plan = nofm::plan::build(&session.setup, &session.state.answers).expect("a plan");
    session.intent(&Intent::Begin { plan: plan.hash }).expect("begins");
    session.rest();
    assert!(session.question().text.contains("carry it out by hand"), "{:?}", session.question());
    assert!(!session.offered().contains(&"start"), "{:?}", session.offered());
    session.reply(Choice::Done, "").expect("it was done");
    assert!(session.is_done(), "{}", session.tail());
}

#[test]
fn where_no_installer_is_attended_no_terminal_is_asked_for() {
    let session = farm(&[&stage("servers", "", &[INSTALL])], 1, world(1)).started();
    assert!(session.state.checks.keys().all(|(check, _)| check != ATTENDED_TERMINAL));
}

#[test]
fn a_warning_is_waived_by_name_and_with_a_reason() {
    let mut world = world(1);
    world.set("load", Some("s1"), "9");
    let room = check("room", "here.load < 5", "phase = [\"start\"]\nseverity = \"warn\"");
    let mut session = farm(&[&room, &stage("servers", "", &[INSTALL])], 1, world);
    assert!(session.begin().expect_err("it warns").contains("warns and was not waived"));
    let waive = |reason: &str| Intent::Waive {
        check: "room".into(),
        server: Some("s1".into()),
        reason: reason.into(),
    };
    assert!(session.intent(&waive(" ")).expect_err("no reason").contains("with a reason only"));
    session.intent(&waive("it is idle at night")).expect("waived");
    let plan = nofm::plan::build(&session.setup, &session.state.answers).expect("a plan");
    session.intent(&Intent::Begin { plan: plan.hash }).expect("begins");
    session.rest();
    assert!(session.is_done(), "{}", session.tail());
}

#[test]
fn checks_found_under_other_answers_are_carried_out_again() {
    let room = check("room", "here.ver != target", "phase = [\"start\"]");
    let mut session = farm(&[&room, &stage("servers", "", &[INSTALL])], 1, world(1));
    session.intent(&Intent::Check { check: None, server: None }).expect("wanted");
    session.rest();
    assert_eq!(session.state.lacking(), []);
    let (input, value) = (InputId::from("version"), Value::text("1.0"));
    session.intent(&Intent::Answer { input, key: String::new(), value }).expect("answered");
    assert_eq!(session.state.lacking(), [Lack::Unchecked]);
}

#[test]
fn a_plan_that_changed_since_it_was_shown_is_not_begun() {
    let mut session = farm(&[&stage("servers", "", &[INSTALL])], 1, world(1));
    session.intent(&Intent::Check { check: None, server: None }).expect("wanted");
    session.rest();
    let why = session.intent(&Intent::Begin { plan: "of yesterday".into() }).expect_err("refused");
    assert!(why.contains("the plan changed since it was shown"), "{why}");
}

#[test]
fn the_same_procedure_twice_on_one_server_makes_no_plan() {
    let setups = "[procedures.setups]\n[[procedures.setups.steps]]\nid = \"install\"\nrun = \"install\"\n";
    let uses = "id = \"go\"\nuse = \"setups\"\n";
    // For all the profile can know, `when` may keep the two apart; the inventory shows that it does not.
    let early = stage("early", "when = \"here.name != 's9'\"", &[uses]);
    let late = stage("late", "when = \"here.name != 's8'\"", &[uses]);
    let mut session = farm(&[setups, &early, &late], 1, world(1));
    let why = session.begin().expect_err("no plan");
    assert!(why.contains("procedure `setups` would run twice on `s1`"), "{why}");
}

#[test]
fn a_fix_that_fails_can_be_given_up_and_the_check_says_how_things_stand() {
    let mut world = world(1);
    world.set("up", Some("s1"), "no");
    world.fault("start", Some("s1"), crate::sim::world::Fault::Fails(1));
    let up = check("is_up", "here.up", "phase = [\"start\"]\nfix = \"start_it\"");
    let fix = "[procedures.start_it]\n[[procedures.start_it.steps]]\nid = \"start\"\nservice = \"start\"\n";
    let mut session = farm(&[&up, fix, &stage("servers", "", &[INSTALL])], 1, world);
    session.begin().expect_err("it is down");
    let wish = Intent::Fix { check: "is_up".into(), server: Some("s1".into()) };
    session.intent(&wish).expect("fixes");
    session.rest();
    session.reply(nofm::engine::Choice::Skip, "").expect("given up");
    assert!(
        matches!(session.state.lacking().as_slice(), [Lack::Blocked { .. }]),
        "{:?}",
        session.state.lacking()
    );
    session.intent(&wish).expect("fixes");
    session.rest();
    assert_eq!(session.state.lacking(), []);
}
