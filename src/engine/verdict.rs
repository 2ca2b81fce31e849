//! Whether a check passes, from what was read, in words that show the value beside its limit.

use super::measure::{Measured, ProbeKey};
use super::state::State;
use super::view::Seen;
use crate::inventory::Server;
use crate::model::{CheckId, Known, ServerName, Value, Verdict};
use crate::profile::{Check, CheckKind, Name, ServiceState, Severity};

/// A check's outcome on one server, or on the farm.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub verdict: Verdict,
    /// The value beside the limit.
    pub shown: String,
    pub known: Known,
}

impl Judged {
    pub(super) fn new(verdict: Verdict, shown: impl Into<String>, known: Known) -> Self {
        Self { verdict, shown: shown.into(), known }
    }

    pub(super) fn unknown(why: impl Into<String>) -> Self {
        Self::new(Verdict::Unknown, why, Known::Seen)
    }
}

/// A check at the start or the end, of the profile or the program's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckFacts<'a> {
    pub title: &'a str,
    pub severity: Severity,
    pub cite: Option<&'a str>,
    pub has_fix: bool,
}

impl State {
    /// What a face shows of a check beside its result.
    pub fn check_facts(&self, id: &CheckId) -> Option<CheckFacts<'_>> {
        let Some(check) = self.setup.profile.check(id) else {
            return self.own_check_facts(id);
        };
        Some(CheckFacts {
            title: &check.title,
            severity: check.severity,
            cite: check.cite.as_deref(),
            has_fix: check.fix.is_some(),
        })
    }

    /// Every (check, server) of the start or the end. Those with a `when` that can be settled without
    /// measuring, and does not hold, are left out.
    pub fn check_places(&self, at_end: bool) -> Vec<(CheckId, Option<ServerName>)> {
        let mut places = Vec::new();
        let profile = &self.setup.profile;
        for check in profile.checks.iter().filter(|check| if at_end { check.at_end } else { check.at_start })
        {
            places.extend(self.places_of(check).into_iter().map(|server| (check.id.clone(), server)));
        }
        if !at_end {
            places.extend(self.own_check_places());
        }
        places
    }

    /// The servers a check is about; one `None` for a check of the farm.
    pub fn places_of(&self, check: &Check) -> Vec<Option<ServerName>> {
        let seen = Seen::new(self, None);
        let holds = |server: Option<&Server>| {
            check.when.as_ref().is_none_or(|when| {
                let scope = self.scope(&seen, server);
                !scope.is_settled(when.names()) || when.test(&|name| scope.lookup(name)) != Some(false)
            })
        };
        if check.roles.is_empty() {
            return if holds(None) { vec![None] } else { Vec::new() };
        }
        let servers = self.setup.inventory.servers.iter();
        servers
            .filter(|server| {
                server.roles.iter().any(|role| check.roles.contains(role)) && holds(Some(server))
            })
            .map(|server| Some(server.name.clone()))
            .collect()
    }

    /// The outcome of a check by its id, the program's own included.
    pub fn judge_check(&self, id: &CheckId, server: Option<&ServerName>) -> Judged {
        match self.setup.profile.check(id) {
            Some(check) => verdict(self, check, server),
            None => self.judge_own_check(id, server),
        }
    }
}

/// The outcome of `check` for `server`, from the latest readings.
pub(super) fn verdict(state: &State, check: &Check, server: Option<&ServerName>) -> Judged {
    let seen = Seen::new(state, None);
    let scope = state.scope(&seen, server.and_then(|server| state.setup.server(server)));
    if let Some(when) = &check.when {
        match when.test(&|name| scope.lookup(name)) {
            Some(true) => {}
            Some(false) => return Judged::new(Verdict::Pass, "does not apply here", Known::Seen),
            None => return Judged::unknown(format!("whether it applies is unknown: {}", when.source())),
        }
    }
    match &check.kind {
        CheckKind::That(expr) => {
            let outcome = expr.test(&|name| scope.lookup(name));
            let (shown, known) = facts_shown(state, expr.names(), &scope);
            Judged::new(
                outcome.into(),
                if shown.is_empty() { expr.source().to_owned() } else { shown },
                known,
            )
        }
        CheckKind::Registered(role) => registered(state, role),
        CheckKind::ClockSkew(limit) => clocks(state, check, server, *limit),
        kind => {
            let key = ProbeKey::Check(check.id.clone(), server.cloned());
            let Some(dated) = state.latest.get(&key) else { return Judged::unknown("not measured yet") };
            let known = dated.reading.known;
            let os = scope.server.map_or(crate::model::Os::Linux, |server| server.os);
            measured(kind, &dated.reading.seen, known, os)
        }
    }
}

