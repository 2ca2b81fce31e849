//! The handshake: algorithms, the host key, and what a server says before it lets anybody in.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use russh::client::{self, DisconnectReason, Session};
use russh::keys::{Algorithm, Certificate, EcdsaCurve, HashAlg, PublicKey, PublicKeyOrCertificate};
use russh::{Preferred, cipher};
use tokio::io::{AsyncRead, AsyncWrite};

use super::Failure;
use super::known_hosts::{self, CertificateVerdict, KnownHosts, Verdict};
use super::settings::{Settings, Strict};
use super::shared::{Shared, lock};
use crate::model::Access;

/// When nothing is heard for so long the server is asked whether it is there, three times at most.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// From the greeting to the keys, unless the configuration says otherwise; computing on a slow server takes the most.
const LIMIT: Duration = Duration::from_secs(30);
/// Bytes kept of what a server says before the login.
const BANNER: usize = 4 * 1024;

/// Fastest first where both sides have the instructions for it; what OpenSSH has had for ten years.
const CIPHERS: &[cipher::Name] = &[
    cipher::AES_128_GCM,
    cipher::AES_256_GCM,
    cipher::CHACHA20_POLY1305,
    cipher::AES_256_CTR,
    cipher::AES_192_CTR,
    cipher::AES_128_CTR,
];

pub(super) type Handle = client::Handle<Client>;

/// What a connection tells besides its channels.
#[derive(Debug, Default)]
pub(super) struct Notes {
    refused: Option<Refused>,
    /// What it says to whoever wants to come in.
    pub banner: String,
    /// Why it ended.
    pub ended: Option<String>,
}

#[derive(Debug)]
enum Refused {
    Barred(String),
    Unknown(Box<PublicKey>),
}

/// The client's side of one connection.
pub(super) struct Client {
    check: KeyCheck,
    notes: Arc<Mutex<Notes>>,
}

struct KeyCheck {
    settings: Arc<Settings>,
    known: Arc<KnownHosts>,
    shared: Arc<Shared>,
}

/// Makes a connection over `stream`, up to where the login begins.
pub(super) async fn shake<S>(
    stream: S,
    settings: &Arc<Settings>,
    shared: &Arc<Shared>,
) -> Result<(Handle, Arc<Mutex<Notes>>), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let known = shared.known_hosts(settings)?;
    let config = client::Config {
        preferred: preferred(&known, settings),
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: 3,
        nodelay: true,
        ..client::Config::default()
    };
    let notes = Arc::new(Mutex::new(Notes::default()));
    let check = KeyCheck { settings: settings.clone(), known, shared: shared.clone() };
    let client = Client { check, notes: notes.clone() };
    let limit = settings.connect_timeout.unwrap_or(LIMIT);
    let shaken = tokio::time::timeout(limit, client::connect_stream(Arc::new(config), stream, client)).await;
    match shaken {
        Ok(Ok(handle)) => Ok((handle, notes)),
        Ok(Err(error)) => Err(match lock(&notes).refused.take() {
            Some(Refused::Barred(why)) => {
                shared.forget_known_hosts();
                Failure::Barred(why)
            }
            Some(Refused::Unknown(key)) => {
                let access = host_key(settings, &key);
                Failure::Needs { access, complaint: String::new(), key: Some(key) }
            }
            None => why_not(&error),
        }),
        Err(_) => Err(Failure::Passing(format!("it answers, but no handshake within {} s", limit.as_secs()))),
    }
}

/// The question whether `key` is the one of the host in `settings`.
fn host_key(settings: &Settings, key: &PublicKey) -> Access {
    Access::HostKey {
        host: known_as(settings),
        kind: key.algorithm().to_string(),
        fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
    }
}

/// The name of a host in known hosts files.
fn known_as(settings: &Settings) -> String {
    if settings.known_port == 22 {
        settings.known_as.clone()
    } else {
        format!("[{}]:{}", settings.known_as, settings.known_port)
    }
}

fn why_not(error: &russh::Error) -> Failure {
    match error {
        // The two sides have nothing in common, and will not have it the next time.
        russh::Error::NoCommonAlgo { kind, theirs, .. } => {
            Failure::Barred(format!("no common {kind:?} algorithm; the server offers {}", theirs.join(", ")))
        }
        russh::Error::Disconnect | russh::Error::HUP => {
            Failure::Cut("the server closed the connection during the handshake".to_owned())
        }
        error => Failure::Cut(format!("handshake: {error}")),
    }
}

