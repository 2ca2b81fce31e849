//! How fast the engine folds and decides, and what ten thousand servers cost.
//!
//! The farm answers at once and every step goes well, so that nothing but plan and engine is measured.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nofm::engine::{
    Close, End, Event, Intent, Measured, ProbeKey, Reading, Stamp, State, StepKey, Work, decide,
};
use nofm::inventory::{Inventory, Reach, Server};
use nofm::model::{Known, Os, ServerName, Value, VersionPattern, ViewerId};
use nofm::plan::{self, Setup};
use nofm::profile;

/// What comes in between two decisions, as a runner takes it that has as many connections.
const TOGETHER: usize = 64;

const PROFILE: &str = r#"
nofm = 1
id = "bench"
product = "Bench"
[version]
target = "2.0"
[roles.server]
label = "Server"
count = "1.."
os = ["linux"]
version = "ver"
services = ["app"]
keep-up = 0
[facts.ver]
roles = ["server"]
run = "show version"
kind = "version"
[facts.load]
roles = ["server"]
run = "show load"
kind = "number"
[[checks]]
id = "idle"
title = "Idle"
that = "here.load == 0"
roles = ["server"]
phase = ["start", "end"]
[[stages]]
id = "servers"
title = "Servers"
roles = ["server"]
at-a-time = AT_A_TIME
gates = ["idle"]
tally = "{{ n }} of {{ m }}"
[[stages.steps]]
id = "stop"
service = "stop"
[[stages.steps]]
id = "install"
run = "install {{ target }} on {{ here.name }}"
needs = ["idle"]
done = "here.ver == target"
[[stages.steps]]
id = "start"
service = "start"
[[failures]]
id = "any"
offer = ["retry", "hold"]
"#;

/// Prints two tables.
pub fn run() {
    println!("\nservers  at a time    plan   events   apply  decide  events/s   fold only  peak memory");
    for (servers, at_a_time) in
        [(100, "1"), (1_000, "50"), (1_000, "\"all\""), (10_000, "1"), (10_000, "50"), (10_000, "\"all\"")]
    {
        whole(servers, at_a_time);
    }
}

fn setup(servers: usize, at_a_time: &str) -> Arc<Setup> {
    let text = PROFILE.replace("AT_A_TIME", at_a_time);
    let profile = profile::parse("bench.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let server = |number: usize| Server {
        name: format!("server-{number:05}").into(),
        address: format!("10.{}.{}.{}", number / 65_536, number / 256 % 256, number % 256),
        roles: vec!["server".into()],
        os: Os::Linux,
        reach: Reach::Ssh(Box::default()),
        stand_in: None,
        inputs: BTreeMap::new(),
    };
    let inventory = Inventory::new("bench", (0..servers).map(server).collect());
    Arc::new(Setup::new("bench".into(), profile, inventory, 1.0))
}

/// A farm without delay.
struct Farm {
    state: State,
    journal: Vec<(Stamp, Event)>,
    updated: BTreeSet<ServerName>,
    known: BTreeSet<Work>,
    inbox: VecDeque<Work>,
    now_ms: u64,
    applying: Duration,
    deciding: Duration,
    versions: [Value; 2],
}

/// The profile, the inventory's servers and every event of an upgrade.
pub fn session(servers: usize, at_a_time: &str) -> (String, Arc<Setup>, Vec<(Stamp, Event)>) {
    let setup = setup(servers, at_a_time);
    let farm = Farm::upgraded(setup.clone());
    (PROFILE.replace("AT_A_TIME", at_a_time), setup, farm.journal)
}

fn whole(servers: usize, at_a_time: &str) {
    let setup = setup(servers, at_a_time);
    let begin = Instant::now();
    plan::build(&setup, &plan::AnswerBook::default()).expect("a plan");
    let planning = begin.elapsed();
    let farm = Farm::upgraded(setup.clone());
    assert_eq!(farm.state.closed, Some(Close::Done), "the upgrade is done");
    assert_eq!(farm.state.tally().map(|tally| tally.updated), Some(servers));

    let events = farm.journal.len();
    let taken = farm.applying + farm.deciding;
    let begin = Instant::now();
    let mut folded = State::new(setup);
    for (seq, (stamp, event)) in (1..).zip(&farm.journal) {
        folded.apply(seq, *stamp, event);
    }
    let folding = begin.elapsed();
    assert_eq!(folded.tally(), farm.state.tally());
    println!(
        "{servers:>7} {at_a_time:>10} {:>7} {events:>8} {:>7} {:>7} {:>9} {:>9}/s {:>9} MB",
        show(planning),
        show(farm.applying),
        show(farm.deciding),
        rate(events, taken),
        rate(events, folding),
        peak_mb(),
    );
}

