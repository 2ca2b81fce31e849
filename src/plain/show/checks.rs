//! The checks as a table: check by check, server by server.

use std::io;

use serde::Serialize;

use super::super::printer::Printer;
use super::super::words;
use crate::engine::State;
use crate::model::{CheckId, Known, ServerName, Verdict};
use crate::profile::Severity;

/// Rows beyond which servers that pass are only counted.
const LONG: usize = 150;

/// One check on one server, or on the farm.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckRow {
    pub check: CheckId,
    pub title: String,
    pub server: Option<ServerName>,
    /// `None`: never concluded.
    pub verdict: Option<Verdict>,
    pub shown: String,
    pub known: Known,
    pub blocks: bool,
    pub waived: Option<String>,
    pub has_fix: bool,
}

impl CheckRow {
    /// Whether something is to be done about it.
    pub fn is_problem(&self) -> bool {
        self.verdict != Some(Verdict::Pass) && self.waived.is_none()
    }

    fn word(&self) -> &'static str {
        match (self.verdict, &self.waived) {
            (Some(Verdict::Pass), _) => "pass",
            (_, Some(_)) => "waived",
            (Some(Verdict::Unknown), _) if self.blocks => "UNKNOWN, blocks",
            (Some(Verdict::Unknown), _) => "UNKNOWN",
            (None, _) => "not checked",
            (Some(Verdict::Fail), _) if self.blocks => "BLOCKS",
            (Some(Verdict::Fail), _) => "WARNS",
        }
    }
}

/// Every check of the start or the end as it stands.
pub(in crate::plain) fn check_rows(state: &State, at_end: bool) -> Vec<CheckRow> {
    let rows = state.check_places(at_end).into_iter().filter_map(|(check, server)| {
        let facts = state.check_facts(&check)?;
        let found = state.checks.get(&(check.clone(), server.clone()));
        Some(CheckRow {
            title: facts.title.to_owned(),
            verdict: found.and_then(|found| found.verdict),
            shown: found.map(|found| found.shown.clone()).unwrap_or_default(),
            known: found.map_or(Known::Seen, |found| found.known),
            blocks: facts.severity == Severity::Block,
            waived: found.and_then(|found| found.waived.clone()),
            has_fix: facts.has_fix,
            check,
            server,
        })
    });
    rows.collect()
}

/// What is to be done about before the start.
pub(in crate::plain) fn problems(state: &State) -> Vec<CheckRow> {
    check_rows(state, false).into_iter().filter(CheckRow::is_problem).collect()
}

/// The table, then what to do about each check that does not pass.
pub(in crate::plain) fn checks(out: &mut Printer, state: &State, at_end: bool) -> io::Result<()> {
    let rows = check_rows(state, at_end);
    let long = rows.len() > LONG;
    let mut at = 0;
    while let Some(first) = rows.get(at) {
        let count = rows[at..].iter().take_while(|row| row.check == first.check).count();
        check(out, &rows[at..at + count], long)?;
        at += count;
    }
    let blocking = rows.iter().filter(|row| row.is_problem() && row.blocks).count();
    let warning = rows.iter().filter(|row| row.is_problem() && !row.blocks).count();
    let waived = rows.iter().filter(|row| row.waived.is_some()).count();
    let passed = rows.iter().filter(|row| row.verdict == Some(Verdict::Pass)).count();
    out.line(&format!("{passed} pass, {blocking} block, {warning} warn, {waived} waived"))?;
    remedies(out, state, &rows)
}

fn check(out: &mut Printer, rows: &[CheckRow], long: bool) -> io::Result<()> {
    let Some(first) = rows.first() else { return Ok(()) };
    out.line(&first.title)?;
    let mut passed = 0;
    for row in rows {
        if long && row.verdict == Some(Verdict::Pass) {
            passed += 1;
            continue;
        }
        let how = if row.verdict.is_some() { format!(" ({})", row.known) } else { String::new() };
        let waived = row.waived.as_ref().map(|reason| format!("; waived: {reason}")).unwrap_or_default();
        let place = words::place(row.server.as_ref());
        out.hanging("    ", &format!("{place}: {}: {}{how}{waived}", row.word(), row.shown))?;
    }
    if passed > 0 {
        out.line(&format!("    {passed} servers: pass"))?;
    }
    Ok(())
}

fn remedies(out: &mut Printer, state: &State, rows: &[CheckRow]) -> io::Result<()> {
    let mut said: Vec<String> = Vec::new();
    for row in rows.iter().filter(|row| row.is_problem()) {
        let Some(remedy) = state.remedy(&row.check, row.server.as_ref()) else { continue };
        let text = format!("{}: {}", row.title, remedy.trim());
        if said.contains(&text) {
            continue;
        }
        if said.is_empty() {
            out.blank()?;
            out.line("What to do:")?;
        }
        out.hanging("  - ", &text)?;
        if let Some(cite) = state.check_facts(&row.check).and_then(|facts| facts.cite) {
            out.hanging("    ", &format!("(vendor: {cite})"))?;
        }
        said.push(text);
    }
    Ok(())
}