/// Kinds of host keys that are known come first, or a server that has several would show one that is not.
fn preferred(known: &KnownHosts, settings: &Settings) -> Preferred {
    let mut keys = vec![
        Algorithm::Ed25519,
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
        Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
        Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
        Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
    ];
    let wanted = known.algorithms(&settings.known_as, settings.known_port);
    let plain = |key: &Algorithm| match key {
        Algorithm::Rsa { .. } => "ssh-rsa".to_owned(),
        other => other.as_str().to_owned(),
    };
    keys.sort_by_key(|key| !wanted.contains(&plain(key)));
    let certificates =
        if known.has_authority(&settings.known_as, settings.known_port) { keys.clone() } else { Vec::new() };
    Preferred {
        key: Cow::Owned(keys),
        host_key_certificates: Cow::Owned(certificates),
        cipher: Cow::Borrowed(CIPHERS),
        ..Preferred::DEFAULT
    }
}

impl KeyCheck {
    fn judge(&self, offered: &PublicKeyOrCertificate) -> Result<(), Refused> {
        match offered {
            PublicKeyOrCertificate::PublicKey { key, .. } => self.judge_key(key),
            PublicKeyOrCertificate::Certificate(certificate) => self.judge_certificate(certificate),
        }
    }

    fn judge_certificate(&self, certificate: &Certificate) -> Result<(), Refused> {
        let (name, port) = (&self.settings.known_as, self.settings.known_port);
        let key = PublicKey::new(certificate.public_key().clone(), "");
        match self.known.check_certificate(name, port, certificate, SystemTime::now()) {
            CertificateVerdict::Trusted { .. } => Ok(()),
            CertificateVerdict::NoAuthority => self.judge_key(&key),
            CertificateVerdict::Revoked { file, line } => Err(Refused::Barred(format!(
                "its host certificate is revoked by line {line} of {}; do not connect before it is known why",
                file.display()
            ))),
            // A certificate that does not count says nothing against a key that is known by itself.
            CertificateVerdict::Refused(_)
                if matches!(self.known.check(name, port, &key), Verdict::Known { .. }) =>
            {
                Ok(())
            }
            CertificateVerdict::Refused(why) => {
                Err(Refused::Barred(format!("its host certificate is not accepted: {why}")))
            }
        }
    }

    fn judge_key(&self, key: &PublicKey) -> Result<(), Refused> {
        let (name, port) = (&self.settings.known_as, self.settings.known_port);
        let shown = || format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256));
        match self.known.check(name, port, key) {
            Verdict::Known { .. } => Ok(()),
            Verdict::Revoked { file, line } => Err(Refused::Barred(format!(
                "its host key {} is revoked by line {line} of {}; do not connect before it is known why",
                shown(),
                file.display()
            ))),
            Verdict::Changed { file, line, kind, fingerprint } => Err(Refused::Barred(format!(
                "its host key is {}, and line {line} of {} has {kind} {fingerprint}; somebody may be in between. \
                 If the server got a new key, take that line out after comparing",
                shown(),
                file.display()
            ))),
            Verdict::Unknown if self.shared.trusts(&known_as(&self.settings), key) => Ok(()),
            Verdict::Unknown => match self.settings.strict {
                Strict::AcceptNew => {
                    remember(&self.settings, &self.shared, key);
                    Ok(())
                }
                Strict::Ask => Err(Refused::Unknown(key.clone().into())),
                Strict::Refuse => Err(Refused::Barred(format!(
                    "its host key {} is unknown, and StrictHostKeyChecking forbids to ask; add it to a known hosts file",
                    shown()
                ))),
            },
        }
    }
}

/// Takes a host key from now on, in this session and the next ones.
pub(super) fn remember(settings: &Settings, shared: &Shared, key: &PublicKey) {
    if !shared.trust(&known_as(settings), key) {
        return;
    }
    let Some(path) = settings.known_hosts.first() else { return };
    let kept = known_hosts::remember(path, &settings.known_as, settings.known_port, key, settings.hash_new);
    if let Err(error) = kept {
        // It holds for this session all the same; the next one asks again.
        tracing::warn!(%error, path = %path.display(), "a host key could not be written down");
    }
}

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        match self.check.judge(offered) {
            Ok(()) => Ok(true),
            Err(refused) => {
                lock(&self.notes).refused = Some(refused);
                Ok(false)
            }
        }
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut Session) -> Result<(), russh::Error> {
        let mut notes = lock(&self.notes);
        let room = BANNER.saturating_sub(notes.banner.len());
        notes.banner.extend(banner.chars().take(room));
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<russh::Error>) -> Result<(), russh::Error> {
        let (why, outcome) = match reason {
            DisconnectReason::ReceivedDisconnect(said) => {
                (format!("the server said: {}", said.message), Ok(()))
            }
            DisconnectReason::Error(error) => (error.to_string(), Err(error)),
        };
        lock(&self.notes).ended = Some(why);
        outcome
    }
}
