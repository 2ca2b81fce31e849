//! Restarts of servers: once, whatever happens to the runner meanwhile.

use nofm::engine::{Before, Choice, Event, Outcome, Place};
use nofm::model::Known;

use super::{INSTALL, farm, farm_with_rules, stage, world};
use crate::sim::session::{Crashes, Session};
use crate::sim::world::{Effect, Fault, World};

const RESTART: &str = "id = \"reboot\"\nreboot = true\ntimeout = \"10m\"";

fn place() -> Place {
    Place::Server("s1".into())
}

fn one(world: World) -> Session {
    farm(&[&stage("servers", "", &[INSTALL, RESTART])], 1, world)
}

fn looked_up(session: &Session) -> Vec<&str> {
    let found = session.journal.iter().filter_map(|(_, event)| match event {
        Event::LookedUp { before: Before::Boot(boot), .. } => Some(boot.as_str()),
        _ => None,
    });
    found.collect()
}

#[test]
fn a_server_is_restarted_once_though_the_runner_dies_after_every_event() {
    for seed in 0..8 {
        let mut session = one(world(1));
        session.crashes = if seed == 0 { Crashes::Always } else { Crashes::Percent(20 + seed) };
        let session = session.started();
        assert!(session.is_done(), "{}", session.tail());
        assert_eq!((session.began("reboot"), session.world.boots[&place()]), (1, 1));
        assert_eq!(looked_up(&session), ["boot-0"], "it goes by what was before the first try");
    }
}

#[test]
fn a_server_that_was_restarted_while_nobody_looked_is_not_restarted_again() {
    let is_ordered = |session: &Session| {
        session
            .state
            .active_lanes()
            .any(|lane| lane.is_running() && session.state.step_key(lane).step.as_str() == "reboot")
    };
    let mut session = one(world(1)).started_until(is_ordered);
    let key = session.state.step_key(session.state.active_lanes().next().expect("one"));
    let before = Before::Boot("boot-0".to_owned());
    session.happens(Event::LookedUp { key, place: place(), before });
    session.world.boots.insert(place(), 1);
    session.crash();
    session.rest();
    assert!(session.is_done(), "{}", session.tail());
    assert_eq!(session.began("reboot"), 0);
    let seen = |event: &Event| matches!(event, Event::StepSettled { key, outcome: Outcome::Succeeded, known: Known::Seen, .. } if key.step.as_str() == "reboot");
    assert_eq!(session.count(seen), 1);
}

#[test]
fn a_server_that_does_not_come_back_is_the_operator_s_to_judge() {
    let mut slow = world(1);
    slow.effects.insert("reboot", Effect { takes_ms: 60_000, ..Effect::default() });
    slow.fault("reboot", None, Fault::Slow(20));
    let mut session = one(slow).started_until(|session| !session.state.questions.is_empty());
    assert!(session.question().text.contains("is late, it has run for 10m00"), "{}", session.question().text);
    session.reply(Choice::Unknown, "").expect("offered");
    assert_eq!(session.offered(), ["succeeded", "failed", "hold"]);
    session.reply(Choice::Failed, "it shows no picture").expect("settled");
    session.reply(Choice::Retry, "").expect("offered");
    assert!(session.is_done(), "{}", session.tail());
    assert_eq!(session.began("reboot"), 2, "the operator ordered it once more");
}

#[test]
fn a_restart_that_the_vendor_forbids_is_not_begun() {
    let mut failing = world(1);
    failing.fault("install", None, Fault::Fails(1));
    let rule = "[[failures]]\nid = \"broken\"\nsteps = [\"install\"]\noffer = [\"by_hand\", \"hold\"]\n\
        [[failures.forbid]]\nact = \"reboot\"\nwhy = \"The disk would be lost.\"\n\
        [[failures]]\nid = \"any\"\noffer = [\"retry\", \"hold\"]\n";
    let mut session =
        farm_with_rules(&[&stage("servers", "", &[INSTALL, RESTART]), rule], 1, failing).started();
    session.world.set("ver", Some("s1"), "2.0");
    session.reply(Choice::ByHand, "").expect("offered");
    let details = &session.question().details;
    assert!(details[0].contains("a restart is forbidden: The disk would be lost."), "{details:?}");
    assert_eq!(session.began("reboot"), 0);
}
