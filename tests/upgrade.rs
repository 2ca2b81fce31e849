//! The whole of it: the built-in profile on a stand-in farm, with the runner killed and the installer gone through in
//! its terminal.

mod headless;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nofm::client::{Follower, Mode};
use nofm::engine::{About, Choice, Close, Event, Intent, Outcome, State};
use nofm::inventory::Answers;
use nofm::journal::{self, SessionDir, StateDir, session_id};
use nofm::lab::{self, Lab, LabOptions, LabSource};
use nofm::model::SessionId;
use nofm::plan::{SessionFile, Source, answers, build};
use nofm::profile;

const PATIENCE: Duration = Duration::from_mins(3);
const SPEED: f64 = 30.0;

struct Rehearsal {
    folder: tempfile::TempDir,
    lab: Lab,
    state_dir: StateDir,
    session: SessionDir,
    runner: Option<Child>,
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        self.kill();
        let _ = lab::remove(&self.lab.dir);
    }
}

impl Rehearsal {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = LabOptions::new(folder.path().join("lab"));
        options.speed = SPEED;
        options.program = Some(PathBuf::from(env!("CARGO_BIN_EXE_nofm")));
        let lab = LabSource::of("igel_ums_ha").and_then(|lab| lab::create(&lab, &options)).expect("a lab");
        let text = profile::builtin::find("igel_ums_ha").expect("it is built in");
        let inventory = std::fs::read_to_string(&lab.inventory_path).expect("the inventory");
        let file = SessionFile {
            nofm_session: 1,
            speed: SPEED,
            rehearsal: true,
            profile: Source { name: "igel_ums_ha".to_owned(), text: text.to_owned() },
            inventory: Source { name: "inventory.toml".to_owned(), text: inventory },
            base: lab.dir.clone(),
        };
        let state_dir = StateDir::at(folder.path().join("state")).expect("a state folder");
        let id: SessionId = session_id(jiff::Timestamp::now(), "igel_ums_ha", 1);
        let session = state_dir.create_session(&id, &file.to_toml()).expect("a session");
        Self { folder, lab, state_dir, session, runner: None }
    }

    /// Starts a runner and follows it.
    fn run(&mut self) -> Follower {
        let runner = Command::new(env!("CARGO_BIN_EXE_nofm"))
            .arg("runner")
            .arg(self.session.path())
            .env("NOFM_HOME", self.folder.path().join("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("a runner");
        self.runner = Some(runner);
        self.follow()
    }

    fn follow(&self) -> Follower {
        let began = Instant::now();
        loop {
            match Follower::open(&self.state_dir, &self.session, "tester".into(), Mode::Live) {
                Ok(follower) => return follower,
                Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn kill(&mut self) {
        if let Some(mut runner) = self.runner.take() {
            let _ = runner.kill();
            let _ = runner.wait();
        }
    }

    /// Answers everything as a rehearsal does, checks, and begins.
    fn begin(&self, follower: &mut Follower, install_mode: &str) {
        let setup = follower.state().setup.clone();
        let text = std::fs::read_to_string(&self.lab.answers_path).expect("the answers");
        let given = Answers::parse("answers.toml", &text, Some(&setup.profile)).expect("they are right");
        for input in &setup.profile.inputs {
            for (key, _) in answers::keys(&setup, input) {
                let value =
                    given.inputs.get(&input.id).and_then(|given| given.get(&key)).map(ToString::to_string);
                let value = if input.id == "install_mode" { Some(install_mode.to_owned()) } else { value };
                let Some(value) = value else { continue };
                let value = answers::read(input, &value).expect("it fits");
                send(follower, &Intent::Answer { input: input.id.clone(), key, value });
            }
            if input.unsure {
                send(follower, &Intent::AgreeUnsure { input: input.id.clone() });
            }
        }
        for notice in setup.profile.notices.iter().filter(|notice| notice.confirm) {
            send(follower, &Intent::ConfirmNotice { notice: notice.id.clone() });
        }
        send(follower, &Intent::Check { check: None, server: None });
        wait(follower, |state| {
            state.lacking().is_empty() || state.questions.values().any(|q| matches!(q.about, About::Tell(_)))
        });
        reply(follower);
        wait(follower, |state| state.lacking().is_empty());
        let plan = build(&setup, &follower.state().answers).expect("a plan");
        send(follower, &Intent::Begin { plan: plan.hash });
    }

    fn events(&self) -> Vec<Event> {
        let read = journal::read_all::<Event>(&self.session).expect("the journal is whole");
        read.events.into_iter().map(|entry| entry.event).collect()
    }

    /// What the stand-ins saw happen.
    fn seen(&self) -> String {
        std::fs::read_to_string(Path::new(&self.lab.dir).join("events.log")).expect("the log of the lab")
    }
}

fn send(follower: &mut Follower, intent: &Intent) {
    let reply = follower.send(intent).expect("the runner answers");
    assert!(matches!(reply, nofm::client::Reply::Done { .. }), "{intent:?}: {reply:?}");
}

/// Takes events in until `holds`.
fn wait(follower: &mut Follower, holds: impl Fn(&State) -> bool) {
    let began = Instant::now();
    loop {
        while follower.next_event().expect("the journal is readable").is_some() {}
        if holds(follower.state()) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "open: {:#?}", follower.state().questions);
        follower.wait(Duration::from_millis(100)).expect("the session is followed");
    }
}

/// Says yes to whatever is asked; attended steps are started.
fn reply(follower: &mut Follower) {
    while follower.next_event().expect("the journal is readable").is_some() {}
    for question in follower.state().questions.values().cloned().collect::<Vec<_>>() {
        let (choice, text) = match question.about {
            About::Confirm(_) => (Choice::Yes, ""),
            About::Tell(_) => (Choice::Tell, "yes"),
            About::Attended(_) => (Choice::Start, ""),
            _ => panic!("nobody expected: {question:#?}"),
        };
        // A question may be withdrawn in this very moment.
        let _ = follower.send(&Intent::Reply { question: question.id, choice, text: text.to_owned() });
    }
}

#[test]
fn a_runner_killed_again_and_again_loses_nothing_and_does_nothing_twice() {
    let mut rehearsal = Rehearsal::new();
    let mut follower = rehearsal.run();
    rehearsal.begin(&mut follower, "unattended");
    let began = Instant::now();
    let mut kills = 0;
    while follower.state().close().is_none() {
        assert!(began.elapsed() < PATIENCE, "{:#?}", follower.state().questions);
        reply(&mut follower);
        let _ = follower.wait(Duration::from_millis(100));
        // A different moment of the upgrade each time.
        if kills < 8 && began.elapsed() > Duration::from_millis(700 * (kills + 1) + 130 * kills) {
            rehearsal.kill();
            kills += 1;
            follower = rehearsal.run();
        }
    }
    assert_eq!(follower.state().close(), Some(&Close::Done));
    let tally = follower.state().tally().expect("it is counted");
    assert_eq!((tally.updated, tally.of), (4, 4));
    let seen = rehearsal.seen();
    assert!(!seen.contains("MISHAP"), "{seen}");
    for server in ["ums-1", "ums-2", "ums-3", "ums-4", "lb-1", "lb-2", "console-1"] {
        let installs =
            seen.lines().filter(|line| line.starts_with(&format!("{server} install started"))).count();
        assert_eq!(installs, 1, "{server}:\n{seen}");
    }
    assert_eq!(seen.matches("renewed the schema").count(), 1, "{seen}");
    let opened = rehearsal.events().iter().filter(|event| matches!(event, Event::Opened { .. })).count();
    assert!(opened > 4, "the runner was killed {kills} times and opened {opened} times");
    journal::verify(&rehearsal.session).expect("whole and unchanged");
}

#[test]
fn an_installer_in_its_terminal_outlives_console_and_runner() {
    let mut rehearsal = Rehearsal::new();
    let mut follower = rehearsal.run();
    rehearsal.begin(&mut follower, "attended");
    wait_for_terminal(&mut follower);
    let key =
        follower.state().active_lanes().map(|lane| follower.state().step_key(lane)).next().expect("a step");
    let run = follower.state().lane(&key.lane).expect("its lane").targets[0].run.clone();
    shows(&follower, &run, "Do you accept it?");
    follower.type_into(&key, b"yes\r").expect("typed");
    shows(&follower, &run, "page 2 of 6");
    // The console is gone, and so is the runner; the installer stays.
    drop(follower);
    rehearsal.kill();
    let mut follower = rehearsal.run();
    let began = Instant::now();
    loop {
        while follower.next_event().expect("the journal is readable").is_some() {}
        let state = follower.state();
        let settled = state.stages.iter().flat_map(|stage| &stage.lanes).find(|lane| lane.key == key.lane);
        if settled.is_some_and(|lane| {
            lane.records.iter().any(|r| r.step == key.step && r.outcome == Outcome::Succeeded)
        }) {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{}", output(&follower, &run));
        // Enter goes on, and where a yes is asked the installer asks again.
        let shown = output(&follower, &run);
        let last = shown.trim_end().lines().last().unwrap_or_default().to_owned();
        let keys: &[u8] = if last.contains("yes/no") { b"yes\r" } else { b"\r" };
        let _ = follower.type_into(&key, keys);
        let _ = follower.wait(Duration::from_millis(400));
    }
    assert_eq!(rehearsal.seen().matches("ums-1 install started").count(), 1, "{}", rehearsal.seen());
    let text = std::fs::read_to_string(rehearsal.session.journal_path()).expect("the journal");
    assert!(text.contains("typed"), "keys are counted");
}

fn wait_for_terminal(follower: &mut Follower) {
    let began = Instant::now();
    loop {
        reply(follower);
        if follower.state().active_lanes().any(|lane| {
            lane.is_running() && lane.key.script == nofm::engine::ScriptRef::Stage("servers".into())
        }) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{:#?}", follower.state().questions);
        follower.wait(Duration::from_millis(100)).expect("the session is followed");
    }
}

fn output(follower: &Follower, run: &str) -> String {
    let Ok(Some(reader)) = follower.output(run) else { return String::new() };
    let size = reader.size().expect("its size");
    String::from_utf8_lossy(&reader.window(0, size).expect("the output")).into_owned()
}

fn shows(follower: &Follower, run: &str, text: &str) {
    let began = Instant::now();
    while !output(follower, run).contains(text) {
        assert!(began.elapsed() < PATIENCE, "no {text:?} in: {}", output(follower, run));
        std::thread::sleep(Duration::from_millis(50));
    }
}
