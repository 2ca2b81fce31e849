//! The runner with a server that is a folder: what it does there, and what it says to its clients.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nofm::client::{Follower, Mode, Reply};
use nofm::engine::{About, Before, Choice, Close, End, Event, Intent, Question, State, StepKey};
use nofm::journal::wire::{ToClient, ToRunner, VERSION};
use nofm::journal::{self, SessionDir, StateDir, session_id};
use nofm::plan::{SessionFile, Source, build};

const PATIENCE: Duration = Duration::from_mins(1);

const HEAD: &str = r#"
nofm = 1
id = "bench"
product = "Bench"
[version]
target = "2.0"
[roles.node]
label = "Node"
count = "1.."
os = ["linux"]
"#;

struct Bench {
    folder: tempfile::TempDir,
    state_dir: StateDir,
    session: SessionDir,
    runner: Option<Child>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Bench {
    /// A session over one server, `n1`, in a stage of these steps and with these failure rules.
    fn new(steps: &str, failures: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("n1/bin")).expect("a server's folder");
        let stage = "[[stages]]\nid = \"nodes\"\ntitle = \"Nodes\"\nroles = [\"node\"]\n";
        let profile = format!("{HEAD}{stage}{steps}\n{failures}\n");
        let inventory = "nofm = 1\nfarm = \"bench\"\n[[servers]]\nname = \"n1\"\nroles = [\"node\"]\n\
            transport = \"local\"\nroot = \"n1\"\n";
        let file = SessionFile {
            nofm_session: 1,
            speed: 1.0,
            rehearsal: false,
            profile: Source { name: "bench".to_owned(), text: profile },
            inventory: Source { name: "inventory.toml".to_owned(), text: inventory.to_owned() },
            base: folder.path().to_owned(),
        };
        let state_dir = StateDir::at(folder.path().join("state")).expect("a state folder");
        let id = session_id(jiff::Timestamp::now(), "bench", 1);
        let session = state_dir.create_session(&id, &file.to_toml()).expect("a session");
        Self { folder, state_dir, session, runner: None }
    }

    fn on_server(&self, below: &str) -> PathBuf {
        self.folder.path().join("n1").join(below)
    }

