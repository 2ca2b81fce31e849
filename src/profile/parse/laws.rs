//! What must hold between the elements of a profile.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::model::{CheckId, FactId, InputId, ProcedureId, RoleId};
use crate::profile::ast::{
    Act, At, CheckKind, Failure, KeepUp, Offer, Position, Profile, Source, Stage, Step, Then,
};
use crate::profile::expr::{Expr, Name, Of, Template};
use crate::text::diagnostic::Diagnostic;
use crate::text::toml::Doc;

struct Laws<'p> {
    profile: &'p Profile,
    spans: &'p BTreeMap<String, Range<usize>>,
    doc: &'p Doc<'p>,
}

pub(super) fn check(profile: &Profile, spans: &BTreeMap<String, Range<usize>>, doc: &Doc<'_>) {
    let laws = Laws { profile, spans, doc };
    laws.checks_are_used();
    laws.procedures_end();
    laws.facts_end();
    laws.uploads_come_first();
    laws.registered_is_known();
    laws.stages_keep_servers_up();
    laws.once_has_a_place();
    laws.no_procedure_twice();
    laws.failures_are_complete();
}

/// A procedure where it is used, with what it is given.
type Used<'p> = (&'p Stage, &'p Step, &'p ProcedureId, Vec<(&'p str, &'p str)>);

/// Deeper nested procedures are not followed; a circle is reported by itself.
const DEEPEST: usize = 8;

impl<'p> Laws<'p> {
    fn span(&self, address: &str) -> Range<usize> {
        self.spans.get(address).cloned().unwrap_or(0..0)
    }

    fn report(&self, address: &str, message: String, help: &str) {
        self.doc.report(Diagnostic::new(self.span(address), message).help(help));
    }

    /// Every step with its address, of stages and procedures.
    fn steps(&self) -> impl Iterator<Item = (String, &'p Step)> + use<'p> {
        let stages = self.profile.stages.iter().flat_map(|stage| {
            stage.steps.iter().map(move |step| (format!("stages.{}.{}", stage.id, step.id), step))
        });
        let procedures = self.profile.procedures.iter().flat_map(|procedure| {
            procedure.steps.iter().map(move |step| (format!("procedures.{}.{}", procedure.id, step.id), step))
        });
        stages.chain(procedures)
    }

    fn checks_are_used(&self) {
        let mut used: BTreeSet<&CheckId> =
            self.profile.stages.iter().flat_map(|stage| &stage.gates).collect();
        for (_, step) in self.steps() {
            used.extend(&step.needs);
            let mut names: Vec<&Name> = step.done.iter().flat_map(Expr::names).collect();
            for (_, act) in step.act.iter() {
                if let Act::Wait(wait) = act {
                    names.extend(wait.until.names());
                    names.extend(
                        wait.progress
                            .iter()
                            .flat_map(|(done, whole)| done.names().iter().chain(whole.names())),
                    );
                }
            }
            used.extend(names.iter().filter_map(|name| match name {
                Name::Check(check) => Some(check),
                _ => None,
            }));
        }
        for check in &self.profile.checks {
            if !check.at_start && !check.at_end && !used.contains(&check.id) {
                let message = format!("check `{}` is used nowhere", check.id);
                self.report(
                    &format!("checks.{}", check.id),
                    message,
                    "give it a `phase`, or name it in `gates`, `needs` or `checks.ID`",
                );
            }
        }
    }

    fn used_by(&self, procedure: &ProcedureId) -> BTreeSet<&'p ProcedureId> {
        let steps = self.profile.procedure(procedure).map(|procedure| &procedure.steps);
        steps
            .into_iter()
            .flatten()
            .flat_map(|step| step.act.iter())
            .filter_map(|(_, act)| match act {
                Act::Use { procedure, .. } => Some(procedure),
                _ => None,
            })
            .collect()
    }

    fn procedures_end(&self) {
        for procedure in &self.profile.procedures {
            if reaches(&procedure.id, |id| self.used_by(id)) {
                let message = format!("procedure `{}` uses itself, and would never end", procedure.id);
                self.report(
                    &format!("procedures.{}", procedure.id),
                    message,
                    "take one `use` out of the circle",
                );
            }
        }
    }

