//! A journal that is read again, from any place in it.

use std::sync::Arc;

use super::error::ClientError;
use super::follow::{Follower, Mode, open_files, stamp};
use crate::engine::{Event, Stamp, State};
use crate::journal::{Mark, Reader, SessionDir, StateDir};
use crate::model::ViewerId;
use crate::plan::Setup;

/// The events of a session up to where it was when it was opened, again and again.
pub struct Replay {
    reader: Reader,
    setup: Arc<Setup>,
    start: Mark,
    /// No event behind this one is read.
    until: u64,
    at_work: bool,
}

impl Replay {
    /// Opens `session` of `state_dir`. Where a runner is at work, it is asked how far the journal is safely on disk,
    /// and what comes later is left out.
    ///
    /// # Errors
    /// Files that are not as they were written, a runner that does not answer.
    pub fn open(state_dir: &StateDir, session: &SessionDir, viewer: ViewerId) -> Result<Self, ClientError> {
        let until = Follower::open(state_dir, session, viewer, Mode::Rest)?.synced();
        let (reader, state) = open_files(session)?;
        let start = reader.mark();
        Ok(Self { reader, setup: state.setup, start, until, at_work: until != u64::MAX })
    }

    /// Whether a runner was at work when it was opened.
    pub fn at_work(&self) -> bool {
        self.at_work
    }

    /// The state before the first event.
    pub fn beginning(&self) -> State {
        State::new(self.setup.clone())
    }

    /// The place before the first event.
    pub fn start(&self) -> Mark {
        self.start
    }

    /// The place behind the last event that was read.
    pub fn mark(&self) -> Mark {
        self.reader.mark()
    }

    /// # Errors
    /// A journal that became shorter.
    pub fn go_to(&mut self, mark: Mark) -> Result<(), ClientError> {
        Ok(self.reader.go_to(mark)?)
    }

    /// The next event with its number and its time. `None`: there is none.
    ///
    /// # Errors
    /// A journal that is not as it was written.
    pub fn next_event(&mut self) -> Result<Option<(u64, Stamp, Event)>, ClientError> {
        if self.reader.seq() >= self.until {
            return Ok(None);
        }
        let entry = self.reader.next_event::<Event>()?;
        Ok(entry.map(|entry| (entry.seq, stamp(&entry), entry.event)))
    }
}
