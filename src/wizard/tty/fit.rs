//! Whether there is a terminal that can carry the full screen.

use std::os::fd::{AsFd as _, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::isatty;

use super::job;
use crate::wizard::look::Env;

/// Why the full screen cannot be shown here. Said in one line, before the plain face begins.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unfit {
    #[error("standard {0} is not a terminal")]
    NotATerminal(&'static str),
    #[error("TERM is not set, so it is not known what the terminal can do")]
    NoTerm,
    #[error("TERM={0} names a terminal that cannot place text")]
    Dumb(String),
    #[error("the terminal cannot be opened: {0}")]
    Closed(Errno),
}

/// A terminal that the full screen can be shown on.
#[derive(Debug)]
pub struct Terminal {
    pub(super) fd: OwnedFd,
}

impl Terminal {
    /// The terminal this program was started at.
    ///
    /// # Errors
    /// When there is none, or none that is fit.
    pub fn find(env: &Env) -> Result<Self, Unfit> {
        judge(env, isatty(rustix::stdio::stdin()), isatty(rustix::stdio::stdout()))?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        // Everybody may open `/dev/tty`; the device itself belongs to who logged in there, also after `su`.
        let path = if job::is_controlling() { "/dev/tty" } else { "/proc/self/fd/0" };
        let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(Unfit::Closed)?;
        Self::on(fd)
    }

    /// A terminal that was opened elsewhere, for reading and writing. It is made non-blocking, so it must not be shared
    /// with anybody who does not expect that.
    ///
    /// # Errors
    /// When it is not a terminal.
    pub fn on(fd: OwnedFd) -> Result<Self, Unfit> {
        if !isatty(fd.as_fd()) {
            return Err(Unfit::NotATerminal("input"));
        }
        let flags = rustix::fs::fcntl_getfl(&fd).map_err(Unfit::Closed)?;
        rustix::fs::fcntl_setfl(&fd, flags | OFlags::NONBLOCK).map_err(Unfit::Closed)?;
        Ok(Self { fd })
    }
}

fn judge(env: &Env, input: bool, output: bool) -> Result<(), Unfit> {
    match env.term.as_deref() {
        _ if !input => Err(Unfit::NotATerminal("input")),
        _ if !output => Err(Unfit::NotATerminal("output")),
        None | Some("") => Err(Unfit::NoTerm),
        Some(term) if ["dumb", "unknown", "emacs"].contains(&term) => Err(Unfit::Dumb(term.to_owned())),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_that_cannot_place_text_is_named() {
        let env = |term: Option<&str>| Env { term: term.map(str::to_owned), ..Env::default() };
        assert_eq!(judge(&env(Some("linux")), true, true), Ok(()));
        assert_eq!(judge(&env(Some("xterm")), false, true), Err(Unfit::NotATerminal("input")));
        assert_eq!(judge(&env(Some("xterm")), true, false), Err(Unfit::NotATerminal("output")));
        assert_eq!(judge(&env(None), true, true), Err(Unfit::NoTerm));
        assert_eq!(judge(&env(Some("dumb")), true, true), Err(Unfit::Dumb("dumb".to_owned())));
    }

    #[test]
    fn what_is_no_terminal_is_refused() {
        let (pipe, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        assert_eq!(Terminal::on(pipe.into()).unwrap_err(), Unfit::NotATerminal("input"));
    }
}
