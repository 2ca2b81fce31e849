//! A terminal that does not show what is typed.

use std::io;

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

/// The terminal at standard input with its echo off, until it is dropped. Ctrl-C still ends the dialogue, by way of
/// [`super::console`], and so gives the echo back; what would stop or end this process at once has no key meanwhile.
#[must_use]
pub(super) struct Unseen(Termios);

impl Unseen {
    pub(super) fn begin() -> io::Result<Self> {
        let before = tcgetattr(rustix::stdio::stdin())?;
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        // The Enter that ends it is shown, so that what follows begins on a line of its own.
        unseen.local_modes.insert(LocalModes::ECHONL | LocalModes::ICANON);
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
