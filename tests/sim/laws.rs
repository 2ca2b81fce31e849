//! What must hold at every event, seen from outside: from the events themselves, the profile and the world.
//!
//! Each law is checked before the event is applied, by the state that it was decided on.

use std::collections::{BTreeMap, BTreeSet};

use nofm::engine::{
    ATTENDED_TERMINAL, About, Cause, Choice, Close, Decision, End, Event, LaneKey, LanePhase, LaneState,
    Phase, Place, ProbeKey, Question, Reading, ScriptRef, Seen, State, StepKey, StepPhase,
};
use nofm::model::{Access, CheckId, Known, ServerName, StageId, StepId, Value, Verdict};
use nofm::plan::PlanStep;
use nofm::profile::{
    Act, AtATime, CheckKind, Expr, Forbidden, Name, Of, Position, ServiceAct, Severity, Then,
};

use super::bans::Bans;

#[derive(Debug, Default)]
pub struct Laws {
    seq: u64,
    /// Every step that was intended, with the places it was intended for.
    intended: BTreeMap<StepKey, Vec<Place>>,
    /// Steps that the operator, or a recovery, allowed to be begun once more.
    allowed: BTreeSet<(LaneKey, StepId)>,
    once: BTreeMap<(StageId, StepId), StepKey>,
    ended: BTreeMap<StepKey, BTreeMap<Place, End>>,
    cleared: BTreeMap<StepKey, u64>,
    /// The last event before which nothing that was measured may be relied on to start a step.
    stale: u64,
    read: BTreeMap<ProbeKey, (u64, Known, Option<Value>)>,
    waived: BTreeSet<(CheckId, Option<ServerName>)>,
    checked: BTreeMap<(CheckId, Option<ServerName>), Verdict>,
    /// What each reply answered; the last one.
    replied: Option<(About, Choice)>,
    soak: BTreeMap<LaneKey, u64>,
    stopped: BTreeSet<ServerName>,
    lost: BTreeSet<ServerName>,
    /// Left out, or given up, after something was begun on them.
    halfway: BTreeSet<ServerName>,
    first_causes: Vec<(StepKey, Cause)>,
    closed: Option<Close>,
    /// What servers wait for that only a person can say.
    knocks: BTreeMap<Access, BTreeSet<ServerName>>,
    recovered: Option<LaneKey>,
    bans: Bans,
}

macro_rules! law {
    ($self:ident, $holds:expr, $($message:tt)*) => {
        assert!($holds, "law broken at event {}: {}", $self.seq, format!($($message)*))
    };
}

