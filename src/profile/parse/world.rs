//! What a profile declares, gathered before anything in it is read closely: names may be used before the
//! place where they are declared. Reports nothing; what is odd here is found by the close reading.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::model::{Os, VersionPattern};
use crate::profile::ast::{FactKind, InputKind, Per};

/// Deeper nested procedures are not followed: no profile comes near it, and a circle has no end.
const DEEPEST: usize = 8;

#[derive(Default)]
pub(super) struct World {
    pub roles: BTreeMap<String, RoleSketch>,
    pub inputs: BTreeMap<String, InputSketch>,
    pub facts: BTreeMap<String, FactSketch>,
    /// The roles of each check.
    pub checks: BTreeMap<String, Vec<String>>,
    pub procedures: BTreeMap<String, Vec<StepSketch>>,
    pub stages: Vec<StageSketch>,
    /// How each procedure is used, where it is.
    pub uses: BTreeMap<String, Use>,
    pub pattern: Arc<VersionPattern>,
}

pub(super) struct RoleSketch {
    pub os: Vec<Os>,
    pub has_shell: bool,
    pub has_version: bool,
}

pub(super) struct InputSketch {
    pub kind: Option<InputKind>,
    pub per: Per,
}

pub(super) struct FactSketch {
    /// Empty: of the farm.
    pub roles: Vec<String>,
    pub kind: Option<FactKind>,
    pub asks: bool,
}

pub(super) struct StepSketch {
    pub id: String,
    pub uses: Option<String>,
    /// The texts given to the procedure.
    pub with: BTreeMap<String, String>,
    /// The role that `at` names.
    pub at: Option<String>,
}

pub(super) struct StageSketch {
    pub id: String,
    pub roles: Vec<String>,
    pub steps: Vec<StepSketch>,
}

/// What every user of a procedure provides.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Use {
    /// The roles of the servers that may be in turn; `None` where there may be none in turn.
    pub here: Option<BTreeSet<String>>,
    pub with: BTreeSet<String>,
    /// What is given by one of the users out of a secret.
    pub secret: BTreeSet<String>,
    pub item: bool,
}

fn texts(table: &DeTable<'_>, key: &str) -> Vec<String> {
    let array = table.get(key).and_then(|value| value.get_ref().as_array());
    array.into_iter().flatten().filter_map(|item| item.get_ref().as_str()).map(str::to_owned).collect()
}

fn text<'t>(table: &'t DeTable<'_>, key: &str) -> Option<&'t str> {
    table.get(key)?.get_ref().as_str()
}

fn tables<'t, 'd>(table: &'t DeTable<'d>, key: &str) -> Vec<(&'t str, &'t DeTable<'d>)> {
    let inner = table.get(key).and_then(|value| value.get_ref().as_table());
    inner
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((&**key.get_ref(), value.get_ref().as_table()?)))
        .collect()
}

fn list<'t, 'd>(table: &'t DeTable<'d>, key: &str) -> Vec<&'t DeTable<'d>> {
    let array = table.get(key).and_then(|value| value.get_ref().as_array());
    array.into_iter().flatten().filter_map(|item| item.get_ref().as_table()).collect()
}

pub(super) const OS: [(&str, Os); 3] = [("linux", Os::Linux), ("unix", Os::Unix), ("windows", Os::Windows)];

pub(super) const INPUT_KINDS: [(&str, InputKind); 10] = [
    ("file", InputKind::File),
    ("path", InputKind::Path),
    ("text", InputKind::Text),
    ("choice", InputKind::Choice),
    ("yes_no", InputKind::YesNo),
    ("number", InputKind::Number),
    ("secret", InputKind::Secret),
    ("hosts", InputKind::Hosts),
    ("server", InputKind::Server),
    ("command", InputKind::Command),
];

pub(super) const FACT_KINDS: [(&str, FactKind); 5] = [
    ("text", FactKind::Text),
    ("number", FactKind::Number),
    ("version", FactKind::Version),
    ("yes_no", FactKind::YesNo),
    ("list", FactKind::List),
];

pub(super) const PERS: [(&str, Per); 3] = [("farm", Per::Farm), ("os", Per::Os), ("server", Per::Server)];

fn word<T: Copy>(table: &DeTable<'_>, key: &str, words: &[(&str, T)]) -> Option<T> {
    let word = text(table, key)?;
    words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
}

