//! The plan itself: which server in which order, and which steps on it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::answers::AnswerBook;
use super::scope::Scope;
use super::script::PlanStep;
use super::setup::Setup;
use crate::inventory::Server;
use crate::model::{ProcedureId, ServerName, StageId};
use crate::profile::{Act, At, Stage};

/// What will be done, in which order. Frozen when the operator agrees to its hash.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// One for each stage of the profile, in its order.
    pub stages: Vec<Vec<Lane>>,
    /// SHA-256 over everything that decides what is done, in hexadecimal.
    pub hash: String,
}

/// One server's way through a stage, or the farm's.
#[derive(Clone, Debug, PartialEq)]
pub struct Lane {
    /// `None`: a stage of the farm.
    pub server: Option<ServerName>,
    /// Indices into the stage's script, rising.
    pub steps: Arc<[u16]>,
}

/// Why no plan can be made of what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanProblem {
    pub stage: Option<StageId>,
    /// What is wrong, and what to do.
    pub text: String,
}

/// The plan of `setup` under `answers`.
///
/// # Errors
/// Everything that keeps it from being made.
pub fn build(setup: &Setup, answers: &AnswerBook) -> Result<Plan, Vec<PlanProblem>> {
    let mut problems = Vec::new();
    let mut stages = Vec::new();
    for (stage, script) in setup.profile.stages.iter().zip(&setup.scripts.stages) {
        let mut interned: Vec<Arc<[u16]>> = Vec::new();
        let servers = stage_servers(setup, answers, stage).unwrap_or_else(|found| {
            problems
                .extend(found.into_iter().map(|text| PlanProblem { stage: Some(stage.id.clone()), text }));
            Vec::new()
        });
        let count = servers.len();
        let mut lanes = Vec::with_capacity(count);
        for (index, server) in servers.into_iter().enumerate() {
            let mut steps = Vec::new();
            for (number, step) in script.steps.iter().enumerate() {
                if step.on.iter().all(|on| on.fits(index, count)) {
                    match applies(setup, answers, server, step) {
                        Ok(true) => steps.push(u16::try_from(number).unwrap_or(u16::MAX)),
                        Ok(false) => {}
                        Err(text) => problems.push(PlanProblem { stage: Some(stage.id.clone()), text }),
                    }
                }
            }
            let steps = if let Some(known) = interned.iter().find(|known| ***known == *steps) {
                known.clone()
            } else {
                interned.push(steps.into());
                interned[interned.len() - 1].clone()
            };
            lanes.push(Lane { server: server.map(|server| server.name.clone()), steps });
        }
        stages.push(lanes);
    }
    twice(setup, &stages, &mut problems);
    if problems.is_empty() {
        let hash = hash(setup, answers, &stages);
        Ok(Plan { stages, hash })
    } else {
        problems.dedup();
        Err(problems)
    }
}

/// Whether `step` is for `server`, as far as that is settled without measuring. What needs a fact stays in the
/// plan, and is decided when its turn comes.
fn applies(
    setup: &Setup,
    answers: &AnswerBook,
    server: Option<&Server>,
    step: &PlanStep,
) -> Result<bool, String> {
    for when in &step.when {
        let scope = Scope::settled(setup, answers, server).with(&when.with);
        if scope.is_settled(when.expr.names()) {
            match when.expr.test(&|name| scope.lookup(name)) {
                Some(true) => {}
                Some(false) => return Ok(false),
                None => {
                    return Err(format!(
                        "whether step `{}` applies cannot be told: `{}` has no value yet; answer the inputs it names",
                        step.id,
                        when.expr.source()
                    ));
                }
            }
        }
    }
    Ok(true)
}

/// Whether a person is to go through an installer in a terminal of `server`, as far as that is settled.
pub fn is_attended(setup: &Setup, answers: &AnswerBook, server: &Server) -> bool {
    setup.profile.stages.iter().zip(&setup.scripts.stages).any(|(stage, script)| {
        let attended = |step: &&PlanStep| {
            step.at == At::Here && matches!(step.step.act.get(server.os), Some(Act::Attended(_)))
        };
        server.roles.iter().any(|role| stage.roles.contains(role))
            && script
                .steps
                .iter()
                .filter(attended)
                .any(|step| applies(setup, answers, Some(server), step) != Ok(false))
    })
}

