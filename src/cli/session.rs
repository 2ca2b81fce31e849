//! Commands that take a session through its life: check, run, attach, resume, and the runner itself.

use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use serde_json::json;

use super::args::{AttachArgs, CheckArgs, Face, ResumeArgs, RunArgs};
use super::exit::{self, Faulty};
use super::files::{self, Papers};
use super::{log, printer, say, screen, sessions};
use crate::client::{Follower, Mode, launch};
use crate::inventory::{Answers, first_shared};
use crate::journal::{SessionDir, StateDir, random_bits, session_id};
use crate::model::ViewerId;
use crate::plain::{self, Keyboard, Outcome, PlainError, Reach};
use crate::plan::SessionFile;
use crate::profile;
use crate::wizard;

/// The prechecks alone.
pub(super) fn check(args: &CheckArgs) -> anyhow::Result<u8> {
    let papers = Papers::read(&args.farm)?;
    let (state_dir, session) = begin(&papers, 1.0, false)?;
    let follower = follow(&state_dir, &session, Mode::Live)?;
    // Of the events a program wants none; what the checks say comes last.
    let out = if args.json { plain::Printer::new(Box::new(std::io::sink()), None) } else { printer() };
    let outcome = plain::headless(follower, out, args.json, &papers.answers, Reach::Checks, true)?;
    let blocked = outcome.checks.iter().any(|row| row.is_problem() && row.blocks);
    // Stopped on purpose, once there was nothing left to check.
    let checked = !outcome.checks.is_empty() && outcome.checks.iter().all(|row| row.verdict.is_some());
    let code = match (blocked, checked) {
        (_, false) => exit::STOPPED,
        (true, true) => exit::BLOCKED,
        (false, true) => exit::DONE,
    };
    if args.json {
        say(&plain::json_line(&json!({ "session": session.id(), "checks": outcome.checks, "exit": code })))?;
    }
    Ok(code)
}

/// An upgrade of real servers.
pub(super) fn run(args: &RunArgs) -> anyhow::Result<u8> {
    let papers = Papers::read(&args.farm)?;
    let (state_dir, session) = begin(&papers, 1.0, false)?;
    let given = args.farm.answers.is_some().then_some(&papers.answers);
    face(&state_dir, &session, &args.face, given, true)
}

/// Makes a session of `papers` and starts its runner.
pub(super) fn begin(papers: &Papers, speed: f64, rehearsal: bool) -> anyhow::Result<(StateDir, SessionDir)> {
    let state_dir = StateDir::from_env()?;
    if let Some(other) = at_work_on(&state_dir, papers)? {
        let id = other.id();
        bail!(Faulty(format!(
            "the farm \"{}\" is being upgraded already, in the session {id}: `nofm attach {id} --plain` joins it, with \
             --watch to look on only",
            papers.inventory.inventory.farm
        )));
    }
    let id = session_id(Timestamp::now(), &papers.profile.profile.id, random_bits());
    let session = state_dir.create_session(&id, &papers.session_file(speed, rehearsal).to_toml())?;
    log::to_session(session.path());
    launch(&state_dir, &session).inspect_err(|_| {
        // A session that never had a runner never was.
        if !session.journal_path().exists() && session.holder().is_ok_and(|holder| holder.is_none()) {
            let _ = std::fs::remove_dir_all(session.path());
        }
    })?;
    Ok((state_dir, session))
}

/// The session that upgrades the same farm now, or some of its servers under another name. The runner's lock decides; this is to say it well.
fn at_work_on(state_dir: &StateDir, papers: &Papers) -> anyhow::Result<Option<SessionDir>> {
    for session in state_dir.sessions()? {
        if session.holder()?.is_none() {
            continue;
        }
        let Ok(setup) = setup_of(&session).map(|file| file.setup(session.id().clone())) else { continue };
        let own = &papers.inventory.inventory;
        let same = |setup: &crate::plan::Setup| {
            setup.profile.id == papers.profile.profile.id
                && (setup.inventory.farm == own.farm
                    || first_shared(&own.hosts(), &setup.inventory.hosts()).is_some())
        };
        if setup.is_ok_and(|setup| same(&setup)) && sessions::at_work(&session)?.is_some() {
            return Ok(Some(session));
        }
    }
    Ok(None)
}

/// Shows a session whose runner is at work, until it ends or is left. `fresh`: it has just begun.
pub(super) fn face(
    state_dir: &StateDir,
    session: &SessionDir,
    face: &Face,
    answers: Option<&Answers>,
    fresh: bool,
) -> anyhow::Result<u8> {
    let follower = follow(state_dir, session, Mode::Live)?;
    let outcome = if face.is_headless() {
        let none = Answers::default();
        plain::headless(follower, printer(), face.json, answers.unwrap_or(&none), Reach::End, fresh)
    } else if let Some((terminal, theme)) = screen::find(face.plain, face.looks)? {
        let (follower, end) = wizard::run(follower, false, answers, terminal, &theme)?;
        plain::farewell(&follower, printer(), end)
    } else {
        let keyboard = Keyboard::Standard { is_terminal: std::io::stdin().is_terminal() };
        plain::dialogue(follower, printer(), keyboard, answers)
    };
    told(outcome, face.json)
}

