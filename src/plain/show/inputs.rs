//! What the profile asks for, and what is answered so far.

use std::io;

use super::super::printer::Printer;
use crate::engine::State;
use crate::inventory::Server;
use crate::model::Value;
use crate::plan::answers::keys;
use crate::profile::{Input, InputKind};

/// Every input with its value and where that comes from.
pub(in crate::plain) fn inputs(out: &mut Printer, state: &State) -> io::Result<()> {
    let mut number = 0;
    for input in &state.setup.profile.inputs {
        for (key, server) in keys(&state.setup, input) {
            number += 1;
            let value = state.answers.value(input, server);
            let from = source(state, input, &key, server);
            let shown = value.map_or_else(
                || if input.optional { "(none)".to_owned() } else { "(no answer yet)".to_owned() },
                |value| value_text(input, &value),
            );
            out.hanging(&format!("{number:>4}. "), &format!("{}: {shown}{from}", input_label(input, &key)))?;
        }
    }
    Ok(())
}

fn source(state: &State, input: &Input, key: &str, server: Option<&Server>) -> &'static str {
    if state.answers.given(&input.id, key).is_some() {
        ""
    } else if server.is_some_and(|server| server.inputs.contains_key(&input.id)) {
        "  [inventory]"
    } else if state.answers.value(input, server).is_some() {
        "  [default]"
    } else {
        ""
    }
}

/// What an input is called, for a server or a system where it differs.
pub(in crate::plain) fn input_label(input: &Input, key: &str) -> String {
    if key.is_empty() { input.label.clone() } else { format!("{}, {key}", input.label) }
}

/// A value as the operator knows it: a choice by its label, and nothing of a secret.
pub(in crate::plain) fn value_text(input: &Input, value: &Value) -> String {
    match (input.kind, value) {
        (InputKind::Secret, _) => "(given)".to_owned(),
        (InputKind::Choice, Value::Text(id)) => match input.choices.iter().find(|(choice, _)| choice == id) {
            Some((id, label)) => format!("{id} ({label})"),
            None => id.clone(),
        },
        (_, value) => value.to_string(),
    }
}
