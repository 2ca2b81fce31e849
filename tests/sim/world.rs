//! The servers: what they answer, what steps do to them, and what goes wrong.
//!
//! The world is not part of the program: it goes on while the runner is dead, and it remembers every run by its
//! id, as a server does.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use nofm::engine::{
    Ask, Before, End, Job, LookUp, Measured, Place, ProbeKey, Raw, Reading, State, StepKey, read_fact,
};
use nofm::model::{Known, ServerName};
use nofm::profile::{Service, ServiceAct};
use regex::Regex;

use super::story::{Address, Change, Changes, Story, Turn};

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
    pub output: Cow<'static, str>,
}

impl Default for Effect {
    fn default() -> Self {
        Self { takes_ms: 1_000, sets: Vec::new(), status: 0, output: Cow::Borrowed("") }
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
    place: Place,
    pub ends_ms: u64,
    pub end: End,
    /// What becomes different once it ends.
    then: Vec<Change>,
    pub output: Cow<'static, str>,
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
    /// Until when nothing is heard of a server, and nothing reaches it.
    pub away: BTreeMap<ServerName, u64>,
    /// Servers without power.
    pub off: BTreeSet<ServerName>,
    /// What a fact says wrongly, from when until when.
    pub lies: BTreeMap<FactAt, (String, u64, u64)>,
    /// How often each kind of fault came about.
    pub injected: BTreeMap<&'static str, u64>,
    /// What follows by itself in the product whenever time has passed.
    pub reacts: Option<fn(&mut World)>,
    /// What the product does, where that is data; then `effects`, `faults` and `reacts` have no part in it.
    pub story: Option<Arc<Story>>,
    /// The next faults of a story's steps.
    pub ordered: Vec<(Address, Fault)>,
    /// What the operator says of a fact or a check, at a host or anywhere.
    pub told: BTreeMap<String, String>,
    /// Services that do not run, where it is not all of a server.
    pub stopped: BTreeSet<(ServerName, String)>,
    /// Bytes free on a server below a path.
    pub free_below: BTreeMap<(ServerName, String), u64>,
    /// Reactions of the story that hold, and what is still to come of them.
    pub holding: BTreeSet<(usize, Option<ServerName>)>,
    pub coming: Vec<(u64, Vec<Change>)>,
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
    pub fn start(&mut self, run: &str, key: &StepKey, place: &Place, job: &Job) -> u64 {
        if let Some(known) = self.runs.get(run) {
            return known.ends_ms.max(self.now_ms);
        }
        let effect = self.effect(key, place);
        let fault = self.next_fault(key, place);
        if fault.is_some() {
            self.inject("a step that goes wrong");
        }
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
        let then = if acts { self.follows(key, place, Some(job)) } else { Vec::new() };
        let restarts = (acts && matches!(job, Job::Reboot { .. })).then(|| place.clone());
        let output = effect.output;
        let new = Run {
            key: key.clone(),
            place: place.clone(),
            ends_ms,
            end,
            then,
            output,
            applied: false,
            restarts,
        };
        self.runs.insert(run.to_owned(), new);
        ends_ms
    }

    pub fn inject(&mut self, fault: &'static str) {
        *self.injected.entry(fault).or_default() += 1;
    }

    /// Until when nothing is heard of a place, where that is so now.
    pub fn away_until(&self, place: &Place) -> Option<u64> {
        let Place::Server(server) = place else { return None };
        self.away.get(server).copied().filter(|until_ms| *until_ms > self.now_ms)
    }

    /// A server loses its power: whatever ran there is gone, and did nothing.
    pub fn cut_power(&mut self, server: &ServerName, until_ms: u64) {
        let here = Place::Server(server.clone());
        for run in self.runs.values_mut().filter(|run| run.place == here && !run.applied) {
            run.applied = true;
            // What was to restart it is not asked how that came about.
            run.end = if run.restarts.is_some() { End::Exit(0) } else { End::Lost("reboot".into()) };
        }
        *self.boots.entry(here).or_default() += 1;
        self.away.insert(server.clone(), until_ms);
        self.off.insert(server.clone());
        self.down.insert(server.clone());
    }

    pub fn power_on(&mut self, server: &ServerName) {
        if self.off.remove(server) {
            self.down.remove(server);
        }
    }

    /// Nothing goes wrong any more.
    pub fn heal(&mut self) {
        for server in std::mem::take(&mut self.off) {
            self.down.remove(&server);
        }
        self.away.clear();
        self.lies.clear();
        self.silent.clear();
        self.faults.clear();
        self.ordered.clear();
        self.clocks.clear();
        self.clock_error_ms = 0;
    }

    fn effect(&self, key: &StepKey, place: &Place) -> Effect {
        match &self.story {
            Some(story) => story.effect(key, place).map(super::story::StepEffect::effect),
            None => self.effects.get(kind_of(key)).cloned(),
        }
        .unwrap_or_default()
    }

    /// What a step changes where it goes well.
    fn follows(&self, key: &StepKey, place: &Place, job: Option<&Job>) -> Vec<Change> {
        let Some(story) = &self.story else { return changes(&self.effect(key, place), key) };
        let mut then = match (job, place) {
            (Some(Job::Services { act, services, .. }), Place::Server(server)) => {
                let runs = *act != ServiceAct::Stop;
                let name = |service: &Service| match service {
                    Service::Named { name, .. } => name.clone(),
                    Service::Matching(regex) => regex.clone(),
                };
                let change =
                    |service| Change::Service { server: server.clone(), name: Some(name(service)), runs };
                services.iter().map(change).collect()
            }
            _ => Vec::new(),
        };
        if let Some(effect) = story.effect(key, place) {
            then.extend(effect.changes.of(story, &Turn::of(key, Some(place))));
        }
        then
    }

    /// A world as `changes` describe it, in which `story` goes on from here.
    pub fn told_by<'a>(story: Arc<Story>, changes: impl IntoIterator<Item = &'a Changes>) -> Self {
        let mut world = Self::default();
        for changes in changes {
            world.apply(changes.of(&story, &Turn::default()));
        }
        let holding = story.holding(&world);
        world.holding = holding.into_iter().map(|(number, turn)| (number, turn.here)).collect();
        world.story = Some(story);
        world
    }

