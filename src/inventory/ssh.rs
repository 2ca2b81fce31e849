//! How servers are reached over SSH, as far as the inventory says it.

use std::path::{Path, PathBuf};

use super::parse::fault;
use crate::text::diagnostic::{Diagnostic, quoted};
use crate::text::toml::{Item, Table, Text};

/// How a server is reached over SSH, as far as the inventory says it; the rest comes from the user's ssh
/// configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ssh {
    pub user: Option<String>,
    pub port: Option<u16>,
    /// Files of private keys, in the order in which they are tried. A path that begins with `~/` is below the
    /// home of whoever runs nofm, which this room does not know. Empty: those of the configuration.
    pub key: Vec<PathBuf>,
    /// The hosts to go through, outermost first. `None`: those of the configuration. Empty: none, whatever the
    /// configuration says.
    pub jump: Option<Vec<Hop>>,
    /// Whether to become root by `sudo` where the login is another user.
    pub sudo: bool,
    /// The file of host keys, instead of the user's own.
    pub known_hosts: Option<PathBuf>,
    /// The ssh configuration, instead of the user's own.
    pub config: Option<PathBuf>,
    /// The folder of this machine that stands for the server's file system, where it is a stand-in behind an sshd
    /// of this machine: commands there name files by it.
    pub root: Option<PathBuf>,
}

impl Default for Ssh {
    fn default() -> Self {
        Self {
            user: None,
            port: None,
            key: Vec::new(),
            jump: None,
            sudo: true,
            known_hosts: None,
            config: None,
            root: None,
        }
    }
}

/// A host to go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    pub user: Option<String>,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: Option<u16>,
}

/// What a host may not hold: as an address, and neither brackets nor commas.
const SPECIAL_IN_HOST: &str = "'\"`$&|;<>(){}[]*?!~#\\/=,^@";

/// What a login may not hold. A backslash and an `@` may stand between a domain and its user.
const SPECIAL_IN_USER: &str = ":'\"`$&|;<>(){}[]*?!~#/=,%^";

const HOP_HELP: &str = "write `host`, `user@host`, `host:2222` or `[fe80::1]:2222`; several with commas between, \
                        outermost first";

impl Hop {
    /// Reads `[user@]host[:port]`, where an IPv6 address stands in brackets.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let broken = || format!("{} is no jump host", quoted(text));
        let (user, rest) = text.rsplit_once('@').map_or((None, text), |(user, rest)| (Some(user), rest));
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => match rest.split_once(']').ok_or_else(broken)? {
                (host, "") => (host, None),
                (host, after) => (host, Some(after.strip_prefix(':').ok_or_else(broken)?)),
            },
            None if rest.matches(':').count() > 1 => {
                return Err(format!("the jump host {} is an IPv6 address without brackets", quoted(text)));
            }
            None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
        };
        let wrong = fault(host, "jump host", SPECIAL_IN_HOST)
            .or_else(|| user.and_then(|user| fault(user, "user", SPECIAL_IN_USER)));
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        let port = port.map(|port| {
            let number = port.bytes().all(|b| b.is_ascii_digit()).then(|| port.parse().ok()).flatten();
            number.filter(|port| *port != 0).ok_or_else(|| format!("{} is no port", quoted(port)))
        });
        Ok(Self { user: user.map(str::to_owned), host: host.to_owned(), port: port.transpose()? })
    }
}

/// What may stand at each server, and in `[ssh]` for all of them.
#[derive(Default)]
pub(super) struct Login {
    user: Option<String>,
    port: Option<u16>,
    key: Option<Vec<PathBuf>>,
    jump: Option<Vec<Hop>>,
    sudo: Option<bool>,
}

impl Login {
    pub(super) fn read(table: &Table<'_>, base: &Path) -> Self {
        Self {
            user: table.get("user").and_then(|item| user(&item)),
            port: table.get("port").and_then(|item| {
                let port = item.whole_number(1..i64::from(u16::MAX) + 1)?;
                u16::try_from(port).ok()
            }),
            key: table.get("key").map(|item| keys(&item, base)),
            jump: table.get("jump").map(|item| jump(&item)),
            sudo: table.get("sudo").map(|item| item.yes_no()),
        }
    }

