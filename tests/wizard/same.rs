//! The operator walks through a real session, and a review shows the very same screens.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crossterm::event::KeyCode;
use jiff::tz::TimeZone;
use nofm::client::{Follower, Mode, Reply};
use nofm::engine::{About, Choice, Event, Intent, Stamp, State};
use nofm::journal::{Reader, SessionDir, StateDir};
use nofm::model::ViewerId;
use nofm::plan::{self, SessionFile, Source};
use nofm::wizard::{Face, Reel};
use ratatui::buffer::Buffer;

use super::{frame, press, rows};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// Nothing happens by itself where nothing happened for so long.
const QUIET: Duration = Duration::from_millis(600);

/// Two folders as servers, and a runner at work on them.
struct Farm {
    folder: tempfile::TempDir,
    state_dir: StateDir,
    session: SessionDir,
    runner: Child,
}

impl Farm {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut inventory = "nofm = 1\nfarm = \"mini\"\n".to_owned();
        for name in ["n1", "n2"] {
            let root = folder.path().join(name);
            fs::create_dir_all(root.join("bin")).expect("a server's folder");
            fs::write(root.join("version"), "1.0\n").expect("its version");
            fs::write(root.join("ready"), "").expect("its mark");
            let _ = write!(
                inventory,
                "[[servers]]\nname = \"{name}\"\nroles = [\"node\"]\ntransport = \"local\"\nroot = \"{name}\"\n"
            );
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plain/mini.toml");
        let profile = fs::read_to_string(path).expect("a profile");
        let home = folder.path().join("home");
        let state_dir = StateDir::at(&home).expect("a state folder");
        let file = SessionFile {
            nofm_session: 1,
            speed: 1.0,
            rehearsal: true,
            profile: Source { name: "mini.toml".into(), text: profile },
            inventory: Source { name: "inventory.toml".into(), text: inventory },
            base: folder.path().to_owned(),
        };
        let id = "2026-11-21T041233Z-mini-7f3a".into();
        let session = state_dir.create_session(&id, &file.to_toml()).expect("a session");
        let runner = Command::new(env!("CARGO_BIN_EXE_nofm"))
            .arg("runner")
            .arg(session.path())
            .env("NOFM_HOME", &home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a runner");
        Self { folder, state_dir, session, runner }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn follow(&self) -> Follower {
        let began = Instant::now();
        loop {
            match Follower::open(&self.state_dir, &self.session, tester(), Mode::Live) {
                Ok(follower) => return follower,
                Err(error) => assert!(began.elapsed() < PATIENCE, "the runner does not answer: {error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything up to the agreed plan.
    fn begin(&self) {
        let mut follower = self.follow();
        send(&mut follower, &Intent::TakePen { by_force: true });
        send(&mut follower, &Intent::AgreeUnsure { input: "greeting".into() });
        send(&mut follower, &Intent::ConfirmNotice { notice: "licence".into() });
        send(&mut follower, &Intent::Survey);
        send(&mut follower, &Intent::Check { check: None, server: None });
        let began = Instant::now();
        loop {
            catch_up(&mut follower);
            let asked = follower.state().questions.values().next().cloned();
            if let Some(question) = asked {
                assert!(matches!(question.about, About::Tell(_)), "{question:?}");
                let reply =
                    Intent::Reply { question: question.id, choice: Choice::Tell, text: "good".into() };
                send(&mut follower, &reply);
            } else if follower.state().lacking().is_empty() {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "it lacks {:?}", follower.state().lacking());
            follower.wait(Duration::from_millis(50)).expect("the runner is there");
        }
        let state = follower.state();
        let plan = plan::build(&state.setup, &state.answers).expect("a plan").hash;
        send(&mut follower, &Intent::Begin { plan });
    }

    /// Every event so far, with the state after it.
    fn read(&self) -> (Vec<(u64, Event)>, State) {
        let mut reader = Reader::open(&self.session).expect("a journal");
        let text = self.session.setup(reader.header()).expect("the setup");
        let setup = SessionFile::parse(&text).expect("a session file").setup(self.session.id().clone());
        let mut state = State::new(std::sync::Arc::new(setup.expect("a setup")));
        let mut events = Vec::new();
        for entry in reader.read_to::<Event>(u64::MAX).expect("the journal is whole") {
            let stamp = Stamp {
                wall_ms: entry.stamp.at().as_millisecond(),
                epoch: entry.stamp.epoch,
                mono_ms: entry.stamp.mono_ms,
            };
            state.apply(entry.seq, stamp, &entry.event);
            events.push((entry.seq, entry.event));
        }
        (events, state)
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.runner.kill();
        let _ = self.runner.wait();
    }
}

fn tester() -> ViewerId {
    ViewerId::from("tester")
}

fn catch_up(follower: &mut Follower) {
    while follower.next_event().expect("the journal is whole").is_some() {}
}

fn send(follower: &mut Follower, intent: &Intent) {
    catch_up(follower);
    let reply = follower.send(intent).expect("the runner is there");
    assert!(matches!(reply, Reply::Done { .. }), "{intent:?}: {reply:?}");
    catch_up(follower);
}

/// What the operator saw, and after which event.
struct Sample {
    what: &'static str,
    seq: u64,
    size: (u16, u16),
    live: Buffer,
}

struct Walk<'a> {
    farm: &'a Farm,
    face: Face,
    samples: Vec<Sample>,
}

impl Walk<'_> {
    fn until(&mut self, what: &str, holds: impl Fn(&State) -> bool) {
        let began = Instant::now();
        while !holds(self.face.state()) {
            assert!(began.elapsed() < PATIENCE, "it never comes to: {what}");
            self.face.take_in().expect("the journal is whole");
            self.face.listen(Duration::from_millis(20)).expect("the runner is there");
        }
    }

    /// Until nothing happens by itself any more.
    fn rest(&mut self) {
        let mut since = Instant::now();
        while since.elapsed() < QUIET {
            if self.face.take_in().expect("the journal is whole") {
                since = Instant::now();
            }
            self.face.listen(Duration::from_millis(20)).expect("the runner is there");
        }
    }

    /// What is on the screen now, of a size of its own, so that it is journalled that it was looked at.
    fn sample(&mut self, what: &'static str) {
        self.rest();
        let number = u16::try_from(self.samples.len()).expect("few");
        let size = (80 + 7 * (number % 5), 24 + number);
        frame(&mut self.face, size);
        self.face.tell_view();
        let view = serde_json::to_value(self.face.view()).expect("JSON");
        let began = Instant::now();
        let (seq, now_ms) = loop {
            let (events, state) = self.farm.read();
            if let Some((seq, Event::Looked { view: looked, .. })) = events.last()
                && *looked == view
            {
                break (*seq, state.time.now_ms);
            }
            assert!(began.elapsed() < PATIENCE, "{what}: what is looked at is not journalled");
            std::thread::sleep(Duration::from_millis(20));
        };
        self.face.hold(Some(now_ms));
        let live = frame(&mut self.face, size);
        self.face.hold(None);
        self.samples.push(Sample { what, seq, size, live });
    }

    fn press(&mut self, code: KeyCode) {
        press(&mut self.face, code);
    }

    /// Answers the question on the screen with the choice of that number.
    fn choose(&mut self, number: char) {
        frame(&mut self.face, (80, 24));
        // A key that comes before a question can be read is no answer to it.
        std::thread::sleep(Duration::from_millis(500));
        self.press(KeyCode::Char(number));
        self.press(KeyCode::Enter);
    }
}

/// From the first installation to the last page.
fn walk(walk: &mut Walk<'_>) {
    let running = |state: &State| state.active_lanes().any(nofm::engine::LaneState::is_running);
    let asked = |state: &State| !state.questions.is_empty();
    walk.until("an installation", running);
    walk.sample("the first server at work");
    walk.press(KeyCode::Down);
    walk.sample("the second server selected");
    walk.press(KeyCode::Up);
    walk.press(KeyCode::Enter);
    walk.sample("what the first server printed");
    walk.press(KeyCode::Esc);
    walk.press(KeyCode::Char('f'));
    walk.press(KeyCode::Char('?'));
    walk.sample("the keys");
    walk.press(KeyCode::Esc);
    walk.press(KeyCode::Char('c'));
    walk.sample("a key that does nothing now");
    for _ in 0..4 {
        walk.press(KeyCode::Char('f'));
    }
    fs::write(walk.farm.path("n1/fail"), "").expect("a fault");
    fs::remove_file(walk.farm.path("n1/hang")).expect("it goes on");
    walk.until("a failure", asked);
    walk.sample("the failure");
    walk.press(KeyCode::Char('2'));
    walk.sample("a choice on the failure");
    walk.press(KeyCode::Char('a'));
    walk.sample("looking round while it is asked");
    walk.press(KeyCode::Char('o'));
    walk.press(KeyCode::Char('x'));
    walk.sample("typing a reason");
    walk.press(KeyCode::Esc);
    walk.press(KeyCode::Esc);
    let retry = walk.face.state().questions.values().next().and_then(|question| {
        let open = question.options.iter().filter(|option| option.refused.is_none());
        open.clone().position(|option| option.choice == Choice::Retry)
    });
    let number = char::from_digit(u32::try_from(retry.expect("it may be retried")).expect("few") + 1, 10);
    walk.choose(number.expect("a digit"));
    for server in ["the first", "the second"] {
        let confirms = |state: &State| {
            state.questions.values().any(|question| matches!(question.about, About::Confirm(_)))
        };
        walk.until(server, confirms);
        walk.sample(if server == "the first" { "one of two" } else { "two of two" });
        if server == "the first" {
            meanwhile(walk.farm);
        }
        walk.choose('1');
        walk.until("the answer is taken", |state| !confirms(state));
    }
    walk.until("the end", |state| state.close().is_some());
    walk.rest();
    let size = (80, 24);
    let (seq, live) = (walk.face.state().seq, frame(&mut walk.face, size));
    walk.samples.push(Sample { what: "the end", seq, size, live });
}

/// A review of a session that goes on ends where it was when it was opened, and says so.
fn meanwhile(farm: &Farm) {
    let reel = Reel::open(&farm.state_dir, &farm.session, "reviewer".into()).expect("it opens");
    assert!(reel.at_work() && reel.of() > 20, "{} events", reel.of());
    let mut face = Face::review(reel, farm.session.clone(), "reviewer".into()).in_zone(TimeZone::UTC);
    press(&mut face, KeyCode::End);
    let shown = rows(&frame(&mut face, (120, 30)));
    assert!(shown[0].contains("+ READ ONLY"), "{}", shown[0]);
    assert!(shown[28].contains("The session goes on"), "{}", shown[28]);
}

/// Where two screens differ below the header, the reviewer's line and keys apart.
fn difference(sample: &Sample, reviewed: &Buffer, below: u16) -> Option<String> {
    let area = sample.live.area;
    for y in 1..area.height - below {
        for x in 0..area.width {
            if sample.live[(x, y)] != reviewed[(x, y)] {
                let both = [&sample.live, reviewed].map(|buffer| rows(buffer)[usize::from(y)].clone());
                return Some(format!("column {x} of row {y}:\n{}\n{}", both[0], both[1]));
            }
        }
    }
    None
}

#[test]
fn a_review_shows_the_very_screens_that_the_operator_saw() {
    let farm = Farm::new();
    fs::write(farm.path("n1/hang"), "").expect("a server that takes long");
    farm.begin();
    let face = Face::live(farm.follow(), false).in_zone(TimeZone::UTC);
    let mut walked = Walk { farm: &farm, face, samples: Vec::new() };
    walk(&mut walked);
    let samples = walked.samples;
    let reel = Reel::open(&farm.state_dir, &farm.session, "reviewer".into()).expect("it opens");
    let mut face = Face::review(reel, farm.session.clone(), "reviewer".into()).in_zone(TimeZone::UTC);
    // From the last one to the first, so that the review goes back.
    for (index, sample) in samples.iter().enumerate().rev() {
        face.seek(sample.seq).expect("it is there");
        let reviewed = frame(&mut face, sample.size);
        // The last line has the reviewer's keys; at an event that is told in words the one above has the event.
        let below = if index + 1 == samples.len() { 2 } else { 1 };
        if let Some(difference) = difference(sample, &reviewed, below) {
            panic!("{} (event {}) is another screen in review: {difference}", sample.what, sample.seq);
        }
        let header = [&sample.live, &reviewed].map(|buffer| rows(buffer)[0].clone());
        assert!(header[1].contains("REVIEW") && header[1].starts_with(&header[0][..24]), "{header:?}");
        // And no screen passes for another one.
        let other = &samples[(index + 1) % samples.len()];
        face.seek(other.seq).expect("it is there");
        let reviewed = frame(&mut face, sample.size);
        assert!(difference(sample, &reviewed, 2).is_some(), "{} looks like {}", sample.what, other.what);
    }
}
