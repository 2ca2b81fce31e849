//! Readers of single values, used all over a profile.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use regex::Regex;

use super::place::{Place, Purpose};
use super::world::{OS, World};
use crate::model::{Os, RoleId, is_name};
use crate::profile::ast::{At, Count, KeepUp, PerOs, Position, Service};
use crate::profile::expr::{Expr, Kind, Problem, Shell, Template};
use crate::profile::shell;
use crate::text::diagnostic::{Diagnostic, meant, quoted};
use crate::text::toml::{Doc, Item, Table, Text, listed};

/// What the readers of all elements share.
pub(super) struct Reader<'d> {
    pub doc: &'d Doc<'d>,
    pub world: &'d World,
    /// Where each element and some of its keys stand, by address: `stages.servers.renew.needs`.
    pub spans: RefCell<BTreeMap<String, Range<usize>>>,
    /// Inputs that some step uploads.
    pub uploaded: RefCell<BTreeSet<String>>,
}

/// Names of things that stand for something else in expressions.
const RESERVED: [&str; 14] = [
    "here", "local", "peer", "peers", "farm", "roles", "inputs", "target", "with", "steps", "checks", "n",
    "m", "item",
];

/// What `here.` offers of every server: no fact and no input of a server may be called so.
const OF_HERE: [&str; 6] = ["name", "address", "os", "roles", "version", "before"];

impl<'d> Reader<'d> {
    pub(super) fn report(&self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.doc.report(Diagnostic::new(span, message).help(help));
    }

    /// Remembers where `address` stands.
    pub(super) fn mark(&self, address: String, span: Range<usize>) {
        self.spans.borrow_mut().insert(address, span);
    }

    /// Where `address` stands; the beginning of the text where it does not.
    pub(super) fn span(&self, address: &str) -> Range<usize> {
        self.spans.borrow().get(address).cloned().unwrap_or(0..0)
    }

    /// Reports an id that cannot be one.
    pub(super) fn check_id(&self, id: &str, span: Range<usize>, of_server: bool) {
        if !is_name(id) {
            let better: String = id.to_lowercase().replace(['-', ' ', '.'], "_");
            let help = if is_name(&better) {
                format!("write `{better}`")
            } else {
                "a letter first, then letters, digits and `_`: `new_server`".to_owned()
            };
            self.report(span, format!("{} is no id", quoted(id)), help);
        } else if RESERVED.contains(&id) || (of_server && OF_HERE.contains(&id)) {
            self.report(
                span,
                format!("{} stands for something else in expressions", quoted(id)),
                "choose another id",
            );
        }
    }

