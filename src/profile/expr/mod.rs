//! Expressions and templates: the names they use, and their value.
//!
//! Neither reads anything by itself. Whoever evaluates one looks up exactly the names it lists, and hands
//! over what is known of them; a name that is not known makes the whole unknown, unless an `and` or an `or`
//! to the left of it has decided already.
//!
//! The language is a part of Jinja's: literals, names, comparisons, `and or not in`, `+ - * / // % ~`,
//! `x if c else y` and a few functions. It is evaluated here and not by a template engine, because nothing
//! but a true value may let a step start: there, an unknown name equals nothing (so `!=` holds), values of
//! different kinds have an order, and a comparison cannot come out as unknown.

mod eval;
mod functions;
mod kind;
mod lexer;
mod name;
mod names;
mod parser;
mod template;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use kind::Kind;
pub use name::{Name, Of};
pub use names::{Complaint, Found, Names, Problem};
pub use template::{Part, RenderError, Shell, Template};

use crate::model::Value;
use eval::Program;

/// What is known of the names: `None` is unknown.
pub type Lookup<'a> = &'a dyn Fn(&Name) -> Option<Value>;

/// An expression, checked and compiled.
#[derive(Clone, Debug, Default)]
pub struct Expr {
    source: Arc<str>,
    program: Arc<Program>,
}

impl Expr {
    /// Reads `source`, whose names mean what `names` says, and which must give a value of kind `wanted`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(source: &str, names: &dyn Names, wanted: &Kind) -> Result<Self, Vec<Problem>> {
        let (program, kind) = parser::parse(source, names)?;
        if !kind.fits(wanted) {
            let problem = Problem::new(0..source.len(), format!("this gives {kind}, and {wanted} is wanted"));
            return Err(vec![problem]);
        }
        Ok(Self { source: source.into(), program: Arc::new(program) })
    }

    /// As the profile writes it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Every name it uses.
    pub fn names(&self) -> &[Name] {
        &self.program.names
    }

    /// Its value; `None` when it is unknown, whatever the reason.
    pub fn eval(&self, lookup: Lookup<'_>) -> Option<Value> {
        self.program.eval(lookup)
    }

    /// Whether it holds; `None` when that is unknown or the value is not a yes or no.
    pub fn test(&self, lookup: Lookup<'_>) -> Option<bool> {
        match self.eval(lookup)? {
            Value::YesNo(holds) => Some(holds),
            _ => None,
        }
    }

    /// This expression within a procedure, with `with.X` replaced by what its user gives for `X`.
    pub fn with(&self, given: &BTreeMap<String, Template>) -> Self {
        Self { source: self.source.clone(), program: Arc::new(self.program.with(given)) }
    }
}

#[cfg(test)]
mod tests;
