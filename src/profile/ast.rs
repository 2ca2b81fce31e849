//! A checked profile: what is left of the TOML once every name in it is known to exist.
//!
//! The fields follow the language reference one to one; what a key means is said there (`nofm guide
//! profile`). Whoever holds a [`Profile`] from [`super::parse`] may rely on every id in it resolving.

use std::collections::BTreeMap;
use std::time::Duration;

use regex::Regex;

use super::expr::{Expr, Template};
use crate::model::{
    CheckId, FactId, FailureId, InputId, NoticeId, Os, ProcedureId, RoleId, StageId, StepId, VersionPattern,
};

/// One value for all systems, or one each.
#[derive(Clone, Debug, PartialEq)]
pub struct PerOs<T> {
    pub linux: Option<T>,
    /// Other Unix systems; Linux too where `linux` is absent.
    pub unix: Option<T>,
    pub windows: Option<T>,
}

impl<T> PerOs<T> {
    /// The value for `os`.
    pub fn get(&self, os: Os) -> Option<&T> {
        match os {
            Os::Linux => self.linux.as_ref().or(self.unix.as_ref()),
            Os::Unix => self.unix.as_ref(),
            Os::Windows => self.windows.as_ref(),
        }
    }

    /// Every value that is there, with the system it is for.
    pub fn iter(&self) -> impl Iterator<Item = (Os, &T)> {
        [(Os::Linux, &self.linux), (Os::Unix, &self.unix), (Os::Windows, &self.windows)]
            .into_iter()
            .filter_map(|(os, value)| Some((os, value.as_ref()?)))
    }
}

impl<T: Clone> PerOs<T> {
    /// The same value for every system.
    pub fn all(value: T) -> Self {
        Self { linux: Some(value.clone()), unix: Some(value.clone()), windows: Some(value) }
    }
}

impl<T> Default for PerOs<T> {
    fn default() -> Self {
        Self { linux: None, unix: None, windows: None }
    }
}

/// How many servers of a role there may be. `max` absent = no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub min: usize,
    pub max: Option<usize>,
}

#[derive(Clone, Debug)]
pub struct Profile {
    /// SHA-256 of the text it was read from, in hexadecimal.
    pub digest: String,
    pub id: String,
    pub product: String,
    pub cite: Option<String>,
    pub version: VersionRules,
    /// In the order of the file, as are all lists here.
    pub roles: Vec<Role>,
    pub inputs: Vec<Input>,
    pub facts: Vec<Fact>,
    pub notices: Vec<Notice>,
    pub checks: Vec<Check>,
    pub procedures: Vec<Procedure>,
    pub stages: Vec<Stage>,
    pub failures: Vec<Failure>,
}

#[derive(Clone, Debug)]
pub struct VersionRules {
    /// Names inputs only.
    pub target: Template,
    pub pattern: VersionPattern,
    pub instead: Option<String>,
    pub cite: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A shell on the server (over SSH, or a local stand-in).
    Ssh,
    None,
}

/// The least number of servers of a role in service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepUp {
    Number(usize),
    /// More than half of them.
    Majority,
    AllBut1,
}

impl KeepUp {
    /// The least number of `all` servers that must be in service.
    pub fn least(self, all: usize) -> usize {
        match self {
            Self::Number(number) => number,
            Self::Majority => all / 2 + 1,
            Self::AllBut1 => all.saturating_sub(1),
        }
    }
}

/// A service of a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    Named {
        name: String,
        /// Written `name?`: no mistake where the server has no such service.
        if_present: bool,
    },
    /// Written `/regex/`: every service whose display name matches.
    Matching(String),
}

impl Service {
    /// Its name, where it has one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named { name, .. } => Some(name),
            Self::Matching(_) => None,
        }
    }

    /// The pattern that it stands for, where it is one.
    pub fn pattern(&self) -> Option<&str> {
        match self {
            Self::Named { .. } => None,
            Self::Matching(regex) => Some(regex),
        }
    }
}

