//! Checks.

use std::collections::BTreeMap;
use std::ops::Range;

use super::listed_tables;
use super::place::Place;
use super::read::Reader;
use crate::model::{CheckId, InputId, ProcedureId, RoleId};
use crate::profile::ast::{At, Check, CheckKind, InputKind, PerOs, ServiceState, Severity};
use crate::profile::expr::{Expr, Kind};
use crate::text::diagnostic::Diagnostic;
use crate::text::toml::{Item, Table, Text, listed};

const KINDS: [&str; 10] = [
    "that",
    "free-space",
    "clock-skew",
    "port",
    "writable",
    "privilege",
    "file",
    "services",
    "registered",
    "ask",
];

impl<'d> Reader<'d> {
    pub(super) fn all_checks(&self, root: &Table<'d>) -> Vec<Check> {
        let mut before = BTreeMap::new();
        let checks = listed_tables(root, "checks", "check");
        checks.into_iter().map(|table| self.check(table, &mut before)).collect()
    }

    fn check(&self, table: Table<'d>, before: &mut BTreeMap<String, Range<usize>>) -> Check {
        let id = self.id(&table, before);
        let span = id.as_ref().map_or_else(|| table.span(), Text::span);
        let id = id.map(|id| id.as_str()).unwrap_or_default();
        self.mark(format!("checks.{id}"), span);
        let roles = self.roles(table.get("roles"));
        let default = if roles.is_empty() { At::Local } else { At::Here };
        let at_item = table.get("at");
        let at = at_item.as_ref().and_then(|item| self.at(item)).unwrap_or_else(|| default.clone());
        if let (At::Here | At::Peer | At::Peers, Some(item), true) = (&at, &at_item, roles.is_empty()) {
            self.report(
                item.span(),
                "a check of the farm has no server in turn",
                "write `local`, `one ROLE`, a role, or give the check `roles`",
            );
        }
        let place = self.place_of_check(&roles, &at);
        let fix = table.get("fix").and_then(|item| item.text());
        let (at_start, at_end) = phases(&table);
        let check = Check {
            id: CheckId::from(id),
            title: table.need("title").map(|item| item.string()).unwrap_or_default(),
            kind: self.check_kind(&table, &place, &roles, &at),
            when: self.condition(table.get("when").as_ref(), &place),
            severity: table
                .get("severity")
                .and_then(|item| item.one_of(&[("block", Severity::Block), ("warn", Severity::Warn)]))
                .unwrap_or(Severity::Block),
            at_start,
            at_end,
            remedy: table.get("remedy").map(|item| self.template(&item, &place)),
            fix: fix.map(|fix| {
                ProcedureId::from(self.known(
                    &fix,
                    "procedure",
                    self.world.procedures.keys().map(String::as_str),
                ))
            }),
            roles,
            at,
            cite: table.string("cite"),
        };
        table.finish();
        check
    }

