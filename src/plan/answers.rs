//! The values of the profile's inputs: answered, taken from the inventory, or by default.

use std::collections::BTreeMap;

use super::setup::Setup;
use crate::inventory::Server;
use crate::model::{InputId, Value};
use crate::profile::{Input, InputKind, Lookup, Per, Shell};

/// What has been answered so far, by input and, for inputs that differ, by server or system.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnswerBook {
    given: BTreeMap<InputId, BTreeMap<String, Value>>,
}

impl AnswerBook {
    /// `key` is a server's name or a system for inputs that are `per` one, empty otherwise.
    pub fn set(&mut self, input: InputId, key: &str, value: Value) {
        self.given.entry(input).or_default().insert(key.to_owned(), value);
    }

    /// What was answered, without inventory and defaults.
    pub fn given(&self, input: &InputId, key: &str) -> Option<&Value> {
        self.given.get(input)?.get(key)
    }

    /// Everything answered, in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = (&InputId, &str, &Value)> {
        self.given
            .iter()
            .flat_map(|(input, by)| by.iter().map(move |(key, value)| (input, key.as_str(), value)))
    }

    /// The key under which `input` is answered for `server`. `None`: it has no value without a server.
    pub fn key<'a>(input: &Input, server: Option<&'a Server>) -> Option<&'a str> {
        match input.per {
            Per::Farm => Some(""),
            Per::Os => server.map(|server| server.os.as_str()),
            Per::Server => server.map(|server| server.name.as_str()),
        }
    }

    /// The value of `input` for `server`: the answer, else the inventory's, else the default.
    pub fn value(&self, input: &Input, server: Option<&Server>) -> Option<Value> {
        if let Some(value) = Self::key(input, server).and_then(|key| self.given(&input.id, key)) {
            return Some(value.clone());
        }
        if let Some(value) = server.and_then(|server| server.inputs.get(&input.id)) {
            return Some(value.clone());
        }
        let default = match server {
            Some(server) => input.default.get(server.os),
            None => input.default.iter().next().map(|(_, text)| text),
        }?;
        read(input, default).ok()
    }

    /// Whether `input` is of any use under the answers given so far. One that cannot be told yet is.
    pub fn asks(&self, setup: &Setup, input: &Input) -> bool {
        let scope = super::Scope::settled(setup, self, None);
        input.when.as_ref().is_none_or(|when| when.test(&|name| scope.lookup(name)) != Some(false))
    }

    /// Every (input, key) that must have a value before the start and has none.
    pub fn missing<'a>(&self, setup: &'a Setup) -> Vec<(&'a Input, String)> {
        let mut missing = Vec::new();
        for input in setup.profile.inputs.iter().filter(|input| !input.optional && self.asks(setup, input)) {
            for (key, server) in keys(setup, input) {
                if self.value(input, server).is_none() && !missing.contains(&(input, key.clone())) {
                    missing.push((input, key));
                }
            }
        }
        missing
    }
}

impl PartialEq for Input {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// Every key under which `input` may be answered, with a server it stands for.
pub fn keys<'a>(setup: &'a Setup, input: &Input) -> Vec<(String, Option<&'a Server>)> {
    let servers = setup.inventory.servers.iter().filter(|server| {
        input.roles.is_empty() || server.roles.iter().any(|role| input.roles.contains(role))
    });
    match input.per {
        Per::Farm => vec![(String::new(), None)],
        Per::Server => servers.map(|server| (server.name.to_string(), Some(server))).collect(),
        Per::Os => {
            let mut keys: Vec<(String, Option<&Server>)> = Vec::new();
            for server in servers {
                if keys.iter().all(|(os, _)| os != server.os.as_str()) {
                    keys.push((server.os.as_str().to_owned(), Some(server)));
                }
            }
            keys
        }
    }
}

/// `text` as a value of `input`.
///
/// # Errors
/// What would be right, as a sentence.
pub fn read(input: &Input, text: &str) -> Result<Value, String> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err("the answer holds a control character; type it as plain text".to_owned());
    }
    if text.is_empty() && !input.optional {
        return Err(format!("`{}` needs an answer", input.label));
    }
    match input.kind {
        InputKind::YesNo => match text.to_ascii_lowercase().as_str() {
            "yes" | "y" | "true" => Ok(Value::YesNo(true)),
            "no" | "n" | "false" => Ok(Value::YesNo(false)),
            _ => Err(format!("`{text}` is neither yes nor no")),
        },
        InputKind::Number => text
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(Value::Number)
            .ok_or_else(|| format!("`{text}` is not a number")),
        InputKind::Choice => {
            if input.choices.iter().any(|(id, _)| id == text) {
                Ok(Value::Text(text.to_owned()))
            } else {
                let ids: Vec<&str> = input.choices.iter().map(|(id, _)| id.as_str()).collect();
                Err(format!("`{text}` is not one of {}", ids.join(", ")))
            }
        }
        InputKind::Hosts => Ok(Value::List(
            text.split([',', ' '])
                .filter(|host| !host.is_empty())
                .map(|host| Value::Text(host.to_owned()))
                .collect(),
        )),
        _ => Ok(Value::Text(text.to_owned())),
    }
}

/// Whether `value`, an answer to `input`, names things that exist.
///
/// # Errors
/// What would be right, as a sentence.
pub fn fits(setup: &Setup, input: &Input, key: &str, value: &Value) -> Result<(), String> {
    let keys = keys(setup, input);
    if !keys.iter().any(|(known, _)| known == key) {
        let known: Vec<String> = keys.into_iter().map(|(key, _)| key).collect();
        return Err(if key.is_empty() {
            format!("`{}` is answered for each of {}", input.id, known.join(", "))
        } else {
            format!("`{}` is not asked for `{key}`; known are: {}", input.id, known.join(", "))
        });
    }
    match (input.kind, value) {
        (InputKind::Server, Value::Text(name)) => {
            let server = setup.inventory.servers.iter().find(|server| server.name == name.as_str());
            match server {
                None => Err(format!("the inventory has no server `{name}`")),
                Some(server)
                    if !input.roles.is_empty()
                        && !server.roles.iter().any(|role| input.roles.contains(role)) =>
                {
                    let roles: Vec<&str> = input.roles.iter().map(crate::model::RoleId::as_str).collect();
                    Err(format!("`{name}` is no server of {}", roles.join(", ")))
                }
                Some(_) => Ok(()),
            }
        }
        (InputKind::YesNo, Value::YesNo(_))
        | (InputKind::Number, Value::Number(_))
        | (InputKind::Hosts, Value::List(_)) => Ok(()),
        (InputKind::YesNo | InputKind::Number | InputKind::Hosts, other) => {
            read(input, &other.to_string()).map(|_| ())
        }
        (_, Value::Text(text)) => read(input, text).map(|_| ()),
        (_, other) => Err(format!("`{other}` is not a text")),
    }
}

/// The version to reach, when every input it names is answered.
pub fn target(setup: &Setup, lookup: Lookup<'_>) -> Option<crate::model::Version> {
    let rules = &setup.profile.version;
    rules.pattern.read(&rules.target.render(Shell::None, lookup).ok()?)
}
