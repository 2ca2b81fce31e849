//! The client: follows a session from its files, and tells its runner what an operator wants.
//!
//! Live and attach read the journal as it grows, through a [`Follower`]; review reads it again from any place in it,
//! through a [`Replay`]; both by the same reader and into the same fold. The runner's socket only rings when more is
//! safely on disk, and takes intents; nothing that is shown comes over it.
//!
//! # Invariants
//! - The state is the fold of the journal up to what the runner rang for as synced; of a journal at rest, up to its
//!   end.
//! - A setup file other than the one the journal began with is refused.
//! - Losing the runner is told ([`Follower::runner`]), never hidden: nothing is sent to nobody.
//!
//! # Limits
//! - An intent whose answer was lost with the connection may have been carried out: [`Reply::Lost`]. The journal
//!   tells, once the runner is there again.

mod error;
mod files;
mod follow;
mod glance;
mod launch;
mod link;
mod replay;

pub use error::ClientError;
pub use files::whole_path;
pub use follow::{Follower, Mode, Reply, Runner, Sent, Waker};
pub use glance::{Glance, counted, glance};
pub use launch::launch;
pub use replay::Replay;

pub use crate::journal::wire::Sealed;
