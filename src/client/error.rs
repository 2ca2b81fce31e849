//! Why a session cannot be followed.

use std::io;
use std::path::PathBuf;

use crate::journal::JournalError;
use crate::model::SessionId;
use crate::plan::SessionFileError;

#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error(transparent)]
    Journal(#[from] JournalError),

    #[error("the session {session} cannot be read: {source}")]
    Setup { session: SessionId, source: SessionFileError },

    #[error(
        "no runner is at work on the session {0}: `nofm resume {0}` goes on with it, `nofm review {0} --plain` shows \
         what happened"
    )]
    NoRunner(SessionId),

    #[error("the runner of {session} does not answer at {}: {source}", path.display())]
    Socket { session: SessionId, path: PathBuf, source: io::Error },

    #[error("the runner of {session} turned this client away: {why}")]
    TurnedAway { session: SessionId, why: String },

    #[error("starting the runner of {session}: {why}")]
    Launch { session: SessionId, why: String },
}
