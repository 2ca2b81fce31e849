//! The stand-ins as a profile and the transport see them.

use std::sync::Arc;

use nofm::inventory::{Answers, Inventory};
use nofm::model::Verdict;
use nofm::profile::Shell;
use nofm::transport::checks::{self, ServiceAct, ServiceState};
use nofm::transport::{
    Heard, Link, Local, Probe, RunEnd, RunId, Source, StartOpts, clocks_agree, read_clocks,
};

use super::*;

#[test]
fn services_are_processes_that_stop_and_start() {
    let farm = Farm::new(&[]);
    let systemctl = |verb: &str| farm.on("ums-1", &format!("systemctl {verb} igel-ums-server.service"));
    assert_eq!(systemctl("is-active").out, "active");
    assert_eq!(systemctl("show -p LoadState").out, "LoadState=loaded");
    let pid = systemctl("show -p MainPID --value").out;
    assert!(Path::new("/proc").join(&pid).exists());
    assert_eq!(systemctl("stop").code, 0);
    assert!(farm.status("ums-1").is_none());
    let said = systemctl("is-active");
    assert_eq!((said.code, said.out.as_str()), (3, "inactive"));
    assert_eq!(farm.rows("UMS_RMGUISERVER")[0].status, "SERVICE_STOPPED");
    assert_eq!(systemctl("start").code, 0);
    assert_eq!(farm.rows("UMS_RMGUISERVER")[0].status, "SERVICE_RUNNING");
    assert_eq!(farm.version("ums-1"), "12.04.100");
    // A hard end leaves the web server behind; the next start puts that right.
    farm.ask("ums-1", "systemctl kill -s KILL igel-ums-server");
    eventually("it is gone", || systemctl("is-active").code == 3);
    assert_eq!(systemctl("start").code, 0);
    assert_eq!(farm.version("ums-1"), "12.04.100");

    assert_eq!(farm.on("ums-1", "systemctl show -p LoadState nothing").out, "LoadState=not-found");
    assert_eq!(farm.on("ums-1", "systemctl cat igel-ums-broker").code, 1);
    assert_eq!(farm.on("ums-1", "systemctl start nothing").code, 5);
    assert_eq!(farm.on("ums-1", "systemctl start ../../lib/lab.sh").code, 5);
}

/// The facts of the profile, with its own defaults for the inputs, asked as the engine will ask them.
#[test]
fn the_profile_s_questions_are_answered_by_the_stand_ins() {
    let farm = Farm::new(&["orphan"]);
    let profile: toml::Table = include_str!("../../profiles/igel-ums-ha.toml").parse().unwrap();
    let default = |input: &str| {
        let default = &profile["inputs"][input]["default"];
        default.as_str().unwrap_or_else(|| default["linux"].as_str().unwrap())
    };
    let ask = |server: &str, fact: &str, here: &str| {
        let run = &profile["facts"][fact]["run"];
        let mut command = run.as_str().unwrap_or_else(|| run["linux"].as_str().unwrap()).to_owned();
        for input in
            ["process_table", "admin_cli", "normal_mode", "update_mode", "balancer_type", "version_command"]
        {
            command = command.replace(&format!("{{{{ inputs.{input} }}}}"), default(input));
        }
        farm.on(server, &command.replace("{{ here.name }}", here))
    };
    let lines = |said: Said| said.out.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        lines(ask("ums-2", "registered_servers", "")),
        ["ums-1", "ums-2", "ums-3", "ums-4", "ums-old"]
    );
    assert_eq!(lines(ask("ums-2", "registered_balancers", "")), ["lb-1", "lb-2"]);
    assert_eq!(ask("ums-1", "mode", "ums-1").out, "normal");
    assert_eq!(ask("ums-1", "mode", "nobody").out, "");
    assert_eq!(ask("ums-1", "service_status", "lb-1").out, "SERVICE_RUNNING");
    assert_eq!(ask("ums-1", "service_status", "ums-old").out, "SERVICE_STOPPED");
    assert_eq!(ask("ums-1", "service_status", "nobody").code, 3);
    assert_eq!(ask("ums-1", "productive", "").code, 0);
    assert_eq!(ask("ums-1", "has_server", "").code, 0);
    assert_eq!(ask("lb-1", "has_balancer", "").code, 0);
    assert_eq!(ask("ums-1", "has_balancer", "").code, 1);
    assert_eq!(ask("lb-1", "balancer_runs", "").code, 0);
    assert!(ask("console-1", "component_version", "").out.contains("12.04.100"));
    farm.ask("ums-1", "systemctl stop igel-ums-server");
    assert_eq!(ask("ums-2", "service_status", "ums-1").out, "SERVICE_STOPPED");
    assert_eq!(farm.install("ums-2").code, 0);
    assert_eq!(ask("ums-1", "mode", "ums-2").out, "update");
    assert_eq!(ask("ums-2", "productive", "").code, 1);
    farm.ask("lb-1", "systemctl stop igel-ums-broker");
    assert_eq!(ask("lb-1", "balancer_runs", "").code, 1);
    // A database that does not answer is no empty list.
    fs::write(farm.root("ums-1").join("bin/psql"), "#!/bin/sh\nexit 2\n").unwrap();
    for fact in ["registered_servers", "registered_balancers", "mode", "service_status"] {
        assert_ne!(ask("ums-1", fact, "ums-1").code, 0, "{fact}");
    }
}

