//! What a name means: for which server, in which procedure, with what known.

use std::collections::BTreeSet;

use super::answers::{self, AnswerBook};
use super::script::With;
use super::setup::Setup;
use crate::inventory::Server;
use crate::model::{CheckId, FactId, ServerName, StepId, Value};
use crate::profile::{Name, Of, Shell};

/// What has been measured. Each `None` is an unknown.
pub trait Facts {
    /// A fact of a server, or of the farm.
    fn fact(&self, fact: &FactId, server: Option<&ServerName>) -> Option<Value>;
    /// As it was when the session's first stage began.
    fn before(&self, fact: &FactId, server: Option<&ServerName>) -> Option<Value>;
    /// Whether a check passes; for `server` where it is about servers.
    fn check(&self, check: &CheckId, server: Option<&ServerName>) -> Option<bool>;
    /// Exit status and output of a step of the same list, on the same server.
    fn step(&self, step: &StepId) -> Option<(i32, String)>;
    /// The other servers of the stage that are in service.
    fn peers(&self) -> Option<Vec<ServerName>>;
    /// Servers updated, and servers registered.
    fn tally(&self) -> Option<(usize, usize)>;
}

/// Nothing measured yet.
pub struct NoFacts;

impl Facts for NoFacts {
    fn fact(&self, _: &FactId, _: Option<&ServerName>) -> Option<Value> {
        None
    }
    fn before(&self, _: &FactId, _: Option<&ServerName>) -> Option<Value> {
        None
    }
    fn check(&self, _: &CheckId, _: Option<&ServerName>) -> Option<bool> {
        None
    }
    fn step(&self, _: &StepId) -> Option<(i32, String)> {
        None
    }
    fn peers(&self) -> Option<Vec<ServerName>> {
        None
    }
    fn tally(&self) -> Option<(usize, usize)> {
        None
    }
}

/// Where an expression or a template is evaluated.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    pub setup: &'a Setup,
    pub answers: &'a AnswerBook,
    pub facts: &'a dyn Facts,
    pub server: Option<&'a Server>,
    pub with: Option<&'a With>,
    /// The orphaned entry a fix is about.
    pub item: Option<&'a str>,
}

/// The folder where `upload` puts files on a server of this shell.
pub fn uploads(shell: Shell) -> &'static str {
    match shell {
        Shell::PowerShell => r"C:\ProgramData\nofm\uploads",
        Shell::Sh | Shell::None => "/var/lib/nofm/uploads",
    }
}

impl<'a> Scope<'a> {
    /// With nothing measured, about `server`.
    pub fn settled(setup: &'a Setup, answers: &'a AnswerBook, server: Option<&'a Server>) -> Self {
        Self { setup, answers, facts: &NoFacts, server, with: None, item: None }
    }

    pub fn with(self, with: &'a With) -> Self {
        Self { with: Some(with), ..self }
    }

    /// The shell of the server in turn; of the console without one.
    pub fn shell(&self) -> Shell {
        self.server.map_or(Shell::Sh, Server::shell)
    }

