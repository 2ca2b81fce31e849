//! Answers and checks.

use crate::engine::{Event, Measured, State};
use crate::model::Known;
use crate::words::title::{check_title, input_of, place, spaced, verdict_word};

pub(super) fn line(state: &State, event: &Event) -> Option<String> {
    Some(match event {
        Event::Opened { program, host } if state.seq == 1 => {
            format!("the session was opened by nofm {program} on {host}")
        }
        Event::Opened { program, host } => {
            format!("nofm {program} on {host} took the session over and goes on")
        }
        Event::BansFound { bans } if bans.is_empty() => {
            "nothing is forbidden on this farm any more".to_owned()
        }
        Event::BansFound { bans } => {
            let bans: Vec<String> = bans.iter().map(ToString::to_string).collect();
            format!("since earlier {}", bans.join("; "))
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
