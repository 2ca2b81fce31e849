//! Stand-in farms on this machine: for rehearsals, and for tests with faults to inject.
//!
//! A lab is a folder. Each server of it is a folder within, which the local transport takes for a server's file
//! system: the commands in its `bin` come first on the PATH, its services are real processes that answer on a
//! loopback address of their own, and the product's database is a real file. The very profile that upgrades real
//! servers runs there; nothing in a profile knows of labs. Where it is asked for, each server is behind a real sshd of
//! its own, whose sessions see the server's folder as the local transport shows it.
//!
//! # Invariants
//! - Every process of a lab carries `NOFM_ROOT`, the folder of its server, in its environment, or is an sshd that
//!   writes to a log of the lab: [`remove`] finds all of them by it, and ends nothing else.
//! - [`remove`] deletes only a folder with a lab's mark in it.
//! - A stand-in that is asked for something it does not know refuses; it never pretends.
//!
//! # Limits
//! Linux consoles only: the stand-ins read `/proc` and use `setsid` and `flock`, and the servers' addresses are in
//! 127.0.0.0/8. A stand-in has no user of its own, no memory and no network but its address.

mod description;
mod error;
mod farm;
mod fault;
mod lay;
mod process;
pub mod serve;
mod source;
mod ssh;
mod unanswered;

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

pub use description::{FaultInfo, Kind};
pub use error::LabError;
pub use source::{LabSource, profiles};
pub use ssh::LabSsh;
pub use unanswered::unanswered;

/// The file that marks a folder as a lab.
const MARK: &str = "lab.toml";
const MARK_START: &str = "# A stand-in farm of nofm";

/// What kind of lab to make, and where.
#[derive(Clone, Debug)]
pub struct LabOptions {
    /// The folder to make; it must not exist yet, or be empty.
    pub dir: PathBuf,
    /// How many servers of a kind there are, where not as usual.
    pub counts: BTreeMap<String, usize>,
    /// `NAME`, or `NAME:always`.
    pub faults: Vec<String>,
    /// How many times faster than at 1, where an installation takes some seconds.
    pub speed: f64,
    /// The program whose `lab-serve` answers for the servers; this one where absent.
    pub program: Option<PathBuf>,
    /// Every server is behind an sshd of its own.
    pub ssh: bool,
    /// The sshd to run; the one of this machine where absent.
    pub sshd: Option<PathBuf>,
    /// The first three numbers of the servers' addresses, for a farm that has a network of its own; they are in
    /// 127.0.0.0/8 where absent.
    pub network: Option<Ipv4Addr>,
}

impl LabOptions {
    /// The usual farm in `dir`, without a fault.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            counts: BTreeMap::new(),
            faults: Vec::new(),
            speed: 1.0,
            program: None,
            ssh: false,
            sshd: None,
            network: None,
        }
    }
}

/// A lab.
#[derive(Clone, Debug)]
pub struct Lab {
    /// Absolute, without symbolic links.
    pub dir: PathBuf,
    pub inventory_path: PathBuf,
    /// What a rehearsal answers by itself.
    pub answers_path: PathBuf,
    /// In the order of the inventory.
    pub servers: Vec<LabServer>,
    /// How the servers are reached over SSH, where they are.
    pub ssh: Option<LabSsh>,
    /// What the words between `@` in answers stand for.
    words: BTreeMap<String, String>,
}

/// One server of a lab.
#[derive(Clone, Debug)]
pub struct LabServer {
    pub name: String,
    pub address: Ipv4Addr,
    /// What its start runs, as a command of its own.
    pub boot: Option<String>,
}

/// Makes a farm and starts its services.
///
/// # Errors
/// When the lab's description is wrong, an option is out of bounds, the folder is in use, or a service does not start;
/// nothing is left behind then.
pub fn create(source: &LabSource, options: &LabOptions) -> Result<Lab, LabError> {
    let lab = lay(source, options)?;
    start(&lab).inspect_err(|_| {
        // The first error is the one worth telling.
        let _ = remove(&lab.dir);
    })?;
    Ok(lab)
}

/// Makes a farm without starting anything.
///
/// # Errors
/// As [`create`]; nothing is left behind.
pub fn lay(source: &LabSource, options: &LabOptions) -> Result<Lab, LabError> {
    let description = source.description()?;
    let order = lay::Order::new(&description, options)?;
    let dir = make_folder(&options.dir)?;
    lay::lay(&dir, source, &order).inspect_err(|_| {
        // The first error is the one worth telling.
        let _ = remove(&dir);
    })
}

/// Starts what a lab's servers run: their sshds, where they have some, and their services.
fn start(lab: &Lab) -> Result<(), LabError> {
    if let Some(ssh) = &lab.ssh {
        ssh::start(lab, ssh)?;
    }
    farm::boot(&lab.dir, &lab.servers)
}

/// Ends every process of the lab in `dir` and deletes the folder. Returns how many processes were ended.
///
/// # Errors
/// When `dir` is no lab, a process cannot be ended, or the folder cannot be deleted.
pub fn remove(dir: &Path) -> Result<usize, LabError> {
    let not_a_lab = |why: &str| LabError::NotALab { dir: dir.to_owned(), why: why.to_owned() };
    let kind = fs::symlink_metadata(dir).map_err(|e| not_a_lab(&e.to_string()))?;
    if !kind.is_dir() {
        return Err(not_a_lab("it is no folder"));
    }
    let dir = fs::canonicalize(dir).map_err(|e| not_a_lab(&e.to_string()))?;
    let mark = fs::read_to_string(dir.join(MARK)).map_err(|_| not_a_lab("it holds no `lab.toml`"))?;
    if !mark.starts_with(MARK_START) {
        return Err(not_a_lab("its `lab.toml` is not that of a lab"));
    }
    let ended = process::end_all(&dir)?;
    fs::remove_dir_all(&dir).map_err(|e| LabError::io("deleting", &dir, e))?;
    Ok(ended)
}

/// What servers a lab has.
///
/// # Errors
/// When the lab's description is wrong.
pub fn kinds(source: &LabSource) -> Result<Vec<Kind>, LabError> {
    Ok(source.description()?.kinds)
}

/// The faults that a lab can have.
///
/// # Errors
/// When the lab's description is wrong.
pub fn faults(source: &LabSource) -> Result<Vec<FaultInfo>, LabError> {
    Ok(source.description()?.faults)
}

/// Makes the folder with its mark, and returns its real path.
fn make_folder(dir: &Path) -> Result<PathBuf, LabError> {
    fs::create_dir_all(dir).map_err(|e| LabError::io("making the folder", dir, e))?;
    let dir = fs::canonicalize(dir).map_err(|e| LabError::io("looking at", dir, e))?;
    if fs::read_dir(&dir).map_err(|e| LabError::io("looking into", &dir, e))?.next().is_some() {
        return Err(LabError::InUse { is_lab: dir.join(MARK).exists(), dir });
    }
    let mark = format!("{MARK_START}; `nofm lab --remove` deletes it.\nnofm = 1\n");
    farm::write(&dir.join(MARK), mark.as_bytes())?;
    Ok(dir)
}
