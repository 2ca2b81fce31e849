//! What the vendor forbids: shown, and lifted with what the operator says shows that it is.

use super::Person;
use crate::engine::{Ban, Intent, State};
use crate::plain::error::Go;
use crate::plain::show;
use crate::words::bans::{self, PROMPT, liftable};

impl Person {
    /// What was forbidden before this upgrade was begun comes first: where it stands nothing will be.
    pub(super) fn standing_bans(&mut self) -> Go<()> {
        if self.desk.state().bans.is_empty() {
            return Ok(());
        }
        self.desk.out.blank()?;
        let rows: Vec<_> = bans::rows(self.desk.state()).collect();
        show::bans(&mut self.desk.out, &rows)?;
        while liftable(self.desk.state()).next().is_some() {
            match &*self.ask("u: lift it, with what shows that; Enter: go on:")? {
                "" => break,
                "u" => self.lift()?,
                "q" => self.quit()?,
                _ => self.desk.out.line("Type u, or Enter alone.")?,
            }
        }
        Ok(())
    }

    /// Lifts what is chosen of that which can be.
    pub(super) fn lift(&mut self) -> Go<()> {
        let open: Vec<Ban> = liftable(self.desk.state()).cloned().collect();
        let Some(ban) = self.choose_ban(&open)? else { return Ok(()) };
        self.desk.out.hanging("? ", &bans::row(ban).text)?;
        self.desk.out.hanging("    ", &bans::row(ban).way_out)?;
        let evidence = self.ask(PROMPT)?;
        if evidence.is_empty() {
            return Ok(self.desk.out.line("Nothing was typed, so it stays forbidden.")?);
        }
        let intent = Intent::LiftBan { act: ban.act, why: ban.why.clone(), evidence };
        if self.send(&intent)? {
            self.desk.out.line("It is lifted.")?;
        }
        Ok(())
    }

    fn choose_ban<'b>(&mut self, open: &'b [Ban]) -> Go<Option<&'b Ban>> {
        if open.is_empty() {
            let text = why_nothing(self.desk.state());
            self.desk.out.line(text)?;
            return Ok(None);
        }
        if let [one] = open {
            return Ok(Some(one));
        }
        let mut choices: Vec<String> = open.iter().map(|ban| bans::row(ban).text).collect();
        choices.push("none of these".to_owned());
        let choices: Vec<&str> = choices.iter().map(String::as_str).collect();
        Ok(open.get(self.choose_once(&choices)?))
    }
}

fn why_nothing(state: &State) -> &'static str {
    if state.bans.is_empty() {
        "Nothing is forbidden."
    } else {
        "Of what is forbidden the vendor names nothing that lifts it."
    }
}
