//! What can go wrong with a lab.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum LabError {
    #[error("there is no lab for the profile `{profile}`; there is one for: {known}")]
    NoLab { profile: String, known: String },

    #[error("making a lab: {what}: {value} is not possible; possible: {allowed}")]
    Option { what: String, value: String, allowed: String },

    #[error("the lab {lab}: {why}")]
    Description { lab: String, why: String },

    #[error(
        "there is no fault `{name}`; a lab can have: {known}. Add `:always` to a failing installation to make it fail every time"
    )]
    NoFault { name: String, known: String },

    #[error(
        "making a lab in {}: {}",
        dir.display(),
        if *is_lab { "there is one already; remove it first, or give another folder" }
        else { "the folder is not empty; give an empty one or one that does not exist" }
    )]
    InUse { dir: PathBuf, is_lab: bool },

    #[error("{} is no lab: {why}; nothing was deleted", dir.display())]
    NotALab { dir: PathBuf, why: String },

    #[error("making a lab needs the command `{0}`, which is not on this machine's PATH; install it")]
    NoCommand(&'static str),

    #[error(
        "a farm behind SSH needs the program `sshd`, which is not on this machine; install the package openssh-server (openssh on \
         some systems)"
    )]
    NoSshd,

    #[error("making a lab: `{command}` failed: {said}")]
    Failed { command: String, said: String },

    #[error("making a lab: no port is free on {address}: {source}; remove labs that are not needed")]
    NoPort { address: std::net::Ipv4Addr, source: io::Error },

    /// `said` ends with the last lines of the server's log: the lab is not kept.
    #[error("starting the services of {server} in the lab failed:\n{said}")]
    NotStarted { server: String, said: String },

    #[error("removing the lab {}: {left} of its processes cannot be ended; end them by hand, then try again", dir.display())]
    StillRunning { dir: PathBuf, left: usize },

    #[error("{doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl LabError {
    pub(super) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source }
    }
}
