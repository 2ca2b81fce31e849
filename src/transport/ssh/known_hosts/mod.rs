//! Whether a host is the one it was the last time: the files of known hosts, as OpenSSH keeps them.
//!
//! # What counts
//! - A revoked key is refused, whatever else is said of it.
//! - A key that stands there for the host is known, in whichever file.
//! - A host of which other keys are known, of whatever type, has changed. Whoever connects asks for the known types
//!   first ([`KnownHosts::algorithms`]), so that an honest host shows a key that is known.
//! - A host on a port of its own stands there as `[name]:port`. Where it does not, a key that is known for the
//!   name alone is taken as well, and nothing is concluded from one that differs.

mod certificate;
mod line;
mod names;
mod remember;

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::PublicKey;
use russh::keys::ssh_encoding::base64::{Base64Unpadded, Encoding as _};
use sha2::{Digest as _, Sha256};

pub use certificate::CertificateVerdict;
use line::{Line, Marker};
pub use remember::remember;

/// Nobody knows so many hosts.
const LARGEST: u64 = 16 << 20;

/// Where a binary list of revoked keys begins.
const BINARY_LIST: &[u8] = b"SSHKRL\n";

#[derive(Debug, thiserror::Error)]
pub enum KnownHostsError {
    #[error("{doing} the known hosts in `{}`: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("`{}` is larger than 16 MiB, and no file of known hosts", path.display())]
    TooLarge { path: PathBuf },
    #[error(
        "`{}` is a binary list of revoked keys, which nofm cannot read; write it as one public key a line",
        path.display()
    )]
    BinaryList { path: PathBuf },
    #[error("{name:?} cannot be written into a file of known hosts")]
    Name { name: String },
}

/// What is to be thought of a host's key. Lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Known {
        file: PathBuf,
        line: usize,
    },
    /// Nothing is known of this host.
    Unknown,
    /// Other keys are known of this host.
    Changed {
        file: PathBuf,
        line: usize,
        /// The type of the key that is known.
        kind: String,
        /// `SHA256:…` of the key that is known.
        fingerprint: String,
    },
    Revoked {
        file: PathBuf,
        line: usize,
    },
}

/// What all files of known hosts say. Read once, and asked for every host.
#[derive(Clone, Debug, Default)]
pub struct KnownHosts {
    entries: Vec<Entry>,
    /// Keys that are revoked for every host.
    revoked: Vec<(Arc<Path>, usize, Vec<u8>)>,
    skipped: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    file: Arc<Path>,
    number: usize,
    line: Line,
}

impl KnownHosts {
    /// Reads `files`. One that is not there says nothing; a line that cannot be understood is skipped.
    ///
    /// # Errors
    /// When a file is there and cannot be read: what it revokes would be missed.
    pub fn read(files: &[PathBuf]) -> Result<Self, KnownHostsError> {
        let mut hosts = Self::default();
        for path in files {
            let Some(bytes) = contents(path)? else { continue };
            let file: Arc<Path> = Arc::from(path.as_path());
            for (number, text) in numbered(&bytes) {
                match Line::parse(&text) {
                    Ok(None) => {}
                    Ok(Some(line)) => hosts.entries.push(Entry { file: file.clone(), number, line }),
                    Err(fault) => hosts.skip(path, number, fault),
                }
            }
        }
        Ok(hosts)
    }

    /// Reads a list of public keys, one a line, that are revoked for every host.
    ///
    /// # Errors
    /// When it is not there, cannot be read, or holds anything else: who keeps such a list relies on it.
    pub fn revoke(&mut self, list: &Path) -> Result<(), KnownHostsError> {
        let failed = |source| KnownHostsError::Io { doing: "reading", path: list.to_owned(), source };
        let bytes = contents(list)?.ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        if bytes.starts_with(BINARY_LIST) {
            return Err(KnownHostsError::BinaryList { path: list.to_owned() });
        }
        let file: Arc<Path> = Arc::from(list);
        for (number, text) in numbered(&bytes) {
            let mut fields = text.split_ascii_whitespace().peekable();
            if fields.peek().is_none_or(|field| field.starts_with('#')) {
                continue;
            }
            let (_, key) = line::key(&mut fields).map_err(|fault| {
                failed(io::Error::new(io::ErrorKind::InvalidData, format!("line {number} has {fault}")))
            })?;
            self.revoked.push((file.clone(), number, key));
        }
        Ok(())
    }

