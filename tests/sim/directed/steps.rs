//! One step: its turn, its needs, its proof, its outcome.

use nofm::engine::{Choice, Event, Intent, Outcome};
use nofm::model::Known;

use super::{INSTALL, check, farm, stage, world};
use crate::sim::world::{Fault, Of};

fn outcomes(session: &crate::sim::session::Session, step: &str) -> Vec<(Outcome, Known)> {
    let settled = session.journal.iter().filter_map(|(_, event)| match event {
        Event::StepSettled { key, outcome, known, .. } if key.step == step => Some((*outcome, *known)),
        _ => None,
    });
    settled.collect()
}

#[test]
fn a_step_is_not_started_while_what_it_needs_fails() {
    let mut world = world(1);
    world.set("load", Some("s1"), "4");
    let drained = check("drained", "here.load == 0", "");
    let install = "id = \"install\"\nrun = \"install\"\nneeds = [\"drained\"]";
    let mut session = farm(&[&drained, &stage("servers", "", &[install])], 1, world).started();
    assert_eq!(session.began("install"), 0);
    assert_eq!(session.question().details[0], "`drained` must hold right before it and does not: load 4");
    assert!(!session.offered().contains(&"waive"), "a blocker is never passed");
    session.world.set("load", Some("s1"), "0");
    session.reply(Choice::LookAgain, "").expect("looks again");
    assert!(session.is_done());
}

#[test]
fn a_need_that_only_warns_is_waived_with_a_reason() {
    let mut world = world(1);
    world.set("load", Some("s1"), "4");
    let drained = check("drained", "here.load == 0", "severity = \"warn\"");
    let install = "id = \"install\"\nrun = \"install\"\nneeds = [\"drained\"]";
    let mut session = farm(&[&drained, &stage("servers", "", &[install])], 1, world).started();
    let question = session.question().id;
    let bare = Intent::Reply { question, choice: Choice::Waive, text: " ".into() };
    assert!(session.intent(&bare).expect_err("no reason").contains("needs a text"));
    session.reply(Choice::Waive, "they know").expect("waived");
    assert_eq!(session.began("install"), 1);
    assert!(session.is_done());
}

#[test]
fn what_the_others_do_not_answer_never_proves_a_drain() {
    let mut world = world(3);
    world.silence("load", Some("s3"), u64::MAX);
    let idle = check("idle", "sum(peers.load) == 0", "");
    let install = "id = \"install\"\nrun = \"install\"\nneeds = [\"idle\"]";
    let session = farm(&[&idle, &stage("servers", "", &[install])], 3, world).started();
    assert_eq!(session.began("install"), 0);
}

#[test]
fn a_condition_over_an_unknown_never_starts_its_step() {
    let mut world = world(1);
    world.silence("load", Some("s1"), u64::MAX);
    let install = "id = \"install\"\nrun = \"install\"\nwhen = \"here.load < 5\"";
    let session = farm(&[&stage("servers", "", &[install])], 1, world).started();
    assert_eq!(session.began("install"), 0);
    assert!(session.question().details[0].contains("whether it applies (here.load < 5) is unknown"));
}

#[test]
fn what_is_done_already_is_not_carried_out() {
    let mut world = world(2);
    world.set("ver", Some("s1"), "2.0");
    let session = farm(&[&stage("servers", "", &[INSTALL])], 2, world).started();
    assert_eq!(session.began_on("install"), ["s2"]);
    assert_eq!(
        outcomes(&session, "install"),
        [(Outcome::DoneBefore, Known::Seen), (Outcome::Succeeded, Known::Seen)]
    );
}

#[test]
fn a_step_that_ends_well_and_did_nothing_has_not_succeeded() {
    let mut world = world(1);
    world.fault("install", None, Fault::Lies);
    let session = farm(&[&stage("servers", "", &[INSTALL])], 1, world).started();
    assert_eq!(session.question().details[0], "it ended, but this does not hold: here.ver == target");
    assert_eq!(outcomes(&session, "install"), []);
}

#[test]
fn a_step_of_unknown_outcome_is_settled_by_its_proof() {
    let mut world = world(1);
    world.fault("install", None, Fault::Lost(true));
    let session = farm(&[&stage("servers", "", &[INSTALL])], 1, world).started();
    assert_eq!(outcomes(&session, "install"), [(Outcome::Succeeded, Known::Seen)]);
    assert_eq!(session.began("install"), 1);
}

