//! What a product and its servers do, as data: effects of steps, faults of single starts, and what follows by itself.

use std::collections::BTreeMap;

use nofm::engine::{Measured, Place, ScriptRef, StepKey};
use nofm::model::ServerName;

use super::world::{Effect, FactAt, Fault, World};

/// Which steps are meant: `STAGE/STEP@HOST>PLACE`, of which all but `STEP` may be absent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    /// A stage, or `fix`, `recovery`, `collect`.
    pub script: Option<String>,
    pub step: String,
    /// The server in turn, or `farm`.
    pub host: Option<String>,
    pub place: Option<String>,
}

impl Address {
    pub fn parse(text: &str) -> Self {
        let (rest, place) = split(text, '>');
        let (rest, host) = split(rest, '@');
        let (script, step) = rest.split_once('/').map_or((None, rest), |(script, step)| (Some(script), step));
        Self { script: script.map(str::to_owned), step: step.to_owned(), host, place }
    }

    pub fn fits(&self, key: &StepKey) -> bool {
        let path = key.step.as_str();
        let step =
            path.strip_suffix(&self.step).is_some_and(|before| before.is_empty() || before.ends_with('.'));
        step && self.host.as_ref().is_none_or(|host| *host == host_of(key))
            && self.script.as_ref().is_none_or(|script| script == script_of(key))
    }

    pub fn fits_at(&self, key: &StepKey, place: &Place) -> bool {
        self.fits(key) && self.place.as_ref().is_none_or(|wanted| *wanted == place.to_string())
    }

    /// Of two that fit, the greater one is meant.
    fn weight(&self) -> (bool, bool, bool, usize) {
        (self.host.is_some(), self.place.is_some(), self.script.is_some(), self.step.len())
    }
}

/// What stands before and after the last `sign`.
pub fn split(text: &str, sign: char) -> (&str, Option<String>) {
    text.rsplit_once(sign).map_or((text, None), |(before, after)| (before, Some(after.to_owned())))
}

pub fn host_of(key: &StepKey) -> String {
    key.lane.server.as_ref().map_or_else(|| "farm".to_owned(), ToString::to_string)
}

pub fn script_of(key: &StepKey) -> &str {
    match &key.lane.script {
        ScriptRef::Stage(id) => id.as_str(),
        ScriptRef::Recovery(_) => "recovery",
        ScriptRef::Fix(_) => "fix",
        ScriptRef::Collect => "collect",
    }
}

/// One thing that becomes different.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// `None`: nobody can tell it.
    Fact(FactAt, Option<String>),
    /// A line of a fact's output comes, or goes.
    Line { at: FactAt, line: String, comes: bool },
    /// What the operator says of a fact or a check, at a host or anywhere.
    Told(String, String),
    /// `None`: it is gone.
    File((Place, String), Option<Measured>),
    /// Bytes free on a server, below a path where one is named.
    Free(ServerName, String, u64),
    /// By how many milliseconds a clock is ahead.
    Clock(ServerName, i64),
    /// A service, or all of a server, runs or does not.
    Service { server: ServerName, name: Option<String>, runs: bool },
    /// What a check's question finds.
    Holds((String, Option<ServerName>), bool),
}

/// From where things are looked at: the server in turn, the place where a step runs, the entry it is about.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    pub here: Option<ServerName>,
    pub there: Option<ServerName>,
    pub item: Option<String>,
}

impl Turn {
    pub fn of(key: &StepKey, place: Option<&Place>) -> Self {
        let there = match place {
            Some(Place::Server(server)) => Some(server.clone()),
            Some(Place::Console) => None,
            None => key.lane.server.clone(),
        };
        Self { here: key.lane.server.clone(), there, item: key.lane.item.clone() }
    }
}

/// Where a fact is set, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot<'a> {
    Own,
    All,
    Others,
    There,
    Farm,
    Host(&'a str),
}

/// `FACT@SPOT`.
pub fn spot(text: &str) -> (&str, Spot<'_>) {
    match text.rsplit_once('@') {
        None => (text, Spot::Own),
        Some((name, "all")) => (name, Spot::All),
        Some((name, "others")) => (name, Spot::Others),
        Some((name, "there")) => (name, Spot::There),
        Some((name, "farm")) => (name, Spot::Farm),
        Some((name, host)) => (name, Spot::Host(host)),
    }
}

