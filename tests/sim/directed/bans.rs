//! What is forbidden after a failure, until it is lifted.

use nofm::engine::{About, Ban, Choice, Close, Event, Intent, Lack, Origin};
use nofm::profile::{self, Act, Forbidden, PerOs};

use super::{INSTALL, farm_with_rules, stage, world};
use crate::sim::generate::inventory;
use crate::sim::session::Session;
use crate::sim::world::Fault;

fn ban(act: Forbidden, lifted_by: Option<&str>, foreign: bool) -> Ban {
    let origin = Origin { session: "2026-11-21T041233Z-sim-7f3a".into(), farm: "the same".into() };
    Ban {
        act,
        why: "The database may be half upgraded.".into(),
        lifted_by: lifted_by.map(str::to_owned),
        failure: "any".into(),
        origin: foreign.then_some(origin),
    }
}

fn found(session: &mut Session, bans: &[Ban]) {
    session.happens(Event::BansFound { bans: bans.to_vec() });
    session.rest();
}

fn lift(session: &mut Session, ban: &Ban, evidence: &str) -> Result<(), String> {
    let answer =
        session.intent(&Intent::LiftBan { act: ban.act, why: ban.why.clone(), evidence: evidence.into() });
    session.rest();
    answer
}

const ANY: &str = "[[failures]]\nid = \"any\"\noffer = [\"retry\", \"leave_out\", \"hold\", \"abort\"]\n";

#[test]
fn a_new_upgrade_does_not_begin_until_what_forbids_it_is_lifted() {
    let mut session = farm_with_rules(&[&stage("servers", "", &[INSTALL]), ANY], 1, world(1));
    let ban = ban(Forbidden::NewSession, Some("a support case"), true);
    found(&mut session, std::slice::from_ref(&ban));
    let refused = session.begin().expect_err("it is forbidden");
    assert!(refused.contains(&ban.why) && refused.contains("2026-11-21T041233Z-sim-7f3a"), "{refused}");
    assert_eq!(session.state.lacking(), [Lack::Banned(ban.clone())], "the checks may be carried out");
    for nothing in ["", " \t"] {
        lift(&mut session, &ban, nothing).expect_err("without evidence");
    }
    let other = Ban { why: "Something else.".into(), ..ban.clone() };
    lift(&mut session, &other, "case 4711").expect_err("it does not stand");
    lift(&mut session, &ban, " case 4711 ").expect("lifted");
    let evidence = session.journal.iter().rev().find_map(|(_, event)| match event {
        Event::BanLifted { evidence, .. } => Some(evidence.as_str()),
        _ => None,
    });
    assert_eq!(evidence, Some("case 4711"));
    session.begin().expect("nothing is in the way");
}

#[test]
fn of_two_reasons_one_is_lifted_and_what_nothing_lifts_stays() {
    let mut session = farm_with_rules(&[&stage("servers", "", &[INSTALL]), ANY], 1, world(1));
    let first = ban(Forbidden::NewSession, Some("a support case"), true);
    let second = Ban { why: "The licence is used up.".into(), lifted_by: None, ..first.clone() };
    found(&mut session, &[first.clone(), second.clone()]);
    lift(&mut session, &first, "case 4711").expect("lifted");
    let why = lift(&mut session, &second, "case 4711").expect_err("nothing lifts it");
    assert!(why.contains("names nothing that lifts it"), "{why}");
    assert_eq!(session.state.bans, [second]);
    session.begin().expect_err("it is forbidden still");
}

#[test]
fn a_session_that_was_begun_holds_where_another_forbade_to_go_on() {
    let mut world = world(2);
    world.fault("install", Some("s1"), Fault::Fails(1));
    let mut session = farm_with_rules(&[&stage("servers", "", &[INSTALL]), ANY], 2, world).started();
    let ban = ban(Forbidden::NewSession, Some("a support case"), true);
    found(&mut session, std::slice::from_ref(&ban));
    let question = session.question().clone();
    assert_eq!(question.about, About::Barred(Forbidden::NewSession, None));
    assert!(question.details.iter().any(|line| line.contains(&ban.why)), "{question:?}");
    assert!(question.details.iter().any(|line| line.contains("a support case")), "{question:?}");
    assert_eq!(session.offered(), ["hold", "abort"]);
    session.reply(Choice::Hold, "").expect("it can be left");
    assert!(matches!(session.state.closed, Some(Close::Stopped { .. })), "{}", session.tail());
    session.resume();
    session.rest();
    assert_eq!(session.question().about, About::Barred(Forbidden::NewSession, None), "it is asked again");
    lift(&mut session, &ban, "case 4711").expect("lifted");
    session.reply(Choice::Retry, "").expect("the failure is asked about");
    assert_eq!(session.began("install"), 3, "{}", session.tail());
}

