//! Runs: a step on a server, detached from the connection, started once and followed at will.

use std::fmt;
use std::io;

use sha2::{Digest as _, Sha256};

use super::LinkError;
use super::channel::Link;
use super::files::hex;
use super::talk::{Frame, SILENCE, Talk};

/// What one call may type into a terminal, in bytes: as much as the server is sure to hold.
const TYPED: usize = 4096;

/// The name of a run on its server: 1 to 120 of `A-Z a-z 0-9 . _ -`, no leading dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(String);

impl RunId {
    /// `None` when `text` cannot name a run.
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=120).contains(&text.len())
            && !text.starts_with('.')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// How a run stands, as its server tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    /// The server knows no such run.
    Absent,
    /// Taken, and nothing of it has run yet.
    Claimed,
    Running,
    Ended(RunEnd),
}

/// How a run came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// With this exit status; 128 + N where signal N ended it.
    Done { rc: i32 },
    /// Nobody saw the end: `reboot`, `supervisor-gone` or `status-unreadable`. It may have come to any end, and
    /// after `supervisor-gone` what it started may still be at work.
    Lost { why: String },
    /// It never ran, and never will.
    Revoked,
}

impl RunState {
    fn read(words: &str) -> Option<Self> {
        Some(match words.split_once(' ').unwrap_or((words, "")) {
            ("absent", "") => Self::Absent,
            ("claimed", "") => Self::Claimed,
            ("running", "") => Self::Running,
            ("revoked", "") => Self::Ended(RunEnd::Revoked),
            ("done", rest) => Self::Ended(RunEnd::Done { rc: rest.strip_prefix("rc=")?.parse().ok()? }),
            ("lost", rest) => {
                let why = rest.strip_prefix("why=")?;
                let plain = why.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') && why.len() < 40;
                Self::Ended(RunEnd::Lost { why: plain.then(|| why.to_owned())? })
            }
            _ => return None,
        })
    }
}

/// The size of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    pub cols: u16,
    pub rows: u16,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct StartOpts {
    /// Under a terminal held on the server, for a body that talks with a person.
    pub terminal: Option<Terminal>,
}

/// The answer to a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Started {
    /// This call started it; how it stood right after.
    Fresh(RunState),
    /// An earlier call had: nothing was started.
    Already(RunState),
}

/// What is heard of a run while it is followed.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    State(RunState),
    /// Bytes of the output, at their offset in the server's file.
    Output {
        offset: u64,
        bytes: &'a [u8],
    },
    /// The output file became shorter: the body emptied it. What follows starts at this offset.
    Rewound {
        offset: u64,
    },
    /// Nothing new; the connection lives.
    Alive,
}

impl Link {
    /// Starts `body`, a POSIX shell script, as run `id`. Safe to repeat until it answers: only the first starts it.
    /// It runs in the root folder of the server with nothing on its input. After an error other than a refusal
    /// it may have been started; [`Link::stat`] tells.
    pub async fn start(&self, id: &RunId, body: &str, opts: StartOpts) -> Result<Started, LinkError> {
        let doing = "starting a run";
        let (length, sum) = (body.len().to_string(), hex(&Sha256::digest(body)));
        let size = opts.terminal.map(|size| (size.cols.max(1).to_string(), size.rows.max(1).to_string()));
        let mut words = vec!["start", id.as_str(), &length, &sum];
        if let Some((cols, rows)) = &size {
            words.extend([cols.as_str(), rows.as_str()]);
        }
        let mut talk = Talk::open(self, doing, false, &words).await?;
        let answer = talk.exchange(body.as_bytes(), SILENCE).await?;
        let state = |words| RunState::read(words).ok_or_else(|| talk.misfit(&answer));
        match answer.split_once(' ') {
            Some(("fresh", words)) => Ok(Started::Fresh(state(words)?)),
            Some(("already", words)) => Ok(Started::Already(state(words)?)),
            _ => Err(talk.misfit(&answer)),
        }
    }

    /// Follows run `id` until its end, telling `sink` the state and the output from offset `from` on. A lost
    /// connection is an error: call again with the offset reached. An error of `sink` ends the call too.
    pub async fn follow(
        &self,
        id: &RunId,
        from: u64,
        sink: &mut (dyn FnMut(Heard<'_>) -> io::Result<()> + Send),
    ) -> Result<RunEnd, LinkError> {
        let doing = "following a run";
        let mut talk = Talk::open(self, doing, true, &["follow", id.as_str(), &from.to_string()]).await?;
        let mut at = from;
        loop {
            let frame = talk.frame(SILENCE).await?;
            let heard = match &frame {
                Frame::Answer(words) => {
                    return match RunState::read(words) {
                        Some(RunState::Ended(end)) => Ok(end),
                        Some(RunState::Absent) => Err(LinkError::Refused {
                            server: self.server().to_owned(),
                            doing,
                            why: format!("it knows no run {id}"),
                        }),
                        _ => Err(talk.misfit(words)),
                    };
                }
                Frame::State(words) => Heard::State(RunState::read(words).ok_or_else(|| talk.misfit(words))?),
                Frame::Output { offset, .. } if *offset != at => {
                    return Err(talk.misfit(&format!("output at {offset} instead of {at}")));
                }
                Frame::Output { offset, bytes } => {
                    at += bytes.len() as u64;
                    Heard::Output { offset: *offset, bytes }
                }
                Frame::Rewound { offset } => {
                    at = *offset;
                    Heard::Rewound { offset: at }
                }
                Frame::Alive => Heard::Alive,
            };
            sink(heard).map_err(|source| LinkError::Console {
                server: self.server().to_owned(),
                doing,
                source,
            })?;
        }
    }

    /// How run `id` stands.
    pub async fn stat(&self, id: &RunId) -> Result<RunState, LinkError> {
        self.ask("asking for a run", &["stat", id.as_str()]).await
    }

    /// Sees to it that run `id` never starts, unless it did: the answer says which.
    pub async fn revoke(&self, id: &RunId) -> Result<RunState, LinkError> {
        self.ask("revoking a run", &["revoke", id.as_str()]).await
    }

    async fn ask(&self, doing: &'static str, words: &[&str]) -> Result<RunState, LinkError> {
        let mut talk = Talk::open(self, doing, false, words).await?;
        let answer = talk.exchange(&[], SILENCE).await?;
        RunState::read(&answer).ok_or_else(|| talk.misfit(&answer))
    }

    /// Types `bytes`, at most 4096, into the terminal of run `id`. Not safe to repeat: after an error other than
    /// a refusal they may have been typed.
    pub async fn type_into(&self, id: &RunId, bytes: &[u8]) -> Result<(), LinkError> {
        let doing = "typing into a run";
        if bytes.len() > TYPED {
            return Err(LinkError::Invalid {
                server: self.server().to_owned(),
                doing,
                why: format!("{} bytes at once are too many; paste at most {TYPED}", bytes.len()),
            });
        }
        let mut talk = Talk::open(self, doing, true, &["type", id.as_str()]).await?;
        talk.exchange(bytes, SILENCE).await.map(drop)
    }

    /// Sets the size of the terminal of run `id`, of which its body is told.
    pub async fn resize(&self, id: &RunId, size: Terminal) -> Result<(), LinkError> {
        let (cols, rows) = (size.cols.max(1).to_string(), size.rows.max(1).to_string());
        let words = ["resize", id.as_str(), &cols, &rows];
        let mut talk = Talk::open(self, "resizing the terminal of a run", true, &words).await?;
        talk.exchange(&[], SILENCE).await.map(drop)
    }
}
