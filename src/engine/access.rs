//! What servers wait for that only a person can say. Work that waits for it is under way as any other: nothing else
//! is decided because of it, but that a session which is to stop does not wait along.

use std::collections::BTreeSet;

use super::event::Event;
use super::key::Place;
use super::state::{LaneState, State};
use crate::model::{Access, ServerName, ViewerId};

/// A word that servers wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The event that asked for it first.
    pub seq: u64,
    /// Session milliseconds.
    pub since_ms: u64,
    /// Those that wait.
    pub servers: BTreeSet<ServerName>,
    /// Why the word given before was of no use; empty at the first time.
    pub complaint: String,
}

impl State {
    pub(super) fn access_asked(&mut self, access: &Access, servers: &[ServerName], complaint: &str) {
        let (seq, since_ms) = (self.seq, self.time.now_ms);
        let request = self.access.entry(access.clone()).or_insert_with(|| Request {
            seq,
            since_ms,
            servers: BTreeSet::new(),
            complaint: String::new(),
        });
        request.servers.extend(servers.iter().cloned());
        if !complaint.is_empty() {
            complaint.clone_into(&mut request.complaint);
        }
    }

    pub(super) fn access_withdrawn(&mut self, access: &Access, servers: &[ServerName]) {
        if let Some(request) = self.access.get_mut(access) {
            request.servers.retain(|server| !servers.contains(server));
            if request.servers.is_empty() {
                self.access.remove(access);
            }
        }
    }

    /// Whether an event of this would change anything.
    pub fn is_asked_for(&self, access: &Access, server: &ServerName, complaint: &str) -> bool {
        self.access.get(access).is_some_and(|request| {
            request.servers.contains(server) && (complaint.is_empty() || request.complaint == complaint)
        })
    }

    /// The event that asked for the newest of the words that servers wait for.
    pub fn newest_access(&self) -> Option<u64> {
        self.access.values().map(|request| request.seq).max()
    }

    /// Whether nothing is heard of what runs on `lane` before a person says something.
    pub(super) fn is_shut_out(&self, lane: &LaneState) -> bool {
        lane.targets.iter().filter(|target| target.end.is_none()).all(|target| match &target.place {
            Place::Console => false,
            Place::Server(server) => self.access.values().any(|request| request.servers.contains(server)),
        })
    }

    pub(super) fn judge_trust(&self, viewer: &ViewerId, keys: &[Access]) -> Result<Vec<Event>, String> {
        self.are_open(keys)?;
        if keys.iter().any(Access::is_secret) {
            return Err("only a host key can be trusted; a password is typed".to_owned());
        }
        let given = |access| Event::AccessGiven { access, viewer: viewer.clone() };
        Ok(once_each(keys).map(given).collect())
    }

    pub(super) fn judge_deny(&self, viewer: &ViewerId, words: &[Access]) -> Result<Vec<Event>, String> {
        self.are_open(words)?;
        let denied = |access| Event::AccessDenied { access, viewer: viewer.clone() };
        Ok(once_each(words).map(denied).collect())
    }

    /// The events that follow from a secret that `viewer` typed. It is no intent: what is refused of those stands in
    /// the journal word for word.
    ///
    /// # Errors
    /// Why it may not be, as a sentence for the operator.
    pub fn judge_secret(&self, viewer: &ViewerId, access: &Access) -> Result<Vec<Event>, String> {
        self.may_act(viewer)?;
        self.are_open(std::slice::from_ref(access))?;
        if !access.is_secret() {
            return Err("a host key is trusted or denied; there is nothing to be typed".to_owned());
        }
        Ok(vec![Event::AccessGiven { access: access.clone(), viewer: viewer.clone() }])
    }

    fn are_open(&self, words: &[Access]) -> Result<(), String> {
        if words.is_empty() {
            return Err("nothing was named".to_owned());
        }
        match words.iter().find(|access| !self.access.contains_key(access)) {
            Some(access) => Err(format!("no server waits for this any more: {access}; nothing was done")),
            None => Ok(()),
        }
    }
}

fn once_each(words: &[Access]) -> impl Iterator<Item = Access> {
    words.iter().cloned().collect::<BTreeSet<_>>().into_iter()
}
