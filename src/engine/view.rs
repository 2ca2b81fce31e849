//! The state as expressions see it.

use std::collections::BTreeSet;

use super::key::{LaneKey, ScriptRef};
use super::measure::{Measured, ProbeKey, Probes};
use super::state::{LanePhase, State};
use super::verdict;
use crate::model::{CheckId, FactId, Known, ServerName, StepId, Tally, Value, Verdict};
use crate::plan::{Facts, version_fact};
use crate::profile::Source;

/// How deep facts may be derived from facts.
const DEPTH_MAX: usize = 8;

/// What was seen so far, from the place of one lane.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    state: &'a State,
    lane: Option<&'a LaneKey>,
    /// What counts as unknown, whatever was said of it before.
    without: Option<&'a BTreeSet<ProbeKey>>,
    depth: usize,
}

impl<'a> Seen<'a> {
    pub fn new(state: &'a State, lane: Option<&'a LaneKey>) -> Self {
        Self { state, lane, without: None, depth: 0 }
    }

    /// The same, with these readings unknown.
    pub(super) fn without(self, probes: Option<&'a BTreeSet<ProbeKey>>) -> Self {
        Self { without: probes.filter(|probes| !probes.is_empty()), ..self }
    }

    fn lacks(&self, probe: &ProbeKey) -> bool {
        self.without.is_some_and(|without| without.contains(probe))
    }

    #[expect(clippy::option_option, reason = "not derived at all, and derived but unknown, are two things")]
    fn derived(&self, fact: &FactId, server: Option<&ServerName>) -> Option<Option<Value>> {
        let Source::Value(expr) = &self.state.setup.profile.fact(fact)?.source else { return None };
        if self.depth >= DEPTH_MAX {
            return Some(None);
        }
        let deeper = Seen { depth: self.depth + 1, ..*self };
        let server = server.and_then(|server| self.state.setup.server(server));
        let scope = self.state.scope(&deeper, server);
        Some(expr.eval(&|name| scope.lookup(name)))
    }
}

impl Facts for Seen<'_> {
    fn fact(&self, fact: &FactId, server: Option<&ServerName>) -> Option<Value> {
        if let Some(derived) = self.derived(fact, server) {
            return derived;
        }
        let key = ProbeKey::Fact(fact.clone(), server.cloned());
        if self.lacks(&key) {
            return None;
        }
        self.state.latest.get(&key)?.reading.value().cloned()
    }

    fn before(&self, fact: &FactId, server: Option<&ServerName>) -> Option<Value> {
        let key = ProbeKey::Fact(fact.clone(), server.cloned());
        self.state.before.as_ref()?.get(&key)?.value().cloned()
    }

    fn check(&self, check: &CheckId, server: Option<&ServerName>) -> Option<bool> {
        if self.depth >= DEPTH_MAX {
            return None;
        }
        let check = self.state.setup.profile.check(check)?;
        let server = if check.roles.is_empty() { None } else { server };
        if self.without.is_some() {
            let mut probes = Probes::new(self.state);
            probes.check(check, server.and_then(|server| self.state.setup.server(server)), self.depth);
            if probes.take().iter().any(|probe| self.lacks(probe)) {
                return None;
            }
        }
        match verdict::verdict(self.state, check, server).verdict {
            Verdict::Pass => Some(true),
            Verdict::Fail => Some(false),
            Verdict::Unknown => None,
        }
    }

    fn step(&self, step: &StepId) -> Option<(i32, String)> {
        let lane = self.state.lane(self.lane?)?;
        let in_turn = self.state.plan_step(lane);
        let path = in_turn.map_or_else(|| step.clone(), |in_turn| in_turn.sibling(step));
        let record = lane.records.iter().rev().find(|record| record.step == path)?;
        Some((record.exit?, record.tail.clone()))
    }

    fn peers(&self) -> Option<Vec<ServerName>> {
        let lane = self.lane?;
        let ScriptRef::Stage(id) = &lane.script else { return None };
        let stage = self.state.stages.get(self.state.stage_index(id)?)?;
        Some(
            stage
                .lanes
                .iter()
                .filter_map(|other| other.key.server.as_ref())
                .filter(|server| lane.server.as_ref() != Some(server) && !self.state.is_down(server))
                .cloned()
                .collect(),
        )
    }

    fn tally(&self) -> Option<(usize, usize)> {
        let counts = |probe: &ProbeKey| match probe {
            ProbeKey::Fact(fact, _) => {
                let roles = &self.state.setup.profile.roles;
                roles
                    .iter()
                    .any(|role| role.version.as_ref() == Some(fact) || role.registered.as_ref() == Some(fact))
            }
            ProbeKey::Check(..) => false,
        };
        if self.without.is_some_and(|without| without.iter().any(counts)) {
            return None;
        }
        let tally = self.state.tally()?;
        Some((tally.updated + tally.told, tally.of))
    }
}

impl State {
    /// Whether a server was taken out of service, or is out of reach.
    pub(super) fn is_out(&self, server: &ServerName) -> bool {
        self.stopped.contains(server) || self.lost.contains_key(server)
    }

