//! The stand-in farm, driven through `sh` as the local transport drives it.

mod faults;
mod folder;
mod stand_ins;
mod upgrade;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nofm::lab::{self, Lab, LabOptions, LabSource, serve};

pub const SILENT: &str =
    "--nox11 -- --accept-eula yes --accept-license-info yes --accept-sso-info yes --silent yes";

fn igel() -> LabSource {
    LabSource::of("igel-ums-ha").expect("a built-in lab")
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The installer that the answers name.
pub fn installer(lab: &Lab) -> PathBuf {
    lab.dir.join("media/setup-igel-ums-linux_12.08.130.bin")
}

/// One of a version older than what is installed.
fn older_installer(lab: &Lab) -> PathBuf {
    lab.dir.join("media/setup-igel-ums-linux_12.01.100.bin")
}

/// So many servers of each kind.
pub fn counts(servers: usize, balancers: usize, consoles: usize) -> BTreeMap<String, usize> {
    [("ums", servers), ("lb", balancers), ("console", consoles)].map(|(kind, n)| (kind.to_owned(), n)).into()
}

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
        Self::with(|options| options.faults = strings(faults))
    }

    fn with(change: impl FnOnce(&mut LabOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // A folder as nobody would like it, for the quoting.
        let mut options = LabOptions::new(folder.path().join("the admin's lab"));
        options.speed = 30.0;
        options.program = Some(program(folder.path()));
        change(&mut options);
        let lab = lab::create(&igel(), &options).unwrap_or_else(|e| panic!("{e}"));
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
        format!("sh '{}'", installer(&self.lab).display().to_string().replace('\'', r"'\''"))
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