impl Laws {
    pub fn before(&mut self, state: &State, seq: u64, event: &Event) {
        self.seq = seq;
        if matches!(self.closed, Some(Close::Done | Close::Failed { .. })) {
            law!(
                self,
                matches!(
                    event,
                    Event::Opened { .. }
                        | Event::Refused { .. }
                        | Event::BanLifted { .. }
                        | Event::PenTaken { .. }
                ),
                "nothing happens after the end: {event:?}"
            );
        }
        let broken = self.bans.broken_by(state, event);
        law!(self, broken.is_none(), "{broken:?} is forbidden, and done: {event:?}");
        if let Err(why) = self.bans.apply(event) {
            law!(self, false, "{why}");
        }
        match event {
            Event::Opened { .. } => {
                self.stale = seq;
                self.knocks.clear();
            }
            Event::Unpaused { .. } => self.stale = seq,
            Event::Read { probe, asked, reading } => {
                let unknown_but_told = reading.value().is_none();
                let value = if unknown_but_told { None } else { reading.value().cloned() };
                // An older answer is never taken for a newer one.
                if self.read.get(probe).is_none_or(|(newest, ..)| newest <= asked) {
                    self.read.insert(probe.clone(), (*asked, reading.known, value));
                }
            }
            Event::Checked { check, server, verdict, .. } => {
                self.checked.insert((check.clone(), server.clone()), *verdict);
            }
            Event::Waived { check, server, reason, .. } => {
                // Of the checks that no profile need write this one alone is a warning.
                let warns = *check == ATTENDED_TERMINAL
                    || state.setup.profile.check(check).is_some_and(|check| check.severity == Severity::Warn);
                law!(
                    self,
                    warns && !reason.is_empty(),
                    "a blocker is never passed, a warning with a reason: {check}"
                );
                self.waived.insert((check.clone(), server.clone()));
            }
            Event::Answered { input, key, value, .. } if state.answers.given(input, key) != Some(value) => {
                self.checked.clear();
            }
            Event::PlanFixed { .. } => self.plan_fixed(state),
            Event::StageEntered { stage } => self.stage_entered(state, stage),
            Event::LaneEntered { lane } => self.lane_entered(state, lane),
            Event::StepCleared { key } => {
                self.nothing_held(state, key, "cleared");
                self.cleared.insert(key.clone(), seq);
            }
            Event::StepIntended { key, targets, once, .. } => {
                let places = targets.iter().map(|target| target.place.clone()).collect();
                self.intended(state, key, places, *once);
            }
            Event::WaitBegun { key } if step(state, key).is_some() => {
                self.nothing_held(state, key, "waited for");
            }
            Event::LookedUp { key, place, .. } => {
                let known = self.intended.get(key).is_some_and(|places| places.contains(place));
                law!(self, known, "something is looked up for {key} at {place}, where it was not intended");
            }
            Event::TargetEnded { key, place, end, .. } => {
                let known = self.intended.get(key).is_some_and(|places| places.contains(place));
                law!(self, known, "{key} ended at {place} without having been intended there");
                let ends = self.ended.entry(key.clone()).or_default();
                ends.entry(place.clone()).or_insert_with(|| end.clone());
            }
            Event::StepSettled { key, outcome, known, .. } => self.settled(state, key, *outcome, *known),
            Event::SoakBegun { lane } => {
                self.gates_hold(state, lane);
                self.soak.insert(lane.clone(), state.time.now_ms);
            }
            Event::LaneDone { lane } => self.lane_done(state, lane),
            Event::LeftOut { server, .. } => self.left_out(state, server),
            Event::RoundBegun { round, stage } => self.round(state, *round, stage),
            Event::Undone { steps } => {
                let undone = |key: &StepKey| step_named(state, key, steps);
                self.once.retain(|_, key| !undone(key));
            }
            Event::Replied { question, choice, .. } => self.replied(state, *question, *choice),
            Event::ReachLost { server, .. } => {
                self.lost.insert(server.clone());
            }
            Event::ReachBack { server } => {
                self.lost.remove(server);
            }
            Event::AccessAsked { access, servers, .. } => {
                self.knocks.entry(access.clone()).or_default().extend(servers.iter().cloned());
            }
            Event::AccessGiven { access, .. } | Event::AccessDenied { access, .. } => {
                let waited = self.knocks.remove(access).is_some();
                law!(self, waited, "a word is taken that nobody waits for: {access}");
            }
            Event::AccessWithdrawn { access, servers } => {
                if let Some(waiting) = self.knocks.get_mut(access) {
                    waiting.retain(|server| !servers.contains(server));
                }
                self.knocks.retain(|_, waiting| !waiting.is_empty());
            }
            Event::Closed { close } => self.closing(state, close),
            _ => {}
        }
        if !matches!(event, Event::Replied { .. } | Event::Read { .. } | Event::StepFailed { .. }) {
            self.replied = match (event, self.replied.take()) {
                (Event::StepSettled { .. } | Event::ProofBegun { .. }, _) => None,
                (_, replied) => replied,
            };
        }
    }

    pub fn after(&mut self, state: &State, event: &Event) {
        // The first cause of a failure stays as it was.
        let known = self.first_causes.len();
        let kept = state.failures.len() >= known
            && state
                .failures
                .iter()
                .zip(&self.first_causes)
                .all(|(failure, first)| failure.key == first.0 && failure.cause == first.1);
        law!(self, kept, "a cause was forgotten or changed");
        self.first_causes.extend(
            state.failures[known..].iter().map(|failure| (failure.key.clone(), failure.cause.clone())),
        );
        if let Event::Opened { .. } = event
            && matches!(self.closed, Some(Close::Stopped { .. }))
        {
            self.closed = None;
        }
        if let Event::Closed { .. } = event {
            self.knocks.clear();
        }
        let same = state.access.len() == self.knocks.len()
            && state.access.iter().all(|(access, request)| self.knocks.get(access) == Some(&request.servers));
        law!(self, same, "what servers wait for is not what they asked for");
        law!(self, self.bans.is_known_to(state), "what is forbidden is forgotten: {:?}", self.bans);
        let tells = |reading: &Reading| matches!(reading.value(), None | Some(Value::Version(_)));
        let counts = match event {
            Event::Read { reading, .. } => tells(reading),
            Event::Opened { .. }
            | Event::PlanFixed { .. }
            | Event::LeftOut { .. }
            | Event::RoundBegun { .. } => true,
            _ => false,
        };
        if counts {
            self.count(state);
        }
        for lane in state.active_lanes() {
            let keys = state
                .measures
                .keys()
                .filter(|purpose| purpose.step().is_some_and(|key| key.lane == lane.key));
            let open: usize = keys
                .filter_map(|purpose| state.measures.get(purpose))
                .map(|measure| measure.open.len())
                .sum();
            law!(
                self,
                lane.open == open,
                "{} waits for {} readings, and counts {}",
                lane.key,
                open,
                lane.open
            );
        }
    }

