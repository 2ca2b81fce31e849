//! Why a session cannot be run.

use std::io;
use std::path::PathBuf;

use crate::engine::OtherPlan;
use crate::journal::JournalError;
use crate::model::SessionId;
use crate::plan::SessionFileError;

#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    #[error("starting the runner: {source}")]
    Runtime { source: io::Error },
    #[error("listening on {}: {source}; see that the folder can be written to, or set NOFM_HOME to another", path.display())]
    Listen { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    OtherPlan(#[from] OtherPlan),
    #[error("reading the session's setup: {0}")]
    Setup(#[from] SessionFileError),
    #[error(
        "the server {server} is being upgraded already, in the session {session}, which calls the farm \"{farm}\": \
         `nofm attach {session} --plain` joins it"
    )]
    Shared { server: String, farm: String, session: SessionId },
    #[error(
        "whether the session {session} is at work on servers of this farm, which it calls \"{farm}\", is not known: its \
         session.toml cannot be read; try again once it has ended"
    )]
    Unclear { farm: String, session: SessionId },
    #[error("{} cannot hold a session: {why}", path.display())]
    Place { path: PathBuf, why: &'static str },
    #[error(
        "deciding does not come to an end after event {seq}: this is a fault of nofm; the journal tells more"
    )]
    Endless { seq: u64 },
}
