//! The loop: keys and events in, frames out, and asleep in between.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::WizardError;
use super::face::{Face, Left};
use super::look::Theme;
use super::review::Reel;
use super::tty::{Input, Screen, Terminal};
use crate::client::Follower;
use crate::inventory::Answers;
use crate::journal::{SessionDir, StateDir};
use crate::model::ViewerId;
use crate::words::finish::End;

/// Between two frames, where what is shown goes on by itself. A key is answered at once.
const FRAME: Duration = Duration::from_millis(33);
/// Between two notes in the journal of what this viewer looks at.
const LOOK: Duration = Duration::from_millis(100);
/// With nothing to do.
const LONG: Duration = Duration::from_hours(1);

/// Takes an operator through the session, or somebody who looks on, until they leave or the session has ended. Gives
/// the follower back for what is said after.
///
/// # Errors
/// A terminal that cannot be taken; a session that cannot be followed any more. The terminal is given back first.
pub fn run(
    follower: Follower,
    watch: bool,
    answers: Option<&Answers>,
    terminal: Terminal,
    theme: &Theme,
) -> Result<(Follower, End), WizardError> {
    let waker = follower.waker();
    let screen = Screen::open(terminal, move || waker.wake())?;
    let id = follower.session().id().clone();
    screen
        .set_last_words(format!("The session goes on without this screen. Join it again: nofm attach {id}"));
    let mut face = Face::live(follower, watch);
    face.begin()?;
    if let Some(answers) = answers {
        face.give(answers)?;
    }
    let end = turn(&mut face, &screen, theme)?;
    drop(screen);
    let end = match (end, face.state().close()) {
        (_, Some(close)) => End::Closed(close.clone()),
        (Left::RunnerGone, None) => End::RunnerGone,
        (_, None) => End::Left,
    };
    Ok((face.into_follower()?, end))
}

/// Takes somebody through a session that happened before.
///
/// # Errors
/// As [`run`].
pub fn review(
    state_dir: &StateDir,
    session: &SessionDir,
    terminal: Terminal,
    theme: &Theme,
) -> Result<(), WizardError> {
    let viewer = ViewerId::from("review");
    let reel = Reel::open(state_dir, session, viewer.clone())?;
    let screen = Screen::open(terminal, || {})?;
    let mut face = Face::review(reel, session.clone(), viewer);
    turn(&mut face, &screen, theme).map(drop)
}

fn turn(face: &mut Face, screen: &Screen, theme: &Theme) -> Result<Left, WizardError> {
    let mut drawn = Instant::now().checked_sub(FRAME);
    let mut told: Option<Instant> = None;
    let mut looked = Instant::now();
    loop {
        let mut typed = false;
        while let Some(input) = screen.input() {
            typed = true;
            match input {
                Input::Key(key) if is_repaint(key) => screen.repaint(),
                Input::Key(key) => face.key(key)?,
                // A password may be in it.
                Input::Paste(text) => face.paste(&zeroize::Zeroizing::new(text))?,
                Input::Raw(bytes) => face.raw(&bytes)?,
                Input::Resize(columns, rows) => face.resized(columns, rows),
                Input::Resumed => {}
                Input::Gone | Input::Terminate => return Ok(Left::Away),
            }
            if let Some(left) = face.left.take() {
                return Ok(left);
            }
        }
        face.take_in()?;
        screen.set_raw(face.typing_into().is_some());
        let pulse = face.pulse();
        if let Some(pulse) = pulse
            && looked.elapsed() >= pulse
        {
            face.dirty = true;
            looked = Instant::now();
        }
        let rested = drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME);
        if typed || face.dirty && rested {
            let mut frame = screen.frame();
            frame.cursor = face.draw(&mut frame.buffer, theme);
            screen.show(frame);
            drawn = Some(Instant::now());
        }
        let due = told.is_none_or(|told| told.elapsed() >= LOOK);
        if due && face.has_looked() {
            face.tell_view();
            told = Some(Instant::now());
        }
        let mut most = pulse.map_or(LONG, |pulse| pulse.saturating_sub(looked.elapsed()));
        if face.dirty {
            most = most.min(FRAME);
        }
        if face.has_looked() {
            most = most.min(LOOK);
        }
        face.wait(screen, most)?;
    }
}

/// Ctrl-L, as everywhere: the screen is drawn anew, whatever somebody else wrote on it.
fn is_repaint(key: KeyEvent) -> bool {
    key.code == KeyCode::Char('l') && key.modifiers.contains(KeyModifiers::CONTROL)
}
