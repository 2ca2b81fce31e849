//! The login: by keys of an agent, then by key files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::client::AuthResult;
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{
    Certificate, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, load_openssh_certificate,
    load_public_key,
};

use super::Failure;
use super::handshake::Handle;
use super::settings::Settings;
use super::shared::Shared;
use crate::model::Access;

/// The largest key file that is read, in bytes.
const KEY_FILE: u64 = 64 * 1024;

/// Logs in, or says what was tried and what would help. Keys that are named come before whatever else an agent has: a
/// server hangs up after a few.
pub(super) async fn log_in(handle: &mut Handle, settings: &Settings, shared: &Shared) -> Result<(), Failure> {
    let mut login = Login { handle, settings, tried: Vec::new(), rsa_hash: None };
    let (named, rest) = login.identities().await;
    if login.by_agent(named).await? {
        return Ok(());
    }
    for path in &settings.keys {
        if login.by_file(path, shared).await? {
            return Ok(());
        }
    }
    if !settings.only_keys && login.by_agent(rest).await? {
        return Ok(());
    }
    let tried = if login.tried.is_empty() {
        "there is no key to try: name one in the inventory (`key`), or add it to the ssh-agent".to_owned()
    } else {
        format!(
            "tried {}; see that one of them is in the user's authorized_keys there",
            login.tried.join(", ")
        )
    };
    Err(Failure::Barred(format!("the login as {} is refused; {tried}", settings.user)))
}

struct Login<'a> {
    handle: &'a mut Handle,
    settings: &'a Settings,
    tried: Vec<String>,
    rsa_hash: Option<HashAlg>,
}

impl Login<'_> {
    /// The agent's keys: those that are named, and the rest.
    async fn identities(&mut self) -> (Vec<AgentIdentity>, Vec<AgentIdentity>) {
        let Some(socket) = &self.settings.agent else { return Default::default() };
        let asked = async { AgentClient::connect_uds(socket).await?.request_identities().await };
        let identities = match asked.await {
            Ok(identities) => identities,
            Err(error) => {
                self.tried.push(format!("the ssh-agent at {} ({error})", socket.display()));
                return Default::default();
            }
        };
        let named: Vec<PublicKey> = self.settings.keys.iter().filter_map(|path| public_of(path)).collect();
        let is_named = |identity: &AgentIdentity| {
            let key = match identity {
                AgentIdentity::PublicKey { key, .. } => key.key_data(),
                AgentIdentity::Certificate { certificate, .. } => certificate.public_key(),
            };
            named.iter().any(|named| named.key_data() == key)
        };
        identities.into_iter().partition(is_named)
    }

    async fn by_agent(&mut self, identities: Vec<AgentIdentity>) -> Result<bool, Failure> {
        let Some(socket) = self.settings.agent.as_ref().filter(|_| !identities.is_empty()) else {
            return Ok(false);
        };
        let Ok(mut agent) = AgentClient::connect_uds(socket).await else { return Ok(false) };
        for identity in identities {
            let (key, comment, certificate) = match identity {
                AgentIdentity::PublicKey { key, comment } => (key, comment, None),
                AgentIdentity::Certificate { certificate, comment } => {
                    (PublicKey::new(certificate.public_key().clone(), ""), comment, Some(certificate))
                }
            };
            let hash = self.hash(key.algorithm().is_rsa()).await?;
            let user = self.settings.user.clone();
            let outcome = match certificate {
                Some(certificate) => {
                    self.handle.authenticate_certificate_with(user, certificate, hash, &mut agent).await
                }
                None => self.handle.authenticate_publickey_with(user, key, hash, &mut agent).await,
            };
            self.tried.push(format!("{comment} of the ssh-agent"));
            match outcome {
                Ok(outcome) if self.is_in(&outcome)? => return Ok(true),
                Ok(_) => {}
                // One that the agent does not sign with (locked, or the touch did not come): the next may do.
                Err(error) => tracing::info!(%error, key = comment, "the ssh-agent does not sign"),
            }
        }
        Ok(false)
    }

    async fn by_file(&mut self, path: &Path, shared: &Shared) -> Result<bool, Failure> {
        let Some(key) = load(path, shared)? else { return Ok(false) };
        if let Some(certificate) = self.certificate_of(path, &key) {
            let user = self.settings.user.clone();
            let outcome = self.handle.authenticate_openssh_cert(user, key.clone(), certificate).await;
            self.tried.push(format!("the certificate of {}", path.display()));
            if self.is_in(&outcome.map_err(|error| Failure::Cut(format!("login: {error}")))?)? {
                return Ok(true);
            }
        }
        let hash = self.hash(key.algorithm().is_rsa()).await?;
        let user = self.settings.user.clone();
        let outcome = self.handle.authenticate_publickey(user, PrivateKeyWithHashAlg::new(key, hash)).await;
        self.tried.push(path.display().to_string());
        self.is_in(&outcome.map_err(|error| Failure::Cut(format!("login: {error}")))?)
    }

    /// The certificate of a key: beside it, or among those that are named.
    fn certificate_of(&self, path: &Path, key: &PrivateKey) -> Option<Certificate> {
        let beside = beside(path, "-cert.pub");
        let all = std::iter::once(&beside).chain(&self.settings.certificates);
        all.filter_map(|path| load_openssh_certificate(path).ok())
            .find(|certificate| certificate.public_key() == key.public_key().key_data())
    }

    /// The hash that an RSA key signs with. SHA-1 is none.
    async fn hash(&mut self, is_rsa: bool) -> Result<Option<HashAlg>, Failure> {
        if !is_rsa {
            return Ok(None);
        }
        if self.rsa_hash.is_none() {
            let best = self.handle.best_supported_rsa_hash().await;
            let best = best.map_err(|error| Failure::Cut(format!("login: {error}")))?;
            self.rsa_hash = best.flatten().or(Some(HashAlg::Sha512));
        }
        Ok(self.rsa_hash)
    }

    fn is_in(&self, outcome: &AuthResult) -> Result<bool, Failure> {
        match outcome {
            AuthResult::Success => Ok(true),
            AuthResult::Failure { partial_success: true, remaining_methods } => {
                let more: Vec<&str> = remaining_methods.iter().map(Into::into).collect();
                Err(Failure::Barred(format!(
                    "the key of {} is taken, but the server wants more ({}), which is not given from here",
                    self.settings.user,
                    more.join(", ")
                )))
            }
            AuthResult::Failure { .. } if self.handle.is_closed() => Err(Failure::Passing(
                "the server hung up during the login; it may allow fewer tries".to_owned(),
            )),
            AuthResult::Failure { .. } => Ok(false),
        }
    }
}

