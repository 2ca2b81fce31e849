//! An IGEL farm in memory: its hosts, what they answer, and what the product does by itself.

use std::collections::BTreeMap;

use nofm::engine::{Measured, Place};
use nofm::inventory::{Inventory, Reach, Server};
use nofm::model::{Os, RoleId, ServerName};

use crate::sim::world::{Effect, Of, World, kind_of};

pub const OLD: &str = "12.07.100";
pub const NEW: &str = "12.08.130";
pub const BACKUP: &str = "/backup/rmdb.dump";

pub type Host = (&'static str, &'static str, Os);

/// Every role, both systems; the load balancers have hosts of their own.
pub const WHOLE: &[Host] = &[
    ("ums1", "server", Os::Linux),
    ("ums2", "server", Os::Linux),
    ("ums3", "server", Os::Windows),
    ("ums4", "server", Os::Linux),
    ("lb1", "balancer", Os::Linux),
    ("lb2", "balancer", Os::Windows),
    ("con1", "console", Os::Linux),
    ("pc1", "admin_pc", Os::Windows),
    ("db1", "database", Os::Linux),
];

/// One of each that follows two servers; the database host is out of reach.
pub const SMALL: &[Host] = &[
    ("ums1", "server", Os::Linux),
    ("ums2", "server", Os::Linux),
    ("lb1", "balancer", Os::Linux),
    ("con1", "console", Os::Linux),
    ("pc1", "admin_pc", Os::Windows),
];

pub fn inventory(hosts: &[Host]) -> Inventory {
    let server = |(number, (name, role, os)): (usize, &Host)| Server {
        name: (*name).into(),
        address: format!("10.0.0.{}", number + 1),
        roles: vec![RoleId::from(*role)],
        os: *os,
        reach: if *role == "admin_pc" { Reach::None } else { Reach::Ssh(Box::default()) },
        stand_in: None,
        inputs: BTreeMap::new(),
    };
    Inventory::new("sim", hosts.iter().enumerate().map(server).collect())
}

/// What the status address of a UMS Server answers.
pub fn status_of(version: &str) -> String {
    format!("{{\"rmGuiServerVersion\":\"{version}\"}}")
}

pub fn world(hosts: &[Host]) -> World {
    let mut world = World { reacts: Some(react), ..World::default() };
    for (name, role, os) in hosts {
        match *role {
            "server" => {
                world.set("ums_version", Some(name), &status_of(OLD));
                world.set("mode", Some(name), "normal");
                world.set("productive", Some(name), "yes");
                world.set("has_server", Some(name), "yes");
            }
            "balancer" => {
                world.set("has_balancer", Some(name), "yes");
                world.set("balancer_runs", Some(name), "yes");
            }
            _ => {}
        }
        world.set("component_version", Some(name), OLD);
        world.set("service_status", Some(name), "SERVICE_RUNNING");
        // One Windows host has its firewall on, the other has not.
        world.set("firewall", Some(name), if *os == Os::Windows && *role == "server" { "yes" } else { "no" });
    }
    let names = |wanted: &str| {
        let of_role = hosts.iter().filter(|(_, role, _)| *role == wanted);
        of_role.map(|(name, ..)| *name).collect::<Vec<_>>().join("\n")
    };
    world.set("registered_servers", None, &names("server"));
    world.set("registered_balancers", None, &names("balancer"));
    world.set("pending_jobs", None, "0");
    world.files.insert((Place::Server("db1".into()), BACKUP.into()), backup(3_600));
    effects(&mut world);
    world
}

/// A backup file of that age in seconds.
pub fn backup(age_s: i64) -> Measured {
    Measured::File { exists: true, age_s: Some(age_s), size: Some(5_000_000), sha256: None, expected: None }
}

