//! What an operator's keys answer: no key counts that came before what it answers could be read. And the secret that is
//! typed, which is kept apart from what is looked at.

use crossterm::event::KeyEvent;

use super::{Face, GUARD_MS, Source, Then};
use crate::model::Access;
use crate::wizard::view::{Dialog, Sure, Wanted};

/// What a key would answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Question(u64),
    /// The newest of what servers wait for, and the one that is selected.
    Access(u64, Access),
}

impl Face {
    /// What was typed of a secret goes with the dialog it was typed into.
    pub(super) fn forget_secret(&mut self) {
        if !matches!(self.view.dialog, Some(Dialog::Secret { .. })) {
            self.secret.clear();
        }
    }

    /// Takes a key into the secret that is typed. False: it is no key of a text.
    pub(in crate::wizard) fn type_secret(&mut self, event: KeyEvent) -> bool {
        let taken = self.secret.take(event);
        if taken == Some(false) {
            self.note("A secret has at most 1024 bytes; what goes beyond was left out.");
        }
        taken.is_some()
    }

    /// Hands the secret that was typed to the runner.
    pub(in crate::wizard) fn hand_over(&mut self, access: &Access) {
        if let Some(why) = self.scene().hands_off() {
            self.note(&why);
            return;
        }
        let sealed = match self.secret.seal() {
            Ok(sealed) => sealed,
            Err(why) => {
                self.note(&format!("It was not given: {why}."));
                return;
            }
        };
        self.close();
        let Source::Live(follower) = &mut self.source else { return };
        match follower.hand_over(access, sealed) {
            Ok(sent) => self.pending.push_back((sent, Then::Nothing)),
            Err(error) => self.note(&error.to_string()),
        }
    }

    /// Selects one of what servers wait for. It was on the screen before, so it can be answered at once.
    pub(in crate::wizard) fn select_access(&mut self, access: Option<Access>) {
        self.edit(|view| view.knock = access);
        let asked = self.asked_now();
        if let (Some((Asked::Access(shown, _), since)), Some(Asked::Access(newest, access))) =
            (&self.asked, asked)
            && *shown == newest
        {
            self.asked = Some((Asked::Access(newest, access), *since));
        }
    }

    /// Whether the question on the screen is too new to be answered.
    pub(super) fn is_guarded(&self) -> bool {
        match (&self.asked, self.asked_now()) {
            (Some((shown, since)), Some(asked)) => *shown != asked || self.now_ms() < since + GUARD_MS,
            _ => true,
        }
    }

    /// What is asked where it can be read: nothing lies over it but what belongs to its answer.
    pub(super) fn asked_now(&self) -> Option<Asked> {
        let scene = self.scene();
        match &self.view.dialog {
            Some(
                Dialog::Type { wanted: Wanted::Reply { question, .. }, .. }
                | Dialog::Sure { about: Sure::Reply { question, .. }, .. },
            ) => Some(Asked::Question(*question)),
            Some(_) => None,
            None if scene.shows_access() => {
                let (_, access, _) = scene.knock()?;
                Some(Asked::Access(scene.state.newest_access()?, access.clone()))
            }
            None if self.view.aside => None,
            None => scene.question().map(|question| Asked::Question(question.id)),
        }
    }
}
