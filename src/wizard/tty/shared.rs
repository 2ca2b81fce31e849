//! What the thread at the terminal shares with the rest of the program.

use std::collections::VecDeque;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::device::Device;
use super::event::Input;
use super::paint::Frame;

/// Events that may wait; with more, what is typed stays in the terminal until some were taken.
pub(super) const EVENTS_MAX: usize = 1024;
/// Buffers kept to be drawn on again: one in the slot, one shown, one being drawn.
const SPARE_MAX: usize = 2;

pub(super) type Wake = Arc<dyn Fn() + Send + Sync>;

pub(super) struct Shared {
    pub(super) device: Device,
    slot: Mutex<Slot>,
    events: Mutex<VecDeque<Input>>,
    came: Condvar,
    wake: Mutex<Wake>,
    bell: UnixStream,
    size: AtomicU32,
    pub(super) raw: AtomicBool,
    pub(super) repaint: AtomicBool,
    pub(super) suspend: AtomicBool,
    pub(super) leave: AtomicBool,
    pub(super) last_words: Mutex<String>,
}

#[derive(Default)]
struct Slot {
    newest: Option<Frame>,
    spare: Vec<Buffer>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(device: Device, bell: UnixStream, wake: Wake) -> Self {
        let shared = Self {
            device,
            slot: Mutex::default(),
            events: Mutex::default(),
            came: Condvar::new(),
            wake: Mutex::new(wake),
            bell,
            size: AtomicU32::new(0),
            raw: AtomicBool::new(false),
            repaint: AtomicBool::new(false),
            suspend: AtomicBool::new(false),
            leave: AtomicBool::new(false),
            last_words: Mutex::default(),
        };
        shared.measure();
        shared
    }

    /// Rings for the thread at the terminal. A full bell has been rung already.
    pub(super) fn ring(&self) {
        let _ = rustix::net::send(&self.bell, &[0], rustix::net::SendFlags::DONTWAIT);
    }

    pub(super) fn wake_by(&self, wake: Wake) {
        *lock(&self.wake) = wake;
    }

    pub(super) fn size(&self) -> (u16, u16) {
        let [a, b, c, d] = self.size.load(Ordering::Acquire).to_be_bytes();
        (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
    }

    /// Asks the terminal for its size. True: it is another one.
    pub(super) fn measure(&self) -> bool {
        let (columns, rows) = self.device.size();
        let ([a, b], [c, d]) = (columns.to_be_bytes(), rows.to_be_bytes());
        let size = u32::from_be_bytes([a, b, c, d]);
        self.size.swap(size, Ordering::AcqRel) != size
    }

    pub(super) fn push(&self, input: Input) {
        lock(&self.events).push_back(input);
        self.came.notify_all();
        let wake = Arc::clone(&lock(&self.wake));
        wake();
    }

    pub(super) fn pop(&self) -> Option<Input> {
        let mut events = lock(&self.events);
        let was_full = events.len() >= EVENTS_MAX;
        let input = events.pop_front();
        if was_full && events.len() < EVENTS_MAX {
            self.ring();
        }
        input
    }

    pub(super) fn is_full(&self) -> bool {
        lock(&self.events).len() >= EVENTS_MAX
    }

    pub(super) fn wait(&self, most: Duration) {
        let events = lock(&self.events);
        // Woken by an event, by nothing, or by time: the caller looks anyway.
        let _ = self.came.wait_timeout_while(events, most, |events| events.is_empty());
    }

    /// A blank frame of the terminal's size.
    pub(super) fn blank(&self) -> Frame {
        let (columns, rows) = self.size();
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = lock(&self.slot).spare.pop().unwrap_or_default();
        if buffer.area != area {
            buffer.resize(area);
        }
        buffer.reset();
        Frame { buffer, cursor: None }
    }

    pub(super) fn put(&self, frame: Frame) {
        let replaced = lock(&self.slot).newest.replace(frame);
        if let Some(replaced) = replaced {
            self.recycle(replaced.buffer);
        }
        self.ring();
    }

    pub(super) fn newest(&self) -> Option<Frame> {
        lock(&self.slot).newest.take()
    }

    pub(super) fn recycle(&self, buffer: Buffer) {
        let mut slot = lock(&self.slot);
        if slot.spare.len() < SPARE_MAX {
            slot.spare.push(buffer);
        }
    }
}
