//! What the program itself does, whatever the profile.

use std::collections::BTreeSet;

use nofm::engine::{Close, Event, Intent, ProbeKey, State, Work, decide};
use nofm::profile::{CheckKind, Profile};

use super::farm::WHOLE;
use super::rehearsal::{Halt, Scene, must};
use crate::sim::same::same;
use crate::sim::session::through_json;

pub fn all_prechecks_are_under_way_at_once(profile: &Profile) -> Result<(), String> {
    let mut rehearsal = Scene::of(profile, WHOLE).open()?;
    rehearsal.intent(&Intent::Check { check: None, server: None })?;
    let read = |event: &Event| matches!(event, Event::Read { .. } | Event::Checked { .. });
    must!(!rehearsal.events().any(|(_, event)| read(event)), "something was read before");
    let state = &rehearsal.session.state;
    let work = decide(state, rehearsal.session.now_ms()).work;
    let under_way: BTreeSet<ProbeKey> = work
        .into_iter()
        .filter_map(|work| match work {
            Work::Probe { probe, .. } => Some(probe),
            Work::Run { .. } => None,
        })
        .collect();
    for check in profile.checks.iter().filter(|check| check.at_start) {
        for server in state.places_of(check) {
            let probe = match &check.kind {
                CheckKind::That(_) | CheckKind::Registered(_) => continue,
                CheckKind::ClockSkew(_) => ProbeKey::Check(check.id.clone(), None),
                _ => ProbeKey::Check(check.id.clone(), server),
            };
            must!(under_way.contains(&probe), "{probe} waits for something else");
        }
    }
    let fact = |fact: &str, server: Option<&str>| ProbeKey::Fact(fact.into(), server.map(Into::into));
    for server in ["ums1", "ums2", "ums3", "ums4"] {
        must!(
            under_way.contains(&fact("ums_version", Some(server))),
            "the version of {server} is not asked for"
        );
        must!(
            under_way.contains(&fact("has_server", Some(server))),
            "the component of {server} is not asked for"
        );
    }
    for of_farm in ["pending_jobs", "registered_servers", "registered_balancers"] {
        must!(under_way.contains(&fact(of_farm, None)), "{of_farm} is not asked for");
    }
    Ok(())
}

pub fn a_session_is_reviewed_moment_by_moment(profile: &Profile) -> Result<(), String> {
    let mut scene = Scene::of(profile, WHOLE);
    scene.keeps_moments = true;
    let mut rehearsal = scene.begun()?;
    let halt = rehearsal.pursue();
    must!(matches!(halt, Halt::Closed(Close::Done)), "the rehearsal ends at {halt:?}");
    rehearsal.moments.push((rehearsal.session.journal.len(), rehearsal.session.state.clone()));
    let mut folded = State::new(rehearsal.session.setup.clone());
    let mut moments = rehearsal.moments.iter().peekable();
    for (seq, (stamp, event)) in (1..).zip(&rehearsal.session.journal) {
        folded.apply(seq, *stamp, &through_json(event));
        while let Some((_, live)) = moments.next_if(|(count, _)| u64::try_from(*count) == Ok(seq)) {
            must!(
                same(&folded, live),
                "after event {seq} the review shows something else than the operator saw"
            );
        }
    }
    must!(moments.next().is_none(), "a moment of the session is not in its journal");
    must!(rehearsal.moments.len() > 20, "only {} moments were compared", rehearsal.moments.len());
    Ok(())
}
