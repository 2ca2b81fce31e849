//! An operator drawn from a seed: answers soon or late, twice or to the wrong question, pauses, leaves out,
//! stops and resumes.

use nofm::engine::{About, Ban, Choice, Close, Event, Intent, Lack, Origin, ProbeKey, Question, StepPhase};
use nofm::model::{Access, ViewerId};
use nofm::plan;
use nofm::profile::Forbidden;

use super::faults;
use super::generate::Case;
use super::odd::odd;
use super::rng::Rng;
use super::session::Session;

/// Events after which an operator gives up.
const LONG: usize = 1_500;
/// How.
const LAST: [Choice; 3] = [Choice::Abort, Choice::Accept, Choice::Hold];
/// How often a session is resumed at most once nothing goes wrong any more.
const RESUMES: u64 = 20;
/// How often an operator looks at it at most until it comes to an end then.
const LOOKS: u64 = 4_000;

/// How a session of the simulator ended.
#[derive(Debug, PartialEq, Eq, Clone, Copy, PartialOrd, Ord)]
pub enum Ended {
    Done,
    Failed,
    /// It stopped, and the operator did not resume it again.
    Stopped,
    /// It never began: something blocks.
    Blocked,
}

pub struct Operator {
    rng: Rng,
    session: Session,
    /// How often the operator still does what leads nowhere.
    patience: u64,
    resumes: u64,
    old: Vec<u64>,
    /// How often the operator looked since nothing goes wrong any more.
    looks: u64,
}

/// Carries out the case of `seed` to its end. What happened stands in the session.
pub fn carry_out(case: Case, seed: u64) -> (Ended, Session) {
    let mut session = Session::new(&case.profile, case.inventory, case.world, seed);
    for change in case.changes {
        session.set_fact_at(change.at_ms, change.fact, change.server.as_deref(), &change.value);
    }
    for (server, at_ms, for_ms) in case.losses {
        session.lose(&server, at_ms, for_ms);
    }
    operate(session, seed)
}

/// Carries out a session that was opened, with crashes and an operator as `seed` has them.
pub fn operate(mut session: Session, seed: u64) -> (Ended, Session) {
    let mut rng = Rng::new(seed ^ 0x0FEA_51B1);
    faults::disturb(&mut session, &mut rng);
    session.digest_every = 16;
    let patience = rng.within(0, 12);
    let mut operator = Operator { rng, session, patience, resumes: 3, old: Vec::new(), looks: 0 };
    let ended = operator.run();
    operator.session.ended_well(ended);
    (ended, operator.session)
}

impl Session {
    /// Whoever looks at its end is told why it ended so, and how it goes on.
    fn ended_well(&self, ended: Ended) {
        let close = self.state.closed.as_ref();
        assert!(close.is_some() || ended == Ended::Blocked, "it has no end\n{}", self.tail());
        if let Some(close) = close.filter(|close| **close != Close::Done) {
            assert!(!close.why().trim().is_empty(), "it does not say why it ended");
        }
        for lane in self.state.active_lanes() {
            let failed = matches!(lane.step, StepPhase::Failed(_));
            let by_wish = self.state.paused || self.state.halt.is_some();
            assert!(
                !failed || lane.ruled.is_some() || by_wish || close.is_some(),
                "{} failed, and nothing is said of how it goes on",
                lane.key
            );
        }
    }
}

impl Operator {
    fn run(&mut self) -> Ended {
        if !self.prepare() {
            return Ended::Blocked;
        }
        loop {
            self.must_come_to_an_end();
            // Sometimes the operator looks in the middle, and not when all waits for an answer.
            if self.rng.chance(40) {
                let ms = self.rng.within(100, 120_000);
                self.session.pass(ms);
            } else {
                self.session.go(u64::MAX, |session| !session.state.questions.is_empty());
            }
            match &self.session.state.closed {
                Some(Close::Done) => return Ended::Done,
                Some(Close::Failed { .. }) => return Ended::Failed,
                Some(Close::Stopped { .. }) if self.resumes == 0 => return Ended::Stopped,
                Some(Close::Stopped { .. }) => {
                    self.resumes -= 1;
                    self.session.resume();
                    self.find_bans();
                    continue;
                }
                None => {}
            }
            self.interfere();
            if !self.session.is_healed {
                self.open_doors();
            }
            self.answer();
        }
    }

