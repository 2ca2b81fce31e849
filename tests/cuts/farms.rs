//! A small farm's upgrade by each of the built-in profiles, in memory, with a failure and its recovery on the way where
//! the vendor has one.

use nofm::engine::{About, Choice};
use nofm::profile::Profile;

use crate::rows::farm::SMALL;
use crate::rows::rehearsal::{self, Halt};
use crate::rows::scenes::{
    self,
    format::File,
    play::{Ended, Play},
};
use crate::sim::session::{Crashes, Session};
use crate::sim::world::Fault;

/// The products whose upgrades are told as scenes, and the scene.
const SCENES: [(&str, &str); 4] = [
    ("citrix_provisioning", "the_first_server_goes_back_in_the_vendors_order"),
    ("ca_identity_manager", "a_connector_server_that_does_not_run_is_started"),
    ("jp1_it_desktop_management", "a_database_server_that_fails_goes_the_vendor_s_way_back"),
    ("imprivata_g4", "a_package_that_was_lost_is_sent_once_more"),
];

pub struct Farm {
    profile: Profile,
    /// `None`: the farm of the IGEL profile, whose rehearsals are no scenes.
    told: Option<(File, &'static str)>,
}

impl Farm {
    pub fn of(product: &str) -> Self {
        let profile = scenes::profile(product);
        let told = SCENES.iter().find(|(known, _)| *known == product).map(|(_, scene)| {
            let (file, wrong) = scenes::scenes(product, &profile);
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
            (file, *scene)
        });
        Self { profile, told }
    }

    /// The session at its end, the runner having died as `crashes` says. A question whose
    /// answer was cut off is asked again, so that what the scene says of how often need not hold.
    ///
    /// # Errors
    /// Why it did not come to an end.
    pub fn played(&self, crashes: Crashes) -> Result<Session, String> {
        let Some((file, name)) = &self.told else { return self.igel(crashes) };
        let scene = file.scenes.iter().find(|scene| scene.name == *name).ok_or("there is no such scene")?;
        let inventory = scenes::inventory(file, scene);
        let world = scenes::world(file, scene, &self.profile, &inventory)?;
        let mut play = Play::open(file, scene, &self.profile, inventory, world, crashes)?;
        let ended = play.go();
        play.outcome()?;
        match ended {
            Ended::Closed(_) => Ok(play.session),
            ended => Err(format!("it ends at {ended:?}\n{}", play.session.tail())),
        }
    }

    /// The first installation fails, and a second attempt succeeds.
    fn igel(&self, crashes: Crashes) -> Result<Session, String> {
        let mut scene = rehearsal::Scene::of(&self.profile, SMALL);
        scene.world.fault("install", Some("ums1"), Fault::Fails(1));
        scene.crashes = crashes;
        let mut rehearsal = scene.begun()?;
        loop {
            match rehearsal.pursue() {
                Halt::Closed(_) => return Ok(rehearsal.session),
                Halt::Asked(question) if matches!(question.about, About::Failure(_)) => {
                    rehearsal.reply(&question, Choice::Retry, "")?;
                }
                halt => return Err(format!("it ends at {halt:?}")),
            }
        }
    }
}