#[test]
fn what_runs_is_seen_to_its_end_and_nothing_follows_it() {
    let steps = ["id = \"extra\"\nrun = \"extra\"", INSTALL];
    let mut session = farm_with_rules(&[&stage("servers", "", &steps), ANY], 1, world(1));
    session.begin().expect("nothing is in the way");
    session.go(u64::MAX, |session| session.began("extra") == 1);
    let ban = ban(Forbidden::NewSession, Some("a support case"), true);
    found(&mut session, std::slice::from_ref(&ban));
    let ended = session.journal.iter().any(|(_, event)| matches!(event, Event::TargetEnded { .. }));
    assert!(ended && session.began("install") == 0, "{}", session.tail());
    lift(&mut session, &ban, "case 4711").expect("lifted");
    assert_eq!(session.state.close(), Some(&Close::Done), "{}", session.tail());
}

#[test]
fn a_session_goes_on_as_its_own_rule_says_though_a_new_one_is_forbidden() {
    let mut world = world(1);
    world.fault("install", None, Fault::Fails(1));
    let rule = "[[failures]]\nid = \"any\"\noffer = [\"retry\", \"hold\"]\n[[failures.forbid]]\nact = \"new_session\"\nwhy = \"Ask first.\"\nlifted-by = \"a case\"\n";
    let mut session = farm_with_rules(&[&stage("servers", "", &[INSTALL]), rule], 1, world).started();
    assert_eq!(session.state.bans.len(), 1);
    session.reply(Choice::Retry, "").expect("it is offered");
    assert_eq!(session.state.close(), Some(&Close::Done), "{}", session.tail());
}

#[test]
fn no_server_is_left_out_by_whatever_way_where_that_is_forbidden() {
    let mut world = world(2);
    world.fault("install", Some("s1"), Fault::Fails(1));
    let mut session = farm_with_rules(&[&stage("servers", "", &[INSTALL]), ANY], 2, world).started();
    assert!(session.offered().contains(&"leave_out"), "{:?}", session.offered());
    let ban = ban(Forbidden::LeaveOut, None, true);
    found(&mut session, std::slice::from_ref(&ban));
    assert!(!session.offered().contains(&"leave_out"), "{:?}", session.offered());
    let leave_out = Intent::LeaveOut { server: "s2".into(), reason: "it burns".into() };
    assert_eq!(session.intent(&leave_out), Err(ban.why));
    assert!(session.state.left_out.is_empty());
}

#[test]
fn where_everything_is_forbidden_the_session_can_still_be_held() {
    let mut world = world(1);
    world.fault("install", None, Fault::Fails(1));
    let step = "id = \"install\"\nrun = \"install {{ target }}\"";
    let mut session = farm_with_rules(&[&stage("servers", "", &[step]), ANY], 1, world).started();
    let all = Forbidden::WORDS.map(|(_, act)| ban(act, None, false));
    found(&mut session, &all);
    assert_eq!(session.offered(), ["hold"]);
    session.reply(Choice::Hold, "").expect("it can be left");
    assert!(matches!(session.state.closed, Some(Close::Stopped { .. })), "{}", session.tail());
}

#[test]
fn no_server_is_rebooted_while_that_is_forbidden() {
    let step = "id = \"extra\"\nrun = \"extra\"";
    let text = format!("{}{}{}{ANY}", super::HEAD, super::ROLE, stage("servers", "", &[step]));
    let mut profile = profile::parse("sim", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let reboot = &mut profile.stages[0].steps[0];
    reboot.act = PerOs { linux: Some(Act::Reboot), unix: None, windows: None };
    let mut session = Session::of(profile, inventory(&[("s1", &["server"])]), world(1));
    let ban = ban(Forbidden::Reboot, Some("the vendor's word that nothing runs any more"), true);
    found(&mut session, std::slice::from_ref(&ban));
    session.begin().expect("that alone is no new upgrade");
    session.rest();
    let about = session.question().about.clone();
    assert!(matches!(about, About::Barred(Forbidden::Reboot, Some(_))), "{about:?}");
    assert_eq!(session.offered(), ["hold", "abort"]);
    let intended = |session: &Session| {
        session.journal.iter().any(|(_, event)| matches!(event, Event::StepIntended { .. }))
    };
    assert!(!intended(&session), "{}", session.tail());
    lift(&mut session, &ban, "case 4711").expect("lifted");
    assert!(intended(&session), "{}", session.tail());
}
