//! The full screen: what an operator at a terminal sees and types.

pub mod look;
pub mod tty;
