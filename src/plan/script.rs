//! Steps laid flat: a stage, a recovery or a fix as one list, with every `use` replaced by the procedure's steps.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::collection::Collection;
use crate::model::{CheckId, FailureId, ProcedureId, StepId};
use crate::profile::{Act, At, Expr, Position, Profile, Step, Template};

/// The values a procedure was called with, and what its caller was called with.
#[derive(Debug, Default)]
pub struct With {
    pub values: BTreeMap<String, Template>,
    pub outer: Option<Arc<With>>,
}

/// A condition and the values that `with` has in it.
#[derive(Clone, Debug)]
pub struct When {
    pub expr: Expr,
    pub with: Arc<With>,
}

/// A step as it will be carried out on each server it is for.
#[derive(Clone, Debug)]
pub struct PlanStep {
    /// Where it stands: `confirm`, or `update.install`.
    pub id: StepId,
    pub title: String,
    /// The step itself; never one with `use`.
    pub step: Arc<Step>,
    pub at: At,
    /// All must fit.
    pub on: Vec<Position>,
    /// All must hold.
    pub when: Vec<When>,
    /// Of itself.
    pub needs: Vec<CheckId>,
    /// Of the steps that use the procedures it is in, outermost first, by their path.
    pub needs_first: Vec<(StepId, Vec<CheckId>)>,
    /// Set on every step of an optional group: the index behind its last.
    pub optional_until: Option<usize>,
    pub required: bool,
    pub with: Arc<With>,
    /// Procedures it came from, outermost first.
    pub from: Vec<ProcedureId>,
}

impl PlanStep {
    /// The id of a step of the same list as this one.
    pub fn sibling(&self, id: &StepId) -> StepId {
        match self.id.as_str().rsplit_once('.') {
            Some((list, _)) => StepId::from(format!("{list}.{id}")),
            None => id.clone(),
        }
    }

    /// Whether `id`, as a failure rule names steps, means this one: its path, the step that uses the
    /// procedure it is in, or its own id within the procedure.
    pub fn is(&self, id: &StepId) -> bool {
        let path = self.id.as_str();
        path == id.as_str()
            || path.strip_prefix(id.as_str()).is_some_and(|rest| rest.starts_with('.'))
            || path.rsplit('.').next() == Some(id.as_str())
    }
}

/// A list of steps laid flat.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub steps: Vec<PlanStep>,
}

impl Script {
    pub fn find(&self, id: &StepId) -> Option<&PlanStep> {
        self.steps.iter().find(|step| step.id == *id)
    }
}

/// Every script of a profile. They depend on nothing but the profile.
#[derive(Debug, Default)]
pub struct Scripts {
    /// In the order of the profile's stages.
    pub stages: Vec<Arc<Script>>,
    pub recoveries: BTreeMap<FailureId, Arc<Script>>,
    pub fixes: BTreeMap<CheckId, Arc<Script>>,
    /// What `collect` takes when a failure rule offers it.
    pub collection: Collection,
}

impl Scripts {
    pub fn of(profile: &Profile) -> Self {
        let procedure = |id: &ProcedureId| {
            let steps = profile.procedure(id).map(|procedure| procedure.steps.as_slice()).unwrap_or_default();
            Arc::new(flatten(profile, steps, vec![id.clone()]))
        };
        let stages: Vec<Arc<Script>> =
            profile.stages.iter().map(|stage| Arc::new(flatten(profile, &stage.steps, Vec::new()))).collect();
        let recoveries: BTreeMap<FailureId, Arc<Script>> = profile
            .failures
            .iter()
            .filter_map(|failure| Some((failure.id.clone(), procedure(failure.recover.as_ref()?))))
            .collect();
        let fixes: BTreeMap<CheckId, Arc<Script>> = profile
            .checks
            .iter()
            .filter_map(|check| Some((check.id.clone(), procedure(check.fix.as_ref()?))))
            .collect();
        // A procedure that nothing uses may be there to be collected from.
        let used = |id: &ProcedureId| {
            let all = stages.iter().chain(recoveries.values()).chain(fixes.values());
            all.flat_map(|script| &script.steps).any(|step| step.from.contains(id))
        };
        let unused: Vec<(&str, Arc<Script>)> = profile
            .procedures
            .iter()
            .filter(|one| !used(&one.id))
            .map(|one| (one.id.as_str(), procedure(&one.id)))
            .collect();
        let of_stages = profile.stages.iter().zip(&stages);
        let of_stages = of_stages.map(|(stage, script)| (stage.id.as_str(), &stage.roles[..], &**script));
        let rest = recoveries.iter().map(|(id, script)| (id.as_str(), script));
        let rest = rest.chain(fixes.iter().map(|(id, script)| (id.as_str(), script)));
        let rest = rest.chain(unused.iter().map(|(id, script)| (*id, script)));
        let rest = rest.map(|(id, script)| (id, &[][..], &**script));
        let collection = Collection::of(of_stages.chain(rest));
        Self { stages, recoveries, fixes, collection }
    }
}

