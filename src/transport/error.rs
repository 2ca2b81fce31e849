//! What can go wrong between the console and a server.

use std::io;
use std::time::Duration;

/// Why a call got no answer, or a refusal. It never tells how a run stands.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// No connection, or it was lost on the way. The call may have been carried out.
    #[error(
        "{server}: {doing}: no connection: {why}; see that the server is up and can be reached from here"
    )]
    Unreachable { server: String, doing: &'static str, why: String },
    /// A connection that was there broke. The call may have been carried out.
    #[error("{server}: {doing}: the connection broke: {why}")]
    Cut { server: String, doing: &'static str, why: String },
    /// The server understood and said no; nothing was run.
    #[error("{server}: {doing}: refused: {why}")]
    Refused { server: String, doing: &'static str, why: String },
    /// The way in is closed: by the host key, the login, or sudo. Nothing was run, and trying again does not help.
    #[error("{server}: {doing}: no way in: {why}")]
    Barred { server: String, doing: &'static str, why: String },
    /// The server sent something else than an answer.
    #[error(
        "{server}: {doing}: the answer cannot be understood: {said:?}; see whether the login prints text of its own"
    )]
    Protocol { server: String, doing: &'static str, said: String },
    /// No answer in time. Nothing was ended on the server but our own question.
    #[error("{server}: {doing}: no answer within {} s; the server may be overloaded or the connection dead", after.as_secs())]
    TimedOut { server: String, doing: &'static str, after: Duration },
    /// A program that is needed is not there.
    #[error("{server}: {doing}: the server lacks {what}; install it there, or do this step by hand")]
    Missing { server: String, doing: &'static str, what: String },
    /// What was asked for cannot be asked for.
    #[error("{server}: {doing}: {why}")]
    Invalid { server: String, doing: &'static str, why: String },
    /// A file on this console.
    #[error("{server}: {doing}: on this console: {source}")]
    Console { server: String, doing: &'static str, source: io::Error },
}

impl LinkError {
    /// Whether asking again may help: the connection failed, and the server said nothing.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Cut { .. } | Self::TimedOut { .. } | Self::Protocol { .. }
        )
    }

    /// Whether the way to the server is closed. It tells nothing of what runs there.
    pub fn is_barred(&self) -> bool {
        matches!(self, Self::Barred { .. })
    }
}
