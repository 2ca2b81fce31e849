//! The linear face and the command line, as a person, a pipe and a program use them: the real program, a small profile,
//! and two folders for servers.

mod bans;
mod refused;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nofm::client::{Follower, Mode};
use nofm::engine::Intent;
use nofm::journal::StateDir;
use serde_json::Value;

/// How long a line may keep a test waiting.
const PATIENCE: Duration = Duration::from_secs(30);

fn asset(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plain").join(name);
    fs::read_to_string(path).expect("a file of the tests")
}

/// Two servers, a profile, and a state folder of their own.
struct Farm {
    folder: tempfile::TempDir,
}

impl Farm {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let farm = Self { folder };
        for name in ["n1", "n2"] {
            let root = farm.path(name);
            fs::create_dir_all(root.join("bin")).expect("a server's folder");
            fs::write(root.join("version"), "1.0\n").expect("its version");
            fs::write(root.join("ready"), "").expect("its mark");
        }
        let servers = ["n1", "n2"].map(|name| {
            format!("[[servers]]\nname = \"{name}\"\nroles = [\"node\"]\ntransport = \"local\"\nroot = \"{name}\"\n")
        });
        farm.write("inventory.toml", &format!("nofm = 1\nfarm = \"mini\"\n{}", servers.concat()));
        farm.write("profile.toml", &asset("mini.toml"));
        farm.write("answers.toml", &asset("answers.toml"));
        farm
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file of the farm");
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nofm"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .env("NOFM_HOME", self.path("home"))
            .env("USER", "tester");
        command
    }

    fn nofm(&self, args: &[&str]) -> Said {
        self.command(args).stdin(Stdio::null()).output().expect("nofm starts").into()
    }

    fn run_headless(&self) -> Said {
        self.nofm(&[
            "run",
            "-p",
            "profile.toml",
            "-i",
            "inventory.toml",
            "--answers",
            "answers.toml",
            "--headless",
        ])
    }

    fn dialogue(&self, args: &[&str]) -> Dialogue {
        let child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("nofm starts");
        Dialogue::new(child)
    }

    fn run_dialogue(&self) -> Dialogue {
        self.dialogue(&["run", "-p", "profile.toml", "-i", "inventory.toml", "--plain"])
    }

    fn version(&self, server: &str) -> String {
        fs::read_to_string(self.path(server).join("version")).expect("its version").trim().to_owned()
    }

    fn sessions(&self) -> Vec<Value> {
        let said = self.nofm(&["sessions", "--json"]);
        serde_json::from_str(&said.out).expect("a JSON list")
    }
}

impl Drop for Farm {
    /// No runner outlives its test.
    fn drop(&mut self) {
        let sessions = self.path("home/sessions");
        for entry in fs::read_dir(sessions).into_iter().flatten().flatten() {
            let lock = fs::read_to_string(entry.path().join("lock")).unwrap_or_default();
            let pid = lock.lines().find_map(|line| line.strip_prefix("pid = ")?.parse::<i32>().ok());
            let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) else { continue };
            let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
            // The number may be another process's by now.
            if String::from_utf8_lossy(&line).contains(&*entry.path().to_string_lossy()) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
    }
}

#[derive(Debug)]
struct Said {
    code: i32,
    out: String,
    err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

/// A program that is talked to over pipes.
struct Dialogue {
    child: Child,
    keys: Option<ChildStdin>,
    lines: Receiver<String>,
    heard: String,
}

impl Dialogue {
    fn new(mut child: Child) -> Self {
        let (tell, lines) = channel();
        let out = BufReader::new(child.stdout.take().expect("its output"));
        std::thread::spawn(move || {
            for line in out.lines() {
                if line.map_or(true, |line| tell.send(line).is_err()) {
                    return;
                }
            }
        });
        let keys = child.stdin.take();
        Self { child, keys, lines, heard: String::new() }
    }

    fn types(&mut self, line: &str) -> &mut Self {
        writeln!(self.keys.as_mut().expect("not hung up"), "{line}").expect("it reads");
        self
    }