/// What a step inherits from the steps that use the procedure it is in.
#[derive(Clone, Default)]
struct Inherited {
    prefix: String,
    title: String,
    on: Vec<Position>,
    when: Vec<When>,
    needs_first: Vec<(StepId, Vec<CheckId>)>,
    at: Option<At>,
    optional_of: bool,
    required: bool,
    with: Arc<With>,
    from: Vec<ProcedureId>,
}

fn flatten(profile: &Profile, steps: &[Step], from: Vec<ProcedureId>) -> Script {
    let mut script = Script::default();
    lay(profile, steps, &Inherited { required: true, from, ..Inherited::default() }, &mut script);
    script
}

fn lay(profile: &Profile, steps: &[Step], inherited: &Inherited, script: &mut Script) {
    for step in steps {
        let title = step.title.clone().unwrap_or_else(|| step.id.to_string().replace('_', " "));
        let mut on = inherited.on.clone();
        on.extend((step.on != Position::Each).then_some(step.on));
        let mut when = inherited.when.clone();
        when.extend(step.when.clone().map(|expr| When { expr, with: inherited.with.clone() }));
        let at = match (&step.at, &inherited.at) {
            (At::Here, Some(outer)) => outer.clone(),
            (own, _) => own.clone(),
        };
        let id = format!("{}{}", inherited.prefix, step.id);
        // A `use` is the same on every system, so any system's act tells it.
        let used = step.act.iter().find_map(|(_, act)| match act {
            Act::Use { procedure, with } => Some((procedure, with)),
            _ => None,
        });
        let start = script.steps.len();
        if let Some((procedure, with)) = used {
            // The checker refuses circles; a profile that reached here by another way must still end.
            if inherited.from.contains(procedure) || inherited.from.len() > 8 {
                continue;
            }
            let mut needs_first = inherited.needs_first.clone();
            if !step.needs.is_empty() {
                needs_first.push((StepId::from(id.as_str()), step.needs.clone()));
            }
            let inner = Inherited {
                prefix: format!("{id}."),
                title: format!("{title}: "),
                on,
                when,
                needs_first,
                at: (at != At::Here).then_some(at),
                optional_of: inherited.optional_of || step.optional,
                required: inherited.required && step.required,
                with: Arc::new(With { values: with.clone(), outer: Some(inherited.with.clone()) }),
                from: [inherited.from.as_slice(), std::slice::from_ref(procedure)].concat(),
            };
            let steps =
                profile.procedure(procedure).map(|procedure| procedure.steps.as_slice()).unwrap_or_default();
            lay(profile, steps, &inner, script);
        } else {
            script.steps.push(PlanStep {
                id: StepId::from(id),
                title: format!("{}{title}", inherited.title),
                step: Arc::new(step.clone()),
                at,
                on,
                when,
                needs: step.needs.clone(),
                needs_first: inherited.needs_first.clone(),
                optional_until: None,
                required: inherited.required && step.required,
                with: inherited.with.clone(),
                from: inherited.from.clone(),
            });
        }
        let end = script.steps.len();
        if step.optional
            && !inherited.optional_of
            && let Some(group) = script.steps.get_mut(start..)
        {
            for step in group {
                step.optional_until = Some(end);
            }
        }
    }
}