    /// Once nothing goes wrong any more, who does what is asked brings it to its end.
    fn must_come_to_an_end(&mut self) {
        if !self.session.is_healed {
            return;
        }
        if self.looks == 0 {
            self.patience = 0;
            self.resumes = self.resumes.max(RESUMES);
            let waiting: Vec<Access> = self.session.state.access.keys().cloned().collect();
            for access in waiting {
                let _ = self.session.intent(&Intent::Deny { access: vec![access] });
            }
        }
        self.looks += 1;
        assert!(self.looks < LOOKS, "it does not come to an end\n{}", self.session.tail());
    }

    fn prepare(&mut self) -> bool {
        let take = Intent::TakePen { by_force: true };
        for wish in [take, Intent::Survey, Intent::Check { check: None, server: None }] {
            // A runner may die at any of them.
            let _ = self.session.intent(&wish);
        }
        for _ in 0..60 {
            // What is still to come by itself comes during the upgrade.
            self.session.go(u64::MAX, |session| {
                let state = &session.state;
                let idle = state.measures.is_empty() && state.active_lanes().next().is_none();
                idle || !state.questions.is_empty()
            });
            if self.session.state.closed.is_some() {
                self.session.resume();
                continue;
            }
            if !self.session.state.questions.is_empty() {
                self.answer();
                continue;
            }
            let lacking = self.session.state.lacking();
            let Some(lack) = lacking.first() else { break };
            match lack {
                Lack::Warned { check, server, .. } => {
                    let (check, server) = (check.clone(), server.clone());
                    let reason = "we know why".to_owned();
                    let _ = self.session.intent(&Intent::Waive { check, server, reason });
                }
                Lack::Blocked { check, server, .. } => {
                    let (check, server) = (check.clone(), server.clone());
                    let wish = if self.rng.chance(30) {
                        Intent::Fix { check, server }
                    } else {
                        Intent::Check { check: Some(check), server: None }
                    };
                    let _ = self.session.intent(&wish);
                    self.session.pass(30_000);
                }
                Lack::Unchecked => {
                    let _ = self.session.intent(&Intent::Check { check: None, server: None });
                }
                _ => return false,
            }
        }
        let Ok(plan) = plan::build(&self.session.setup, &self.session.state.answers) else { return false };
        self.session.intent(&Intent::Begin { plan: plan.hash }).is_ok()
    }

