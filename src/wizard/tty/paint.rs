//! What has to be written for a frame, given the one before.

use ratatui::buffer::Buffer;
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
    pub fn paint(&mut self, frame: Frame, out: &mut Vec<u8>) -> Buffer {
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
        let mut encoder = Encoder::new(out);
        for (x, y, cell) in self.shown.buffer.diff_iter(&frame.buffer) {
            encoder.cell(x, y, cell);
        }
        encoder.finish();
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
