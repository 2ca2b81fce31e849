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
