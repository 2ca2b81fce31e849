//! The servers, one after another, and the schema.

use nofm::engine::{About, Choice, Close, Event, GATES, Intent, Question};
use nofm::model::{ServerName, Value};
use nofm::profile::{Page, Profile};

use super::farm::{OLD, SMALL, WHOLE, connect, status_of};
use super::rehearsal::{Halt, Rehearsal, Scene, host, must, says};
use crate::sim::world::Fault;

/// The order of the servers where `ums2` is the first.
const ORDER: [&str; 4] = ["ums2", "ums1", "ums3", "ums4"];

fn position(events: &[(usize, String)], server: &str) -> Option<usize> {
    events.iter().find(|(_, on)| on == server).map(|(at, _)| *at)
}

/// Where a lane of a stage begins or is over.
fn lanes(rehearsal: &Rehearsal, stage: &str, done: bool) -> Vec<(usize, String)> {
    let of_stage = |script: &nofm::engine::ScriptRef| *script == nofm::engine::ScriptRef::Stage(stage.into());
    rehearsal
        .events()
        .filter_map(|(at, event)| match event {
            Event::LaneEntered { lane } if !done && of_stage(&lane.script) => {
                Some((at, lane.server.as_ref()?.to_string()))
            }
            Event::LaneDone { lane } if done && of_stage(&lane.script) => {
                Some((at, lane.server.as_ref()?.to_string()))
            }
            _ => None,
        })
        .collect()
}

pub fn the_firewall_is_reviewed_where_it_is_active(profile: &Profile) -> Result<(), String> {
    let rehearsal = Scene::of(profile, WHOLE).done()?;
    let asked = rehearsal.asked("update.firewall");
    let hosts: Vec<&str> = asked.iter().map(|(_, host, _)| host.as_str()).collect();
    must!(hosts == ["ums3"], "the firewall is reviewed on {hosts:?}");
    must!(asked[0].2.contains("8443/tcp"), "the ports are not named: {}", asked[0].2);
    Ok(())
}

pub fn the_firewall_has_a_page_where_there_is_windows(profile: &Profile) -> Result<(), String> {
    let pages = |hosts| -> Result<Vec<String>, String> {
        let rehearsal = Scene::of(profile, hosts).open()?;
        let state = &rehearsal.session.state;
        let shown = state.notices_shown().filter(|notice| notice.page == Page::Firewall && notice.confirm);
        Ok(shown.map(|notice| notice.text.source().to_owned()).collect())
    };
    let with = pages(WHOLE)?;
    must!(with.len() == 1 && with[0].contains("8443/tcp"), "with Windows servers: {with:?}");
    // The administrator's PC is none of the farm's hosts.
    let without = pages(SMALL)?;
    must!(without.is_empty(), "without Windows servers: {without:?}");
    Ok(())
}

pub fn each_server_is_seen_in_update_mode(profile: &Profile) -> Result<(), String> {
    let rehearsal = Scene::of(profile, WHOLE).done()?;
    let seen: Vec<String> =
        rehearsal.succeeded("update_mode").into_iter().map(|(_, server)| server).collect();
    must!(seen == ORDER[..3], "seen in update mode: {seen:?}");
    for (at, server) in rehearsal.succeeded("update_mode") {
        let read = rehearsal.session.journal[..at].iter().rev().find_map(|(_, event)| match event {
            Event::Read { probe: nofm::engine::ProbeKey::Fact(fact, Some(of)), reading, .. }
                if fact == "mode" && *of == *server =>
            {
                reading.value().cloned()
            }
            _ => None,
        });
        must!(
            read == Some(Value::text("update")),
            "{server} counts as in update mode, and was read as {read:?}"
        );
    }
    Ok(())
}