/// The key in a file; `None` where it cannot be used, which is logged.
fn load(path: &Path, shared: &Shared) -> Result<Option<Arc<PrivateKey>>, Failure> {
    if let Some(key) = shared.key(path) {
        return Ok(Some(key));
    }
    let text = match std::fs::metadata(path) {
        Ok(about) if about.len() <= KEY_FILE => std::fs::read_to_string(path),
        Ok(_) => Err(std::io::Error::other("it is too large for a key")),
        Err(error) => Err(error),
    };
    let text = match text {
        Ok(text) => zeroize::Zeroizing::new(text),
        // Its public half names it for the agent.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            tracing::warn!(%error, path = %path.display(), "a key file cannot be read");
            return Ok(None);
        }
    };
    let access = Access::Passphrase { key: path.display().to_string() };
    let given = shared.secret(&access);
    let passphrase = given.as_ref().map(|given| given.secret.expose());
    match russh::keys::decode_secret_key(&text, passphrase) {
        Ok(key) => {
            if let Some(given) = &given {
                shared.judged(&access, given.number, true);
            }
            let key = Arc::new(key);
            shared.keep_key(path, key.clone());
            Ok(Some(key))
        }
        Err(russh::keys::Error::KeyIsEncrypted) => {
            Err(Failure::Needs { access, complaint: String::new(), key: None })
        }
        Err(error) => {
            let Some(given) = given else {
                tracing::warn!(%error, path = %path.display(), "a key file cannot be used");
                return Ok(None);
            };
            shared.judged(&access, given.number, false);
            let complaint = format!("it does not open the key: {error}");
            Err(Failure::Needs { access, complaint, key: None })
        }
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn public_of(path: &Path) -> Option<PublicKey> {
    load_public_key(beside(path, ".pub")).ok()
}