fn steps(table: &DeTable<'_>, world_roles: &BTreeMap<String, RoleSketch>) -> Vec<StepSketch> {
    let step = |step: &DeTable<'_>| {
        let with = step.get("with").and_then(|with| with.get_ref().as_table());
        let given = |value: &DeValue<'_>| value.as_str().unwrap_or_default().to_owned();
        let at = text(step, "at").map(|at| at.strip_prefix("one ").unwrap_or(at));
        StepSketch {
            id: text(step, "id").unwrap_or_default().to_owned(),
            uses: text(step, "use").map(str::to_owned),
            with: with
                .into_iter()
                .flatten()
                .map(|(k, v)| (k.get_ref().to_string(), given(v.get_ref())))
                .collect(),
            at: at.filter(|at| world_roles.contains_key(*at)).map(str::to_owned),
        }
    };
    list(table, "steps").into_iter().map(step).collect()
}

impl World {
    pub(super) fn gather(root: &DeTable<'_>) -> Self {
        let mut world = Self::default();
        let version = root.get("version").and_then(|version| version.get_ref().as_table());
        let pattern = version.and_then(|version| text(version, "pattern"));
        if let Some(Ok(pattern)) = pattern.map(VersionPattern::new) {
            world.pattern = Arc::new(pattern);
        }
        for (id, role) in tables(root, "roles") {
            let words = texts(role, "os");
            let os = OS.iter().filter(|(word, _)| words.iter().any(|known| known == word)).map(|(_, os)| *os);
            let sketch = RoleSketch {
                os: os.collect(),
                has_shell: text(role, "access") != Some("none"),
                has_version: role.contains_key("version"),
            };
            world.roles.insert(id.to_owned(), sketch);
        }
        for (id, input) in tables(root, "inputs") {
            let kind = word(input, "kind", &INPUT_KINDS);
            let per = word(input, "per", &PERS).unwrap_or(Per::Farm);
            world.inputs.insert(id.to_owned(), InputSketch { kind, per });
        }
        for (id, fact) in tables(root, "facts") {
            let sketch = FactSketch {
                roles: texts(fact, "roles"),
                kind: word(fact, "kind", &FACT_KINDS),
                asks: fact.contains_key("ask"),
            };
            world.facts.insert(id.to_owned(), sketch);
        }
        for check in list(root, "checks") {
            world.checks.insert(text(check, "id").unwrap_or_default().to_owned(), texts(check, "roles"));
        }
        for (id, procedure) in tables(root, "procedures") {
            let steps = steps(procedure, &world.roles);
            world.procedures.insert(id.to_owned(), steps);
        }
        for stage in list(root, "stages") {
            world.stages.push(StageSketch {
                id: text(stage, "id").unwrap_or_default().to_owned(),
                roles: texts(stage, "roles"),
                steps: steps(stage, &world.roles),
            });
        }
        world.gather_uses(root);
        world
    }

    /// Follows every way into a procedure.
    fn gather_uses(&mut self, root: &DeTable<'_>) {
        let mut uses = BTreeMap::new();
        for stage in &self.stages {
            let here = (!stage.roles.is_empty()).then(|| stage.roles.iter().cloned().collect());
            let place = Use { here, with: BTreeSet::new(), secret: BTreeSet::new(), item: false };
            self.follow(&stage.steps, &place, &mut uses, 0);
        }
        for check in list(root, "checks") {
            let roles = texts(check, "roles");
            let here = (!roles.is_empty()).then(|| roles.into_iter().collect());
            let item = check.contains_key("registered");
            if let Some(procedure) = text(check, "fix") {
                let place = Use { here, with: BTreeSet::new(), secret: BTreeSet::new(), item };
                self.enter(procedure, place, &mut uses, 0);
            }
        }
        for failure in list(root, "failures") {
            if let Some(procedure) = text(failure, "recover") {
                let here = Some(self.roles_of_stages(&texts(failure, "stages")));
                let place = Use { here, with: BTreeSet::new(), secret: BTreeSet::new(), item: false };
                self.enter(procedure, place, &mut uses, 0);
            }
        }
        self.gather_collected(root, &mut uses);
        self.uses = uses;
    }

