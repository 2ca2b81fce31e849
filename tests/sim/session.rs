//! The loop that the runner has, over a world in memory: decide, journal, start, wait, journal what came.
//!
//! It keeps what a runner keeps in memory apart from the journal, so that a crash can take it away.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use nofm::engine::{
    Choice, Close, Decision, End, Event, Intent, Job, Phase, Place, ProbeKey, Question, Stamp, State,
    StepKey, Work, decide,
};
use nofm::inventory::Inventory;
use nofm::model::{Access, ServerName, ViewerId};
use nofm::plan::{self, Setup};
use nofm::profile::{self, Profile};

use super::due::Due;
use super::faults::{Disk, Start};
use super::laws::Laws;
use super::rng::Rng;
use super::same::same;
use super::world::World;

/// The runner died; its memory is gone.
#[derive(Clone, Copy, Debug)]
pub struct Crashed;

/// When the runner dies.
#[derive(Clone, Debug)]
pub enum Crashes {
    Never,
    /// Right after the journal took that many events.
    After(usize),
    /// After every event.
    Always,
    /// After that many of 100 events.
    Percent(u64),
}

pub struct Session {
    pub setup: Arc<Setup>,
    /// The profile, where it is worth showing.
    text: String,
    pub state: State,
    /// The state folded from events that went through JSON, where that is compared.
    shadow: Option<State>,
    pub journal: Vec<(Stamp, Event)>,
    pub world: World,
    pub laws: Laws,
    pub crashes: Crashes,
    pub crash_count: usize,
    /// How many events are on disk for certain.
    synced: usize,
    /// Whether a runner that dies takes events with it that were not synced.
    pub loses_tails: bool,
    /// Of 100 answers and ends, how many come twice.
    pub repeats: u64,
    /// What happens to the disk before an event of that number.
    pub disk: BTreeMap<usize, Disk>,
    pub is_healed: bool,
    rng: Rng,
    epoch: u32,
    epoch_began_ms: u64,
    asked: BTreeSet<(ProbeKey, u64)>,
    running: BTreeSet<(StepKey, Place)>,
    agenda: BTreeMap<(u64, u64), Due>,
    count: u64,
    /// Compare digests at every so many events.
    pub digest_every: usize,
    pub viewer: ViewerId,
}

/// Of so many seeds one has its state compared with what its events say once they went through JSON.
const SHADOWED: u64 = 8;

/// How many runners have their state compared with the fold of the journal, before only each of so many has.
const FOLDED: usize = 8;

/// For how many events a runner is let die after every one.
const ALWAYS_MAX: usize = 400;

/// The longest journal that a session of the simulator comes to.
const EVENTS_MAX: usize = 40_000;

impl Session {
    pub fn new(profile: &str, inventory: Inventory, world: World, seed: u64) -> Self {
        let parsed = profile::parse("sim.toml", profile).unwrap_or_else(|wrong| panic!("{wrong}\n{profile}"));
        let mut session = Self::unopened(parsed, inventory, world, seed);
        session.text = profile.to_owned();
        // To write and read every event takes longer than all else.
        session.shadow = seed.is_multiple_of(SHADOWED).then(|| State::new(session.setup.clone()));
        session.open();
        session
    }

    /// With a profile that was parsed before. Every event is folded once only.
    pub fn of(profile: Profile, inventory: Inventory, world: World) -> Self {
        let mut session = Self::unopened(profile, inventory, world, 0);
        session.open();
        session
    }

    fn unopened(profile: Profile, inventory: Inventory, world: World, seed: u64) -> Self {
        let setup = Arc::new(Setup::new("sim".into(), profile, inventory, 1.0));
        Self {
            text: String::new(),
            state: State::new(setup.clone()),
            shadow: None,
            laws: Laws::default(),
            setup,
            journal: Vec::new(),
            world,
            crashes: Crashes::Never,
            crash_count: 0,
            synced: 0,
            loses_tails: false,
            repeats: 0,
            disk: BTreeMap::new(),
            is_healed: false,
            rng: Rng::new(seed),
            epoch: 0,
            epoch_began_ms: 0,
            asked: BTreeSet::new(),
            running: BTreeSet::new(),
            agenda: BTreeMap::new(),
            count: 0,
            digest_every: 1,
            viewer: ViewerId::from("operator"),
        }
    }