impl Farm {
    /// From the checks of the start to the end.
    fn upgraded(setup: Arc<Setup>) -> Self {
        let read = |text: &str| Value::Version(VersionPattern::default().read(text).expect("a version"));
        let plan = plan::build(&setup, &plan::AnswerBook::default()).expect("a plan");
        let mut farm = Self {
            state: State::new(setup),
            journal: Vec::new(),
            updated: BTreeSet::new(),
            known: BTreeSet::new(),
            inbox: VecDeque::new(),
            now_ms: 0,
            applying: Duration::ZERO,
            deciding: Duration::ZERO,
            versions: [read("1.0"), read("2.0")],
        };
        farm.append(Event::Opened { program: "bench".into(), host: "bench".into() });
        farm.wish(&Intent::Check { check: None, server: None });
        farm.go();
        farm.wish(&Intent::Begin { plan: plan.hash });
        farm.go();
        farm
    }

    fn append(&mut self, event: Event) {
        let stamp = Stamp { wall_ms: 0, epoch: 0, mono_ms: self.now_ms };
        let seq = self.journal.len() as u64 + 1;
        let begin = Instant::now();
        self.state.apply(seq, stamp, &event);
        self.applying += begin.elapsed();
        self.journal.push((stamp, event));
    }

    fn wish(&mut self, intent: &Intent) {
        let events = self.state.judge(&ViewerId::from("bench"), intent).expect("it is allowed");
        for event in events {
            self.append(event);
        }
    }

    fn go(&mut self) {
        loop {
            let begin = Instant::now();
            let decision = decide(&self.state, self.now_ms);
            self.deciding += begin.elapsed();
            if !decision.record.is_empty() {
                for event in decision.record {
                    self.append(event);
                }
                continue;
            }
            for work in decision.work {
                if self.known.insert(work.clone()) {
                    self.inbox.push_back(work);
                }
            }
            if self.inbox.is_empty() {
                match decision.wake_ms {
                    Some(wake_ms) if self.state.closed.is_none() => self.now_ms = wake_ms,
                    _ => return,
                }
            }
            for _ in 0..TOGETHER.min(self.inbox.len()) {
                let work = self.inbox.pop_front().expect("counted");
                self.answer(work);
            }
        }
    }

    fn answer(&mut self, work: Work) {
        self.known.remove(&work);
        let event = match work {
            Work::Probe { probe, asked } => {
                let value = match &probe {
                    ProbeKey::Fact(fact, Some(server)) if *fact == "ver" => {
                        self.versions[usize::from(self.updated.contains(server))].clone()
                    }
                    _ => Value::Number(0.0),
                };
                Event::Read {
                    probe,
                    asked,
                    reading: Reading { known: Known::Seen, seen: Measured::Value(value) },
                }
            }
            Work::Run { key, place } => {
                if key.step == "install" {
                    self.updated.extend(key.lane.server.clone());
                }
                ended(key, place)
            }
        };
        self.append(event);
    }
}

fn ended(key: StepKey, place: nofm::engine::Place) -> Event {
    Event::TargetEnded {
        key,
        place,
        end: End::Exit(0),
        tail: String::new(),
        bytes: 0,
        has: None,
        lacks: None,
    }
}

fn show(time: Duration) -> String {
    if time.as_secs() > 9 { format!("{:.1}s", time.as_secs_f64()) } else { format!("{}ms", time.as_millis()) }
}

#[expect(clippy::cast_precision_loss, reason = "a rate in whole events")]
fn rate(events: usize, time: Duration) -> String {
    format!("{:.0}", events as f64 / time.as_secs_f64())
}

/// The most memory that this process ever had, over all tables before.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kb.unwrap_or(0) / 1024
}
