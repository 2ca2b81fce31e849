//! The servers, what is found on them, and what the product has registered.

use std::io;

use super::super::printer::Printer;
use crate::engine::State;
use crate::words::components;

/// Each server of the inventory as it was found, then what is registered.
pub(in crate::plain) fn components(out: &mut Printer, state: &State) -> io::Result<()> {
    for row in components::rows(state) {
        out.line(&format!("{} ({}, {}, {})", row.server, row.address, row.os, row.reach))?;
        out.hanging("    ", &format!("{}; {}", row.roles.join(", "), row.version_text()))?;
        for text in row.installed_texts() {
            out.hanging("    ", &text)?;
        }
    }
    for row in components::registered(state) {
        out.hanging(&format!("{}: ", row.label), &row.text)?;
    }
    Ok(())
}
