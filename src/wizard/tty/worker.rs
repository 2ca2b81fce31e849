//! The thread that owns the terminal.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::decode::{Decoder, is_suspend};
use super::event::Input;
use super::job;
use super::paint::Painter;
use super::shared::Shared;
use super::signals::{Signal, Signals};

/// Bytes read at once.
const CHUNK: usize = 4096;

pub(super) struct Worker {
    shared: Arc<Shared>,
    signals: Signals,
    bell: UnixStream,
    painter: Painter,
    decoder: Decoder,
    /// What is about to be written; kept for its memory.
    bytes: Vec<u8>,
    raw: bool,
    lost: bool,
    asked_to_end: bool,
}

/// What there is to do at the terminal.
struct Ready {
    tty: PollFlags,
    /// The time for the rest of a key is over.
    waited_in_vain: bool,
}

const LOST: PollFlags = PollFlags::HUP.union(PollFlags::ERR).union(PollFlags::NVAL);

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, signals: Signals, bell: UnixStream) -> Self {
        let (columns, rows) = shared.size();
        Self {
            shared,
            signals,
            bell,
            painter: Painter::new(columns, rows),
            decoder: Decoder::default(),
            bytes: Vec::new(),
            raw: false,
            lost: false,
            asked_to_end: false,
        }
    }

    pub(super) fn run(mut self) {
        while !self.shared.leave.load(Ordering::Acquire) {
            self.hear_signals();
            self.switch();
            self.paint();
            let ready = self.wait();
            if ready.tty.contains(PollFlags::OUT) && self.shared.device.go_on().is_err() {
                self.lose();
            }
            if ready.tty.contains(PollFlags::IN) {
                self.read();
            } else if ready.tty.intersects(LOST) {
                self.lose();
            }
            if ready.waited_in_vain {
                let shared = &self.shared;
                self.decoder.expire(&mut |input| shared.push(input));
            }
        }
        self.shared.device.give_back();
    }

    fn hear_signals(&mut self) {
        while let Some(signal) = self.signals.next() {
            match signal {
                Signal::Hangup => {
                    self.shared.device.give_back();
                    self.lose();
                }
                Signal::Terminate if !self.asked_to_end => {
                    self.asked_to_end = true;
                    self.shared.device.give_back();
                    self.shared.push(Input::Terminate);
                }
                // Whoever asks twice was not heard the first time.
                Signal::Terminate => self.end_now(signal_hook::consts::SIGTERM),
                Signal::Quit => self.end_now(signal_hook::consts::SIGQUIT),
                Signal::Stop => self.shared.suspend.store(true, Ordering::Release),
                Signal::Continue => self.resume(),
                Signal::Resize => {
                    self.painter.forget();
                    self.measure();
                }
            }
        }
    }

    fn end_now(&self, signal: i32) {
        self.shared.device.give_back();
        // Does not come back, unless the signal is one that cannot end a program.
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }

    fn measure(&self) {
        if self.shared.measure() {
            let (columns, rows) = self.shared.size();
            self.shared.push(Input::Resize(columns, rows));
        } else {
            // The terminal may have been another size in between, and have moved what it shows.
            self.shared.repaint.store(true, Ordering::Release);
        }
    }

    fn lose(&mut self) {
        if !self.lost {
            self.lost = true;
            self.shared.push(Input::Gone);
        }
    }

    fn resume(&mut self) {
        self.signals.forget(Signal::Stop);
        if self.lost || self.asked_to_end {
            return;
        }
        if self.shared.device.take().is_err() {
            return self.lose();
        }
        self.measure();
        if self.raw && self.shared.device.brackets(false).is_err() {
            return self.lose();
        }
        self.painter.forget();
        self.shared.repaint.store(true, Ordering::Release);
        self.shared.push(Input::Resumed);
    }

    /// Does what the rest of the program asked for.
    fn switch(&mut self) {
        let raw = self.shared.raw.load(Ordering::Acquire);
        if raw != self.raw {
            self.raw = raw;
            let begun = self.decoder.take();
            if raw && !begun.is_empty() {
                self.shared.push(Input::Raw(begun));
            }
            if !self.lost && self.shared.device.brackets(!raw).is_err() {
                self.lose();
            }
        }
        if self.shared.suspend.swap(false, Ordering::AcqRel)
            && job::can_go_on()
            && self.shared.device.give_back()
        {
            job::stop();
        }
    }

    fn paint(&mut self) {
        let device = &self.shared.device;
        if self.lost || !device.is_held() || device.is_pending() {
            return;
        }
        if self.shared.repaint.swap(false, Ordering::AcqRel) {
            // A frame of another size is replaced by one that fits, soon.
            if self.painter.size() == self.shared.size() {
                self.painter.repaint(&mut self.bytes);
            } else {
                self.painter.forget();
            }
        }
        if let Some(frame) = self.shared.newest() {
            let (columns, rows) = self.shared.size();
            let area = frame.buffer.area;
            let spare = if (area.x, area.y, area.width, area.height) == (0, 0, columns, rows) {
                self.painter.paint(frame, &mut self.bytes)
            } else {
                frame.buffer
            };
            self.shared.recycle(spare);
        }
        if device.send(&mut self.bytes).is_err() {
            self.lose();
        }
    }

    fn wait(&self) -> Ready {
        let is_ours = !self.lost && self.shared.device.is_held();
        let mut wanted = PollFlags::empty();
        if is_ours && !self.shared.is_full() {
            wanted |= PollFlags::IN;
        }
        if is_ours && self.shared.device.is_pending() {
            wanted |= PollFlags::OUT;
        }
        let mut sources = [
            PollFd::new(&self.bell, PollFlags::IN),
            PollFd::from_borrowed_fd(self.shared.device.fd(), wanted),
        ];
        let count = if is_ours { 2 } else { 1 };
        let limit = self.decoder.patience().and_then(|limit| Timespec::try_from(limit).ok());
        match poll(&mut sources[..count], limit.as_ref()) {
            Ok(found) => {
                if !sources[0].revents().is_empty() {
                    self.hush();
                }
                let tty = if is_ours { sources[1].revents() } else { PollFlags::empty() };
                Ready { tty, waited_in_vain: found == 0 }
            }
            Err(Errno::INTR) => Ready { tty: PollFlags::empty(), waited_in_vain: false },
            // Without it nothing can be read or shown any more.
            Err(_) => Ready { tty: LOST, waited_in_vain: false },
        }
    }

    /// Empties the bell.
    fn hush(&self) {
        let mut rings = [0; 64];
        while rustix::io::read(&self.bell, &mut rings).is_ok_and(|count| count > 0) {}
    }

    fn read(&mut self) {
        // Whether what comes now is raw was decided before it was asked for.
        self.switch();
        let mut chunk = [0; CHUNK];
        match rustix::io::read(self.shared.device.fd(), &mut chunk) {
            Ok(0) => self.lose(),
            Ok(count) if self.raw => self.shared.push(Input::Raw(chunk[..count].to_vec())),
            Ok(count) => {
                let shared = &self.shared;
                self.decoder.feed(&chunk[..count], &mut |input| match input {
                    Input::Key(key) if is_suspend(key) && job::can_go_on() => {
                        shared.suspend.store(true, Ordering::Release);
                    }
                    input => shared.push(input),
                });
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => self.lose(),
        }
    }
}
