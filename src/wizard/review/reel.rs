//! The events of a session, forwards and backwards.
//!
//! Kept are a few states spread over the whole journal, and a few right before the place that is looked at: to go
//! back, the nearest one is taken and the events from there on are folded again. However long the journal is, there are
//! never more of them.

use crate::client::Replay;
use crate::engine::{Event, State};
use crate::journal::{Mark, SessionDir, StateDir};
use crate::model::ViewerId;
use crate::wizard::face::Go;
use crate::wizard::follow::Before;
use crate::wizard::story::{Story, is_decision, is_failure};
use crate::wizard::view::View;

/// Events between the states that are kept of a short journal; it doubles as the journal grows.
const STEP: u64 = 1024;
/// States of servers that are kept at most, all states together.
const SERVERS: usize = 20_000;
/// States that are kept, at least and at most.
const KEPT: (usize, usize) = (8, 64);
/// Events that are folded again at most for a step back.
const NEAR: u64 = 64;
/// Failures and decisions that are found at most.
const FOUND: usize = 100_000;

/// A place in the journal and everything that was known there.
struct Kept {
    mark: Mark,
    state: State,
    story: Story,
    event: Option<Event>,
}

/// A session that is reviewed: its events up to where it was when it was opened.
pub struct Reel {
    replay: Replay,
    of: u64,
    state: State,
    story: Story,
    /// The event that the state is after.
    event: Option<Event>,
    /// Spread over the journal, `step` events apart.
    spread: Vec<Kept>,
    step: u64,
    /// Before the place that is looked at, the nearer the denser.
    near: Vec<Kept>,
    failures: Vec<u64>,
    decisions: Vec<u64>,
    pub(in crate::wizard) desk: super::Desk,
}

impl Reel {
    /// Opens `session` of `state_dir` and goes through all of it once; then it is at its first event.
    ///
    /// # Errors
    /// Files that are not as they were written.
    pub fn open(state_dir: &StateDir, session: &SessionDir, viewer: ViewerId) -> Go<Self> {
        let replay = Replay::open(state_dir, session, viewer)?;
        let state = replay.beginning();
        let mut reel = Self {
            replay,
            of: u64::MAX,
            state,
            story: Story::default(),
            event: None,
            spread: Vec::new(),
            step: STEP,
            near: Vec::new(),
            failures: Vec::new(),
            decisions: Vec::new(),
            desk: super::Desk::default(),
        };
        while reel.forward()? {
            let seq = reel.at();
            if let Some(event) = &reel.event {
                let found = if is_failure(event) { Some(&mut reel.failures) } else { None };
                let found = found.or(if is_decision(event) { Some(&mut reel.decisions) } else { None });
                if let Some(list) = found.filter(|list| list.len() < FOUND) {
                    list.push(seq);
                }
            }
            reel.spread_out();
        }
        reel.of = reel.at();
        reel.seek(1)?;
        Ok(reel)
    }

    /// The number of the event that is looked at; 0: there is none.
    pub fn at(&self) -> u64 {
        self.state.seq
    }

    /// The number of the last event.
    pub fn of(&self) -> u64 {
        self.of
    }

    /// Whether the session's runner was at work when it was opened, so that there is more than is seen.
    pub fn at_work(&self) -> bool {
        self.replay.at_work()
    }

    pub(in crate::wizard) fn state(&self) -> &State {
        &self.state
    }

    pub(in crate::wizard) fn story(&self) -> &Story {
        &self.story
    }

    pub(in crate::wizard) fn count(&mut self) {
        self.story.count(&self.state);
    }

    pub(in crate::wizard) fn review(&self) -> &super::Review {
        &self.desk.review
    }

    pub(super) fn event(&self) -> Option<&Event> {
        self.event.as_ref()
    }

    /// Who is looked over the shoulder of: who holds the pen, else who looked last.
    pub(super) fn shown(&self) -> Option<&ViewerId> {
        let pen = self.state.pen.as_ref().filter(|pen| self.story.looks.contains_key(*pen));
        pen.or(self.story.last_viewer.as_ref())
    }

    /// What they looked at.
    pub(super) fn seen(&self) -> Option<&View> {
        self.story.looks.get(self.shown()?)
    }

