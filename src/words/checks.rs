//! The checks: check by check, server by server, and what to do about those that do not pass.

use std::fmt;

use serde::Serialize;

use super::title::place;
use crate::engine::{Purpose, ScriptRef, State};
use crate::model::{CheckId, Known, ServerName, Verdict};
use crate::profile::Severity;

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

    /// How it came out, in a word.
    pub fn word(&self) -> &'static str {
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

    /// What was measured, how that is known, and why it was waived.
    pub fn measured(&self) -> String {
        let how = if self.verdict.is_some() { format!(" ({})", self.known) } else { String::new() };
        let waived = self.waived.as_ref().map(|reason| format!("; waived: {reason}")).unwrap_or_default();
        format!("{}{how}{waived}", self.shown)
    }

    /// The row in one line, below its title.
    pub fn text(&self) -> String {
        format!("{}: {}: {}", place(self.server.as_ref()), self.word(), self.measured())
    }
}

/// One check at one place as it stands. `None`: there is no such check.
pub fn row(state: &State, check: &CheckId, server: Option<&ServerName>) -> Option<CheckRow> {
    let facts = state.check_facts(check)?;
    let found = state.checks.get(&(check.clone(), server.cloned()));
    Some(CheckRow {
        check: check.clone(),
        title: facts.title.to_owned(),
        server: server.cloned(),
        verdict: found.and_then(|found| found.verdict),
        shown: found.map(|found| found.shown.clone()).unwrap_or_default(),
        known: found.map_or(Known::Seen, |found| found.known),
        blocks: facts.severity == Severity::Block,
        waived: found.and_then(|found| found.waived.clone()),
        has_fix: facts.has_fix,
    })
}

/// Every check of the start or the end as it stands.
pub fn rows(state: &State, at_end: bool) -> Vec<CheckRow> {
    let places = state.check_places(at_end);
    places.into_iter().filter_map(|(check, server)| row(state, &check, server.as_ref())).collect()
}

/// What is to be done about before the start.
pub fn problems(state: &State) -> Vec<CheckRow> {
    rows(state, false).into_iter().filter(CheckRow::is_problem).collect()
}

/// How many came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub blocking: usize,
    pub warning: usize,
    pub waived: usize,
}

impl Counts {
    pub fn of(rows: &[CheckRow]) -> Self {
        let count = |which: fn(&CheckRow) -> bool| rows.iter().filter(|row| which(row)).count();
        Self {
            passed: count(|row| row.verdict == Some(Verdict::Pass)),
            blocking: count(|row| row.is_problem() && row.blocks),
            warning: count(|row| row.is_problem() && !row.blocks),
            waived: count(|row| row.waived.is_some()),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, blocking, warning, waived } = self;
        write!(f, "{passed} pass, {blocking} block, {warning} warn, {waived} waived")
    }
}

/// What to do about a check that does not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// With the check's title in front.
    pub text: String,
    pub cite: Option<String>,
}

/// What to do about each of `rows` that is a problem; the same advice once.
pub fn remedies(state: &State, rows: &[CheckRow]) -> Vec<Remedy> {
    let mut remedies: Vec<Remedy> = Vec::new();
    for row in rows.iter().filter(|row| row.is_problem()) {
        let Some(remedy) = state.remedy(&row.check, row.server.as_ref()) else { continue };
        let text = format!("{}: {}", row.title, remedy.trim());
        if remedies.iter().all(|said| said.text != text) {
            let cite = state.check_facts(&row.check).and_then(|facts| facts.cite).map(ToString::to_string);
            remedies.push(Remedy { text, cite });
        }
    }
    remedies
}

/// Whether every check of the start is concluded, and nothing is being mended.
pub fn is_checked(state: &State) -> bool {
    state.checked
        && !state.measures.keys().any(|purpose| matches!(purpose, Purpose::Check(..)))
        && !state
            .sides
            .iter()
            .any(|lane| matches!(lane.key.script, ScriptRef::Fix(_)) && !lane.phase.is_closed())
}
