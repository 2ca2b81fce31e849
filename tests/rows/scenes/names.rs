//! Whether everything that a file of scenes names is there.

use std::collections::BTreeSet;

use nofm::engine::{ATTENDED_TERMINAL, GATES, INSTALLED_VERSION};
use nofm::plan::Scripts;
use nofm::profile::{Profile, Source};

use super::format::{File, Prepare, Question, Scene};
use super::os;
use crate::sim::story::{Address, Changes, Spot, fault, split, spot};

struct Names<'a> {
    profile: &'a Profile,
    hosts: BTreeSet<&'a str>,
    /// Script and path of every step.
    steps: Vec<(String, String)>,
    wrong: Vec<String>,
}

/// What is named and is not there.
pub fn wrong(file: &File, profile: &Profile) -> Vec<String> {
    let scripts = Scripts::of(profile);
    let mut steps = Vec::new();
    for (stage, script) in profile.stages.iter().zip(&scripts.stages) {
        steps.extend(script.steps.iter().map(|step| (stage.id.to_string(), step.id.to_string())));
        steps.push((stage.id.to_string(), GATES.to_owned()));
    }
    for (word, script) in scripts
        .recoveries
        .values()
        .map(|script| ("recovery", script))
        .chain(scripts.fixes.values().map(|script| ("fix", script)))
        .chain([("collect", &scripts.collection.script)])
    {
        steps.extend(script.steps.iter().map(|step| (word.to_owned(), step.id.to_string())));
    }
    let hosts = file.hosts.iter().map(|host| host.name.as_str()).collect();
    let mut names = Names { profile, hosts, steps, wrong: Vec::new() };
    names.farm(file);
    let mut seen = BTreeSet::new();
    for scene in &file.scenes {
        let before = names.wrong.len();
        names.scene(scene);
        for wrong in &mut names.wrong[before..] {
            *wrong = format!("{}: {wrong}", scene.name);
        }
        if !seen.insert(&scene.name) {
            names.wrong.push(format!("two scenes are called {}", scene.name));
        }
    }
    names.wrong
}

