//! What must be so, or be known, before an upgrade begins.

use nofm::engine::{About, Choice, Event, Intent, Lack, Measured, Place, ProbeKey};
use nofm::model::{CheckId, ServerName, Value};
use nofm::profile::{Page, Profile};

use super::farm::{BACKUP, NEW, OLD, SMALL, WHOLE, backup, status_of};
use super::rehearsal::{Rehearsal, Scene, host, must, says};

/// Checks that keep the upgrade from being started, as `check server`.
fn blocked(rehearsal: &Rehearsal) -> Vec<String> {
    let lacking = rehearsal.session.state.lacking();
    let blocked = lacking.iter().filter_map(|lack| match lack {
        Lack::Blocked { check, server, .. } => Some(place(check, server.as_ref())),
        _ => None,
    });
    blocked.collect()
}

fn place(check: &CheckId, server: Option<&ServerName>) -> String {
    format!("{check} {}", server.map_or("farm", |server| server.as_str()))
}

/// Has the remedy of a check carried out.
fn fix(rehearsal: &mut Rehearsal, check: &str, server: Option<&str>) -> Result<(), String> {
    let fix = Intent::Fix { check: check.into(), server: server.map(ServerName::from) };
    rehearsal.intent(&fix)?;
    rehearsal.pursue();
    Ok(())
}

pub fn the_installer_is_everywhere_first(profile: &Profile) -> Result<(), String> {
    let mut rehearsal = Scene::of(profile, WHOLE).begun()?;
    rehearsal.until(|event| matches!(event, Event::StageEntered { stage } if stage == "servers"))?;
    let mut hosts = Vec::new();
    for (_, key, command) in rehearsal.started() {
        let file = if ["ums3", "lb2"].contains(&host(key).as_str()) { "windows.exe" } else { "linux.bin" };
        let copies =
            command.starts_with(&format!("copy /media/setup-igel-ums-{file} to ")) && command.ends_with(file);
        must!(key.step == "copy" && copies, "`{command}` is started on {} too early", host(key));
        hosts.push(host(key));
    }
    hosts.sort();
    must!(
        hosts == ["con1", "lb1", "lb2", "ums1", "ums2", "ums3", "ums4"],
        "the installer is copied to {hosts:?}"
    );
    must!(
        rehearsal.succeeded("copy").len() == hosts.len(),
        "not every copy succeeded before the first update"
    );
    Ok(())
}

fn with_orphans(profile: &Profile) -> Scene<'_> {
    let mut scene = Scene::of(profile, SMALL);
    scene.world.set("registered_servers", None, "ums1\nums2\nold-ums");
    scene.world.set("registered_balancers", None, "lb1\nold-lb");
    scene
}

fn orphans_go(mut rehearsal: Rehearsal) -> Result<Rehearsal, String> {
    let found = blocked(&rehearsal);
    must!(found == ["orphaned_servers farm", "orphaned_balancers farm"], "blocked by {found:?}");
    let lacking = rehearsal.lacking();
    must!(says(&lacking, "not in the inventory: old-ums"), "the orphaned server is not listed: {lacking:?}");
    must!(
        says(&lacking, "not in the inventory: old-lb"),
        "the orphaned load balancer is not listed: {lacking:?}"
    );
    must!(rehearsal.begin().is_err(), "it begins with orphaned entries");
    fix(&mut rehearsal, "orphaned_servers", None)?;
    fix(&mut rehearsal, "orphaned_balancers", None)?;
    let found = blocked(&rehearsal);
    must!(found.is_empty(), "still blocked by {found:?}");
    rehearsal.begin()?;
    Ok(rehearsal)
}

pub fn orphaned_entries_are_deleted_by_hand(profile: &Profile) -> Result<(), String> {
    let rehearsal = orphans_go(with_orphans(profile).checked()?)?;
    let asked = rehearsal.asked("by_hand");
    let texts: Vec<&str> = asked.iter().map(|(_, _, text)| *text).collect();
    must!(
        says(&texts, "delete the entry old-ums") && says(&texts, "delete the entry old-lb"),
        "asked: {texts:?}"
    );
    Ok(())
}

