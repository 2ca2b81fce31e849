//! Commands about profiles and inventories as files.

use std::io::Write as _;
use std::path::Path;

use serde_json::json;

use super::exit::{self, Faulty};
use super::{files, reach, say};
use crate::inventory::Inventory;
use crate::plain;
use crate::profile::{self, builtin};
use crate::text::diagnostic::Diagnostics;
use crate::text::escape::safe;

pub(super) fn list(as_json: bool) -> anyhow::Result<u8> {
    let mut rows = Vec::new();
    for (id, text) in builtin::all() {
        let profile = profile::parse(id, text).map_err(Faulty::from)?;
        if as_json {
            rows.push(json!({ "id": id, "product": profile.product }));
        } else {
            say(&format!("{id}  {}", safe(&profile.product)))?;
        }
    }
    if as_json {
        say(&plain::json_line(&rows))?;
    }
    Ok(exit::DONE)
}

pub(super) fn show(wanted: &str) -> anyhow::Result<u8> {
    let source = files::profile_source(wanted)?;
    std::io::stdout().write_all(source.text.as_bytes())?;
    Ok(exit::DONE)
}

/// Every mistake in every file.
pub(super) fn check(wanted: &[String], as_json: bool) -> anyhow::Result<u8> {
    let mut found = Found { as_json, rows: Vec::new(), faulty: false };
    for wanted in wanted {
        let source = files::profile_source(wanted)?;
        match profile::parse(&source.name, &source.text) {
            Ok(_) => found.right(&source.name)?,
            Err(wrong) => found.wrong(&wrong)?,
        }
    }
    found.tell()
}

/// Every mistake in an inventory; where there is none, what its servers are found to be.
pub(super) fn check_inventory(
    wanted: Option<&str>,
    path: &Path,
    offline: bool,
    as_json: bool,
) -> anyhow::Result<u8> {
    let mut found = Found { as_json, rows: Vec::new(), faulty: false };
    let profile = wanted.map(files::profile).transpose()?;
    let (source, base) = files::inventory_source(path)?;
    match Inventory::parse(&source.name, &source.text, &base) {
        Err(wrong) => found.wrong(&wrong)?,
        Ok(inventory) => {
            match profile.map(|profile| inventory.fit(&profile.profile)).filter(|fit| !fit.is_empty()) {
                Some(wrong) => found.wrong(&wrong)?,
                None if offline => found.right(&source.name)?,
                None => return reach::run(&inventory, as_json),
            }
        }
    }
    found.tell()
}

/// What was found in files so far.
struct Found {
    as_json: bool,
    rows: Vec<serde_json::Value>,
    faulty: bool,
}

impl Found {
    fn right(&mut self, name: &str) -> anyhow::Result<()> {
        if !self.as_json {
            say(&format!("{}: no mistakes", safe(name)))?;
        }
        Ok(())
    }

    fn wrong(&mut self, found: &Diagnostics) -> anyhow::Result<()> {
        self.faulty = true;
        match found.to_json() {
            serde_json::Value::Array(rows) if self.as_json => self.rows.extend(rows),
            _ => writeln!(std::io::stderr(), "{found}")?,
        }
        Ok(())
    }

    fn tell(self) -> anyhow::Result<u8> {
        if self.as_json {
            say(&plain::json_line(&self.rows))?;
        }
        Ok(if self.faulty { exit::USAGE } else { exit::DONE })
    }
}
