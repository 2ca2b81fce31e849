//! Load balancers and consoles, and what must hold at the end.

use std::collections::BTreeMap;

use nofm::engine::{About, Choice, Close, Event};
use nofm::model::Value;
use nofm::profile::Profile;

use super::farm::{NEW, OLD, SMALL, WHOLE, status_of};
use super::rehearsal::{Halt, Rehearsal, Scene, host, must, says};
use crate::sim::world::{Fault, World};

pub fn further_components_follow_the_servers(profile: &Profile) -> Result<(), String> {
    let rehearsal = Scene::of(profile, WHOLE).done()?;
    let back =
        rehearsal.succeeded("source").into_iter().map(|(at, _)| at).max().ok_or("no server is back")?;
    let mut updated = rehearsal.succeeded("update.install");
    updated.retain(|(at, _)| *at > back);
    let hosts: Vec<&str> = updated.iter().map(|(_, host)| host.as_str()).collect();
    must!(hosts == ["lb1", "lb2", "con1"], "updated after the servers: {hosts:?}");
    let by_hand = rehearsal.asked("update");
    must!(by_hand.len() == 1 && by_hand[0].1 == "pc1", "updated by hand: {by_hand:?}");
    must!(by_hand[0].2.contains(NEW), "it is not said to which version: {}", by_hand[0].2);
    for (fact, host) in [
        ("component_version", "lb1"),
        ("component_version", "lb2"),
        ("component_version", "con1"),
        ("told_version", "pc1"),
    ] {
        let probe = nofm::engine::ProbeKey::Fact(fact.into(), Some(host.into()));
        let latest = rehearsal.session.state.latest.get(&probe);
        let version = match latest.and_then(|dated| dated.reading.value()) {
            Some(Value::Version(version)) => version.to_string(),
            _ => "unknown".to_owned(),
        };
        must!(version == NEW, "{host} is at {version} at the end");
    }
    Ok(())
}

/// What does not hold at the end, by check and server, with the question about it; and the rehearsal.
type Found = (BTreeMap<(String, String), nofm::engine::Question>, Rehearsal);

/// A rehearsal in which something is spoilt right before the end.
fn ended_with(profile: &Profile, spoil: impl Fn(&mut World)) -> Result<Found, String> {
    let mut rehearsal = Scene::of(profile, SMALL).begun()?;
    rehearsal.until_asked("update", "pc1")?;
    spoil(&mut rehearsal.session.world);
    let halt = rehearsal.pursue();
    must!(matches!(halt, Halt::Asked(_)), "it ends at {halt:?}");
    let mut found = BTreeMap::new();
    for question in rehearsal.session.state.questions.values() {
        match &question.about {
            About::EndCheck(check, server) => {
                let server = server.as_ref().map_or("farm", |server| server.as_str());
                found.insert((check.to_string(), server.to_owned()), question.clone());
            }
            about => return Err(format!("{about:?} is asked about")),
        }
    }
    Ok((found, rehearsal))
}

/// Exactly these checks do not hold on these servers.
fn only(found: &Found, wanted: &[(&str, &str)]) -> Result<(), String> {
    let mut wanted: Vec<(&str, &str)> = wanted.to_vec();
    wanted.sort_unstable();
    let asked: Vec<(&str, &str)> =
        found.0.keys().map(|(check, server)| (check.as_str(), server.as_str())).collect();
    must!(asked == wanted, "asked about at the end: {asked:?}");
    Ok(())
}

/// Everything is mended and looked at again: then it is done.
fn mended(found: Found, mend: impl Fn(&mut World)) -> Result<(), String> {
    let (questions, mut rehearsal) = found;
    mend(&mut rehearsal.session.world);
    for question in questions.values() {
        rehearsal.reply(question, Choice::LookAgain, "")?;
    }
    let halt = rehearsal.pursue();
    must!(matches!(halt, Halt::Closed(Close::Done)), "mended, it ends at {halt:?}");
    Ok(())
}

pub fn an_older_console_is_a_fault_an_older_load_balancer_a_warning(profile: &Profile) -> Result<(), String> {
    let found = ended_with(profile, |world| {
        world.set("component_version", Some("con1"), OLD);
        world.set("component_version", Some("lb1"), OLD);
    })?;
    only(&found, &[("console_not_older", "con1"), ("balancer_updated", "lb1")])?;
    let waivable = |check: &str, server: &str| {
        found.0[&(check.to_owned(), server.to_owned())].option(Choice::Waive).is_some()
    };
    must!(!waivable("console_not_older", "con1"), "an older console may be passed");
    must!(waivable("balancer_updated", "lb1"), "an older load balancer may not be passed");
    mended(found, |world| {
        world.set("component_version", Some("con1"), NEW);
        world.set("component_version", Some("lb1"), NEW);
    })
}