    /// The value of `name`; `None` is unknown.
    pub fn lookup(&self, name: &Name) -> Option<Value> {
        match name {
            Name::Here(of) => self.of(self.server?, of),
            Name::HereBefore(fact) => self.facts.before(fact, Some(&self.server?.name)),
            Name::Farm(fact) => self.facts.fact(fact, None),
            Name::FarmBefore(fact) => self.facts.before(fact, None),
            Name::Role(role, of) => {
                let servers = self.setup.inventory.of_role(role);
                servers.map(|server| self.of(server, of)).collect::<Option<Vec<_>>>().map(Value::List)
            }
            Name::Peers(of) => {
                let peers = self.facts.peers()?;
                let values = peers.iter().map(|peer| self.of(self.setup.server(peer)?, of));
                values.collect::<Option<Vec<_>>>().map(Value::List)
            }
            Name::Input(id) | Name::Command(id) | Name::Secret(id) => {
                self.answers.value(self.setup.profile.input(id)?, self.server)
            }
            Name::Remote(id) => {
                // A stand-in server has its files below a folder of this machine, and its commands see it all.
                let root = self.server.and_then(Server::root).unwrap_or_default();
                Some(Value::Text(format!("{root}{}", self.remote(id)?)))
            }
            Name::Target => answers::target(self.setup, &|name| self.lookup(name)).map(Value::Version),
            Name::With(key) => self.passed(key),
            Name::StepExit(step) => self.facts.step(step).map(|(exit, _)| Value::Number(f64::from(exit))),
            Name::StepOutput(step) => self.facts.step(step).map(|(_, output)| Value::Text(output)),
            Name::Check(check) => {
                self.facts.check(check, self.server.map(|server| &server.name)).map(Value::YesNo)
            }
            Name::N => self.facts.tally().map(|(n, _)| number(n)),
            Name::M => self.facts.tally().map(|(_, m)| number(m)),
            Name::Item => self.item.map(|item| Value::Text(item.to_owned())),
        }
    }

    /// Where `upload` puts the file of an input, as the server itself has it.
    pub fn remote(&self, id: &crate::model::InputId) -> Option<String> {
        let local = self.answers.value(self.setup.profile.input(id)?, self.server)?.to_string();
        let file = local.rsplit('/').next().filter(|file| !file.is_empty())?;
        let shell = self.shell();
        let separator = if shell == Shell::PowerShell { '\\' } else { '/' };
        // Of two inputs the files may be called the same.
        Some(format!("{}{separator}{id}{separator}{file}", uploads(shell)))
    }

    fn of(&self, server: &Server, of: &Of) -> Option<Value> {
        match of {
            Of::Name => Some(Value::Text(server.name.to_string())),
            Of::Address => Some(Value::Text(server.address.clone())),
            Of::Os => Some(Value::Text(server.os.as_str().to_owned())),
            Of::Roles => {
                Some(Value::List(server.roles.iter().map(|role| Value::Text(role.to_string())).collect()))
            }
            Of::Version => self.facts.fact(version_fact(self.setup, server)?, Some(&server.name)),
            Of::Fact(fact) => self.facts.fact(fact, Some(&server.name)),
            Of::Input(input) => self.answers.value(self.setup.profile.input(input)?, Some(server)),
        }
    }

    /// A value passed to the procedure: as it is where the template is one placeholder, else as text.
    fn passed(&self, key: &str) -> Option<Value> {
        let with = self.with?;
        let template = with.values.get(key)?;
        let caller = Self { with: with.outer.as_deref(), ..*self };
        match template.single() {
            Some(name) => caller.lookup(name),
            None => template.render(Shell::None, &|name| caller.lookup(name)).ok().map(Value::Text),
        }
    }

    /// Every name that `names` come down to once the values passed to procedures are followed to their callers.
    pub fn follow(&self, names: &[Name]) -> BTreeSet<Name> {
        let mut all = BTreeSet::new();
        for name in names {
            match name {
                Name::With(key) => {
                    if let Some(with) = self.with
                        && let Some(template) = with.values.get(key)
                    {
                        all.extend(Self { with: with.outer.as_deref(), ..*self }.follow(template.names()));
                    }
                }
                other => {
                    all.insert(other.clone());
                }
            }
        }
        all
    }

    /// Whether `names` need nothing measured.
    pub fn is_settled(&self, names: &[Name]) -> bool {
        !self.follow(names).iter().any(Name::is_measured)
    }
}

/// The fact that tells the version of `server`: that of its first role that has one.
pub fn version_fact<'a>(setup: &'a Setup, server: &Server) -> Option<&'a FactId> {
    server.roles.iter().find_map(|role| setup.profile.role(role)?.version.as_ref())
}

fn number(count: usize) -> Value {
    Value::Number(f64::from(u32::try_from(count).unwrap_or(u32::MAX)))
}
