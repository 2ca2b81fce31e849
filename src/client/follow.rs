//! One session, followed from its journal.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::error::ClientError;
use super::link::{Heard, Link};
use crate::engine::{Event, Intent, Stamp, State, StepKey};
use crate::journal::wire::{Sealed, ToClient, ToRunner};
use crate::journal::{Entry, OutputReader, Reader, SessionDir, StateDir};
use crate::model::{Access, ViewerId};
use crate::plan::SessionFile;

/// Events read at once.
const BATCH: u64 = 4096;
/// How long an answer is waited for. The runner answers after one write to disk.
const ANSWER: Duration = Duration::from_secs(30);
/// How long a runner that holds the session may take until its socket answers.
const CONNECT: Duration = Duration::from_secs(5);
/// Between two tries to connect.
const AGAIN: Duration = Duration::from_millis(50);

/// How a session is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As an operator.
    Live,
    /// As somebody who only looks on.
    Watch,
    /// As it is now: up to the end of a journal at rest, or to what a live runner says is safely on disk.
    Rest,
}

/// What became of an intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is journalled, as of this event.
    Done { seq: u64 },
    /// It was not carried out, for this reason.
    Refused { why: String },
    /// The runner went away before it answered: look at what the journal says.
    Lost,
}

/// Something that was posted to the runner.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    id: u64,
    link: u32,
    at: Instant,
}

impl Sent {
    /// How long ago.
    pub fn age(&self) -> Duration {
        self.at.elapsed()
    }
}

/// Whether somebody is at work on the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    Connected,
    /// There is one, but it does not answer at the moment.
    Silent,
    /// There is none. `nofm resume` goes on.
    Gone,
}

/// Makes [`Follower::wait`] return early, from any thread.
#[derive(Clone)]
pub struct Waker(Sender<Heard>);

impl Waker {
    pub fn wake(&self) {
        // A follower that is gone need not be woken.
        let _ = self.0.send(Heard::Nudge);
    }
}

pub struct Follower {
    session: SessionDir,
    socket: Option<std::path::PathBuf>,
    mode: Mode,
    viewer: ViewerId,
    state: State,
    reader: Reader,
    pending: VecDeque<Entry<Event>>,
    /// Up to here the journal may be read.
    synced: u64,
    link: Option<Link>,
    links: u32,
    gone: bool,
    bye: Option<String>,
    asked: u64,
    replies: HashMap<u64, Reply>,
    tell: Sender<Heard>,
    heard: Receiver<Heard>,
}

impl Follower {
    /// Opens `session` of `state_dir`, for the viewer of that name.
    ///
    /// # Errors
    /// Files that are not as they were written; in modes `Live` and `Watch` also when no runner is at work.
    pub fn open(
        state_dir: &StateDir,
        session: &SessionDir,
        viewer: ViewerId,
        mode: Mode,
    ) -> Result<Self, ClientError> {
        let (tell, heard) = channel();
        let socket = match mode {
            Mode::Rest if session.holder()?.is_none() => None,
            _ => Some(state_dir.socket_path(session.id())?),
        };
        let mut links = 0;
        let link = match &socket {
            Some(path) => {
                let link = connect(session, path, &viewer, mode != Mode::Live, &tell);
                links = 1;
                match link {
                    Ok(link) => Some(link),
                    // It ended in this very moment, so the journal rests now.
                    Err(ClientError::NoRunner(_)) if mode == Mode::Rest => None,
                    Err(error) => return Err(error),
                }
            }
            None => None,
        };
        let (reader, state) = open_files(session)?;
        let mut follower = Self {
            session: session.clone(),
            socket,
            mode,
            viewer,
            state,
            reader,
            pending: VecDeque::new(),
            synced: 0,
            link,
            links,
            gone: false,
            bye: None,
            asked: 0,
            replies: HashMap::new(),
            tell,
            heard,
        };
        match follower.link {
            Some(_) => follower.first_ring()?,
            None => follower.rest(),
        }
        Ok(follower)
    }

    /// Waits until the runner says how far the journal is.
    fn first_ring(&mut self) -> Result<(), ClientError> {
        let began = Instant::now();
        while self.synced == 0 && !self.gone {
            if let Some(why) = self.bye.take() {
                return Err(ClientError::TurnedAway { session: self.session.id().clone(), why });
            }
            if began.elapsed() > ANSWER {
                let path = self.socket.clone().unwrap_or_default();
                let source = std::io::ErrorKind::TimedOut.into();
                return Err(ClientError::Socket { session: self.session.id().clone(), path, source });
            }
            self.wait(AGAIN)?;
        }
        Ok(())
    }

    /// Nobody writes any more: all of the journal may be read.
    fn rest(&mut self) {
        self.link = None;
        self.gone = true;
        self.synced = u64::MAX;
    }