pub fn orphaned_entries_are_deleted_by_command(profile: &Profile) -> Result<(), String> {
    let mut scene = with_orphans(profile);
    scene.answer("delete_orphans", "", Value::text("command"));
    scene.answer("orphan_command", "linux", Value::text("umsadmin-cli entry delete"));
    let rehearsal = orphans_go(scene.checked()?)?;
    let commands: Vec<&str> = rehearsal.started().into_iter().map(|(_, _, command)| command).collect();
    for entry in ["old-ums", "old-lb"] {
        let there = commands.iter().any(|c| c.starts_with("umsadmin-cli entry delete ") && c.contains(entry));
        must!(there, "no command deletes {entry}: {commands:?}");
    }
    Ok(())
}

pub fn the_backup_is_seen_on_the_database_host(profile: &Profile) -> Result<(), String> {
    let file = (Place::Server("db1".into()), BACKUP.to_owned());
    let mut scene = Scene::of(profile, WHOLE);
    scene.world.files.insert(file.clone(), backup(90_000));
    let mut rehearsal = scene.checked()?;
    let found = blocked(&rehearsal);
    must!(found == ["backup db1"], "a backup of yesterday: blocked by {found:?}");
    let word = ProbeKey::Check("backup_elsewhere".into(), None);
    must!(
        !rehearsal.session.state.latest.contains_key(&word),
        "the operator's word is asked where the file can be seen"
    );
    rehearsal.session.world.files.remove(&file);
    rehearsal.intent(&Intent::Check { check: Some("backup".into()), server: None })?;
    rehearsal.pursue();
    must!(says(&rehearsal.lacking(), "not there"), "a backup that is not there: {:?}", rehearsal.lacking());
    must!(rehearsal.begin().is_err(), "it begins without a backup");
    fix(&mut rehearsal, "backup", Some("db1"))?;
    let dumps = rehearsal.started();
    let dumped = dumps.iter().any(|(_, key, command)| {
        host(key) == "db1" && command.contains("pg_dump") && command.contains(BACKUP)
    });
    must!(dumped, "no backup is made on the database host: {dumps:?}");
    rehearsal.begin()
}

pub fn a_backup_out_of_reach_is_told(profile: &Profile) -> Result<(), String> {
    let mut rehearsal = Scene::of(profile, SMALL).open()?;
    rehearsal.words.insert("backup_elsewhere", "no");
    rehearsal.intent(&Intent::Check { check: None, server: None })?;
    rehearsal.pursue();
    let found = blocked(&rehearsal);
    must!(found == ["backup_elsewhere farm"], "told that there is no backup: blocked by {found:?}");
    rehearsal.words.insert("backup_elsewhere", "yes");
    rehearsal.intent(&Intent::Check { check: Some("backup_elsewhere".into()), server: None })?;
    rehearsal.pursue();
    rehearsal.begin()
}

pub fn an_older_version_is_refused(profile: &Profile) -> Result<(), String> {
    let mut scene = Scene::of(profile, SMALL);
    scene.answer("version", "", Value::text(OLD));
    scene.world.set("ums_version", Some("ums2"), &status_of(NEW));
    let mut rehearsal = scene.checked()?;
    let found = blocked(&rehearsal);
    must!(found == ["installed_version ums2"], "blocked by {found:?}");
    let lacking = rehearsal.lacking();
    must!(says(&lacking, &format!("{NEW} is installed, {OLD} is older")), "it is not said why: {lacking:?}");
    must!(
        says(&lacking, "a separate HA network of the old version"),
        "it is not said what to do: {lacking:?}"
    );
    must!(rehearsal.begin().is_err(), "it begins with an older version");
    Ok(())
}

