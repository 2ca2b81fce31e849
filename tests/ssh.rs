//! The transport over real sshds: who is let in, what becomes of runs when connections break, files on their way.

#![cfg(test)]

mod entry;
mod files;
mod persons;
mod runs;
mod upgrade;

use std::fs;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nofm::inventory::Inventory;
use nofm::model::{Access, ServerName};
use nofm::transport::{Doorkeeper, Link, LinkError, Nobody, Probe, Shared, Word};

use crate::bed::{Bed, Options};

/// Two servers, and nothing else of the farm.
fn two() -> Bed {
    Bed::igel(&Options { servers: 2, balancers: 0, consoles: 0, ..Options::default() })
}

/// The inventory of a bed as it stands there now, with lines for all servers added below `[ssh]`.
fn inventory(bed: &Bed, more: &str) -> Inventory {
    let text = fs::read_to_string(&bed.lab.inventory_path).unwrap();
    let text = text.replacen("[ssh]\n", &format!("[ssh]\n{more}\n"), 1);
    Inventory::parse("inventory.toml", &text, &bed.lab.dir).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn link_of(inventory: &Inventory, server: &str, shared: &Arc<Shared>) -> Link {
    Link::to(inventory.server(&ServerName::from(server)).unwrap(), shared).unwrap()
}

/// The way to a server, with nobody to ask.
fn link(bed: &Bed, server: &str) -> Link {
    link_of(&inventory(bed, ""), server, &Arc::new(Shared::new(Arc::new(Nobody))))
}

/// Somebody who says what they were told to say, and is remembered to have been asked.
#[derive(Debug)]
struct Person {
    asked: Mutex<Vec<(ServerName, Access, String)>>,
    /// One after another; the last one again and again.
    says: Mutex<Vec<Word>>,
}

impl Person {
    fn who_says(words: impl IntoIterator<Item = Word>) -> Arc<Self> {
        let mut says: Vec<Word> = words.into_iter().collect();
        says.reverse();
        Arc::new(Self { asked: Mutex::default(), says: Mutex::new(says) })
    }

    fn asked(&self) -> Vec<(ServerName, Access, String)> {
        self.asked.lock().unwrap().clone()
    }
}

impl Doorkeeper for Person {
    fn ask(
        &self,
        server: &ServerName,
        access: Access,
        complaint: &str,
    ) -> Pin<Box<dyn Future<Output = Word> + Send>> {
        self.asked.lock().unwrap().push((server.clone(), access, complaint.to_owned()));
        let mut says = self.says.lock().unwrap();
        let word = if says.len() > 1 { says.pop().unwrap() } else { says[0].clone() };
        Box::pin(std::future::ready(word))
    }
}

/// What a server prints.
async fn said(link: &Link, script: &str) -> Result<String, LinkError> {
    let output = link.probe(&Probe::new(script)).await?;
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// Whose door is closed, and why.
fn barred(outcome: Result<String, LinkError>) -> String {
    match outcome {
        Err(error @ LinkError::Barred { .. }) => {
            let text = error.to_string();
            assert!(!text.chars().any(char::is_control), "{text:?}");
            text
        }
        other => panic!("not barred: {other:?}"),
    }
}

fn append(path: &Path, line: &str) {
    let text = fs::read_to_string(path).unwrap_or_default();
    fs::write(path, format!("{text}{line}\n")).unwrap();
}

/// Waits until `what` holds, for at most 30 s.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