    /// A command of the server, found before the real one.
    fn stand_in(&self, name: &str, script: &str) {
        let path = self.on_server("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a stand-in");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    }

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
        let began = Instant::now();
        loop {
            match Follower::open(&self.state_dir, &self.session, "tester".into(), Mode::Live) {
                Ok(follower) => return follower,
                Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Runs, and begins the upgrade.
    fn begun(&mut self) -> Follower {
        let mut follower = self.run();
        send(&mut follower, &Intent::Check { check: None, server: None });
        wait(&mut follower, |state| state.lacking().is_empty());
        let state = follower.state();
        let plan = build(&state.setup, &state.answers).expect("a plan");
        send(&mut follower, &Intent::Begin { plan: plan.hash });
        follower
    }

    fn kill(&mut self) {
        if let Some(mut runner) = self.runner.take() {
            let _ = runner.kill();
            let _ = runner.wait();
        }
    }

    fn events(&self) -> Vec<Event> {
        let read = journal::read_all::<Event>(&self.session).expect("the journal is whole");
        read.events.into_iter().map(|entry| entry.event).collect()
    }

    fn ends(&self) -> Vec<End> {
        let ended = |event| match event {
            Event::TargetEnded { end, .. } => Some(end),
            _ => None,
        };
        self.events().into_iter().filter_map(ended).collect()
    }
}

fn send(follower: &mut Follower, intent: &Intent) {
    let reply = follower.send(intent).expect("the runner answers");
    assert!(matches!(reply, Reply::Done { .. }), "{intent:?}: {reply:?}");
}

fn wait(follower: &mut Follower, holds: impl Fn(&State) -> bool) {
    let began = Instant::now();
    loop {
        while follower.next_event().expect("the journal is readable").is_some() {}
        if holds(follower.state()) {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "open: {:#?}", follower.state().questions);
        follower.wait(Duration::from_millis(50)).expect("the session is followed");
    }
}

fn asked(follower: &mut Follower) -> Question {
    wait(follower, |state| !state.questions.is_empty());
    follower.state().questions.values().next().expect("one").clone()
}

fn reply(follower: &mut Follower, question: &Question, choice: Choice) {
    send(follower, &Intent::Reply { question: question.id, choice, text: String::new() });
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).unwrap_or_default().lines().count()
}

const ANY: &str = "[[failures]]\nid = \"any\"\noffer = [\"retry\", \"hold\", \"abort\"]\n";

#[test]
fn what_is_typed_fast_arrives_in_the_order_it_was_typed() {
    let attended = r#"
[[stages.steps]]
id = "talk"
attended = "stty raw -echo; echo ready; dd bs=1 count=600 of=typed 2>/dev/null; stty sane"
"#;
    let mut bench = Bench::new(attended, ANY);
    let mut follower = bench.begun();
    let question = asked(&mut follower);
    reply(&mut follower, &question, Choice::Start);
    wait(&mut follower, |state| state.active_lanes().any(nofm::engine::LaneState::is_running));
    let About::Attended(key) = question.about else { panic!("{question:#?}") };
    let run = follower.state().lane(&key.lane).expect("its lane").targets[0].run.clone();
    let shown = |follower: &Follower| {
        let Ok(Some(reader)) = follower.output(&run) else { return String::new() };
        let size = reader.size().unwrap_or_default();
        String::from_utf8_lossy(&reader.window(0, size).unwrap_or_default()).into_owned()
    };
    until("the terminal is ready", || shown(&follower).contains("ready"));
    let typed: Vec<u8> = (0..600_u32).map(|n| b'a' + u8::try_from(n * 7 % 26).expect("a letter")).collect();
    for byte in &typed {
        type_in(&mut follower, &key, &[*byte]);
    }
    wait(&mut follower, |state| state.close().is_some());
    assert_eq!(follower.state().close(), Some(&Close::Done));
    let arrived = fs::read(bench.on_server("typed")).expect("what it read");
    assert_eq!(String::from_utf8_lossy(&arrived), String::from_utf8_lossy(&typed));
    let counted: u64 = bench
        .events()
        .iter()
        .map(|event| if let Event::Typed { count, .. } = event { *count } else { 0 })
        .sum();
    assert_eq!(counted, 600);
}

fn type_in(follower: &mut Follower, key: &StepKey, bytes: &[u8]) {
    follower.type_into(key, bytes).expect("the runner listens");
}

#[test]
fn a_run_whose_starter_died_before_it_began_is_called_off_and_never_begins() {
    let run = "[[stages.steps]]\nid = \"install\"\nrun = \"echo x >> ran\"\n";
    let mut bench = Bench::new(run, ANY);
    // Claimed, and nobody launches it.
    let dies = "case $* in *supervise*) echo x >> \"$NOFM_ROOT/claimed\" ;; esac";
    bench.stand_in("setsid", dies);
    drop(bench.begun());
    until("it is claimed", || bench.on_server("claimed").exists());
    bench.kill();
    let mut follower = bench.run();
    let question = asked(&mut follower);
    assert!(question.details[0].contains("called off; nothing was done"), "{question:#?}");
    assert_eq!(lines(&bench.on_server("ran")), 0);
    assert!(matches!(bench.ends().as_slice(), [End::NotStarted(_)]), "{:?}", bench.ends());
    // Even a launcher that comes late finds it called off.
    fs::remove_file(bench.on_server("bin/setsid")).expect("the stand-in");
    reply(&mut follower, &question, Choice::Retry);
    wait(&mut follower, |state| state.close().is_some());
    assert_eq!(follower.state().close(), Some(&Close::Done));
    assert_eq!(lines(&bench.on_server("ran")), 1);
    assert_eq!(lines(&bench.on_server("claimed")), 1, "it was not launched a second time");
}

#[test]
fn a_runner_answers_before_it_ends() {
    for round in 0..12 {
        let mut bench = Bench::new("[[stages.steps]]\nid = \"install\"\nrun = \"true\"\n", ANY);
        drop(bench.run());
        let socket = bench.state_dir.socket_path(bench.session.id()).expect("its path");
        let mut stream = UnixStream::connect(socket).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
        let stop = serde_json::to_value(Intent::Stop).expect("JSON");
        for message in [
            ToRunner::Hello { viewer: "raw".into(), watch: false, want: VERSION },
            ToRunner::Intent { id: 7, intent: stop },
        ] {
            let line = format!("{}\n", serde_json::to_string(&message).expect("JSON"));
            stream.write_all(line.as_bytes()).expect("it reads");
        }
        let mut heard = Vec::new();
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { break };
            heard.push(serde_json::from_str::<ToClient>(&line).expect("a message"));
        }
        let answered = heard.iter().any(|said| matches!(said, ToClient::Done { id: 7, .. }));
        assert!(answered, "round {round}: {heard:?}");
    }
}

