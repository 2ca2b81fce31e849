//! How dialogs look.

use super::{output, secret, sure, typing};
use crate::text::escape::safe;
use crate::text::width;
use crate::wizard::keys::Key;
use crate::wizard::look::Tone;
use crate::wizard::pages;
use crate::wizard::paint::{Canvas, centred, lines};
use crate::wizard::review;
use crate::wizard::scene::Scene;
use crate::wizard::view::{Dialog, Typing, Wanted};

/// What may be typed, as far as it is shown at once.
const CANDIDATES: usize = 8;

/// Draws what lies over the page; gives the place of the cursor.
pub(in crate::wizard) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>) -> Option<(u16, u16)> {
    let (columns, rows) = (canvas.width(), canvas.height().saturating_sub(1));
    let mut over = canvas.part(0, 0, columns, rows);
    match scene.view.dialog.as_ref()? {
        Dialog::Help { top } => {
            help(scene, &mut over, *top);
            None
        }
        Dialog::Command { row, top } => {
            command(scene, &mut over, *row, *top);
            None
        }
        Dialog::Output { .. } => {
            let rows = over.height().saturating_sub(1);
            output::draw(scene, &mut cleared(&mut over, 0, 1, columns, rows));
            None
        }
        Dialog::Secret { access } => secret::draw(scene, &mut over, access),
        Dialog::Type { wanted, typing } => type_in(scene, &mut over, wanted, typing),
        Dialog::Sure { about, yes } => {
            let (text, does, does_not) = sure::texts(scene.state, about, &scene.session.0);
            let wide = columns.saturating_sub(8).min(72);
            let question = lines(&text, wide.saturating_sub(4));
            let rows = u16::try_from(question.len()).unwrap_or(u16::MAX).saturating_add(7);
            let mut window = middle(&mut over, wide, rows);
            let mut inside = window.boxed("Are you sure?", true);
            let mut y = inside.hanging(1, 0, "", &text, Tone::Title) + 1;
            for (word, does, marked) in [("Yes", does, *yes), ("No ", does_not, !*yes)] {
                let tone = if marked { Tone::Selected } else { Tone::Plain };
                let mark = if marked { "> " } else { "  " };
                y = inside.hanging(1, y, &format!("{mark}{word}  "), &does, tone);
            }
            None
        }
        Dialog::Terminal { .. } => None,
    }
}

/// A part with nothing on it.
fn cleared<'a>(canvas: &'a mut Canvas<'_>, x: u16, y: u16, columns: u16, rows: u16) -> Canvas<'a> {
    let mut part = canvas.part(x, y, columns, rows);
    part.clear();
    part
}

/// An empty window in the middle.
pub(super) fn middle<'a>(canvas: &'a mut Canvas<'_>, columns: u16, rows: u16) -> Canvas<'a> {
    let (columns, rows) = (columns.min(canvas.width()), rows.min(canvas.height()));
    let (x, y) = ((canvas.width() - columns) / 2, (canvas.height() - rows) / 2);
    cleared(canvas, x, y, columns, rows)
}

fn type_in(
    scene: &Scene<'_>,
    canvas: &mut Canvas<'_>,
    wanted: &Wanted,
    typing: &Typing,
) -> Option<(u16, u16)> {
    let wide = canvas.width().saturating_sub(6).min(90);
    let inner = wide.saturating_sub(4);
    let prompt = typing::prompt(scene, wanted);
    let asked: usize = prompt.iter().map(|text| lines(text, inner).len()).sum();
    let candidates = pages::candidates(scene.state, wanted).unwrap_or_default();
    let wrong = typing.wrong.as_deref().unwrap_or_default();
    let below = lines(wrong, inner).len().max(1) + candidates.len().min(CANDIDATES);
    let rows = u16::try_from(asked + below + 6).unwrap_or(u16::MAX);
    let mut window = middle(canvas, wide, rows);
    let mut inside = window.boxed("Type", true);
    let mut y = 0;
    for text in &prompt {
        y = inside.hanging(1, y, "", text, Tone::Plain);
    }
    y += 1;
    let cursor = field(&mut inside, y, typing);
    y += 1;
    let marked = candidates.iter().position(|candidate| *candidate == typing.text).unwrap_or(0);
    let top = centred(marked, CANDIDATES, candidates.len());
    for candidate in candidates.iter().skip(top).take(CANDIDATES) {
        let marked = *candidate == typing.text;
        let tone = if marked { Tone::Selected } else { Tone::Plain };
        inside.text(3, y, &format!("{} {candidate}", if marked { ">" } else { " " }), tone);
        y += 1;
    }
    if !wrong.is_empty() {
        inside.hanging(1, y, "! ", wrong, Tone::Warn);
    }
    cursor
}

