//! A console whose disk is full.

use nofm::engine::{Event, StepPhase};
use nofm::words;

use super::{INSTALL, farm, stage, world};
use crate::sim::session::Crashes;

#[test]
fn without_room_on_the_console_what_runs_is_finished_and_nothing_else_begins() {
    for crashes in [Crashes::Never, Crashes::Percent(30)] {
        let mut session = farm(&[&stage("servers", "", &[INSTALL])], 2, world(2))
            .started_until(|session| session.began("install") == 1);
        session.crashes = crashes;
        session.happens(Event::RoomLow { free: 1 << 20, path: "/state".to_owned() });
        session.rest();
        assert_eq!(session.began_on("install"), ["s1"], "{}", session.tail());
        assert_ne!(session.lane("s1").1, &StepPhase::Running, "it was followed to its end");
        let why = words::room_low(&session.state).expect("it is said");
        assert!(why.contains("below /state") && why.contains("Nothing new is started"), "{why}");
        assert!(words::status::status(&session.state, session.now_ms()).paused.contains(&why));
        assert_eq!(session.state.failures.len(), 0, "the console's disk is no failure of a step");
        session.happens(Event::RoomBack { free: 1 << 30 });
        session.rest();
        assert!(session.is_done(), "{}", session.tail());
        assert_eq!(session.began_on("install"), ["s1", "s2"]);
    }
}
