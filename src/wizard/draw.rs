//! A frame: the same function for the operator, for whoever looks on, and for whoever reviews.

use ratatui::buffer::Buffer;

use super::keys::Binding;
use super::look::{Theme, Tone};
use super::paint::Canvas;
use super::scene::{Scene, Seat};
use super::view::{Dialog, Sure};
use super::{dialogs, pages, panes, review};

/// Below this size there is one line, or as much of it as fits.
const LEAST: (u16, u16) = (40, 10);
/// Columns of the list of steps.
const STEPS: u16 = 19;
/// Below this many columns there is no list of steps.
const NARROW: u16 = 72;

/// Draws `scene`, and says where the cursor stands.
pub(super) fn draw(scene: &Scene<'_>, buffer: &mut Buffer, theme: &Theme) -> Option<(u16, u16)> {
    buffer.reset();
    let mut canvas = Canvas::new(buffer, theme);
    if canvas.width() < LEAST.0 || canvas.height() < LEAST.1 {
        small(scene, &mut canvas);
        return None;
    }
    if let Some(Dialog::Terminal { key }) = &scene.view.dialog {
        let cursor = dialogs::terminal(scene, &mut canvas, key);
        let last = canvas.height() - 1;
        review::strip(scene, &mut canvas.below(last));
        return cursor;
    }
    // A reviewer sees the buttons of the operator's screen, and has keys of their own.
    let bindings = pages::bindings(scene);
    let keys = review::table(scene);
    let last = canvas.height() - 1;
    panes::header(scene, &mut canvas);
    if scene.view.page.is_preparing() && !scene.shows_access() {
        preparing(scene, &mut canvas, &bindings);
    } else {
        let rows = canvas.height().saturating_sub(3);
        let columns = canvas.width();
        pages::draw(scene, &mut canvas.part(0, 1, columns, rows));
        note(scene, &mut canvas.part(0, last - 1, columns, 1));
    }
    footer(keys.as_ref().unwrap_or(&bindings), &mut canvas.below(last));
    dialogs::draw(scene, &mut canvas)
}

/// Columns and rows within the border of a page before the start, on a screen of this size.
pub(super) fn room((columns, rows): (u16, u16)) -> (u16, u16) {
    let steps = if columns < NARROW { 0 } else { STEPS };
    let columns = columns.saturating_sub(steps).saturating_sub(2);
    (columns.saturating_sub(2 * air(columns)), rows.saturating_sub(5))
}

/// A column of air at both sides, where there is room for it.
fn air(columns: u16) -> u16 {
    u16::from(columns > 50)
}

/// The list of steps at the left, the page at the right, the buttons below.
fn preparing(scene: &Scene<'_>, canvas: &mut Canvas<'_>, bindings: &[Binding]) {
    let (columns, rows) = (canvas.width(), canvas.height().saturating_sub(3));
    let steps = if columns < NARROW { 0 } else { STEPS };
    if steps > 0 {
        panes::steps(scene, &mut canvas.part(0, 1, steps, rows));
    }
    let title = pages::title(scene);
    let mut page = canvas.part(steps, 1, columns - steps, rows);
    let mut inside = page.boxed(&title, false);
    let (width, height) = (inside.width(), inside.height());
    let air = air(width);
    pages::draw(scene, &mut inside.part(air, 0, width - 2 * air, height));
    let last = canvas.height() - 2;
    let mut row = canvas.part(0, last, columns, 1);
    if !note(scene, &mut row) {
        buttons(bindings, &mut row);
    }
}

/// `[ Back ]  [ Next ]  (Next needs: ...)  [ Quit ]`
fn buttons(bindings: &[Binding], row: &mut Canvas<'_>) {
    use super::keys::Command;
    let mut x = 2;
    for command in [Command::Back, Command::Next, Command::Begin, Command::Leave] {
        let Some(binding) = bindings.iter().find(|binding| binding.command == command) else { continue };
        let tone = if binding.why_not.is_some() { Tone::Disabled } else { Tone::Button };
        x = row.text(x, 0, &format!("[ {} ]", binding.label), tone);
        if let (Command::Next, Some(why)) = (command, &binding.why_not) {
            let room = row.width().saturating_sub(x + 14);
            x = row.cell(x + 1, 0, room, &format!("({why})"), Tone::Warn);
        }
        x += 2;
    }
}

