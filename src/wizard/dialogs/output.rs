//! Everything a run printed, from its end upwards.

use crate::wizard::face::Face;
use crate::wizard::keys::Command;
use crate::wizard::look::Tone;
use crate::wizard::paint::Canvas;
use crate::wizard::scene::Scene;
use crate::wizard::view::{Dialog, Typing, Wanted};

/// Lines that are looked at upwards from the end. The whole is in the file.
const REACH: usize = 20_000;

pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let Some(Dialog::Output { run, title, from_end, find }) = &scene.view.dialog else { return };
    let mut inside = canvas.boxed(&format!("{title}: what it printed"), true);
    let rows = usize::from(inside.height());
    let tail = scene.printed.tail(run, rows, *from_end);
    if let Some(wrong) = &tail.wrong {
        inside.text(0, 0, wrong, Tone::Warn);
        return;
    }
    if tail.lines.is_empty() {
        inside.text(0, 0, "It printed nothing so far.", Tone::Dim);
    }
    for (y, line) in (0..).zip(&tail.lines) {
        let hit = !find.is_empty() && line.contains(&**find);
        inside.text(0, y, line, if hit { Tone::Focus } else { Tone::Plain });
    }
    let place = if *from_end == 0 { "its end".to_owned() } else { format!("{from_end} lines above its end") };
    let columns = canvas.width();
    let rows = canvas.height();
    let size = crate::text::size::short(tail.bytes);
    canvas.part(2, rows.saturating_sub(1), columns.saturating_sub(4), 1).text(
        0,
        0,
        &format!(" {size}, {place} "),
        Tone::Dim,
    );
}

pub(super) fn act(face: &mut Face, command: Command, page: usize) {
    let Some(Dialog::Output { run, from_end, find, .. }) = face.view().dialog.clone() else { return };
    let to = match command {
        Command::Close => {
            face.close();
            return;
        }
        Command::Up => from_end + 1,
        Command::PageUp => from_end + page,
        Command::Down => from_end.saturating_sub(1),
        Command::PageDown => from_end.saturating_sub(page),
        Command::First => REACH,
        Command::Last => 0,
        Command::Find => {
            let typing = Typing { cursor: find.chars().count(), text: find, wrong: None };
            face.open_over(Dialog::Type { wanted: Wanted::Find, typing });
            return;
        }
        Command::FindNext => {
            seek(face, &run, from_end + 1, &find);
            return;
        }
        _ => return,
    };
    let lines = face.printed().tail(&run, REACH, 0).lines.len();
    let shown = usize::from(face.view().size.1.saturating_sub(4));
    scroll(face, to.min(lines.saturating_sub(shown)));
}

fn scroll(face: &mut Face, to: usize) {
    face.edit(|view| {
        if let Some(Dialog::Output { from_end, .. }) = &mut view.dialog {
            *from_end = to;
        }
    });
}

/// Looks for `text` from the end upwards, and shows the first place.
pub(super) fn find(face: &mut Face, text: &str) {
    face.close();
    let Some(Dialog::Output { run, .. }) = face.view().dialog.clone() else { return };
    face.edit(|view| {
        if let Some(Dialog::Output { find, .. }) = &mut view.dialog {
            text.clone_into(find);
        }
    });
    seek(face, &run, 0, text);
}

fn seek(face: &mut Face, run: &str, from: usize, text: &str) {
    if text.is_empty() {
        return;
    }
    let lines = face.printed().tail(run, REACH, 0).lines;
    let found = lines.iter().rev().enumerate().skip(from).find(|(_, line)| line.contains(text));
    match found {
        Some((from_end, _)) => scroll(face, from_end),
        None => face.note(&format!("\"{text}\" does not stand further up, in the last {REACH} lines.")),
    }
}
