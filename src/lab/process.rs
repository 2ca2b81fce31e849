//! The processes of a lab: found by their environment or their log, ended through handles that cannot mean another
//! process.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::LabError;

/// How often the processes are looked for, and how long between two looks.
const ROUNDS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);
/// From this round on they are not asked any more.
const HARD: u32 = 40;

/// Ends every process whose server is in `dir`, and returns how many there were.
pub(super) fn end_all(dir: &Path) -> Result<usize, LabError> {
    let mut ended = Vec::new();
    let mut left = 0;
    for round in 0..ROUNDS {
        let found = processes(dir);
        left = found.len();
        if left == 0 {
            return Ok(ended.len());
        }
        let signal = if round < HARD { Signal::TERM } else { Signal::KILL };
        for (pid, handle) in &found {
            if !ended.contains(pid) {
                ended.push(*pid);
            }
            // A process that has gone meanwhile is what is wanted.
            let _ = pidfd_send_signal(handle, signal);
        }
        thread::sleep(PAUSE);
    }
    Err(LabError::StillRunning { dir: dir.to_owned(), left })
}

/// The processes of this user whose server is in `dir`, each with a handle taken before it was looked at.
fn processes(dir: &Path) -> Vec<(Pid, OwnedFd)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok().and_then(Pid::from_raw))
        .filter(|pid| *pid != rustix::process::getpid())
        .filter_map(|pid| {
            let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
            belongs(pid, dir).then_some((pid, handle))
        })
        .collect()
}

fn belongs(pid: Pid, dir: &Path) -> bool {
    is_in(pid, dir) || is_sshd(pid, dir)
}

/// An sshd, or one of its sessions, that writes to a log of the lab: its title stands where its environment was.
fn is_sshd(pid: Pid, dir: &Path) -> bool {
    let proc = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
    fs::read_link(proc.join("fd/2")).is_ok_and(|log| log.starts_with(dir.join("ssh")))
        && fs::read(proc.join("comm")).is_ok_and(|name| name.starts_with(b"sshd"))
}

/// Whether `NOFM_ROOT` of the process is in `dir`.
fn is_in(pid: Pid, dir: &Path) -> bool {
    // Not readable: another user's, or gone.
    let Ok(environment) = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())) else { return false };
    environment
        .split(|byte| *byte == 0)
        .filter_map(|variable| variable.strip_prefix(b"NOFM_ROOT="))
        .map(|root| Path::new(OsStr::from_bytes(root)))
        .any(|root| root.starts_with(dir) || fs::canonicalize(root).is_ok_and(|root| root.starts_with(dir)))
}
