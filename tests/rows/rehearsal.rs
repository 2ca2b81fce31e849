//! A rehearsal of an upgrade in memory, and an operator who does what is asked and stops at what is out of order.

use std::collections::{BTreeMap, BTreeSet};

use nofm::engine::{About, Choice, Close, Event, Intent, Phase, ProbeKey, Question, Seen, State, StepKey};
use nofm::model::{Os, Value};
use nofm::plan;
use nofm::profile::{Profile, Shell};

use super::farm::{self, Host, NEW, OLD};
use crate::sim::session::{Crashes, Session};
use crate::sim::world::World;

/// Ends a checker with what is wrong.
macro_rules! must {
    ($holds:expr, $($message:tt)*) => {
        if !$holds {
            return Err(format!($($message)*));
        }
    };
}
pub(super) use must;

/// What a rehearsal is made of before it begins.
pub struct Scene<'a> {
    profile: &'a Profile,
    hosts: Vec<Host>,
    answers: BTreeMap<(&'static str, &'static str), Value>,
    pub world: World,
    pub keeps_moments: bool,
    pub crashes: Crashes,
}

impl<'a> Scene<'a> {
    pub fn of(profile: &'a Profile, hosts: &[Host]) -> Self {
        let mut scene = Self {
            profile,
            hosts: hosts.to_vec(),
            answers: BTreeMap::new(),
            world: farm::world(hosts),
            keeps_moments: false,
            crashes: Crashes::Never,
        };
        for (input, key, value) in [
            ("version", "", NEW),
            ("installer", "linux", "/media/setup-igel-ums-linux.bin"),
            ("installer", "windows", "/media/setup-igel-ums-windows.exe"),
            ("first", "", "ums2"),
            ("backup_file", "", farm::BACKUP),
        ] {
            scene.answer(input, key, Value::text(value));
        }
        scene
    }

    pub fn answer(&mut self, input: &'static str, key: &'static str, value: Value) {
        self.answers.insert((input, key), value);
    }

    pub fn short(mut self) -> Self {
        self.answer("procedure", "", Value::text("short_downtime"));
        self
    }

    /// Opens the session and answers its inputs; nothing was looked at yet.
    pub fn open(self) -> Result<Rehearsal, String> {
        let mut session = Session::of(self.profile.clone(), farm::inventory(&self.hosts), self.world);
        session.crashes = self.crashes;
        let mut rehearsal = Rehearsal {
            session,
            log: Vec::new(),
            words: BTreeMap::from([("told_version", OLD), ("pending_jobs", "0")]),
            keeps_moments: self.keeps_moments,
            moments: Vec::new(),
        };
        rehearsal.intent(&Intent::TakePen { by_force: true })?;
        let systems: BTreeSet<Os> = self.hosts.iter().map(|(_, _, os)| *os).collect();
        for ((input, key), value) in self.answers {
            let wanted = key.is_empty() || systems.iter().any(|os| os.as_str() == key);
            if wanted && self.profile.input(&input.into()).is_some() {
                rehearsal.intent(&Intent::Answer { input: input.into(), key: key.into(), value })?;
            }
        }
        for input in self.profile.inputs.iter().filter(|input| input.unsure) {
            rehearsal.intent(&Intent::AgreeUnsure { input: input.id.clone() })?;
        }
        Ok(rehearsal)
    }

    /// Opens the session and carries out the checks of the start.
    pub fn checked(self) -> Result<Rehearsal, String> {
        let mut rehearsal = self.open()?;
        rehearsal.intent(&Intent::Survey)?;
        rehearsal.intent(&Intent::Check { check: None, server: None })?;
        match rehearsal.pursue() {
            Halt::Quiet => Ok(rehearsal),
            halt => Err(format!("the checks of the start end at {halt:?}")),
        }
    }

    /// As far as the agreed plan.
    pub fn begun(self) -> Result<Rehearsal, String> {
        let mut rehearsal = self.checked()?;
        rehearsal.begin()?;
        Ok(rehearsal)
    }

    /// To the good end.
    pub fn done(self) -> Result<Rehearsal, String> {
        let mut rehearsal = self.begun()?;
        match rehearsal.pursue() {
            Halt::Closed(Close::Done) => Ok(rehearsal),
            halt => Err(format!("the rehearsal ends at {halt:?}")),
        }
    }
}

/// Where a rehearsal stands still.
pub enum Halt {
    /// Something that the operator has no ready answer for.
    Asked(Question),
    Closed(Close),
    /// Nothing is due and nothing is asked.
    Quiet,
}

impl std::fmt::Debug for Halt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Asked(question) => write!(f, "the question \"{}\" {:?}", question.text, question.details),
            Self::Closed(close) => write!(f, "{close:?}"),
            Self::Quiet => f.write_str("nothing to do"),
        }
    }
}

