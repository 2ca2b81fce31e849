//! One exec channel to a server: a fixed command line, bytes in, bytes out, an exit status.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::process::ChildStdin;

use super::words::quoted;
use super::{LinkError, Local, Shared, Ssh};
use crate::inventory::{Reach, Server};
use crate::profile::Shell;

/// How the runner reaches one server. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Link {
    /// A process on this machine.
    Local(Arc<Local>),
    /// A channel of an SSH connection.
    Ssh(Arc<Ssh>),
}

impl Link {
    /// The way to a server of an inventory. Nothing is connected yet.
    ///
    /// # Errors
    /// Why there is none.
    pub fn to(server: &Server, shared: &Arc<Shared>) -> Result<Self, String> {
        match &server.reach {
            Reach::Local { root } => {
                let local = Local::new(server.name.as_str(), root.as_deref());
                Ok(Self::Local(local.with_shell(server.shell()).into()))
            }
            Reach::Ssh(ssh) => {
                let ssh = Ssh::new(&server.name, &server.address, ssh, shared);
                Ok(Self::Ssh(ssh.with_shell(server.shell()).into()))
            }
            Reach::None => Err(format!("{} has no shell (`transport = \"none\"`)", server.name)),
        }
    }

    /// The server's name, as errors tell it.
    pub fn server(&self) -> &str {
        match self {
            Self::Local(local) => local.name(),
            Self::Ssh(ssh) => ssh.name(),
        }
    }

    /// The shell that runs what is sent there.
    pub fn shell(&self) -> Shell {
        match self {
            Self::Local(local) => local.shell(),
            Self::Ssh(ssh) => ssh.shell(),
        }
    }

    pub(super) async fn open(&self, doing: &'static str, call: &Call) -> Result<Channel, LinkError> {
        match self {
            Self::Local(local) => local.open(call).map_err(|source| LinkError::Unreachable {
                server: self.server().to_owned(),
                doing,
                why: source.to_string(),
            }),
            Self::Ssh(ssh) => ssh.open(doing, call).await,
        }
    }
}

/// What is asked of a channel before its input is sent.
pub(super) struct Call {
    /// As root, where the link becomes root at all.
    pub as_root: bool,
    /// Seconds after which the server itself ends the call, where it can; 0 for never.
    pub seconds: u64,
    /// Whether what runs is nothing but our own question, which may be ended when nobody waits any more.
    pub ours: bool,
}

/// As whom a call is made.
pub(super) enum Identity {
    /// As whoever logged in.
    Login,
    /// By `sudo -n` where the login is not root.
    Root,
    /// By `sudo`, which asks for the password with `prompt`; `begun` is printed once it has it.
    Password { prompt: String, begun: String },
}

impl Call {
    /// The command line, the same for every call but for a few words. The script follows over the input.
    pub(super) fn argv(&self, identity: &Identity) -> Vec<String> {
        let (identity, more) = match identity {
            Identity::Login => ("plain", Vec::new()),
            Identity::Root => ("root", Vec::new()),
            Identity::Password { prompt, begun } => {
                ("asked", vec![prompt.clone(), format!("echo {begun}; ")])
            }
        };
        let words = ["sh", "-c", PRELUDE, "sh", identity, &self.seconds.to_string(), LOADER];
        words.into_iter().map(str::to_owned).chain(more).collect()
    }
}

/// As one line for whatever shell the login has.
pub(super) fn command_line<S: AsRef<str>>(argv: &[S]) -> String {
    let words: Vec<String> = argv.iter().map(|word| quoted(word.as_ref())).collect();
    words.join(" ")
}

/// Becomes root and sets a limit of time where asked to, then goes on with the loader, `$3`. On one line and
/// without single quotes or exclamation marks, so that any login shell can be given it.
const PRELUDE: &str = "s=; t=; case $1:$(id -u) in *:0|plain:*) ;; asked:*) s=\"sudo -S -p $4\";; *) s=\"sudo -n\";; esac; \
    case $2 in 0) ;; *) if timeout -k 1 9 true 2>/dev/null; then t=\"timeout -k 5 $2\"; fi;; esac; \
    exec $s $t sh -c \"$5$3\"";

/// Reads a marker `e`, a script `s` up to that marker, and a call `c`, then makes the call. Input that breaks off
/// runs nothing. `read` takes no byte too many, so what follows is left for the call.
const LOADER: &str = "IFS= read -r e || exit 90; s=; l=; n=$(printf \"\\n_\"); n=${n%_}; \
    while IFS= read -r l; do if [ \"$l\" = \"$e\" ]; then break; fi; s=$s$l$n; l=; done; \
    if [ \"$l\" = \"$e\" ] && IFS= read -r c; then eval \"$c\"; else exit 90; fi";

/// An open channel. Dropping it ends what runs only when the call was [`Call::ours`].
pub(super) struct Channel {
    pub stdin: Box<dyn Inlet>,
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    pub stderr: Box<dyn AsyncRead + Send + Unpin>,
    /// The exit status; 128 + N after signal N.
    pub exit: Pin<Box<dyn Future<Output = io::Result<i32>> + Send>>,
}

/// The input of a channel.
pub(super) trait Inlet: AsyncWrite + Send + Unpin {
    /// Sends all of `piece`, which is not copied where that can be avoided.
    fn give(&mut self, piece: Bytes) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send + '_>>;
}

impl Inlet for ChildStdin {
    fn give(&mut self, piece: Bytes) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send + '_>> {
        Box::pin(async move { self.write_all(&piece).await })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::super::talk::envelope;
    use super::*;

    /// The exit status of the command line with this input, and what it printed.
    fn load(input: &str) -> (Option<i32>, String) {
        let call = Call { as_root: true, seconds: 0, ours: true };
        let argv = call.argv(&Identity::Login);
        let mut child = Command::new(&argv[0])
            .args(&argv[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh starts");
        child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    #[test]
    fn a_call_that_breaks_off_anywhere_runs_nothing() {
        let input = envelope("m1", "echo early\nf() { echo \"ran $1\"; cat; }", "eval \"$s\"; f it");
        for cut in 0..input.len() {
            assert_eq!(load(&input[..cut]), (Some(90), String::new()), "{:?}", &input[..cut]);
        }
        assert_eq!(load(&format!("{input}rest")), (Some(0), "early\nran it\nrest".to_owned()));
    }

    #[test]
    fn the_command_line_can_be_given_to_any_login_shell() {
        for text in [PRELUDE, LOADER] {
            assert!(!text.contains(['\'', '!', '\n']), "{text}");
        }
    }
}
