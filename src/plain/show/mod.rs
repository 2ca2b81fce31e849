//! The state as text: the same pages for a person, a script and a program that lists.

mod access;
mod checks;
mod components;
mod finish;
mod inputs;
mod plan;
mod question;

pub(super) use access::access;
pub(super) use checks::checks;
pub(super) use components::components;
pub(super) use finish::{finish, short, status};
pub(super) use inputs::inputs;
pub use plan::{commands, plan};
pub(super) use question::{bans, question};

use std::io;

use super::printer::Printer;
use crate::engine::State;
use crate::profile::Notice;
use crate::words::notices;

/// A notice as it reads here.
pub(super) fn notice(out: &mut Printer, state: &State, notice: &Notice) -> io::Result<()> {
    out.text(&notices::text(state, notice))?;
    if let Some(cite) = &notice.cite {
        out.line(&format!("(vendor: {cite})"))?;
    }
    out.blank()
}
