//! A scene is played: an operator who does what is asked and what the scene says.

use std::collections::{BTreeMap, BTreeSet};

use nofm::engine::{About, Choice, Close, GATES, Intent, Phase, ProbeKey, Question, StepKey};
use nofm::inventory::Inventory;
use nofm::profile::Profile;
use nofm::words;

use super::before;
use super::expect;
use super::format::{self, File, Scene};
use super::timeline::{Moment, What, about_text, is_about, timeline};
use crate::sim::session::{Crashes, Session};
use crate::sim::world::World;

/// What stood on the screen while a stage was in turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub stage: String,
    pub tally: Option<String>,
    pub banners: Vec<String>,
}

/// How a scene ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    Blocked(Vec<String>),
    Closed(Close),
    /// Nobody answers these.
    Open(Vec<(u64, About)>),
    Quiet,
}

pub struct Play<'a> {
    pub file: &'a File,
    pub scene: &'a Scene,
    pub profile: &'a Profile,
    pub session: Session,
    /// Whenever it changed.
    pub seen: Vec<Seen>,
    /// Everything that was shown and is no event.
    pub texts: Vec<String>,
    /// What did not come out as the scene says.
    pub wrong: Vec<String>,
    /// Which of the scene's questions came up.
    spent: BTreeSet<usize>,
    /// Questions that stay open.
    left: BTreeSet<u64>,
    /// What was answered when the runner died, of which it may have kept no more than that something was said.
    cut_off: Option<(About, Choice, String)>,
}

impl<'a> Play<'a> {
    /// A scene before its first event, with a runner that dies as `crashes` says.
    pub fn open(
        file: &'a File,
        scene: &'a Scene,
        profile: &'a Profile,
        inventory: Inventory,
        world: World,
        crashes: Crashes,
    ) -> Result<Self, String> {
        let unfit = inventory.fit(profile);
        if !unfit.is_empty() {
            return Err(format!("the farm does not fit the profile: {unfit}"));
        }
        let mut session = Session::of(profile.clone(), inventory, world);
        session.crashes = crashes;
        Ok(Self {
            file,
            scene,
            profile,
            session,
            seen: Vec::new(),
            texts: Vec::new(),
            wrong: Vec::new(),
            spent: BTreeSet::new(),
            left: BTreeSet::new(),
            cut_off: None,
        })
    }

    /// Plays the scene as far as it goes. What is otherwise than it says is noted.
    pub fn go(&mut self) -> Ended {
        match before::begin(self) {
            Err(lacking) => Ended::Blocked(lacking),
            Ok(()) => self.pursue(),
        }
    }

    /// Plays the scene, and notes whatever does not come out as it says.
    pub fn finish(&mut self) {
        let ended = self.go();
        let scene = self.scene;
        let unspent = scene.questions.iter().enumerate().filter(|(index, _)| !self.spent.contains(index));
        let unasked: Vec<String> =
            unspent.map(|(_, question)| format!("never asked: {}", question.about)).collect();
        self.wrong.extend(unasked);
        expect::compare(self, &ended);
    }

    /// # Errors
    /// Everything that did not come out as the scene says.
    pub fn outcome(&self) -> Result<(), String> {
        if self.wrong.is_empty() {
            return Ok(());
        }
        Err(format!("- {}\n  what happened: {}", self.wrong.join("\n- "), story(&self.session)))
    }
}

/// What happened, for a message: what was started, and what went otherwise than well.
fn story(session: &Session) -> String {
    let moments = timeline(session.journal.iter().map(|(_, event)| event));
    let told = moments.iter().filter(|moment| match moment {
        Moment::Step { what, key, .. } => *what != What::Ok && key.step.as_str() != GATES,
        Moment::Stage(_) => true,
        Moment::Over { .. } => false,
        Moment::Asked(about) => {
            !matches!(about, About::Confirm(_) | About::Manual(_) | About::Tell(ProbeKey::Check(..)))
        }
    });
    let told: Vec<String> = told.map(ToString::to_string).collect();
    let from = told.len().saturating_sub(60);
    let before = if from > 0 { "…, " } else { "" };
    if told.is_empty() { "nothing".to_owned() } else { format!("{before}{}", told[from..].join(", ")) }
}