#[test]
fn what_is_collected_lies_in_the_session_folder_and_is_bounded() {
    let collect = "[[stages.steps]]\nid = \"logs\"\ncollect = [\"/var/log/app.log\", \"/var/log/app/*.log\", \"/var/log/huge\"]\n";
    let mut bench = Bench::new(collect, ANY);
    fs::create_dir_all(bench.on_server("var/log/app")).expect("folders");
    fs::write(bench.on_server("var/log/app.log"), "the log\n").expect("a log");
    for name in ["one", "two"] {
        fs::write(bench.on_server(&format!("var/log/app/{name}.log")), name).expect("a log");
    }
    let mut huge = fs::File::create(bench.on_server("var/log/huge")).expect("a file");
    huge.set_len(70 << 20).expect("its size");
    std::io::Seek::seek(&mut huge, std::io::SeekFrom::End(0)).expect("its end");
    huge.write_all(b"the end").expect("written");
    let mut follower = bench.begun();
    wait(&mut follower, |state| state.close().is_some());
    assert_eq!(follower.state().close(), Some(&Close::Done));
    let collected = bench.session.path().join("collected/n1");
    let read = |name: &str| fs::read(collected.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(read("var/log/app.log"), b"the log\n");
    assert_eq!(read("var/log/app/one.log"), b"one");
    assert_eq!(read("var/log/app/two.log"), b"two");
    let huge = read("var/log/huge");
    assert_eq!(huge.len(), 64 << 20);
    assert!(huge.ends_with(b"the end"));
    for path in ["", "var/log/app", "var/log/app/one.log"] {
        let mode = fs::metadata(collected.join(path)).expect("its mode").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path}");
    }
}

#[test]
fn collecting_after_a_failure_brings_the_files_and_asks_again() {
    let steps = "[[stages.steps]]\nid = \"install\"\nrun = \"mkdir -p var/log; echo why > var/log/install.log; test -e ready\"\n\
        [procedures.support]\n[[procedures.support.steps]]\nid = \"logs\"\ncollect = [\"/var/log/*.log\"]\n";
    let rule = "[[failures]]\nid = \"any\"\noffer = [\"retry\", \"collect\", \"hold\"]\n";
    let mut bench = Bench::new(steps, rule);
    let mut follower = bench.begun();
    let first = asked(&mut follower);
    reply(&mut follower, &first, Choice::Collect);
    wait(&mut follower, |state| state.questions.values().any(|question| question.id != first.id));
    let log = bench.session.path().join("collected/n1/var/log/install.log");
    assert_eq!(fs::read_to_string(log).expect("it was collected"), "why\n");
    fs::write(bench.on_server("ready"), "").expect("its mark");
    let again = asked(&mut follower);
    assert_eq!(again.about, first.about);
    reply(&mut follower, &again, Choice::Retry);
    wait(&mut follower, |state| state.close().is_some());
    assert_eq!(follower.state().close(), Some(&Close::Done));
}