#[test]
fn profile_inventory_and_answers_of_a_lab_fit_each_other() {
    let farm = Farm::new(&[]);
    let profile = nofm::profile::parse("igel-ums-ha.toml", include_str!("../../profiles/igel-ums-ha.toml"))
        .unwrap_or_else(|wrong| panic!("{wrong}"));
    let text = fs::read_to_string(&farm.lab.inventory_path).unwrap();
    let inventory =
        Inventory::parse("inventory.toml", &text, &farm.lab.dir).unwrap_or_else(|wrong| panic!("{wrong}"));
    let wrong = inventory.fit(&profile);
    assert!(wrong.is_empty(), "{wrong}");
    let text = fs::read_to_string(&farm.lab.answers_path).unwrap();
    let answers =
        Answers::parse("answers.toml", &text, Some(&profile)).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(!answers.inputs.is_empty());
}

fn link(farm: &Farm, server: &str) -> Link {
    Link::Local(Arc::new(Local::new(server, Some(&farm.root(server)))))
}

#[tokio::test]
async fn the_built_in_checks_find_what_is_wrong() {
    let farm = Farm::new(&["clock", "disk-full"]);
    let verdict = async |servers: &[&str]| {
        let links: Vec<_> = servers.iter().map(|server| link(&farm, server)).collect();
        let readings: Vec<_> = read_clocks(&links).await.into_iter().map(Result::ok).collect();
        clocks_agree(&readings, Duration::from_mins(1))
    };
    assert_eq!(verdict(&["ums-1", "ums-3", "lb-1"]).await, Verdict::Pass);
    assert_eq!(verdict(&["ums-1", "ums-2"]).await, Verdict::Fail);

    let ask =
        async |server: &str, script: String| link(&farm, server).probe(&Probe::new(script)).await.unwrap();
    let space = checks::free_space_script(Shell::Sh, "/opt/IGEL/RemoteManager");
    assert!(checks::free_space(&ask("ums-1", space.clone()).await).unwrap() > 2_000_000_000);
    assert_eq!(checks::free_space(&ask("ums-2", space).await), Some(10 << 20));
    let root = checks::privilege(&ask("ums-1", checks::privilege_script(Shell::Sh)).await);
    assert_eq!(root, Some(checks::Privilege::Root));
    let root = checks::writable(&ask("ums-1", checks::writable_script(Shell::Sh, "/root")).await);
    assert_eq!(root, Some(checks::Writable::Yes));
    let backup =
        checks::file(&ask("db-1", checks::file_script(Shell::Sh, "/var/backups/rmdb.dump", false)).await);
    assert!(
        matches!(backup, Some(checks::FileAnswer::Present { size: 1001.., age: Some(-1..3600), .. })),
        "{backup:?}"
    );
}