    /// What an operator does besides answering.
    fn interfere(&mut self) {
        if self.session.state.paused || !self.session.state.paused_servers.is_empty() {
            if self.session.is_healed || self.rng.chance(60) {
                let paused: Vec<_> = self.session.state.paused_servers.iter().cloned().map(Some).collect();
                for server in paused.into_iter().chain([None]) {
                    let _ = self.session.intent(&Intent::Unpause { server });
                }
            }
            return;
        }
        if self.patience == 0 || !self.rng.chance(25) {
            return;
        }
        self.patience -= 1;
        if self.rng.chance(40) {
            let wish = odd(&mut self.rng, &self.session);
            let viewer = match self.rng.within(0, 3) {
                0 => ViewerId::from("somebody else"),
                _ => self.session.viewer.clone(),
            };
            let _ = self.session.wish(&viewer, &wish);
            let _ = self.session.intent(&Intent::TakePen { by_force: true });
            return;
        }
        let names: Vec<_> =
            self.session.setup.inventory.servers.iter().map(|server| server.name.clone()).collect();
        let server = self.rng.pick(&names).clone();
        let wish = match self.rng.within(0, 6) {
            0 => Intent::Pause { server: None },
            1 => Intent::Pause { server: Some(server) },
            2 => Intent::LeaveOut { server, reason: "it burns".into() },
            3 => Intent::Stop,
            6 => match self.session.state.bans.first() {
                Some(ban) => Intent::LiftBan {
                    act: ban.act,
                    why: ban.why.clone(),
                    evidence: (*self.rng.pick(&["case 4711", " "])).into(),
                },
                None => return,
            },
            4 => Intent::Reply { question: 1, choice: Choice::Yes, text: "late".into() },
            _ => {
                let _ = self.session.intent(&Intent::TakePen { by_force: false });
                let other = ViewerId::from("somebody else");
                let refused = self.session.wish(&other, &Intent::Stop);
                // After a crash nobody holds it.
                let held = self.session.state.pen.is_some();
                assert!(refused.is_err() || !held, "who does not hold the pen is refused");
                return;
            }
        };
        let _ = self.session.intent(&wish);
        // What the servers' state forbids is tried, too: an answer given twice.
        if let Some(question) = self.old.pop() {
            let again =
                self.session.intent(&Intent::Reply { question, choice: Choice::Retry, text: "again".into() });
            assert!(again.is_err(), "an answer counts once");
        }
    }

    /// Meanwhile others were at work on the farm: they forbade something, or lifted it.
    fn find_bans(&mut self) {
        if !self.rng.chance(30) {
            return;
        }
        let mut bans = self.session.state.bans.clone();
        bans.retain(|_| self.rng.chance(70));
        if self.rng.chance(70) {
            let acts = Forbidden::WORDS.map(|(_, act)| act);
            let found = Ban {
                act: *self.rng.pick(&acts),
                why: "Others say so.".into(),
                lifted_by: self.rng.chance(70).then(|| "a support case".into()),
                failure: "any".into(),
                origin: Some(Origin { session: "another".into(), farm: "sim".into() }),
            };
            bans.retain(|ban| !ban.is_like(&found));
            bans.push(found);
        }
        self.session.happens(Event::BansFound { bans });
    }

    /// Servers knock, and the operator lets them in, or not, or late, or twice.
    fn open_doors(&mut self) {
        let names: Vec<_> =
            self.session.setup.inventory.servers.iter().map(|server| server.name.to_string()).collect();
        while self.session.state.closed.is_none() && self.rng.chance(15) {
            let server = self.rng.pick(&names).clone();
            let access = match self.rng.within(0, 2) {
                0 => Access::Sudo { user: "admin".into(), only: None },
                1 => Access::Passphrase { key: "/root/.ssh/id".into() },
                _ => Access::HostKey {
                    host: server.clone(),
                    kind: "ssh-rsa".into(),
                    fingerprint: "SHA256:x".into(),
                },
            };
            let complaint = *self.rng.pick(&["", "", "it was not taken"]);
            self.session.knock(&server, access, complaint);
        }
        let open: Vec<Access> = self.session.state.access.keys().cloned().collect();
        for access in open {
            self.say(&access);
        }
    }

    fn say(&mut self, access: &Access) {
        let one = vec![access.clone()];
        match self.rng.within(0, 4) {
            0 => {}
            1 if access.is_secret() => {
                let wish = Intent::Trust { access: one };
                assert!(self.session.intent(&wish).is_err(), "a secret is not trusted");
            }
            1 => {
                let wish = Intent::Trust { access: one };
                // After a crash nobody waits any more.
                let _ = self.session.intent(&wish);
                assert!(self.session.intent(&wish).is_err(), "a word counts once");
            }
            2 => {
                let _ = self.session.intent(&Intent::Deny { access: one });
            }
            _ if access.is_secret() => {
                let viewer = self.session.viewer.clone();
                if let Ok(events) = self.session.state.judge_secret(&viewer, access) {
                    for event in events {
                        self.session.happens(event);
                    }
                }
            }
            _ => {
                let waiting = self.session.state.access.get(access);
                let servers = waiting.and_then(|request| request.servers.first().cloned());
                let servers = servers.into_iter().collect();
                self.session.happens(Event::AccessWithdrawn { access: access.clone(), servers });
            }
        }
    }

