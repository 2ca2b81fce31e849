//! What `ssh -G` prints, read. Nothing here asks the system for anything.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Strict;
use crate::inventory::Hop;

/// The configuration of one host. Paths are as they are printed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) keys: Vec<String>,
    pub(super) certificates: Vec<String>,
    pub(super) only_keys: bool,
    /// `None`: not said, which is the usual one.
    pub(super) agent: Option<String>,
    pub(super) alias: Option<String>,
    pub(super) user_files: Vec<String>,
    pub(super) global_files: Vec<String>,
    pub(super) revoked: Option<String>,
    pub(super) hash_new: bool,
    pub(super) strict: Strict,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) jump: Vec<Hop>,
    pub(super) proxy_command: Option<String>,
}

impl Config {
    /// Where there is no configuration to be read.
    pub(super) fn usual(host: &str, port: Option<u16>, user: &str) -> Self {
        let keys = ["id_ed25519", "id_ecdsa", "id_rsa"];
        Self {
            host: host.to_ascii_lowercase(),
            port: port.unwrap_or(22),
            user: user.to_owned(),
            keys: keys.iter().map(|name| format!("~/.ssh/{name}")).collect(),
            user_files: vec!["~/.ssh/known_hosts".to_owned()],
            global_files: vec!["/etc/ssh/ssh_known_hosts".to_owned()],
            ..Self::default()
        }
    }

    /// Reads lines of `key value`; keys that are not known are for others.
    ///
    /// # Errors
    /// What is missing or makes no sense.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut config = Self::default();
        for line in text.lines() {
            let Some((key, value)) = line.split_once(' ') else { continue };
            let said = || Some(value.to_owned()).filter(|value| value != "none");
            match key {
                "hostname" => value.clone_into(&mut config.host),
                "user" => value.clone_into(&mut config.user),
                "port" => config.port = value.parse().unwrap_or(0),
                "identityfile" => config.keys.extend(said()),
                "certificatefile" => config.certificates.extend(said()),
                "identitiesonly" => config.only_keys = value == "yes",
                "identityagent" => config.agent = Some(value.to_owned()),
                "hostkeyalias" => config.alias = said(),
                "userknownhostsfile" => config.user_files = files(value),
                "globalknownhostsfile" => config.global_files = files(value),
                "revokedhostkeys" => config.revoked = said(),
                "hashknownhosts" => config.hash_new = value == "yes",
                "stricthostkeychecking" => config.strict = strict(value),
                "connecttimeout" => config.connect_timeout = value.parse().ok().map(Duration::from_secs),
                "proxyjump" => {
                    config.jump = said().map(|value| hops(&value)).transpose()?.unwrap_or_default();
                }
                "proxycommand" => config.proxy_command = said(),
                _ => {}
            }
        }
        let missing = if config.host.is_empty() || config.host.starts_with('-') {
            "no `hostname`"
        } else if config.port == 0 {
            "no `port`"
        } else if config.user.is_empty() {
            "no `user`"
        } else {
            return Ok(config);
        };
        Err(missing.to_owned())
    }
}

fn strict(word: &str) -> Strict {
    match word {
        "yes" | "true" => Strict::Refuse,
        // "no" would go on with a host whose key has changed. nofm types passwords there and becomes root: a new host
        // is taken as the configuration says, a changed one never.
        "accept-new" | "no" | "off" | "false" => Strict::AcceptNew,
        _ => Strict::Ask,
    }
}

/// Paths with spaces between, and in them: nothing is quoted. A path begins at the root or the home.
fn files(value: &str) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for word in value.split(' ') {
        match files.last_mut() {
            Some(last) if !word.starts_with(['/', '~', '$', '%']) => {
                last.push(' ');
                last.push_str(word);
            }
            _ => files.push(word.to_owned()),
        }
    }
    files.retain(|file| file != "none" && !file.is_empty());
    files
}

fn hops(value: &str) -> Result<Vec<Hop>, String> {
    let hop = |hop: &str| Hop::parse(hop.trim().trim_start_matches("ssh://").trim_end_matches('/'));
    value.split(',').map(hop).collect()
}

/// What stands behind `%` in the configuration.
pub(super) struct Tokens<'t> {
    pub(super) home: &'t Path,
    /// Who runs nofm.
    pub(super) local_user: &'t str,
    /// The host as it was asked for.
    pub(super) original: &'t str,
    pub(super) config: &'t Config,
}

impl Tokens<'_> {
    /// A path of the configuration; `None` where it cannot be told.
    pub(super) fn path(&self, text: &str) -> Option<PathBuf> {
        let text = self.text(text).filter(|text| !text.is_empty())?;
        match text.strip_prefix("~/") {
            Some(rest) => Some(self.home.join(rest)),
            None => (!text.starts_with('~')).then(|| PathBuf::from(text)),
        }
    }

    /// `text` with everything put in.
    pub(super) fn text(&self, text: &str) -> Option<String> {
        let mut out = String::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c == '%' {
                match chars.next()? {
                    '%' => out.push('%'),
                    'd' => out.push_str(self.home.to_str()?),
                    'h' => out.push_str(&self.config.host),
                    'i' => out.push_str(&rustix::process::getuid().as_raw().to_string()),
                    'k' => out.push_str(self.config.alias.as_deref().unwrap_or(self.original)),
                    'n' => out.push_str(self.original),
                    'p' => out.push_str(&self.config.port.to_string()),
                    'r' => out.push_str(&self.config.user),
                    'u' => out.push_str(self.local_user),
                    _ => return None,
                }
            } else {
                out.push(c);
            }
        }
        Some(out)
    }
}
