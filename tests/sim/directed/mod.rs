//! One test for each thing the engine keeps, in worlds made for it.

mod access;
mod bans;
mod crashes;
mod failures;
mod left;
mod order;
mod restarts;
mod room;
mod services;
mod start;
mod steps;
mod viewers;
mod waits;
mod words;

use std::fmt::Write as _;

use nofm::engine::{Close, Event, LanePhase, StepPhase};

use super::generate::{effects, inventory};
use super::session::Session;
use super::world::World;

/// What every profile here begins with: servers with a version, a load and a service, and a database's schema.
const HEAD: &str = r#"
nofm = 1
id = "sim"
product = "Simulated"
[version]
target = "{{ inputs.version }}"
instead = "Set up a new farm of the old version."
[inputs.version]
label = "Version"
kind = "text"
default = "2.0"
[facts.ver]
roles = ["server"]
run = "show version"
kind = "version"
[facts.load]
roles = ["server"]
run = "show load"
kind = "number"
[facts.up]
roles = ["server"]
run = "show up"
kind = "yes_no"
[facts.schema]
at = "local"
run = "show schema"
kind = "number"
"#;

const ROLE: &str = "[roles.server]\nlabel = \"Server\"\ncount = \"1..\"\nos = [\"linux\"]\nversion = \"ver\"\nservices = [\"app\"]\n";

const ANY_FAILURE: &str =
    "[[failures]]\nid = \"any\"\noffer = [\"retry\", \"by_hand\", \"leave_out\", \"hold\", \"abort\"]\n";

/// A check by its expression, about each server.
fn check(id: &str, that: &str, more: &str) -> String {
    format!("[[checks]]\nid = \"{id}\"\ntitle = \"{id}\"\nthat = \"{that}\"\nroles = [\"server\"]\n{more}\n")
}

/// A stage of all servers with these keys and these steps.
fn stage(id: &str, keys: &str, steps: &[&str]) -> String {
    let mut text = format!(
        "[[stages]]\nid = \"{id}\"\ntitle = \"{id}\"\nroles = [\"server\"]\ntally = \"{{{{ n }}}} of {{{{ m }}}}\"\n{keys}\n"
    );
    for step in steps {
        let _ = write!(text, "[[stages.steps]]\n{step}\n");
    }
    text
}

const INSTALL: &str = "id = \"install\"\nrun = \"install {{ target }}\"\ndone = \"here.ver == target\"";

/// As the servers of these worlds are before anything happens; each step takes some seconds.
fn world(servers: usize) -> World {
    let mut world = World::default();
    effects(&mut world, 1_000);
    world.set("schema", None, "1");
    for number in 1..=servers {
        let name = format!("s{number}");
        world.set("ver", Some(&name), "1.0");
        world.set("load", Some(&name), "0");
        world.set("up", Some(&name), "yes");
    }
    world
}

fn session(profile: &str, servers: usize, world: World) -> Session {
    let names: Vec<String> = (1..=servers).map(|number| format!("s{number}")).collect();
    let roles: &[&str] = &["server"];
    let list: Vec<(&str, &[&str])> = names.iter().map(|name| (name.as_str(), roles)).collect();
    Session::new(profile, inventory(&list), world, 7)
}

/// A session of `servers` servers over a profile of these tables and the usual rest.
fn farm(tables: &[&str], servers: usize, world: World) -> Session {
    session(&format!("{HEAD}{ROLE}{}{ANY_FAILURE}", tables.concat()), servers, world)
}

/// The same with its own failure rules.
fn farm_with_rules(tables: &[&str], servers: usize, world: World) -> Session {
    session(&format!("{HEAD}{ROLE}{}", tables.concat()), servers, world)
}

/// Of what a step needs, something was read and something was not.
fn half_measured(session: &Session) -> bool {
    let cleared = session.journal.iter().any(|(_, event)| matches!(event, Event::StepCleared { .. }));
    cleared
        && matches!(session.journal.last(), Some((_, Event::Read { .. })))
        && session.began("install") == 0
}

impl Session {
    /// Begins, and goes on until nothing happens by itself.
    fn started(mut self) -> Self {
        self.begin().unwrap_or_else(|why| panic!("{why}\n{}", self.tail()));
        self.rest();
        self
    }

    /// Begins, and goes on until something is true.
    fn started_until(mut self, stop: impl FnMut(&Self) -> bool) -> Self {
        self.begin().unwrap_or_else(|why| panic!("{why}\n{}", self.tail()));
        self.go(u64::MAX, stop);
        self
    }

    /// How often steps of this kind really began.
    fn began(&self, kind: &str) -> usize {
        self.world.began.iter().filter(|(key, _)| super::world::kind_of(key) == kind).count()
    }

    /// The servers whose steps of this kind began, in order.
    fn began_on(&self, kind: &str) -> Vec<String> {
        let began = self.world.began.iter().filter(|(key, _)| super::world::kind_of(key) == kind);
        began.map(|(key, _)| key.lane.server.as_ref().map_or_else(String::new, ToString::to_string)).collect()
    }

    /// The choices of the only open question that may be made.
    fn offered(&self) -> Vec<&'static str> {
        let options = self.question().options.iter().filter(|option| option.refused.is_none());
        options.map(|option| option.choice.as_str()).collect()
    }

    fn is_done(&self) -> bool {
        self.state.closed == Some(Close::Done)
    }

    /// The phase of a server in the stage in turn.
    fn lane(&self, server: &str) -> (&LanePhase, &StepPhase) {
        let stage = &self.state.stages[self.state.stage];
        let lane = &stage.lanes[stage.by_server[server]];
        (&lane.phase, &lane.step)
    }

    fn count(&self, is: impl Fn(&Event) -> bool) -> usize {
        self.journal.iter().filter(|(_, event)| is(event)).count()
    }
}
