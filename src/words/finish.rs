//! How a session ended: what became of it, what is left to do.

use std::collections::HashMap;

use super::checks::{self, CheckRow};
use super::components;
use super::lane::{self, LaneRow, Status};
use super::title::{check_title, place, short, step_title};
use crate::client::counted;
use crate::engine::{Close, LanePhase, LaneState, Phase, State};
use crate::model::{ServerName, Tally, Verdict};

/// How following a session came to its end.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    Closed(Close),
    /// A check keeps it from being started.
    Blocked,
    /// The operator left; the session goes on or waits.
    Left,
    /// The runner is gone without having closed the session.
    RunnerGone,
}

/// How it ended, and what a program is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub end: End,
    pub close: Option<Close>,
    pub tally: Option<Tally>,
    /// The checks of the start as they stand.
    pub checks: Vec<CheckRow>,
}

impl Outcome {
    pub fn of(end: End, state: &State) -> Self {
        Self {
            end,
            close: state.close().cloned(),
            tally: if state.plan.is_some() { counted(state).map(|(_, tally)| tally) } else { None },
            checks: checks::rows(state, false),
        }
    }
}

impl End {
    /// What stands above the last page, with the reason. `None`: it is no end of the session.
    pub fn heading(&self) -> Option<(&'static str, Option<&str>)> {
        match self {
            Self::Closed(Close::Done) => Some(("Finished: the upgrade is done", None)),
            Self::Closed(Close::Failed { why }) => Some(("Finished: the upgrade FAILED", Some(why))),
            Self::Closed(Close::Stopped { why }) => Some(("Stopped: it can be resumed", Some(why))),
            Self::Blocked => Some(("Blocked: a check does not let it begin", None)),
            Self::Left | Self::RunnerGone => None,
        }
    }

    /// What became of the session that was left, as sentences. Empty: it has a last page.
    pub fn left(&self) -> &'static [&'static str] {
        match self {
            Self::Left => &["You left; the session goes on without you, and waits where it needs an answer."],
            Self::RunnerGone => &[
                "The runner of this session is gone. What runs on the servers goes on there; nothing new is started.",
            ],
            Self::Closed(_) | Self::Blocked => &[],
        }
    }
}

/// Whether a check of the end was concluded, so that its table is worth showing.
pub fn has_end_checks(state: &State) -> bool {
    state.phase == Phase::Ending && checks::rows(state, true).iter().any(|row| row.verdict.is_some())
}

/// What became of each lane that is not simply behind, each as a line.
pub fn lanes(state: &State) -> Vec<String> {
    let text = |lane: &LaneState| {
        let text = match &lane.phase {
            LanePhase::Active | LanePhase::Recovering => {
                format!("stands in the middle, at \"{}\"", step_title(state, &state.step_key(lane)))
            }
            LanePhase::LeftOut(why) => format!("left out: {why}"),
            LanePhase::Given => "given up after the recovery".to_owned(),
            LanePhase::Waiting | LanePhase::Done => return None,
        };
        Some(format!("{}: {text}", place(lane.key.server.as_ref())))
    };
    state.stages.iter().flat_map(|stage| &stage.lanes).chain(&state.sides).filter_map(text).collect()
}

/// What became of one server, or of the farm.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerEnd {
    /// The worst of its turns; `None`: it had none.
    pub status: Option<Status>,
    /// With its name in front.
    pub text: String,
}

/// What became of each server, in the order of the inventory; then of the farm, where that is not simply done.
pub fn servers(state: &State) -> Vec<ServerEnd> {
    let listed = components::rows(state);
    let mut turns: HashMap<Option<&ServerName>, Vec<LaneRow>> = HashMap::new();
    for lane in state.stages.iter().flat_map(|stage| &stage.lanes) {
        let row = lane::row(state, lane, state.time.now_ms);
        turns.entry(lane.key.server.as_ref()).or_default().push(row);
    }
    let of = |server| turns.get(&server).map(Vec::as_slice).unwrap_or_default();
    let mut ends: Vec<ServerEnd> = listed
        .iter()
        .map(|found| {
            let version = found.version.is_some().then(|| format!(", {}", found.version_text()));
            server_end(Some(&found.server), of(Some(&found.server)), &version.unwrap_or_default())
        })
        .collect();
    let farm = server_end(None, of(None), "");
    ends.extend(Some(farm).filter(|end| end.status.is_some_and(|status| status > Status::Waiting)));
    ends
}

fn server_end(server: Option<&ServerName>, turns: &[LaneRow], version: &str) -> ServerEnd {
    let worst = turns.iter().max_by_key(|row| row.status);
    let text = match worst {
        None => "nothing was to be done here".to_owned(),
        Some(row) if row.status == Status::Done => {
            let took: u64 = turns.iter().filter_map(|row| row.elapsed_ms).sum();
            format!("done in {}{version}", short(took))
        }
        Some(row) => {
            let why = row.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
            format!("{} in \"{}\"{why}{version}", row.status.word(), row.title)
        }
    };
    ServerEnd { status: worst.map(|row| row.status), text: format!("{}: {text}", place(server)) }
}

/// How many turns were not begun, as a line.
pub fn not_begun(state: &State) -> Option<String> {
    let lanes = state.stages.iter().flat_map(|stage| &stage.lanes);
    let waiting = lanes.filter(|lane| lane.phase == LanePhase::Waiting).count();
    (waiting > 0).then(|| format!("{waiting} turns of servers in stages were not begun"))
}

/// What failed on the way, each with what came of it.
pub fn failures(state: &State) -> Vec<String> {
    let text = |failure: &crate::engine::FailureRecord| {
        let settled = failure.settled.as_ref().map_or("still open".to_owned(), |how| format!("then: {how}"));
        let place = place(failure.key.lane.server.as_ref());
        let title = step_title(state, &failure.key);
        format!("{place}: \"{title}\": {}; {settled}", failure.cause)
    };
    state.failures.iter().map(text).collect()
}

/// Checks that do not pass and were waived, each with the reason.
pub fn waived(state: &State) -> Vec<String> {
    let waived = state.checks.iter().filter_map(|((check, server), found)| {
        let reason = found.waived.as_ref().filter(|_| found.verdict != Some(Verdict::Pass))?;
        let (title, place) = (check_title(state, check), place(server.as_ref()));
        Some(format!("waived: \"{title}\" on {place}: {reason}"))
    });
    waived.collect()
}
