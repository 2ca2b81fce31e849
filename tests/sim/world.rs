//! The servers: what they answer, what steps do to them, and what goes wrong.
//!
//! The world is not part of the program: it goes on while the runner is dead, and it remembers every run by its
//! id, as a server does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use nofm::engine::{
    Ask, Before, End, LookUp, Measured, Place, ProbeKey, Raw, Reading, State, StepKey, read_fact,
};
use nofm::model::{Known, ServerName};
use nofm::profile::Service;
use regex::Regex;

/// What a server or the farm says when it is asked for a fact.
pub type FactAt = (String, Option<ServerName>);

/// Which fact a step sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Of the server in turn.
    Here,
    Farm,
}

/// What a step does where it goes well.
#[derive(Clone, Debug)]
pub struct Effect {
    pub takes_ms: u64,
    pub sets: Vec<(&'static str, Of, String)>,
    pub status: i32,
    pub output: &'static str,
}

impl Default for Effect {
    fn default() -> Self {
        Self { takes_ms: 1_000, sets: Vec::new(), status: 0, output: "" }
    }
}

/// How one start of a step goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Ends with this status and does nothing.
    Fails(i32),
    /// Does what it should and ends with this status.
    FailsAfterwards(i32),
    /// Ends as if it had worked, and did nothing.
    Lies,
    /// Nobody knows how it ended; whether it did anything.
    Lost(bool),
    NotStarted,
    /// Takes that many times as long.
    Slow(u64),
}

/// A run as the server remembers it.
#[derive(Clone, Debug)]
pub struct Run {
    pub key: StepKey,
    pub ends_ms: u64,
    pub end: End,
    /// What it sets once it ends.
    sets: Vec<(FactAt, String)>,
    pub output: &'static str,
    pub applied: bool,
    /// What it restarts once it ends.
    restarts: Option<Place>,
}

#[derive(Clone, Debug, Default)]
pub struct World {
    /// Milliseconds since the world began; no restart and no clock sets it back.
    pub now_ms: u64,
    /// By how much the console's clock is wrong.
    pub clock_error_ms: i64,
    pub facts: BTreeMap<FactAt, String>,
    /// Until when a fact is not answered.
    pub silent: BTreeMap<FactAt, u64>,
    pub checks: BTreeMap<(String, Option<ServerName>), Measured>,
    /// By how many milliseconds a server's clock is ahead of the console's; 0 where it is not said.
    pub clocks: BTreeMap<ServerName, i64>,
    /// Bytes free on a server; plenty where it is not said.
    pub free: BTreeMap<ServerName, u64>,
    /// What a file looks like; it is not there where it is not said.
    pub files: BTreeMap<(Place, String), Measured>,
    /// How often a place was restarted.
    pub boots: BTreeMap<Place, u32>,
    /// The services that a server has, by name and display name; one that fits every pattern where it is not said.
    pub services: BTreeMap<ServerName, Vec<(&'static str, &'static str)>>,
    /// Servers whose services do not run.
    pub down: BTreeSet<ServerName>,
    /// What follows by itself in the product whenever time has passed.
    pub reacts: Option<fn(&mut World)>,
    /// By a step's own id.
    pub effects: BTreeMap<&'static str, Effect>,
    /// For the next starts of a step on a server (`None`: anywhere), one each.
    pub faults: BTreeMap<(&'static str, Option<ServerName>), VecDeque<Fault>>,
    pub runs: BTreeMap<String, Run>,
    /// Every run that really began, in order.
    pub began: Vec<(StepKey, Place)>,
}

/// What tells a step's effect: its own id, without the procedures that it is in and without a random profile's
/// numbers behind it (`update.install_p_1` is an `install`).
pub fn kind_of(key: &StepKey) -> &str {
    let own = key.step.as_str().rsplit('.').next().unwrap_or_default();
    own.split('_').next().unwrap_or_default().trim_end_matches(|c: char| c.is_ascii_digit())
}

impl World {
    pub fn set(&mut self, fact: &str, server: Option<&str>, value: &str) {
        self.facts.insert((fact.to_owned(), server.map(ServerName::from)), value.to_owned());
    }

