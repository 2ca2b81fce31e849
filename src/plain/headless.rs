//! Without a person: every answer from a file or a default, and a stop where only a person may decide.

use super::console::Console;
use super::desk::{Desk, LOOK};
use super::error::{End, Go, Stop};
use super::policy::Policy;
use super::show;
use crate::client::whole_path;
use crate::engine::{About, Ban, Choice, Intent, Lack, Phase, Question, State};
use crate::inventory::Answers;
use crate::model::InputId;
use crate::plan;
use crate::profile::Page;
use crate::words;
use crate::words::checks::{is_checked, problems};
use crate::words::components::is_surveyed;
use crate::words::{access, bans, inputs, notices};

/// How often what the end waits for is said again.
const SAY_AGAIN_MS: u64 = 60_000;
/// How often it is waited for others that want a person's word as well, a second each time.
const KNOCKS: u32 = 5;
/// How long it is waited for room on the console's disk before the session is stopped.
const NO_ROOM: std::time::Duration = std::time::Duration::from_mins(30);

/// How far a session is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The prechecks, and no further.
    Checks,
    /// To the end.
    End,
}

pub(super) struct Script<'a> {
    desk: Desk,
    console: Console,
    policy: Policy<'a>,
    reach: Reach,
    /// What the end was last said to wait for, and when, in session milliseconds.
    waits: Option<(Vec<String>, u64)>,
    /// Since when the console's disk has no room.
    no_room: Option<std::time::Instant>,
}

impl<'a> Script<'a> {
    pub(super) fn new(desk: Desk, console: Console, answers: &'a Answers) -> Self {
        Self { desk, console, policy: Policy::new(answers), reach: Reach::End, waits: None, no_room: None }
    }

    pub(super) fn into_desk(self) -> Desk {
        self.desk
    }

    pub(super) fn walk(&mut self, reach: Reach, from_start: bool) -> Go<End> {
        self.reach = reach;
        if !from_start {
            self.desk.skip()?;
        }
        self.desk.catch_up()?;
        self.insist(&Intent::TakePen { by_force: true })?;
        if reach == Reach::End {
            self.lift()?;
        }
        let barred: Vec<String> = self.desk.state().barred().map(bans::without_a_person).collect();
        if reach == Reach::End && !barred.is_empty() {
            return self.stop_for(&barred);
        }
        for why in barred {
            self.say("! ", &why)?;
        }
        if self.desk.state().phase == Phase::Preparing {
            self.prepare()?;
        }
        self.until(|_| false)?;
        Ok(End::RunnerGone)
    }

    fn prepare(&mut self) -> Go<()> {
        for wrong in give_answers(&mut self.desk, self.policy.answers)? {
            self.say("! ", &wrong)?;
        }
        self.notices(Page::Licence)?;
        self.notices(Page::Information)?;
        self.unsure()?;
        let unanswered = self.lacks(|lack| matches!(lack, Lack::Input { .. }));
        if !unanswered.is_empty() {
            return self.stop_for(&unanswered);
        }
        self.heading("Inputs")?;
        if !self.desk.is_json() {
            show::inputs(&mut self.desk.out, self.desk.follower.state())?;
        }
        self.components()?;
        self.checks()?;
        if self.reach == Reach::Checks {
            return self.end_checks();
        }
        self.notices(Page::Requirements)?;
        self.notices(Page::Firewall)?;
        self.begin()
    }

    /// Lifts what the answer file has evidence for. It was written before this run, so it is about what stands now, and
    /// never about a failure that is still to come.
    fn lift(&mut self) -> Go<()> {
        let open: Vec<Ban> = bans::liftable(self.desk.state()).cloned().collect();
        for ban in open {
            if let Some(evidence) = self.policy.answers.bans.get(&ban.act).cloned() {
                self.insist(&Intent::LiftBan { act: ban.act, why: ban.why, evidence })?;
            }
        }
        Ok(())
    }

    fn heading(&mut self, text: &str) -> Go<()> {
        if !self.desk.is_json() {
            self.desk.out.heading(text)?;
        }
        Ok(())
    }