pub fn a_load_balancer_that_does_not_stop_has_a_remedy(profile: &Profile) -> Result<(), String> {
    let mut scene = Scene::of(profile, SMALL);
    scene.world.fault("install", Some("lb1"), Fault::Fails(1));
    let mut rehearsal = scene.begun()?;
    let (question, key) = rehearsal.until_failed()?;
    must!(host(&key) == "lb1", "{key} fails");
    must!(
        says(&question.details, "The load balancer on lb1 still runs"),
        "it is not recognised: {:?}",
        question.details
    );
    let recovers = question.option(Choice::Recover).is_some_and(|option| option.refused.is_none());
    must!(recovers, "the remedy is not offered: {:?}", question.options);
    let from = rehearsal.session.journal.len();
    rehearsal.reply(&question, Choice::Recover, "")?;
    let halt = rehearsal.pursue();
    must!(matches!(halt, Halt::Closed(Close::Done)), "after the remedy it ends at {halt:?}");
    let steps: Vec<String> = rehearsal
        .events()
        .skip(from)
        .filter_map(|(_, event)| match event {
            Event::StepSettled { key, outcome: nofm::engine::Outcome::Succeeded, .. }
                if host(key) == "lb1" =>
            {
                Some(key.step.to_string())
            }
            _ => None,
        })
        .take(4)
        .collect();
    must!(steps == ["watchdog", "kill", "gone", "update.install"], "the remedy is {steps:?}");
    let commands: Vec<&str> =
        rehearsal.started().into_iter().filter(|(at, ..)| *at > from).map(|(.., c)| c).collect();
    must!(says(&commands, "stop igel-ums-watchdog"), "the watchdog is not stopped: {commands:?}");
    must!(says(&commands, "systemctl kill"), "the process is not ended: {commands:?}");
    Ok(())
}

pub fn a_load_balancer_that_stopped_needs_no_remedy(profile: &Profile) -> Result<(), String> {
    let mut scene = Scene::of(profile, SMALL);
    scene.world.set("balancer_runs", Some("lb1"), "no");
    scene.world.fault("install", Some("lb1"), Fault::Fails(1));
    let mut rehearsal = scene.begun()?;
    let (question, key) = rehearsal.until_failed()?;
    must!(host(&key) == "lb1", "{key} fails");
    must!(question.option(Choice::Recover).is_none(), "a process is to be ended that does not run");
    Ok(())
}

pub fn all_processes_run_at_the_end(profile: &Profile) -> Result<(), String> {
    let found = ended_with(profile, |world| {
        world.down.insert("ums1".into());
        world.down.insert("lb1".into());
    })?;
    only(&found, &[("services_running", "ums1"), ("services_running", "lb1")])?;
    for (server, services) in [
        ("ums1", ["igel-ums-watchdog", "igel-ums-server"]),
        ("lb1", ["igel-ums-watchdog", "igel-ums-broker"]),
    ] {
        let text = &found.0[&("services_running".to_owned(), server.to_owned())].text;
        for service in services {
            must!(text.contains(&format!("{service} does not run")), "{service} is not named: {text}");
        }
    }
    mended(found, |world| world.down.clear())
}

pub fn the_productive_database_is_active_at_the_end(profile: &Profile) -> Result<(), String> {
    let found = ended_with(profile, |world| world.set("productive", Some("ums2"), "no"))?;
    only(&found, &[("data_source", "ums2")])?;
    let details = &found.0[&("data_source".to_owned(), "ums2".to_owned())].details;
    must!(says(details, "to the productive database by hand"), "no guidance: {details:?}");
    mended(found, |world| world.set("productive", Some("ums2"), "yes"))
}

pub fn everything_is_updated_running_and_normal_at_the_end(profile: &Profile) -> Result<(), String> {
    let found = ended_with(profile, |world| {
        world.set("ums_version", Some("ums1"), &status_of(OLD));
        world.set("component_version", Some("lb1"), OLD);
        world.set("mode", Some("ums2"), "update");
        world.set("service_status", Some("ums2"), "SERVICE_STOPPED");
        world.set("service_status", Some("lb1"), "SERVICE_STOPPED");
    })?;
    only(
        &found,
        &[
            ("server_updated", "ums1"),
            ("balancer_updated", "lb1"),
            ("normal_mode", "ums2"),
            ("registered_running", "ums2"),
            ("registered_running", "lb1"),
        ],
    )?;
    mended(found, |world| {
        world.set("ums_version", Some("ums1"), &status_of(NEW));
        world.set("component_version", Some("lb1"), NEW);
        world.set("mode", Some("ums2"), "normal");
        world.set("service_status", Some("ums2"), "SERVICE_RUNNING");
        world.set("service_status", Some("lb1"), "SERVICE_RUNNING");
    })
}
