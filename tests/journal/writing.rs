//! Writing a journal, and following it as it grows.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::time::Duration;

use nofm::journal::{JournalError, LONGEST_LINE, Reader, Stamp, Writer, read_all};

use super::{Event, Place, at, events_of, example, example_events, lock, said, stamp};

#[test]
fn events_come_back_as_they_went_in() {
    let place = Place::new();
    let session = example(&place);
    let read = read_all::<Event>(&session).unwrap();
    assert_eq!(read.header.session, *session.id());
    assert_eq!(read.header.program, "0.1.0");
    for (number, (entry, event)) in (0..).zip(read.events.iter().zip(example_events())) {
        assert_eq!((entry.seq, entry.stamp, &entry.event), (number + 1, stamp(number * 1500), &event));
    }
    assert_eq!(read.events.len(), example_events().len());
}

#[test]
fn a_journal_shown_in_a_terminal_does_nothing_there() {
    let place = Place::new();
    let mut writer = place.writer();
    let event =
        Event::Said(('\0'..='\u{2100}').chain(['\u{feff}', '\u{e0041}', '\u{10ffff}', '🙂']).collect());
    writer.submit(stamp(0), &event).unwrap();
    writer.flush().unwrap();
    let text = fs::read_to_string(writer.session().journal_path()).unwrap();
    let hidden = |c: char| c != '\n' && !nofm::text::escape::is_visible(c);
    assert_eq!(text.chars().filter(|c| hidden(*c)).collect::<Vec<_>>(), []);
    assert_eq!(events_of(writer.session()).unwrap(), [event]);
}

#[test]
fn a_stamp_keeps_whole_milliseconds_live_as_in_the_journal() {
    let fine = at(0) + jiff::SignedDuration::from_nanos(1_999_999);
    let live = Stamp::new(fine, 3, 4);
    assert_eq!(live.at(), at(1));
    let place = Place::new();
    let mut writer = place.writer();
    writer.submit(live, &said(1)).unwrap();
    writer.flush().unwrap();
    assert_eq!(read_all::<Event>(writer.session()).unwrap().events[0].stamp, live);
}

#[test]
fn a_flood_of_events_stays_in_order_and_whole() {
    let place = Place::new();
    let mut writer = place.writer();
    for number in 1..=20_000 {
        assert_eq!(writer.submit(stamp(number), &said(number)).unwrap(), number);
    }
    assert_eq!(writer.flush().unwrap(), 20_000);
    assert_eq!(writer.synced().seq(), 20_000);
    let session = writer.session().clone();
    let entries = read_all::<Event>(&session).unwrap().events;
    assert!(
        entries
            .iter()
            .map(|entry| (entry.seq, &entry.event))
            .eq((1..).zip(&(1..=20_000).map(said).collect::<Vec<_>>()))
    );
}

#[test]
fn events_of_one_moment_are_taken_together_or_not_at_all() {
    let place = Place::new();
    let mut writer = place.writer();
    assert_eq!(writer.submit_all(stamp(1), &example_events()).unwrap(), 6);
    let with_a_long_one = [said(1), Event::Said("x".repeat(LONGEST_LINE)), said(2)];
    assert!(matches!(writer.submit_all(stamp(2), &with_a_long_one), Err(JournalError::TooLong { .. })));
    assert_eq!(writer.submit(stamp(3), &said(3)).unwrap(), 7);
    assert_eq!(writer.flush().unwrap(), 7);
    let expected: Vec<_> = example_events().into_iter().chain([said(3)]).collect();
    assert_eq!(events_of(writer.session()).unwrap(), expected);
}

#[tokio::test]
async fn waiting_for_an_event_ends_when_it_is_on_disk() {
    let place = Place::new();
    let mut writer = place.writer();
    let mut synced = writer.synced();
    assert_eq!(synced.seq(), 0);
    let seq = writer.submit(stamp(1), &said(1)).unwrap();
    synced.reached(seq).await.unwrap();
    assert_eq!(events_of(writer.session()).unwrap(), [said(1)]);
    let early = tokio::time::timeout(Duration::from_millis(100), synced.reached(seq + 1)).await;
    assert!(early.is_err(), "nothing was submitted, and it was told as synced");
    drop(writer);
    assert!(matches!(synced.reached(seq + 1).await, Err(JournalError::Closed { .. })));
    synced.reached(seq).await.unwrap();
}