    pub fn session(&self) -> &SessionDir {
        &self.session
    }

    pub fn viewer(&self) -> &ViewerId {
        &self.viewer
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn runner(&self) -> Runner {
        match (&self.link, self.gone) {
            (_, true) => Runner::Gone,
            (Some(_), false) => Runner::Connected,
            (None, false) => Runner::Silent,
        }
    }

    /// Up to which event the journal may be read; `u64::MAX`: all of it.
    pub(super) fn synced(&self) -> u64 {
        self.synced
    }

    pub fn waker(&self) -> Waker {
        Waker(self.tell.clone())
    }

    /// The next event, already folded into [`Self::state`]. `None`: there is no more at the moment.
    ///
    /// # Errors
    /// A journal that is not as it was written.
    pub fn next_event(&mut self) -> Result<Option<Entry<Event>>, ClientError> {
        if self.pending.is_empty() {
            let to = self.synced.min(self.reader.seq().saturating_add(BATCH));
            self.pending = self.reader.read_to(to)?.into();
        }
        let Some(entry) = self.pending.pop_front() else { return Ok(None) };
        self.state.apply(entry.seq, stamp(&entry), &entry.event);
        Ok(Some(entry))
    }

    /// Waits until something came in, somebody woke it, or `most` has passed.
    ///
    /// # Errors
    /// When it cannot be told whether there is a runner.
    pub fn wait(&mut self, most: Duration) -> Result<(), ClientError> {
        if self.link.is_none() && !self.gone {
            self.reconnect()?;
        }
        let most = if self.link.is_none() && !self.gone { most.min(AGAIN) } else { most };
        match self.heard.recv_timeout(most) {
            Ok(heard) => self.hear(heard),
            // This follower holds a sender itself, so it is never disconnected.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(()),
        }
        while let Ok(heard) = self.heard.try_recv() {
            self.hear(heard);
        }
        Ok(())
    }

    fn hear(&mut self, heard: Heard) {
        let current = self.link.as_ref().map(|link| link.number);
        match heard {
            Heard::Nudge => {}
            Heard::Message(number, _) | Heard::Ended(number) if Some(number) != current => {}
            Heard::Ended(_) => self.link = None,
            Heard::Message(_, ToClient::Synced { seq }) => self.synced = self.synced.max(seq),
            Heard::Message(_, ToClient::Done { id, seq }) => {
                self.synced = self.synced.max(seq);
                self.replies.insert(id, Reply::Done { seq });
            }
            Heard::Message(_, ToClient::Refused { id, why }) => {
                self.replies.insert(id, Reply::Refused { why });
            }
            Heard::Message(_, ToClient::Bye { why }) => {
                tracing::info!(%why, "the runner ended the connection");
                self.bye = Some(why);
                self.link = None;
            }
        }
    }

    fn reconnect(&mut self) -> Result<(), ClientError> {
        let Some(path) = &self.socket else {
            self.rest();
            return Ok(());
        };
        self.links += 1;
        match Link::open(path, &self.viewer, self.mode != Mode::Live, self.links, self.tell.clone()) {
            Ok(link) => self.link = Some(link),
            Err(_) if self.session.holder()?.is_none() => self.rest(),
            Err(error) => tracing::debug!(%error, "the runner does not answer"),
        }
        Ok(())
    }

    /// Tells the runner what the operator wants, and waits for its answer.
    ///
    /// # Errors
    /// When there is no runner to tell.
    pub fn send(&mut self, intent: &Intent) -> Result<Reply, ClientError> {
        let sent = self.post(intent)?;
        self.answer(&sent)
    }

    /// Waits for the answer to what was posted.
    ///
    /// # Errors
    /// When it cannot be told whether there is a runner.
    pub fn answer(&mut self, sent: &Sent) -> Result<Reply, ClientError> {
        loop {
            if let Some(reply) = self.reply(sent) {
                return Ok(reply);
            }
            self.wait(Duration::from_millis(200))?;
        }
    }

    /// Hands the runner a secret that servers wait for, without waiting; [`Self::reply`] has the answer later.
    ///
    /// # Errors
    /// When there is no runner to hand it to.
    pub fn hand_over(&mut self, access: &Access, secret: Sealed) -> Result<Sent, ClientError> {
        self.asked += 1;
        let id = self.asked;
        let access =
            serde_json::to_value(access).map_err(|error| self.unsent(std::io::Error::other(error)))?;
        self.say(&ToRunner::Secret { id, access, secret })?;
        Ok(Sent { id, link: self.links, at: Instant::now() })
    }

    /// Tells the runner what the operator wants, without waiting; [`Self::reply`] has the answer later.
    ///
    /// # Errors
    /// When there is no runner to tell.
    pub fn post(&mut self, intent: &Intent) -> Result<Sent, ClientError> {
        self.asked += 1;
        let id = self.asked;
        let intent =
            serde_json::to_value(intent).map_err(|error| self.unsent(std::io::Error::other(error)))?;
        self.say(&ToRunner::Intent { id, intent })?;
        Ok(Sent { id, link: self.links, at: Instant::now() })
    }

    /// What became of what was posted. `None`: nothing is known yet.
    pub fn reply(&mut self, sent: &Sent) -> Option<Reply> {
        if let Some(reply) = self.replies.remove(&sent.id) {
            return Some(reply);
        }
        let lost = self.link.is_none() || self.links != sent.link || sent.at.elapsed() > ANSWER;
        lost.then_some(Reply::Lost)
    }

    /// Tells the runner what this viewer looks at, for whoever reviews the session.
    ///
    /// # Errors
    /// When there is no runner to tell.
    pub fn looked(&mut self, view: serde_json::Value) -> Result<(), ClientError> {
        if self.link.is_none() {
            return Ok(());
        }
        self.say(&ToRunner::Looked { view })
    }

    /// Passes on what was typed into an attended step.
    ///
    /// # Errors
    /// When there is no runner to tell.
    pub fn type_into(&mut self, step: &StepKey, bytes: &[u8]) -> Result<(), ClientError> {
        let step = serde_json::to_value(step).map_err(|error| self.unsent(std::io::Error::other(error)))?;
        let bytes = bytes.iter().fold(String::new(), |mut hex, byte| {
            for digit in [byte >> 4, byte & 15] {
                hex.extend(char::from_digit(u32::from(digit), 16));
            }
            hex
        });
        self.say(&ToRunner::Keys { step, bytes })
    }

    /// Says how large the terminal is that an attended step is shown in.
    ///
    /// # Errors
    /// When there is no runner to tell.
    pub fn resize(&mut self, cols: u16, rows: u16) -> Result<(), ClientError> {
        self.say(&ToRunner::Size { cols, rows })
    }

    fn say(&mut self, message: &ToRunner) -> Result<(), ClientError> {
        let began = Instant::now();
        while self.link.is_none() && !self.gone && began.elapsed() < CONNECT {
            self.wait(AGAIN)?;
        }
        let Some(link) = &mut self.link else { return Err(ClientError::NoRunner(self.session.id().clone())) };
        match link.say(message) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.link = None;
                Err(self.unsent(error))
            }
        }
    }

    fn unsent(&self, source: std::io::Error) -> ClientError {
        let path = self.socket.clone().unwrap_or_default();
        ClientError::Socket { session: self.session.id().clone(), path, source }
    }

    /// What was recorded of a run, by its run id. `None`: nothing yet.
    ///
    /// # Errors
    /// Files that cannot be opened.
    pub fn output(&self, run: &str) -> Result<Option<OutputReader>, ClientError> {
        match OutputReader::open(&self.session, run) {
            Ok(reader) => Ok(Some(reader)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Session milliseconds now. The runner's clock is on this machine, so its wall clock serves.
    pub fn now_ms(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let last = self.state.time.last.map_or(0, |stamp| stamp.wall_ms);
        let since = i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(last);
        self.state.time.now_ms.saturating_add(u64::try_from(since).unwrap_or(0))
    }
}

/// When an event was journalled, as the engine has it.
pub(super) fn stamp(entry: &Entry<Event>) -> Stamp {
    Stamp {
        wall_ms: entry.stamp.at().as_millisecond(),
        epoch: entry.stamp.epoch,
        mono_ms: entry.stamp.mono_ms,
    }
}

pub(super) fn open_files(session: &SessionDir) -> Result<(Reader, State), ClientError> {
    let reader = Reader::open(session)?;
    let text = session.setup(reader.header())?;
    let setup = SessionFile::parse(&text)
        .and_then(|file| file.setup(session.id().clone()))
        .map_err(|source| ClientError::Setup { session: session.id().clone(), source })?;
    Ok((reader, State::new(Arc::new(setup))))
}

/// Connects to the runner that holds the session, giving it time to listen.
fn connect(
    session: &SessionDir,
    path: &std::path::Path,
    viewer: &ViewerId,
    watch: bool,
    tell: &Sender<Heard>,
) -> Result<Link, ClientError> {
    let began = Instant::now();
    loop {
        match Link::open(path, viewer, watch, 1, tell.clone()) {
            Ok(link) => return Ok(link),
            Err(_) if session.holder()?.is_none() => {
                return Err(ClientError::NoRunner(session.id().clone()));
            }
            Err(source) if began.elapsed() > CONNECT => {
                return Err(ClientError::Socket {
                    session: session.id().clone(),
                    path: path.to_owned(),
                    source,
                });
            }
            Err(_) => std::thread::sleep(AGAIN),
        }
    }
}
