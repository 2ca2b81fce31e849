//! What came of a scene, beside what it says must come of it.

use std::collections::BTreeSet;

use nofm::engine::{Close, Event, ProbeKey};
use nofm::model::{Known, ServerName};
use nofm::profile::{Forbidden, Page};
use nofm::words::{checks, finish, notices};

use super::play::{Ended, Play, says};
use super::timeline::{Entry, Moment, What, about_text, host_about, is_about, timeline};
use crate::sim::story::{Address, host_of, split};

pub fn compare(play: &mut Play<'_>, ended: &Ended) {
    let moments = timeline(play.session.journal.iter().map(|(_, event)| event));
    let mut wrong = Vec::new();
    wrong.extend(how(play, ended));
    wrong.extend(order(&play.scene.order, &moments));
    wrong.extend(runs(play, &moments));
    wrong.extend(together(&play.scene.together, &moments));
    wrong.extend(commands(play, &moments));
    wrong.extend(screen(play));
    wrong.extend(texts(play));
    wrong.extend(known(play));
    play.wrong.append(&mut wrong);
}

fn how(play: &Play<'_>, ended: &Ended) -> Vec<String> {
    let wanted = play.scene.ends.all();
    let is = |holds: bool, found: String| {
        if holds { Vec::new() } else { vec![format!("it ends {found}, not {wanted:?}")] }
    };
    let closed = |word: &str, why: &str| {
        wanted.len() == 1
            && wanted[0].strip_prefix(word).is_some_and(|rest| {
                rest.is_empty() || rest.strip_prefix(':').is_some_and(|part| why.contains(part.trim()))
            })
    };
    match ended {
        Ended::Blocked(lacking) => is(closed("blocked", ""), format!("blocked by {lacking:#?}")),
        Ended::Closed(Close::Done) => is(closed("done", ""), "done".to_owned()),
        Ended::Closed(Close::Failed { why }) => is(closed("failed", why), format!("failed: {why}")),
        Ended::Closed(Close::Stopped { why }) => is(closed("stopped", why), format!("stopped: {why}")),
        Ended::Quiet => is(false, "with nothing to do and nothing to answer".to_owned()),
        Ended::Open(open) => {
            let found: Vec<String> = open
                .iter()
                .map(|(id, about)| {
                    let question = play.session.state.questions.get(id);
                    let details = question.map(|question| {
                        let options = question.options.iter().map(|option| option.choice.as_str());
                        format!(
                            "{}; {:?}; {:?}",
                            question.text,
                            question.details,
                            options.collect::<Vec<_>>()
                        )
                    });
                    format!("{} ({})", about_text(about), details.unwrap_or_default())
                })
                .collect();
            let names = |text: &String| text.strip_prefix("asked ").unwrap_or(text).to_owned();
            let holds = wanted.iter().all(|text| open.iter().any(|(_, about)| is_about(about, &names(text))))
                && open.iter().all(|(_, about)| wanted.iter().any(|text| is_about(about, &names(text))));
            is(holds, format!("at {found:#?}"))
        }
    }
}

/// Of all that the list names, exactly this happened in this order.
fn order(wanted: &[String], moments: &[Moment]) -> Vec<String> {
    let entries: Vec<Entry> = wanted.iter().map(|text| Entry::parse(text)).collect();
    let found: Vec<&Moment> =
        moments.iter().filter(|moment| entries.iter().any(|entry| entry.fits(moment))).collect();
    let holds =
        found.len() == entries.len() && entries.iter().zip(&found).all(|(entry, moment)| entry.fits(moment));
    if holds {
        return Vec::new();
    }
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    vec![format!("order: [{}] was expected; of that there was [{}]", wanted.join(", "), found.join(", "))]
}

/// Where a step was started, in order.
fn starts<'m>(moments: &'m [Moment], text: &str) -> Vec<&'m Moment> {
    let entry = Entry::Step(What::Starts, Address::parse(text));
    moments.iter().filter(|moment| entry.fits(moment)).collect()
}

fn hosts(moments: &[&Moment]) -> Vec<String> {
    let host = |moment: &&Moment| match moment {
        Moment::Step { key, .. } => Some(host_of(key)),
        Moment::Asked(about) => Some(host_about(about)),
        _ => None,
    };
    moments.iter().filter_map(host).collect()
}

