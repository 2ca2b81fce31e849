//! The measurements under way, and which of them wait for a reading: with thousands of servers nobody may go
//! through all of them for each.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use super::measure::{ProbeKey, Purpose};
use crate::model::{CheckId, ServerName};

/// A measurement under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    pub begun_ms: u64,
    pub begun_seq: u64,
    /// What is still to be read. Empty: ready to be concluded from.
    pub open: BTreeSet<ProbeKey>,
    /// What the operator is not asked for where it cannot be read.
    pub quiet: BTreeSet<ProbeKey>,
    /// What could not be read, and was not asked for: unknown here, whatever was said of it before.
    pub unread: BTreeSet<ProbeKey>,
}

/// At most one measure for a purpose.
#[derive(Clone, Default)]
pub struct Measures {
    by: BTreeMap<Purpose, Measure>,
    /// Purposes whose measure waits for a probe.
    waiting: HashMap<ProbeKey, Vec<Purpose>>,
    /// Checks whose measure is complete.
    complete: BTreeSet<(CheckId, Option<ServerName>)>,
}

impl fmt::Debug for Measures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest follows from it.
        self.by.fmt(f)
    }
}

impl Measures {
    pub fn is_empty(&self) -> bool {
        self.by.is_empty()
    }

    pub fn get(&self, purpose: &Purpose) -> Option<&Measure> {
        self.by.get(purpose)
    }

    pub fn contains_key(&self, purpose: &Purpose) -> bool {
        self.by.contains_key(purpose)
    }

    pub fn keys(&self) -> impl Iterator<Item = &Purpose> {
        self.by.keys()
    }

    /// Whether a check is being measured.
    pub fn has_check(&self) -> bool {
        // `Purpose` orders by variant first, so that all checks stand together.
        self.by
            .range(Purpose::Check("".into(), None)..=Purpose::Before)
            .any(|(purpose, _)| matches!(purpose, Purpose::Check(..)))
    }

    /// Checks that can be concluded.
    pub fn complete_checks(&self) -> impl Iterator<Item = &(CheckId, Option<ServerName>)> {
        self.complete.iter()
    }

    /// Whether some measure waits for `probe`.
    pub fn want(&self, probe: &ProbeKey) -> bool {
        self.waiting.contains_key(probe)
    }

    pub(super) fn begin(&mut self, purpose: Purpose, measure: Measure) {
        self.remove(&purpose);
        for probe in &measure.open {
            self.waiting.entry(probe.clone()).or_default().push(purpose.clone());
        }
        self.note_complete(&purpose, &measure);
        self.by.insert(purpose, measure);
    }

    pub(super) fn remove(&mut self, purpose: &Purpose) -> Option<Measure> {
        let measure = self.by.remove(purpose)?;
        for probe in &measure.open {
            if let Some(waiting) = self.waiting.get_mut(probe) {
                waiting.retain(|other| other != purpose);
                if waiting.is_empty() {
                    self.waiting.remove(probe);
                }
            }
        }
        if let Purpose::Check(check, server) = purpose {
            self.complete.remove(&(check.clone(), server.clone()));
        }
        Some(measure)
    }

    /// A reading that was asked for after event `asked` came in. The purposes it is for.
    pub(super) fn read(&mut self, probe: &ProbeKey, asked: u64) -> Vec<Purpose> {
        let Some(waiting) = self.waiting.remove(probe) else { return Vec::new() };
        let mut later = Vec::new();
        let mut has = Vec::new();
        for purpose in waiting {
            let Some(measure) = self.by.get_mut(&purpose) else { continue };
            if measure.begun_seq > asked {
                later.push(purpose);
                continue;
            }
            measure.open.remove(probe);
            let complete = measure.open.is_empty();
            match &purpose {
                // Looking around concludes nothing, so it is over.
                Purpose::Survey(_) if complete => {
                    self.by.remove(&purpose);
                }
                Purpose::Check(check, server) if complete => {
                    self.complete.insert((check.clone(), server.clone()));
                }
                _ => {}
            }
            has.push(purpose);
        }
        if !later.is_empty() {
            self.waiting.insert(probe.clone(), later);
        }
        has
    }

    /// A reading that was asked for after event `asked` is unknown: who would not have the operator asked for it
    /// goes on without it. Their purposes.
    pub(super) fn go_without(&mut self, probe: &ProbeKey, asked: u64) -> Vec<Purpose> {
        let Some(waiting) = self.waiting.get_mut(probe) else { return Vec::new() };
        let mut without = Vec::new();
        waiting.retain(|purpose| {
            let measure =
                self.by.get_mut(purpose).filter(|m| m.begun_seq <= asked && m.quiet.contains(probe));
            let Some(measure) = measure else { return true };
            measure.open.remove(probe);
            measure.unread.insert(probe.clone());
            without.push(purpose.clone());
            false
        });
        if waiting.is_empty() {
            self.waiting.remove(probe);
        }
        without
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    fn note_complete(&mut self, purpose: &Purpose, measure: &Measure) {
        if let Purpose::Check(check, server) = purpose
            && measure.open.is_empty()
        {
            self.complete.insert((check.clone(), server.clone()));
        }
    }
}
