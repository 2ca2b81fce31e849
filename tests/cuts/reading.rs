//! The journal of a whole session, shortened to every length and changed at every byte.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::time::Instant;

use jiff::Timestamp;
use nofm::engine::Event;
use nofm::journal::{
    JournalError, Mark, Reader, SessionDir, SessionLock, Stamp, StateDir, Writer, read_all, session_id,
    verify,
};
use tempfile::TempDir;

use super::farms::Farm;
use crate::sim::session::Crashes;

struct Journal {
    session: SessionDir,
    events: Vec<Event>,
    bytes: Vec<u8>,
    /// Where the lines end, that of the header first.
    ends: Vec<usize>,
    file: File,
    reader: Reader,
    /// Behind the header, and behind each event.
    marks: Vec<Mark>,
    _folder: TempDir,
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_795_234_353_000 + ms).unwrap()
}

impl Journal {
    /// A farm's session as the runner would have written it, in memory where the system has such a folder.
    fn of(product: &str) -> Self {
        let played = Farm::of(product).played(Crashes::Never).unwrap_or_else(|why| panic!("{why}"));
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let state = StateDir::at(folder.path().join("state")).unwrap();
        let session = state.create_session(&session_id(at(0), product, 0x7f3a), "profile = \"x\"\n").unwrap();
        let mut writer = Writer::create(session.lock(at(0)).unwrap(), "0.1.0", at(0)).unwrap();
        let mut events = Vec::new();
        for (stamp, event) in &played.journal {
            let wall = Timestamp::from_millisecond(stamp.wall_ms).unwrap();
            writer.submit(Stamp::new(wall, stamp.epoch, stamp.mono_ms), event).unwrap();
            events.push(event.clone());
        }
        writer.close().unwrap();
        let bytes = std::fs::read(session.journal_path()).unwrap();
        let ends =
            bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
        let mut reader = Reader::open(&session).unwrap();
        let mut marks = vec![reader.mark()];
        for event in &events {
            assert_eq!(reader.next_event::<Event>().unwrap().unwrap().event, *event);
            marks.push(reader.mark());
        }
        let file = OpenOptions::new().read(true).write(true).open(session.journal_path()).unwrap();
        Self { session, events, bytes, ends, file, reader, marks, _folder: folder }
    }

    fn lock(&self) -> SessionLock {
        self.session.lock(at(0)).unwrap()
    }

    fn shorten(&self, to: usize) {
        self.file.set_len(to as u64).unwrap();
    }

    /// What follows behind that many events.
    fn next(&mut self, behind: usize) -> Result<Option<Event>, JournalError> {
        self.reader.go_to(self.marks[behind])?;
        Ok(self.reader.next_event()?.map(|entry| entry.event))
    }

    /// At any length from the end of that many events to just before that of the next the reader ends there.
    fn every_length_behind(&mut self, count: usize) {
        let (from, to) =
            (self.ends[count], self.ends.get(count + 1).copied().unwrap_or(self.bytes.len() + 1));
        for length in (from..to).rev() {
            self.shorten(length);
            assert_eq!(self.next(count).unwrap(), None, "{length} bytes");
            assert_eq!(self.reader.seq(), count as u64, "{length} bytes");
            let torn = (length > from).then_some((length - from) as u64);
            assert_eq!(self.reader.torn(), torn, "{length} bytes");
        }
        if let Some(event) = count.checked_sub(1) {
            assert_eq!(self.next(event).unwrap().as_ref(), Some(&self.events[event]), "{from} bytes");
        }
    }