#[tokio::test]
async fn services_are_asked_and_restarted_by_the_transport_s_scripts() {
    let farm = Farm::new(&[]);
    let names = ["igel-ums-watchdog", "igel-ums-broker?", "igel-ums-server"].map(str::to_owned);
    let states = async || {
        let probe = Probe::new(checks::services_script(Shell::Sh, &names));
        checks::services(&names, &link(&farm, "ums-1").probe(&probe).await.unwrap()).unwrap()
    };
    let all = [ServiceState::Running, ServiceState::Missing, ServiceState::Running];
    assert_eq!(states().await, all);
    farm.ask("ums-1", &checks::service_script(Shell::Sh, ServiceAct::Stop, &names));
    assert_eq!(states().await, [ServiceState::Stopped, ServiceState::Missing, ServiceState::Stopped]);
    farm.ask("ums-1", &checks::service_script(Shell::Sh, ServiceAct::Restart, &names));
    assert_eq!(states().await, all);
}

#[tokio::test]
async fn an_uploaded_installer_runs_detached_under_a_run_id() {
    let farm = Farm::new(&[]);
    let (link, remote) = (link(&farm, "ums-1"), "/var/lib/nofm/files/setup.bin");
    let source = Arc::new(Source::open(&super::installer(&farm.lab)).await.unwrap());
    link.upload(&source, remote, &mut |_| {}).await.unwrap();
    let id = RunId::new("servers.ums-1.install-1").unwrap();
    let body = format!("set -eu\nsh \"$NOFM_ROOT{remote}\" {SILENT}\n");
    link.start(&id, &body, StartOpts::default()).await.unwrap();
    let mut output = Vec::new();
    let mut sink = |heard: Heard<'_>| {
        if let Heard::Output { bytes, .. } = heard {
            output.extend_from_slice(bytes);
        }
        Ok(())
    };
    assert_eq!(link.follow(&id, 0, &mut sink).await.unwrap(), RunEnd::Done { rc: 0 });
    let output = String::from_utf8(output).unwrap();
    assert!(output.contains("1 of 4 servers updated"), "{output}");
    assert_eq!(farm.version("ums-1"), "12.08.130");
}

#[test]
fn a_restart_ends_all_of_one_server_and_starts_its_services_again() {
    let farm = Farm::new(&[]);
    let units = "igel-ums-server\nigel-ums-watchdog\n";
    fs::write(farm.root("ums-1").join("etc/lab/boot"), units).unwrap();
    let pid =
        |server: &str, unit: &str| farm.on(server, &format!("systemctl show -p MainPID --value {unit}")).out;
    let boot = || {
        let said = farm.on("ums-1", &checks::boot_id_script(Shell::Sh));
        said.out.strip_prefix("boot ").map(str::to_owned)
    };
    let (own, others) = (pid("ums-1", "igel-ums-server"), pid("ums-2", "igel-ums-server"));
    let before = boot().expect("that of this machine");
    farm.ask("ums-1", checks::reboot_script(Shell::Sh));
    eventually("it is back", || boot().is_some_and(|now| now != before));
    assert_eq!(farm.version("ums-1"), "12.04.100");
    assert!(!Path::new("/proc").join(&own).join("stat").exists() || pid("ums-1", "igel-ums-server") != own);
    assert_ne!(pid("ums-1", "igel-ums-watchdog"), "0");
    assert_eq!(pid("ums-2", "igel-ums-server"), others, "the others are not concerned");
    let events = farm.events();
    let (down, up) = (events.find("ums-1 reboots\n"), events.find("ums-1 is up\n"));
    assert!(down.is_some() && down < up, "{events}");
    farm.no_mishap();
}

#[test]
fn services_are_listed_with_the_name_that_people_call_them_by() {
    let farm = Farm::new(&[]);
    let unit = "# Description: A Service, by any name\nexit 0\n";
    fs::write(farm.root("db-1").join("etc/systemd/other"), unit).unwrap();
    let listed = |server: &str| {
        let said = farm.on(server, &checks::service_list_script(Shell::Sh));
        assert_eq!(said.code, 0, "{}", said.err);
        let output = nofm::transport::ProbeOutput {
            exit: 0,
            stdout: said.out.into_bytes(),
            stderr: Vec::new(),
            truncated: false,
            took: Duration::ZERO,
        };
        let listed = checks::service_list(&output).expect("it can be read");
        listed.into_iter().map(|one| format!("{}: {}", one.name, one.title)).collect::<Vec<_>>()
    };
    assert_eq!(listed("db-1"), ["other: A Service, by any name"]);
    assert_eq!(listed("lb-1").len(), 2, "those without one are called what they are");
    assert!(listed("console-1").is_empty());
}
