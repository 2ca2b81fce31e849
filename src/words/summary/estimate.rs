//! How long it takes, as far as the profile says.
//!
//! Every step of the plan counts, also one that may turn out not to be needed. What people take to answer, and what
//! gates take to be measured, comes on top.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::ops::AddAssign;
use std::time::Duration;

use serde::Serialize;

use super::{LaneRows, PlanRow};
use crate::inventory::Server;
use crate::model::RoleId;
use crate::plan::{PlanStep, Setup};
use crate::profile::{AtATime, Stage};

/// A usual duration, and how many steps are not in it because the profile has none for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Milliseconds, as this farm takes them.
    pub expect_ms: u64,
    /// Steps without a usual duration.
    pub unestimated: usize,
}

impl Estimate {
    /// As words. `None`: nothing is known of it.
    pub fn text(&self) -> Option<String> {
        match (self.expect_ms, self.unestimated) {
            (0, _) => None,
            (ms, 0) => Some(format!("about {}", approximate(ms))),
            (ms, 1) => Some(format!("about {}, and a step of unknown duration", approximate(ms))),
            (ms, count) => Some(format!("about {}, and {count} steps of unknown duration", approximate(ms))),
        }
    }
}

impl AddAssign for Estimate {
    fn add_assign(&mut self, other: Self) {
        self.expect_ms = self.expect_ms.saturating_add(other.expect_ms);
        self.unestimated += other.unestimated;
    }
}

/// `ms` in whole minutes, rounded up; what is less than a minute in seconds.
pub fn approximate(ms: u64) -> String {
    let seconds = ms.div_ceil(1000);
    match seconds.div_ceil(60) {
        _ if seconds < 60 => format!("{seconds}s"),
        minutes @ 0..60 => format!("{minutes}m"),
        minutes => crate::text::duration::short(Duration::from_secs(minutes * 60)),
    }
}

/// How long a step usually takes, in milliseconds of this farm.
pub fn step_ms(setup: &Setup, step: &PlanStep) -> Option<u64> {
    step.step.expect.map(|usual| setup.scaled_ms(usual))
}

/// One server's turn: its steps one after another, then the time it is watched for.
pub(super) fn lane<'a>(setup: &Setup, stage: &Stage, steps: impl Iterator<Item = &'a PlanRow>) -> Estimate {
    let soak_ms = stage.soak.map_or(0, |soak| setup.scaled_ms(soak));
    let mut estimate = Estimate { expect_ms: soak_ms, unestimated: 0 };
    for row in steps {
        estimate += row.expect_ms.map_or(Estimate { expect_ms: 0, unestimated: 1 }, |ms| Estimate {
            expect_ms: ms,
            unestimated: 0,
        });
    }
    estimate
}

/// A stage: its turns in order, as many at a time as the stage and the servers that must stay in service allow.
pub(super) fn stage(setup: &Setup, stage: &Stage, lanes: &[LaneRows]) -> Estimate {
    let most = match stage.at_a_time {
        AtATime::Number(number) => number.max(1),
        AtATime::All => usize::MAX,
    };
    let mut under_way: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let mut down: HashMap<&RoleId, usize> = HashMap::new();
    let server_of = |index: usize| lanes.get(index).and_then(|lane| setup.server(lane.server.as_ref()?));
    let (mut now_ms, mut end_ms) = (0_u64, 0_u64);
    let mut unestimated = 0;
    for (index, lane) in lanes.iter().enumerate() {
        let server = server_of(index);
        while under_way.len() >= most || server.is_some_and(|server| too_few(setup, stage, server, &down)) {
            // With nothing under way there is nothing to wait for: the operator is asked, which takes no known time.
            let Some(Reverse((ended_ms, ended))) = under_way.pop() else { break };
            now_ms = ended_ms;
            for role in server_of(ended).iter().flat_map(|server| &server.roles) {
                down.entry(role).and_modify(|count| *count = count.saturating_sub(1));
            }
        }
        for role in server.iter().flat_map(|server| &server.roles) {
            *down.entry(role).or_default() += 1;
        }
        let until_ms = now_ms.saturating_add(lane.estimate.expect_ms);
        under_way.push(Reverse((until_ms, index)));
        end_ms = end_ms.max(until_ms);
        unestimated += lane.estimate.unestimated;
    }
    Estimate { expect_ms: end_ms, unestimated }
}

/// Whether one server more out of service leaves too few of one of its roles.
fn too_few(setup: &Setup, stage: &Stage, server: &Server, down: &HashMap<&RoleId, usize>) -> bool {
    let roles: BTreeSet<&RoleId> = server.roles.iter().collect();
    roles.into_iter().filter_map(|role| setup.profile.role(role)).any(|role| {
        stage.keep_up.or(role.keep_up).is_some_and(|keep_up| {
            let all = setup.count_of(&role.id);
            let lost = down.get(&role.id).copied().unwrap_or(0) + 1;
            all.saturating_sub(lost) < keep_up.least(all)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::approximate;

    #[test]
    fn estimates_are_rounded_up_to_the_minute() {
        for (ms, text) in [
            (1, "1s"),
            (59_000, "59s"),
            (60_000, "1m"),
            (61_000, "2m"),
            (2_700_000, "45m"),
            (3_900_000, "1h 05m"),
        ] {
            assert_eq!(approximate(ms), text);
        }
    }
}
