//! Exit codes, in one place.

use std::io;

use crate::client::ClientError;
use crate::engine::Close;
use crate::journal::JournalError;
use crate::lab::LabError;
use crate::plain::{End, PlainError};
use crate::text::diagnostic::Diagnostics;

pub(super) const DONE: u8 = 0;
pub(super) const FAILED: u8 = 1;
pub(super) const USAGE: u8 = 2;
pub(super) const BLOCKED: u8 = 3;
pub(super) const STOPPED: u8 = 4;
pub(super) const DAMAGED: u8 = 5;

/// A file or an argument that is not as it should be, with what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Faulty(pub(super) String);

impl From<Diagnostics> for Faulty {
    fn from(found: Diagnostics) -> Self {
        Self(found.to_string())
    }
}

/// Of a session that came to this end.
pub(super) fn of_end(end: &End) -> u8 {
    match end {
        End::Closed(Close::Done) => DONE,
        End::Closed(Close::Failed { .. }) => FAILED,
        End::Blocked => BLOCKED,
        End::Closed(Close::Stopped { .. }) | End::Left | End::RunnerGone => STOPPED,
    }
}

/// Of an error.
pub(super) fn code_of(error: &anyhow::Error) -> u8 {
    if error.is::<Faulty>() || error.is::<LabError>() {
        return USAGE;
    }
    if let Some(error) = error.downcast_ref::<JournalError>() {
        return of_journal(error);
    }
    let client = error.downcast_ref::<ClientError>().or_else(|| match error.downcast_ref::<PlainError>() {
        Some(PlainError::Client(error)) => Some(error),
        _ => None,
    });
    match client {
        Some(ClientError::Journal(error)) => of_journal(error),
        Some(ClientError::Setup { .. } | ClientError::NoRunner(_)) => USAGE,
        _ => FAILED,
    }
}

fn of_journal(error: &JournalError) -> u8 {
    match error {
        JournalError::Broken { .. } | JournalError::OtherSetup { .. } | JournalError::Malformed { .. } => {
            DAMAGED
        }
        JournalError::Version { .. }
        | JournalError::Unknown { .. }
        | JournalError::NoSession { .. }
        | JournalError::ManySessions { .. }
        | JournalError::BadName { .. }
        | JournalError::SocketPath { .. }
        | JournalError::NotPrivate { .. }
        | JournalError::NoHome => USAGE,
        _ => FAILED,
    }
}

/// Whether nobody reads standard output any more, as when it is piped into `head`.
pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<PlainError>().is_some_and(PlainError::is_broken_pipe)
        || error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// What went wrong, with every cause once.
pub(super) fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        // Messages that quote their cause have said it already.
        if !text.contains(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    crate::text::escape::safe_with(&text, crate::text::escape::Newline::Keep).into_owned()
}
