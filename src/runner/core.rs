//! The loop: inputs in one order, journal first, fold, decide, act.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::de::IgnoredAny;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::act::{self, Order};
use super::door::{Called, Door, Waiting};
use super::error::RunnerError;
use super::farm::Farm;
use super::hand::{self, Due, Hands};
use super::input::{Input, Reach};
use super::keys::{Keys, Typing};
use super::links::Links;
use super::past::{Past, stamp_of};
use super::seek::Sought;
use super::socket::Said;
use super::{probe, room, socket};
use crate::engine::{Close, Event, Intent, Phase, Place, ProbeKey, Reading, State, StepKey, Work, decide};
use crate::journal::wire::ToClient;
use crate::journal::{self, JournalError, SessionDir, StateDir, Synced, Writer};
use crate::model::{Access, ViewerId};
use crate::transport::{RunId, Secret, Terminal, Word};

/// Questions that are put at the same time.
const PROBES: usize = 32;
/// Inputs taken in before deciding again.
const BATCH: usize = 4096;
/// Rounds of deciding without an end that can only be a fault.
const ROUNDS: usize = 100_000;
/// Bytes kept of one step's output.
const OUTPUT: u64 = 1 << 30;
/// How long a session that was never begun waits for somebody to come back.
const DESERTED: Duration = Duration::from_hours(1);
/// How long answers to clients may keep a runner from ending.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs the session in `dir` until it is closed.
pub(super) async fn run(dir: &Path) -> Result<u8, RunnerError> {
    begin(dir).await?.run().await
}

/// A session that was taken over, and listens.
pub(super) struct Begun {
    core: Core,
    inputs: UnboundedReceiver<Input>,
    answered: mpsc::Receiver<()>,
}

impl Begun {
    pub(super) async fn run(mut self) -> Result<u8, RunnerError> {
        let outcome = self.core.live(self.inputs).await;
        let socket = self.core.state_dir.socket_path(self.core.session.id())?;
        let _ = std::fs::remove_file(socket);
        self.core.end(outcome, self.answered).await
    }

    /// Where what happens is told.
    #[cfg(test)]
    pub(super) fn tell(&self) -> UnboundedSender<Input> {
        self.core.tell.clone()
    }
}

pub(super) async fn begin(dir: &Path) -> Result<Begun, RunnerError> {
    let session = SessionDir::at(dir);
    let place = |why| RunnerError::Place { path: dir.to_owned(), why };
    let root =
        dir.parent().and_then(Path::parent).ok_or_else(|| place("it is no folder of a state folder"))?;
    let state_dir = StateDir::at(root)?;
    let lock = session.lock(Timestamp::now())?;
    let Past { state, epoch, torn, begun } = Past::read(&session)?;
    let setup = state.setup.clone();
    let farm = Farm::take(&state_dir, session.id(), &setup)?;
    let writer = if begun {
        Writer::resume::<IgnoredAny>(lock)?.0
    } else {
        Writer::create(lock, env!("CARGO_PKG_VERSION"), Timestamp::now())?
    };
    let (tell, inputs) = mpsc::unbounded_channel();
    let (answering, answered) = mpsc::channel(1);
    let synced = writer.synced();
    let probes = Arc::new(Semaphore::new(PROBES));
    let door = Arc::new(Door::new(tell.clone(), probes.clone()));
    let links = Arc::new(Links::new(&setup.inventory, door));
    let mut core = Core {
        session,
        state_dir,
        state,
        writer,
        synced: synced.clone(),
        must: 0,
        farm,
        epoch,
        began: Instant::now(),
        opened_ms: 0,
        live: HashSet::new(),
        links,
        keys: Keys::default(),
        shown_in: Terminal { cols: 80, rows: 24 },
        tell: tell.clone(),
        probes,
        sought: Sought::default(),
        waiting: Waiting::default(),
        hands: Hands::default(),
        words: Vec::new(),
        viewers: HashSet::new(),
        deserted: Instant::now(),
        answering,
    };
    core.open(torn)?;
    // Whoever connects finds the first events on disk.
    core.sync().await?;
    for server in core.state.lost.keys() {
        core.sought.seek(server, &core.links, &core.tell);
    }
    socket::listen(&core.state_dir.socket_path(core.session.id())?, tell, synced)?;
    Ok(Begun { core, inputs, answered })
}

