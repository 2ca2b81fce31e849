//! What servers print, recorded and read again.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use nofm::journal::{JournalError, OutputReader, Writer};
use proptest::prelude::*;

use super::{Event, Place, at, lock};

const MUCH: u64 = 1 << 30;

#[test]
fn bytes_come_back_with_when_they_came() {
    let place = Place::new();
    let writer = place.writer();
    let mut log = writer.output_log("ums-1.update.1", MUCH).unwrap();
    for (bytes, ms) in [(&b"one\n"[..], 0), (b"two\n", 50), (b"\xff\x1b[2J", 150), (b"end", 10_000)] {
        assert_eq!(log.append(bytes, at(ms)).unwrap(), bytes.len());
    }
    log.sync().unwrap();
    let reader = OutputReader::open(writer.session(), "ums-1.update.1").unwrap();
    assert_eq!(reader.size().unwrap(), 16);
    assert_eq!(reader.window(4, 9).unwrap(), b"two\n\xff");
    assert_eq!(reader.window(10, 99).unwrap(), b"[2Jend");
    assert_eq!(reader.window(99, 100).unwrap(), b"");
    assert_eq!(reader.window(9, 4).unwrap(), b"");
    let sizes = [-1, 0, 149, 150, 9_999, 10_000, 99_999].map(|ms| reader.size_at(at(ms)).unwrap());
    assert_eq!(sizes, [0, 8, 8, 13, 13, 16, 16]);
}

#[test]
fn the_index_has_one_record_in_100_ms_at_most() {
    let place = Place::new();
    let writer = place.writer();
    let mut log = writer.output_log("busy", MUCH).unwrap();
    for ms in 0..10_000 {
        log.append(b"x", at(ms)).unwrap();
    }
    let index = fs::metadata(writer.session().path().join("output/busy.idx")).unwrap().len();
    assert_eq!(index, 100 * 16);
}

#[test]
fn it_goes_on_after_a_crash_at_any_byte_of_either_file() {
    let place = Place::new();
    let writer = place.writer();
    let folder = writer.session().path().join("output");
    let mut log = writer.output_log("step", MUCH).unwrap();
    for second in 0..5 {
        log.append(b"0123456789", at(second * 1000)).unwrap();
    }
    drop(log);
    let (bytes, index) =
        (fs::read(folder.join("step.log")).unwrap(), fs::read(folder.join("step.idx")).unwrap());
    for log_cut in 0..=bytes.len() {
        for index_cut in 0..=index.len() {
            fs::write(folder.join("step.log"), &bytes[..log_cut]).unwrap();
            fs::write(folder.join("step.idx"), &index[..index_cut]).unwrap();
            let mut log = writer.output_log("step", MUCH).unwrap();
            assert_eq!(log.len(), log_cut as u64);
            log.append(b"more", at(9000)).unwrap();
            let reader = OutputReader::open(writer.session(), "step").unwrap();
            assert_eq!(reader.size_at(at(8999)).unwrap(), log_cut as u64);
            assert_eq!(reader.size_at(at(9000)).unwrap(), log_cut as u64 + 4);
            assert_eq!(reader.window(0, MUCH).unwrap(), [&bytes[..log_cut], b"more"].concat());
        }
    }
}

#[test]
fn no_more_is_kept_than_allowed_and_that_is_told() {
    let place = Place::new();
    let writer = place.writer();
    let mut log = writer.output_log("loud", 10).unwrap();
    assert_eq!(log.append(b"01234567", at(0)).unwrap(), 8);
    assert_eq!(log.append(b"89abcdef", at(1)).unwrap(), 2);
    assert_eq!(log.append(b"g", at(500)).unwrap(), 0);
    drop(log);
    let mut log = writer.output_log("loud", 10).unwrap();
    assert_eq!(log.append(b"g", at(900)).unwrap(), 0);
    assert_eq!(OutputReader::open(writer.session(), "loud").unwrap().window(0, 99).unwrap(), b"0123456789");
}

#[test]
fn a_name_stays_in_its_folder() {
    let place = Place::new();
    let writer = place.writer();
    for name in ["", ".", "..", "../journal", "a/b", ".hidden", "a b", "a\n", "ü", &"x".repeat(201)] {
        assert!(matches!(writer.output_log(name, 1), Err(JournalError::BadName { .. })), "{name:?}");
    }
    assert!(OutputReader::open(writer.session(), "absent").unwrap_err().is_missing());
}

#[test]
fn a_writer_and_a_reader_do_not_disturb_each_other() {
    let place = Place::new();
    let session = super::example(&place);
    let (writer, _) = Writer::resume::<Event>(lock(&session)).unwrap();
    let mut log = writer.output_log("step", MUCH).unwrap();
    log.append(b"one\n", at(0)).unwrap();
    let reader = OutputReader::open(&session, "step").unwrap();
    log.append(b"two\n", at(1000)).unwrap();
    assert_eq!(reader.tail(MUCH, 1).unwrap(), (4, b"two\n".to_vec()));
    assert_eq!(reader.tail(6, 1).unwrap(), (4, b"tw".to_vec()));
    assert_eq!(reader.tail(4, 1).unwrap(), (0, b"one\n".to_vec()));
    assert_eq!(reader.tail(8, 0).unwrap(), (8, Vec::new()));
}

#[test]
fn a_tail_is_found_without_reading_everything_and_bounded_without_line_ends() {
    let place = Place::new();
    let session = super::example(&place);
    let (writer, _) = Writer::resume::<Event>(lock(&session)).unwrap();
    writer.output_log("long", MUCH).unwrap();
    let mut file = OpenOptions::new().append(true).open(session.path().join("output/long.log")).unwrap();
    file.write_all(&vec![b'x'; 3 << 20]).unwrap();
    let reader = OutputReader::open(&session, "long").unwrap();
    let (start, bytes) = reader.tail(MUCH, 5).unwrap();
    assert_eq!((start, bytes.len()), (2 << 20, 1 << 20));
    file.write_all(b"\nlast\n").unwrap();
    assert_eq!(reader.tail(MUCH, 1).unwrap(), ((3 << 20) + 1, b"last\n".to_vec()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_tail_is_the_last_lines(lines in proptest::collection::vec(0_usize..3000, 0..30), wanted in 0_usize..12, end in any::<bool>()) {
        let place = Place::new();
        let writer = place.writer();
        let mut text: Vec<u8> = lines.iter().flat_map(|length| [vec![b'x'; *length], b"\n".to_vec()].concat()).collect();
        if end {
            text.extend(b"open");
        }
        let mut log = writer.output_log("step", MUCH).unwrap();
        log.append(&text, at(0)).unwrap();
        let (start, bytes) = OutputReader::open(writer.session(), "step").unwrap().tail(MUCH, wanted).unwrap();
        let all: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        let expected = all[all.len().saturating_sub(wanted)..].concat();
        prop_assert_eq!(start, (text.len() - expected.len()) as u64);
        prop_assert!(bytes == expected);
    }
}
