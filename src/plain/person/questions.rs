//! A question of the engine: shown, then answered by number.

use super::Person;
use crate::engine::{About, Answer, Choice, Intent, Question};
use crate::plain::console::Said;
use crate::plain::error::{End, Go, Stop};
use crate::plain::{attended, show};
use crate::words::choice_word;
use crate::words::question::{open, sure, text_prompt};

impl Person {
    /// Asks until it is answered, or needs no answer any more.
    pub(super) fn answer(&mut self, question: &Question) -> Go<()> {
        self.show_question(question)?;
        loop {
            let open: Vec<Answer> = open(question).cloned().collect();
            let Some(typed) = self.reply_line(question)? else { return Ok(()) };
            match &*typed {
                "" | "?" => self.show_question(question)?,
                "q" => self.quit()?,
                typed if self.command(typed)? => self.prompt(question)?,
                typed => {
                    let number =
                        typed.parse::<usize>().ok().filter(|number| (1..=open.len()).contains(number));
                    match number.map(|number| &open[number - 1]) {
                        Some(option) => {
                            if self.choose_option(question, option)? {
                                return Ok(());
                            }
                        }
                        None => self.desk.out.line(&format!("Type a number from 1 to {}.", open.len()))?,
                    }
                }
            }
        }
    }

    fn show_question(&mut self, question: &Question) -> Go<()> {
        show::question(&mut self.desk.out, self.desk.follower.state(), question, true)?;
        self.console.discard();
        self.prompt(question)
    }

    fn prompt(&mut self, question: &Question) -> Go<()> {
        let open = open(question).count();
        Ok(self.desk.out.prompt(&format!("Choose 1 to {open}:"))?)
    }

    /// What is typed as an answer. `None`: the question was answered or withdrawn meanwhile.
    fn reply_line(&mut self, question: &Question) -> Go<Option<String>> {
        loop {
            match self.console.line() {
                Said::Line(line) => return Ok(Some(self.typed(&line))),
                Said::Left => return Err(Stop::End(End::Left)),
                Said::Nothing => {}
            }
            let before = self.desk.state().seq;
            self.desk.wait()?;
            self.desk.catch_up()?;
            if !self.desk.state().questions.contains_key(&question.id) {
                self.desk.out.line("This question needs no answer any more.")?;
                return Ok(None);
            }
            if self.knocks() {
                // Nobody can go on there before; the question waits for as long as it takes.
                self.access()?;
                if self.desk.state().questions.contains_key(&question.id) {
                    self.show_question(question)?;
                }
                continue;
            }
            if self.desk.state().seq != before && self.desk.was_said() {
                self.prompt(question)?;
            }
        }
    }

    /// Sends a choice with its text. True: the question is behind.
    fn choose_option(&mut self, question: &Question, option: &Answer) -> Go<bool> {
        if option.choice == Choice::Start && !self.console.is_terminal {
            self.desk.out.hanging(
                "! ",
                "This needs a terminal, and what you type comes from elsewhere. Start it from `nofm attach` in a terminal, \
                 or go through the installer elsewhere and choose `done`.",
            )?;
            return Ok(false);
        }
        let text = if option.wants_text {
            let text = self.ask(text_prompt(option.choice))?;
            if text.is_empty() {
                self.desk.out.line("Nothing was typed, so nothing was chosen.")?;
                self.prompt(question)?;
                return Ok(false);
            }
            text
        } else {
            String::new()
        };
        if let Some(sure) = sure(option.choice)
            && !self.yes_no(sure)?
        {
            self.prompt(question)?;
            return Ok(false);
        }
        let reply = Intent::Reply { question: question.id, choice: option.choice, text };
        match self.desk.send(&reply)? {
            Ok(()) => {
                if option.choice == Choice::Start
                    && let About::Attended(key) = &question.about
                {
                    attended::pass_through(&mut self.desk, &mut self.console, key)?;
                }
                Ok(true)
            }
            Err(why) => {
                self.desk.out.hanging("! ", &why)?;
                let still = self.desk.state().questions.contains_key(&question.id);
                if still {
                    self.desk.out.line(&format!(
                        "`{}` was not done; the question stays.",
                        choice_word(option.choice)
                    ))?;
                    self.prompt(question)?;
                }
                Ok(!still)
            }
        }
    }
}
