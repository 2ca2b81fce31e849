//! The functions of the language.

use std::cmp::Ordering;

use super::eval::{equal, order};
use super::kind::Kind;
use crate::model::{Value, VersionPattern};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Min,
    Max,
    Sum,
    Count,
    All,
    Any,
    AllEqual,
    Join,
    Without,
    Version,
}

/// Each function with the way it is written.
pub(super) const FUNCTIONS: [(&str, Function, &str); 10] = [
    ("min", Function::Min, "min(list)"),
    ("max", Function::Max, "max(list)"),
    ("sum", Function::Sum, "sum(list)"),
    ("count", Function::Count, "count(list) or count(list, value)"),
    ("all", Function::All, "all(list) or all(list, value)"),
    ("any", Function::Any, "any(list) or any(list, value)"),
    ("all_equal", Function::AllEqual, "all_equal(list)"),
    ("join", Function::Join, "join(list, ', ')"),
    ("without", Function::Without, "without(list, list)"),
    ("version", Function::Version, "version('12.8.130')"),
];

impl Function {
    /// The kind of its value for arguments of these kinds, or what it wants instead.
    pub(super) fn kind(self, given: &[Kind]) -> Result<Kind, String> {
        let list = |wanted: &Kind| match given.first() {
            Some(Kind::List(of)) if of.fits(wanted) => Ok((**of).clone()),
            Some(Kind::Any) => Ok(Kind::Any),
            Some(other) => Err(format!("it wants {}, not {other}", Kind::list(wanted.clone()))),
            None => Err("it wants a list".to_owned()),
        };
        let arguments = |least: usize, most: usize| {
            let enough = (least..=most).contains(&given.len());
            enough.then_some(()).ok_or_else(|| format!("it has {} arguments", given.len()))
        };
        let element = |of: &Kind| match given.get(1) {
            Some(value) if !value.compares(of) => Err(format!("{value} is never equal to {of}")),
            _ => Ok(()),
        };
        match self {
            Self::Min | Self::Max => {
                arguments(1, 1)?;
                match list(&Kind::Any)? {
                    of @ (Kind::Number | Kind::Version | Kind::Any) => Ok(of),
                    of => Err(format!("{} has no order", Kind::list(of))),
                }
            }
            Self::Sum => arguments(1, 1).and_then(|()| list(&Kind::Number)).map(|_| Kind::Number),
            Self::Count => {
                arguments(1, 2)?;
                element(&list(&Kind::Any)?)?;
                Ok(Kind::Number)
            }
            Self::All | Self::Any => {
                arguments(1, 2)?;
                element(&list(if given.len() == 1 { &Kind::YesNo } else { &Kind::Any })?)?;
                Ok(Kind::YesNo)
            }
            Self::AllEqual => arguments(1, 1).and_then(|()| list(&Kind::Any)).map(|_| Kind::YesNo),
            Self::Join => {
                arguments(2, 2)?;
                list(&Kind::Any)?;
                given[1]
                    .fits(&Kind::Text)
                    .then_some(Kind::Text)
                    .ok_or_else(|| format!("it joins with a text, not {}", given[1]))
            }
            Self::Without => {
                arguments(2, 2)?;
                let of = list(&Kind::Any)?;
                match &given[1] {
                    Kind::List(other) if other.compares(&of) => Ok(Kind::list(of)),
                    Kind::Any => Ok(Kind::list(of)),
                    other => Err(format!("it takes {} away, not {other}", Kind::list(of))),
                }
            }
            Self::Version => {
                arguments(1, 1)?;
                given[0]
                    .fits(&Kind::Text)
                    .then_some(Kind::Version)
                    .ok_or_else(|| format!("it reads a text, not {}", given[0]))
            }
        }
    }

    /// Its value; `None` is unknown.
    pub(super) fn call(self, arguments: Vec<Value>, pattern: &VersionPattern) -> Option<Value> {
        let mut arguments = arguments.into_iter();
        let first = arguments.next()?;
        let second = arguments.next();
        if self == Self::Version {
            return match first {
                Value::Text(text) => pattern.read(&text).map(Value::Version),
                version @ Value::Version(_) => Some(version),
                _ => None,
            };
        }
        let Value::List(items) = first else { return None };
        match self {
            Self::Min => extreme(items, Ordering::Less, pattern),
            Self::Max => extreme(items, Ordering::Greater, pattern),
            Self::Sum => items.iter().map(number).sum::<Option<f64>>().map(Value::Number),
            Self::Count => match second {
                None => count(items.len()),
                Some(value) => count(hits(&items, &value, pattern)?),
            },
            Self::All => {
                let value = second.unwrap_or(Value::YesNo(true));
                Some(Value::YesNo(hits(&items, &value, pattern)? == items.len()))
            }
            Self::Any => {
                let value = second.unwrap_or(Value::YesNo(true));
                Some(Value::YesNo(hits(&items, &value, pattern)? > 0))
            }
            Self::AllEqual => match items.first() {
                None => Some(Value::YesNo(true)),
                Some(value) => Some(Value::YesNo(hits(&items, value, pattern)? == items.len())),
            },
            Self::Join => match second? {
                Value::Text(separator) => {
                    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
                    Some(Value::Text(items.join(&separator)))
                }
                _ => None,
            },
            Self::Without => match second? {
                Value::List(others) => without(items, &others, pattern),
                _ => None,
            },
            Self::Version => None,
        }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "no list has 2^53 elements")]
#[expect(clippy::unnecessary_wraps, reason = "stands among values that may be unknown")]
fn count(number: usize) -> Option<Value> {
    Some(Value::Number(number as f64))
}

/// How many of `items` equal `value`; unknown as soon as one comparison is.
fn hits(items: &[Value], value: &Value, pattern: &VersionPattern) -> Option<usize> {
    items.iter().map(|item| equal(item, value, pattern).map(usize::from)).sum()
}

fn extreme(items: Vec<Value>, wanted: Ordering, pattern: &VersionPattern) -> Option<Value> {
    let mut items = items.into_iter();
    let first = items.next()?;
    // A lone element must have an order too: otherwise one server would decide whether a profile works.
    order(&first, &first, pattern)?;
    items
        .try_fold(first, |best, item| Some(if order(&item, &best, pattern)? == wanted { item } else { best }))
}

fn without(items: Vec<Value>, others: &[Value], pattern: &VersionPattern) -> Option<Value> {
    let mut kept = Vec::new();
    for item in items {
        if hits(others, &item, pattern)? == 0 {
            kept.push(item);
        }
    }
    Some(Value::List(kept))
}