    /// Until a line has `text`.
    fn hears(&mut self, text: &str) -> &mut Self {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.heard.push_str(&line);
                    self.heard.push('\n');
                    if line.contains(text) {
                        return self;
                    }
                }
                Err(_) => break,
            }
        }
        panic!("no line with {text:?} in:\n{}", self.heard);
    }

    /// Through everything up to the summary, with every default.
    fn prepares(&mut self) -> &mut Self {
        self.hears("The licence of Mini 2.0.").types("yes");
        self.hears("? Version to install").types("");
        self.hears("? The way").types("2");
        self.hears("Your answers:").types("");
        self.hears("does not vouch").hears("? Command that greets").types("1");
        self.hears("Components").hears("look again").types("1");
        self.hears("What is the mood of the farm?").types("1").types("good");
        self.hears("0 block").hears("go on: nothing is in the way").types("1");
        self.hears("Summary").hears("Stage 1 of 1: Updating nodes")
    }

    fn hangs_up(&mut self) {
        self.keys = None;
    }

    fn ends(mut self) -> Said {
        let began = Instant::now();
        let code = loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status.code().unwrap_or(-1);
            }
            assert!(began.elapsed() < PATIENCE, "it does not end; so far:\n{}", self.heard);
            std::thread::sleep(Duration::from_millis(20));
        };
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(1)) {
            self.heard.push_str(&line);
            self.heard.push('\n');
        }
        let mut err = String::new();
        if let Some(mut from) = self.child.stderr.take() {
            std::io::Read::read_to_string(&mut from, &mut err).expect("UTF-8");
        }
        Said { code, out: std::mem::take(&mut self.heard), err }
    }
}

impl Drop for Dialogue {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_person_is_walked_through_the_whole_upgrade() {
    let farm = Farm::new();
    let mut nofm = farm.run_dialogue();
    nofm.prepares()
        .types("1")
        .hears("echo hello")
        .hears("printf")
        .types("Begin")
        .hears("type the word begin in full");
    nofm.types("begin").hears("Step 8 of 9: Upgrade");
    nofm.hears("n1: \"Install\" starts").hears("1 of 2 nodes updated: go on?").types("1");
    nofm.hears("2 of 2 nodes updated: go on?").types("1");
    let said = nofm.ends();
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    for text in
        ["Finished: the upgrade is done", "2 of 2 nodes updated", "Tell your colleagues.", "nofm review"]
    {
        assert!(said.out.contains(text), "{text:?} is missing in:\n{}", said.out);
    }
    assert_eq!((farm.version("n1"), farm.version("n2")), ("2.0".to_owned(), "2.0".to_owned()));
}

#[test]
fn without_a_person_the_answer_file_decides() {
    let farm = Farm::new();
    let said = farm.run_headless();
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    assert!(said.out.contains("2 of 2 nodes updated"), "{}", said.out);
    assert_eq!(farm.sessions()[0]["standing"], "done");
}

#[test]
fn a_program_reads_every_event_and_the_result() {
    let farm = Farm::new();
    let args = ["run", "-p", "profile.toml", "-i", "inventory.toml", "--answers", "answers.toml", "--json"];
    let said = farm.nofm(&args);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    let lines: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let (result, events) = lines.split_last().expect("a result");
    assert_eq!(result["result"]["exit"], 0);
    assert_eq!(result["result"]["close"], "done");
    assert_eq!(result["result"]["tally"]["updated"], 2);
    let session = farm.sessions()[0]["path"].as_str().expect("a path").to_owned();
    let journal = fs::read_to_string(PathBuf::from(session).join("journal.jsonl")).expect("the journal");
    let journal: Vec<Value> =
        journal.lines().skip(1).map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.len(), journal.len());
    for (told, kept) in events.iter().zip(&journal) {
        let mut kept = kept.clone();
        kept.as_object_mut().expect("an object").remove("chain");
        assert_eq!(*told, kept);
    }
}

