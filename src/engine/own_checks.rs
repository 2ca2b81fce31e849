//! Checks that no profile need write.

use super::command::Ask;
use super::key::Place;
use super::measure::{Measured, ProbeKey, Probes};
use super::state::State;
use super::verdict::{CheckFacts, Judged};
use super::view::Seen;
use crate::inventory::{Reach, Server};
use crate::model::{CheckId, Known, Os, ServerName, Value, Verdict};
use crate::plan::{self, version_fact};
use crate::profile::{Name, Severity};

/// Nothing newer is installed than what is to be installed, and what is installed can be read.
pub const INSTALLED_VERSION: &str = "installed_version";
/// A server on which a person is to go through an installer in a terminal can hold one while the connection is lost.
pub const ATTENDED_TERMINAL: &str = "attended_terminal";

impl State {
    pub(super) fn own_check_facts(&self, id: &CheckId) -> Option<CheckFacts<'_>> {
        let (title, severity, cite) = if id == INSTALLED_VERSION {
            ("Installed version", Severity::Block, self.setup.profile.version.cite.as_deref())
        } else if id == ATTENDED_TERMINAL {
            ("Terminal for the installer", Severity::Warn, None)
        } else {
            return None;
        };
        Some(CheckFacts { title, severity, cite, has_fix: false })
    }

    /// Where each is carried out at the start.
    pub(super) fn own_check_places(&self) -> impl Iterator<Item = (CheckId, Option<ServerName>)> + '_ {
        let place = |id: &str, server: &Server| (CheckId::from(id), Some(server.name.clone()));
        let servers = &self.setup.inventory.servers;
        let versions = servers.iter().filter(|server| version_fact(&self.setup, server).is_some());
        let terminals = servers.iter().filter(|server| self.holds_a_terminal(server));
        versions
            .map(move |server| place(INSTALLED_VERSION, server))
            .chain(terminals.map(move |server| place(ATTENDED_TERMINAL, server)))
    }

    fn holds_a_terminal(&self, server: &Server) -> bool {
        server.os != Os::Windows
            && server.reach != Reach::None
            && plan::is_attended(&self.setup, &self.answers, server)
    }

    pub(super) fn own_probes(&self, id: &CheckId, server: Option<&Server>, probes: &mut Probes<'_>) {
        if id == ATTENDED_TERMINAL {
            probes.own_check(id, server);
        } else if let Some(fact) = server.and_then(|server| version_fact(&self.setup, server)) {
            probes.fact(fact, server, 0);
        }
    }

    pub(super) fn judge_own_check(&self, id: &CheckId, server: Option<&ServerName>) -> Judged {
        if id == INSTALLED_VERSION {
            installed_version(self, server)
        } else if id == ATTENDED_TERMINAL {
            attended_terminal(self, server)
        } else {
            Judged::unknown("the profile has no such check")
        }
    }

    /// Whether a server was seen to have no means to hold a terminal.
    pub(super) fn lacks_terminal(&self, server: Option<&ServerName>) -> bool {
        let key = ProbeKey::Check(CheckId::from(ATTENDED_TERMINAL), server.cloned());
        self.latest.get(&key).is_some_and(|dated| dated.reading.seen == Measured::Holds(false))
    }
}

/// What is asked for one of them.
pub(super) fn own_ask(id: &CheckId, server: Option<&ServerName>) -> Result<Ask, String> {
    match server {
        Some(server) if id == ATTENDED_TERMINAL => Ok(Ask::Terminal { place: Place::Server(server.clone()) }),
        _ => Err("the profile has no such check".to_owned()),
    }
}

fn attended_terminal(state: &State, server: Option<&ServerName>) -> Judged {
    let key = ProbeKey::Check(CheckId::from(ATTENDED_TERMINAL), server.cloned());
    let Some(dated) = state.latest.get(&key) else { return Judged::unknown("not measured yet") };
    let known = dated.reading.known;
    match &dated.reading.seen {
        Measured::Holds(true) => Judged::new(Verdict::Pass, "a terminal can be held there", known),
        Measured::Holds(false) => Judged::new(
            Verdict::Fail,
            "no `script` (util-linux) there; install it, or the installer is carried out by hand",
            known,
        ),
        Measured::Unknown(why) => Judged::new(Verdict::Unknown, why.clone(), known),
        _ => Judged::unknown("what was read does not fit the check"),
    }
}

fn installed_version(state: &State, server: Option<&ServerName>) -> Judged {
    let Some(server) = server.and_then(|server| state.setup.server(server)) else {
        return Judged::unknown("no such server");
    };
    let Some(fact) = version_fact(&state.setup, server) else {
        return Judged::unknown("the role has no version");
    };
    let seen = Seen::new(state, None);
    let scope = state.scope(&seen, Some(server));
    let Some(Value::Version(target)) = scope.lookup(&Name::Target) else {
        return Judged::unknown("the version to reach cannot be read; look at the inputs");
    };
    let key = ProbeKey::Fact(fact.clone(), Some(server.name.clone()));
    let known = state.latest.get(&key).map_or(Known::Seen, |dated| dated.reading.known);
    match crate::plan::Facts::fact(&seen, fact, Some(&server.name)) {
        Some(Value::Version(version)) if version > target => Judged::new(
            Verdict::Fail,
            format!(
                "{version} is installed, {target} is older.{}",
                state
                    .setup
                    .profile
                    .version
                    .instead
                    .as_ref()
                    .map(|text| format!(" {text}"))
                    .unwrap_or_default()
            ),
            known,
        ),
        Some(Value::Version(version)) if version == target => {
            Judged::new(Verdict::Pass, format!("{version}, as it is to be"), known)
        }
        Some(Value::Version(version)) => {
            Judged::new(Verdict::Pass, format!("{version}, to become {target}"), known)
        }
        _ => {
            let why = state.latest.get(&key).and_then(|dated| super::view::why_unknown(&dated.reading.seen));
            Judged::unknown(why.unwrap_or("the installed version cannot be read").to_owned())
        }
    }
}
