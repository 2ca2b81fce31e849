//! From cells to the bytes that draw them.

use std::io::Write as _;

use ratatui::buffer::{Cell, CellWidth as _};
use ratatui::style::{Color, Modifier};

const KNOWN: [(Modifier, u8); 4] =
    [(Modifier::BOLD, 1), (Modifier::DIM, 2), (Modifier::UNDERLINED, 4), (Modifier::REVERSED, 7)];

/// Appends to a vector what draws cells, as briefly as it goes. Begins and ends with plain style.
pub(super) struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    /// Where the terminal's cursor is, if that is sure.
    at: Option<(u16, u16)>,
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, at: None, fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() }
    }

    pub(super) fn cell(&mut self, x: u16, y: u16, cell: &Cell) {
        self.move_to(x, y);
        self.style(cell);
        let symbol = cell.symbol();
        let is_ascii = symbol.len() == 1;
        self.out.extend_from_slice(symbol.as_bytes());
        // Terminals do not agree how wide such glyphs are, so what comes next is placed anew.
        let is_sure = is_ascii || (cell.cell_width() == 1 && symbol.chars().count() == 1);
        self.at = is_sure.then(|| (x.saturating_add(1), y));
    }

    pub(super) fn move_to(&mut self, x: u16, y: u16) {
        match self.at {
            Some(at) if at == (x, y) => return,
            Some((from, row)) if row == y && from < x && x - from == 1 => {
                self.out.extend_from_slice(b"\x1b[C");
            }
            Some((from, row)) if row == y && from < x => self.number(b"\x1b[", x - from, b'C'),
            _ if x == 0 => self.number(b"\x1b[", y.saturating_add(1), b'H'),
            _ => {
                let _ = write!(self.out, "\x1b[{};{}H", y.saturating_add(1), x.saturating_add(1));
            }
        }
        self.at = Some((x, y));
    }

    fn number(&mut self, before: &[u8], number: u16, after: u8) {
        self.out.extend_from_slice(before);
        // Writing into a vector cannot fail.
        let _ = write!(self.out, "{number}");
        self.out.push(after);
    }

    fn style(&mut self, cell: &Cell) {
        let modifier =
            cell.modifier & (Modifier::BOLD | Modifier::DIM | Modifier::UNDERLINED | Modifier::REVERSED);
        if (cell.fg, cell.bg, modifier) == (self.fg, self.bg, self.modifier) {
            return;
        }
        self.out.extend_from_slice(b"\x1b[");
        let mut separate = false;
        if !modifier.contains(self.modifier) || (cell.fg, cell.bg) == (Color::Reset, Color::Reset) {
            // What is switched off has no code of its own that every terminal knows. An empty parameter is 0.
            (self.fg, self.bg, self.modifier) = (Color::Reset, Color::Reset, Modifier::empty());
            separate = true;
        }
        for (one, code) in KNOWN {
            if modifier.contains(one) && !self.modifier.contains(one) {
                self.parameter(&mut separate, code);
            }
        }
        if cell.fg != self.fg {
            self.parameter(&mut separate, code(cell.fg, 30));
        }
        if cell.bg != self.bg {
            self.parameter(&mut separate, code(cell.bg, 40));
        }
        self.out.push(b'm');
        (self.fg, self.bg, self.modifier) = (cell.fg, cell.bg, modifier);
    }

    fn parameter(&mut self, separate: &mut bool, code: u8) {
        if *separate {
            self.out.push(b';');
        }
        *separate = true;
        let _ = write!(self.out, "{code}");
    }

    pub(super) fn finish(self) {
        if (self.fg, self.bg, self.modifier) != (Color::Reset, Color::Reset, Modifier::empty()) {
            self.out.extend_from_slice(b"\x1b[m");
        }
    }
}

/// The SGR code of a colour; `base` is 30 or 40. What has no ANSI name is the terminal's default: themes see to names.
fn code(colour: Color, base: u8) -> u8 {
    match colour {
        Color::Black => base,
        Color::Red => base + 1,
        Color::Green => base + 2,
        Color::Yellow => base + 3,
        Color::Blue => base + 4,
        Color::Magenta => base + 5,
        Color::Cyan => base + 6,
        Color::Gray => base + 7,
        Color::DarkGray => base + 60,
        Color::LightRed => base + 61,
        Color::LightGreen => base + 62,
        Color::LightYellow => base + 63,
        Color::LightBlue => base + 64,
        Color::LightMagenta => base + 65,
        Color::LightCyan => base + 66,
        Color::White => base + 67,
        Color::Reset | Color::Rgb(..) | Color::Indexed(_) => base + 9,
    }
}
