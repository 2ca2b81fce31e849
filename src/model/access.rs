//! What a server asks of a person before it can be used.

use std::fmt;

use super::ServerName;

/// A word that only a person can give. Holds no secret itself: it names one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Whether a host key that nobody has vouched for is the right one.
    HostKey {
        /// As known hosts files write it: `ums-1`, `[10.0.0.1]:2222`.
        host: String,
        /// `ssh-ed25519`, `ecdsa-sha2-nistp256`, …
        kind: String,
        /// `SHA256:…`, as `ssh-keygen -l` prints it.
        fingerprint: String,
    },
    /// The password by which `user` becomes root: everywhere, or on one server that did not take the one for all.
    Sudo { user: String, only: Option<ServerName> },
    /// The passphrase of a key file on this console.
    Passphrase { key: String },
}

impl Access {
    /// Whether it is answered with a secret, rather than with yes or no.
    pub fn is_secret(&self) -> bool {
        !matches!(self, Self::HostKey { .. })
    }
}

impl fmt::Display for Access {
    /// One line for logs; faces have words of their own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostKey { host, kind, fingerprint } => {
                write!(f, "host key of {host}: {kind} {fingerprint}")
            }
            Self::Sudo { user, only: None } => write!(f, "sudo password of {user}"),
            Self::Sudo { user, only: Some(server) } => write!(f, "sudo password of {user} on {server}"),
            Self::Passphrase { key } => write!(f, "passphrase of {key}"),
        }
    }
}
