//! The terminal: taken, drawn on, read from, and given back.
//!
//! One thread owns the terminal and sleeps in `poll(2)` until there is something to do; with nothing to do it is never
//! woken. The terminal is opened anew rather than used through standard input and output, so that it can be read and
//! written without ever blocking: neither a terminal that nobody reads nor one that is gone can hold this program up.
//!
//! - [`Screen::show`] puts a frame into a slot of one; what was not written yet is replaced, never queued. One frame is
//!   one `write(2)` of what changed since the last, and nothing when nothing changed.
//! - What is typed is decoded here: between two bytes of a key no read waits, and switching to raw bytes loses nothing.
//! - Whatever ends the program gives the terminal back first: leaving, a panic in any thread, SIGTERM, SIGHUP; SIGKILL
//!   alone cannot be answered. Ctrl-Z and SIGTSTP give it back, stop the program, and take it again when it goes on.
//! - Nothing is ever asked of the terminal, as some never answer.
//!
//! Limits: keys are those of xterm, its descendants, the Linux console and the VT220; the mouse is left to the
//! terminal, for selecting text; a terminal that is not read when the program ends keeps its last picture.

mod decode;
mod device;
mod encode;
mod event;
mod fit;
mod job;
mod paint;
mod panic;
mod paste;
mod screen;
mod sequence;
mod shared;
mod signals;
mod worker;

pub use event::Input;
pub use fit::{Terminal, Unfit};
pub use paint::{Frame, Painter};
pub use screen::{Screen, TtyError};

#[cfg(test)]
mod tests;