#[test]
fn a_check_that_blocks_ends_with_3_and_a_fix_that_is_allowed_mends_it() {
    let farm = Farm::new();
    fs::remove_file(farm.path("n2/ready")).expect("it was ready");
    let said = farm.run_headless();
    assert_eq!(said.code, 3, "{}\n{}", said.out, said.err);
    assert!(said.out.contains("n2: BLOCKS: not there (seen)"), "{}", said.out);
    assert!(said.out.contains("Put a file /ready on the node."), "{}", said.out);
    assert_eq!(farm.version("n1"), "1.0");

    let checked = farm.nofm(&[
        "check",
        "-p",
        "profile.toml",
        "-i",
        "inventory.toml",
        "--answers",
        "answers.toml",
        "--json",
    ]);
    assert_eq!(checked.code, 3, "{}\n{}", checked.out, checked.err);
    let found: Value = serde_json::from_str(&checked.out).expect("JSON");
    let ready = found["checks"].as_array().expect("a list").iter();
    let failed: Vec<&Value> =
        ready.filter(|row| row["check"] == "ready" && row["verdict"] == "fail").collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["server"], "n2");

    farm.write("answers.toml", &format!("{}\n[fix]\nready = true\n", asset("answers.toml")));
    let said = farm.run_headless();
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
}

#[test]
fn a_warning_is_waived_by_name_and_reason_only() {
    let farm = Farm::new();
    for name in ["n1", "n2"] {
        fs::write(farm.path(name).join("version"), "3.5\n").expect("its version");
    }
    let newer = "[inputs]\nversion = \"4.0\"\n";
    farm.write("answers.toml", &format!("{}\n{newer}", asset("answers.toml")));
    let said = farm.run_headless();
    assert_eq!(said.code, 4, "{}\n{}", said.out, said.err);
    assert!(said.out.contains("a person must decide: \"Nobody works\" on n1 warns"), "{}", said.out);
    let waive = "[waive]\nquiet = \"it is a public holiday\"\n";
    farm.write("answers.toml", &format!("{}\n{newer}\n{waive}", asset("answers.toml")));
    let said = farm.run_headless();
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    assert!(said.out.contains("it is a public holiday"), "{}", said.out);
}

#[test]
fn a_failure_is_tried_again_as_often_as_is_sensible_and_then_held() {
    let farm = Farm::new();
    // It fails as long as this is a folder: `rm` cannot take it away.
    fs::create_dir(farm.path("n1/fail")).expect("a folder");
    let said = farm.run_headless();
    assert_eq!(said.code, 4, "{}\n{}", said.out, said.err);
    assert_eq!(said.out.matches("chose: retry").count(), 3, "{}", said.out);
    assert!(said.out.contains("a person must decide this"), "{}", said.out);
    assert_eq!(farm.version("n2"), "1.0", "nothing else was started");

    fs::remove_dir(farm.path("n1/fail")).expect("a folder");
    let said = farm.nofm(&["resume", "--headless", "--answers", "answers.toml"]);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    assert_eq!((farm.version("n1"), farm.version("n2")), ("2.0".to_owned(), "2.0".to_owned()));
    let again = farm.nofm(&["resume", "--headless"]);
    assert_eq!(again.code, 2, "{}", again.err);
    assert!(again.err.contains("nothing is left to be resumed"), "{}", again.err);
}

#[test]
fn what_is_forbidden_is_listed_with_the_reason_and_has_no_number() {
    let farm = Farm::new();
    fs::write(farm.path("n1/fail"), "").expect("a fault");
    let mut nofm = farm.run_dialogue();
    nofm.prepares().types("begin");
    nofm.hears("\"Install\" FAILED").hears("? n1: \"Install\" failed");
    nofm.hears("  1  look again")
        .hears("  2  retry")
        .hears("  x  leave out: not possible: All nodes belong together.");
    nofm.types("9").hears("Type a number from 1 to").types("l n1").hears("^[[31mno luck^[[0m").types("2");
    nofm.hears("1 of 2 nodes updated: go on?").types("1").hears("2 of 2 nodes updated: go on?").types("1");
    let said = nofm.ends();
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    assert!(!said.out.contains('\u{1b}'), "an escape character reached the terminal");
    assert!(said.out.contains("What failed on the way"), "{}", said.out);
}

