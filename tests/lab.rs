//! The stand-in farm, driven through `sh` as the local transport drives it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nofm::lab::{self, Fault, Lab, LabError, LabOptions, serve};

const SILENT: &str =
    "--nox11 -- --accept-eula yes --accept-license-info yes --accept-sso-info yes --silent yes";

/// A lab that is gone when the test is over, however it ends.
struct Farm {
    lab: Lab,
    _folder: tempfile::TempDir,
}

impl Drop for Farm {
    fn drop(&mut self) {
        if self.lab.dir.exists() {
            lab::remove(&self.lab.dir).expect("the lab can be removed");
        }
    }
}

/// The outcome of a command on a server.
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).trim_end().to_owned(),
            err: String::from_utf8_lossy(&output.stderr).trim_end().to_owned(),
        }
    }
}

/// One process as the database has it.
#[derive(Debug, PartialEq)]
struct Row {
    host: String,
    kind: String,
    mode: String,
    status: String,
    version: String,
}

impl Farm {
    fn new(faults: &[&str]) -> Self {
        Self::with(|options| options.faults = faults.iter().map(|fault| fault.parse().unwrap()).collect())
    }

    fn with(change: impl FnOnce(&mut LabOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A folder as nobody would like it, for the quoting.
        let mut options = LabOptions::new(folder.path().join("the admin's lab"));
        options.speed = 30.0;
        options.program = Some(program(folder.path()));
        change(&mut options);
        let lab = lab::create("igel-ums-ha", &options).unwrap_or_else(|e| panic!("{e}"));
        Self { lab, _folder: folder }
    }

    fn root(&self, server: &str) -> PathBuf {
        self.lab.dir.join(server)
    }

    fn command(&self, server: &str, command: &str) -> Command {
        let root = self.root(server);
        let mut path = root.join("bin").into_os_string();
        path.push(":/usr/local/bin:/usr/bin:/bin");
        let mut sh = Command::new("sh");
        sh.args(["-c", &format!("set -eu\n{command}")])
            .current_dir(&root)
            .env_clear()
            .env("PATH", path)
            .env("HOME", root.join("root"))
            .env("NOFM_ROOT", &root)
            .stdin(Stdio::null());
        sh
    }

    fn on(&self, server: &str, command: &str) -> Said {
        self.command(server, command).output().unwrap().into()
    }

    /// Runs a command that must succeed, and returns what it printed.
    fn ask(&self, server: &str, command: &str) -> String {
        let said = self.on(server, command);
        assert_eq!(said.code, 0, "{server}: {command}: {}", said.err);
        said.out
    }

    fn installer(&self) -> String {
        format!("sh '{}'", self.lab.installer_path.display().to_string().replace('\'', r"'\''"))
    }

    fn install(&self, server: &str) -> Said {
        self.on(server, &format!("{} {SILENT}", self.installer()))
    }

    fn database(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(self.lab.dir.join("database/farm.db")).unwrap();
        text.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
    }

    fn rows(&self, kind: &str) -> Vec<Row> {
        self.database()
            .into_iter()
            .filter(|line| line[0] == "process" && line[2] == kind)
            .map(|line| Row {
                host: line[1].clone(),
                kind: line[2].clone(),
                mode: line[3].clone(),
                status: line[4].clone(),
                version: line[5].clone(),
            })
            .collect()
    }

    fn modes(&self) -> Vec<String> {
        self.rows("UMS_RMGUISERVER").into_iter().map(|row| row.mode).collect()
    }

    /// Version of the schema, and how often it was renewed.
    fn schema(&self) -> (String, String) {
        let line = self.database().into_iter().find(|line| line[0] == "schema").unwrap();
        (line[1].clone(), line[2].clone())
    }

    fn events(&self) -> String {
        fs::read_to_string(self.lab.dir.join("events.log")).unwrap()
    }

    fn no_mishap(&self) {
        assert!(!self.events().contains("MISHAP"), "{}", self.events());
    }

    /// What the server answers to the status request, from its own address.
    fn status(&self, server: &str) -> Option<serde_json::Value> {
        let address = fs::read_to_string(self.root(server).join("etc/lab/address")).unwrap();
        let answers: toml::Table = fs::read_to_string(&self.lab.answers_path).unwrap().parse().unwrap();
        let port = answers["inputs"]["rest_port"].as_integer().unwrap();
        let mut stream = TcpStream::connect((address.trim(), u16::try_from(port).unwrap())).ok()?;
        write!(stream, "GET /umsapi/v3/serverstatus HTTP/1.1\r\nHost: {server}\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        Some(serde_json::from_str(body).unwrap())
    }

    fn version(&self, server: &str) -> String {
        self.status(server).unwrap()["rmGuiServerVersion"].as_str().unwrap().to_owned()
    }

    /// The processes whose environment names this lab.
    fn processes(&self) -> Vec<String> {
        processes(&self.lab.dir)
    }
}

fn processes(dir: &Path) -> Vec<String> {
    let mark = [b"NOFM_ROOT=", dir.as_os_str().as_encoded_bytes()].concat();
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| {
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            environment.windows(mark.len()).any(|part| part == mark)
        })
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_mins(1), "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A program that understands `lab-serve` by means of this very test binary.
fn program(folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("program");
    let text = format!(
        "#!/bin/sh\n[ \"$1\" = lab-serve ] || exit 64\nNOFM_TEST_SERVE=1 ADDRESS=$3 PORT=$5 DIR=$7 PID_FILE=$9\n\
         export NOFM_TEST_SERVE ADDRESS PORT DIR PID_FILE\nexec '{}' --exact lab::serve_for_a_stand_in --nocapture\n",
        std::env::current_exe().unwrap().display()
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// No test in itself: the process that answers for a stand-in server runs this.
#[test]
fn serve_for_a_stand_in() {
    if std::env::var_os("NOFM_TEST_SERVE").is_none() {
        return;
    }
    let value = |name| std::env::var(name).unwrap();
    serve::run(
        value("ADDRESS").parse().unwrap(),
        value("PORT").parse().unwrap(),
        Path::new(&value("DIR")),
        Some(Path::new(&value("PID_FILE"))),
    )
    .unwrap();
}

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
        options.servers = 2;
        options.faults = vec!["orphan".parse().unwrap()];
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
    let farm = Farm::with(|options| options.balancers = 0);
    let older = farm.lab.older_installer_path.display().to_string().replace('\'', r"'\''");
    let before = farm.database();
    let said = farm.on("ums-1", &format!("sh '{older}' {SILENT}"));
    assert_eq!(said.code, 3);
    assert!(said.err.contains("older version"), "{}", said.err);
    assert_eq!(farm.database(), before);
    assert_eq!(farm.version("ums-1"), "12.04.100");
}

#[test]
fn an_installation_that_fails_once_succeeds_when_it_is_tried_again() {
    for (fault, victim) in
        [("install-fails-first", "ums-1"), ("install-fails-middle", "ums-2"), ("install-fails-last", "ums-3")]
    {
        let farm = Farm::with(|options| {
            options.servers = 3;
            options.balancers = 0;
            options.faults = vec![fault.parse().unwrap()];
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
        options.servers = 3;
        options.faults = vec!["not-normal".parse().unwrap()];
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
    let profile: toml::Table = include_str!("../profiles/igel-ums-ha.toml").parse().unwrap();
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
fn inventory_and_answers_are_toml_and_name_what_is_there() {
    let farm = Farm::new(&[]);
    let read = |path: &Path| fs::read_to_string(path).unwrap().parse::<toml::Table>().unwrap();
    let inventory = read(&farm.lab.inventory_path);
    let servers = inventory["servers"].as_array().unwrap();
    let names: Vec<_> = servers.iter().map(|server| server["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ums-1", "ums-2", "ums-3", "ums-4", "lb-1", "lb-2", "console-1", "db-1"]);
    for server in servers {
        assert!(farm.lab.dir.join(server["root"].as_str().unwrap()).join("bin/date").exists());
        assert!(server["address"].as_str().unwrap().starts_with("127."));
    }
    let answers = read(&farm.lab.answers_path);
    let installer = answers["inputs"]["installer"]["linux"].as_str().unwrap();
    assert_eq!(Path::new(installer), farm.lab.installer_path);
    assert!(farm.lab.installer_path.exists() && farm.lab.older_installer_path.exists());
}

#[test]
fn removing_a_lab_leaves_no_process_and_no_file() {
    let farm = Farm::new(&["install-never-ends", "balancer-not-stopping:always"]);
    let installer = format!("exec setsid {} {SILENT} >/dev/null 2>&1", farm.installer());
    let mut children = vec![farm.command("ums-2", &installer).spawn().unwrap()];
    eventually("the installer hangs", || farm.events().contains("ums-2 install hangs"));
    // What a supervisor of a run does: it ignores every polite signal.
    let stubborn = "trap '' TERM HUP INT; while :; do sleep 1; done";
    children.push(farm.command("ums-1", stubborn).spawn().unwrap());
    assert!(farm.processes().len() >= 4 * 5, "{:?}", farm.processes());
    let ended = lab::remove(&farm.lab.dir).unwrap();
    assert!(ended >= 20, "{ended}");
    assert_eq!(farm.processes(), Vec::<String>::new());
    assert!(!farm.lab.dir.exists());
    assert!(children.iter_mut().all(|child| !child.wait().unwrap().success()));
}

#[test]
fn removing_one_lab_leaves_another_alone() {
    let (one, two) = (Farm::new(&[]), Farm::new(&[]));
    lab::remove(&one.lab.dir).unwrap();
    assert_eq!(two.version("ums-1"), "12.04.100");
    assert_eq!(two.ask("lb-1", "systemctl is-active igel-ums-broker"), "active");
}

#[test]
fn only_a_lab_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let precious = folder.path().join("precious");
    fs::create_dir(&precious).unwrap();
    fs::write(precious.join("file"), "x").unwrap();
    let refused =
        |path: &Path| assert!(matches!(lab::remove(path), Err(LabError::NotALab { .. })), "{path:?}");
    refused(&precious);
    refused(&folder.path().join("absent"));
    refused(&precious.join("file"));
    fs::write(precious.join("lab.toml"), "nofm = 1\n").unwrap();
    refused(&precious);
    let farm = Farm::with(|options| options.servers = 2);
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&farm.lab.dir, &link).unwrap();
    refused(&link);
    assert!(precious.join("file").exists());
}

#[test]
fn a_folder_in_use_and_options_out_of_bounds_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    let create = |options: &LabOptions| lab::create("igel_ums_ha", options).unwrap_err().to_string();
    let options = LabOptions::new(folder.path());
    assert!(create(&options).contains("the folder is not empty"), "{}", create(&options));
    assert!(folder.path().join("file").exists());
    for (servers, speed) in [(1, 1.0), (101, 1.0), (4, 0.0), (4, f64::NAN), (4, -1.0)] {
        let options = LabOptions { servers, speed, ..LabOptions::new(folder.path().join("new")) };
        assert!(create(&options).contains("is not possible"), "{servers} {speed}");
    }
    assert!(!folder.path().join("new").exists());
    assert!(matches!(lab::create("nothing", &options), Err(LabError::NoLab { .. })));
    for name in ["nothing", "clock:always", ""] {
        assert!(matches!(name.parse::<Fault>(), Err(LabError::NoFault { .. })), "{name}");
    }
    assert!(lab::faults("igel-ums-ha").unwrap().len() >= 13);
}

#[test]
fn a_lab_whose_services_do_not_start_is_not_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("lab");
    let options = LabOptions { program: Some("/bin/false".into()), ..LabOptions::new(&dir) };
    assert!(matches!(lab::create("igel_ums_ha", &options), Err(LabError::NotStarted { .. })));
    assert!(!dir.exists());
    assert_eq!(processes(&dir), Vec::<String>::new());
}

#[test]
fn forty_servers_are_a_lab_too() {
    let farm = Farm::with(|options| {
        options.servers = 40;
        options.speed = 100.0;
    });
    assert_eq!(farm.version("ums-40"), "12.04.100");
    assert!(farm.install("ums-1").out.contains("1 of 40 servers updated"));
    assert!(farm.rows("UMS_RMGUISERVER").iter().all(|row| row.status == "SERVICE_RUNNING"));
}
