//! What names mean at one place of a profile.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::world::World;
use crate::model::{CheckId, FactId, InputId, RoleId, StepId, VersionPattern};
use crate::profile::ast::{FactKind, InputKind, Per};
use crate::profile::expr::{Complaint, Found, Kind, Name, Names, Of};
use crate::text::diagnostic::{meant, quoted};
use crate::text::toml::listed;

/// A place where an expression or a template stands.
#[derive(Clone)]
pub(super) struct Place<'w> {
    pub world: &'w World,
    /// The roles of the servers that may be in turn; `None` where no server is.
    pub here: Option<BTreeSet<String>>,
    /// Whether the servers in turn are those of a stage, which have peers.
    pub peers: bool,
    /// The steps of the list up to this one, and those after it.
    pub steps: Option<(Vec<String>, Vec<String>)>,
    pub with: Given,
    /// What some user gives out of a secret.
    pub secret_with: BTreeSet<String>,
    pub item: bool,
    pub purpose: Purpose,
}

/// What a procedure is given.
#[derive(Clone)]
pub(super) enum Given {
    /// It is no procedure.
    Nothing,
    /// By every user of it.
    These(BTreeSet<String>),
    /// Nobody uses it, so nobody knows.
    Anything,
}

/// What the expression or template is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Plain,
    /// Tells how a step came out: checks may be named.
    Outcome,
    /// A command, which may be given the file of a secret.
    Command,
    /// The version to reach: nothing but inputs of the farm may be named.
    Target,
}

const ROOTS: [&str; 12] =
    ["here", "farm", "roles", "peers", "inputs", "target", "with", "steps", "checks", "n", "m", "item"];

impl<'w> Place<'w> {
    /// A place of the farm, with no server in turn.
    pub(super) fn farm(world: &'w World) -> Self {
        Self {
            world,
            here: None,
            peers: false,
            steps: None,
            with: Given::Nothing,
            secret_with: BTreeSet::new(),
            item: false,
            purpose: Purpose::Plain,
        }
    }

