//! What the connections of one session have in common.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use russh::keys::{PrivateKey, PublicKey};
use tokio::sync::Semaphore;

use super::Failure;
use super::connect::Connection;
use super::known_hosts::{KnownHosts, KnownHostsError};
use super::settings::Settings;
use crate::model::{Access, ServerName};
use crate::transport::door::{Doorkeeper, Secret, Word};

/// Handshakes under way at the same time: each costs this console a few milliseconds of computing.
const HANDSHAKES: usize = 32;

/// One for all servers of a session.
#[derive(Debug)]
pub struct Shared {
    door: Arc<dyn Doorkeeper>,
    pub(super) handshakes: Semaphore,
    /// Jump hosts, by how they are reached.
    pub(super) hops: Mutex<HashMap<String, Arc<Connection>>>,
    /// Known hosts, by the files and the list of revoked keys they were read from.
    files: Mutex<HashMap<Lists, Arc<KnownHosts>>>,
    /// Host keys that a person vouched for, by the name they are known by.
    trusted: Mutex<HashMap<String, Vec<PublicKey>>>,
    keys: Mutex<HashMap<PathBuf, Arc<PrivateKey>>>,
    secrets: Mutex<Secrets>,
}

/// Files of known hosts, and the list of revoked keys.
type Lists = (Vec<PathBuf>, Option<PathBuf>);

#[derive(Debug, Default)]
struct Secrets {
    known: HashMap<Access, Given>,
    /// How many were given so far: two of the same kind are told apart by it.
    count: u64,
}

/// A secret that a person gave.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub secret: Secret,
    pub number: u64,
    /// Whether it was ever taken.
    pub good: bool,
}

/// A lock that a panicking thread left is as good as any: every change under one is a single step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// `door` is asked for what only a person can say.
    pub fn new(door: Arc<dyn Doorkeeper>) -> Self {
        Self {
            door,
            handshakes: Semaphore::new(HANDSHAKES),
            hops: Mutex::default(),
            files: Mutex::default(),
            trusted: Mutex::default(),
            keys: Mutex::default(),
            secrets: Mutex::default(),
        }
    }

    /// Asks a person, and keeps what they say.
    pub(super) async fn ask(
        &self,
        server: &ServerName,
        access: Access,
        complaint: &str,
    ) -> Result<(), Failure> {
        match self.door.ask(server, access.clone(), complaint).await {
            Word::Trusted => Ok(()),
            Word::Secret(secret) => {
                let mut secrets = lock(&self.secrets);
                secrets.count += 1;
                let number = secrets.count;
                secrets.known.insert(access, Given { secret, number, good: false });
                Ok(())
            }
            Word::Denied => Err(Failure::Barred(match &access {
                Access::HostKey { .. } => {
                    format!("the {access} was not accepted; compare it with the server's own")
                }
                _ => format!("nobody gave the {access}"),
            })),
        }
    }

    pub(super) fn secret(&self, access: &Access) -> Option<Given> {
        lock(&self.secrets).known.get(access).cloned()
    }

    /// Tells whether a secret was taken, and whether it ever was. One that never was is forgotten, unless it was
    /// replaced meanwhile.
    pub(super) fn judged(&self, access: &Access, number: u64, good: bool) -> bool {
        let mut secrets = lock(&self.secrets);
        let Some(given) = secrets.known.get_mut(access).filter(|given| given.number == number) else {
            return false;
        };
        given.good |= good;
        let good = given.good;
        if !good {
            secrets.known.remove(access);
        }
        good
    }

    /// The known hosts of `settings`, read once.
    pub(super) fn known_hosts(&self, settings: &Settings) -> Result<Arc<KnownHosts>, Failure> {
        let from = (settings.known_hosts.clone(), settings.revoked.clone());
        if let Some(known) = lock(&self.files).get(&from) {
            return Ok(known.clone());
        }
        let barred = |error: KnownHostsError| Failure::Barred(error.to_string());
        let mut known = KnownHosts::read(&from.0).map_err(barred)?;
        if let Some(list) = &from.1 {
            known.revoke(list).map_err(barred)?;
        }
        let known = Arc::new(known);
        lock(&self.files).insert(from, known.clone());
        Ok(known)
    }

    /// Has the files read again, as somebody may mend what they say.
    pub(super) fn forget_known_hosts(&self) {
        lock(&self.files).clear();
    }

    /// Whether it was not trusted before.
    pub(super) fn trust(&self, host: &str, key: &PublicKey) -> bool {
        let mut trusted = lock(&self.trusted);
        let keys = trusted.entry(host.to_owned()).or_default();
        let new = keys.iter().all(|known| known.key_data() != key.key_data());
        if new {
            keys.push(key.clone());
        }
        new
    }

    pub(super) fn trusts(&self, host: &str, key: &PublicKey) -> bool {
        let trusted = lock(&self.trusted);
        trusted.get(host).is_some_and(|keys| keys.iter().any(|known| known.key_data() == key.key_data()))
    }

    /// The private key in a file, once it could be read.
    pub(super) fn key(&self, path: &Path) -> Option<Arc<PrivateKey>> {
        lock(&self.keys).get(path).cloned()
    }

    pub(super) fn keep_key(&self, path: &Path, key: Arc<PrivateKey>) {
        lock(&self.keys).insert(path.to_owned(), key);
    }
}
