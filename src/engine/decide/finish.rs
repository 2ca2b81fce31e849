//! The checks at the end, and the end.

use super::Decider;
use crate::engine::event::{Close, Event};
use crate::engine::measure::Purpose;
use crate::engine::question::{About, Answer, Choice};
use crate::engine::state::LaneState;
use crate::model::Verdict;
use crate::profile::Severity;

impl Decider<'_> {
    pub(super) fn ending(&mut self) {
        let state = self.state;
        if state.halt.is_some() || state.sides.iter().any(|lane: &LaneState| !lane.phase.is_closed()) {
            return;
        }
        if state.measures.has_check() {
            // What is asked about other checks stands meanwhile.
            let asked = state.asked.keys().filter(|about| matches!(about, About::EndCheck(..)));
            self.relevant.extend(asked.cloned());
            return;
        }
        let places = state.check_places(true);
        let mut open = false;
        let mut failed = 0_usize;
        for (check, server) in places {
            let Some(found) = state.checks.get(&(check.clone(), server.clone())) else {
                open = true;
                continue;
            };
            let Some(verdict) = found.verdict else {
                open = true;
                continue;
            };
            if verdict == Verdict::Pass || found.waived.is_some() || self.left_out(server.as_ref()) {
                continue;
            }
            failed += 1;
            if state.end_accepted {
                continue;
            }
            let Some(facts) = state.check_facts(&check) else { continue };
            let place = server.as_ref().map_or("the farm", |server| server.as_str());
            let word = if verdict == Verdict::Fail { "does not hold" } else { "is unknown" };
            let text = format!("{place}: \"{}\" {word}: {}", facts.title, found.shown);
            let mut options = vec![Answer::new(Choice::LookAgain, "looks again")];
            if facts.has_fix {
                options.push(Answer::new(Choice::Fix, "carries out the remedy, then looks again"));
            }
            if facts.severity == Severity::Warn {
                options
                    .push(Answer::new(Choice::Waive, "stays as it is, for the reason you give").with_text());
            }
            options.push(Answer::new(
                Choice::Accept,
                "ends the session as failed, with this on the list of what is left",
            ));
            options.push(super::hold());
            let details = state.remedy(&check, server.as_ref()).into_iter().collect();
            self.ask(About::EndCheck(check, server), text, details, options);
        }
        if open || (failed > 0 && !state.end_accepted) {
            return;
        }
        if !self.measured(Purpose::Finish) {
            return;
        }
        for text in state.left_to_do() {
            self.record(Event::ToDo { text });
        }
        let close = if failed > 0 {
            Close::Failed { why: format!("{failed} of the checks at the end did not pass") }
        } else {
            Close::Done
        };
        self.record(Event::Closed { close });
    }

    fn left_out(&self, server: Option<&crate::model::ServerName>) -> bool {
        server.is_some_and(|server| self.state.left_out.contains_key(server))
    }
}
