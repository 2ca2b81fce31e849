//! The product as it behaves when nothing goes wrong: both procedures, and what it refuses.

use super::*;

#[test]
fn without_downtime_the_last_server_renews_the_schema_once() {
    let farm = Farm::new(&[]);
    assert_eq!(farm.version("ums-1"), "12.04.100");
    for (index, server) in ["ums-1", "ums-2", "ums-3", "ums-4"].into_iter().enumerate() {
        assert_eq!(farm.schema(), ("12.04".to_owned(), "0".to_owned()), "before {server}");
        let said = farm.install(server);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(said.out.contains(&format!("{} of 4 servers updated", index + 1)), "{}", said.out);
        assert_eq!(farm.version(server), "12.08.130");
        if index < 3 {
            let modes = farm.modes();
            assert!(modes[..=index].iter().all(|mode| mode == "UPDATE"), "{modes:?}");
            assert!(modes[index + 1..].iter().all(|mode| mode == "NORMAL"), "{modes:?}");
            assert!(farm.ask(server, "umsadmin-cli db list").contains("Embedded DB"));
        }
    }
    assert_eq!(farm.schema(), ("12.08".to_owned(), "1".to_owned()));
    eventually("all servers are in normal mode", || farm.modes().iter().all(|mode| mode == "NORMAL"));
    for server in ["lb-1", "lb-2", "console-1"] {
        assert_eq!(farm.install(server).code, 0, "{server}");
        assert_eq!(farm.ask(server, "umsadmin-cli -V"), "umsadmin-cli 12.08.130");
    }
    for row in farm.rows("UMS_RMGUISERVER").iter().chain(&farm.rows("UMS_BROKER")) {
        assert_eq!((row.status.as_str(), row.version.as_str()), ("SERVICE_RUNNING", "12.08.130"), "{row:?}");
    }
    let renewals: Vec<_> = farm
        .events()
        .lines()
        .filter(|line| line.contains("renewed the schema of"))
        .map(str::to_owned)
        .collect();
    assert_eq!(renewals, ["ums-4 renewed the schema of the productive database: 12.08"]);
    farm.no_mishap();
}

#[test]
fn with_short_downtime_the_first_server_renews_the_schema_and_nobody_works_on_a_copy() {
    let farm = Farm::new(&[]);
    for server in ["ums-2", "ums-3", "ums-4"] {
        farm.ask(server, "systemctl stop igel-ums-watchdog igel-ums-server");
        assert_eq!(farm.status(server), None, "{server} still answers");
    }
    for (index, server) in ["ums-1", "ums-2", "ums-3", "ums-4"].into_iter().enumerate() {
        let said = farm.install(server);
        assert_eq!(said.code, 0, "{}", said.err);
        assert!(said.out.contains(&format!("{} of 4 servers updated", index + 1)), "{}", said.out);
        assert_eq!(farm.schema(), ("12.08".to_owned(), "1".to_owned()), "after {server}");
        assert!(farm.modes().iter().all(|mode| mode == "NORMAL"));
    }
    assert!(!farm.events().contains("update mode"));
    farm.no_mishap();
}

#[test]
fn a_server_of_the_old_version_does_not_start_on_a_renewed_schema() {
    let farm = Farm::new(&[]);
    for server in ["ums-2", "ums-3", "ums-4"] {
        farm.ask(server, "systemctl stop igel-ums-server");
    }
    assert_eq!(farm.install("ums-1").code, 0);
    assert_ne!(farm.on("ums-2", "systemctl start igel-ums-server").code, 0);
    assert_eq!(farm.ask("ums-2", "systemctl is-active igel-ums-server || :"), "inactive");
}

#[test]
fn an_orphaned_entry_keeps_m_too_high_until_it_is_deleted() {
    let farm = Farm::with(|options| {
        options.counts = counts(2, 2, 1);
        options.faults = strings(&["orphan"]);
    });
    farm.install("ums-1");
    let said = farm.install("ums-2");
    assert!(said.out.contains("2 of 3 servers updated"), "{}", said.out);
    assert_eq!(farm.schema().0, "12.04");
    assert_eq!(farm.modes(), ["UPDATE", "UPDATE", "NORMAL"]);

    assert_ne!(farm.on("ums-1", "ums-console delete ums-2").code, 0, "a running server was deleted");
    assert_ne!(farm.on("ums-1", "ums-console delete nobody").code, 0);
    farm.ask("ums-1", "ums-console delete ums-old");
    assert_eq!(farm.rows("UMS_RMGUISERVER").len(), 2);
    // As the vendor says: by hand, an updated server first; its first connection renews the schema.
    farm.ask("ums-2", "umsadmin-cli server end-update-mode");
    assert_eq!(farm.schema(), ("12.08".to_owned(), "1".to_owned()));
    farm.ask("ums-1", "umsadmin-cli db activate -i 1");
    assert_eq!(farm.modes(), ["NORMAL", "NORMAL"]);
    assert_eq!(farm.schema().1, "1");
}

#[test]
fn an_older_version_is_refused_and_changes_nothing() {
    let farm = Farm::with(|options| options.counts = counts(4, 0, 1));
    let older = older_installer(&farm.lab).display().to_string().replace('\'', r"'\''");
    let before = farm.database();
    let said = farm.on("ums-1", &format!("sh '{older}' {SILENT}"));
    assert_eq!(said.code, 3);
    assert!(said.err.contains("older version"), "{}", said.err);
    assert_eq!(farm.database(), before);
    assert_eq!(farm.version("ums-1"), "12.04.100");
}

#[test]
fn attended_the_installer_asks_page_by_page_and_a_no_changes_nothing() {
    let farm = Farm::new(&[]);
    let install = |answers: &str| -> Said {
        let mut sh = farm.command("ums-1", &format!("{} --nox11", farm.installer()));
        let mut child =
            sh.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
        child.wait_with_output().unwrap().into()
    };
    for refusal in ["no\n", "yes\n\n\nno\n", "yes\n\n\nyes\n\nno\n", ""] {
        let said = install(refusal);
        assert_eq!(said.code, 1, "{refusal:?}");
        assert!(said.out.contains("nothing was changed"), "{}", said.out);
        assert_eq!(farm.version("ums-1"), "12.04.100");
    }
    let said = install("perhaps\nyes\n\n\nyes\n\nyes\n\n\n");
    assert_eq!(said.code, 0, "{}", said.err);
    for page in [
        "Licence",
        "Information",
        "[x] UMS Server",
        "System requirements",
        "Summary",
        "1 of 4 servers updated",
    ] {
        assert!(said.out.contains(page), "{page}: {}", said.out);
    }
    assert_eq!(farm.version("ums-1"), "12.08.130");
    assert_eq!(
        farm.on("ums-2", &format!("{} --silent yes", farm.installer())).code,
        2,
        "the licence was not accepted"
    );
}
