//! Rehearsals through the program, as data: the good end, and every fault of each product's stand-in farm.
//!
//! Three run at a time, one product after another; each has a farm, a home and a log of its own.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nofm::journal::StateDir;
use nofm::lab::{self, LabSource};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use crate::rows::scenes::{read, tree};

/// How many run at the same time.
const AT_ONCE: usize = 3;
/// Longer than any of them takes on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(5);
/// How much of the output a message shows.
const SHOWN: usize = 4_000;

/// Products whose rehearsals have to be there.
const READY: [&str; 4] =
    ["citrix_provisioning", "ca_identity_manager", "jp1_it_desktop_management", "imprivata_g4"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rehearsals {
    rehearsals: Vec<Rehearsal>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rehearsal {
    name: String,
    #[serde(default)]
    faults: Vec<String>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default = "usual_speed")]
    speed: f64,
    exit: i32,
    /// In this order, as are `events`.
    #[serde(default)]
    says: Vec<String>,
    #[serde(default)]
    never_says: Vec<String>,
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    never_events: Vec<String>,
    #[serde(default)]
    mishaps: bool,
    #[serde(default)]
    answers: toml::Table,
}

fn usual_speed() -> f64 {
    100.0
}

fn path(product: &str) -> PathBuf {
    tree().join("tests/rehearsals").join(format!("{product}.toml"))
}

fn rehearsals(product: &str) -> Vec<Rehearsal> {
    let path = path(product);
    let file: Rehearsals =
        toml::from_str(&read(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    file.rehearsals
}

/// Whether `rehearsals::NAME` is a rehearsal of a product.
pub fn exists(product: &str, name: &str) -> bool {
    let Some(name) = name.strip_prefix("rehearsals::") else { return false };
    path(product).exists() && rehearsals(product).iter().any(|rehearsal| rehearsal.name == name)
}

/// The program under test.
fn program() -> PathBuf {
    std::env::var_os("NOFM_BIN").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_nofm")), PathBuf::from)
}

/// A folder whose farm is removed whatever happens.
struct Farm(tempfile::TempDir);

impl Farm {
    fn dir(&self) -> PathBuf {
        self.0.path().join("farm")
    }

    fn home(&self) -> PathBuf {
        self.0.path().join("home")
    }
}

/// Ends whatever is at work on the sessions in a state folder.
pub fn end_runners(home: &Path) {
    let sessions = StateDir::at(home).and_then(|state| state.sessions()).unwrap_or_default();
    for session in sessions {
        let Ok(Some(holder)) = session.holder() else { continue };
        let line = fs::read(format!("/proc/{}/cmdline", holder.pid)).unwrap_or_default();
        // The number may be another process's by now.
        if String::from_utf8_lossy(&line).contains(&*session.path().to_string_lossy())
            && let Some(pid) = i32::try_from(holder.pid).ok().and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        // A runner that was left behind would find its farm gone.
        end_runners(&self.home());
        let _ = lab::remove(&self.dir());
    }
}

/// What came of a rehearsal.
struct Outcome {
    /// `None`: it did not end in time.
    status: Option<ExitStatus>,
    printed: String,
    events: String,
}

fn run(product: &str, rehearsal: &Rehearsal) -> Outcome {
    let farm = Farm(tempfile::tempdir().expect("a folder"));
    let folder = farm.0.path();
    let mut command = Command::new(program());
    command.env("NOFM_HOME", farm.home()).current_dir(folder).stdin(Stdio::null());
    if std::env::var_os("NOFM_TREE").is_some() {
        let profile = tree().join("profiles").join(format!("{}.toml", product.replace('_', "-")));
        command.arg("lab").arg(profile).arg("--lab").arg(tree().join("assets/lab").join(product));
    } else {
        command.args(["lab", product]);
    }
    command.arg("--headless").arg("--dir").arg(farm.dir()).arg("--speed").arg(rehearsal.speed.to_string());
    for fault in &rehearsal.faults {
        command.args(["--fault", fault]);
    }
    if !rehearsal.answers.is_empty() {
        let mut answers = rehearsal.answers.clone();
        answers.insert("nofm".to_owned(), 1.into());
        let path = folder.join("answers.toml");
        fs::write(&path, answers.to_string()).expect("the answers are written");
        command.arg("--answers").arg(path);
    }
    command.args(&rehearsal.args);
    let log = |name: &str| File::create(folder.join(name)).expect("a log");
    command.stdout(log("stdout")).stderr(log("stderr"));
    let mut child = command.spawn().expect("the program starts");
    let began = Instant::now();
    let status = loop {
        match child.try_wait().expect("a child is waited for") {
            Some(status) => break Some(status),
            None if began.elapsed() > PATIENCE => break None,
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    };
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let text = |path: PathBuf| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
    Outcome {
        status,
        printed: format!("{}\n{}", text(folder.join("stdout")), text(folder.join("stderr"))),
        events: text(farm.dir().join("events.log")),
    }
}

/// Whether each of `parts` is in a line, a later one each. The first that is not.
fn lines_missing<'a>(text: &str, parts: &'a [String]) -> Option<&'a String> {
    let mut lines = text.lines();
    parts.iter().find(|part| !lines.by_ref().any(|line| line.contains(*part)))
}

/// Whether each of `parts` is there, behind the one before. The first that is not.
fn missing<'a>(text: &str, parts: &'a [String]) -> Option<&'a String> {
    let mut rest = text;
    parts.iter().find(|part| match rest.find(*part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            false
        }
        None => true,
    })
}