    /// The id of an element of a list; reports one that was there before.
    pub(super) fn id(
        &self,
        table: &Table<'d>,
        before: &mut BTreeMap<String, Range<usize>>,
    ) -> Option<Text<'d>> {
        let id = table.need("id")?.text()?;
        self.check_id(id.as_str(), id.span(), false);
        if let Some(first) = before.get(id.as_str()) {
            let problem = Diagnostic::new(id.span(), format!("there are two {}", quoted(id.as_str())));
            self.doc.report(
                problem
                    .label("second")
                    .also(first.clone(), "first")
                    .help("choose another id for one of them"),
            );
        } else {
            before.insert(id.as_str().to_owned(), id.span());
        }
        Some(id)
    }

    /// A reference to one of `known`.
    pub(super) fn known<'k>(
        &self,
        text: &Text<'d>,
        what: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) -> &'d str {
        let known: Vec<_> = known.into_iter().collect();
        if !known.contains(&text.as_str()) {
            let help = match meant(text.as_str(), known.iter().copied()) {
                Some(word) => format!("did you mean `{word}`?"),
                None if known.is_empty() => "there is none at all".to_owned(),
                None => format!("there is {}", listed(known)),
            };
            let problem =
                Diagnostic::new(text.span(), format!("there is no {what} {}", quoted(text.as_str())));
            self.doc.report_absence(problem.help(help));
        }
        text.as_str()
    }

    /// A list of references.
    pub(super) fn ids<T: for<'t> From<&'t str>>(
        &self,
        item: Option<Item<'d>>,
        what: &str,
        known: &[&str],
    ) -> Vec<T> {
        let texts = item.map(|item| item.texts()).unwrap_or_default();
        texts.iter().map(|text| T::from(self.known(text, what, known.iter().copied()))).collect()
    }

    pub(super) fn roles(&self, item: Option<Item<'d>>) -> Vec<RoleId> {
        let known: Vec<_> = self.world.roles.keys().map(String::as_str).collect();
        self.ids(item, "role", &known)
    }

    /// A text that may hold a path of Windows, in which `\t` was meant to be two characters.
    pub(super) fn text(&self, item: &Item<'d>, windows: bool) -> Option<Text<'d>> {
        let text = item.text()?;
        let value = text.as_str().as_bytes();
        let drive =
            value.windows(3).any(|w| w[0].is_ascii_alphabetic() && w[1] == b':' && w[2].is_ascii_control());
        if let Some(span) = text.control_escape()
            && (windows || drive)
        {
            let escape = self.doc.slice(span.clone()).to_owned();
            self.report(
                span,
                format!("`{escape}` in \"…\" stands for a control character"),
                "write the text in '…', where a backslash is a backslash; more than one line in '''…'''",
            );
        }
        Some(text)
    }

    fn problems(&self, text: &Text<'d>, problems: Vec<Problem>) {
        for problem in problems {
            let span = text.at(problem.span.clone());
            if problem.absence {
                self.doc.report_absence(problem.at(span));
            } else {
                self.doc.report(problem.at(span));
            }
        }
    }

    pub(super) fn expr(&self, item: &Item<'d>, place: &Place<'_>, kind: &Kind) -> Expr {
        let Some(text) = item.text() else { return Expr::default() };
        Expr::parse(text.as_str(), place, kind).unwrap_or_else(|problems| {
            self.problems(&text, problems);
            Expr::default()
        })
    }

    pub(super) fn condition(&self, item: Option<&Item<'d>>, place: &Place<'_>) -> Option<Expr> {
        item.map(|item| self.expr(item, place, &Kind::YesNo))
    }

    /// A text with placeholders, for people or for a file's name.
    pub(super) fn template(&self, item: &Item<'d>, place: &Place<'_>) -> Template {
        self.read_template(item, place, &[], false)
    }

    /// A command for servers of these systems.
    pub(super) fn command(&self, item: &Item<'d>, place: &Place<'_>, systems: &BTreeSet<Os>) -> Template {
        let mut shells: Vec<_> = systems.iter().map(|os| shell_of(*os)).collect();
        shells.dedup();
        self.read_template(
            item,
            &place.for_purpose(Purpose::Command),
            &shells,
            systems.contains(&Os::Windows),
        )
    }

    fn read_template(&self, item: &Item<'d>, place: &Place<'_>, shells: &[Shell], windows: bool) -> Template {
        let only_windows = windows && shells == [Shell::PowerShell];
        let Some(text) = self.text(item, only_windows) else { return Template::default() };
        if text.as_str().trim().is_empty() {
            self.doc.report(Diagnostic::new(text.span(), format!("`{}` is empty", item.key())));
        }
        match Template::parse(text.as_str(), place) {
            Ok(template) => {
                for shell in shells {
                    self.problems(&text, shell::misplaced(&template, *shell));
                }
                template
            }
            Err(problems) => {
                self.problems(&text, problems);
                Template::default()
            }
        }
    }

    /// One value for all systems, or one each; `read` is told for which.
    pub(super) fn per_os<T: Clone>(
        &self,
        item: &Item<'d>,
        mut read: impl FnMut(&Item<'d>, Option<Os>) -> T,
    ) -> PerOs<T> {
        if !item.is_table() {
            return PerOs::all(read(item, None));
        }
        let Some(table) = item.table(quoted(item.key())) else { return PerOs::default() };
        let mut values = PerOs::default();
        for (word, os) in OS {
            let value = table.get(word).map(|item| read(&item, Some(os)));
            match os {
                Os::Linux => values.linux = value,
                Os::Unix => values.unix = value,
                Os::Windows => values.windows = value,
            }
        }
        if table.items().is_empty() {
            self.report(
                item.key_span(),
                format!("`{}` has no value", item.key()),
                "give it one text, or `.linux`, `.unix`, `.windows`",
            );
        }
        table.finish();
        values
    }

    pub(super) fn paths(&self, item: &Item<'d>, place: &Place<'_>) -> PerOs<Template> {
        self.per_os(item, |item, os| self.read_template(item, place, &[], os == Some(Os::Windows)))
    }

    pub(super) fn at(&self, item: &Item<'d>) -> Option<At> {
        let text = item.text()?;
        let roles: Vec<_> = self.world.roles.keys().map(String::as_str).collect();
        Some(match text.as_str() {
            "here" => At::Here,
            "local" => At::Local,
            "peer" => At::Peer,
            "peers" => At::Peers,
            word => {
                let (one, role) = word.strip_prefix("one ").map_or((false, word), |role| (true, role));
                if !roles.contains(&role) {
                    let help = match meant(role, roles.iter().copied()) {
                        Some(role) => format!("did you mean `{}{role}`?", if one { "one " } else { "" }),
                        None => "one of `here`, `local`, `peer`, `peers`, a role, or `one ROLE`".to_owned(),
                    };
                    let problem = Diagnostic::new(text.span(), format!("`at` cannot be {}", quoted(word)));
                    self.doc.report_absence(problem.help(help));
                }
                if one { At::One(RoleId::from(role)) } else { At::Role(RoleId::from(role)) }
            }
        })
    }

    pub(super) fn services(item: &Item<'d>) -> Vec<Service> {
        item.texts().iter().map(service).collect()
    }
}

fn service(text: &Text<'_>) -> Service {
    let word = text.as_str();
    if let Some(regex) = word.strip_prefix('/').and_then(|word| word.strip_suffix('/')) {
        if Regex::new(regex).is_err() {
            text.report(
                format!("{} is no regular expression", quoted(word)),
                "what stands between the slashes is one",
            );
        }
        return Service::Matching(regex.to_owned());
    }
    let (name, if_present) = word.strip_suffix('?').map_or((word, false), |name| (name, true));
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        text.report(
            format!("{} is no service", quoted(word)),
            "write its name; `name?` where it may be missing",
        );
    }
    Service::Named { name: name.to_owned(), if_present }
}

