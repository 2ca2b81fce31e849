//! What operators asked for, and were asked.

use crate::engine::Event;
use crate::words::access::{fingerprint, title, wait};
use crate::words::title::choice_word;

pub(super) fn line(event: &Event) -> Option<String> {
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
        Event::BanLifted { act, why, evidence, viewer } => {
            format!("{viewer} lifted that {act} was forbidden ({why}), on this evidence: {evidence}")
        }
        Event::AccessAsked { access, servers: waiting, complaint } => {
            let complaint = if complaint.is_empty() { String::new() } else { format!(": {complaint}") };
            format!("{} for a person: {}{complaint}", wait(waiting), title(access))
        }
        Event::AccessGiven { access, viewer } => match fingerprint(access) {
            Some(print) => format!("{viewer} trusts the {}: {print}", title(access)),
            None => format!("{viewer} gave the {}", title(access)),
        },
        Event::AccessDenied { access, viewer } => match fingerprint(access) {
            Some(print) => format!("{viewer} does not trust the {}: {print}", title(access)),
            None => format!("{viewer} does not give the {}", title(access)),
        },
        Event::AccessWithdrawn { access, servers: waiting } => {
            format!("{} for a person no more: {}", wait(waiting), title(access))
        }
        Event::PenTaken { viewer, by_force: false } => format!("{viewer} has the pen"),
        Event::PenTaken { viewer, by_force: true } => format!("{viewer} took the pen over"),
        Event::PenLeft { viewer } => format!("{viewer} is gone and left the pen"),
        Event::Refused { viewer, intent, why } => format!("refused to {viewer}: {intent}: {why}"),
        _ => return None,
    })
}
