//! Tests that need a process of their own: this program once more, for one test that plays the part it is told.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use nofm::journal::{JournalError, SessionDir, StateDir, Writer, read_all, verify};

use super::{Event, Place, full_disk, lock, said, stamp};

const PART: &str = "NOFM_TEST_PART";
const FOLDER: &str = "NOFM_TEST_FOLDER";

/// What makes this program play `part`, on `folder`; given to a shell where `through` says how.
pub(super) fn child(part: &str, folder: &Path, through: Option<&[&str]>) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut command = match through {
        None => Command::new(&program),
        Some([shell, before @ ..]) => {
            let mut command = Command::new(shell);
            command.args(before).arg(&program);
            command
        }
        Some([]) => panic!("through nothing"),
    };
    command.args(["journal::children::plays_its_part", "--exact", "--ignored", "--nocapture"]);
    command.env(PART, part).env(FOLDER, folder);
    command
}

#[test]
#[ignore = "is run by other tests in a process of its own"]
fn plays_its_part() {
    let Ok(part) = std::env::var(PART) else { return };
    let folder = std::env::var_os(FOLDER).unwrap();
    match part.as_str() {
        "write for ever" => write_for_ever(&SessionDir::at(folder)),
        "fill a disk" => full_disk::fill(Path::new(&folder), false),
        "fill a file" => full_disk::fill(Path::new(&folder), true),
        "find home" => println!("\nhome {}", StateDir::from_env().unwrap().path().display()),
        other => panic!("there is no part {other:?}"),
    }
}

fn write_for_ever(session: &SessionDir) {
    let mut writer =
        Writer::create(session.lock(Timestamp::UNIX_EPOCH).unwrap(), "0.1.0", Timestamp::UNIX_EPOCH).unwrap();
    for number in 1.. {
        for part in 1..=10 {
            writer.submit(stamp(number), &said(number * 10 + part)).unwrap();
        }
        println!("\nsynced {}", writer.flush().unwrap());
    }
}

#[test]
fn a_writer_that_is_killed_lost_nothing_it_told_as_synced_and_its_lock_is_free() {
    let place = Place::new();
    for (round, wanted) in [1, 7, 40].into_iter().enumerate() {
        let id = nofm::journal::session_id(Timestamp::UNIX_EPOCH, "killed", u16::try_from(round).unwrap());
        let session = place.state.create_session(&id, "").unwrap();
        let mut writer =
            child("write for ever", session.path(), None).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let mut told = lines.filter_map(|line| line.unwrap().strip_prefix("synced ")?.parse::<u64>().ok());
        let synced = told.nth(wanted).unwrap();

        let held = session.lock(Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(matches!(&held, JournalError::Held { holder, .. } if holder.pid == writer.id()), "{held}");
        assert_eq!(session.holder().unwrap().unwrap().pid, writer.id());
        writer.kill().unwrap();
        writer.wait().unwrap();

        assert_eq!(session.holder().unwrap(), None);
        let last = told.last().unwrap_or(synced);
        let (_writer, read) = Writer::resume::<Event>(lock(&session)).unwrap();
        assert!(read.events.len() as u64 >= last, "{last} told, {} found", read.events.len());
        assert_eq!(verify(&session).unwrap().torn, None);
        assert_eq!(read_all::<Event>(&session).unwrap().events, read.events);
    }
}

#[test]
fn the_state_folder_is_where_the_environment_says() {
    let place = Place::new();
    let home = place.state.path().join("run");
    let find = |name: &str, value: &Path| {
        let output = child("find home", Path::new("-"), None)
            .env_remove("NOFM_HOME")
            .env_remove("XDG_STATE_HOME")
            .env("HOME", &home)
            .env(name, value)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().find_map(|line| line.strip_prefix("home ")).expect("a home is found").to_owned()
    };
    let expect = |path: &str| home.join(path).to_str().unwrap().to_owned();
    assert_eq!(find("NOFM_HOME", &home.join("mine")), expect("mine"));
    assert_eq!(find("XDG_STATE_HOME", &home.join("xdg")), expect("xdg/nofm"));
    assert_eq!(find("NOFM_HOME", Path::new("")), expect(".local/state/nofm"));
}
