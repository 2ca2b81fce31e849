//! The prechecks: a table, what to do about what does not pass, and the way on once nothing is in the way.

use super::Person;
use crate::engine::Intent;
use crate::model::{CheckId, ServerName};
use crate::plain::error::Go;
use crate::plain::show;
use crate::words::checks::{CheckRow, is_checked, problems};
use crate::words::place;

/// What can be done on this page.
enum Action {
    All,
    Again { check: CheckId },
    Fix { check: CheckId, server: Option<ServerName> },
    Waive { check: CheckId, server: Option<ServerName> },
    GoOn,
    Inputs,
    Stop,
}

impl Person {
    pub(super) fn checks(&mut self, number: usize) -> Go<()> {
        self.page(number, "Prechecks")?;
        if !self.desk.state().checked {
            self.check(None)?;
        }
        loop {
            self.until(is_checked)?;
            show::checks(&mut self.desk.out, self.desk.follower.state(), false)?;
            let actions = self.actions();
            let labels: Vec<&str> = actions.iter().map(|(label, _)| label.as_str()).collect();
            self.desk.out.blank()?;
            let chosen = self.choose(&labels)?;
            match actions.into_iter().nth(chosen).map(|(_, action)| action) {
                Some(Action::GoOn) | None => return Ok(()),
                Some(Action::All) => self.check(None)?,
                Some(Action::Again { check }) => self.check(Some(check))?,
                Some(Action::Fix { check, server }) => {
                    self.send(&Intent::Fix { check, server })?;
                }
                Some(Action::Waive { check, server }) => self.waive(check, server)?,
                Some(Action::Inputs) => {
                    self.inputs(3)?;
                    self.check(None)?;
                }
                Some(Action::Stop) => self.stop()?,
            }
        }
    }

    fn check(&mut self, check: Option<CheckId>) -> Go<()> {
        self.desk.out.line("Checking...")?;
        self.send(&Intent::Check { check, server: None })?;
        Ok(())
    }

    fn waive(&mut self, check: CheckId, server: Option<ServerName>) -> Go<()> {
        let reason = self.ask("The reason, which stands in the journal and the report:")?;
        if reason.is_empty() {
            self.desk.out.line("Without a reason nothing is waived.")?;
            return Ok(());
        }
        self.send(&Intent::Waive { check, server, reason })?;
        Ok(())
    }

    fn actions(&self) -> Vec<(String, Action)> {
        let problems = problems(self.desk.state());
        let mut actions = Vec::new();
        if problems.is_empty() {
            actions.push(("go on: nothing is in the way".to_owned(), Action::GoOn));
        }
        for row in &problems {
            let place = place(row.server.as_ref());
            if row.has_fix && row.verdict.is_some() {
                let action = Action::Fix { check: row.check.clone(), server: row.server.clone() };
                actions.push((format!("mend it: \"{}\" on {place}", row.title), action));
            }
            if !row.blocks && row.verdict.is_some() {
                let action = Action::Waive { check: row.check.clone(), server: row.server.clone() };
                actions.push((format!("waive the warning: \"{}\" on {place}", row.title), action));
            }
        }
        let mut checks: Vec<&CheckRow> = problems.iter().collect();
        checks.dedup_by(|a, b| a.check == b.check);
        for row in checks {
            actions.push((
                format!("check again: \"{}\"", row.title),
                Action::Again { check: row.check.clone() },
            ));
        }
        actions.push(("check everything again".to_owned(), Action::All));
        actions.push(("change an input, then check everything again".to_owned(), Action::Inputs));
        actions.push(("stop here; `nofm resume` goes on".to_owned(), Action::Stop));
        actions
    }
}
