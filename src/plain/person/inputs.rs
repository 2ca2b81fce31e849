//! The profile's inputs: asked one by one, shown all together, and agreed to where the vendor does not vouch for them.

use super::Person;
use crate::client::whole_path;
use crate::engine::{Intent, State};
use crate::inventory::Server;
use crate::model::{InputId, Value};
use crate::plain::error::Go;
use crate::plain::show::{self, input_label, value_text};
use crate::plan::answers::{self, keys};
use crate::profile::{Input, InputKind};

/// An input, for a server or a system where it differs.
type Wanted = (InputId, String);

impl Person {
    pub(super) fn inputs(&mut self, number: usize) -> Go<()> {
        self.page(number, "Inputs")?;
        for (input, key) in self.unanswered() {
            self.input(&input, &key)?;
        }
        self.change_inputs()?;
        self.unsure()
    }

    /// What was neither answered nor stands in the inventory. A default is shown and taken by Enter.
    fn unanswered(&self) -> Vec<Wanted> {
        let state = self.desk.state();
        let in_inventory = |server: Option<&Server>, input: &Input| {
            server.is_some_and(|server| server.inputs.contains_key(&input.id))
        };
        every_input(state)
            .filter(|(input, key, server)| {
                state.answers.given(&input.id, key).is_none()
                    && !in_inventory(*server, input)
                    // What is to be agreed to is shown for that anyway.
                    && !(input.unsure && (input.optional || state.answers.value(input, *server).is_some()))
            })
            .map(|(input, key, _)| (input.id.clone(), key))
            .collect()
    }

    /// Asks for one input until what is typed fits, or the default is taken.
    fn input(&mut self, id: &InputId, key: &str) -> Go<()> {
        let setup = self.desk.state().setup.clone();
        let Some(input) = setup.profile.input(id) else { return Ok(()) };
        let server =
            keys(&setup, input).into_iter().find(|(known, _)| known == key).and_then(|(_, server)| server);
        let present = self.desk.state().answers.value(input, server);
        let servers = self.describe(input, key, present.as_ref())?;
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
            match self.read_input(input, key, &typed, &servers) {
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

    /// Says what is asked for. Gives the names that may be chosen by number.
    fn describe(&mut self, input: &Input, key: &str, present: Option<&Value>) -> Go<Vec<String>> {
        let setup = self.desk.state().setup.clone();
        let out = &mut self.desk.out;
        out.blank()?;
        out.hanging("? ", &input_label(input, key))?;
        if let Some(help) = &input.help {
            out.hanging("    ", help.trim())?;
        }
        if let Some(cite) = &input.cite {
            out.hanging("    ", &format!("(vendor: {cite})"))?;
        }
        let of_roles = |server: &&Server| {
            input.roles.is_empty() || server.roles.iter().any(|role| input.roles.contains(role))
        };
        let (names, labels): (Vec<String>, Vec<String>) = match input.kind {
            InputKind::Choice => {
                input.choices.iter().map(|(id, label)| (id.clone(), format!("{id}: {label}"))).unzip()
            }
            InputKind::Server => {
                let servers = setup.inventory.servers.iter().filter(of_roles);
                servers
                    .map(|server| (server.name.to_string(), format!("{} ({})", server.name, server.address)))
                    .unzip()
            }
            _ => Default::default(),
        };
        for (index, label) in labels.iter().enumerate() {
            out.hanging(&format!("  {}  ", index + 1), label)?;
        }
        let form = match input.kind {
            InputKind::YesNo => "Answer yes or no.",
            InputKind::Number => "Answer with a number.",
            InputKind::Hosts => "Answer with names, separated by blanks.",
            InputKind::File => "Answer with the path of a file on this machine.",
            InputKind::Command => "Answer with a command line.",
            _ => "",
        };
        if !form.is_empty() {
            out.hanging("    ", form)?;
        }
        if present.is_none() && input.optional {
            out.hanging("    ", "It may be left open.")?;
        }
        Ok(names)
    }

    fn read_input(&self, input: &Input, key: &str, typed: &str, names: &[String]) -> Result<Value, String> {
        let by_number = typed.parse::<usize>().ok().and_then(|number| names.get(number.checked_sub(1)?));
        let text = match input.kind {
            InputKind::File => whole_path(typed)?,
            _ => by_number.cloned().unwrap_or_else(|| typed.to_owned()),
        };
        let value = answers::read(input, &text)?;
        answers::fits(&self.desk.state().setup, input, key, &value)?;
        Ok(value)
    }

    /// All answers together; each can be given anew by its number.
    fn change_inputs(&mut self) -> Go<()> {
        loop {
            self.desk.out.blank()?;
            self.desk.out.line("Your answers:")?;
            show::inputs(&mut self.desk.out, self.desk.follower.state())?;
            let all: Vec<Wanted> =
                every_input(self.desk.state()).map(|(input, key, _)| (input.id.clone(), key)).collect();
            let typed = self.ask("Enter to go on, or the number of an answer to change:")?;
            match (&*typed, typed.parse::<usize>()) {
                ("", _) => {
                    let missing = self.missing();
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
                    let (input, key) = &all[number - 1];
                    self.input(input, key)?;
                }
                _ => {
                    self.desk.out.line(&format!("Type a number from 1 to {}, or press Enter.", all.len()))?;
                }
            }
        }
    }

    fn missing(&self) -> Vec<Wanted> {
        let state = self.desk.state();
        state.answers.missing(&state.setup).into_iter().map(|(input, key)| (input.id.clone(), key)).collect()
    }

    /// What the vendor does not vouch for is seen and agreed to, one by one.
    fn unsure(&mut self) -> Go<()> {
        let setup = self.desk.state().setup.clone();
        let open =
            |person: &Self, input: &Input| input.unsure && !person.desk.state().unsure.contains(&input.id);
        if !setup.profile.inputs.iter().any(|input| open(self, input)) {
            return Ok(());
        }
        self.desk.out.blank()?;
        self.desk.out.text("The vendor does not vouch for the following. Look at each, and change it where it is not right here.")?;
        for input in setup.profile.inputs.iter().filter(|input| input.unsure) {
            while open(self, input) {
                for (key, server) in keys(&setup, input) {
                    let value = self.desk.state().answers.value(input, server);
                    let shown = value.map_or("(none)".to_owned(), |value| value_text(input, &value));
                    self.desk.out.blank()?;
                    self.desk.out.hanging("? ", &format!("{}:", input_label(input, &key)))?;
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

/// Every input under each of its keys, in the order they are shown.
fn every_input(state: &State) -> impl Iterator<Item = (&Input, String, Option<&Server>)> {
    state.setup.profile.inputs.iter().flat_map(|input| {
        keys(&state.setup, input).into_iter().map(move |(key, server)| (input, key, server))
    })
}
