//! What only a person can say so that a server can be reached: asked for, given, denied, and nothing decided by it.

use nofm::engine::{Close, Event, Intent, StepPhase, decide};
use nofm::model::{Access, ViewerId};
use serde_json::json;

use super::{INSTALL, farm, stage, world};
use crate::sim::session::Session;

fn key(host: &str) -> Access {
    Access::HostKey { host: host.into(), kind: "ssh-ed25519".into(), fingerprint: format!("SHA256:{host}") }
}

fn sudo() -> Access {
    Access::Sudo { user: "admin".into(), only: None }
}

fn running() -> Session {
    farm(&[&stage("servers", "", &[INSTALL])], 2, world(2))
        .started_until(|session| session.began("install") == 1)
}

fn asked_for(session: &Session, access: &Access) -> Vec<String> {
    let request = session.state.access.get(access);
    request.map(|request| request.servers.iter().map(ToString::to_string).collect()).unwrap_or_default()
}

fn trust(access: &[Access]) -> Intent {
    Intent::Trust { access: access.to_vec() }
}

fn deny(access: &[Access]) -> Intent {
    Intent::Deny { access: access.to_vec() }
}

#[test]
fn servers_that_wait_for_the_same_wait_together() {
    let mut session = running();
    session.knock("s2", sudo(), "");
    let since_ms = session.state.access[&sudo()].since_ms;
    session.pass(500);
    session.knock("s1", sudo(), "the last one was not taken");
    assert_eq!(asked_for(&session, &sudo()), ["s1", "s2"]);
    let request = &session.state.access[&sudo()];
    assert_eq!((request.since_ms, &*request.complaint), (since_ms, "the last one was not taken"));
    assert!(session.state.is_asked_for(&sudo(), &"s1".into(), ""));
    assert!(!session.state.is_asked_for(&sudo(), &"s1".into(), "something else"));
    session.happens(Event::AccessWithdrawn { access: sudo(), servers: vec!["s2".into()] });
    assert_eq!(asked_for(&session, &sudo()), ["s1"]);
    session.happens(Event::AccessWithdrawn { access: sudo(), servers: vec!["s1".into()] });
    assert!(session.state.access.is_empty());
}

#[test]
fn a_word_counts_once_and_only_where_it_is_waited_for() {
    let mut session = running();
    session.knock("s1", key("s1"), "");
    session.knock("s2", key("s2"), "");
    session.knock("s2", sudo(), "");
    let refused = |session: &mut Session, intent: &Intent, why: &str| {
        let said = session.intent(intent).expect_err("refused");
        assert!(said.contains(why), "{said}");
    };
    refused(&mut session, &trust(&[]), "nothing was named");
    refused(
        &mut session,
        &trust(&[key("s1"), key("s3")]),
        "no server waits for this any more: host key of s3",
    );
    refused(&mut session, &trust(&[sudo()]), "a password is typed");
    assert_eq!(session.state.access.len(), 3, "nothing was done by halves");
    session.intent(&trust(&[key("s1"), key("s1")])).expect("trusted");
    let given = session.count(|event| matches!(event, Event::AccessGiven { .. }));
    assert_eq!(given, 1, "named twice, it is journalled once");
    refused(&mut session, &trust(&[key("s1")]), "no server waits for this any more");
    session.intent(&deny(&[key("s2"), sudo()])).expect("denied");
    assert!(session.state.access.is_empty());
}

#[test]
fn a_secret_is_judged_as_an_intent_is() {
    let mut session = running();
    session.knock("s1", key("s1"), "");
    session.knock("s1", sudo(), "");
    let (own, other) = (session.viewer.clone(), ViewerId::from("other"));
    let judged =
        |session: &Session, viewer: &ViewerId, access: &Access| session.state.judge_secret(viewer, access);
    assert!(judged(&session, &other, &sudo()).expect_err("no pen").contains("holds the pen"));
    assert!(judged(&session, &own, &key("s1")).expect_err("a key").contains("nothing to be typed"));
    let given = judged(&session, &own, &sudo()).expect("it is taken");
    assert_eq!(given, [Event::AccessGiven { access: sudo(), viewer: own.clone() }]);
    session.happens(given[0].clone());
    assert!(judged(&session, &own, &sudo()).expect_err("late").contains("no server waits for this"));
    assert!(session.wish(&other, &trust(&[key("s1")])).is_err(), "who looks on trusts nothing");
}

#[test]
fn a_new_runner_asks_anew() {
    let mut session = running();
    session.knock("s1", sudo(), "");
    session.crash();
    assert!(session.state.access.is_empty());
    assert!(session.intent(&deny(&[sudo()])).is_err(), "what it asked is asked no more");
}

#[test]
fn nothing_is_decided_by_it() {
    let mut session = running();
    session.rest_until_due();
    let before = decide(&session.state, session.now_ms());
    session.knock("s1", key("s1"), "");
    assert_eq!(decide(&session.state, session.now_ms()), before);
}

#[test]
fn a_stop_does_not_wait_for_what_waits_for_a_person() {
    let mut session = running();
    session.knock("s1", sudo(), "");
    session.intent(&Intent::Stop).expect("it stops");
    session.go(session.world.now_ms, |_| false);
    assert!(matches!(session.state.closed, Some(Close::Stopped { .. })), "{}", session.tail());
    assert_eq!(session.lane("s1").1, &StepPhase::Running, "it is found again where it is");
    assert!(session.state.access.is_empty(), "nobody waits in a session that is closed");
    session.resume();
    session.rest();
    assert_eq!(session.began_on("install"), ["s1", "s2"], "nothing is done twice");
    assert!(session.is_done());
}

#[test]
fn a_stop_waits_for_what_runs_elsewhere() {
    let mut session = running();
    session.knock("s2", sudo(), "");
    session.intent(&Intent::Stop).expect("it stops");
    session.go(session.world.now_ms, |_| false);
    assert!(session.state.closed.is_none(), "s1 is at work, and waits for nobody");
    session.rest();
    assert!(session.state.closed.is_some());
}

/// Journals of later versions must read these, too.
#[test]
fn these_events_are_written_so() {
    let viewer = ViewerId::from("operator");
    let host = json!({ "host_key": { "host": "s1", "kind": "ssh-ed25519", "fingerprint": "SHA256:s1" } });
    let access = key("s1");
    for (event, written) in [
        (
            Event::AccessAsked {
                access: access.clone(),
                servers: vec!["s1".into()],
                complaint: String::new(),
            },
            json!({ "access_asked": { "access": host, "servers": ["s1"] } }),
        ),
        (
            Event::AccessAsked { access: sudo(), servers: vec!["s1".into()], complaint: "no".into() },
            json!({ "access_asked": { "access": { "sudo": { "user": "admin", "only": null } }, "servers": ["s1"],
                "complaint": "no" } }),
        ),
        (
            Event::AccessGiven { access: access.clone(), viewer: viewer.clone() },
            json!({ "access_given": { "access": host, "viewer": "operator" } }),
        ),
        (
            Event::AccessDenied { access: access.clone(), viewer },
            json!({ "access_denied": { "access": host, "viewer": "operator" } }),
        ),
        (
            Event::AccessWithdrawn { access, servers: vec!["s1".into()] },
            json!({ "access_withdrawn": { "access": host, "servers": ["s1"] } }),
        ),
    ] {
        assert_eq!(serde_json::to_value(&event).expect("JSON"), written);
        assert_eq!(serde_json::from_value::<Event>(written).expect("an event"), event);
    }
}
