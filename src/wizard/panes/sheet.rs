//! A text of many rows that scrolls, each with a sign in front.

use crate::wizard::keys::{self, Command};
use crate::wizard::look::Tone;
use crate::wizard::paint::{Canvas, lines};

/// A row before it is broken into lines. What follows its first line stands below its text.
#[derive(Clone, Debug)]
pub(in crate::wizard) struct Row {
    /// Of this program's own, in ASCII.
    pub(in crate::wizard) mark: String,
    pub(in crate::wizard) text: String,
    pub(in crate::wizard) tone: Tone,
}

/// One line of it.
struct Laid<'a> {
    row: &'a Row,
    is_first: bool,
    text: String,
}

impl Row {
    pub(in crate::wizard) fn new(mark: &str, text: impl Into<String>, tone: Tone) -> Self {
        Self { mark: mark.to_owned(), text: text.into(), tone }
    }

    /// What stands above other rows, with air in front.
    pub(in crate::wizard) fn head(rows: &mut Vec<Self>, text: impl Into<String>) {
        if !rows.is_empty() {
            rows.push(Self::new("", "", Tone::Plain));
        }
        rows.push(Self::new("", text, Tone::Title));
    }
}

fn laid(rows: &[Row], columns: u16) -> Vec<Laid<'_>> {
    let mut all = Vec::new();
    for row in rows {
        let mark = u16::try_from(row.mark.len()).unwrap_or(u16::MAX);
        let mut broken = lines(&row.text, columns.saturating_sub(mark)).into_iter();
        all.push(Laid { row, is_first: true, text: broken.next().unwrap_or_default() });
        all.extend(broken.map(|text| Laid { row, is_first: false, text }));
    }
    all
}

/// Columns of text in a sheet that is `columns` wide: the last one is the scroll bar's, with air at both sides.
fn wide(columns: u16) -> u16 {
    columns.saturating_sub(3)
}

/// Draws `rows` from line `top` on, or from as far down as there is something to fill the part.
pub(in crate::wizard) fn sheet(canvas: &mut Canvas<'_>, rows: &[Row], top: usize) {
    let all = laid(rows, wide(canvas.width()));
    let top = top.min(all.len().saturating_sub(usize::from(canvas.height())));
    for (y, line) in (0..canvas.height()).zip(all.iter().skip(top)) {
        let Row { mark, tone, .. } = line.row;
        if line.is_first {
            canvas.text(1, y, mark, *tone);
        }
        let x = u16::try_from(mark.len()).unwrap_or(u16::MAX).saturating_add(1);
        canvas.text(x, y, &line.text, *tone);
    }
    canvas.scroll(top, all.len());
}

/// The line that a sheet of `columns` and `shown` lines begins with after `command`, where it began with `top`.
pub(in crate::wizard) fn scrolled(
    command: Command,
    rows: &[Row],
    top: usize,
    columns: u16,
    shown: u16,
) -> usize {
    let shown = usize::from(shown).max(1);
    let most = laid(rows, wide(columns)).len().saturating_sub(shown);
    keys::moved(command, top.min(most), most + 1, shown)
}