impl Play<'_> {
    pub fn intent(&mut self, intent: &Intent) -> Result<(), String> {
        self.session.intent(intent)
    }

    pub fn complain(&mut self, what: impl Into<String>) {
        self.wrong.push(what.into());
    }

    /// Goes on, and answers what is asked, until nothing more happens.
    pub fn pursue(&mut self) -> Ended {
        loop {
            let mut seen = std::mem::take(&mut self.seen);
            let left = self.left.clone();
            self.session.go(u64::MAX, |session| {
                if let Some(now) = look(session)
                    && seen.last() != Some(&now)
                {
                    seen.push(now);
                }
                session.state.questions.keys().any(|id| !left.contains(id))
            });
            self.seen = seen;
            if let Some(close) = &self.session.state.closed {
                return Ended::Closed(close.clone());
            }
            let open = self.session.state.questions.values();
            let Some(question) = open.into_iter().find(|question| !self.left.contains(&question.id)).cloned()
            else {
                let open: Vec<(u64, About)> = self
                    .session
                    .state
                    .questions
                    .values()
                    .map(|question| (question.id, question.about.clone()))
                    .collect();
                return if open.is_empty() { Ended::Quiet } else { Ended::Open(open) };
            };
            self.answer(&question);
        }
    }

    fn answer(&mut self, question: &Question) {
        if let Some((about, choice, text)) = self.cut_off.take()
            && about == question.about
        {
            return self.reply(question, choice, text);
        }
        let scene = self.scene;
        let entry =
            scene.questions.iter().enumerate().find(|(index, entry)| {
                !self.spent.contains(index) && is_about(&question.about, &entry.about)
            });
        let mut wanted = None;
        if let Some((index, entry)) = entry {
            self.spent.insert(index);
            self.judge(question, entry);
            self.session.world.change(&entry.world.0);
            match entry.reply.as_ref().map(|word| choice(question, word)).transpose() {
                Ok(choice) => wanted = choice.map(|choice| (choice, entry.text.clone())),
                Err(why) => {
                    self.complain(format!("{}: {why}", about_text(&question.about)));
                    self.left.insert(question.id);
                    return;
                }
            }
        }
        let Some((choice, text)) = wanted.or_else(|| self.ordinary(question)) else {
            self.left.insert(question.id);
            return;
        };
        self.reply(question, choice, text);
    }

    fn reply(&mut self, question: &Question, choice: Choice, text: String) {
        self.before_reply(&question.about, choice);
        let crashes = self.session.crash_count;
        let reply = Intent::Reply { question: question.id, choice, text: text.clone() };
        if let Err(why) = self.intent(&reply) {
            let about = about_text(&question.about);
            self.complain(format!("{about}: `{}` is refused: {why}", choice.as_str()));
            self.left.insert(question.id);
        }
        // To look again is asked for each time anew.
        if self.session.crash_count > crashes && choice != Choice::LookAgain {
            self.cut_off = Some((question.about.clone(), choice, text));
        }
    }

    /// What a person has done who gives such an answer.
    fn before_reply(&mut self, about: &About, choice: Choice) {
        let key: &StepKey = match (about, choice) {
            (About::Manual(key), Choice::Done) | (About::Failure(key), Choice::ByHand) => key,
            _ => return,
        };
        self.session.by_hand(&key.clone());
    }

    /// The answer in the ordinary course of things.
    fn ordinary(&self, question: &Question) -> Option<(Choice, String)> {
        let none = String::new;
        match &question.about {
            About::Confirm(_) => Some((Choice::Yes, none())),
            About::Attended(_) => Some((Choice::Start, none())),
            About::Manual(_) => Some((Choice::Done, none())),
            About::Optional(_) => Some((Choice::Skip, none())),
            About::Tell(ProbeKey::Check(check, server)) => {
                let word = self.session.world.word(check.as_str(), server.as_ref());
                Some((Choice::Tell, word.unwrap_or_else(|| "yes".to_owned())))
            }
            About::Tell(ProbeKey::Fact(fact, server)) => {
                self.session.world.word(fact.as_str(), server.as_ref()).map(|word| (Choice::Tell, word))
            }
            _ => None,
        }
    }

    /// Whether a question is as the scene says.
    fn judge(&mut self, question: &Question, entry: &format::Question) {
        let about = about_text(&question.about);
        let mut texts = vec![question.text.clone()];
        texts.extend(question.details.iter().cloned());
        for option in &question.options {
            texts.push(option.does.clone());
            texts.extend(option.refused.clone());
        }
        for part in entry.says.all() {
            if !says(&texts, part) {
                self.complain(format!("{about}: nothing says \"{part}\", but {texts:#?}"));
            }
        }
        let open: Vec<&str> = question
            .options
            .iter()
            .filter(|option| option.refused.is_none())
            .map(|option| option.choice.as_str())
            .collect();
        for choice in &entry.offers {
            if !open.contains(&choice.as_str()) {
                self.complain(format!("{about}: `{choice}` is not offered, but {open:?}"));
            }
        }
        for choice in &entry.never_offers {
            if open.contains(&choice.as_str()) {
                self.complain(format!("{about}: `{choice}` is offered"));
            }
        }
        if let Some(only) = &entry.only {
            let (wanted, found): (BTreeSet<&str>, BTreeSet<&str>) =
                (only.iter().map(String::as_str).collect(), open.iter().copied().collect());
            if wanted != found {
                self.complain(format!("{about}: offered are {open:?}"));
            }
        }
        let refused: BTreeMap<&str, &str> = question
            .options
            .iter()
            .filter_map(|option| Some((option.choice.as_str(), option.refused.as_deref()?)))
            .collect();
        for (choice, why) in &entry.refuses {
            let said: Vec<&str> = refused
                .get(choice.as_str())
                .copied()
                .into_iter()
                .chain(
                    question.details.iter().map(String::as_str).filter(|text| text.starts_with("forbidden")),
                )
                .collect();
            if open.contains(&choice.as_str()) {
                self.complain(format!("{about}: `{choice}` is not refused"));
            }
            for part in why.all() {
                if !says(&said, part) {
                    self.complain(format!(
                        "{about}: `{choice}` is not refused with \"{part}\", but with {said:?}"
                    ));
                }
            }
        }
        self.judge_stay(question, entry);
        let now = look(&self.session);
        let tally: Vec<String> = now.iter().filter_map(|now| now.tally.clone()).collect();
        for part in entry.tally.all() {
            if !says(&tally, part) {
                self.complain(format!("{about}: the tally is {tally:?}"));
            }
        }
        let banners = now.map(|now| now.banners).unwrap_or_default();
        for part in entry.banner.all() {
            if !says(&banners, part) {
                self.complain(format!("{about}: no banner says \"{part}\", but {banners:?}"));
            }
        }
    }

    fn judge_stay(&mut self, question: &Question, entry: &format::Question) {
        let (Some(part), Some(server)) = (&entry.stays, question.about.server()) else { return };
        let wish = Intent::LeaveOut { server: server.clone(), reason: "it burns".into() };
        let about = about_text(&question.about);
        match self.intent(&wish) {
            Ok(()) => self.complain(format!("{about}: {server} may be left out")),
            Err(why) if why.contains(part) => {}
            Err(why) => self.complain(format!("{about}: {server} may not be left out, but because: {why}")),
        }
    }
}

/// What stands on the screen beside the servers.
fn look(session: &Session) -> Option<Seen> {
    let state = &session.state;
    let stage = state.setup.profile.stages.get(state.stage).filter(|_| state.phase == Phase::Running)?;
    Some(Seen {
        stage: stage.id.to_string(),
        tally: words::tally::full(state),
        banners: words::notices::banners(state),
    })
}

fn choice(question: &Question, word: &str) -> Result<Choice, String> {
    let found = question.options.iter().map(|option| option.choice).find(|choice| choice.as_str() == word);
    found.ok_or_else(|| {
        let known: Vec<&str> = question.options.iter().map(|option| option.choice.as_str()).collect();
        format!("`{word}` cannot be chosen, but {known:?}")
    })
}

/// Whether any of `texts` holds `part`.
pub fn says<T: AsRef<str>>(texts: &[T], part: &str) -> bool {
    texts.iter().any(|text| text.as_ref().contains(part))
}