    /// Reads and folds the next event. False: there is none.
    fn forward(&mut self) -> Go<bool> {
        if self.at() >= self.of {
            return Ok(false);
        }
        let Some((seq, stamp, event)) = self.replay.next_event()? else { return Ok(false) };
        let before = Before::of(&self.state);
        self.state.apply(seq, stamp, &event);
        self.story.apply(&self.state, &event);
        if !matches!(event, Event::Looked { .. }) {
            self.story.follow(before, &self.state);
        }
        self.event = Some(event);
        Ok(true)
    }

    /// To the event `to`, or the nearest that there is.
    ///
    /// # Errors
    /// A journal that is not as it was written.
    pub fn seek(&mut self, to: u64) -> Go<()> {
        let to = to.min(self.of).max(1);
        self.restore(to)?;
        let far = to.saturating_sub(self.at()) > NEAR;
        if far {
            self.near.clear();
        }
        while self.at() < to && self.forward()? {
            let left = to - self.at();
            if far && left >= NEAR && left.is_power_of_two() {
                self.near.push(self.kept());
            }
        }
        Ok(())
    }

    /// To the nearest place at or before `to` from which the events can be folded.
    fn restore(&mut self, to: u64) -> Go<()> {
        let known = self.spread.iter().chain(&self.near).filter(|kept| kept.state.seq <= to);
        let best = known.max_by_key(|kept| kept.state.seq);
        let from = best.map_or(0, |kept| kept.state.seq);
        if (from..=to).contains(&self.at()) && self.at() > 0 {
            return Ok(());
        }
        let mark = if let Some(kept) = best {
            self.state = kept.state.clone();
            self.story = kept.story.clone();
            self.event.clone_from(&kept.event);
            kept.mark
        } else {
            self.state = self.replay.beginning();
            self.story = Story::default();
            self.event = None;
            self.replay.start()
        };
        Ok(self.replay.go_to(mark)?)
    }

    fn kept(&self) -> Kept {
        let (state, story) = (self.state.clone(), self.story.clone());
        Kept { mark: self.replay.mark(), state, story, event: self.event.clone() }
    }

    /// Keeps this place where it is one of those spread over the journal; every second goes when there are too many.
    fn spread_out(&mut self) {
        if !self.at().is_multiple_of(self.step) {
            return;
        }
        let servers = self.state.setup.inventory.servers.len().max(1);
        let most = (SERVERS / servers).clamp(KEPT.0, KEPT.1);
        if self.spread.len() >= most {
            self.step *= 2;
            let step = self.step;
            self.spread.retain(|kept| kept.state.seq.is_multiple_of(step));
        }
        if self.at().is_multiple_of(self.step) {
            self.spread.push(self.kept());
        }
    }

    /// Whether the event is one to stop at: what somebody else looks at changes nothing that is seen.
    fn is_stop(&self) -> bool {
        match &self.event {
            None => false,
            Some(Event::Looked { viewer, .. }) => !self.desk.own && self.shown() == Some(viewer),
            Some(_) => true,
        }
    }

    /// To the next event. False: this is the last.
    pub(super) fn on(&mut self) -> Go<bool> {
        let from = self.at();
        while self.forward()? {
            if self.is_stop() {
                return Ok(true);
            }
        }
        let moved = self.at() > from;
        if moved {
            self.seek(from)?;
        }
        Ok(false)
    }

    /// To the event before. False: this is the first.
    pub(super) fn back(&mut self) -> Go<bool> {
        let from = self.at();
        for to in (1..from).rev() {
            self.seek(to)?;
            if self.is_stop() {
                return Ok(true);
            }
        }
        self.seek(from)?;
        Ok(false)
    }

    /// The number of the failure after or before this place.
    pub(super) fn failure(&self, on: bool) -> Option<u64> {
        next(&self.failures, self.at(), on)
    }

    /// The number of the operator's decision after or before this place.
    pub(super) fn decision(&self, on: bool) -> Option<u64> {
        next(&self.decisions, self.at(), on)
    }
}

fn next(list: &[u64], at: u64, on: bool) -> Option<u64> {
    let behind = list.partition_point(|seq| *seq <= at);
    if on { list.get(behind).copied() } else { list[..behind].iter().rev().find(|seq| **seq < at).copied() }
}