    pub fn silence(&mut self, fact: &str, server: Option<&str>, until_ms: u64) {
        self.silent.insert((fact.to_owned(), server.map(ServerName::from)), until_ms);
    }

    pub fn fault(&mut self, step: &'static str, server: Option<&str>, fault: Fault) {
        self.faults.entry((step, server.map(ServerName::from))).or_default().push_back(fault);
    }

    /// Starts a run, or finds it: the same id never begins twice. When it ends.
    pub fn start(&mut self, run: &str, key: &StepKey, place: &Place, restarts: bool) -> u64 {
        if let Some(known) = self.runs.get(run) {
            return known.ends_ms.max(self.now_ms);
        }
        let effect = self.effects.get(kind_of(key)).cloned().unwrap_or_default();
        let fault = self.next_fault(key);
        let (end, acts, factor) = match fault {
            None => (End::Exit(effect.status), true, 1),
            Some(Fault::Fails(status)) => (End::Exit(status), false, 1),
            Some(Fault::FailsAfterwards(status)) => (End::Exit(status), true, 1),
            Some(Fault::Lies) => (End::Exit(effect.status), false, 1),
            Some(Fault::Lost(acted)) => {
                (End::Lost("the connection broke, and the server forgot it".into()), acted, 1)
            }
            Some(Fault::NotStarted) => (End::NotStarted("connection refused".into()), false, 1),
            Some(Fault::Slow(factor)) => (End::Exit(effect.status), true, factor),
        };
        if !matches!(end, End::NotStarted(_)) {
            self.began.push((key.clone(), place.clone()));
        }
        let ends_ms = self.now_ms + effect.takes_ms * factor;
        let sets = if acts { changes(&effect, key) } else { Vec::new() };
        let restarts = (acts && restarts).then(|| place.clone());
        let output = effect.output;
        let new = Run { key: key.clone(), ends_ms, end, sets, output, applied: false, restarts };
        self.runs.insert(run.to_owned(), new);
        ends_ms
    }

    fn next_fault(&mut self, key: &StepKey) -> Option<Fault> {
        let step = kind_of(key).to_owned();
        let (_, list) = self.faults.iter_mut().find(|((id, server), list)| {
            *id == step && !list.is_empty() && (server.is_none() || *server == key.lane.server)
        })?;
        list.pop_front()
    }

    /// What a person does who does the step by hand.
    pub fn by_hand(&mut self, key: &StepKey) {
        let Some(effect) = self.effects.get(kind_of(key)).cloned() else { return };
        for (fact, value) in changes(&effect, key) {
            self.facts.insert(fact, value);
        }
    }

    /// Time passes: whatever ends until then has done what it does.
    pub fn pass(&mut self, to_ms: u64) {
        self.now_ms = self.now_ms.max(to_ms);
        let mut ended: Vec<&mut Run> =
            self.runs.values_mut().filter(|run| !run.applied && run.ends_ms <= to_ms).collect();
        ended.sort_by_key(|run| run.ends_ms);
        for run in ended {
            run.applied = true;
            self.facts.extend(run.sets.iter().cloned());
            if let Some(place) = &run.restarts {
                *self.boots.entry(place.clone()).or_default() += 1;
            }
        }
        if let Some(reacts) = self.reacts {
            reacts(self);
        }
    }

