//! Kinds of values, as far as they are known before anything is measured.

use std::fmt;

use crate::model::{Value, VersionPattern};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Number,
    Version,
    YesNo,
    List(Box<Kind>),
    /// Not known before it is there.
    Any,
}

impl Kind {
    pub fn list(of: Self) -> Self {
        Self::List(Box::new(of))
    }

    /// Whether a value of this kind may stand where `wanted` is.
    pub fn fits(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::List(a), Self::List(b)) => a.fits(b),
            (a, b) => a == b,
        }
    }

    /// Whether values of both may be equal: of one kind, or a version and a text that writes one.
    pub fn compares(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Version, Self::Text) | (Self::Text, Self::Version) => true,
            (Self::List(a), Self::List(b)) => a.compares(b),
            (a, b) => a.fits(b),
        }
    }

    /// `value` as one of this kind; `None`, unknown, when it is another.
    pub(super) fn admit(&self, value: Value, pattern: &VersionPattern) -> Option<Value> {
        match (self, value) {
            (Self::Any, value)
            | (Self::Text, value @ Value::Text(_))
            | (Self::Version, value @ Value::Version(_))
            | (Self::YesNo, value @ Value::YesNo(_)) => Some(value),
            (Self::Number, Value::Number(number)) => number.is_finite().then_some(Value::Number(number)),
            (Self::Text, value @ (Value::Number(_) | Value::Version(_))) => {
                Some(Value::Text(value.to_string()))
            }
            (Self::Version, Value::Text(text)) => pattern.read(&text).map(Value::Version),
            (Self::List(kind), Value::List(items)) => items
                .into_iter()
                .map(|item| kind.admit(item, pattern))
                .collect::<Option<_>>()
                .map(Value::List),
            _ => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "a text",
            Self::Number => "a number",
            Self::Version => "a version",
            Self::YesNo => "a yes or no",
            Self::List(of) => match **of {
                Self::Text => "a list of texts",
                Self::Number => "a list of numbers",
                Self::Version => "a list of versions",
                Self::YesNo => "a list of yes or no",
                Self::List(_) => "a list of lists",
                Self::Any => "a list",
            },
            Self::Any => "a value",
        })
    }
}
