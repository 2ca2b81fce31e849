//! What the operator types: lines, or in an attended step single keys.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::mpsc::{Receiver, Sender, channel};

use zeroize::{Zeroize as _, Zeroizing};

use crate::client::Waker;

/// The longest line that is taken, in bytes. What goes beyond it is left out.
const LONGEST: usize = 16 * 1024;

enum Chunk {
    /// Wiped once it was looked at: a password may be in it.
    Bytes(Zeroizing<Vec<u8>>),
    End,
    /// Ctrl-C, or a signal to end.
    Interrupt,
}

/// What there is of the operator at the moment.
pub(super) enum Said {
    Line(String),
    Nothing,
    /// They are gone, or want to be.
    Left,
}

/// Standard input, or what stands for it in a test.
pub(super) struct Console {
    chunks: Receiver<Chunk>,
    lines: VecDeque<Zeroizing<String>>,
    partial: Zeroizing<Vec<u8>>,
    ended: bool,
    interrupted: bool,
    pub(super) is_terminal: bool,
}

impl Console {
    /// Reads `from` on a thread of its own, and wakes the follower whenever something came.
    pub(super) fn new(from: Box<dyn Read + Send>, is_terminal: bool, waker: Waker) -> std::io::Result<Self> {
        let (tell, chunks) = channel();
        let reader = tell.clone();
        let wake = waker.clone();
        std::thread::Builder::new().name("keys".to_owned()).spawn(move || read(from, &reader, &wake))?;
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            if let Err(error) = signals(&tell, &waker) {
                tracing::warn!(%error, "signals are not listened for");
            }
        })?;
        Ok(Self {
            chunks,
            lines: VecDeque::new(),
            // Room for all of it, so that no piece is left behind where it grew.
            partial: Zeroizing::new(Vec::with_capacity(LONGEST)),
            ended: false,
            interrupted: false,
            is_terminal,
        })
    }

    fn collect(&mut self) {
        while let Ok(chunk) = self.chunks.try_recv() {
            match chunk {
                Chunk::Bytes(bytes) => self.split(&bytes),
                Chunk::End => {
                    if !self.partial.is_empty() {
                        self.split(b"\n");
                    }
                    self.ended = true;
                }
                Chunk::Interrupt => self.interrupted = true,
            }
        }
    }

    fn split(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if byte == b'\n' {
                let line = String::from_utf8_lossy(&self.partial).trim_end_matches('\r').to_owned();
                self.lines.push_back(Zeroizing::new(line));
                self.partial.zeroize();
            } else if self.partial.len() < LONGEST {
                self.partial.push(byte);
            }
        }
    }

    /// The next line, if there is one.
    pub(super) fn line(&mut self) -> Said {
        self.collect();
        if self.interrupted {
            return Said::Left;
        }
        match self.lines.pop_front() {
            Some(mut line) => Said::Line(std::mem::take(&mut *line)),
            None if self.ended => Said::Left,
            None => Said::Nothing,
        }
    }

    /// The next line, if `fits` says that it is meant for now. At a terminal the end of input counts at once; at a
    /// pipe only once something is asked.
    pub(super) fn line_if(&mut self, fits: impl Fn(&str) -> bool) -> Said {
        self.collect();
        if self.interrupted || (self.is_terminal && self.ended) {
            return Said::Left;
        }
        match self.lines.front() {
            Some(line) if self.is_terminal || fits(line) => self
                .lines
                .pop_front()
                .map_or(Said::Nothing, |mut line| Said::Line(std::mem::take(&mut *line))),
            _ => Said::Nothing,
        }
    }

    /// Forgets what was typed so far, so that it does not answer what was not seen yet. What comes out of a pipe was
    /// not typed, and stays.
    pub(super) fn discard(&mut self) {
        self.collect();
        if self.is_terminal {
            // What waits in the terminal itself, not yet ended by Enter. Where that fails it is merely kept.
            let _ = rustix::termios::tcflush(rustix::stdio::stdin(), rustix::termios::QueueSelector::IFlush);
            self.lines.clear();
            self.partial.zeroize();
        }
    }

    /// Whether nothing more is typed.
    pub(super) fn is_over(&mut self) -> bool {
        self.collect();
        self.ended && self.lines.is_empty()
    }

    /// Whether the operator, or the system, wants this process to end.
    pub(super) fn is_interrupted(&mut self) -> bool {
        self.collect();
        self.interrupted
    }

    /// Keys as they came, for an attended step. `None`: the operator is gone.
    pub(super) fn keys(&mut self) -> Option<Vec<u8>> {
        let mut keys = Vec::new();
        while let Ok(chunk) = self.chunks.try_recv() {
            match chunk {
                Chunk::Bytes(bytes) => keys.extend_from_slice(&bytes),
                Chunk::End => self.ended = true,
                Chunk::Interrupt => self.interrupted = true,
            }
        }
        (!self.ended && !self.interrupted).then_some(keys)
    }
}

fn read(mut from: Box<dyn Read + Send>, tell: &Sender<Chunk>, waker: &Waker) {
    let mut buffer = vec![0; 4096];
    loop {
        let chunk = match from.read(&mut buffer) {
            Ok(0) => Chunk::End,
            Ok(count) => {
                let bytes = Zeroizing::new(buffer[..count].to_vec());
                buffer[..count].zeroize();
                Chunk::Bytes(bytes)
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => {
                tracing::info!(%error, "standard input cannot be read any more");
                Chunk::End
            }
        };
        let over = matches!(chunk, Chunk::End);
        if tell.send(chunk).is_err() {
            return;
        }
        waker.wake();
        if over {
            return;
        }
    }
}

/// Until the process ends: a signal that would end it is handed in instead, so that what must be said is said.
fn signals(tell: &Sender<Chunk>, waker: &Waker) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hangup = signal(SignalKind::hangup())?;
        loop {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            if tell.send(Chunk::Interrupt).is_err() {
                return Ok(());
            }
            waker.wake();
        }
    })
}

/// Standard input without a buffer of its own, so that no key is held back when an attended step begins.
pub(super) struct Stdin;

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        Ok(rustix::io::read(rustix::stdio::stdin(), buffer)?)
    }
}