#[derive(Clone, Debug)]
pub struct Role {
    pub id: RoleId,
    pub label: String,
    pub count: Count,
    pub os: Vec<Os>,
    pub access: Access,
    pub version: Option<FactId>,
    pub registered: Option<FactId>,
    pub detect: Option<FactId>,
    /// In stop order.
    pub services: PerOs<Vec<Service>>,
    pub keep_up: Option<KeepUp>,
    pub cite: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputKind {
    File,
    Path,
    Text,
    Choice,
    YesNo,
    Number,
    Secret,
    Hosts,
    Server,
    Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    Farm,
    Os,
    Server,
}

#[derive(Clone, Debug)]
pub struct Input {
    pub id: InputId,
    pub label: String,
    pub kind: InputKind,
    pub per: Per,
    pub default: PerOs<String>,
    /// Id and label of each choice.
    pub choices: Vec<(String, String)>,
    pub help: Option<String>,
    pub optional: bool,
    /// Asked for only where this holds; names nothing that is measured.
    pub when: Option<Expr>,
    /// Kind `server`: whose servers may be named. With `per = "server"`: whose servers are asked for one.
    pub roles: Vec<RoleId>,
    pub unsure: bool,
    pub cite: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactKind {
    Text,
    Number,
    Version,
    YesNo,
    List,
}

/// Where a command runs or a question is put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// On the server in turn.
    Here,
    /// On the console.
    Local,
    /// On one other server of the stage that is in service.
    Peer,
    /// On all other servers of the stage.
    Peers,
    /// On every server of a role.
    Role(RoleId),
    /// On one server of a role that is in service.
    One(RoleId),
}

#[derive(Clone, Debug)]
pub enum Source {
    Run(PerOs<Template>),
    Http(Template),
    Value(Expr),
    /// `ask` alone.
    Ask,
}

#[derive(Clone, Debug)]
pub struct Fact {
    pub id: FactId,
    /// Empty: of the farm.
    pub roles: Vec<RoleId>,
    pub at: At,
    pub source: Source,
    pub ask: Option<Template>,
    /// A dotted path into the JSON answer.
    pub json: Option<String>,
    /// Its first group is the value.
    pub pick: Option<Regex>,
    pub kind: FactKind,
    pub cite: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    Information,
    Licence,
    Requirements,
    Firewall,
    Finish,
}

#[derive(Clone, Debug)]
pub struct Notice {
    pub id: NoticeId,
    /// Page `finish`: a to-do item for each of their servers for which `when` holds. Empty: of the farm.
    pub roles: Vec<RoleId>,
    pub text: Template,
    pub page: Page,
    pub confirm: bool,
    /// Shown from the start of the first stage to the end of the second.
    pub banner: Option<(StageId, StageId)>,
    pub when: Option<Expr>,
    pub cite: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Block,
    Warn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceState {
    Running,
    Stopped,
    AsBefore,
}

#[derive(Clone, Debug)]
pub enum CheckKind {
    That(Expr),
    FreeSpace {
        path: PerOs<Template>,
        /// Bytes.
        need: PerOs<u64>,
    },
    ClockSkew(Duration),
    Port(u16),
    Writable(PerOs<Template>),
    Privilege,
    File {
        path: PerOs<Template>,
        younger: Option<Duration>,
        /// Bytes.
        min: Option<u64>,
        /// The checksum must be that of this input's file.
        same_as: Option<InputId>,
    },
    Services(ServiceState),
    Registered(RoleId),
    Ask(Template),
}

#[derive(Clone, Debug)]
pub struct Check {
    pub id: CheckId,
    pub title: String,
    pub kind: CheckKind,
    /// Empty: of the farm.
    pub roles: Vec<RoleId>,
    pub at: At,
    pub when: Option<Expr>,
    pub severity: Severity,
    pub at_start: bool,
    pub at_end: bool,
    pub remedy: Option<Template>,
    pub fix: Option<ProcedureId>,
    pub cite: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Procedure {
    pub id: ProcedureId,
    pub title: String,
    pub steps: Vec<Step>,
    pub cite: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtATime {
    Number(usize),
    All,
}

#[derive(Clone, Debug)]
pub struct Stage {
    pub id: StageId,
    pub title: String,
    /// Empty: a stage of the farm, carried out once, on the console.
    pub roles: Vec<RoleId>,
    pub when: Option<Expr>,
    pub at_a_time: AtATime,
    pub first: Option<Expr>,
    pub last: Option<Expr>,
    pub gates: Vec<CheckId>,
    pub soak: Option<Duration>,
    pub keep_up: Option<KeepUp>,
    pub tally: Option<Template>,
    /// Why no server of this stage may be left out.
    pub leave_out: Option<String>,
    pub steps: Vec<Step>,
    pub cite: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceAct {
    Stop,
    Start,
    Restart,
}

#[derive(Clone, Debug)]
pub enum Act {
    Run(Template),
    Attended(Template),
    Manual(Template),
    Confirm(Template),
    Upload(InputId),
    Service { act: ServiceAct, services: Option<Vec<Service>> },
    Wait(Wait),
    Reboot,
    Collect(Vec<Template>),
    Use { procedure: ProcedureId, with: BTreeMap<String, Template> },
}

#[derive(Clone, Debug)]
pub struct Wait {
    pub until: Expr,
    pub every: Duration,
    /// Done and whole of a count that grows meanwhile.
    pub progress: Option<(Expr, Expr)>,
}

/// For which servers of the stage a step is, by their position in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    Each,
    First,
    NotFirst,
    Last,
    NotLast,
}

impl Position {
    /// Whether a server at `index` of `count` is meant. A lone server is both first and last.
    pub fn fits(self, index: usize, count: usize) -> bool {
        let (first, last) = (index == 0, index + 1 == count);
        match self {
            Self::Each => true,
            Self::First => first,
            Self::NotFirst => !first,
            Self::Last => last,
            Self::NotLast => !last,
        }
    }
}

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one field for each key of the language")]
pub struct Step {
    pub id: StepId,
    /// What the screen calls it; the id where absent.
    pub title: Option<String>,
    pub act: PerOs<Act>,
    pub at: At,
    pub on: Position,
    pub when: Option<Expr>,
    pub needs: Vec<CheckId>,
    pub done: Option<Expr>,
    /// Exit statuses that count as success.
    pub exit: Vec<i32>,
    pub has: Option<Regex>,
    pub lacks: Option<Regex>,
    pub once: bool,
    pub no_return: bool,
    /// `repeat = "safe"`.
    pub repeat_safe: bool,
    pub optional: bool,
    pub required: bool,
    pub expect: Option<Duration>,
    pub late: Option<Duration>,
    pub timeout: Duration,
    pub tells: Vec<FactId>,
    pub cite: Option<String>,
}

/// What an operator may do after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offer {
    Retry,
    ByHand,
    LeaveOut,
    Recover,
    Hold,
    Abort,
    /// The `collect` steps of the profile that are for the server that failed are carried out: those of stages of its
    /// roles, those of procedures, and those with an `at` of their own. What they take lies in the session folder,
    /// and the failure is asked about again. `when` counts as far as it names no facts; `needs` and `done` do not.
    Collect,
}

/// What a profile may forbid after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Forbidden {
    Retry,
    ByHand,
    LeaveOut,
    Recover,
    Hold,
    Abort,
    Collect,
    NewSession,
    Reboot,
}

#[derive(Clone, Debug)]
pub struct Forbid {
    pub act: Forbidden,
    pub why: String,
    /// What lifts it, as text for the operator; absent: nothing does within nofm.
    pub lifted_by: Option<String>,
}

/// How a session goes on after a recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    End,
    Retry,
    Stage(StageId),
}

#[derive(Clone, Debug)]
pub struct Failure {
    pub id: FailureId,
    pub stages: Vec<StageId>,
    /// Ids of steps, or of the steps that use a procedure, or of steps within procedures.
    pub steps: Vec<StepId>,
    pub on: Position,
    pub when: Option<Expr>,
    pub after: Vec<StepId>,
    pub text: Option<Template>,
    pub offer: Vec<Offer>,
    pub recover: Option<ProcedureId>,
    pub undoes: Vec<StepId>,
    pub then: Then,
    pub forbid: Vec<Forbid>,
    pub cite: Option<String>,
}

macro_rules! find {
    ($($name:ident $list:ident $id:ident $what:ident)*) => {
        impl Profile {$(
            pub fn $name(&self, id: &$id) -> Option<&$what> {
                self.$list.iter().find(|element| element.id == *id)
            }
        )*}
    };
}

find! {
    role roles RoleId Role
    input inputs InputId Input
    fact facts FactId Fact
    notice notices NoticeId Notice
    check checks CheckId Check
    procedure procedures ProcedureId Procedure
    stage stages StageId Stage
    failure failures FailureId Failure
}

impl Forbidden {
    /// As profiles and answer files write them.
    pub const WORDS: [(&'static str, Self); 9] = [
        ("retry", Self::Retry),
        ("by_hand", Self::ByHand),
        ("leave_out", Self::LeaveOut),
        ("recover", Self::Recover),
        ("hold", Self::Hold),
        ("abort", Self::Abort),
        ("collect", Self::Collect),
        ("new_session", Self::NewSession),
        ("reboot", Self::Reboot),
    ];

    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, act)| *act == self).map_or("", |(word, _)| word)
    }

    /// Whether this ban is about `offer`.
    pub fn forbids(self, offer: Offer) -> bool {
        let about = match self {
            Self::Retry => Offer::Retry,
            Self::ByHand => Offer::ByHand,
            Self::LeaveOut => Offer::LeaveOut,
            Self::Recover => Offer::Recover,
            Self::Hold => Offer::Hold,
            Self::Abort => Offer::Abort,
            Self::Collect => Offer::Collect,
            Self::NewSession | Self::Reboot => return false,
        };
        about == offer
    }
}