#[test]
fn without_a_person_a_stop_says_which_step_it_waits_for() {
    let farm = Farm::new();
    fs::write(farm.path("n1/hang"), "").expect("a fault");
    let mut nofm = farm.dialogue(&[
        "run",
        "-p",
        "profile.toml",
        "-i",
        "inventory.toml",
        "--answers",
        "answers.toml",
        "--headless",
    ]);
    nofm.hears("n1: \"Install\" starts");
    let state_dir = StateDir::at(farm.path("home")).expect("the state folder");
    let sessions = state_dir.sessions().expect("sessions");
    let mut other =
        Follower::open(&state_dir, &sessions[0], "other".into(), Mode::Live).expect("a second viewer");
    other.send(&Intent::TakePen { by_force: true }).expect("the runner answers");
    other.send(&Intent::Stop).expect("the runner answers");
    nofm.hears("n1: \"Install\" has run for").hears("nothing is cut off");
    fs::remove_file(farm.path("n1/hang")).expect("the fault");
    let said = nofm.ends();
    assert_eq!(said.code, 4, "{}", said.out);
    assert_eq!(said.out.matches("has run for").count(), 1, "{}", said.out);
}

#[test]
fn who_hangs_up_leaves_the_session_as_it_is() {
    let farm = Farm::new();
    let mut nofm = farm.run_dialogue();
    nofm.prepares().types("begin").hears("1 of 2 nodes updated: go on?");
    nofm.hangs_up();
    let said = nofm.ends();
    assert_eq!(said.code, 4, "{}\n{}", said.out, said.err);
    assert!(said.out.contains("nofm attach"), "{}", said.out);
    assert_eq!(farm.sessions()[0]["standing"], "under way, and asks something");

    let mut nofm = farm.dialogue(&["attach", "--plain"]);
    nofm.hears("1 of 2 nodes updated: go on?").types("1").hears("2 of 2 nodes updated: go on?").types("1");
    let said = nofm.ends();
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
}

#[test]
fn a_second_operator_looks_on_until_they_take_the_pen() {
    let farm = Farm::new();
    let mut first = farm.run_dialogue();
    first.prepares().types("begin").hears("1 of 2 nodes updated: go on?");
    let mut watcher = farm.dialogue(&["attach", "--watch"]);
    watcher.hears("1 of 2 nodes updated");
    let mut second = farm.dialogue(&["attach", "--plain"]);
    second.hears("holds the pen").types("1").hears("1 of 2 nodes updated: go on?");
    first.hears("took the pen over").types("1").hears("another viewer holds the pen");
    second.types("1").hears("2 of 2 nodes updated: go on?").types("1");
    assert_eq!(second.ends().code, 0);
    let seen = watcher.ends();
    assert_eq!(seen.code, 0);
    assert!(seen.out.contains("2 of 2 nodes updated"), "{}", seen.out);
    assert_eq!(first.ends().code, 0);
}

#[test]
fn a_farm_is_upgraded_by_one_session_at_a_time() {
    let farm = Farm::new();
    let mut nofm = farm.run_dialogue();
    nofm.prepares();
    let said = farm.run_headless();
    assert_eq!(said.code, 2, "{}\n{}", said.out, said.err);
    let first = farm.sessions()[0]["session"].as_str().expect("a name").to_owned();
    assert!(said.err.contains(&format!("nofm attach {first} --plain")), "{}", said.err);
    assert_eq!(farm.sessions().len(), 1, "the second was not begun");
    nofm.types("q").hears("stop: what runs is finished").types("2");
    let said = nofm.ends();
    assert_eq!(said.code, 4, "{}\n{}", said.out, said.err);
    assert!(said.out.contains("no server was upgraded"), "{}", said.out);
}

#[test]
fn a_state_folder_that_lies_too_deep_is_refused_before_anything_is_touched() {
    let farm = Farm::new();
    let deep = farm.path(&"d".repeat(100));
    let args = ["run", "-p", "profile.toml", "-i", "inventory.toml", "--headless"];
    let said: Said = farm.command(&args).env("NOFM_HOME", &deep).output().expect("nofm starts").into();
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("set NOFM_HOME to a shorter path"), "{}", said.err);
    let left = fs::read_dir(deep.join("sessions")).expect("the folder").count();
    assert_eq!(left, 0, "no session is left behind");
}

