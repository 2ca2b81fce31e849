//! What must be looked at before something is decided, and what was seen.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::key::StepKey;
use super::state::State;
use super::view::Seen;
use crate::inventory::Server;
use crate::model::{CheckId, FactId, Known, ServerName, Value};
use crate::plan::{Scope, version_fact};
use crate::profile::{Check, CheckKind, Expr, Name, Of, Source};

/// What a measurement is for. At most one is open for the same purpose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Versions of a server, or what the farm has registered.
    Survey(Option<ServerName>),
    /// One of the checks at the start or the end.
    Check(CheckId, Option<ServerName>),
    /// What is remembered as `before`.
    Before,
    /// Whether a step applies, and whether it is done already.
    Turn(StepKey),
    /// What must hold right before a step.
    Needs(StepKey),
    /// What a wait waits for.
    Wait(StepKey),
    /// Whether a step worked.
    Proof(StepKey),
    /// The facts a step `tells`.
    Tells(StepKey),
    /// Which failure rule fits.
    Rule(StepKey),
    /// What is left to do after the upgrade.
    Finish,
}

impl Purpose {
    /// The step it is for.
    pub fn step(&self) -> Option<&StepKey> {
        match self {
            Self::Turn(key)
            | Self::Needs(key)
            | Self::Wait(key)
            | Self::Proof(key)
            | Self::Tells(key)
            | Self::Rule(key) => Some(key),
            Self::Survey(_) | Self::Check(..) | Self::Before | Self::Finish => None,
        }
    }
}

/// One question to one server, or to the farm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeKey {
    Fact(FactId, Option<ServerName>),
    Check(CheckId, Option<ServerName>),
}

/// What a probe came back with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub known: Known,
    pub seen: Measured,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    Value(Value),
    /// Bytes available.
    Free(u64),
    /// Each server's clock against the console's, in milliseconds; `None` where it could not be read.
    Clocks(BTreeMap<ServerName, Option<i64>>),
    /// Whether it is so: a port that is open, a folder that was written to, rights that are there.
    Holds(bool),
    File {
        exists: bool,
        age_s: Option<i64>,
        size: Option<u64>,
        sha256: Option<String>,
        expected: Option<String>,
    },
    /// Whether each service runs; `None` where it does not exist.
    Services(Vec<(String, Option<bool>)>),
    Unknown(String),
}

impl Reading {
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { known: Known::Seen, seen: Measured::Unknown(why.into()) }
    }

    /// The value of a fact; `None` is unknown.
    pub fn value(&self) -> Option<&Value> {
        match &self.seen {
            Measured::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// How deep facts may be derived from facts, and checks from checks.
const DEPTH_MAX: usize = 8;

/// Collects the probes that names come down to.
pub(super) struct Probes<'a> {
    state: &'a State,
    found: BTreeSet<ProbeKey>,
}

impl<'a> Probes<'a> {
    pub(super) fn new(state: &'a State) -> Self {
        Self { state, found: BTreeSet::new() }
    }

    pub(super) fn take(self) -> BTreeSet<ProbeKey> {
        self.found
    }

    /// Leaves out facts that were asked of the operator just before.
    pub(super) fn leave_out(&mut self, told: &[FactId]) {
        self.found.retain(|probe| !matches!(probe, ProbeKey::Fact(fact, _) if told.contains(fact)));
    }

    pub(super) fn add(&mut self, probes: impl IntoIterator<Item = ProbeKey>) {
        self.found.extend(probes);
    }

    pub(super) fn expr(&mut self, expr: &Expr, scope: &Scope<'_>) {
        self.names(expr.names(), scope, 0);
    }

    pub(super) fn names(&mut self, names: &[Name], scope: &Scope<'_>, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        for name in scope.follow(names) {
            match &name {
                Name::Here(of) => self.of(of, scope.server, depth),
                Name::Role(role, of) => {
                    for server in scope.setup.inventory.of_role(role) {
                        self.of(of, Some(server), depth);
                    }
                }
                Name::Peers(of) => {
                    for peer in scope.facts.peers().unwrap_or_default() {
                        self.of(of, scope.setup.server(&peer), depth);
                    }
                }
                Name::Farm(fact) => self.fact(fact, None, depth),
                Name::Check(check) => {
                    if let Some(check) = scope.setup.profile.check(check) {
                        let server = (!check.roles.is_empty()).then_some(scope.server).flatten();
                        self.check(check, server, depth + 1);
                    }
                }
                Name::N => {
                    if let Some(server) = scope.server
                        && let Some(fact) = version_fact(scope.setup, server)
                    {
                        self.fact(fact, Some(server), depth);
                    }
                }
                Name::M => {
                    for fact in scope.setup.profile.roles.iter().filter_map(|role| role.registered.as_ref()) {
                        self.fact(fact, None, depth);
                    }
                }
                _ => {}
            }
        }
    }

    fn of(&mut self, of: &Of, server: Option<&Server>, depth: usize) {
        match (of, server) {
            (Of::Fact(fact), server) => self.fact(fact, server, depth),
            (Of::Version, Some(server)) => {
                if let Some(fact) = version_fact(&self.state.setup, server) {
                    self.fact(fact, Some(server), depth);
                }
            }
            _ => {}
        }
    }

    pub(super) fn fact(&mut self, id: &FactId, server: Option<&Server>, depth: usize) {
        let Some(fact) = self.state.setup.profile.fact(id) else { return };
        match &fact.source {
            Source::Value(expr) => {
                let seen = Seen::new(self.state, None);
                let scope = self.state.scope(&seen, server);
                self.names(expr.names(), &scope, depth + 1);
            }
            _ => {
                self.found.insert(ProbeKey::Fact(id.clone(), server.map(|server| server.name.clone())));
            }
        }
    }

    /// A check that stands in no profile.
    pub(super) fn own_check(&mut self, id: &CheckId, server: Option<&Server>) {
        self.found.insert(ProbeKey::Check(id.clone(), server.map(|server| server.name.clone())));
    }

    pub(super) fn check(&mut self, check: &Check, server: Option<&Server>, depth: usize) {
        let seen = Seen::new(self.state, None);
        let scope = self.state.scope(&seen, server);
        if let Some(when) = &check.when {
            self.names(when.names(), &scope, depth);
        }
        match &check.kind {
            CheckKind::That(expr) => self.names(expr.names(), &scope, depth),
            CheckKind::Registered(role) => {
                if let Some(fact) = scope.setup.profile.role(role).and_then(|role| role.registered.as_ref()) {
                    self.fact(fact, None, depth);
                }
            }
            CheckKind::ClockSkew(_) => {
                self.found.insert(ProbeKey::Check(check.id.clone(), None));
            }
            _ => {
                self.found
                    .insert(ProbeKey::Check(check.id.clone(), server.map(|server| server.name.clone())));
            }
        }
    }
}
