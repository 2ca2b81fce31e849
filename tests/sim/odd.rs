//! Anything that a face could ask for, sensible or not, at any moment.

use nofm::engine::{Choice, Intent, LaneKey, ScriptRef, StepKey};
use nofm::model::{Access, CheckId, ServerName, Value};
use nofm::profile::Forbidden;

use super::rng::Rng;
use super::session::Session;

const CHOICES: [Choice; 10] = [
    Choice::Yes,
    Choice::No,
    Choice::Retry,
    Choice::LookAgain,
    Choice::LeaveOut,
    Choice::Recover,
    Choice::Succeeded,
    Choice::Done,
    Choice::Tell,
    Choice::Accept,
];

fn server(rng: &mut Rng, session: &Session) -> ServerName {
    let servers = &session.setup.inventory.servers;
    if rng.chance(15) { "nobody".into() } else { rng.pick(servers).name.clone() }
}

fn step(rng: &mut Rng, session: &Session) -> StepKey {
    let lanes: Vec<_> = session.state.active_lanes().collect();
    if lanes.is_empty() || rng.chance(15) {
        let lane =
            LaneKey { script: ScriptRef::Collect, server: Some(server(rng, session)), round: 1, item: None };
        return StepKey { lane, step: "no_step".into(), attempt: 1 };
    }
    let index = usize::try_from(rng.within(0, lanes.len() as u64 - 1)).expect("small");
    session.state.step_key(lanes[index])
}

fn check(rng: &mut Rng, session: &Session) -> CheckId {
    let checks = &session.setup.profile.checks;
    if checks.is_empty() || rng.chance(15) { "no_check".into() } else { rng.pick(checks).id.clone() }
}

fn text(rng: &mut Rng) -> String {
    (*rng.pick(&["", " ", "because", "2.0", "\u{1b}[2J", "yes"])).to_owned()
}

/// One wish of every kind there is.
pub fn odd(rng: &mut Rng, session: &Session) -> Intent {
    let some = |rng: &mut Rng| rng.chance(50).then(|| server(rng, session));
    match rng.within(0, 16) {
        0 => Intent::Survey,
        1 => Intent::Check { check: rng.chance(50).then(|| check(rng, session)), server: some(rng) },
        2 => Intent::Fix { check: check(rng, session), server: some(rng) },
        3 => Intent::Waive { check: check(rng, session), server: some(rng), reason: text(rng) },
        4 => Intent::Begin { plan: text(rng) },
        5 | 6 => {
            let asked: Vec<u64> = session.state.questions.keys().copied().chain([0, 1, u64::MAX]).collect();
            Intent::Reply { question: *rng.pick(&asked), choice: *rng.pick(&CHOICES), text: text(rng) }
        }
        7 => Intent::Pause { server: some(rng) },
        8 => Intent::Unpause { server: some(rng) },
        9 => Intent::LeaveOut { server: server(rng, session), reason: text(rng) },
        10 => Intent::LeaveWait { key: step(rng, session) },
        11 => Intent::TakePen { by_force: rng.chance(50) },
        12 => {
            let acts = Forbidden::WORDS.map(|(_, act)| act);
            Intent::LiftBan { act: *rng.pick(&acts), why: text(rng), evidence: text(rng) }
        }
        13 => Intent::Trust { access: vec![Access::Passphrase { key: "/none".into() }] },
        14 => Intent::Deny { access: Vec::new() },
        15 => match session.setup.profile.notices.first() {
            Some(notice) => Intent::ConfirmNotice { notice: notice.id.clone() },
            None => Intent::ConfirmNotice { notice: "no_notice".into() },
        },
        _ => match session.setup.profile.inputs.first() {
            Some(input) if rng.chance(50) => Intent::AgreeUnsure { input: input.id.clone() },
            Some(input) => {
                let value = if rng.chance(50) { Value::text("1.5") } else { Value::YesNo(true) };
                Intent::Answer { input: input.id.clone(), key: text(rng), value }
            }
            None => Intent::Stop,
        },
    }
}
