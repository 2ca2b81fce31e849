//! A text in lines that fit, of which a part is seen.

use crate::wizard::look::Tone;
use crate::wizard::paint::{Canvas, lines};

struct Line {
    label: Option<(String, Tone)>,
    indent: u16,
    text: String,
    tone: Tone,
}

/// Paragraphs, broken into lines of a given number of columns.
pub(super) struct Sheet {
    columns: u16,
    lines: Vec<Line>,
}

impl Sheet {
    pub(super) fn new(columns: u16) -> Self {
        Self { columns, lines: Vec::new() }
    }

    pub(super) fn say(&mut self, text: &str, tone: Tone) {
        self.item(None, 0, text, tone);
    }

    pub(super) fn blank(&mut self) {
        self.say("", Tone::Plain);
    }

    /// A paragraph `indent` columns in, with `label` in front of its first line.
    pub(super) fn item(&mut self, label: Option<(&str, Tone)>, indent: u16, text: &str, tone: Tone) {
        // On a screen too narrow for the indent the text is worth more.
        let indent = if indent.saturating_add(16) > self.columns { indent.min(4) } else { indent };
        let mut label = label.map(|(label, tone)| (label.to_owned(), tone));
        if label.as_ref().is_some_and(|(label, _)| label.chars().count() > usize::from(indent)) {
            self.lines.push(Line { label: label.take(), indent, text: String::new(), tone });
        }
        for text in lines(text, self.columns.saturating_sub(indent)) {
            self.lines.push(Line { label: label.take(), indent, text, tone });
        }
    }

    pub(super) fn cite(&mut self, indent: u16, cite: Option<&str>) {
        if let Some(cite) = cite {
            self.item(None, indent, &format!("(vendor: {cite})"), Tone::Dim);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Draws what fits from line `top` on. Gives the row behind it.
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>, top: usize) -> u16 {
        let mut y = 0;
        for index in (top..self.len()).take(usize::from(canvas.height())) {
            self.draw_line(canvas, y, index);
            y += 1;
        }
        y
    }

    /// Draws one line in row `y`.
    pub(super) fn draw_line(&self, canvas: &mut Canvas<'_>, y: u16, index: usize) {
        let Some(line) = self.lines.get(index) else { return };
        if let Some((label, tone)) = &line.label {
            canvas.text(0, y, label, *tone);
        }
        canvas.text(line.indent, y, &line.text, line.tone);
    }

    /// Draws the sheet from line `top` on, or its end, with a mark at the right of where that is.
    pub(super) fn draw_scrolled(&self, canvas: &mut Canvas<'_>, top: usize) {
        let top = self.clamped(top, canvas.height());
        self.draw(canvas, top);
        canvas.scroll(top, self.len());
    }

    /// The first line to be shown, so that no row stays empty at the end.
    pub(super) fn clamped(&self, top: usize, rows: u16) -> usize {
        top.min(self.len().saturating_sub(usize::from(rows)))
    }
}
