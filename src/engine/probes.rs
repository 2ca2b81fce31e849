//! What must be looked at for a step, and for what is remembered as `before`.

use std::collections::BTreeSet;

use super::event::Outcome;
use super::key::{GATES, StepKey};
use super::measure::{ProbeKey, Probes, Purpose};
use super::state::{LaneState, State, StepPhase};
use super::view::Seen;
use crate::model::{CheckId, StepId, Value};
use crate::plan::{PlanStep, version_fact};
use crate::profile::{Act, CheckKind, Expr, Name, ServiceState, Source, Template};

impl State {
    /// Adds what `purpose` needs for the step in turn at `key`.
    pub(super) fn step_probes(&self, purpose: &Purpose, key: &StepKey, probes: &mut Probes<'_>) {
        let server = self.server_of(&key.lane);
        let seen = Seen::new(self, Some(&key.lane));
        if key.step == GATES {
            if matches!(purpose, Purpose::Wait(_)) {
                self.gate_probes(key, probes);
            }
            return;
        }
        let Some(step) = self.current(key).and_then(|lane| self.plan_step(lane)) else { return };
        let scope = self.scope(&seen, server).with(&step.with);
        match purpose {
            Purpose::Turn(_) => {
                self.turn_probes(key, probes);
                if let Some(done) = &step.step.done {
                    probes.expr(done, &scope);
                }
            }
            Purpose::Needs(_) => {
                for check in
                    self.needs_of(key, step).into_iter().filter_map(|need| self.setup.profile.check(need))
                {
                    let server = if check.roles.is_empty() { None } else { server };
                    probes.check(check, server, 0);
                }
            }
            Purpose::Wait(_) => {
                if let Some(wait) = self.wait_of(key) {
                    probes.expr(&wait.until, &scope);
                    if let Some((done, whole)) = &wait.progress {
                        probes.expr(done, &scope);
                        probes.expr(whole, &scope);
                    }
                }
            }
            Purpose::Proof(_) => {
                if let Some(done) = &step.step.done {
                    probes.expr(done, &scope);
                }
                probes.leave_out(&step.step.tells);
            }
            Purpose::Tells(_) => {
                for fact in &step.step.tells {
                    let of_server = self.setup.profile.fact(fact).is_some_and(|fact| !fact.roles.is_empty());
                    probes.fact(fact, if of_server { server } else { None }, 0);
                }
            }
            _ => {}
        }
    }

    /// What decides whether the step in turn at `key` applies, and what it would say.
    fn turn_probes(&self, key: &StepKey, probes: &mut Probes<'_>) {
        let server = self.server_of(&key.lane);
        let seen = Seen::new(self, Some(&key.lane));
        let Some(step) = self.current(key).and_then(|lane| self.plan_step(lane)) else { return };
        let scope = self.scope(&seen, server).with(&step.with);
        for when in &step.when {
            probes.expr(&when.expr, &self.scope(&seen, server).with(&when.with));
        }
        for template in templates(step, server.map_or(crate::model::Os::Linux, |server| server.os)) {
            probes.names(template.names(), &scope, 0);
        }
    }

    /// Of what is `open` for `purpose`, that which the operator is not asked for where it cannot be read: a look
    /// whether a step is done already saves work, and an unknown one just does not save it.
    pub(super) fn quiet_probes_of(&self, purpose: &Purpose, open: &BTreeSet<ProbeKey>) -> BTreeSet<ProbeKey> {
        let Purpose::Turn(key) = purpose else { return BTreeSet::new() };
        let mut asked = Probes::new(self);
        self.turn_probes(key, &mut asked);
        open.difference(&asked.take()).cloned().collect()
    }

    /// The gates of a lane's stage, and the version that counts for n.
    fn gate_probes(&self, key: &StepKey, probes: &mut Probes<'_>) {
        let Some(stage) = self.stage_of(&key.lane) else { return };
        let server = self.server_of(&key.lane);
        for check in stage.gates.iter().filter_map(|gate| self.setup.profile.check(gate)) {
            let server = if check.roles.is_empty() { None } else { server };
            probes.check(check, server, 0);
        }
        // A farm's own count is of facts; nobody is asked for one on its account.
        if let (None, Some(tally)) = (server, &stage.tally) {
            let seen = Seen::new(self, Some(&key.lane));
            let mut counted = Probes::new(self);
            counted.names(tally.names(), &self.scope(&seen, None), 0);
            probes.add(counted.take().into_iter().filter(|probe| !self.can_be_told(probe)));
        }
        // Where nothing is counted a server may be stopped, and has no version to tell.
        if let Some(server) = server.filter(|_| stage.tally.is_some()) {
            // Of a version that only the operator can tell, the last word counts.
            let only_told =
                |fact| self.setup.profile.fact(fact).is_some_and(|fact| matches!(fact.source, Source::Ask));
            if let Some(fact) = version_fact(&self.setup, server).filter(|fact| !only_told(fact)) {
                probes.fact(fact, Some(server), 0);
            }
            for role in stage.roles.iter().filter_map(|role| self.setup.profile.role(role)) {
                if let Some(fact) = &role.registered {
                    probes.fact(fact, None, 0);
                }
            }
        }
    }

