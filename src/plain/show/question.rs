//! A question with its numbered choices, and those that are not open with the reason.

use std::io;

use super::super::printer::Printer;
use crate::engine::Question;
use crate::words::question::{open, option_text, refused};

/// Prints the question; choice N of what may be chosen has the number N.
pub(in crate::plain) fn question(out: &mut Printer, question: &Question, numbered: bool) -> io::Result<()> {
    out.blank()?;
    out.hanging("? ", &question.text)?;
    for detail in &question.details {
        out.hanging("    ", detail)?;
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