/// What the operator is told about what they did last. False: nothing.
fn note(scene: &Scene<'_>, row: &mut Canvas<'_>) -> bool {
    let event = scene.review.and_then(|review| review.line.as_deref());
    let told = scene.view.note.as_deref();
    // Of an operator's screen the event comes first; on a screen of their own, what the reviewer is told.
    let event_first = !matches!(scene.seat, Seat::Reviewer);
    let (text, tone) = match (scene.busy, told, event) {
        (Some(busy), ..) => (busy, Tone::Running),
        (None, None, Some(event)) => (event, Tone::Running),
        (None, Some(_), Some(event)) if event_first => (event, Tone::Running),
        (None, Some(note), _) => (note, Tone::Warn),
        (None, None, None) => return false,
    };
    let x = row.text(1, 0, if tone == Tone::Warn { "! " } else { "> " }, tone);
    row.text(x, 0, text, tone);
    true
}

/// The keys of the page, as many as fit; `?` shows all.
pub(super) fn footer(bindings: &[Binding], row: &mut Canvas<'_>) {
    let mut x = 1;
    let shown = bindings.iter().filter(|binding| !binding.label.is_empty() && binding.why_not.is_none());
    for binding in shown {
        let name = binding.key_name();
        let long = name.len() + 1 + binding.label.len();
        if usize::from(x) + long > usize::from(row.width()) {
            break;
        }
        x = row.text(x, 0, &name, Tone::Key);
        x = row.text(x + 1, 0, binding.label, Tone::Plain) + 2;
    }
}

/// What a window tells that is too small for a page.
fn small(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let digest = scene.story.digest();
    let text = digest.sentence.clone().unwrap_or_else(|| scene.view.page.title().to_owned());
    canvas.text(0, 0, &text, Tone::Title);
    let mut y = 1;
    if scene.knocks() {
        y = canvas.hanging(0, y, "? ", "servers wait for your word", Tone::Warn);
    }
    if let Some(question) = scene.question() {
        y = canvas.hanging(0, y, "? ", &question.text, Tone::Warn);
    }
    canvas.text(0, y, "make the window larger", Tone::Dim);
}

/// What the header says of that which waits for an answer and is not on the screen.
pub(super) fn waiting_words(scene: &Scene<'_>) -> impl Iterator<Item = &'static str> {
    let covered = matches!(
        scene.view.dialog,
        Some(Dialog::Help { .. } | Dialog::Output { .. } | Dialog::Command { .. })
    );
    let shows_access = scene.shows_access();
    let asks = scene.question().is_some() && (covered || scene.view.aside || shows_access);
    let about_it = matches!(
        scene.view.dialog,
        Some(Dialog::Secret { .. } | Dialog::Sure { about: Sure::Trust { .. }, .. })
    );
    let knocks = scene.knocks() && !about_it && (scene.view.dialog.is_some() || !shows_access);
    let knocks =
        knocks.then_some(if scene.view.dialog.is_some() { "ACCESS NEEDED" } else { "F4: ACCESS NEEDED" });
    knocks.into_iter().chain(asks.then_some("ANSWER NEEDED"))
}

/// Which seat, as the header says it.
pub(super) fn seat_word(scene: &Scene<'_>) -> Option<(String, Tone)> {
    if let Some(review) = scene.review {
        return Some((review::word(review), Tone::Warn));
    }
    match scene.seat {
        Seat::Operator { pen: true } | Seat::Reviewer => None,
        Seat::Operator { pen: false } => Some(("NO PEN".to_owned(), Tone::Warn)),
        Seat::Watcher => Some(("LOOKING ON".to_owned(), Tone::Warn)),
    }
}

/// How far a session is, in the list of steps: the number of the page and how many there are.
pub(super) fn step_of(scene: &Scene<'_>) -> (usize, usize) {
    let pages = pages::all(scene);
    let at = pages.iter().position(|page| *page == scene.view.page).unwrap_or(0);
    (at + 1, pages.len().max(1))
}
