//! Pieces of screen that more than one page has.

mod events;
mod head;
mod output;
mod question;
mod servers;
mod sheet;
mod steps;

pub(super) use events::events;
pub(super) use head::{header, progress_head};
pub(super) use output::output;
pub(super) use question::{choices, question, question_bindings, rows as question_rows};
pub(super) use servers::{lane_at, lanes_shown, server_rows};
pub(super) use sheet::{Row, scrolled, sheet};
pub(super) use steps::steps;
