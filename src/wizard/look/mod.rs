//! How things look: meaning in, colours and glyphs out.
//!
//! Pages name a [`Tone`], never a colour; [`Theme::finish`] fits a drawn buffer to what the terminal can show. Only the
//! ANSI names are used, never RGB, as their shades are the operator's own choice. No tone is told by colour alone: in
//! every theme it is told by a word or a sign as well, and without colour by bold and reverse.

mod env;
mod glyphs;
mod theme;

pub use env::{Env, Wish};
pub use glyphs::{DRAWN, Glyphs};
pub use theme::{Colours, Theme, Tone};

#[cfg(test)]
mod tests;
