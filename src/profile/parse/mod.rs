//! From the text of a profile to the profile, or to everything that is wrong with it.
//!
//! Three passes: what is declared is gathered, every element is read closely against it, and the laws that
//! hold between elements are looked at. Each finds as much as it can whatever the others found.

mod checks;
mod facts;
mod failures;
mod laws;
mod limits;
mod place;
mod read;
mod roles;
mod stages;
mod steps;
mod world;

use std::cell::RefCell;

use sha2::{Digest, Sha256};

use self::place::{Place, Purpose};
use self::read::{Reader, regex};
use self::world::World;
use super::ast::{Profile, VersionRules};
use super::expr::Template;
use crate::model::VersionPattern;
use crate::text::diagnostic::Diagnostics;
use crate::text::toml::{Doc, Item, Table};

/// Reads the profile `text`, which the operator knows as `name`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(name: &str, text: &str) -> Result<Profile, Diagnostics> {
    let doc = Doc::parse(text);
    let (mut profile, spans) = {
        let world = World::gather(doc.root().entries());
        let reader =
            Reader { doc: &doc, world: &world, spans: RefCell::default(), uploaded: RefCell::default() };
        let profile = reader.profile();
        (profile, reader.spans.into_inner())
    };
    if doc.is_whole() {
        laws::check(&profile, &spans, &doc);
    }
    profile.digest = Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::new(), |digest, byte| digest + &format!("{byte:02x}"));
    doc.finish(name).none_or().map(|()| profile)
}

/// Named tables under `key`, in the order of the text.
fn named<'d>(table: &Table<'d>, key: &'static str, what: &str) -> Vec<(Item<'d>, Table<'d>)> {
    let Some(outer) = table.get(key).and_then(|item| item.table(format!("`{key}`"))) else {
        return Vec::new();
    };
    let tables = outer.items().into_iter().map(|item| {
        let table = item.table(format!("{what} `{}`", item.key()))?;
        Some((item, table))
    });
    tables.collect::<Vec<_>>().into_iter().flatten().collect()
}

/// Tables of the list under `key`; each is called by its id.
fn listed_tables<'d>(table: &Table<'d>, key: &'static str, what: &str) -> Vec<Table<'d>> {
    let items = table.get(key).map(|item| item.list()).unwrap_or_default();
    let name = |table: Table<'d>| match table.entries().get("id").and_then(|id| id.get_ref().as_str()) {
        Some(id) => table.named(format!("{what} `{id}`")),
        None => table,
    };
    items.iter().filter_map(|item| item.table(format!("this {what}")).map(name)).collect()
}

impl<'d> Reader<'d> {
    fn profile(&self) -> Profile {
        let root = self.doc.root().named("the profile");
        let format = root.need("nofm");
        if let Some(item) = &format
            && item.whole_number(1..i64::MAX).is_some_and(|format| format != 1)
        {
            self.report(
                item.span(),
                "this profile is written for a later version of nofm",
                "this one reads `nofm = 1`",
            );
        }
        let id = root.need("id").and_then(|item| item.text());
        if let Some(id) = &id {
            self.check_id(id.as_str(), id.span(), false);
        }
        let product = root.need("product").map(|item| item.string()).unwrap_or_default();
        let cite = root.string("cite");
        let version = root.need("version").and_then(|item| item.table("`version`"));
        let profile = Profile {
            digest: String::new(),
            id: id.map(|id| id.as_str().to_owned()).unwrap_or_default(),
            product,
            cite,
            version: self.version(version),
            roles: self.all_roles(&root),
            inputs: self.all_inputs(&root),
            facts: self.all_facts(&root),
            notices: self.all_notices(&root),
            checks: self.all_checks(&root),
            procedures: self.all_procedures(&root),
            stages: self.all_stages(&root),
            failures: self.all_failures(&root),
        };
        root.finish();
        profile
    }

    fn version(&self, table: Option<Table<'d>>) -> VersionRules {
        let Some(table) = table else {
            return VersionRules {
                target: Template::default(),
                pattern: VersionPattern::default(),
                instead: None,
                cite: None,
            };
        };
        let place = Place::farm(self.world).for_purpose(Purpose::Target);
        let target = table.need("target").map(|item| self.template(&item, &place)).unwrap_or_default();
        let pattern = table.get("pattern").and_then(|item| {
            let regex = regex(&item)?;
            if regex.captures_len() < 2 {
                self.report(
                    item.span(),
                    "this pattern has no groups",
                    "put each number of the version in parentheses: '^(\\d+)\\.(\\d+)'",
                );
            }
            VersionPattern::new(regex.as_str()).ok()
        });
        let instead = table.string("instead");
        let cite = table.string("cite");
        table.finish();
        VersionRules { target, pattern: pattern.unwrap_or_default(), instead, cite }
    }
}
