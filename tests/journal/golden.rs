//! Journals of every format there was stay readable.

use std::fs;
use std::path::PathBuf;

use nofm::journal::{OutputReader, SessionDir, StateDir, Writer, read_all, verify};

use super::{Event, Place, at, example_events, lock, stamp};

fn golden(format: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/journal-{format}"))
}

#[test]
fn a_journal_of_format_1_stays_readable() {
    let session = SessionDir::at(golden(1));
    let read = read_all::<Event>(&session).unwrap();
    assert_eq!(read.header.session.as_str(), "2026-11-21T041233Z-example-7f3a");
    assert_eq!(read.header.started, at(0));
    assert_eq!(session.setup(&read.header).unwrap(), "profile = \"example\"\n");
    for (number, (entry, event)) in (0..).zip(read.events.iter().zip(example_events())) {
        assert_eq!((entry.seq, entry.stamp, &entry.event), (number + 1, stamp(number * 1500), &event));
    }
    let verified = verify(&session).unwrap();
    assert_eq!((verified.events, verified.torn), (6, None));
    assert_eq!(verified.head.to_string(), "9fbefae1c77cf7210cecf3edc0968c18");

    let output = OutputReader::open(&session, "ums-1.update.1").unwrap();
    assert_eq!(output.tail(u64::MAX, 1).unwrap(), (9, b"second\n".to_vec()));
    assert_eq!(output.size_at(at(500)).unwrap(), 9);
}

#[test]
fn this_program_still_writes_format_1_byte_for_byte() {
    let place = Place::new();
    let session = example_session(&place.state);
    for file in ["session.toml", "journal.jsonl", "output/ums-1.update.1.log", "output/ums-1.update.1.idx"] {
        let (now, then) =
            (fs::read(session.path().join(file)).unwrap(), fs::read(golden(1).join(file)).unwrap());
        assert!(now == then, "{file} differs");
    }
}

fn example_session(state: &StateDir) -> SessionDir {
    let id = nofm::journal::session_id(at(0), "example", 0x7f3a);
    let session = state.create_session(&id, "profile = \"example\"\n").unwrap();
    let mut writer = Writer::create(lock(&session), "0.1.0", at(0)).unwrap();
    for (number, event) in (0..).zip(example_events()) {
        writer.submit(stamp(number * 1500), &event).unwrap();
    }
    let mut log = writer.output_log("ums-1.update.1", 1 << 20).unwrap();
    log.append(b"\x1b[1mone\r\n", at(0)).unwrap();
    log.append(b"second\n", at(1000)).unwrap();
    session
}
