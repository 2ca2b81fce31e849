//! What a session came to so far, read and understood before anything of it is touched.

use std::sync::Arc;

use super::error::RunnerError;
use crate::engine::{Event, Stamp, State};
use crate::journal::{self, SessionDir, read_all};
use crate::plan::SessionFile;

pub(super) struct Past {
    pub state: State,
    /// The number of the process that goes on.
    pub epoch: u32,
    /// Bytes of a last line that was not written to its end. `None` also where the line is whole.
    pub torn: Option<u64>,
    /// Whether there is a journal.
    pub begun: bool,
}

impl Past {
    /// Reads `session`, of which nothing changes: its lock is held.
    ///
    /// # Errors
    /// Files that are not as they were written, and a session that this program would carry on otherwise than was
    /// agreed to.
    pub(super) fn read(session: &SessionDir) -> Result<Self, RunnerError> {
        let begun = session.journal_path().exists();
        let read = begun.then(|| read_all::<Event>(session)).transpose()?;
        let text = match &read {
            Some(read) => session.setup(&read.header)?,
            None => std::fs::read_to_string(session.setup_path()).map_err(|_| RunnerError::Place {
                path: session.path().to_owned(),
                why: "session.toml cannot be read; the session is damaged",
            })?,
        };
        let setup = SessionFile::parse(&text)?.setup(session.id().clone())?;
        let mut past = Self { state: State::new(Arc::new(setup)), epoch: 1, torn: None, begun };
        if let Some(read) = read {
            past.torn = read.torn;
            let mut program = read.header.program;
            for entry in &read.events {
                past.state.apply(entry.seq, stamp_of(&entry.stamp), &entry.event);
                past.state.understood(&entry.event, &mut program)?;
                past.epoch = entry.stamp.epoch + 1;
            }
        }
        Ok(past)
    }
}

pub(super) fn stamp_of(stamp: &journal::Stamp) -> Stamp {
    Stamp { wall_ms: stamp.at().as_millisecond(), epoch: stamp.epoch, mono_ms: stamp.mono_ms }
}
