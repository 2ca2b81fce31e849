//! Steps.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::listed_tables;
use super::place::{Place, Purpose};
use super::read::{Reader, position, regex};
use crate::model::{CheckId, FactId, Os, ProcedureId, StepId};
use crate::profile::ast::{Act, At, PerOs, Position, ServiceAct, Step, Wait};
use crate::profile::expr::{Expr, Kind, Template};
use crate::text::diagnostic::Diagnostic;
use crate::text::toml::{Item, Table, Text, listed};

const ACTS: [&str; 10] =
    ["run", "attended", "manual", "confirm", "upload", "service", "wait", "reboot", "collect", "use"];

/// Keys that only go with some acts, with the acts and what to do otherwise.
const GO_WITH: [(&str, &[&str], &str); 9] = [
    (
        "timeout",
        &["wait", "service", "reboot"],
        "nothing that runs on a server is ever stopped for being slow: `late` says when it is late",
    ),
    ("every", &["wait"], "it says how often a `wait` looks"),
    ("progress", &["wait"], "it shows how far a `wait` is"),
    ("services", &["service"], "it says which services `service` is about"),
    ("with", &["use"], "it gives values to a procedure"),
    ("exit", &["run", "attended"], "it is about the exit status of a command"),
    ("has", &["run", "attended"], "it is about the output of a command"),
    ("lacks", &["run", "attended"], "it is about the output of a command"),
    ("tells", &["run", "attended", "manual", "confirm"], "it asks the operator when the step is done"),
];

/// Keys that say something about one act, not about a procedure.
const NOT_WITH_USE: [&str; 9] =
    ["done", "once", "no-return", "exit", "has", "lacks", "repeat", "timeout", "tells"];

