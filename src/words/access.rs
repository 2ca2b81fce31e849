//! What servers wait for that only a person can say.

use super::title::listed;
use crate::engine::{Request, State};
use crate::model::{Access, ServerName};

/// What becomes of a host key that is trusted or denied.
pub const HOST_KEYS: &str = "Nobody has vouched for it so far; a console that is reached over the same network proves nothing. What you trust is \
     written to the known hosts file. What you deny is not used: its server is not reached in this session.";
/// Where a secret is kept.
pub const SECRETS: &str = "It is kept in the memory of the runner only: it stands in no file, and is asked for again after a restart.";

/// What is asked for, in few words.
pub fn title(access: &Access) -> String {
    match access {
        Access::HostKey { host, kind, .. } => format!("host key of {host} ({kind})"),
        Access::Sudo { user, only: None } => format!("password of {user} (sudo)"),
        Access::Sudo { user, only: Some(server) } => format!("password of {user} on {server} (sudo)"),
        Access::Passphrase { key } => format!("passphrase of the key file {key}"),
    }
}

/// What it is for, in a sentence.
pub fn purpose(access: &Access) -> String {
    match access {
        Access::HostKey { .. } => {
            "On the server's own console, this must print the same fingerprint:".to_owned()
        }
        Access::Sudo { user, only: None } => {
            format!("The password by which {user} becomes root by sudo, on every server that asks for it.")
        }
        Access::Sudo { user, only: Some(server) } => format!(
            "The password by which {user} becomes root by sudo on {server}, which does not take the one for all."
        ),
        Access::Passphrase { key } => {
            format!("The passphrase that opens the key file {key} on this console.")
        }
    }
}

/// The command that shows a host key's fingerprint on its server. `None`: it is no host key.
pub fn verify(access: &Access) -> Option<String> {
    let Access::HostKey { kind, .. } = access else { return None };
    let name = if kind.contains("ed25519") {
        "ed25519"
    } else if kind.contains("ecdsa") {
        "ecdsa"
    } else {
        "rsa"
    };
    Some(format!("ssh-keygen -lf /etc/ssh/ssh_host_{name}_key.pub"))
}

/// Of a host key.
pub fn fingerprint(access: &Access) -> Option<&str> {
    match access {
        Access::HostKey { fingerprint, .. } => Some(fingerprint),
        Access::Sudo { .. } | Access::Passphrase { .. } => None,
    }
}

/// Who waits for it.
pub fn waiting(request: &Request) -> String {
    format!("waiting: {}", servers(request.servers.iter()))
}

/// `s1, s2 wait`.
pub(super) fn wait(servers: &[ServerName]) -> String {
    let verb = if servers.len() == 1 { "waits" } else { "wait" };
    format!("{} {verb}", self::servers(servers.iter()))
}

fn servers<'a>(servers: impl Iterator<Item = &'a ServerName>) -> String {
    listed(&servers.map(ToString::to_string).collect::<Vec<_>>())
}

/// Everything that is waited for, a sentence each.
pub fn open(state: &State) -> impl Iterator<Item = String> {
    state.access.iter().map(|(access, request)| {
        let fingerprint = fingerprint(access).map(|print| format!(" {print}")).unwrap_or_default();
        let complaint =
            if request.complaint.is_empty() { String::new() } else { format!("; {}", request.complaint) };
        format!("{}{fingerprint}, {}{complaint}", title(access), waiting(request))
    })
}

/// What opens the way without a person.
pub fn without_a_person(access: &Access) -> &'static str {
    match access {
        Access::HostKey { .. } => {
            "compare the key, then have it in the known hosts file: `nofm inventory check`, or ssh to the server once"
        }
        Access::Sudo { .. } => {
            "allow it by a sudo rule without a password (NOPASSWD), or go on at a terminal: `nofm resume`"
        }
        Access::Passphrase { .. } => {
            "give the key to an ssh-agent (`ssh-add`), or go on at a terminal: `nofm resume`"
        }
    }
}
