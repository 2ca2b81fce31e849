//! Answers as they are typed, and as an answer file has them.

use crate::inventory::{Answers, Server};
use crate::model::{InputId, Value};
use crate::plan::{Setup, answers};
use crate::profile::{Input, InputKind};

/// Something that may be chosen for an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What the answer is then.
    pub name: String,
    pub label: String,
}

/// What may be chosen for `input`; empty where an answer is typed.
pub fn candidates(setup: &Setup, input: &Input) -> Vec<Candidate> {
    let of_roles = |server: &&Server| {
        input.roles.is_empty() || server.roles.iter().any(|role| input.roles.contains(role))
    };
    match input.kind {
        InputKind::Choice => {
            let choices = input.choices.iter();
            choices
                .map(|(id, label)| Candidate { name: id.clone(), label: format!("{id}: {label}") })
                .collect()
        }
        InputKind::Server => {
            let servers = setup.inventory.servers.iter().filter(of_roles);
            let choice = |server: &Server| Candidate {
                name: server.name.to_string(),
                label: format!("{} ({})", server.name, server.address),
            };
            servers.map(choice).collect()
        }
        _ => Vec::new(),
    }
}

/// In which form an answer is given, as a sentence. `None`: any text will do, or one is chosen.
pub fn form(kind: InputKind) -> Option<&'static str> {
    match kind {
        InputKind::YesNo => Some("Answer yes or no."),
        InputKind::Number => Some("Answer with a number."),
        InputKind::Hosts => Some("Answer with names, separated by blanks."),
        InputKind::File => Some("Answer with the path of a file on this machine."),
        InputKind::Command => Some("Answer with a command line."),
        _ => None,
    }
}

/// What was typed, as a value of `input` under `key`; one of [`candidates`] may be given by its number. The path of a
/// file is made whole by `whole`, which may look whether it is there.
///
/// # Errors
/// What would be right, as a sentence.
pub fn read(
    setup: &Setup,
    input: &Input,
    key: &str,
    typed: &str,
    whole: impl Fn(&str) -> Result<String, String>,
) -> Result<Value, String> {
    let by_number = |number: usize| candidates(setup, input).into_iter().nth(number.checked_sub(1)?);
    let text = match input.kind {
        InputKind::File => whole(typed)?,
        _ => typed.parse().ok().and_then(by_number).map_or_else(|| typed.to_owned(), |choice| choice.name),
    };
    let value = answers::read(input, &text)?;
    answers::fits(setup, input, key, &value)?;
    Ok(value)
}

/// Every input that `given` answers, under each of its keys, as the profile understands it; then what is wrong with
/// the others. The path of a file is made whole by `whole`.
pub fn from_file(
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
                _ => Ok(typed_text(value)),
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
pub fn typed_text(value: &Value) -> String {
    match value {
        Value::List(items) => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
