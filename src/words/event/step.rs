//! A single step.

use crate::engine::{Before, End, Event, GATES, Outcome, State, StepKey};
use crate::words::title::{listed, place, spaced, step_title};

pub(super) fn line(state: &State, event: &Event) -> Option<String> {
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
        Event::WaitLeft { key, viewer } => format!("{}: {viewer} does not wait for it any longer", at(key)),
        Event::LookedUp { key, place, before: Before::Services(found) } => {
            let names: Vec<String> = found.values().flatten().cloned().collect();
            format!("{} on {place}: services found: {}", at(key), listed(&names))
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
            let bans: Vec<String> = bans.iter().map(|ban| format!("from now on {ban}")).collect();
            std::iter::once(rule).filter(|rule| !rule.is_empty()).chain(bans).collect::<Vec<_>>().join("; ")
        }
        _ => return None,
    })
}

fn attempt(key: &StepKey) -> String {
    if key.attempt > 1 { format!(" (attempt {})", key.attempt) } else { String::new() }
}
