//! The runner: the one process that holds a session's journal and touches its servers.
//!
//! One loop takes everything in a single order: what servers answered, what operators want, and time. For each
//! it journals first, folds, decides, and acts only on what is safely on disk.
//!
//! # Invariants
//! - It alone writes the journal, and holds the locks of the session and of the farm.
//! - Work that the engine names is started once in this process; on the servers the run protocol sees to the
//!   same over all processes.
//! - Ending it, in whatever way, ends nothing on a server. `nofm resume` finds everything where it was.
//! - No key that is typed into an attended step is kept; only how many. A secret that opens the way to servers is passed
//!   on to the transport and kept nowhere else; the journal says that it was given.
//!
//! # Limits
//! - Nobody connects over the network: clients are processes of the same user, or of root, on this machine.

mod act;
mod collect;
mod core;
mod door;
mod error;
mod farm;
mod hand;
mod input;
mod keys;
mod links;
mod past;
mod probe;
mod reboot;
mod room;
mod seek;
mod services;
mod socket;
#[cfg(test)]
mod tests;
mod upload;
mod watch;

use std::path::Path;
use std::process::ExitCode;

pub use error::RunnerError;

use rustix::process::DumpableBehavior;

/// Runs the session in `dir` until it is closed. Returns the exit code of the session: 0 done, 1 failed,
/// 4 stopped and resumable.
///
/// # Errors
/// When the session cannot be run, or its journal cannot be written any more.
pub fn main(dir: &Path) -> Result<ExitCode, RunnerError> {
    // A console that goes away takes its process group with it; a session of its own is not in it. This fails
    // only for a process that leads one already.
    let _ = rustix::process::setsid();
    // Passwords are in this memory. What it starts is not concerned.
    if let Err(error) = rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "a crash of this process would leave its memory in a file");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|source| RunnerError::Runtime { source })?;
    let outcome = runtime.block_on(core::run(dir));
    // What follows a run on a server may wait for its next answer; it is of no use any more.
    runtime.shutdown_background();
    outcome.map(ExitCode::from)
}