    fn say(&mut self, mark: &str, text: &str) -> Go<()> {
        if !self.desk.is_json() {
            self.desk.out.hanging(mark, text)?;
        }
        Ok(())
    }

    fn insist(&mut self, intent: &Intent) -> Go<()> {
        match self.desk.send(intent)? {
            Ok(()) => Ok(()),
            Err(why) => self.stop_for(&[why]),
        }
    }

    /// Says why a person is needed, and stops the session so that one can go on with it.
    fn stop_for<T>(&mut self, why: &[String]) -> Go<T> {
        for why in why {
            self.say("! ", &format!("a person must decide: {why}"))?;
        }
        self.stop()?;
        self.closed()
    }

    /// Nobody is here to say what servers wait for.
    fn stop_for_access(&mut self) -> Go<()> {
        // Others are on the way to the same door: all are told of together.
        for _ in 0..KNOCKS {
            let count = self.desk.state().access.len();
            let began = std::time::Instant::now();
            while began.elapsed() < LOOK {
                self.desk.wait()?;
                self.desk.catch_up()?;
                self.leave_if_told()?;
            }
            if self.desk.state().access.len() == count {
                break;
            }
        }
        let state = self.desk.state();
        let why: Vec<String> = access::open(state).collect();
        if why.is_empty() {
            return Ok(());
        }
        let mut ways: Vec<&str> = state.access.keys().map(access::without_a_person).collect();
        ways.dedup();
        let ways: Vec<String> = ways.into_iter().map(str::to_owned).collect();
        for way in &ways {
            self.say("! ", &format!("without a person: {way}"))?;
        }
        self.stop_for(&why)
    }

    fn stop(&mut self) -> Go<()> {
        // Refused only where the session ended by itself, which is seen next.
        if let Err(why) = self.desk.send(&Intent::Stop)? {
            self.say("! ", &why)?;
        }
        Ok(())
    }

    /// Waits for the session's end.
    fn closed<T>(&mut self) -> Go<T> {
        loop {
            self.desk.catch_up()?;
            self.leave_if_told()?;
            self.tell_waiting()?;
            self.desk.wait()?;
        }
    }

    /// A session that is to stop waits for what runs; nobody is to take that for a hang.
    fn tell_waiting(&mut self) -> Go<()> {
        let state = self.desk.state();
        if state.halt.is_none() {
            return Ok(());
        }
        let now_ms = self.desk.follower.now_ms();
        let running: Vec<_> = state.active_lanes().filter(|lane| lane.is_running()).collect();
        let names: Vec<String> = running
            .iter()
            .map(|lane| {
                let title = words::step_title(state, &state.step_key(lane));
                format!("{}: \"{title}\"", words::place(lane.key.server.as_ref()))
            })
            .collect();
        let again = self
            .waits
            .as_ref()
            .is_none_or(|(said, at_ms)| *said != names || now_ms.saturating_sub(*at_ms) >= SAY_AGAIN_MS);
        if names.is_empty() || !again {
            return Ok(());
        }
        let ran = running.iter().map(|lane| words::short(now_ms.saturating_sub(lane.phase_ms)));
        let lines: Vec<String> = names
            .iter()
            .zip(ran)
            .map(|(name, ran)| format!("{name} has run for {ran}; the session stops once it ends"))
            .collect();
        for line in lines {
            self.say("! ", &line)?;
        }
        self.say("! ", "nothing is cut off on a server; to leave without waiting, press Ctrl-C: the runner goes on waiting")?;
        self.waits = Some((names, now_ms));
        Ok(())
    }

    /// Nobody is here to make room; somebody who looks after the machine may be.
    fn wait_for_room(&mut self) -> Go<()> {
        let Some(why) = words::room_low(self.desk.state()) else {
            self.no_room = None;
            return Ok(());
        };
        match self.no_room {
            None => {
                self.no_room = Some(std::time::Instant::now());
                let minutes = NO_ROOM.as_secs() / 60;
                self.say("! ", &format!("it is waited {minutes} minutes for room; then the session stops"))
            }
            Some(since) if since.elapsed() >= NO_ROOM => self.stop_for(&[why]),
            Some(_) => Ok(()),
        }
    }

