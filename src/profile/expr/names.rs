//! What an expression asks of the place where it stands, and what is wrong with it.

use std::ops::Range;
use std::sync::Arc;

use super::kind::Kind;
use super::name::Name;
use crate::model::VersionPattern;
use crate::text::diagnostic::Diagnostic;

/// The names that mean something where an expression stands.
pub trait Names {
    /// What the dotted name `path` stands for.
    ///
    /// # Errors
    /// Why it stands for nothing here.
    fn resolve(&self, path: &[&str]) -> Result<Found, Complaint>;

    /// How versions are read.
    fn pattern(&self) -> &Arc<VersionPattern>;
}

/// A name that means something.
#[derive(Clone, Debug)]
pub struct Found {
    pub name: Name,
    pub kind: Kind,
    /// How many parts of the dotted name it takes.
    pub parts: usize,
}

/// Why a name means nothing.
#[derive(Clone, Debug)]
pub struct Complaint {
    /// The part of the dotted name that is wrong, counted from 0.
    pub part: usize,
    pub message: String,
    pub help: Option<String>,
}

/// What is wrong with an expression or a template; the span is within its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub span: Range<usize>,
    pub message: String,
    pub help: Option<String>,
    /// It speaks of a name that is not there.
    pub absence: bool,
}

impl Problem {
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None, absence: false }
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// As a diagnostic at `span`.
    pub fn at(self, span: Range<usize>) -> Diagnostic {
        Diagnostic { help: self.help, ..Diagnostic::new(span, self.message) }
    }

    pub(super) fn shifted(mut self, by: usize) -> Self {
        self.span = self.span.start + by..self.span.end + by;
        self
    }
}
