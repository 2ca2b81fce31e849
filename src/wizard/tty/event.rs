//! What comes from the terminal.

use crossterm::event::KeyEvent;

/// What came from the terminal, in the order it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Key(KeyEvent),
    /// Text that was pasted: at most 64 KiB, without control characters except line ends.
    Paste(String),
    /// The terminal has another size now, in columns and rows. A frame of any other size is not shown.
    Resize(u16, u16),
    /// What was typed while [`super::Screen::set_raw`] is on, byte for byte.
    Raw(Vec<u8>),
    /// The terminal is lost: hung up, closed, or not ours any more. Nothing more comes and nothing more is shown.
    Gone,
    /// Somebody or something asked this program to end, or part of it broke down; in that case the terminal was
    /// given back already.
    Terminate,
    /// The program was stopped and goes on; the last frame is shown again.
    Resumed,
}
