//! A parsed profile with one element taken out of it.

use std::time::Duration;

use nofm::profile::{
    Act, At, AtATime, Check, CheckKind, Count, Fact, Failure, Input, Notice, Page, Position, Profile, Role,
    Severity, Stage, Step, Then,
};

/// The `timeout` of a step for which nobody writes one.
const USUAL_TIMEOUT: Duration = Duration::from_mins(10);

/// `profile` without `element`: `KIND.ID`, `KIND.ID.STEP` for a step of a stage or a procedure, or one key of any of
/// them: `KIND.ID.KEY`, `KIND.ID.STEP.KEY`; where a key is a list, `….KEY.ITEM` is one of it. A key that cannot be
/// absent is set to what it is where nobody writes it.
///
/// # Errors
/// When the profile has no such element, or the key is not set.
pub fn without(profile: &Profile, element: &str) -> Result<Profile, String> {
    let mut changed = profile.clone();
    let parts: Vec<&str> = element.split('.').collect();
    let taken = match parts[..] {
        ["version", "instead"] => changed.version.instead.take().is_some(),
        [kind, id] => whole(&mut changed, kind, id),
        [kind, id, ref rest @ ..] => part(&mut changed, kind, id, rest),
        _ => return Err(format!("`{element}` names no kind of element that is known here")),
    };
    if taken { Ok(changed) } else { Err(format!("the profile has no `{element}`")) }
}

fn remove<T>(list: &mut Vec<T>, is: impl Fn(&T) -> bool) -> bool {
    let before = list.len();
    list.retain(|element| !is(element));
    list.len() < before
}

