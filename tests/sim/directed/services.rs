//! Services that a pattern stands for.

use nofm::engine::{Before, Choice, Event, Job, Place};

use super::{farm, stage, world};
use crate::sim::session::{Crashes, Session};

const STOP: &str = "id = \"stop\"\nservice = \"stop\"\nservices = [\"fixed\", \"/^App/\"]";
const START: &str = "id = \"start\"\nservice = \"start\"\nservices = [\"fixed\", \"/^App/\"]";

fn found(session: &Session) -> Vec<Vec<String>> {
    let of = session.journal.iter().filter_map(|(_, event)| match event {
        Event::LookedUp { before: Before::Services(found), .. } => {
            Some(found.values().flatten().cloned().collect())
        }
        _ => None,
    });
    of.collect()
}

/// What would be done now, as the runner is told.
fn named(session: &Session) -> Vec<String> {
    let lane = session.state.active_lanes().next().expect("one is under way");
    let key = session.state.step_key(lane);
    match session.state.job(&key, &Place::Server("s1".into())).expect("it is known") {
        Job::Services { services, .. } => {
            services.iter().filter_map(|service| service.name()).map(str::to_owned).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn services_are_found_by_what_they_are_called_and_journalled_first() {
    for crashes in [Crashes::Never, Crashes::Always] {
        let mut session = farm(&[&stage("servers", "", &[STOP, START])], 1, world(1));
        session.world.services.insert("s1".into(), vec![("a1", "App 1"), ("b", "Other"), ("fixed", "App 2")]);
        session.crashes = crashes;
        let mut session = session.started_until(|session| session.began("stop") == 1);
        assert_eq!(found(&session), [["a1", "fixed"]]);
        assert_eq!(named(&session), ["fixed", "a1"], "each once, in the order of the profile");
        session.rest();
        assert!(session.is_done(), "{}", session.tail());
        assert_eq!(found(&session).len(), 2);
    }
}

#[test]
fn what_was_stopped_is_what_is_looked_for_when_it_is_started() {
    use nofm::engine::LookUp;
    let mut session = farm(&[&stage("servers", "", &[STOP, START])], 1, world(1));
    session.world.services.insert("s1".into(), vec![("a1", "App 1")]);
    let session = session.started_until(|session| {
        session
            .state
            .active_lanes()
            .any(|lane| session.state.step_key(lane).step.as_str() == "start" && lane.is_running())
    });
    let lane = session.state.active_lanes().next().expect("one");
    let job = session.state.job(&session.state.step_key(lane), &Place::Server("s1".into())).expect("known");
    let Job::LookUp { what: LookUp::Services(patterns), .. } = job else { panic!("{job:?}") };
    assert_eq!(patterns["^App"], ["a1".to_owned()].into());
}

#[test]
fn none_found_is_never_taken_for_all_stopped() {
    let mut session = farm(&[&stage("servers", "", &[STOP])], 1, world(1));
    session.world.services.insert("s1".into(), vec![("b", "Other")]);
    let mut session = session.started();
    assert!(session.question().details[0].contains("no service fits /^App/"), "{:?}", session.question());
    assert_eq!(session.began("stop"), 0);
    session.world.services.insert("s1".into(), vec![("a1", "App 1")]);
    session.reply(Choice::Retry, "").expect("offered");
    assert!(session.is_done(), "{}", session.tail());
}
