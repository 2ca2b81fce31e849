//! Asking once for many hosts, where the configuration cannot tell them apart.
//!
//! `ssh -v -G` names the files it read. When none of them holds a word that could make a difference between two hosts,
//! the answer for one is that for the other, but for the name of the host. Whatever is not surely so is asked anew.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::fs::File;
use tokio::io::AsyncReadExt as _;

use super::SettingsError;
use super::config::Config;
use super::console::{Console, SAID, Wanted};

/// How long an answer counts for other hosts: the servers of a session are asked for together, and the configuration
/// may change later.
const FRESH: Duration = Duration::from_secs(10);

/// The longest file that is looked through, in bytes.
const FILE: u64 = 256 << 10;

/// What `ssh` says before the name of a file. It tells no more than 200 bytes of a name.
const READING: &str = "debug1: Reading configuration data ";
const NAME: usize = 200;

/// Everything but the host that a question is made of.
#[derive(PartialEq, Eq, Hash)]
struct Question {
    program: PathBuf,
    file: Option<PathBuf>,
    port: Option<u16>,
    user: Option<String>,
    direct: bool,
}

/// When it was asked, and the answer, where that is the same for all hosts.
type Answer = Option<(Instant, Option<Config>)>;

static KNOWN: LazyLock<Mutex<HashMap<Question, Arc<tokio::sync::Mutex<Answer>>>>> =
    LazyLock::new(Mutex::default);

impl Console {
    /// The configuration for one host, from the user's own file or from `file`.
    pub(super) async fn ask(
        &self,
        wanted: &Wanted<'_>,
        file: Option<&Path>,
    ) -> Result<Config, SettingsError> {
        let Some(host) = printed(wanted.host) else { return Ok(self.ask_anew(wanted, file, false).await?.0) };
        let question = Question {
            program: self.program.clone(),
            file: file.map(Path::to_owned),
            port: wanted.port,
            user: wanted.user.map(str::to_owned),
            direct: wanted.direct,
        };
        let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).entry(question).or_default().clone();
        // Held while one asks, so that the others who came meanwhile wait for what it learns.
        let mut known = known.lock().await;
        match &*known {
            Some((at, Some(config))) if at.elapsed() < FRESH => Ok(Config { host, ..config.clone() }),
            Some((at, None)) if at.elapsed() < FRESH => {
                drop(known);
                Ok(self.ask_anew(wanted, file, false).await?.0)
            }
            _ => {
                let asked = self.ask_anew(wanted, file, true).await;
                let same = match &asked {
                    Ok((config, said)) => config.host == host && cannot_tell_hosts_apart(said).await,
                    Err(_) => false,
                };
                let config = asked.as_ref().ok().filter(|_| same).map(|(config, _)| config.clone());
                *known = Some((Instant::now(), config));
                drop(known);
                match asked {
                    // What went wrong is to be told without all that it read before.
                    Err(SettingsError::Failed { .. }) => Ok(self.ask_anew(wanted, file, false).await?.0),
                    asked => Ok(asked?.0),
                }
            }
        }
    }
}

/// How `ssh` prints the name of a host that no configuration changes, where that is plain to see.
fn printed(host: &str) -> Option<String> {
    if host.parse::<Ipv4Addr>().is_ok_and(|address| address.to_string() == host) {
        return Some(host.to_owned());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    // Any other that is made of figures and dots is an address in another spelling, which `ssh` puts right.
    let is_name = host.len() < 256
        && host.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !host.ends_with('.')
        && host.contains(|c: char| c.is_ascii_alphabetic())
        && host.chars().all(plain);
    is_name.then(|| host.to_ascii_lowercase())
}

/// Whether that is so for all files that `ssh` says it read.
async fn cannot_tell_hosts_apart(said: &[u8]) -> bool {
    if said.len() as u64 >= SAID {
        return false;
    }
    let said = String::from_utf8_lossy(said);
    let mut files: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix(READING)).collect();
    files.sort_unstable();
    files.dedup();
    for file in &files {
        if file.len() >= NAME || !is_uniform_file(Path::new(file)).await {
            return false;
        }
    }
    // Where it names none it may say so in other words.
    !files.is_empty()
}

async fn is_uniform_file(path: &Path) -> bool {
    if path == Path::new("/dev/null") {
        return true;
    }
    let read = async {
        // Others may never end, or never begin.
        if !tokio::fs::metadata(path).await?.is_file() {
            return Err(std::io::ErrorKind::InvalidInput.into());
        }
        let mut text = String::new();
        File::open(path).await?.take(FILE).read_to_string(&mut text).await?;
        Ok::<_, std::io::Error>(text)
    };
    read.await.is_ok_and(|text| (text.len() as u64) < FILE && text.lines().all(is_uniform))
}

