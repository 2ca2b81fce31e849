//! What comes from the terminal.

use crossterm::event::KeyEvent;

/// What came from the terminal, in the order it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key. Ctrl-Z is one only where nobody could let a stopped program go on.
    Key(KeyEvent),
    /// Text that was pasted: at most 64 KiB, without control characters except line ends.
    Paste(String),
    /// The terminal has another size now, in columns and rows. A frame of any other size is not shown.
    Resize(u16, u16),
    /// What was typed while [`super::Screen::set_raw`] is on, byte for byte.
    Raw(Vec<u8>),
    /// The terminal is lost: hung up, closed, or not ours any more. Nothing more comes and nothing more is shown, so
    /// leave.
    Gone,
    /// This program was asked to end, or a part of it broke down. The terminal was given back already and nothing more
    /// is shown, so leave; if that takes too long and it is asked again, it is ended at once.
    Terminate,
    /// The program was stopped and goes on; the last frame is shown again.
    Resumed,
}