    fn skip(&mut self, path: &Path, number: usize, fault: &str) {
        tracing::warn!("{}: line {number} is skipped: {fault}", path.display());
        self.skipped += 1;
    }

    /// Lines that could not be understood.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Judges the `key` of the host that is known as `name`.
    pub fn check(&self, name: &str, port: u16, key: &PublicKey) -> Verdict {
        let key = blob(key);
        if let Some((file, line)) = self.revoked(name, port, &key) {
            return Verdict::Revoked { file, line };
        }
        let mut names = lookups(name, port).into_iter();
        let exactly = names.next().map_or(Verdict::Unknown, |name| self.check_as(&name, &key));
        let by_name = || names.map(|name| self.check_as(&name, &key));
        match exactly {
            Verdict::Unknown => {
                by_name().find(|verdict| matches!(verdict, Verdict::Known { .. })).unwrap_or(Verdict::Unknown)
            }
            exactly => exactly,
        }
    }

    /// The types of the keys that are known of a host, as in `ssh-ed25519`; those of the user's files first.
    pub fn algorithms(&self, name: &str, port: u16) -> Vec<String> {
        for name in lookups(name, port) {
            let mut kinds: Vec<String> = Vec::new();
            for entry in self.about(&name, Marker::Host) {
                if !kinds.contains(&entry.line.kind) {
                    kinds.push(entry.line.kind.clone());
                }
            }
            if !kinds.is_empty() {
                return kinds;
            }
        }
        Vec::new()
    }

    fn check_as(&self, name: &str, key: &[u8]) -> Verdict {
        let mut entries = self.about(name, Marker::Host);
        if let Some(entry) = entries.clone().find(|entry| entry.line.blob == key) {
            return Verdict::Known { file: entry.file.to_path_buf(), line: entry.number };
        }
        // The one of the same type tells most.
        let same =
            |entry: &&Entry| key.get(4..).is_some_and(|key| key.starts_with(entry.line.kind.as_bytes()));
        let Some(entry) = entries.clone().find(same).or_else(|| entries.next()) else {
            return Verdict::Unknown;
        };
        Verdict::Changed {
            file: entry.file.to_path_buf(),
            line: entry.number,
            kind: entry.line.kind.clone(),
            fingerprint: fingerprint(&entry.line.blob),
        }
    }

    /// Where a key is revoked for the host. A line about the name alone counts for all its ports.
    fn revoked(&self, name: &str, port: u16, key: &[u8]) -> Option<(PathBuf, usize)> {
        let listed = self.revoked.iter().find(|(_, _, revoked)| revoked == key);
        if let Some((file, line, _)) = listed {
            return Some((file.to_path_buf(), *line));
        }
        lookups(name, port).iter().find_map(|name| {
            let entry = self.about(name, Marker::Revoked).find(|entry| entry.line.blob == key)?;
            Some((entry.file.to_path_buf(), entry.number))
        })
    }

    fn about<'s>(&'s self, name: &'s str, marker: Marker) -> impl Iterator<Item = &'s Entry> + Clone {
        self.entries.iter().filter(move |entry| entry.line.marker == marker && entry.line.names.matches(name))
    }
}

/// What stands in the files for a host and a port.
fn lookup(name: &str, port: u16) -> String {
    let name = name.to_ascii_lowercase();
    if port == 22 { name } else { format!("[{name}]:{port}") }
}

/// What to look for, in this order.
fn lookups(name: &str, port: u16) -> Vec<String> {
    let mut names = vec![lookup(name, port)];
    if port != 22 {
        names.push(lookup(name, 22));
    }
    names
}

/// A key as it travels; empty, and so like no other, for one that cannot be written.
fn blob(key: &PublicKey) -> Vec<u8> {
    key.to_bytes().unwrap_or_default()
}

fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", Base64Unpadded::encode_string(&Sha256::digest(blob)))
}

/// Lines with their numbers. Comments may be in any encoding.
fn numbered(bytes: &[u8]) -> impl Iterator<Item = (usize, String)> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    lines.map(|(index, line)| (index + 1, String::from_utf8_lossy(line).into_owned()))
}

/// The bytes of a file; `None` where there is none.
fn contents(path: &Path) -> Result<Option<Vec<u8>>, KnownHostsError> {
    let failed = |source| KnownHostsError::Io { doing: "reading", path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(KnownHostsError::TooLarge { path: path.to_owned() });
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests;
