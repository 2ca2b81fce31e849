//! Events as sentences: one place for each, the same when it happens, when somebody joins later, and in review.

use std::time::Duration;

use crate::engine::{
    Choice, Close, End, Event, GATES, LaneKey, Measured, Outcome, ScriptRef, State, StepKey,
};
use crate::model::{CheckId, InputId, Known, ServerName, StageId, Verdict, ViewerId};
use crate::text::duration;

/// Lines that are shown of what a failed step printed.
const TAIL: usize = 6;

/// What `event` says to a person, given the state after it. `None`: nothing worth a line of its own.
pub fn line(state: &State, event: &Event) -> Option<String> {
    preparation(state, event)
        .or_else(|| course(state, event))
        .or_else(|| single(state, event))
        .or_else(|| operator(event))
}

/// Answers and checks.
fn preparation(state: &State, event: &Event) -> Option<String> {
    Some(match event {
        Event::Opened { program, host } if state.seq == 1 => {
            format!("the session was opened by nofm {program} on {host}")
        }
        Event::Opened { program, host } => {
            format!("nofm {program} on {host} took the session over and goes on")
        }
        Event::BansFound { bans } => {
            let bans: Vec<String> = bans.iter().map(|ban| format!("{}: {}", ban.act, ban.why)).collect();
            format!("forbidden on this farm since earlier: {}", bans.join("; "))
        }
        Event::TornTail { bytes } => {
            format!(
                "the journal's last line was never written whole: {bytes} bytes of it were cut off; nothing was done on it"
            )
        }
        Event::Answered { input, key, value, viewer } => {
            format!("{viewer} answered {}: {value}", input_of(state, input, key))
        }
        Event::NoticeConfirmed { notice, viewer } => {
            format!("{viewer} confirmed the notice \"{}\"", spaced(notice.as_str()))
        }
        Event::UnsureAgreed { input, viewer } => {
            format!("{viewer} agreed to what the vendor does not vouch for: {}", input_of(state, input, ""))
        }
        Event::ChecksWanted { check: None, server: None } => {
            "all checks of the start are carried out".to_owned()
        }
        Event::ChecksWanted { check, server } => {
            let what = check.as_ref().map_or_else(
                || "all checks".to_owned(),
                |check| format!("\"{}\"", check_title(state, check)),
            );
            format!(
                "{what}{}: checked again",
                server.as_ref().map(|server| format!(" on {server}")).unwrap_or_default()
            )
        }
        Event::Checked { check, server, verdict, shown, known } => format!(
            "{}: \"{}\" {}: {shown} ({known})",
            place(server.as_ref()),
            check_title(state, check),
            verdict_word(*verdict)
        ),
        Event::Waived { check, server, reason, viewer } => format!(
            "{viewer} waived \"{}\" on {}, for this reason: {reason}",
            check_title(state, check),
            place(server.as_ref())
        ),
        Event::Read { probe, reading, .. } if reading.known == Known::Told => match &reading.seen {
            Measured::Value(value) => format!("told, not seen: {probe} is {value}"),
            Measured::Unknown(why) => format!("not known: {probe} ({why})"),
            _ => return None,
        },
        _ => return None,
    })
}

/// The way through stages and servers.
fn course(state: &State, event: &Event) -> Option<String> {
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
            format!("{}: {} done{took}", place(lane.server.as_ref()), script(state, lane))
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
            format!("{}: {} begins{item}", place(lane.server.as_ref()), script(state, lane))
        }
        Event::EndChecksBegun => "every server is behind; the checks at the end begin".to_owned(),
        Event::ReachLost { server, why } => {
            format!("{server} cannot be reached: {why}; what runs there goes on")
        }
        Event::ReachBack { server } => format!("{server} can be reached again"),
        Event::ToDo { text } => format!("on the list of what is left to do: {text}"),
        Event::Closed { close } => close_words(close),
        _ => return None,
    })
}

