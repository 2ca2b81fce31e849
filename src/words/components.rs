//! The servers, what is found on them, and what the product has registered.

use crate::engine::{Measured, ProbeKey, Purpose, State};
use crate::inventory::{Reach, Server};
use crate::model::{FactId, Known, RoleId, ServerName, Value};
use crate::plan::version_fact;

/// What was read, or that it was not.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    Is(Value, Known),
    /// With the reason, where there is one.
    Unknown(Option<String>),
}

/// A server of the inventory as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentRow {
    pub server: ServerName,
    pub address: String,
    pub os: &'static str,
    pub reach: &'static str,
    /// By their labels.
    pub roles: Vec<String>,
    /// `None`: it has no version of its own.
    pub version: Option<Found>,
    /// Whether what each role names is installed, by the role's label.
    pub installed: Vec<(String, Found)>,
}

impl ComponentRow {
    /// Its version as words.
    pub fn version_text(&self) -> String {
        match &self.version {
            None => "has no version of its own".to_owned(),
            Some(Found::Is(value, known)) => format!("version {value} ({known})"),
            Some(Found::Unknown(why)) => format!("version not known{}", because(why.as_deref())),
        }
    }

    /// Sentences that say what is installed.
    pub fn installed_texts(&self) -> impl Iterator<Item = String> {
        self.installed.iter().map(|(role, found)| {
            let found = match found {
                Found::Is(Value::YesNo(true), known) => format!("is installed ({known})"),
                Found::Is(Value::YesNo(false), known) => format!("is NOT installed ({known})"),
                Found::Is(..) => "whether it is installed is not known".to_owned(),
                Found::Unknown(why) => {
                    format!("whether it is installed is not known{}", because(why.as_deref()))
                }
            };
            format!("{role}: {found}")
        })
    }
}

fn because(why: Option<&str>) -> String {
    why.map(|why| format!(": {why}")).unwrap_or_default()
}

/// Each server of the inventory, in its order.
pub fn rows(state: &State) -> Vec<ComponentRow> {
    state.setup.inventory.servers.iter().map(|server| row(state, server)).collect()
}

/// One server as it was found.
pub fn row(state: &State, server: &Server) -> ComponentRow {
    let profile = &state.setup.profile;
    let roles = server.roles.iter().filter_map(|id| profile.role(id));
    let detected = roles.filter_map(|role| Some((role.label.clone(), role.detect.as_ref()?)));
    ComponentRow {
        server: server.name.clone(),
        address: server.address.clone(),
        os: server.os.as_str(),
        reach: match &server.reach {
            Reach::Local { .. } => "local",
            Reach::Ssh(_) => "ssh",
            Reach::None => "no access",
        },
        roles: server
            .roles
            .iter()
            .map(|id| profile.role(id).map_or_else(|| id.to_string(), |role| role.label.clone()))
            .collect(),
        version: version(state, server),
        installed: detected.map(|(label, fact)| (label, found(state, fact, Some(server)))).collect(),
    }
}

/// The version of a server as it was found. `None`: it has none of its own.
pub fn version(state: &State, server: &Server) -> Option<Found> {
    version_fact(&state.setup, server).map(|fact| found(state, fact, Some(server)))
}

fn found(state: &State, fact: &FactId, server: Option<&Server>) -> Found {
    let key = ProbeKey::Fact(fact.clone(), server.map(|server| server.name.clone()));
    let reading = state.latest.get(&key).map(|dated| &dated.reading);
    match reading.and_then(|reading| Some((reading.value()?, reading))) {
        Some((value, reading)) => Found::Is(value.clone(), reading.known),
        None => Found::Unknown(match reading.map(|reading| &reading.seen) {
            Some(Measured::Unknown(why)) if !why.is_empty() => Some(why.clone()),
            _ => None,
        }),
    }
}

/// What the product has registered for a role, against the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredRow {
    pub role: RoleId,
    pub label: String,
    pub text: String,
    /// Whether it is known, and the same as the inventory has.
    pub agrees: bool,
    pub is_known: bool,
    /// Servers of the inventory that are not registered.
    pub missing: Vec<ServerName>,
}

/// A row for each role of which the product can tell who is registered.
pub fn registered(state: &State) -> Vec<RegisteredRow> {
    let roles = state.setup.profile.roles.iter();
    let rows = roles.filter_map(|role| {
        let fact = role.registered.as_ref()?;
        let compared = state.registered(&role.id);
        let text = match &compared {
            None => {
                let why = match found(state, fact, None) {
                    Found::Unknown(why) => why,
                    Found::Is(..) => None,
                };
                format!("what is registered is not known{}", because(why.as_deref()))
            }
            Some((orphans, missing)) => {
                let mut parts = Vec::new();
                if !orphans.is_empty() {
                    parts.push(format!("registered but not in the inventory: {}", orphans.join(", ")));
                }
                if !missing.is_empty() {
                    let missing: Vec<&str> = missing.iter().map(ServerName::as_str).collect();
                    parts.push(format!("in the inventory but not registered: {}", missing.join(", ")));
                }
                if parts.is_empty() {
                    let listed = state.setup.inventory.of_role(&role.id).count();
                    parts.push(format!("{listed} in the inventory, and the same are registered"));
                }
                parts.join("; ")
            }
        };
        let agrees =
            compared.as_ref().is_some_and(|(orphans, missing)| orphans.is_empty() && missing.is_empty());
        let is_known = compared.is_some();
        let missing = compared.map(|(_, missing)| missing).unwrap_or_default();
        Some(RegisteredRow {
            role: role.id.clone(),
            label: role.label.clone(),
            text,
            agrees,
            is_known,
            missing,
        })
    });
    rows.collect()
}

/// Whether nothing is being looked at any more.
pub fn is_surveyed(state: &State) -> bool {
    state.surveyed && !state.measures.keys().any(|purpose| matches!(purpose, Purpose::Survey(_)))
}
