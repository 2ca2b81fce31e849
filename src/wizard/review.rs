//! A session that is looked at again: any of its events, forwards and backwards.

use super::face::{Face, Go};
use super::keys::{Binding, Command};
use super::scene::Scene;
use super::story::Story;
use crate::engine::State;

pub struct Reel {
    state: State,
    story: Story,
}

impl Reel {
    pub fn open(
        state_dir: &crate::journal::StateDir,
        session: &crate::journal::SessionDir,
    ) -> Result<Self, crate::client::ClientError> {
        let viewer = crate::model::ViewerId::from("review");
        let mut follower =
            crate::client::Follower::open(state_dir, session, viewer, crate::client::Mode::Rest)?;
        let mut story = Story::default();
        while let Some(entry) = follower.next_event()? {
            story.apply(follower.state(), &entry.event);
        }
        Ok(Self { state: follower.state().clone(), story })
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }
    pub(super) fn story(&self) -> &Story {
        &self.story
    }
    pub(super) fn count(&mut self) {
        self.story.count(&self.state);
    }
}

pub(super) fn bindings(_scene: &Scene<'_>) -> Vec<Binding> {
    Vec::new()
}
pub(super) fn steers(_command: Command) -> bool {
    false
}
pub(super) fn steer(_face: &mut Face, _command: Command) -> Go<()> {
    Ok(())
}
