//! A call of the run protocol: the script goes in, framed lines come out.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader,
};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::channel::{Call, Channel, Inlet, Link};
use super::error::LinkError;
use super::powershell;
use super::words::{quoted, shown};
use crate::profile::Shell;

const SCRIPT: &str =
    concat!(include_str!("../../assets/run/tools.sh"), include_str!("../../assets/run/nofm-run.sh"));

/// How long a server may be silent within a call. `follow` says something every five seconds.
pub(super) const SILENCE: Duration = Duration::from_secs(30);
/// What a login may print before the call is answered.
const GREETING: u64 = 64 * 1024;
const LINE: u64 = 4 * 1024;
const ERRORS: usize = 8 * 1024;
/// The most bytes one frame holds.
pub(super) const FRAME: usize = 256 * 1024;

/// One line, or one piece of output, of an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// The end of the call.
    Answer(String),
    State(String),
    Output {
        offset: u64,
        bytes: Vec<u8>,
    },
    Rewound {
        offset: u64,
    },
    Alive,
}

/// A call under way.
pub(super) struct Talk {
    server: String,
    doing: &'static str,
    marker: String,
    /// Whether the script has begun: what goes wrong before that has changed nothing.
    begun: bool,
    stdin: Option<Box<dyn Inlet>>,
    stdout: BufReader<Box<dyn AsyncRead + Send + Unpin>>,
    stderr: JoinHandle<Vec<u8>>,
    exit: std::pin::Pin<Box<dyn Future<Output = std::io::Result<i32>> + Send>>,
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.stderr.abort();
    }
}

impl Talk {
    /// Makes call `words`, and waits until the server has the script and runs it.
    pub(super) async fn open(
        link: &Link,
        doing: &'static str,
        ours: bool,
        words: &[&str],
    ) -> Result<Self, LinkError> {
        let marker = marker();
        let channel = link.open(doing, &Call { as_root: true, seconds: 0, ours }).await?;
        let input = match link.shell() {
            Shell::PowerShell => powershell::envelope(&marker, words),
            Shell::Sh | Shell::None => {
                let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
                let call = format!("eval \"$s\"; printf '\\nnofm1 %s\\n' \"$e\"; nofm {}", words.join(" "));
                envelope(&marker, SCRIPT, &call)
            }
        };
        let mut talk = Self::over(link.server(), doing, channel, marker);
        let begun = timeout(SILENCE, async {
            // Where nobody reads, the reason stands on the other streams.
            let _ = talk.send(input.as_bytes()).await;
            greeting(&mut talk.stdout, &talk.marker).await
        });
        match begun.await {
            Ok(Ok(())) => {
                talk.begun = true;
                Ok(talk)
            }
            Ok(Err(said)) => Err(talk.broken(&said).await),
            Err(_) => Err(talk.silent(SILENCE)),
        }
    }

    fn over(server: &str, doing: &'static str, channel: Channel, marker: String) -> Self {
        let Channel { stdin, stdout, stderr, exit } = channel;
        Self {
            server: server.to_owned(),
            doing,
            marker,
            begun: false,
            stdin: Some(stdin),
            stdout: BufReader::with_capacity(64 * 1024, stdout),
            stderr: tokio::spawn(capped(stderr, ERRORS)),
            exit,
        }
    }

