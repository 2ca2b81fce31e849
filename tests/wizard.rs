//! The full screen, at a terminal of its own.

mod tty;
mod tty_child;
mod tty_paint;
mod tty_pty;
