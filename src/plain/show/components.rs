//! The servers, what is found on them, and what the product has registered.

use std::io;

use super::super::printer::Printer;
use crate::engine::{Measured, ProbeKey, State};
use crate::inventory::{Reach, Server};
use crate::model::{FactId, Value};
use crate::plan::version_fact;

/// Each server of the inventory as it was found, then what is registered.
pub(in crate::plain) fn components(out: &mut Printer, state: &State) -> io::Result<()> {
    let profile = &state.setup.profile;
    for server in &state.setup.inventory.servers {
        let roles: Vec<&str> = server
            .roles
            .iter()
            .map(|id| profile.role(id).map_or(id.as_str(), |role| role.label.as_str()))
            .collect();
        let reach = match &server.reach {
            Reach::Local { .. } => "local",
            Reach::Ssh => "ssh",
            Reach::None => "no access",
        };
        out.line(&format!("{} ({}, {}, {reach})", server.name, server.address, server.os.as_str()))?;
        out.hanging("    ", &format!("{}; {}", roles.join(", "), version(state, server)))?;
        for (role, fact) in server
            .roles
            .iter()
            .filter_map(|id| profile.role(id))
            .filter_map(|role| Some((role, role.detect.as_ref()?)))
        {
            let found = match read(state, fact, Some(server)) {
                Some((Value::YesNo(true), known)) => format!("is installed ({known})"),
                Some((Value::YesNo(false), known)) => format!("is NOT installed ({known})"),
                _ => format!("whether it is installed is not known{}", why(state, fact, Some(server))),
            };
            out.hanging("    ", &format!("{}: {found}", role.label))?;
        }
    }
    registered(out, state)
}

fn version(state: &State, server: &Server) -> String {
    let Some(fact) = version_fact(&state.setup, server) else {
        return "has no version of its own".to_owned();
    };
    match read(state, fact, Some(server)) {
        Some((value, known)) => format!("version {value} ({known})"),
        None => format!("version not known{}", why(state, fact, Some(server))),
    }
}

fn read(state: &State, fact: &FactId, server: Option<&Server>) -> Option<(Value, crate::model::Known)> {
    let key = ProbeKey::Fact(fact.clone(), server.map(|server| server.name.clone()));
    let dated = state.latest.get(&key)?;
    Some((dated.reading.value()?.clone(), dated.reading.known))
}

fn why(state: &State, fact: &FactId, server: Option<&Server>) -> String {
    let key = ProbeKey::Fact(fact.clone(), server.map(|server| server.name.clone()));
    match state.latest.get(&key).map(|dated| &dated.reading.seen) {
        Some(Measured::Unknown(why)) if !why.is_empty() => format!(": {why}"),
        _ => String::new(),
    }
}

fn registered(out: &mut Printer, state: &State) -> io::Result<()> {
    for role in &state.setup.profile.roles {
        let Some(fact) = &role.registered else { continue };
        let listed = state.setup.inventory.of_role(&role.id).count();
        let text = match state.registered(&role.id) {
            None => format!("what is registered is not known{}", why(state, fact, None)),
            Some((orphans, missing)) => {
                let mut parts = Vec::new();
                if !orphans.is_empty() {
                    parts.push(format!("registered but not in the inventory: {}", orphans.join(", ")));
                }
                if !missing.is_empty() {
                    let missing: Vec<&str> = missing.iter().map(crate::model::ServerName::as_str).collect();
                    parts.push(format!("in the inventory but not registered: {}", missing.join(", ")));
                }
                if parts.is_empty() {
                    parts.push(format!("{listed} in the inventory, and the same are registered"));
                }
                parts.join("; ")
            }
        };
        out.hanging(&format!("{}: ", role.label), &text)?;
    }
    Ok(())
}