impl<'d> Reader<'d> {
    pub(super) fn steps(&self, table: &Table<'d>, place: &Place<'d>, address: &str) -> Vec<Step> {
        let tables = listed_tables(table, "steps", "step");
        if tables.is_empty() {
            self.doc.report_absence(
                Diagnostic::new(table.span(), format!("{} has no steps", table.what()))
                    .help("write `[[….steps]]` with an `id` and an act"),
            );
        }
        let id_of = |table: &Table<'d>| {
            table.entries().get("id").and_then(|id| id.get_ref().as_str()).unwrap_or_default().to_owned()
        };
        let ids: Vec<String> = tables.iter().map(id_of).collect();
        let mut before = BTreeMap::new();
        let read = |(index, table)| {
            let order: (Vec<String>, Vec<String>) = (ids[..=index].to_vec(), ids[index + 1..].to_vec());
            let place = Place { steps: Some(order), ..place.clone() };
            self.step(table, &place, address, &mut before)
        };
        tables.into_iter().enumerate().map(read).collect()
    }

    fn step(
        &self,
        table: Table<'d>,
        place: &Place<'d>,
        list: &str,
        before: &mut BTreeMap<String, std::ops::Range<usize>>,
    ) -> Step {
        let id = self.id(&table, before);
        let span = id.as_ref().map_or_else(|| table.span(), Text::span);
        let id = id.map(|id| id.as_str()).unwrap_or_default();
        let address = format!("{list}.{id}");
        self.mark(address.clone(), span);
        let (at, place) = self.place_of_step(&table, place);
        let place = &place;
        let act = self.act(&table, place, &at, &address);
        let checks: Vec<_> = self.world.checks.keys().map(String::as_str).collect();
        let step = Step {
            id: StepId::from(id),
            title: table.string("title"),
            on: self.position_of_step(&table, place),
            when: self.condition(table.get("when").as_ref(), place),
            needs: self.ids::<CheckId>(table.get("needs"), "check", &checks),
            done: self.condition(table.get("done").as_ref(), &place.for_purpose(Purpose::Outcome)),
            exit: table.get("exit").map_or_else(|| vec![0], |item| exits(&item)),
            has: table.get("has").and_then(|item| regex(&item)),
            lacks: table.get("lacks").and_then(|item| regex(&item)),
            once: table.yes_no("once", false),
            no_return: table.yes_no("no-return", false),
            repeat_safe: table
                .get("repeat")
                .and_then(|item| item.one_of(&[("never", false), ("safe", true)]))
                .unwrap_or(false),
            optional: table.yes_no("optional", false),
            required: table.yes_no("required", true),
            expect: table.get("expect").and_then(|item| item.duration()),
            late: table.get("late").and_then(|item| item.duration()),
            timeout: table.get("timeout").and_then(|item| item.duration()).unwrap_or(Duration::from_mins(10)),
            tells: self.tells(&table),
            act,
            at,
            cite: table.string("cite"),
        };
        if let (Some(expect), Some(late), Some(item)) = (step.expect, step.late, table.get("late"))
            && late < expect
        {
            self.report(
                item.span(),
                "a step cannot be late before its usual time",
                "make `late` longer than `expect`",
            );
        }
        table.finish();
        step
    }

    /// Where a step runs, and what may be named in it.
    fn place_of_step(&self, table: &Table<'d>, place: &Place<'d>) -> (At, Place<'d>) {
        let default = if place.here.is_none() { At::Local } else { At::Here };
        let Some(item) = table.get("at") else { return (default, place.clone()) };
        let Some(at) = self.at(&item) else { return (default, place.clone()) };
        if place.here.is_none() {
            match &at {
                At::Here | At::Peer | At::Peers => {
                    let help = "write `local`, a role, or `one ROLE`";
                    self.report(item.span(), "no server is in turn here", help);
                }
                At::Role(role) | At::One(role) => {
                    let here = Some(BTreeSet::from([role.as_str().to_owned()]));
                    return (at, Place { here, ..place.clone() });
                }
                At::Local => {}
            }
        }
        (at, place.clone())
    }

    fn position_of_step(&self, table: &Table<'d>, place: &Place<'_>) -> Position {
        let position = position(table);
        if let (Some(item), None, true) = (table.get("on"), &place.here, position != Position::Each) {
            self.report(
                item.span(),
                "a stage without servers has no first and no last one",
                "say whose servers with `roles`",
            );
        }
        position
    }

    fn tells(&self, table: &Table<'d>) -> Vec<FactId> {
        let facts: Vec<_> = self.world.facts.keys().map(String::as_str).collect();
        let Some(item) = table.get("tells") else { return Vec::new() };
        for text in item.texts() {
            if self.world.facts.get(text.as_str()).is_some_and(|fact| !fact.asks) {
                text.report(format!("fact `{}` asks nothing", text.as_str()), "give it `ask`");
            }
        }
        self.ids(Some(item), "fact", &facts)
    }

    fn act(&self, table: &Table<'d>, place: &Place<'d>, at: &At, address: &str) -> PerOs<Act> {
        let given: Vec<_> = ACTS.iter().filter_map(|key| table.get(key)).collect();
        if given.is_empty() {
            let help = format!("give it one of {}", listed(ACTS));
            let problem = Diagnostic::new(table.span(), format!("{} does nothing", table.what())).help(help);
            self.doc.report_absence(problem);
        }
        self.check_keys(table, &given);
        let mut act = PerOs::default();
        let mut taken: Vec<(Os, Item<'d>)> = Vec::new();
        for item in &given {
            let read = self.read_act(table, item, place, at, address);
            for (os, one) in read.iter() {
                if let Some((_, first)) = taken.iter().find(|(known, _)| *known == os) {
                    let message = format!(
                        "a step does one thing, and on {} this one has `{}` and `{}`",
                        os.as_str(),
                        first.key(),
                        item.key()
                    );
                    self.doc.report(
                        Diagnostic::new(item.key_span(), message)
                            .also(first.key_span(), "the first")
                            .help("make two steps of them"),
                    );
                }
                taken.push((os, item.clone()));
                match os {
                    Os::Linux => act.linux = Some(one.clone()),
                    Os::Unix => act.unix = Some(one.clone()),
                    Os::Windows => act.windows = Some(one.clone()),
                }
            }
        }
        act
    }

    /// Keys that do not go with the act.
    fn check_keys(&self, table: &Table<'d>, given: &[Item<'d>]) {
        let has = |act: &&str| given.iter().any(|item| item.key() == *act);
        let is_use = has(&"use");
        if is_use {
            for item in NOT_WITH_USE.iter().filter_map(|key| table.get(key)) {
                let message =
                    format!("`{}` says something about one act, and this step uses a procedure", item.key());
                self.report(item.key_span(), message, "put it on the step inside the procedure");
            }
        }
        for (key, acts, why) in GO_WITH {
            let Some(item) = table.get(key) else { continue };
            if !given.is_empty() && !acts.iter().any(has) && (!is_use || !NOT_WITH_USE.contains(&key)) {
                let help = if key == "timeout" {
                    why.to_owned()
                } else {
                    format!("{why}; it goes with {}", listed(acts.iter().copied()))
                };
                self.report(item.key_span(), format!("`{key}` does not go with `{}`", given[0].key()), help);
            }
        }
    }

    fn read_act(
        &self,
        table: &Table<'d>,
        item: &Item<'d>,
        place: &Place<'d>,
        at: &At,
        address: &str,
    ) -> PerOs<Act> {
        if matches!(item.key(), "run" | "attended" | "upload" | "service" | "reboot" | "collect") {
            self.refuse_shell_less(item, at, place);
        }
        let systems = |os| self.systems_at(at, place, os);
        let words = |act: fn(Template) -> Act| self.per_os(item, |item, _| act(self.template(item, place)));
        match item.key() {
            "run" => self.per_os(item, |item, os| Act::Run(self.command(item, place, &systems(os)))),
            "attended" => {
                self.per_os(item, |item, os| Act::Attended(self.command(item, place, &systems(os))))
            }
            "manual" => words(Act::Manual),
            "confirm" => words(Act::Confirm),
            "collect" => self.per_os(item, |item, os| Act::Collect(self.path_list(item, place, os))),
            "upload" => item.text().map(|text| self.upload(&text, address)).unwrap_or_default(),
            "service" => self.service_act(table, item),
            "wait" => PerOs::all(Act::Wait(self.wait(table, item, place))),
            "reboot" => {
                item.only_true();
                if *at == At::Local {
                    self.report(
                        item.key_span(),
                        "this would restart the console, and the upgrade with it",
                        "name the server with `at`: a role, or `one ROLE`",
                    );
                }
                PerOs::all(Act::Reboot)
            }
            _ => self.use_of(table, item, place),
        }
    }

    fn path_list(&self, item: &Item<'d>, place: &Place<'_>, os: Option<Os>) -> Vec<Template> {
        let items = item.list();
        for item in &items {
            self.text(item, os == Some(Os::Windows));
        }
        items.iter().map(|item| self.template(item, place)).collect()
    }

    fn upload(&self, text: &Text<'d>, address: &str) -> PerOs<Act> {
        let input = self.file_input(text);
        self.uploaded.borrow_mut().insert(input.as_str().to_owned());
        self.mark(format!("{address}.upload"), text.span());
        PerOs::all(Act::Upload(input))
    }

    fn service_act(&self, table: &Table<'d>, item: &Item<'d>) -> PerOs<Act> {
        const SERVICE: [(&str, ServiceAct); 3] =
            [("stop", ServiceAct::Stop), ("start", ServiceAct::Start), ("restart", ServiceAct::Restart)];
        let Some(act) = item.one_of(&SERVICE) else { return PerOs::default() };
        match table.get("services") {
            None => PerOs::all(Act::Service { act, services: None }),
            Some(item) => {
                self.per_os(&item, |item, _| Act::Service { act, services: Some(Self::services(item)) })
            }
        }
    }

    fn wait(&self, table: &Table<'d>, item: &Item<'d>, place: &Place<'_>) -> Wait {
        let place = place.for_purpose(Purpose::Outcome);
        let progress = table.get("progress").and_then(|item| {
            let ends = item.list();
            let [done, whole] = &ends[..] else {
                self.report(
                    item.span(),
                    "`progress` has two expressions",
                    "what is done, and what there is: [\"here.updated\", \"here.all\"]",
                );
                return None;
            };
            Some((self.expr(done, &place, &Kind::Number), self.expr(whole, &place, &Kind::Number)))
        });
        let until: Expr = self.expr(item, &place, &Kind::YesNo);
        let every = table.get("every").and_then(|item| {
            let every = item.duration()?;
            if every.is_zero() {
                self.report(
                    item.span(),
                    "a `wait` cannot look all the time",
                    "write `every = \"1s\"` or more",
                );
            }
            Some(every)
        });
        Wait { until, every: every.unwrap_or(Duration::from_secs(5)), progress }
    }

    fn use_of(&self, table: &Table<'d>, item: &Item<'d>, place: &Place<'_>) -> PerOs<Act> {
        let Some(text) = item.text() else { return PerOs::default() };
        let procedure = ProcedureId::from(self.known(
            &text,
            "procedure",
            self.world.procedures.keys().map(String::as_str),
        ));
        let mut with = BTreeMap::new();
        if let Some(table) = table.get("with").and_then(|item| item.table("`with`")) {
            for item in table.items() {
                self.check_id(item.key(), item.key_span(), false);
                // What is given may end in a command; where it does not, the procedure's own place says so.
                with.insert(
                    item.key().to_owned(),
                    self.template(&item, &place.for_purpose(Purpose::Command)),
                );
            }
        }
        PerOs::all(Act::Use { procedure, with })
    }
}

fn exits(item: &Item<'_>) -> Vec<i32> {
    let numbers = item.list();
    let exits: Vec<_> = numbers
        .iter()
        .filter_map(|item| i32::try_from(item.whole_number(-2_147_483_648..4_294_967_296)?).ok())
        .collect();
    if numbers.is_empty() {
        let problem = Diagnostic::new(item.span(), "no exit status would count as success");
        item.doc().report(problem.help("list those that do: [0, 3010]"));
    }
    exits
}
