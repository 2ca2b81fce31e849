//! What the vendor forbids, on the screen, and the key that lifts it.

use crossterm::event::KeyCode;
use insta::assert_snapshot;
use nofm::engine::{Ban, Event, Intent, Origin};
use nofm::profile::{Forbidden, builtin, parse};

use super::access::{joined, shown, take_in};
use super::recorded::{Recorded, usual};
use super::stand_in::StandIn;
use super::{USUAL, frame, live, press, text};
use crate::rows::farm::WHOLE;
use crate::rows::rehearsal::Scene;
use crate::sim::world::Fault;

const FORBIDS: &str = r#"
  [[failures.forbid]]
  act       = "retry"
  why       = "A second attempt may damage the database."
  lifted-by = "A support case that allows it."

  [[failures.forbid]]
  act       = "new_session"
  why       = "Install no other package after a failed one."
  lifted-by = "A support case that allows it."
"#;

/// The built-in profile with a rule after which nearly nothing may be done.
fn strict() -> String {
    let text = builtin::find("igel_ums_ha").expect("a built-in profile");
    let (before, rule) = text.split_once("id     = \"server_install\"").expect("its rule");
    let rule =
        rule.replacen("offer  = [\"retry\", \"by_hand\", \"hold\", \"abort\"]", "offer  = [\"hold\"]", 1);
    let (rule, after) = rule.split_once("  [[failures.forbid]]").expect("it forbids something");
    format!("{before}id     = \"server_install\"{rule}{FORBIDS}\n  [[failures.forbid]]{after}")
}

/// The installer failed on the second server, and the vendor forbids to go on.
fn failed() -> Recorded {
    let text = strict();
    let profile = parse("strict.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut scene = Scene::of(&profile, WHOLE);
    scene.world.fault("install", Some("ums1"), Fault::Fails(3));
    let mut rehearsal = scene.begun().expect("it begins");
    rehearsal.until_failed().expect("it fails");
    let count = rehearsal.session.journal.len();
    Recorded::with(&text, &rehearsal, count, usual)
}

/// A new session on a farm of which an earlier one said so.
fn new() -> Recorded {
    let profile = super::recorded::igel();
    let mut rehearsal = Scene::of(&profile, WHOLE).checked().expect("it is checked");
    for notice in rehearsal.session.state.open_notices() {
        rehearsal.intent(&Intent::ConfirmNotice { notice }).expect("it is confirmed");
    }
    let ban = |act, why: &str, lifted_by: Option<&str>| Ban {
        act,
        why: why.into(),
        lifted_by: lifted_by.map(str::to_owned),
        failure: "server_install".into(),
        origin: Some(Origin { session: "2026-11-20T221500Z-igel_ums_ha-03c1".into(), farm: "sim".into() }),
    };
    let bans = vec![
        ban(Forbidden::LeaveOut, "A registered server keeps all others in update mode.", None),
        ban(
            Forbidden::NewSession,
            "Install no other package after a failed one.",
            Some("A support case that allows it."),
        ),
    ];
    rehearsal.session.happens(Event::BansFound { bans });
    Recorded::whole(&rehearsal)
}

#[test]
fn the_first_page_says_what_an_earlier_session_left_forbidden() {
    let recorded = new();
    let mut face = live(&recorded);
    assert_snapshot!("barred_welcome", recorded.neutral(&text(&frame(&mut face, USUAL))));
    press(&mut face, KeyCode::Char('u'));
    assert!(text(&frame(&mut face, USUAL)).contains("names nothing that lifts it"));
    press(&mut face, KeyCode::Tab);
    press(&mut face, KeyCode::Char('u'));
    assert_snapshot!("barred_evidence", recorded.neutral(&text(&frame(&mut face, USUAL))));
}

#[test]
fn the_page_of_a_failure_says_what_is_forbidden_and_what_lifts_it() {
    let recorded = failed();
    let mut face = live(&recorded);
    assert_snapshot!("barred_failure", recorded.neutral(&text(&frame(&mut face, USUAL))));
    press(&mut face, KeyCode::Char('u'));
    assert!(text(&frame(&mut face, USUAL)).contains("Trying again is forbidden"));
    press(&mut face, KeyCode::Down);
    assert!(text(&frame(&mut face, USUAL)).contains("A new upgrade of this farm is forbidden"));
    press(&mut face, KeyCode::Enter);
    assert!(text(&frame(&mut face, USUAL)).contains("type something, or Esc"), "empty evidence is none");
}

#[test]
fn a_ban_is_lifted_with_what_the_operator_types() {
    let recorded = new();
    let stand_in = StandIn::of(&recorded);
    let mut face = joined(&recorded, "operator", false);
    press(&mut face, KeyCode::Tab);
    press(&mut face, KeyCode::Char('u'));
    for c in "case 4711".chars() {
        press(&mut face, KeyCode::Char(c));
    }
    press(&mut face, KeyCode::Enter);
    take_in(&mut face, |state| state.bans.len() == 1);
    assert!(stand_in.state().ban(Forbidden::NewSession).is_none());
    assert!(stand_in.journal().contains("case 4711"));
    assert!(!shown(&mut face).contains("Install no other package"));
}

#[test]
fn the_start_leads_back_to_what_forbids_it() {
    let recorded = new();
    let mut face = live(&recorded);
    frame(&mut face, USUAL);
    for _ in 0..9 {
        press(&mut face, KeyCode::Char('n'));
    }
    press(&mut face, KeyCode::F(10));
    let page = text(&frame(&mut face, USUAL));
    assert!(page.contains("Summary") && page.contains("a new upgrade of this farm is forbidden"), "{page}");
    press(&mut face, KeyCode::Enter);
    assert!(text(&frame(&mut face, USUAL)).contains("Welcome"));
}
