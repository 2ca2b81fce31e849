//! Text: foreign bytes made safe to show, widths, durations, sizes, and quoting for shells.
//!
//! Knows nothing of the rest of the program.

pub mod diagnostic;
pub mod duration;
pub mod escape;
pub mod quote;
pub mod size;
pub mod toml;
pub mod width;