#[test]
fn a_step_of_unknown_outcome_without_a_proof_is_the_operators_to_settle() {
    let mut world = world(1);
    world.fault("install", None, Fault::Lost(true));
    let run = "id = \"install\"\nrun = \"install\"";
    let mut session = farm(&[&stage("servers", "", &[run])], 1, world).started();
    assert_eq!(session.offered(), ["succeeded", "failed", "hold"], "no retry");
    session.reply(Choice::Succeeded, "I looked").expect("settled");
    assert_eq!(outcomes(&session, "install"), [(Outcome::Succeeded, Known::Told)]);
    assert!(session.is_done());
}

#[test]
fn an_optional_step_is_carried_out_on_the_operators_word_alone() {
    let extra = "id = \"extra\"\nrun = \"extra\"\noptional = true";
    let mut session = farm(&[&stage("servers", "", &[extra, INSTALL])], 2, world(2)).started();
    assert_eq!((session.began("extra"), session.began("install")), (0, 0));
    session.reply(Choice::Skip, "").expect("skipped");
    session.reply(Choice::Do, "").expect("wanted");
    assert_eq!(session.began_on("extra"), ["s2"]);
    assert!(session.is_done());
}

#[test]
fn an_optional_procedure_is_asked_about_where_its_first_step_is_not_for_the_server() {
    let extras = "[procedures.extras]\n\
        [[procedures.extras.steps]]\nid = \"note\"\nrun = \"note\"\non = \"first\"\n\
        [[procedures.extras.steps]]\nid = \"extra\"\nrun = \"extra\"\n\
        [[procedures.extras.steps]]\nid = \"mates\"\nrun = \"extra\"\n";
    let uses = "id = \"more\"\nuse = \"extras\"\noptional = true";
    let mut session = farm(&[extras, &stage("servers", "", &[uses, INSTALL])], 2, world(2)).started();
    session.reply(Choice::Do, "").expect("wanted on the first");
    assert_eq!((session.began_on("note"), session.began_on("extra")), (vec!["s1".into()], vec!["s1".into()]));
    assert_eq!(session.began_on("mates"), ["s1"], "one answer counts for the whole procedure");
    session.reply(Choice::Skip, "").expect("skipped on the second");
    assert_eq!((session.began("extra"), session.began("mates")), (1, 1));
    assert!(session.is_done());
}

#[test]
fn a_tolerated_failure_becomes_something_to_do() {
    let mut world = world(1);
    world.fault("note", None, Fault::Fails(3));
    let note = "id = \"note\"\nrun = \"note\"\nrequired = false";
    let session = farm(&[&stage("servers", "", &[note, INSTALL])], 1, world).started();
    assert!(session.is_done());
    assert_eq!(outcomes(&session, "note"), [(Outcome::Tolerated, Known::Seen)]);
    assert!(session.state.to_do[0].contains("exit status 3"), "{:?}", session.state.to_do);
}

#[test]
fn a_step_at_the_peers_succeeds_only_when_it_does_everywhere() {
    let mut world = world(3);
    world.fault("mates", Some("s1"), Fault::Fails(1));
    let mates = "id = \"mates\"\nrun = \"note\"\nat = \"peers\"";
    let mut session = farm(&[&stage("servers", "", &[mates])], 3, world).started();
    // It ran at both others of s1, and failed at one of them.
    assert_eq!(session.began("mates"), 2);
    assert_eq!(outcomes(&session, "mates"), []);
    session.reply(Choice::Retry, "").expect("offered");
    assert_eq!(outcomes(&session, "mates").len(), 3);
    assert!(session.is_done());
}

#[test]
fn a_step_at_the_peers_of_a_lone_server_is_skipped_and_not_done() {
    let mates = "id = \"mates\"\nrun = \"note\"\nat = \"peers\"";
    let session = farm(&[&stage("servers", "", &[mates])], 1, world(1)).started();
    assert_eq!(outcomes(&session, "mates"), [(Outcome::Skipped, Known::Inferred)]);
    assert!(session.is_done());
}

#[test]
fn a_slow_step_is_asked_about_and_never_cut_off_or_started_again() {
    let mut world = world(1);
    world.fault("install", None, Fault::Slow(500));
    let install = "id = \"install\"\nrun = \"install\"\ndone = \"here.ver == target\"\nlate = \"20m\"";
    let mut session = farm(&[&stage("servers", "", &[install])], 1, world)
        .started_until(|session| !session.state.questions.is_empty());
    assert!(session.question().text.contains("late"), "{}", session.question().text);
    session.rest();
    assert!(session.is_done(), "nobody answered, and it ended well: {}", session.tail());
    assert_eq!(session.began("install"), 1);
    assert_eq!(session.state.questions.len(), 0);
}

