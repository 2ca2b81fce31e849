//! Servers behind OpenSSH: one connection a server, in this process, and on it a channel for every call.
//!
//! # Invariants
//! - A host key is taken only when a known hosts file or certificate authority vouches for it, or a person just did.
//!   A revoked or changed key ends the way to that server; no setting passes it.
//! - Everything that a server can make us wait for has a limit. Only a person is waited for without one, and never
//!   while a connection is held open for it.
//! - One connection a server and a jump host, used by all; lost ones are made again when the next call wants them,
//!   not more often than the growing pauses allow, and never more than a few dozen handshakes at once.
//! - A password goes over the input of `sudo` alone, after it asked with a prompt that no other program can know.
//!
//! # Limits
//! - Logins are by key: files, an agent, certificates of either. Passwords and one-time codes for the login itself
//!   are not given from here, nor are `ProxyCommand`, Kerberos and keys on a token without an agent.
//! - A server that allows fewer than three sessions a connection (`MaxSessions`) may be too few for us.

mod connect;
mod exec;
mod handshake;
mod known_hosts;
mod login;
mod settings;
mod shared;
mod sudo;

use std::sync::Arc;

use russh::keys::PublicKey;

use super::channel::{Call, Channel, Identity, command_line};
use super::words::shown;
use super::{LinkError, powershell};
use crate::inventory;
use crate::model::{Access, ServerName};
use crate::profile::Shell;

use connect::Connection;
pub use known_hosts::{CertificateVerdict, KnownHosts, KnownHostsError, Verdict, remember};
pub use settings::{Settings, SettingsError, Strict, resolve};
pub use shared::Shared;

/// How to run commands on a server over SSH.
#[derive(Debug)]
pub struct Ssh {
    name: ServerName,
    becomes_root: bool,
    shell: Shell,
    connection: Arc<Connection>,
}

/// Why there is no channel.
#[derive(Debug)]
enum Failure {
    /// Trying again may help.
    Passing(String),
    /// A connection that was there broke.
    Cut(String),
    /// It does not, until somebody changes something.
    Barred(String),
    /// A person can help: by vouching for `key`, or with a secret.
    Needs { access: Access, complaint: String, key: Option<Box<PublicKey>> },
}

impl Ssh {
    /// `shared` is one for all servers of a session. Nothing is connected yet.
    pub fn new(name: &ServerName, address: &str, ssh: &inventory::Ssh, shared: &Arc<Shared>) -> Self {
        Self {
            name: name.clone(),
            becomes_root: ssh.sudo,
            shell: Shell::Sh,
            connection: Connection::to(name, address, ssh, shared),
        }
    }

    /// The shell that runs what is sent: `sh`, unless it is said.
    #[must_use]
    pub fn with_shell(mut self, shell: Shell) -> Self {
        self.shell = shell;
        self
    }

    pub(super) fn shell(&self) -> Shell {
        self.shell
    }

    pub(super) fn name(&self) -> &str {
        self.name.as_str()
    }

    pub(super) async fn open(&self, doing: &'static str, call: &Call) -> Result<Channel, LinkError> {
        self.channel(call).await.map_err(|failure| {
            let server = self.name.to_string();
            match failure {
                Failure::Passing(why) => {
                    LinkError::Unreachable { server, doing, why: shown(why.as_bytes(), 600) }
                }
                Failure::Cut(why) => LinkError::Cut { server, doing, why: shown(why.as_bytes(), 600) },
                Failure::Barred(why) => LinkError::Barred { server, doing, why: shown(why.as_bytes(), 600) },
                Failure::Needs { access, .. } => {
                    LinkError::Barred { server, doing, why: format!("nobody gave the {access}") }
                }
            }
        })
    }

    async fn channel(&self, call: &Call) -> Result<Channel, Failure> {
        let live = self.connection.live().await?;
        if self.shell == Shell::PowerShell {
            // The login of an administrator has all rights from its beginning.
            live.exec(powershell::argv().join(" ")).await
        } else if call.as_root && self.becomes_root {
            self.connection.as_root(&live, call).await
        } else {
            live.exec(command_line(&call.argv(&Identity::Login))).await
        }
    }
}
