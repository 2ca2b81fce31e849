//! Where a session stands, and how it ended.

use std::io;

use super::super::printer::Printer;
use super::super::{error::End, words};
use super::{check_rows, checks, notice, notices_of, tally};
use crate::engine::{Close, LanePhase, Phase, State};
use crate::journal::SessionDir;
use crate::model::Verdict;
use crate::profile::Page;

/// What is under way, for somebody who joins or asks.
pub(in crate::plain) fn status(out: &mut Printer, state: &State, now_ms: u64) -> io::Result<()> {
    if let Some(tally) = tally(state).filter(|_| state.plan.is_some()) {
        out.line(&tally)?;
    }
    match (state.phase, state.setup.profile.stages.get(state.stage)) {
        (Phase::Preparing, _) => out.line("Nothing was started yet.")?,
        (Phase::Running, Some(present)) => {
            out.line(&format!(
                "Stage {} of {}: {}",
                state.stage + 1,
                state.setup.profile.stages.len(),
                present.title
            ))?;
        }
        (Phase::Running, None) => {}
        (Phase::Ending, _) => out.line("The checks at the end are under way.")?,
    }
    for lane in state.active_lanes() {
        let key = state.step_key(lane);
        let since = words::short(now_ms.saturating_sub(lane.phase_ms));
        let step = words::step_title(state, &key);
        let doing = match &lane.step {
            crate::engine::StepPhase::Ready | crate::engine::StepPhase::Cleared => "is next".to_owned(),
            crate::engine::StepPhase::Running => format!("runs for {since}"),
            crate::engine::StepPhase::Waiting => format!("waits for {since}"),
            crate::engine::StepPhase::Proving { .. } => format!("is looked at for {since}"),
            crate::engine::StepPhase::Soaking => format!("is watched for {since}"),
            crate::engine::StepPhase::Failed(cause) => format!("FAILED: {cause}"),
            crate::engine::StepPhase::Unknown(cause) => format!("is NOT KNOWN to have worked: {cause}"),
        };
        out.hanging("  ", &format!("{}: \"{step}\" {doing}", words::place(lane.key.server.as_ref())))?;
    }
    for (server, why) in &state.lost {
        out.hanging("  ", &format!("{server} cannot be reached: {why}"))?;
    }
    if state.paused {
        out.line("  It is paused: nothing new is started.")?;
    }
    for server in &state.paused_servers {
        out.line(&format!("  {server} is paused."))?;
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
    match end {
        End::Closed(Close::Done) => out.heading("Finished: the upgrade is done")?,
        End::Closed(Close::Failed { why }) => {
            out.heading("Finished: the upgrade FAILED")?;
            out.text(why)?;
        }
        End::Closed(Close::Stopped { why }) => {
            out.heading("Stopped: it can be resumed")?;
            out.text(why)?;
        }
        End::Blocked => out.heading("Blocked: a check does not let it begin")?,
        End::Left | End::RunnerGone => return Ok(()),
    }
    if state.plan.is_some() {
        if let Some(tally) = tally(state) {
            out.line(&tally)?;
        }
        if check_rows(state, true).iter().any(|row| row.verdict.is_some()) && state.phase == Phase::Ending {
            out.blank()?;
            out.line("Checks at the end:")?;
            checks(out, state, true)?;
        }
        servers(out, state)?;
        failures(out, state)?;
    } else {
        out.line("Nothing was begun: no server was upgraded.")?;
    }
    waived(out, state)?;
    if matches!(end, End::Closed(Close::Done | Close::Failed { .. })) && state.plan.is_some() {
        for id in notices_of(state, Page::Finish) {
            if let Some(found) = state.setup.profile.notice(&id) {
                out.blank()?;
                notice(out, state, found)?;
            }
        }
    }
    out.blank()?;
    to_do(out, state)?;
    let id = session.id();
    out.line(&format!("The session {id} is kept in {}", session.path().display()))?;
    match end {
        End::Closed(Close::Stopped { .. }) => {
            out.line(&format!("Go on with it: nofm resume {id} --plain"))?;
        }
        End::Closed(_) => out.line(&format!("Read it again:  nofm review {id} --plain"))?,
        _ => {}
    }
    Ok(())
}

/// Servers that are not simply behind.
fn servers(out: &mut Printer, state: &State) -> io::Result<()> {
    let lanes = state.stages.iter().flat_map(|stage| &stage.lanes).chain(&state.sides);
    for lane in lanes {
        let text = match &lane.phase {
            LanePhase::Active | LanePhase::Recovering => {
                let key = state.step_key(lane);
                format!("stands in the middle, at \"{}\"", words::step_title(state, &key))
            }
            LanePhase::LeftOut(why) => format!("left out: {why}"),
            LanePhase::Given => "given up after the recovery".to_owned(),
            LanePhase::Waiting | LanePhase::Done => continue,
        };
        out.hanging("  ", &format!("{}: {text}", words::place(lane.key.server.as_ref())))?;
    }
    let waiting = state
        .stages
        .iter()
        .flat_map(|stage| &stage.lanes)
        .filter(|lane| lane.phase == LanePhase::Waiting)
        .count();
    if waiting > 0 {
        out.line(&format!("  {waiting} turns of servers in stages were not begun"))?;
    }
    Ok(())
}

fn failures(out: &mut Printer, state: &State) -> io::Result<()> {
    if state.failures.is_empty() {
        return Ok(());
    }
    out.blank()?;
    out.line("What failed on the way:")?;
    for failure in &state.failures {
        let settled = failure.settled.as_ref().map_or("still open".to_owned(), |how| format!("then: {how}"));
        let place = words::place(failure.key.lane.server.as_ref());
        let title = words::step_title(state, &failure.key);
        out.hanging("  - ", &format!("{place}: \"{title}\": {}; {settled}", failure.cause))?;
    }
    Ok(())
}

fn waived(out: &mut Printer, state: &State) -> io::Result<()> {
    for ((check, server), found) in &state.checks {
        if let Some(reason) = &found.waived
            && found.verdict != Some(Verdict::Pass)
        {
            let (title, place) = (words::check_title(state, check), words::place(server.as_ref()));
            out.hanging("  ", &format!("waived: \"{title}\" on {place}: {reason}"))?;
        }
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