pub fn a_server_that_misses_update_mode_is_a_failure(profile: &Profile) -> Result<(), String> {
    let mut scene = Scene::of(profile, SMALL);
    scene.world.set("stays_in", Some("ums2"), "normal");
    let mut rehearsal = scene.begun()?;
    let (question, key) = rehearsal.until_failed()?;
    must!(key.step == "update_mode" && host(&key) == "ums2", "{key} fails");
    must!(
        says(&question.details, "is not seen in update mode"),
        "nothing is said about it: {:?}",
        question.details
    );
    must!(question.option(Choice::Abort).is_none(), "ending the upgrade is offered in the middle of it");
    must!(rehearsal.asked("updated").is_empty(), "it counts as updated");
    Ok(())
}

fn tally_is_confirmed(scene: Scene<'_>, stage: &str) -> Result<(), String> {
    let rehearsal = scene.done()?;
    let confirmed = rehearsal.asked("updated");
    let texts: Vec<String> = confirmed.iter().map(|(_, server, text)| format!("{server}: {text}")).collect();
    let wanted: Vec<String> =
        ORDER.iter().zip(1..).map(|(server, n)| format!("{server}: {n} of 4 servers updated")).collect();
    must!(texts == wanted, "confirmed: {texts:?}");
    let of_stage = rehearsal
        .log
        .iter()
        .filter(|moment| moment.stage == stage && moment.question.about.server().is_some());
    for moment in of_stage {
        let n = confirmed.iter().filter(|(at, ..)| *at < moment.at).count();
        let shown = moment.tally.as_deref().unwrap_or("nothing");
        let fits = shown == format!("{n} of 4 servers updated")
            || shown == format!("{} of 4 servers updated", n + 1);
        must!(fits, "{shown} is shown at: {}", moment.question.text);
    }
    // The next server begins after the confirmation of the one before it.
    for (pair, (at, _)) in confirmed.windows(2).zip(lanes(&rehearsal, stage, false).into_iter().skip(1)) {
        must!(pair[0].0 < at && at < pair[1].0, "a server begins before the tally is confirmed");
    }
    Ok(())
}

pub fn the_tally_is_confirmed_after_every_server(profile: &Profile) -> Result<(), String> {
    tally_is_confirmed(Scene::of(profile, WHOLE), "servers")
}

pub fn the_tally_is_confirmed_with_short_downtime(profile: &Profile) -> Result<(), String> {
    tally_is_confirmed(Scene::of(profile, WHOLE).short(), "servers_short")
}

pub fn m_is_what_is_registered(profile: &Profile) -> Result<(), String> {
    let mut rehearsal = Scene::of(profile, SMALL).begun()?;
    rehearsal.until_asked("update.install", "ums2")?;
    rehearsal.session.world.set("registered_servers", None, "ums1\nums2\nnew-ums");
    let question = rehearsal.until_asked("updated", "ums2")?;
    must!(question.text == "1 of 3 servers updated", "with a third server registered: {}", question.text);
    Ok(())
}

fn ad_native(mut scene: Scene<'_>, stage: &str) -> Result<(), String> {
    scene.answer("ad_native", "", Value::YesNo(true));
    let rehearsal = scene.done()?;
    let by_hand: Vec<String> =
        rehearsal.asked("ad_native.log_on").into_iter().map(|(_, server, _)| server).collect();
    must!(by_hand == ["ums3"], "start type and log-on are set on {by_hand:?}");
    let restarts: Vec<String> = rehearsal
        .started()
        .into_iter()
        .filter(|(_, key, _)| key.step == "ad_native.restart")
        .map(|(_, key, command)| format!("{}: {command}", host(key)))
        .collect();
    must!(restarts == ["ums3: restart IGELRMGUIServer"], "restarted: {restarts:?}");
    let done = position(&lanes(&rehearsal, stage, true), "ums3");
    let restarted = position(&rehearsal.succeeded("ad_native.restart"), "ums3");
    must!(restarted.is_some() && restarted < done, "the service is not restarted in the server's turn");
    Ok(())
}

pub fn the_service_is_set_up_for_ad_native(profile: &Profile) -> Result<(), String> {
    ad_native(Scene::of(profile, WHOLE), "servers")
}

pub fn the_service_is_set_up_with_short_downtime(profile: &Profile) -> Result<(), String> {
    ad_native(Scene::of(profile, WHOLE).short(), "servers_short")
}