    /// A procedure that does nothing but collect is used wherever a failure rule offers that.
    fn gather_collected(&self, root: &DeTable<'_>, uses: &mut BTreeMap<String, Use>) {
        let offers = |failure: &&DeTable<'_>| texts(failure, "offer").iter().any(|offer| offer == "collect");
        for failure in list(root, "failures").into_iter().filter(offers) {
            let here = self.roles_of_stages(&texts(failure, "stages"));
            for (id, procedure) in tables(root, "procedures") {
                let steps = list(procedure, "steps");
                if !steps.is_empty() && steps.iter().all(|step| step.contains_key("collect")) {
                    let place = Use {
                        here: Some(here.clone()),
                        with: BTreeSet::new(),
                        secret: BTreeSet::new(),
                        item: false,
                    };
                    if uses.get(id).is_none_or(|known| known.with.is_empty()) {
                        self.enter(id, place, uses, 0);
                    }
                }
            }
        }
    }

    /// The roles of the stages named; of all where none is.
    pub(super) fn roles_of_stages(&self, stages: &[String]) -> BTreeSet<String> {
        let meant = self.stages.iter().filter(|stage| stages.is_empty() || stages.contains(&stage.id));
        meant.flat_map(|stage| stage.roles.iter().cloned()).collect()
    }

    fn follow(&self, steps: &[StepSketch], place: &Use, uses: &mut BTreeMap<String, Use>, depth: usize) {
        for step in steps {
            let Some(procedure) = &step.uses else { continue };
            let at = step.at.clone().filter(|_| place.here.is_none()).map(|role| BTreeSet::from([role]));
            let secret = step.with.iter().filter(|(_, text)| self.tells_secret(text, &place.secret));
            let within = Use {
                here: place.here.clone().or(at),
                with: step.with.keys().cloned().collect(),
                secret: secret.map(|(key, _)| key.clone()).collect(),
                item: place.item,
            };
            self.enter(procedure, within, uses, depth + 1);
        }
    }

    fn enter(&self, procedure: &str, place: Use, uses: &mut BTreeMap<String, Use>, depth: usize) {
        let Some(steps) = self.procedures.get(procedure).filter(|_| depth <= DEEPEST) else { return };
        let known = uses.get(procedure).cloned();
        let merged = match known.clone() {
            None => place,
            Some(known) => Use {
                here: known.here.zip(place.here).map(|(a, b)| &a | &b),
                with: &known.with & &place.with,
                secret: &known.secret | &place.secret,
                item: known.item && place.item,
            },
        };
        if known.as_ref() != Some(&merged) {
            uses.insert(procedure.to_owned(), merged.clone());
            self.follow(steps, &merged, uses, depth);
        }
    }

    fn tells_secret(&self, text: &str, secret_with: &BTreeSet<String>) -> bool {
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.');
        words.any(|word| match word.split_once('.') {
            Some(("inputs", id)) => {
                self.inputs.get(id).is_some_and(|input| input.kind == Some(InputKind::Secret))
            }
            Some(("with", key)) => secret_with.contains(key),
            _ => false,
        })
    }

    /// The systems that servers of these roles may run; all where nothing is known.
    pub(super) fn systems<'r>(&self, roles: impl IntoIterator<Item = &'r String>) -> BTreeSet<Os> {
        let roles = roles.into_iter().filter_map(|role| self.roles.get(role));
        let systems: BTreeSet<_> = roles.flat_map(|role| role.os.iter().copied()).collect();
        if systems.is_empty() { OS.iter().map(|(_, os)| *os).collect() } else { systems }
    }

    /// Every id by which a failure rule may name a step: its own, and that of each way to it through the
    /// steps that use its procedure.
    pub(super) fn step_ids(&self) -> BTreeSet<String> {
        let mut ids = BTreeSet::new();
        for stage in &self.stages {
            self.add_step_ids(&stage.steps, "", &mut ids, 0);
        }
        for steps in self.procedures.values() {
            self.add_step_ids(steps, "", &mut ids, 0);
        }
        ids
    }

    fn add_step_ids(&self, steps: &[StepSketch], before: &str, ids: &mut BTreeSet<String>, depth: usize) {
        for step in steps {
            ids.insert(format!("{before}{}", step.id));
            let procedure = step.uses.as_ref().and_then(|procedure| self.procedures.get(procedure));
            if let Some(steps) = procedure.filter(|_| depth < DEEPEST) {
                self.add_step_ids(steps, &format!("{before}{}.", step.id), ids, depth + 1);
            }
        }
    }
}
