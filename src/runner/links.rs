//! How each place is reached.

use std::collections::HashMap;
use std::sync::Arc;

use crate::engine::Place;
use crate::inventory::{Inventory, Reach};
use crate::transport::{Doorkeeper, Link, Local};

/// The links of a session, made once.
pub(super) struct Links {
    console: Link,
    servers: HashMap<String, Result<Link, String>>,
    #[expect(dead_code, reason = "only servers behind a network ask a person before they let anybody in")]
    door: Arc<dyn Doorkeeper>,
}

impl Links {
    pub(super) fn new(inventory: &Inventory, door: Arc<dyn Doorkeeper>) -> Self {
        let servers = inventory.servers.iter().map(|server| {
            let name = server.name.as_str();
            let link = match &server.reach {
                Reach::Local { root } => Ok(Link::Local(Local::new(name, root.as_deref()).into())),
                Reach::Ssh(_) => {
                    Err(format!("{name} is to be reached over SSH, which this nofm does not speak yet"))
                }
                Reach::None => Err(format!("{name} has no shell (`transport = \"none\"`)")),
            };
            (name.to_owned(), link)
        });
        Self {
            console: Link::Local(Local::new("console", None).as_root(false).into()),
            servers: servers.collect(),
            door,
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