    fn leave_if_told(&mut self) -> Go<()> {
        if self.console.is_interrupted() { Err(Stop::End(End::Left)) } else { Ok(()) }
    }

    fn lacks(&self, which: impl Fn(&Lack) -> bool) -> Vec<String> {
        let state = self.desk.state();
        state.lacking().iter().filter(|lack| which(lack)).map(|lack| state.lack_text(lack)).collect()
    }

    fn notices(&mut self, page: Page) -> Go<()> {
        let ids = notices::of_page(self.desk.state(), page);
        for id in ids {
            let Some(notice) = self.desk.state().setup.profile.notice(&id).cloned() else { continue };
            if !self.desk.is_json() {
                self.desk.out.blank()?;
                show::notice(&mut self.desk.out, self.desk.follower.state(), &notice)?;
            }
            let confirmed = self.desk.state().notices.contains(&id);
            if notice.confirm && !confirmed && self.policy.answers.notices.contains(&id) {
                self.insist(&Intent::ConfirmNotice { notice: id })?;
            } else if notice.confirm && !confirmed && self.reach == Reach::End {
                return self
                    .stop_for(&[format!("the notice `{id}` is to be confirmed; see `[confirm] notices`")]);
            }
        }
        Ok(())
    }

    fn unsure(&mut self) -> Go<()> {
        let open: Vec<InputId> = inputs::unsure(self.desk.state()).map(|input| input.id.clone()).collect();
        if open.is_empty() || (self.reach == Reach::Checks && !self.policy.answers.unsure) {
            return Ok(());
        }
        if !self.policy.answers.unsure {
            let ids: Vec<&str> = open.iter().map(InputId::as_str).collect();
            let why = format!(
                "what the vendor does not vouch for is to be agreed to ({}); see `[confirm] unsure`",
                ids.join(", ")
            );
            return self.stop_for(&[why]);
        }
        for input in open {
            self.insist(&Intent::AgreeUnsure { input })?;
        }
        Ok(())
    }

    fn components(&mut self) -> Go<()> {
        self.insist(&Intent::Survey)?;
        self.until(is_surveyed)?;
        self.heading("Components")?;
        if !self.desk.is_json() {
            show::components(&mut self.desk.out, self.desk.follower.state())?;
        }
        Ok(())
    }

    fn checks(&mut self) -> Go<()> {
        self.insist(&Intent::Check { check: None, server: None })?;
        self.until(is_checked)?;
        if self.reach == Reach::End {
            for row in problems(self.desk.state()) {
                if row.has_fix && self.policy.may_fix(&row.check, row.server.as_ref()) {
                    // What an earlier fix mended may need none any more: that refusal is no fault.
                    if let Err(why) = self.desk.send(&Intent::Fix { check: row.check, server: row.server })? {
                        self.say("! ", &why)?;
                    }
                    self.until(is_checked)?;
                }
            }
            self.waive()?;
        }
        self.heading("Prechecks")?;
        if !self.desk.is_json() {
            show::checks(&mut self.desk.out, self.desk.follower.state(), false)?;
        }
        let open = problems(self.desk.state());
        if self.reach == Reach::Checks || open.is_empty() {
            return Ok(());
        }
        if open.iter().any(|row| row.blocks) {
            return self.end_as(End::Blocked);
        }
        let why = self.lacks(|lack| matches!(lack, Lack::Warned { .. }));
        self.stop_for(&why)
    }

    fn waive(&mut self) -> Go<()> {
        for row in problems(self.desk.state()) {
            if !row.blocks
                && let Some(reason) = self.policy.answers.waive.get(&row.check).cloned()
            {
                self.insist(&Intent::Waive { check: row.check, server: row.server, reason })?;
            }
        }
        Ok(())
    }

