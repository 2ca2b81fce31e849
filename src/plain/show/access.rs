//! What servers wait for that only a person can say.

use std::io;

use super::super::printer::Printer;
use crate::engine::State;
use crate::model::Access;
use crate::words::access::{HOST_KEYS, SECRETS, fingerprint, purpose, title, verify, waiting};

/// Prints `words`, which are all host keys or one secret.
pub(in crate::plain) fn access(out: &mut Printer, state: &State, words: &[Access]) -> io::Result<()> {
    out.blank()?;
    for access in words {
        let Some(request) = state.access.get(access) else { continue };
        out.hanging("? ", &format!("The {}", title(access)))?;
        if let Some(fingerprint) = fingerprint(access) {
            out.verbatim(4, fingerprint)?;
        }
        out.hanging("    ", &waiting(request))?;
        if !request.complaint.is_empty() {
            out.hanging("  ! ", &request.complaint)?;
        }
    }
    let mut commands: Vec<String> = words.iter().filter_map(verify).collect();
    commands.sort();
    commands.dedup();
    if let Some(first) = words.first() {
        out.text(&purpose(first))?;
    }
    for command in &commands {
        out.verbatim(4, command)?;
    }
    out.text(if commands.is_empty() { SECRETS } else { HOST_KEYS })
}
