//! The loop, with servers that want a word of a person: tests play the transport, and a client at the socket.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::core::begin;
use super::door::Door;
use super::error::RunnerError;
use crate::engine::{Event, Intent};
use crate::journal::wire::{Sealed, ToClient, ToRunner, VERSION};
use crate::journal::{SessionDir, StateDir, read_all};
use crate::model::Access;
use crate::plan::{SessionFile, Source};
use crate::transport::{Doorkeeper as _, Word};

const SECRET: &str = "open \"sesame\"";
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

const PROFILE: &str = "nofm = 1\nid = \"bench\"\nproduct = \"Bench\"\n[version]\ntarget = \"2.0\"\n\
    [roles.node]\nlabel = \"Node\"\ncount = \"1..\"\nos = [\"linux\"]\n\
    [[stages]]\nid = \"nodes\"\ntitle = \"Nodes\"\nroles = [\"node\"]\n\
    [[stages.steps]]\nid = \"install\"\nrun = \"true\"\n\
    [[failures]]\nid = \"any\"\noffer = [\"hold\"]\n";

struct Bench {
    folder: tempfile::TempDir,
    session: SessionDir,
}

/// A runner at work in this process.
struct AtWork {
    door: Door,
    runner: JoinHandle<Result<u8, RunnerError>>,
}

struct Client {
    heard: Lines<BufReader<OwnedReadHalf>>,
    say: OwnedWriteHalf,
    id: u64,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = |text: &str| Source { name: "bench".to_owned(), text: text.to_owned() };
        let file = SessionFile {
            nofm_session: 1,
            speed: 1.0,
            rehearsal: false,
            profile: source(PROFILE),
            inventory: source(
                "nofm = 1\nfarm = \"bench\"\n[[servers]]\nname = \"s1\"\nroles = [\"node\"]\ntransport = \"none\"\n",
            ),
            base: folder.path().to_owned(),
        };
        let state_dir = StateDir::at(folder.path().join("state")).unwrap();
        let session = state_dir.create_session(&"bench-1".into(), &file.to_toml()).unwrap();
        Self { folder, session }
    }

    async fn run(&self) -> AtWork {
        let begun = begin(self.session.path()).await.unwrap();
        let door = Door::new(begun.tell(), Semaphore::new(1).into());
        AtWork { door, runner: tokio::spawn(begun.run()) }
    }

    async fn client(&self, viewer: &str, watch: bool) -> Client {
        let state_dir = StateDir::at(self.folder.path().join("state")).unwrap();
        let path = state_dir.socket_path(self.session.id()).unwrap();
        let (heard, say) = UnixStream::connect(path).await.unwrap().into_split();
        let mut client = Client { heard: BufReader::new(heard).lines(), say, id: 0 };
        client.say(&ToRunner::Hello { viewer: viewer.into(), watch, want: VERSION }).await;
        client
    }

    fn events(&self) -> Vec<Event> {
        read_all::<Event>(&self.session).unwrap().events.into_iter().map(|entry| entry.event).collect()
    }

    /// Until the journal has an event that is so.
    async fn until(&self, is: impl Fn(&Event) -> bool) {
        let waits = async {
            while !self.events().iter().any(&is) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, waits).await.is_ok(), "{:?}", self.events());
    }

    /// What happened that is about access.
    fn story(&self) -> Vec<String> {
        let told = |event: &Event| match event {
            Event::AccessAsked { access, servers, complaint } => {
                Some(format!("{access} {servers:?} {complaint}"))
            }
            Event::AccessGiven { access, viewer } => Some(format!("{viewer} gave {access}")),
            Event::AccessDenied { access, viewer } => Some(format!("{viewer} denied {access}")),
            Event::AccessWithdrawn { access, servers } => Some(format!("{servers:?} need no {access}")),
            Event::Refused { intent, why, .. } => Some(format!("refused {intent}: {why}")),
            _ => None,
        };
        self.events().iter().filter_map(told).collect()
    }
}

impl Client {
    async fn say(&mut self, message: &ToRunner) {
        let line = serde_json::to_string(message).unwrap() + "\n";
        self.say.write_all(line.as_bytes()).await.unwrap();
    }

    /// Why it was refused; `None`: it was done.
    async fn answer(&mut self) -> Option<String> {
        loop {
            let line =
                tokio::time::timeout(PATIENCE, self.heard.next_line()).await.unwrap().unwrap().unwrap();
            match serde_json::from_str(&line).unwrap() {
                ToClient::Done { id, .. } if id == self.id => return None,
                ToClient::Refused { id, why } if id == self.id => return Some(why),
                _ => {}
            }
        }
    }

    async fn wish(&mut self, intent: &Intent) -> Option<String> {
        self.id += 1;
        let intent = serde_json::to_value(intent).unwrap();
        self.say(&ToRunner::Intent { id: self.id, intent }).await;
        self.answer().await
    }