pub fn clocks_agree_within_a_minute(profile: &Profile) -> Result<(), String> {
    let mut scene = Scene::of(profile, WHOLE);
    scene.world.clocks.insert("lb1".into(), 60_000);
    let mut rehearsal = scene.checked()?;
    must!(blocked(&rehearsal).is_empty(), "a difference of a minute is allowed: {:?}", rehearsal.lacking());
    rehearsal.session.world.clocks.insert("lb1".into(), 90_000);
    rehearsal.intent(&Intent::Check { check: None, server: None })?;
    rehearsal.pursue();
    let found = blocked(&rehearsal);
    must!(found == ["clocks lb1"], "blocked by {found:?}");
    must!(rehearsal.begin().is_err(), "it begins with a clock that is wrong");
    fix(&mut rehearsal, "clocks", Some("lb1"))?;
    let steps: Vec<String> = rehearsal
        .started()
        .iter()
        .map(|(_, key, command)| format!("{} {}: {command}", host(key), key.step))
        .collect();
    must!(steps.len() == 2, "the fix does {steps:?}");
    must!(steps[0] == "lb1 set: chronyc makestep", "the clock is not set: {steps:?}");
    must!(
        steps[1].starts_with("lb1 restart: restart ") && steps[1].contains("igel-ums-broker"),
        "the services are not restarted after it: {steps:?}"
    );
    rehearsal.begin()
}

fn warned_of_changes(scene: Scene<'_>, from: &str) -> Result<(), String> {
    let mut rehearsal = scene.checked()?;
    let open = rehearsal.session.state.open_notices();
    for notice in open {
        if !notice.as_str().starts_with("no_changes") {
            rehearsal.intent(&Intent::ConfirmNotice { notice })?;
        }
    }
    let lacking = rehearsal.lacking();
    must!(says(&lacking, "no_changes") && lacking.len() == 1, "changes are not warned of: {lacking:?}");
    let plan = rehearsal.plan()?.hash;
    must!(
        rehearsal.session.intent(&Intent::Begin { plan }).is_err(),
        "it begins without that being confirmed"
    );
    let banner = rehearsal.session.state.notices_shown().find_map(|notice| notice.banner.clone());
    must!(banner == Some((from.into(), "reconnect".into())), "it is said from and to {banner:?}");
    rehearsal.begin()?;
    rehearsal.pursue();
    let mut told = 0;
    for moment in &rehearsal.log {
        let during = moment
            .banners
            .iter()
            .any(|text| text.contains("Change nothing") && text.contains("without a break"));
        match moment.stage.as_str() {
            "servers" | "stop_others" | "servers_short" | "reconnect" => {
                must!(during, "nothing reminds of it at: {}", moment.question.text);
                told += 1;
            }
            _ => must!(!during, "it is said where it is over: {}", moment.question.text),
        }
    }
    must!(told > 0, "nothing was asked while servers are updated");
    Ok(())
}

pub fn lost_changes_are_warned_of_all_the_while(profile: &Profile) -> Result<(), String> {
    warned_of_changes(Scene::of(profile, SMALL), "servers")
}

pub fn lost_changes_are_warned_of_with_short_downtime(profile: &Profile) -> Result<(), String> {
    warned_of_changes(Scene::of(profile, SMALL).short(), "stop_others")
}

pub fn a_test_system_is_asked_for(profile: &Profile) -> Result<(), String> {
    let mut rehearsal = Scene::of(profile, SMALL).open()?;
    rehearsal.words.insert("test_system", "no");
    rehearsal.intent(&Intent::Check { check: None, server: None })?;
    rehearsal.pursue();
    let asked =
        rehearsal.log.iter().any(|moment| moment.question.text.contains("installed on a test system"));
    must!(asked, "nobody asks for a test system");
    must!(rehearsal.begin().is_err(), "it begins though nothing was rehearsed");
    let waive =
        |reason: &str| Intent::Waive { check: "test_system".into(), server: None, reason: reason.into() };
    must!(rehearsal.intent(&waive(" ")).is_err(), "it is passed without a reason");
    rehearsal.intent(&waive("this is the test system"))?;
    rehearsal.begin()
}

pub fn any_server_may_be_the_first(profile: &Profile) -> Result<(), String> {
    for (stage, procedure) in [("servers", "without_downtime"), ("servers_short", "short_downtime")] {
        for first in ["ums1", "ums2", "ums3", "ums4"] {
            let mut scene = Scene::of(profile, WHOLE);
            scene.answer("procedure", "", Value::text(procedure));
            scene.answer("first", "", Value::text(first));
            let order = scene.open()?.order(stage)?;
            let mut all = order.clone();
            all.sort();
            must!(
                order.first().is_some_and(|server| server == first),
                "{first} is to be the first: {order:?}"
            );
            must!(all == ["ums1", "ums2", "ums3", "ums4"], "the stage has {order:?}");
        }
    }
    let mut scene = Scene::of(profile, WHOLE);
    scene.answer("first", "", Value::text("lb1"));
    must!(scene.open().is_err(), "a load balancer may be the first server");
    Ok(())
}

