//! Whether a certificate shows that a host is the one we mean.

use std::path::PathBuf;
use std::time::SystemTime;

use russh::keys::ssh_key::certificate::CertType;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey};

use super::line::Marker;
use super::{KnownHosts, blob, lookups};

/// What is to be thought of a host's certificate. Where it says nothing for the host and is not revoked, the key in it
/// may still be known by itself: [`KnownHosts::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertificateVerdict {
    /// Signed for this host by an authority that stands there.
    Trusted { file: PathBuf, line: usize },
    /// Nobody known signed it.
    NoAuthority,
    /// Its key, or that of its authority, is revoked.
    Revoked { file: PathBuf, line: usize },
    /// A known authority signed it, and yet it does not count, for this reason.
    Refused(&'static str),
}

impl KnownHosts {
    /// Whether any authority is known for the host, so that a certificate is worth asking for.
    pub fn has_authority(&self, name: &str, port: u16) -> bool {
        lookups(name, port).iter().any(|name| self.about(name, Marker::Authority).next().is_some())
    }

    /// Judges the certificate of the host that is known as `name`.
    pub fn check_certificate(
        &self,
        name: &str,
        port: u16,
        certificate: &Certificate,
        now: SystemTime,
    ) -> CertificateVerdict {
        let signer = key_blob(certificate.signature_key());
        for key in [&key_blob(certificate.public_key()), &signer] {
            if let Some((file, line)) = self.revoked(name, port, key) {
                return CertificateVerdict::Revoked { file, line };
            }
        }
        let names = lookups(name, port);
        let mut authorities = names.iter().flat_map(|name| self.about(name, Marker::Authority));
        let Some(authority) = authorities.find(|entry| entry.line.blob == signer) else {
            return CertificateVerdict::NoAuthority;
        };
        match fault(name, certificate, now) {
            Some(fault) => CertificateVerdict::Refused(fault),
            None => {
                CertificateVerdict::Trusted { file: authority.file.to_path_buf(), line: authority.number }
            }
        }
    }
}

fn key_blob(key: &KeyData) -> Vec<u8> {
    blob(&PublicKey::new(key.clone(), ""))
}

/// Why a certificate does not count, whoever signed it.
fn fault(name: &str, certificate: &Certificate, now: SystemTime) -> Option<&'static str> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let name = name.to_ascii_lowercase();
    let principals = certificate.valid_principals();
    if certificate.cert_type() != CertType::Host {
        Some("it is a certificate of a user, not of a host")
    } else if now < certificate.valid_after() {
        Some("it is not valid yet")
    } else if now >= certificate.valid_before() {
        Some("it has expired")
    } else if principals.is_empty() {
        // It would stand for every host there is, which some versions of OpenSSH allow.
        Some("it names no host")
    } else if !principals.contains(&name) {
        Some("it is for other hosts")
    } else if certificate.critical_options().iter().next().is_some() {
        Some("it holds a critical option, and none is known for hosts")
    } else if matches!(
        certificate.signature().algorithm(),
        Algorithm::Rsa { hash: None } | Algorithm::Dsa | Algorithm::Other(_)
    ) {
        Some("it is signed with an algorithm that is not safe")
    } else {
        let signer = certificate.signature_key().fingerprint(HashAlg::Sha256);
        certificate.validate_at(now, [&signer]).err().map(|_| "its signature is wrong")
    }
}