    async fn give(&mut self, access: &Access) -> Option<String> {
        self.id += 1;
        let (access, secret) =
            (serde_json::to_value(access).unwrap(), Sealed::new(SECRET.to_owned()).unwrap());
        self.say(&ToRunner::Secret { id: self.id, access, secret }).await;
        self.answer().await
    }
}

fn sudo() -> Access {
    Access::Sudo { user: "admin".to_owned(), only: None }
}

fn key(host: &str) -> Access {
    Access::HostKey { host: host.to_owned(), kind: "ssh-rsa".to_owned(), fingerprint: "SHA256:x".to_owned() }
}

fn is_asked(access: &Access, server: &str) -> impl Fn(&Event) -> bool {
    let (access, server) = (access.clone(), server.into());
    move |event| matches!(event, Event::AccessAsked { access: a, servers, .. } if *a == access && servers.contains(&server))
}

#[tokio::test]
async fn a_secret_reaches_all_who_wait_and_stands_in_no_file() {
    let bench = Bench::new();
    let work = bench.run().await;
    let first = tokio::spawn(work.door.ask(&"s1".into(), sudo(), ""));
    let second = tokio::spawn(work.door.ask(&"s2".into(), sudo(), ""));
    let same = tokio::spawn(work.door.ask(&"s2".into(), sudo(), ""));
    bench.until(is_asked(&sudo(), "s2")).await;
    let mut watcher = bench.client("watcher", true).await;
    assert_eq!(watcher.give(&sudo()).await.as_deref(), Some("this viewer only looks on"));
    let mut client = bench.client("operator", false).await;
    assert_eq!(client.give(&sudo()).await, None);
    for ask in [first, second, same] {
        let word = ask.await.unwrap();
        let Word::Secret(secret) = &word else { panic!("{word:?}") };
        assert_eq!(secret.expose(), SECRET);
    }
    assert!(client.give(&sudo()).await.unwrap().contains("no server waits for this any more"));
    work.runner.abort();
    let _ = work.runner.await;
    let story = bench.story();
    assert_eq!(
        story[..3],
        [
            "sudo password of admin [\"s1\"] ",
            "sudo password of admin [\"s2\"] ",
            "operator gave sudo password of admin"
        ]
        .map(str::to_owned)
    );
    assert!(story[3].starts_with("refused a secret: sudo password of admin"), "{story:?}");
    let digits = SECRET.bytes().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex: String = digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect();
    for entry in std::fs::read_dir(bench.session.path()).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let text = text.unwrap_or_default();
        assert!(!text.contains("sesame") && !text.contains(&hex), "{}", path.display());
    }
}

#[tokio::test]
async fn host_keys_are_trusted_or_denied() {
    let bench = Bench::new();
    let work = bench.run().await;
    let good = tokio::spawn(work.door.ask(&"s1".into(), key("s1"), ""));
    let bad = tokio::spawn(work.door.ask(&"s2".into(), key("s2"), ""));
    bench.until(is_asked(&key("s2"), "s2")).await;
    let mut client = bench.client("operator", false).await;
    assert!(client.give(&key("s1")).await.unwrap().contains("nothing to be typed"));
    assert_eq!(client.wish(&Intent::Trust { access: vec![key("s1")] }).await, None);
    assert!(matches!(good.await.unwrap(), Word::Trusted));
    assert_eq!(client.wish(&Intent::Deny { access: vec![key("s2")] }).await, None);
    assert!(matches!(bad.await.unwrap(), Word::Denied));
    // What was said counts for those who waited, not for who comes later.
    let later = tokio::spawn(work.door.ask(&"s3".into(), key("s2"), ""));
    bench.until(is_asked(&key("s2"), "s3")).await;
    assert!(!later.is_finished());
    later.abort();
    bench.until(|event| matches!(event, Event::AccessWithdrawn { .. })).await;
    work.runner.abort();
}

#[tokio::test]
async fn a_session_stops_while_servers_wait_and_asks_anew_when_it_goes_on() {
    let bench = Bench::new();
    let work = bench.run().await;
    let ask = tokio::spawn(work.door.ask(&"s1".into(), sudo(), "it was not taken"));
    bench.until(is_asked(&sudo(), "s1")).await;
    let mut client = bench.client("operator", false).await;
    assert_eq!(client.wish(&Intent::Stop).await, None);
    assert_eq!(tokio::time::timeout(PATIENCE, work.runner).await.unwrap().unwrap().unwrap(), 4);
    drop(work.door);
    assert!(matches!(ask.await.unwrap(), Word::Denied), "nobody is left to be asked");
    let work = bench.run().await;
    let mut client = bench.client("operator", false).await;
    assert!(client.wish(&Intent::Deny { access: vec![sudo()] }).await.unwrap().contains("no server waits"));
    let ask = tokio::spawn(work.door.ask(&"s1".into(), sudo(), ""));
    let twice = || bench.events().iter().filter(|event| is_asked(&sudo(), "s1")(event)).count() == 2;
    bench.until(|_| twice()).await;
    assert_eq!(client.give(&sudo()).await, None);
    assert!(matches!(ask.await.unwrap(), Word::Secret(_)));
    work.runner.abort();
}
