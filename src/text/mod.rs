//! Text: foreign bytes made safe to show, widths, durations, sizes, and quoting for shells.
//!
//! Knows nothing of the rest of the program.

pub mod escape;
pub mod width;
