//! What a session says to a person, the same on every face: rows, sentences and counts.
//!
//! Every face lays this out in its own way. Each event has one sentence ([`line()`]), and each page its rows:
//! [`inputs`], [`notices`], [`components`], [`checks`], [`summary`], [`status`], [`question`], [`access`], [`bans`],
//! [`finish`]. How it
//! goes is told by [`tally`], by [`lane`] for each server, and by [`health`] for those who use the farm.
//!
//! # Invariants
//! - Everything is a pure function of the state, the setup or the plan, and of the time that is handed in.
//! - What is not known is said to be so; n is only ever the tally's own.
//! - Nothing of a secret is said.
//!
//! # Limits
//! - Knows no layout: no width, no line break, no mark in front of a line, no colour.
//! - Whether the runner is still there is no part of the state: a face says it beside, or what stands still looks as
//!   if it went on.
//! - What servers, profiles and people wrote stands in it as they wrote it. Whoever shows it escapes it first.

pub mod access;
pub mod bans;
pub mod checks;
pub mod components;
mod event;
pub mod finish;
pub mod health;
pub mod inputs;
pub mod lane;
pub mod notices;
pub mod question;
pub mod status;
pub mod summary;
pub mod tally;
mod title;

pub use event::{close_words, is_by, line, tail};
pub use status::room_low;
pub use title::{
    check_title, choice_word, place, script_title, short, stage_title, step_title, verdict_word,
};
