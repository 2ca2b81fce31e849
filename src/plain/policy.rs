//! What an answer file says to a question.

use std::collections::BTreeMap;

use crate::engine::{About, Choice, ProbeKey, Question, State, StepKey};
use crate::inventory::{Answers, StepAnswer};
use crate::model::{CheckId, FailureId, InputId, StepId, Value};
use crate::plan::{PlanStep, Setup, answers};
use crate::profile::{InputKind, Offer};

/// How often the same choice is made about the same step without a person.
const TIMES: u32 = 3;
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
            About::Slow(key) => self.counted(key, Choice::LookAgain),
            About::Failure(key) => {
                let lane = state.lane(&key.lane)?;
                let rule: FailureId = lane.ruled.clone()??;
                let choice = choice_of(*self.answers.failures.get(&rule)?);
                self.counted(key, choice)
            }
            About::EndCheck(check, server) => {
                if self.may_fix(check, server.as_ref()) {
                    return plain(Choice::Fix);
                }
                Some((Choice::Waive, self.answers.waive.get(check)?.clone()))
            }
            About::Settle(_) | About::KeepUp(_) => None,
        }
    }

    /// `choice`, unless it was made too often about this step.
    fn counted(&mut self, key: &StepKey, choice: Choice) -> Option<(Choice, String)> {
        let count = self.chosen.entry((StepKey { attempt: 0, ..key.clone() }, choice)).or_default();
        *count += 1;
        (*count <= TIMES).then(|| (choice, String::new()))
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

/// Every input that `given` answers, under each of its keys, as the profile understands it; then what is wrong with
/// the others. The path of a file is made whole by `whole`.
pub fn input_values(
    setup: &Setup,
    given: &Answers,
    whole: impl Fn(&str) -> Result<String, String>,
) -> (Vec<(InputId, String, Value)>, Vec<String>) {
    let (mut values, mut wrong) = (Vec::new(), Vec::new());
    for input in &setup.profile.inputs {
        let Some(answer) = given.inputs.get(&input.id) else { continue };
        for (key, _) in answers::keys(setup, input) {
            let Some(value) = answer.get(&key) else { continue };
            let text = match input.kind {
                InputKind::File => whole(&value.to_string()),
                _ => Ok(list_text(value)),
            };
            let value = text.and_then(|text| answers::read(input, &text));
            let value = value.and_then(|value| answers::fits(setup, input, &key, &value).map(|()| value));
            match value {
                Ok(value) => values.push((input.id.clone(), key, value)),
                Err(why) => {
                    let of = if key.is_empty() { String::new() } else { format!(" for {key}") };
                    wrong.push(format!("the answer to `{}`{of}: {why}", input.id));
                }
            }
        }
    }
    (values, wrong)
}

/// A value as it is typed.
fn list_text(value: &Value) -> String {
    match value {
        Value::List(items) => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
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
