//! The way through stages and servers.

use crate::engine::{Event, LaneKey, ScriptRef, State};
use crate::model::StageId;
use crate::text::size;
use crate::words::title::{place, script_title, short, spaced, stage_title, step_title};

use super::close_words;

pub(super) fn line(state: &State, event: &Event) -> Option<String> {
    Some(match event {
        Event::PlanFixed { hash, viewer } => {
            format!("{viewer} agreed to the plan {}; the upgrade begins", hash.get(..12).unwrap_or(hash))
        }
        Event::StageEntered { stage } => {
            let count = lanes(state, stage);
            if count == 0 {
                return None;
            }
            let servers = if count == 1 { "1 server".to_owned() } else { format!("{count} servers") };
            match state.setup.profile.stage(stage) {
                Some(found) if found.roles.is_empty() => format!("stage begins: {}", found.title),
                _ => format!("stage begins: {} ({servers})", stage_title(state, stage)),
            }
        }
        Event::StageLeft { stage } if lanes(state, stage) == 0 => return None,
        Event::StageLeft { stage } => format!("stage ended: {}", stage_title(state, stage)),
        Event::LaneEntered { lane } => {
            format!("{}: its turn{}", place(lane.server.as_ref()), turn(state, lane))
        }
        Event::SoakBegun { lane } => {
            format!("{}: its checks hold; it is watched for a while", place(lane.server.as_ref()))
        }
        Event::LaneDone { lane } => {
            let took = state.lane(lane).map(|lane| lane.ended_ms.saturating_sub(lane.entered_ms));
            let took = took.map(|ms| format!(" in {}", short(ms))).unwrap_or_default();
            format!("{}: {} done{took}", place(lane.server.as_ref()), script_title(state, lane))
        }
        Event::LeftOut { server, reason, viewer } => format!("{viewer} left {server} out: {reason}"),
        Event::RecoveryBegun { lane, of } => {
            format!(
                "{}: the recovery begins, since \"{}\" failed",
                place(lane.server.as_ref()),
                step_title(state, of)
            )
        }
        Event::CollectBegun { lane, of } => {
            format!(
                "{}: what support needs is collected, since \"{}\" failed",
                place(lane.server.as_ref()),
                step_title(state, of)
            )
        }
        Event::Undone { steps } => {
            let steps: Vec<String> =
                steps.iter().map(|step| format!("\"{}\"", spaced(step.as_str()))).collect();
            format!(
                "undone, and to be done once more: {}",
                if steps.is_empty() { "nothing".to_owned() } else { steps.join(", ") }
            )
        }
        Event::RoundBegun { round, stage } => {
            format!(
                "round {round} begins: the procedure is gone through again from \"{}\"",
                stage_title(state, stage)
            )
        }
        Event::FixBegun { lane } => {
            let item = lane.item.as_ref().map(|item| format!(" ({item})")).unwrap_or_default();
            format!("{}: {} begins{item}", place(lane.server.as_ref()), script_title(state, lane))
        }
        Event::EndChecksBegun => "every server is behind; the checks at the end begin".to_owned(),
        Event::ReachLost { server, why } => {
            format!("{server} cannot be reached: {why}; what runs there goes on")
        }
        Event::ReachBack { server } => format!("{server} can be reached again"),
        Event::RoomLow { .. } => crate::words::room_low(state)?,
        Event::RoomBack { free } => {
            format!("the console's disk has room again, {} free: it goes on", size::short(*free))
        }
        Event::OutputCut { key, place, kept, printed } => format!(
            "{place}: of {} that \"{}\" printed {} are kept here, since the console's disk is full; the server keeps \
             all of it",
            size::short(*printed),
            step_title(state, key),
            size::short(*kept)
        ),
        Event::ToDo { text } => format!("on the list of what is left to do: {text}"),
        Event::Closed { close } => close_words(close),
        _ => return None,
    })
}

/// ` (2 of 4)`, where there is more than one.
fn turn(state: &State, lane: &LaneKey) -> String {
    let ScriptRef::Stage(id) = &lane.script else { return String::new() };
    let Some(of) = state.stage_index(id).and_then(|index| state.stages.get(index)) else {
        return String::new();
    };
    let index = lane.server.as_ref().and_then(|server| of.by_server.get(server));
    match (index, of.lanes.len()) {
        (Some(index), 2..) => format!(" ({} of {})", index + 1, of.lanes.len()),
        _ => String::new(),
    }
}

/// How many servers have a turn in a stage; 1 for a stage of the farm.
fn lanes(state: &State, id: &StageId) -> usize {
    state.stage_index(id).and_then(|index| state.stages.get(index)).map_or(0, |found| found.lanes.len())
}
