//! Roles, inputs and notices.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeValue;

use super::place::Place;
use super::read::{Reader, count, keep_up};
use super::world::{INPUT_KINDS, OS, PERS};
use super::{limits, listed_tables, named};
use crate::model::{FactId, InputId, NoticeId, Os, RoleId, StageId};
use crate::profile::ast::{Access, Count, FactKind, Input, InputKind, KeepUp, Notice, Page, Per, Role};
use crate::profile::expr::Expr;
use crate::text::diagnostic::quoted;
use crate::text::toml::{Item, Table, Text};

impl<'d> Reader<'d> {
    pub(super) fn all_roles(&self, root: &Table<'d>) -> Vec<Role> {
        let roles = named(root, "roles", "role");
        roles.into_iter().map(|(item, table)| self.role(&item, table)).collect()
    }

    fn role(&self, item: &Item<'d>, table: Table<'d>) -> Role {
        self.check_id(item.key(), item.key_span(), false);
        let id = item.key();
        self.mark(format!("roles.{id}"), item.key_span());
        let count = table.need("count").and_then(|item| count(&item));
        let count = count.unwrap_or(Count { min: 0, max: None });
        let role = Role {
            id: RoleId::from(id),
            label: table.need("label").map(|item| item.string()).unwrap_or_default(),
            count,
            os: table.need("os").map(|item| self.systems_of(&item)).unwrap_or_default(),
            access: table
                .get("access")
                .and_then(|item| item.one_of(&[("ssh", Access::Ssh), ("none", Access::None)]))
                .unwrap_or(Access::Ssh),
            version: self.fact_of(&table, "version", Some(id), FactKind::Version),
            registered: self.fact_of(&table, "registered", None, FactKind::List),
            detect: self.fact_of(&table, "detect", Some(id), FactKind::YesNo),
            services: table
                .get("services")
                .map(|item| self.per_os(&item, |item, _| Self::services(item)))
                .unwrap_or_default(),
            keep_up: self.keep_up_of(&table, Some(count)),
            cite: table.string("cite"),
        };
        table.finish();
        role
    }

    fn systems_of(&self, item: &Item<'d>) -> Vec<Os> {
        let systems: Vec<_> = item.texts().iter().map(Text::as_str).collect();
        if systems.is_empty() {
            self.report(
                item.span(),
                "a role runs on one system at least",
                "write `os = [\"linux\", \"windows\"]`",
            );
        }
        item.list().iter().filter_map(|item| item.one_of(&OS)).collect()
    }

    /// A fact of the kind a key wants, of `role` or of the farm.
    fn fact_of(
        &self,
        table: &Table<'d>,
        key: &'static str,
        role: Option<&str>,
        kind: FactKind,
    ) -> Option<FactId> {
        let text = table.get(key)?.text()?;
        let id = self.known(&text, "fact", self.world.facts.keys().map(String::as_str));
        if let Some(fact) = self.world.facts.get(id) {
            let fits = match role {
                Some(role) => fact.roles.iter().any(|of| of == role),
                None => fact.roles.is_empty(),
            };
            let whose = role.map_or("the farm".to_owned(), |role| format!("role `{role}`"));
            if !fits {
                text.report(format!("{} is no fact of {whose}", quoted(id)), "see `roles` of the fact");
            } else if fact.kind.is_some_and(|found| found != kind) {
                let kind = super::world::FACT_KINDS
                    .iter()
                    .find(|(_, known)| *known == kind)
                    .map_or("", |(word, _)| word);
                text.report(format!("`{key}` wants a fact of kind `{kind}`"), "see `kind` of the fact");
            }
        }
        Some(FactId::from(id))
    }