    /// A place with a server of these roles in turn; of the farm where there are none.
    pub(super) fn of_roles<'r>(world: &'w World, roles: impl IntoIterator<Item = &'r str>) -> Self {
        let roles: BTreeSet<_> = roles.into_iter().map(str::to_owned).collect();
        Self { here: (!roles.is_empty()).then_some(roles), ..Self::farm(world) }
    }

    pub(super) fn for_purpose(&self, purpose: Purpose) -> Self {
        Self { purpose, ..self.clone() }
    }

    fn here_roles(&self, what: &str) -> Result<&BTreeSet<String>, Complaint> {
        self.here.as_ref().ok_or_else(|| {
            complaint(0, format!("{what} is not available here: no server is in turn"))
                .help("name `farm.…`, or `roles.R.…` with `all`, `any`, `sum`; or say whose servers are in turn with `roles`")
        })
    }

    /// What may be asked of servers of `roles`.
    fn of(&self, id: &str, roles: &BTreeSet<String>, part: usize) -> Result<(Of, Kind), Complaint> {
        let found = match id {
            "name" => (Of::Name, Kind::Text),
            "address" => (Of::Address, Kind::Text),
            "os" => (Of::Os, Kind::Text),
            "roles" => (Of::Roles, Kind::list(Kind::Text)),
            "version"
                if roles
                    .iter()
                    .any(|role| self.world.roles.get(role).is_none_or(|role| role.has_version)) =>
            {
                (Of::Version, Kind::Version)
            }
            "version" => {
                let message = format!("{} has no `version`", listed(roles.iter().map(String::as_str)));
                return Err(complaint(part, message)
                    .help("name the fact that reads it: `version = \"F\"` on the role"));
            }
            _ => return self.fact_or_input(id, roles, part),
        };
        Ok(found)
    }

    fn fact_or_input(
        &self,
        id: &str,
        roles: &BTreeSet<String>,
        part: usize,
    ) -> Result<(Of, Kind), Complaint> {
        if let Some(fact) = self.world.facts.get(id) {
            if fact.roles.is_empty() {
                let message = format!("{} is a fact of the farm, not of a server", quoted(id));
                return Err(complaint(part, message).help(format!("name it `farm.{id}`")));
            }
            if !roles.is_empty() && !fact.roles.iter().any(|role| roles.contains(role)) {
                let whose = listed(fact.roles.iter().map(String::as_str));
                let asked = listed(roles.iter().map(String::as_str));
                return Err(complaint(part, format!("{} is a fact of {whose}, not of {asked}", quoted(id))));
            }
            return Ok((Of::Fact(FactId::from(id)), fact_kind(fact.kind)));
        }
        if let Some(input) = self.world.inputs.get(id) {
            if input.per != Per::Server {
                let message = format!("{} is an input, and not one of each server", quoted(id));
                return Err(complaint(part, message)
                    .help(format!("name it `inputs.{id}`, or give it `per = \"server\"`")));
            }
            self.refuse_secret(id, input.kind == Some(InputKind::Secret), part)?;
            return Ok((Of::Input(InputId::from(id)), input_kind(input.kind)));
        }
        let facts =
            self.world.facts.iter().filter(|(_, fact)| !fact.roles.is_empty()).map(|(id, _)| id.as_str());
        let inputs =
            self.world.inputs.iter().filter(|(_, input)| input.per == Per::Server).map(|(id, _)| id.as_str());
        let known = ["name", "address", "os", "roles", "version"].into_iter().chain(facts).chain(inputs);
        Err(unknown(part, "fact of a server", id, known))
    }

    fn refuse_secret(&self, id: &str, secret: bool, part: usize) -> Result<(), Complaint> {
        if !secret || self.purpose == Purpose::Command {
            return Ok(());
        }
        Err(complaint(part, format!("{} is a secret, and can only be used in a command", quoted(id)))
            .help("in a `run` it stands for the path of a file that holds it as long as the step lives"))
    }

    fn here(&self, path: &[&str]) -> Result<Found, Complaint> {
        let roles = self.here_roles("`here`")?;
        match path {
            ["before", fact, ..] => match self.of(fact, roles, 2)? {
                (Of::Fact(fact), kind) => found(Name::HereBefore(fact), kind, 3),
                (Of::Version, _) => {
                    Err(complaint(2, "`before` keeps facts: name the fact itself".to_owned()))
                }
                _ => Err(complaint(
                    2,
                    format!("{} is no fact, and is the same before and after", quoted(fact)),
                )),
            },
            [id, ..] => {
                let (of, kind) = self.of(id, roles, 1)?;
                found(Name::Here(of), kind, 2)
            }
            [] => Err(complaint(0, "`here` alone has no value".to_owned()).help("its name is `here.name`")),
        }
    }

    fn farm_fact(&self, id: &str, part: usize) -> Result<(FactId, Kind), Complaint> {
        match self.world.facts.get(id) {
            Some(fact) if fact.roles.is_empty() => Ok((FactId::from(id), fact_kind(fact.kind))),
            Some(_) => {
                Err(complaint(part, format!("{} is a fact of each server, not of the farm", quoted(id)))
                    .help(format!("name it `here.{id}` or `roles.R.{id}`")))
            }
            None => {
                let known = self.world.facts.iter().filter(|(_, fact)| fact.roles.is_empty());
                Err(unknown(part, "fact of the farm", id, known.map(|(id, _)| id.as_str())))
            }
        }
    }

    fn role(&self, path: &[&str]) -> Result<Found, Complaint> {
        let Some(role) = path.first() else {
            return Err(complaint(0, "`roles` alone has no value".to_owned())
                .help("the servers of a role are `roles.R.name`"));
        };
        if !self.world.roles.contains_key(*role) {
            return Err(unknown(1, "role", role, self.world.roles.keys().map(String::as_str)));
        }
        let Some(id) = path.get(1) else {
            return Err(complaint(1, format!("`roles.{role}` alone has no value"))
                .help(format!("the names of its servers are `roles.{role}.name`")));
        };
        let (of, kind) = self.of(id, &BTreeSet::from([(*role).to_owned()]), 2)?;
        found(Name::Role(RoleId::from(*role), of), Kind::list(kind), 3)
    }

    fn peer(&self, path: &[&str]) -> Result<Found, Complaint> {
        let roles = self.here_roles("`peers`")?;
        if !self.peers {
            return Err(complaint(
                0,
                "`peers` is not available here: it stands for the other servers of a stage".to_owned(),
            )
            .help("name `roles.R.…`"));
        }
        match path.first() {
            None => found(Name::Peers(Of::Name), Kind::list(Kind::Text), 1),
            Some(id) => {
                let (of, kind) = self.of(id, roles, 1)?;
                found(Name::Peers(of), Kind::list(kind), 2)
            }
        }
    }

    fn input(&self, path: &[&str]) -> Result<Found, Complaint> {
        let Some(id) = path.first() else {
            return Err(complaint(0, "`inputs` alone has no value".to_owned()).help("name one: `inputs.I`"));
        };
        let Some(input) = self.world.inputs.get(*id) else {
            return Err(unknown(1, "input", id, self.world.inputs.keys().map(String::as_str)));
        };
        if input.per != Per::Farm {
            if self.purpose == Purpose::Target {
                return Err(complaint(
                    1,
                    format!("{} differs from server to server, and this is one for all", quoted(id)),
                ));
            }
            self.here_roles(&quoted(&format!("inputs.{id}")))?;
        }
        self.refuse_secret(id, input.kind == Some(InputKind::Secret), 1)?;
        let input_id = InputId::from(*id);
        match (path.get(1), input.kind) {
            (Some(&"remote"), Some(InputKind::File)) => found(Name::Remote(input_id), Kind::Text, 3),
            (Some(&"remote"), Some(_)) => {
                Err(complaint(2, format!("only an input of kind `file` has `remote`, not {}", quoted(id))))
            }
            (_, Some(InputKind::Command)) => found(Name::Command(input_id), Kind::Text, 2),
            (_, Some(InputKind::Secret)) => found(Name::Secret(input_id), Kind::Text, 2),
            (_, kind) => found(Name::Input(input_id), input_kind(kind), 2),
        }
    }

    fn given(&self, path: &[&str]) -> Result<Found, Complaint> {
        if matches!(self.with, Given::Nothing) {
            return Err(complaint(0, "`with` is only available in a procedure".to_owned()));
        }
        let Some(key) = path.first() else {
            return Err(
                complaint(0, "`with` alone has no value".to_owned()).help("name what is given: `with.X`")
            );
        };
        if let Given::These(given) = &self.with
            && !given.contains(*key)
        {
            let message = format!("not every user of this procedure gives it {}", quoted(key));
            return Err(
                complaint(1, message).help(format!("add `{key}` to `with` wherever the procedure is used"))
            );
        }
        self.refuse_secret(key, self.secret_with.contains(*key), 1)?;
        found(Name::With((*key).to_owned()), Kind::Any, 2)
    }

    fn step(&self, path: &[&str]) -> Result<Found, Complaint> {
        let Some((before, after)) = &self.steps else {
            return Err(complaint(0, "`steps` is only available in steps and failures".to_owned()));
        };
        let Some(id) = path.first() else {
            return Err(complaint(0, "`steps` alone has no value".to_owned())
                .help("write `steps.ID.exit` or `steps.ID.output`"));
        };
        if after.iter().any(|step| step == id) {
            return Err(complaint(1, format!("step {} comes later, and has no outcome yet", quoted(id))));
        }
        if !before.iter().any(|step| step == id) {
            let mut complaint = unknown(1, "step", id, before.iter().map(String::as_str));
            complaint.message.push_str(" in the same list up to here");
            return Err(complaint);
        }
        match path.get(1) {
            Some(&"exit") => found(Name::StepExit(StepId::from(*id)), Kind::Number, 3),
            Some(&"output") => found(Name::StepOutput(StepId::from(*id)), Kind::Text, 3),
            _ => Err(complaint(1, "of a step there is `exit` and `output`".to_owned())
                .help(format!("write `steps.{id}.exit` or `steps.{id}.output`"))),
        }
    }

    fn check(&self, path: &[&str]) -> Result<Found, Complaint> {
        if self.purpose != Purpose::Outcome {
            return Err(complaint(0, "checks can only be named in `wait`, `progress` and `done`".to_owned())
                .help("a step `needs` checks, a stage has `gates`"));
        }
        match path.first() {
            Some(id) if self.world.checks.contains_key(*id) => {
                found(Name::Check(CheckId::from(*id)), Kind::YesNo, 2)
            }
            Some(id) => Err(unknown(1, "check", id, self.world.checks.keys().map(String::as_str))),
            None => Err(complaint(0, "`checks` alone has no value".to_owned()).help("name one: `checks.ID`")),
        }
    }
}

