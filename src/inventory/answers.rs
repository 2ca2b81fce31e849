//! The answer file: what a session would ask, answered beforehand.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::fit::admits;
use super::parse::{format, value};
use crate::model::{CheckId, FactId, FailureId, InputId, NoticeId, Os, StepId, Value, is_name};
use crate::profile::{Act, Fact, FactKind, Forbidden, Input, Offer, Per, Procedure, Profile, Step};
use crate::text::diagnostic::{Diagnostic, Diagnostics, meant, quoted};
use crate::text::toml::{Doc, Item, Table, listed};

/// One answer for all, or one for each server or system, by name.
#[derive(Clone, Debug, PartialEq)]
pub enum PerKey {
    All(Value),
    Each(BTreeMap<String, Value>),
}

impl PerKey {
    /// The answer for `key`, the name of a server or a system.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::All(value) => Some(value),
            Self::Each(values) => values.get(key),
        }
    }
}

/// What is answered to a step that a person carries out or decides on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepAnswer {
    Done,
    Skip,
}

/// Which notices are confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Confirmed {
    #[default]
    None,
    All,
    These(Vec<NoticeId>),
}

impl Confirmed {
    pub fn contains(&self, notice: &NoticeId) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::These(notices) => notices.contains(notice),
        }
    }
}

/// Answers to everything that a session may ask. What is not answered here stops a session without a person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    pub inputs: BTreeMap<InputId, PerKey>,
    pub notices: Confirmed,
    /// The commands that are not known for certain are agreed to.
    pub unsure: bool,
    /// The summary is agreed to.
    pub summary: bool,
    /// Answers to the questions of facts.
    pub facts: BTreeMap<FactId, PerKey>,
    /// The operator's word for `ask` checks.
    pub checks: BTreeMap<CheckId, bool>,
    /// Checks whose fix may be carried out.
    pub fix: BTreeMap<CheckId, bool>,
    /// Warnings that are waived, with the reason.
    pub waive: BTreeMap<CheckId, String>,
    pub steps: BTreeMap<StepId, StepAnswer>,
    pub failures: BTreeMap<FailureId, Offer>,
    /// What shows that something may be lifted that was forbidden.
    pub bans: BTreeMap<Forbidden, String>,
}

const OFFERS: [(&str, Offer); 7] = [
    ("retry", Offer::Retry),
    ("by_hand", Offer::ByHand),
    ("leave_out", Offer::LeaveOut),
    ("recover", Offer::Recover),
    ("hold", Offer::Hold),
    ("abort", Offer::Abort),
    ("collect", Offer::Collect),
];

impl Answers {
    /// Reads the answer file `text`, which the operator knows as `name`. With a profile, what it does not ask
    /// is a mistake.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(name: &str, text: &str, profile: Option<&Profile>) -> Result<Self, Diagnostics> {
        let doc = Doc::parse(text);
        let answers = Reader { doc: &doc, profile }.answers();
        doc.finish(name).none_or().map(|()| answers)
    }

    /// These answers, and those of `others` where these say nothing.
    #[must_use]
    pub fn or(mut self, others: Self) -> Self {
        fn fill<K: Ord, V>(own: &mut BTreeMap<K, V>, others: BTreeMap<K, V>) {
            for (key, value) in others {
                own.entry(key).or_insert(value);
            }
        }
        fill(&mut self.inputs, others.inputs);
        fill(&mut self.facts, others.facts);
        fill(&mut self.checks, others.checks);
        fill(&mut self.fix, others.fix);
        fill(&mut self.waive, others.waive);
        fill(&mut self.steps, others.steps);
        fill(&mut self.failures, others.failures);
        if self.notices == Confirmed::None {
            self.notices = others.notices;
        }
        self.unsure |= others.unsure;
        self.summary |= others.summary;
        self
    }

    /// As a file that gives the same answers.
    pub fn to_toml(&self) -> String {
        let mut root = toml::Table::new();
        root.insert("nofm".to_owned(), toml::Value::Integer(1));
        let mut confirm = toml::Table::new();
        match &self.notices {
            Confirmed::None => {}
            Confirmed::All => {
                confirm.insert("notices".to_owned(), true.into());
            }
            Confirmed::These(notices) => {
                let ids: Vec<toml::Value> = notices.iter().map(|notice| notice.as_str().into()).collect();
                confirm.insert("notices".to_owned(), ids.into());
            }
        }
        for (key, agreed) in [("unsure", self.unsure), ("summary", self.summary)] {
            if agreed {
                confirm.insert(key.to_owned(), true.into());
            }
        }
        let word = |answer: &StepAnswer| if *answer == StepAnswer::Done { "done" } else { "skip" };
        let offer =
            |offer: &Offer| OFFERS.iter().find(|(_, known)| known == offer).map_or("", |(word, _)| word);
        for (key, table) in [
            ("inputs", self.inputs.iter().map(|(id, value)| (id.to_string(), per_key(value))).collect()),
            ("confirm", confirm),
            ("facts", self.facts.iter().map(|(id, value)| (id.to_string(), per_key(value))).collect()),
            ("checks", self.checks.iter().map(|(id, yes)| (id.to_string(), (*yes).into())).collect()),
            ("fix", self.fix.iter().map(|(id, yes)| (id.to_string(), (*yes).into())).collect()),
            ("waive", self.waive.iter().map(|(id, why)| (id.to_string(), why.as_str().into())).collect()),
            ("steps", self.steps.iter().map(|(id, answer)| (id.to_string(), word(answer).into())).collect()),
            (
                "failures",
                self.failures.iter().map(|(id, choice)| (id.to_string(), offer(choice).into())).collect(),
            ),
            (
                "bans",
                self.bans.iter().map(|(act, why)| (act.word().to_owned(), why.as_str().into())).collect(),
            ),
        ] {
            if !table.is_empty() {
                root.insert(key.to_owned(), toml::Value::Table(table));
            }
        }
        root.to_string()
    }
}

