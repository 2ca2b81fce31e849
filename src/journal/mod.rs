//! A session's files: the journal, the output of the servers, and the locks.
//!
//! ```text
//! sessions/2026-11-21T041233Z-igel_ums_ha-7f3a/
//!   session.toml      the setup, written once
//!   journal.jsonl     one event a line, each chained to the line before
//!   output/NAME.log   what a server printed, raw; NAME.idx says when
//!   nofm.log          the program's own diagnostics
//!   lock, reserve     who writes; room for the last words on a full disk
//! run/HASH.sock       where a session's runner listens
//! farms/HASH/         who upgrades a farm, and what must not be done to it
//! ```
//! The room stores what it is given and does not know what an event means.
//!
//! # Invariants
//! - Only the holder of a session's lock writes to it. Folders have mode 0700, files 0600.
//! - A sequence number told as synced is on disk, with everything before it. After an error of a sync, or of a write
//!   other than for want of room, nothing more is written.
//! - Only the last line of a journal may be torn, that is, lack its line feed. The lock's holder cuts it off; readers
//!   look past it. A bad line anywhere else is refused, and so is another format.
//! - An unreadable file is an error and never an empty one.
//!
//! # Limits
//! - The chain finds accidents and careless changes. Whoever can write the file can also compute the chain anew, or
//!   leave off its end: note [`Verified::head`] elsewhere to have a witness.
//! - A power cut may, on some file systems, leave a hole in the last batch with whole lines behind it. Nothing in that
//!   batch was told as synced, but it cannot be told apart from damage, and is refused.
//! - Locks hold among the processes that use one state folder on one machine.

mod atomic;
mod error;
mod farm;
mod line;
mod lock;
mod output;
mod read;
mod session;
mod sink;
mod state;
pub mod wire;
mod writer;

pub use atomic::write_atomic;
pub use error::JournalError;
pub use farm::{Ban, FarmDir, FarmLock, Lifted};
pub use line::{Chain, Entry, FORMAT, Header, LONGEST_LINE, Stamp};
pub use lock::Holder;
pub use output::{OutputLog, OutputReader};
pub use read::{Mark, Read, Reader, Verified, read_all, verify};
pub use session::{SessionDir, SessionLock};
pub use state::{StateDir, random_bits, session_id};
pub use writer::{Synced, Writer};