    /// Sends input.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if let Some(stdin) = &mut self.stdin {
            stdin.write_all(bytes).await?;
            stdin.flush().await?;
        }
        Ok(())
    }

    /// Sends a piece of a file.
    pub(super) async fn send_piece(&mut self, piece: Bytes) -> std::io::Result<()> {
        match &mut self.stdin {
            Some(stdin) => stdin.give(piece).await,
            None => Ok(()),
        }
    }

    /// Ends the input.
    pub(super) async fn end_input(&mut self) {
        if let Some(mut stdin) = self.stdin.take() {
            // A server that does not listen any more has said why, or will not.
            let _ = stdin.shutdown().await;
        }
    }

    /// The next frame; an error when none comes within `silence`.
    pub(super) async fn frame(&mut self, silence: Duration) -> Result<Frame, LinkError> {
        match timeout(silence, self.next()).await {
            Ok(frame) => frame,
            Err(_) => Err(self.silent(silence)),
        }
    }

    /// The answer that ends the call, past anything before it.
    pub(super) async fn answer(&mut self, silence: Duration) -> Result<String, LinkError> {
        loop {
            if let Frame::Answer(words) = self.frame(silence).await? {
                return Ok(words);
            }
        }
    }

    /// Sends the rest of the input while listening for the answer, which may come before all is sent.
    pub(super) async fn exchange(&mut self, input: &[u8], silence: Duration) -> Result<String, LinkError> {
        let mut stdin = self.stdin.take();
        let sending = async {
            if let Some(stdin) = &mut stdin {
                // The answer tells why the server stopped reading.
                let _ = stdin.write_all(input).await;
                let _ = stdin.shutdown().await;
            }
            drop(stdin);
        };
        let (answer, ()) = tokio::join!(self.answer(silence), async {
            let _ = timeout(silence, sending).await;
        });
        answer
    }

    async fn next(&mut self) -> Result<Frame, LinkError> {
        let line = line(&mut self.stdout).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&line).into_owned();
        let Some(text) = text.strip_suffix('\n') else {
            return Err(self.broken(&line).await);
        };
        let (kind, words) = text.split_once(' ').unwrap_or((text, ""));
        match kind {
            "A" => Ok(Frame::Answer(words.to_owned())),
            "S" => Ok(Frame::State(words.to_owned())),
            "K" => Ok(Frame::Alive),
            "X" => Err(self.refusal(words)),
            "O" => self.output(words).await,
            "R" => match words.parse() {
                Ok(offset) => Ok(Frame::Rewound { offset }),
                Err(_) => Err(self.garbled(&line)),
            },
            _ => Err(self.garbled(&line)),
        }
    }

    async fn output(&mut self, words: &str) -> Result<Frame, LinkError> {
        let numbers = words.split_once(' ').and_then(|(offset, length)| {
            let length = length.parse::<usize>().ok().filter(|length| *length <= FRAME)?;
            Some((offset.parse::<u64>().ok()?, length))
        });
        let Some((offset, length)) = numbers else {
            return Err(self.garbled(words.as_bytes()));
        };
        let mut bytes = vec![0; length + self.marker.len() + 2];
        if self.stdout.read_exact(&mut bytes).await.is_err() {
            return Err(self.broken(&[]).await);
        }
        // Where the file became shorter meanwhile, the marker is elsewhere, and nothing of it is taken.
        if bytes[length..] != *format!("\n{}\n", self.marker).as_bytes() {
            return Err(self.garbled(&bytes[length..]));
        }
        bytes.truncate(length);
        Ok(Frame::Output { offset, bytes })
    }

    fn refusal(&self, words: &str) -> LinkError {
        let (kind, why) = words.split_once(' ').unwrap_or((words, ""));
        let (server, doing, why) = (self.server.clone(), self.doing, shown(why.as_bytes(), 600));
        match kind {
            "missing" => LinkError::Missing { server, doing, what: why },
            "torn" => LinkError::Unreachable { server, doing, why },
            _ => LinkError::Refused { server, doing, why },
        }
    }

    fn garbled(&self, said: &[u8]) -> LinkError {
        LinkError::Protocol { server: self.server.clone(), doing: self.doing, said: shown(said, 200) }
    }

    fn silent(&self, after: Duration) -> LinkError {
        LinkError::TimedOut { server: self.server.clone(), doing: self.doing, after }
    }

    /// The output ended too early: what the exit status and the error stream make of it.
    async fn broken(&mut self, said: &[u8]) -> LinkError {
        let grace = Duration::from_secs(2);
        let errors = match timeout(grace, &mut self.stderr).await {
            Ok(Ok(errors)) => shown(powershell::plain(&String::from_utf8_lossy(&errors)).as_bytes(), 300),
            _ => String::new(),
        };
        let exit = timeout(grace, &mut self.exit).await.ok().and_then(Result::ok);
        let (server, doing) = (self.server.clone(), self.doing);
        let sudo = errors.contains("sudo");
        match exit {
            Some(_) if sudo && !self.begun => LinkError::Refused {
                server,
                doing,
                why: format!(
                    "{errors}; log in as root, or let sudo run commands for this user without a password"
                ),
            },
            Some(1..=128) if !errors.is_empty() && !self.begun => {
                LinkError::Refused { server, doing, why: errors }
            }
            _ if !said.is_empty() => LinkError::Protocol { server, doing, said: shown(said, 200) },
            _ if errors.is_empty() => LinkError::Unreachable {
                server,
                doing,
                why: "the connection ended before the answer".to_owned(),
            },
            _ => LinkError::Unreachable { server, doing, why: errors },
        }
    }

    pub(super) fn misfit(&self, said: &str) -> LinkError {
        self.garbled(said.as_bytes())
    }
}

/// What the loader reads: marker, script, marker, call.
pub(super) fn envelope(marker: &str, script: &str, call: &str) -> String {
    format!("{marker}\n{script}\n{marker}\n{call}\n")
}

/// A word that no output can know beforehand.
pub(super) fn marker() -> String {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    let word = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", word(), word())
}

/// Reads past whatever the login printed, up to the greeting of call `marker`. Otherwise what was said instead.
pub(super) async fn greeting<R: AsyncBufRead + Unpin>(reader: &mut R, marker: &str) -> Result<(), Vec<u8>> {
    let expected = format!("nofm1 {marker}\n");
    let mut said = Vec::new();
    let mut budget = GREETING;
    loop {
        let mut line = Vec::new();
        let read = (&mut *reader).take(budget).read_until(b'\n', &mut line).await.unwrap_or(0);
        if line == expected.as_bytes() {
            return Ok(());
        }
        budget -= read as u64;
        if said.len() < ERRORS {
            said.append(&mut line);
        }
        if read == 0 || budget == 0 {
            return Err(said);
        }
    }
}

async fn line<R: AsyncBufRead + Unpin>(reader: &mut R) -> std::io::Result<Vec<u8>> {
    let mut line = Vec::new();
    reader.take(LINE).read_until(b'\n', &mut line).await?;
    Ok(line)
}

/// The first `most` bytes of a stream, which is read to its end.
async fn capped(mut stream: Box<dyn AsyncRead + Send + Unpin>, most: usize) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut piece = vec![0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut piece).await {
        let room = most.saturating_sub(kept.len());
        kept.extend_from_slice(&piece[..read.min(room)]);
    }
    kept
}
