//! What the offer `collect` carries out: the `collect` steps of the profile, wherever they stand, as one list.

use std::sync::Arc;

use super::script::{PlanStep, Script, When, With};
use crate::inventory::Server;
use crate::model::{RoleId, StepId};
use crate::profile::{Act, At, Step, Template};

/// Every `collect` step of a profile, and for which servers each is.
#[derive(Debug, Default)]
pub struct Collection {
    pub script: Arc<Script>,
    of: Vec<For>,
}

/// Whose a `collect` step is.
#[derive(Debug)]
pub struct For {
    /// The roles of the stage it stands in; none: it stands in a procedure, which may be for any server.
    roles: Vec<RoleId>,
    /// Its conditions. One that names facts is not waited for.
    pub when: Vec<When>,
}

impl Collection {
    /// Of `scripts`: what each is called, the roles of its stage, and its steps.
    pub(super) fn of<'a>(scripts: impl Iterator<Item = (&'a str, &'a [RoleId], &'a Script)>) -> Self {
        let (mut steps, mut of): (Vec<PlanStep>, Vec<For>) = (Vec::new(), Vec::new());
        for (name, roles, script) in scripts {
            for step in script.steps.iter().filter(|step| collects(step)) {
                let known = steps.iter().zip(&of).any(|(other, at): (_, &For)| {
                    same(step, other) && (step.at != At::Here || at.roles == roles)
                });
                if known {
                    continue;
                }
                let mut id = StepId::from(format!("{name}.{}", step.id));
                while steps.iter().any(|step| step.id == id) {
                    id = StepId::from(format!("{id}_"));
                }
                of.push(For { roles: roles.to_vec(), when: step.when.clone() });
                steps.push(alone(step, id));
            }
        }
        Self { script: Arc::new(Script { steps }), of }
    }

    /// Whose the step at `index` is, if it is for `server`, or for the farm where there is none.
    pub fn fits(&self, index: usize, server: Option<&Server>) -> Option<&For> {
        let (step, of) = (self.script.steps.get(index)?, self.of.get(index)?);
        let fits = match server {
            _ if step.at != At::Here => true,
            None => false,
            Some(server) => {
                step.step.act.get(server.os).is_some()
                    && (of.roles.is_empty() || server.roles.iter().any(|role| of.roles.contains(role)))
            }
        };
        fits.then_some(of)
    }
}

fn collects(step: &PlanStep) -> bool {
    step.step.act.iter().any(|(_, act)| matches!(act, Act::Collect(_)))
}

/// The step without what holds only where it stands: it looks, and changes nothing.
fn alone(step: &PlanStep, id: StepId) -> PlanStep {
    let own = Step {
        when: None,
        needs: Vec::new(),
        done: None,
        once: false,
        tells: Vec::new(),
        ..(*step.step).clone()
    };
    PlanStep {
        id,
        title: step.title.clone(),
        step: Arc::new(own),
        at: step.at.clone(),
        on: Vec::new(),
        when: Vec::new(),
        needs: Vec::new(),
        needs_first: Vec::new(),
        optional_until: None,
        // What cannot be collected is told, and is no failure of the upgrade.
        required: false,
        with: step.with.clone(),
        from: step.from.clone(),
    }
}

/// Whether two steps take the same files of a server.
fn same(one: &PlanStep, other: &PlanStep) -> bool {
    let paths = |step: &PlanStep| -> Vec<(crate::model::Os, Vec<String>)> {
        let of = |act: &Act| match act {
            Act::Collect(paths) => paths.iter().map(|path| path.source().to_owned()).collect(),
            _ => Vec::new(),
        };
        step.step.act.iter().map(|(os, act)| (os, of(act))).collect()
    };
    one.at == other.at && paths(one) == paths(other) && passed(&one.with) == passed(&other.with)
}

fn passed(with: &With) -> Vec<Vec<(&str, &str)>> {
    let mut levels = Vec::new();
    let mut at = Some(with);
    while let Some(level) = at {
        let values = level.values.iter().map(|(key, value): (_, &Template)| (key.as_str(), value.source()));
        levels.push(values.collect());
        at = level.outer.as_deref();
    }
    levels
}
