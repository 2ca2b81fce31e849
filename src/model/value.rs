//! What is known of a server, and how.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Version;

/// How a thing is known. Shown beside whatever is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// Read off the server itself.
    Seen,
    /// Follows from something else that was seen.
    Inferred,
    /// The operator's word.
    Told,
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Seen => "seen",
            Self::Inferred => "inferred",
            Self::Told => "told",
        })
    }
}

/// The value of a fact or of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    Text(String),
    Number(f64),
    Version(Version),
    YesNo(bool),
    List(Vec<Value>),
}

impl Value {
    /// The value that `text` is.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A list of texts.
    pub fn texts<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Self::text).collect())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.pad(text),
            Self::Number(number) => f.pad(&number.to_string()),
            Self::Version(version) => version.fmt(f),
            Self::YesNo(true) => f.pad("yes"),
            Self::YesNo(false) => f.pad("no"),
            Self::List(items) if items.is_empty() => f.pad("none"),
            Self::List(items) => f.pad(&items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// The outcome of a check or of an expression: unknown is an outcome of its own and never passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    Fail,
    Unknown,
}

impl From<Option<bool>> for Verdict {
    fn from(outcome: Option<bool>) -> Self {
        match outcome {
            Some(true) => Self::Pass,
            Some(false) => Self::Fail,
            None => Self::Unknown,
        }
    }
}

/// `n of m servers updated`, with whatever is not n kept apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Servers seen to be updated.
    pub updated: usize,
    /// Servers updated by the operator's word alone.
    pub told: usize,
    /// What the product has registered; the inventory's count where the product cannot say.
    pub of: usize,
    /// Servers of the inventory.
    pub listed: usize,
    pub failed: usize,
    pub running: usize,
    pub waiting: usize,
    pub left_out: usize,
    pub unknown: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_people_write_them() {
        assert_eq!(Value::Number(3.0).to_string(), "3");
        assert_eq!(Value::Number(2.5).to_string(), "2.5");
        assert_eq!(Value::List(vec![Value::Number(1.0), Value::YesNo(true)]).to_string(), "1, yes");
        assert_eq!(Value::List(Vec::new()).to_string(), "none");
    }

    #[test]
    fn a_list_survives_the_journal() {
        let list = Value::List(vec![Value::text("a"), Value::Number(3.0), Value::List(Vec::new())]);
        let json = serde_json::to_string(&list).expect("serializes");
        assert_eq!(serde_json::from_str::<Value>(&json).expect("reads"), list);
    }
}
