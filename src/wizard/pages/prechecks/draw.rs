//! How the prechecks look: the matrix above, the selected check below. Only what is seen is built.

use super::table::{At, CheckLine, CheckTable, Sign, table};
use super::{in_order, is_whole, selected, selected_at};
use crate::engine::{Purpose, ScriptRef};
use crate::model::ServerName;
use crate::text::width::width;
use crate::wizard::look::Tone;
use crate::wizard::pages::sheet::Sheet;
use crate::wizard::paint::{Canvas, centred};
use crate::wizard::scene::Scene;
use crate::words;

/// Columns of the title of a check, at least.
const TITLE: u16 = 22;
/// Columns of a server that has no room for its name.
const NUMBERED: u16 = 3;

/// What stands behind the title of a check.
enum Cells {
    /// A column a server, of that many columns of the screen, by name.
    Named(u16),
    /// A column a server, by number.
    Numbered,
    /// How many servers came out how.
    Counted,
}

impl Cells {
    fn of(checks: &CheckTable, columns: u16) -> Self {
        let room = usize::from(columns.saturating_sub(TITLE + 5));
        let count = checks.columns.len();
        if count * usize::from(NUMBERED) > room {
            return Self::Counted;
        }
        let names = checks.columns.iter().map(|at| width(place_name(at)));
        let widest = names.max().unwrap_or(0).max(3) + 1;
        match u16::try_from(widest) {
            Ok(cell) if widest * count <= room => Self::Named(cell),
            _ => Self::Numbered,
        }
    }

    fn width(&self) -> u16 {
        match self {
            Self::Named(columns) => *columns,
            Self::Numbered => NUMBERED,
            Self::Counted => 0,
        }
    }
}

/// What stands above a column.
fn place_name(at: &At) -> &str {
    at.as_ref().map_or("farm", ServerName::as_str)
}

/// Whether there is a column for each server.
pub(super) fn has_columns(checks: &CheckTable, columns: u16) -> bool {
    !matches!(Cells::of(checks, columns), Cells::Counted)
}

pub(in crate::wizard::pages) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let checks = table(scene);
    let (columns, rows) = (canvas.width(), canvas.height());
    let Some(line) = selected(scene, &checks) else {
        canvas.text(0, 0, "This profile has no checks.", Tone::Dim);
        return;
    };
    let at = selected_at(scene, &checks, line);
    if is_whole(scene) {
        detail(scene, canvas, &checks, line, &at);
        return;
    }
    let all = u16::try_from(checks.lines.len()).unwrap_or(u16::MAX).saturating_add(1);
    let shown = if rows < 8 { rows } else { all.min((rows * 9 / 20).max(4)) };
    matrix(scene, &mut canvas.part(0, 0, columns, shown), &checks, line, &at);
    if rows > shown + 2 {
        canvas.rule(shown);
        detail(scene, &mut canvas.below(shown + 1), &checks, line, &at);
    }
}

fn matrix(scene: &Scene<'_>, canvas: &mut Canvas<'_>, checks: &CheckTable, selected: &CheckLine, at: &At) {
    let columns = canvas.width();
    let cells = Cells::of(checks, columns);
    let count = u16::try_from(checks.columns.len()).unwrap_or(u16::MAX);
    let from = columns.saturating_sub(1).saturating_sub(cells.width().saturating_mul(count));
    canvas.text(3, 0, "Check", Tone::Dim);
    match cells {
        Cells::Counted => {
            canvas.part(0, 0, columns - 1, 1).right(0, "places", Tone::Dim);
        }
        _ => {
            for (index, column) in (0..).zip(checks.columns.iter()) {
                let name = match cells {
                    Cells::Named(_) => place_name(column).to_owned(),
                    _ => number(&checks.columns, index.into()),
                };
                let tone = if column == at { Tone::Title } else { Tone::Dim };
                canvas.cell(from + index * cells.width(), 0, cells.width(), &name, tone);
            }
        }
    }
    let mut rows = canvas.below(1);
    let fit = usize::from(rows.height());
    let row = checks.lines.iter().position(|line| line.order == selected.order).unwrap_or(0);
    let top = centred(row, fit, checks.lines.len());
    for (y, line) in (0..).zip(checks.lines.iter().skip(top).take(fit)) {
        let is_selected = line.order == selected.order;
        let (mark, tone) = line.worst.mark();
        let shade = if is_selected { Tone::Selected } else { Tone::Plain };
        let sign = if is_selected { ">" } else { " " };
        let mut part = rows.part(0, y, columns.saturating_sub(1), 1);
        if is_selected {
            part.tint(0, Tone::Selected);
        }
        part.text(0, 0, sign, shade);
        part.text(1, 0, mark, if is_selected { shade } else { tone });
        if let Cells::Counted = cells {
            let from = part.right(0, &counts(line), if is_selected { shade } else { tone });
            part.cell(3, 0, from.saturating_sub(4), &line.title, shade);
            continue;
        }
        part.cell(3, 0, from.saturating_sub(4), &line.title, shade);
        for (index, column) in (0..).zip(checks.columns.iter()) {
            if !line.places.contains(column) {
                continue;
            }
            let (mark, tone) = Sign::of(scene.state, &line.check, column, line.blocks).mark();
            let x = from + index * cells.width();
            let marked = is_selected && column == at;
            let text = if marked { format!("({mark})") } else { format!(" {mark} ") };
            part.text(x, 0, &text, if is_selected { shade } else { tone });
        }
    }
    rows.scroll(top, checks.lines.len());
}