/// The servers of a stage in the order of the plan; one `None` for a stage of the farm.
///
/// # Errors
/// Sentences that say why the order cannot be told.
pub fn stage_servers<'a>(
    setup: &'a Setup,
    answers: &AnswerBook,
    stage: &Stage,
) -> Result<Vec<Option<&'a Server>>, Vec<String>> {
    let problems = RefCell::new(Vec::new());
    let test = |expr: &crate::profile::Expr, server: Option<&Server>, what: &str| {
        let scope = Scope::settled(setup, answers, server);
        expr.test(&|name| scope.lookup(name)).unwrap_or_else(|| {
            problems.borrow_mut().push(format!(
                "{what} cannot be told: `{}` has no value; answer the inputs it names",
                expr.source()
            ));
            false
        })
    };
    if stage.roles.is_empty() {
        let runs = stage.when.as_ref().is_none_or(|when| test(when, None, "whether the stage applies"));
        let problems = problems.into_inner();
        return if problems.is_empty() {
            Ok(if runs { vec![None] } else { Vec::new() })
        } else {
            Err(problems)
        };
    }
    let mut servers: Vec<&Server> = setup
        .inventory
        .servers
        .iter()
        .filter(|server| server.roles.iter().any(|role| stage.roles.contains(role)))
        .collect();
    if let Some(when) = &stage.when {
        servers.retain(|server| test(when, Some(server), "which servers belong to the stage"));
    }
    for (expr, to_front) in [(&stage.first, true), (&stage.last, false)] {
        let Some(expr) = expr else { continue };
        if servers.is_empty() {
            continue;
        }
        let word = if to_front { "the first server" } else { "the last server" };
        let chosen: Vec<usize> = servers
            .iter()
            .enumerate()
            .filter_map(|(index, server)| test(expr, Some(server), word).then_some(index))
            .collect();
        match *chosen {
            [index] => {
                let server = servers.remove(index);
                let place = if to_front { 0 } else { servers.len() };
                servers.insert(place, server);
            }
            // An expression without a value has said so already.
            [] if !problems.borrow().is_empty() => {}
            [] => {
                problems
                    .borrow_mut()
                    .push(format!("{word}: no server of the stage fits `{}`", expr.source()));
            }
            _ => problems.borrow_mut().push(format!(
                "{word}: {} servers of the stage fit `{}`, it must be one",
                chosen.len(),
                expr.source()
            )),
        }
    }
    let mut problems = problems.into_inner();
    problems.dedup();
    if problems.is_empty() { Ok(servers.into_iter().map(Some).collect()) } else { Err(problems) }
}

/// The same procedure on the same host in two stages would install twice.
fn twice(setup: &Setup, stages: &[Vec<Lane>], problems: &mut Vec<PlanProblem>) {
    let mut seen: BTreeMap<(&ServerName, &ProcedureId), &StageId> = BTreeMap::new();
    for ((stage, script), lanes) in setup.profile.stages.iter().zip(&setup.scripts.stages).zip(stages) {
        let mut used: Vec<&ProcedureId> = script.steps.iter().filter_map(|step| step.from.first()).collect();
        used.dedup();
        if used.is_empty() {
            continue;
        }
        for lane in lanes {
            let Some(server) = &lane.server else { continue };
            for procedure in &used {
                let carried_out = lane.steps.iter().any(|&index| {
                    script.steps.get(usize::from(index)).is_some_and(|s| s.from.first() == Some(*procedure))
                });
                if !carried_out {
                    continue;
                }
                if let Some(earlier) = seen.insert((server, procedure), &stage.id)
                    && earlier != &stage.id
                {
                    problems.push(PlanProblem {
                        stage: Some(stage.id.clone()),
                        text: format!(
                            "procedure `{procedure}` would run twice on `{server}`, in stage `{earlier}` and in stage \
                             `{}`; give one of them a `when` that leaves the other's servers out",
                            stage.id
                        ),
                    });
                }
            }
        }
    }
}

fn hash(setup: &Setup, answers: &AnswerBook, stages: &[Vec<Lane>]) -> String {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(text);
    };
    part(&setup.profile.digest);
    part(&format!("{:?}", setup.inventory));
    for (input, key, value) in answers.iter() {
        part(input.as_str());
        part(key);
        part(&value.to_string());
    }
    for (stage, lanes) in setup.profile.stages.iter().zip(stages) {
        part(stage.id.as_str());
        for lane in lanes {
            part(lane.server.as_ref().map_or("", ServerName::as_str));
            part(&format!("{:?}", lane.steps));
        }
    }
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