/// Whether a line of a configuration means the same for every host.
fn is_uniform(line: &str) -> bool {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return true;
    }
    let end = line.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    if !rest.starts_with(|c: char| c.is_whitespace() || c == '=') {
        return false;
    }
    let rest = rest.trim_start();
    let value = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    match keyword.to_ascii_lowercase().as_str() {
        "host" => value == "*",
        // A jump host is not reached through itself, and `ssh` refuses to.
        "match" | "hostname" | "proxyjump" => false,
        // Nobody here reads it, and most of those who set it put the host in.
        "controlpath" => true,
        keyword => !keyword.starts_with("canonical") && !value.contains('%'),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// The real `ssh`, which counts how often it is asked.
    struct Counted {
        folder: tempfile::TempDir,
        console: Console,
    }

    impl Counted {
        fn new(config: &str) -> Self {
            let folder = tempfile::Builder::new().prefix("a home ").tempdir().unwrap();
            let here = folder.path().display();
            let program = folder.path().join("ssh");
            fs::write(&program, format!("#!/bin/sh\necho >>'{here}/count'\nexec ssh \"$@\"\n")).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            let config = config.replace("HERE", &here.to_string());
            fs::write(folder.path().join("config"), config).unwrap();
            Self { folder, console: Console { program, ..Console::here().unwrap() } }
        }

        fn config(&self) -> PathBuf {
            self.folder.path().join("config")
        }

        /// How often it was asked for all of `hosts`, each of which must get its own answer.
        async fn asked(&self, hosts: &[&str]) -> usize {
            let file = self.config();
            let mut expected = Vec::new();
            for host in hosts {
                let wanted = Wanted { host, port: Some(2222), user: None, direct: false };
                expected
                    .push(self.console.ask_anew(&wanted, Some(&file), false).await.map(|(it, _)| it).ok());
            }
            fs::write(self.folder.path().join("count"), "").unwrap();
            for (host, expected) in hosts.iter().zip(expected) {
                let wanted = Wanted { host, port: Some(2222), user: None, direct: false };
                assert_eq!(self.console.ask(&wanted, Some(&file)).await.ok(), expected, "{host}");
            }
            fs::read_to_string(self.folder.path().join("count")).unwrap().lines().count()
        }
    }

    const HOSTS: &[&str] = &["ums-1", "UMS-2.Example", "10.0.0.1", "3com", "b"];

    #[tokio::test]
    async fn one_answer_is_for_all_where_nothing_tells_hosts_apart() {
        for config in [
            "",
            "# Host a\n\n  User me\nPort=2200\n IdentityFile \"HERE/a key\"\nHost *\n\tConnectTimeout 3\n",
            "host = *\n ControlPath ~/.ssh/%r@%h:%p\n ProxyCommand nc gate 22\n HostKeyAlias farm\n",
            "Include \"HERE/part*\"\n",
        ] {
            let ssh = Counted::new(config);
            fs::write(ssh.folder.path().join("part-1"), "Host *\nUser you\nUserKnownHostsFile ~/k\n")
                .unwrap();
            assert_eq!(ssh.asked(HOSTS).await, 1, "{config}");
            // Other spellings of an address are for `ssh` to put right.
            assert_eq!(ssh.asked(&["10.1", "fe80::1", "::0001"]).await, 3, "{config}");
        }
    }

    #[tokio::test]
    async fn every_host_is_asked_for_where_something_may_tell_them_apart() {
        for config in [
            "Host ums-1\n User me\n",
            "Host * !b\n User me\n",
            "Host *\nHost ums-?\n Port 3\n",
            "Match host b\n User me\n",
            "Match all\n User me\n",
            "HostName %h.example\n",
            "ProxyJump b\n",
            "ProxyCommand nc %h %p\n",
            "IdentityFile \"HERE/%n\"\n",
            "CanonicalizeHostname yes\nCanonicalDomains example\n",
            "\"Host\" b\n User me\n",
            "Include \"HERE/part*\"\n",
        ] {
            let ssh = Counted::new(config);
            fs::write(ssh.folder.path().join("part-1"), "Host ums-1\nUser you\n").unwrap();
            assert!(ssh.asked(HOSTS).await >= HOSTS.len(), "{config}");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_is_told_as_if_nothing_was_known() {
        let ssh = Counted::new("NoSuchWord yes\n");
        let ask = async || {
            let wanted = Wanted { host: "a", port: None, user: None, direct: false };
            ssh.console.ask(&wanted, Some(&ssh.config())).await
        };
        for _ in 0..2 {
            let error = ask().await.unwrap_err().to_string();
            assert!(error.contains("line 1") && !error.contains("debug1"), "{error}");
        }
        // Once it is mended, whatever was learned before does not stand in the way.
        fs::write(ssh.config(), "User me\n").unwrap();
        assert_eq!(ask().await.unwrap().user, "me");
    }
}