    /// Whether a server counts as out of service: stopped by a step, out of reach, in its turn, or failed in the
    /// middle.
    pub fn is_down(&self, server: &ServerName) -> bool {
        self.is_out(server)
            || self.stages.get(self.stage).is_some_and(|stage| {
                stage.lane_of(Some(server)).and_then(|index| stage.lanes.get(index)).is_some_and(|lane| {
                    matches!(lane.phase, LanePhase::Active | LanePhase::Recovering | LanePhase::Given)
                })
            })
    }

    /// `n of m` as the profile counts it: for the stage in turn, or the last one before it, that has a tally and
    /// servers.
    pub fn tally(&self) -> Option<Tally> {
        let stages = &self.setup.profile.stages;
        let counts = |index: &usize| {
            stages.get(*index).is_some_and(|stage| stage.tally.is_some() && !stage.roles.is_empty())
                && self.stages.get(*index).is_none_or(|stage| !stage.lanes.is_empty())
        };
        let from = self.stage.min(stages.len().saturating_sub(1));
        let index = (0..=from).rev().find(counts).or_else(|| (0..stages.len()).find(counts))?;
        self.tally_of(index)
    }

    /// `n of m` for the stage at `index`.
    pub fn tally_of(&self, index: usize) -> Option<Tally> {
        let stage = self.setup.profile.stages.get(index)?;
        let seen = Seen::new(self, None);
        let target = self.scope(&seen, None).lookup(&crate::profile::Name::Target);
        let mut tally = Tally::default();
        let lanes = self.stages.get(index);
        let mut registered = None;
        let profile = &self.setup.profile;
        for role in stage.roles.iter().filter_map(|role| profile.role(role)) {
            if let Some(fact) = &role.registered
                && let Some(Value::List(items)) = seen.fact(fact, None)
            {
                registered = Some(registered.unwrap_or(0) + items.len());
            }
        }
        let servers = self.setup.inventory.servers.iter();
        for server in servers.filter(|server| server.roles.iter().any(|role| stage.roles.contains(role))) {
            let lane = lanes.and_then(|lanes| lanes.lanes.get(lanes.lane_of(Some(&server.name))?));
            if lanes.is_some_and(|lanes| !lanes.lanes.is_empty()) && lane.is_none() {
                // Its turn is in another stage.
                continue;
            }
            tally.listed += 1;
            let version = version_fact(&self.setup, server)
                .and_then(|fact| self.latest.get(&ProbeKey::Fact(fact.clone(), Some(server.name.clone()))));
            let updated = match (version.map(|dated| &dated.reading), &target) {
                (Some(reading), Some(Value::Version(target))) => match reading.value() {
                    Some(Value::Version(version)) => (version >= target).then_some(reading.known),
                    _ => None,
                },
                _ => None,
            };
            match (updated, lane.map(|lane| &lane.phase)) {
                (_, Some(LanePhase::LeftOut(_))) => tally.left_out += 1,
                (_, Some(_)) if lane.is_some_and(super::state::LaneState::is_in_trouble) => {
                    if matches!(lane.map(|lane| &lane.step), Some(super::state::StepPhase::Unknown(_))) {
                        tally.unknown += 1;
                    } else {
                        tally.failed += 1;
                    }
                }
                (_, Some(LanePhase::Given)) => tally.failed += 1,
                (Some(Known::Told), _) => tally.told += 1,
                (Some(_), _) => tally.updated += 1,
                (None, Some(LanePhase::Active)) => tally.running += 1,
                (None, Some(LanePhase::Done)) => tally.unknown += 1,
                (None, _) => tally.waiting += 1,
            }
        }
        tally.of = registered.unwrap_or(tally.listed);
        Some(tally)
    }

    /// What the product has registered for a role, against the inventory: orphans, and servers missing.
    pub fn registered(&self, role: &crate::model::RoleId) -> Option<(Vec<String>, Vec<ServerName>)> {
        let fact = self.setup.profile.role(role)?.registered.as_ref()?;
        let Value::List(items) = Seen::new(self, None).fact(fact, None)? else { return None };
        let items: Vec<String> = items.iter().map(ToString::to_string).collect();
        let same = |server: &crate::inventory::Server, item: &str| {
            server.name.as_str().eq_ignore_ascii_case(item)
                || server.address.eq_ignore_ascii_case(item)
                || item.split('.').next().is_some_and(|host| {
                    server.name.as_str().eq_ignore_ascii_case(host)
                        && !host.chars().all(|c| c.is_ascii_digit())
                })
        };
        let servers: Vec<_> = self.setup.inventory.of_role(role).collect();
        let missing = servers
            .iter()
            .filter(|server| !items.iter().any(|item| same(server, item)))
            .map(|server| server.name.clone())
            .collect();
        let orphans =
            items.iter().filter(|item| !servers.iter().any(|server| same(server, item))).cloned().collect();
        Some((orphans, missing))
    }
}

/// Whether `measured` is unknown, and why.
pub fn why_unknown(measured: &Measured) -> Option<&str> {
    match measured {
        Measured::Unknown(why) => Some(why),
        _ => None,
    }
}

impl Seen<'_> {
    /// The peers, where there is a stage to have them.
    pub(super) fn peers_in_service(&self) -> Option<Vec<ServerName>> {
        Facts::peers(self)
    }
}
