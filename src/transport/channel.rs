//! One exec channel to a server: a fixed command line, bytes in, bytes out, an exit status.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use super::{LinkError, Local};

/// How the runner reaches one server. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Link {
    /// A process on this machine.
    Local(Arc<Local>),
}

impl Link {
    /// The server's name, as errors tell it.
    pub fn server(&self) -> &str {
        match self {
            Self::Local(local) => local.name(),
        }
    }

    /// Whether calls become root by `sudo -n` where the login is not root already.
    fn becomes_root(&self) -> bool {
        match self {
            Self::Local(local) => local.becomes_root(),
        }
    }

    pub(super) fn open(&self, doing: &'static str, call: &Call) -> Result<Channel, LinkError> {
        let argv = call.argv(self.becomes_root());
        match self {
            Self::Local(local) => local.open(&argv, call.ours),
        }
        .map_err(|source| LinkError::Unreachable {
            server: self.server().to_owned(),
            doing,
            why: source.to_string(),
        })
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

impl Call {
    /// The command line, the same for every call but for two words. The script follows over the input.
    fn argv(&self, becomes_root: bool) -> [String; 7] {
        let identity = if self.as_root && becomes_root { "root" } else { "plain" };
        ["sh", "-c", PRELUDE, "sh", identity, &self.seconds.to_string(), LOADER].map(str::to_owned)
    }
}

/// Becomes root and sets a limit of time where asked to, then goes on with the loader, `$3`. On one line and
/// without single quotes or exclamation marks, so that any login shell can be given it.
const PRELUDE: &str = "s=; t=; case $1:$(id -u) in root:0|plain:*) ;; *) s=\"sudo -n\";; esac; \
    case $2 in 0) ;; *) if timeout -k 1 9 true 2>/dev/null; then t=\"timeout -k 5 $2\"; fi;; esac; \
    exec $s $t sh -c \"$3\"";

/// Reads a marker `e`, a script `s` up to that marker, and a call `c`, then makes the call. Input that breaks off
/// runs nothing. `read` takes no byte too many, so what follows is left for the call.
const LOADER: &str = "IFS= read -r e || exit 90; s=; l=; n=$(printf \"\\n_\"); n=${n%_}; \
    while IFS= read -r l; do if [ \"$l\" = \"$e\" ]; then break; fi; s=$s$l$n; l=; done; \
    if [ \"$l\" = \"$e\" ] && IFS= read -r c; then eval \"$c\"; else exit 90; fi";

/// An open channel. Dropping it ends what runs only when the call was [`Call::ours`].
pub(super) struct Channel {
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    pub stderr: Box<dyn AsyncRead + Send + Unpin>,
    /// The exit status; 128 + N after signal N.
    pub exit: Pin<Box<dyn Future<Output = io::Result<i32>> + Send>>,
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
        let argv = call.argv(false);
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
