//! The state as text: the same pages for a person, a script and a program that lists.

mod checks;
mod components;
mod finish;
mod inputs;
mod plan;
mod question;

pub use checks::CheckRow;
pub(super) use checks::{check_rows, checks, problems};
pub(super) use components::components;
pub(super) use finish::{finish, status};
pub(super) use inputs::{input_label, inputs, value_text};
pub use plan::{PlanRow, commands, plan, plan_rows};
pub(super) use question::question;

use std::io;

use super::printer::Printer;
use crate::client::counted;
use crate::engine::{Seen, State};
use crate::model::{NoticeId, Value};
use crate::profile::{Name, Notice, Page, Shell};

/// A notice as it reads here.
pub(super) fn notice(out: &mut Printer, state: &State, notice: &Notice) -> io::Result<()> {
    let seen = Seen::new(state, None);
    let scope = state.scope(&seen, None);
    let text = notice.text.render(Shell::None, &|name| scope.lookup(name));
    out.text(text.as_deref().unwrap_or(notice.text.source()).trim())?;
    if let Some(cite) = &notice.cite {
        out.line(&format!("(vendor: {cite})"))?;
    }
    out.blank()
}

/// Ids of the notices of `page` that apply here.
pub(super) fn notices_of(state: &State, page: Page) -> Vec<NoticeId> {
    state.notices_shown().filter(|notice| notice.page == page).map(|notice| notice.id.clone()).collect()
}

/// `n of m servers updated`, in the stage's own words, and whatever is not n. `None`: nothing is counted here.
pub(super) fn tally(state: &State) -> Option<String> {
    let (index, tally) = counted(state)?;
    let template = state.setup.profile.stages.get(index).and_then(|stage| stage.tally.as_ref());
    let number = |count: usize| Some(Value::Number(f64::from(u32::try_from(count).unwrap_or(u32::MAX))));
    let n = tally.updated + tally.told;
    let seen = Seen::new(state, None);
    let scope = state.scope(&seen, None);
    let own = template.and_then(|template| {
        let lookup = |name: &Name| match name {
            Name::N => number(n),
            Name::M => number(tally.of),
            name => scope.lookup(name),
        };
        template.render(Shell::None, &lookup).ok()
    });
    let mut text = own.unwrap_or_else(|| format!("{n} of {} servers updated", tally.of));
    let beside: Vec<String> = [
        (tally.told, "on the operator's word"),
        (tally.failed, "FAILED"),
        (tally.unknown, "not known"),
        (tally.left_out, "left out"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{count} {what}"))
    .collect();
    if !beside.is_empty() {
        text = format!("{text} ({})", beside.join(", "));
    }
    if tally.of != tally.listed {
        text = format!("{text}; the inventory lists {}", tally.listed);
    }
    Some(text)
}
