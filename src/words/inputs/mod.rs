//! What the profile asks for, what is answered so far, and answers as they are typed.

mod typed;

pub use typed::{Candidate, candidates, form, from_file, read, typed_text};

use crate::engine::State;
use crate::inventory::Server;
use crate::model::{InputId, Value};
use crate::plan::answers::keys;
use crate::profile::{Input, InputKind};

/// An input, with the server or the system it is answered for where it differs.
pub type Wanted = (InputId, String);

/// Where the value of an input comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Operator,
    Inventory,
    Default,
    /// It has no value.
    Nowhere,
}

impl Origin {
    /// A word where it is not the operator's own answer.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Inventory => Some("inventory"),
            Self::Default => Some("default"),
            Self::Operator | Self::Nowhere => None,
        }
    }
}

/// An input under one of its keys, and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputRow {
    /// Counted from 1.
    pub number: usize,
    pub input: InputId,
    pub key: String,
    pub label: String,
    /// As the operator knows it; nothing of a secret.
    pub value: String,
    pub from: Origin,
    /// Whether it has no value and must have one.
    pub is_missing: bool,
}

/// Every input under each of its keys, in the order they are shown.
pub fn rows(state: &State) -> Vec<InputRow> {
    let row = |(index, (input, key, server)): (usize, (&Input, String, Option<&Server>))| {
        let value = state.answers.value(input, server);
        InputRow {
            number: index + 1,
            input: input.id.clone(),
            label: label(input, &key),
            from: source(state, input, &key, server, value.is_some()),
            is_missing: value.is_none() && !input.optional && state.answers.asks(&state.setup, input),
            value: value.map_or_else(
                || if input.optional { "(none)".to_owned() } else { "(no answer yet)".to_owned() },
                |value| value_text(input, &value),
            ),
            key,
        }
    };
    every(state).enumerate().map(row).collect()
}

fn source(state: &State, input: &Input, key: &str, server: Option<&Server>, has_value: bool) -> Origin {
    if state.answers.given(&input.id, key).is_some() {
        Origin::Operator
    } else if server.is_some_and(|server| server.inputs.contains_key(&input.id)) {
        Origin::Inventory
    } else if has_value {
        Origin::Default
    } else {
        Origin::Nowhere
    }
}

/// Every input under each of its keys, with the server a key stands for.
pub fn every(state: &State) -> impl Iterator<Item = (&Input, String, Option<&Server>)> {
    state.setup.profile.inputs.iter().flat_map(|input| {
        keys(&state.setup, input).into_iter().map(move |(key, server)| (input, key, server))
    })
}

/// What was neither answered nor stands in the inventory. What has a default is among it, to be seen once.
pub fn unanswered(state: &State) -> Vec<Wanted> {
    let in_inventory = |server: Option<&Server>, input: &Input| {
        server.is_some_and(|server| server.inputs.contains_key(&input.id))
    };
    every(state)
        .filter(|(input, key, server)| {
            state.answers.given(&input.id, key).is_none()
                && !in_inventory(*server, input)
                // What is to be agreed to is shown for that anyway.
                && !(input.unsure && (input.optional || state.answers.value(input, *server).is_some()))
        })
        .map(|(input, key, _)| (input.id.clone(), key))
        .collect()
}

/// What must have a value before the start and has none.
pub fn missing(state: &State) -> Vec<Wanted> {
    state.answers.missing(&state.setup).into_iter().map(|(input, key)| (input.id.clone(), key)).collect()
}

/// The value of `input` under `key` as it is now, wherever it comes from.
pub fn present(state: &State, input: &Input, key: &str) -> Option<Value> {
    let keys = keys(&state.setup, input);
    let server = keys.into_iter().find(|(known, _)| known == key).and_then(|(_, server)| server);
    state.answers.value(input, server)
}

/// Inputs that the vendor does not vouch for, and that nobody agreed to yet.
pub fn unsure(state: &State) -> impl Iterator<Item = &Input> {
    state.setup.profile.inputs.iter().filter(|input| input.unsure && !state.unsure.contains(&input.id))
}

/// What an input is called, for a server or a system where it differs.
pub fn label(input: &Input, key: &str) -> String {
    if key.is_empty() { input.label.clone() } else { format!("{}, {key}", input.label) }
}

/// A value as the operator knows it: a choice by its label, and nothing of a secret.
pub fn value_text(input: &Input, value: &Value) -> String {
    match (input.kind, value) {
        (InputKind::Secret, _) => "(given)".to_owned(),
        (InputKind::Choice, Value::Text(id)) => match input.choices.iter().find(|(choice, _)| choice == id) {
            Some((id, label)) => format!("{id} ({label})"),
            None => id.clone(),
        },
        (_, value) => value.to_string(),
    }
}