    fn end_checks(&mut self) -> Go<()> {
        let blocked = problems(self.desk.state()).iter().any(|row| row.blocks);
        if blocked {
            return self.end_as(End::Blocked);
        }
        self.stop()?;
        self.closed()
    }

    /// Stops the session, which counts as `end`.
    fn end_as<T>(&mut self, end: End) -> Go<T> {
        // The runner may be gone before it has answered: that is the end, too.
        match self.stop().and_then(|()| self.closed::<()>()) {
            Err(Stop::End(End::Closed(_))) => Err(Stop::End(end)),
            other => other.and(Err(Stop::End(end))),
        }
    }

    fn begin(&mut self) -> Go<()> {
        let state = self.desk.follower.state();
        let setup = state.setup.clone();
        let built = plan::build(&setup, &state.answers);
        let answers = state.answers.clone();
        let plan = match built {
            Ok(plan) => plan,
            Err(problems) => {
                let why: Vec<String> = problems.into_iter().map(|problem| problem.text).collect();
                return self.stop_for(&why);
            }
        };
        self.heading("Summary")?;
        if !self.desk.is_json() {
            show::plan(&mut self.desk.out, &setup, &answers, &plan)?;
        }
        if !self.policy.answers.summary {
            return self.stop_for(&["the summary is to be agreed to; see `[confirm] summary`".to_owned()]);
        }
        self.heading("Upgrade")?;
        self.insist(&Intent::Begin { plan: plan.hash })
    }

    /// Waits until `done`, answering what is asked meanwhile.
    fn until(&mut self, done: impl Fn(&State) -> bool) -> Go<()> {
        loop {
            self.desk.catch_up()?;
            self.leave_if_told()?;
            if done(self.desk.state()) {
                return Ok(());
            }
            if !self.desk.state().access.is_empty() {
                self.stop_for_access()?;
                continue;
            }
            if let Some(question) = self.desk.question() {
                self.answer(&question)?;
            } else {
                self.wait_for_room()?;
                self.tell_waiting()?;
                self.desk.wait()?;
            }
        }
    }

    fn answer(&mut self, question: &Question) -> Go<()> {
        let wish = self.policy.choose(self.desk.follower.state(), question);
        if let Some((choice, text)) = wish {
            let reply = Intent::Reply { question: question.id, choice, text };
            match self.desk.send(&reply)? {
                Ok(()) => return Ok(()),
                Err(why) => self.say("! ", &why)?,
            }
            if !self.desk.state().questions.contains_key(&question.id) {
                return Ok(());
            }
        }
        if self.reach == Reach::Checks && matches!(question.about, About::Tell(_)) {
            // Nobody is there to ask, so it is not known, which is what the table then shows.
            let reply = Intent::Reply { question: question.id, choice: Choice::Unknown, text: String::new() };
            return self.insist(&reply);
        }
        self.hold(question)
    }

    fn hold(&mut self, question: &Question) -> Go<()> {
        if !self.desk.is_json() {
            show::question(&mut self.desk.out, self.desk.follower.state(), question, false)?;
            self.say("! ", "a person must decide this, so the session is held here")?;
        }
        let reply = Intent::Reply { question: question.id, choice: Choice::Hold, text: String::new() };
        if self.desk.send(&reply)?.is_err() {
            self.stop()?;
        }
        self.closed()
    }
}

/// Sends the inputs that `answers` has and the session has not. Gives what is wrong with the others.
pub(super) fn give_answers(desk: &mut Desk, answers: &Answers) -> Go<Vec<String>> {
    let setup = desk.state().setup.clone();
    let (values, mut wrong) = inputs::from_file(&setup, answers, whole_path);
    for (input, key, value) in values {
        if desk.state().answers.given(&input, &key) == Some(&value) {
            continue;
        }
        let answer = Intent::Answer { input: input.clone(), key, value };
        if let Err(why) = desk.send(&answer)? {
            wrong.push(format!("the answer to `{input}`: {why}"));
        }
    }
    Ok(wrong)
}
