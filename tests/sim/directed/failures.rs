//! After a failure: what is offered, what is forbidden, recoveries and rounds.

use nofm::engine::{Choice, Close, Event, Intent, ScriptRef};
use nofm::profile::Forbidden;

use super::{INSTALL, farm, farm_with_rules, stage, world};
use crate::sim::world::Fault;

const RENEW: &str =
    "id = \"renew\"\non = \"last\"\nonce = true\nrun = \"renew\"\ndone = \"farm.schema == 2\"";
const RUN: &str = "id = \"install\"\nrun = \"install\"";
const RESTORE: &str = "[procedures.restore]\n[[procedures.restore.steps]]\nid = \"restore_db\"\nrun = \"restore\"\nat = \"local\"\n";

fn rule(id: &str, keys: &str) -> String {
    format!("[[failures]]\nid = \"{id}\"\n{keys}\n")
}

fn any(offer: &str) -> String {
    rule("any", &format!("offer = [{offer}]"))
}

#[test]
fn a_step_for_once_that_was_lost_is_never_offered_again() {
    let mut world = world(2);
    world.fault("renew", None, Fault::Lost(false));
    let mut session = farm(&[&stage("servers", "", &[INSTALL, RENEW])], 2, world).started();
    assert_eq!(session.offered(), ["look_again", "succeeded", "failed", "hold"]);
    session.reply(Choice::LookAgain, "").expect("nothing is to be seen");
    assert_eq!(session.state.failures.len(), 1, "found as before: {:?}", session.state.failures);
    session.reply(Choice::Failed, "I looked").expect("settled");
    assert!(!session.offered().contains(&"retry"), "{:?}", session.offered());
    let question = session.question().id;
    let retry = Intent::Reply { question, choice: Choice::Retry, text: String::new() };
    assert!(session.intent(&retry).expect_err("refused").contains("once in a round"));
    session.world.set("schema", None, "2");
    session.reply(Choice::LookAgain, "").expect("the proof settles it");
    assert!(session.is_done());
    assert_eq!(session.began("renew"), 1);
}

#[test]
fn a_step_for_once_that_never_began_may_be_begun() {
    let mut world = world(2);
    world.fault("renew", None, Fault::NotStarted);
    let mut session = farm(&[&stage("servers", "", &[INSTALL, RENEW])], 2, world).started();
    session.reply(Choice::Retry, "").expect("nothing was started");
    assert!(session.is_done(), "{}", session.tail());
    assert_eq!(session.began("renew"), 1);
}

#[test]
fn a_step_for_once_is_carried_out_on_one_of_servers_that_come_to_it_together() {
    let once = "id = \"renew\"\nonce = true\nrun = \"renew\"";
    let session = farm(&[&stage("servers", "at-a-time = \"all\"", &[once, INSTALL])], 3, world(3)).started();
    assert_eq!(session.began_on("renew"), ["s1"]);
    assert!(session.is_done(), "{}", session.tail());
}

#[test]
fn a_recovery_that_undoes_a_step_for_once_begins_a_new_round_in_which_it_runs_again() {
    let mut world = world(2);
    world.fault("renew", None, Fault::FailsAfterwards(1));
    let once = "id = \"renew\"\non = \"last\"\nonce = true\nrun = \"renew\"";
    let rules = [
        rule("back", "steps = [\"renew\"]\noffer = [\"recover\", \"retry\"]\nrecover = \"restore\"\nundoes = [\"renew\"]\nthen = \"stage:servers\""),
        any("\"hold\""),
    ]
    .concat();
    let mut session =
        farm_with_rules(&[&stage("servers", "", &[INSTALL, once]), RESTORE, &rules], 2, world).started();
    assert_eq!(session.offered(), ["recover", "hold"], "it is carried out once in a round");
    session.reply(Choice::Recover, "").expect("offered");
    assert_eq!(session.state.round, 2);
    assert_eq!((session.began("restore"), session.began("renew")), (1, 2));
    assert_eq!(session.began("install"), 2, "what is done is not done again");
    assert!(session.is_done(), "{}", session.tail());
}

