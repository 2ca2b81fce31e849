//! The terminal of an attended step: what it prints goes to this terminal as it is, and every key goes to it.

use std::io;

use super::console::Console;
use super::desk::Desk;
use super::error::{End, Go, Stop};
use crate::client::{ClientError, Runner};
use crate::engine::{State, StepKey, StepPhase};

/// Ctrl-]
const LEAVE: u8 = 0x1d;
/// How often it is looked for more output.
const LOOK: std::time::Duration = std::time::Duration::from_millis(40);
/// Bytes shown at once.
const WINDOW: u64 = 64 * 1024;
/// Takes back what a full-screen program may have set, whether or not it did: colours, the other screen, mouse and
/// paste reports, the cursor, the keypad.
const RESET: &[u8] = b"\x1b[0m\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?25h\x1b[?7h\x1b>\x1b(B\r\n";

/// The terminal in raw mode, until it is dropped.
struct RawTerminal;

impl RawTerminal {
    fn enter() -> io::Result<Self> {
        crossterm::terminal::enable_raw_mode()?;
        Ok(Self)
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        use io::Write as _;
        // Whatever happened before, the operator gets a terminal back; a terminal that is gone needs none.
        let _ = crossterm::terminal::disable_raw_mode();
        let mut out = io::stdout();
        let _ = out.write_all(RESET).and_then(|()| out.flush());
    }
}

/// Hands this terminal to the step `key` until it ends or the operator leaves it with Ctrl-].
pub(super) fn pass_through(desk: &mut Desk, console: &mut Console, key: &StepKey) -> Go<()> {
    // What it needs is measured first; if that does not hold, there is nothing to be shown.
    while is_about_to_start(desk.state(), key) {
        if console.is_interrupted() {
            return Err(Stop::End(End::Left));
        }
        desk.wait()?;
        desk.catch_up()?;
    }
    let Some(run) = run_of(desk.state(), key) else { return Ok(()) };
    desk.out.line("---- The installer's terminal follows. Ctrl-] leaves it; it goes on without you. ----")?;
    console.discard();
    desk.hold_lines();
    let raw = RawTerminal::enter()?;
    let went = relay(desk, console, key, &run);
    drop(raw);
    desk.out.line("---- The end of the installer's terminal. t opens it again while it runs. ----")?;
    desk.release_lines()?;
    went
}

fn relay(desk: &mut Desk, console: &mut Console, key: &StepKey, run: &str) -> Go<()> {
    // Somebody who comes back sees the end of it, not all of it once more.
    let mut shown = match desk.follower.output(run)? {
        Some(output) => output.size().map_err(ClientError::from)?.saturating_sub(WINDOW),
        None => 0,
    };
    let mut size = (0, 0);
    loop {
        desk.read()?;
        // Looked at before the output is, so that all of what came before the end is shown.
        let ended = !is_running(desk.state(), key);
        let bytes = match desk.follower.output(run)? {
            Some(output) => output.window(shown, shown.saturating_add(WINDOW)).map_err(ClientError::from)?,
            None => Vec::new(),
        };
        shown += bytes.len() as u64;
        desk.out.raw(&bytes)?;
        if bytes.is_empty() && (ended || desk.follower.runner() == Runner::Gone) {
            return Ok(());
        }
        if let Ok(now) = crossterm::terminal::size()
            && now != size
        {
            size = now;
            desk.follower.resize(size.0, size.1)?;
        }
        let Some(keys) = console.keys() else { return Err(Stop::End(End::Left)) };
        let (keys, leave) = match keys.iter().position(|key| *key == LEAVE) {
            Some(at) => (&keys[..at], true),
            None => (&*keys, false),
        };
        if !keys.is_empty() {
            desk.follower.type_into(key, keys)?;
        }
        if leave {
            return Ok(());
        }
        // A step that prints a lot still hears the keys.
        desk.follower.wait(if bytes.is_empty() { LOOK } else { std::time::Duration::ZERO })?;
    }
}

fn is_running(state: &State, key: &StepKey) -> bool {
    state.lane(&key.lane).is_some_and(|lane| {
        state.step_key(lane) == *key && lane.step == StepPhase::Running && lane.is_running()
    })
}

fn is_about_to_start(state: &State, key: &StepKey) -> bool {
    let before = |step: &StepPhase| matches!(step, StepPhase::Ready | StepPhase::Cleared);
    state.lane(&key.lane).is_some_and(|lane| state.step_key(lane) == *key && before(&lane.step))
        && !state.questions.values().any(|question| question.about.step() == Some(key))
}

/// The run that an attended step is, once it is intended.
fn run_of(state: &State, key: &StepKey) -> Option<String> {
    let lane = state.lane(&key.lane).filter(|lane| state.step_key(lane) == *key)?;
    Some(lane.targets.first()?.run.clone())
}
