//! What is typed into attended steps: one queue and one task a run, so that it arrives in the order it was typed.

use std::collections::HashMap;

use tokio::sync::mpsc::{self, Receiver, Sender};

use crate::transport::{Link, RunId, Terminal};

/// What may wait for a server that does not take it; more is not taken in.
const WAITING: usize = 4096;
/// Bytes that one call passes on.
const MOST: usize = 4096;

/// Something for a run's terminal.
pub(super) enum Typing {
    Bytes(Vec<u8>),
    Size(Terminal),
}

/// The queues of the runs that were typed into.
#[derive(Default)]
pub(super) struct Keys {
    runs: HashMap<RunId, Sender<Typing>>,
}

impl Keys {
    /// Whether it was taken in: it will be passed on after everything that was taken in before it.
    pub(super) fn pass(&mut self, link: Link, run: RunId, typing: Typing) -> bool {
        let queue = self.runs.entry(run.clone()).or_insert_with(|| {
            let (queue, typed) = mpsc::channel(WAITING);
            tokio::spawn(pass_on(link, run, typed));
            queue
        });
        queue.try_send(typing).is_ok()
    }

    /// The run ended; what still waits is passed on, and refused there.
    pub(super) fn end(&mut self, run: &RunId) {
        self.runs.remove(run);
    }
}

async fn pass_on(link: Link, run: RunId, mut typed: Receiver<Typing>) {
    let mut next = None;
    loop {
        let typing = match next.take() {
            Some(typing) => typing,
            None => match typed.recv().await {
                Some(typing) => typing,
                None => return,
            },
        };
        match typing {
            Typing::Bytes(mut bytes) => {
                // What came while the last call was under way goes along in one.
                while bytes.len() < MOST
                    && next.is_none()
                    && let Ok(more) = typed.try_recv()
                {
                    match more {
                        Typing::Bytes(more) => bytes.extend(more),
                        size @ Typing::Size(_) => next = Some(size),
                    }
                }
                for piece in bytes.chunks(MOST) {
                    if let Err(error) = link.type_into(&run, piece).await {
                        tracing::warn!(%error, %run, "keys could not be passed on");
                    }
                }
            }
            Typing::Size(size) => {
                if let Err(error) = link.resize(&run, size).await {
                    tracing::debug!(%error, %run, "a terminal could not be resized");
                }
            }
        }
    }
}