/// What happens to the world, as it is written: names and values may hold `{here}`, `{there}`, `{item}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    pub facts: Vec<(String, String)>,
    pub adds: Vec<(String, String)>,
    pub removes: Vec<(String, String)>,
    pub told: Vec<(String, String)>,
    /// With the file's host before its path.
    pub files: Vec<(String, Option<Measured>)>,
    pub free: Vec<(String, u64)>,
    pub clocks: Vec<(String, i64)>,
    pub services: Vec<(String, bool)>,
    pub holds: Vec<(String, bool)>,
}

impl Changes {
    /// What becomes different, seen from `turn`.
    pub fn of(&self, story: &Story, turn: &Turn) -> Vec<Change> {
        let fill = |text: &str| fill(text, turn);
        let mut changes = Vec::new();
        for (at, value) in &self.facts {
            let value = fill(value);
            let value = (value != "?").then_some(value);
            let places = story.places(&fill(at), turn);
            changes.extend(places.into_iter().map(|at| Change::Fact(at, value.clone())));
        }
        for (list, comes) in [(&self.adds, true), (&self.removes, false)] {
            for (at, line) in list {
                let places = story.places(&fill(at), turn);
                changes.extend(places.into_iter().map(|at| Change::Line { at, line: fill(line), comes }));
            }
        }
        changes.extend(self.told.iter().map(|(about, word)| Change::Told(fill(about), fill(word))));
        for (file, seen) in &self.files {
            let file = fill(file);
            let (host, path) = file.split_once(':').unwrap_or(("console", &file));
            let place = if host == "console" { Place::Console } else { Place::Server(host.into()) };
            changes.push(Change::File((place, path.to_owned()), seen.clone()));
        }
        for (at, bytes) in &self.free {
            let at = fill(at);
            let (host, path) = at.split_once(':').unwrap_or((&at, ""));
            changes.push(Change::Free(host.into(), path.to_owned(), *bytes));
        }
        changes.extend(self.clocks.iter().map(|(host, ms)| Change::Clock(fill(host).as_str().into(), *ms)));
        for (at, runs) in &self.services {
            let at = fill(at);
            let (host, name) =
                at.split_once(':').map_or((at.as_str(), None), |(host, name)| (host, Some(name)));
            let hosts: Vec<ServerName> = match host {
                "{others}" => {
                    story.hosts.iter().filter(|host| Some(*host) != turn.here.as_ref()).cloned().collect()
                }
                host => vec![host.into()],
            };
            changes.extend(hosts.into_iter().map(|server| Change::Service {
                server,
                name: name.map(str::to_owned),
                runs: *runs,
            }));
        }
        for (check, holds) in &self.holds {
            let check = fill(check);
            let (check, host) = split(&check, '@');
            changes.push(Change::Holds((check.to_owned(), host.map(|host| host.as_str().into())), *holds));
        }
        changes
    }
}

fn fill(text: &str, turn: &Turn) -> String {
    let name =
        |server: &Option<ServerName>| server.as_ref().map_or_else(|| "farm".to_owned(), ToString::to_string);
    text.replace("{here}", &name(&turn.here))
        .replace("{there}", &name(&turn.there))
        .replace("{item}", turn.item.as_deref().unwrap_or_default())
}

/// What a step does where it goes well.
#[derive(Clone, Debug, Default)]
pub struct StepEffect {
    pub takes_ms: u64,
    pub status: i32,
    pub output: String,
    pub changes: Changes,
}

