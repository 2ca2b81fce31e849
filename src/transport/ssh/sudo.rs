//! Becoming root on a server where the login is not root.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::Failure;
use super::connect::{Connection, Live};
use crate::model::Access;
use crate::transport::channel::{Call, Channel, Identity, command_line};
use crate::transport::door::Secret;
use crate::transport::talk::marker;
use crate::transport::words::shown;

/// How long sudo may take to ask, and to look at a password: after a wrong one it rests some seconds.
const LIMIT: Duration = Duration::from_secs(30);
/// Bytes read of what the login and sudo print meanwhile.
const SAID: usize = 64 * 1024;

/// Whether the very thing that calls do works: a shell as root.
const LOOK: &str = "LC_ALL=C; export LC_ALL; case $(id -u) in 0) echo nofm-root;; \
    *) if s=$(sudo -n sh -c : 2>&1 </dev/null); then echo nofm-root; else echo \"nofm-no $s\"; fi;; esac";

/// How calls become root on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The login is root, or sudo asks for nothing.
    Free,
    Password,
    /// Not at all; why.
    Closed(String),
}

/// What came of a call that sudo asks a password for.
enum Asked {
    Root(Channel),
    /// It was asked for again; what sudo said of the one it was given.
    Again(String),
}

impl Connection {
    /// Starts `call` as root: by the password that a person gave, where sudo wants one.
    pub(super) async fn as_root(&self, live: &Arc<Live>, call: &Call) -> Result<Channel, Failure> {
        match live.way_to_root().await? {
            Way::Free => live.exec(command_line(&call.argv(&Identity::Root))).await,
            Way::Password => self.by_password(live, call).await,
            Way::Closed(why) => Err(closed(&live.user, why)),
        }
    }

    async fn by_password(&self, live: &Arc<Live>, call: &Call) -> Result<Channel, Failure> {
        let all = Access::Sudo { user: live.user.clone(), only: None };
        let own = Access::Sudo { user: live.user.clone(), only: Some(self.name().clone()) };
        let mut complaint = String::new();
        loop {
            let found =
                [&own, &all].into_iter().find_map(|access| Some((access, self.shared.secret(access)?)));
            let Some((access, given)) = found else {
                self.satisfy(all.clone(), &complaint).await?;
                continue;
            };
            match ask(live, call, &given.secret).await? {
                Asked::Root(channel) => {
                    self.shared.judged(access, given.number, true);
                    return Ok(channel);
                }
                Asked::Again(said) => {
                    complaint = format!("{} did not take it: {said}", self.name());
                    // One that is good elsewhere is kept, and this server has one of its own.
                    if self.shared.judged(access, given.number, false) {
                        self.satisfy(own.clone(), &complaint).await?;
                    }
                }
            }
        }
    }
}

impl Live {
    /// Looked at once a connection.
    async fn way_to_root(self: &Arc<Self>) -> Result<&Way, Failure> {
        self.root
            .get_or_try_init(async || {
                let channel = self.exec(command_line(&["sh", "-c", LOOK])).await?;
                let said = timeout(LIMIT, all_of(channel)).await.map_err(|_| {
                    Failure::Passing(format!("sudo gave no answer within {} s", LIMIT.as_secs()))
                })??;
                way(&said).ok_or_else(|| {
                    Failure::Passing(format!("asked about sudo, it said: {}", shown(said.as_bytes(), 200)))
                })
            })
            .await
    }
}

/// What [`LOOK`] said, past anything that the login prints.
fn way(said: &str) -> Option<Way> {
    let line = said.lines().find(|line| line.starts_with("nofm-"))?;
    if line == "nofm-root" {
        return Some(Way::Free);
    }
    let from = said.find("nofm-no ")? + "nofm-no ".len();
    let why = said[from..].trim();
    Some(if why.contains("password is required") { Way::Password } else { Way::Closed(why.to_owned()) })
}

fn closed(user: &str, why: &str) -> Failure {
    Failure::Barred(format!(
        "{user} cannot become root: {why}; let sudo run commands for this user, log in as root, or write \
         `sudo = false` where the product needs no root"
    ))
}

async fn all_of(mut channel: Channel) -> Result<String, Failure> {
    let broken = |error: std::io::Error| Failure::Cut(error.to_string());
    channel.stdin.shutdown().await.map_err(broken)?;
    let mut said = Vec::new();
    let mut out = (&mut channel.stdout).take(SAID as u64);
    out.read_to_end(&mut said).await.map_err(broken)?;
    if said.is_empty() {
        channel.exit.await.map_err(broken)?;
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// Starts a call, and gives sudo the password once it asks for it with our own prompt. Nothing else ever sees it.
async fn ask(live: &Arc<Live>, call: &Call, secret: &Secret) -> Result<Asked, Failure> {
    let word = marker();
    let (prompt, begun) = (format!("nofm-{word}:"), format!("nofm-go-{word}\n"));
    let identity = Identity::Password { prompt: prompt.clone(), begun: begun.trim_end().to_owned() };
    let mut channel = live.exec(command_line(&call.argv(&identity))).await?;
    let broken = |error: std::io::Error| Failure::Cut(error.to_string());
    let (mut out, mut err, mut given) = (Vec::new(), Vec::new(), false);
    let talk = async {
        loop {
            let room = SAID.saturating_sub(out.len() + err.len());
            let (mut from_out, mut from_err) = ([0; 4096], [0; 4096]);
            let (read, ended) = tokio::select! {
                read = channel.stdout.read(&mut from_out) => {
                    let read = read.map_err(broken)?;
                    out.extend_from_slice(&from_out[..read]);
                    (read, read == 0)
                }
                read = channel.stderr.read(&mut from_err) => {
                    let read = read.map_err(broken)?;
                    err.extend_from_slice(&from_err[..read]);
                    (read, read == 0)
                }
            };
            if let Some(at) = find(&out, begun.as_bytes()) {
                out.drain(..at + begun.len());
                return Ok(None);
            }
            if let Some(at) = find(&err, prompt.as_bytes()) {
                let before = shown(&err[..at], 200);
                err.drain(..at + prompt.len());
                if given {
                    return Ok(Some(before));
                }
                given = true;
                let line = Zeroizing::new(format!("{}\n", secret.expose()));
                channel.stdin.write_all(line.as_bytes()).await.map_err(broken)?;
                channel.stdin.flush().await.map_err(broken)?;
                continue;
            }
            if ended || read > room {
                // What it prints next to the login's own words is why it ended.
                return Err(closed(&live.user, &shown(&err, 300)));
            }
        }
    };
    match timeout(LIMIT, talk).await {
        Ok(Ok(None)) => {}
        Ok(Ok(Some(said))) => return Ok(Asked::Again(said)),
        Ok(Err(failure)) => return Err(failure),
        Err(_) => return Err(Failure::Passing(format!("sudo gave no answer within {} s", LIMIT.as_secs()))),
    }
    channel.stdout = Box::new(std::io::Cursor::new(out).chain(channel.stdout));
    Ok(Asked::Root(channel))
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sudo_says_decides_the_way() {
        assert_eq!(way("Welcome!\nnofm-root\n"), Some(Way::Free));
        assert_eq!(way("nofm-no sudo: a password is required\n"), Some(Way::Password));
        let no = "nofm-no sh: 1: sudo: not found\n";
        assert_eq!(way(no), Some(Way::Closed("sh: 1: sudo: not found".to_owned())));
        assert_eq!(way("This account is not available.\n"), None);
    }
}
