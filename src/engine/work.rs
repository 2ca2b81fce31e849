//! What is to be done now, outside the engine.

use super::event::Event;
use super::key::{Place, StepKey};
use super::measure::ProbeKey;

/// Something that must be under way. Deciding again names it again until the event that ends it; whoever acts
/// starts it once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    /// Ask one question. `asked` goes into the answer's event.
    Probe { probe: ProbeKey, asked: u64 },
    /// Start a step at a place, or find it running, and follow it to its end.
    Run { key: StepKey, place: Place },
}

/// What follows from a state at a time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// To be journalled and applied, in this order; then to be decided again.
    pub record: Vec<Event>,
    /// Everything that must be under way. Complete only when `record` is empty.
    pub work: Vec<Work>,
    /// Session milliseconds at which something changes by itself.
    pub wake_ms: Option<u64>,
}

impl Decision {
    pub(super) fn wake_at(&mut self, ms: u64) {
        self.wake_ms = Some(self.wake_ms.map_or(ms, |wake| wake.min(ms)));
    }
}