fn per_key(answer: &PerKey) -> toml::Value {
    match answer {
        PerKey::All(value) => to_toml(value),
        PerKey::Each(values) => {
            toml::Value::Table(values.iter().map(|(key, value)| (key.clone(), to_toml(value))).collect())
        }
    }
}

fn to_toml(value: &Value) -> toml::Value {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Version(version) => version.as_str().into(),
        Value::YesNo(yes) => (*yes).into(),
        #[expect(clippy::cast_possible_truncation, reason = "only whole numbers of up to 53 bits")]
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            toml::Value::Integer(*number as i64)
        }
        Value::Number(number) => (*number).into(),
        Value::List(items) => toml::Value::Array(items.iter().map(to_toml).collect()),
    }
}

struct Reader<'d> {
    doc: &'d Doc<'d>,
    profile: Option<&'d Profile>,
}

impl<'d> Reader<'d> {
    fn answers(&self) -> Answers {
        let root = self.doc.root().named("the answer file");
        format(&root);
        let mut answers = Answers::default();
        for item in section(&root, "inputs") {
            let input =
                self.known(&item, "input", |profile| &profile.inputs, |input: &Input| input.id.as_str());
            let by_os = input.is_some_and(|input| input.per == Per::Os);
            if let Some(answer) = self.per_key(&item, by_os) {
                if let Some(input) = input {
                    self.check_input(&item, input, &answer);
                }
                answers.inputs.insert(InputId::from(item.key()), answer);
            }
        }
        self.confirm(&root, &mut answers);
        for item in section(&root, "facts") {
            let fact = self.known(&item, "fact", |profile| &profile.facts, |fact: &Fact| fact.id.as_str());
            if let Some(answer) = self.per_key(&item, false) {
                if let Some(fact) = fact {
                    self.check_fact(&item, fact, &answer);
                }
                answers.facts.insert(FactId::from(item.key()), answer);
            }
        }
        for item in section(&root, "checks") {
            self.check_id(&item);
            answers.checks.insert(CheckId::from(item.key()), item.yes_no());
        }
        for item in section(&root, "fix") {
            self.check_id(&item);
            answers.fix.insert(CheckId::from(item.key()), item.yes_no());
        }
        for item in section(&root, "waive") {
            self.check_id(&item);
            answers.waive.insert(CheckId::from(item.key()), item.string());
        }
        for item in section(&root, "steps") {
            self.step_id(&item);
            if let Some(answer) = item.one_of(&[("done", StepAnswer::Done), ("skip", StepAnswer::Skip)]) {
                answers.steps.insert(StepId::from(item.key()), answer);
            }
        }
        for item in section(&root, "failures") {
            let failure =
                self.known(&item, "failure", |profile| &profile.failures, |failure| failure.id.as_str());
            if let Some(offer) = item.one_of(&OFFERS) {
                if failure.is_some_and(|failure| !failure.offer.contains(&offer)) {
                    self.report(
                        item.span(),
                        format!("failure `{}` does not offer this", item.key()),
                        "see `offer` in the profile",
                    );
                }
                answers.failures.insert(FailureId::from(item.key()), offer);
            }
        }
        for item in section(&root, "bans") {
            if let Some((act, evidence)) = self.ban(&item) {
                answers.bans.insert(act, evidence);
            }
        }
        root.finish();
        answers
    }

