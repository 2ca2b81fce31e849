//! Journals that a crash or a hand has touched.

use std::fmt::Write as _;
use std::fs;

use nofm::journal::{JournalError, SessionDir, Writer, read_all, verify};
use sha2::{Digest as _, Sha256};

use super::{Event, Place, example, example_events, lock, said, stamp};

/// The chain, computed once more from its description alone.
/// A journal of these lines, which lack their places in the chain.
pub fn chained<'l>(bodies: impl IntoIterator<Item = &'l str>) -> String {
    let mut before = "0".repeat(32);
    let mut journal = String::new();
    for body in bodies {
        let digest = Sha256::digest(format!("{before}{body}"));
        before.clear();
        digest[..16].iter().for_each(|byte| write!(before, "{byte:02x}").unwrap());
        writeln!(journal, "{body},\"chain\":\"{before}\"}}").unwrap();
    }
    journal
}

/// The lines of `journal` without their places in the chain.
pub fn bodies(journal: &str) -> Vec<&str> {
    journal.lines().map(|line| &line[..line.len() - 44]).collect()
}

fn line_ends(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count() - 1
}

fn change(session: &SessionDir, journal: impl AsRef<[u8]>) {
    fs::write(session.journal_path(), journal).unwrap();
}

#[test]
fn cut_at_any_byte_it_keeps_every_whole_line_and_makes_up_none() {
    let place = Place::new();
    let session = example(&place);
    let whole = fs::read(session.journal_path()).unwrap();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in 0..=whole.len() {
        let left = &whole[..cut];
        change(&session, left);
        if cut < header {
            let error = read_all::<Event>(&session).unwrap_err();
            assert!(matches!(error, JournalError::Broken { line: 1, .. }), "cut at {cut}: {error}");
            continue;
        }
        let lines = line_ends(left);
        let torn = cut - 1 - left.iter().rposition(|byte| *byte == b'\n').unwrap();
        let torn = (torn > 0).then_some(torn as u64);
        let expected = &example_events()[..lines - 1];

        let read = read_all::<Event>(&session).unwrap();
        assert!(read.events.iter().map(|entry| &entry.event).eq(expected), "cut at {cut}");
        assert_eq!(read.torn, torn, "cut at {cut}");
        assert_eq!(fs::read(session.journal_path()).unwrap(), left, "a reader must not write");

        let (mut writer, read) = Writer::resume::<Event>(lock(&session)).unwrap();
        assert!(read.events.iter().map(|entry| &entry.event).eq(expected), "cut at {cut}");
        assert_eq!(read.torn, torn, "cut at {cut}");
        assert_eq!(writer.submit(stamp(9), &said(9)).unwrap(), lines as u64);
        writer.close().unwrap();
        let verified = verify(&session).unwrap();
        assert_eq!((verified.events, verified.torn), (lines as u64, None), "cut at {cut}");
    }
}

#[test]
fn a_change_of_any_byte_is_found_in_its_line() {
    let place = Place::new();
    let session = example(&place);
    let whole = fs::read(session.journal_path()).unwrap();
    for place in 0..whole.len() {
        for mask in [0x01, 0x20, 0x80, whole[place]] {
            let mut changed = whole.clone();
            changed[place] ^= mask;
            change(&session, &changed);
            let line = 1 + line_ends(&whole[..place]) as u64;
            match verify(&session) {
                Err(JournalError::Broken { line: found, .. }) => assert_eq!(found, line, "byte {place}"),
                Err(JournalError::Version { .. }) => assert_eq!(line, 1),
                Ok(verified) => assert!(verified.torn.is_some() && place == whole.len() - 1, "byte {place}"),
                Err(other) => panic!("byte {place}: {other}"),
            }
        }
    }
}