/// What steps do, by the first word of their own ids. Facts with names of their own are marks that `react` reads.
fn effects(world: &mut World) {
    let mut add = |step, takes_ms, sets: &[(&'static str, &str)]| {
        let sets = sets.iter().map(|(fact, value)| (*fact, Of::Here, (*value).to_owned())).collect();
        world.effects.insert(step, Effect { takes_ms, sets, ..Effect::default() });
    };
    add("copy", 60_000, &[]);
    add("install", 300_000, &[("installed", "now")]);
    add("stop", 10_000, &[("stopped", "now")]);
    add("set", 2_000, &[("clock", "now")]);
    add("dump", 100_000, &[("dumped", "now")]);
    add("watchdog", 2_000, &[("watchdog", "stopped")]);
    add("kill", 1_000, &[("killed", "now")]);
}

/// What the product does by itself whenever time has passed.
fn react(world: &mut World) {
    for server in marked(world, "installed") {
        installed(world, &server);
    }
    for server in marked(world, "stopped") {
        if !is_set(world, "stays_online", &server) {
            world.set("service_status", Some(server.as_str()), "SERVICE_STOPPED");
            world.down.insert(server);
        }
    }
    for server in marked(world, "clock") {
        world.clocks.remove(&server);
    }
    for server in marked(world, "dumped") {
        world.files.insert((Place::Server(server), BACKUP.into()), backup(1));
    }
    for server in marked(world, "killed") {
        // As long as the watchdog runs, it starts the load balancer again.
        if is_set(world, "watchdog", &server) {
            world.set("balancer_runs", Some(server.as_str()), "no");
        }
    }
    let deleted: Vec<String> = world
        .runs
        .values()
        .filter(|run| run.applied && kind_of(&run.key) == "by")
        .filter_map(|run| run.key.lane.item.clone())
        .collect();
    for entry in deleted {
        delete_entry(world, &entry);
    }
    reconnect(world);
}

/// Servers with a mark, which is taken away.
fn marked(world: &mut World, mark: &str) -> Vec<ServerName> {
    let found: Vec<_> = world.facts.keys().filter(|(fact, _)| fact == mark).cloned().collect();
    for at in &found {
        world.facts.remove(at);
    }
    found.into_iter().filter_map(|(_, server)| server).collect()
}

fn is_set(world: &World, mark: &str, server: &ServerName) -> bool {
    world.facts.contains_key(&(mark.to_owned(), Some(server.clone())))
}

fn fact<'a>(world: &'a World, name: &str, server: &ServerName) -> Option<&'a str> {
    world.facts.get(&(name.to_owned(), Some(server.clone()))).map(String::as_str)
}

fn ums_servers(world: &World) -> Vec<ServerName> {
    world.facts.keys().filter(|(fact, _)| fact == "mode").filter_map(|(_, server)| server.clone()).collect()
}

/// The installer brings the new version and starts the services.
fn installed(world: &mut World, server: &ServerName) {
    let name = Some(server.as_str());
    world.set("component_version", name, NEW);
    world.set("service_status", name, "SERVICE_RUNNING");
    world.set("balancer_runs", name, "yes");
    world.facts.remove(&("watchdog".to_owned(), Some(server.clone())));
    if !is_set(world, "services_stay_down", server) {
        world.down.remove(server);
    }
    let servers = ums_servers(world);
    if !servers.contains(server) {
        return;
    }
    world.set("ums_version", name, &status_of(NEW));
    if let Some(mode) = fact(world, "stays_in", server).map(str::to_owned) {
        world.set("mode", name, &mode);
        return;
    }
    let renewed = world.facts.contains_key(&("schema".to_owned(), None));
    let alone = servers.iter().all(|other| other == server || world.down.contains(other));
    let last = servers.iter().all(|other| fact(world, "ums_version", other) == Some(&status_of(NEW)));
    if renewed || alone || last {
        connect(world, server);
        if !renewed {
            world.set("schema", None, "new");
            let back_ms = world.now_ms + 90_000;
            for other in servers
                .iter()
                .filter(|other| fact(world, "mode", other) == Some("update"))
                .cloned()
                .collect::<Vec<_>>()
            {
                world.set("told_at", Some(other.as_str()), &back_ms.to_string());
            }
        }
    } else {
        world.set("mode", name, "update");
        world.set("productive", name, "no");
    }
}

pub fn connect(world: &mut World, server: &ServerName) {
    world.set("mode", Some(server.as_str()), "normal");
    world.set("productive", Some(server.as_str()), "yes");
}

/// The servers that were told restart: first they are in normal mode, a little later connected.
fn reconnect(world: &mut World) {
    let told: Vec<(ServerName, u64)> = world
        .facts
        .iter()
        .filter(|((fact, _), _)| fact == "told_at")
        .filter_map(|((_, server), at)| Some((server.clone()?, at.parse().ok()?)))
        .collect();
    for (server, at_ms) in told {
        if is_set(world, "does_not_return", &server) {
            continue;
        }
        if world.now_ms >= at_ms {
            world.set("mode", Some(server.as_str()), "normal");
        }
        if world.now_ms >= at_ms + 60_000 {
            connect(world, &server);
            world.facts.remove(&("told_at".to_owned(), Some(server.clone())));
        }
    }
}

/// An entry is deleted from the lists of what is registered.
pub fn delete_entry(world: &mut World, entry: &str) {
    for list in ["registered_servers", "registered_balancers"] {
        if let Some(text) = world.facts.get_mut(&(list.to_owned(), None)) {
            *text = text.lines().filter(|line| *line != entry).collect::<Vec<_>>().join("\n");
        }
    }
}
