//! Rehearsals in memory that are data: a farm, what its product does, and what must come of it.

pub mod before;
mod expect;
pub mod format;
mod names;
pub mod play;
mod timeline;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nofm::inventory::{Inventory, Reach, Server};
use nofm::model::{Os, RoleId};
use nofm::profile::Profile;

use self::format::{File, Scene};
use self::play::Play;
use crate::sim::session::Crashes;
use crate::sim::story::{Address, Reaction, StepEffect, Story, fault};
use crate::sim::world::World;

/// Where profiles, scenes and rehearsals are read from.
pub fn tree() -> PathBuf {
    std::env::var_os("NOFM_TREE").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn profile_name(id: &str) -> String {
    format!("{}.toml", id.replace('_', "-"))
}

pub fn profile_text(id: &str) -> String {
    read(&tree().join("profiles").join(profile_name(id)))
}

/// The profile with that id.
pub fn profile(id: &str) -> Profile {
    nofm::profile::parse(&profile_name(id), &profile_text(id)).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn path(id: &str) -> PathBuf {
    tree().join("tests/rows").join(format!("{id}.toml"))
}

pub fn exists(id: &str) -> bool {
    path(id).exists()
}

/// The scenes of a product, and what they name that is not there.
pub fn scenes(id: &str, profile: &Profile) -> (File, Vec<String>) {
    let path = path(id);
    let file: File =
        toml::from_str(&read(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let wrong = names::wrong(&file, profile);
    (file, wrong)
}

/// Whether a scene comes out as it says, with this profile.
///
/// # Errors
/// Everything that does not.
pub fn play(file: &File, scene: &Scene, profile: &Profile) -> Result<(), String> {
    let inventory = inventory(file, scene);
    let world = world(file, scene, profile, &inventory)?;
    let mut play = Play::open(file, scene, profile, inventory, world, Crashes::Never)?;
    play.finish();
    play.outcome()
}

pub fn os(text: &str) -> Option<Os> {
    [Os::Linux, Os::Unix, Os::Windows].into_iter().find(|os| os.as_str() == text)
}

/// The farm of a scene.
pub fn inventory(file: &File, scene: &Scene) -> Inventory {
    let takes_part = |name: &String| scene.hosts.as_ref().is_none_or(|hosts| hosts.contains(name));
    let hosts = file.hosts.iter().filter(|host| takes_part(&host.name));
    let server = |(number, host): (usize, &format::Host)| Server {
        name: host.name.as_str().into(),
        address: format!("10.0.0.{}", number + 1),
        roles: host.roles.iter().map(|role| RoleId::from(role.as_str())).collect(),
        os: host.os.as_deref().and_then(os).unwrap_or(Os::Linux),
        reach: if host.access.as_deref() == Some("none") { Reach::None } else { Reach::Ssh(Box::default()) },
        stand_in: None,
        inputs: host
            .inputs
            .iter()
            .filter_map(|(id, value)| Some((id.as_str().into(), format::answer(value).ok()?)))
            .collect(),
    };
    Inventory::new("sim", hosts.enumerate().map(server).collect())
}

/// The world of a scene before anything happens.
pub fn world(file: &File, scene: &Scene, profile: &Profile, inventory: &Inventory) -> Result<World, String> {
    let facts = profile.facts.iter().map(|fact| {
        let servers = inventory.servers.iter();
        let of_roles = servers.filter(|server| server.roles.iter().any(|role| fact.roles.contains(role)));
        let hosts = (!fact.roles.is_empty()).then(|| of_roles.map(|server| server.name.clone()).collect());
        (fact.id.to_string(), hosts)
    });
    let effects = [(false, &file.effects), (true, &scene.effects)].into_iter().flat_map(|(own, effects)| {
        effects.iter().map(move |(at, effect)| {
            let format::Effect { takes_ms, status, output, changes } = effect.clone();
            (own, Address::parse(at), StepEffect { takes_ms, status, output, changes })
        })
    });
    let reactions = file.reactions.iter().chain(&scene.reactions).cloned().map(|reaction| {
        let format::Reaction { when, unless, after_ms, changes } = reaction;
        Reaction { when, unless, after_ms, changes }
    });
    let story = Story {
        hosts: inventory.servers.iter().map(|server| server.name.clone()).collect(),
        facts: facts.collect(),
        effects: effects.collect(),
        reactions: reactions.collect(),
    };
    let mut world = World::told_by(Arc::new(story), [&file.world.0, &scene.world.0]);
    for text in &scene.faults {
        world.ordered.push(fault(text)?);
    }
    Ok(world)
}
