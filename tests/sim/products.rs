//! The products' own profiles in the worlds of their scenes, with faults, crashes and operators drawn from a seed: every
//! law holds for them, too.

use nofm::engine::Intent;
use nofm::profile::Profile;

use super::operator::{Ended, operate};
use super::rng::Rng;
use super::session::Session;
use super::story::Address;
use super::world::World;
use super::{generate, seeds};
use crate::rows::farm::{OLD, SMALL, WHOLE};
use crate::rows::rehearsal::Scene;
use crate::rows::scenes::{
    self,
    before::answers,
    format::{File, Scene as Told},
};

/// How many worlds of each product the suite tries.
const SEEDS: u64 = 400;

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
    let blocks = |scene: &&Told| scene.ends.all().iter().any(|end| end == "blocked");
    let open: Vec<_> = file.scenes.iter().filter(|scene| !blocks(scene)).collect();
    let scene = *rng.pick(&open);
    let inventory = scenes::inventory(file, scene);
    let given = answers(file, scene, profile, &inventory).expect("the scenes are right");
    let mut world = scenes::world(file, scene, profile, &inventory).expect("the scenes are right");
    disturb(&mut rng, &mut world, profile);
    let mut session = Session::new(text, inventory, world, seed);
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

/// A world of the IGEL profile, whose servers are told in Rust.
fn igel(profile: &Profile, seed: u64) -> Session {
    let mut rng = Rng::new(seed);
    let mut scene = Scene::of(profile, if rng.chance(30) { WHOLE } else { SMALL });
    if rng.chance(40) {
        scene = scene.short();
    }
    for _ in 0..rng.within(0, 3) {
        let step = *rng.pick(&["install", "install", "update", "stop", "start", "backup"]);
        let server = *rng.pick(&[None, Some("ums1"), Some("ums2"), Some("lb1"), Some("con1")]);
        scene.world.fault(step, server, *rng.pick(&generate::FAULTS));
    }
    scene.world.told.insert("told_version".into(), OLD.into());
    let mut session = scene.open().expect("the answers fit").session;
    for notice in session.state.open_notices() {
        session.intent(&Intent::ConfirmNotice { notice }).expect("it is open");
    }
    session
}

fn laws_hold(product: &str) {
    let profile = scenes::profile(product);
    let came = if product == "igel_ums_ha" {
        seeds::hold(product, SEEDS, |seed| operate(igel(&profile, seed), seed))
    } else {
        let text = scenes::profile_text(product);
        let (file, wrong) = scenes::scenes(product, &profile);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        seeds::hold(product, SEEDS, |seed| operate(session(&file, &text, &profile, seed), seed))
    };
    let Some(came) = came else { return };
    let done = came.of(Ended::Done);
    assert!(done > 0 && came.ended.len() > 1, "{product}: all ends alike, which proves nothing: {came:?}");
}

#[test]
fn igel_ums_ha() {
    laws_hold("igel_ums_ha");
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
