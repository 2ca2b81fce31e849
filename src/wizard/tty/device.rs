//! The terminal's own state: its modes, and bytes on their way to it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use super::fit::Terminal;

/// Alternate screen, pasted text in brackets, no cursor.
const TAKE: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?25l\x1b[m\x1b[2J";
/// The reverse. A terminal without an alternate screen is at least left clean.
const GIVE_BACK: &[u8] = b"\x1b[m\x1b[2J\x1b[H\x1b[?25h\x1b[?2004l\x1b[?1049l";
const BRACKETS_ON: &[u8] = b"\x1b[?2004h";
const BRACKETS_OFF: &[u8] = b"\x1b[?2004l";

/// How often, and how long each time, a terminal that takes no bytes is waited for before it is left as it is.
const PATIENCE: u32 = 10;
const ROUND: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// The largest screen that is drawn, so that no claim of a terminal can exhaust the memory.
const COLUMNS_MAX: u16 = 1000;
const ROWS_MAX: u16 = 500;

pub(super) struct Device {
    fd: OwnedFd,
    out: Mutex<Out>,
}

struct Out {
    /// Modes to give the terminal back with. `None`: it is not ours at the moment.
    saved: Option<Termios>,
    bytes: Vec<u8>,
    written: usize,
}

impl Device {
    pub(super) fn new(terminal: Terminal) -> Self {
        let out = Out { saved: None, bytes: Vec::new(), written: 0 };
        Self { fd: terminal.fd, out: Mutex::new(out) }
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    /// Nothing that is done under this lock can panic, so the panic hook can take it.
    fn out(&self) -> MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Columns and rows. A serial line knows neither.
    pub(super) fn size(&self) -> (u16, u16) {
        match tcgetwinsize(&self.fd) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
                (size.ws_col.min(COLUMNS_MAX), size.ws_row.min(ROWS_MAX))
            }
            _ => (80, 24),
        }
    }

    pub(super) fn take(&self) -> Result<(), Errno> {
        let mut out = self.out();
        let saved = match out.saved.take() {
            Some(saved) => saved,
            None => tcgetattr(&self.fd)?,
        };
        let mut raw = saved.clone();
        raw.make_raw();
        out.saved = Some(saved);
        tcsetattr(&self.fd, OptionalActions::Now, &raw)?;
        out.rest(TAKE);
        self.write(&mut out)
    }

    /// Whether the terminal is ours.
    pub(super) fn is_held(&self) -> bool {
        self.out().saved.is_some()
    }

    /// Gives the terminal back as it was taken. False: it was not ours.
    pub(super) fn give_back(&self) -> bool {
        let mut out = self.out();
        let Some(saved) = out.saved.take() else { return false };
        out.rest(GIVE_BACK);
        let mut patience = PATIENCE;
        while patience > 0 && out.is_pending() {
            let before = out.written;
            let mut ready = [PollFd::new(&self.fd, PollFlags::OUT)];
            let waited = poll(&mut ready, Some(&ROUND));
            let lost = ready[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL);
            if lost || waited.is_err_and(|error| error != Errno::INTR) || self.write(&mut out).is_err() {
                break;
            }
            if out.written == before {
                patience -= 1;
            }
        }
        out.bytes.clear();
        out.written = 0;
        // The terminal may be gone, and then there is nobody to give it back to.
        let _ = tcsetattr(&self.fd, OptionalActions::Now, &saved);
        true
    }

    /// Whether bytes of an earlier frame still wait.
    pub(super) fn is_pending(&self) -> bool {
        self.out().is_pending()
    }

    /// Writes `bytes`, as far as the terminal takes them now, and keeps the rest for [`Self::go_on`]. Must be called
    /// with nothing pending; `bytes` comes back empty.
    pub(super) fn send(&self, bytes: &mut Vec<u8>) -> Result<(), Errno> {
        let mut out = self.out();
        if out.saved.is_none() || bytes.is_empty() {
            bytes.clear();
            return Ok(());
        }
        out.bytes.clear();
        out.written = 0;
        std::mem::swap(&mut out.bytes, bytes);
        self.write(&mut out)
    }

    /// Writes on where the terminal took no more.
    pub(super) fn go_on(&self) -> Result<(), Errno> {
        let mut out = self.out();
        self.write(&mut out)
    }

    /// Whether pasted text comes in brackets. What is typed into somebody else's program must come as it is.
    pub(super) fn brackets(&self, on: bool) -> Result<(), Errno> {
        let mut out = self.out();
        if out.saved.is_none() {
            return Ok(());
        }
        out.rest(if on { BRACKETS_ON } else { BRACKETS_OFF });
        self.write(&mut out)
    }

    fn write(&self, out: &mut Out) -> Result<(), Errno> {
        while out.is_pending() {
            match rustix::io::write(&self.fd, &out.bytes[out.written..]) {
                Ok(count) => out.written += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Out {
    fn is_pending(&self) -> bool {
        self.written < self.bytes.len()
    }

    /// Appends to what waits, as an escape sequence must not be cut in the middle.
    fn rest(&mut self, more: &[u8]) {
        if !self.is_pending() {
            self.bytes.clear();
            self.written = 0;
        }
        self.bytes.extend_from_slice(more);
    }
}