pub fn without_ad_native_the_service_is_left_alone(profile: &Profile) -> Result<(), String> {
    let rehearsal = Scene::of(profile, WHOLE).done()?;
    must!(rehearsal.asked("ad_native.log_on").is_empty(), "the service is set up without AD Native");
    must!(rehearsal.started_on("ad_native.restart").is_empty(), "the service is restarted without AD Native");
    Ok(())
}

fn one_after_another(mut scene: Scene<'_>, stage: &str) -> Result<(), String> {
    scene.world.set("services_stay_down", Some("ums2"), "yes");
    scene.world.down.insert("ums2".into());
    let mut rehearsal = scene.checked()?;
    let waive = |server: &str| Intent::Waive {
        check: "services_before".into(),
        server: Some(server.into()),
        reason: "it is stopped for a repair".into(),
    };
    rehearsal.intent(&waive("ums2"))?;
    rehearsal.begin()?;
    let (question, key) = rehearsal.until_failed()?;
    must!(key.step == GATES && host(&key) == "ums2", "a server whose services do not run: {key} fails");
    must!(says(&question.details, "All UMS processes run"), "it is not said why: {:?}", question.details);
    must!(rehearsal.started_on("update.install") == ["ums2"], "another server is updated meanwhile");
    rehearsal.session.world.down.remove(&ServerName::from("ums2"));
    rehearsal.session.world.facts.remove(&("services_stay_down".into(), Some("ums2".into())));
    rehearsal.reply(&question, Choice::LookAgain, "")?;
    let halt = rehearsal.pursue();
    must!(matches!(halt, Halt::Closed(Close::Done)), "it ends at {halt:?}");
    let entered = lanes(&rehearsal, stage, false);
    let done = lanes(&rehearsal, stage, true);
    must!(entered.len() == 2 && done.len() == 2 && done[0].0 < entered[1].0, "{entered:?}, over: {done:?}");
    for (at, server) in &done {
        let installed = position(&rehearsal.succeeded("update.install"), server);
        must!(installed.is_some_and(|installed| installed < *at), "{server} is over without an update");
    }
    Ok(())
}

pub fn one_server_after_another(profile: &Profile) -> Result<(), String> {
    one_after_another(Scene::of(profile, SMALL), "servers")
}

pub fn one_server_after_another_with_short_downtime(profile: &Profile) -> Result<(), String> {
    one_after_another(Scene::of(profile, SMALL).short(), "servers_short")
}

pub fn a_server_has_to_answer_with_the_new_version(profile: &Profile) -> Result<(), String> {
    let mut scene = Scene::of(profile, WHOLE);
    scene.answer("first", "", Value::text("ums3"));
    let mut rehearsal = scene.begun()?;
    rehearsal.until_asked("update.firewall", "ums3")?;
    // Whatever is changed there, the address no longer tells the new version.
    rehearsal.session.world.set("ums_version", Some("ums3"), &status_of(OLD));
    let (_, key) = rehearsal.until_failed()?;
    must!(key.step == "update.answers" && host(&key) == "ums3", "{key} fails");
    must!(rehearsal.started_on("update.install").is_empty(), "the next server is updated");
    Ok(())
}

/// Steps that renew the schema are for one server, and the operator is asked before its installer runs.
fn renewed_by(rehearsal: &Rehearsal, server: &str) -> Result<(), String> {
    let asked = rehearsal.asked("commit");
    must!(asked.len() == 1 && asked[0].1 == server, "asked about the schema: {asked:?}");
    must!(asked[0].2.contains("renews the schema of the productive database"), "asked: {}", asked[0].2);
    let install = position(&rehearsal.succeeded("update.install"), server);
    must!(install.is_some_and(|at| asked[0].0 < at), "asked about the schema after the installer ran");
    let renewed: Vec<String> = rehearsal.succeeded("renew").into_iter().map(|(_, server)| server).collect();
    must!(renewed == [server], "the schema is renewed on {renewed:?}");
    Ok(())
}