#[test]
fn a_stage_whose_servers_are_all_left_out_is_no_end_of_a_later_round() {
    let mut world = world(2);
    world.fault("renew", None, Fault::FailsAfterwards(1));
    let once = "id = \"renew\"\non = \"first\"\nonce = true\nrun = \"renew\"";
    let rules = [
        rule("back", "steps = [\"renew\"]\noffer = [\"recover\"]\nrecover = \"restore\"\nundoes = [\"renew\"]\nthen = \"stage:servers\""),
        any("\"hold\""),
    ]
    .concat();
    let stages = [
        stage("servers", "", &[once]),
        stage("further", "when = \"here.name == 's2'\"", &["id = \"extra\"\nrun = \"extra\""]),
    ]
    .concat();
    let mut session = farm_with_rules(&[&stages, RESTORE, &rules], 2, world).started();
    session
        .intent(&Intent::LeaveOut { server: "s2".into(), reason: "it burns".into() })
        .expect("it was not touched");
    session.reply(Choice::Recover, "").expect("offered");
    assert_eq!((session.state.round, session.began("renew"), session.began("extra")), (2, 2, 0));
    assert!(session.is_done(), "{}", session.tail());
}

#[test]
fn a_recovery_that_undoes_a_step_for_once_and_tries_it_again_may_do_so() {
    let mut world = world(1);
    world.fault("renew", None, Fault::Fails(1));
    let once = "id = \"renew\"\nonce = true\nrun = \"renew\"";
    let rules = [
        rule("back", "steps = [\"renew\"]\noffer = [\"recover\"]\nrecover = \"restore\"\nundoes = [\"renew\"]\nthen = \"retry\""),
        any("\"hold\""),
    ]
    .concat();
    let mut session = farm_with_rules(&[&stage("servers", "", &[once]), RESTORE, &rules], 1, world).started();
    session.reply(Choice::Recover, "").expect("offered");
    assert_eq!(session.began("renew"), 2);
    assert!(session.is_done(), "{}", session.tail());
}

#[test]
fn a_recovery_begins_when_nothing_runs_any_more() {
    let mut world = world(2);
    world.fault("install", Some("s1"), Fault::Fails(1));
    world.fault("install", Some("s2"), Fault::Slow(10));
    let rules = [
        rule(
            "back",
            "steps = [\"install\"]\noffer = [\"recover\"]\nrecover = \"restore\"\nthen = \"stage:servers\"",
        ),
        any("\"hold\""),
    ]
    .concat();
    let servers = stage("servers", "at-a-time = \"all\"", &[RUN]);
    let mut session = farm_with_rules(&[&servers, RESTORE, &rules], 2, world)
        .started_until(|session| !session.state.questions.is_empty());
    let question = session.question().id;
    session
        .intent(&Intent::Reply { question, choice: Choice::Recover, text: String::new() })
        .expect("offered");
    session.go(u64::MAX, |session| session.began("restore") == 1);
    let ended = session.count(
        |event| matches!(event, Event::TargetEnded { key, .. } if key.lane.server == Some("s2".into())),
    );
    assert_eq!(ended, 1, "the other server's step was seen to its end first");
    session.rest();
    assert!(session.is_done(), "{}", session.tail());
}

#[test]
fn a_recovery_that_ends_the_upgrade_ends_it_though_the_runner_dies() {
    let mut world = world(2);
    world.fault("install", None, Fault::Fails(1));
    let rules = [
        rule("back", "steps = [\"install\"]\noffer = [\"recover\"]\nrecover = \"restore\""),
        any("\"hold\""),
    ]
    .concat();
    let mut session = farm_with_rules(&[&stage("servers", "", &[RUN]), RESTORE, &rules], 2, world).started();
    let question = session.question().id;
    session
        .intent(&Intent::Reply { question, choice: Choice::Recover, text: String::new() })
        .expect("offered");
    session.go(u64::MAX, |session| {
        let recovered = |event: &Event| matches!(event, Event::LaneDone { lane } if matches!(lane.script, ScriptRef::Recovery(_)));
        session.journal.iter().rev().take(2).any(|(_, event)| recovered(event))
    });
    session.crash();
    session.rest();
    assert!(
        matches!(&session.state.closed, Some(Close::Failed { why }) if why.contains("recovery")),
        "{}",
        session.tail()
    );
    assert_eq!(session.began("install"), 1, "the next server is not touched");
}

