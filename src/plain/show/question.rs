//! A question with its numbered choices, and those that are not open with the reason.

use std::io;

use super::super::printer::Printer;
use crate::engine::{Question, State};
use crate::words::bans::{self, BanRow};
use crate::words::question::{open, option_text, refused};

/// Prints the question; choice N of what may be chosen has the number N.
pub(in crate::plain) fn question(
    out: &mut Printer,
    state: &State,
    question: &Question,
    numbered: bool,
) -> io::Result<()> {
    out.blank()?;
    out.hanging("? ", &question.text)?;
    for detail in bans::details(question) {
        out.hanging("    ", detail)?;
    }
    let forbidden = bans::beside(state, question);
    self::bans(out, &forbidden)?;
    if numbered && forbidden.iter().any(|row| row.why_not.is_none()) {
        out.hanging("    ", "u lifts what is forbidden, with what shows that it may be.")?;
    }
    for (index, option) in open(question).enumerate() {
        let mark = if numbered { format!("  {}  ", index + 1) } else { "  - ".to_owned() };
        out.hanging(&mark, &option_text(option))?;
    }
    for text in refused(question) {
        out.hanging("  x  ", &text)?;
    }
    Ok(())
}

/// Prints what is forbidden, and how each comes to an end.
pub(in crate::plain) fn bans(out: &mut Printer, rows: &[BanRow]) -> io::Result<()> {
    for row in rows {
        out.hanging("! ", &row.text)?;
        out.hanging("    ", &row.way_out)?;
    }
    Ok(())
}