const RESTART: &str = "[[stages.steps]]\nid = \"restart\"\nreboot = true\n";

impl Bench {
    fn boots(&self, id: &str) {
        let folder = self.on_server("proc/sys/kernel/random");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("boot_id"), format!("{id}\n")).expect("a boot id");
    }

    fn restarts(&self) -> usize {
        lines(&self.on_server("restarts"))
    }
}

#[test]
fn a_server_is_restarted_and_waited_for_until_it_is_back() {
    let mut bench = Bench::new(RESTART, ANY);
    bench.boots("first");
    // It goes down, which ends whoever ordered it, and comes up later.
    bench.stand_in(
        "systemctl",
        "id=proc/sys/kernel/random/boot_id\n[ \"$*\" = reboot ] && echo x >>\"$NOFM_ROOT/restarts\"\n\
         (cd \"$NOFM_ROOT\"; : >\"$id\"; sleep 2; echo second >\"$id\") </dev/null >/dev/null 2>&1 &\nkill -TERM $PPID",
    );
    let mut follower = bench.begun();
    wait(&mut follower, |state| state.close().is_some());
    assert_eq!(follower.state().close(), Some(&Close::Done));
    assert_eq!(bench.restarts(), 1);
    let events = bench.events();
    let at = |is: &dyn Fn(&Event) -> bool| events.iter().position(is).expect("it happened");
    let looked =
        at(&|event| matches!(event, Event::LookedUp { before: Before::Boot(boot), .. } if boot == "first"));
    let ended = at(
        &|event| matches!(event, Event::TargetEnded { end: End::Exit(0), tail, .. } if tail.contains("boot id second")),
    );
    assert!(looked < ended);
}

#[test]
fn a_restart_that_a_dead_runner_ordered_is_found_and_not_ordered_again() {
    let mut bench = Bench::new(RESTART, ANY);
    bench.boots("first");
    bench.stand_in("systemctl", "echo x >>\"$NOFM_ROOT/restarts\"");
    drop(bench.begun());
    until("it is ordered", || bench.restarts() == 1);
    bench.kill();
    // The next one finds it under way, then done.
    drop(bench.run());
    std::thread::sleep(Duration::from_secs(2));
    bench.kill();
    let mut follower = bench.run();
    bench.boots("second");
    wait(&mut follower, |state| state.close().is_some());
    assert_eq!(follower.state().close(), Some(&Close::Done));
    assert_eq!(bench.restarts(), 1);
}

#[test]
fn a_restart_that_is_refused_is_a_failure_with_what_was_said() {
    let mut bench = Bench::new(RESTART, ANY);
    bench.boots("first");
    bench.stand_in("systemctl", "echo 'Operation inhibited by the backup' >&2\nexit 1");
    let mut follower = bench.begun();
    let question = asked(&mut follower);
    assert!(question.details[0].contains("exit status 1"), "{question:#?}");
    let told = |event: &Event| matches!(event, Event::TargetEnded { tail, .. } if tail.contains("inhibited"));
    assert!(bench.events().iter().any(told), "{:?}", bench.events());
    bench.stand_in("systemctl", "echo second >\"$NOFM_ROOT/proc/sys/kernel/random/boot_id\"");
    reply(&mut follower, &question, Choice::Retry);
    wait(&mut follower, |state| state.close().is_some());
    assert_eq!(follower.state().close(), Some(&Close::Done));
}

#[test]
fn the_machine_under_a_stand_in_is_never_restarted() {
    let mut bench = Bench::new(RESTART, ANY);
    bench.boots("first");
    let mut follower = bench.begun();
    let question = asked(&mut follower);
    assert!(question.details[0].contains("exit status 127"), "{question:#?}");
}

