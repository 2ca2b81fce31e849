//! A session and the lines that tell of it: read on, say what happened, send what is wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::error::{End, Go, Stop};
use super::json;
use super::printer::Printer;
use crate::client::{ClientError, Follower, Reply, Runner, Sealed};
use crate::engine::{Event, Intent, Phase, Place, ProbeKey, Question, State, StepKey};
use crate::journal::Entry;
use crate::model::Access;
use crate::profile::Name;
use crate::text::escape::{Newline, safe_bytes};
use crate::words;

/// How long is waited at most before looking round: for late steps, and whether the runner is there.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// Looks round, some fifty milliseconds each, for a runner that does not answer.
const PATIENCE: u32 = 100;

/// What of the events is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// What a person at a dialogue does not see otherwise.
    Dialogue,
    /// Everything that has a sentence, but for what stands in the tables of the pages.
    Pages,
    /// Everything that has a sentence.
    Lines,
    /// Every event, as JSON.
    Json,
}

/// What ran last at a place.
struct Ran {
    key: StepKey,
    run: String,
}

pub(super) struct Desk {
    pub(super) follower: Follower,
    pub(super) out: Printer,
    telling: Telling,
    /// Before this the events are old and not told.
    quiet_to: u64,
    tally: String,
    ran: BTreeMap<Place, Ran>,
    late: BTreeSet<StepKey>,
    /// Lines that wait while an attended step has the terminal.
    held: Option<Vec<(i64, String)>>,
    /// Whether a line was printed since somebody last asked.
    said: bool,
}

impl Desk {
    pub(super) fn new(follower: Follower, out: Printer, telling: Telling) -> Self {
        Self {
            follower,
            out,
            telling,
            quiet_to: 0,
            tally: String::new(),
            ran: BTreeMap::new(),
            late: BTreeSet::new(),
            held: None,
            said: false,
        }
    }

    pub(super) fn state(&self) -> &State {
        self.follower.state()
    }

    pub(super) fn is_json(&self) -> bool {
        self.telling == Telling::Json
    }

    /// Reads what happened so far without telling it.
    pub(super) fn skip(&mut self) -> Go<()> {
        self.quiet_to = u64::MAX;
        self.read()?;
        self.quiet_to = 0;
        self.tally = words::tally::full(self.state()).unwrap_or_default();
        Ok(())
    }

    /// Reads on and tells what happened.
    pub(super) fn read(&mut self) -> Go<()> {
        while let Some(entry) = self.follower.next_event()? {
            self.remember(&entry.event);
            if entry.seq > self.quiet_to {
                self.tell(&entry)?;
            }
        }
        Ok(())
    }

    /// Reads on; ends where the session does, or its runner.
    pub(super) fn catch_up(&mut self) -> Go<()> {
        // First whether there is somebody to write, so that their last words are read after.
        let gone = self.follower.runner() == Runner::Gone;
        self.read()?;
        if let Some(close) = self.state().close() {
            return Err(Stop::End(End::Closed(close.clone())));
        }
        if gone { Err(Stop::End(End::RunnerGone)) } else { self.tell_late() }
    }

    fn remember(&mut self, event: &Event) {
        if let Event::StepIntended { key, targets, .. } = event {
            for target in targets {
                self.ran.insert(target.place.clone(), Ran { key: key.clone(), run: target.run.clone() });
            }
        }
    }

    fn tell(&mut self, entry: &Entry<Event>) -> Go<()> {
        if self.telling == Telling::Json {
            return Ok(self.out.json(&json::entry(entry))?);
        }
        let wall_ms = entry.stamp.at().as_millisecond();
        if self.is_told(&entry.event)
            && let Some(line) = words::line(self.state(), &entry.event)
        {
            self.stamped(wall_ms, line)?;
            for line in words::tail(&entry.event) {
                self.stamped(wall_ms, line)?;
            }
        }
        if self.state().phase != Phase::Preparing && changes_tally(self.state(), &entry.event) {
            let tally = words::tally::full(self.state()).unwrap_or_default();
            if !tally.is_empty() && tally != self.tally {
                self.stamped(wall_ms, tally.clone())?;
                self.tally = tally;
            }
        }
        Ok(())
    }

    fn is_told(&self, event: &Event) -> bool {
        let preparing = self.state().phase == Phase::Preparing;
        let in_table = preparing && matches!(event, Event::Checked { .. } | Event::ChecksWanted { .. });
        match self.telling {
            Telling::Json | Telling::Lines => true,
            Telling::Pages => !in_table,
            // The dialogue shows questions itself, and its operator knows what they typed.
            Telling::Dialogue => {
                let shown = in_table
                    || matches!(event, Event::Asked { .. } | Event::Withdrawn { .. })
                    || matches!(event, Event::AccessAsked { .. } | Event::AccessWithdrawn { .. })
                    || (preparing && matches!(event, Event::Opened { .. }));
                !shown && !words::is_by(event, self.follower.viewer())
            }
        }
    }

