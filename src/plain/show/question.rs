//! A question with its numbered choices, and those that are not open with the reason.

use std::io;

use super::super::printer::Printer;
use super::super::words;
use crate::engine::{Answer, Question};

/// Prints the question; choice N of what may be chosen has the number N.
pub(in crate::plain) fn question(out: &mut Printer, question: &Question, numbered: bool) -> io::Result<()> {
    out.blank()?;
    out.hanging("? ", &question.text)?;
    for detail in &question.details {
        out.hanging("    ", detail)?;
    }
    let open = question.options.iter().filter(|option| option.refused.is_none());
    for (index, option) in open.enumerate() {
        let mark = if numbered { format!("  {}  ", index + 1) } else { "  - ".to_owned() };
        out.hanging(
            &mark,
            &format!("{}: {}{}", words::choice_word(option.choice), option.does, asks(option)),
        )?;
    }
    for option in &question.options {
        if let Some(why) = &option.refused {
            out.hanging("  x  ", &format!("{}: not possible: {why}", words::choice_word(option.choice)))?;
        }
    }
    Ok(())
}

fn asks(option: &Answer) -> &'static str {
    if option.wants_text { " (asks for a text)" } else { "" }
}
