//! The one that writes a journal: a thread that takes whatever waits, writes it with one call, syncs once, and tells
//! how far it came.

use std::sync::mpsc::{Receiver, RecvError, SyncSender, sync_channel};
use std::thread::JoinHandle;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use super::atomic::open_append;
use super::line::{FORMAT, Header, LONGEST_LINE, Stamp, event_json, write_header};
use super::output::OutputLog;
use super::read::{End, Read, read_all};
use super::session::{SessionDir, SessionLock};
use super::sink::{Pending, Sink, keep_reserve};
use super::{JournalError, write_atomic};

/// Events that may wait; whoever submits one more waits for the disk.
const QUEUE: usize = 8192;
/// Bytes after which a batch takes no more events.
const BATCH: usize = 256 << 10;
/// The longest event, as JSON, in bytes: the rest of the line holds what stands around it.
const LONGEST_EVENT: usize = LONGEST_LINE - 512;

/// Writes a session's journal. Dropped, it writes and syncs what waits, then lets go of the session.
#[derive(Debug)]
pub struct Writer {
    queue: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<()>>,
    seq: u64,
    progress: watch::Receiver<Progress>,
    lock: SessionLock,
}

/// How far a journal is safely on disk. Any number of tasks may hold one and wait.
#[derive(Clone, Debug)]
pub struct Synced(watch::Receiver<Progress>);

#[derive(Clone, Debug)]
struct Progress {
    /// Stays where it is after a failure, whatever is written then.
    seq: u64,
    failure: Option<JournalError>,
}

enum Message {
    /// Events, and whether they are worth a sync.
    Events(Vec<Pending>, bool),
    Flush(SyncSender<Result<u64, JournalError>>),
    LastWords(Pending, SyncSender<Result<u64, JournalError>>),
}

impl Writer {
    /// Starts the journal of a new session. `program` is this program's version.
    ///
    /// # Errors
    /// Also when there is a journal already.
    pub fn create(lock: SessionLock, program: &str, started: Timestamp) -> Result<Self, JournalError> {
        let session = lock.session();
        let path = session.journal_path();
        if path.exists() {
            return Err(JournalError::SessionExists(session.id().as_str().to_owned()));
        }
        let header = Header {
            nofm_journal: FORMAT,
            program: program.to_owned(),
            session: session.id().clone(),
            setup: session.setup_hash()?,
            started: Stamp::new(started, 0, 0).at(),
        };
        let mut line = Vec::new();
        let chain = write_header(&mut line, &header)?;
        keep_reserve(&session.reserve_path())?;
        write_atomic(&path, &line)?;
        let sink = sink(session, End::of_header(line.len(), chain))?;
        Self::spawn(lock, sink)
    }

    /// Goes on with the journal of a session, and gives what it holds. A torn last line is cut off; [`Read::torn`] says
    /// how many bytes that took away. What the journal holds is synced before it is given.
    ///
    /// # Errors
    /// A journal or a setup file that is not as it was written.
    pub fn resume<E: DeserializeOwned>(lock: SessionLock) -> Result<(Self, Read<E>), JournalError> {
        let session = lock.session();
        let read = read_all(session)?;
        session.setup(&read.header)?;
        let mut sink = sink(session, read.end)?;
        sink.cut(read.end.offset)?;
        keep_reserve(&session.reserve_path())?;
        Ok((Self::spawn(lock, sink)?, read))
    }

