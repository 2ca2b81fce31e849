//! Facts.

use std::collections::BTreeSet;

use super::named;
use super::place::Place;
use super::read::{Reader, regex};
use super::world::FACT_KINDS;
use crate::model::{FactId, Os, RoleId};
use crate::profile::ast::{At, Fact, FactKind, Source};
use crate::profile::expr::Kind;
use crate::text::diagnostic::quoted;
use crate::text::toml::{Item, Table};

impl<'d> Reader<'d> {
    pub(super) fn all_facts(&self, root: &Table<'d>) -> Vec<Fact> {
        let facts = named(root, "facts", "fact");
        facts.into_iter().map(|(item, table)| self.fact(&item, table)).collect()
    }

    fn fact(&self, item: &Item<'d>, table: Table<'d>) -> Fact {
        let id = item.key();
        self.mark(format!("facts.{id}"), item.key_span());
        let roles = self.roles(table.get("roles"));
        self.check_id(id, item.key_span(), !roles.is_empty());
        let kind = table.need("kind").and_then(|item| item.one_of(&FACT_KINDS));
        let at = self.place_of_question(table.get("at"), &roles);
        // A fact of the farm that is asked at a server has that server in turn.
        let asked = match &at {
            At::Role(role) | At::One(role) if roles.is_empty() => Some(role),
            _ => None,
        };
        let place = Place {
            peers: matches!(at, At::Peer | At::Peers),
            ..Place::of_roles(self.world, roles.iter().chain(asked).map(RoleId::as_str))
        };
        let source = self.source(&table, &place, &at, kind);
        let json = table.get("json");
        if let Some(item) = &json {
            self.check_json(item, &source);
        }
        let pick = table.get("match");
        if let Some(item) = &pick
            && matches!(source, Source::Value(_) | Source::Ask)
        {
            self.report(
                item.key_span(),
                "`match` takes a part of an answer, and there is none",
                "it goes with `run` and `http`",
            );
        }
        let fact = Fact {
            id: FactId::from(id),
            ask: table.get("ask").map(|item| self.template(&item, &place)),
            json: json.map(|item| item.string()),
            pick: pick.and_then(|item| {
                let regex = regex(&item)?;
                if regex.captures_len() < 2 {
                    self.report(item.span(), "`match` has no group", "put what is wanted in parentheses");
                }
                Some(regex)
            }),
            roles,
            at,
            source,
            kind: kind.unwrap_or(FactKind::Text),
            cite: table.string("cite"),
        };
        table.finish();
        fact
    }

    /// Where a fact is asked: on the server it is about, or on the console.
    fn place_of_question(&self, item: Option<Item<'d>>, roles: &[RoleId]) -> At {
        let default = if roles.is_empty() { At::Local } else { At::Here };
        let Some(item) = item else { return default };
        let Some(at) = self.at(&item) else { return default };
        match at {
            At::Here | At::Peer | At::Peers if roles.is_empty() => {
                self.report(
                    item.span(),
                    "a fact of the farm has no server in turn",
                    "write `local`, `one ROLE`, or give the fact `roles`",
                );
            }
            At::Peers | At::Role(_) => {
                self.report(item.span(), "a fact is asked in one place", "write `peer` or `one ROLE`");
            }
            _ => {}
        }
        at
    }

    fn source(&self, table: &Table<'d>, place: &Place<'_>, at: &At, kind: Option<FactKind>) -> Source {
        let (run, http, value) = (table.get("run"), table.get("http"), table.get("value"));
        let given: Vec<_> = [&run, &http, &value].into_iter().flatten().cloned().collect();
        if let [first, second, ..] = &given[..] {
            let message =
                format!("a fact has one source, and this one has `{}` and `{}`", first.key(), second.key());
            self.report(second.key_span(), message, "take one of them out");
        }
        let run = run.map(|item| {
            self.refuse_shell_less(&item, at, place);
            Source::Run(
                self.per_os(&item, |item, os| self.command(item, place, &self.systems_at(at, place, os))),
            )
        });
        let http = http.map(|item| Source::Http(self.template(&item, place)));
        let value = value.map(|item| Source::Value(self.expr(&item, place, &kind_of(kind))));
        if given.is_empty() && table.get("ask").is_none() {
            let message = format!("{} has no source", table.what());
            self.report(table.span(), message, "give it `run`, `http`, `value` or `ask`");
        }
        run.or(http).or(value).unwrap_or(Source::Ask)
    }

    fn check_json(&self, item: &Item<'d>, source: &Source) {
        let Some(text) = item.text() else { return };
        if text.as_str().split('.').any(|part| part.trim().is_empty()) {
            text.report(
                format!("{} is no path into an answer", quoted(text.as_str())),
                "names with dots between them: `server.version`",
            );
        }
        if matches!(source, Source::Value(_) | Source::Ask) {
            self.report(
                item.key_span(),
                "`json` takes a part of an answer, and there is none",
                "it goes with `http` and `run`",
            );
        }
    }

    /// The systems of the machines a command may run on.
    pub(super) fn systems_at(&self, at: &At, place: &Place<'_>, os: Option<Os>) -> BTreeSet<Os> {
        if let Some(os) = os {
            return BTreeSet::from([os]);
        }
        match at {
            At::Local => BTreeSet::from([Os::Linux]),
            At::Here | At::Peer | At::Peers => self.world.systems(place.here.iter().flatten()),
            At::Role(role) | At::One(role) => self.world.systems([&role.as_str().to_owned()]),
        }
    }

    /// Reports that nothing can be run where no role has a shell.
    pub(super) fn refuse_shell_less(&self, item: &Item<'d>, at: &At, place: &Place<'_>) {
        let roles: Vec<&str> = match at {
            At::Local => return,
            At::Here | At::Peer | At::Peers => place.here.iter().flatten().map(String::as_str).collect(),
            At::Role(role) | At::One(role) => vec![role.as_str()],
        };
        let sketches: Vec<_> = roles.iter().filter_map(|role| self.world.roles.get(*role)).collect();
        if !sketches.is_empty() && sketches.iter().all(|role| !role.has_shell) {
            let message = format!(
                "`{}` needs a shell, and {} has `access = \"none\"`",
                item.key(),
                crate::text::toml::listed(roles)
            );
            self.report(item.key_span(), message, "such servers have `ask`, `http`, `port`, `manual`, `confirm`, or what runs with `at = \"local\"`");
        }
    }
}

fn kind_of(kind: Option<FactKind>) -> Kind {
    match kind {
        Some(FactKind::Text) => Kind::Text,
        Some(FactKind::Number) => Kind::Number,
        Some(FactKind::Version) => Kind::Version,
        Some(FactKind::YesNo) => Kind::YesNo,
        Some(FactKind::List) => Kind::list(Kind::Any),
        None => Kind::Any,
    }
}