    fn stamp(&self) -> Stamp {
        let wall_ms =
            1_700_000_000_000 + i64::try_from(self.world.now_ms).expect("short") + self.world.clock_error_ms;
        Stamp { wall_ms, epoch: self.epoch, mono_ms: self.world.now_ms - self.epoch_began_ms }
    }

    pub fn now_ms(&self) -> u64 {
        self.state.now_ms(self.world.now_ms - self.epoch_began_ms)
    }

    fn open(&mut self) {
        let crashes = std::mem::replace(&mut self.crashes, Crashes::Never);
        let disk = std::mem::take(&mut self.disk);
        let event = Event::Opened { program: "nofm 0.1.0".into(), host: "console".into() };
        self.append(event).expect("no crash is planned");
        self.synced = self.journal.len();
        self.crashes = crashes;
        self.disk = disk;
    }

    /// Journals an event and applies it: first to the laws, which judge it by the state before it.
    pub(super) fn append(&mut self, event: Event) -> Result<(), Crashed> {
        assert!(self.journal.len() < EVENTS_MAX, "the session does not come to an end");
        if let Some(fault) = self.disk.remove(&self.journal.len()) {
            return self.fails_to_write(fault);
        }
        let seq = self.journal.len() as u64 + 1;
        let stamp = self.stamp();
        self.laws.before(&self.state, seq, &event);
        self.state.apply(seq, stamp, &event);
        if let Some(shadow) = &mut self.shadow {
            shadow.apply(seq, stamp, &through_json(&event));
            if (self.journal.len() + 1).is_multiple_of(self.digest_every) {
                assert!(same(&self.state, shadow), "the fold of the journal is the live state");
            }
        }
        self.laws.after(&self.state, &event);
        self.journal.push((stamp, event));
        // Folding the journal after each of its events takes time that grows with its square.
        if matches!(self.crashes, Crashes::Always) && self.journal.len() > ALWAYS_MAX {
            self.crashes = Crashes::Percent(5);
        }
        let crash = match self.crashes {
            Crashes::Never => false,
            Crashes::After(count) => self.journal.len() == count,
            Crashes::Always => true,
            Crashes::Percent(percent) => self.rng.chance(percent),
        };
        if crash { Err(Crashed) } else { Ok(()) }
    }

    /// The event is not taken, and the runner ends.
    fn fails_to_write(&mut self, fault: Disk) -> Result<(), Crashed> {
        match fault {
            Disk::Full => {
                self.world.inject("a full disk");
                if self.state.closed.is_none() {
                    let crashes = std::mem::replace(&mut self.crashes, Crashes::Never);
                    let why = "the disk of the console is full".to_owned();
                    self.append(Event::Closed { close: Close::Stopped { why } })?;
                    self.crashes = crashes;
                }
                self.synced = self.journal.len();
            }
            Disk::Broken => {
                self.world.inject("a broken disk");
                self.forget_from(self.synced);
            }
        }
        Err(Crashed)
    }

    /// Events from this number on never were.
    fn forget_from(&mut self, count: usize) {
        if count == self.journal.len() {
            return;
        }
        self.world.inject("a tail of the journal that is lost");
        self.journal.truncate(count);
        self.laws = Laws::default();
        self.state = State::new(self.setup.clone());
        for (seq, (stamp, event)) in (1..).zip(&self.journal) {
            self.laws.before(&self.state, seq, event);
            self.state.apply(seq, *stamp, event);
            self.laws.after(&self.state, event);
        }
        if let Some(shadow) = &mut self.shadow {
            *shadow = self.state.clone();
        }
    }