impl Names<'_> {
    fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(what());
        }
    }

    fn farm(&mut self, file: &File) {
        for host in &file.hosts {
            for role in &host.roles {
                let known = self.profile.role(&role.as_str().into()).is_some();
                self.must(known, || format!("{}: there is no role {role}", host.name));
            }
            let system = host.os.as_deref().unwrap_or("linux");
            self.must(os(system).is_some(), || format!("{}: there is no system {system}", host.name));
            let access = host.access.as_deref().unwrap_or("ssh");
            self.must(["ssh", "none"].contains(&access), || {
                format!("{}: there is no access {access}", host.name)
            });
            self.inputs(host.inputs.keys());
        }
        self.inputs(file.inputs.keys());
        self.changes("world", &file.world.0);
        for (at, effect) in &file.effects {
            self.step("effects", at);
            self.changes(at, &effect.changes);
        }
        for reaction in &file.reactions {
            self.reaction(reaction);
        }
    }

    fn reaction(&mut self, reaction: &super::format::Reaction) {
        for (at, _) in reaction.when.iter().chain(&reaction.unless) {
            self.fact("reactions", at);
        }
        self.changes("reactions", &reaction.changes);
    }

    fn inputs<'i>(&mut self, ids: impl Iterator<Item = &'i String>) {
        for id in ids {
            let known = self.profile.input(&id.as_str().into()).is_some();
            self.must(known, || format!("there is no input {id}"));
        }
    }

    fn host(&mut self, whence: &str, host: &str) {
        let known = host.starts_with('{') || self.hosts.contains(host);
        self.must(known, || format!("{whence}: there is no host {host}"));
    }

    fn fact(&mut self, whence: &str, at: &str) {
        let (name, spot) = spot(at);
        if let Spot::Host(host) = spot {
            self.host(whence, host);
        }
        if name.starts_with('_') {
            return;
        }
        let fact = self.profile.fact(&name.into());
        self.must(fact.is_some(), || {
            format!("{whence}: there is no fact {name}; a mark of your own begins with `_`")
        });
        if let Some(fact) = fact {
            let given = !matches!(fact.source, Source::Value(_));
            self.must(given, || format!("{whence}: the fact {name} follows from others, and is not set"));
            let asked = matches!(fact.source, Source::Ask);
            self.must(!asked, || format!("{whence}: the fact {name} is only asked: set it in `told`"));
            let of_farm = fact.roles.is_empty() && !matches!(spot, Spot::Own | Spot::Farm);
            self.must(!of_farm, || format!("{whence}: the fact {name} is the farm's, and of no host"));
        }
    }

    fn check(&mut self, whence: &str, at: &str) {
        let (id, host) = split(at, '@');
        let known =
            self.profile.check(&id.into()).is_some() || [ATTENDED_TERMINAL, INSTALLED_VERSION].contains(&id);
        self.must(known, || format!("{whence}: there is no check {id}"));
        if let Some(host) = host {
            self.host(whence, &host);
        }
    }

    fn fact_or_check(&mut self, whence: &str, at: &str) {
        let (id, host) = split(at, '@');
        let known = self.profile.fact(&id.into()).is_some() || self.profile.check(&id.into()).is_some();
        self.must(known, || format!("{whence}: there is no fact and no check {id}"));
        if let Some(host) = host {
            self.host(whence, &host);
        }
    }

    fn changes(&mut self, whence: &str, changes: &Changes) {
        let facts = changes.facts.iter().chain(&changes.adds).chain(&changes.removes);
        for (at, _) in facts {
            self.fact(whence, at);
        }
        for (about, _) in &changes.told {
            self.fact_or_check(whence, about);
        }
        let files = changes.files.iter().map(|(at, _)| at);
        let places = files.chain(changes.free.iter().map(|(at, _)| at));
        for at in places.chain(changes.services.iter().map(|(at, _)| at)) {
            let host = at.split_once(':').map_or(at.as_str(), |(host, _)| host);
            if host != "console" {
                self.host(whence, host);
            }
        }
        for (host, _) in &changes.clocks {
            self.host(whence, host);
        }
        for (check, _) in &changes.holds {
            self.check(whence, check);
        }
    }

    fn step(&mut self, whence: &str, text: &str) {
        let address = Address::parse(text);
        let known = self.steps.iter().any(|(script, path)| {
            address.script.as_ref().is_none_or(|wanted| wanted == script)
                && path
                    .strip_suffix(&address.step)
                    .is_some_and(|before| before.is_empty() || before.ends_with('.'))
        });
        self.must(known, || {
            let stage = address.script.as_ref().map_or_else(String::new, |script| format!(" in `{script}`"));
            format!("{whence}: there is no step `{}`{stage}", address.step)
        });
        if let Some(host) = address.host.filter(|host| host != "farm") {
            self.host(whence, &host);
        }
        if let Some(place) = address.place.filter(|place| place != "console") {
            self.host(whence, &place);
        }
    }

    fn stage(&mut self, whence: &str, id: &str) {
        let known = self.profile.stage(&id.into()).is_some();
        self.must(known, || format!("{whence}: there is no stage {id}"));
    }

    fn about(&mut self, whence: &str, text: &str) {
        let (kind, what) = text.split_once(' ').unwrap_or((text, ""));
        match kind {
            "confirm" | "manual" | "attended" | "optional" | "settle" | "slow" | "failure" => {
                self.step(whence, what);
            }
            "fact" | "check" => self.fact_or_check(whence, what),
            "end" => self.check(whence, what),
            "keep-up" => self.stage(whence, what),
            _ => self.wrong.push(format!("{whence}: no question is called `{text}`")),
        }
    }

    fn moment(&mut self, text: &str) {
        let (word, rest) = text.split_once(' ').unwrap_or(("", text));
        match word {
            "stage" => self.stage("order", rest),
            "asked" => self.about("order", rest),
            word if word == "over" || word.ends_with("/over") => {
                if let Some(stage) = word.strip_suffix("/over") {
                    self.stage("order", stage);
                }
                let host = rest.split_once('/').map_or(rest, |(_, host)| host);
                if host != "farm" {
                    self.host("order", host);
                }
            }
            "" | "ok" | "failed" | "unknown" | "skipped" | "already" | "tolerated" => {
                self.step("order", rest);
            }
            _ => self.wrong.push(format!("order: `{text}` says nothing that is known here")),
        }
    }

    fn ends(&mut self, text: &str) {
        let word = text.split([' ', ':']).next().unwrap_or_default();
        match word {
            "done" | "blocked" if text == word => {}
            "failed" | "stopped" => {}
            "failure" => self.about("ends", text),
            "asked" => self.about("ends", text.trim_start_matches("asked ")),
            _ => self.wrong.push(format!("ends: there is no end `{text}`")),
        }
    }

    fn scene(&mut self, scene: &Scene) {
        for host in scene.hosts.iter().flatten() {
            self.host("hosts", host);
        }
        self.inputs(scene.inputs.keys().chain(scene.refused.keys()));
        self.changes("world", &scene.world.0);
        for (at, effect) in &scene.effects {
            self.step("effects", at);
            self.changes(at, &effect.changes);
        }
        for reaction in &scene.reactions {
            self.reaction(reaction);
        }
        for text in &scene.faults {
            match fault(text) {
                Ok(_) => self.step("faults", text.split_whitespace().last().unwrap_or_default()),
                Err(why) => self.wrong.push(format!("faults: {why}")),
            }
        }
        for Prepare { fix, waive, world, reason } in &scene.prepare {
            for at in fix.iter().chain(waive) {
                self.check("prepare", at);
            }
            if let Some(world) = world {
                self.changes("prepare", &world.0);
            }
            self.must(fix.is_some() || waive.is_some() || world.is_some(), || {
                "prepare: nothing is done".to_owned()
            });
            self.must(reason.is_none() || waive.is_some(), || {
                "prepare: `reason` belongs to `waive`".to_owned()
            });
        }
        for question in &scene.questions {
            self.question(question);
        }
        for text in scene.ends.all() {
            self.ends(text);
        }
        self.must(!scene.ends.all().is_empty(), || "ends: it says nothing".to_owned());
        self.expectations(scene);
    }

    fn question(&mut self, question: &Question) {
        let Question { about, world, .. } = question;
        self.about("questions", about);
        self.changes(about, &world.0);
        for act in question.refuses.keys() {
            let known = CHOICES.contains(&act.as_str()) || FORBIDDEN.contains(&act.as_str());
            self.must(known, || format!("{about}: there is no choice `{act}`"));
        }
        let choices = question.offers.iter().chain(&question.never_offers).chain(&question.reply);
        for choice in choices.chain(question.only.iter().flatten()) {
            self.must(CHOICES.contains(&choice.as_str()), || {
                format!("{about}: there is no choice `{choice}`")
            });
        }
    }

    fn expectations(&mut self, scene: &Scene) {
        for text in &scene.order {
            self.moment(text);
        }
        let plan = scene.plan.iter().map(|line| &line.at).chain(&scene.unplanned);
        let steps = plan.chain(scene.commands.iter().map(|command| &command.at));
        let steps = steps.chain(scene.runs.keys()).chain(&scene.never).chain(scene.together.iter().flatten());
        for text in steps {
            self.step("the scene", text);
        }
        for about in scene.asks.keys() {
            self.about("asks", about);
        }
        for host in scene.runs.values().chain(scene.asks.values()).flatten().filter(|host| *host != "farm") {
            self.host("runs, asks", host);
        }
        let checks = scene.blocked.keys().chain(scene.warned.keys());
        for at in checks.chain(scene.still.iter().flat_map(|still| still.keys())) {
            self.check("blocked, warned, still", at);
        }
        let notices = scene.notices.iter().map(|notice| &notice.id);
        for id in notices.chain(&scene.unshown).chain(&scene.unconfirmed) {
            let known = self.profile.notice(&id.as_str().into()).is_some();
            self.must(known, || format!("there is no notice {id}"));
        }
        for stage in scene.banners.iter().flat_map(|banner| &banner.during) {
            self.stage("banners", stage);
        }
        for act in scene.bans.keys() {
            self.must(FORBIDDEN.contains(&act.as_str()), || format!("bans: nothing is called {act}"));
        }
        for at in scene.told.iter().chain(scene.facts.keys()) {
            self.fact_or_check("told, facts", at);
        }
    }
}

const FORBIDDEN: [&str; 9] =
    ["retry", "by_hand", "leave_out", "recover", "hold", "abort", "collect", "new_session", "reboot"];

const CHOICES: [&str; 22] = [
    "yes",
    "no",
    "tell",
    "unknown",
    "done",
    "cannot",
    "start",
    "do",
    "skip",
    "succeeded",
    "failed",
    "look_again",
    "waive",
    "fix",
    "accept",
    "retry",
    "by_hand",
    "leave_out",
    "recover",
    "hold",
    "abort",
    "collect",
];
