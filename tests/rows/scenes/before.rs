//! A scene until its plan is agreed to.

use std::collections::BTreeMap;

use nofm::engine::{Intent, Lack};
use nofm::inventory::Inventory;
use nofm::model::{CheckId, InputId, ServerName, Value};
use nofm::plan;
use nofm::profile::Profile;
use nofm::words::{checks, notices, summary};

use super::format::{File, PlanLine, Prepare, Scene, Texts};
use super::play::{Play, says};
use super::timeline::at;
use super::{format, os};
use crate::sim::story::{Address, split};

/// Answers, checks, prepares, and begins.
///
/// # Errors
/// What is in the way.
pub fn begin(play: &mut Play<'_>) -> Result<(), Vec<String>> {
    let scene = play.scene;
    let _ = play.intent(&Intent::TakePen { by_force: true });
    answer(play);
    let _ = play.intent(&Intent::Survey);
    check_all(play);
    compare(play, "blocked", &scene.blocked, |lack| matches!(lack, Lack::Blocked { .. }));
    compare(play, "warned", &scene.warned, |lack| matches!(lack, Lack::Warned { .. }));
    for prepare in &scene.prepare {
        self::prepare(play, prepare);
    }
    if let Some(still) = &scene.still {
        let of_check = |lack: &Lack| matches!(lack, Lack::Blocked { .. } | Lack::Warned { .. });
        compare(play, "still blocked or warned", still, of_check);
    }
    look_at_notices(play);
    for notice in play.session.state.open_notices() {
        if !scene.unconfirmed.iter().any(|id| *id == notice.as_str()) {
            let _ = play.intent(&Intent::ConfirmNotice { notice });
        }
    }
    let plan = plan::build(&play.session.setup, &play.session.state.answers);
    if let Ok(plan) = &plan {
        look_at_plan(play, plan);
    }
    let lacking = lacking(play);
    for part in &scene.lacks {
        if !says(&lacking, part) {
            play.complain(format!("lacks: nothing says \"{part}\", but {lacking:#?}"));
        }
    }
    if !lacking.is_empty() {
        return Err(lacking);
    }
    let plan =
        plan.map_err(|problems| problems.into_iter().map(|problem| problem.text).collect::<Vec<_>>())?;
    play.intent(&Intent::Begin { plan: plan.hash }).map_err(|why| vec![why])
}

/// What keeps the upgrade from being started, in words.
fn lacking(play: &Play<'_>) -> Vec<String> {
    let state = &play.session.state;
    state.lacking().iter().map(|lack| state.lack_text(lack)).collect()
}

/// What the scene answers to the inputs that the profile has: input, key, value.
pub fn answers(
    file: &File,
    scene: &Scene,
    profile: &Profile,
    inventory: &Inventory,
) -> Result<Vec<(InputId, String, Value)>, String> {
    let mut given: BTreeMap<&String, &toml::Value> = file.inputs.iter().collect();
    given.extend(&scene.inputs);
    let there = |key: &str| {
        let mut servers = inventory.servers.iter();
        key.is_empty() || servers.any(|server| os(key) == Some(server.os) || server.name == *key)
    };
    let mut answers = Vec::new();
    for (id, value) in given {
        // A profile that lacks the input is not asked for it.
        let Some(input) = profile.input(&id.as_str().into()) else { continue };
        let each: Vec<(&str, &toml::Value)> = match value {
            toml::Value::Table(each) => each.iter().map(|(key, value)| (key.as_str(), value)).collect(),
            value => vec![("", value)],
        };
        for (key, value) in each.into_iter().filter(|(key, _)| there(key)) {
            let value = format::answer(value).map_err(|why| format!("inputs.{id}: {why}"))?;
            answers.push((input.id.clone(), key.to_owned(), value));
        }
    }
    Ok(answers)
}