#[test]
fn n_counts_the_servers_seen_to_be_updated_and_no_others() {
    let run = "id = \"install\"\nrun = \"install\"";
    let mut world = world(2);
    world.silence("ver", Some("s2"), 60_000);
    let mut session = farm(&[&stage("servers", "", &[run])], 2, world);
    session.begin().expect_err("its version is unknown");
    session.pass(60_000);
    let mut session = session.started();
    assert!(session.is_done());
    assert_eq!(session.state.tally().map(|tally| (tally.updated, tally.told, tally.of)), Some((2, 0, 2)));
    session.intent(&Intent::Survey).expect_err("it is closed");
}

/// A version that the operator is asked for where the server does not tell it.
const TOLD: &str = "[facts.told]\nroles = [\"server\"]\nrun = \"show told\"\nkind = \"version\"\nask = \"Which version is it?\"\n";

#[test]
fn whether_a_step_is_done_already_is_never_asked_of_the_operator() {
    let mut world = world(1);
    world.silence("told", Some("s1"), u64::MAX);
    let install = "id = \"install\"\nrun = \"install\"\ndone = \"here.told == target\"";
    let mut session = farm(&[TOLD, &stage("servers", "", &[install])], 1, world).started();
    assert_eq!(session.began("install"), 1, "an unknown `done` keeps nothing from being started");
    assert_eq!(session.offered(), ["tell", "unknown", "hold"], "whether it worked is asked");
    session.reply(Choice::Tell, "2.0").expect("told");
    assert!(session.is_done());
    let asked = session.count(|event| matches!(event, Event::Asked { .. }));
    assert_eq!(asked, 1, "{}", session.tail());
}

#[test]
fn what_was_told_of_the_last_step_does_not_prove_the_next_one_done() {
    let mut world = world(1);
    world.silence("told", Some("s1"), u64::MAX);
    let step = |id: &str| format!("id = \"{id}\"\nrun = \"{id}\"\ndone = \"here.told == target\"");
    let (install, note) = (step("install"), step("note"));
    let mut session = farm(&[TOLD, &stage("servers", "", &[&install, &note])], 1, world).started();
    session.reply(Choice::Tell, "2.0").expect("told");
    assert_eq!(session.began("note"), 1, "the word was about the step before: {}", session.tail());
    session.reply(Choice::Tell, "2.0").expect("told again");
    assert!(session.is_done());
}

#[test]
fn what_a_condition_and_done_both_look_at_is_asked_for() {
    let mut world = world(1);
    world.silence("told", Some("s1"), u64::MAX);
    let install =
        "id = \"install\"\nrun = \"install\"\nwhen = \"here.told != '0'\"\ndone = \"here.told == target\"";
    let mut session = farm(&[TOLD, &stage("servers", "", &[install])], 1, world).started();
    assert_eq!(session.began("install"), 0);
    session.reply(Choice::Tell, "2.0").expect("told");
    assert_eq!(outcomes(&session, "install"), [(Outcome::DoneBefore, Known::Seen)]);
}

#[test]
fn what_a_procedure_needs_is_looked_at_before_the_first_of_its_steps_that_is_carried_out() {
    let drained = check("drained", "here.load == 0", "");
    let procedure = "[procedures.setups]\n[[procedures.setups.steps]]\nid = \"note\"\nrun = \"note\"\ndone = \"here.up\"\n\
        [[procedures.setups.steps]]\nid = \"install\"\nrun = \"install\"\n\
        [[procedures.setups.steps]]\nid = \"extra\"\nrun = \"extra\"\n";
    let uses = "id = \"setups\"\nuse = \"setups\"\nneeds = [\"drained\"]";
    let mut loaded = world(1);
    loaded.set("load", Some("s1"), "7");
    // What was needed may be otherwise once something was carried out.
    loaded.effects.get_mut("install").expect("its effect").sets.push(("load", Of::Here, "9".to_owned()));
    let mut session = farm(&[&drained, procedure, &stage("servers", "", &[uses])], 1, loaded).started();
    assert_eq!(outcomes(&session, "setups.note"), [(Outcome::DoneBefore, Known::Seen)]);
    assert_eq!((session.began("install"), session.offered()[0]), (0, "look_again"), "{}", session.tail());
    session.world.set("load", Some("s1"), "0");
    session.reply(Choice::LookAgain, "").expect("offered");
    assert!(session.is_done(), "{}", session.tail());
    assert_eq!((session.began("install"), session.began("extra")), (1, 1));
}
