//! The profile language: a vendor's upgrade procedure as TOML, read into a checked [`Profile`] or into
//! *all* its diagnostics.
//!
//! Whoever holds a [`Profile`] from [`parse`] may rely on this: every id in it names something that is there;
//! every expression and template compiles, is of the right kind, and names only what its place offers; every
//! placeholder of a command stands where the shell reads it as a word of its own; no procedure and no fact
//! leads back to itself; the engine can carry out all of it.
//!
//! An expression is unknown as soon as a name that it needs is, and an unknown one never holds. A template
//! quotes whatever it fills in.
//!
//! `collect` brings files of a server into the session folder, as they are there: `*` and `?` stand for what fits, of a
//! large file its end is taken, and a file that was collected before gives way. Where a failure rule offers
//! `collect`, the `collect` steps that are for the failed server are carried out, whichever stage or procedure
//! they stand in; a procedure that nothing uses may hold what is collected then alone.
//!
//! Limits: the shells' grammars are known as far as it takes to find quotes, and in doubt a command is
//! refused. Whether a host gets a procedure twice because it has two roles depends on the inventory, and is
//! found when the plan is made. Knows neither servers nor terminals, and opens no file: whoever has the text
//! hands it over.

mod ast;
pub mod builtin;
mod expr;
mod parse;
mod shell;

pub use ast::{
    Access, Act, At, AtATime, Check, CheckKind, Count, Fact, FactKind, Failure, Forbid, Forbidden, Input,
    InputKind, KeepUp, Notice, Offer, Page, Per, PerOs, Position, Procedure, Profile, Role, Service,
    ServiceAct, ServiceState, Severity, Source, Stage, Step, Then, VersionRules, Wait,
};
pub use expr::{Expr, Kind, Lookup, Name, Of, RenderError, Shell, Template};
pub use parse::parse;