/// The exit code, and for a program the result.
fn told(outcome: Result<Outcome, PlainError>, json: bool) -> anyhow::Result<u8> {
    let outcome = outcome?;
    let code = exit::of_end(&outcome.end);
    if json {
        let result = json!({ "close": outcome.close, "exit": code, "tally": outcome.tally });
        say(&plain::json_line(&json!({ "result": result })))?;
    }
    Ok(code)
}

/// A follower under a name that tells operators apart.
fn follow(state_dir: &StateDir, session: &SessionDir, mode: Mode) -> anyhow::Result<Follower> {
    let user =
        std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "operator".to_owned());
    let user: String =
        user.chars().filter(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')).take(40).collect();
    let viewer = ViewerId::from(format!("{user}-{}", std::process::id()));
    Ok(Follower::open(state_dir, session, viewer, mode)?)
}

pub(super) fn attach(args: &AttachArgs) -> anyhow::Result<u8> {
    let state_dir = StateDir::from_env()?;
    let session = match &args.session {
        Some(wanted) => state_dir.find(wanted)?,
        None => under_way(&state_dir)?,
    };
    log::to_session(session.path());
    if args.watch || args.json {
        let follower = follow(&state_dir, &session, Mode::Watch)?;
        let outcome = match screen::find(args.plain || args.json, args.looks)? {
            Some((terminal, theme)) => {
                let (follower, end) = wizard::run(follower, true, None, terminal, &theme)?;
                plain::farewell(&follower, printer(), end)
            }
            None => plain::watch(follower, printer(), args.json),
        };
        return told(outcome, args.json);
    }
    let shown = Face { plain: args.plain, headless: false, json: false, looks: args.looks };
    face(&state_dir, &session, &shown, None, false)
}

/// The newest session with a runner.
fn under_way(state_dir: &StateDir) -> anyhow::Result<SessionDir> {
    for session in state_dir.sessions()? {
        if session.holder()?.is_some() {
            return Ok(session);
        }
    }
    bail!(Faulty(
        "no session is under way; `nofm sessions` lists all, `nofm resume` goes on with the newest"
            .to_owned()
    ))
}

pub(super) fn resume(args: &ResumeArgs) -> anyhow::Result<u8> {
    let state_dir = StateDir::from_env()?;
    let session = sessions::find(&state_dir, args.session.as_deref())?;
    if let Some(holder) = sessions::at_work(&session)? {
        bail!(Faulty(format!(
            "a runner is at work on {} (process {}): `nofm attach {} --plain` joins it",
            session.id(),
            holder.pid,
            session.id()
        )));
    }
    // Before anything else of it is read: a damaged file is told as such, not as one with mistakes.
    can_go_on(&state_dir, &session)?;
    let file = setup_of(&session)?;
    let profile = profile::parse(&file.profile.name, &file.profile.text).map_err(Faulty::from)?;
    // A rehearsal's own answers lie beside its inventory.
    let own = file.base.join("answers.toml");
    let path = match &args.answers {
        Some(path) => Some(path.as_path()),
        None if file.rehearsal && args.face.is_headless() && own.exists() => Some(own.as_path()),
        None => None,
    };
    let answers = files::answers(path, &profile)?;
    log::to_session(session.path());
    launch(&state_dir, &session)?;
    face(&state_dir, &session, &args.face, path.is_some().then_some(&answers), false)
}

/// Refuses a session that came to an end for good, or that this program does not understand as it was meant. The runner
/// sees to it itself; this is to say it well.
fn can_go_on(state_dir: &StateDir, session: &SessionDir) -> anyhow::Result<()> {
    if !session.journal_path().exists() {
        return Ok(());
    }
    let found = crate::client::glance(state_dir, session)?;
    match found.close {
        Some(close) if !close.is_resumable() => bail!(Faulty(format!(
            "{}; nothing is left to be resumed. `nofm review {} --plain` shows what happened",
            crate::words::close_words(&close),
            session.id()
        ))),
        _ => found.other_plan.map_or(Ok(()), |other| bail!(Faulty(other.to_string()))),
    }
}

fn setup_of(session: &SessionDir) -> anyhow::Result<SessionFile> {
    let path = session.setup_path();
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    SessionFile::parse(&text).map_err(|error| Faulty(error.to_string()).into())
}

/// The process that carries a session out.
pub(super) fn runner(dir: &Path) -> anyhow::Result<u8> {
    log::to_session(dir);
    match crate::runner::main(dir) {
        // The code is the process's own: nobody but the system sees it.
        Ok(_) => Ok(exit::DONE),
        Err(error) => {
            tracing::error!("{error}");
            Err(error.into())
        }
    }
}
