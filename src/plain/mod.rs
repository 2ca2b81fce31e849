//! The linear face: the same state as lines, for screen readers, simple terminals, pipes and scripts.
//!
//! One [`Follower`] reads the session; [`dialogue`] walks a person through it, [`headless`] takes every answer from
//! [`Answers`], [`watch`] only looks on, [`review`] tells what happened. Each event has one sentence, in [`crate::words`].
//!
//! # Invariants
//! - Everything that servers, profiles or people wrote passes through `Printer`, which escapes it. The one exception
//!   is the terminal of an attended step, as long as the operator has it open.
//! - What is shown is the state; what is asked follows from it. A dialogue that is left and joined again goes on where
//!   the session is.
//! - A question is answered by what is typed after it was shown.
//! - A secret is read with the terminal's echo off, at a terminal only, and goes to the runner alone.
//! - No colour is used, so none carries a meaning.

mod attended;
mod console;
mod desk;
mod error;
mod headless;
mod json;
mod person;
mod policy;
mod printer;
mod review;
mod show;
mod unseen;

use std::io::Read;

pub use desk::Telling;
pub use error::{End, PlainError};
pub use headless::Reach;
pub use json::object as json_line;
pub use printer::Printer;
pub use show::{commands, plan};
pub use unseen::Unseen;

pub use crate::words::finish::Outcome;

use console::{Console, Stdin};
use desk::Desk;
use error::{Go, Stop};

use crate::client::Follower;
use crate::inventory::Answers;

/// Where a person types.
pub enum Keyboard {
    /// Standard input, which is a terminal or not.
    Standard { is_terminal: bool },
    /// Anything else that gives lines.
    Lines(Box<dyn Read + Send>),
}

/// Walks a person through the session.
///
/// # Errors
/// When the session cannot be followed any more, or nobody reads what is printed.
pub fn dialogue(
    follower: Follower,
    out: Printer,
    keyboard: Keyboard,
    answers: Option<&Answers>,
) -> Result<Outcome, PlainError> {
    let (from, is_terminal): (Box<dyn Read + Send>, bool) = match keyboard {
        Keyboard::Standard { is_terminal } => (Box::new(Stdin), is_terminal),
        Keyboard::Lines(from) => (from, false),
    };
    let console = Console::new(from, is_terminal, follower.waker()).map_err(PlainError::Read)?;
    let mut person = person::Person::new(Desk::new(follower, out, Telling::Dialogue), console);
    let went = person.walk(answers);
    finish(person.into_desk(), went)
}

/// Takes every answer from `answers`, and goes as far as `reach`. `from_start`: what happened before is told, too.
///
/// # Errors
/// As [`dialogue`].
pub fn headless(
    follower: Follower,
    out: Printer,
    json: bool,
    answers: &Answers,
    reach: Reach,
    from_start: bool,
) -> Result<Outcome, PlainError> {
    let telling = if json { Telling::Json } else { Telling::Pages };
    let console =
        Console::new(Box::new(std::io::empty()), false, follower.waker()).map_err(PlainError::Read)?;
    let mut script = headless::Script::new(Desk::new(follower, out, telling), console, answers);
    let went = script.walk(reach, from_start);
    finish(script.into_desk(), went)
}

/// Only looks on, until the session is closed.
///
/// # Errors
/// As [`dialogue`].
pub fn watch(follower: Follower, out: Printer, json: bool) -> Result<Outcome, PlainError> {
    let telling = if json { Telling::Json } else { Telling::Lines };
    let console =
        Console::new(Box::new(std::io::empty()), false, follower.waker()).map_err(PlainError::Read)?;
    let mut desk = Desk::new(follower, out, telling);
    let went = review::watch(&mut desk, console);
    finish(desk, went)
}

/// Tells everything that happened in a session, from its first event.
///
/// # Errors
/// As [`dialogue`].
pub fn review(follower: Follower, out: Printer, json: bool) -> Result<Outcome, PlainError> {
    let telling = if json { Telling::Json } else { Telling::Lines };
    let mut desk = Desk::new(follower, out, telling);
    let went = review::tell(&mut desk);
    finish(desk, went)
}

/// What is said when another face has shown the session up to `end`: a few lines that stay.
///
/// # Errors
/// When nobody reads what is printed.
pub fn farewell(follower: &Follower, mut out: Printer, end: End) -> Result<Outcome, PlainError> {
    show::short(&mut out, follower.state(), &end, follower.session()).map_err(PlainError::Write)?;
    Ok(Outcome::of(end, follower.state()))
}

/// The last page, and what is told of the end.
fn finish(mut desk: Desk, went: Go<End>) -> Result<Outcome, PlainError> {
    let end = match went {
        Ok(end) | Err(Stop::End(end)) => end,
        Err(Stop::Error(error)) => return Err(error),
    };
    if !desk.is_json() {
        let session = desk.follower.session().clone();
        let said = match &end {
            End::Left => leave(&mut desk),
            End::RunnerGone => gone(&mut desk),
            _ => show::finish(&mut desk.out, desk.follower.state(), &end, &session),
        };
        said.map_err(PlainError::Write)?;
    }
    Ok(Outcome::of(end, desk.state()))
}

fn leave(desk: &mut Desk) -> std::io::Result<()> {
    let id = desk.follower.session().id().clone();
    desk.out.blank()?;
    for text in End::Left.left() {
        desk.out.line(text)?;
    }
    desk.out.line(&format!("Join it again: nofm attach {id} --plain"))
}

fn gone(desk: &mut Desk) -> std::io::Result<()> {
    let id = desk.follower.session().id().clone();
    desk.out.blank()?;
    for text in End::RunnerGone.left() {
        desk.out.line(text)?;
    }
    desk.out.line(&format!("Go on with it: nofm resume {id} --plain"))
}