    /// Reports what was written about a login where there is none: the server has `transport`.
    pub(super) fn refuse(table: &Table<'_>, transport: &str) {
        for item in ["user", "port", "key", "jump", "sudo"].into_iter().filter_map(|key| table.get(key)) {
            let message =
                format!("`{}` is for SSH, and this server has `transport = \"{transport}\"`", item.key());
            table.doc().report(
                Diagnostic::new(item.key_span(), message).help("take it out, or write `transport = \"ssh\"`"),
            );
        }
    }
}

/// The table `[ssh]`.
#[derive(Default)]
pub(super) struct Defaults {
    login: Login,
    known_hosts: Option<PathBuf>,
    config: Option<PathBuf>,
}

impl Defaults {
    pub(super) fn read(table: Table<'_>, base: &Path) -> Self {
        let file = |key| {
            let text = table.get(key).and_then(|item| item.text())?;
            path(&text, base)
        };
        let defaults = Self {
            known_hosts: file("known-hosts"),
            config: file("config"),
            login: Login::read(&table, base),
        };
        table.finish();
        defaults
    }

    /// How a server is reached that says `login` of itself.
    pub(super) fn with(&self, login: Login) -> Ssh {
        let all = &self.login;
        Ssh {
            user: login.user.or_else(|| all.user.clone()),
            port: login.port.or(all.port),
            key: login.key.or_else(|| all.key.clone()).unwrap_or_default(),
            jump: login.jump.or_else(|| all.jump.clone()),
            sudo: login.sudo.or(all.sudo).unwrap_or(true),
            known_hosts: self.known_hosts.clone(),
            config: self.config.clone(),
            root: None,
        }
    }
}

fn user(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    match fault(text.as_str(), "user", SPECIAL_IN_USER) {
        Some(message) => text.report(message, "write the name as `id -un` prints it on the server"),
        None => return Some(text.as_str().to_owned()),
    }
    None
}

/// One text or a list of them.
fn one_or_more<'d>(item: &Item<'d>, expected: &str) -> Vec<Text<'d>> {
    if item.is_text() {
        item.text().into_iter().collect()
    } else if item.value().is_array() {
        item.texts()
    } else {
        item.expected(expected);
        Vec::new()
    }
}

fn keys(item: &Item<'_>, base: &Path) -> Vec<PathBuf> {
    one_or_more(item, "the file of a private key, or a list of them")
        .iter()
        .filter_map(|text| path(text, base))
        .collect()
}

/// A file below `base`, below the home, or anywhere.
fn path(text: &Text<'_>, base: &Path) -> Option<PathBuf> {
    let path = text.as_str();
    if path.is_empty() || path.chars().any(char::is_control) {
        text.report(format!("{} is no file", quoted(path)), "write its path");
        return None;
    }
    if path.starts_with("~/") {
        return Some(PathBuf::from(path));
    }
    if path.starts_with('~') {
        text.report(
            format!("{} is in the home of somebody else", quoted(path)),
            "write the whole path; `~/` is your own home",
        );
        return None;
    }
    Some(base.join(path))
}

fn jump(item: &Item<'_>) -> Vec<Hop> {
    let texts = one_or_more(item, "a jump host, or a list of them");
    if item.value().is_array() && texts.is_empty() {
        item.doc().report(
            Diagnostic::new(item.span(), "the list of jump hosts is empty")
                .help("write `jump = \"none\"` to go through none"),
        );
    }
    let mut hops = Vec::new();
    for text in &texts {
        if text.as_str() == "none" && texts.len() == 1 {
            return Vec::new();
        }
        let mut at = 0;
        for part in text.as_str().split(',') {
            let hop = if part.trim() == "none" {
                Err("`none` stands by itself".to_owned())
            } else {
                Hop::parse(part.trim())
            };
            match hop {
                Ok(hop) => hops.push(hop),
                Err(message) => {
                    let start = at + part.len() - part.trim_start().len();
                    let problem = Diagnostic::new(text.at(start..at + part.len()), message);
                    text.doc().report(problem.help(HOP_HELP));
                }
            }
            at += part.len() + 1;
        }
    }
    hops
}
