//! Servers that are out of reach, looked for until they answer: where nothing is to be done on them, nothing else would
//! find them back.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::input::Input;
use super::links::Links;
use crate::engine::Place;
use crate::model::ServerName;
use crate::transport::Probe;

/// The first pause between two looks, and the longest.
const PAUSE: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(30)];

/// The servers that are looked for at the moment.
#[derive(Default)]
pub(super) struct Sought(HashSet<ServerName>);

impl Sought {
    /// Looks for a server that is out of reach.
    pub(super) fn seek(&mut self, server: &ServerName, links: &Arc<Links>, tell: &UnboundedSender<Input>) {
        if self.0.insert(server.clone()) {
            tokio::spawn(seek(server.clone(), links.clone(), tell.clone()));
        }
    }

    /// The search for a server is over.
    pub(super) fn end(&mut self, server: &ServerName) {
        self.0.remove(server);
    }
}

async fn seek(server: ServerName, links: Arc<Links>, tell: UnboundedSender<Input>) {
    let Ok(link) = links.to(&Place::Server(server.clone())) else { return };
    let mut pause = PAUSE[0];
    loop {
        tokio::time::sleep(pause).await;
        match link.probe(&Probe::new("exit 0")).await {
            Err(error) if error.is_passing() => pause = (pause * 2).min(PAUSE[1]),
            // Whoever has to open its door knows of it, and is not asked again and again.
            Err(error) if error.is_barred() => return,
            Ok(_) | Err(_) => break,
        }
    }
    let _ = tell.send(Input::Found { server });
}
