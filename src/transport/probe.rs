//! Read-only questions: a script, and what it says within bounds of size and time.

use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::time::timeout;

use super::channel::{Call, Channel, Link};
use super::talk::{envelope, greeting, marker};
use super::words::shown;
use super::{LinkError, powershell};
use crate::profile::Shell;

/// A read-only question. It may be ended when it takes too long, so it must change nothing.
#[derive(Clone, Debug)]
pub struct Probe {
    /// In the words of the server's shell.
    pub script: String,
    /// As root, where the link becomes root at all.
    pub as_root: bool,
    /// The most bytes kept of each stream; what is more is read and dropped.
    pub bytes: usize,
    /// How long to wait.
    pub time: Duration,
}

impl Probe {
    /// As root, at most 64 KiB of each stream, at most 30 s.
    pub fn new(script: impl Into<String>) -> Self {
        Self { script: script.into(), as_root: true, bytes: 64 * 1024, time: Duration::from_secs(30) }
    }
}

/// What a probe said.
#[derive(Clone, Debug)]
pub struct ProbeOutput {
    /// Exit status; 128 + N after signal N.
    pub exit: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// Whether a stream held more than was kept: what is here may then be half an answer.
    pub truncated: bool,
    pub took: Duration,
}

/// Pauses before a question is asked again over a new connection.
const AGAIN: Duration = Duration::from_millis(250);
const AGAIN_MOST: Duration = Duration::from_secs(1);
/// How long a question is asked again while connections break under it.
const INSIST: Duration = Duration::from_secs(15);
/// A try that failed within this time was turned away, rather than waited for.
const QUICK: Duration = Duration::from_secs(1);

/// Bytes read at once: most answers are a line or two, and hundreds of servers are asked at the same time.
const PIECE: usize = 1024;

/// How long to wait for the rest of the output once the script has ended, where something it left behind holds the streams.
const REST: Duration = Duration::from_millis(500);

impl Link {
    /// Asks a question. Its own exit status is an answer and no error. It changes nothing, so it is asked again when
    /// a connection breaks under it, or is turned away.
    pub async fn probe(&self, probe: &Probe) -> Result<ProbeOutput, LinkError> {
        let (begun, mut pause) = (Instant::now(), AGAIN);
        loop {
            let since = Instant::now();
            let outcome = self.probe_once(probe).await;
            let again = match &outcome {
                Err(LinkError::Cut { .. }) => begun.elapsed() < INSIST,
                Err(LinkError::Unreachable { .. }) => {
                    matches!(self, Self::Ssh(_)) && pause <= AGAIN_MOST && since.elapsed() < QUICK
                }
                _ => false,
            };
            if !again {
                return outcome;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(2 * AGAIN_MOST);
        }
    }

    async fn probe_once(&self, probe: &Probe) -> Result<ProbeOutput, LinkError> {
        let doing = "asking a question";
        let server = || self.server().to_owned();
        if probe.script.contains('\0') {
            return Err(LinkError::Invalid {
                server: server(),
                doing,
                why: "the script holds a NUL byte".to_owned(),
            });
        }
        if self.shell() == Shell::PowerShell {
            return powershell::ask(self, doing, probe).await;
        }
        let begun = Instant::now();
        // The server ends what we gave up, a little later: a hanging question asked again and again piles up.
        let seconds = probe.time.as_secs() + 5;
        let channel = self.open(doing, &Call { as_root: probe.as_root, seconds, ours: true }).await?;
        let mut out = Kept::new(probe.bytes);
        let mut err = Kept::new(probe.bytes);
        let asked = timeout(probe.time, ask(channel, &probe.script, &mut out, &mut err)).await;
        let exit = match asked {
            Err(_) => return Err(LinkError::TimedOut { server: server(), doing, after: probe.time }),
            Ok(Err(why)) => return Err(LinkError::Cut { server: server(), doing, why }),
            Ok(Ok(exit)) => exit,
        };
        if !out.greeted {
            let why = shown(if err.bytes.is_empty() { &out.bytes } else { &err.bytes }, 300);
            return Err(if why.is_empty() {
                let why = format!("it ended with status {exit} before the answer");
                LinkError::Unreachable { server: server(), doing, why }
            } else {
                LinkError::Refused { server: server(), doing, why }
            });
        }
        Ok(ProbeOutput {
            exit,
            truncated: out.more || err.more,
            stdout: out.bytes,
            stderr: err.bytes,
            took: begun.elapsed(),
        })
    }
}

async fn ask(channel: Channel, script: &str, out: &mut Kept, err: &mut Kept) -> Result<i32, String> {
    let Channel { mut stdin, stdout, stderr, mut exit } = channel;
    let marker = marker();
    // The question runs as if nothing had been before it: no variables of the loader, nothing on its input.
    let call = "printf '\\nnofm1 %s\\n' \"$e\"; exec </dev/null; eval \"unset c e l n s$n$s\"";
    let input = envelope(&marker, script, call);
    let mut stdout = BufReader::with_capacity(PIECE, stdout);
    let streams = async {
        tokio::join!(
            async {
                // Where nobody reads, the exit status tells.
                let _ = stdin.write_all(input.as_bytes()).await;
                let _ = stdin.shutdown().await;
                drop(stdin);
            },
            async {
                match greeting(&mut stdout, &marker).await {
                    Ok(()) => {
                        out.greeted = true;
                        out.fill(stdout).await;
                    }
                    Err(said) => out.bytes = said,
                }
            },
            err.fill(stderr),
        );
    };
    tokio::pin!(streams);
    let mut read = false;
    let exit = tokio::select! {
        exit = &mut exit => exit,
        () = &mut streams => { read = true; exit.await }
    };
    if !read {
        let _ = timeout(REST, streams).await;
    }
    exit.map_err(|e| e.to_string())
}

/// The beginning of a stream.
struct Kept {
    bytes: Vec<u8>,
    most: usize,
    more: bool,
    greeted: bool,
}

impl Kept {
    fn new(most: usize) -> Self {
        Self { bytes: Vec::new(), most, more: false, greeted: false }
    }

    /// Reads to the end and keeps what there is room for.
    async fn fill<R: AsyncRead + Unpin>(&mut self, mut stream: R) {
        let mut piece = [0; PIECE];
        while let Ok(read @ 1..) = stream.read(&mut piece).await {
            let room = self.most.saturating_sub(self.bytes.len());
            self.bytes.extend_from_slice(&piece[..read.min(room)]);
            self.more |= read > room;
        }
    }
}
