//! One upgrade from its beginning to its end, by as many clients and runners as it takes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nofm::client::{Follower, Mode, glance};
use nofm::engine::{Close, Phase, StepKey, StepPhase};
use nofm::journal::{SessionDir, StateDir, session_id};
use nofm::plan::{SessionFile, Source};
use rustix::process::{Pid, Signal, kill_process};

use super::farm::{Farm, asset};
use super::person::{Person, is_at_work};
use super::plan::{Kill, Plan};
use super::{Tally, add, judge};

/// For a whole run, on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(3);
const CLIENTS_MAX: usize = 40;
/// How long a runner that waits for somebody is left alone.
const ALONE: Duration = Duration::from_millis(400);
const LOOK: Duration = Duration::from_millis(50);

enum Console {
    /// Since when, and when it was last looked what the session does.
    Nobody(Instant, Instant),
    Headless(Child),
    Person(Box<Person>),
}

pub struct Drive {
    plan: Plan,
    farm: Farm,
    home: tempfile::TempDir,
    state_dir: StateDir,
    console: Console,
    clients: usize,
    /// Runners that this process started, and has to wait for.
    runners: Vec<Child>,
    last_kill: Instant,
    kills: usize,
    /// Whether a runner was killed since the client began.
    runner_killed: bool,
    tally: Tally,
}

/// Carries out an upgrade by plan, and judges it. What happened in it.
pub fn carry_out(plan: Plan) -> Tally {
    let farm = Farm::new(&plan);
    let home = tempfile::tempdir().expect("a folder");
    let state_dir = StateDir::at(home.path().join("home")).expect("a state folder");
    let now = Instant::now();
    let mut drive = Drive {
        plan,
        farm,
        home,
        state_dir,
        console: Console::Nobody(now, now),
        clients: 0,
        runners: Vec::new(),
        last_kill: now,
        kills: 0,
        runner_killed: false,
        tally: Tally::new(),
    };
    drive.go();
    let session = drive.session().expect("there is one");
    judge::judge(&drive.farm, &session, &mut drive.tally);
    std::mem::take(&mut drive.tally)
}