    /// A new runner takes over: nothing is left but journal and world.
    pub fn crash(&mut self) {
        self.crash_count += 1;
        self.world.inject("a runner that dies");
        // Each is folded anew from the first event on, laws and all.
        if self.loses_tails && self.crash_count <= FOLDED {
            let (synced, all) = (self.synced as u64, self.journal.len() as u64);
            let kept = self.rng.within(0, all - synced) + synced;
            self.forget_from(usize::try_from(kept).expect("no more than there were"));
        }
        if self.crash_count <= FOLDED || self.crash_count.is_multiple_of(FOLDED) {
            self.fold();
        }
        self.asked.clear();
        self.running.clear();
        self.agenda.retain(|_, due| due.outlives_the_runner());
        // Nobody noticed at once.
        let away_ms = self.rng.within(0, 60_000);
        self.world.pass(self.world.now_ms + away_ms);
        self.epoch += 1;
        self.epoch_began_ms = self.world.now_ms;
        self.open();
        while self.loses_tails && self.rng.chance(5) {
            self.world.inject("a runner that dies as it opens");
            self.epoch += 1;
            self.epoch_began_ms = self.world.now_ms;
            self.open();
        }
    }

    /// Nothing is left of the state but what the journal says.
    fn fold(&mut self) {
        let mut folded = State::new(self.setup.clone());
        for (seq, (stamp, event)) in (1..).zip(&self.journal) {
            folded.apply(seq, *stamp, event);
        }
        assert!(same(&folded, &self.state), "the fold of the journal is the live state");
        let now_ms = self.now_ms();
        assert_eq!(decide(&folded, now_ms), decide(&self.state, now_ms), "both decide the same");
        self.state = folded;
    }

    /// Whatever goes wrong ends, and nothing goes wrong any more.
    pub(super) fn heal(&mut self) {
        self.is_healed = true;
        self.crashes = Crashes::Never;
        self.loses_tails = false;
        self.repeats = 0;
        self.disk.clear();
        self.agenda.retain(|_, due| !due.is_fault());
        self.world.heal();
    }

    /// The operator resumes a session that stopped.
    pub fn resume(&mut self) {
        assert!(
            matches!(self.state.closed, Some(Close::Stopped { .. })),
            "only a stopped session is resumed"
        );
        self.crash();
    }

    pub(super) fn due(&mut self, in_ms: u64, due: Due) {
        self.count += 1;
        self.agenda.insert((self.world.now_ms + in_ms, self.count), due);
    }

    pub fn lose(&mut self, server: &str, at_ms: u64, for_ms: u64) {
        let at = at_ms.saturating_sub(self.world.now_ms);
        self.due(at, Due::Lost(server.into()));
        self.due(at + for_ms, Due::Back(server.into()));
    }

    pub fn set_fact_at(&mut self, at_ms: u64, fact: &str, server: Option<&str>, value: &str) {
        let due = Due::SetFact((fact.to_owned(), server.map(Into::into)), value.to_owned());
        self.due(at_ms.saturating_sub(self.world.now_ms), due);
    }

    /// Decides and journals until nothing follows any more.
    fn settle(&mut self) -> Result<Decision, Crashed> {
        for _ in 0..1_000 {
            let decision = decide(&self.state, self.now_ms());
            if let Some(shadow) = &self.shadow {
                assert_eq!(decision, decide(shadow, self.now_ms()), "the fold decides the same");
            }
            if decision.record.is_empty() {
                return Ok(decision);
            }
            for event in decision.record {
                self.append(event)?;
            }
        }
        panic!("deciding never comes to rest: {:?}", decide(&self.state, self.now_ms()).record);
    }

