//! The terminal of an attended step: what the vendor's installer draws, cell by cell.

use std::num::NonZero;

use ratatui::style::{Color, Modifier, Style};

use crate::engine::{State, StepKey, StepPhase};
use crate::text::escape::is_visible;
use crate::wizard::look::Tone;
use crate::wizard::paint::Canvas;
use crate::wizard::printed::Printed;
use crate::wizard::scene::Scene;

/// Bytes that are looked at again when the terminal is opened: a full screen is drawn within them.
const AGAIN: u64 = 1 << 20;

/// What an installer has drawn so far.
pub(in crate::wizard) struct TerminalView {
    key: StepKey,
    run: String,
    parser: vt100::Parser,
    /// Bytes of its output that were taken in.
    fed: u64,
}

impl TerminalView {
    /// The terminal of `key`, `size` columns and rows large; `None` before the step is intended.
    pub(in crate::wizard) fn of(state: &State, key: &StepKey, size: (u16, u16)) -> Option<Self> {
        let run = run_of(state, key)?;
        Some(Self { key: key.clone(), run, parser: parser(size), fed: 0 })
    }

    pub(in crate::wizard) fn is_of(&self, key: &StepKey) -> bool {
        self.key == *key
    }

    /// Takes in what was printed since. True: something was.
    pub(in crate::wizard) fn feed(&mut self, printed: &Printed, size: (u16, u16)) -> bool {
        let (rows, columns) = dimensions(size);
        let mut changed = false;
        if self.parser.screen().size() != (rows, columns) {
            self.parser.screen_mut().set_size(rows, columns);
            changed = true;
        }
        let there = printed.size(&self.run);
        if there < self.fed {
            // A reviewer went back.
            self.parser = parser(size);
            self.fed = 0;
            changed = true;
        }
        if self.fed == 0 {
            self.fed = there.saturating_sub(AGAIN);
        }
        while self.fed < there {
            let bytes = printed.bytes(&self.run, self.fed);
            if bytes.is_empty() {
                break;
            }
            self.parser.process(&bytes);
            self.fed += bytes.len() as u64;
            changed = true;
        }
        changed
    }

    /// What was typed, as the installer expects it: arrows, Home and End have another form for a program that asked
    /// its terminal for it, and this terminal was not asked.
    pub(in crate::wizard) fn as_expected(&self, typed: &[u8]) -> Vec<u8> {
        if self.parser.screen().application_cursor() { in_application_mode(typed) } else { typed.to_vec() }
    }
}

/// Rows and columns, as the parser has them.
fn dimensions(size: (u16, u16)) -> (NonZero<u16>, NonZero<u16>) {
    let least = |cells: u16| NonZero::new(cells).unwrap_or(NonZero::<u16>::MIN);
    (least(size.1), least(size.0))
}

fn parser(size: (u16, u16)) -> vt100::Parser {
    let (rows, columns) = dimensions(size);
    vt100::Parser::new(rows, columns, 0)
}

fn in_application_mode(typed: &[u8]) -> Vec<u8> {
    let mut bytes = typed.to_vec();
    for at in 0..typed.len() {
        if let [0x1b, b'[', b'A'..=b'D' | b'H' | b'F', ..] = typed[at..] {
            bytes[at + 1] = b'O';
        }
    }
    bytes
}

/// The run that an attended step is, once it is intended.
fn run_of(state: &State, key: &StepKey) -> Option<String> {
    let lane = state.lane(&key.lane).filter(|lane| state.step_key(lane) == *key)?;
    Some(lane.targets.first()?.run.clone())
}

/// Whether there is, or is soon to be, a terminal to be shown.
pub(in crate::wizard) fn is_alive(state: &State, key: &StepKey) -> bool {
    let Some(lane) = state.lane(&key.lane).filter(|lane| state.step_key(lane) == *key) else { return false };
    let before = matches!(lane.step, StepPhase::Ready | StepPhase::Cleared)
        && !state.questions.values().any(|question| question.about.step() == Some(key));
    before || lane.is_running()
}

/// The installer's screen over the whole of ours, with one line of our own below.
pub(in crate::wizard) fn draw(
    scene: &Scene<'_>,
    canvas: &mut Canvas<'_>,
    key: &StepKey,
) -> Option<(u16, u16)> {
    let last = canvas.height().saturating_sub(1);
    let place = crate::words::place(key.lane.server.as_ref());
    canvas.tint(last, Tone::Header);
    let whose = match scene.hands_off() {
        None => "every key goes to the installer; Ctrl-] steps out".to_owned(),
        Some(why) => format!("{why}; Ctrl-] closes this"),
    };
    let knocks = if scene.knocks() { "; servers wait for your word" } else { "" };
    canvas.text(1, last, &format!("{place}: {whose}{knocks}"), Tone::Header);
    let Some(terminal) = scene.terminal.filter(|terminal| terminal.is_of(key)) else {
        canvas.text(1, 0, "The installer is about to start ...", Tone::Dim);
        return None;
    };
    let screen = terminal.parser.screen();
    let (rows, columns) = screen.size();
    for y in 0..rows.get().min(last) {
        for x in 0..columns.get().min(canvas.width()) {
            let Some(cell) = screen.cell(y, x) else { continue };
            if cell.is_wide_continuation() {
                continue;
            }
            let text = cell.contents();
            let shown =
                !text.is_empty() && text.chars().all(|c| is_visible(c) || !c.is_ascii() && !c.is_control());
            canvas.raw(x, y, if shown { text } else { " " }, style(cell));
        }
    }
    let (y, x) = screen.cursor_position();
    if screen.hide_cursor() || y >= last { None } else { canvas.at(x, y) }
}

fn style(cell: &vt100::Cell) -> Style {
    let mut style = Style::new();
    if let Some(color) = color(cell.fgcolor()) {
        style = style.fg(color);
    }
    if let Some(color) = color(cell.bgcolor()) {
        style = style.bg(color);
    }
    for (is, modifier) in [
        (cell.bold(), Modifier::BOLD),
        (cell.dim(), Modifier::DIM),
        (cell.italic(), Modifier::ITALIC),
        (cell.underline(), Modifier::UNDERLINED),
        (cell.inverse(), Modifier::REVERSED),
    ] {
        if is {
            style = style.add_modifier(modifier);
        }
    }
    style
}

/// The installer's own colours; it chose them for the terminal it believes to have.
fn color(color: vt100::Color) -> Option<Color> {
    match color {
        vt100::Color::Default => None,
        vt100::Color::Idx(index) => Some(Color::Indexed(index)),
        vt100::Color::Rgb(r, g, b) => Some(Color::Rgb(r, g, b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_change_their_form_and_nothing_else_does() {
        assert_eq!(in_application_mode(b"a\x1b[A\x1b[5~\x1b[F["), b"a\x1bOA\x1b[5~\x1bOF[");
    }
}
