//! Whether this program makes of a session what the program that wrote it did.

use super::event::Event;
use super::state::State;
use crate::text::escape;

/// The plan that was agreed to is not the one that this program makes of the same profile, servers and answers: what was
/// done would be counted for other steps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "resuming the session: its plan was made by nofm {}, and nofm {} makes another one of the same profile, servers and \
     answers, so it does not go on with it; nothing was touched. Resume it with the nofm that made the plan, or leave it \
     stopped and begin a new session with `nofm run`",
    program,
    env!("CARGO_PKG_VERSION")
)]
pub struct OtherPlan {
    /// The version of the program whose plan was agreed to.
    pub program: String,
}

impl State {
    /// Sees whether `event`, which was just applied, did here what it did in the program that wrote it. `program` is
    /// that program's version, and is kept up to date.
    ///
    /// # Errors
    /// When a plan was fixed that this program makes otherwise, or not at all.
    pub fn understood(&self, event: &Event, program: &mut String) -> Result<(), OtherPlan> {
        match event {
            Event::Opened { program: opened, .. } => program.clone_from(opened),
            Event::PlanFixed { hash, .. } if self.plan.as_ref().is_none_or(|plan| plan.hash != *hash) => {
                return Err(OtherPlan { program: escape::safe_cut(program, 40).into_owned() });
            }
            _ => {}
        }
        Ok(())
    }
}