    fn stamped(&mut self, wall_ms: i64, line: String) -> Go<()> {
        self.said = true;
        match &mut self.held {
            Some(held) => held.push((wall_ms, line)),
            None => self.out.stamped(wall_ms, &line)?,
        }
        Ok(())
    }

    /// Keeps lines back while something else has the terminal.
    pub(super) fn hold_lines(&mut self) {
        self.held.get_or_insert_default();
    }

    pub(super) fn release_lines(&mut self) -> Go<()> {
        for (wall_ms, line) in self.held.take().unwrap_or_default() {
            self.out.stamped(wall_ms, &line)?;
        }
        Ok(())
    }

    /// Sends what is wanted and reads on to what came of it. A refusal is given back as a reason.
    pub(super) fn send(&mut self, intent: &Intent) -> Go<Result<(), String>> {
        let reply = self.follower.send(intent);
        self.came_of(reply)
    }

    /// The same for a secret that servers wait for.
    pub(super) fn hand_over(&mut self, access: &Access, secret: Sealed) -> Go<Result<(), String>> {
        let sent = self.follower.hand_over(access, secret);
        let reply = sent.and_then(|sent| self.follower.answer(&sent));
        self.came_of(reply)
    }

    fn came_of(&mut self, reply: Result<Reply, ClientError>) -> Go<Result<(), String>> {
        let reply = match reply {
            Ok(reply) => reply,
            Err(ClientError::NoRunner(_) | ClientError::Socket { .. }) => Reply::Lost,
            Err(error) => return Err(error.into()),
        };
        match reply {
            Reply::Done { .. } => {
                self.read()?;
                Ok(Ok(()))
            }
            Reply::Refused { why } => {
                self.read()?;
                Ok(Err(why))
            }
            Reply::Lost => {
                // A runner that closed the session may be gone before its answer is here; the journal has it all.
                for _ in 0..PATIENCE {
                    if self.follower.runner() != Runner::Silent {
                        break;
                    }
                    self.wait()?;
                }
                self.catch_up()?;
                Ok(Err("the runner went away before it answered; look at what is shown next".to_owned()))
            }
        }
    }

    /// Waits a little for something to come in.
    pub(super) fn wait(&mut self) -> Go<()> {
        Ok(self.follower.wait(LOOK)?)
    }

    /// Whether a line was printed since this was last asked.
    pub(super) fn was_said(&mut self) -> bool {
        std::mem::take(&mut self.said)
    }

    /// The question that has been open for the longest time.
    pub(super) fn question(&self) -> Option<Question> {
        self.state().questions.values().next().cloned()
    }

    /// Says once of each step that it takes longer than usual.
    fn tell_late(&mut self) -> Go<()> {
        let now_ms = self.follower.now_ms();
        let state = self.state();
        let lanes = state.active_lanes().map(|lane| (state.step_key(lane), lane));
        let late: Vec<(StepKey, String)> = lanes
            .filter(|(key, _)| !self.late.contains(key))
            .filter_map(|(key, lane)| Some((key, words::lane::late_text(state, lane, now_ms)?)))
            .collect();
        for (key, line) in late {
            self.late.insert(key);
            if self.telling != Telling::Json {
                let now = self.state().time.last.map_or(0, |stamp| stamp.wall_ms);
                let since = i64::try_from(now_ms.saturating_sub(self.state().time.now_ms)).unwrap_or(0);
                self.stamped(now.saturating_add(since), line)?;
            }
        }
        Ok(())
    }

    /// What ran last at `place`, and the end of what it printed.
    pub(super) fn last_lines(&mut self, place: &Place, lines: usize) -> Go<Option<(String, Vec<String>)>> {
        let Some(ran) = self.ran.get(place) else { return Ok(None) };
        let title = words::step_title(self.state(), &ran.key);
        let Some(output) = self.follower.output(&ran.run)? else { return Ok(Some((title, Vec::new()))) };
        let (_, bytes) = output.tail(u64::MAX, lines).map_err(ClientError::from)?;
        let text = safe_bytes(&bytes, Newline::Keep);
        Ok(Some((title, text.lines().map(str::to_owned).collect())))
    }
}

/// Whether n, m or what stands beside them may be another after `event`.
fn changes_tally(state: &State, event: &Event) -> bool {
    if let Event::Read { probe: ProbeKey::Fact(fact, _), .. } = event {
        let mut roles = state.setup.profile.roles.iter();
        let named = |name: &Name| *name == Name::Farm(fact.clone());
        let mut tallies = state.setup.profile.stages.iter().filter_map(|stage| stage.tally.as_ref());
        return roles
            .any(|role| role.version.as_ref() == Some(fact) || role.registered.as_ref() == Some(fact))
            || tallies.any(|tally| tally.names().iter().any(named));
    }
    matches!(
        event,
        Event::StageEntered { .. }
            | Event::LaneEntered { .. }
            | Event::LaneDone { .. }
            | Event::LeftOut { .. }
            | Event::StepFailed { .. }
            | Event::StepUnknown { .. }
            | Event::StepSettled { .. }
            | Event::RoundBegun { .. }
    )
}
