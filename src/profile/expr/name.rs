//! The names that an expression may use.

use std::fmt;

use crate::model::{CheckId, FactId, InputId, RoleId, StepId};

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

impl Name {
    /// Whether it is read off servers, so that its value may change while the session runs.
    pub fn is_measured(&self) -> bool {
        match self {
            Self::Here(of) | Self::Role(_, of) => matches!(of, Of::Version | Of::Fact(_)),
            // Which servers are in service is found out while the session runs.
            Self::Peers(_)
            | Self::HereBefore(_)
            | Self::Farm(_)
            | Self::FarmBefore(_)
            | Self::StepExit(_)
            | Self::StepOutput(_)
            | Self::Check(_)
            | Self::N
            | Self::M => true,
            Self::Input(_)
            | Self::Command(_)
            | Self::Secret(_)
            | Self::Remote(_)
            | Self::Target
            | Self::With(_)
            | Self::Item => false,
        }
    }
}

/// As a profile writes it.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
