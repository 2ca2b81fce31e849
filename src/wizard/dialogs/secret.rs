//! A secret that is being typed. It is part of no view: only that it is typed is journalled, never what, nor how much.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use zeroize::{Zeroize as _, Zeroizing};

use super::show::middle;
use crate::client::Sealed;
use crate::journal::wire::SECRET;
use crate::model::Access;
use crate::wizard::face::Face;
use crate::wizard::keys::Command;
use crate::wizard::look::Tone;
use crate::wizard::paint::{Canvas, lines};
use crate::wizard::scene::Scene;
use crate::words;

/// What was typed so far; wiped when it is dropped, and never longer than its room, so that no copy is left behind.
#[derive(Debug)]
pub(in crate::wizard) struct Typed(Zeroizing<String>);

impl Default for Typed {
    fn default() -> Self {
        Self(Zeroizing::new(String::with_capacity(SECRET)))
    }
}

impl Typed {
    /// How many characters there are, for the stars that stand for them.
    pub(in crate::wizard) fn count(&self) -> usize {
        self.0.chars().count()
    }

    pub(in crate::wizard) fn clear(&mut self) {
        self.0.zeroize();
    }

    /// Takes a key in. `None`: it is no key of a text; else whether there was room for it.
    pub(in crate::wizard) fn take(&mut self, event: KeyEvent) -> Option<bool> {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        if event.modifiers.contains(KeyModifiers::ALT) {
            return None;
        }
        match (event.code, ctrl) {
            (KeyCode::Char(c), false) => {
                let fits = self.0.len() + c.len_utf8() <= SECRET;
                if fits {
                    self.0.push(c);
                }
                return Some(fits);
            }
            (KeyCode::Backspace, false) | (KeyCode::Char('h'), true) => {
                self.0.pop();
            }
            (KeyCode::Char('u'), true) => self.clear(),
            _ => return None,
        }
        Some(true)
    }

    /// What was typed, sealed; nothing of it stays here.
    pub(in crate::wizard) fn seal(&mut self) -> Result<Sealed, &'static str> {
        Sealed::new(std::mem::take(self).0.as_str().to_owned())
    }
}

pub(super) fn act(face: &mut Face, command: Command, access: &Access) {
    match command {
        Command::Close => {
            let newest = face.state().newest_access();
            face.close();
            face.edit(|view| view.later = newest);
        }
        Command::Confirm => face.hand_over(access),
        _ => {}
    }
}

pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>, access: &Access) -> Option<(u16, u16)> {
    let wide = canvas.width().saturating_sub(6).min(76);
    let inner = wide.saturating_sub(4);
    let mut text: Vec<(String, Tone)> = Vec::new();
    let mut say =
        |part: &str, tone: Tone| text.extend(lines(part, inner).into_iter().map(|line| (line, tone)));
    if let Some(request) = scene.state.access.get(access) {
        if !request.complaint.is_empty() {
            say(&format!("! {}", request.complaint), Tone::Warn);
        }
        say(&words::access::purpose(access), Tone::Plain);
        say(&words::access::waiting(request), Tone::Plain);
    }
    say(words::access::SECRETS, Tone::Dim);
    let rows = u16::try_from(text.len() + 6).unwrap_or(u16::MAX);
    let mut window = middle(canvas, wide, rows);
    let mut inside = window.boxed(&words::access::title(access), true);
    // The field is always there, whatever stands above it.
    let field = (rows - 4).min(inside.height().saturating_sub(2));
    let mut part = inside.part(1, 0, inner, field);
    for (y, (line, tone)) in (0..).zip(&text) {
        part.text(0, y, line, *tone);
    }
    let start = inside.text(1, field, "> ", Tone::Key);
    let columns = inside.width().saturating_sub(start + 2);
    let stars = u16::try_from(scene.typed).unwrap_or(u16::MAX).min(columns.saturating_sub(1));
    inside.part(start, field, columns, 1).tint(0, Tone::Field);
    inside.cell(start, field, columns, &"*".repeat(usize::from(stars)), Tone::Field);
    inside.text(1, field + 1, "It is not shown. Enter gives it, Esc leaves it for later.", Tone::Dim);
    inside.at(start.saturating_add(stars), field)
}
