//! Licence, information and requirements: read, and confirmed where the vendor wants it.

use super::Person;
use crate::engine::Intent;
use crate::plain::error::Go;
use crate::plain::show;
use crate::profile::Page;
use crate::words;

impl Person {
    /// Shows the notices of `page` that were not confirmed yet. A page without any is passed over.
    pub(super) fn notices(&mut self, number: usize, title: &str, page: Page) -> Go<()> {
        let unread: Vec<_> = {
            let state = self.desk.state();
            let open = |id: &crate::model::NoticeId| !state.notices.contains(id) && !self.read.contains(id);
            words::notices::of_page(state, page).into_iter().filter(open).collect()
        };
        if unread.is_empty() {
            return Ok(());
        }
        self.page(number, title)?;
        for id in unread {
            let state = self.desk.follower.state();
            let Some(notice) = state.setup.profile.notice(&id).cloned() else { continue };
            show::notice(&mut self.desk.out, state, &notice)?;
            self.read.insert(id.clone());
            if notice.confirm {
                while !self.yes_no("Do you confirm this?")? {
                    self.desk.out.line("Without it the upgrade cannot begin. q leaves or stops.")?;
                }
                self.insist(&Intent::ConfirmNotice { notice: id })?;
            } else {
                self.pause()?;
            }
        }
        Ok(())
    }

    /// Until the operator has read what is shown.
    fn pause(&mut self) -> Go<()> {
        loop {
            match &*self.ask("Press Enter to go on:")? {
                "?" => self.help()?,
                "q" => self.quit()?,
                _ => return Ok(()),
            }
        }
    }
}