#[test]
fn pausing_and_stopping_say_what_they_do_and_resume_goes_on() {
    let farm = Farm::new();
    fs::write(farm.path("n1/slow"), "").expect("a fault");
    let mut nofm = farm.run_dialogue();
    nofm.prepares()
        .types("begin")
        .hears("n1: \"Install\" starts")
        .types("p")
        .hears("paused")
        .types("c")
        .hears("lets it go on");
    nofm.types("s").hears("wants to stop");
    let said = nofm.ends();
    assert_eq!(said.code, 4, "{}\n{}", said.out, said.err);
    assert!(said.out.contains("Stopped: it can be resumed"), "{}", said.out);
    assert_eq!(farm.version("n1"), "2.0", "what ran was finished");
    let said = farm.nofm(&["resume", "--headless", "--answers", "answers.toml"]);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
}

#[test]
fn who_stops_need_not_wait_for_what_still_runs() {
    let farm = Farm::new();
    fs::write(farm.path("n1/hang"), "").expect("a fault");
    let mut nofm = farm.run_dialogue();
    nofm.prepares().types("begin").hears("n1: \"Install\" starts");
    let pid = nofm.child.id();
    nofm.types("q").hears("stop: what runs is finished").types("2").hears("wants to stop");
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("a number")).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it is ours");
    let said = nofm.ends();
    assert_eq!(said.code, 4, "{}\n{}", said.out, said.err);
    assert!(said.out.contains("You left"), "{}", said.out);
    fs::remove_file(farm.path("n1/hang")).expect("the fault");
    let said = farm.dialogue(&["attach", "--watch"]).ends();
    assert_eq!(said.code, 4, "{}\n{}", said.out, said.err);
    assert_eq!(farm.version("n1"), "2.0", "what ran was finished");
}

#[test]
fn a_runner_that_is_gone_is_told_and_resumed() {
    let farm = Farm::new();
    let mut nofm = farm.run_dialogue();
    nofm.prepares().types("begin").hears("1 of 2 nodes updated: go on?");
    let pid = farm.sessions()[0]["runner"].as_i64().expect("a process");
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("a number")).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it is ours");
    let said = nofm.ends();
    assert_eq!(said.code, 4, "{}\n{}", said.out, said.err);
    assert!(said.out.contains("The runner of this session is gone"), "{}", said.out);
    let said = farm.nofm(&["resume", "--headless", "--answers", "answers.toml"]);
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
}

#[test]
fn faulty_files_end_with_2_and_show_the_place() {
    let farm = Farm::new();
    farm.write(
        "inventory.toml",
        "nofm = 1\nfarm = \"mini\"\n[[servers]]\nname = \"n1\"\nroles = [\"nodes\"]\ntransport = \"local\"\n",
    );
    let said = farm.run_headless();
    assert_eq!(said.code, 2, "{}\n{}", said.out, said.err);
    assert!(said.err.contains("inventory.toml:5"), "{}", said.err);
    assert!(!farm.path("home/sessions").exists() || farm.sessions().is_empty(), "nothing was begun");
    let checked = farm.nofm(&["inventory", "check", "-p", "profile.toml", "-i", "inventory.toml", "--json"]);
    assert_eq!(checked.code, 2);
    let rows: Vec<Value> = serde_json::from_str(&checked.out).expect("JSON");
    assert!(rows.iter().any(|row| row["line"] == 5), "{rows:?}");
    for args in [
        &["run"][..],
        &["frobnicate"],
        &["run", "-p", "no-such", "-i", "inventory.toml"],
        &["attach"],
        &["review"],
    ] {
        let said = farm.nofm(args);
        assert_eq!(said.code, 2, "{args:?}: {}", said.err);
        assert!(!said.err.is_empty(), "{args:?}");
    }
}