    /// n counts only servers that were seen to have the version to reach.
    fn count(&self, state: &State) {
        let Some(tally) = state.tally() else { return };
        let seen = Seen::new(state, None);
        let Some(Value::Version(target)) = state.scope(&seen, None).lookup(&Name::Target) else {
            law!(self, tally.updated == 0, "nothing is updated to an unknown version");
            return;
        };
        let updated = state.setup.inventory.servers.iter().filter(|server| {
            nofm::plan::version_fact(&state.setup, server).is_some_and(|fact| {
                matches!(
                    self.read.get(&ProbeKey::Fact(fact.clone(), Some(server.name.clone()))),
                    Some((_, Known::Seen, Some(Value::Version(version)))) if *version >= target
                )
            })
        });
        law!(self, tally.updated <= updated.count(), "n counts a server that was not seen to be updated");
    }

    /// The world is about to start something.
    pub fn starts(&self, key: &StepKey, place: &Place) {
        let known = self.intended.get(key).is_some_and(|places| places.contains(place));
        law!(self, known, "{key} starts at {place} before the journal says so");
    }

    /// Nothing follows from the state: it must be clear what it waits for.
    pub fn at_rest(&self, state: &State, decision: &Decision) {
        let waits = !decision.work.is_empty() || decision.wake_ms.is_some() || !state.questions.is_empty();
        let by_wish = state.paused
            || state.room_low.is_some()
            || !state.paused_servers.is_empty()
            || state.phase == Phase::Preparing;
        law!(self, waits || by_wish || state.closed.is_some(), "it waits silently, for nothing");
        for question in state.questions.values() {
            law!(
                self,
                state.asked.get(&question.about) == Some(&question.id),
                "two questions about one thing"
            );
            if let Some(key) = question.about.step() {
                let lane = state.lane(&key.lane);
                let current =
                    lane.is_some_and(|lane| state.step_key(lane) == *key && !lane.phase.is_closed());
                law!(self, current, "a question stands about a step that is not in turn: {question:?}");
                let failed = lane.is_some_and(|lane| matches!(lane.step, StepPhase::Failed(_)));
                let about_failure = matches!(question.about, About::Failure(_));
                law!(self, failed == about_failure, "the question does not fit the step: {question:?}");
            }
            for option in question.options.iter().filter(|option| option.refused.is_none()) {
                let banned = is_banned(state, question, option.choice);
                law!(self, !banned, "what is forbidden is offered: {option:?} in {question:?}");
            }
        }
    }

    /// Shows the journal's end before a law breaks for want of anything to wait for.
    pub fn say_at_rest(state: &State, decision: &Decision, tail: impl Fn() -> String) {
        if decision.work.is_empty() && decision.wake_ms.is_none() && state.questions.is_empty() {
            eprintln!("{}", tail());
        }
    }

    fn nothing_held(&self, state: &State, key: &StepKey, what: &str) {
        let server_paused =
            key.lane.server.as_ref().is_some_and(|server| state.paused_servers.contains(server));
        law!(self, !state.paused && !server_paused, "{key} is {what} while paused");
        law!(self, state.halt.is_none(), "{key} is {what} while the session stops");
        law!(self, state.closed.is_none(), "{key} is {what} in a closed session");
        law!(self, state.room_low.is_none(), "{key} is {what} on a full disk");
    }