pub fn the_last_server_renews_the_schema_once(profile: &Profile) -> Result<(), String> {
    let rehearsal = Scene::of(profile, WHOLE).done()?;
    renewed_by(&rehearsal, "ums4")?;
    let installed: Vec<String> =
        rehearsal.succeeded("update.install").into_iter().map(|(_, server)| server).take(4).collect();
    must!(installed == ORDER, "the servers are updated in this order: {installed:?}");
    Ok(())
}

pub fn every_server_is_waited_for_until_it_is_back(profile: &Profile) -> Result<(), String> {
    let rehearsal = Scene::of(profile, WHOLE).done()?;
    for (step, fact, wanted) in
        [("normal", "mode", Value::text("normal")), ("source", "productive", Value::YesNo(true))]
    {
        let mut back = rehearsal.succeeded(step);
        back.sort_by(|(_, one), (_, other)| one.cmp(other));
        let servers: Vec<&str> = back.iter().map(|(_, server)| server.as_str()).collect();
        must!(servers == ["ums1", "ums2", "ums3", "ums4"], "`{step}` is waited for on {servers:?}");
        for (at, server) in &back {
            let read = rehearsal.session.journal[..*at].iter().rev().find_map(|(_, event)| match event {
                Event::Read { probe: nofm::engine::ProbeKey::Fact(id, Some(of)), reading, .. }
                    if id == fact && *of == **server =>
                {
                    reading.value().cloned()
                }
                _ => None,
            });
            must!(
                read.as_ref() == Some(&wanted),
                "{server} counts as back, and its {fact} was read as {read:?}"
            );
        }
        // It takes them a while, so that whoever does not wait goes on too early.
        let (first, last) = (back.iter().map(|(at, _)| at).min(), back.iter().map(|(at, _)| at).max());
        must!(first < last, "nothing was waited for");
        let further = lanes(&rehearsal, "balancers", false).into_iter().map(|(at, _)| at).min();
        must!(last.copied() < further, "load balancers are updated before every server is back");
    }
    Ok(())
}

pub fn all_servers_but_the_first_are_stopped(profile: &Profile) -> Result<(), String> {
    let rehearsal = Scene::of(profile, WHOLE).short().done()?;
    let mut stopped = rehearsal.succeeded("stop");
    stopped.sort_by(|(_, one), (_, other)| one.cmp(other));
    let servers: Vec<&str> = stopped.iter().map(|(_, server)| server.as_str()).collect();
    must!(servers == ["ums1", "ums3", "ums4"], "stopped: {servers:?}");
    let alone = position(&rehearsal.succeeded("alone"), "ums2")
        .ok_or("nobody sees that the first server is alone")?;
    let install = position(&rehearsal.succeeded("update.install"), "ums2").ok_or("ums2 is not updated")?;
    let last = stopped.iter().map(|(at, _)| *at).max().unwrap_or(usize::MAX);
    must!(last < alone && alone < install, "the first server is updated before it is alone");
    renewed_by(&rehearsal, "ums2")
}

pub fn a_server_that_stays_online_holds_the_first_one(profile: &Profile) -> Result<(), String> {
    let mut scene = Scene::of(profile, SMALL).short();
    scene.world.set("stays_online", Some("ums1"), "yes");
    let mut rehearsal = scene.begun()?;
    let (_, key) = rehearsal.until_failed()?;
    must!(key.step == "alone" && host(&key) == "ums2", "{key} fails");
    must!(rehearsal.asked("commit").is_empty(), "the operator is asked to renew the schema");
    must!(
        rehearsal.started_on("update.install").is_empty(),
        "the installer runs while another server is online"
    );
    Ok(())
}

/// The installer fails on a server: what is asked.
fn install_fails(profile: &Profile, server: &str) -> Result<(Rehearsal, Question), String> {
    let mut scene = Scene::of(profile, SMALL);
    scene.world.fault("install", Some(server), Fault::Fails(1));
    let mut rehearsal = scene.begun()?;
    let (question, key) = rehearsal.until_failed()?;
    must!(key.step == "update.install" && host(&key) == server, "{key} fails");
    must!(
        says(&question.details, "forbidden: leaving a server out"),
        "leaving it out is not forbidden: {:?}",
        question.details
    );
    let leave_out = Intent::LeaveOut { server: server.into(), reason: "it burns".into() };
    must!(rehearsal.intent(&leave_out).is_err(), "{server} may be left out");
    Ok((rehearsal, question))
}