    pub(super) fn keep_up_of(&self, table: &Table<'d>, count: Option<Count>) -> Option<KeepUp> {
        let item = table.get("keep-up")?;
        let keep_up = keep_up(&item)?;
        if let (KeepUp::Number(number), Some(count)) = (keep_up, count)
            && number > count.min
        {
            let message =
                format!("{number} servers cannot stay up where there may be as few as {}", count.min);
            self.report(item.span(), message, "write `all-but-1`, `majority`, or a smaller number");
        }
        Some(keep_up)
    }

    pub(super) fn all_inputs(&self, root: &Table<'d>) -> Vec<Input> {
        let inputs = named(root, "inputs", "input");
        inputs.into_iter().map(|(item, table)| self.input(&item, table)).collect()
    }

    fn input(&self, item: &Item<'d>, table: Table<'d>) -> Input {
        let id = item.key();
        self.mark(format!("inputs.{id}"), item.key_span());
        let kind_item = table.need("kind");
        let kind = kind_item.as_ref().and_then(|item| item.one_of(&INPUT_KINDS));
        let per = table.get("per").and_then(|item| item.one_of(&PERS)).unwrap_or(Per::Farm);
        self.check_id(id, item.key_span(), per == Per::Server);
        if let (Some(InputKind::Secret), Some(item)) = (kind, &kind_item) {
            self.doc.report(limits::secret(item.span()));
        }
        let choices = self.choices(&table);
        if kind == Some(InputKind::Choice) && choices.is_empty() {
            self.report(
                item.key_span(),
                format!("input `{id}` has no `choices`"),
                "write `choices.ID = \"what it means\"` for each",
            );
        } else if kind.is_some_and(|kind| kind != InputKind::Choice) && !choices.is_empty() {
            self.report(
                item.key_span(),
                format!("input `{id}` has `choices` and is no choice"),
                "write `kind = \"choice\"`",
            );
        }
        let kind = kind.unwrap_or(InputKind::Text);
        let default = table.get("default");
        let roles_item = table.get("roles");
        if kind == InputKind::Server && roles_item.is_none() {
            self.report(
                item.key_span(),
                format!("input `{id}` does not say whose servers may be named"),
                "write `roles = [\"…\"]`",
            );
        }
        let input = Input {
            id: InputId::from(id),
            label: table.need("label").map(|item| item.string()).unwrap_or_default(),
            kind,
            per,
            default: default
                .map(|item| self.per_os(&item, |item, os| self.default(item, kind, &choices, os)))
                .unwrap_or_default(),
            choices,
            help: table.string("help"),
            optional: table.yes_no("optional", false),
            roles: self.roles(roles_item),
            unsure: table.yes_no("unsure", false),
            when: table.get("when").and_then(|item| self.settled(&item, &Place::farm(self.world))),
            cite: table.string("cite"),
        };
        table.finish();
        input
    }

    /// A condition on what is known before anything is measured.
    fn settled(&self, item: &Item<'d>, place: &Place<'_>) -> Option<Expr> {
        let when = self.condition(Some(item), place)?;
        if let Some(name) = when.names().iter().find(|name| name.is_measured()) {
            let message = format!("`{name}` is measured after the inputs are asked for");
            self.report(item.span(), message, "name inputs only");
        }
        Some(when)
    }

