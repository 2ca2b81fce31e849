//! The full-screen wizard: pages and live panes over a session.
//!
//! One `Face` per viewer folds the session's journal with the client, draws it, and sends what the operator wants. It
//! opens no connection to a server and holds nothing that the journal does not: whoever joins later, or reviews the
//! session, gets the same picture from the same function.
//!
//! # Invariants
//! - A frame is a function of the state, the events in words, what this viewer looks at, the output files and the time.
//! - Text reaches the screen through [`paint`] only, which escapes and clips it; no size is too small.
//! - The keys in the footer and in the help are the table that handles them.
//! - A question takes no key that was pressed before it could be read, and nothing is chosen for the operator.
//! - A review shows each moment as it was on the operator's screen: pages turn by the same function that turned them
//!   live, and what was looked at comes from the journal. Only the header, the last line and, at events told in words,
//!   the line above it are the reviewer's own.
//! - The terminal may vanish, or stop being read, at any time: the session never notices.

mod dialogs;
mod draw;
mod error;
mod face;
mod follow;
mod keys;
pub mod look;
mod pages;
mod paint;
mod panes;
mod printed;
mod review;
mod run;
mod scene;
mod start;
mod story;
mod tables;
pub mod tty;
mod view;

pub use error::WizardError;
pub use face::{Face, Left};
pub use review::Reel;
pub use run::{review, run};
pub use start::{Chosen, Offer, OfferedProfile, OfferedSession, Start, start};
pub use view::{Page, View};