impl Drive {
    fn go(&mut self) {
        if self.farm.is_igel {
            self.prepare_igel();
        }
        self.start_client();
        let began = Instant::now();
        self.last_kill = began;
        loop {
            assert!(began.elapsed() < PATIENCE, "it does not come to an end");
            self.kill_what_is_due();
            self.runners.retain_mut(|runner| runner.try_wait().expect("it is waited for").is_none());
            let over = match &mut self.console {
                Console::Headless(client) => {
                    if let Some(status) = client.try_wait().expect("it is waited for") {
                        self.left(status.code());
                    }
                    false
                }
                Console::Person(person) => {
                    if !person.answers(&self.farm) {
                        self.nobody();
                    }
                    false
                }
                Console::Nobody(..) => self.stand_by(),
            };
            if over {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A session of the built-in profile, as fast as its lab.
    fn prepare_igel(&self) {
        let lab = &self.farm.bed.lab;
        let text = nofm::profile::builtin::find("igel_ums_ha").expect("it is built in");
        let inventory = fs::read_to_string(&lab.inventory_path).expect("the inventory");
        let file = SessionFile {
            nofm_session: 1,
            speed: self.farm.speed(),
            rehearsal: true,
            profile: Source { name: "igel_ums_ha".to_owned(), text: text.to_owned() },
            inventory: Source { name: "inventory.toml".to_owned(), text: inventory },
            base: lab.dir.clone(),
        };
        let id = session_id(jiff::Timestamp::now(), "igel_ums_ha", 1);
        self.state_dir.create_session(&id, &file.to_toml()).expect("a session");
    }

    /// The session, once there is one that is whole.
    fn session(&self) -> Option<SessionDir> {
        let sessions = self.state_dir.sessions().expect("the state folder is readable");
        sessions.into_iter().find(|session| session.setup_path().exists())
    }

    fn start_client(&mut self) {
        self.clients += 1;
        assert!(self.clients <= CLIENTS_MAX, "{CLIENTS_MAX} clients came and went");
        let lab = &self.farm.bed.lab;
        let mut command = Command::new(env!("CARGO_BIN_EXE_nofm"));
        match self.session() {
            None => command.args(["run", "-p"]).arg(asset("profile.toml")).arg("-i").arg(&lab.inventory_path),
            Some(session) => command.arg("resume").arg(session.id().as_str()),
        };
        let log = File::create(self.home.path().join(format!("client-{}", self.clients))).expect("a log");
        let client = command
            .arg("--headless")
            .arg("--answers")
            .arg(&lab.answers_path)
            .env("NOFM_HOME", self.state_dir.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("nofm starts");
        self.runner_killed = false;
        self.console = Console::Headless(client);
    }

    fn nobody(&mut self) {
        let now = Instant::now();
        self.console = Console::Nobody(now, now);
    }

    /// The client came to its end by itself: its exit status says how.
    fn left(&mut self, code: Option<i32>) {
        self.nobody();
        let said = fs::read_to_string(self.home.path().join(format!("client-{}", self.clients)));
        let said = said.unwrap_or_default();
        let close = self.session().filter(|session| session.journal_path().exists()).and_then(|session| {
            let found = glance(&self.state_dir, &session).expect("the journal is readable");
            let blocked = found.phase == Phase::Preparing && said.contains("Prechecks");
            Some((found.close?, blocked))
        });
        let fits = match (&close, code) {
            // With 3 a check of the start did not pass on a server that was killed.
            (Some((Close::Done, _)), Some(0))
            | (Some((Close::Stopped { .. }, _)), Some(4))
            | (Some((Close::Stopped { .. }, true)), Some(3)) => true,
            // Without its runner it stops, or cannot begin.
            (_, Some(4 | 1)) => self.runner_killed,
            _ => false,
        };
        assert!(fits, "client {} ends with {code:?}, and the session {close:?}:\n{said}", self.clients);
    }

    /// Nobody looks on. True: the upgrade is done.
    fn stand_by(&mut self) -> bool {
        let Console::Nobody(since, looked) = &mut self.console else { return false };
        if looked.elapsed() < LOOK {
            return false;
        }
        *looked = Instant::now();
        let alone = since.elapsed() > ALONE;
        let Some(session) = self.session() else {
            // The first client was killed before it had made one.
            fs::remove_dir_all(self.state_dir.path().join("sessions")).expect("half a session");
            self.state_dir = StateDir::at(self.state_dir.path()).expect("a state folder");
            self.start_client();
            return false;
        };
        if session.holder().expect("the lock is readable").is_some() {
            // Without a console it goes on as far as it can.
            let waits = session.journal_path().exists()
                && glance(&self.state_dir, &session)
                    .is_ok_and(|found| found.questions > 0 || found.phase == Phase::Preparing);
            if alone && waits && self.kill_runner() {
                add(&mut self.tally, "runners that waited alone, and were killed");
            }
            return false;
        }
        if !session.journal_path().exists() {
            self.start_client();
            return false;
        }
        let follower = Follower::open(&self.state_dir, &session, "looker".into(), Mode::Rest);
        let mut follower = follower.expect("the session is readable");
        while follower.next_event().expect("the journal is readable").is_some() {}
        let state = follower.state();
        match state.close() {
            Some(Close::Done) => return true,
            Some(Close::Failed { why }) => panic!("it failed: {why}"),
            Some(Close::Stopped { .. }) | None => {}
        }
        // A session that was held has put its questions away.
        let open: Vec<(StepKey, bool)> = state
            .active_lanes()
            .filter_map(|lane| match lane.step {
                StepPhase::Unknown(_) => Some((state.step_key(lane), false)),
                StepPhase::Failed(_) => Some((state.step_key(lane), true)),
                _ => None,
            })
            .collect();
        self.go_on(&session, &open);
        false
    }

    /// Where only a look at the servers can tell, somebody looks. `open`: steps of which nothing is known, or which
    /// failed.
    fn go_on(&mut self, session: &SessionDir, open: &[(StepKey, bool)]) {
        let mut needs_person = false;
        for (key, failed) in open {
            let (step, server) =
                (key.step.as_str(), key.lane.server.as_ref().map_or("", |name| name.as_str()));
            if !failed && self.farm.is_done(step, server) {
                continue;
            }
            if !failed && is_at_work(&self.farm, step, server) {
                return;
            }
            needs_person = true;
        }
        if !needs_person {
            return self.start_client();
        }
        self.clients += 1;
        self.runner_killed = false;
        let (person, runner) = Person::start(&self.state_dir, session);
        self.runners.push(runner);
        add(&mut self.tally, "a person looked");
        if let Some(person) = person {
            self.console = Console::Person(Box::new(person));
        }
    }

    fn kill_what_is_due(&mut self) {
        let Some((pause, kill)) = self.plan.kills.get(self.kills).copied() else { return };
        if self.last_kill.elapsed() < Duration::from_millis(pause) {
            return;
        }
        let killed = match kill {
            Kill::Runner => self.kill_runner(),
            Kill::Console => self.kill_console(),
            kill => self.farm.kill(kill, &mut self.plan.rng),
        };
        // What is not there yet is waited for.
        if killed {
            add(&mut self.tally, kill.told());
            self.kills += 1;
            self.last_kill = Instant::now();
        }
    }

    fn kill_runner(&mut self) -> bool {
        let Some(Ok(Some(holder))) = self.session().map(|session| session.holder()) else { return false };
        let killed = runners(self.home.path())
            .into_iter()
            .filter(|pid| pid.as_raw_nonzero().get().cast_unsigned() == holder.pid);
        let killed = killed.filter(|pid| kill_process(*pid, Signal::KILL).is_ok()).count();
        self.runner_killed |= killed > 0;
        killed > 0
    }

    fn kill_console(&mut self) -> bool {
        match &mut self.console {
            Console::Nobody(..) => return false,
            Console::Person(_) => {}
            Console::Headless(client) => {
                client.kill().expect("it is a child");
                client.wait().expect("it is a child");
            }
        }
        self.nobody();
        true
    }
}

/// The runners of sessions below `home`.
fn runners(home: &Path) -> Vec<Pid> {
    let home = home.to_string_lossy().into_owned();
    let numbers = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = numbers.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    let is_runner = |pid: &Pid| {
        let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains("\0runner\0") && line.contains(&home)
    };
    pids.filter(is_runner).collect()
}

impl Drop for Drive {
    fn drop(&mut self) {
        if let Console::Headless(client) = &mut self.console {
            let _ = (client.kill(), client.wait());
        }
        // A client that was killed may have started one that does not hold its session yet.
        for _ in 0..3 {
            for pid in runners(self.home.path()) {
                let _ = kill_process(pid, Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        for runner in &mut self.runners {
            let _ = runner.wait();
        }
        if std::thread::panicking() {
            self.keep();
        }
    }
}

impl Drive {
    /// Keeps what a run that went wrong leaves behind.
    fn keep(&self) {
        let to = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("kills-{}", self.plan.seed));
        let _ = fs::remove_dir_all(&to);
        let _ = fs::create_dir_all(&to);
        for from in [self.home.path(), &self.farm.bed.lab.dir] {
            let _ = Command::new("cp").arg("-a").arg(from).arg(&to).status();
        }
        eprintln!("{}: kept in {}", self.plan, to.display());
    }
}
