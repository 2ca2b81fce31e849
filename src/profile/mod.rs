//! The profile language: a vendor's upgrade procedure as TOML, read into a checked [`Profile`] or into
//! *all* its diagnostics.
//!
//! Knows neither servers nor terminals, and opens no file: whoever has the text hands it over.

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
