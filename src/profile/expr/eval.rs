//! The value of a compiled expression.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::functions::Function;
use super::kind::Kind;
use super::template::Template;
use super::{Lookup, Name};
use crate::model::{Value, VersionPattern};

#[derive(Clone, Debug)]
pub(super) struct Program {
    pub names: Vec<Name>,
    /// One for each name.
    pub kinds: Vec<Kind>,
    pub pattern: Arc<VersionPattern>,
    pub root: Node,
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Value(Value),
    /// Index into the names.
    Name(usize),
    /// Number of a version, counted from the left.
    Part(Box<Node>, usize),
    Not(Box<Node>),
    Negative(Box<Node>),
    And(Box<[Node; 2]>),
    Or(Box<[Node; 2]>),
    Compare(Compare, Box<[Node; 2]>),
    In(Box<[Node; 2]>),
    Arithmetic(Arithmetic, Box<[Node; 2]>),
    /// The texts of its parts, one after the other.
    Concat(Vec<Node>),
    /// Condition, value if it holds, value if not.
    If(Box<[Node; 3]>),
    List(Vec<Node>),
    Call(Function, Vec<Node>),
}

impl Default for Node {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    DivideWhole,
    Remainder,
}

impl Default for Program {
    fn default() -> Self {
        static DOTTED: LazyLock<Arc<VersionPattern>> = LazyLock::new(Arc::default);
        Self::new(DOTTED.clone())
    }
}

impl Program {
    /// A program that does nothing yet, and reads versions by `pattern`.
    pub(super) fn new(pattern: Arc<VersionPattern>) -> Self {
        Self { names: Vec::new(), kinds: Vec::new(), pattern, root: Node::default() }
    }

    pub(super) fn eval(&self, lookup: Lookup<'_>) -> Option<Value> {
        self.value(&self.root, lookup)
    }

    /// The value of `node`, whose names are this program's.
    pub(super) fn value(&self, node: &Node, lookup: Lookup<'_>) -> Option<Value> {
        match node {
            Node::Value(value) => Some(value.clone()),
            Node::Name(index) => {
                let value = lookup(self.names.get(*index)?)?;
                self.kinds.get(*index)?.admit(value, &self.pattern)
            }
            Node::Part(version, index) => match self.value(version, lookup)? {
                #[expect(clippy::cast_precision_loss, reason = "no version has numbers of more than 53 bits")]
                Value::Version(version) => Some(Value::Number(version.part(*index) as f64)),
                _ => None,
            },
            Node::Not(node) => Some(Value::YesNo(!self.holds(node, lookup)?)),
            Node::Negative(node) => Some(Value::Number(-self.number(node, lookup)?)),
            Node::And(sides) => {
                Some(Value::YesNo(self.holds(&sides[0], lookup)? && self.holds(&sides[1], lookup)?))
            }
            Node::Or(sides) => {
                Some(Value::YesNo(self.holds(&sides[0], lookup)? || self.holds(&sides[1], lookup)?))
            }
            Node::Compare(how, sides) => {
                let (left, right) = (self.value(&sides[0], lookup)?, self.value(&sides[1], lookup)?);
                how.holds(&left, &right, &self.pattern).map(Value::YesNo)
            }
            Node::In(sides) => {
                let (left, right) = (self.value(&sides[0], lookup)?, self.value(&sides[1], lookup)?);
                contains(&right, &left, &self.pattern).map(Value::YesNo)
            }
            Node::Arithmetic(how, sides) => {
                let number = how.of(self.number(&sides[0], lookup)?, self.number(&sides[1], lookup)?);
                number.is_finite().then_some(Value::Number(number))
            }
            Node::Concat(parts) => {
                let texts = parts.iter().map(|part| Some(self.value(part, lookup)?.to_string()));
                texts.collect::<Option<String>>().map(Value::Text)
            }
            Node::If(nodes) => {
                let taken = if self.holds(&nodes[0], lookup)? { &nodes[1] } else { &nodes[2] };
                self.value(taken, lookup)
            }
            Node::List(nodes) => self.values(nodes, lookup).map(Value::List),
            Node::Call(function, arguments) => function.call(self.values(arguments, lookup)?, &self.pattern),
        }
    }

    fn values(&self, nodes: &[Node], lookup: Lookup<'_>) -> Option<Vec<Value>> {
        nodes.iter().map(|node| self.value(node, lookup)).collect()
    }

    fn holds(&self, node: &Node, lookup: Lookup<'_>) -> Option<bool> {
        match self.value(node, lookup)? {
            Value::YesNo(holds) => Some(holds),
            _ => None,
        }
    }

    fn number(&self, node: &Node, lookup: Lookup<'_>) -> Option<f64> {
        match self.value(node, lookup)? {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The index of `name`, which is added where it is new.
    pub(super) fn index(&mut self, name: Name, kind: Kind) -> usize {
        self.names.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.names.push(name);
            self.kinds.push(kind);
            self.names.len() - 1
        })
    }

    /// This program with `with.X` replaced.
    pub(super) fn with(&self, given: &BTreeMap<String, Template>) -> Self {
        let mut program = Self::new(self.pattern.clone());
        program.root = self.node_in(&self.root, &mut program, given);
        program
    }