#[test]
fn services_are_found_by_display_name_stopped_and_started_again() {
    let steps = "[[stages.steps]]\nid = \"stop\"\nservice = \"stop\"\nservices = [\"/^Example .*/\"]\n\
        [[stages.steps]]\nid = \"rename\"\nrun = \"echo 1 >renamed\"\n\
        [[stages.steps]]\nid = \"start\"\nservice = \"start\"\nservices = [\"/^Example .*/\"]\n";
    let mut bench = Bench::new(steps, ANY);
    // The second service is called otherwise after the upgrade, and is started all the same.
    bench.stand_in(
        "systemctl",
        r#"case $1 in
list-unit-files) printf '%s\n' 'one.service enabled' 'two.service disabled' 'cron.service enabled' 'tpl@.service static' ;;
list-units) printf '%s\n' 'cron.service loaded active running Example that is none' ;;
show)
    shift 9
    [ "$*" = 'cron.service one.service two.service' ] || exit 9
    two='Example Two'
    [ ! -e "$NOFM_ROOT/renamed" ] || two=Other
    printf 'Id=%s\nDescription=%s\nLoadState=loaded\n\n' cron.service Cron one.service 'Example One' two.service "$two"
    ;;
*) echo "$*" >>"$NOFM_ROOT/done" ;;
esac"#,
    );
    let mut follower = bench.begun();
    wait(&mut follower, |state| state.close().is_some());
    assert_eq!(follower.state().close(), Some(&Close::Done));
    let did = fs::read_to_string(bench.on_server("done")).expect("it was asked for");
    assert_eq!(did, "stop one\nstop two\nstart two\nstart one\n");
}

#[test]
fn exit_statuses_that_count_as_success_are_told_apart_by_later_steps() {
    let steps = "[[stages.steps]]\nid = \"install\"\nrun = \"echo done; exit 7\"\nexit = [0, 7]\n\
        [[stages.steps]]\nid = \"again\"\nwhen = \"steps.install.exit == 7\"\nrun = \"echo again >>ran\"\n\
        [[stages.steps]]\nid = \"not\"\nwhen = \"steps.install.exit == 0\"\nrun = \"echo not >>ran\"\n\
        [[stages.steps]]\nid = \"said\"\nwhen = \"'done' in steps.install.output\"\nrun = \"echo said >>ran\"\n";
    let mut bench = Bench::new(steps, ANY);
    let mut follower = bench.begun();
    wait(&mut follower, |state| state.close().is_some());
    assert_eq!(follower.state().close(), Some(&Close::Done));
    assert_eq!(fs::read_to_string(bench.on_server("ran")).expect("it ran"), "again\nsaid\n");
    assert_eq!(bench.ends()[0], End::Exit(7));
}

#[test]
fn a_server_that_nobody_is_asked_of_any_more_is_found_back() {
    let step = "[[stages.steps]]\nid = \"ready\"\nwait = \"farm.ready == 'yes'\"\nevery = \"1s\"\n";
    let fact = "[facts.ready]\nat = \"one node\"\nkind = \"text\"\nrun = \"cat ready\"\n";
    let mut bench = Bench::new(step, &format!("{fact}{ANY}"));
    // Whoever comes in while it is off is turned away without a word.
    bench.stand_in("sh", "[ ! -e off ] || exit 1\nexec /bin/sh \"$@\"");
    fs::write(bench.on_server("ready"), "no\n").expect("a file");
    let mut follower = bench.begun();
    wait(&mut follower, |state| state.active_lanes().next().is_some());
    fs::write(bench.on_server("off"), "").expect("a mark");
    wait(&mut follower, |state| !state.lost.is_empty());
    // Nor does a later runner ask a server that is out of reach.
    bench.kill();
    fs::remove_file(bench.on_server("off")).expect("a mark");
    fs::write(bench.on_server("ready"), "yes\n").expect("a file");
    let mut follower = bench.run();
    wait(&mut follower, |state| state.close() == Some(&Close::Done));
    let back = |event: &Event| matches!(event, Event::ReachBack { .. });
    assert!(bench.events().iter().any(back), "it was never seen again");
}