fn end_of(text: &str) -> &str {
    let mut from = text.len().saturating_sub(SHOWN);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    &text[from..]
}

/// What did not come out as the rehearsal says.
fn wrong(rehearsal: &Rehearsal, outcome: &Outcome) -> Vec<String> {
    let mut wrong = Vec::new();
    match outcome.status {
        None => wrong.push(format!("it did not end within {} s", PATIENCE.as_secs())),
        Some(status) if status.code() == Some(rehearsal.exit) => {}
        Some(status) => wrong.push(format!("it ends with {status}, not {}", rehearsal.exit)),
    }
    let printed = missing(&outcome.printed, &rehearsal.says);
    wrong.extend(printed.map(|part| format!("says: \"{part}\" does not follow")));
    let events = lines_missing(&outcome.events, &rehearsal.events);
    wrong.extend(events.map(|part| format!("events: \"{part}\" does not follow")));
    for part in rehearsal.never_says.iter().filter(|part| outcome.printed.contains(*part)) {
        wrong.push(format!("never_says: \"{part}\" is said"));
    }
    for part in rehearsal.never_events.iter().filter(|part| outcome.events.contains(*part)) {
        wrong.push(format!("never_events: \"{part}\" happened"));
    }
    let mishaps: Vec<&str> = outcome.events.lines().filter(|line| line.contains("MISHAP")).collect();
    if mishaps.is_empty() == rehearsal.mishaps {
        wrong.push(format!("mishaps: {mishaps:?}"));
    }
    wrong
}

/// The faults of the product's farm that no rehearsal orders.
fn unordered(product: &str, rehearsals: &[Rehearsal]) -> Vec<String> {
    let folder = tree().join("assets/lab").join(product);
    let source = LabSource::folder(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let faults = lab::faults(&source).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let ordered: BTreeSet<&str> = rehearsals
        .iter()
        .flat_map(|rehearsal| &rehearsal.faults)
        .map(|fault| fault.split_once(':').map_or(fault.as_str(), |(name, _)| name))
        .collect();
    let names = faults.iter().map(|fault| fault.name.clone());
    names.filter(|name| !ordered.contains(name.as_str())).collect()
}

/// The products take turns: many farms at once keep each other waiting.
static TURN: Mutex<()> = Mutex::new(());

fn rehearse(product: &str) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    if !READY.contains(&product) && !path(product).exists() {
        return;
    }
    let all = rehearsals(product);
    let names: BTreeSet<&str> = all.iter().map(|rehearsal| rehearsal.name.as_str()).collect();
    assert_eq!(names.len(), all.len(), "{product}: every rehearsal has a name of its own");
    let unordered = unordered(product, &all);
    let only = std::env::var("NOFM_REHEARSAL").ok();
    let chosen: Vec<&Rehearsal> =
        all.iter().filter(|rehearsal| only.as_ref().is_none_or(|only| rehearsal.name == *only)).collect();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(rehearsal) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let began = Instant::now();
                    let told = catch_unwind(AssertUnwindSafe(|| {
                        let outcome = run(product, rehearsal);
                        let wrong = wrong(rehearsal, &outcome);
                        (wrong, outcome)
                    }));
                    let seconds = began.elapsed().as_secs();
                    let text = match told {
                        Ok((wrong, _)) if wrong.is_empty() => {
                            eprintln!("{product}: {} as it says, {seconds} s", rehearsal.name);
                            continue;
                        }
                        Ok((wrong, outcome)) => format!(
                            "{}, after {seconds} s:\n- {}\nit printed:\n{}\nevents:\n{}",
                            rehearsal.name,
                            wrong.join("\n- "),
                            end_of(&outcome.printed),
                            end_of(&outcome.events)
                        ),
                        Err(_) => format!("{}: the test itself panics", rehearsal.name),
                    };
                    found.lock().expect("nobody panics with it").push(text);
                }
            });
        }
    });
    let mut wrong = found.into_inner().expect("nobody panicked with it");
    wrong.extend(unordered.into_iter().map(|fault| format!("no rehearsal orders the fault `{fault}`")));
    assert!(wrong.is_empty(), "{product}: {} are wrong\n\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn citrix_provisioning() {
    rehearse("citrix_provisioning");
}

#[test]
fn ca_identity_manager() {
    rehearse("ca_identity_manager");
}

#[test]
fn jp1_it_desktop_management() {
    rehearse("jp1_it_desktop_management");
}

#[test]
fn imprivata_g4() {
    rehearse("imprivata_g4");
}

#[test]
fn parts_are_looked_for_in_their_order() {
    let parts = |all: &[&str]| all.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
    assert_eq!(missing("one two three", &parts(&["one", "three"])), None);
    assert_eq!(missing("one two three", &parts(&["three", "one"])), Some(&"one".to_owned()));
    assert_eq!(lines_missing("a b\nc", &parts(&["a", "c"])), None);
    assert_eq!(lines_missing("a b\nc", &parts(&["a", "b"])), Some(&"b".to_owned()));
}
