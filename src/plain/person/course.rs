//! The upgrade under way: what happens, line by line, what is asked, and the few commands that steer it.

use super::Person;
use crate::engine::{Intent, LaneState, Place, StepPhase};
use crate::model::ServerName;
use crate::plain::attended;
use crate::plain::console::Said;
use crate::plain::error::{End, Go, Stop};

/// Lines of output that `l` shows.
const LINES: usize = 20;

impl Person {
    pub(super) fn course(&mut self) -> Go<End> {
        self.page(8, "Upgrade")?;
        self.desk.out.text(
            "Enter: where it stands; p: pause; c: go on; s: stop; l SERVER: its last lines; ?: help.",
        )?;
        self.desk.release_lines()?;
        self.status()?;
        loop {
            self.desk.catch_up()?;
            if self.knocks() {
                self.access()?;
                continue;
            }
            if let Some(question) = self.desk.question() {
                self.answer(&question)?;
                continue;
            }
            match self.console.line_if(is_command) {
                Said::Line(line) => {
                    let line = line.trim();
                    if !self.command(line)? {
                        match line {
                            "" => self.status()?,
                            "q" => self.quit()?,
                            _ => self
                                .desk
                                .out
                                .line("Nothing is asked at the moment. ? shows what can be typed.")?,
                        }
                    }
                }
                Said::Left => return Err(Stop::End(End::Left)),
                Said::Nothing => self.desk.wait()?,
            }
        }
    }

    /// Carries out a command that may be given at any time. False: it is none.
    pub(super) fn command(&mut self, line: &str) -> Go<bool> {
        let (word, rest) = line.split_once(' ').map_or((line, ""), |(word, rest)| (word, rest.trim()));
        let server = (!rest.is_empty()).then(|| ServerName::from(rest));
        match (word, server) {
            ("p", server) => {
                self.send(&Intent::Pause { server })?;
            }
            ("c", server) => {
                self.send(&Intent::Unpause { server })?;
            }
            ("w", server) => self.leave_wait(server.as_ref())?,
            ("s", None) => {
                self.send(&Intent::Stop)?;
            }
            ("o", Some(server)) => {
                let reason = self.ask(&format!("Why is {server} left out? (Enter: it is not)"))?;
                if !reason.is_empty() {
                    self.send(&Intent::LeaveOut { server, reason })?;
                }
            }
            ("l", Some(server)) => self.last_lines(&Place::Server(server))?,
            ("l", None) => self.last_lines(&Place::Console)?,
            ("t", server) => self.terminal(server.as_ref())?,
            ("u", None) => self.lift()?,
            ("a", None) if !self.desk.state().access.is_empty() => self.access()?,
            ("?", None) => self.commands()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn commands(&mut self) -> Go<()> {
        for text in [
            "Enter      where it stands",
            "p          pause: what runs is finished, nothing new is started; p SERVER: there only",
            "c          let it go on; c SERVER: there only",
            "s          stop: what runs is finished, then the session ends and can be resumed",
            "w          do not wait any longer for what need not be waited for; w SERVER: there only",
            "o SERVER   leave a server out, where the vendor allows it",
            "l SERVER   the last lines of what ran there",
            "t SERVER   the terminal of the installer that runs there; Ctrl-] leaves it",
            "u          lift what the vendor forbids, with what shows that it may be",
            "a          what servers wait for that only you can say",
            "q          leave or stop",
        ] {
            self.desk.out.line(text)?;
        }
        Ok(())
    }

    /// Goes on without what is waited for on `server`, or anywhere, where the profile lets it be.
    fn leave_wait(&mut self, server: Option<&ServerName>) -> Go<()> {
        let state = self.desk.state();
        let is_meant = |lane: &&LaneState| {
            state.may_be_left(lane) && server.is_none_or(|server| lane.key.server.as_ref() == Some(server))
        };
        let key = state.active_lanes().find(is_meant).map(|lane| state.step_key(lane));
        match key {
            Some(key) => {
                self.send(&Intent::LeaveWait { key })?;
                Ok(())
            }
            None => Ok(self.desk.out.line("Nothing is waited for that need not be.")?),
        }
    }

    fn last_lines(&mut self, place: &Place) -> Go<()> {
        match self.desk.last_lines(place, LINES)? {
            None => self.desk.out.line(&format!("Nothing ran on {place} so far."))?,
            Some((step, lines)) => {
                self.desk.out.line(&format!("{place}: the end of what \"{step}\" printed:"))?;
                self.desk.out.verbatim(2, &lines.join("\n"))?;
            }
        }
        Ok(())
    }

    /// Opens the terminal of the attended step that runs on `server`, or anywhere.
    fn terminal(&mut self, server: Option<&ServerName>) -> Go<()> {
        let state = self.desk.state();
        let key = state
            .active_lanes()
            .filter(|lane| {
                lane.step == StepPhase::Running
                    && server.is_none_or(|server| lane.key.server.as_ref() == Some(server))
            })
            .map(|lane| state.step_key(lane))
            .find(|key| matches!(state.act_of(key), Some(crate::profile::Act::Attended(_))));
        match key {
            Some(key) if self.console.is_terminal => {
                attended::pass_through(&mut self.desk, &mut self.console, &key)
            }
            Some(_) => {
                Ok(self.desk.out.line("This needs a terminal, and what you type comes from elsewhere.")?)
            }
            None => Ok(self.desk.out.line("No installer waits in a terminal at the moment.")?),
        }
    }
}

/// Whether a line out of a pipe steers, rather than answers what is not asked yet.
fn is_command(line: &str) -> bool {
    let line = line.trim();
    matches!(line, "p" | "c" | "s" | "q" | "?" | "l" | "a" | "u" | "w")
        || matches!(line.split_once(' '), Some(("p" | "c" | "o" | "l" | "w", _)))
}