    /// Starts what must be under way and is not.
    fn act(&mut self, work: &[Work]) -> Result<(), Crashed> {
        for work in work {
            match work {
                Work::Probe { probe, asked } => {
                    if self.asked.insert((probe.clone(), *asked)) {
                        let reading = self.world.answer(&self.state, probe);
                        let due = Due::Answer { probe: probe.clone(), asked: *asked, reading };
                        if self.repeats > 0 && self.rng.chance(self.repeats) {
                            self.world.inject("an answer that comes twice");
                            let in_ms = self.rng.within(1, 20_000);
                            self.due(in_ms, due.clone());
                        }
                        let in_ms = self.rng.within(1, 900);
                        self.due(in_ms, due);
                    }
                }
                Work::Run { key, place } => {
                    if self.running.insert((key.clone(), place.clone())) {
                        self.start(key, place)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, key: &StepKey, place: &Place) -> Result<(), Crashed> {
        self.laws.starts(key, place);
        let lane = self.state.lane(&key.lane).expect("a lane that runs is there");
        let run = lane.targets.iter().find(|target| target.place == *place).expect("a target").run.clone();
        let job = match self.state.job(key, place) {
            Ok(job) => job,
            Err(why) => return self.append(ended(key, place, End::NotStarted(why), "")),
        };
        match &job {
            Job::LookUp { what, .. } => {
                let found = self.world.look_up(what, place);
                let due = Due::Found { key: key.clone(), place: place.clone(), found };
                let in_ms = self.rng.within(1, 900);
                self.due(in_ms, due);
                return Ok(());
            }
            Job::Reboot { boot, .. } if self.world.restarted(place, boot) => {
                self.due(1, Due::Restarted { key: key.clone(), place: place.clone() });
                return Ok(());
            }
            _ => {}
        }
        if let Some(in_ms) = self.unheard(place) {
            let start = Start::drawn(&mut self.rng);
            self.world.inject(start.name());
            if start != Start::Unheard {
                self.due(in_ms, Due::Start { key: key.clone(), place: place.clone() });
            }
            if start == Start::NotArrived {
                return Ok(());
            }
        }
        let ends_ms = self.world.start(&run, key, place, &job);
        let due = Due::End { key: key.clone(), place: place.clone(), run };
        if self.repeats > 0 && self.rng.chance(self.repeats) {
            self.world.inject("an end that comes twice");
            let later_ms = self.rng.within(0, 60_000);
            self.due(ends_ms - self.world.now_ms + later_ms, due.clone());
        }
        self.due(ends_ms - self.world.now_ms, due);
        Ok(())
    }

    /// Journals and starts what follows now, then goes on to the next thing that is due. False: nothing is due, or
    /// `stop` says so.
    fn step(&mut self, until_ms: u64, stop: &mut impl FnMut(&Self) -> bool) -> Result<bool, Crashed> {
        let decision = self.settle()?;
        self.synced = self.journal.len();
        self.act(&decision.work)?;
        if self.state.closed.is_some() || stop(self) {
            return Ok(false);
        }
        if super::seeds::is_single() {
            Laws::say_at_rest(&self.state, &decision, || self.tail());
        }
        self.laws.at_rest(&self.state, &decision);
        // Session time and world time run at one speed.
        let wake = decision.wake_ms.map(|ms| self.world.now_ms + ms.saturating_sub(self.now_ms()));
        let next = self.agenda.keys().next().map(|(at, _)| *at);
        let Some(to_ms) = wake.into_iter().chain(next).min() else { return Ok(false) };
        if to_ms > until_ms {
            self.world.pass(until_ms);
            return Ok(false);
        }
        self.world.pass(to_ms);
        if next.is_some_and(|next| next <= to_ms) {
            let (_, due) = self.agenda.pop_first().expect("it is there");
            self.happen(due)?;
        }
        Ok(true)
    }

    fn happen(&mut self, due: Due) -> Result<(), Crashed> {
        match due {
            Due::Answer { probe, asked, reading } => {
                // What was asked for something that is over meanwhile is of no use.
                if !self.state.wanted.contains_key(&probe) {
                    return Ok(());
                }
                self.append(Event::Read { probe, asked, reading })
            }
            Due::Start { key, place } => {
                let lane = self.state.lane(&key.lane);
                let open = lane.is_some_and(|lane| self.state.step_key(lane) == key && lane.is_running());
                if open { self.start(&key, &place) } else { Ok(()) }
            }
            Due::End { key, place, run } => {
                if let Some(in_ms) = self.unheard(&place) {
                    self.due(in_ms, Due::End { key, place, run });
                    return Ok(());
                }
                self.running.remove(&(key.clone(), place.clone()));
                let run = self.world.runs[&run].clone();
                let event = ended(&key, &place, run.end, &run.output);
                self.append(self.searched(&key, event))
            }
            Due::Found { key, place, found } => {
                self.running.remove(&(key.clone(), place.clone()));
                match found {
                    Ok(before) => self.append(Event::LookedUp { key, place, before }),
                    Err(why) => self.append(ended(&key, &place, End::NotStarted(why), "")),
                }
            }
            Due::Restarted { key, place } => {
                self.running.remove(&(key.clone(), place.clone()));
                self.append(ended(&key, &place, End::Exit(0), ""))
            }
            Due::Lost(server) => self.is_lost(server),
            Due::Back(server) => self.is_back(server),
            Due::SetFact(at, value) => {
                self.world.facts.insert(at, value);
                Ok(())
            }
            due => self.befall(due),
        }
    }

    pub(super) fn is_lost(&mut self, server: ServerName) -> Result<(), Crashed> {
        self.append(Event::ReachLost { server, why: "no answer".into() })
    }

    pub(super) fn is_back(&mut self, server: ServerName) -> Result<(), Crashed> {
        self.append(Event::ReachBack { server })
    }

    /// Looks for what the step's output must have and must not have.
    fn searched(&self, key: &StepKey, event: Event) -> Event {
        let step = self.state.lane(&key.lane).and_then(|lane| self.state.plan_step(lane));
        match (event, step) {
            (Event::TargetEnded { key, place, end, tail, bytes, .. }, Some(step)) => {
                let has = step.step.has.as_ref().map(|has| has.is_match(&tail));
                let lacks = step.step.lacks.as_ref().map(|lacks| lacks.is_match(&tail));
                Event::TargetEnded { key, place, end, tail, bytes, has, lacks }
            }
            (event, _) => event,
        }
    }

    /// Goes on until the session is closed, nothing is due any more, `until_ms` is reached, or `stop` says so once
    /// all that follows is under way.
    pub fn go(&mut self, until_ms: u64, mut stop: impl FnMut(&Self) -> bool) {
        loop {
            match self.step(until_ms, &mut stop) {
                Err(Crashed) => self.crash(),
                Ok(false) => break,
                Ok(true) => {}
            }
        }
    }

    /// Until nothing happens by itself any more.
    pub fn rest(&mut self) {
        self.go(u64::MAX, |_| false);
    }

    pub fn pass(&mut self, ms: u64) {
        let to_ms = self.world.now_ms + ms;
        self.go(to_ms, |_| false);
        self.world.pass(to_ms);
    }

    /// An operator's wish, judged where nothing follows by itself any more: journalled, or refused and that
    /// journalled.
    pub fn wish(&mut self, viewer: &ViewerId, intent: &Intent) -> Result<(), String> {
        while self.settle().is_err() {
            self.crash();
        }
        self.synced = self.journal.len();
        let judged = self.state.judge(viewer, intent);
        let (events, mut answer) = match judged {
            Ok(events) => (events, Ok(())),
            Err(why) => {
                let intent = format!("{intent:?}");
                (vec![Event::Refused { viewer: viewer.clone(), intent, why: why.clone() }], Err(why))
            }
        };
        for event in events {
            let at = self.journal.len();
            let outcome = self.append(event.clone());
            // Nobody is answered before it is on disk.
            self.synced = self.journal.len();
            if outcome.is_err() {
                if self.journal.get(at).is_none_or(|(_, taken)| *taken != event) {
                    answer = Err("the runner died before it answered".to_owned());
                }
                self.crash();
                break;
            }
        }
        answer
    }

    pub fn intent(&mut self, intent: &Intent) -> Result<(), String> {
        let viewer = self.viewer.clone();
        self.wish(&viewer, intent)
    }

    /// Something happens that nobody decided.
    pub fn happens(&mut self, event: Event) {
        if self.append(event).is_err() {
            self.crash();
        }
    }

    /// A server waits for a word of a person.
    pub fn knock(&mut self, server: &str, access: Access, complaint: &str) {
        let event = Event::AccessAsked { access, servers: vec![server.into()], complaint: complaint.into() };
        self.happens(event);
    }

    /// A person does the step in turn by hand.
    pub fn by_hand(&mut self, key: &StepKey) {
        let place = key.lane.server.clone().map_or(Place::Console, Place::Server);
        let job = self.state.job(key, &place).ok();
        self.world.by_hand(key, &place, job.as_ref());
    }

    /// Until all that follows now is under way.
    pub fn rest_until_due(&mut self) {
        self.go(self.world.now_ms, |_| false);
    }

    /// A viewer looks at something.
    pub fn look(&mut self, viewer: &ViewerId, view: serde_json::Value) {
        if self.append(Event::Looked { viewer: viewer.clone(), view }).is_err() {
            self.crash();
        }
    }

    /// Answers what is needed before the start, and begins. What is lacking where it cannot.
    pub fn begin(&mut self) -> Result<(), String> {
        self.intent(&Intent::TakePen { by_force: true })?;
        self.intent(&Intent::Survey)?;
        self.intent(&Intent::Check { check: None, server: None })?;
        self.go(u64::MAX, |session| session.state.measures.is_empty() || !session.state.questions.is_empty());
        let plan =
            plan::build(&self.setup, &self.state.answers).map_err(|problems| format!("{problems:?}"))?;
        self.intent(&Intent::Begin { plan: plan.hash })
    }

    /// The only open question.
    pub fn question(&self) -> &Question {
        let mut open = self.state.questions.values();
        let question = open.next().unwrap_or_else(|| panic!("nothing is asked\n{}", self.tail()));
        assert!(open.next().is_none(), "more than one question is open: {:#?}", self.state.questions);
        question
    }

    /// Answers the only open question, and goes on until nothing happens by itself.
    pub fn reply(&mut self, choice: Choice, text: &str) -> Result<(), String> {
        let question = self.question().id;
        self.intent(&Intent::Reply { question, choice, text: text.into() })?;
        self.rest();
        Ok(())
    }

    /// The last events, for a message.
    pub fn tail(&self) -> String {
        let from = self.journal.len().saturating_sub(60);
        let mut text = String::new();
        for (index, (stamp, event)) in self.journal.iter().enumerate().skip(from) {
            let _ = writeln!(text, "{} {:>8} {event:?}", index + 1, stamp.mono_ms);
        }
        text
    }

    pub fn is_preparing(&self) -> bool {
        self.state.phase == Phase::Preparing
    }
}

thread_local! {
    static TELLS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Whether a session of this thread that a panic ends is shown.
pub fn tell_of_panics(tells: bool) {
    TELLS.set(tells);
}

impl Drop for Session {
    fn drop(&mut self) {
        if std::thread::panicking() && TELLS.get() {
            eprintln!("{}\n{:#?}\n{}", self.text, self.setup.inventory, self.tail());
        }
    }
}

/// The event as a journal gives it back.
pub fn through_json(event: &Event) -> Event {
    let text = serde_json::to_string(event).expect("an event is written");
    let read: Event = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(read, *event, "an event survives the journal");
    read
}

fn ended(key: &StepKey, place: &Place, end: nofm::engine::End, output: &str) -> Event {
    Event::TargetEnded {
        key: key.clone(),
        place: place.clone(),
        end,
        tail: output.to_owned(),
        bytes: output.len() as u64,
        has: None,
        lacks: None,
    }
}