    fn plan_fixed(&self, state: &State) {
        for (check, server) in state.check_places(false) {
            let at = (check.clone(), server.clone());
            let facts = state.check_facts(&check).expect("a check of the start is known");
            let passes = self.checked.get(&at) == Some(&Verdict::Pass);
            let waived = facts.severity == Severity::Warn
                && self.waived.contains(&at)
                && self.checked.contains_key(&at);
            law!(self, passes || waived, "the start passes `{check}` on {server:?}");
        }
    }

    fn stage_entered(&self, state: &State, stage: &StageId) {
        let index = state.stage_index(stage).expect("a stage of the profile");
        for (earlier, profile) in state.stages.iter().zip(&state.setup.profile.stages).take(index) {
            let closed = earlier.lanes.iter().all(|lane| lane.phase.is_closed());
            law!(self, closed, "stage {stage} begins before {} is over", profile.id);
        }
        law!(self, !state.paused && state.halt.is_none(), "stage {stage} begins while paused or stopping");
        law!(self, state.room_low.is_none(), "stage {stage} begins on a full disk");
    }

    fn lane_entered(&self, state: &State, key: &LaneKey) {
        let stage = state.stage_of(key).expect("a lane of a stage");
        let lanes = &state.stages[state.stage];
        law!(self, !state.paused && state.halt.is_none(), "{key} begins while paused or stopping");
        law!(self, state.room_low.is_none(), "{key} begins on a full disk");
        let trouble: Vec<_> =
            state.active_lanes().filter(|lane| lane.is_in_trouble()).map(|l| l.key.to_string()).collect();
        law!(self, trouble.is_empty(), "{key} begins while {trouble:?} is in trouble");
        if let AtATime::Number(number) = stage.at_a_time {
            law!(self, lanes.active.len() < number, "{key} begins as one too many");
        }
        let Some(server) = state.server_of(key) else { return };
        let active: BTreeSet<&ServerName> =
            lanes.active.iter().filter_map(|&index| lanes.lanes[index].key.server.as_ref()).collect();
        let down = |name: &ServerName| {
            *name == server.name
                || active.contains(name)
                || self.lost.contains(name)
                || self.stopped.contains(name)
                || self.halfway.contains(name)
        };
        for role in server.roles.iter().filter_map(|role| state.setup.profile.role(role)) {
            let Some(keep_up) = stage.keep_up.or(role.keep_up) else { continue };
            let members: Vec<_> = state.setup.inventory.of_role(&role.id).collect();
            let up = members.iter().filter(|member| !down(&member.name)).count();
            law!(
                self,
                up >= keep_up.least(members.len()),
                "{key} begins and leaves {up} of {} in service",
                members.len()
            );
        }
    }

    fn intended(&mut self, state: &State, key: &StepKey, places: Vec<Place>, once: bool) {
        self.nothing_held(state, key, "started");
        law!(self, !self.intended.contains_key(key), "{key} is started twice");
        let plan_step = step(state, key).expect("a step in turn");
        let before = self.intended.keys().any(|known| known.lane == key.lane && known.step == key.step);
        if before {
            let allowed = self.allowed.remove(&(key.lane.clone(), key.step.clone()));
            law!(self, allowed, "{key} is started again, and nobody allowed it");
        }
        law!(self, once == plan_step.step.once, "{key} is journalled as what it is");
        if once && let ScriptRef::Stage(stage) = &key.lane.script {
            let used = self.once.insert((stage.clone(), key.step.clone()), key.clone());
            let free = used.as_ref().is_none_or(|used| {
                let places = &self.intended[used];
                let ends = self.ended.get(used);
                places
                    .iter()
                    .all(|place| matches!(ends.and_then(|ends| ends.get(place)), Some(End::NotStarted(_))))
            });
            law!(self, free, "{key} may be started once, and was: {used:?}");
        }
        self.needs_hold(state, key, plan_step);
        self.position_fits(state, key, plan_step);
        self.intended.insert(key.clone(), places);
    }