/// A single step.
fn single(state: &State, event: &Event) -> Option<String> {
    let at = |key: &StepKey| format!("{}: \"{}\"", place(key.lane.server.as_ref()), step_title(state, key));
    Some(match event {
        Event::StepIntended { key, targets, tty, .. } => {
            let own = key.lane.server.as_ref();
            let places: Vec<String> = targets.iter().map(|target| target.place.to_string()).collect();
            let elsewhere = !matches!(&*places, [one] if own.is_some_and(|own| own.as_str() == one));
            let on = if elsewhere { format!(" on {}", listed(&places)) } else { String::new() };
            format!("{} starts{on}{}{}", at(key), if *tty { ", in a terminal" } else { "" }, attempt(key))
        }
        Event::WaitBegun { key } if key.step == GATES => {
            // Where nothing must hold after it, nothing is looked at.
            let watched = state.stage_of(&key.lane)?;
            if watched.gates.is_empty() && watched.soak.is_none() {
                return None;
            }
            format!("{}: what must hold after it is looked at", place(key.lane.server.as_ref()))
        }
        Event::WaitBegun { key } => {
            let until =
                state.wait_of(key).map(|wait| format!(": {}", wait.until.source())).unwrap_or_default();
            format!("{} waits{until}{}", at(key), attempt(key))
        }
        Event::TargetEnded { key, place, end, bytes, .. } => {
            let ok = matches!(end, End::Exit(0));
            let many = state.lane(&key.lane).is_some_and(|lane| lane.targets.len() > 1);
            if ok && !many {
                return None;
            }
            let size = if *bytes > 0 {
                format!(", after {}", crate::text::size::short(*bytes))
            } else {
                String::new()
            };
            format!("{} on {place}: {end}{size}", at(key))
        }
        Event::ProofBegun { key, by_hand: true } => {
            format!("{} was done by hand, so the operator says; it is looked at", at(key))
        }
        Event::StepSettled { key, outcome, known, why } => match outcome {
            Outcome::Succeeded => format!("{} done ({known}: {why})", at(key)),
            other => format!("{} {other} ({why})", at(key)),
        },
        Event::StepFailed { key, cause } => format!("{} FAILED: {cause}", at(key)),
        Event::StepUnknown { key, cause } => format!("{}: whether it worked is NOT KNOWN: {cause}", at(key)),
        Event::FailureRuled { rule, bans, .. } if rule.is_some() || !bans.is_empty() => {
            let rule = rule.as_ref().map_or_else(String::new, |rule| {
                format!("the vendor's rule \"{}\" applies", spaced(rule.as_str()))
            });
            let bans: Vec<String> =
                bans.iter().map(|ban| format!("from now on forbidden: {} ({})", ban.act, ban.why)).collect();
            std::iter::once(rule).filter(|rule| !rule.is_empty()).chain(bans).collect::<Vec<_>>().join("; ")
        }
        _ => return None,
    })
}

/// The last lines of what a step printed that did not end well.
pub fn tail(event: &Event) -> Vec<String> {
    let Event::TargetEnded { end, tail, .. } = event else { return Vec::new() };
    if matches!(end, End::Exit(0)) {
        return Vec::new();
    }
    let lines: Vec<&str> = tail.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(TAIL)..].iter().map(|line| format!("  | {line}")).collect()
}

/// What operators asked for, and were asked.
fn operator(event: &Event) -> Option<String> {
    Some(match event {
        Event::Asked { question } => format!("asked: {}", question.text),
        Event::Replied { choice, text, viewer, .. } if text.is_empty() => {
            format!("{viewer} chose: {}", choice_word(*choice))
        }
        Event::Replied { choice, text, viewer, .. } => {
            format!("{viewer} chose: {} ({text})", choice_word(*choice))
        }
        Event::Withdrawn { .. } => "a question needs no answer any more".to_owned(),
        Event::Paused { server: None, viewer } => {
            format!("{viewer} paused: what runs is finished, nothing else is started")
        }
        Event::Unpaused { server: None, viewer } => format!("{viewer} lets it go on"),
        Event::Paused { server: Some(server), viewer } => {
            format!("{viewer} paused {server}: nothing else is started there")
        }
        Event::Unpaused { server: Some(server), viewer } => format!("{viewer} lets {server} go on"),
        Event::StopWanted { viewer } => format!("{viewer} wants to stop: what runs is finished first"),
        Event::EndChecksAccepted { viewer } => format!("{viewer} ends it with a check that does not pass"),
        Event::BanLifted { act, evidence, viewer } => {
            format!("{viewer} lifted what was forbidden ({act}): {evidence}")
        }
        Event::PenTaken { viewer, by_force: false } => format!("{viewer} has the pen"),
        Event::PenTaken { viewer, by_force: true } => format!("{viewer} took the pen over"),
        Event::PenLeft { viewer } => format!("{viewer} is gone and left the pen"),
        Event::Refused { viewer, intent, why } => format!("refused to {viewer}: {intent}: {why}"),
        _ => return None,
    })
}