    /// What must hold right before `step`, the one in turn at `key`: what it needs itself, and what the steps need that
    /// use the procedures it is in, as long as nothing of those was carried out.
    pub fn needs_of<'a>(&self, key: &StepKey, step: &'a PlanStep) -> Vec<&'a CheckId> {
        let records = self.lane(&key.lane).map(|lane| lane.records.as_slice()).unwrap_or_default();
        let carried_out = |id: &StepId| {
            records.iter().any(|record| {
                !matches!(record.outcome, Outcome::Skipped | Outcome::DoneBefore)
                    && record
                        .step
                        .as_str()
                        .strip_prefix(id.as_str())
                        .is_some_and(|rest| rest.starts_with('.'))
            })
        };
        let first = step.needs_first.iter().filter(|(id, _)| !carried_out(id)).flat_map(|(_, needs)| needs);
        let mut needs: Vec<&CheckId> = first.chain(&step.needs).collect();
        let mut seen = BTreeSet::new();
        needs.retain(|need| seen.insert(*need));
        needs
    }

    /// The wait of the step at `key`, as its server's system has it.
    pub fn wait_of(&self, key: &StepKey) -> Option<&crate::profile::Wait> {
        match self.act_of(key)? {
            Act::Wait(wait) => Some(wait),
            _ => None,
        }
    }

    /// How far the wait of a lane is: what is done, and what there is. `None`: it is not waiting, or nobody can tell.
    pub fn wait_progress(&self, lane: &LaneState) -> Option<(f64, f64)> {
        if lane.step != StepPhase::Waiting {
            return None;
        }
        let key = self.step_key(lane);
        let (done, whole) = self.wait_of(&key)?.progress.as_ref()?;
        let seen = Seen::new(self, Some(&key.lane));
        let scope = self.step_scope(&seen, &key, self.plan_step(lane)?);
        let number = |expr: &Expr| match expr.eval(&|name| scope.lookup(name))? {
            Value::Number(number) => Some(number),
            _ => None,
        };
        Some((number(done)?, number(whole)?))
    }

    /// The act of the step at `key` on its server's system.
    pub fn act_of(&self, key: &StepKey) -> Option<&Act> {
        let step = self.plan_step(self.current(key)?)?;
        let os = self.step_os(key, step);
        step.step.act.get(os)
    }

    /// The system whose act counts: that of the place the step runs at.
    fn step_os(&self, key: &StepKey, step: &PlanStep) -> crate::model::Os {
        use crate::profile::At;
        let of_role = |role| self.setup.inventory.of_role(role).next().map(|server| server.os);
        let os = match &step.at {
            At::Local => None,
            At::Role(role) | At::One(role) => of_role(role),
            At::Here | At::Peer | At::Peers => self.server_of(&key.lane).map(|server| server.os),
        };
        os.unwrap_or(crate::model::Os::Linux)
    }

    /// Everything that some expression compares with how it was before.
    pub(super) fn before_probes(&self) -> BTreeSet<ProbeKey> {
        let mut probes = Probes::new(self);
        let profile = &self.setup.profile;
        let mut names: BTreeSet<Name> = BTreeSet::new();
        let scripts = &self.setup.scripts;
        let all = scripts.stages.iter().chain(scripts.recoveries.values()).chain(scripts.fixes.values());
        for step in all.flat_map(|script| &script.steps) {
            names.extend(step.when.iter().flat_map(|when| when.expr.names().to_vec()));
            names.extend(step.step.done.iter().flat_map(|done| done.names().to_vec()));
            let mut with = Some(&step.with);
            while let Some(given) = with {
                names.extend(given.values.values().flat_map(|template| template.names().to_vec()));
                with = given.outer.as_ref();
            }
            for (os, _) in step.step.act.iter() {
                names.extend(templates(step, os).flat_map(|template| template.names().to_vec()));
            }
            for (_, act) in step.step.act.iter() {
                if let Act::Wait(wait) = act {
                    let progress = wait.progress.iter().flat_map(|(done, whole)| [done, whole]);
                    let exprs: Vec<&Expr> = progress.chain([&wait.until]).collect();
                    names.extend(exprs.into_iter().flat_map(|expr| expr.names().to_vec()));
                }
            }
        }
        for check in &profile.checks {
            if let CheckKind::That(expr) = &check.kind {
                names.extend(expr.names().to_vec());
            }
            names.extend(check.when.iter().flat_map(|when| when.names().to_vec()));
            if matches!(check.kind, CheckKind::Services(ServiceState::AsBefore)) {
                for server in self.places_of(check) {
                    probes.check(check, server.as_ref().and_then(|server| self.setup.server(server)), 0);
                }
            }
        }
        for fact in &profile.facts {
            if let Source::Value(expr) = &fact.source {
                names.extend(expr.names().to_vec());
            }
        }
        for notice in &profile.notices {
            names.extend(notice.when.iter().flat_map(|when| when.names().to_vec()));
            names.extend(notice.text.names().to_vec());
        }
        names.extend(
            profile
                .failures
                .iter()
                .filter_map(|failure| failure.when.as_ref())
                .flat_map(|w| w.names().to_vec()),
        );
        for name in names {
            match name {
                Name::FarmBefore(fact) => probes.fact(&fact, None, 0),
                Name::HereBefore(id) => {
                    let roles = profile.fact(&id).map(|fact| fact.roles.clone()).unwrap_or_default();
                    let servers = self.setup.inventory.servers.iter();
                    for server in
                        servers.filter(|server| server.roles.iter().any(|role| roles.contains(role)))
                    {
                        probes.fact(&id, Some(server), 0);
                    }
                }
                _ => {}
            }
        }
        probes.take()
    }
}

/// Every template of a step that is filled in when it starts.
pub(super) fn templates(step: &PlanStep, os: crate::model::Os) -> impl Iterator<Item = &Template> {
    let (one, many): (Option<&Template>, &[Template]) = match step.step.act.get(os) {
        Some(Act::Run(text) | Act::Attended(text) | Act::Manual(text) | Act::Confirm(text)) => {
            (Some(text), &[])
        }
        Some(Act::Collect(paths)) => (None, paths),
        _ => (None, &[]),
    };
    one.into_iter().chain(many)
}
