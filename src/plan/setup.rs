//! What a session is made of, before anything happened in it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::script::Scripts;
use crate::inventory::{Inventory, Server};
use crate::model::{RoleId, ServerName, SessionId};
use crate::profile::Profile;

/// The fixed part of a session: its profile, its inventory, and nothing that can change.
#[derive(Clone, Debug)]
pub struct Setup {
    pub session: SessionId,
    pub profile: Arc<Profile>,
    pub inventory: Arc<Inventory>,
    pub scripts: Arc<Scripts>,
    /// By how much a rehearsal's farm is faster than the vendor's: every interval of the profile is divided
    /// by it. 1 on real servers.
    pub speed: f64,
    by_name: Arc<HashMap<ServerName, usize>>,
    /// How many servers each role has.
    counts: Arc<HashMap<RoleId, usize>>,
}

impl Setup {
    pub fn new(session: SessionId, profile: Profile, inventory: Inventory, speed: f64) -> Self {
        let scripts = Arc::new(Scripts::of(&profile));
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        let by_name = inventory
            .servers
            .iter()
            .enumerate()
            .map(|(index, server)| (server.name.clone(), index))
            .collect();
        let mut counts: HashMap<RoleId, usize> = HashMap::new();
        for role in inventory.servers.iter().flat_map(|server| &server.roles) {
            *counts.entry(role.clone()).or_default() += 1;
        }
        Self {
            session,
            profile: Arc::new(profile),
            inventory: Arc::new(inventory),
            scripts,
            speed,
            by_name: Arc::new(by_name),
            counts: Arc::new(counts),
        }
    }

    /// `duration` as this farm takes it, in milliseconds; never 0.
    pub fn scaled_ms(&self, duration: Duration) -> u64 {
        let scaled = duration.as_secs_f64() * 1000.0 / self.speed;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "durations are positive, and `as` saturates"
        )]
        let ms = scaled as u64;
        ms.max(1)
    }

    /// How many servers of the inventory have the role.
    pub fn count_of(&self, role: &RoleId) -> usize {
        self.counts.get(role).copied().unwrap_or(0)
    }

    pub fn server(&self, name: &ServerName) -> Option<&Server> {
        self.inventory.servers.get(*self.by_name.get(name)?)
    }
}