fn whole(profile: &mut Profile, kind: &str, id: &str) -> bool {
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

fn part(profile: &mut Profile, kind: &str, id: &str, rest: &[&str]) -> bool {
    macro_rules! of {
        ($list:ident, $key:ident) => {
            profile.$list.iter_mut().find(|one| one.id == id).is_some_and(|one| $key(one, rest))
        };
    }
    match kind {
        "roles" => of!(roles, role_key),
        "inputs" => of!(inputs, input_key),
        "facts" => of!(facts, fact_key),
        "notices" => of!(notices, notice_key),
        "checks" => of!(checks, check_key),
        "procedures" => {
            let procedure = profile.procedures.iter_mut().find(|procedure| procedure.id == id);
            procedure.is_some_and(|procedure| step(&mut procedure.steps, rest))
        }
        "stages" => {
            let stage = profile.stages.iter_mut().find(|stage| stage.id == id);
            stage.is_some_and(|stage| step(&mut stage.steps, rest) || stage_key(stage, rest))
        }
        "failures" => of!(failures, failure_key),
        _ => false,
    }
}

/// Sets what is not `usual` to it; whether there was something to set.
fn reset<T: PartialEq>(value: &mut T, usual: T) -> bool {
    std::mem::replace(value, usual) != *value
}

/// Empties a list; whether there was something in it.
fn empty<T>(list: &mut Vec<T>) -> bool {
    !std::mem::take(list).is_empty()
}

fn step(steps: &mut Vec<Step>, rest: &[&str]) -> bool {
    match *rest {
        [id] => remove(steps, |step| step.id == id),
        [id, ref key @ ..] => {
            steps.iter_mut().find(|step| step.id == id).is_some_and(|step| step_key(step, key))
        }
        [] => false,
    }
}

fn step_key(step: &mut Step, key: &[&str]) -> bool {
    match *key {
        ["when"] => step.when.take().is_some(),
        ["on"] => reset(&mut step.on, Position::Each),
        ["at"] => reset(&mut step.at, At::Here),
        ["needs"] => empty(&mut step.needs),
        ["needs", check] => remove(&mut step.needs, |id| *id == check),
        ["done"] => step.done.take().is_some(),
        ["exit"] => reset(&mut step.exit, vec![0]),
        ["has"] => step.has.take().is_some(),
        ["lacks"] => step.lacks.take().is_some(),
        ["once"] => std::mem::take(&mut step.once),
        ["no-return"] => std::mem::take(&mut step.no_return),
        ["repeat"] => std::mem::take(&mut step.repeat_safe),
        ["optional"] => std::mem::take(&mut step.optional),
        ["required"] => reset(&mut step.required, true),
        ["expect"] => step.expect.take().is_some(),
        ["late"] => step.late.take().is_some(),
        ["timeout"] => reset(&mut step.timeout, USUAL_TIMEOUT),
        ["tells"] => empty(&mut step.tells),
        ["progress"] => {
            let acts = [&mut step.act.linux, &mut step.act.unix, &mut step.act.windows];
            let mut taken = false;
            for act in acts.into_iter().flatten() {
                if let Act::Wait(wait) = act {
                    taken |= wait.progress.take().is_some();
                }
            }
            taken
        }
        _ => false,
    }
}

fn stage_key(stage: &mut Stage, key: &[&str]) -> bool {
    match *key {
        ["when"] => stage.when.take().is_some(),
        ["first"] => stage.first.take().is_some(),
        ["last"] => stage.last.take().is_some(),
        ["gates"] => empty(&mut stage.gates),
        ["gates", check] => remove(&mut stage.gates, |id| *id == check),
        ["soak"] => stage.soak.take().is_some(),
        ["keep-up"] => stage.keep_up.take().is_some(),
        ["tally"] => stage.tally.take().is_some(),
        ["leave-out"] => stage.leave_out.take().is_some(),
        ["at-a-time"] => reset(&mut stage.at_a_time, AtATime::Number(1)),
        _ => false,
    }
}

fn role_key(role: &mut Role, key: &[&str]) -> bool {
    match *key {
        ["version"] => role.version.take().is_some(),
        ["registered"] => role.registered.take().is_some(),
        ["detect"] => role.detect.take().is_some(),
        ["services"] => std::mem::take(&mut role.services).iter().next().is_some(),
        ["keep-up"] => role.keep_up.take().is_some(),
        ["access"] => reset(&mut role.access, nofm::profile::Access::Ssh),
        ["count"] => reset(&mut role.count, Count { min: 0, max: None }),
        _ => false,
    }
}

fn input_key(input: &mut Input, key: &[&str]) -> bool {
    match *key {
        ["default"] => std::mem::take(&mut input.default).iter().next().is_some(),
        ["help"] => input.help.take().is_some(),
        ["optional"] => std::mem::take(&mut input.optional),
        ["unsure"] => std::mem::take(&mut input.unsure),
        ["when"] => input.when.take().is_some(),
        _ => false,
    }
}

fn fact_key(fact: &mut Fact, key: &[&str]) -> bool {
    match *key {
        ["ask"] => fact.ask.take().is_some(),
        ["match"] => fact.pick.take().is_some(),
        ["at"] => {
            let usual = if fact.roles.is_empty() { At::Local } else { At::Here };
            reset(&mut fact.at, usual)
        }
        _ => false,
    }
}

fn notice_key(notice: &mut Notice, key: &[&str]) -> bool {
    match *key {
        ["banner"] => notice.banner.take().is_some(),
        ["confirm"] => std::mem::take(&mut notice.confirm),
        ["when"] => notice.when.take().is_some(),
        ["page"] => reset(&mut notice.page, Page::Information),
        ["roles"] => empty(&mut notice.roles),
        _ => false,
    }
}

fn check_key(check: &mut Check, key: &[&str]) -> bool {
    match (key, &mut check.kind) {
        (["when"], _) => check.when.take().is_some(),
        (["fix"], _) => check.fix.take().is_some(),
        (["remedy"], _) => check.remedy.take().is_some(),
        (["severity"], _) => {
            let other = if check.severity == Severity::Block { Severity::Warn } else { Severity::Block };
            reset(&mut check.severity, other)
        }
        (["at"], _) => {
            let usual = if check.roles.is_empty() { At::Local } else { At::Here };
            reset(&mut check.at, usual)
        }
        (["phase", "start"], _) => std::mem::take(&mut check.at_start),
        (["phase", "end"], _) => std::mem::take(&mut check.at_end),
        (["younger"], CheckKind::File { younger, .. }) => younger.take().is_some(),
        (["min"], CheckKind::File { min, .. }) => min.take().is_some(),
        (["same-as"], CheckKind::File { same_as, .. }) => same_as.take().is_some(),
        _ => false,
    }
}

fn failure_key(failure: &mut Failure, key: &[&str]) -> bool {
    match *key {
        ["recover"] => failure.recover.take().is_some(),
        ["text"] => failure.text.take().is_some(),
        ["forbid"] => empty(&mut failure.forbid),
        ["forbid", act] => remove(&mut failure.forbid, |forbid| word(&forbid.act) == act),
        ["offer", offer] => remove(&mut failure.offer, |one| word(one) == offer),
        ["undoes"] => empty(&mut failure.undoes),
        ["then"] => reset(&mut failure.then, Then::End),
        ["when"] => failure.when.take().is_some(),
        ["on"] => reset(&mut failure.on, Position::Each),
        ["stages"] => empty(&mut failure.stages),
        ["steps"] => empty(&mut failure.steps),
        ["after"] => empty(&mut failure.after),
        _ => false,
    }
}

/// What is written in a profile for it.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
