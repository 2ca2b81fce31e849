//! A terminal that does not show what is typed.

use std::io;

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// The terminal at standard input with its echo off, until it is dropped. What would stop or end this process at
/// once has no key meanwhile, or the terminal would be left without an echo.
#[must_use]
pub struct Unseen(Termios);

impl Unseen {
    /// `interrupts`: whether somebody hears of Ctrl-C, and gives the echo back; else it is a character like others.
    ///
    /// # Errors
    /// When standard input is no terminal.
    pub fn begin(interrupts: bool) -> io::Result<Self> {
        let before = tcgetattr(rustix::stdio::stdin())?;
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        // The Enter that ends it is shown, so that what follows begins on a line of its own.
        unseen.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON);
        if !interrupts {
            unseen.special_codes[SpecialCodeIndex::VINTR] = 0;
        }
        for key in [SpecialCodeIndex::VSUSP, SpecialCodeIndex::VQUIT] {
            unseen.special_codes[key] = 0;
        }
        tcsetattr(rustix::stdio::stdin(), OptionalActions::Flush, &unseen)?;
        Ok(Self(before))
    }
}

impl Drop for Unseen {
    fn drop(&mut self) {
        // A terminal that is gone needs none.
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &self.0);
    }
}
