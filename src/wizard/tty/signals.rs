//! Signals, told to the thread at the terminal.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::{SigId, flag, low_level};

/// What is not handled does what it does by default; with nobody listening that must hold again.
static NOBODY_LISTENS: OnceLock<Result<Arc<AtomicBool>, String>> = OnceLock::new();

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Signal {
    Resize,
    Hangup,
    Terminate,
    Quit,
    Stop,
    Continue,
}

const HEARD: [(i32, Signal); 7] = [
    (SIGHUP, Signal::Hangup),
    (SIGTERM, Signal::Terminate),
    (SIGINT, Signal::Terminate),
    (SIGQUIT, Signal::Quit),
    (SIGCONT, Signal::Continue),
    (SIGTSTP, Signal::Stop),
    (SIGWINCH, Signal::Resize),
];

pub(super) struct Signals {
    came: Vec<(Signal, Arc<AtomicBool>)>,
    ids: Vec<SigId>,
    nobody: Arc<AtomicBool>,
}

impl Signals {
    /// From now on every signal rings `bell`.
    pub(super) fn listen(bell: &UnixStream) -> io::Result<Self> {
        let nobody = NOBODY_LISTENS.get_or_init(|| defaults().map_err(|error| error.to_string()));
        let nobody = Arc::clone(nobody.as_ref().map_err(|error| io::Error::other(error.clone()))?);
        nobody.store(false, Ordering::Release);
        let mut signals = Self { came: Vec::new(), ids: Vec::new(), nobody };
        for (number, signal) in HEARD {
            let came = Arc::new(AtomicBool::new(false));
            // In this order: who is woken finds the flag set.
            signals.ids.push(flag::register(number, Arc::clone(&came))?);
            signals.ids.push(low_level::pipe::register(number, bell.try_clone()?)?);
            signals.came.push((signal, came));
        }
        Ok(signals)
    }

    /// Takes `signal` as not having come.
    pub(super) fn forget(&self, signal: Signal) {
        for (_, came) in self.came.iter().filter(|(one, _)| *one == signal) {
            came.store(false, Ordering::Release);
        }
    }

    /// The next signal that came, most urgent first.
    pub(super) fn next(&self) -> Option<Signal> {
        self.came.iter().find(|(_, came)| came.swap(false, Ordering::AcqRel)).map(|(signal, _)| *signal)
    }
}

fn defaults() -> io::Result<Arc<AtomicBool>> {
    let nobody = Arc::new(AtomicBool::new(true));
    for (number, signal) in HEARD {
        // These two do nothing by default.
        if signal != Signal::Continue && signal != Signal::Resize {
            flag::register_conditional_default(number, Arc::clone(&nobody))?;
        }
    }
    Ok(nobody)
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.nobody.store(true, Ordering::Release);
        for id in self.ids.drain(..) {
            low_level::unregister(id);
        }
    }
}
