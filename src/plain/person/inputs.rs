//! The profile's inputs: asked one by one, shown all together, and agreed to where the vendor does not vouch for them.

use super::Person;
use crate::client::whole_path;
use crate::engine::Intent;
use crate::model::{InputId, Value};
use crate::plain::error::Go;
use crate::plain::show;
use crate::plan::answers::keys;
use crate::profile::Input;
use crate::words::inputs::{self, label, value_text};

impl Person {
    pub(super) fn inputs(&mut self, number: usize) -> Go<()> {
        self.page(number, "Inputs")?;
        for (input, key) in inputs::unanswered(self.desk.state()) {
            self.input(&input, &key)?;
        }
        self.change_inputs()?;
        self.unsure()
    }

    /// Asks for one input until what is typed fits, or the default is taken.
    fn input(&mut self, id: &InputId, key: &str) -> Go<()> {
        let setup = self.desk.state().setup.clone();
        let Some(input) = setup.profile.input(id) else { return Ok(()) };
        let present = inputs::present(self.desk.state(), input, key);
        self.describe(input, key, present.as_ref())?;
        let prompt = match (&present, input.optional) {
            (Some(value), _) => format!("[Enter: {}]", value_text(input, value)),
            (None, true) => "[Enter: none]".to_owned(),
            (None, false) => ">".to_owned(),
        };
        loop {
            let typed = self.ask(&prompt)?;
            if typed == "?" {
                self.describe(input, key, present.as_ref())?;
                continue;
            }
            if typed == "q" {
                self.quit()?;
                continue;
            }
            if typed.is_empty() && (present.is_some() || input.optional) {
                return Ok(());
            }
            match inputs::read(&setup, input, key, &typed, whole_path) {
                Ok(value) => {
                    let answer = Intent::Answer { input: id.clone(), key: key.to_owned(), value };
                    if self.send(&answer)? {
                        return Ok(());
                    }
                }
                Err(why) => self.desk.out.hanging("! ", &why)?,
            }
        }
    }

    /// Says what is asked for.
    fn describe(&mut self, input: &Input, key: &str, present: Option<&Value>) -> Go<()> {
        let setup = self.desk.state().setup.clone();
        let out = &mut self.desk.out;
        out.blank()?;
        out.hanging("? ", &label(input, key))?;
        if let Some(help) = &input.help {
            out.hanging("    ", help.trim())?;
        }
        if let Some(cite) = &input.cite {
            out.hanging("    ", &format!("(vendor: {cite})"))?;
        }
        for (index, candidate) in inputs::candidates(&setup, input).iter().enumerate() {
            out.hanging(&format!("  {}  ", index + 1), &candidate.label)?;
        }
        if let Some(form) = inputs::form(input.kind) {
            out.hanging("    ", form)?;
        }
        if present.is_none() && input.optional {
            out.hanging("    ", "It may be left open.")?;
        }
        Ok(())
    }

    /// All answers together; each can be given anew by its number.
    fn change_inputs(&mut self) -> Go<()> {
        loop {
            self.desk.out.blank()?;
            self.desk.out.line("Your answers:")?;
            show::inputs(&mut self.desk.out, self.desk.follower.state())?;
            let all = inputs::rows(self.desk.state());
            let typed = self.ask("Enter to go on, or the number of an answer to change:")?;
            match (&*typed, typed.parse::<usize>()) {
                ("", _) => {
                    let missing = inputs::missing(self.desk.state());
                    if missing.is_empty() {
                        return Ok(());
                    }
                    for (input, key) in missing {
                        self.input(&input, &key)?;
                    }
                }
                ("?", _) => self.help()?,
                ("q", _) => self.quit()?,
                (_, Ok(number)) if (1..=all.len()).contains(&number) => {
                    let row = &all[number - 1];
                    self.input(&row.input, &row.key)?;
                }
                _ => {
                    self.desk.out.line(&format!("Type a number from 1 to {}, or press Enter.", all.len()))?;
                }
            }
        }
    }

    /// What the vendor does not vouch for is seen and agreed to, one by one.
    fn unsure(&mut self) -> Go<()> {
        let setup = self.desk.state().setup.clone();
        let open =
            |person: &Self, id: &InputId| inputs::unsure(person.desk.state()).any(|open| open.id == *id);
        if inputs::unsure(self.desk.state()).next().is_none() {
            return Ok(());
        }
        self.desk.out.blank()?;
        self.desk.out.text("The vendor does not vouch for the following. Look at each, and change it where it is not right here.")?;
        for input in setup.profile.inputs.iter().filter(|input| input.unsure) {
            while open(self, &input.id) {
                for (key, server) in keys(&setup, input) {
                    let value = self.desk.state().answers.value(input, server);
                    let shown = value.map_or("(none)".to_owned(), |value| value_text(input, &value));
                    self.desk.out.blank()?;
                    self.desk.out.hanging("? ", &format!("{}:", label(input, &key)))?;
                    self.desk.out.verbatim(4, &shown)?;
                }
                if let Some(help) = &input.help {
                    self.desk.out.hanging("    ", help.trim())?;
                }
                match self.choose(&["it is right: I agree", "change it"])? {
                    0 => self.insist(&Intent::AgreeUnsure { input: input.id.clone() })?,
                    _ => {
                        for (key, _) in keys(&setup, input) {
                            self.input(&input.id, &key)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
