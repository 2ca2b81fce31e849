//! `nofm lab`: a rehearsal on a stand-in farm.

use std::path::{Path, PathBuf};

use anyhow::bail;

use super::args::LabArgs;
use super::exit::{self, Faulty};
use super::files::{self, Papers};
use super::sessions::at_work;
use super::{say, session};
use crate::client::glance;
use crate::engine::Phase;
use crate::inventory::Answers;
use crate::journal::StateDir;
use crate::lab::{self, Kind, LabOptions, LabSource};
use crate::plan::SessionFile;
use crate::profile::Profile;

/// How many times faster than the vendor's a farm of speed 1 is: minutes become seconds.
const PACE: f64 = 20.0;
/// Beyond this the program would give up waiting before the farm's own commands can answer.
const PACE_MOST: f64 = 60.0;

pub(super) fn run(args: &LabArgs) -> anyhow::Result<u8> {
    let profile = files::profile(&args.profile)?;
    let id = profile.profile.id.as_str();
    let state_dir = StateDir::from_env()?;
    let dir = match &args.dir {
        Some(dir) => std::path::absolute(dir)?,
        None => state_dir.path().join("labs").join(id),
    };
    if args.remove {
        let ended = remove(&state_dir, &dir)?;
        say(&format!("{} is deleted; {ended} of its processes were ended", dir.display()))?;
        return Ok(exit::DONE);
    }
    let source = match &args.lab {
        Some(folder) => LabSource::folder(folder)?,
        None => LabSource::of(id)?,
    };
    if args.faults || args.kinds || args.check {
        return list(args, &profile.profile, &source);
    }
    make_room(&state_dir, &dir, args.dir.is_some())?;
    let options = LabOptions {
        counts: args.count.iter().cloned().collect(),
        faults: args.fault.clone(),
        speed: args.speed,
        ssh: args.ssh,
        ..LabOptions::new(&dir)
    };
    let lab = lab::create(&source, &options)?;
    if !args.face.is_headless() {
        say(&format!("A stand-in farm was made in {}", lab.dir.display()))?;
    }
    let mut papers = Papers::from(&args.profile, &lab.inventory_path, Some(&lab.answers_path))?;
    if let Some(own) = &args.answers {
        let text = lab.fill(&files::text_of(own)?);
        let own = Answers::parse(&own.display().to_string(), &text, Some(&papers.profile.profile));
        papers.answers = own.map_err(Faulty::from)?.or(papers.answers);
    }
    let speed = (PACE * args.speed).clamp(1.0, PACE_MOST);
    let (state_dir, session) = session::begin(&papers, speed, true)?;
    let code = session::face(&state_dir, &session, &args.face, Some(&papers.answers), true)?;
    if !args.face.json {
        say(&format!(
            "The farm stays as it is now: nofm lab {} --remove{} deletes it",
            args.profile,
            at(args.dir.as_deref())
        ))?;
    }
    Ok(code)
}

/// What can go wrong, what servers there are, or what the lab cannot answer.
fn list(args: &LabArgs, profile: &Profile, source: &LabSource) -> anyhow::Result<u8> {
    if args.check {
        let found = lab::unanswered(profile, source)?;
        for line in &found {
            say(line)?;
        }
        if found.is_empty() {
            say("the lab answers everything that the profile asks of its servers")?;
        }
        return Ok(if found.is_empty() { exit::DONE } else { exit::FAILED });
    }
    if args.faults {
        for fault in lab::faults(source)? {
            say(&format!("{}: {}; {}", fault.name, fault.does, fault.ends))?;
        }
    }
    if args.kinds {
        for kind in lab::kinds(source)? {
            let Kind { name, label, count, least, most, .. } = kind;
            say(&format!("{name}: {count} {label} ({least} to {most})"))?;
        }
    }
    Ok(exit::DONE)
}

fn at(dir: Option<&Path>) -> String {
    dir.map(|dir| format!(" --dir {}", dir.display())).unwrap_or_default()
}

/// The farm of an earlier rehearsal gives way, unless somebody may still go on with it.
fn make_room(state_dir: &StateDir, dir: &Path, named: bool) -> anyhow::Result<()> {
    // A folder that the operator named is theirs to clear; a new farm is refused there.
    if named || !dir.exists() {
        return Ok(());
    }
    // The farm is that of the newest session; an older one's is gone.
    let sessions = state_dir.sessions()?;
    if let Some(session) =
        sessions.iter().find(|session| base_of(&session.setup_path()).as_deref() == Some(dir))
    {
        let id = session.id();
        if at_work(session)?.is_some() {
            bail!(Faulty(format!(
                "the rehearsal {id} is under way on this farm: `nofm attach {id} --plain` joins it"
            )));
        }
        let open = glance(state_dir, session).is_ok_and(|found| {
            found.phase != Phase::Preparing && found.close.is_none_or(|close| close.is_resumable())
        });
        if open {
            bail!(Faulty(format!(
                "the rehearsal {id} is not at its end: `nofm resume {id} --plain` goes on with it, `nofm lab {} --remove` \
                 gives it up",
                dir.file_name().unwrap_or_default().to_string_lossy()
            )));
        }
    }
    lab::remove(dir)?;
    Ok(())
}

/// Deletes the farm, unless a runner is at work on it.
fn remove(state_dir: &StateDir, dir: &Path) -> anyhow::Result<usize> {
    for session in state_dir.sessions()? {
        let id = session.id();
        if base_of(&session.setup_path()).as_deref() == Some(dir) && at_work(&session)?.is_some() {
            bail!(Faulty(format!(
                "the rehearsal {id} is under way on this farm: `nofm attach {id} --plain` joins it; stop it there first"
            )));
        }
    }
    Ok(lab::remove(dir)?)
}

/// The folder of the inventory that a session was made from.
fn base_of(setup: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(setup).ok()?;
    Some(SessionFile::parse(&text).ok()?.base)
}