/// What the operator saw when they answered.
pub struct Moment {
    /// How many events there were.
    pub at: usize,
    pub question: Question,
    pub stage: String,
    pub tally: Option<String>,
    pub banners: Vec<String>,
}

pub struct Rehearsal {
    pub session: Session,
    pub log: Vec<Moment>,
    /// The operator's word on facts and checks, by their ids.
    pub words: BTreeMap<&'static str, &'static str>,
    keeps_moments: bool,
    /// The state at some moments, by the number of events before it.
    pub moments: Vec<(usize, State)>,
}

impl Rehearsal {
    pub fn intent(&mut self, intent: &Intent) -> Result<(), String> {
        self.session.intent(intent).map_err(|why| format!("{intent:?}: {why}"))
    }

    /// What stands between the operator and the start, in words.
    pub fn lacking(&self) -> Vec<String> {
        let state = &self.session.state;
        state.lacking().iter().map(|lack| state.lack_text(lack)).collect()
    }

    /// Confirms the notices and agrees to the plan.
    pub fn begin(&mut self) -> Result<(), String> {
        for notice in self.session.state.open_notices() {
            self.intent(&Intent::ConfirmNotice { notice })?;
        }
        let lacking = self.lacking();
        must!(lacking.is_empty(), "it cannot begin: {}", lacking.join("; "));
        let plan = self.plan()?;
        self.intent(&Intent::Begin { plan: plan.hash })
    }

    pub fn plan(&self) -> Result<plan::Plan, String> {
        plan::build(&self.session.setup, &self.session.state.answers)
            .map_err(|problems| format!("{problems:?}"))
    }

    /// The servers of a stage in the order of the plan.
    pub fn order(&self, stage: &str) -> Result<Vec<String>, String> {
        let plan = self.plan()?;
        let index = self.session.state.stage_index(&stage.into()).ok_or("no such stage")?;
        Ok(plan.stages[index].iter().filter_map(|lane| Some(lane.server.as_ref()?.to_string())).collect())
    }

    /// Goes on, and answers what is asked in the ordinary course of things.
    pub fn pursue(&mut self) -> Halt {
        loop {
            self.session.rest();
            if let Some(close) = &self.session.state.closed {
                return Halt::Closed(close.clone());
            }
            if !self.answer_one() {
                return match self.session.state.questions.values().next() {
                    Some(question) => Halt::Asked(question.clone()),
                    None => Halt::Quiet,
                };
            }
        }
    }

    /// Goes on until an event happens; the number of events before it.
    pub fn until(&mut self, is: impl Fn(&Event) -> bool) -> Result<usize, String> {
        let mut from = self.session.journal.len();
        loop {
            let found = |session: &Session| session.journal[from..].iter().any(|(_, event)| is(event));
            self.session.go(u64::MAX, found);
            if let Some(index) = self.session.journal[from..].iter().position(|(_, event)| is(event)) {
                return Ok(from + index);
            }
            from = self.session.journal.len();
            if self.session.state.closed.is_some() || !self.answer_one() {
                let asked = self.session.state.questions.values().next().map(|question| &question.text);
                return Err(format!(
                    "it never comes to that; asked: {asked:?}, closed: {:?}",
                    self.session.state.closed
                ));
            }
        }
    }

    /// Goes on until the operator is asked about a step, which is not answered.
    pub fn until_asked(&mut self, step: &str, server: &str) -> Result<Question, String> {
        let is =
            |event: &Event| matches!(event, Event::Asked { question } if is_about(question, step, server));
        self.until(is).map_err(|why| format!("{server} {step} is not asked about: {why}"))?;
        let open = self.session.state.questions.values().find(|question| is_about(question, step, server));
        open.cloned().ok_or_else(|| format!("the question about {step} on {server} is gone"))
    }

    /// Goes on until something fails that the operator has to decide.
    pub fn until_failed(&mut self) -> Result<(Question, StepKey), String> {
        match self.pursue() {
            Halt::Asked(question) => match &question.about {
                About::Failure(key) => Ok((question.clone(), key.clone())),
                _ => Err(format!("no failure is asked about, but {}", question.text)),
            },
            halt => Err(format!("nothing fails: {halt:?}")),
        }
    }

    pub fn reply(&mut self, question: &Question, choice: Choice, text: &str) -> Result<(), String> {
        self.remember(question);
        self.intent(&Intent::Reply { question: question.id, choice, text: text.into() })
    }

