//! Commands that look at sessions: list, verify, review.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::bail;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::args::ReviewArgs;
use super::exit::{self, Faulty};
use super::{printer, say, screen};
use crate::client::{Follower, Glance, Mode, glance};
use crate::engine::{Close, Phase};
use crate::journal::{self, Holder, JournalError, SessionDir, StateDir};
use crate::model::ViewerId;
use crate::plain;
use crate::text::escape::safe;
use crate::wizard;

/// How long a runner may take to end after it closed its session.
const FAREWELL: Duration = Duration::from_millis(1500);

/// The session that `wanted` names, else the newest.
pub(super) fn find(state_dir: &StateDir, wanted: Option<&str>) -> anyhow::Result<SessionDir> {
    if let Some(wanted) = wanted {
        return Ok(state_dir.find(wanted)?);
    }
    match state_dir.sessions()?.into_iter().next() {
        Some(session) => Ok(session),
        None => bail!(Faulty(format!("there is no session yet in {}", state_dir.path().display()))),
    }
}

/// Who is at work on a session. A runner that has just closed it is given the moment it needs to go.
pub(super) fn at_work(session: &SessionDir) -> anyhow::Result<Option<Holder>> {
    let began = Instant::now();
    loop {
        match session.holder()? {
            Some(_) if began.elapsed() < FAREWELL => std::thread::sleep(Duration::from_millis(20)),
            holder => return Ok(holder),
        }
    }
}

/// Every session, one a line.
pub(super) fn list(as_json: bool) -> anyhow::Result<u8> {
    let state_dir = StateDir::from_env()?;
    let mut rows = Vec::new();
    for session in state_dir.sessions()? {
        let found = glance(&state_dir, &session);
        if as_json {
            rows.push(row(&session, found));
        } else {
            say(&line(&session, found))?;
        }
    }
    if as_json {
        say(&plain::json_line(&rows))?;
    }
    Ok(exit::DONE)
}

fn line(session: &SessionDir, found: Result<Glance, crate::client::ClientError>) -> String {
    format!("{}  {}", session.id(), standing_line(found))
}

/// When, which farm, how it stands and how many servers are updated.
pub(super) fn standing_line(found: Result<Glance, crate::client::ClientError>) -> String {
    match found {
        Err(error) => format!("cannot be read: {}", safe(&error.to_string())),
        Ok(found) => {
            let at =
                Timestamp::from_millisecond(found.last_ms).unwrap_or_default().to_zoned(TimeZone::system());
            let tally =
                found.tally.map(|tally| format!(", {} of {} updated", tally.updated + tally.told, tally.of));
            format!(
                "{}  \"{}\": {}{}",
                at.strftime("%Y-%m-%d %H:%M"),
                safe(&found.farm),
                safe(&standing(&found)),
                tally.unwrap_or_default()
            )
        }
    }
}

/// Where a session stands, in a few words.
fn standing(found: &Glance) -> String {
    if let (Some(other), None) = (&found.other_plan, found.runner)
        && found.close.as_ref().is_none_or(Close::is_resumable)
    {
        return format!("only nofm {} resumes it, which made its plan", other.program);
    }
    match (&found.close, found.runner) {
        (Some(Close::Done), _) => "done".to_owned(),
        (Some(Close::Failed { why }), _) => format!("failed: {why}"),
        (Some(Close::Stopped { why }), None) => format!("stopped: {why}"),
        (_, Some(_)) if found.questions > 0 => "under way, and asks something".to_owned(),
        (_, Some(_)) if found.phase == Phase::Preparing => "being prepared".to_owned(),
        (_, Some(_)) => "under way".to_owned(),
        (None, None) => "its runner is gone; it can be resumed".to_owned(),
    }
}

fn row(session: &SessionDir, found: Result<Glance, crate::client::ClientError>) -> serde_json::Value {
    match found {
        Err(error) => json!({ "session": session.id(), "path": session.path(), "error": error.to_string() }),
        Ok(found) => json!({
            "session": session.id(),
            "path": session.path(),
            "farm": found.farm,
            "product": found.product,
            "standing": standing(&found),
            "close": found.close,
            "runner": found.runner,
            "tally": found.tally,
            "last": Timestamp::from_millisecond(found.last_ms).unwrap_or_default().to_string(),
        }),
    }
}

/// Whether a session's files are as they were written.
pub(super) fn verify(wanted: &str) -> anyhow::Result<u8> {
    let session = named(wanted)?;
    let found = journal::verify(&session)?;
    say(&format!("{}: whole and unchanged, {} events", session.id(), found.events))?;
    if let Some(bytes) = found.torn {
        say(&format!(
            "its last line was not written to its end ({bytes} bytes): nothing in it was ever acted on, and `nofm resume` \
             cuts it off"
        ))?;
    }
    say(&format!("head of the chain: {}", found.head))?;
    Ok(exit::DONE)
}

/// A session of the state folder, or one whose folder is named.
fn named(wanted: &str) -> anyhow::Result<SessionDir> {
    let path = Path::new(wanted);
    if wanted.contains('/') && path.is_dir() {
        return Ok(SessionDir::at(std::path::absolute(path)?));
    }
    Ok(StateDir::from_env()?.find(wanted)?)
}

/// What happened in a session.
pub(super) fn review(args: &ReviewArgs) -> anyhow::Result<u8> {
    let state_dir = StateDir::from_env()?;
    let session = match &args.session {
        Some(wanted) => named(wanted)?,
        None => find(&state_dir, None)?,
    };
    if !session.journal_path().exists() {
        let path = session.journal_path();
        let what = "there is no journal; this session never began".to_owned();
        bail!(JournalError::Malformed { path, what });
    }
    if let Some((terminal, theme)) = screen::find(args.plain || args.json, args.looks)? {
        wizard::review(&state_dir, &session, terminal, &theme)?;
        return Ok(exit::DONE);
    }
    let follower = Follower::open(&state_dir, &session, ViewerId::from("review"), Mode::Rest)?;
    plain::review(follower, printer(), args.json)?;
    Ok(exit::DONE)
}