/// What is being typed, with as much of it as is seen around the cursor; gives the place of the cursor.
pub(in crate::wizard) fn field(canvas: &mut Canvas<'_>, y: u16, typing: &Typing) -> Option<(u16, u16)> {
    let start = canvas.text(1, y, "> ", Tone::Key);
    let columns = canvas.width().saturating_sub(start + 2);
    let before: Vec<char> = typing.text.chars().take(typing.cursor).collect();
    let wide = |chars: &[char]| width::width(&safe(&chars.iter().collect::<String>()));
    let mut skip = 0;
    while skip < before.len() && wide(&before[skip..]) >= usize::from(columns.max(1)) {
        skip += 1;
    }
    let shown: String = typing.text.chars().skip(skip).collect();
    canvas.part(start, y, columns, 1).tint(0, Tone::Field);
    canvas.cell(start, y, columns, &shown, Tone::Field);
    let at = u16::try_from(wide(&before[skip..])).unwrap_or(u16::MAX);
    canvas.at(start.saturating_add(at), y)
}

/// Every key of the page below, from the table that handles them.
fn help_lines(scene: &Scene<'_>) -> Vec<(String, String)> {
    let mut below = scene.view.clone();
    below.dialog = None;
    let page = Scene { view: &below, ..*scene };
    review::helped(&page)
        .unwrap_or_else(|| pages::bindings(&page))
        .iter()
        .map(|binding| {
            let keys: Vec<String> = binding.keys().map(Key::name).collect();
            let why = binding.why_not.as_ref().map(|why| format!(" (not now: {why})")).unwrap_or_default();
            (keys.join(", "), format!("{}{why}", binding.help))
        })
        .collect()
}

fn help(scene: &Scene<'_>, canvas: &mut Canvas<'_>, top: usize) {
    let all = help_lines(scene);
    let wide = canvas.width().saturating_sub(4).min(100);
    let rows = u16::try_from(all.len() + 2).unwrap_or(u16::MAX);
    let mut window = middle(canvas, wide, rows);
    let mut inside = window.boxed(&format!("Keys: {}", scene.view.page.title()), true);
    let mut y = 0;
    for (keys, text) in all.iter().skip(top) {
        if y >= inside.height() {
            break;
        }
        inside.cell(1, y, 16, keys, Tone::Key);
        y = inside.hanging(18, y, "", text, Tone::Plain);
    }
    inside.scroll(top, all.len());
}

/// Rows of the dialog that can be scrolled.
pub(super) fn rows_of(scene: &Scene<'_>) -> usize {
    match &scene.view.dialog {
        Some(Dialog::Help { .. }) => help_lines(scene).len(),
        Some(Dialog::Command { row, .. }) => {
            pages::command_of(scene, *row).map_or(0, |(_, text)| text.lines().count())
        }
        _ => 0,
    }
}

fn command(scene: &Scene<'_>, canvas: &mut Canvas<'_>, row: usize, top: usize) {
    let (columns, rows) = (canvas.width(), canvas.height().saturating_sub(1));
    let mut window = cleared(canvas, 0, 1, columns, rows);
    let (title, text) = pages::command_of(scene, row).unwrap_or_default();
    let mut inside = window.boxed(&title, true);
    let all: Vec<String> = lines(&text, inside.width().saturating_sub(2));
    for (y, line) in all.iter().skip(top).enumerate() {
        inside.text(1, u16::try_from(y).unwrap_or(u16::MAX), line, Tone::Plain);
    }
    inside.scroll(top, all.len());
}
