//! Two states compared, in every field but the setup.

use nofm::engine::{LaneState, StageState, State};

/// Whether two states are the same. Names every field, so that one that is added is compared too.
pub fn same(one: &State, other: &State) -> bool {
    let State {
        setup: _,
        seq,
        time,
        phase,
        closed,
        answers,
        notices,
        unsure,
        checks,
        latest,
        before,
        measures,
        wanted,
        asking,
        plan,
        round,
        stage,
        stages,
        sides,
        once,
        questions,
        asked,
        bans,
        paused,
        paused_servers,
        room_low,
        left_out,
        halt,
        halt_waits,
        stopped,
        lost,
        services,
        access,
        failures,
        to_do,
        pen,
        end_accepted,
        surveyed,
        checked,
    } = one;
    let hash = |state: &State| state.plan.as_ref().map(|plan| plan.hash.clone());
    *seq == other.seq
        && *time == other.time
        && *phase == other.phase
        && *closed == other.closed
        && *answers == other.answers
        && *notices == other.notices
        && *unsure == other.unsure
        && *checks == other.checks
        && *latest == other.latest
        && *before == other.before
        && measures.keys().eq(other.measures.keys())
        && measures.keys().all(|purpose| measures.get(purpose) == other.measures.get(purpose))
        && *wanted == other.wanted
        && *asking == other.asking
        && plan.is_some() == other.plan.is_some()
        && hash(one) == hash(other)
        && *round == other.round
        && *stage == other.stage
        && stages.len() == other.stages.len()
        && stages.iter().zip(&other.stages).all(|(one, other)| same_stage(one, other))
        && same_lanes(sides, &other.sides)
        && *once == other.once
        && *questions == other.questions
        && *asked == other.asked
        && *bans == other.bans
        && *paused == other.paused
        && *paused_servers == other.paused_servers
        && *room_low == other.room_low
        && *left_out == other.left_out
        && *halt == other.halt
        && *halt_waits == other.halt_waits
        && *stopped == other.stopped
        && *lost == other.lost
        && *services == other.services
        && *access == other.access
        && *failures == other.failures
        && *to_do == other.to_do
        && *pen == other.pen
        && *end_accepted == other.end_accepted
        && *surveyed == other.surveyed
        && *checked == other.checked
}

fn same_stage(one: &StageState, other: &StageState) -> bool {
    let StageState { lanes, by_server, next, active, entered, left, entered_ms, left_ms } = one;
    same_lanes(lanes, &other.lanes)
        && *by_server == other.by_server
        && *next == other.next
        && *active == other.active
        && *entered == other.entered
        && *left == other.left
        && *entered_ms == other.entered_ms
        && *left_ms == other.left_ms
}

fn same_lanes(one: &[LaneState], other: &[LaneState]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_lane(one, other))
}

fn same_lane(one: &LaneState, other: &LaneState) -> bool {
    let LaneState {
        key,
        steps,
        cursor,
        phase,
        step,
        attempt,
        targets,
        entered_ms,
        step_ms,
        phase_ms,
        awaited_ms,
        patience_ms,
        open,
        ended_ms,
        optional_agreed,
        start_agreed,
        ruled,
        records,
        of,
    } = one;
    *key == other.key
        && *steps == other.steps
        && *cursor == other.cursor
        && *phase == other.phase
        && *step == other.step
        && *attempt == other.attempt
        && *targets == other.targets
        && *entered_ms == other.entered_ms
        && *step_ms == other.step_ms
        && *phase_ms == other.phase_ms
        && *awaited_ms == other.awaited_ms
        && *patience_ms == other.patience_ms
        && *open == other.open
        && *ended_ms == other.ended_ms
        && *optional_agreed == other.optional_agreed
        && *start_agreed == other.start_agreed
        && *ruled == other.ruled
        && *records == other.records
        && *of == other.of
}
