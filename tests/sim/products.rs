//! The products' own profiles in the worlds of their scenes, with faults, crashes and operators drawn from a seed: every
//! law holds for them, too.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nofm::engine::Intent;
use nofm::profile::Profile;

use super::operator::{Ended, operate};
use super::rng::Rng;
use super::session::Session;
use super::story::Address;
use super::world::World;
use super::{from_env, generate};
use crate::rows::scenes::{self, before::answers, format::File};

/// How many worlds of each product the suite tries.
const SEEDS: u64 = 50;

/// What goes wrong in a world besides what its scene says.
fn disturb(rng: &mut Rng, world: &mut World, profile: &Profile) {
    let scripts = nofm::plan::Scripts::of(profile);
    let scripts = scripts.stages.iter().chain(scripts.recoveries.values()).chain(scripts.fixes.values());
    let steps: Vec<String> =
        scripts.flat_map(|script| &script.steps).map(|step| step.id.to_string()).collect();
    let hosts = world.story.as_ref().map(|story| story.hosts.clone()).unwrap_or_default();
    for _ in 0..rng.within(0, 4) {
        let host = rng.chance(50).then(|| rng.pick(&hosts).to_string());
        let step = rng.pick(&steps).clone();
        let fault = *rng.pick(&generate::FAULTS);
        world.ordered.push((Address { script: None, step, host, place: None }, fault));
    }
    let known: Vec<_> = world.facts.keys().cloned().collect();
    for _ in 0..rng.within(0, 2) {
        if !known.is_empty() {
            let until_ms = rng.within(1_000, 900_000);
            world.silent.insert(rng.pick(&known).clone(), until_ms);
        }
    }
}

/// A world of one of the scenes, up to where the operator takes over.
fn session(file: &File, text: &str, profile: &Profile, seed: u64) -> Session {
    let mut rng = Rng::new(seed);
    // A session in which all blocks from the start tells little.
    let scene = loop {
        let scene = rng.pick(&file.scenes);
        if !scene.ends.all().iter().any(|end| end == "blocked") {
            break scene;
        }
    };
    let inventory = scenes::inventory(file, scene);
    let given = answers(file, scene, profile, &inventory).expect("the scenes are right");
    let mut world = scenes::world(file, scene, profile, &inventory).expect("the scenes are right");
    disturb(&mut rng, &mut world, profile);
    let names: Vec<String> = inventory.servers.iter().map(|server| server.name.to_string()).collect();
    let mut session = Session::new(text, inventory, world, seed);
    for _ in 0..rng.within(0, 2) {
        let (at_ms, for_ms) = (rng.within(5_000, 400_000), rng.within(1_000, 300_000));
        let name: &String = rng.pick(&names);
        session.lose(name, at_ms, for_ms);
    }
    session.intent(&Intent::TakePen { by_force: true }).expect("the pen is taken");
    for (input, key, value) in given {
        session.intent(&Intent::Answer { input, key, value }).expect("the scenes' answers fit");
    }
    for input in profile.inputs.iter().filter(|input| input.unsure) {
        let _ = session.intent(&Intent::AgreeUnsure { input: input.id.clone() });
    }
    for notice in session.state.open_notices() {
        session.intent(&Intent::ConfirmNotice { notice }).expect("it is open");
    }
    session
}

fn laws_hold(product: &str) {
    if !scenes::exists(product) {
        return;
    }
    let text = scenes::profile_text(product);
    let profile = scenes::profile(product);
    let (file, wrong) = scenes::scenes(product, &profile);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let (from, to) = match from_env("NOFM_SIM_SEED") {
        Some(seed) => (seed, seed + 1),
        None => (0, from_env("NOFM_SIM_SEEDS").unwrap_or(SEEDS)),
    };
    let mut ended: BTreeMap<Ended, usize> = BTreeMap::new();
    let mut broken = Vec::new();
    for seed in from..to {
        let played = catch_unwind(AssertUnwindSafe(|| operate(session(&file, &text, &profile, seed), seed)));
        let Ok((how, session)) = played else {
            eprintln!("seed={seed}: rerun with NOFM_SIM_SEED={seed} cargo test {product}");
            broken.push(seed);
            continue;
        };
        *ended.entry(how).or_default() += 1;
        if to - from == 1 {
            eprintln!("{}\n{how:?}, {} events", session.tail(), session.journal.len());
        }
    }
    assert!(broken.is_empty(), "{product}: {} of {} seeds broke a law: {broken:?}", broken.len(), to - from);
    if to - from >= SEEDS {
        let done = ended.get(&Ended::Done).copied().unwrap_or(0);
        assert!(done > 0 && ended.len() > 1, "{product}: all ends alike, which proves nothing: {ended:?}");
    }
}

#[test]
fn citrix_provisioning() {
    laws_hold("citrix_provisioning");
}

#[test]
fn ca_identity_manager() {
    laws_hold("ca_identity_manager");
}

#[test]
fn jp1_it_desktop_management() {
    laws_hold("jp1_it_desktop_management");
}

#[test]
fn imprivata_g4() {
    laws_hold("imprivata_g4");
}