    fn place_of_check(&self, roles: &[RoleId], at: &At) -> Place<'d> {
        let of_role = match at {
            At::Role(role) | At::One(role) if roles.is_empty() => Some(role),
            _ => None,
        };
        let place = Place::of_roles(self.world, roles.iter().chain(of_role).map(RoleId::as_str));
        Place { peers: !roles.is_empty(), ..place }
    }

    fn check_kind(&self, table: &Table<'d>, place: &Place<'_>, roles: &[RoleId], at: &At) -> CheckKind {
        let given: Vec<_> = KINDS.iter().filter_map(|key| table.get(key)).collect();
        let nothing = CheckKind::That(Expr::default());
        let Some(item) = given.first() else {
            let help = format!("give it one of {}", listed(KINDS));
            self.doc.report_absence(
                Diagnostic::new(table.span(), format!("{} does not say what it checks", table.what()))
                    .help(help),
            );
            return nothing;
        };
        if let Some(second) = given.get(1) {
            let message =
                format!("a check has one kind, and this one has `{}` and `{}`", item.key(), second.key());
            self.doc.report(
                Diagnostic::new(second.key_span(), message)
                    .also(item.key_span(), "the first")
                    .help("make two checks of them"),
            );
        }
        self.require_place(item, roles, at, place);
        self.read_kind(item, place).unwrap_or(nothing)
    }

    /// Some kinds look at servers, and must be told at which.
    fn require_place(&self, item: &Item<'d>, roles: &[RoleId], at: &At, place: &Place<'_>) {
        match item.key() {
            "that" | "ask" | "registered" => {}
            "clock-skew" | "services" | "port" | "privilege" if roles.is_empty() => {
                self.report(
                    item.key_span(),
                    format!("`{}` looks at servers, and this check has none", item.key()),
                    "say whose with `roles`",
                );
            }
            // Connects from elsewhere.
            "port" => self.refuse_shell_less(item, if *at == At::Here { &At::Local } else { at }, place),
            _ => self.refuse_shell_less(item, at, place),
        }
    }

    fn read_kind(&self, item: &Item<'d>, place: &Place<'_>) -> Option<CheckKind> {
        const STATES: [(&str, ServiceState); 3] = [
            ("running", ServiceState::Running),
            ("stopped", ServiceState::Stopped),
            ("as-before", ServiceState::AsBefore),
        ];
        Some(match item.key() {
            "that" => CheckKind::That(self.expr(item, place, &Kind::YesNo)),
            "free-space" => self.free_space(item, place)?,
            "clock-skew" => CheckKind::ClockSkew(item.duration()?),
            "port" => CheckKind::Port(u16::try_from(item.whole_number(1..65_536)?).ok()?),
            "writable" => CheckKind::Writable(self.paths(item, place)),
            "privilege" => {
                item.only_true();
                CheckKind::Privilege
            }
            "file" => self.file(item, place)?,
            "services" => CheckKind::Services(item.one_of(&STATES)?),
            "registered" => {
                let role = RoleId::from(self.known(
                    &item.text()?,
                    "role",
                    self.world.roles.keys().map(String::as_str),
                ));
                self.mark(format!("registered.{role}"), item.span());
                CheckKind::Registered(role)
            }
            _ => CheckKind::Ask(self.template(item, place)),
        })
    }

    fn free_space(&self, item: &Item<'d>, place: &Place<'_>) -> Option<CheckKind> {
        let table = item.table("`free-space`")?;
        let path = table.need("path").map(|item| self.paths(&item, place)).unwrap_or_default();
        let need: PerOs<u64> = table
            .need("need")
            .map(|item| self.per_os(&item, |item, _| item.size().unwrap_or(0)))
            .unwrap_or_default();
        for (os, _) in path.iter() {
            if need.get(os).is_none() {
                self.doc.report_absence(
                    Diagnostic::new(
                        table.span(),
                        format!("`free-space` has a path for {} and no `need`", os.as_str()),
                    )
                    .help("one `need` may stand for all systems"),
                );
            }
        }
        table.finish();
        Some(CheckKind::FreeSpace { path, need })
    }

    fn file(&self, item: &Item<'d>, place: &Place<'_>) -> Option<CheckKind> {
        let table = item.table("`file`")?;
        let path = table.need("path").map(|item| self.paths(&item, place)).unwrap_or_default();
        let same_as = table.get("same-as").and_then(|item| item.text()).map(|text| self.file_input(&text));
        let kind = CheckKind::File {
            path,
            younger: table.get("younger").and_then(|item| item.duration()),
            min: table.get("min").and_then(|item| item.size()),
            same_as,
        };
        table.finish();
        Some(kind)
    }

    /// An input of kind `file`.
    pub(super) fn file_input(&self, text: &Text<'d>) -> InputId {
        let id = self.known(text, "input", self.world.inputs.keys().map(String::as_str));
        let kind = self.world.inputs.get(id).and_then(|input| input.kind);
        if kind.is_some_and(|kind| kind != InputKind::File) {
            text.report(format!("input `{id}` is no file"), "name an input of kind `file`");
        }
        InputId::from(id)
    }
}

/// Whether it is looked at at the start, and at the end.
fn phases(table: &Table<'_>) -> (bool, bool) {
    let items = table.get("phase").map(|item| item.list()).unwrap_or_default();
    let ends: Vec<bool> =
        items.iter().filter_map(|item| item.one_of(&[("start", false), ("end", true)])).collect();
    (ends.contains(&false), ends.contains(&true))
}