#[test]
fn lines_that_were_moved_removed_doubled_or_forged_are_found() {
    let place = Place::new();
    let session = example(&place);
    let whole = fs::read_to_string(session.journal_path()).unwrap();
    let lines: Vec<_> = whole.lines().collect();
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    let mut removed = lines.clone();
    removed.remove(2);
    let mut doubled = lines.clone();
    doubled.insert(2, lines[1]);
    let mut emptied = lines.clone();
    emptied.insert(2, "");
    for changed in [swapped, removed, doubled, emptied] {
        change(&session, changed.join("\n") + "\n");
        assert!(matches!(verify(&session), Err(JournalError::Broken { line: 3, .. })));
        assert!(matches!(read_all::<Event>(&session), Err(JournalError::Broken { line: 3, .. })));
        assert!(matches!(Writer::resume::<Event>(lock(&session)), Err(JournalError::Broken { line: 3, .. })));
    }
    let mut gap = bodies(&whole);
    gap.remove(2);
    change(&session, chained(gap));
    let error = verify(&session).unwrap_err().to_string();
    assert!(error.contains("line 3: it has the number 3 and should have 2"), "{error}");
}

#[test]
fn the_chain_is_what_its_description_says() {
    let place = Place::new();
    let session = example(&place);
    let whole = fs::read_to_string(session.journal_path()).unwrap();
    assert_eq!(chained(bodies(&whole)), whole);
    let head = verify(&session).unwrap().head.to_string();
    assert!(whole.ends_with(&format!("{head}\"}}\n")));
}

#[test]
fn a_shell_script_can_check_the_chain() {
    let script = r#"
        before=00000000000000000000000000000000
        while IFS= read -r line; do
            body=${line%,\"chain\":\"*}
            told=${line##*,\"chain\":\"}; told=${told%\"\}}
            before=$(printf '%s%s' "$before" "$body" | sha256sum | cut -c 1-32)
            test "$before" = "$told" || exit 1
        done < "$1""#;
    let place = Place::new();
    let session = example(&place);
    let check = || {
        let mut sh = std::process::Command::new("sh");
        sh.args(["-c", script, "sh"]).arg(session.journal_path()).status().unwrap().success()
    };
    assert!(check());
    let whole = fs::read_to_string(session.journal_path()).unwrap();
    change(&session, whole.replace("ums-1", "ums-2"));
    assert!(!check());
}

#[test]
fn another_format_is_refused_with_what_reads_it() {
    let place = Place::new();
    let session = example(&place);
    change(&session, "{\"nofm_journal\":2,\"program\":\"4.1.0\",\"whatever\":[]}\n{}\n");
    let error = read_all::<Event>(&session).unwrap_err();
    assert!(matches!(error, JournalError::Version { found: 2, known: 1, .. }));
    assert!(error.to_string().contains("use nofm 4.1.0"), "{error}");
}

#[test]
fn an_event_of_a_newer_program_is_refused_with_what_reads_it() {
    let place = Place::new();
    let session = example(&place);
    let whole = fs::read_to_string(session.journal_path()).unwrap();
    change(&session, chained(bodies(&whole.replace("started\":{", "landed\":{"))));
    verify(&session).unwrap();
    let error = read_all::<Event>(&session).unwrap_err();
    assert!(matches!(error, JournalError::Unknown { line: 2, .. }), "{error}");
    assert!(error.to_string().contains("`landed`") && error.to_string().contains("nofm 0.1.0"), "{error}");
}

#[test]
fn another_setup_file_is_refused() {
    let place = Place::new();
    let session = example(&place);
    fs::write(session.setup_path(), "profile = \"other\"\n").unwrap();
    assert!(matches!(verify(&session), Err(JournalError::OtherSetup { .. })));
    assert!(matches!(Writer::resume::<Event>(lock(&session)), Err(JournalError::OtherSetup { .. })));
}

#[test]
fn garbage_without_an_end_is_bounded() {
    let place = Place::new();
    let session = example(&place);
    let whole = fs::read(session.journal_path()).unwrap();
    change(&session, [whole.as_slice(), &vec![0; 500_000]].concat());
    assert_eq!(verify(&session).unwrap().torn, Some(500_000));
    change(&session, [whole.as_slice(), &vec![0; 3 << 20]].concat());
    assert!(matches!(verify(&session), Err(JournalError::Broken { line: 8, .. })));
    change(&session, vec![b'x'; 3 << 20]);
    assert!(matches!(verify(&session), Err(JournalError::Broken { line: 1, .. })));
    fs::remove_file(session.journal_path()).unwrap();
    assert!(verify(&session).unwrap_err().is_missing());
}