/// Whether `event` is what `viewer` did, and so saw happen.
pub fn is_by(event: &Event, viewer: &ViewerId) -> bool {
    match event {
        Event::Answered { viewer: by, .. }
        | Event::NoticeConfirmed { viewer: by, .. }
        | Event::UnsureAgreed { viewer: by, .. }
        | Event::PenTaken { viewer: by, .. }
        | Event::Replied { viewer: by, .. }
        | Event::Refused { viewer: by, .. } => by == viewer,
        _ => false,
    }
}

/// How a session ended, in a sentence.
pub fn close_words(close: &Close) -> String {
    match close {
        Close::Done => "the session is done".to_owned(),
        Close::Failed { why } => format!("the session ended as failed: {why}"),
        Close::Stopped { why } => format!("the session stopped and can be resumed: {why}"),
    }
}

/// As it is written in questions: `by hand`, `leave out`.
pub fn choice_word(choice: Choice) -> String {
    spaced(choice.as_str())
}

/// The word that says how a check came out.
pub fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "passes",
        Verdict::Fail => "DOES NOT PASS",
        Verdict::Unknown => "is UNKNOWN",
    }
}

pub fn check_title(state: &State, check: &CheckId) -> String {
    state.check_facts(check).map_or_else(|| spaced(check.as_str()), |facts| facts.title.to_owned())
}

pub fn stage_title(state: &State, id: &StageId) -> String {
    state.setup.profile.stage(id).map_or_else(|| spaced(id.as_str()), |found| found.title.clone())
}

pub fn step_title(state: &State, key: &StepKey) -> String {
    if key.step == GATES {
        return "what must hold after it".to_owned();
    }
    let step = state.script(&key.lane.script).and_then(|script| script.find(&key.step));
    step.map_or_else(|| spaced(key.step.as_str()), |step| step.title.clone())
}

pub fn place(server: Option<&ServerName>) -> &str {
    server.map_or("the farm", ServerName::as_str)
}

/// `ms` as a person says it.
pub fn short(ms: u64) -> String {
    duration::short(Duration::from_millis(ms))
}

fn script(state: &State, lane: &LaneKey) -> String {
    match &lane.script {
        ScriptRef::Stage(id) => stage_title(state, id),
        ScriptRef::Recovery(_) => "the recovery".to_owned(),
        ScriptRef::Collect => "collecting".to_owned(),
        ScriptRef::Fix(check) => format!("mending \"{}\"", check_title(state, check)),
    }
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

fn attempt(key: &StepKey) -> String {
    if key.attempt > 1 { format!(" (attempt {})", key.attempt) } else { String::new() }
}

fn input_of(state: &State, input: &InputId, key: &str) -> String {
    let label =
        state.setup.profile.input(input).map_or_else(|| spaced(input.as_str()), |input| input.label.clone());
    if key.is_empty() { format!("\"{label}\"") } else { format!("\"{label}\" for {key}") }
}

fn listed(places: &[String]) -> String {
    match places {
        [] => "nothing".to_owned(),
        [.., _] if places.len() > 6 => format!("{} and {} more", places[..5].join(", "), places.len() - 5),
        _ => places.join(", "),
    }
}

fn spaced(id: &str) -> String {
    id.replace('_', " ")
}
