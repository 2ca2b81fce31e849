//! The dialogue with a person: page after page, each from the state, each left and entered again at will.

mod access;
mod bans;
mod checks;
mod components;
mod course;
mod inputs;
mod notices;
mod questions;
mod summary;

use std::collections::BTreeSet;

use super::console::{Console, Said};
use super::desk::Desk;
use super::error::{End, Go, Stop};
use super::headless::give_answers;
use super::show;
use crate::engine::{Intent, Phase};
use crate::inventory::Answers;
use crate::model::NoticeId;
use crate::profile::Page;

/// For `Step N of M`; the last one tells how it ended.
const PAGES: usize = 9;

pub(super) struct Person {
    desk: Desk,
    console: Console,
    /// Notices that were shown in this dialogue.
    read: BTreeSet<NoticeId>,
    /// What servers wait for was left for later, up to the one that this event asked for.
    later: Option<u64>,
}

impl Person {
    pub(super) fn new(desk: Desk, console: Console) -> Self {
        Self { desk, console, read: BTreeSet::new(), later: None }
    }

    pub(super) fn into_desk(self) -> Desk {
        self.desk
    }

    /// From wherever the session is to its end.
    pub(super) fn walk(&mut self, answers: Option<&Answers>) -> Go<End> {
        self.desk.skip()?;
        self.welcome()?;
        self.desk.catch_up()?;
        self.take_pen()?;
        if self.knocks() {
            self.access()?;
        }
        if self.desk.state().phase == Phase::Preparing {
            self.standing_bans()?;
            if let Some(answers) = answers {
                for wrong in give_answers(&mut self.desk, answers)? {
                    self.desk.out.hanging("! ", &wrong)?;
                }
            }
            self.prepare()?;
        }
        self.course()
    }

    fn welcome(&mut self) -> Go<()> {
        let setup = self.desk.state().setup.clone();
        let id = self.desk.follower.session().id().clone();
        let out = &mut self.desk.out;
        out.heading(&setup.profile.product)?;
        let servers = setup.inventory.servers.len();
        out.line(&format!("Farm \"{}\", {servers} servers. Session {id}.", setup.inventory.farm))?;
        out.text(
            "Type the number of a choice, or what is asked for, and press Enter. ? shows help, q leaves. What is typed is \
             kept in the session's journal, but for passwords.",
        )?;
        if let Some(cite) = &setup.profile.cite {
            out.line(&format!("Follows the vendor's document: {cite}"))?;
        }
        Ok(())
    }

    /// One viewer acts at a time.
    fn take_pen(&mut self) -> Go<()> {
        let Err(why) = self.desk.send(&Intent::TakePen { by_force: false })? else { return Ok(()) };
        self.desk.out.hanging("! ", &why)?;
        match self.choose(&[
            "take the pen over: the other viewer can then only look on",
            "leave it with them, and go",
        ])? {
            0 => self.insist(&Intent::TakePen { by_force: true }),
            _ => Err(Stop::End(End::Left)),
        }
    }

    fn prepare(&mut self) -> Go<()> {
        self.notices(1, "Licence", Page::Licence)?;
        self.notices(2, "Information", Page::Information)?;
        self.inputs(3)?;
        // What was answered may have changed which of them apply.
        self.notices(2, "Information", Page::Information)?;
        self.components(4)?;
        self.checks(5)?;
        self.notices(6, "Requirements", Page::Requirements)?;
        self.notices(6, "Firewall", Page::Firewall)?;
        self.summary(7)
    }

    fn page(&mut self, number: usize, title: &str) -> Go<()> {
        Ok(self.desk.out.heading(&format!("Step {number} of {PAGES}: {title}"))?)
    }

    /// Sends what is wanted; a refusal is told.
    fn send(&mut self, intent: &Intent) -> Go<bool> {
        match self.desk.send(intent)? {
            Ok(()) => Ok(true),
            Err(why) => {
                self.desk.out.hanging("! ", &why)?;
                Ok(false)
            }
        }
    }

    /// Sends what cannot well be refused; if it is, the operator is told and leaves.
    fn insist(&mut self, intent: &Intent) -> Go<()> {
        if self.send(intent)? { Ok(()) } else { Err(Stop::End(End::Left)) }
    }

    /// Asks for a line. The session may end meanwhile.
    fn ask(&mut self, prompt: &str) -> Go<String> {
        self.desk.catch_up()?;
        self.console.discard();
        self.desk.out.prompt(prompt)?;
        loop {
            match self.console.line() {
                Said::Line(line) => return Ok(self.typed(&line)),
                Said::Left => return Err(Stop::End(End::Left)),
                Said::Nothing => {}
            }
            self.desk.wait()?;
            self.desk.catch_up()?;
        }
    }

