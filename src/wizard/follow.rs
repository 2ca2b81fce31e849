//! How what is looked at goes along with the session: the same for whoever looks live and for whoever reviews it.

use super::dialogs;
use super::view::{Dialog, Page, Sure, View, Wanted};
use crate::engine::{Phase, State};

/// What of a state turns pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Before {
    phase: Phase,
    closed: bool,
}

impl Before {
    pub(super) fn of(state: &State) -> Self {
        Self { phase: state.phase, closed: state.close().is_some() }
    }
}

impl View {
    /// Goes along with an event that led from `before` to `state`. True: the view is another now.
    pub(super) fn follow(&mut self, before: Before, state: &State) -> bool {
        let turned =
            if Before::of(state) == before { self.follow_stage(state) } else { self.follow_phase(state) };
        self.drop_stale(state) || turned
    }

    /// The page follows the session where it goes on by itself.
    fn follow_phase(&mut self, state: &State) -> bool {
        let page = Page::of(state);
        let preparing = state.phase == Phase::Preparing && state.close().is_none();
        if preparing || self.page == page {
            return false;
        }
        self.page = page;
        self.aside = false;
        if !matches!(self.dialog, Some(Dialog::Output { .. } | Dialog::Terminal { .. })) {
            self.dialog = None;
        }
        true
    }

    fn follow_stage(&mut self, state: &State) -> bool {
        let page = Page::of(state);
        let both = |page| matches!(page, Page::Progress | Page::Further);
        let turns = both(self.page) && both(page) && page != self.page;
        if turns {
            self.page = page;
        }
        turns
    }

    /// Dialogs about what is over go by themselves. True: something went.
    pub(super) fn drop_stale(&mut self, state: &State) -> bool {
        let is_open = |question: &u64| state.questions.contains_key(question);
        let mut changed = false;
        let over = match &self.dialog {
            Some(Dialog::Terminal { key }) if !dialogs::is_alive(state, key) => {
                Some("The installer has ended.")
            }
            Some(
                Dialog::Type { wanted: Wanted::Reply { question, .. }, .. }
                | Dialog::Sure { about: Sure::Reply { question, .. }, .. },
            ) if !is_open(question) => Some("This question needs no answer any more."),
            Some(Dialog::Type { wanted: Wanted::Evidence { act, why }, .. })
                if !state.bans.iter().any(|ban| ban.act == *act && ban.why == *why) =>
            {
                Some("It is lifted already.")
            }
            Some(Dialog::Secret { access }) if !state.access.contains_key(access) => {
                Some("No server waits for this any more.")
            }
            Some(Dialog::Sure { about: Sure::Trust { access }, .. })
                if !access.iter().all(|access| state.access.contains_key(access)) =>
            {
                Some("Not all of these are waited for any more; look at the list again.")
            }
            _ => None,
        };
        if let Some(over) = over {
            self.dialog = None;
            self.note = Some(over.to_owned());
            changed = true;
        }
        if self.choice.is_some_and(|(question, _)| !is_open(&question)) {
            self.choice = None;
            changed = true;
        }
        if self.knock.as_ref().is_some_and(|access| !state.access.contains_key(access)) {
            self.knock = None;
            changed = true;
        }
        if self.later.is_some() && state.access.is_empty() {
            self.later = None;
            changed = true;
        }
        if self.aside && state.questions.is_empty() {
            self.aside = false;
            changed = true;
        }
        changed
    }
}