#[tokio::test]
async fn a_losable_event_waits_for_one_that_is_worth_a_sync() {
    let place = Place::new();
    let mut writer = place.writer();
    let mut synced = writer.synced();
    let looked = writer.submit_losable(stamp(1), &Event::Looked).unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(200), synced.reached(looked)).await;
    assert!(waited.is_err(), "a losable event forced a sync");
    assert_eq!(events_of(writer.session()).unwrap(), [Event::Looked], "it is written all the same");
    let seq = writer.submit(stamp(2), &said(2)).unwrap();
    synced.reached(seq).await.unwrap();
    assert_eq!(synced.seq(), looked + 1);

    writer.submit_losable(stamp(3), &Event::Looked).unwrap();
    let session = writer.session().clone();
    drop(writer);
    assert_eq!(synced.seq(), 3, "the end syncs what is left");
    assert_eq!(events_of(&session).unwrap().len(), 3);
}

#[tokio::test]
async fn whoever_rings_the_bell_hears_of_each_advance() {
    let place = Place::new();
    let mut writer = place.writer();
    let mut synced = writer.synced();
    for number in 1..=5 {
        writer.submit(stamp(number), &said(number)).unwrap();
        assert_eq!(synced.advanced().await.unwrap(), number);
    }
    drop(writer);
    assert!(matches!(synced.advanced().await, Err(JournalError::Closed { .. })));
}

#[test]
fn a_journal_goes_on_where_it_stopped() {
    let place = Place::new();
    let session = example(&place);
    let (mut writer, read) = Writer::resume::<Event>(lock(&session)).unwrap();
    assert_eq!(read.events.len(), 6);
    assert_eq!(writer.synced().seq(), 6);
    assert_eq!(writer.submit(stamp(7), &said(7)).unwrap(), 7);
    writer.close().unwrap();
    assert_eq!(events_of(&session).unwrap().last(), Some(&said(7)));
    assert!(matches!(Writer::create(lock(&session), "0.1.0", at(0)), Err(JournalError::SessionExists(_))));
}

#[test]
fn an_event_that_makes_too_long_a_line_is_refused_and_takes_no_number() {
    let place = Place::new();
    let mut writer = place.writer();
    let long = Event::Said("x".repeat(LONGEST_LINE));
    assert!(matches!(writer.submit(stamp(1), &long), Err(JournalError::TooLong { .. })));
    // The longest that is taken can be read again.
    let fits = Event::Said("x".repeat(LONGEST_LINE - 512 - r#"{"said":""}"#.len()));
    assert_eq!(writer.submit(Stamp::new(at(0), u32::MAX, u64::MAX), &fits).unwrap(), 1);
    writer.flush().unwrap();
    assert_eq!(events_of(writer.session()).unwrap(), [fits]);
}

#[test]
fn a_reader_follows_up_to_what_is_synced() {
    let place = Place::new();
    let mut writer = place.writer();
    let mut reader = Reader::open(writer.session()).unwrap();
    assert_eq!(reader.read_to::<Event>(u64::MAX).unwrap(), []);
    for round in 0..4 {
        for number in 1..=10 {
            writer.submit(stamp(number), &said(round * 10 + number)).unwrap();
        }
        writer.flush().unwrap();
        let first = reader.read_to::<Event>(round * 10 + 4).unwrap();
        assert_eq!(reader.seq(), round * 10 + 4);
        let rest = reader.read_to::<Event>(round * 10 + 10).unwrap();
        let seen = first.iter().chain(&rest).map(|entry| entry.event.clone());
        assert!(seen.eq((1..=10).map(|number| said(round * 10 + number))));
    }
    assert_eq!(reader.read_to::<Event>(3).unwrap(), []);
}

#[test]
fn a_reader_waits_for_the_rest_of_a_line() {
    let place = Place::new();
    let session = example(&place);
    let whole = fs::read(session.journal_path()).unwrap();
    let header = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    fs::write(session.journal_path(), &whole[..header]).unwrap();
    let mut growing = OpenOptions::new().append(true).open(session.journal_path()).unwrap();
    let mut reader = Reader::open(&session).unwrap();
    let mut events = Vec::new();
    for byte in &whole[header..] {
        growing.write_all(&[*byte]).unwrap();
        events.extend(reader.read_to::<Event>(u64::MAX).unwrap().into_iter().map(|entry| entry.event));
    }
    assert_eq!(events, example_events());
    growing.set_len(header as u64).unwrap();
    assert!(matches!(reader.read_to::<Event>(u64::MAX), Err(JournalError::Broken { .. })));
}