fn tried_again(mut rehearsal: Rehearsal, question: &Question) -> Result<(), String> {
    rehearsal.reply(question, Choice::Retry, "")?;
    let halt = rehearsal.pursue();
    must!(matches!(halt, Halt::Closed(Close::Done)), "tried again, it ends at {halt:?}");
    Ok(())
}

pub fn a_failed_server_is_not_left_out(profile: &Profile) -> Result<(), String> {
    let (rehearsal, question) = install_fails(profile, "ums2")?;
    let said = says(&question.details, "the servers that were not touched yet work on it");
    must!(said, "it is not said how things stand: {:?}", question.details);
    must!(question.option(Choice::Abort).is_some(), "before the last server it may be ended");
    tried_again(rehearsal, &question)
}

pub fn a_failed_last_server_is_not_given_up(profile: &Profile) -> Result<(), String> {
    let (rehearsal, question) = install_fails(profile, "ums1")?;
    let said = says(&question.details, "Until it has renewed the schema");
    must!(said, "it is not said how things stand: {:?}", question.details);
    must!(
        question.option(Choice::Abort).is_none(),
        "ending the upgrade is offered before the schema is renewed"
    );
    tried_again(rehearsal, &question)
}

fn not_renewed(mut scene: Scene<'_>, server: &'static str) -> Result<(), String> {
    scene.world.set("stays_in", Some(server), "update");
    let mut rehearsal = scene.begun()?;
    let (question, key) = rehearsal.until_failed()?;
    must!(key.step == "renew" && host(&key) == server, "{key} fails");
    must!(
        says(&question.details, "umsadmin-cli server end-update-mode"),
        "no guidance: {:?}",
        question.details
    );
    must!(
        says(&question.details, "Its first connection renews the schema"),
        "no guidance: {:?}",
        question.details
    );
    let offered = |choice| question.option(choice).is_some_and(|option| option.refused.is_none());
    must!(offered(Choice::ByHand) && offered(Choice::Hold), "what may be done: {:?}", question.options);
    must!(question.option(Choice::Abort).is_none(), "ending the upgrade is offered with the schema half-way");
    Ok(())
}

pub fn a_schema_that_is_not_renewed_has_guidance(profile: &Profile) -> Result<(), String> {
    not_renewed(Scene::of(profile, SMALL), "ums1")
}

pub fn a_schema_that_is_not_renewed_at_once_has_guidance(profile: &Profile) -> Result<(), String> {
    not_renewed(Scene::of(profile, SMALL).short(), "ums2")
}

pub fn whoever_does_not_return_is_switched_over_by_hand(profile: &Profile) -> Result<(), String> {
    let mut scene = Scene::of(profile, SMALL);
    scene.world.set("does_not_return", Some("ums2"), "yes");
    let mut rehearsal = scene.begun()?;
    let (question, key) = rehearsal.until_failed()?;
    must!(key.step == "normal" && host(&key) == "ums2", "{key} fails");
    for part in [
        "umsadmin-cli server end-update-mode",
        "activate the productive data source",
        "forbidden: leaving a server out",
    ] {
        must!(says(&question.details, part), "no guidance with `{part}`: {:?}", question.details);
    }
    must!(matches!(question.about, About::Failure(_)), "it is no failure");
    connect(&mut rehearsal.session.world, &"ums2".into());
    rehearsal.reply(&question, Choice::ByHand, "")?;
    let halt = rehearsal.pursue();
    must!(matches!(halt, Halt::Closed(Close::Done)), "it ends at {halt:?}");
    let seen: Vec<String> = rehearsal.succeeded("source").into_iter().map(|(_, server)| server).collect();
    must!(seen.contains(&"ums2".to_owned()), "nobody looks whether it is back");
    Ok(())
}
