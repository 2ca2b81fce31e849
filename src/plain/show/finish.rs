//! Where a session stands, and how it ended.

use std::io;

use super::super::printer::Printer;
use super::{checks, notice};
use crate::engine::{Close, State};
use crate::journal::SessionDir;
use crate::profile::Page;
use crate::words::finish::{self, End};
use crate::words::{notices, status, tally};

/// What is under way, for somebody who joins or asks.
pub(in crate::plain) fn status(out: &mut Printer, state: &State, now_ms: u64) -> io::Result<()> {
    let status = status::status(state, now_ms);
    for text in status.tally.iter().chain(&status.phase) {
        out.line(text)?;
    }
    for text in status.lanes.iter().chain(&status.lost).chain(&status.access) {
        out.hanging("  ", text)?;
    }
    for text in &status.paused {
        out.line(&format!("  {text}"))?;
    }
    Ok(())
}

/// The last page: result, what is left to do, and where everything is kept.
pub(in crate::plain) fn finish(
    out: &mut Printer,
    state: &State,
    end: &End,
    session: &SessionDir,
) -> io::Result<()> {
    let Some((heading, why)) = end.heading() else { return Ok(()) };
    out.heading(heading)?;
    if let Some(why) = why {
        out.text(why)?;
    }
    if state.plan.is_some() {
        upgrade(out, state)?;
    } else {
        out.line("Nothing was begun: no server was upgraded.")?;
    }
    for text in finish::waived(state) {
        out.hanging("  ", &text)?;
    }
    if matches!(end, End::Closed(Close::Done | Close::Failed { .. })) && state.plan.is_some() {
        for id in notices::of_page(state, Page::Finish) {
            if let Some(found) = state.setup.profile.notice(&id) {
                out.blank()?;
                notice(out, state, found)?;
            }
        }
    }
    out.blank()?;
    to_do(out, state)?;
    kept(out, end, session, " --plain")
}

/// Where the session is kept, and the command that goes on with it or reads it again.
fn kept(out: &mut Printer, end: &End, session: &SessionDir, face: &str) -> io::Result<()> {
    let id = session.id();
    out.line(&format!("The session {id} is kept in {}", session.path().display()))?;
    match end {
        End::Closed(Close::Stopped { .. }) => out.line(&format!("Go on with it: nofm resume {id}{face}")),
        End::Closed(_) => out.line(&format!("Read it again:  nofm review {id}{face}")),
        _ => Ok(()),
    }
}

/// The end in a few lines, for somebody who has seen the last page elsewhere.
pub(in crate::plain) fn short(
    out: &mut Printer,
    state: &State,
    end: &End,
    session: &SessionDir,
) -> io::Result<()> {
    let id = session.id();
    if let Some((heading, why)) = end.heading() {
        out.line(heading)?;
        if let Some(why) = why {
            out.text(why)?;
        }
    }
    for text in end.left() {
        out.text(text)?;
    }
    if let Some(tally) = tally::full(state).filter(|_| state.plan.is_some()) {
        out.line(&tally)?;
    }
    match state.to_do.len() {
        0 => {}
        1 => out.line("1 thing is left to do: the review tells which")?,
        count => out.line(&format!("{count} things are left to do: the review tells which"))?,
    }
    match end {
        End::Left => out.line(&format!("Join it again:  nofm attach {id}")),
        End::RunnerGone => out.line(&format!("Go on with it:  nofm resume {id}")),
        _ => kept(out, end, session, ""),
    }
}

/// What became of what was begun.
fn upgrade(out: &mut Printer, state: &State) -> io::Result<()> {
    if let Some(tally) = tally::full(state) {
        out.line(&tally)?;
    }
    if finish::has_end_checks(state) {
        out.blank()?;
        out.line("Checks at the end:")?;
        checks(out, state, true)?;
    }
    for text in finish::lanes(state) {
        out.hanging("  ", &text)?;
    }
    if let Some(text) = finish::not_begun(state) {
        out.line(&format!("  {text}"))?;
    }
    for (index, text) in finish::failures(state).iter().enumerate() {
        if index == 0 {
            out.blank()?;
            out.line("What failed on the way:")?;
        }
        out.hanging("  - ", text)?;
    }
    Ok(())
}

fn to_do(out: &mut Printer, state: &State) -> io::Result<()> {
    if state.to_do.is_empty() {
        return Ok(());
    }
    out.line("Left to do:")?;
    for (index, text) in state.to_do.iter().enumerate() {
        out.hanging(&format!("{:>4}. ", index + 1), text)?;
    }
    out.blank()
}