fn runs(play: &Play<'_>, moments: &[Moment]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (step, wanted) in &play.scene.runs {
        let found = hosts(&starts(moments, step));
        if found != *wanted {
            wrong.push(format!("runs: {step} was started on {found:?}, not {wanted:?}"));
        }
    }
    for step in &play.scene.never {
        if !starts(moments, step).is_empty() {
            wrong.push(format!("never: {step} was started"));
        }
    }
    for (about, wanted) in &play.scene.asks {
        let asked: Vec<&Moment> = moments
            .iter()
            .filter(|moment| matches!(moment, Moment::Asked(seen) if is_about(seen, about)))
            .collect();
        let found = hosts(&asked);
        if found != *wanted {
            wrong.push(format!("asks: {about} was asked of {found:?}, not {wanted:?}"));
        }
    }
    wrong
}

fn together(wanted: &[Vec<String>], moments: &[Moment]) -> Vec<String> {
    let mut wrong = Vec::new();
    for list in wanted {
        let addresses: Vec<Address> = list.iter().map(|text| Address::parse(text)).collect();
        let first = |address: &Address, start: bool| {
            moments.iter().position(|moment| match moment {
                Moment::Step { what, key, .. } => address.fits(key) && (*what == What::Starts) == start,
                _ => false,
            })
        };
        let began: Option<Vec<usize>> = addresses.iter().map(|address| first(address, true)).collect();
        let over = addresses.iter().filter_map(|address| first(address, false)).min();
        let holds = began
            .is_some_and(|began| began.iter().max().is_some_and(|last| over.is_none_or(|over| *last < over)));
        if !holds {
            wrong.push(format!("together: {list:?} were not all under way at one moment"));
        }
    }
    wrong
}

fn commands(play: &Play<'_>, moments: &[Moment]) -> Vec<String> {
    let mut wrong = Vec::new();
    for wanted in &play.scene.commands {
        let found: Vec<&str> = starts(moments, &wanted.at)
            .into_iter()
            .filter_map(|moment| match moment {
                Moment::Step { command, .. } => Some(command.as_str()),
                _ => None,
            })
            .collect();
        if found.is_empty() {
            wrong.push(format!("commands: {} was never started", wanted.at));
        }
        for command in found {
            for part in wanted.has.all().iter().filter(|part| !command.contains(*part)) {
                wrong.push(format!("commands: {} lacks \"{part}\": {command}", wanted.at));
            }
            for part in wanted.lacks.all().iter().filter(|part| command.contains(*part)) {
                wrong.push(format!("commands: {} has \"{part}\": {command}", wanted.at));
            }
        }
    }
    wrong
}

fn screen(play: &Play<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let stages: BTreeSet<&str> = play.seen.iter().map(|seen| seen.stage.as_str()).collect();
    for banner in &play.scene.banners {
        let shown: BTreeSet<&str> = play
            .seen
            .iter()
            .filter(|seen| says(&seen.banners, &banner.says))
            .map(|seen| seen.stage.as_str())
            .collect();
        let wanted: BTreeSet<&str> = banner.during.iter().map(String::as_str).collect();
        if shown != wanted {
            wrong.push(format!(
                "banners: \"{}\" is shown during {shown:?}, not {wanted:?}; stages were {stages:?}",
                banner.says
            ));
        }
    }
    let mut tallies: Vec<&str> = Vec::new();
    for tally in play.seen.iter().filter_map(|seen| seen.tally.as_deref()) {
        if tallies.last() != Some(&tally) {
            tallies.push(tally);
        }
    }
    let mut rest = tallies.iter();
    for part in &play.scene.tallies {
        if !rest.by_ref().any(|tally| tally.contains(part)) {
            wrong.push(format!("tallies: \"{part}\" does not follow; there were {tallies:?}"));
            break;
        }
    }
    wrong
}

/// The last page.
fn last_page(play: &Play<'_>) -> Vec<String> {
    let state = &play.session.state;
    let mut texts = state.to_do.clone();
    let of_page = state.notices_shown().filter(|notice| notice.page == Page::Finish);
    texts.extend(of_page.map(|notice| notices::text(state, notice)));
    texts.extend(finish::lanes(state));
    texts.extend(finish::failures(state));
    texts.extend(finish::waived(state));
    texts.extend(
        checks::rows(state, true)
            .iter()
            .filter(|row| row.is_problem())
            .map(nofm::words::checks::CheckRow::text),
    );
    texts
}

