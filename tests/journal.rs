//! The journal and what lies beside it, on real files.

mod children;
pub mod damage;
mod farm;
mod full_disk;
mod golden;
mod output;
mod state;
mod writing;

use jiff::Timestamp;
use nofm::journal::{JournalError, SessionDir, SessionLock, Stamp, StateDir, Writer, read_all, session_id};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    Started { server: String },
    Output { server: String, to: u64 },
    Said(String),
    Looked,
}

/// A state folder that goes away with it.
struct Place {
    state: StateDir,
    _folder: TempDir,
}

impl Place {
    /// In memory where the system has such a folder: these tests sync thousands of times.
    fn new() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Self { state: StateDir::at(folder.path().join("state")).unwrap(), _folder: folder }
    }

    fn session(&self) -> SessionDir {
        let id = session_id(at(0), "example", 0x7f3a);
        self.state.create_session(&id, "profile = \"example\"\n").unwrap()
    }

    fn writer(&self) -> Writer {
        Writer::create(lock(&self.session()), "0.1.0", at(0)).unwrap()
    }
}

/// The time `ms` milliseconds after the tests' midnight.
fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_795_234_353_000 + ms).unwrap()
}

fn stamp(ms: u64) -> Stamp {
    Stamp::new(at(ms.cast_signed()), 1, ms)
}

fn lock(session: &SessionDir) -> SessionLock {
    session.lock(at(0)).unwrap()
}

fn said(number: u64) -> Event {
    Event::Said(format!("number {number}"))
}

fn events_of(session: &SessionDir) -> Result<Vec<Event>, JournalError> {
    Ok(read_all::<Event>(session)?.events.into_iter().map(|entry| entry.event).collect())
}

/// One of everything, and what is hard to write down.
fn example_events() -> Vec<Event> {
    let server = || "ums-1".to_owned();
    vec![
        Event::Started { server: server() },
        Event::Output { server: server(), to: 8_589_934_592 },
        Event::Said("Grüße, \"日本\"\n\u{1b}[2J\\ \u{202e}".to_owned()),
        Event::Looked,
        Event::Said(r#"","chain":"00000000000000000000000000000000"}"#.to_owned()),
        Event::Said(String::new()),
    ]
}

/// A session with the example events, at rest.
fn example(place: &Place) -> SessionDir {
    let mut writer = place.writer();
    for (number, event) in (0..).zip(example_events()) {
        writer.submit(stamp(number * 1500), &event).unwrap();
    }
    let session = writer.session().clone();
    writer.close().unwrap();
    session
}
