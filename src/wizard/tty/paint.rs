//! What has to be written for a frame, given the one before.

use ratatui::buffer::{Buffer, Cell, CellWidth as _};
use ratatui::layout::Rect;

use super::encode::Encoder;

/// A drawn screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    pub buffer: Buffer,
    /// Column and row of the cursor, from 0. `None`: it is not shown.
    pub cursor: Option<(u16, u16)>,
}

/// Remembers what the terminal shows and says what to write for the next frame.
pub struct Painter {
    shown: Frame,
    /// The terminal may show anything.
    unknown: bool,
}

impl Painter {
    pub fn new(columns: u16, rows: u16) -> Self {
        let buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        Self { shown: Frame { buffer, cursor: None }, unknown: true }
    }

    /// Appends to `out` what makes the terminal show `frame`: nothing if it does already. Gives a buffer back to be
    /// drawn on again.
    pub fn paint(&mut self, mut frame: Frame, out: &mut Vec<u8>) -> Buffer {
        disarm(&mut frame.buffer);
        let mut cursor_moved = frame.cursor != self.shown.cursor;
        if self.unknown || frame.buffer.area != self.shown.buffer.area {
            self.shown.buffer.resize(frame.buffer.area);
            self.shown.buffer.reset();
            out.extend_from_slice(b"\x1b[?25l\x1b[m\x1b[2J");
            self.shown.cursor = None;
            self.unknown = false;
            cursor_moved = frame.cursor.is_some();
        }
        let before = out.len();
        differences(&self.shown.buffer, &frame.buffer, out);
        if cursor_moved || (out.len() > before && frame.cursor.is_some()) {
            if let Some((x, y)) = frame.cursor {
                Encoder::new(out).move_to(x, y);
            }
            match (self.shown.cursor, frame.cursor) {
                (None, Some(_)) => out.extend_from_slice(b"\x1b[?25h"),
                (Some(_), None) => out.extend_from_slice(b"\x1b[?25l"),
                _ => {}
            }
        }
        std::mem::replace(&mut self.shown, frame).buffer
    }

    /// The terminal may show anything now; the next frame is drawn as a whole.
    pub fn forget(&mut self) {
        self.unknown = true;
    }

    /// Columns and rows of the last frame.
    pub fn size(&self) -> (u16, u16) {
        (self.shown.buffer.area.width, self.shown.buffer.area.height)
    }

    /// Appends to `out` what makes the terminal show the last frame again, whatever it shows now.
    pub fn repaint(&mut self, out: &mut Vec<u8>) {
        let last = self.shown.clone();
        self.forget();
        self.paint(last, out);
    }
}

/// Appends what turns `before` into `after`, which is of the same size.
fn differences(before: &Buffer, after: &Buffer, out: &mut Vec<u8>) {
    let columns = usize::from(after.area.width).max(1);
    let mut encoder = Encoder::new(out);
    let rows = before.content.chunks(columns).zip(after.content.chunks(columns));
    for (y, (before, after)) in (0..).zip(rows) {
        if before == after {
            continue;
        }
        // What is left of a wide glyph that was half overwritten differs from terminal to terminal.
        let whole = before.iter().chain(after).any(|cell| width(cell) > 1);
        let mut covered = 0;
        for (x, (old, new)) in (0..).zip(before.iter().zip(after)) {
            // What stands below a wide glyph is not shown, however wide it is itself.
            if x < covered {
                continue;
            }
            if whole || old != new {
                encoder.cell(x, y, new);
            }
            covered = x.saturating_add(width(new));
        }
    }
    encoder.finish();
}

fn width(cell: &Cell) -> u16 {
    if is_plain(cell) { 1 } else { cell.cell_width() }
}

fn is_plain(cell: &Cell) -> bool {
    matches!(cell.symbol().as_bytes(), [b' '..=b'~'])
}

/// Leaves nothing in a cell that would do anything but fill it: a control character there is a fault of who drew it
/// and must not reach the terminal, and a wide glyph in the last column would begin the next line.
fn disarm(buffer: &mut Buffer) {
    let columns = usize::from(buffer.area.width).max(1);
    for row in buffer.content.chunks_mut(columns) {
        let mut room = u16::try_from(row.len()).unwrap_or(u16::MAX);
        for cell in row {
            if !is_plain(cell) {
                if cell.symbol().chars().any(char::is_control) {
                    cell.set_symbol("?");
                } else if !(1..=room).contains(&cell.cell_width()) {
                    cell.set_symbol(" ");
                }
            }
            room = room.saturating_sub(1);
        }
    }
}
