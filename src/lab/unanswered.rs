//! What a profile asks of servers and people that a lab has no answer to.

use std::collections::BTreeSet;

use super::LabError;
use super::description::System;
use super::source::LabSource;
use crate::model::Os;
use crate::profile::{Act, Profile, Source, Step};

/// Every address of the profile without a stand-in that a rehearsal may come to, and every stand-in that no address
/// of the profile names; one line each.
///
/// # Errors
/// When the lab's description is wrong.
pub fn unanswered(profile: &Profile, source: &LabSource) -> Result<Vec<String>, LabError> {
    let kinds = source.description()?.kinds;
    let is_windows = |roles: &[crate::model::RoleId]| {
        let of_windows = |kind: &&super::description::Kind| kind.os == System::Windows;
        kinds.iter().filter(of_windows).any(|kind| {
            roles.is_empty() || kind.roles.iter().any(|role| roles.iter().any(|other| other.as_str() == role))
        })
    };
    let any_windows = kinds.iter().any(|kind| kind.os == System::Windows);
    let there: BTreeSet<&str> = source.below("stand-ins").map(|(path, _)| path).collect();
    let mut known = BTreeSet::new();
    let mut lines = Vec::new();
    let mut look = |address: String, needed: bool, what: &str| {
        if needed && !there.contains(address.as_str()) {
            lines.push(format!("{address}: {what}, and there is no stand-ins/{address}"));
        }
        known.insert(address);
    };
    for fact in &profile.facts {
        if let Source::Run(run) = &fact.source
            && run.get(Os::Windows).is_some()
        {
            let needed =
                if fact.at == crate::profile::At::Here { is_windows(&fact.roles) } else { any_windows };
            look(format!("facts.{}", fact.id), needed, "a command for Windows");
        }
    }
    let mut steps = |place: &str, list: &[Step], windows: bool| {
        for step in list {
            let address = format!("{place}.{}", step.id);
            match step.act.get(Os::Windows) {
                Some(Act::Run(_) | Act::Attended(_)) => look(address, windows, "a command for Windows"),
                _ if step.act.iter().any(|(_, act)| matches!(act, Act::Manual(_))) => {
                    look(address, true, "done by a person");
                }
                _ => {}
            }
        }
    };
    for stage in &profile.stages {
        steps(&format!("stages.{}", stage.id), &stage.steps, is_windows(&stage.roles));
    }
    for procedure in &profile.procedures {
        steps(&format!("procedures.{}", procedure.id), &procedure.steps, any_windows);
    }
    lines.extend(
        there
            .into_iter()
            .filter(|path| !known.contains(*path))
            .map(|path| format!("stand-ins/{path}: nothing in the profile is called that")),
    );
    Ok(lines)
}
