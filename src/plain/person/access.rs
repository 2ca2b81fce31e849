//! What servers wait for that only a person can say: host keys compared, secrets typed unseen, all of it by number.

use super::Person;
use crate::client::Sealed;
use crate::engine::Intent;
use crate::model::Access;
use crate::plain::console::Said;
use crate::plain::error::{End, Go, Stop};
use crate::plain::show;
use crate::plain::unseen::Unseen;
use crate::words::access::title;

/// What is chosen about one word.
#[derive(Clone, Copy)]
enum Way {
    All,
    One,
    Type,
    Deny,
    Later,
}

impl Person {
    /// Whether servers wait for something that was not left for later.
    pub(super) fn knocks(&self) -> bool {
        let newest = self.desk.state().newest_access();
        newest.is_some_and(|newest| self.later.is_none_or(|later| newest > later))
    }

    /// Goes through what servers wait for, until nothing does or it is left for later.
    pub(super) fn access(&mut self) -> Go<()> {
        self.later = None;
        while self.knocks() {
            let (keys, secrets): (Vec<Access>, Vec<Access>) =
                self.desk.state().access.keys().cloned().partition(|access| !access.is_secret());
            let went_on = match (keys.first(), secrets.first()) {
                (Some(_), _) => self.host_keys(&keys)?,
                (None, Some(secret)) => self.secret(secret)?,
                (None, None) => return Ok(()),
            };
            if !went_on {
                self.later = self.desk.state().newest_access();
                self.desk.out.line("The servers wait; a comes back to it.")?;
            }
            self.desk.catch_up()?;
        }
        Ok(())
    }

    /// False: it is left for later.
    fn host_keys(&mut self, keys: &[Access]) -> Go<bool> {
        show::access(&mut self.desk.out, self.desk.follower.state(), keys)?;
        let [one] = keys else {
            let all = format!("trust all {} host keys: they are the right ones", keys.len());
            let choices =
                [(Way::All, &*all), (Way::One, "one after another"), (Way::Later, "leave it for later")];
            return match self.way(&choices)? {
                Way::All => self.say(&Intent::Trust { access: keys.to_vec() }),
                Way::One => {
                    for key in keys {
                        if !self.host_key(key)? {
                            return Ok(false);
                        }
                    }
                    Ok(true)
                }
                _ => Ok(false),
            };
        };
        self.decide_key(one)
    }

    fn host_key(&mut self, key: &Access) -> Go<bool> {
        if !self.desk.state().access.contains_key(key) {
            return Ok(true);
        }
        show::access(&mut self.desk.out, self.desk.follower.state(), std::slice::from_ref(key))?;
        self.decide_key(key)
    }

    fn decide_key(&mut self, key: &Access) -> Go<bool> {
        let choices = [
            (Way::One, "trust it: this host key is the right one"),
            (Way::Deny, "deny it: the servers that wait are not reached in this session"),
            (Way::Later, "leave it for later"),
        ];
        let access = vec![key.clone()];
        match self.way(&choices)? {
            Way::One => self.say(&Intent::Trust { access }),
            Way::Deny => self.say(&Intent::Deny { access }),
            _ => Ok(false),
        }
    }

    fn secret(&mut self, secret: &Access) -> Go<bool> {
        show::access(&mut self.desk.out, self.desk.follower.state(), std::slice::from_ref(secret))?;
        let mut choices = vec![
            (Way::Deny, "give it to no server: those that need it are not reached in this session"),
            (Way::Later, "leave it for later"),
        ];
        if self.console.is_terminal {
            choices.insert(0, (Way::Type, "type it; it is not shown"));
        } else {
            self.desk.out.hanging(
                "! ",
                "This is typed at a terminal only, and what you type comes from elsewhere. Give it from `nofm attach` in a \
                 terminal.",
            )?;
        }
        match self.way(&choices)? {
            Way::Type => self.type_secret(secret),
            Way::Deny => self.say(&Intent::Deny { access: vec![secret.clone()] }),
            _ => Ok(false),
        }
    }

    /// Reads a secret with the terminal's echo off. False: nothing was typed.
    fn type_secret(&mut self, secret: &Access) -> Go<bool> {
        // Off before it is asked for: nothing that is typed from then on is shown.
        let unseen = Unseen::begin(true).map_err(|error| {
            tracing::warn!(%error, "the terminal's echo cannot be switched off");
            Stop::from(error)
        })?;
        self.console.discard();
        self.desk.out.prompt(&format!("The {} (Enter alone: not now):", title(secret)))?;
        let typed = loop {
            match self.console.line() {
                Said::Line(line) => break line,
                Said::Left => return Err(Stop::End(End::Left)),
                Said::Nothing => {}
            }
            self.desk.wait()?;
            self.desk.catch_up()?;
        };
        drop(unseen);
        self.desk.out.answered();
        if typed.is_empty() {
            return Ok(false);
        }
        match Sealed::new(typed) {
            Ok(sealed) => {
                if let Err(why) = self.desk.hand_over(secret, sealed)? {
                    self.desk.out.hanging("! ", &why)?;
                }
            }
            Err(why) => self.desk.out.hanging("! ", &format!("It was not given: {why}."))?,
        }
        Ok(true)
    }

    fn way(&mut self, choices: &[(Way, &str)]) -> Go<Way> {
        let texts: Vec<&str> = choices.iter().map(|(_, text)| *text).collect();
        let chosen = self.choose(&texts)?;
        Ok(choices.get(chosen).map_or(Way::Later, |(way, _)| *way))
    }

    /// What was refused is told, and asked again where it still is open.
    fn say(&mut self, intent: &Intent) -> Go<bool> {
        self.send(intent)?;
        Ok(true)
    }
}
