//! What outlives a session.

use std::fs;

use nofm::inventory::Host;
use nofm::journal::{Ban, JournalError, Lifted, session_id};

use super::{Place, at};

fn ban(act: &str) -> Ban {
    Ban {
        act: act.to_owned(),
        why: "A second attempt may damage the \"appliance\".".to_owned(),
        lifted_by: "support's case number".to_owned(),
        failure: "stopped".to_owned(),
        session: session_id(at(0), "g4", 1),
        at: at(0),
        lifted: None,
        servers: vec![Host { name: "g4-1".to_owned(), at: "10.0.0.1".to_owned() }],
    }
}

#[test]
fn one_session_has_a_farm_at_a_time_and_the_second_is_shown_the_first() {
    let place = Place::new();
    let farm = place.state.farm("hq: ums-1, ums-2").unwrap();
    assert_eq!(farm.holder().unwrap(), None);
    let (first, second) = (session_id(at(0), "igel", 1), session_id(at(0), "igel", 2));
    let held = farm.lock(&first, at(0)).unwrap();
    let error = farm.lock(&second, at(5)).unwrap_err();
    assert!(
        matches!(&error, JournalError::Held { holder, .. } if holder.session == first && holder.pid == std::process::id())
    );
    assert!(error.to_string().contains(first.as_str()), "{error}");
    assert_eq!(place.state.farm("hq: ums-1, ums-2").unwrap().holder().unwrap().unwrap().since, at(0));
    place.state.farm("another").unwrap().lock(&second, at(5)).unwrap();
    drop(held);
    farm.lock(&second, at(6)).unwrap();
}

#[test]
fn a_ban_stays_until_it_is_lifted_and_then_in_the_history() {
    let place = Place::new();
    let farm = place.state.farm("hq").unwrap();
    assert_eq!(farm.bans().unwrap(), []);
    let session = session_id(at(0), "g4", 2);
    let held = farm.lock(&session, at(0)).unwrap();
    held.ban([ban("reboot"), ban("new_session")]).unwrap();
    held.ban([ban("retry")]).unwrap();
    drop(held);

    let farm = place.state.farm("hq").unwrap();
    assert_eq!(farm.bans().unwrap(), [ban("reboot"), ban("new_session"), ban("retry")]);
    assert_eq!(place.state.farm("elsewhere").unwrap().bans().unwrap(), []);
    let held = farm.lock(&session, at(0)).unwrap();
    let lifted = Lifted { evidence: "case 4711".to_owned(), session, at: at(9) };
    held.lift(1, lifted.clone()).unwrap();
    assert_eq!(farm.bans().unwrap()[1], Ban { lifted: Some(lifted.clone()), ..ban("new_session") });
    assert_eq!(farm.bans().unwrap()[2], ban("retry"));
    assert!(matches!(held.lift(1, lifted.clone()), Err(JournalError::NoBan { index: 1, count: 3 })));
    assert!(matches!(held.lift(3, lifted), Err(JournalError::NoBan { index: 3, count: 3 })));
}

#[test]
fn bans_that_cannot_be_read_are_not_taken_for_none() {
    let place = Place::new();
    let farm = place.state.farm("hq").unwrap();
    let held = farm.lock(&session_id(at(0), "g4", 2), at(0)).unwrap();
    held.ban([ban("reboot")]).unwrap();
    let other = place.state.farm("other").unwrap();
    other.lock(&session_id(at(0), "g4", 3), at(0)).unwrap().ban([ban("retry")]).unwrap();
    let path = |farm: &str| {
        let folders = fs::read_dir(place.state.path().join("farms")).unwrap();
        let mut paths = folders.map(|entry| entry.unwrap().path());
        paths
            .find(|path| fs::read_to_string(path.join("identity")).unwrap() == farm)
            .unwrap()
            .join("bans.toml")
    };
    let good = fs::read_to_string(path("hq")).unwrap();
    let strange = good.replace("format = 1", "format = 2");
    let unknown = good.replace("act =", "deed =");
    for bad in [
        "",
        "format = 1",
        &good[..good.len() / 2],
        &strange,
        &unknown,
        &fs::read_to_string(path("other")).unwrap(),
    ] {
        fs::write(path("hq"), bad).unwrap();
        assert!(matches!(farm.bans(), Err(JournalError::Malformed { .. })), "{bad}");
        assert!(held.ban([ban("retry")]).is_err(), "a file that is not understood is not written over");
        assert_eq!(fs::read_to_string(path("hq")).unwrap(), bad);
    }
    fs::write(path("hq"), good).unwrap();
    assert_eq!(farm.bans().unwrap(), [ban("reboot")]);
}
