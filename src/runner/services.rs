//! Services of a server: those that a pattern stands for, and how they stand.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::links::Links;
use super::probe::{Answered, garbage, seen, shell};
use crate::engine::{Measured, Place, Reading};
use crate::profile::Service;
use crate::transport::checks::{self, Listed, ServiceState};
use crate::transport::{Link, LinkError, Probe};

/// A service as the scripts write it: `name`, or `name?` where it may be missing.
pub(super) fn words(services: &[Service]) -> Result<Vec<String>, String> {
    services
        .iter()
        .map(|service| match service {
            Service::Named { name, if_present: false } => Ok(name.clone()),
            Service::Named { name, if_present: true } => Ok(format!("{name}?")),
            Service::Matching(regex) => Err(format!("which services /{regex}/ stands for was not looked up")),
        })
        .collect()
}

/// The services of `link` that `patterns` stand for: those whose display name fits now, and those found before that
/// are still there.
///
/// # Errors
/// What keeps them from being known, in words; or that the server did not answer.
pub(super) async fn find(
    link: &Link,
    patterns: &BTreeMap<String, BTreeSet<String>>,
) -> Result<Result<BTreeMap<String, Vec<String>>, String>, LinkError> {
    let output = link.probe(&Probe::new(checks::service_list_script(link.shell()))).await?;
    let Some(listed) = checks::service_list(&output) else {
        let Reading { seen: Measured::Unknown(why), .. } = garbage(&output) else {
            return Ok(Err(String::new()));
        };
        return Ok(Err(format!("listing the services of {}: {why}", link.server())));
    };
    Ok(patterns
        .iter()
        .map(|(pattern, known)| Ok((pattern.clone(), fitting(&listed, pattern, known)?)))
        .collect())
}

/// The names of those that fit, in their order; none is an error, since nothing would pass for all stopped.
fn fitting(listed: &[Listed], pattern: &str, known: &BTreeSet<String>) -> Result<Vec<String>, String> {
    let regex = Regex::new(pattern).map_err(|error| format!("/{pattern}/ cannot be used: {error}"))?;
    let fits = |one: &&Listed| known.contains(&one.name) || regex.is_match(&one.title);
    let names: Vec<String> = listed.iter().filter(fits).map(|one| one.name.clone()).collect();
    if names.is_empty() {
        return Err(format!("no service there has a display name that fits /{pattern}/"));
    }
    Ok(names)
}

/// How `services` stand. Those that patterns stand for are looked up each time.
pub(super) async fn states(links: &Links, place: &Place, services: &[Service]) -> Answered {
    let patterns: BTreeMap<String, BTreeSet<String>> =
        services.iter().filter_map(Service::pattern).map(|one| (one.to_owned(), BTreeSet::new())).collect();
    let mut named = services.to_vec();
    if !patterns.is_empty() {
        let found = match links.to(place) {
            Ok(link) => find(&link, &patterns).await,
            Err(why) => return Reading::unknown(why).into(),
        };
        let found = match found {
            Ok(Ok(found)) => found,
            Ok(Err(why)) => return Reading::unknown(why).into(),
            Err(error) => {
                let reach = super::probe::reach_of(place, Err(&error));
                return Answered { reading: Reading::unknown(error.to_string()), reach };
            }
        };
        named.retain(|service| service.pattern().is_none());
        for name in found.into_values().flatten() {
            if !named.iter().any(|known| known.name() == Some(name.as_str())) {
                named.push(Service::Named { name, if_present: false });
            }
        }
    }
    let names = match words(&named) {
        Ok(names) => names,
        Err(why) => return Reading::unknown(why).into(),
    };
    shell(
        links,
        place,
        |shell| checks::services_script(shell, &names),
        |output| {
            let Some(states) = checks::services(&names, output) else { return garbage(output) };
            let found = names.iter().zip(states).filter_map(|(name, state)| {
                let (plain, may_be_missing) = match name.strip_suffix('?') {
                    Some(plain) => (plain.to_owned(), true),
                    None => (name.clone(), false),
                };
                match state {
                    ServiceState::Running => Some((plain, Some(true))),
                    // One that may be missing, and is, says nothing.
                    ServiceState::Missing if may_be_missing => None,
                    ServiceState::Missing => Some((plain, None)),
                    ServiceState::Stopped | ServiceState::Failed | ServiceState::Other(_) => {
                        Some((plain, Some(false)))
                    }
                }
            });
            seen(Measured::Services(found.collect()))
        },
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed() -> Vec<Listed> {
        let one = |name: &str, title: &str| Listed { name: name.to_owned(), title: title.to_owned() };
        vec![one("cron", "Command Scheduler"), one("pvs-s", "PVS Stream Service"), one("pvs-t", "PVS TFTP")]
    }

    #[test]
    fn a_pattern_stands_for_what_is_called_so() {
        let none = BTreeSet::new();
        assert_eq!(fitting(&listed(), "^PVS ", &none).unwrap(), ["pvs-s", "pvs-t"]);
        assert!(fitting(&listed(), "^pvs-", &none).unwrap_err().contains("fits /^pvs-/"));
        assert!(fitting(&[], ".", &none).is_err(), "nothing never passes for all");
    }

    #[test]
    fn what_was_found_before_counts_as_long_as_it_is_there() {
        let known = ["cron", "gone"].map(str::to_owned).into();
        assert_eq!(fitting(&listed(), "Stream", &known).unwrap(), ["cron", "pvs-s"]);
        assert_eq!(fitting(&listed(), "nothing", &known).unwrap(), ["cron"]);
    }
}