fn answer(play: &mut Play<'_>) {
    let scene = play.scene;
    let given = match answers(play.file, scene, play.profile, &play.session.setup.inventory) {
        Ok(given) => given,
        Err(why) => return play.complain(why),
    };
    for (input, key, value) in given {
        let id = input.to_string();
        match (play.intent(&Intent::Answer { input, key, value }), scene.refused.get(&id)) {
            (Ok(()), None) => {}
            (Ok(()), Some(_)) => play.complain(format!("inputs.{id} is not refused")),
            (Err(why), Some(parts)) => {
                for part in parts.all().iter().filter(|part| !why.contains(*part)) {
                    play.complain(format!("inputs.{id} is not refused with \"{part}\", but: {why}"));
                }
                play.texts.push(why);
            }
            (Err(why), None) => play.complain(format!("inputs.{id} is refused: {why}")),
        }
    }
    for input in play.profile.inputs.iter().filter(|input| input.unsure) {
        let _ = play.intent(&Intent::AgreeUnsure { input: input.id.clone() });
    }
}

fn check_all(play: &mut Play<'_>) {
    let _ = play.intent(&Intent::Check { check: None, server: None });
    play.pursue();
    note(play);
}

/// What the pages of the checks show.
fn note(play: &mut Play<'_>) {
    let state = &play.session.state;
    let rows = checks::rows(state, false);
    let mut texts: Vec<String> = rows.iter().map(|row| format!("{}: {}", row.title, row.text())).collect();
    texts.extend(checks::remedies(state, &rows).into_iter().map(|remedy| remedy.text));
    texts.extend(lacking(play));
    play.texts.extend(texts);
}

/// Whether exactly `wanted` lacks, with what it says.
fn compare(play: &mut Play<'_>, what: &str, wanted: &BTreeMap<String, Texts>, is: fn(&Lack) -> bool) {
    let state = &play.session.state;
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for lack in state.lacking().iter().filter(|lack| is(lack)) {
        let (Lack::Blocked { check, server, .. } | Lack::Warned { check, server, .. }) = lack else {
            continue;
        };
        let mut texts = vec![state.lack_text(lack)];
        if let Some(row) = checks::row(state, check, server.as_ref()) {
            texts.push(row.text());
        }
        texts.extend(state.remedy(check, server.as_ref()));
        found.insert(at(check.as_str(), server.as_ref()), texts);
    }
    let mut wrong = Vec::new();
    for (at, texts) in &found {
        match wanted.get(at) {
            None => wrong.push(format!("{what}: {at}, which the scene does not name: {texts:?}")),
            Some(parts) => {
                for part in parts.all() {
                    if !says(texts, part) {
                        wrong.push(format!("{what}: {at}: nothing says \"{part}\", but {texts:#?}"));
                    }
                }
            }
        }
    }
    for at in wanted.keys().filter(|at| !found.contains_key(*at)) {
        let (check, server) = place(at);
        let row = checks::row(state, &check, server.as_ref());
        let row = row.map_or_else(|| "it is not checked there".to_owned(), |row| row.text());
        wrong.push(format!("not {what}: {at}; {row}"));
    }
    play.wrong.extend(wrong);
}

fn place(at: &str) -> (CheckId, Option<ServerName>) {
    let (check, server) = split(at, '@');
    (check.into(), server.map(|server| server.as_str().into()))
}

fn prepare(play: &mut Play<'_>, prepare: &Prepare) {
    if let Some(at) = &prepare.fix {
        let (check, server) = place(at);
        if let Err(why) = play.intent(&Intent::Fix { check, server }) {
            play.complain(format!("the fix of {at} is refused: {why}"));
        }
        play.pursue();
        note(play);
    }
    if let Some(at) = &prepare.waive {
        let (check, server) = place(at);
        let reason = prepare.reason.clone().unwrap_or_else(|| "we know why".to_owned());
        if let Err(why) = play.intent(&Intent::Waive { check, server, reason }) {
            play.complain(format!("waiving {at} is refused: {why}"));
        }
    }
    if let Some(world) = &prepare.world {
        play.session.world.change(&world.0);
        check_all(play);
    }
}

