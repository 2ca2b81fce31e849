//! The whole upgrade over SSH, by the program itself, with everything that can go wrong.

use std::process::{Command, Stdio};

use super::*;
use crate::bed::{self, Proxy};

struct Home {
    folder: tempfile::TempDir,
}

struct Ended {
    code: i32,
    out: String,
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn command(&self, bed: &Bed, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nofm"));
        command
            .args(args)
            .args(["-p", "igel-ums-ha", "-i"])
            .arg(&bed.lab.inventory_path)
            .arg("--answers")
            .arg(&bed.lab.answers_path)
            .env("NOFM_HOME", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Upgrades without a person.
    fn upgrade(&self, bed: &Bed) -> Ended {
        ended(&mut self.command(bed, &["run", "--headless"]))
    }

    fn nofm(&self, args: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nofm"));
        ended(command.args(args).env("NOFM_HOME", self.folder.path()).stdin(Stdio::null()))
    }
}

fn ended(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    let out =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Ended { code: output.status.code().unwrap_or(-1), out }
}

fn farm(faults: &[&'static str]) -> Bed {
    Bed::igel(&Options { faults: faults.to_vec(), speed: 30.0, ..Options::default() })
}

/// Upgraded, each installer started once but where it had to be repeated, the schema renewed once.
fn upgraded(bed: &Bed, ended: &Ended, twice: &[&str]) {
    assert_eq!(ended.code, 0, "{}", ended.out);
    assert!(ended.out.contains("4 of 4 servers updated"), "{}", ended.out);
    let seen = bed.events();
    assert!(!seen.contains("MISHAP"), "{seen}");
    assert_eq!(seen.matches("renewed the schema").count(), 1, "{seen}");
    for server in ["ums-1", "ums-2", "ums-3", "ums-4", "lb-1", "lb-2", "console-1"] {
        let started = format!("{server} install started");
        let count = seen.lines().filter(|line| line.starts_with(&started)).count();
        assert_eq!(count, if twice.contains(&server) { 2 } else { 1 }, "{server}:\n{seen}");
    }
}

#[test]
fn a_farm_is_upgraded_while_its_connections_break() {
    let mut bed = farm(&[]);
    let proxies: Vec<Proxy> =
        ["ums-1", "ums-2", "ums-3", "ums-4", "lb-1", "db-1"].map(|server| bed.behind_proxy(server)).into();
    let home = Home::new();
    let mut command = home.command(&bed, &["run", "--headless"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let cutter = std::thread::spawn(move || {
        let mut seed: u64 = 0x5eed;
        let mut cuts = 0;
        loop {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let pause = Duration::from_millis(50 + (seed >> 33) % 900);
            if stopped.recv_timeout(pause) != Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                return (proxies, cuts);
            }
            proxies[usize::try_from((seed >> 40) % 6).unwrap()].cut();
            cuts += 1;
        }
    });
    let output = child.wait_with_output().unwrap();
    drop(stop);
    let (proxies, cuts) = cutter.join().unwrap();
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    upgraded(&bed, &Ended { code: output.status.code().unwrap_or(-1), out }, &[]);
    let connections: usize = proxies.iter().map(Proxy::connections).sum();
    assert!(cuts > 5 && connections > proxies.len(), "{cuts} cuts, {connections} connections");
}

#[test]
fn faults_that_a_fix_mends() {
    let bed = farm(&["orphan", "clock", "backup-missing"]);
    upgraded(&bed, &Home::new().upgrade(&bed), &[]);
}

#[test]
fn installers_that_fail_are_started_once_more() {
    let bed = farm(&["install-fails-first", "install-fails-last"]);
    upgraded(&bed, &Home::new().upgrade(&bed), &["ums-1", "ums-4"]);
}

#[test]
fn an_installer_that_fails_in_the_middle_and_a_balancer_that_does_not_stop() {
    let bed = farm(&["install-fails-middle", "balancer-not-stopping", "pending-requests"]);
    let ended = Home::new().upgrade(&bed);
    assert_eq!(ended.code, 0, "{}", ended.out);
    assert!(ended.out.contains("4 of 4 servers updated"), "{}", ended.out);
}

#[test]
fn what_an_installer_prints_is_only_text_and_has_an_end() {
    let bed = farm(&["hostile-output", "big-output"]);
    let home = Home::new();
    let ended = home.upgrade(&bed);
    upgraded(&bed, &ended, &[]);
    assert!(!ended.out.contains('\u{1b}'), "{}", ended.out);
}

#[test]
fn a_full_disk_blocks_before_anything_is_touched() {
    let bed = farm(&["disk-full"]);
    let ended = Home::new().upgrade(&bed);
    assert_eq!(ended.code, 3, "{}", ended.out);
    assert!(!bed.events().contains("install started"), "{}", bed.events());
}

/// What is told of a rehearsal that is held, with its farm at once as fast as `speed` says.
fn held(profile: &str, fault: &str, speed: &str) -> String {
    let home = Home::new();
    bed::sshd();
    let ended = home.nofm(&["lab", profile, "--ssh", "--headless", "--speed", speed, "--fault", fault]);
    let dir = home.folder.path().join("labs/igel_ums_ha");
    let seen = fs::read_to_string(dir.join("events.log")).unwrap();
    nofm::lab::remove(&dir).unwrap();
    assert_eq!(ended.code, 4, "{}", ended.out);
    assert_eq!(seen.matches("ums-2 install started").count(), 1, "{seen}");
    ended.out
}

#[test]
fn what_does_not_come_is_waited_for_and_then_held() {
    let out = held("igel-ums-ha", "not-normal", "300");
    assert!(out.contains("end-update-mode"), "{out}");
}

#[test]
fn what_does_not_come_to_its_end_is_waited_for_and_then_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("igel-ums-ha.toml");
    let text = nofm::profile::builtin::find("igel_ums_ha").unwrap();
    // A rehearsal waits as much shorter as its farm is faster, and still for longer than a test has to.
    let sooner = text.replace("= \"15m\"", "= \"2m\"").replace("= \"1h\"", "= \"4m\"");
    assert_ne!(sooner, text);
    fs::write(&path, sooner).unwrap();
    let out = held(path.to_str().unwrap(), "install-never-ends", "300");
    assert!(out.contains("ums-2"), "{out}");
}

#[test]
fn a_server_with_a_changed_key_is_not_touched_and_nothing_begins() {
    let bed = farm(&[]);
    bed.know_wrong_host_key("ums-3");
    let ended = Home::new().upgrade(&bed);
    // What could not be read of that server only a person could tell.
    assert_eq!(ended.code, 4, "{}", ended.out);
    assert!(ended.out.contains("somebody may be in between"), "{}", ended.out);
    assert!(!bed.events().contains("install started"), "{}", bed.events());
}

#[test]
fn what_only_a_person_can_say_stops_a_run_without_one() {
    let bed = farm(&[]);
    bed.forget_host_key("ums-2");
    bed.need_sudo("ums-4", Some("a secret of ums-4"));
    let ended = Home::new().upgrade(&bed);
    assert_eq!(ended.code, 4, "{}", ended.out);
    assert!(ended.out.contains("SHA256:"), "{}", ended.out);
    assert!(!bed.events().contains("install started"), "{}", bed.events());
}

#[test]
fn an_inventory_is_checked_by_connecting_everywhere() {
    let bed = farm(&[]);
    bed.refuse_login("lb-2");
    let check = |more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_nofm"))
            .args(["inventory", "check", "-p", "igel-ums-ha", "-i"])
            .arg(&bed.lab.inventory_path)
            .args(more)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, out) = check(&[]);
    assert_eq!(code, 3, "{out}");
    assert!(out.contains("7 of 8 servers can be worked on"), "{out}");
    let row = out.lines().find(|line| line.starts_with("lb-2")).unwrap();
    assert!(row.contains("is refused"), "{row}");
    let (code, out) = check(&["--json"]);
    let rows: Vec<serde_json::Value> = serde_json::from_str(&out).unwrap();
    assert_eq!((code, rows.len()), (3, 8));
    assert!(rows.iter().all(|row| (row["server"] == "lb-2") != row["problem"].is_null()), "{out}");
    assert_eq!(check(&["--offline"]).0, 0);
}