struct Core {
    session: SessionDir,
    state_dir: StateDir,
    state: State,
    writer: Writer,
    synced: Synced,
    /// The last event that must be on disk before anything is done: what a viewer looks at is not waited for.
    must: u64,
    farm: Farm,
    epoch: u32,
    began: Instant,
    /// Session milliseconds when this runner took over.
    opened_ms: u64,
    /// Work that was started in this process and has not come to its end.
    live: HashSet<Work>,
    links: Arc<Links>,
    keys: Keys,
    /// The terminal that an attended step is shown in.
    shown_in: Terminal,
    tell: UnboundedSender<Input>,
    probes: Arc<Semaphore>,
    sought: Sought,
    /// Servers that wait for a person.
    waiting: Waiting,
    /// What stand-ins do at the moment in place of a person.
    hands: Hands,
    /// What was said to them, until it is on disk that it was.
    words: Vec<(Called, Word)>,
    viewers: HashSet<ViewerId>,
    /// Since when nobody looks on.
    deserted: Instant,
    /// Cloned into every answer on its way to a client.
    answering: mpsc::Sender<()>,
}

/// What the process is told from outside.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Core {
    fn open(&mut self, torn: Option<u64>) -> Result<(), JournalError> {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        self.commit(&Event::Opened { program: env!("CARGO_PKG_VERSION").to_owned(), host })?;
        self.opened_ms = self.state.time.now_ms;
        if let Some(bytes) = torn {
            self.commit(&Event::TornTail { bytes })?;
        }
        self.look_for_bans()
    }

    /// What stands with the farm counts, whatever this session has journalled of it: others may have lifted it, or
    /// forbidden more.
    fn look_for_bans(&mut self) -> Result<(), JournalError> {
        if let Some(bans) = self.farm.news(&self.state)? {
            self.commit(&Event::BansFound { bans })?;
        }
        Ok(())
    }

    /// Journals `event` and folds it. It is on disk only after [`Self::sync`].
    fn commit(&mut self, event: &Event) -> Result<u64, JournalError> {
        let mono_ms = self.mono_ms();
        let stamp = journal::Stamp::new(Timestamp::now(), self.epoch, mono_ms);
        self.farm.before(event)?;
        let seq = self.writer.submit(stamp, event)?;
        self.must = seq;
        self.state.apply(seq, stamp_of(&stamp), event);
        self.farm.after(event)?;
        if let Event::PlanFixed { .. } = event {
            self.keep_answers();
        }
        Ok(seq)
    }

    /// Journals what a viewer looks at, without waiting for the disk.
    fn looked(&mut self, viewer: ViewerId, view: serde_json::Value) -> Result<(), JournalError> {
        let stamp = journal::Stamp::new(Timestamp::now(), self.epoch, self.mono_ms());
        let event = Event::Looked { viewer, view };
        let seq = self.writer.submit_losable(stamp, &event)?;
        self.state.apply(seq, stamp_of(&stamp), &event);
        Ok(())
    }

    async fn sync(&mut self) -> Result<(), JournalError> {
        self.synced.reached(self.must).await
    }

    fn mono_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn live(&mut self, mut inputs: UnboundedReceiver<Input>) -> Result<bool, RunnerError> {
        let fail = |source| RunnerError::Runtime { source };
        let mut signals = Signals {
            hangup: signal(SignalKind::hangup()).map_err(fail)?,
            terminate: signal(SignalKind::terminate()).map_err(fail)?,
            interrupt: signal(SignalKind::interrupt()).map_err(fail)?,
        };
        loop {
            let wake_ms = self.settle().await?;
            if self.state.close().is_some() {
                return Ok(true);
            }
            let pause = self.pause(wake_ms);
            tokio::select! {
                input = inputs.recv() => {
                    let Some(input) = input else { return Ok(false) };
                    self.take(input)?;
                    for _ in 0..BATCH {
                        let Ok(input) = inputs.try_recv() else { break };
                        self.take(input)?;
                    }
                }
                () = tokio::time::sleep(pause) => self.leave_if_deserted()?,
                _ = signals.hangup.recv() => {}
                _ = signals.terminate.recv() => return Ok(false),
                _ = signals.interrupt.recv() => return Ok(false),
            }
        }
    }

    /// Decides until nothing more follows, makes it safe, and starts what must be under way.
    async fn settle(&mut self) -> Result<Option<u64>, RunnerError> {
        for _ in 0..ROUNDS {
            let decision = decide(&self.state, self.state.now_ms(self.mono_ms()));
            if self.look_for_room(&decision.record)? {
                continue;
            }
            if decision.record.is_empty() {
                let new: Vec<Work> =
                    decision.work.into_iter().filter(|work| !self.live.contains(work)).collect();
                if !new.is_empty() || self.must > self.synced.seq() {
                    self.sync().await?;
                }
                for (called, word) in std::mem::take(&mut self.words) {
                    called.hear(&word);
                }
                for work in new {
                    self.start(work)?;
                }
                return Ok(decision.wake_ms);
            }
            for event in &decision.record {
                self.commit(event)?;
            }
        }
        Err(RunnerError::Endless { seq: self.state.seq })
    }

    /// Journals that the console's disk got full, or has room again. Gives whether anything changed.
    fn look_for_room(&mut self, record: &[Event]) -> Result<bool, JournalError> {
        let low = self.state.room_low.is_some();
        if !low && !record.iter().any(room::starts) {
            return Ok(false);
        }
        // What cannot be measured is no reason to hold: a disk that is really full is met when it is written to.
        let Ok(free) = self.state_dir.free_space() else { return Ok(false) };
        let Some(event) = room::news(low, free, self.state_dir.path()) else { return Ok(false) };
        self.commit(&event)?;
        Ok(true)
    }

    fn pause(&self, wake_ms: Option<u64>) -> Duration {
        let now_ms = self.state.now_ms(self.mono_ms());
        let idle = match self.state.phase {
            _ if self.state.room_low.is_some() => room::LOOK,
            Phase::Preparing => DESERTED / 60,
            Phase::Running | Phase::Ending => Duration::from_hours(1),
        };
        wake_ms.map_or(idle, |wake| Duration::from_millis(wake.saturating_sub(now_ms).max(1)).min(idle))
    }

    fn leave_if_deserted(&mut self) -> Result<(), JournalError> {
        // What waits for a person waits for somebody to come back, too.
        let idle = self.live.is_empty() || !self.state.access.is_empty();
        let waiting = self.state.phase == Phase::Preparing && self.viewers.is_empty() && idle;
        if waiting && self.deserted.elapsed() >= DESERTED {
            let why = "nobody looked on for an hour, and nothing was begun".to_owned();
            self.commit(&Event::Closed { close: Close::Stopped { why } })?;
        }
        Ok(())
    }

    /// Starts work that is journalled and on disk.
    fn start(&mut self, work: Work) -> Result<(), RunnerError> {
        match &work {
            Work::Probe { probe, asked } => self.start_probe(work.clone(), probe.clone(), *asked),
            Work::Run { key, place } => self.start_run(work.clone(), key.clone(), place.clone())?,
        }
        self.live.insert(work);
        Ok(())
    }

    fn start_probe(&self, work: Work, probe: ProbeKey, asked: u64) {
        let answered =
            move |work, probe, reading, reach| Input::Answered { work, probe, asked, reading, reach };
        let ask = match self.state.ask_of(&probe) {
            Ok(Some(ask)) => ask,
            // Only the operator can tell.
            Ok(None) => {
                let _ = self.tell.send(answered(work, probe, Reading::unknown(""), None));
                return;
            }
            Err(why) => {
                let _ = self.tell.send(answered(work, probe, Reading::unknown(why), None));
                return;
            }
        };
        let (profile, links) = (self.state.setup.profile.clone(), self.links.clone());
        let (tell, probes) = (self.tell.clone(), self.probes.clone());
        tokio::spawn(async move {
            let _turn = probes.acquire_owned().await;
            let found = probe::ask(&profile, links, &probe, ask).await;
            let _ = tell.send(answered(work, probe, found.reading, found.reach));
        });
    }

    fn start_run(&mut self, work: Work, key: StepKey, place: Place) -> Result<(), RunnerError> {
        let lane = self.state.lane(&key.lane);
        let target = lane.and_then(|lane| lane.targets.iter().find(|target| target.place == place));
        let Some(run) = target.map(|target| target.run.clone()) else { return Ok(()) };
        let again = lane.is_some_and(|lane| lane.phase_ms < self.opened_ms);
        let step = lane.and_then(|lane| self.state.plan_step(lane)).map(|step| step.step.clone());
        let source = |regex: Option<&regex::Regex>| regex.map(|regex| regex.as_str().to_owned());
        let job = match self.state.job(&key, &place) {
            Ok(job) => job,
            Err(why) => {
                let end = crate::engine::End::NotStarted(why);
                let event = Event::TargetEnded {
                    key,
                    place,
                    end,
                    tail: String::new(),
                    bytes: 0,
                    has: None,
                    lacks: None,
                };
                let _ = self.tell.send(Input::Done { work, events: vec![event] });
                return Ok(());
            }
        };
        let exits = match &place {
            Place::Server(name)
                if self.state.setup.server(name).is_some_and(|server| server.stand_in.is_some()) =>
            {
                step.as_ref().map(|step| step.exit.clone()).unwrap_or_default()
            }
            _ => Vec::new(),
        };
        let log = self.writer.output_log(&run, OUTPUT)?;
        let order = Order {
            key,
            place,
            run,
            job,
            exits,
            has: source(step.as_ref().and_then(|step| step.has.as_ref())),
            lacks: source(step.as_ref().and_then(|step| step.lacks.as_ref())),
            log,
            session: self.session.clone(),
            again,
            terminal: self.shown_in,
        };
        tokio::spawn(act::carry_out(order, self.links.clone(), self.tell.clone()));
        Ok(())
    }

    /// Takes one input in.
    fn take(&mut self, input: Input) -> Result<(), RunnerError> {
        match input {
            Input::Done { work, events } => {
                self.live.remove(&work);
                if let Work::Run { key, place } = &work
                    && let Some(run) = self.run_of(key, place)
                {
                    self.keys.end(&run);
                }
                for event in &events {
                    self.commit(event)?;
                }
            }
            Input::Answered { work, probe, asked, reading, reach } => {
                self.live.remove(&work);
                if let Some(reach) = reach {
                    self.reach(reach)?;
                }
                // What was asked for something that is over meanwhile is of no use.
                if self.state.wanted.contains_key(&probe) {
                    self.commit(&Event::Read { probe, asked, reading })?;
                }
            }
            Input::Reach(reach) => self.reach(reach)?,
            Input::Found { server } => {
                self.sought.end(&server);
                self.reach((server, Ok(())))?;
            }
            Input::Came { viewer } => {
                // Who joins is shown what the others look at, which nobody brought to disk for its own sake.
                if self.state.seq > self.synced.seq() {
                    self.writer.flush()?;
                }
                self.viewers.insert(viewer);
            }
            Input::Left { viewer } => {
                self.viewers.remove(&viewer);
                self.deserted = Instant::now();
                if self.state.pen.as_ref() == Some(&viewer) {
                    self.commit(&Event::PenLeft { viewer })?;
                }
            }
            Input::Access { server, access, complaint, reply } => {
                let known = self.state.is_asked_for(&access, &server, &complaint);
                self.waiting.join(server.clone(), access.clone(), reply);
                if !known {
                    self.commit(&Event::AccessAsked { access, servers: vec![server], complaint })?;
                }
            }
            Input::AccessLeft { access } => {
                let servers = self.waiting.let_go(&access);
                if !servers.is_empty() && self.state.access.contains_key(&access) {
                    self.commit(&Event::AccessWithdrawn { access, servers })?;
                }
            }
            Input::Intent { viewer, id, intent, answer } => {
                let due = self.hands.due(&self.state, &viewer, &intent);
                if let Due::Do(question, hand) = due {
                    let tell = self.tell.clone();
                    tokio::spawn(async move {
                        let failed = hand::lend(hand).await.err();
                        let _ = tell.send(Input::ByHand { question, failed, viewer, id, intent, answer });
                    });
                    return Ok(());
                }
                let busy = matches!(due, Due::Busy).then(|| "it is being done at this moment".to_owned());
                let hindrance = busy.or_else(|| self.hindrance(&intent));
                let judged = |state: &State, viewer: &ViewerId| {
                    let events = state.judge(viewer, &intent)?;
                    hindrance.clone().map_or(Ok(events), Err)
                };
                let written = || serde_json::to_string(&intent).unwrap_or_default();
                let takes_pen = matches!(intent, Intent::TakePen { .. });
                let events = self.wish(viewer, id, &answer, takes_pen, judged, written)?;
                for event in events {
                    match event {
                        Event::AccessGiven { access, .. } => self.say(&access, Word::Trusted),
                        Event::AccessDenied { access, .. } => self.say(&access, Word::Denied),
                        _ => {}
                    }
                }
            }
            Input::ByHand { question, failed, viewer, id, intent, answer } => {
                self.hands.finish(question);
                let judged = |state: &State, viewer: &ViewerId| match &failed {
                    Some(why) => Err(why.clone()),
                    None => state.judge(viewer, &intent),
                };
                let written = || serde_json::to_string(&intent).unwrap_or_default();
                self.wish(viewer, id, &answer, false, judged, written)?;
            }
            Input::Secret { viewer, id, access, secret, answer } => {
                let judged = |state: &State, viewer: &ViewerId| state.judge_secret(viewer, &access);
                let written = || format!("a secret: {access}");
                let events = self.wish(viewer, id, &answer, false, judged, written)?;
                if !events.is_empty() {
                    self.say(&access, Word::Secret(Secret::new(secret.open())));
                }
            }
            Input::Keys { viewer, key, bytes } => self.type_in(&viewer, key, bytes)?,
            Input::Looked { viewer, view } => self.looked(viewer, view)?,
            Input::Size { viewer, cols, rows } => self.resize(&viewer, Terminal { cols, rows }),
        }
        Ok(())
    }

    /// What stands against `intent` beyond this session. Bans are looked at again before anything begins.
    fn hindrance(&mut self, intent: &Intent) -> Option<String> {
        match intent {
            Intent::Begin { .. } => self
                .look_for_bans()
                .err()
                .map(|error| format!("what is forbidden on this farm is not known: {error}")),
            Intent::LiftBan { act, why, .. } => self.farm.why_not_lifted(*act, why),
            _ => None,
        }
    }

    /// A person's word on `access`, for those who wait for it now. They hear it once it is journalled.
    fn say(&mut self, access: &Access, word: Word) {
        self.words.push((self.waiting.call(access), word));
    }

    fn reach(&mut self, (server, outcome): Reach) -> Result<(), JournalError> {
        match outcome {
            Ok(()) if self.state.lost.contains_key(&server) => self.commit(&Event::ReachBack { server })?,
            Err(why) if !self.state.lost.contains_key(&server) => {
                self.sought.seek(&server, &self.links, &self.tell);
                self.commit(&Event::ReachLost { server, why })?
            }
            _ => self.state.seq,
        };
        Ok(())
    }

    /// Journals what follows from what a viewer wants, or that it was refused and why. Gives what followed.
    fn wish(
        &mut self,
        viewer: ViewerId,
        id: u64,
        answer: &mpsc::Sender<Said>,
        takes_pen: bool,
        judged: impl Fn(&State, &ViewerId) -> Result<Vec<Event>, String>,
        written: impl Fn() -> String,
    ) -> Result<Vec<Event>, RunnerError> {
        // The first who does something holds the pen; a viewer who left has let go of it.
        if self.state.pen.is_none() && !takes_pen {
            self.commit(&Event::PenTaken { viewer: viewer.clone(), by_force: false })?;
        }
        let (reply, followed) = match judged(&self.state, &viewer) {
            Ok(events) => {
                for event in &events {
                    self.commit(event)?;
                }
                (ToClient::Done { id, seq: self.state.seq }, events)
            }
            Err(why) => {
                let intent = crate::text::escape::safe_cut(&written(), 400).into_owned();
                self.commit(&Event::Refused { viewer, intent, why: why.clone() })?;
                (ToClient::Refused { id, why }, Vec::new())
            }
        };
        let (answer, mut synced, seq) = (answer.clone(), self.synced.clone(), self.must);
        let said = Said { message: reply, token: Some(self.answering.clone()) };
        tokio::spawn(async move {
            // What is answered is on disk: nobody is told of an event that a crash could take away.
            if synced.reached(seq).await.is_ok() {
                let _ = answer.send(said).await;
            }
        });
        Ok(followed)
    }

    /// The link and the run of an attended step that is under way.
    fn attended(&self, key: &StepKey) -> Option<(crate::transport::Link, RunId)> {
        let lane = self.state.lane(&key.lane)?;
        if self.state.step_key(lane) != *key || !lane.is_running() {
            return None;
        }
        let target = lane.targets.iter().find(|target| target.end.is_none())?;
        Some((self.links.to(&target.place).ok()?, RunId::new(&target.run)?))
    }

    /// The run of a step at a place.
    fn run_of(&self, key: &StepKey, place: &Place) -> Option<RunId> {
        let lane = self.state.lane(&key.lane)?;
        RunId::new(&lane.targets.iter().find(|target| target.place == *place)?.run)
    }

    fn type_in(&mut self, viewer: &ViewerId, key: StepKey, bytes: Vec<u8>) -> Result<(), RunnerError> {
        if self.state.pen.as_ref().is_some_and(|pen| pen != viewer) {
            return Ok(());
        }
        let Some((link, run)) = self.attended(&key) else { return Ok(()) };
        let count = bytes.len() as u64;
        if self.keys.pass(link, run, Typing::Bytes(bytes)) {
            self.commit(&Event::Typed { key, count })?;
        } else {
            tracing::warn!(count, "keys were not taken in: the server does not take those before them");
        }
        Ok(())
    }

    fn resize(&mut self, viewer: &ViewerId, size: Terminal) {
        if self.state.pen.as_ref().is_some_and(|pen| pen != viewer) {
            return;
        }
        self.shown_in = size;
        let keys: Vec<StepKey> = self.state.active_lanes().map(|lane| self.state.step_key(lane)).collect();
        for key in keys {
            if let Some((link, run)) = self.attended(&key) {
                self.keys.pass(link, run, Typing::Size(size));
            }
        }
    }

    /// Keeps the answers as an answer file for a next run.
    fn keep_answers(&self) {
        let mut inputs = toml::Table::new();
        for (input, key, value) in self.state.answers.iter() {
            let value = toml::Value::String(value.to_string());
            if key.is_empty() {
                inputs.insert(input.to_string(), value);
            } else if let toml::Value::Table(by) =
                inputs.entry(input.to_string()).or_insert_with(|| toml::Value::Table(toml::Table::new()))
            {
                by.insert(key.to_owned(), value);
            }
        }
        let mut file = toml::Table::new();
        file.insert("nofm".to_owned(), toml::Value::Integer(1));
        file.insert("inputs".to_owned(), toml::Value::Table(inputs));
        let path = self.session.path().join("answers.toml");
        if let Err(error) = journal::write_atomic(&path, file.to_string().as_bytes()) {
            tracing::warn!(%error, "the answers could not be kept");
        }
    }

    /// The last thing this process does: what ended it stands in the journal, where there is room for it.
    async fn end(
        mut self,
        outcome: Result<bool, RunnerError>,
        mut answered: mpsc::Receiver<()>,
    ) -> Result<u8, RunnerError> {
        match outcome {
            Ok(_) => {
                self.sync().await?;
                drop(self.answering);
                // Nothing comes through it: it ends with the last answer. A client that does not read is not waited for.
                let _ = tokio::time::timeout(LAST_WORDS, answered.recv()).await;
                let code = match self.state.close() {
                    Some(Close::Done) => 0,
                    Some(Close::Failed { .. }) => 1,
                    Some(Close::Stopped { .. }) | None => 4,
                };
                self.writer.close()?;
                Ok(code)
            }
            Err(RunnerError::Journal(error)) if error.is_full() => {
                let why = format!("the disk of the console is full; make room, then resume: {error}");
                let stamp = journal::Stamp::new(Timestamp::now(), self.epoch, self.mono_ms());
                self.writer.last_words(stamp, &Event::Closed { close: Close::Stopped { why } })?;
                Ok(4)
            }
            Err(error) => Err(error),
        }
    }
}