impl Names for Place<'_> {
    fn resolve(&self, path: &[&str]) -> Result<Found, Complaint> {
        let (root, rest) = path.split_first().unwrap_or((&"", &[]));
        if self.purpose == Purpose::Target && *root != "inputs" {
            return Err(complaint(0, "only inputs can be named here".to_owned()));
        }
        match *root {
            "here" => self.here(rest),
            "farm" => match rest {
                ["before", fact, ..] => {
                    let (fact, kind) = self.farm_fact(fact, 2)?;
                    found(Name::FarmBefore(fact), kind, 3)
                }
                [fact, ..] => {
                    let (fact, kind) = self.farm_fact(fact, 1)?;
                    found(Name::Farm(fact), kind, 2)
                }
                [] => Err(complaint(0, "`farm` alone has no value".to_owned()).help("name a fact: `farm.F`")),
            },
            "roles" => self.role(rest),
            "peers" => self.peer(rest),
            "inputs" => self.input(rest),
            "with" => self.given(rest),
            "steps" => self.step(rest),
            "checks" => self.check(rest),
            "target" => found(Name::Target, Kind::Version, 1),
            "n" => found(Name::N, Kind::Number, 1),
            "m" => found(Name::M, Kind::Number, 1),
            "item" if self.item => found(Name::Item, Kind::Text, 1),
            "item" => Err(complaint(
                0,
                "`item` is only available in a procedure that fixes a `registered` check".to_owned(),
            )),
            other => {
                let mut complaint = unknown(0, "name", other, ROOTS);
                if self.world.facts.contains_key(other) {
                    complaint.help =
                        Some(format!("a fact is named `here.{other}`, `farm.{other}` or `roles.R.{other}`"));
                } else if self.world.inputs.contains_key(other) {
                    complaint.help = Some(format!("an input is named `inputs.{other}`"));
                }
                Err(complaint)
            }
        }
    }

    fn pattern(&self) -> &Arc<VersionPattern> {
        &self.world.pattern
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every way to resolve a name ends in a result")]
fn found(name: Name, kind: Kind, parts: usize) -> Result<Found, Complaint> {
    Ok(Found { name, kind, parts })
}

fn complaint(part: usize, message: String) -> Complaint {
    Complaint { part, message, help: None }
}

impl Complaint {
    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

fn unknown<'k>(part: usize, what: &str, id: &str, known: impl IntoIterator<Item = &'k str>) -> Complaint {
    let known: Vec<_> = known.into_iter().collect();
    let help = match meant(id, known.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None if known.is_empty() => "there is none at all".to_owned(),
        None => format!("there is {}", listed(known)),
    };
    complaint(part, format!("there is no {what} {}", quoted(id))).help(help)
}

fn fact_kind(kind: Option<FactKind>) -> Kind {
    match kind {
        Some(FactKind::Text) => Kind::Text,
        Some(FactKind::Number) => Kind::Number,
        Some(FactKind::Version) => Kind::Version,
        Some(FactKind::YesNo) => Kind::YesNo,
        Some(FactKind::List) => Kind::list(Kind::Text),
        None => Kind::Any,
    }
}

fn input_kind(kind: Option<InputKind>) -> Kind {
    match kind {
        Some(InputKind::YesNo) => Kind::YesNo,
        Some(InputKind::Number) => Kind::Number,
        Some(InputKind::Hosts) => Kind::list(Kind::Text),
        Some(
            InputKind::File
            | InputKind::Path
            | InputKind::Text
            | InputKind::Choice
            | InputKind::Secret
            | InputKind::Server
            | InputKind::Command,
        ) => Kind::Text,
        None => Kind::Any,
    }
}
