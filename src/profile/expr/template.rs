//! Texts with placeholders, filled in as a person or a shell is to read them.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::eval::{Node, Program};
use super::names::{Names, Problem};
use super::{Lookup, Name, parser};
use crate::model::Value;
use crate::text::quote::{self, NulError};

/// The shell a template is rendered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// No shell: text for people.
    None,
    Sh,
    PowerShell,
}

/// A text with `{{ placeholders }}`, checked and compiled.
#[derive(Clone, Debug, Default)]
pub struct Template {
    source: Arc<str>,
    /// Names, kinds and pattern of all placeholders; its root is not used.
    program: Arc<Program>,
    parts: Arc<[Part]>,
}

/// A piece of a template.
#[derive(Clone, Debug)]
pub enum Part {
    /// Inserted as it stands.
    Text(String),
    Placeholder(Placeholder),
}

/// What is filled in.
#[derive(Clone, Debug)]
pub struct Placeholder {
    node: Node,
    /// Within the source, with its braces.
    span: Range<usize>,
}

impl Placeholder {
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }
}

/// Why a template could not be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    #[error("`{0}` is not known")]
    Unknown(Name),
    #[error("the value of `{0}` holds a NUL character, which no command can carry")]
    Nul(Name),
}

impl Template {
    /// Reads `source`, whose names mean what `names` says.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(source: &str, names: &dyn Names) -> Result<Self, Vec<Problem>> {
        let mut program = Program::new(names.pattern().clone());
        let mut parts = Vec::new();
        let mut problems = Vec::new();
        let mut at = 0;
        while let Some(open) = source[at..].find("{{").map(|open| at + open) {
            parts.push(Part::Text(source[at..open].to_owned()));
            let Some(close) = close(source, open + 2) else {
                problems.push(Problem::new(open..open + 2, "this placeholder does not end: `}}` is missing"));
                at = source.len();
                break;
            };
            match parser::parse(&source[open + 2..close], names) {
                Ok((read, _)) => {
                    let node = read.node_in(&read.root, &mut program, &BTreeMap::new());
                    parts.push(Part::Placeholder(Placeholder { node, span: open..close + 2 }));
                    if read.names.is_empty() && read.eval(&|_| None).is_none() {
                        problems.push(Problem::new(open..close + 2, "this placeholder has no value"));
                    }
                }
                Err(list) => problems.extend(list.into_iter().map(|problem| problem.shifted(open + 2))),
            }
            at = close + 2;
        }
        parts.push(Part::Text(source[at..].to_owned()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        problems.extend(statements(source));
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self { source: source.into(), program: Arc::new(program), parts: parts.into() })
    }

    /// As the profile writes it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Every name it uses.
    pub fn names(&self) -> &[Name] {
        &self.program.names
    }

    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The name that the whole template is, when it is one placeholder and nothing else.
    pub fn single(&self) -> Option<&Name> {
        match &self.parts[..] {
            [Part::Placeholder(Placeholder { node: Node::Name(index), .. })] => {
                self.program.names.get(*index)
            }
            _ => None,
        }
    }

    /// This template within a procedure, with `with.X` replaced by what its user gives for `X`. What is
    /// given as a single placeholder keeps its kind; anything else is one text.
    pub fn with(&self, given: &BTreeMap<String, Self>) -> Self {
        let mut program = Program::new(self.program.pattern.clone());
        let parts = self.parts.iter().map(|part| match part {
            Part::Text(text) => Part::Text(text.clone()),
            Part::Placeholder(placeholder) => Part::Placeholder(Placeholder {
                node: self.program.node_in(&placeholder.node, &mut program, given),
                span: placeholder.span(),
            }),
        });
        let parts = parts.collect();
        Self { source: self.source.clone(), program: Arc::new(program), parts }
    }

    /// The text with every placeholder filled in, quoted for `shell`; a list element by element.
    ///
    /// # Errors
    /// The first name that is unknown, or whose value no command can carry.
    pub fn render(&self, shell: Shell, lookup: Lookup<'_>) -> Result<String, RenderError> {
        let mut text = String::with_capacity(self.source.len());
        for part in self.parts.iter() {
            match part {
                Part::Text(piece) => text.push_str(piece),
                Part::Placeholder(Placeholder { node, .. }) => {
                    let value = self.program.value(node, lookup);
                    let value = value.ok_or_else(|| RenderError::Unknown(self.unknown_in(node, lookup)))?;
                    let shell = if self.is_command(node) { Shell::None } else { shell };
                    let piece = insert(&value, shell);
                    text.push_str(
                        &piece.map_err(|NulError| RenderError::Nul(self.unknown_in(node, lookup)))?,
                    );
                }
            }
        }
        Ok(text)
    }

    /// What it stands for within an expression of `target`.
    pub(super) fn node_in(&self, target: &mut Program) -> Node {
        let mut nodes: Vec<_> = self
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => Node::Value(Value::Text(text.clone())),
                Part::Placeholder(placeholder) => {
                    self.program.node_in(&placeholder.node, target, &BTreeMap::new())
                }
            })
            .collect();
        match nodes.pop() {
            None => Node::Value(Value::Text(String::new())),
            Some(only) if nodes.is_empty() => only,
            Some(last) => {
                nodes.push(last);
                Node::Concat(nodes)
            }
        }
    }

    fn is_command(&self, node: &Node) -> bool {
        matches!(node, Node::Name(index) if matches!(self.program.names.get(*index), Some(Name::Command(_))))
    }

    /// The first name in `node` that is unknown; its first name where all are known.
    fn unknown_in(&self, node: &Node, lookup: Lookup<'_>) -> Name {
        let mut names = Vec::new();
        node.each_name(&mut |index| names.extend(self.program.names.get(index)));
        let unknown = names.iter().find(|name| lookup(name).is_none()).or(names.first());
        unknown.map_or(Name::Target, |name| (*name).clone())
    }
}

/// `value` as it stands in a text for `shell`.
fn insert(value: &Value, shell: Shell) -> Result<String, NulError> {
    let word = |value: &Value| match shell {
        Shell::None => Ok(value.to_string()),
        Shell::Sh => quote::sh(&value.to_string()),
        Shell::PowerShell => quote::powershell(&value.to_string()),
    };
    match value {
        Value::List(items) if items.is_empty() && shell == Shell::PowerShell => Ok("@()".to_owned()),
        Value::List(items) if shell != Shell::None => {
            let words = items.iter().map(word).collect::<Result<Vec<_>, _>>()?;
            Ok(words.join(if shell == Shell::Sh { " " } else { "," }))
        }
        value => word(value),
    }
}

/// Where the `}}` stands that ends the placeholder whose inside begins at `from`.
fn close(source: &str, from: usize) -> Option<usize> {
    let mut quote = None;
    let mut chars = source[from..].char_indices();
    while let Some((i, c)) = chars.next() {
        match quote {
            Some(_) if c == '\\' => {
                chars.next();
            }
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if source[from + i..].starts_with("}}") => return Some(from + i),
            _ => {}
        }
    }
    None
}

fn statements(source: &str) -> impl Iterator<Item = Problem> {
    source.match_indices("{%").map(|(at, _)| {
        Problem::new(at..at + 2, "statements are not part of the language").help(
            "use `when` on a step, or `x if c else y` in a placeholder; a `{` before a `%` is written `{ %`",
        )
    })
}
