//! The terminal as the rest of the program sees it.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use super::device::Device;
use super::event::Input;
use super::fit::Terminal;
use super::paint::Frame;
use super::shared::{Shared, lock};
use super::signals::Signals;
use super::worker::Worker;

/// Why the terminal could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum TtyError {
    #[error("the terminal cannot be taken for the full screen: {0}; try --plain")]
    Take(rustix::io::Errno),
    #[error("the full screen cannot be started: {0}; try --plain")]
    Start(std::io::Error),
}

/// The terminal, taken until this is dropped.
pub struct Screen {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Screen {
    /// Takes the terminal: alternate screen, raw mode, pasted text in brackets, no cursor. `wake` is called, on
    /// another thread, whenever there is something for [`Self::input`].
    ///
    /// # Errors
    /// When the terminal refuses, or there is no thread to be had. The terminal is then as it was.
    pub fn open(terminal: Terminal, wake: impl Fn() + Send + Sync + 'static) -> Result<Self, TtyError> {
        let (bell, rung) = UnixStream::pair().map_err(TtyError::Start)?;
        rung.set_nonblocking(true).map_err(TtyError::Start)?;
        let signals = Signals::listen(&bell).map_err(TtyError::Start)?;
        let shared = Arc::new(Shared::new(Device::new(terminal), bell, Arc::new(wake)));
        super::panic::hook(&shared);
        if let Err(error) = shared.device.take() {
            shared.device.give_back();
            return Err(TtyError::Take(error));
        }
        let worker = Worker::new(Arc::clone(&shared), signals, rung);
        let started = std::thread::Builder::new().name("terminal".to_owned()).spawn(move || worker.run());
        match started {
            Ok(thread) => Ok(Self { shared, thread: Some(thread) }),
            Err(error) => {
                shared.device.give_back();
                Err(TtyError::Start(error))
            }
        }
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        self.shared.size()
    }

    /// A blank frame of the terminal's size, to draw on. Its memory is that of an earlier frame.
    pub fn frame(&self) -> Frame {
        self.shared.blank()
    }

    /// Shows `frame` as soon as the terminal takes it, unless a newer one comes first. Never blocks. A frame that is not
    /// of the terminal's size is left out: an [`Input::Resize`] is on its way.
    pub fn show(&self, frame: Frame) {
        self.shared.put(frame);
    }

    /// The next thing that came from the terminal. `None`: there is no more at the moment.
    pub fn input(&self) -> Option<Input> {
        self.shared.pop()
    }

    /// Waits until there is something for [`Self::input`], or `most` has passed.
    pub fn wait(&self, most: Duration) {
        self.shared.wait(most);
    }

    /// Whom to wake from now on, in place of who was named before.
    pub fn wake_by(&self, wake: impl Fn() + Send + Sync + 'static) {
        self.shared.wake_by(Arc::new(wake));
    }

    /// Whether what is typed comes as [`Input::Raw`], byte for byte and Ctrl-C and Ctrl-Z with it, rather than as keys.
    /// What was typed before and not fetched yet stays what it is.
    pub fn set_raw(&self, on: bool) {
        if self.shared.raw.swap(on, Ordering::AcqRel) != on {
            self.shared.ring();
        }
    }

    /// Draws everything anew, for an operator whose screen somebody else wrote over.
    pub fn repaint(&self) {
        self.shared.repaint.store(true, Ordering::Release);
        self.shared.ring();
    }

    /// Gives the terminal back and stops the program, as Ctrl-Z does; nothing where nobody could let it go on.
    pub fn suspend(&self) {
        self.shared.suspend.store(true, Ordering::Release);
        self.shared.ring();
    }

    /// What is said after the message of a panic: where the session lies and how to get back to it.
    pub fn set_last_words(&self, words: impl Into<String>) {
        *lock(&self.shared.last_words) = words.into();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.shared.leave.store(true, Ordering::Release);
        self.shared.ring();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked gave the terminal back in its panic.
            let _ = thread.join();
        }
        self.shared.device.give_back();
    }
}