    /// What a check's question finds where nothing else is said.
    fn measured(&self, ask: Ask) -> Measured {
        let server = |place: &Place| match place {
            Place::Server(server) => server.clone(),
            Place::Console => ServerName::from("console"),
        };
        match ask {
            Ask::Clocks { servers } => {
                let ahead = |server: &ServerName| self.clocks.get(server).copied().unwrap_or(0);
                Measured::Clocks(
                    servers.into_iter().map(|server| (server.clone(), Some(ahead(&server)))).collect(),
                )
            }
            Ask::FreeSpace { place, .. } => {
                Measured::Free(self.free.get(&server(&place)).copied().unwrap_or(1_000_000_000_000))
            }
            Ask::File { place, path, .. } => {
                self.files.get(&(place, path)).cloned().unwrap_or(Measured::File {
                    exists: false,
                    age_s: None,
                    size: None,
                    sha256: None,
                    expected: None,
                })
            }
            Ask::Services { place, services } => {
                let runs = !self.down.contains(&server(&place));
                let named = services.into_iter().filter_map(|service| match service {
                    Service::Named { name, if_present: false } => Some((name, Some(runs))),
                    Service::Named { .. } => None,
                    Service::Matching(_) => Some(("found".to_owned(), Some(runs))),
                });
                Measured::Services(named.collect())
            }
            _ => Measured::Holds(true),
        }
    }

    /// What is found for a step before it is started at `place`.
    pub fn look_up(&self, what: &LookUp, place: &Place) -> Result<Before, String> {
        match what {
            LookUp::Boot => Ok(Before::Boot(format!("boot-{}", self.boots.get(place).unwrap_or(&0)))),
            LookUp::Services(patterns) => {
                let Place::Server(server) = place else { return Err("the console has none".to_owned()) };
                let has = self.services.get(server).cloned().unwrap_or_else(|| vec![("app", "App")]);
                let find = |pattern: &String| {
                    let regex = Regex::new(pattern).expect("the language checked it");
                    let names = has.iter().filter(|(_, title)| regex.is_match(title));
                    let names: Vec<String> = names.map(|(name, _)| (*name).to_owned()).collect();
                    if names.is_empty() { Err(format!("no service fits /{pattern}/")) } else { Ok(names) }
                };
                let found: Result<_, String> =
                    patterns.keys().map(|pattern| Ok((pattern.clone(), find(pattern)?))).collect();
                found.map(Before::Services)
            }
        }
    }

    /// A server that was told to restart did so since it was started as `before`.
    pub fn restarted(&self, place: &Place, before: &str) -> bool {
        format!("boot-{}", self.boots.get(place).unwrap_or(&0)) != before
    }

    /// What comes back for `probe` at this moment.
    pub fn answer(&self, state: &State, probe: &ProbeKey) -> Reading {
        let ask = match state.ask_of(probe) {
            Err(why) => return Reading::unknown(why),
            Ok(None) => return Reading::unknown(""),
            Ok(Some(ask)) => ask,
        };
        match probe {
            ProbeKey::Fact(id, server) => {
                let at = (id.to_string(), server.clone());
                if self.silent.get(&at).is_some_and(|until_ms| self.now_ms < *until_ms) {
                    return Reading::unknown("it did not answer");
                }
                let Some(text) = self.facts.get(&at) else { return Reading::unknown("nobody knows it") };
                let status = i32::from(text == "no");
                let yes_no = state.fact_kind(id) == Some(nofm::profile::FactKind::YesNo);
                let raw = Raw {
                    status: if yes_no { status } else { 0 },
                    output: text.as_bytes().to_vec(),
                    complaint: String::new(),
                    http: false,
                };
                read_fact(&state.setup.profile, id, &raw)
            }
            ProbeKey::Check(id, server) => {
                let at = (id.to_string(), server.clone());
                let seen = self.checks.get(&at).cloned().unwrap_or_else(|| self.measured(ask));
                Reading { known: Known::Seen, seen }
            }
        }
    }
}

/// The facts that an effect changes.
fn changes(effect: &Effect, key: &StepKey) -> Vec<(FactAt, String)> {
    let at = |of: &Of| if *of == Of::Here { key.lane.server.clone() } else { None };
    effect.sets.iter().map(|(fact, of, value)| (((*fact).to_owned(), at(of)), value.clone())).collect()
}
