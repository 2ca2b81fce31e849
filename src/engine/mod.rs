//! What happens next, and what must never happen.
//!
//! A session is the fold of its events: [`State::apply`] is total and reads no clock, [`decide`] is a pure
//! function of state and time and keeps no queue, [`State::judge`] says whether an operator's intent may be.
//! Whoever runs the engine journals and syncs every event before it acts on what follows from it.
//!
//! # What it keeps
//! * A step is intended in the journal before it is started, and started once a round and attempt.
//! * A `once` step is used up by its intent; only a recovery that undoes it frees it.
//! * A stage's next server begins only when nothing is in trouble and the last one's gates hold, and never when
//!   too few would be left in service; whoever is not known to be in service counts as down.
//! * What a step needs is measured right before it. An expression over an unknown is unknown, and an unknown
//!   starts nothing and proves nothing.
//! * What a profile forbids after a failure is not offered, and refused when asked for, until it is lifted with evidence
//!   where the vendor names something that does. A session that another one forbade to go on holds.
//! * What a person says so that a server can be reached is journalled as given or denied; a secret never stands in it.
//!
//! # Its limits
//! Order found while running (`first` and `last` over facts) and inputs that are secrets are refused by the profile's
//! check, not carried out here.

mod access;
mod apply;
mod bans;
mod command;
mod decide;
mod event;
mod intent;
mod key;
mod lanes;
mod left;
mod measure;
mod measures;
mod own_checks;
mod probes;
mod question;
mod reading;
mod stand_in;
mod state;
mod understood;
mod verdict;
mod view;
mod words;
mod work;

pub use access::Request;
pub use bans::{Ban, Origin};
pub use command::{Ask, Job, LookUp, Sent};
pub use decide::decide;
pub use event::{Before, Cause, Close, End, Event, Outcome, Stamp, Target};
pub use intent::{Intent, Lack};
pub use key::{GATES, LaneKey, Place, ScriptRef, StepKey};
pub use measure::{Measured, ProbeKey, Purpose, Reading};
pub use measures::{Measure, Measures};
pub use own_checks::{ATTENDED_TERMINAL, INSTALLED_VERSION};
pub use question::{About, Answer, Choice, Question};
pub use reading::{Raw, read_fact, read_value};
pub use stand_in::Hand;
pub use state::{
    CheckState, Dated, FailureRecord, LanePhase, LaneState, Phase, Record, RoomLow, SessionTime, StageState,
    State, StepPhase, TargetState,
};
pub use understood::OtherPlan;
pub use verdict::{CheckFacts, Judged};
pub use view::Seen;
pub use work::{Decision, Work};
