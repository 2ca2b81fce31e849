//! How each place is reached.

use std::collections::HashMap;
use std::sync::Arc;

use crate::engine::Place;
use crate::inventory::Inventory;
use crate::transport::{Doorkeeper, Link, Local, Shared, Sources};

/// The links of a session, made once.
pub(super) struct Links {
    console: Link,
    /// The files of this console that servers are given.
    pub(super) sources: Sources,
    servers: HashMap<String, Result<Link, String>>,
}

impl Links {
    /// `door` is asked for what only a person can say before a server lets anybody in.
    pub(super) fn new(inventory: &Inventory, door: Arc<dyn Doorkeeper>) -> Self {
        let shared = Arc::new(Shared::new(door));
        let servers = inventory.servers.iter();
        Self {
            console: Link::Local(Local::new("console", None).as_root(false).into()),
            sources: Sources::default(),
            servers: servers.map(|server| (server.name.to_string(), Link::to(server, &shared))).collect(),
        }
    }

    /// The link to a place.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn to(&self, place: &Place) -> Result<Link, String> {
        match place {
            Place::Console => Ok(self.console.clone()),
            Place::Server(name) => self
                .servers
                .get(name.as_str())
                .cloned()
                .unwrap_or_else(|| Err(format!("the inventory has no {name}"))),
        }
    }
}