    /// Facts that a fact is calculated from.
    fn calculated_from(&self, fact: &FactId) -> BTreeSet<&'p FactId> {
        let source = self.profile.fact(fact).map(|fact| &fact.source);
        let names = match source {
            Some(Source::Value(value)) => value.names(),
            Some(Source::Http(url)) => url.names(),
            Some(Source::Run(_) | Source::Ask) | None => &[],
        };
        let commands = match source {
            Some(Source::Run(run)) => run.iter().flat_map(|(_, run)| run.names()).collect(),
            _ => Vec::new(),
        };
        names
            .iter()
            .chain(commands)
            .filter_map(|name| match name {
                Name::Here(Of::Fact(fact))
                | Name::Role(_, Of::Fact(fact))
                | Name::Peers(Of::Fact(fact))
                | Name::Farm(fact) => Some(fact),
                _ => None,
            })
            .collect()
    }

    fn facts_end(&self) {
        for fact in &self.profile.facts {
            if reaches(&fact.id, |id| self.calculated_from(id)) {
                let message = format!("fact `{}` is calculated from itself", fact.id);
                self.report(
                    &format!("facts.{}", fact.id),
                    message,
                    "take it out of what it is calculated from",
                );
            }
        }
    }

    /// Whatever is at `inputs.I.remote` was put there by a step.
    fn uploads_come_first(&self) {
        let uploaded: BTreeSet<&InputId> = self
            .steps()
            .flat_map(|(_, step)| step.act.iter())
            .filter_map(|(_, act)| match act {
                Act::Upload(input) => Some(input),
                _ => None,
            })
            .collect();
        for (address, step) in self.steps() {
            let templates = step.act.iter().flat_map(|(_, act)| templates(act)).flat_map(Template::names);
            let exprs = [&step.when, &step.done].into_iter().flatten().flat_map(Expr::names);
            for name in templates.chain(exprs) {
                if let Name::Remote(input) = name
                    && !uploaded.contains(input)
                {
                    let message = format!(
                        "`inputs.{input}.remote` is where `upload` put the file, and no step uploads it"
                    );
                    self.report(&address, message, "add a step with `upload` before this one");
                }
            }
        }
    }

    fn registered_is_known(&self) {
        for check in &self.profile.checks {
            let CheckKind::Registered(role) = &check.kind else { continue };
            if self.profile.role(role).is_some_and(|role| role.registered.is_none()) {
                let message =
                    format!("role `{role}` does not say which of its servers the product has registered");
                self.report(
                    &format!("registered.{role}"),
                    message,
                    "write `registered = \"F\"` on the role, a fact of the farm that lists them",
                );
            }
        }
    }

    fn stages_keep_servers_up(&self) {
        for stage in &self.profile.stages {
            let Some(KeepUp::Number(number)) = stage.keep_up else { continue };
            let least = |role: &RoleId| self.profile.role(role).map_or(usize::MAX, |role| role.count.min);
            if let Some(least) = stage.roles.iter().map(least).min().filter(|least| number > *least) {
                let message = format!("{number} servers cannot stay up where there may be as few as {least}");
                self.report(
                    &format!("stages.{}.keep-up", stage.id),
                    message,
                    "write `all-but-1`, `majority`, or a smaller number",
                );
            }
        }
    }

    fn once_has_a_place(&self) {
        for stage in &self.profile.stages {
            let once = self.once_in(&stage.steps, Position::Each, 0);
            let last = stage.last.as_ref().and_then(|_| once.iter().find(|(_, on)| *on == Position::Last));
            if let Some((id, _)) = last {
                let message = format!(
                    "step `{id}` is carried out once, on the last server, and `last` may choose another while the session runs"
                );
                self.report(
                    &format!("stages.{}.last", stage.id),
                    message,
                    "take `last` out: the order of the plan is the order of the inventory",
                );
            }
        }
    }

    /// The `once` steps of a list, also within procedures, with the position that they or their users have.
    fn once_in(&self, steps: &'p [Step], on: Position, depth: usize) -> Vec<(&'p str, Position)> {
        let mut found = Vec::new();
        for step in steps {
            let on = if step.on == Position::Each { on } else { step.on };
            if step.once {
                found.push((step.id.as_str(), on));
            }
            for (_, act) in step.act.iter() {
                if let (Act::Use { procedure, .. }, true) = (act, depth < DEEPEST) {
                    let steps = self.profile.procedure(procedure).map(|procedure| &procedure.steps[..]);
                    found.extend(self.once_in(steps.unwrap_or_default(), on, depth + 1));
                }
            }
        }
        found
    }

    /// The same procedure with the same values, carried out on one server twice whatever happens.
    fn no_procedure_twice(&self) {
        let mut seen: Vec<Used<'_>> = Vec::new();
        for stage in self.profile.stages.iter().filter(|stage| stage.when.is_none()) {
            for step in stage.steps.iter().filter(|step| step.when.is_none() && !step.optional) {
                let Some(Act::Use { procedure, with }) = &step.act.linux else { continue };
                let with: Vec<_> = with.iter().map(|(key, value)| (key.as_str(), value.source())).collect();
                let again = seen.iter().find(|(before, other, known, values)| {
                    let same_role = before.roles.is_empty() && stage.roles.is_empty()
                        || before.roles.iter().any(|role| stage.roles.contains(role));
                    let same_turn =
                        other.on == step.on || other.on == Position::Each || step.on == Position::Each;
                    *known == procedure && *values == with && same_role && same_turn && other.at == step.at
                });
                if let Some((before, other, ..)) = again {
                    let first = self.span(&format!("stages.{}.{}", before.id, other.id));
                    let message = format!("procedure `{procedure}` is carried out twice on one server");
                    let span = self.span(&format!("stages.{}.{}", stage.id, step.id));
                    self.doc.report(
                        Diagnostic::new(span, message)
                            .also(first, "the first time")
                            .help("choose servers with `when`, such as `'server' not in here.roles`"),
                    );
                }
                seen.push((stage, step, procedure, with));
            }
        }
    }

    fn failures_are_complete(&self) {
        let failures = &self.profile.failures;
        if !self.profile.stages.is_empty()
            && !failures.last().is_some_and(is_catch_all)
            && !failures.iter().any(is_catch_all)
        {
            let address = failures.last().map_or(String::new(), |failure| format!("failures.{}", failure.id));
            self.report(
                &address,
                "no rule fits every failure".to_owned(),
                "end with a failure that has `offer` and none of `stages`, `steps`, `on`, `when`, `after`",
            );
        }
        if let Some(index) = failures.iter().position(is_catch_all)
            && let Some(hidden) = failures.get(index + 1)
        {
            let catch_all = &failures[index].id;
            let span = self.span(&format!("failures.{}", hidden.id));
            self.doc.report(
                Diagnostic::new(
                    span,
                    format!("this rule never fits: `{catch_all}` before it fits every failure"),
                )
                .also(self.span(&format!("failures.{catch_all}")), "fits every failure")
                .help("the rule that fits every failure stands last"),
            );
        }
        for failure in failures {
            self.recovery_frees_once(failure);
            self.collects_something(failure);
        }
    }

    /// Where `collect` is offered, some `collect` step is for the servers that may fail there.
    fn collects_something(&self, failure: &Failure) {
        if !failure.offer.contains(&Offer::Collect) {
            return;
        }
        let collects = |step: &&Step| step.act.iter().any(|(_, act)| matches!(act, Act::Collect(_)));
        let failing: Vec<&Stage> = self
            .profile
            .stages
            .iter()
            .filter(|stage| failure.stages.is_empty() || failure.stages.contains(&stage.id))
            .collect();
        let of_servers = |roles: &[RoleId]| {
            failing
                .iter()
                .any(|stage| stage.roles.iter().any(|role| roles.is_empty() || roles.contains(role)))
        };
        let of_stages = self.profile.stages.iter().any(|stage| {
            stage.steps.iter().filter(collects).any(|step| step.at != At::Here || of_servers(&stage.roles))
        });
        let of_procedures = self.profile.procedures.iter().any(|procedure| {
            procedure.steps.iter().filter(collects).any(|step| step.at != At::Here || of_servers(&[]))
        });
        if !of_stages && !of_procedures {
            self.report(
                &format!("failures.{}", failure.id),
                format!("failure `{}` offers `collect`, and there is nothing to collect", failure.id),
                "add a step with `collect = [PATHS]` to a stage of these servers or to a procedure, or take `collect` out of `offer`",
            );
        }
    }

    /// A recovery that goes on says what it undoes, where something that happens once may have happened.
    fn recovery_frees_once(&self, failure: &Failure) {
        let says = self.spans.contains_key(&format!("failures.{}.undoes", failure.id));
        if failure.recover.is_none() || says || failure.then == Then::End {
            return;
        }
        let meant = |stage: &Stage| failure.stages.is_empty() || failure.stages.contains(&stage.id);
        let Some(last) = self.profile.stages.iter().rposition(meant) else { return };
        let before = &self.profile.stages[..=last];
        let once = before
            .iter()
            .find_map(|stage| Some((stage, self.once_in(&stage.steps, Position::Each, 0).first()?.0)));
        if let Some((stage, id)) = once {
            let message = format!(
                "failure `{}` recovers and goes on, and step `{id}` of stage `{}` may have been carried out, which happens once",
                failure.id, stage.id
            );
            self.report(
                &format!("failures.{}", failure.id),
                message,
                "say with `undoes` which steps the recovery undoes; `undoes = []` if none",
            );
        }
    }
}

fn is_catch_all(failure: &Failure) -> bool {
    failure.stages.is_empty()
        && failure.steps.is_empty()
        && failure.on == Position::Each
        && failure.when.is_none()
        && failure.after.is_empty()
}

fn templates(act: &Act) -> Vec<&Template> {
    match act {
        Act::Run(text) | Act::Attended(text) | Act::Manual(text) | Act::Confirm(text) => vec![text],
        Act::Collect(paths) => paths.iter().collect(),
        Act::Use { with, .. } => with.values().collect(),
        Act::Upload(_) | Act::Service { .. } | Act::Wait(_) | Act::Reboot => Vec::new(),
    }
}

/// Whether `start` leads back to itself.
fn reaches<'a, T: Ord>(start: &'a T, next: impl Fn(&T) -> BTreeSet<&'a T>) -> bool {
    let mut seen = BTreeSet::new();
    let mut ahead: Vec<&T> = next(start).into_iter().collect();
    while let Some(id) = ahead.pop() {
        if id == start {
            return true;
        }
        if seen.insert(id) {
            ahead.extend(next(id));
        }
    }
    false
}
