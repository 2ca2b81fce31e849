//! What is still to come in a session of the simulator.

use nofm::engine::{Before, Place, ProbeKey, Reading, StepKey};
use nofm::model::ServerName;

use super::world::FactAt;

/// What the runner waits for, and what befalls the world.
#[derive(Clone, Debug)]
pub enum Due {
    /// Memory of the runner, as is the next.
    Answer {
        probe: ProbeKey,
        asked: u64,
        reading: Reading,
    },
    End {
        key: StepKey,
        place: Place,
        run: String,
    },
    /// The outcome of looking up what a step goes by.
    Found {
        key: StepKey,
        place: Place,
        found: Result<Before, String>,
    },
    /// A server is back that was to be restarted, without having been told so.
    Restarted {
        key: StepKey,
        place: Place,
    },
    /// Sent once more to a server that was not heard of.
    Start {
        key: StepKey,
        place: Place,
    },
    Lost(ServerName),
    Back(ServerName),
    SetFact(FactAt, String),
    Away {
        server: ServerName,
        for_ms: u64,
    },
    PowerOff {
        server: ServerName,
        for_ms: u64,
    },
    PowerOn(ServerName),
    ClockJumps {
        server: Option<ServerName>,
        ms: i64,
    },
    /// The console's disk is nearly full, or is so no longer.
    Room(bool),
    /// Nothing goes wrong any more from here on.
    Heals,
}

impl Due {
    /// Whether it is of the world, which goes on without a runner.
    pub fn outlives_the_runner(&self) -> bool {
        !matches!(
            self,
            Self::Answer { .. }
                | Self::End { .. }
                | Self::Found { .. }
                | Self::Restarted { .. }
                | Self::Start { .. }
        )
    }

    /// Whether it is something that goes wrong.
    pub fn is_fault(&self) -> bool {
        matches!(
            self,
            Self::Lost(_)
                | Self::Back(_)
                | Self::Away { .. }
                | Self::PowerOff { .. }
                | Self::PowerOn(_)
                | Self::ClockJumps { .. }
                | Self::Room(_)
        )
    }
}