fn measured(kind: &CheckKind, seen: &Measured, known: Known, os: crate::model::Os) -> Judged {
    match (kind, seen) {
        (_, Measured::Unknown(why)) => Judged::new(Verdict::Unknown, why.clone(), known),
        (CheckKind::FreeSpace { need, .. }, Measured::Free(free)) => match need.get(os) {
            Some(need) => Judged::new(
                Some(free >= need).into(),
                format!(
                    "{} free, {} needed",
                    crate::text::size::short(*free),
                    crate::text::size::short(*need)
                ),
                known,
            ),
            None => Judged::unknown("the profile says no size for this system"),
        },
        (CheckKind::Port(port), Measured::Holds(open)) => Judged::new(
            Some(*open).into(),
            format!("port {port} {}", if *open { "answers" } else { "does not answer" }),
            known,
        ),
        (CheckKind::Writable(_), Measured::Holds(holds)) => Judged::new(
            Some(*holds).into(),
            if *holds { "written to and cleaned up" } else { "cannot be written to" },
            known,
        ),
        (CheckKind::Privilege, Measured::Holds(holds)) => Judged::new(
            Some(*holds).into(),
            if *holds { "administrator rights" } else { "no administrator rights" },
            known,
        ),
        (CheckKind::Ask(_), Measured::Value(Value::YesNo(yes))) => {
            Judged::new(Some(*yes).into(), if *yes { "yes" } else { "no" }, known)
        }
        (
            CheckKind::File { younger, min, same_as, .. },
            Measured::File { exists, age_s, size, sha256, expected },
        ) => {
            let mut wrong = Vec::new();
            let mut unknown = Vec::new();
            let mut fine = Vec::new();
            if !exists {
                return Judged::new(Verdict::Fail, "not there", known);
            }
            if let Some(limit) = younger {
                let limit_s = i64::try_from(limit.as_secs()).unwrap_or(i64::MAX);
                let show = |age: i64| {
                    crate::text::duration::short(std::time::Duration::from_secs(age.unsigned_abs()))
                };
                match age_s {
                    Some(age) if *age <= limit_s => fine.push(format!("{} old", show(*age))),
                    Some(age) => wrong.push(format!("{} old, at most {} allowed", show(*age), show(limit_s))),
                    None => unknown.push("its age cannot be read".to_owned()),
                }
            }
            if let Some(min) = min {
                match size {
                    Some(size) if size >= min => fine.push(crate::text::size::short(*size)),
                    Some(size) => wrong.push(format!(
                        "{}, at least {} expected",
                        crate::text::size::short(*size),
                        crate::text::size::short(*min)
                    )),
                    None => unknown.push("its size cannot be read".to_owned()),
                }
            }
            if same_as.is_some() {
                match (sha256, expected) {
                    (Some(found), Some(expected)) if found == expected => {
                        fine.push("checksum as on the console".to_owned());
                    }
                    (Some(_), Some(_)) => {
                        wrong.push("its checksum is not that of the file on the console".to_owned());
                    }
                    _ => unknown.push("its checksum cannot be read".to_owned()),
                }
            }
            let verdict = if !wrong.is_empty() {
                Verdict::Fail
            } else if unknown.is_empty() {
                Verdict::Pass
            } else {
                Verdict::Unknown
            };
            wrong.append(&mut unknown);
            wrong.append(&mut fine);
            if wrong.is_empty() {
                wrong.push("there".to_owned());
            }
            Judged::new(verdict, wrong.join("; "), known)
        }
        (CheckKind::Services(state), Measured::Services(found)) => services(*state, found, known),
        _ => Judged::unknown("what was read does not fit the check"),
    }
}

fn services(wanted: ServiceState, found: &[(String, Option<bool>)], known: Known) -> Judged {
    let want = wanted != ServiceState::Stopped;
    let wrong: Vec<String> = found
        .iter()
        .filter_map(|(name, active)| match active {
            Some(active) if *active == want => None,
            Some(true) => Some(format!("{name} runs")),
            Some(false) => Some(format!("{name} does not run")),
            None => Some(format!("{name} is not there")),
        })
        .collect();
    if found.is_empty() {
        return Judged::unknown("no service was found");
    }
    if wrong.is_empty() {
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        let word = if want { "running" } else { "stopped" };
        Judged::new(Verdict::Pass, format!("{word}: {}", names.join(", ")), known)
    } else {
        Judged::new(Verdict::Fail, wrong.join(", "), known)
    }
}

