//! Somebody who plays the runner of a recorded session: takes what clients say, journals what follows, and lets a test
//! make things happen that only servers of a network would.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use nofm::engine::{Event, Intent, Stamp, State};
use nofm::journal::wire::{ToClient, ToRunner};
use nofm::journal::{self, SessionDir, Writer};
use nofm::model::{Access, ViewerId};
use nofm::plan::SessionFile;

use super::recorded::Recorded;

pub struct StandIn {
    part: Arc<Mutex<Part>>,
    session: SessionDir,
}

struct Part {
    writer: Writer,
    state: State,
    epoch: u32,
    began: Instant,
    clients: Vec<UnixStream>,
    secrets: Vec<(Access, String)>,
}

impl StandIn {
    /// Takes over the session that was recorded.
    pub fn of(recorded: &Recorded) -> Self {
        let session = recorded.session.clone();
        let path = recorded.state_dir.socket_path(session.id()).expect("a short path");
        let lock = session.lock(Timestamp::now()).expect("nobody else");
        let (writer, read) = Writer::resume::<Event>(lock).expect("a journal");
        let text = std::fs::read_to_string(session.setup_path()).expect("the setup");
        let setup = SessionFile::parse(&text).expect("a session file").setup(session.id().clone());
        let mut state = State::new(Arc::new(setup.expect("a setup")));
        let mut epoch = 1;
        for entry in &read.events {
            epoch = entry.stamp.epoch + 1;
            let wall_ms = entry.stamp.at().as_millisecond();
            let stamp = Stamp { wall_ms, epoch: entry.stamp.epoch, mono_ms: entry.stamp.mono_ms };
            state.apply(entry.seq, stamp, &entry.event);
        }
        let listener = UnixListener::bind(path).expect("a socket");
        let part =
            Part { writer, state, epoch, began: Instant::now(), clients: Vec::new(), secrets: Vec::new() };
        let stand_in = Self { part: Arc::new(Mutex::new(part)), session };
        stand_in.happens(&Event::Opened { program: "0.1.0".into(), host: "console".into() });
        let part = stand_in.part.clone();
        // Both end with the test program, or with their client.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let part = part.clone();
                std::thread::spawn(move || serve(&stream, &part));
            }
        });
        stand_in
    }

    fn part(&self) -> MutexGuard<'_, Part> {
        lock(&self.part)
    }

    pub fn happens(&self, event: &Event) {
        self.part().commit(event);
    }

    /// Servers wait for a word.
    pub fn knocks(&self, access: &Access, servers: &[&str], complaint: &str) {
        let servers = servers.iter().map(|server| (*server).into()).collect();
        self.happens(&Event::AccessAsked { access: access.clone(), servers, complaint: complaint.into() });
    }

    /// The secrets that were handed over.
    pub fn secrets(&self) -> Vec<(Access, String)> {
        self.part().secrets.clone()
    }

    pub fn state(&self) -> State {
        self.part().state.clone()
    }

    /// The journal as it is on disk.
    pub fn journal(&self) -> String {
        std::fs::read_to_string(self.session.journal_path()).expect("the journal")
    }
}

fn lock(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Part {
    fn commit(&mut self, event: &Event) {
        let mono_ms = u64::try_from(self.began.elapsed().as_millis()).expect("short");
        let stamp = journal::Stamp::new(Timestamp::now(), self.epoch, mono_ms);
        let seq = self.writer.submit(stamp, event).expect("it is written");
        self.writer.flush().expect("it is on disk");
        let wall_ms = stamp.at().as_millisecond();
        self.state.apply(seq, Stamp { wall_ms, epoch: self.epoch, mono_ms }, event);
        self.clients.retain_mut(|client| say(client, &ToClient::Synced { seq }).is_ok());
    }

    fn judged(
        &mut self,
        id: u64,
        viewer: &ViewerId,
        intent: &str,
        judged: Result<Vec<Event>, String>,
    ) -> ToClient {
        match judged {
            Ok(events) => {
                for event in &events {
                    self.commit(event);
                }
                // Nothing runs that a stop would wait for.
                if let Some(close) = self.state.halt.clone() {
                    self.commit(&Event::Closed { close });
                }
                ToClient::Done { id, seq: self.state.seq }
            }
            Err(why) => {
                let (viewer, intent) = (viewer.clone(), intent.to_owned());
                self.commit(&Event::Refused { viewer, intent, why: why.clone() });
                ToClient::Refused { id, why }
            }
        }
    }

    fn hear(&mut self, viewer: &ViewerId, message: ToRunner) -> Option<ToClient> {
        match message {
            ToRunner::Intent { id, intent } => {
                let intent: Intent = serde_json::from_value(intent).expect("an intent");
                let judged = self.state.judge(viewer, &intent);
                Some(self.judged(id, viewer, &format!("{intent:?}"), judged))
            }
            ToRunner::Secret { id, access, secret } => {
                let access: Access = serde_json::from_value(access).expect("what is waited for");
                let judged = self.state.judge_secret(viewer, &access);
                if judged.is_ok() {
                    self.secrets.push((access.clone(), secret.open()));
                }
                Some(self.judged(id, viewer, "a secret", judged))
            }
            ToRunner::Looked { view } => {
                self.commit(&Event::Looked { viewer: viewer.clone(), view });
                None
            }
            ToRunner::Hello { .. } | ToRunner::Keys { .. } | ToRunner::Size { .. } => None,
        }
    }
}

fn say(client: &mut UnixStream, message: &ToClient) -> std::io::Result<()> {
    let line = serde_json::to_string(message).expect("JSON") + "\n";
    client.write_all(line.as_bytes())
}

fn serve(stream: &UnixStream, part: &Mutex<Part>) {
    let mut viewer = ViewerId::from("nobody");
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let message: ToRunner = serde_json::from_str(&line).expect("a message");
        let mut part = lock(part);
        if let ToRunner::Hello { viewer: name, .. } = &message {
            viewer = name.clone();
            let mut client = stream.try_clone().expect("a socket");
            if say(&mut client, &ToClient::Synced { seq: part.state.seq }).is_ok() {
                part.clients.push(client);
            }
            continue;
        }
        if let Some(answer) = part.hear(&viewer, message) {
            let mut client = stream.try_clone().expect("a socket");
            let _ = say(&mut client, &answer);
        }
    }
    let mut part = lock(part);
    if part.state.pen.as_ref() == Some(&viewer) && part.state.close().is_none() {
        part.commit(&Event::PenLeft { viewer });
    }
}