    /// What the step needs passes, by readings that were asked for after it was cleared, and after the last time
    /// that nobody looked.
    fn needs_hold(&self, state: &State, key: &StepKey, plan_step: &PlanStep) {
        let since = self.cleared.get(key).copied().unwrap_or(u64::MAX).max(self.stale);
        law!(self, since < self.seq, "{key} is started without having been cleared");
        for need in state.needs_of(key, plan_step) {
            let check = state.setup.profile.check(need).expect("a check of the profile");
            let server = if check.roles.is_empty() { None } else { key.lane.server.clone() };
            let judged = state.judge_check(need, server.as_ref());
            let waived = check.severity == Severity::Warn
                && state
                    .checks
                    .get(&(need.clone(), server.clone()))
                    .is_some_and(|check| check.waived.is_some());
            law!(
                self,
                judged.verdict == Verdict::Pass || waived,
                "{key} is started though `{need}`: {}",
                judged.shown
            );
            if let CheckKind::That(expr) = &check.kind {
                for probe in probes(state, expr, server.as_ref()) {
                    let asked = self.read.get(&probe).map(|(asked, ..)| *asked);
                    law!(
                        self,
                        asked >= Some(since),
                        "{key} is started on an old {probe} ({asked:?} < {since})"
                    );
                }
            }
        }
    }

    fn position_fits(&self, state: &State, key: &StepKey, plan_step: &PlanStep) {
        let ScriptRef::Stage(id) = &key.lane.script else { return };
        let lanes = &state.stages[state.stage_index(id).expect("a stage")].lanes;
        let index = lanes.iter().position(|lane| lane.key == key.lane).expect("a lane of the stage");
        let fits = plan_step.on.iter().all(|on: &Position| on.fits(index, lanes.len()));
        law!(self, fits, "{key} is started on a server that it is not for");
    }

    fn settled(&mut self, state: &State, key: &StepKey, outcome: nofm::engine::Outcome, known: Known) {
        use nofm::engine::Outcome;
        let Some(plan_step) = step(state, key) else { return };
        let seen = Seen::new(state, Some(&key.lane));
        let scope = state.step_scope(&seen, key, plan_step);
        let test = |expr: &Expr| expr.test(&|name| scope.lookup(name));
        let done = plan_step.step.done.as_ref().map(test);
        let lane = state.lane(&key.lane).expect("the lane of a step in turn");
        match outcome {
            Outcome::Succeeded if known == Known::Told => {
                let told = match &self.replied {
                    Some((about, choice)) => {
                        about.step() == Some(key)
                            && matches!(
                                choice,
                                Choice::Yes
                                    | Choice::Done
                                    | Choice::Succeeded
                                    | Choice::ByHand
                                    | Choice::Tell
                                    | Choice::Unknown
                            )
                            || matches!(about, About::Tell(_))
                    }
                    None => matches!(lane.step, StepPhase::Proving { by_hand: true, .. }),
                };
                law!(self, told, "{key} counts as told, and nobody told it");
            }
            Outcome::Succeeded => {
                let wait = match state.act_of(key) {
                    Some(Act::Wait(wait)) => Some(test(&wait.until)),
                    _ => None,
                };
                if let Some(holds) = done.or(wait) {
                    law!(self, holds == Some(true), "{key} succeeded, and its proof is {holds:?}");
                } else {
                    let by_hand = matches!(lane.step, StepPhase::Proving { by_hand: true, .. });
                    let exits = self.exits_well(key, plan_step, lane);
                    law!(self, by_hand || exits, "{key} succeeded: {:?}", self.ended.get(key));
                }
            }
            Outcome::DoneBefore => law!(self, done == Some(Some(true)), "{key} was done before? {done:?}"),
            Outcome::Skipped => {}
            Outcome::Tolerated => law!(self, !plan_step.required, "{key} failed and was tolerated"),
        }
        if outcome == Outcome::Succeeded {
            self.services(state, key);
        }
    }

    fn exits_well(&self, key: &StepKey, plan_step: &PlanStep, lane: &nofm::engine::LaneState) -> bool {
        let Some(places) = self.intended.get(key) else { return false };
        let ends = self.ended.get(key);
        places.iter().all(|place| {
            matches!(ends.and_then(|ends| ends.get(place)), Some(End::Exit(exit)) if plan_step.step.exit.contains(exit))
        }) && lane.targets.iter().all(|target| target.has != Some(false) && target.lacks != Some(true))
    }

    fn services(&mut self, state: &State, key: &StepKey) {
        if let Some(Act::Service { act, .. }) = state.act_of(key) {
            for place in self.intended.get(key).into_iter().flatten() {
                let Place::Server(server) = place else { continue };
                if *act == ServiceAct::Stop {
                    self.stopped.insert(server.clone());
                } else {
                    self.stopped.remove(server);
                }
            }
        }
    }