#[test]
fn what_a_profile_forbids_is_refused_with_its_reason_on_every_server_and_stays() {
    let mut world = world(2);
    world.fault("install", Some("s1"), Fault::Fails(1));
    world.fault("extra", Some("s2"), Fault::Fails(1));
    let rules = [
        rule("hands_off", "steps = [\"extra\"]\noffer = [\"by_hand\", \"hold\"]\n[[failures.forbid]]\nact = \"retry\"\nwhy = \"Call support.\"\nlifted-by = \"a case number\""),
        any("\"retry\", \"hold\""),
    ]
    .concat();
    let extra = "id = \"extra\"\nrun = \"extra\"\non = \"last\"";
    let servers = stage("servers", "at-a-time = \"all\"", &[extra, RUN]);
    let mut session = farm_with_rules(&[&servers, &rules], 2, world).started();
    // The question of s1 stood, and offered it, before s2 failed.
    let of = |session: &crate::sim::session::Session, server: &str| {
        let about =
            |question: &&nofm::engine::Question| question.about.server().is_some_and(|name| *name == server);
        session.state.questions.values().find(about).cloned().expect("it is asked")
    };
    let question = of(&session, "s1");
    assert_eq!(
        question.option(Choice::Retry).and_then(|option| option.refused.clone()),
        Some("Call support.".into())
    );
    let retry = Intent::Reply { question: question.id, choice: Choice::Retry, text: String::new() };
    assert_eq!(session.intent(&retry), Err("Call support.".to_owned()));
    session.crash();
    session.rest();
    assert_eq!(session.state.bans.len(), 1, "it outlives the runner");
    let lift = |evidence: &str| Intent::LiftBan {
        act: Forbidden::Retry,
        why: "Call support.".into(),
        evidence: evidence.into(),
    };
    session.intent(&lift(" ")).expect_err("without evidence");
    session.intent(&lift("case 4711")).expect("lifted");
    session.rest();
    let question = of(&session, "s1").id;
    session
        .intent(&Intent::Reply { question, choice: Choice::Retry, text: String::new() })
        .expect("offered again");
}

#[test]
fn the_first_rule_that_fits_counts() {
    let mut world = world(1);
    world.fault("install", None, Fault::Fails(1));
    let rules = [
        rule("other_step", "steps = [\"renew\"]\noffer = [\"abort\"]"),
        rule("not_yet", "after = [\"renew\"]\noffer = [\"abort\"]"),
        rule("unknown", "when = \"farm.schema == 9\"\noffer = [\"abort\"]"),
        rule("this", "stages = [\"servers\"]\ntext = \"As the vendor says on {{ here.name }}.\"\noffer = [\"by_hand\"]"),
        any("\"retry\""),
    ]
    .concat();
    let session = farm_with_rules(&[&stage("servers", "", &[INSTALL, RENEW]), &rules], 1, world).started();
    assert_eq!(session.offered(), ["look_again", "by_hand", "hold"]);
    assert!(session.question().details.contains(&"As the vendor says on s1.".to_owned()));
}

#[test]
fn the_first_cause_stays_through_every_retry() {
    let mut world = world(1);
    world.fault("install", None, Fault::Fails(7));
    world.fault("install", None, Fault::Fails(8));
    let mut session = farm(&[&stage("servers", "", &[RUN])], 1, world).started();
    session.reply(Choice::Retry, "").expect("offered");
    assert_eq!(session.question().details, ["on s1: exit status 8", "first cause: on s1: exit status 7"]);
    session.reply(Choice::Retry, "").expect("offered");
    assert!(session.is_done());
    assert_eq!(session.state.failures.len(), 2);
}

#[test]
fn gates_are_not_passed_by_hand() {
    let mut world = world(1);
    world.set("up", Some("s1"), "no");
    let up = super::check("is_up", "here.up", "");
    let mut session = farm(&[&up, &stage("servers", "gates = [\"is_up\"]", &[RUN])], 1, world).started();
    let question = session.question().id;
    let by_hand = Intent::Reply { question, choice: Choice::ByHand, text: String::new() };
    assert!(session.intent(&by_hand).expect_err("refused").contains("gates are not carried out"));
}