    fn spawn(lock: SessionLock, sink: Sink) -> Result<Self, JournalError> {
        let path = sink.path.clone();
        let seq = sink.end.seq;
        let (queue, waiting) = sync_channel(QUEUE);
        let (tell, progress) = watch::channel(Progress { seq, failure: None });
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || work(sink, &waiting, &tell))
            .map_err(|error| JournalError::io("starting the writer of", &path, error))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), seq, progress, lock })
    }

    pub fn session(&self) -> &SessionDir {
        self.lock.session()
    }

    /// Hands an event to the writer and returns its sequence number, before it is on disk: see [`Self::synced`].
    ///
    /// # Errors
    /// The failure that ended the writer, once there was one; an event that is too long.
    pub fn submit<E: Serialize>(&mut self, stamp: Stamp, event: &E) -> Result<u64, JournalError> {
        self.push(stamp, std::iter::once(event), true)
    }

    /// Hands in events that happened at once, and returns the sequence number of the last. One write and one sync take
    /// them all; a crash may still keep only the first few.
    ///
    /// # Errors
    /// As for [`Self::submit`]; then none of them is taken.
    pub fn submit_all<'e, E: Serialize + 'e>(
        &mut self,
        stamp: Stamp,
        events: impl IntoIterator<Item = &'e E>,
    ) -> Result<u64, JournalError> {
        self.push(stamp, events, true)
    }

    /// Like [`Self::submit`], for an event that is not worth a sync: it comes to disk with the next one that is, and a
    /// crash may take it. Nobody should wait for it.
    pub fn submit_losable<E: Serialize>(&mut self, stamp: Stamp, event: &E) -> Result<u64, JournalError> {
        self.push(stamp, std::iter::once(event), false)
    }

    /// How far the journal is safely on disk.
    pub fn synced(&self) -> Synced {
        Synced(self.progress.clone())
    }

    /// Blocks until everything submitted is on disk, and returns the last sequence number. For code without a runtime.
    pub fn flush(&mut self) -> Result<u64, JournalError> {
        self.ask(Message::Flush)
    }

    /// Writes one last event, synced, and lets go of the session. After [`JournalError::Full`] this gives up the reserve
    /// to make room, and the event follows the last one that was written; the numbers of those that were not are
    /// free again. Blocks; where even that finds no room, for two seconds.
    ///
    /// # Errors
    /// The writer's failure when it is another one; [`JournalError::Full`] when there still was no room.
    pub fn last_words<E: Serialize>(mut self, stamp: Stamp, event: &E) -> Result<u64, JournalError> {
        let event = Pending { stamp, json: json(event)? };
        self.ask(|reply| Message::LastWords(event, reply))
    }

    /// Opens the output `name` to record what a server prints, `most` bytes of it at most.
    ///
    /// # Errors
    /// [`JournalError::BadName`] when `name` cannot be a file's name.
    pub fn output_log(&self, name: &str, most: u64) -> Result<OutputLog, JournalError> {
        OutputLog::open(self.session(), name, most)
    }

    /// Writes and syncs what waits, and lets go of the session.
    pub fn close(mut self) -> Result<u64, JournalError> {
        self.flush()
    }

    fn push<'e, E: Serialize + 'e>(
        &mut self,
        stamp: Stamp,
        events: impl IntoIterator<Item = &'e E>,
        durable: bool,
    ) -> Result<u64, JournalError> {
        if let Some(failure) = &self.progress.borrow().failure {
            return Err(failure.clone());
        }
        let events = events
            .into_iter()
            .map(|event| Ok(Pending { stamp, json: json(event)? }))
            .collect::<Result<Vec<_>, JournalError>>()?;
        let count = events.len() as u64;
        self.send(Message::Events(events, durable))?;
        self.seq += count;
        Ok(self.seq)
    }

    fn ask(
        &mut self,
        message: impl FnOnce(SyncSender<Result<u64, JournalError>>) -> Message,
    ) -> Result<u64, JournalError> {
        let (reply, answer) = sync_channel(1);
        self.send(message(reply))?;
        answer.recv().unwrap_or_else(|RecvError| Err(self.closed()))
    }

    fn send(&self, message: Message) -> Result<(), JournalError> {
        let sent = self.queue.as_ref().is_some_and(|queue| queue.send(message).is_ok());
        if sent { Ok(()) } else { Err(self.closed()) }
    }

    fn closed(&self) -> JournalError {
        JournalError::Closed { path: self.session().journal_path() }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been told by the panic hook; here is nobody to tell.
            let _ = thread.join();
        }
    }
}

