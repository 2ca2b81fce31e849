//! Everything a frame is made of.

use super::printed::Printed;
use super::review::Review;
use super::story::Story;
use super::view::View;
use crate::engine::{About, Question, Request, State};
use crate::model::{Access, ViewerId};

/// Who looks.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Seat {
    /// An operator; `pen`: they may act.
    Operator { pen: bool },
    /// Somebody who only looks on.
    Watcher,
    /// Somebody who reviews, and looks round by themselves.
    Reviewer,
}

/// What is drawn: nothing else is ever shown.
pub(super) struct Scene<'a> {
    pub(super) state: &'a State,
    pub(super) story: &'a Story,
    pub(super) view: &'a View,
    pub(super) printed: &'a Printed,
    pub(super) seat: &'a Seat,
    pub(super) viewer: &'a ViewerId,
    /// Session milliseconds.
    pub(super) now_ms: u64,
    pub(super) zone: &'a jiff::tz::TimeZone,
    /// The session's name and its folder.
    pub(super) session: &'a (String, String),
    /// What the program is busy with, where that takes longer than a moment.
    pub(super) busy: Option<&'a str>,
    /// The installer's terminal that is open.
    pub(super) terminal: Option<&'a super::dialogs::TerminalView>,
    /// Where a review is.
    pub(super) review: Option<&'a Review>,
    /// No runner is at work on the session.
    pub(super) deserted: bool,
    /// How many characters of a secret were typed.
    pub(super) typed: usize,
}

impl Scene<'_> {
    /// The version that is upgraded to.
    pub(super) fn target(&self) -> Option<String> {
        let seen = crate::engine::Seen::new(self.state, None);
        let scope = self.state.scope(&seen, None);
        let target = &self.state.setup.profile.version.target;
        target.render(crate::profile::Shell::None, &|name| scope.lookup(name)).ok()
    }

    /// Whether servers wait for a word of a person.
    pub(super) fn knocks(&self) -> bool {
        !self.state.access.is_empty() && !self.deserted
    }

    /// Whether that is what is shown: it was not left for later, or something else came since.
    pub(super) fn shows_access(&self) -> bool {
        let newest = self.state.newest_access();
        self.knocks() && self.view.later.is_none_or(|later| newest.is_some_and(|newest| newest > later))
    }

    /// The word that is selected of those that servers wait for, and its place among them.
    pub(super) fn knock(&self) -> Option<(usize, &Access, &Request)> {
        let of = |access: &Access| self.state.access.keys().position(|known| known == access);
        let at = self.view.knock.as_ref().and_then(of).unwrap_or(0);
        self.state.access.iter().nth(at).map(|(access, request)| (at, access, request))
    }

    /// The question that has been open for the longest time.
    pub(super) fn question(&self) -> Option<&Question> {
        self.state.questions.values().next()
    }

    /// The failure that is asked about, where one is.
    pub(super) fn failure(&self) -> Option<&Question> {
        self.question().filter(|question| matches!(question.about, About::Failure(_)))
    }

    /// The choice that is selected on `question`.
    pub(super) fn chosen(&self, question: &Question) -> Option<usize> {
        self.view.choice.filter(|(id, _)| *id == question.id).map(|(_, option)| option)
    }

    /// Why nothing can be done from this seat.
    pub(super) fn hands_off(&self) -> Option<String> {
        match self.seat {
            Seat::Operator { pen: true } => None,
            Seat::Operator { pen: false } => Some(match &self.state.pen {
                Some(pen) => format!("{pen} holds the pen; T takes it over"),
                None => "nobody holds the pen; T takes it".to_owned(),
            }),
            Seat::Watcher => Some("you only look on".to_owned()),
            Seat::Reviewer => Some("this is a review".to_owned()),
        }
    }

    /// The time of day at session time `ms`.
    pub(super) fn clock(&self, ms: u64) -> String {
        let at = jiff::Timestamp::from_millisecond(self.state.time.wall_ms(ms)).unwrap_or_default();
        at.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }
}