#[test]
fn a_damaged_journal_ends_with_5() {
    let farm = Farm::new();
    assert_eq!(farm.run_headless().code, 0);
    assert_eq!(farm.nofm(&["verify", ""]).code, 2);
    let path = PathBuf::from(farm.sessions()[0]["path"].as_str().expect("a path"));
    let id = path.file_name().expect("a name").to_str().expect("text").to_owned();
    assert_eq!(farm.nofm(&["verify", &id]).code, 0);
    let journal = path.join("journal.jsonl");
    let text = fs::read_to_string(&journal).expect("the journal").replacen("\"1.0\"", "\"1.1\"", 1);
    fs::write(&journal, text).expect("it can be written");
    for args in [["verify", &*id], ["review", &*id]] {
        let said = farm.nofm(&args);
        assert_eq!(said.code, 5, "{args:?}: {}", said.err);
        assert!(said.err.contains("line"), "{}", said.err);
    }
}

#[test]
fn nobody_has_to_read_to_the_end() {
    let farm = Farm::new();
    assert_eq!(farm.run_headless().code, 0);
    for args in [&["sessions"][..], &["review"], &["profile", "show", "profile.toml"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let said: Said = farm.command(args).stdout(writer).output().expect("nofm starts").into();
        assert_eq!((said.code, &*said.err), (0, ""), "{args:?}");
    }
}

#[test]
fn the_plan_names_every_step_and_its_command() {
    let farm = Farm::new();
    let said = farm.nofm(&["plan", "-p", "profile.toml", "-i", "inventory.toml", "--commands", "--json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let plan: Value = serde_json::from_str(&said.out).expect("JSON");
    let steps = plan["steps"].as_array().expect("a list");
    let named: Vec<(&str, &str)> = steps
        .iter()
        .map(|step| (step["server"].as_str().expect("a server"), step["step"].as_str().expect("a step")))
        .collect();
    assert_eq!(named, [("n1", "install"), ("n1", "seen"), ("n2", "install"), ("n2", "seen")]);
    assert!(steps[0]["command"].as_str().expect("a command").contains("echo hello"));
    assert!(!farm.path("home").join("sessions").exists(), "a plan makes no session");
}

#[test]
fn the_plan_says_how_long_it_takes() {
    let farm = Farm::new();
    let plan = ["plan", "-p", "profile.toml", "-i", "inventory.toml"];
    let said = farm.nofm(&plan);
    assert!(!said.out.contains("about"), "nothing is known of it: {}", said.out);
    let install = "title = \"Install\"\n";
    farm.write(
        "profile.toml",
        &asset("mini.toml").replacen(install, &format!("{install}  expect = \"40m\"\n"), 1),
    );
    let said = farm.nofm(&plan);
    assert_eq!(said.code, 0, "{}", said.err);
    let estimate = "about 1h 20m, and 2 steps of unknown duration";
    for text in [
        format!("Updating nodes (2 servers, one after another), {estimate}"),
        format!("Altogether: {estimate}."),
    ] {
        assert!(said.out.contains(&text), "{text:?} is missing in:\n{}", said.out);
    }
    let said = farm.nofm(&[&plan[..], &["--json"]].concat());
    let plan: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!((plan["expect_ms"].as_u64(), plan["unestimated"].as_u64()), (Some(4_800_000), Some(2)));
    assert_eq!(plan["stages"][0]["expect_ms"], plan["expect_ms"]);
    assert_eq!(plan["steps"][0]["expect_ms"].as_u64(), Some(2_400_000));
    assert!(plan["steps"][1].get("expect_ms").is_none(), "{plan}");
}

#[test]
fn review_tells_what_happened() {
    let farm = Farm::new();
    assert_eq!(farm.run_headless().code, 0);
    let said = farm.nofm(&["review", "--plain"]);
    assert_eq!(said.code, 0, "{}", said.err);
    for text in [
        "the session was opened",
        "n1: \"Marked as ready\" passes",
        "n2: \"Install\" starts",
        "the session is done",
    ] {
        assert!(said.out.contains(text), "{text:?} is missing in:\n{}", said.out);
    }
    let by_folder = farm.nofm(&["review", farm.sessions()[0]["path"].as_str().expect("a path")]);
    assert_eq!(by_folder.out, said.out);
}
