//! What a profile asks of servers and people that a lab has no answer to.

use std::collections::BTreeSet;

use super::LabError;
use super::description::System;
use super::source::LabSource;
use crate::model::{Os, ProcedureId, RoleId};
use crate::profile::{Act, At, Profile, Source, Step};

/// Every address of the profile without a stand-in that a rehearsal may come to, and every stand-in that no address
/// of the profile names; one line each.
///
/// # Errors
/// When the lab's description is wrong.
pub fn unanswered(profile: &Profile, source: &LabSource) -> Result<Vec<String>, LabError> {
    let kinds = source.description()?.kinds;
    let of_roles = |roles: &BTreeSet<&RoleId>| {
        kinds
            .iter()
            .filter(|kind| kind.roles.iter().any(|role| roles.iter().any(|other| other.as_str() == role)))
            .collect::<Vec<_>>()
    };
    let there: BTreeSet<&str> = source.below("stand-ins").map(|(path, _)| path).collect();
    let mut known = BTreeSet::new();
    let mut lines = Vec::new();
    let mut look = |address: String, needed: bool, what: &str| {
        if needed && !there.contains(address.as_str()) {
            lines.push(format!("{address}: {what}, and there is no stand-ins/{address}"));
        }
        known.insert(address);
    };
    let is_windows =
        |roles: &BTreeSet<&RoleId>| of_roles(roles).iter().any(|kind| kind.os == System::Windows);
    for fact in &profile.facts {
        if let Source::Run(run) = &fact.source
            && run.get(Os::Windows).is_some()
        {
            let needed = is_windows(&places(&fact.at, &fact.roles.iter().collect(), profile));
            look(format!("facts.{}", fact.id), needed, "a command for Windows");
        }
    }
    let mut steps = |place: &str, list: &[Step], roles: &BTreeSet<&RoleId>| {
        for step in list {
            let address = format!("{place}.{}", step.id);
            match step.act.get(Os::Windows) {
                Some(Act::Run(_) | Act::Attended(_)) => {
                    look(address, is_windows(&places(&step.at, roles, profile)), "a command for Windows");
                }
                _ if step.act.iter().any(|(_, act)| matches!(act, Act::Manual(_))) => {
                    let reached = roles.is_empty() || !of_roles(roles).is_empty();
                    look(address, reached, "done by a person");
                }
                _ => {}
            }
        }
    };
    for stage in &profile.stages {
        steps(&format!("stages.{}", stage.id), &stage.steps, &stage.roles.iter().collect());
    }
    for procedure in &profile.procedures {
        let roles = users(&procedure.id, profile, 0);
        steps(&format!("procedures.{}", procedure.id), &procedure.steps, &roles);
    }
    lines.extend(
        there
            .into_iter()
            .filter(|path| !known.contains(*path))
            .map(|path| format!("stand-ins/{path}: nothing in the profile is called that")),
    );
    Ok(lines)
}

/// Deeper nested procedures are not followed.
const DEEPEST: u32 = 8;

/// The roles of the servers on which something with this `at` is carried out, where `roles` are those in turn; none
/// for the console.
fn places<'p>(at: &'p At, roles: &BTreeSet<&'p RoleId>, profile: &'p Profile) -> BTreeSet<&'p RoleId> {
    match at {
        // What the farm does is done on any of its servers.
        At::Here | At::Peer | At::Peers if roles.is_empty() => {
            profile.roles.iter().map(|role| &role.id).collect()
        }
        At::Here | At::Peer | At::Peers => roles.clone(),
        At::Role(role) | At::One(role) => BTreeSet::from([role]),
        At::Local => BTreeSet::new(),
    }
}

/// The roles of the servers on which a procedure may be carried out.
fn users<'p>(id: &ProcedureId, profile: &'p Profile, depth: u32) -> BTreeSet<&'p RoleId> {
    let mut found = BTreeSet::new();
    if depth > DEEPEST {
        return found;
    }
    let uses = |step: &&Step| {
        step.act.iter().any(|(_, act)| matches!(act, Act::Use { procedure, .. } if procedure == id))
    };
    for stage in &profile.stages {
        for step in stage.steps.iter().filter(uses) {
            found.extend(places(&step.at, &stage.roles.iter().collect(), profile));
        }
    }
    for procedure in &profile.procedures {
        for step in procedure.steps.iter().filter(uses) {
            found.extend(places(&step.at, &users(&procedure.id, profile, depth + 1), profile));
        }
    }
    for check in profile.checks.iter().filter(|check| check.fix.as_ref() == Some(id)) {
        found.extend(places(&At::Here, &check.roles.iter().collect(), profile));
    }
    for failure in profile.failures.iter().filter(|failure| failure.recover.as_ref() == Some(id)) {
        let stages = profile.stages.iter();
        let meant = stages.filter(|stage| failure.stages.is_empty() || failure.stages.contains(&stage.id));
        found.extend(meant.flat_map(|stage| &stage.roles));
    }
    found
}