pub fn the_installer_has_its_rights(profile: &Profile) -> Result<(), String> {
    let mut scene = Scene::of(profile, WHOLE);
    let mut denied = |check: &str, server: &str| {
        scene.world.checks.insert((check.to_owned(), Some(server.into())), Measured::Holds(false));
    };
    denied("administrator", "ums3");
    denied("administrator", "con1");
    denied("root_writable", "lb1");
    denied("root_writable", "ums3");
    let mut rehearsal = scene.checked()?;
    let found = blocked(&rehearsal);
    must!(found == ["administrator ums3", "administrator con1", "root_writable lb1"], "blocked by {found:?}");
    must!(rehearsal.begin().is_err(), "it begins without rights");
    Ok(())
}

/// A notice that must be confirmed before anything begins, and by itself keeps it from beginning.
fn confirmed_first(profile: &Profile, wanted: &str, page: Page) -> Result<(), String> {
    let mut rehearsal = Scene::of(profile, SMALL).checked()?;
    let shown =
        rehearsal.session.state.notices_shown().any(|notice| notice.id == wanted && notice.page == page);
    must!(shown, "`{wanted}` is not shown");
    for notice in rehearsal.session.state.open_notices() {
        if notice != *wanted {
            rehearsal.intent(&Intent::ConfirmNotice { notice })?;
        }
    }
    let plan = rehearsal.plan()?.hash;
    let refused = rehearsal.session.intent(&Intent::Begin { plan });
    let by_it = refused.as_ref().is_err_and(|why| why.contains(wanted));
    must!(by_it, "it begins without `{wanted}`: {refused:?}");
    must!(rehearsal.session.world.began.is_empty(), "something was started on a server before");
    rehearsal.begin()
}

pub fn the_licence_is_confirmed_first(profile: &Profile) -> Result<(), String> {
    confirmed_first(profile, "licence", Page::Licence)
}

pub fn the_requirements_are_confirmed_first(profile: &Profile) -> Result<(), String> {
    confirmed_first(profile, "requirements", Page::Requirements)
}

pub fn the_chosen_procedure_is_explained(profile: &Profile) -> Result<(), String> {
    let explained = |scene: Scene<'_>| -> Result<Vec<String>, String> {
        let rehearsal = scene.open()?;
        let state = &rehearsal.session.state;
        let seen = nofm::engine::Seen::new(state, None);
        let scope = state.scope(&seen, None);
        let shown =
            state.notices_shown().filter(|notice| notice.page == Page::Information && !notice.confirm);
        shown
            .map(|notice| notice.text.render(nofm::profile::Shell::None, &|name| scope.lookup(name)))
            .collect::<Result<_, _>>()
            .map_err(|error| format!("{error:?}"))
    };
    let without = explained(Scene::of(profile, SMALL))?;
    must!(
        without.len() == 1 && without[0].contains("switches the server to update mode"),
        "explained: {without:?}"
    );
    let short = explained(Scene::of(profile, SMALL).short())?;
    must!(
        short.len() == 1 && short[0].contains("All UMS Servers but ums2 are stopped"),
        "explained: {short:?}"
    );
    Ok(())
}

pub fn the_components_are_those_of_the_inventory(profile: &Profile) -> Result<(), String> {
    let mut scene = Scene::of(profile, WHOLE);
    scene.world.set("has_server", Some("ums3"), "no");
    scene.world.set("has_balancer", Some("lb2"), "no");
    let rehearsal = scene.checked()?;
    let found = blocked(&rehearsal);
    must!(found == ["server_component ums3", "balancer_component lb2"], "blocked by {found:?}");
    Ok(())
}