fn registered(state: &State, role: &crate::model::RoleId) -> Judged {
    let fact = state.setup.profile.role(role).and_then(|role| role.registered.clone());
    let dated = fact.and_then(|fact| state.latest.get(&ProbeKey::Fact(fact, None)));
    let known = dated.map_or(Known::Seen, |dated| dated.reading.known);
    let Some((orphans, missing)) = state.registered(role) else {
        let why = dated.and_then(|dated| super::view::why_unknown(&dated.reading.seen));
        return Judged::unknown(why.unwrap_or("what is registered is not known yet").to_owned());
    };
    let mut wrong = Vec::new();
    if !orphans.is_empty() {
        wrong.push(format!("registered but not in the inventory: {}", orphans.join(", ")));
    }
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(ServerName::as_str).collect();
        wrong.push(format!("in the inventory but not registered: {}", names.join(", ")));
    }
    if wrong.is_empty() {
        let count = state.setup.inventory.of_role(role).count();
        Judged::new(Verdict::Pass, format!("{count} registered, {count} in the inventory"), known)
    } else {
        Judged::new(Verdict::Fail, wrong.join("; "), known)
    }
}

/// The largest difference among all servers decides; the servers farthest from the middle are the ones named.
fn clocks(state: &State, check: &Check, server: Option<&ServerName>, limit: std::time::Duration) -> Judged {
    let key = ProbeKey::Check(check.id.clone(), None);
    let Some(dated) = state.latest.get(&key) else { return Judged::unknown("not measured yet") };
    let offsets = match &dated.reading.seen {
        Measured::Clocks(offsets) => offsets,
        Measured::Unknown(why) => return Judged::unknown(why.clone()),
        _ => return Judged::unknown("what was read does not fit the check"),
    };
    let known = dated.reading.known;
    let mut read: Vec<i64> = offsets.values().filter_map(|offset| *offset).collect();
    read.sort_unstable();
    let (Some(low), Some(high)) = (read.first(), read.last()) else {
        return Judged::unknown("no clock could be read");
    };
    let limit_ms = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
    let spread = high.saturating_sub(*low);
    let show = |ms: i64| format!("{:.1} s", seconds(ms));
    match server {
        None if read.len() < offsets.len() => Judged::unknown("not every clock could be read"),
        None => Judged::new(
            Some(spread <= limit_ms).into(),
            format!("differ by {}, at most {} allowed", show(spread), show(limit_ms)),
            known,
        ),
        Some(server) => match offsets.get(server) {
            None | Some(None) => Judged::unknown("its clock could not be read"),
            Some(Some(own)) => {
                // With two servers the middle lies between them, and both are named.
                let middle = read[(read.len() - 1) / 2].midpoint(read[read.len() / 2]);
                let away = own.saturating_sub(middle).saturating_abs();
                let farthest =
                    read.iter().map(|ms| ms.saturating_sub(middle).saturating_abs()).max().unwrap_or(0);
                let fails = spread > limit_ms && (away > limit_ms || away == farthest);
                let word = if *own >= middle { "ahead of" } else { "behind" };
                Judged::new(
                    Some(!fails).into(),
                    format!(
                        "{} {word} the middle, servers differ by {}, at most {} allowed",
                        show(away),
                        show(spread),
                        show(limit_ms)
                    ),
                    known,
                )
            }
        },
    }
}

#[expect(clippy::cast_precision_loss, reason = "clock differences shown to a tenth of a second")]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// The values behind an expression, as `name value`, and how the least sure of them is known.
fn facts_shown(state: &State, names: &[Name], scope: &crate::plan::Scope<'_>) -> (String, Known) {
    use crate::profile::Of;
    let mut known = Known::Seen;
    let mut shown = Vec::new();
    for name in scope.follow(names) {
        let (label, key) = match &name {
            Name::Here(Of::Fact(fact)) => (
                fact.to_string(),
                Some(ProbeKey::Fact(fact.clone(), scope.server.map(|server| server.name.clone()))),
            ),
            Name::Farm(fact) => (fact.to_string(), Some(ProbeKey::Fact(fact.clone(), None))),
            Name::Here(Of::Version) => ("version".to_owned(), None),
            Name::Target => ("target".to_owned(), None),
            Name::Role(role, Of::Fact(fact)) => (format!("{fact} of {role}"), None),
            Name::Peers(Of::Fact(fact)) => (format!("{fact} of the others"), None),
            _ => continue,
        };
        let dated = key.and_then(|key| state.latest.get(&key));
        if let Some(dated) = dated {
            known = known.max(dated.reading.known);
        }
        let value = match scope.lookup(&name) {
            Some(value) => value.to_string(),
            None => match dated.and_then(|dated| super::view::why_unknown(&dated.reading.seen)) {
                Some(why) => format!("unknown ({why})"),
                None => "unknown".to_owned(),
            },
        };
        shown.push(format!("{} {value}", label.replace('_', " ")));
    }
    (shown.join(", "), known)
}