/// What stands above a column without a name, and in front of the name of its server below.
fn number(columns: &[At], index: usize) -> String {
    let has_farm = columns.first().is_some_and(Option::is_none);
    match index {
        0 if has_farm => " F".to_owned(),
        index => format!("{:>2}", index + usize::from(!has_farm)),
    }
}

/// `2 X  1 ?  1997 +`
fn counts(line: &CheckLine) -> String {
    let signs =
        [Sign::Blocks, Sign::Warns, Sign::Unclear, Sign::Vague, Sign::Open, Sign::Waived, Sign::Passes];
    let counts = signs.into_iter().map(|sign| (line.count(sign), sign.mark().0));
    let shown: Vec<String> =
        counts.filter(|(count, _)| *count > 0).map(|(count, mark)| format!("{count} {mark}")).collect();
    shown.join("  ")
}

/// The selected place of a check in full, then a row for every other one as far as they fit.
fn detail(scene: &Scene<'_>, canvas: &mut Canvas<'_>, checks: &CheckTable, line: &CheckLine, at: &At) {
    let columns = canvas.width();
    let head = head(scene, line, at, columns);
    let total = line.places.len();
    let rows = canvas.height();
    let more = usize::from(total > 1);
    if head.len() + more > usize::from(rows) {
        let last = rows.saturating_sub(1);
        head.draw(&mut canvas.part(0, 0, columns, last), 0);
        canvas.text(2, last, "O shows all of it", Tone::Key);
        return;
    }
    let y = head.draw(canvas, 0);
    let left = usize::from(rows.saturating_sub(y));
    if total < 2 {
        return;
    }
    let places = in_order(scene, line);
    let row = places.iter().position(|place| *place == at).unwrap_or(0);
    let top = centred(row, left, total);
    let is_numbered = matches!(Cells::of(checks, columns), Cells::Numbered);
    let mut rows = canvas.below(y);
    for (y, place) in (0..).zip(places.into_iter().skip(top).take(left)) {
        let (mark, tone) = Sign::of(scene.state, &line.check, place, line.blocks).mark();
        let name = words::place(place.as_ref());
        let number = if is_numbered {
            let column = checks.columns.iter().position(|column| column == place);
            column.map(|column| number(&checks.columns, column)).unwrap_or_default()
        } else {
            String::new()
        };
        let sign = if place == at { ">" } else { " " };
        rows.cell(
            0,
            y,
            columns.saturating_sub(1),
            &format!("{sign}{mark}{number} {name}: {}", measured(scene, line, place)),
            tone,
        );
    }
    rows.scroll(top, total);
}

/// What was measured at a place, how that is known and how old it is.
fn measured(scene: &Scene<'_>, line: &CheckLine, at: &At) -> String {
    let state = scene.state;
    if state.measures.contains_key(&Purpose::Check(line.check.clone(), at.clone())) {
        return "is being looked at ...".to_owned();
    }
    let Some(row) = words::checks::row(state, &line.check, at.as_ref()) else { return String::new() };
    if row.verdict.is_none() {
        return "not checked yet".to_owned();
    }
    let at_ms = state.checks.get(&(line.check.clone(), at.clone())).map_or(0, |found| found.at_ms);
    let ago = words::short(scene.now_ms.saturating_sub(at_ms));
    let waived = row.waived.map(|reason| format!("; waived: {reason}")).unwrap_or_default();
    format!("{} ({}, {ago} ago){waived}", row.shown, row.known)
}

/// The check, and its selected place with what to do about it.
fn head(scene: &Scene<'_>, line: &CheckLine, at: &At, columns: u16) -> Sheet {
    let state = scene.state;
    let sign = Sign::of(state, &line.check, at, line.blocks);
    let (mark, tone) = sign.mark();
    let mut sheet = Sheet::new(columns);
    let word = match sign {
        Sign::Blocks => "BLOCKS",
        Sign::Unclear => "UNKNOWN, blocks",
        Sign::Warns => "WARNS",
        Sign::Vague => "UNKNOWN, warns",
        Sign::Open => "not checked yet",
        Sign::Waived => "waived",
        Sign::Passes => "passes",
    };
    let place = words::place(at.as_ref());
    sheet.item(Some((mark, tone)), 2, &format!("{}, {place}: {word}", line.title), Tone::Title);
    sheet.item(None, 2, &measured(scene, line, at), Tone::Plain);
    for lane in state.sides.iter().filter(|lane| !lane.phase.is_closed()) {
        if matches!(&lane.key.script, ScriptRef::Fix(of) if *of == line.check) {
            let text = words::lane::text(state, lane, scene.now_ms);
            sheet.item(Some((">", Tone::Running)), 2, &format!("Being mended: {text}"), Tone::Running);
        }
    }
    let facts = state.check_facts(&line.check);
    if sign.is_problem() {
        if let Some(remedy) = state.remedy(&line.check, at.as_ref()) {
            sheet.item(Some(("To do", Tone::Key)), 6, remedy.trim(), Tone::Plain);
        }
        sheet.cite(2, facts.and_then(|facts| facts.cite));
        let fix = if line.has_fix { "F has it mended by the vendor's steps. " } else { "" };
        let waive = if line.blocks {
            "A blocker cannot be waived."
        } else {
            "W waives the warning, with a reason for journal and report."
        };
        sheet.item(None, 2, &format!("{fix}R checks it again. {waive}"), Tone::Dim);
    } else {
        sheet.cite(2, facts.and_then(|facts| facts.cite));
    }
    sheet
}
