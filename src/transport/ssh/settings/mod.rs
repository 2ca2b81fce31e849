//! How a server is reached: what the inventory says, and for the rest what the user's ssh configuration says.
//!
//! The configuration is read by `ssh` itself (`ssh -G`), since nobody else reads it as it does. Not
//! followed: `KnownHostsCommand`, `CheckHostIP`, and whatever else is not in [`Settings`].

mod config;
mod console;
mod uniform;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{Config, Tokens};
use console::{Console, Wanted};

use crate::inventory::Ssh;

/// More hosts on the way to one server are a mistake.
const HOPS_MAX: usize = 8;

/// What is done with a host that is not known yet. One that has changed is refused always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strict {
    #[default]
    Ask,
    AcceptNew,
    Refuse,
}

/// Everything that it takes to connect to one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub host: String,
    pub port: u16,
    pub user: String,
    /// Private keys in the order in which they are tried. Of some only the public half is there (`.pub`): an agent
    /// has the other.
    pub keys: Vec<PathBuf>,
    /// Certificates of the user, besides those that lie beside the keys.
    pub certificates: Vec<PathBuf>,
    /// Of the agent's keys only those that are among `keys` are tried.
    pub only_keys: bool,
    /// The agent's socket.
    pub agent: Option<PathBuf>,
    /// The name under which the host's key is known.
    pub known_as: String,
    /// The port with it: 22 where an alias stands for host and port together.
    pub known_port: u16,
    /// Files of known hosts; new ones are written into the first.
    pub known_hosts: Vec<PathBuf>,
    /// A list of keys that no host may have.
    pub revoked: Option<PathBuf>,
    /// New hosts are written down without their names.
    pub hash_new: bool,
    pub strict: Strict,
    pub connect_timeout: Option<Duration>,
    /// The hosts to go through, outermost first; they have no jumps of their own.
    pub jumps: Vec<Settings>,
    /// A command whose input and output are the connection to the first host. With jumps, that of the outermost
    /// counts.
    pub proxy_command: Option<String>,
}

/// Why it is not known how to reach a server.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("{address:?} is no address that can be reached over SSH")]
    Address { address: String },
    #[error("the private key `{}` is not there; see `key` in the inventory", path.display())]
    NoKey { path: PathBuf },
    #[error("`ssh` is not installed, and nothing else can read the ssh configuration `{}`", path.display())]
    NoProgram { path: PathBuf },
    #[error("`ssh -G {host}` cannot be started: {source}")]
    Start { host: String, source: io::Error },
    #[error("`ssh -G {host}` failed: {said}; mend the ssh configuration")]
    Failed { host: String, said: String },
    #[error("`ssh -G {host}` did not end within {} s; see what `Match exec` runs in the ssh configuration", after.as_secs())]
    TimedOut { host: String, after: Duration },
    #[error("`ssh -G {host}` printed what cannot be understood: {why}")]
    Odd { host: String, why: String },
    #[error(
        "the way to {address} leads through {hop} twice; see `jump` in the inventory and `ProxyJump` in the ssh configuration"
    )]
    Loop { address: String, hop: String },
    #[error(
        "the way to {address} leads through more than {HOPS_MAX} hosts; see `ProxyJump` in the ssh configuration"
    )]
    TooManyHops { address: String },
    #[error("it is not known who logs in to {host}; write `user` in the inventory")]
    NoUser { host: String },
    #[error("this user has no home folder; set HOME")]
    NoHome,
}

/// How the server at `address` is reached. Nothing is kept for longer than it takes to ask for a farm: the configuration
/// may change while nofm runs.
///
/// # Errors
/// Why that cannot be told.
pub async fn resolve(address: &str, ssh: &Ssh) -> Result<Settings, SettingsError> {
    Console::here()?.resolve(address, ssh).await
}

impl Console {
    async fn resolve(&self, address: &str, ssh: &Ssh) -> Result<Settings, SettingsError> {
        let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        let odd = |c: char| c.is_whitespace() || c.is_control() || "@/".contains(c);
        if bare.is_empty() || bare.starts_with('-') || bare.contains(odd) {
            return Err(SettingsError::Address { address: address.to_owned() });
        }
        let wanted =
            Wanted { host: bare, port: ssh.port, user: ssh.user.as_deref(), direct: ssh.jump.is_some() };
        let config = self.ask(&wanted, ssh.config.as_deref()).await?;
        let mut target = self.settings(&wanted, &config, ssh)?;
        if !ssh.key.is_empty() {
            target.keys = self.own_keys(ssh)?;
        }
        let jumps = self.way(&target, &config, ssh).await?;
        if !jumps.is_empty() {
            target.proxy_command = None;
        }
        Ok(Settings { jumps, ..target })
    }