pub fn the_components_are_confirmed_on_each_host(profile: &Profile) -> Result<(), String> {
    let rehearsal = Scene::of(profile, WHOLE).done()?;
    let confirmed = rehearsal.asked("update.components");
    let starts = rehearsal.events().filter_map(|(at, event)| match event {
        Event::StepCleared { key } if key.step == "update.install" => Some((at, host(key))),
        _ => None,
    });
    let mut hosts = Vec::new();
    for (at, host) in starts {
        let before = confirmed.iter().any(|(when, on, text)| {
            *when < at
                && *on == host
                && text.contains(&host)
                && text.contains("Is that what is installed there?")
        });
        must!(before, "the components of {host} are not confirmed before the installer runs there");
        hosts.push(host);
    }
    hosts.sort();
    must!(hosts == ["con1", "lb1", "lb2", "ums1", "ums2", "ums3", "ums4"], "the installer runs on {hosts:?}");
    Ok(())
}

pub fn there_is_room_for_the_installer(profile: &Profile) -> Result<(), String> {
    let mut scene = Scene::of(profile, WHOLE);
    for (server, megabytes) in [("ums2", 1_999), ("ums3", 2_000), ("lb1", 999), ("lb2", 1_000), ("con1", 999)]
    {
        scene.world.free.insert(server.into(), megabytes * 1_000_000);
    }
    let mut rehearsal = scene.checked()?;
    let found = blocked(&rehearsal);
    must!(found == ["space ums2", "space_further lb1", "space_further con1"], "blocked by {found:?}");
    must!(rehearsal.begin().is_err(), "it begins without room");
    Ok(())
}

pub fn nothing_is_installed_before_the_summary_is_agreed_to(profile: &Profile) -> Result<(), String> {
    let mut rehearsal = Scene::of(profile, SMALL).checked()?;
    for notice in rehearsal.session.state.open_notices() {
        rehearsal.intent(&Intent::ConfirmNotice { notice })?;
    }
    rehearsal.pursue();
    must!(rehearsal.session.world.began.is_empty(), "something was started before the summary");
    let shown = rehearsal.plan()?.hash;
    rehearsal.intent(&Intent::Answer {
        input: "first".into(),
        key: String::new(),
        value: Value::text("ums1"),
    })?;
    let refused = rehearsal.session.intent(&Intent::Begin { plan: shown });
    must!(refused.is_err(), "a plan begins that was not shown");
    must!(rehearsal.begin().is_err(), "it begins with what was checked under other answers");
    rehearsal.intent(&Intent::Check { check: None, server: None })?;
    rehearsal.pursue();
    rehearsal.begin()?;
    let question = rehearsal.until_asked("update.install", "ums1")?;
    must!(matches!(question.about, About::Attended(_)), "the installer is not attended: {question:?}");
    must!(
        rehearsal.started_on("update.install").is_empty(),
        "the installer runs before the operator starts it"
    );
    rehearsal.reply(&question, Choice::Start, "")?;
    rehearsal.until(|event| matches!(event, Event::TargetEnded { .. }))?;
    let command = rehearsal.started().last().map_or("", |(_, _, command)| *command).to_owned();
    let runs = command.starts_with("sh ")
        && command.contains("setup-igel-ums-linux.bin")
        && command.ends_with("--nox11");
    must!(runs, "it is not the installer that runs: {command}");
    Ok(())
}

pub fn the_installer_may_run_unattended(profile: &Profile) -> Result<(), String> {
    let mut scene = Scene::of(profile, SMALL);
    scene.answer("install_mode", "", Value::text("unattended"));
    scene.answer("install_options", "linux", Value::text("-- --silent yes"));
    let mut rehearsal = scene.checked()?;
    must!(rehearsal.session.world.began.is_empty(), "something was started before the summary");
    rehearsal.begin()?;
    let installs = |event: &Event| matches!(event, Event::StepIntended { key, .. } if key.step == "update.install_unattended");
    rehearsal.until(installs)?;
    let command = rehearsal.started().last().map_or("", |(_, _, command)| *command).to_owned();
    let runs = command.starts_with("sh ")
        && command.contains("setup-igel-ums-linux.bin")
        && command.ends_with("-- --silent yes");
    must!(runs, "it is not the installer that runs: {command}");
    must!(rehearsal.asked("update.install").is_empty(), "the attended installer is asked for, too");
    Ok(())
}
