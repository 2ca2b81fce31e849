//! The state folder and the sessions in it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use nofm::journal::{JournalError, StateDir, random_bits, session_id, write_atomic};
use nofm::model::SessionId;

use super::{Place, at, example, lock, said, stamp};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn ids_say_when_and_what_and_sort_by_time() {
    let id = session_id(at(0), "igel_ums_ha", 0x7f3a);
    assert_eq!(id.as_str(), "2026-11-21T041233Z-igel_ums_ha-7f3a");
    assert!(session_id(at(999), "a/../b c", 1).as_str().ends_with("Z-a____b_c-0001"));
    let many: std::collections::HashSet<_> = (0..50).map(|_| random_bits()).collect();
    assert!(many.len() > 25);
}

#[test]
fn only_the_user_reads_a_session() {
    let place = Place::new();
    let session = example(&place);
    let writer = nofm::journal::Writer::resume::<super::Event>(lock(&session)).unwrap().0;
    writer.output_log("step", 9).unwrap().append(b"x", at(0)).unwrap();
    let mut seen = 0;
    let mut folders = vec![place.state.path().to_owned()];
    while let Some(folder) = folders.pop() {
        assert_eq!(mode(&folder), 0o700, "{folder:?}");
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(mode(&path), 0o600, "{path:?}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 6);
}

#[test]
fn a_folder_that_others_write_to_or_that_is_a_link_is_refused() {
    let place = Place::new();
    let (root, run) = (place.state.path(), place.state.path().join("run"));
    fs::set_permissions(&run, fs::Permissions::from_mode(0o770)).unwrap();
    let error = StateDir::at(root).unwrap_err();
    assert!(
        matches!(error, JournalError::NotPrivate { .. }) && error.to_string().contains("chmod go-w"),
        "{error}"
    );
    fs::remove_dir(&run).unwrap();
    symlink(root.join("farms"), &run).unwrap();
    assert!(StateDir::at(root).unwrap_err().to_string().contains("it is no folder"));
    fs::remove_file(&run).unwrap();
    StateDir::at(root).unwrap();
}

#[test]
fn sessions_are_listed_newest_first_and_found_by_either_end() {
    let place = Place::new();
    let ids: Vec<_> = [(0, 0x7f3a), (1000, 0xbeef), (2000, 0x00ef)]
        .map(|(ms, random)| session_id(at(ms), "p", random))
        .into();
    for id in &ids {
        place.state.create_session(id, "").unwrap();
    }
    fs::create_dir(place.state.path().join("sessions/.hidden")).unwrap();
    fs::create_dir(place.state.path().join("sessions/with\u{1b}[2Jescape")).unwrap();
    fs::write(place.state.path().join("sessions/notes.txt"), "").unwrap();
    let listed: Vec<_> = place.state.sessions().unwrap().iter().map(|session| session.id().clone()).collect();
    assert_eq!(listed, ids.iter().rev().cloned().collect::<Vec<_>>());

    let found = |wanted: &str| place.state.find(wanted).map(|session| session.id().clone());
    assert_eq!(found("7f3a").unwrap(), ids[0]);
    assert_eq!(found("beef").unwrap(), ids[1]);
    assert_eq!(found("2026-11-21T041235").unwrap(), ids[2]);
    assert_eq!(found(ids[1].as_str()).unwrap(), ids[1]);
    assert!(matches!(found("ef"), Err(JournalError::ManySessions { count: 2, .. })));
    assert!(matches!(found("2026"), Err(JournalError::ManySessions { count: 3, .. })));
    for none in ["", "1999", "../sessions", "-p-"] {
        assert!(matches!(found(none), Err(JournalError::NoSession { .. })), "{none:?}");
    }
}

#[test]
fn a_session_is_started_once_and_under_a_plain_name() {
    let place = Place::new();
    let session = place.session();
    assert!(matches!(place.state.create_session(session.id(), ""), Err(JournalError::SessionExists(_))));
    for name in ["", "..", "a/b", ".a"] {
        assert!(matches!(
            place.state.create_session(&SessionId::from(name), ""),
            Err(JournalError::BadName { .. })
        ));
    }
}

#[test]
fn the_second_to_write_is_shown_the_first() {
    let place = Place::new();
    let session = place.session();
    let first = session.lock(at(0)).unwrap();
    let error = session.lock(at(1)).unwrap_err();
    assert!(
        error.to_string().contains(&format!("process {} since 2026-11-21T04:12:33Z", std::process::id())),
        "{error}"
    );
    let mut writer = nofm::journal::Writer::create(first, "0.1.0", at(0)).unwrap();
    writer.submit(stamp(0), &said(0)).unwrap();
    assert!(matches!(session.lock(at(1)), Err(JournalError::Held { .. })), "a writer keeps the lock");
    writer.close().unwrap();
    session.lock(at(2)).unwrap();
}

#[test]
fn a_socket_has_a_short_path_or_says_what_to_do() {
    let place = Place::new();
    let id = session_id(at(0), "example", 1);
    let path = place.state.socket_path(&id).unwrap();
    assert_eq!(path.parent(), Some(place.state.path().join("run").as_path()));
    assert_eq!(path.file_name().unwrap().len(), 13);
    assert_eq!(path, place.state.socket_path(&id).unwrap());
    assert_ne!(path, place.state.socket_path(&session_id(at(1), "example", 2)).unwrap());

    let deep = place.state.path().join("x".repeat(60)).join("y".repeat(60));
    let error = StateDir::at(deep).unwrap().socket_path(&id).unwrap_err();
    assert!(error.to_string().contains("set NOFM_HOME to a shorter path"), "{error}");
}

#[test]
fn a_file_is_replaced_as_a_whole() {
    let place = Place::new();
    let path = place.state.path().join("file.toml");
    write_atomic(&path, b"first").unwrap();
    write_atomic(&path, b"2nd").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"2nd");
    assert_eq!(mode(&path), 0o600);
    let folder = place.state.path().join("folder");
    fs::create_dir(&folder).unwrap();
    assert!(write_atomic(&folder, b"no").is_err());
    let names: Vec<_> =
        fs::read_dir(place.state.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("tmp")), "{names:?}");
}