    /// The runner that takes over a journal of this length finds that many events, cuts off the rest, and goes on.
    fn goes_on(&mut self, length: usize, count: usize) {
        self.shorten(length);
        let from = self.ends[count];
        let (mut writer, read) = Writer::resume::<Event>(self.lock()).unwrap();
        assert!(read.events.iter().map(|entry| &entry.event).eq(&self.events[..count]), "{length} bytes");
        assert_eq!(read.torn, (length > from).then_some((length - from) as u64));
        let more = Event::TornTail { bytes: length as u64 };
        assert_eq!(writer.submit(Stamp::new(at(0), 9, 1), &more).unwrap(), count as u64 + 1);
        writer.close().unwrap();
        assert_eq!(self.next(count).unwrap(), Some(more), "{length} bytes");
        assert_eq!(self.reader.next_event::<Event>().unwrap().map(|entry| entry.event), None);
        assert_eq!(self.reader.torn(), None);
    }
}

/// A length within the line behind that many events, another one for each.
fn within(journal: &Journal, count: usize) -> Option<usize> {
    let (from, to) = (journal.ends[count], *journal.ends.get(count + 1)?);
    Some(from + 1 + (count * 7919) % (to - from - 1))
}

fn is_whole_lines_at_every_length(product: &str) {
    let mut journal = Journal::of(product);
    let began = Instant::now();
    for count in (0..=journal.events.len()).rev() {
        journal.every_length_behind(count);
    }
    let (reading, began) = (began.elapsed(), Instant::now());
    journal.file.write_all_at(&journal.bytes, 0).unwrap();
    for count in (0..=journal.events.len()).rev() {
        if let Some(length) = within(&journal, count) {
            journal.goes_on(length, count);
        }
        journal.goes_on(journal.ends[count], count);
    }
    let going_on = began.elapsed();
    for length in 0..journal.ends[0] {
        journal.shorten(length);
        let error = Writer::resume::<Event>(journal.lock()).unwrap_err();
        assert!(matches!(error, JournalError::Broken { line: 1, .. }), "{length} bytes: {error}");
    }
    eprintln!(
        "{product}: {} bytes, {} events; read {reading:?}, gone on with {going_on:?}",
        journal.bytes.len(),
        journal.events.len()
    );
}

#[test]
fn igel_ums_ha() {
    is_whole_lines_at_every_length("igel_ums_ha");
}

#[test]
fn citrix_provisioning() {
    is_whole_lines_at_every_length("citrix_provisioning");
}

#[test]
fn ca_identity_manager() {
    is_whole_lines_at_every_length("ca_identity_manager");
}

#[test]
fn jp1_it_desktop_management() {
    is_whole_lines_at_every_length("jp1_it_desktop_management");
}

#[test]
fn imprivata_g4() {
    is_whole_lines_at_every_length("imprivata_g4");
}

#[test]
fn a_bit_changed_anywhere_is_refused_or_a_torn_end() {
    let mut journal = Journal::of("imprivata_g4");
    let began = Instant::now();
    let mut line = 0;
    for place in 0..journal.bytes.len() {
        let changed = journal.bytes[place] ^ (1 << (place % 8));
        journal.file.write_all_at(&[changed], place as u64).unwrap();
        line += usize::from(place == journal.ends[line]);
        let found = match line.checked_sub(1) {
            None => Reader::open(&journal.session).map(|_| None),
            Some(count) => journal.next(count),
        };
        match found {
            Err(JournalError::Broken { line: found, .. }) => {
                assert_eq!(found, line as u64 + 1, "byte {place}");
            }
            Err(JournalError::Version { .. }) => assert_eq!(line, 0, "byte {place}"),
            Ok(None) => {
                let last = journal.ends[line] - journal.ends[line - 1];
                assert_eq!((place + 1, journal.reader.torn()), (journal.bytes.len(), Some(last as u64)));
            }
            other => panic!("byte {place} of line {}: {other:?}", line + 1),
        }
        journal.file.write_all_at(&journal.bytes[place..=place], place as u64).unwrap();
    }
    assert_eq!(verify(&journal.session).unwrap().events, journal.events.len() as u64);
    assert_eq!(read_all::<Event>(&journal.session).unwrap().torn, None);
    eprintln!("{} bytes, {:?}", journal.bytes.len(), began.elapsed());
}
