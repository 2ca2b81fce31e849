//! Stages and their lanes: whose turn it is.

use std::collections::{HashMap, HashSet};

use super::Decider;
use crate::engine::event::Event;
use crate::engine::key::ScriptRef;
use crate::engine::measure::Purpose;
use crate::engine::question::{About, Answer, Choice};
use crate::engine::state::{LanePhase, LaneState, StageState, State};
use crate::model::{RoleId, ServerName};
use crate::profile::{AtATime, Stage, Then};

impl Decider<'_> {
    /// Fixes that the operator ordered.
    pub(super) fn fixes(&mut self) {
        let state = self.state;
        // One at a time: two fixes of the same list would each see the other's half.
        let fix = |lane: &&LaneState| matches!(lane.key.script, ScriptRef::Fix(_)) && !lane.phase.is_closed();
        if let Some(lane) = state.sides.iter().find(fix) {
            self.lane(lane);
        }
    }

    pub(super) fn stages(&mut self) {
        let state = self.state;
        let collects = |lane: &&LaneState| lane.key.script == ScriptRef::Collect && !lane.phase.is_closed();
        state.sides.iter().filter(collects).for_each(|lane| self.lane(lane));
        let recovery =
            |lane: &&LaneState| matches!(lane.key.script, ScriptRef::Recovery(_)) && !lane.phase.is_closed();
        if let Some(lane) = state.sides.iter().find(recovery) {
            // A recovery changes what the others stand on: whatever runs is seen to its end first.
            let mut running = state
                .active_lanes()
                .filter(|other| {
                    other.is_running() && other.key != lane.key && other.key.script != ScriptRef::Collect
                })
                .peekable();
            if running.peek().is_none() {
                self.lane(lane);
            }
            running.for_each(|other| self.lane(other));
            return;
        }
        if self.restart() {
            return;
        }
        let Some(stage) = state.setup.profile.stages.get(state.stage) else {
            self.record(Event::EndChecksBegun);
            return;
        };
        let Some(lanes) = state.stages.get(state.stage) else { return };
        if !lanes.entered {
            if !self.is_held() && (state.before.is_some() || self.measured(Purpose::Before)) {
                self.record(Event::StageEntered { stage: stage.id.clone() });
            }
            return;
        }
        for lane in lanes.active.iter().filter_map(|&index| lanes.lanes.get(index)) {
            self.lane(lane);
        }
        if lanes.active.is_empty() && lanes.next >= lanes.lanes.len() {
            self.record(Event::StageLeft { stage: stage.id.clone() });
        } else {
            self.enter(stage, lanes);
        }
    }

    /// After a recovery that says so, the procedure is gone through again from a stage on.
    fn restart(&mut self) -> bool {
        let state = self.state;
        let ended =
            state.sides.iter().rev().find(|lane| {
                matches!(lane.key.script, ScriptRef::Recovery(_)) && lane.phase == LanePhase::Done
            });
        let Some(lane) = ended else { return false };
        let ScriptRef::Recovery(id) = &lane.key.script else { return false };
        let Some(failure) = state.setup.profile.failure(id) else { return false };
        let Then::Stage(stage) = &failure.then else { return false };
        let still = lane.of.as_ref().and_then(|of| state.lane(&of.lane));
        if still.is_some_and(|lane| lane.phase == LanePhase::Recovering) {
            self.record(Event::RoundBegun { round: state.round + 1, stage: stage.clone() });
            return true;
        }
        false
    }

    /// Lets the next servers begin, as far as the stage and the servers in service allow.
    fn enter(&mut self, stage: &Stage, lanes: &StageState) {
        let state = self.state;
        // Among what follows for the other lanes may be that one of them failed.
        if !self.out.record.is_empty() {
            return;
        }
        if self.is_held() || state.active_lanes().any(LaneState::is_in_trouble) {
            return;
        }
        let limit = match stage.at_a_time {
            AtATime::Number(number) => number,
            AtATime::All => usize::MAX,
        };
        let mut room = limit.saturating_sub(lanes.active.len());
        if room == 0 || lanes.next >= lanes.lanes.len() {
            return;
        }
        let mut down = Down::now(state);
        let mut taken = false;
        let mut index = lanes.next;
        while room > 0 && index < lanes.lanes.len() {
            let lane = &lanes.lanes[index];
            index += 1;
            if lane.phase != LanePhase::Waiting {
                continue;
            }
            let paused = lane.key.server.as_ref().is_some_and(|server| state.paused_servers.contains(server));
            // The order is the vendor's: a paused server holds those behind it, too.
            if paused {
                break;
            }
            if let Some(server) = &lane.key.server
                && let Some(why) = self.too_few(stage, server, &down)
            {
                if lanes.active.is_empty() && !taken {
                    self.ask(
                        About::KeepUp(stage.id.clone()),
                        format!("{server} cannot be taken out of service: {why}"),
                        Vec::new(),
                        vec![
                            Answer::new(Choice::LookAgain, "count the servers in service again"),
                            super::hold(),
                        ],
                    );
                }
                break;
            }
            taken = true;
            if let Some(server) = &lane.key.server {
                down.add(state, server);
            }
            self.record(Event::LaneEntered { lane: lane.key.clone() });
            room -= 1;
        }
    }

    /// Why taking `server` out of service now would leave too few. Whoever is not known to be in service counts
    /// as down.
    fn too_few(&self, stage: &Stage, server: &ServerName, down: &Down<'_>) -> Option<String> {
        let setup = &self.state.setup;
        let server = setup.server(server)?;
        for role in server.roles.iter().filter_map(|role| setup.profile.role(role)) {
            let Some(keep_up) = stage.keep_up.or(role.keep_up) else { continue };
            let all = setup.count_of(&role.id);
            let lost = down.by_role.get(&role.id).copied().unwrap_or(0);
            let left = all.saturating_sub(lost + usize::from(!down.servers.contains(&server.name)));
            let least = keep_up.least(all);
            if left < least {
                return Some(format!(
                    "{left} of {all} {} would be left in service, at least {least} must be",
                    role.label
                ));
            }
        }
        None
    }
}

/// The servers that are out of service, or may be.
#[derive(Default)]
struct Down<'a> {
    servers: HashSet<&'a ServerName>,
    by_role: HashMap<&'a RoleId, usize>,
}

impl<'a> Down<'a> {
    fn now(state: &'a State) -> Self {
        let mut down = Self::default();
        let at_work = state.active_lanes().filter_map(|lane| lane.key.server.as_ref());
        for server in state.stopped.iter().chain(state.lost.keys()).chain(at_work) {
            down.add(state, server);
        }
        down
    }

    fn add(&mut self, state: &'a State, name: &'a ServerName) {
        if let Some(server) = state.setup.server(name)
            && self.servers.insert(name)
        {
            for role in &server.roles {
                *self.by_role.entry(role).or_default() += 1;
            }
        }
    }
}
