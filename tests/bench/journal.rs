//! How fast events come safely to disk, and how fast a journal is checked.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use nofm::journal::{SessionDir, Stamp, StateDir, Writer, read_all, session_id, verify};
use serde_json::{Value, json};

/// How long each line of the table measures.
const LONG: Duration = Duration::from_secs(1);
const MANY: u64 = 200_000;

/// Prints a small table. Writes below the folder for builds, not in a file system in memory.
pub fn run() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder to write to");
    let state = StateDir::at(folder.path()).expect("a state folder");
    println!("journal                              events/s    a sync takes");
    for group in [1, 8, 64] {
        bare(&state, group);
        through_the_writer(&state, group);
    }
    check(&state);
}

fn event(number: u64) -> Value {
    json!({ "step_ended": { "server": "ums-1", "step": "update.install", "attempt": number, "note": "x".repeat(150) } })
}

fn stamp(number: u64) -> Stamp {
    Stamp::new(Timestamp::UNIX_EPOCH, 1, number)
}

/// What the disk allows: a line of the same length, appended and synced.
fn bare(state: &StateDir, group: u64) {
    let mut file =
        OpenOptions::new().create(true).append(true).open(state.path().join("bare")).expect("a file");
    let line = vec![b'x'; 330];
    measure("append and fdatasync", group, || {
        file.write_all(&line.repeat(usize::try_from(group).expect("small"))).expect("room");
        file.sync_data().expect("a disk");
    });
}

fn through_the_writer(state: &StateDir, group: u64) {
    let mut writer = writer(state, group);
    measure("journal", group, || {
        let events: Vec<_> = (0..group).map(event).collect();
        writer.submit_all(stamp(0), &events).expect("room");
        writer.flush().expect("a disk");
    });
}

fn check(state: &StateDir) {
    let mut writer = writer(state, MANY);
    let session: SessionDir = writer.session().clone();
    let start = Instant::now();
    for number in 0..MANY {
        writer.submit(stamp(number), &event(number)).expect("room");
    }
    writer.close().expect("a disk");
    row("journal, as fast as it takes them", MANY, start.elapsed(), None);
    let start = Instant::now();
    assert_eq!(verify(&session).expect("a whole journal").events, MANY);
    row("verify", MANY, start.elapsed(), None);
    let start = Instant::now();
    assert_eq!(read_all::<Value>(&session).expect("a whole journal").events.len() as u64, MANY);
    row("read all", MANY, start.elapsed(), None);
}

fn writer(state: &StateDir, number: u64) -> Writer {
    let id = session_id(Timestamp::UNIX_EPOCH, &format!("bench_{number}"), 0);
    let session = state.create_session(&id, "").expect("a session");
    let lock = session.lock(Timestamp::UNIX_EPOCH).expect("nobody else");
    Writer::create(lock, "0.1.0", Timestamp::UNIX_EPOCH).expect("a writer")
}

fn measure(what: &str, group: u64, mut commit: impl FnMut()) {
    let start = Instant::now();
    let mut commits = 0;
    while start.elapsed() < LONG {
        commit();
        commits += 1;
    }
    let took = start.elapsed();
    row(
        &format!("{what}, {group} at once"),
        group * commits,
        took,
        Some(took / u32::try_from(commits).expect("few")),
    );
}

fn row(what: &str, events: u64, took: Duration, a_sync: Option<Duration>) {
    let rate = u128::from(events) * 1_000_000 / took.as_micros().max(1);
    let a_sync = a_sync.map_or_else(String::new, |a_sync| format!("{:.2} ms", a_sync.as_secs_f64() * 1000.0));
    println!("{what:<34} {rate:>10} {a_sync:>15}");
}
