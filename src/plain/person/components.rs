//! What is found on the servers, against what the inventory says.

use super::Person;
use crate::engine::Intent;
use crate::plain::error::Go;
use crate::plain::show;
use crate::words::components::is_surveyed;

impl Person {
    pub(super) fn components(&mut self, number: usize) -> Go<()> {
        self.page(number, "Components")?;
        loop {
            self.desk.out.line("Looking at every server...")?;
            if !self.send(&Intent::Survey)? {
                return Ok(());
            }
            self.until(is_surveyed)?;
            show::components(&mut self.desk.out, self.desk.follower.state())?;
            let choices =
                ["go on", "look again", "the inventory is not right: stop, mend it, and begin anew"];
            match self.choose(&choices)? {
                0 => return Ok(()),
                1 => {}
                _ => self.stop()?,
            }
        }
    }

    /// Ends the session so that it can be resumed.
    pub(super) fn stop(&mut self) -> Go<()> {
        self.insist(&Intent::Stop)?;
        self.until(|_| false)
    }
}
