//! The checks as a table: check by check, server by server.

use std::io;

use super::super::printer::Printer;
use crate::engine::State;
use crate::model::Verdict;
use crate::words::checks::{self, CheckRow, Counts};

/// Rows beyond which servers that pass are only counted.
const LONG: usize = 150;

/// The table, then what to do about each check that does not pass.
pub(in crate::plain) fn checks(out: &mut Printer, state: &State, at_end: bool) -> io::Result<()> {
    let rows = checks::rows(state, at_end);
    let long = rows.len() > LONG;
    for rows in rows.chunk_by(|a, b| a.check == b.check) {
        check(out, rows, long)?;
    }
    out.line(&Counts::of(&rows).to_string())?;
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
        out.hanging("    ", &row.text())?;
    }
    if passed > 0 {
        out.line(&format!("    {passed} servers: pass"))?;
    }
    Ok(())
}

fn remedies(out: &mut Printer, state: &State, rows: &[CheckRow]) -> io::Result<()> {
    for (index, remedy) in checks::remedies(state, rows).iter().enumerate() {
        if index == 0 {
            out.blank()?;
            out.line("What to do:")?;
        }
        out.hanging("  - ", &remedy.text)?;
        if let Some(cite) = &remedy.cite {
            out.hanging("    ", &format!("(vendor: {cite})"))?;
        }
    }
    Ok(())
}