    fn answer(&mut self) {
        let open: Vec<Question> = self.session.state.questions.values().cloned().collect();
        if open.is_empty() {
            return;
        }
        let question = self.rng.pick(&open).clone();
        if self.rng.chance(30) {
            // Late: the question may have gone by then.
            let ms = self.rng.within(1, 200_000);
            self.session.pass(ms);
        }
        let allowed: Vec<Choice> = question
            .options
            .iter()
            .filter(|option| option.refused.is_none())
            .map(|option| option.choice)
            .collect();
        for option in question.options.iter().filter(|option| option.refused.is_some()) {
            let wish = Intent::Reply { question: question.id, choice: option.choice, text: "please".into() };
            assert!(self.session.intent(&wish).is_err(), "what is not offered is refused");
        }
        // Where neither to hold nor to end it is open, whoever gives up stops it.
        if self.session.journal.len() > LONG && !LAST.iter().any(|choice| allowed.contains(choice)) {
            let _ = self.session.intent(&Intent::Stop);
            return;
        }
        let choice = self.choose(&allowed);
        let text = self.text(&question, choice);
        let gone = !self.session.state.questions.contains_key(&question.id);
        if let (
            About::Manual(key) | About::Attended(key) | About::Failure(key),
            Choice::Done | Choice::ByHand,
        ) = (&question.about, choice)
            && !gone
            && self.rng.chance(90)
        {
            self.session.by_hand(&key.clone());
        }
        let reply = Intent::Reply { question: question.id, choice, text };
        let answer = self.session.intent(&reply);
        if gone {
            assert!(answer.is_err(), "a late answer changes nothing");
        } else if answer.is_ok() {
            self.old.push(question.id);
        }
    }

    fn choose(&mut self, allowed: &[Choice]) -> Choice {
        let ends = [Choice::Hold, Choice::Abort, Choice::No, Choice::Cannot, Choice::Unknown, Choice::Failed];
        let going: Vec<Choice> = allowed.iter().filter(|choice| !ends.contains(choice)).copied().collect();
        if going.is_empty() || (self.patience > 0 && self.rng.chance(25)) {
            self.patience = self.patience.saturating_sub(1);
            return *self.rng.pick(allowed);
        }
        // Patience ends: whoever tried again for long gives up.
        if self.session.journal.len() > LONG
            && let Some(choice) = LAST.iter().find(|choice| allowed.contains(choice))
        {
            return *choice;
        }
        *self.rng.pick(&going)
    }

    fn text(&mut self, question: &Question, choice: Choice) -> String {
        let told = match &question.about {
            About::Tell(ProbeKey::Fact(id, server)) => self.session.world.word(id.as_str(), server.as_ref()),
            About::Tell(ProbeKey::Check(id, server)) => self.session.world.word(id.as_str(), server.as_ref()),
            _ => None,
        };
        if let (Some(word), Choice::Tell) = (told, choice) {
            return word;
        }
        let kind = match &question.about {
            About::Tell(ProbeKey::Fact(fact, _)) => self.session.state.fact_kind(fact),
            About::Tell(_) => Some(nofm::profile::FactKind::YesNo),
            _ => None,
        };
        match (choice, kind) {
            (Choice::Tell, Some(nofm::profile::FactKind::YesNo)) => "yes".into(),
            (Choice::Tell, Some(nofm::profile::FactKind::Number)) => "0".into(),
            (Choice::Tell, _) => "2.0".into(),
            _ => "because".into(),
        }
    }
}