    /// Evidence that lifts a ban, where the vendor says that something does.
    fn ban(&self, item: &Item<'d>) -> Option<(Forbidden, String)> {
        let Some((_, act)) = Forbidden::WORDS.iter().find(|(word, _)| *word == item.key()) else {
            let words = || Forbidden::WORDS.iter().map(|(word, _)| *word);
            let help = match meant(item.key(), words()) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("one of {}", listed(words())),
            };
            self.report(
                item.key_span(),
                format!("{} is nothing that a profile forbids", quoted(item.key())),
                help,
            );
            return None;
        };
        let evidence = item.string();
        if evidence.trim().is_empty() {
            self.report(item.span(), "evidence is not empty", "write what shows that it may be lifted");
        }
        let rules = self.profile.into_iter().flat_map(|profile| &profile.failures);
        let mut forbids = rules.flat_map(|rule| &rule.forbid).filter(|forbid| forbid.act == *act);
        if self.profile.is_some() && !forbids.any(|forbid| forbid.lifted_by.is_some()) {
            self.report(
                item.key_span(),
                format!("the profile says of no `{}` that it is lifted", item.key()),
                "take it out: what is forbidden without `lifted-by` ends with the good end of an upgrade",
            );
        }
        Some((*act, evidence))
    }

    fn report(&self, span: std::ops::Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.doc.report(Diagnostic::new(span, message).help(help));
    }

    /// The element of the profile that an answer is about; reports one that is not there.
    fn known<T>(
        &self,
        item: &Item<'d>,
        what: &str,
        list: fn(&Profile) -> &Vec<T>,
        id: fn(&T) -> &str,
    ) -> Option<&'d T> {
        let profile = self.profile?;
        let elements = list(profile);
        let found = elements.iter().find(|element| id(element) == item.key());
        if found.is_none() {
            self.unknown(item, what, elements.iter().map(id));
        }
        found
    }

    fn unknown<'k>(&self, item: &Item<'d>, what: &str, known: impl Iterator<Item = &'k str>) {
        let problem =
            Diagnostic::new(item.key_span(), format!("the profile has no {what} {}", quoted(item.key())));
        self.doc.report(match meant(item.key(), known) {
            Some(word) => problem.help(format!("did you mean `{word}`?")),
            None => problem.help("take it out, or choose the profile it is for"),
        });
    }

    fn check_id(&self, item: &Item<'d>) {
        self.known(item, "check", |profile| &profile.checks, |check| check.id.as_str());
    }

    /// A step's id, or the ids of the steps that lead to it.
    fn step_id(&self, item: &Item<'d>) {
        let Some(profile) = self.profile else {
            if !item.key().split('.').all(is_name) {
                self.report(
                    item.key_span(),
                    format!("{} is no step", quoted(item.key())),
                    "write its id: `confirm`, `\"update.install\"`",
                );
            }
            return;
        };
        let mut steps: Vec<&Step> = profile.stages.iter().flat_map(|stage| &stage.steps).collect();
        steps.extend(profile.procedures.iter().flat_map(|procedure| &procedure.steps));
        let mut parts = item.key().split('.');
        let first = parts.next().unwrap_or_default();
        let mut here: Vec<&Step> = steps.iter().filter(|step| step.id == first).copied().collect();
        for part in parts {
            let inner = here
                .iter()
                .flat_map(|step| step.act.iter())
                .filter_map(|(_, act)| procedure_of(profile, act));
            here = inner.flat_map(|procedure| &procedure.steps).filter(|step| step.id == part).collect();
        }
        if here.is_empty() {
            self.unknown(item, "step", steps.iter().map(|step| step.id.as_str()));
        }
    }

    fn confirm(&self, root: &Table<'d>, answers: &mut Answers) {
        let Some(table) = root.get("confirm").and_then(|item| item.table("`confirm`")) else { return };
        if let Some(item) = table.get("notices") {
            answers.notices = match item.value() {
                DeValue::Boolean(true) => Confirmed::All,
                DeValue::Boolean(false) => Confirmed::None,
                _ => Confirmed::These(self.notices(&item)),
            };
        }
        answers.unsure = table.get("unsure").is_some_and(|item| item.yes_no());
        answers.summary = table.get("summary").is_some_and(|item| item.yes_no());
        table.finish();
    }

    fn notices(&self, item: &Item<'d>) -> Vec<NoticeId> {
        let texts = item.texts();
        let known = self
            .profile
            .map(|profile| profile.notices.iter().map(|notice| notice.id.as_str()).collect::<Vec<_>>());
        for text in &texts {
            if known.as_ref().is_some_and(|known| !known.contains(&text.as_str())) {
                let known = known.iter().flatten().copied();
                text.report(
                    format!("the profile has no notice {}", quoted(text.as_str())),
                    format!("it has {}", listed(known)),
                );
            }
        }
        texts.iter().map(|text| NoticeId::from(text.as_str())).collect()
    }

    /// One answer, or a table of answers by server or system.
    fn per_key(&self, item: &Item<'d>, by_os: bool) -> Option<PerKey> {
        if !item.is_table() {
            return value(item).map(PerKey::All);
        }
        let table = item.table(quoted(item.key()))?;
        let mut answers = BTreeMap::new();
        for item in table.items() {
            if by_os && ![Os::Linux, Os::Unix, Os::Windows].iter().any(|os| os.as_str() == item.key()) {
                self.report(
                    item.key_span(),
                    format!("{} is no system", quoted(item.key())),
                    "one of `linux`, `unix`, `windows`",
                );
            }
            if let Some(value) = value(&item) {
                answers.insert(item.key().to_owned(), value);
            }
        }
        Some(PerKey::Each(answers))
    }

    fn check_input(&self, item: &Item<'d>, input: &Input, answer: &PerKey) {
        let values: Vec<&Value> = match answer {
            PerKey::All(value) => vec![value],
            PerKey::Each(values) => {
                if input.per == Per::Farm {
                    self.report(
                        item.span(),
                        format!("input `{}` has one value for the whole farm", input.id),
                        "write that value",
                    );
                }
                values.values().collect()
            }
        };
        for expected in values.into_iter().filter_map(|value| admits(input, value, None).err()) {
            self.report(
                item.span(),
                format!("input `{}` is {expected}", input.id),
                format!("{}: {expected}", input.label),
            );
        }
    }

    fn check_fact(&self, item: &Item<'d>, fact: &Fact, answer: &PerKey) {
        if fact.ask.is_none() {
            self.report(
                item.key_span(),
                format!("fact `{}` is measured and never asked", fact.id),
                "take it out",
            );
        }
        let values: Vec<&Value> = match answer {
            PerKey::All(value) => vec![value],
            PerKey::Each(values) => values.values().collect(),
        };
        for value in values {
            let (right, expected) = match fact.kind {
                FactKind::Text => (matches!(value, Value::Text(_)), "a text"),
                FactKind::Number => (matches!(value, Value::Number(_)), "a number"),
                FactKind::Version => (matches!(value, Value::Text(_)), "a version, as a text in quotes"),
                FactKind::YesNo => (matches!(value, Value::YesNo(_)), "true or false"),
                FactKind::List => (matches!(value, Value::List(_)), "a list of texts"),
            };
            if !right {
                self.report(
                    item.span(),
                    format!("fact `{}` is {expected}", fact.id),
                    "see `kind` in the profile",
                );
            }
        }
    }
}

fn procedure_of<'p>(profile: &'p Profile, act: &Act) -> Option<&'p Procedure> {
    match act {
        Act::Use { procedure, .. } => profile.procedure(procedure),
        _ => None,
    }
}

/// The items of the table under `key`.
fn section<'d>(root: &Table<'d>, key: &'static str) -> Vec<Item<'d>> {
    let table = root.get(key).and_then(|item| item.table(format!("`{key}`")));
    table.map(|table| table.items()).unwrap_or_default()
}