    fn choices(&self, table: &Table<'d>) -> Vec<(String, String)> {
        let Some(choices) = table.get("choices").and_then(|item| item.table("`choices`")) else {
            return Vec::new();
        };
        let choice = |item: &Item<'d>| {
            self.check_id(item.key(), item.key_span(), false);
            (item.key().to_owned(), item.string())
        };
        choices.items().iter().map(choice).collect()
    }

    /// What an input is when nothing is said, as an operator would write it.
    fn default(
        &self,
        item: &Item<'d>,
        kind: InputKind,
        choices: &[(String, String)],
        os: Option<Os>,
    ) -> String {
        let value = match (kind, item.value()) {
            (InputKind::YesNo, DeValue::Boolean(yes)) => return if *yes { "yes" } else { "no" }.to_owned(),
            (InputKind::YesNo, DeValue::String(_)) => {
                return item.one_of(&[("yes", "yes"), ("no", "no")]).unwrap_or_default().to_owned();
            }
            (InputKind::Number, DeValue::Integer(_) | DeValue::Float(_)) => {
                return item.number().map(|number| number.to_string()).unwrap_or_default();
            }
            (InputKind::Hosts, DeValue::Array(_)) => {
                return item.texts().iter().map(Text::as_str).collect::<Vec<_>>().join(", ");
            }
            _ => self
                .text(item, os == Some(Os::Windows))
                .map(|text| text.as_str().to_owned())
                .unwrap_or_default(),
        };
        match kind {
            InputKind::Choice if !choices.iter().any(|(id, _)| *id == value) => {
                let help = crate::text::toml::listed(choices.iter().map(|(id, _)| id.as_str()));
                self.report(
                    item.span(),
                    format!("{} is none of the choices", quoted(&value)),
                    format!("one of {help}"),
                );
            }
            InputKind::Number if !value.trim().parse::<f64>().is_ok_and(f64::is_finite) => {
                item.expected("a number");
            }
            InputKind::Secret => self.report(
                item.span(),
                "a secret has no default",
                "it would stand in the profile for all to read",
            ),
            _ => {}
        }
        value
    }

    pub(super) fn all_notices(&self, root: &Table<'d>) -> Vec<Notice> {
        let mut before = BTreeMap::new();
        let notices = listed_tables(root, "notices", "notice");
        notices.into_iter().map(|table| self.notice(table, &mut before)).collect()
    }

    fn notice(&self, table: Table<'d>, before: &mut BTreeMap<String, Range<usize>>) -> Notice {
        const PAGES: [(&str, Page); 5] = [
            ("information", Page::Information),
            ("licence", Page::Licence),
            ("requirements", Page::Requirements),
            ("firewall", Page::Firewall),
            ("finish", Page::Finish),
        ];
        let id = self.id(&table, before).map(|id| id.as_str()).unwrap_or_default();
        let page = table.get("page").and_then(|item| item.one_of(&PAGES)).unwrap_or(Page::Information);
        let roles = self.roles(table.get("roles"));
        if let (Some(item), true) = (table.get("roles"), page != Page::Finish) {
            self.report(
                item.key_span(),
                "only what is left to do at the end is said of each server",
                "write `page = \"finish\"`, or take `roles` out",
            );
        }
        let place = Place::of_roles(self.world, roles.iter().map(RoleId::as_str));
        let text = match table.get("file") {
            Some(item) => {
                self.doc.report(limits::notice_file(item.key_span()));
                table.get("text")
            }
            None => table.need("text"),
        };
        let notice = Notice {
            id: NoticeId::from(id),
            text: text.map(|item| self.template(&item, &place)).unwrap_or_default(),
            page,
            roles,
            confirm: table.yes_no("confirm", false),
            banner: table.get("banner").and_then(|item| self.banner(&item)),
            when: self.condition(table.get("when").as_ref(), &place),
            cite: table.string("cite"),
        };
        table.finish();
        notice
    }

    fn banner(&self, item: &Item<'d>) -> Option<(StageId, StageId)> {
        let stages: Vec<_> = self.world.stages.iter().map(|stage| stage.id.as_str()).collect();
        let ends = item.list();
        let [from, to] = &ends[..] else {
            self.report(
                item.span(),
                "`banner` names two stages",
                "from the start of the first to the end of the second; they may be the same",
            );
            return None;
        };
        let (from, to) = (from.text()?, to.text()?);
        let (first, second) =
            (self.known(&from, "stage", stages.clone()), self.known(&to, "stage", stages.clone()));
        let position = |id| stages.iter().position(|stage| *stage == id);
        if position(first) > position(second) {
            self.report(
                item.span(),
                "the second stage of `banner` comes before the first",
                "write them the other way round",
            );
        }
        Some((StageId::from(first), StageId::from(second)))
    }
}
