//! Where what would follow is forbidden: it is said, and waited for until that is lifted.

use super::Decider;
use crate::engine::bans::Ban;
use crate::engine::key::StepKey;
use crate::engine::question::About;
use crate::plan::PlanStep;
use crate::profile::Forbidden;

impl Decider<'_> {
    /// Another session forbade it since this one was begun. What runs on servers is seen to its end, and nothing
    /// else follows.
    pub(super) fn barred(&mut self) {
        let text = "this upgrade may not be gone on with".to_owned();
        let details = self.state.barred().flat_map(said).collect();
        self.ask_barred(About::Barred(Forbidden::NewSession, None), text, details);
    }

    /// A step is not started.
    pub(super) fn barred_step(&mut self, key: &StepKey, step: &PlanStep) {
        let place = key.lane.server.as_ref().map_or("the farm", |server| server.as_str());
        let text = format!("{place}: \"{}\" is not started", step.title);
        let details =
            self.state.bans.iter().filter(|ban| ban.act == Forbidden::Reboot).flat_map(said).collect();
        let about = About::Barred(Forbidden::Reboot, Some(key.clone()));
        self.ask_barred(about, text, details);
    }

    /// What nothing lifts is not waited for without end.
    fn ask_barred(&mut self, about: About, text: String, details: Vec<String>) {
        let why = self.state.ban(Forbidden::Abort).map(|ban| ban.why.clone());
        self.ask(about, text, details, vec![super::hold(), super::abort().refused(why)]);
    }
}

fn said(ban: &Ban) -> [String; 2] {
    [ban.to_string(), ban.way_out()]
}