impl Synced {
    /// The last sequence number that is safely on disk.
    pub fn seq(&self) -> u64 {
        self.0.borrow().seq
    }

    /// The failure that ended the writer, if there was one.
    pub fn failure(&self) -> Option<JournalError> {
        self.0.borrow().failure.clone()
    }

    /// Waits until event `seq` is safely on disk.
    ///
    /// # Errors
    /// The failure that prevents it, for good.
    pub async fn reached(&mut self, seq: u64) -> Result<(), JournalError> {
        let progress = self.0.wait_for(|progress| progress.seq >= seq || progress.failure.is_some()).await;
        match progress.as_deref() {
            Ok(Progress { seq: synced, .. }) if *synced >= seq => Ok(()),
            Ok(Progress { failure: Some(failure), .. }) => Err(failure.clone()),
            _ => Err(JournalError::Closed { path: "journal.jsonl".into() }),
        }
    }

    /// Waits until more is on disk than at the last call, and returns how far it is now.
    ///
    /// # Errors
    /// The failure that prevents it, for good; [`JournalError::Closed`] after the writer's end.
    pub async fn advanced(&mut self) -> Result<u64, JournalError> {
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        let changed = self.0.changed().await;
        let progress = self.0.borrow_and_update();
        match (&progress.failure, changed) {
            (Some(failure), _) => Err(failure.clone()),
            (None, Ok(())) => Ok(progress.seq),
            (None, Err(_)) => Err(JournalError::Closed { path: "journal.jsonl".into() }),
        }
    }
}

fn sink(session: &SessionDir, end: End) -> Result<Sink, JournalError> {
    let path = session.journal_path();
    let file = open_append(&path)?;
    Ok(Sink { file, path, reserve: session.reserve_path(), end, unsynced: false })
}

fn json<E: Serialize>(event: &E) -> Result<Vec<u8>, JournalError> {
    let json = event_json(event)?;
    if json.len() > LONGEST_EVENT {
        return Err(JournalError::TooLong { bytes: json.len(), most: LONGEST_EVENT });
    }
    Ok(json)
}

/// The writer's thread: until nobody can submit any more.
fn work(mut sink: Sink, queue: &Receiver<Message>, tell: &watch::Sender<Progress>) {
    let mut failure: Option<JournalError> = None;
    while let Some(batch) = Batch::take(queue) {
        if failure.is_none() {
            failure = commit(&mut sink, &batch, tell).err();
            if let Some(failure) = failure.clone() {
                tell.send_modify(|progress| progress.failure = Some(failure));
            }
        }
        for reply in batch.flushes {
            // Whoever asked may have gone.
            let _ = reply.send(failure.clone().map_or(Ok(sink.end.seq), Err));
        }
        if let Some((event, reply)) = batch.last_words {
            let _ = reply.send(speak(&mut sink, failure.as_ref(), event));
        }
    }
    if failure.is_none()
        && let Err(failure) = commit(&mut sink, &Batch { durable: true, ..Batch::default() }, tell)
    {
        tell.send_modify(|progress| progress.failure = Some(failure));
    }
}

fn commit(sink: &mut Sink, batch: &Batch, tell: &watch::Sender<Progress>) -> Result<(), JournalError> {
    sink.write(&batch.events)?;
    if batch.durable {
        sink.sync()?;
        tell.send_if_modified(|progress| std::mem::replace(&mut progress.seq, sink.end.seq) != sink.end.seq);
    }
    Ok(())
}

fn speak(sink: &mut Sink, failure: Option<&JournalError>, event: Pending) -> Result<u64, JournalError> {
    match failure {
        Some(failure) if !failure.is_full() => Err(failure.clone()),
        _ => sink.last_words(event),
    }
}