#[test]
fn a_retry_that_is_ordered_while_paused_waits() {
    let mut world = world(1);
    world.fault("install", None, Fault::Fails(1));
    let mut session = farm(&[&stage("servers", "", &[RUN])], 1, world).started();
    session.intent(&Intent::Pause { server: None }).expect("paused");
    session.reply(Choice::Retry, "").expect("ordered");
    assert_eq!(session.began("install"), 1);
    session.intent(&Intent::Unpause { server: None }).expect("goes on");
    session.rest();
    assert_eq!(session.began("install"), 2);
}

const SUPPORT: &str = "[procedures.support]\n[[procedures.support.steps]]\nid = \"logs\"\ncollect = [\"/var/log/{{ here.name }}\"]\n";
const COLLECTS: &str = "[[failures]]\nid = \"any\"\noffer = [\"retry\", \"collect\", \"hold\"]\n";

#[test]
fn what_support_needs_is_collected_and_the_failure_is_asked_about_again() {
    let mut world = world(2);
    world.fault("install", Some("s1"), Fault::Fails(1));
    let mut session =
        farm_with_rules(&[&stage("servers", "", &[INSTALL]), SUPPORT, COLLECTS], 2, world).started();
    let first = session.question().clone();
    assert!(session.offered().contains(&"collect"), "{first:#?}");
    session.reply(Choice::Collect, "").expect("offered");
    assert_eq!(session.began_on("logs"), ["s1"]);
    let again = session.question().clone();
    assert_ne!(again.id, first.id);
    assert_eq!((again.about, again.details), (first.about, first.details), "the first cause stays");
    assert_eq!(session.began("install"), 1, "nothing else went on");
    session.reply(Choice::Retry, "").expect("offered");
    assert!(session.is_done());
    assert_eq!(session.began_on("install"), ["s1", "s1", "s2"]);
}

#[test]
fn what_cannot_be_collected_is_told_and_is_no_failure_of_the_upgrade() {
    let mut world = world(1);
    world.fault("install", None, Fault::Fails(1));
    world.fault("logs", None, Fault::Fails(1));
    let mut session =
        farm_with_rules(&[&stage("servers", "", &[INSTALL]), SUPPORT, COLLECTS], 1, world).started();
    session.reply(Choice::Collect, "").expect("offered");
    assert_eq!(session.offered(), ["look_again", "retry", "collect", "hold"]);
    assert!(session.state.to_do[0].contains("logs"), "{:?}", session.state.to_do);
    assert_eq!(session.state.failures[0].key.step.as_str(), "install", "the first cause stays");
    session.reply(Choice::Retry, "").expect("offered");
    assert!(session.is_done());
}

#[test]
fn what_is_collected_elsewhere_is_not_offered_for_a_server_that_has_none_of_it() {
    let mut world = world(1);
    world.fault("note", None, Fault::Fails(1));
    let farm_stage =
        "[[stages]]\nid = \"whole\"\ntitle = \"whole\"\n[[stages.steps]]\nid = \"note\"\nrun = \"note\"\n";
    let session =
        farm_with_rules(&[&stage("servers", "", &[INSTALL]), farm_stage, SUPPORT, COLLECTS], 1, world)
            .started();
    let question = session.question();
    let refused = question.option(Choice::Collect).and_then(|option| option.refused.clone());
    assert_eq!(refused.as_deref(), Some("the profile has no step that collects from the farm"));
}

#[test]
fn a_step_of_a_recovery_that_fails_may_be_tried_again_or_done_by_hand_whatever_the_rule_says() {
    for choice in [Choice::Retry, Choice::ByHand] {
        let mut failing = world(1);
        failing.fault("install", None, Fault::Fails(1));
        failing.fault("restore", None, Fault::Fails(1));
        let rules = [
            rule("back", "offer = [\"recover\"]\nrecover = \"restore\"\nundoes = []\nthen = \"retry\"\n[[failures.forbid]]\nact = \"retry\"\nwhy = \"It would install twice.\""),
            any("\"hold\""),
        ]
        .concat()
        .replace("id = \"back\"", "id = \"back\"\nsteps = [\"install\"]");
        let mut session =
            farm_with_rules(&[&stage("servers", "", &[RUN]), RESTORE, &rules], 1, failing).started();
        session.reply(Choice::Recover, "").expect("offered");
        assert_eq!(session.offered()[..2], ["retry", "by_hand"], "{}", session.tail());
        session.reply(choice, "").expect("never silently stuck");
        assert!(session.is_done(), "{}", session.tail());
    }
}
