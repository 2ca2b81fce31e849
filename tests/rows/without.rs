//! A parsed profile with one element taken out of it.

use nofm::profile::{Failure, Notice, Profile, Role, Stage, Step};

/// `profile` without `element`: `KIND.ID`, `KIND.ID.STEP` for a step of a stage or a procedure, or `KIND.ID.KEY`.
///
/// # Errors
/// When the profile has no such element, or the key is not set.
pub fn without(profile: &Profile, element: &str) -> Result<Profile, String> {
    let mut changed = profile.clone();
    let parts: Vec<&str> = element.split('.').collect();
    let taken = match parts[..] {
        ["version", "instead"] => changed.version.instead.take().is_some(),
        [kind, id] => whole(&mut changed, kind, id),
        ["stages", id, part] => {
            let stage = changed.stages.iter_mut().find(|stage| stage.id == id);
            stage.is_some_and(|stage| step(&mut stage.steps, part) || stage_key(stage, part))
        }
        ["procedures", id, part] => {
            let procedure = changed.procedures.iter_mut().find(|procedure| procedure.id == id);
            procedure.is_some_and(|procedure| step(&mut procedure.steps, part))
        }
        ["roles", id, key] => {
            changed.roles.iter_mut().find(|role| role.id == id).is_some_and(|role| role_key(role, key))
        }
        ["notices", id, key] => {
            let notice = changed.notices.iter_mut().find(|notice| notice.id == id);
            notice.is_some_and(|notice| notice_key(notice, key))
        }
        ["failures", id, key] => {
            let failure = changed.failures.iter_mut().find(|failure| failure.id == id);
            failure.is_some_and(|failure| failure_key(failure, key))
        }
        _ => return Err(format!("`{element}` names no kind of element that is known here")),
    };
    if taken { Ok(changed) } else { Err(format!("the profile has no `{element}`")) }
}

fn whole(profile: &mut Profile, kind: &str, id: &str) -> bool {
    fn remove<T>(list: &mut Vec<T>, is: impl Fn(&T) -> bool) -> bool {
        let before = list.len();
        list.retain(|element| !is(element));
        list.len() < before
    }
    match kind {
        "roles" => remove(&mut profile.roles, |role| role.id == id),
        "inputs" => remove(&mut profile.inputs, |input| input.id == id),
        "facts" => remove(&mut profile.facts, |fact| fact.id == id),
        "notices" => remove(&mut profile.notices, |notice| notice.id == id),
        "checks" => remove(&mut profile.checks, |check| check.id == id),
        "procedures" => remove(&mut profile.procedures, |procedure| procedure.id == id),
        "stages" => remove(&mut profile.stages, |stage| stage.id == id),
        "failures" => remove(&mut profile.failures, |failure| failure.id == id),
        _ => false,
    }
}

fn step(steps: &mut Vec<Step>, id: &str) -> bool {
    let before = steps.len();
    steps.retain(|step| step.id != id);
    steps.len() < before
}

fn stage_key(stage: &mut Stage, key: &str) -> bool {
    match key {
        "when" => stage.when.take().is_some(),
        "first" => stage.first.take().is_some(),
        "last" => stage.last.take().is_some(),
        "gates" => !std::mem::take(&mut stage.gates).is_empty(),
        "soak" => stage.soak.take().is_some(),
        "keep-up" => stage.keep_up.take().is_some(),
        "tally" => stage.tally.take().is_some(),
        "leave-out" => stage.leave_out.take().is_some(),
        _ => false,
    }
}

fn role_key(role: &mut Role, key: &str) -> bool {
    match key {
        "version" => role.version.take().is_some(),
        "registered" => role.registered.take().is_some(),
        "detect" => role.detect.take().is_some(),
        "services" => std::mem::take(&mut role.services).iter().next().is_some(),
        "keep-up" => role.keep_up.take().is_some(),
        _ => false,
    }
}

fn notice_key(notice: &mut Notice, key: &str) -> bool {
    match key {
        "banner" => notice.banner.take().is_some(),
        "confirm" => std::mem::take(&mut notice.confirm),
        "when" => notice.when.take().is_some(),
        _ => false,
    }
}

fn failure_key(failure: &mut Failure, key: &str) -> bool {
    match key {
        "recover" => failure.recover.take().is_some(),
        "text" => failure.text.take().is_some(),
        "forbid" => !std::mem::take(&mut failure.forbid).is_empty(),
        _ => false,
    }
}