    /// What was typed. A terminal has shown the Enter that ended it.
    fn typed(&mut self, line: &str) -> String {
        if self.console.is_terminal {
            self.desk.out.answered();
        }
        line.trim().to_owned()
    }

    /// Asks which of `choices`; gives its index.
    fn choose(&mut self, choices: &[&str]) -> Go<usize> {
        for (index, choice) in choices.iter().enumerate() {
            self.desk.out.hanging(&format!("  {}  ", index + 1), choice)?;
        }
        loop {
            let typed = self.ask(&format!("Choose 1 to {}:", choices.len()))?;
            match &*typed {
                "?" => self.help()?,
                "q" => self.quit()?,
                typed => match typed.parse::<usize>() {
                    Ok(number) if (1..=choices.len()).contains(&number) => return Ok(number - 1),
                    _ => self.desk.out.line(&format!(
                        "Type a number from 1 to {}, ? for help or q to leave.",
                        choices.len()
                    ))?,
                },
            }
        }
    }

    fn yes_no(&mut self, question: &str) -> Go<bool> {
        loop {
            match &*self.ask(&format!("{question} (yes/no)"))?.to_lowercase() {
                "yes" | "y" => return Ok(true),
                "no" | "n" => return Ok(false),
                "?" => self.help()?,
                "q" => self.quit()?,
                _ => self.desk.out.line("Type yes or no.")?,
            }
        }
    }

    fn help(&mut self) -> Go<()> {
        let out = &mut self.desk.out;
        out.text(
            "Each question has numbered choices; type the number and Enter. Where a text is asked for, type it. Enter alone \
             takes the default, where there is one.",
        )?;
        out.text(
            "q: leave, or stop the session. End of input or Ctrl-C: leave at once; the session goes on.",
        )?;
        Ok(())
    }

    /// Leaving is not stopping: the operator says which.
    fn quit(&mut self) -> Go<()> {
        let choices = [
            "leave: the session stays as it is, and `nofm attach` joins it again",
            "stop: what runs is finished, then the session ends; `nofm resume` goes on with it",
            "neither: go on here",
        ];
        match self.choose_once(&choices)? {
            0 => Err(Stop::End(End::Left)),
            1 => self.stop(),
            _ => Ok(()),
        }
    }

    /// Like [`Self::choose`], without the way to [`Self::quit`]: anything else than a number is the last choice.
    fn choose_once(&mut self, choices: &[&str]) -> Go<usize> {
        for (index, choice) in choices.iter().enumerate() {
            self.desk.out.hanging(&format!("  {}  ", index + 1), choice)?;
        }
        let typed = self.ask(&format!("Choose 1 to {}:", choices.len()))?;
        Ok(typed
            .parse::<usize>()
            .ok()
            .filter(|number| (1..=choices.len()).contains(number))
            .unwrap_or(choices.len())
            - 1)
    }

    /// Waits until `done`, answering what is asked meanwhile.
    fn until(&mut self, done: impl Fn(&crate::engine::State) -> bool) -> Go<()> {
        loop {
            self.desk.catch_up()?;
            if done(self.desk.state()) {
                return Ok(());
            }
            match self.desk.question() {
                _ if self.knocks() => self.access()?,
                Some(question) => self.answer(&question)?,
                // What waits for what was left for later waits here, too.
                None if !self.desk.state().access.is_empty() => self.come_back()?,
                None => self.desk.wait()?,
            }
            if self.console.is_interrupted() {
                return Err(Stop::End(End::Left));
            }
        }
    }

    /// Where nothing but what was left for later is waited for.
    fn come_back(&mut self) -> Go<()> {
        match self.console.line_if(|line| matches!(line.trim(), "a" | "q" | "?")) {
            Said::Line(line) => match line.trim() {
                "a" => self.access(),
                "q" => self.quit(),
                _ => Ok(self
                    .desk
                    .out
                    .line("Servers wait for your word: a comes back to it, q leaves or stops.")?),
            },
            Said::Left => Err(Stop::End(End::Left)),
            Said::Nothing if self.console.is_over() => Err(Stop::End(End::Left)),
            Said::Nothing => self.desk.wait(),
        }
    }

    fn status(&mut self) -> Go<()> {
        let now_ms = self.desk.follower.now_ms();
        Ok(show::status(&mut self.desk.out, self.desk.follower.state(), now_ms)?)
    }
}