    /// What the operator says of a fact or a check.
    pub fn word(&self, id: &str, server: Option<&ServerName>) -> Option<String> {
        let here = server.and_then(|server| self.told.get(&format!("{id}@{server}")));
        here.or_else(|| self.told.get(id)).cloned()
    }

    /// Changes that nobody's step makes.
    pub fn change(&mut self, changes: &Changes) {
        if let Some(story) = self.story.clone() {
            self.apply(changes.of(&story, &Turn::default()));
        }
    }

    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Fact(at, Some(value)) => {
                    self.facts.insert(at, value);
                }
                Change::Fact(at, None) => {
                    self.facts.remove(&at);
                }
                Change::Line { at, line, comes } => {
                    let text = self.facts.entry(at).or_default();
                    let mut lines: Vec<&str> = text.lines().filter(|known| *known != line).collect();
                    lines.extend(comes.then_some(line.as_str()));
                    *text = lines.join("\n");
                }
                Change::Told(about, word) => {
                    self.told.insert(about, word);
                }
                Change::File(at, Some(seen)) => {
                    self.files.insert(at, seen);
                }
                Change::File(at, None) => {
                    self.files.remove(&at);
                }
                Change::Free(server, path, bytes) => {
                    self.free_below.insert((server, path), bytes);
                }
                Change::Clock(server, ms) => {
                    self.clocks.insert(server, ms);
                }
                Change::Service { server, name: None, runs } => {
                    self.stopped.retain(|(host, _)| *host != server);
                    if runs {
                        self.down.remove(&server)
                    } else {
                        self.down.insert(server)
                    };
                }
                Change::Service { server, name: Some(name), runs: false } => {
                    self.stopped.insert((server, name));
                }
                Change::Service { server, name: Some(name), runs: true } => {
                    self.down.remove(&server);
                    self.stopped.remove(&(server, name));
                }
                Change::Holds(at, holds) => {
                    self.checks.insert(at, Measured::Holds(holds));
                }
            }
        }
        self.react();
    }

    /// Notices what the story says that follows.
    fn react(&mut self) {
        let Some(story) = self.story.clone() else { return };
        // What follows at once may have something follow in its turn.
        for _ in 0..20 {
            let holding = story.holding(self);
            let keys = holding.iter().map(|(number, turn)| (*number, turn.here.clone())).collect();
            let before = std::mem::replace(&mut self.holding, keys);
            let mut changed = false;
            for (number, turn) in holding {
                if before.contains(&(number, turn.here.clone())) {
                    continue;
                }
                let reaction = &story.reactions[number];
                let then = reaction.changes.of(&story, &turn);
                if reaction.after_ms > 0 {
                    self.coming.push((self.now_ms + reaction.after_ms, then));
                } else {
                    self.apply_quietly(then);
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
        panic!("the reactions never come to rest");
    }

    fn apply_quietly(&mut self, changes: Vec<Change>) {
        let story = self.story.take();
        self.apply(changes);
        self.story = story;
    }

    fn next_fault(&mut self, key: &StepKey, place: &Place) -> Option<Fault> {
        if let Some(index) = self.ordered.iter().position(|(address, _)| address.fits_at(key, place)) {
            return Some(self.ordered.remove(index).1);
        }
        let step = kind_of(key).to_owned();
        let (_, list) = self.faults.iter_mut().find(|((id, server), list)| {
            *id == step && !list.is_empty() && (server.is_none() || *server == key.lane.server)
        })?;
        list.pop_front()
    }

    /// What a person does who does the step by hand.
    pub fn by_hand(&mut self, key: &StepKey, place: &Place, job: Option<&Job>) {
        self.apply(self.follows(key, place, job));
    }

    /// Time passes: whatever ends until then has done what it does.
    pub fn pass(&mut self, to_ms: u64) {
        loop {
            let ended =
                self.runs.iter().filter(|(_, run)| !run.applied).map(|(id, run)| (run.ends_ms, Some(id)));
            let coming = self.coming.iter().map(|(at_ms, _)| (*at_ms, None));
            let next =
                ended.chain(coming).filter(|(at_ms, _)| *at_ms <= to_ms).min_by_key(|(at_ms, _)| *at_ms);
            let Some((at_ms, run)) = next.map(|(at_ms, run)| (at_ms, run.cloned())) else { break };
            self.now_ms = self.now_ms.max(at_ms);
            let then = if let Some(run) = run.and_then(|id| self.runs.get_mut(&id)) {
                run.applied = true;
                if let Some(place) = &run.restarts {
                    *self.boots.entry(place.clone()).or_default() += 1;
                }
                run.then.clone()
            } else {
                let next = (0..self.coming.len()).min_by_key(|index| self.coming[*index].0);
                next.map(|index| self.coming.remove(index).1).unwrap_or_default()
            };
            self.apply(then);
        }
        self.now_ms = self.now_ms.max(to_ms);
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
            Ask::FreeSpace { place, path } => {
                let server = server(&place);
                let below = self
                    .free_below
                    .iter()
                    .filter(|((host, below), _)| *host == server && path.starts_with(below.as_str()));
                let free = below.max_by_key(|((_, below), _)| below.len()).map(|(_, free)| *free);
                let free = free.or_else(|| self.free.get(&server).copied());
                Measured::Free(free.unwrap_or(1_000_000_000_000))
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
                let server = server(&place);
                let runs = |name: String| {
                    let at = (server.clone(), name);
                    let runs = !self.down.contains(&server) && !self.stopped.contains(&at);
                    Some((at.1, Some(runs)))
                };
                let named = services.into_iter().filter_map(|service| match service {
                    Service::Named { name, if_present: false } => runs(name),
                    Service::Named { .. } => None,
                    Service::Matching(regex) if self.story.is_some() => runs(regex.clone()),
                    Service::Matching(_) => Some(("found".to_owned(), runs("found".to_owned())?.1)),
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
                    if self.story.is_some() {
                        return Ok(vec![pattern.clone()]);
                    }
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
    pub fn answer(&mut self, state: &State, probe: &ProbeKey) -> Reading {
        let (ProbeKey::Fact(_, asked) | ProbeKey::Check(_, asked)) = probe;
        if asked.as_ref().is_some_and(|server| self.away_until(&Place::Server(server.clone())).is_some()) {
            return Reading::unknown("no route to it");
        }
        let ask = match state.ask_of(probe) {
            Err(why) => return Reading::unknown(why),
            Ok(None) => return Reading::unknown(""),
            Ok(Some(ask)) => ask,
        };
        match probe {
            ProbeKey::Fact(id, server) => {
                let at = (id.to_string(), server.clone());
                if self.silent.get(&at).is_some_and(|until_ms| self.now_ms < *until_ms) {
                    self.inject("no answer");
                    return Reading::unknown("it did not answer");
                }
                let lie = self.lies.get(&at).filter(|(_, from, to)| (*from..*to).contains(&self.now_ms));
                let lie = lie.map(|(lie, ..)| lie.clone());
                if lie.is_some() {
                    self.inject("a fact that is not so");
                }
                let Some(text) = lie.as_ref().or(self.facts.get(&at)) else {
                    return Reading::unknown("nobody knows it");
                };
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
fn changes(effect: &Effect, key: &StepKey) -> Vec<Change> {
    let at = |of: &Of| if *of == Of::Here { key.lane.server.clone() } else { None };
    let change = |(fact, of, value): &(&'static str, Of, String)| {
        Change::Fact(((*fact).to_owned(), at(of)), Some(value.clone()))
    };
    effect.sets.iter().map(change).collect()
}
