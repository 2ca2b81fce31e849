//! The only way onto the screen: text is escaped and clipped here, and no size of the screen is too small.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::look::{Theme, Tone};
use crate::text::escape::{Newline, safe, safe_with};
use crate::text::width;

/// What stands where text was cut off; every console has a glyph for it.
pub(super) const CUT: &str = "..";

/// A part of the screen with its own origin.
pub(super) struct Canvas<'a> {
    buffer: &'a mut Buffer,
    area: Rect,
    pub(super) theme: &'a Theme,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, theme: &'a Theme) -> Self {
        Self { area: buffer.area, buffer, theme }
    }

    pub(super) fn width(&self) -> u16 {
        self.area.width
    }

    pub(super) fn height(&self) -> u16 {
        self.area.height
    }

    /// The part that begins at column `x` and row `y` of this one, as far as it lies within.
    pub(super) fn part(&mut self, x: u16, y: u16, columns: u16, rows: u16) -> Canvas<'_> {
        let wanted = Rect::new(self.area.x.saturating_add(x), self.area.y.saturating_add(y), columns, rows);
        Canvas { area: wanted.intersection(self.area), buffer: self.buffer, theme: self.theme }
    }

    /// Everything from row `y` on.
    pub(super) fn below(&mut self, y: u16) -> Canvas<'_> {
        let (columns, rows) = (self.width(), self.height().saturating_sub(y));
        self.part(0, y, columns, rows)
    }

    /// Where a cell of this part lies on the screen.
    pub(super) fn at(&self, x: u16, y: u16) -> Option<(u16, u16)> {
        (x < self.area.width && y < self.area.height).then(|| (self.area.x + x, self.area.y + y))
    }

    /// Writes `text` from column `x` on, cut at the right border. Gives the column behind it.
    pub(super) fn text(&mut self, x: u16, y: u16, text: &str, tone: Tone) -> u16 {
        self.styled(x, y, text, self.theme.style(tone))
    }

    /// Writes `text` in at most `columns`.
    pub(super) fn cell(&mut self, x: u16, y: u16, columns: u16, text: &str, tone: Tone) -> u16 {
        let columns = columns.min(self.width().saturating_sub(x));
        self.part(x, y, columns, 1).text(0, 0, text, tone).saturating_add(x)
    }

    fn styled(&mut self, x: u16, y: u16, text: &str, style: Style) -> u16 {
        if x >= self.area.width || y >= self.area.height {
            return x;
        }
        let room = self.area.width - x;
        let text = safe(text);
        let text = width::cut_with(&text, usize::from(room), CUT);
        let (end, _) =
            self.buffer.set_stringn(self.area.x + x, self.area.y + y, &text, usize::from(room), style);
        end - self.area.x
    }

    /// Writes `text` so that it ends at the right border.
    pub(super) fn right(&mut self, y: u16, text: &str, tone: Tone) -> u16 {
        let columns = u16::try_from(width::width(&safe(text))).unwrap_or(u16::MAX);
        let x = self.width().saturating_sub(columns);
        self.text(x, y, text, tone);
        x
    }

    /// One character of this program's own.
    pub(super) fn glyph(&mut self, x: u16, y: u16, glyph: &'static str, tone: Tone) {
        let style = self.theme.style(tone);
        if let Some((x, y)) = self.at(x, y)
            && let Some(cell) = self.buffer.cell_mut((x, y))
        {
            cell.set_symbol(glyph).set_style(style);
        }
    }

    /// Gives a row the looks of `tone`, whatever stands in it.
    pub(super) fn tint(&mut self, y: u16, tone: Tone) {
        let row = Rect::new(self.area.x, self.area.y.saturating_add(y), self.area.width, 1);
        let style = self.theme.style(tone);
        self.buffer.set_style(row.intersection(self.area), style);
    }

    /// A border with a title; gives what is inside. `focused` borders are double.
    pub(super) fn boxed(&mut self, title: &str, focused: bool) -> Canvas<'_> {
        let (columns, rows) = (self.width(), self.height());
        if columns < 2 || rows < 2 {
            return self.part(0, 0, columns, rows);
        }
        let tone = if focused { Tone::Focus } else { Tone::Border };
        let [level, upright, corners @ ..] = if focused {
            ["═", "║", "╔", "╗", "╚", "╝"]
        } else {
            ["─", "│", "┌", "┐", "└", "┘"]
        };
        for x in 1..columns - 1 {
            self.glyph(x, 0, level, tone);
            self.glyph(x, rows - 1, level, tone);
        }
        for y in 1..rows - 1 {
            self.glyph(0, y, upright, tone);
            self.glyph(columns - 1, y, upright, tone);
        }
        for (glyph, (x, y)) in
            corners.into_iter().zip([(0, 0), (columns - 1, 0), (0, rows - 1), (columns - 1, rows - 1)])
        {
            self.glyph(x, y, glyph, tone);
        }
        if !title.is_empty() && columns > 6 {
            let tone = if focused { Tone::Focus } else { Tone::Title };
            let end = self.cell(2, 0, columns.saturating_sub(5), &format!(" {title}"), tone);
            self.text(end, 0, " ", tone);
        }
        self.part(1, 1, columns - 2, rows - 2)
    }

    /// Makes the part empty.
    pub(super) fn clear(&mut self) {
        for y in self.area.top()..self.area.bottom() {
            for x in self.area.left()..self.area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                }
            }
        }
    }

    pub(super) fn rule(&mut self, y: u16) {
        for x in 0..self.width() {
            self.glyph(x, y, "─", Tone::Border);
        }
    }

    /// Writes `text` in lines broken at blanks, from row `y` on, `indent` columns in; what follows the first line
    /// hangs below `mark`. Gives the row behind it.
    pub(super) fn hanging(&mut self, x: u16, y: u16, mark: &str, text: &str, tone: Tone) -> u16 {
        let behind = self.text(x, y, mark, tone);
        let columns = self.width().saturating_sub(behind);
        let mut row = y;
        for line in lines(text, columns) {
            if row >= self.height() {
                return row;
            }
            self.text(behind, row, &line, tone);
            row += 1;
        }
        row.max(y + 1)
    }

    /// A bar of `columns`, as much of it filled as `part` is of `whole`.
    pub(super) fn bar(&mut self, x: u16, y: u16, columns: u16, part: usize, whole: usize, tone: Tone) {
        let filled = (usize::from(columns) * part.min(whole)).checked_div(whole).unwrap_or(0);
        for column in 0..columns {
            let (glyph, tone) = if usize::from(column) < filled { ("■", tone) } else { ("·", Tone::Dim) };
            self.glyph(x.saturating_add(column), y, glyph, tone);
        }
    }

    /// At the right border: which part of `total` rows is shown, from row `top` on.
    pub(super) fn scroll(&mut self, top: usize, total: usize) {
        let rows = usize::from(self.height());
        if total <= rows || rows < 2 || self.width() == 0 {
            return;
        }
        let x = self.width() - 1;
        let long = (rows * rows / total).clamp(1, rows);
        let most = total - rows;
        let at = ((rows - long) * top.min(most) + most / 2) / most;
        for y in 0..rows {
            let glyph = if (at..at + long).contains(&y) { "█" } else { "░" };
            self.glyph(x, u16::try_from(y).unwrap_or(u16::MAX), glyph, Tone::Dim);
        }
    }

    /// Copies cells of another program's screen; the symbols must be checked by the caller.
    pub(super) fn raw(&mut self, x: u16, y: u16, symbol: &str, style: Style) {
        if let Some((x, y)) = self.at(x, y)
            && let Some(cell) = self.buffer.cell_mut((x, y))
        {
            cell.set_symbol(symbol).set_style(style);
        }
    }
}

/// `text`, safe to show, as lines of at most `columns`.
pub(super) fn lines(text: &str, columns: u16) -> Vec<String> {
    let text = safe_with(text.trim_end(), Newline::Keep);
    width::wrap(&text, usize::from(columns.max(1)))
}

/// The first row of a list of `total` rows of which `shown` fit, so that `row` stands in the middle where it can.
pub(super) fn centred(row: usize, shown: usize, total: usize) -> usize {
    row.saturating_sub(shown / 2).min(total.saturating_sub(shown))
}