pub(super) fn shell_of(os: Os) -> Shell {
    match os {
        Os::Linux | Os::Unix => Shell::Sh,
        Os::Windows => Shell::PowerShell,
    }
}

pub(super) fn position(table: &Table<'_>) -> Position {
    const POSITIONS: [(&str, Position); 5] = [
        ("each", Position::Each),
        ("first", Position::First),
        ("not-first", Position::NotFirst),
        ("last", Position::Last),
        ("not-last", Position::NotLast),
    ];
    table.get("on").and_then(|item| item.one_of(&POSITIONS)).unwrap_or(Position::Each)
}

pub(super) fn count(item: &Item<'_>) -> Option<Count> {
    const MOST: i64 = 100_000;
    if !item.is_text() {
        let number = usize::try_from(item.whole_number(0..MOST)?).ok()?;
        return Some(Count { min: number, max: Some(number) });
    }
    let text = item.text()?;
    let number = |text: &str| text.trim().parse::<usize>().ok().filter(|number| *number < 100_000);
    let count = match text.as_str().split_once("..") {
        Some((min, "")) => number(min).map(|min| Count { min, max: None }),
        Some((min, max)) => number(min).zip(number(max)).map(|(min, max)| Count { min, max: Some(max) }),
        None => number(text.as_str()).map(|number| Count { min: number, max: Some(number) }),
    };
    if count.is_none_or(|count| count.max.is_some_and(|max| max < count.min || max == 0)) {
        text.report(format!("{} is no count", quoted(text.as_str())), "write `1`, `\"2..\"` or `\"0..3\"`");
    }
    count
}

pub(super) fn keep_up(item: &Item<'_>) -> Option<KeepUp> {
    if item.is_text() {
        return item.one_of(&[("all-but-1", KeepUp::AllBut1), ("majority", KeepUp::Majority)]);
    }
    usize::try_from(item.whole_number(0..100_000)?).ok().map(KeepUp::Number)
}

pub(super) fn regex(item: &Item<'_>) -> Option<Regex> {
    let text = item.text()?;
    match Regex::new(text.as_str()) {
        Ok(regex) => Some(regex),
        Err(error) => {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            text.report(format!("`{}` is no regular expression", item.key()), why);
            None
        }
    }
}
