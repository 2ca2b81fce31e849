//! What an answer file says to a question.

use std::collections::BTreeMap;

use crate::engine::{About, Choice, ProbeKey, Question, State, StepKey};
use crate::inventory::{Answers, StepAnswer};
use crate::model::{CheckId, FailureId, StepId};
use crate::plan::PlanStep;
use crate::profile::Offer;

/// How often a failed step is dealt with in the same way without a person.
const TIMES: u32 = 3;
/// How often is collected what the vendor's support needs.
const COLLECTIONS: u32 = 1;
/// How often is looked again whether a step worked whose end nobody saw.
const LOOKS: u32 = 1;
/// How often a step that is late is given as long again without a person.
const LATE_TIMES: u32 = 1;
/// The reason that stands in the journal where a choice wants one and the answer file has none.
const REASON: &str = "by the answer file";

/// Answers, and what came of them so far.
pub(super) struct Policy<'a> {
    pub(super) answers: &'a Answers,
    /// How often a choice was made about a step, whatever its attempt.
    chosen: BTreeMap<(StepKey, Choice), u32>,
    fixed: Vec<(CheckId, Option<crate::model::ServerName>)>,
}

impl<'a> Policy<'a> {
    pub(super) fn new(answers: &'a Answers) -> Self {
        Self { answers, chosen: BTreeMap::new(), fixed: Vec::new() }
    }

    /// Whether a check's fix may be carried out, which is once.
    pub(super) fn may_fix(&mut self, check: &CheckId, server: Option<&crate::model::ServerName>) -> bool {
        let place = (check.clone(), server.cloned());
        let may = self.answers.fix.get(check) == Some(&true) && !self.fixed.contains(&place);
        if may {
            self.fixed.push(place);
        }
        may
    }

    /// What is chosen, with its text; `None`: a person must decide.
    pub(super) fn choose(&mut self, state: &State, question: &Question) -> Option<(Choice, String)> {
        let (choice, text) = self.wish(state, &question.about)?;
        // Where nothing can be started again, such as a wait or what a step needs, trying again is looking again.
        let choice = if choice == Choice::Retry && question.option(choice).is_none() {
            Choice::LookAgain
        } else {
            choice
        };
        let option = question.option(choice).filter(|option| option.refused.is_none())?;
        let text = if option.wants_text && text.is_empty() { REASON.to_owned() } else { text };
        Some((choice, text))
    }

    fn wish(&mut self, state: &State, about: &About) -> Option<(Choice, String)> {
        let plain = |choice| Some((choice, String::new()));
        match about {
            About::Confirm(key) => match self.step(state, key)? {
                StepAnswer::Done => plain(Choice::Yes),
                StepAnswer::Skip => None,
            },
            About::Manual(key) | About::Attended(key) => match self.step(state, key)? {
                StepAnswer::Done => plain(Choice::Done),
                StepAnswer::Skip => None,
            },
            // An optional step is carried out on the operator's word only.
            About::Optional(key) => match self.step(state, key) {
                Some(StepAnswer::Done) => plain(Choice::Do),
                Some(StepAnswer::Skip) | None => plain(Choice::Skip),
            },
            About::Tell(probe) => Some((Choice::Tell, self.told(probe)?)),
            About::Slow(key) => self.counted(key, Choice::LookAgain, LATE_TIMES),
            About::Failure(key) => {
                let lane = state.lane(&key.lane)?;
                let rule: FailureId = lane.ruled.clone()??;
                let choice = choice_of(*self.answers.failures.get(&rule)?);
                self.counted(key, choice, if choice == Choice::Collect { COLLECTIONS } else { TIMES })
            }
            About::EndCheck(check, server) => {
                if self.may_fix(check, server.as_ref()) {
                    return plain(Choice::Fix);
                }
                Some((Choice::Waive, self.answers.waive.get(check)?.clone()))
            }
            // Whether it worked the servers may tell by now; to say so is a person's.
            About::Settle(key) => self.counted(key, Choice::LookAgain, LOOKS),
            About::KeepUp(_) | About::Barred(..) => None,
        }
    }

    /// `choice`, unless it was made `most` times about this step, in whatever round.
    fn counted(&mut self, key: &StepKey, choice: Choice, most: u32) -> Option<(Choice, String)> {
        let mut key = StepKey { attempt: 0, ..key.clone() };
        key.lane.round = 0;
        let count = self.chosen.entry((key, choice)).or_default();
        *count += 1;
        (*count <= most).then(|| (choice, String::new()))
    }

    fn step(&self, state: &State, key: &StepKey) -> Option<StepAnswer> {
        if let Some(answer) = self.answers.steps.get(&key.step) {
            return Some(*answer);
        }
        let script = state.script(&key.lane.script)?;
        let step: &PlanStep = script.find(&key.step)?;
        let fits = |(id, _): &(&StepId, &StepAnswer)| step.is(id);
        self.answers.steps.iter().find(fits).map(|(_, answer)| *answer)
    }

    fn told(&self, probe: &ProbeKey) -> Option<String> {
        match probe {
            ProbeKey::Fact(fact, server) => {
                let key = server.as_ref().map_or("", |server| server.as_str());
                Some(self.answers.facts.get(fact)?.get(key)?.to_string())
            }
            ProbeKey::Check(check, _) => {
                let yes = *self.answers.checks.get(check)?;
                Some(if yes { "yes" } else { "no" }.to_owned())
            }
        }
    }
}

fn choice_of(offer: Offer) -> Choice {
    match offer {
        Offer::Retry => Choice::Retry,
        Offer::ByHand => Choice::ByHand,
        Offer::LeaveOut => Choice::LeaveOut,
        Offer::Recover => Choice::Recover,
        Offer::Hold => Choice::Hold,
        Offer::Abort => Choice::Abort,
        Offer::Collect => Choice::Collect,
    }
}