fn texts(play: &Play<'_>) -> Vec<String> {
    let last = last_page(play);
    let mut all = play.texts.clone();
    all.extend(last.iter().cloned());
    for seen in &play.seen {
        all.extend(seen.tally.clone());
        all.extend(seen.banners.iter().cloned());
    }
    for (_, event) in &play.session.journal {
        match event {
            Event::Asked { question } => {
                all.push(question.text.clone());
                all.extend(question.details.iter().cloned());
                for option in &question.options {
                    all.push(option.does.clone());
                    all.extend(option.refused.clone());
                }
            }
            Event::Checked { shown, .. } => all.push(shown.clone()),
            Event::StepFailed { cause, .. } | Event::StepUnknown { cause, .. } => all.push(cause.to_string()),
            Event::FailureRuled { bans, .. } => all.extend(bans.iter().map(|ban| ban.why.clone())),
            Event::StepSettled { why, .. }
            | Event::Refused { why, .. }
            | Event::Closed { close: Close::Failed { why } | Close::Stopped { why } } => {
                all.push(why.clone());
            }
            _ => {}
        }
    }
    let scene = play.scene;
    let mut wrong = Vec::new();
    for (what, parts, texts) in [("says", &scene.says, &all), ("finish", &scene.finish, &last)] {
        for part in parts.all().iter().filter(|part| !says(texts, part)) {
            let there = if what == "finish" { format!(", but {last:#?}") } else { String::new() };
            wrong.push(format!("{what}: nothing says \"{part}\"{there}"));
        }
    }
    for (what, parts, texts) in
        [("never_says", &scene.never_says, &all), ("never_finish", &scene.never_finish, &last)]
    {
        for part in parts.all() {
            if let Some(text) = texts.iter().find(|text| text.contains(part)) {
                wrong.push(format!("{what}: \"{part}\" is said: {text}"));
            }
        }
    }
    wrong
}

/// What the session knows, and what it forbids.
fn known(play: &Play<'_>) -> Vec<String> {
    let (state, scene) = (&play.session.state, play.scene);
    let mut wrong = Vec::new();
    let key = |text: &str| {
        let (id, host) = split(text, '@');
        (id.to_owned(), host.map(|host| ServerName::from(host.as_str())))
    };
    for text in &scene.told {
        let (id, host) = key(text);
        let told = [
            ProbeKey::Fact(id.as_str().into(), host.clone()),
            ProbeKey::Check(id.as_str().into(), host.clone()),
        ]
        .iter()
        .any(|probe| state.latest.get(probe).is_some_and(|dated| dated.reading.known == Known::Told));
        if !told {
            wrong.push(format!("told: {text} is not the operator's word"));
        }
    }
    for (text, wanted) in &scene.facts {
        let (id, host) = key(text);
        let reading = state.latest.get(&ProbeKey::Fact(id.as_str().into(), host));
        let found = reading.and_then(|dated| dated.reading.value()).map(ToString::to_string);
        if found.as_ref() != Some(&wanted.0) {
            wrong.push(format!("facts: {text} is {found:?}, not {:?}", wanted.0));
        }
    }
    for ban in &state.bans {
        let act = serde_json::to_value(ban.act).ok().and_then(|act| act.as_str().map(str::to_owned));
        match act.as_ref().and_then(|act| scene.bans.get(act)) {
            // What is forbidden after one failure is named where it is asked about.
            None if !matches!(ban.act, Forbidden::NewSession | Forbidden::Reboot) => {}
            None => wrong.push(format!("bans: {act:?} stays forbidden: {}", ban.why)),
            Some(parts) => {
                for part in parts.all().iter().filter(|part| !ban.why.contains(*part)) {
                    wrong.push(format!("bans: {act:?} does not say \"{part}\", but: {}", ban.why));
                }
            }
        }
    }
    for act in scene.bans.keys() {
        let is =
            |ban: &nofm::engine::Ban| serde_json::to_value(ban.act).is_ok_and(|found| found == *act.as_str());
        if !state.bans.iter().any(is) {
            wrong.push(format!("bans: {act} is not forbidden"));
        }
    }
    wrong
}