#[derive(Default)]
struct Batch {
    events: Vec<Pending>,
    bytes: usize,
    durable: bool,
    flushes: Vec<SyncSender<Result<u64, JournalError>>>,
    last_words: Option<(Pending, SyncSender<Result<u64, JournalError>>)>,
}

impl Batch {
    /// Waits for a message and takes along whatever else waits. `None` once nobody can submit any more.
    fn take(queue: &Receiver<Message>) -> Option<Self> {
        let mut batch = Self::default();
        batch.add(queue.recv().ok()?);
        while batch.bytes < BATCH && batch.last_words.is_none() {
            let Ok(message) = queue.try_recv() else { break };
            batch.add(message);
        }
        Some(batch)
    }

    fn add(&mut self, message: Message) {
        match message {
            Message::Events(events, durable) => {
                self.bytes += events.iter().map(|event| event.json.len()).sum::<usize>();
                self.events.extend(events);
                self.durable |= durable;
            }
            Message::Flush(reply) => {
                self.durable = true;
                self.flushes.push(reply);
            }
            Message::LastWords(event, reply) => self.last_words = Some((event, reply)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Chain, StateDir, session_id};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    /// A writer whose file takes every write and refuses every sync.
    fn writer_without_a_disk() -> (tempfile::TempDir, Writer) {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateDir::at(folder.path()).expect("a state folder");
        let session = state.create_session(&session_id(NOW, "p", 1), "").expect("a session");
        let end = End::of_header(0, Chain::START);
        let file = std::fs::OpenOptions::new().append(true).open("/dev/null").expect("a file");
        let path = session.journal_path();
        let sink = Sink { file, path, reserve: session.reserve_path(), end, unsynced: false };
        let lock = session.lock(NOW).expect("nobody else");
        (folder, Writer::spawn(lock, sink).expect("a thread"))
    }

    #[tokio::test]
    async fn after_a_failed_sync_nothing_is_told_as_synced_and_nothing_more_is_written() {
        let (_folder, mut writer) = writer_without_a_disk();
        let stamp = Stamp::new(NOW, 1, 0);
        let mut synced = writer.synced();
        let losable = writer.submit_losable(stamp, &"looked").expect("no sync, no failure");
        let seq = writer.submit(stamp, &"started").expect("not tried yet");
        let failed = |error: JournalError| matches!(error, JournalError::NotSynced { .. });
        assert!(synced.reached(seq).await.is_err_and(failed));
        assert!(synced.reached(losable).await.is_err_and(failed));
        assert_eq!(synced.seq(), 0);
        assert!(synced.advanced().await.is_err_and(failed));
        assert!(writer.submit(stamp, &"again").is_err_and(failed));
        assert!(writer.flush().is_err_and(failed), "a second sync must not succeed");
        assert!(writer.last_words(stamp, &"stopped").is_err_and(failed));
    }

    #[test]
    fn what_waits_is_written_and_synced_together_up_to_a_bound() {
        let (queue, waiting) = sync_channel(QUEUE);
        let event = |bytes: usize| Pending { stamp: Stamp::new(NOW, 1, 0), json: vec![b'1'; bytes] };
        for number in 0..64 {
            queue.send(Message::Events(vec![event(1)], number == 40)).expect("room");
        }
        let batch = Batch::take(&waiting).expect("something waits");
        assert_eq!((batch.events.len(), batch.durable), (64, true));

        for _ in 0..20 {
            queue.send(Message::Events(vec![event(BATCH / 10)], false)).expect("room");
        }
        drop(queue);
        assert_eq!(Batch::take(&waiting).map(|batch| (batch.events.len(), batch.durable)), Some((11, false)));
        assert_eq!(Batch::take(&waiting).map(|batch| batch.events.len()), Some(9));
        assert!(Batch::take(&waiting).is_none());
    }
}
