//! Stages and procedures.

use std::collections::BTreeMap;
use std::ops::Range;

use super::place::{Given, Place};
use super::read::Reader;
use super::{limits, listed_tables, named};
use crate::model::{ProcedureId, RoleId, StageId};
use crate::profile::ast::{AtATime, Procedure, Stage};
use crate::profile::expr::Expr;
use crate::text::diagnostic::Diagnostic;
use crate::text::toml::{Item, Table, Text};

impl<'d> Reader<'d> {
    pub(super) fn all_procedures(&self, root: &Table<'d>) -> Vec<Procedure> {
        let procedures = named(root, "procedures", "procedure");
        procedures.into_iter().map(|(item, table)| self.procedure(&item, table)).collect()
    }

    fn procedure(&self, item: &Item<'d>, table: Table<'d>) -> Procedure {
        let id = item.key();
        self.check_id(id, item.key_span(), false);
        let address = format!("procedures.{id}");
        self.mark(address.clone(), item.key_span());
        let place = if let Some(used) = self.world.uses.get(id) {
            Place {
                here: used.here.clone(),
                peers: used.here.is_some(),
                with: Given::These(used.with.clone()),
                secret_with: used.secret.clone(),
                item: used.item,
                ..Place::farm(self.world)
            }
        } else {
            self.doc.report_absence(
                Diagnostic::new(item.key_span(), format!("procedure `{id}` is used nowhere"))
                    .help("name it with `use`, `recover` or `fix`, or take it out"),
            );
            // Whatever it may name, so that only this is reported.
            let all = self.world.roles.keys().map(String::as_str);
            Place { peers: true, item: true, with: Given::Anything, ..Place::of_roles(self.world, all) }
        };
        let procedure = Procedure {
            id: ProcedureId::from(id),
            title: table.string("title").unwrap_or_else(|| id.to_owned()),
            steps: self.steps(&table, &place, &address),
            cite: table.string("cite"),
        };
        table.finish();
        procedure
    }

    pub(super) fn all_stages(&self, root: &Table<'d>) -> Vec<Stage> {
        let mut before = BTreeMap::new();
        let stages = listed_tables(root, "stages", "stage");
        if stages.is_empty() {
            let message = "the profile has no stages, so there is nothing to carry out";
            self.doc.report_absence(
                Diagnostic::new(root.span(), message).help("write `[[stages]]` with `id`, `title` and steps"),
            );
        }
        stages.into_iter().map(|table| self.stage(table, &mut before)).collect()
    }

    fn stage(&self, table: Table<'d>, before: &mut BTreeMap<String, Range<usize>>) -> Stage {
        let id = self.id(&table, before);
        let span = id.as_ref().map_or_else(|| table.span(), Text::span);
        let id = id.map(|id| id.as_str()).unwrap_or_default();
        let address = format!("stages.{id}");
        self.mark(address.clone(), span);
        let roles = self.roles(table.get("roles"));
        let place = Place::of_roles(self.world, roles.iter().map(RoleId::as_str));
        let place = Place { peers: !roles.is_empty(), ..place };
        if roles.is_empty() {
            self.refuse_server_keys(&table);
        }
        let checks: Vec<_> = self.world.checks.keys().map(String::as_str).collect();
        let stage = Stage {
            id: StageId::from(id),
            title: table.need("title").map(|item| item.string()).unwrap_or_default(),
            when: self.condition(table.get("when").as_ref(), &place),
            at_a_time: table.get("at-a-time").and_then(|item| at_a_time(&item)).unwrap_or(AtATime::Number(1)),
            first: self.order(&table, "first", &place),
            last: self.order(&table, "last", &place),
            gates: self.ids(table.get("gates"), "check", &checks),
            soak: table.get("soak").and_then(|item| item.duration()),
            keep_up: self.keep_up_of(&table, None),
            tally: table.get("tally").map(|item| self.template(&item, &Place::farm(self.world))),
            leave_out: table.string("leave-out"),
            steps: self.steps(&table, &place, &address),
            roles,
            cite: table.string("cite"),
        };
        if let Some(item) = table.get("last") {
            self.mark(format!("{address}.last"), item.key_span());
        }
        if let Some(item) = table.get("keep-up") {
            self.mark(format!("{address}.keep-up"), item.span());
        }
        table.finish();
        stage
    }

    fn refuse_server_keys(&self, table: &Table<'d>) {
        for key in ["at-a-time", "first", "last", "soak", "keep-up", "leave-out"] {
            if let Some(item) = table.get(key) {
                self.report(
                    item.key_span(),
                    format!("`{key}` is about servers, and this stage has none"),
                    "say whose servers with `roles`",
                );
            }
        }
    }

    /// Which server is first or last: known before the start.
    fn order(&self, table: &Table<'d>, key: &'static str, place: &Place<'_>) -> Option<Expr> {
        let item = table.get(key)?;
        let expr = self.condition(Some(&item), place)?;
        if let Some(name) = expr.names().iter().find(|name| name.is_measured()) {
            self.doc.report(limits::order_of_facts(item.span(), name));
        }
        Some(expr)
    }
}

fn at_a_time(item: &Item<'_>) -> Option<AtATime> {
    if item.is_text() {
        return item.one_of(&[("all", AtATime::All)]);
    }
    usize::try_from(item.whole_number(1..100_000)?).ok().map(AtATime::Number)
}