/// What follows by itself once something is so.
#[derive(Clone, Debug)]
pub struct Reaction {
    pub when: Vec<(String, String)>,
    pub unless: Vec<(String, String)>,
    pub after_ms: u64,
    pub changes: Changes,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Story {
    pub hosts: Vec<ServerName>,
    /// The hosts of each fact; `None`: it is the farm's.
    pub facts: BTreeMap<String, Option<Vec<ServerName>>>,
    /// Whether it is a scene's own, which comes before the farm's.
    pub effects: Vec<(bool, Address, StepEffect)>,
    pub reactions: Vec<Reaction>,
}

impl Story {
    /// Where a fact stands, as it is written: of the server in turn where nothing else is said.
    pub fn places(&self, text: &str, turn: &Turn) -> Vec<FactAt> {
        let (name, spot) = spot(text);
        let hosts = match self.facts.get(name) {
            None => self.hosts.clone(),
            Some(None) => return vec![(name.to_owned(), None)],
            Some(Some(hosts)) => hosts.clone(),
        };
        let at = |server: ServerName| (name.to_owned(), Some(server));
        match spot {
            Spot::Farm => vec![(name.to_owned(), None)],
            Spot::Host(host) => vec![at(host.into())],
            Spot::There => turn.there.iter().cloned().map(at).collect(),
            Spot::All => hosts.into_iter().map(at).collect(),
            Spot::Others => {
                hosts.into_iter().filter(|host| Some(host) != turn.here.as_ref()).map(at).collect()
            }
            Spot::Own => match &turn.here {
                Some(here) => vec![at(here.clone())],
                None => hosts.into_iter().map(at).collect(),
            },
        }
    }

    /// What a step does at a place; the same for all of them where nothing is said of it.
    pub fn effect(&self, key: &StepKey, place: &Place) -> Option<&StepEffect> {
        let fitting = self.effects.iter().filter(|(_, address, _)| address.fits_at(key, place));
        fitting.max_by_key(|(own, address, _)| (*own, address.weight())).map(|(_, _, effect)| effect)
    }

    /// The turns of a reaction: every host where something of it is a host's own, else one for the farm.
    fn turns(&self, reaction: &Reaction) -> Vec<Turn> {
        let own = |text: &str| spot(text).1 == Spot::Own && self.facts.get(spot(text).0) != Some(&None);
        if reaction.when.iter().any(|(text, _)| own(text)) {
            let turn =
                |host: &ServerName| Turn { here: Some(host.clone()), there: Some(host.clone()), item: None };
            self.hosts.iter().map(turn).collect()
        } else {
            vec![Turn::default()]
        }
    }

    /// The reactions that hold now, by number and turn.
    pub fn holding(&self, world: &World) -> Vec<(usize, Turn)> {
        let is = |turn: &Turn, (text, value): &(String, String)| {
            let places = self.places(&fill(text, turn), turn);
            let value = fill(value, turn);
            !places.is_empty()
                && places
                    .iter()
                    .all(|at| world.facts.get(at).map_or("?", |seen| seen.trim()) == value.as_str())
        };
        let mut holding = Vec::new();
        for (number, reaction) in self.reactions.iter().enumerate() {
            for turn in self.turns(reaction) {
                if reaction.when.iter().all(|part| is(&turn, part))
                    && !reaction.unless.iter().any(|part| is(&turn, part))
                {
                    holding.push((number, turn));
                }
            }
        }
        holding
    }
}

impl StepEffect {
    /// As the world's own.
    pub fn effect(&self) -> Effect {
        Effect {
            takes_ms: self.takes_ms,
            sets: Vec::new(),
            status: self.status,
            output: self.output.clone().into(),
        }
    }
}

/// A fault by the word for it: `fails 3 STEP@HOST`.
pub fn fault(text: &str) -> Result<(Address, Fault), String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (word, status, address) = match words[..] {
        [word, address] => (word, 1, address),
        [word, status, address] => {
            (word, status.parse().map_err(|_| format!("`{text}`: `{status}` is no exit status"))?, address)
        }
        _ => return Err(format!("`{text}` is no fault: it is `fails install@pvs1`")),
    };
    let fault = match word {
        "fails" => Fault::Fails(status),
        "fails-after" => Fault::FailsAfterwards(status),
        "lies" => Fault::Lies,
        "lost" => Fault::Lost(true),
        "lost-before" => Fault::Lost(false),
        "not-started" => Fault::NotStarted,
        "slow" => Fault::Slow(100),
        _ => return Err(format!("`{word}` is no fault")),
    };
    Ok((Address::parse(address), fault))
}
