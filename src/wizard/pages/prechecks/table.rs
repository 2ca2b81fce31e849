//! The checks of the start, counted: a line a check, the worst first.

use std::sync::Arc;

use crate::engine::State;
use crate::model::{CheckId, ServerName, Verdict};
use crate::profile::Severity;
use crate::wizard::look::Tone;
use crate::wizard::scene::Scene;

/// A server, or the farm.
pub(super) type At = Option<ServerName>;

/// Where each check is carried out, in the order of the profile.
#[derive(Debug)]
pub(in crate::wizard) struct Places {
    groups: Vec<(CheckId, Arc<[At]>)>,
    /// Every place that has a check, the farm first, then as in the inventory.
    columns: Arc<[At]>,
}

impl Places {
    fn of(state: &State) -> Self {
        let places = state.check_places(false);
        let groups: Vec<(CheckId, Arc<[At]>)> = places
            .chunk_by(|a, b| a.0 == b.0)
            .filter_map(|chunk| {
                let (check, _) = chunk.first()?;
                Some((check.clone(), chunk.iter().map(|(_, at)| at.clone()).collect()))
            })
            .collect();
        let has: std::collections::BTreeSet<&At> = groups.iter().flat_map(|(_, at)| at.iter()).collect();
        let servers = state.setup.inventory.servers.iter().map(|server| Some(server.name.clone()));
        let columns = std::iter::once(None).chain(servers).filter(|at| has.contains(at)).collect();
        Self { groups, columns }
    }
}

/// How one place of a check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sign {
    Blocks,
    /// Unknown, and it blocks.
    Unclear,
    Warns,
    /// Unknown, and it only warns.
    Vague,
    Open,
    Waived,
    Passes,
}

impl Sign {
    pub(super) fn of(state: &State, check: &CheckId, at: &At, blocks: bool) -> Self {
        let Some(found) = state.checks.get(&(check.clone(), at.clone())) else { return Self::Open };
        match (found.verdict, &found.waived) {
            (None, _) => Self::Open,
            (Some(Verdict::Pass), _) => Self::Passes,
            (Some(_), Some(_)) => Self::Waived,
            (Some(Verdict::Fail), None) if blocks => Self::Blocks,
            (Some(Verdict::Fail), None) => Self::Warns,
            (Some(Verdict::Unknown), None) if blocks => Self::Unclear,
            (Some(Verdict::Unknown), None) => Self::Vague,
        }
    }

    pub(super) fn mark(self) -> (&'static str, Tone) {
        match self {
            Self::Blocks => ("X", Tone::Fail),
            Self::Unclear => ("?", Tone::Fail),
            Self::Warns => ("!", Tone::Warn),
            Self::Vague => ("?", Tone::Warn),
            Self::Open => ("·", Tone::Dim),
            Self::Waived => ("w", Tone::Dim),
            Self::Passes => ("+", Tone::Ok),
        }
    }

    /// Whether something is to be done about it.
    pub(super) fn is_problem(self) -> bool {
        self < Self::Open
    }
}

/// One check.
#[derive(Debug)]
pub(in crate::wizard) struct CheckLine {
    pub(super) check: CheckId,
    /// Its place in the profile, by which it is selected.
    pub(super) order: usize,
    pub(super) title: String,
    pub(super) blocks: bool,
    pub(super) has_fix: bool,
    pub(super) places: Arc<[At]>,
    /// Places where something is to be done about it.
    pub(super) problems: Vec<At>,
    /// The worst of its places.
    pub(super) worst: Sign,
    counts: [usize; 7],
}

impl CheckLine {
    fn of(state: &State, order: usize, check: &CheckId, places: &Arc<[At]>) -> Option<Self> {
        let facts = state.check_facts(check)?;
        let blocks = facts.severity == Severity::Block;
        let mut line = Self {
            check: check.clone(),
            order,
            title: facts.title.to_owned(),
            blocks,
            has_fix: facts.has_fix,
            places: places.clone(),
            problems: Vec::new(),
            worst: Sign::Passes,
            counts: [0; 7],
        };
        for at in places.iter() {
            let sign = Sign::of(state, check, at, blocks);
            line.counts[sign as usize] += 1;
            line.worst = line.worst.min(sign);
            if sign.is_problem() {
                line.problems.push(at.clone());
            }
        }
        Some(line)
    }

    pub(super) fn count(&self, sign: Sign) -> usize {
        self.counts[sign as usize]
    }
}

#[derive(Debug)]
pub(in crate::wizard) struct CheckTable {
    /// The worst first; what is equally bad as in the profile.
    pub(super) lines: Vec<CheckLine>,
    pub(super) columns: Arc<[At]>,
}

impl CheckTable {
    fn of(state: &State, places: &Places) -> Self {
        let groups = places.groups.iter().enumerate();
        let mut lines: Vec<CheckLine> = groups
            .filter_map(|(order, (check, places))| CheckLine::of(state, order, check, places))
            .collect();
        lines.sort_by_key(|line| (line.worst, line.order));
        Self { lines, columns: places.columns.clone() }
    }

    pub(super) fn count(&self, signs: &[Sign]) -> usize {
        self.lines.iter().flat_map(|line| signs.iter().map(|sign| line.count(*sign))).sum()
    }
}

/// The checks as they stand.
pub(super) fn table(scene: &Scene<'_>) -> Arc<CheckTable> {
    let tables = &scene.story.tables;
    tables.checks.get(&scene.story.news, || {
        let places = tables.places.get(&scene.state.answers, || Places::of(scene.state));
        CheckTable::of(scene.state, &places)
    })
}
