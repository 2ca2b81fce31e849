//! What the screen shows beyond the state: the last events in words, and which run was last where.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::follow::Before;
use super::tables::Tables;
use super::view::View;
use crate::client::counted;
use crate::engine::{Event, LaneKey, LaneState, Place, State, StepKey};
use crate::model::{ServerName, Tally, ViewerId};
use crate::words;

/// Events kept for the screen.
const FEED: usize = 500;

/// An event in words.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) seq: u64,
    /// Session milliseconds.
    pub(super) at_ms: u64,
    pub(super) text: String,
    pub(super) weight: Weight,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Usual,
    Good,
    Bad,
    /// Something an operator decided.
    Decision,
}

/// What ran last at a place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ran {
    pub(super) key: StepKey,
    pub(super) run: String,
}

/// The fold that goes with the state: the same events, the same screen.
#[derive(Clone, Debug, Default)]
pub(super) struct Story {
    pub(super) feed: VecDeque<Line>,
    pub(super) ran: HashMap<Place, Ran>,
    pub(super) looks: BTreeMap<ViewerId, View>,
    /// Who looked last.
    pub(super) last_viewer: Option<ViewerId>,
    digest: Digest,
    /// The last event that changed anything but what somebody looks at.
    pub(super) news: u64,
    pub(super) tables: Tables,
}

/// What is counted over all servers, once an event instead of once a frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Digest {
    seq: u64,
    pub(super) tally: Option<Tally>,
    pub(super) sentence: Option<String>,
    /// Indices of lanes of the stage in turn that failed or of which nothing is known.
    pub(super) trouble: Vec<usize>,
    pub(super) active: Vec<usize>,
    pub(super) waiting: Vec<usize>,
    pub(super) done: Vec<usize>,
}

impl Story {
    /// Takes in an event that the state has taken in already.
    pub(super) fn apply(&mut self, state: &State, event: &Event) {
        match event {
            Event::StepIntended { key, targets, .. } => {
                for target in targets {
                    let ran = Ran { key: key.clone(), run: target.run.clone() };
                    self.ran.insert(target.place.clone(), ran);
                }
            }
            Event::Looked { viewer, view } => {
                if let Ok(view) = serde_json::from_value(view.clone()) {
                    self.looks.insert(viewer.clone(), view);
                    self.last_viewer = Some(viewer.clone());
                }
                return;
            }
            _ => {}
        }
        self.news = state.seq;
        if let Some(text) = words::line(state, event) {
            if self.feed.len() == FEED {
                self.feed.pop_front();
            }
            let weight = weigh(event);
            self.feed.push_back(Line { seq: state.seq, at_ms: state.time.now_ms, text, weight });
        }
    }

    /// What everybody looked at goes along with the event, as it did on their screens.
    pub(super) fn follow(&mut self, before: Before, state: &State) {
        for view in self.looks.values_mut() {
            view.follow(before, state);
        }
    }

    /// Counts anew where something happened since.
    pub(super) fn count(&mut self, state: &State) {
        if self.digest.seq != state.seq || state.seq == 0 {
            self.digest = Digest::of(state);
        }
    }

    pub(super) fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The last run of a server.
    pub(super) fn run_of(&self, server: Option<&ServerName>) -> Option<&Ran> {
        let place = server.map_or(Place::Console, |server| Place::Server(server.clone()));
        self.ran.get(&place)
    }

    /// The run of a lane: what it does now, or what ran last on its server.
    pub(super) fn run_of_lane(&self, lane: &LaneState) -> Option<String> {
        let own = lane.targets.last().map(|target| target.run.clone());
        own.or_else(|| self.run_of_key(&lane.key))
    }

    fn run_of_key(&self, key: &LaneKey) -> Option<String> {
        let ran = self.run_of(key.server.as_ref()).or_else(|| {
            let console = self.ran.get(&Place::Console)?;
            (console.key.lane == *key).then_some(console)
        })?;
        Some(ran.run.clone())
    }
}

impl Digest {
    fn of(state: &State) -> Self {
        let mut digest = Self {
            seq: state.seq,
            tally: counted(state).map(|(_, tally)| tally),
            sentence: words::tally::full(state),
            ..Self::default()
        };
        let lanes = state.stages.get(state.stage).map(|stage| &stage.lanes[..]).unwrap_or_default();
        for (index, lane) in lanes.iter().enumerate() {
            let list = if lane.is_in_trouble() {
                &mut digest.trouble
            } else if lane.phase.is_closed() {
                &mut digest.done
            } else if lane.phase == crate::engine::LanePhase::Active {
                &mut digest.active
            } else {
                &mut digest.waiting
            };
            list.push(index);
        }
        digest
    }
}

fn weigh(event: &Event) -> Weight {
    match event {
        Event::StepFailed { .. }
        | Event::StepUnknown { .. }
        | Event::ReachLost { .. }
        | Event::TornTail { .. }
        | Event::BansFound { .. }
        | Event::RoomLow { .. }
        | Event::OutputCut { .. }
        | Event::Refused { .. } => Weight::Bad,
        Event::LaneDone { .. }
        | Event::StageLeft { .. }
        | Event::ReachBack { .. }
        | Event::RoomBack { .. } => Weight::Good,
        Event::Replied { .. }
        | Event::Waived { .. }
        | Event::PlanFixed { .. }
        | Event::LeftOut { .. }
        | Event::Paused { .. }
        | Event::Unpaused { .. }
        | Event::StopWanted { .. }
        | Event::BanLifted { .. }
        | Event::AccessGiven { .. }
        | Event::AccessDenied { .. }
        | Event::RecoveryBegun { .. }
        | Event::PenTaken { .. } => Weight::Decision,
        _ => Weight::Usual,
    }
}

pub(super) fn is_failure(event: &Event) -> bool {
    matches!(event, Event::StepFailed { .. } | Event::StepUnknown { .. })
}

pub(super) fn is_decision(event: &Event) -> bool {
    weigh(event) == Weight::Decision
}