fn look_at_notices(play: &mut Play<'_>) {
    let state = &play.session.state;
    let mut wrong = Vec::new();
    let open = state.open_notices();
    for wanted in &play.scene.notices {
        let Some(notice) = state.notices_shown().find(|notice| notice.id == *wanted.id.as_str()) else {
            wrong.push(format!("the notice {} is not shown", wanted.id));
            continue;
        };
        let page = format!("{:?}", notice.page).to_lowercase();
        if wanted.page.as_ref().is_some_and(|wanted| *wanted != page) {
            wrong.push(format!("the notice {} is on page {page}", wanted.id));
        }
        let text = [notices::text(state, notice)];
        for part in wanted.says.all() {
            if !says(&text, part) {
                wrong.push(format!("the notice {} does not say \"{part}\", but {text:?}", wanted.id));
            }
        }
        if wanted.confirm != open.iter().any(|id| *id == *wanted.id.as_str()) {
            wrong.push(format!("the notice {}: to be confirmed: {}", wanted.id, !wanted.confirm));
        }
    }
    for id in &play.scene.unshown {
        if state.notices_shown().any(|notice| notice.id == *id.as_str()) {
            wrong.push(format!("the notice {id} is shown"));
        }
    }
    let texts: Vec<String> = state.notices_shown().map(|notice| notices::text(state, notice)).collect();
    play.texts.extend(texts);
    // What must be confirmed keeps it from beginning.
    if !open.is_empty()
        && let Ok(plan) = plan::build(&play.session.setup, &play.session.state.answers)
        && play.intent(&Intent::Begin { plan: plan.hash }).is_ok()
    {
        wrong.push("it begins without its notices being confirmed".to_owned());
    }
    play.wrong.extend(wrong);
}

fn look_at_plan(play: &mut Play<'_>, plan: &plan::Plan) {
    let rows = summary::rows(&play.session.setup, &play.session.state.answers, plan, true);
    let lines: Vec<(Address, String)> = rows
        .iter()
        .map(|row| {
            let host = row.server.as_ref().map_or_else(|| "farm".to_owned(), ToString::to_string);
            let at = Address {
                script: Some(row.stage.to_string()),
                step: row.step.to_string(),
                host: Some(host),
                place: None,
            };
            let mut parts = vec![row.title.clone()];
            parts.extend(row.notes());
            parts.extend(row.expect_ms.map(|ms| format!("about {}", summary::approximate(ms))));
            parts.extend(row.no_return.then(|| "no way back".to_owned()));
            parts.extend(row.command.clone());
            (at, parts.join(" | "))
        })
        .collect();
    let fits = |wanted: &Address, at: &Address| {
        let step = at
            .step
            .strip_suffix(&wanted.step)
            .is_some_and(|before| before.is_empty() || before.ends_with('.'));
        step && (wanted.host.is_none() || wanted.host == at.host)
            && (wanted.script.is_none() || wanted.script == at.script)
    };
    let mut wrong = Vec::new();
    for PlanLine { at, says: parts, never_says } in &play.scene.plan {
        let address = Address::parse(at);
        let found: Vec<&String> =
            lines.iter().filter(|(line, _)| fits(&address, line)).map(|(_, text)| text).collect();
        if found.is_empty() {
            wrong.push(format!("the plan has no line {at}"));
        }
        for text in found {
            for part in parts.all().iter().filter(|part| !text.contains(*part)) {
                wrong.push(format!("the plan does not say \"{part}\" at {at}, but: {text}"));
            }
            for part in never_says.all().iter().filter(|part| text.contains(*part)) {
                wrong.push(format!("the plan says \"{part}\" at {at}: {text}"));
            }
        }
    }
    for at in &play.scene.unplanned {
        let address = Address::parse(at);
        if let Some((_, text)) = lines.iter().find(|(line, _)| fits(&address, line)) {
            wrong.push(format!("the plan has {at}: {text}"));
        }
    }
    play.texts.extend(lines.into_iter().map(|(_, text)| text));
    play.wrong.extend(wrong);
}