    /// The hosts on the way to `target`. As with ssh, a list of hops says how each is reached from the one before, and
    /// only the first may lead further, by its own configuration.
    async fn way(
        &self,
        target: &Settings,
        config: &Config,
        ssh: &Ssh,
    ) -> Result<Vec<Settings>, SettingsError> {
        let mut way: Vec<Settings> = Vec::new();
        let mut hops = ssh.jump.clone().unwrap_or_else(|| config.jump.clone());
        let mut by_inventory = ssh.jump.is_some();
        while !hops.is_empty() {
            if way.len() + hops.len() > HOPS_MAX {
                return Err(SettingsError::TooManyHops { address: target.host.clone() });
            }
            let (mut before, mut part) = (Vec::new(), Vec::new());
            for (index, hop) in hops.iter().enumerate() {
                let direct = index > 0;
                let wanted = Wanted { host: &hop.host, port: hop.port, user: hop.user.as_deref(), direct };
                let config = self.ask(&wanted, ssh.config.as_deref()).await?;
                let mut settings = self.settings(&wanted, &config, ssh)?;
                if by_inventory && !ssh.key.is_empty() {
                    // What the inventory names by itself can be reached without any configuration.
                    let own = self.own_keys(ssh)?;
                    settings.keys.retain(|key| !own.contains(key));
                    settings.keys.splice(0..0, own);
                }
                let is = |other: &Settings| same(other, &settings);
                if is(target) || way.iter().chain(&part).any(is) {
                    let hop = format!("{}:{}", settings.host, settings.port);
                    return Err(SettingsError::Loop { address: target.host.clone(), hop });
                }
                if index == 0 {
                    before = config.jump;
                }
                part.push(settings);
            }
            if let Some(first) = part.first_mut().filter(|_| !before.is_empty()) {
                first.proxy_command = None;
            }
            part.append(&mut way);
            way = part;
            hops = before;
            by_inventory = false;
        }
        Ok(way)
    }

    /// What a configuration comes to on this machine.
    fn settings(&self, wanted: &Wanted<'_>, config: &Config, ssh: &Ssh) -> Result<Settings, SettingsError> {
        let tokens = Tokens { home: &self.home, local_user: &self.user, original: wanted.host, config };
        let paths = |files: &[String]| -> Vec<PathBuf> {
            files.iter().filter_map(|file| tokens.path(&variables(file))).collect()
        };
        let there = |files: &[String]| -> Vec<PathBuf> {
            paths(files).into_iter().filter(|path| is_there(path)).collect()
        };
        let mut known_hosts = match &ssh.known_hosts {
            Some(file) => vec![self.file(file)],
            None => paths(&config.user_files),
        };
        known_hosts.extend(paths(&config.global_files));
        let proxy_command = match config.proxy_command.as_deref().filter(|_| !wanted.direct) {
            Some(command) => Some(tokens.text(command).ok_or_else(|| SettingsError::Odd {
                host: wanted.host.to_owned(),
                why: format!("`ProxyCommand {}`", command.escape_debug()),
            })?),
            None => None,
        };
        let agent = match config.agent.as_deref() {
            None | Some("SSH_AUTH_SOCK") => self.agent.clone(),
            Some("none") => None,
            Some(path) => tokens.path(&variables(path)),
        };
        Ok(Settings {
            host: config.host.clone(),
            port: config.port,
            user: config.user.clone(),
            keys: there(&config.keys),
            certificates: there(&config.certificates),
            only_keys: config.only_keys,
            agent,
            known_as: config.alias.clone().unwrap_or_else(|| config.host.clone()),
            known_port: if config.alias.is_some() { 22 } else { config.port },
            known_hosts,
            revoked: config.revoked.as_ref().and_then(|file| tokens.path(&variables(file))),
            hash_new: config.hash_new,
            strict: config.strict,
            connect_timeout: config.connect_timeout,
            jumps: Vec::new(),
            proxy_command,
        })
    }

    /// The keys that the inventory names.
    fn own_keys(&self, ssh: &Ssh) -> Result<Vec<PathBuf>, SettingsError> {
        let key = |path: &PathBuf| {
            let path = self.file(path);
            if is_there(&path) { Ok(path) } else { Err(SettingsError::NoKey { path }) }
        };
        ssh.key.iter().map(key).collect()
    }
}

/// Whether two are one and the same login.
fn same(one: &Settings, other: &Settings) -> bool {
    (&one.host, one.port, &one.user) == (&other.host, other.port, &other.user)
}

/// Whether a key is there, or its public half.
fn is_there(path: &Path) -> bool {
    let mut public = OsString::from(path);
    public.push(".pub");
    path.is_file() || Path::new(&public).is_file()
}

/// `text` with the variables of the environment put in: `${NAME}`, or `$NAME` alone.
fn variables(text: &str) -> String {
    let value = |name: &str| std::env::var(name).unwrap_or_default();
    if let Some(name) = text.strip_prefix('$').filter(|name| !name.starts_with('{')) {
        return value(name);
    }
    let mut parts = text.split("${");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        if let Some((name, rest)) = part.split_once('}') {
            out.push_str(&value(name));
            out.push_str(rest);
        } else {
            out.push_str("${");
            out.push_str(part);
        }
    }
    out
}

#[cfg(test)]
mod tests;