    fn gates_hold(&self, state: &State, key: &LaneKey) {
        let Some(stage) = state.stage_of(key) else { return };
        for gate in &stage.gates {
            let of_server = state.setup.profile.check(gate).is_some_and(|check| !check.roles.is_empty());
            let server = if of_server { key.server.as_ref() } else { None };
            let judged = state.judge_check(gate, server);
            law!(self, judged.verdict == Verdict::Pass, "{key} passes gate `{gate}`: {}", judged.shown);
        }
    }

    fn lane_done(&mut self, state: &State, key: &LaneKey) {
        let lane = state.lane(key).expect("a lane that is there");
        law!(self, lane.cursor >= lane.steps.len(), "{key} is done before its steps are");
        if let Some(stage) = state.stage_of(key) {
            self.gates_hold(state, key);
            // What its gates look at is what says that it serves again.
            if !stage.gates.is_empty()
                && let Some(server) = &key.server
            {
                self.stopped.remove(server);
            }
            if let Some(soak) = stage.soak {
                let began = self.soak.get(key).copied().expect("it soaked");
                let soaked = state.time.now_ms.saturating_sub(began);
                // The clock stands at the last event here, and never before it.
                law!(self, soaked >= state.setup.scaled_ms(soak), "{key} soaked {soaked} ms only");
            }
        }
        if let ScriptRef::Recovery(id) = &key.script
            && let Some(of) = &lane.of
        {
            self.recovered = Some(key.clone());
            if state.setup.profile.failure(id).is_some_and(|rule| rule.then == Then::Retry) {
                self.allowed.insert((of.lane.clone(), of.step.clone()));
            }
        }
    }

    fn left_out(&mut self, state: &State, server: &ServerName) {
        let lanes: Vec<_> =
            state.active_lanes().filter(|lane| lane.key.server.as_ref() == Some(server)).collect();
        law!(
            self,
            !lanes.iter().any(|lane| lane.is_running()),
            "{server} is left out while a step runs on it"
        );
        let begun = self
            .intended
            .keys()
            .any(|key| key.lane.server.as_ref() == Some(server) && lanes.iter().any(|l| l.key == key.lane));
        for stage in state.stages.iter().zip(&state.setup.profile.stages) {
            let open =
                stage.0.lanes.iter().any(|l| l.key.server.as_ref() == Some(server) && !l.phase.is_closed());
            law!(self, !open || stage.1.leave_out.is_none(), "{server} is left out of {}", stage.1.id);
        }
        if begun {
            self.halfway.insert(server.clone());
        }
    }

    fn round(&mut self, state: &State, round: u32, stage: &StageId) {
        law!(self, round == state.round + 1, "rounds follow one another");
        let by_recovery = self.recovered.take().is_some_and(|key| match &key.script {
            ScriptRef::Recovery(id) => {
                state.setup.profile.failure(id).is_some_and(|rule| rule.then == Then::Stage(stage.clone()))
            }
            _ => false,
        });
        law!(self, by_recovery, "a round begins where no recovery says so");
        let running: Vec<_> =
            state.active_lanes().filter(|lane| lane.is_running()).map(|l| l.key.to_string()).collect();
        law!(self, running.is_empty(), "a round begins while {running:?} still runs");
    }

    fn replied(&mut self, state: &State, id: u64, choice: Choice) {
        let question = state.questions.get(&id);
        law!(self, question.is_some(), "a reply to a question that is not open takes effect");
        let question = question.expect("just seen");
        let option = question.option(choice);
        law!(
            self,
            option.is_some_and(|option| option.refused.is_none()),
            "a refused choice takes effect: {choice:?}"
        );
        let banned = is_banned(state, question, choice);
        law!(self, !banned, "a forbidden choice takes effect: {choice:?}");
        if let About::Failure(key) = &question.about
            && matches!(choice, Choice::Retry | Choice::LookAgain | Choice::Waive)
        {
            let ran = self
                .ended
                .get(key)
                .is_some_and(|ends| ends.values().any(|end| !matches!(end, End::NotStarted(_))));
            if !ran || choice == Choice::Retry {
                self.allowed.insert((key.lane.clone(), key.step.clone()));
            }
        }
        self.replied = Some((question.about.clone(), choice));
    }

