//! Expressions and templates: the names they use, and their value.
//!
//! Neither reads anything by itself. Whoever evaluates one looks up exactly the names it lists, and hands
//! over what is known of them; a name that is not known makes the whole unknown.

use crate::model::{CheckId, FactId, InputId, RoleId, StepId, Value};

/// A name that an expression may use, resolved against the profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// Of the server in turn.
    Here(Of),
    /// `here.before.F`
    HereBefore(FactId),
    /// `farm.F`
    Farm(FactId),
    /// `farm.before.F`
    FarmBefore(FactId),
    /// `roles.R.F`: a list over the servers of the role; unknown if one of them is.
    Role(RoleId, Of),
    /// `peers.F`, and `peers` alone as `peers.name`: a list over the other servers of the stage in service.
    Peers(Of),
    Input(InputId),
    /// An input of kind `command`: inserted unquoted into commands.
    Command(InputId),
    /// An input of kind `secret`: in a command, the path of a file that holds it.
    Secret(InputId),
    /// `inputs.I.remote`: where `upload` put the file.
    Remote(InputId),
    Target,
    With(String),
    /// `steps.ID.exit`
    StepExit(StepId),
    /// `steps.ID.output`
    StepOutput(StepId),
    /// `checks.ID`: whether it passes.
    Check(CheckId),
    /// Servers updated.
    N,
    /// Servers registered.
    M,
    /// The orphaned entry that a fix is about.
    Item,
}

/// What may be asked of a server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Of {
    Name,
    Address,
    Os,
    Roles,
    /// The value of the role's version fact.
    Version,
    Fact(FactId),
    Input(InputId),
}

/// The shell a template is rendered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// No shell: text for people.
    None,
    Sh,
    PowerShell,
}

/// What is known of the names: `None` is unknown.
pub type Lookup<'a> = &'a dyn Fn(&Name) -> Option<Value>;

/// A minijinja expression, checked and compiled.
#[derive(Clone, Debug)]
pub struct Expr {
    source: String,
    names: Vec<Name>,
}

/// A text with `{{ placeholders }}`, checked and compiled.
#[derive(Clone, Debug)]
pub struct Template {
    source: String,
    names: Vec<Name>,
}

impl Expr {
    /// As the profile writes it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Every name it uses.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// Its value; `None` when it is unknown, whatever the reason.
    pub fn eval(&self, lookup: Lookup<'_>) -> Option<Value> {
        let _ = lookup;
        None
    }

    /// Whether it holds; `None` when that is unknown or the value is not a yes or no.
    pub fn test(&self, lookup: Lookup<'_>) -> Option<bool> {
        match self.eval(lookup)? {
            Value::YesNo(holds) => Some(holds),
            _ => None,
        }
    }
}

impl Template {
    /// As the profile writes it.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Every name it uses.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// The name, when the whole text is one placeholder.
    pub fn single(&self) -> Option<&Name> {
        None
    }

    /// The text with every placeholder filled in, quoted for `shell`.
    ///
    /// # Errors
    /// The first name that is unknown.
    pub fn render(&self, shell: Shell, lookup: Lookup<'_>) -> Result<String, Name> {
        let _ = (shell, lookup);
        Ok(self.source.clone())
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Here(of) => write!(f, "here.{of}"),
            Self::HereBefore(fact) => write!(f, "here.before.{fact}"),
            Self::Farm(fact) => write!(f, "farm.{fact}"),
            Self::FarmBefore(fact) => write!(f, "farm.before.{fact}"),
            Self::Role(role, of) => write!(f, "roles.{role}.{of}"),
            Self::Peers(of) => write!(f, "peers.{of}"),
            Self::Input(input) | Self::Command(input) | Self::Secret(input) => write!(f, "inputs.{input}"),
            Self::Remote(input) => write!(f, "inputs.{input}.remote"),
            Self::Target => f.write_str("target"),
            Self::With(key) => write!(f, "with.{key}"),
            Self::StepExit(step) => write!(f, "steps.{step}.exit"),
            Self::StepOutput(step) => write!(f, "steps.{step}.output"),
            Self::Check(check) => write!(f, "checks.{check}"),
            Self::N => f.write_str("n"),
            Self::M => f.write_str("m"),
            Self::Item => f.write_str("item"),
        }
    }
}

impl std::fmt::Display for Of {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name => f.write_str("name"),
            Self::Address => f.write_str("address"),
            Self::Os => f.write_str("os"),
            Self::Roles => f.write_str("roles"),
            Self::Version => f.write_str("version"),
            Self::Fact(fact) => fact.fmt(f),
            Self::Input(input) => input.fmt(f),
        }
    }
}
