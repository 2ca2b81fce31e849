//! A state as text, so that two can be compared: every field but the setup, maps in order.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use nofm::engine::State;

/// Names every field, so that one that is added is compared too.
pub fn digest(state: &State) -> String {
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
    } = state;
    let mut text = String::new();
    let latest: BTreeMap<_, _> = latest.iter().collect();
    let before: Option<BTreeMap<_, _>> = before.as_ref().map(|before| before.iter().collect());
    let _ = write!(
        text,
        "{seq} {time:?} {phase:?} {closed:?} {answers:?} {notices:?} {unsure:?}\n{checks:?}\n{latest:?}\n{before:?}\n\
         {measures:?}\n{wanted:?} {asking:?}\n{:?} {round} {stage}\n{sides:?}\n{once:?}\n{questions:?}\n{asked:?}\n\
         {bans:?} {paused} {paused_servers:?} {left_out:?} {halt:?} {halt_waits} {stopped:?} {lost:?} {services:?} {access:?}\n{failures:?}\n{to_do:?} \
         {pen:?} {end_accepted} {surveyed} {checked}",
        plan.as_ref().map(|plan| &plan.hash),
    );
    for stage in stages {
        let by_server: BTreeMap<_, _> = stage.by_server.iter().collect();
        let _ = write!(
            text,
            "\n{:?} {by_server:?} {} {:?} {} {} {} {}",
            stage.lanes, stage.next, stage.active, stage.entered, stage.left, stage.entered_ms, stage.left_ms
        );
    }
    text
}
