//! The runner dies after any one event, and the next one brings the upgrade to the very end that it would have come to.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

use nofm::engine::{Cause, Event, Outcome};
use nofm::model::Known;

use super::farms::Farm;
use crate::sim::session::{Crashes, Session};

/// What an upgrade came to, whenever it did: on the console, and on the servers.
#[derive(Debug, PartialEq)]
struct Came {
    console: String,
    servers: String,
    /// Each run that began on a server.
    began: Vec<String>,
}

impl Came {
    fn of(session: &Session) -> Self {
        let mut began: Vec<String> =
            session.world.began.iter().map(|(key, place)| format!("{key:?} at {place:?}")).collect();
        began.sort();
        Self { console: console(session), servers: servers(session), began }
    }

    /// The first thing that is otherwise than in `other`.
    fn differs(&self, other: &Self) -> Option<String> {
        let lines = |came: &Self| {
            let texts = [came.console.as_str(), &came.servers];
            texts.iter().flat_map(|text| text.lines()).map(str::to_owned).chain(came.began.clone()).collect()
        };
        let (own, others): (Vec<String>, Vec<String>) = (lines(self), lines(other));
        let first = own.iter().zip(&others).find(|(own, other)| own != other);
        let longer = || {
            own.get(others.len())
                .or_else(|| others.get(own.len()))
                .map(|line| format!("one has more: {line}"))
        };
        first.map(|(own, other)| format!("{own}\nand not\n{other}")).or_else(longer)
    }
}

fn console(session: &Session) -> String {
    let state = &session.state;
    let mut text = format!(
        "{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n",
        state.closed,
        state.tally(),
        state.bans,
        state.left_out,
        state.to_do
    );
    let stages = state.stages.iter().flat_map(|stage| &stage.lanes);
    for lane in stages.chain(&state.sides) {
        let _ = writeln!(text, "{:?} {:?}", lane.key, lane.phase);
        for record in &lane.records {
            // What a person did whose word was cut off is found done.
            let outcome = match (record.outcome, record.known) {
                (Outcome::DoneBefore, Known::Seen) => Outcome::Succeeded,
                (outcome, _) => outcome,
            };
            let _ = writeln!(text, "{:?} {outcome:?} {:?}", record.step, record.known);
        }
    }
    for failure in &state.failures {
        let cause = match &failure.cause {
            Cause::Expired { until, .. } => Cause::Expired { waited_ms: 0, until: until.clone() },
            cause => cause.clone(),
        };
        let _ = writeln!(text, "{:?} {cause:?}", failure.key);
    }
    let mut intended: Vec<String> = session.journal.iter().filter_map(|(_, event)| intended(event)).collect();
    intended.sort();
    text.push_str(&intended.join("\n"));
    text.push('\n');
    text
}

fn intended(event: &Event) -> Option<String> {
    let Event::StepIntended { key, targets, command, .. } = event else { return None };
    Some(format!("{key:?} {targets:?} {command:?}"))
}

fn servers(session: &Session) -> String {
    let world = &session.world;
    let runs: BTreeMap<_, _> =
        world.runs.iter().map(|(id, run)| (id, (&run.key, &run.end, run.applied))).collect();
    format!(
        "{:#?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{:?}\n{runs:#?}\n",
        world.facts,
        world.checks,
        world.clocks,
        world.free,
        world.files,
        world.boots,
        world.down,
        world.told,
        world.stopped,
        world.free_below,
    )
}

fn comes_to_the_same_end(product: &str) {
    let began = Instant::now();
    let farm = Farm::of(product);
    let whole = farm.played(Crashes::Never).unwrap_or_else(|why| panic!("{why}"));
    let came = Came::of(&whole);
    let settled =
        whole.journal.iter().filter(|(_, event)| matches!(event, Event::StepSettled { .. })).count();
    assert!(whole.state.closed.is_some() && settled > 10, "too little happens: {settled} steps");
    assert!(came.began.windows(2).all(|pair| pair[0] != pair[1]), "a run begins twice: {:#?}", came.began);
    let mut wrong = Vec::new();
    // With the first event the first runner opens it.
    for count in 2..=whole.journal.len() {
        let after = &whole.journal[count - 1].1;
        match farm.played(Crashes::After(count)) {
            Err(why) => wrong.push(format!("dead after event {count}, {after:?}:\n{why}")),
            Ok(session) => {
                assert_eq!(session.crash_count, 1);
                let differs = Came::of(&session).differs(&came);
                wrong.extend(differs.map(|what| format!("dead after event {count}, {after:?}:\n{what}")));
            }
        }
    }
    eprintln!("{product}: gone on with after each of {} events, {:?}", whole.journal.len(), began.elapsed());
    let shown = wrong.iter().take(3).map(String::as_str).collect::<Vec<_>>().join("\n\n");
    assert!(wrong.is_empty(), "{product}: {} of {} are wrong\n{shown}", wrong.len(), whole.journal.len());
}

#[test]
fn igel_ums_ha() {
    comes_to_the_same_end("igel_ums_ha");
}

#[test]
fn citrix_provisioning() {
    comes_to_the_same_end("citrix_provisioning");
}

#[test]
fn ca_identity_manager() {
    comes_to_the_same_end("ca_identity_manager");
}

#[test]
fn jp1_it_desktop_management() {
    comes_to_the_same_end("jp1_it_desktop_management");
}

#[test]
fn imprivata_g4() {
    comes_to_the_same_end("imprivata_g4");
}
