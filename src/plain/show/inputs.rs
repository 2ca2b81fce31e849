//! What the profile asks for, and what is answered so far.

use std::io;

use super::super::printer::Printer;
use crate::engine::State;
use crate::words::inputs;

/// Every input with its value and where that comes from.
pub(in crate::plain) fn inputs(out: &mut Printer, state: &State) -> io::Result<()> {
    for row in inputs::rows(state) {
        let from = row.from.word().map(|word| format!("  [{word}]")).unwrap_or_default();
        out.hanging(&format!("{:>4}. ", row.number), &format!("{}: {}{from}", row.label, row.value))?;
    }
    Ok(())
}
