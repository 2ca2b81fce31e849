//! Events as sentences: one place for each, the same when it happens, when somebody joins later, and in review.

mod course;
mod operator;
mod preparation;
mod step;

use crate::engine::{Close, End, Event, State};
use crate::model::ViewerId;

/// Lines that are shown of what a failed step printed.
const TAIL: usize = 6;

/// What `event` says to a person, given the state after it. `None`: nothing worth a line of its own.
pub fn line(state: &State, event: &Event) -> Option<String> {
    preparation::line(state, event)
        .or_else(|| course::line(state, event))
        .or_else(|| step::line(state, event))
        .or_else(|| operator::line(event))
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

/// Whether `event` is what `viewer` did, and so saw happen.
pub fn is_by(event: &Event, viewer: &ViewerId) -> bool {
    match event {
        Event::Answered { viewer: by, .. }
        | Event::NoticeConfirmed { viewer: by, .. }
        | Event::UnsureAgreed { viewer: by, .. }
        | Event::PenTaken { viewer: by, .. }
        | Event::AccessGiven { viewer: by, .. }
        | Event::AccessDenied { viewer: by, .. }
        | Event::WaitLeft { viewer: by, .. }
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
