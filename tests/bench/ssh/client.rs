//! The side that is measured: this program once more, in a process that does nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nofm::inventory::Inventory;
use nofm::transport::{Link, Nobody, Probe, Shared, Source, Sources, Uploaded};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::cpu;

/// The first argument of a process that is measured.
pub const WORD: &str = "ssh-client";

/// What a check of a server asks, all at the same time.
const QUESTIONS: [&str; 3] = ["df -Pk /", "date -u +%s", "uname -a"];

/// What is measured.
#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    Questions { inventory: PathBuf },
    Hold { inventory: PathBuf },
    Upload { inventory: PathBuf, file: PathBuf, into: PathBuf },
}

/// What it came to.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Figures {
    pub wall: Duration,
    /// The computing of the process itself.
    pub own: Duration,
    /// That of the processes it started.
    pub children: Duration,
    /// The most memory it had, in KiB.
    pub peak: u64,
    /// How much more it had once all connections were there, in KiB.
    pub grown: u64,
    /// Looking at the file before any of it is sent.
    pub hashing: Duration,
    /// How often it was read from.
    pub reads: usize,
}

impl Order {
    /// Lets another process do it.
    pub fn give(&self) -> Figures {
        let program = std::env::current_exe().expect("this program");
        let order = serde_json::to_string(self).expect("plain text");
        let output = Command::new(program).args([WORD, &order]).output().expect("it starts");
        let told = String::from_utf8_lossy(&output.stdout);
        let said = String::from_utf8_lossy(&output.stderr);
        serde_json::from_str(&told).unwrap_or_else(|_| panic!("{self:?}: {told}{said}"))
    }
}

/// Does what is ordered, and prints what it came to.
pub fn obey(order: &str) {
    let order: Order = serde_json::from_str(order).expect("an order");
    // As the runner has it.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let figures = runtime.expect("threads").block_on(async {
        match &order {
            Order::Questions { inventory } => questions(inventory).await,
            Order::Hold { inventory } => hold(inventory).await,
            Order::Upload { inventory, file, into } => upload(inventory, file, into).await,
        }
    });
    println!("{}", serde_json::to_string(&figures).expect("numbers"));
}

fn links(inventory: &Path) -> Vec<Link> {
    let text = std::fs::read_to_string(inventory).expect("an inventory");
    let inventory = Inventory::parse("bench", &text, Path::new("/")).unwrap_or_else(|e| panic!("{e}"));
    let shared = Arc::new(Shared::new(Arc::new(Nobody)));
    let link = |server| Link::to(server, &shared).expect("SSH");
    inventory.servers.iter().map(link).collect()
}

/// Does `work` with every server at once.
async fn at_all<W, F>(links: &[Link], work: W) -> Figures
where
    W: Fn(Link) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let (own, children, begun) = (cpu::own(), cpu::children(), Instant::now());
    let mut all = JoinSet::new();
    for link in links {
        all.spawn(work(link.clone()));
    }
    all.join_all().await;
    Figures {
        wall: begun.elapsed(),
        own: cpu::own().saturating_sub(own),
        children: cpu::children().saturating_sub(children),
        peak: cpu::memory_kib("VmHWM"),
        ..Figures::default()
    }
}

async fn ask(link: &Link, script: &str) {
    let mut probe = Probe::new(script);
    // Here all servers together have the computing power of one machine.
    probe.time = Duration::from_mins(2);
    let said = link.probe(&probe).await.unwrap_or_else(|e| panic!("{e}"));
    assert!(said.exit == 0 && !said.stdout.is_empty(), "{script}: {said:?}");
}

async fn questions(inventory: &Path) -> Figures {
    let links = links(inventory);
    let [first, second, third] = QUESTIONS;
    at_all(&links, |link| async move {
        tokio::join!(ask(&link, first), ask(&link, second), ask(&link, third));
    })
    .await
}

async fn hold(inventory: &Path) -> Figures {
    let links = links(inventory);
    let (first, rest) = links.split_first().expect("servers");
    // The first one brings what all of them use.
    ask(first, "echo here").await;
    let before = cpu::memory_kib("VmRSS");
    let figures = at_all(rest, |link| async move { ask(&link, "echo here").await }).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    Figures { grown: cpu::memory_kib("VmRSS").saturating_sub(before), ..figures }
}

async fn upload(inventory: &Path, file: &Path, into: &Path) -> Figures {
    let links = links(inventory);
    let before = cpu::own();
    let source: Arc<Source> = Sources::default().get(file).await.expect("a file");
    let hashing = cpu::own().saturating_sub(before);
    let figures = at_all(&links, |link| {
        let (source, remote) = (source.clone(), into.join(link.server()).display().to_string());
        async move {
            let sent = link.upload(&source, &remote, &mut |_| {}).await;
            assert_eq!(sent.unwrap_or_else(|e| panic!("{e}")), Uploaded::Sent);
        }
    })
    .await;
    Figures { hashing, reads: source.reads(), ..figures }
}
