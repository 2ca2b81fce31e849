//! Why a plain face stops before its session does.

use std::io;

use crate::client::ClientError;
pub use crate::words::finish::End;

#[derive(Debug, thiserror::Error)]
pub enum PlainError {
    #[error("writing to the terminal: {0}")]
    Write(#[source] io::Error),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("reading what is typed: {0}")]
    Read(#[source] io::Error),
}

impl PlainError {
    /// Whether nobody reads what is printed any more.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// What ends a page before it is done.
#[derive(Debug)]
pub(super) enum Stop {
    End(End),
    Error(PlainError),
}

pub(super) type Go<T> = Result<T, Stop>;

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Error(PlainError::Write(error))
    }
}

impl From<ClientError> for Stop {
    fn from(error: ClientError) -> Self {
        Self::Error(PlainError::Client(error))
    }
}