    /// Answers one open question, if one is ordinary.
    fn answer_one(&mut self) -> bool {
        let open: Vec<Question> = self.session.state.questions.values().cloned().collect();
        for question in open {
            if let Some((choice, text)) = self.word(&question) {
                self.remember(&question);
                let reply = Intent::Reply { question: question.id, choice, text };
                return self.session.intent(&reply).is_ok();
            }
        }
        false
    }

    fn word(&mut self, question: &Question) -> Option<(Choice, String)> {
        match &question.about {
            About::Confirm(_) => Some((Choice::Yes, String::new())),
            About::Attended(_) => Some((Choice::Start, String::new())),
            About::Manual(key) => {
                self.by_hand(&key.clone());
                Some((Choice::Done, String::new()))
            }
            About::Tell(ProbeKey::Check(check, _)) => {
                let word = self.words.get(check.as_str()).copied().unwrap_or("yes");
                Some((Choice::Tell, word.to_owned()))
            }
            About::Tell(ProbeKey::Fact(fact, _)) => {
                let word = self.words.get(fact.as_str()).copied()?;
                Some((Choice::Tell, word.to_owned()))
            }
            _ => None,
        }
    }

    /// Does what a step asks a person to do.
    pub fn by_hand(&mut self, key: &StepKey) {
        self.session.by_hand(key);
        if let Some(entry) = &key.lane.item {
            farm::delete_entry(&mut self.session.world, entry);
        }
        if key.lane.server.as_ref().is_some_and(|server| server == "pc1") {
            self.words.insert("told_version", NEW);
        }
        let now_ms = self.session.world.now_ms;
        self.session.world.pass(now_ms);
    }

    fn remember(&mut self, question: &Question) {
        let state = &self.session.state;
        let in_turn = state.setup.profile.stages.get(state.stage).filter(|_| state.phase == Phase::Running);
        let seen = Seen::new(state, None);
        let scope = state.scope(&seen, None);
        let tally = in_turn
            .and_then(|stage| stage.tally.as_ref()?.render(Shell::None, &|name| scope.lookup(name)).ok());
        let banners = state.notices_shown().filter_map(|notice| {
            let (from, to) = notice.banner.as_ref()?;
            let (from, to) = (state.stage_index(from)?, state.stage_index(to)?);
            let on = state.phase == Phase::Running && (from..=to).contains(&state.stage);
            on.then(|| notice.text.render(Shell::None, &|name| scope.lookup(name)).ok())?
        });
        self.log.push(Moment {
            at: self.session.journal.len(),
            question: question.clone(),
            stage: in_turn.map_or_else(String::new, |stage| stage.id.to_string()),
            tally,
            banners: banners.collect(),
        });
        if self.keeps_moments {
            self.moments.push((self.session.journal.len(), state.clone()));
        }
    }

    /// Every event with its number.
    pub fn events(&self) -> impl Iterator<Item = (usize, &Event)> {
        self.session.journal.iter().map(|(_, event)| event).enumerate()
    }

    /// Every step that was started: number of the event, key, command.
    pub fn started(&self) -> Vec<(usize, &StepKey, &str)> {
        self.events()
            .filter_map(|(at, event)| match event {
                Event::StepIntended { key, command, .. } => Some((at, key, command.as_str())),
                _ => None,
            })
            .collect()
    }

    /// Hosts on which a step was started, in that order.
    pub fn started_on(&self, step: &str) -> Vec<String> {
        let started = self.started().into_iter().filter(|(_, key, _)| key.step == *step);
        started.map(|(_, key, _)| host(key)).collect()
    }

    /// Where and when a step succeeded.
    pub fn succeeded(&self, step: &str) -> Vec<(usize, String)> {
        self.events()
            .filter_map(|(at, event)| match event {
                Event::StepSettled { key, outcome: nofm::engine::Outcome::Succeeded, .. }
                    if key.step == *step =>
                {
                    Some((at, host(key)))
                }
                _ => None,
            })
            .collect()
    }

    /// What was asked about a step: number of events before the answer, host, text.
    pub fn asked(&self, step: &str) -> Vec<(usize, String, &str)> {
        self.log
            .iter()
            .filter_map(|moment| {
                let key = moment.question.about.step().filter(|key| key.step == *step)?;
                Some((moment.at, host(key), moment.question.text.as_str()))
            })
            .collect()
    }
}

fn is_about(question: &Question, step: &str, server: &str) -> bool {
    question.about.step().is_some_and(|key| key.step == *step && host(key) == server)
}

pub fn host(key: &StepKey) -> String {
    key.lane.server.as_ref().map_or_else(|| "farm".to_owned(), ToString::to_string)
}

/// Whether any of `texts` holds `part`.
pub fn says<T: AsRef<str>>(texts: &[T], part: &str) -> bool {
    texts.iter().any(|text| text.as_ref().contains(part))
}
