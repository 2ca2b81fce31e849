//! A disk without room.

use std::path::Path;
use std::process::Command;

use nofm::journal::{JournalError, StateDir, Writer, read_all, session_id, verify};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::children::child;
use super::{Event, at, lock, stamp};

/// Bytes that a file may hold in the test without a small file system.
const LIMIT: u64 = 150_000;

/// On every machine: a process whose files may not grow. The limit goes when the reserve does, as if that had made room.
#[test]
fn a_file_that_cannot_grow_keeps_what_was_synced_and_takes_the_last_words() {
    let folder = tempfile::tempdir().unwrap();
    // The signal would end the process; ignored, the write fails.
    let through = ["sh", "-c", r#"trap "" XFSZ; exec "$@""#, "sh"];
    let mut limited = child("fill a file", folder.path(), Some(&through));
    assert!(limited.status().unwrap().success());
}

/// On a machine that lets this user mount one, on a real file system that is full; elsewhere the test above stands alone.
#[test]
fn a_full_disk_keeps_what_was_synced_and_takes_the_last_words() {
    let script = r#"mount -t tmpfs -o size=500k none "$NOFM_TEST_FOLDER" && exec "$@""#;
    let folder = tempfile::tempdir().unwrap();
    let may_mount = Command::new("unshare")
        .args(["-rm", "mount", "-t", "tmpfs", "none"])
        .arg(folder.path())
        .status()
        .is_ok_and(|status| status.success());
    if !may_mount {
        return a_file_that_cannot_grow_keeps_what_was_synced_and_takes_the_last_words();
    }
    let mut small = child("fill a disk", folder.path(), Some(&["unshare", "-rm", "sh", "-c", script, "sh"]));
    assert!(small.status().unwrap().success());
}

/// The part of the child: writes until there is no room, then checks what is left.
pub(super) fn fill(folder: &Path, limited: bool) {
    let state = StateDir::at(folder).unwrap();
    assert!(state.free_space().unwrap() > 0);
    let session = state.create_session(&session_id(at(0), "full", 1), "").unwrap();
    let mut writer = Writer::create(lock(&session), "0.1.0", at(0)).unwrap();
    // Room for output once the journal has filled the disk.
    let ballast = session.path().join("ballast");
    std::fs::write(&ballast, vec![b'x'; 100_000]).unwrap();
    let unlimited = getrlimit(Resource::Fsize);
    if limited {
        setrlimit(Resource::Fsize, Rlimit { current: Some(LIMIT), ..unlimited }).unwrap();
        let reserve = session.path().join("reserve");
        assert!(reserve.exists());
        std::thread::spawn(move || {
            while reserve.exists() {
                std::thread::yield_now();
            }
            setrlimit(Resource::Fsize, unlimited).unwrap();
        });
    }

    let event = Event::Said("x".repeat(1000));
    let mut good = 0;
    let error = loop {
        let together = writer.submit_all(stamp(good), &vec![event.clone(); 8]);
        match together.and_then(|_| writer.flush()) {
            Ok(seq) => good = seq,
            Err(error) => break error,
        }
    };
    assert!(error.is_full(), "{error}");
    assert!(good > 50, "{good}");
    let mut synced = writer.synced();
    assert_eq!(synced.seq(), good);
    assert!(synced.failure().is_some_and(|failure| failure.is_full()));
    assert!(writer.submit(stamp(0), &event).unwrap_err().is_full());
    let read = read_all::<Event>(&session).unwrap();
    assert_eq!((read.events.len() as u64, read.torn), (good, None), "cut back to the last good batch");

    std::fs::remove_file(ballast).unwrap();
    fill_output(&writer, limited);
    if !limited {
        fill_up(session.path());
        let other = state.create_session(&session_id(at(0), "late", 2), "some = \"setup\"");
        assert!(other.unwrap_err().is_full());
        assert_eq!(state.sessions().unwrap().len(), 1, "no half session is left");
    }
    // Longer than what is left over for the events that found no room.
    let words = Event::Said("stopped: the disk is full".repeat(1000));
    assert_eq!(writer.last_words(stamp(9), &words).unwrap(), good + 1);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let lost = runtime.block_on(synced.reached(good + 1));
    assert!(matches!(lost, Err(JournalError::Full { .. })), "the lost event of that number is not on disk");
    assert_eq!(verify(&session).unwrap().events, good + 1);
    assert_eq!(read_all::<Event>(&session).unwrap().events.last().unwrap().event, words);
}

/// Records output until there is no room: a piece that does not fit as a whole leaves nothing behind, and is no error. The
/// last room of a disk is the journal's, and a small disk has no other.
fn fill_output(writer: &Writer, limited: bool) {
    let mut log = writer.output_log("step", u64::MAX).unwrap();
    while !log.is_cut() {
        log.append(&[b'o'; 7000], at(log.len().cast_signed())).unwrap();
    }
    assert_eq!(log.append(b"more", at(0)).unwrap(), 0, "nothing follows a gap");
    assert_eq!(log.is_empty(), !limited);
    assert_eq!(log.len() % 7000, 0);
    let size = |name: &str| writer.session().path().join(name).metadata().unwrap().len();
    assert_eq!(size("output/step.log"), log.len());
    assert_eq!(size("output/step.idx"), log.len() / 7000 * 16);
}

/// Takes what is left over.
fn fill_up(folder: &Path) {
    let mut rest = (0..).map(|number| folder.join(format!("rest-{number}")));
    while std::fs::write(rest.next().unwrap(), [b'x'; 4096]).is_ok() {}
}
