//! In a rehearsal: stand-ins that do what a step asks a person to do, when the operator says that it is done.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::engine::{About, Choice, Hand, Intent, State};
use crate::model::ViewerId;
use crate::text::escape::{Newline, safe_bytes};
use crate::transport::{Link, Local, Probe};

/// How long what a person does may take a stand-in.
const PATIENCE: Duration = Duration::from_mins(10);
/// How much of a complaint is passed on, in bytes.
const COMPLAINT: usize = 400;

/// The questions that a stand-in answers at the moment.
#[derive(Default)]
pub(super) struct Hands(BTreeSet<u64>);

/// What is to be done about an intent before it is judged.
pub(super) enum Due {
    Nothing,
    /// A stand-in does it already.
    Busy,
    Do(u64, Hand),
}

impl Hands {
    /// What has to be done before `intent` is true, where it says that something is done by hand and a stand-in does
    /// that.
    pub(super) fn due(&mut self, state: &State, viewer: &ViewerId, intent: &Intent) -> Due {
        let Intent::Reply { question, choice: Choice::Done, .. } = intent else { return Due::Nothing };
        let Some(About::Manual(key)) = state.questions.get(question).map(|question| &question.about) else {
            return Due::Nothing;
        };
        // Whoever would be refused anyway moves no hand.
        let Some(hand) = state.hand(key).filter(|_| state.judge(viewer, intent).is_ok()) else {
            return Due::Nothing;
        };
        if self.0.insert(*question) { Due::Do(*question, hand) } else { Due::Busy }
    }

    pub(super) fn finish(&mut self, question: u64) {
        self.0.remove(&question);
    }
}

/// Does it.
///
/// # Errors
/// Why it could not be done.
pub(super) async fn lend(hand: Hand) -> Result<(), String> {
    let link = Link::Local(Local::new("stand-in", Some(&hand.root)).into());
    let probe = Probe { time: PATIENCE, ..Probe::new(hand.script) };
    let output = link.probe(&probe).await.map_err(|error| format!("it could not be done: {error}"))?;
    if output.exit == 0 {
        return Ok(());
    }
    let said = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let said = said[..said.len().min(COMPLAINT)].trim_ascii();
    Err(format!("it could not be done (exit status {}): {}", output.exit, safe_bytes(said, Newline::Show)))
}
