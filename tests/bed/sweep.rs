//! The folder of a bed, and everything that goes away with it.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::mount::{UnmountFlags, unmount};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::namespaces;

const PREFIX: &str = "nofm-bed-";

/// A new folder, whose name tells to whom it belongs. What killed test runs left goes first.
pub fn new_folder() -> PathBuf {
    static SWEPT: Once = Once::new();
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    SWEPT.call_once(stale);
    let pid = std::process::id();
    let name = format!("{PREFIX}{pid}-{}-{}", birth(pid).unwrap(), COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(name);
    fs::create_dir(&folder).unwrap();
    folder
}

/// Takes away the beds of processes that are gone.
pub fn stale() {
    for folder in fs::read_dir(std::env::temp_dir()).unwrap().flatten().map(|entry| entry.path()) {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(owner) = name.strip_prefix(PREFIX) else { continue };
        let mut parts = owner.split('-');
        let Some(Ok(pid)) = parts.next().map(str::parse) else { continue };
        if birth(pid).as_deref() != parts.next() {
            remove(&folder);
            namespaces::forget(|owner| owner == pid);
        }
    }
    namespaces::forget(|pid| birth(pid).is_none());
}

/// When a living process was born, which tells it from a later one of its number.
fn birth(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    // A zombie may be there for long where nobody waits for it.
    (!rest.starts_with(['Z', 'X'])).then(|| rest.split(' ').nth(19).map(str::to_owned))?
}

/// Ends what runs below a folder, and deletes it.
pub fn remove(folder: &Path) {
    let begun = Instant::now();
    // Twice nothing: a process that has just begun has no environment for a moment.
    let mut quiet = 0;
    while quiet < 2 && begun.elapsed() < Duration::from_secs(10) {
        quiet = if kill(&[folder]) > 0 { 0 } else { quiet + 1 };
        std::thread::sleep(Duration::from_millis(5));
    }
    for mount in mounts(folder) {
        let _ = unmount(&mount, UnmountFlags::DETACH);
    }
    if let Err(error) = fs::remove_dir_all(folder) {
        // A test that fails already is not made to abort.
        assert!(std::thread::panicking(), "{}: {error}", folder.display());
    }
}

fn mounts(below: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let places = text.lines().filter_map(|line| line.split(' ').nth(1));
    // Spaces are the only such characters in the name of a bed.
    let paths = places.map(|place| PathBuf::from(place.replace("\\040", " ")));
    paths.filter(|path| path.starts_with(below)).collect()
}

/// Kills every process that belongs to a server below one of `folders`, and returns how many there were.
pub fn kill(folders: &[&Path]) -> usize {
    let found = processes(folders);
    for pid in &found {
        let Ok(handle) = pidfd_open(*pid, PidfdFlags::empty()) else { continue };
        // Looked at again through the handle: its number may be another's by now.
        if belongs(*pid, folders) {
            let _ = pidfd_send_signal(&handle, Signal::KILL);
        }
    }
    found.len()
}

/// The processes of the servers below `folders`: those whose `NOFM_ROOT` is there, and sshds whose log is.
pub fn processes(folders: &[&Path]) -> Vec<Pid> {
    let numbers =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().to_str()?.parse().ok());
    numbers.filter_map(Pid::from_raw).filter(|pid| belongs(*pid, folders)).collect()
}

fn belongs(pid: Pid, folders: &[&Path]) -> bool {
    let proc = PathBuf::from(format!("/proc/{}", pid.as_raw_nonzero()));
    let below = |path: &Path| folders.iter().any(|folder| path.starts_with(folder));
    let inside = |root: &[u8]| below(Path::new(std::ffi::OsStr::from_bytes(root)));
    let environment = fs::read(proc.join("environ")).unwrap_or_default();
    environment.split(|byte| *byte == 0).filter_map(|word| word.strip_prefix(b"NOFM_ROOT=")).any(inside)
        || fs::read_link(proc.join("fd/2")).is_ok_and(|log| below(&log))
            && fs::read(proc.join("comm")).is_ok_and(|name| name.starts_with(b"sshd"))
}
