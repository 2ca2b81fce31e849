//! Who is asked when only a person can open the way to a server: the loop, which has it journalled and passes the
//! answer on to everybody who waits for it.
//!
//! Nothing is remembered here: a secret is gone from this room once it was passed on.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Semaphore, oneshot};

use super::input::Input;
use crate::model::{Access, ServerName};
use crate::transport::{Doorkeeper, Word};

/// Asks through the loop of the runner.
#[derive(Debug)]
pub(super) struct Door {
    tell: UnboundedSender<Input>,
    /// The turns of the questions to servers. Who waits for a person lends theirs out: others must not wait along.
    turns: Arc<Semaphore>,
}

impl Door {
    pub(super) fn new(tell: UnboundedSender<Input>, turns: Arc<Semaphore>) -> Self {
        Self { tell, turns }
    }
}

impl Doorkeeper for Door {
    fn ask(
        &self,
        server: &ServerName,
        access: Access,
        complaint: &str,
    ) -> Pin<Box<dyn Future<Output = Word> + Send>> {
        let (reply, answer) = oneshot::channel();
        let leaving = Leaving { tell: self.tell.clone(), turns: self.turns.clone(), access: access.clone() };
        self.turns.add_permits(1);
        let asked = Input::Access { server: server.clone(), access, complaint: complaint.to_owned(), reply };
        // A loop that is over drops it, and with it the other end of the answer.
        let _ = self.tell.send(asked);
        Box::pin(async move {
            let word = answer.await.unwrap_or(Word::Denied);
            drop(leaving);
            word
        })
    }
}

/// Dropped when nobody waits any more, whether or not there was an answer.
struct Leaving {
    tell: UnboundedSender<Input>,
    turns: Arc<Semaphore>,
    access: Access,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Ok(turn) = self.turns.try_acquire() {
            turn.forget();
        } else {
            let turns = self.turns.clone();
            // Outside of a runtime nobody takes turns.
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(async move {
                    if let Ok(turn) = turns.acquire().await {
                        turn.forget();
                    }
                });
            }
        }
        let _ = self.tell.send(Input::AccessLeft { access: self.access.clone() });
    }
}

/// Those who wait, by what they wait for.
#[derive(Default)]
pub(super) struct Waiting(BTreeMap<Access, Vec<(ServerName, oneshot::Sender<Word>)>>);

/// Those who waited when a word was said. Whoever asks later is not among them.
pub(super) struct Called(Vec<(ServerName, oneshot::Sender<Word>)>);

impl Called {
    pub(super) fn hear(self, word: &Word) {
        for (server, reply) in self.0 {
            if reply.send(word.clone()).is_err() {
                tracing::debug!(%server, "a word came too late: nobody waits for it");
            }
        }
    }
}

impl Waiting {
    pub(super) fn join(&mut self, server: ServerName, access: Access, reply: oneshot::Sender<Word>) {
        self.0.entry(access).or_default().push((server, reply));
    }

    /// Everybody who waits for `access` now.
    pub(super) fn call(&mut self, access: &Access) -> Called {
        Called(self.0.remove(access).unwrap_or_default())
    }

    /// Lets those go who do not wait for `access` any more. Gives the servers for which now nobody does.
    pub(super) fn let_go(&mut self, access: &Access) -> Vec<ServerName> {
        let Some(waiting) = self.0.get_mut(access) else { return Vec::new() };
        let gone: Vec<ServerName> =
            waiting.extract_if(.., |(_, reply)| reply.is_closed()).map(|(server, _)| server).collect();
        let mut gone: Vec<ServerName> =
            gone.into_iter().filter(|server| !waiting.iter().any(|(other, _)| other == server)).collect();
        if waiting.is_empty() {
            self.0.remove(access);
        }
        gone.sort();
        gone.dedup();
        gone
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;
    use crate::transport::Secret;

    fn sudo() -> Access {
        Access::Sudo { user: "admin".to_owned(), only: None }
    }

    fn door() -> (Door, UnboundedReceiver<Input>, Arc<Semaphore>) {
        let (tell, heard) = unbounded_channel();
        let turns = Arc::new(Semaphore::new(1));
        (Door::new(tell, turns.clone()), heard, turns)
    }

    fn take(heard: &mut UnboundedReceiver<Input>, waiting: &mut Waiting) -> String {
        match heard.try_recv() {
            Ok(Input::Access { server, access, complaint, reply }) => {
                waiting.join(server, access, reply);
                complaint
            }
            _ => panic!("nobody asked"),
        }
    }

    #[tokio::test]
    async fn one_word_is_enough_for_all_who_wait_for_it() {
        let (door, mut heard, _) = door();
        let mut waiting = Waiting::default();
        let first = door.ask(&"s1".into(), sudo(), "");
        let second = door.ask(&"s2".into(), sudo(), "it was not taken");
        assert_eq!(take(&mut heard, &mut waiting), "");
        assert_eq!(take(&mut heard, &mut waiting), "it was not taken");
        let called = waiting.call(&sudo());
        called.hear(&Word::Secret(Secret::new("open sesame".to_owned())));
        for word in [first.await, second.await] {
            let Word::Secret(secret) = &word else { panic!("{word:?}") };
            assert_eq!(secret.expose(), "open sesame");
            assert!(!format!("{word:?}").contains("sesame"));
        }
        assert_eq!(waiting.let_go(&sudo()), [] as [ServerName; 0], "it was answered");
    }

    #[tokio::test]
    async fn who_waits_no_longer_is_let_go() {
        let (door, mut heard, _) = door();
        let mut waiting = Waiting::default();
        let asks: Vec<_> =
            ["s1", "s1", "s2"].map(|server| door.ask(&server.into(), sudo(), "")).into_iter().collect();
        for _ in 0..3 {
            take(&mut heard, &mut waiting);
        }
        let mut asks = asks.into_iter();
        drop(asks.next());
        assert!(matches!(heard.try_recv(), Ok(Input::AccessLeft { access }) if access == sudo()));
        assert_eq!(waiting.let_go(&sudo()), [] as [ServerName; 0], "another one of it waits");
        drop(asks.next());
        assert_eq!(waiting.let_go(&sudo()), [ServerName::from("s1")]);
        drop(asks);
        assert_eq!(waiting.let_go(&sudo()), [ServerName::from("s2")]);
    }

    #[tokio::test]
    async fn where_nobody_listens_any_more_it_is_denied() {
        let (door, heard, _) = door();
        drop(heard);
        assert!(matches!(door.ask(&"s1".into(), sudo(), "").await, Word::Denied));
    }

    #[tokio::test]
    async fn a_turn_is_lent_out_while_a_person_is_waited_for() {
        let (door, _heard, turns) = door();
        let own = turns.clone().acquire_owned().await.expect("the only one");
        let ask = door.ask(&"s1".into(), sudo(), "");
        let lent = turns.try_acquire().expect("another one may be asked meanwhile");
        drop(ask);
        drop(lent);
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        assert_eq!(turns.available_permits(), 0, "it has its turn back");
        drop(own);
        assert_eq!(turns.available_permits(), 1);
    }
}