    fn closing(&mut self, state: &State, close: &Close) {
        // Nothing is heard of what waits for a person, and so it is not waited for.
        let shut_out = |lane: &&LaneState| {
            close.is_resumable()
                && lane.targets.iter().filter(|target| target.end.is_none()).all(|target| {
                    match &target.place {
                        Place::Console => false,
                        Place::Server(server) => self.knocks.values().any(|servers| servers.contains(server)),
                    }
                })
        };
        let running: Vec<_> = state
            .active_lanes()
            .filter(|lane| lane.is_running() && !shut_out(lane))
            .map(|l| l.key.to_string())
            .collect();
        // What takes long goes on alone, where the operator chose so.
        let by_wish = !state.halt_waits && matches!(close, Close::Stopped { .. });
        // Where there is no room for their ends, what runs is found by the next runner.
        let no_room = close.why() == "the disk of the console is full";
        law!(self, running.is_empty() || by_wish || no_room, "it is closed while {running:?} still runs");
        if *close == Close::Done {
            for lane in state.stages.iter().flat_map(|stage| &stage.lanes) {
                let over = matches!(lane.phase, LanePhase::Done | LanePhase::LeftOut(_));
                law!(self, over, "it is done, and {} is {:?}", lane.key, lane.phase);
            }
            for (check, server) in state.check_places(true) {
                let found = &state.checks[&(check.clone(), server.clone())];
                let out = server.as_ref().is_some_and(|server| state.left_out.contains_key(server));
                let passes = found.verdict == Some(Verdict::Pass) || found.waived.is_some() || out;
                law!(self, passes, "it is done, and `{check}` does not hold on {server:?}");
            }
        } else {
            law!(self, !close.why().is_empty(), "it stops without a reason");
        }
        self.closed = Some(close.clone());
    }
}

/// The step in turn, if it is `key`.
fn step<'a>(state: &'a State, key: &StepKey) -> Option<&'a PlanStep> {
    let lane = state.lane(&key.lane)?;
    (state.step_key(lane) == *key).then(|| state.plan_step(lane)).flatten()
}

fn step_named(state: &State, key: &StepKey, names: &[StepId]) -> bool {
    let found = state.script(&key.lane.script).and_then(|script| script.find(&key.step));
    found.is_some_and(|step| names.iter().any(|name| step.is(name)))
}

/// What an expression of a check comes down to, as far as it is plain.
fn probes(state: &State, expr: &Expr, server: Option<&ServerName>) -> Vec<ProbeKey> {
    let plain = |fact: &nofm::model::FactId| {
        state
            .setup
            .profile
            .fact(fact)
            .is_some_and(|fact| !matches!(fact.source, nofm::profile::Source::Value(_)))
    };
    expr.names()
        .iter()
        .flat_map(|name| match name {
            Name::Here(Of::Fact(fact)) if plain(fact) => vec![ProbeKey::Fact(fact.clone(), server.cloned())],
            Name::Farm(fact) if plain(fact) => vec![ProbeKey::Fact(fact.clone(), None)],
            Name::Role(role, Of::Fact(fact)) if plain(fact) => state
                .setup
                .inventory
                .of_role(role)
                .map(|server| ProbeKey::Fact(fact.clone(), Some(server.name.clone())))
                .collect(),
            _ => Vec::new(),
        })
        .collect()
}

fn forbidden(choice: Choice) -> Option<Forbidden> {
    Some(match choice {
        Choice::Retry => Forbidden::Retry,
        Choice::ByHand => Forbidden::ByHand,
        Choice::LeaveOut => Forbidden::LeaveOut,
        Choice::Recover => Forbidden::Recover,
        Choice::Abort => Forbidden::Abort,
        Choice::Collect => Forbidden::Collect,
        _ => return None,
    })
}

/// Whether a choice is forbidden. What is forbidden is to repeat what failed, not what mends it.
fn is_banned(state: &State, question: &Question, choice: Choice) -> bool {
    let mends = question
        .about
        .step()
        .is_some_and(|key| matches!(key.lane.script, ScriptRef::Recovery(_) | ScriptRef::Fix(_)))
        && matches!(choice, Choice::Retry | Choice::ByHand);
    !mends && forbidden(choice).is_some_and(|act| state.bans.iter().any(|ban| ban.act == act))
}
