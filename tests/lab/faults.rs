//! Faults: what each does, and how it ends.

use super::*;

#[test]
fn an_installation_that_fails_once_succeeds_when_it_is_tried_again() {
    for (fault, victim) in
        [("install-fails-first", "ums-1"), ("install-fails-middle", "ums-2"), ("install-fails-last", "ums-3")]
    {
        let farm = Farm::with(|options| {
            options.counts = counts(3, 0, 1);
            options.faults = strings(&[fault]);
        });
        for server in ["ums-1", "ums-2", "ums-3"] {
            if server == victim {
                let said = farm.install(server);
                assert_eq!(said.code, 1, "{fault}");
                assert_eq!(farm.version(server), "12.04.100", "{fault}");
                assert_eq!(farm.schema().0, "12.04", "{fault}");
            }
            assert_eq!(farm.install(server).code, 0, "{fault}: {server}");
        }
        eventually("all are in normal mode", || farm.modes().iter().all(|mode| mode == "NORMAL"));
        assert_eq!(farm.schema(), ("12.08".to_owned(), "1".to_owned()), "{fault}");
        farm.no_mishap();
    }
}

#[test]
fn an_installation_that_always_fails_fails_again() {
    let farm = Farm::new(&["install-fails-first:always"]);
    for _ in 0..3 {
        assert_eq!(farm.install("ums-1").code, 1);
    }
    assert_eq!(farm.version("ums-1"), "12.04.100");
    assert_eq!(farm.ask("ums-1", "systemctl is-active igel-ums-server"), "active");
}

#[test]
fn an_installer_that_hangs_goes_on_when_it_is_let() {
    let farm = Farm::new(&["install-never-ends"]);
    let mut child =
        farm.command("ums-2", &format!("{} {SILENT} >installer.out", farm.installer())).spawn().unwrap();
    eventually("it hangs", || farm.events().contains("ums-2 install hangs"));
    std::thread::sleep(Duration::from_millis(500));
    assert!(child.try_wait().unwrap().is_none(), "it has ended");
    // A second installer on the same host is refused.
    assert_eq!(farm.install("ums-2").code, 1);
    fs::write(farm.root("ums-2").join("etc/lab/go-on"), "").unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(farm.version("ums-2"), "12.08.130");
}

#[test]
fn a_server_that_misses_the_message_is_switched_over_by_hand() {
    let farm = Farm::with(|options| {
        options.counts = counts(3, 2, 1);
        options.faults = strings(&["not-normal"]);
    });
    for server in ["ums-1", "ums-2", "ums-3"] {
        assert_eq!(farm.install(server).code, 0);
    }
    eventually("the first is in normal mode", || farm.modes()[0] == "NORMAL");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(farm.modes(), ["NORMAL", "UPDATE", "NORMAL"]);
    assert_ne!(farm.on("ums-1", "umsadmin-cli server end-update-mode").code, 0);
    farm.ask("ums-2", "umsadmin-cli server end-update-mode");
    assert_eq!(farm.modes(), ["NORMAL", "NORMAL", "NORMAL"]);
    assert_eq!(farm.schema().1, "1");
}

#[test]
fn a_load_balancer_that_does_not_stop_is_ended_hard_and_then_updated() {
    let farm = Farm::new(&["balancer-not-stopping"]);
    for server in ["ums-1", "ums-2", "ums-3", "ums-4"] {
        assert_eq!(farm.install(server).code, 0);
    }
    let said = farm.install("lb-1");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("igel-ums-broker does not stop"), "{}", said.err);
    assert_eq!(farm.ask("lb-1", "umsadmin-cli -V"), "umsadmin-cli 12.04.100");
    assert_eq!(farm.ask("lb-1", "systemctl is-active igel-ums-broker"), "active");
    farm.ask("lb-1", "systemctl stop igel-ums-watchdog && systemctl kill --signal=KILL igel-ums-broker");
    eventually("it is gone", || farm.on("lb-1", "systemctl is-active igel-ums-broker").code != 0);
    assert_eq!(farm.install("lb-1").code, 0);
    assert_eq!(farm.ask("lb-1", "systemctl is-active igel-ums-broker"), "active");
    farm.no_mishap();
}

#[test]
fn a_clock_that_is_off_is_seen_by_date_and_set_by_its_command() {
    let farm = Farm::new(&["clock"]);
    let apart = |farm: &Farm| {
        let seconds = |server: &str| farm.ask(server, "date +%s").parse::<i64>().unwrap();
        seconds("ums-2") - seconds("ums-1")
    };
    assert!((89..=92).contains(&apart(&farm)), "{}", apart(&farm));
    let exact = farm.ask("ums-2", "date +%s.%N");
    assert_eq!(exact.split_once('.').map(|(_, rest)| rest.len()), Some(9), "{exact}");
    farm.install("ums-1");
    assert!(farm.events().contains("MISHAP: the clocks differ by 90 s"));
    farm.ask("ums-2", "chronyc makestep");
    assert!((-1..=2).contains(&apart(&farm)), "{}", apart(&farm));
}

#[test]
fn a_full_disk_is_seen_by_df_and_refused_by_the_installer() {
    let farm = Farm::new(&["disk-full"]);
    let free = |server: &str| -> u64 {
        let said = farm.ask(server, "df -Pk -- \"$NOFM_ROOT/opt/IGEL/RemoteManager\"");
        said.lines().last().unwrap().split_whitespace().nth(3).unwrap().parse().unwrap()
    };
    assert!(free("ums-1") > 2_000_000);
    assert!(free("ums-2") < 20_000);
    let said = farm.install("ums-2");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("Not enough disk space"), "{}", said.err);
    assert_eq!(farm.modes()[1], "NORMAL");
    fs::remove_file(farm.root("ums-2").join("etc/lab/disk-full")).unwrap();
    assert_eq!(farm.install("ums-2").code, 0);
}

#[test]
fn pending_jobs_end_some_time_after_somebody_looked() {
    let farm = Farm::new(&["pending-requests"]);
    assert_eq!(farm.ask("ums-1", "ums-console jobs"), "3");
    eventually("no job is pending", || farm.ask("ums-1", "ums-console jobs") == "0");
    assert_eq!(Farm::new(&[]).ask("ums-1", "ums-console jobs"), "0");
}

#[test]
fn the_backup_is_there_unless_it_is_missing() {
    let size =
        |farm: &Farm| fs::metadata(farm.root("db-1").join("var/backups/rmdb.dump")).map(|file| file.len());
    assert!(size(&Farm::new(&[])).unwrap() > 1000);
    let farm = Farm::new(&["backup-missing"]);
    assert!(size(&farm).is_err());
    farm.ask("db-1", "runuser -u postgres -- pg_dump -Fc rmdb -f /var/backups/rmdb.dump");
    assert!(size(&farm).unwrap() > 1000);
}

#[test]
fn hostile_and_big_output_come_as_ordered() {
    let farm = Farm::new(&["hostile-output"]);
    let output = farm.command("ums-1", &format!("{} {SILENT}", farm.installer())).output().unwrap();
    assert!(output.status.success());
    for bytes in [b"\x1b]0;owned\x07".as_slice(), b"\x00", b"\xff\xfe", b"{{ inputs.version }} $(reboot)"] {
        assert!(output.stdout.windows(bytes.len()).any(|part| part == bytes), "{bytes:?}");
    }
    let farm = Farm::new(&["big-output"]);
    let size = farm.ask("ums-1", &format!("{} {SILENT} | wc -c", farm.installer()));
    assert!(size.trim().parse::<u64>().unwrap() >= 100_000_000, "{size}");
}
