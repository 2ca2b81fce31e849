//! What will be done, and the word that begins it.

use super::Person;
use crate::engine::{Intent, Lack, Phase};
use crate::plain::error::Go;
use crate::plain::show;
use crate::plan::{self, Plan};
use crate::profile::Page;
use crate::words::summary;

impl Person {
    pub(super) fn summary(&mut self, number: usize) -> Go<()> {
        loop {
            self.page(number, "Summary")?;
            let state = self.desk.follower.state();
            let setup = state.setup.clone();
            let plan = match plan::build(&setup, &state.answers) {
                Ok(plan) => Some(plan),
                Err(problems) => {
                    for problem in problems {
                        self.desk.out.hanging("! ", &problem.text)?;
                    }
                    None
                }
            };
            if let Some(plan) = &plan {
                let answers = state.answers.clone();
                show::plan(&mut self.desk.out, &setup, &answers, plan)?;
            }
            self.still_lacking()?;
            if self.decide(plan.as_ref())? {
                return Ok(());
            }
        }
    }

    fn still_lacking(&mut self) -> Go<()> {
        let state = self.desk.follower.state();
        let lacking = state.lacking();
        for lack in &lacking {
            let text = state.lack_text(lack);
            self.desk.out.hanging("! ", &text)?;
        }
        Ok(())
    }

    /// Reads what is wanted until it was begun (true), or something changed and the page is to be shown anew.
    fn decide(&mut self, plan: Option<&Plan>) -> Go<bool> {
        self.desk.out.blank()?;
        let mut rows = Vec::new();
        loop {
            self.desk
                .out
                .line("begin: start; N: the command of step N; i: inputs; c: checks; q: leave or stop.")?;
            let typed = self.ask(">")?;
            match (&*typed, plan) {
                ("begin", Some(plan)) => {
                    // What follows stands below the heading of the next page.
                    self.desk.hold_lines();
                    if self.send(&Intent::Begin { plan: plan.hash.clone() })? {
                        return Ok(true);
                    }
                    self.desk.release_lines()?;
                    self.settle_lacks()?;
                    return Ok(self.desk.state().phase != Phase::Preparing);
                }
                ("i", _) => {
                    self.inputs(3)?;
                    return Ok(false);
                }
                ("c", _) => {
                    self.checks(5)?;
                    return Ok(false);
                }
                ("u", _) => {
                    self.lift()?;
                    return Ok(false);
                }
                ("q", _) => self.quit()?,
                ("?", _) => self.help()?,
                (typed, Some(plan)) if typed.parse::<usize>().is_ok() => {
                    if rows.is_empty() {
                        let state = self.desk.state();
                        rows = summary::rows(&state.setup, &state.answers, plan, true);
                    }
                    let number: usize = typed.parse().unwrap_or(0);
                    match rows.get(number.wrapping_sub(1)) {
                        Some(row) => {
                            let text = row.command.clone().unwrap_or_default();
                            self.desk.out.verbatim(4, &text)?;
                        }
                        None => {
                            self.desk
                                .out
                                .line(&format!("The steps have the numbers 1 to {}.", rows.len()))?;
                        }
                    }
                }
                _ => self.desk.out.line("To start, type the word begin in full.")?,
            }
        }
    }

    /// Leads to the page of whatever keeps it from being started.
    fn settle_lacks(&mut self) -> Go<()> {
        let lacking = self.desk.state().lacking();
        match lacking.first() {
            None => {}
            Some(Lack::Input { .. } | Lack::Unsure(_) | Lack::Plan { .. }) => self.inputs(3)?,
            Some(Lack::Notice(_)) => {
                self.read.clear();
                for (number, title, page) in [
                    (1, "Licence", Page::Licence),
                    (2, "Information", Page::Information),
                    (6, "Requirements", Page::Requirements),
                    (6, "Firewall", Page::Firewall),
                ] {
                    self.notices(number, title, page)?;
                }
            }
            Some(Lack::Unchecked | Lack::Blocked { .. } | Lack::Warned { .. }) => self.checks(5)?,
            Some(Lack::Banned(_)) => self.standing_bans()?,
        }
        Ok(())
    }
}