    /// `node` of this program as a node of `target`, with `with.X` replaced by what is given.
    pub(super) fn node_in(&self, node: &Node, target: &mut Self, given: &BTreeMap<String, Template>) -> Node {
        node.map_names(&mut |index| match (self.names.get(index), self.kinds.get(index)) {
            (Some(Name::With(key)), _) if given.contains_key(key) => given[key].node_in(target),
            (Some(name), Some(kind)) => Node::Name(target.index(name.clone(), kind.clone())),
            _ => Node::Name(index),
        })
    }
}

impl Node {
    /// Calls `seen` with the index of every name in it, from left to right.
    pub(super) fn each_name(&self, seen: &mut dyn FnMut(usize)) {
        self.map_names(&mut |index| {
            seen(index);
            Self::Name(index)
        });
    }

    /// This node with every name replaced by what `replace` makes of its index.
    fn map_names(&self, replace: &mut dyn FnMut(usize) -> Self) -> Self {
        match self {
            Self::Value(value) => Self::Value(value.clone()),
            Self::Name(index) => replace(*index),
            Self::Part(node, index) => Self::Part(Box::new(node.map_names(replace)), *index),
            Self::Not(node) => Self::Not(Box::new(node.map_names(replace))),
            Self::Negative(node) => Self::Negative(Box::new(node.map_names(replace))),
            Self::And(sides) => Self::And(Box::new(both(sides, replace))),
            Self::Or(sides) => Self::Or(Box::new(both(sides, replace))),
            Self::Compare(how, sides) => Self::Compare(*how, Box::new(both(sides, replace))),
            Self::In(sides) => Self::In(Box::new(both(sides, replace))),
            Self::Arithmetic(how, sides) => Self::Arithmetic(*how, Box::new(both(sides, replace))),
            Self::Concat(parts) => Self::Concat(each(parts, replace)),
            Self::If(nodes) => {
                let [condition, yes, no] = &**nodes;
                Self::If(Box::new([
                    condition.map_names(replace),
                    yes.map_names(replace),
                    no.map_names(replace),
                ]))
            }
            Self::List(nodes) => Self::List(each(nodes, replace)),
            Self::Call(function, arguments) => Self::Call(*function, each(arguments, replace)),
        }
    }
}

fn both(sides: &[Node; 2], replace: &mut dyn FnMut(usize) -> Node) -> [Node; 2] {
    [sides[0].map_names(replace), sides[1].map_names(replace)]
}

fn each(nodes: &[Node], replace: &mut dyn FnMut(usize) -> Node) -> Vec<Node> {
    nodes.iter().map(|node| node.map_names(replace)).collect()
}

impl Compare {
    fn holds(self, left: &Value, right: &Value, pattern: &VersionPattern) -> Option<bool> {
        Some(match self {
            Self::Equal => equal(left, right, pattern)?,
            Self::NotEqual => !equal(left, right, pattern)?,
            Self::Less => order(left, right, pattern)?.is_lt(),
            Self::LessOrEqual => order(left, right, pattern)?.is_le(),
            Self::Greater => order(left, right, pattern)?.is_gt(),
            Self::GreaterOrEqual => order(left, right, pattern)?.is_ge(),
        })
    }
}

impl Arithmetic {
    fn of(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::DivideWhole => (left / right).floor(),
            Self::Remainder => left.rem_euclid(right),
        }
    }
}

/// Whether two values are equal; `None` where they are of kinds that cannot be.
#[expect(clippy::float_cmp, reason = "numbers of facts are read, not calculated")]
pub(super) fn equal(left: &Value, right: &Value, pattern: &VersionPattern) -> Option<bool> {
    match (left, right) {
        (Value::Text(a), Value::Text(b)) => Some(a == b),
        (Value::Number(a), Value::Number(b)) => Some(a == b),
        (Value::YesNo(a), Value::YesNo(b)) => Some(a == b),
        (Value::Version(a), Value::Version(b)) => Some(a == b),
        (Value::Version(version), Value::Text(text)) | (Value::Text(text), Value::Version(version)) => {
            Some(*version == pattern.read(text)?)
        }
        (Value::List(a), Value::List(b)) if a.len() != b.len() => Some(false),
        (Value::List(a), Value::List(b)) => {
            let pairs: Option<Vec<bool>> = a.iter().zip(b).map(|(a, b)| equal(a, b, pattern)).collect();
            Some(pairs?.into_iter().all(|equal| equal))
        }
        _ => None,
    }
}

/// How two values are ordered; `None` where they are not.
pub(super) fn order(left: &Value, right: &Value, pattern: &VersionPattern) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
        (Value::Version(a), Value::Version(b)) => Some(a.cmp(b)),
        (Value::Version(version), Value::Text(text)) => Some(version.cmp(&pattern.read(text)?)),
        (Value::Text(text), Value::Version(version)) => Some(pattern.read(text)?.cmp(version)),
        _ => None,
    }
}

/// Whether `value` is one of a list, or a part of a text.
fn contains(whole: &Value, value: &Value, pattern: &VersionPattern) -> Option<bool> {
    match (whole, value) {
        (Value::Text(whole), Value::Text(part)) => Some(whole.contains(part.as_str())),
        (Value::List(items), value) => {
            let equals: Vec<_> = items.iter().map(|item| equal(item, value, pattern)).collect();
            if equals.contains(&Some(true)) {
                return Some(true);
            }
            equals.into_iter().collect::<Option<Vec<_>>>().map(|_| false)
        }
        _ => None,
    }
}
