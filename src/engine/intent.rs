//! What an operator wants, and whether it may be.

use serde::{Deserialize, Serialize};

use super::bans::Ban;
use super::decide::{fix_lanes, frees};
use super::event::{Close, Event, Outcome};
use super::key::{LaneKey, ScriptRef, StepKey};
use super::measure::{Measured, ProbeKey, Reading};
use super::question::{About, Choice, Question};
use super::state::{LanePhase, LaneState, Phase, State, StepPhase};
use crate::model::{
    Access, CheckId, FactId, InputId, Known, NoticeId, ServerName, StageId, Value, Verdict, ViewerId,
};
use crate::plan::{self, answers};
use crate::profile::{FactKind, Forbidden, Severity};

/// Everything a face can ask of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    Answer {
        input: InputId,
        key: String,
        value: Value,
    },
    ConfirmNotice {
        notice: NoticeId,
    },
    AgreeUnsure {
        input: InputId,
    },
    Survey,
    Check {
        check: Option<CheckId>,
        server: Option<ServerName>,
    },
    Fix {
        check: CheckId,
        server: Option<ServerName>,
    },
    Waive {
        check: CheckId,
        server: Option<ServerName>,
        reason: String,
    },
    /// Agree to the summary: the plan with this hash is carried out.
    Begin {
        plan: String,
    },
    Reply {
        question: u64,
        choice: Choice,
        text: String,
    },
    Pause {
        server: Option<ServerName>,
    },
    Unpause {
        server: Option<ServerName>,
    },
    LeaveOut {
        server: ServerName,
        reason: String,
    },
    /// A wait that the profile does not require is not waited for any more.
    LeaveWait {
        key: StepKey,
    },
    Stop,
    TakePen {
        by_force: bool,
    },
    /// Lift what is forbidden for this reason.
    LiftBan {
        act: Forbidden,
        why: String,
        evidence: String,
    },
    /// These host keys are the right ones.
    Trust {
        access: Vec<Access>,
    },
    /// Servers that wait for these are not to be reached.
    Deny {
        access: Vec<Access>,
    },
}

/// What stands between the operator and the start.
#[derive(Clone, Debug, PartialEq)]
pub enum Lack {
    Input {
        input: InputId,
        key: String,
    },
    Unsure(InputId),
    Notice(NoticeId),
    /// The checks were not carried out yet, or are under way.
    Unchecked,
    /// A check that blocks.
    Blocked {
        check: CheckId,
        server: Option<ServerName>,
        shown: String,
    },
    /// A warning that nobody waived.
    Warned {
        check: CheckId,
        server: Option<ServerName>,
        shown: String,
    },
    Plan {
        stage: Option<StageId>,
        text: String,
    },
    Banned(Ban),
}

impl State {
    /// Everything that keeps the upgrade from being started.
    pub fn lacking(&self) -> Vec<Lack> {
        let setup = &self.setup;
        let mut lacking: Vec<Lack> = self.barred().cloned().map(Lack::Banned).collect();
        lacking.extend(
            self.answers
                .missing(setup)
                .into_iter()
                .map(|(input, key)| Lack::Input { input: input.id.clone(), key }),
        );
        let unsure = setup.profile.inputs.iter().filter(|input| {
            input.unsure && !self.unsure.contains(&input.id) && self.answers.asks(setup, input)
        });
        lacking.extend(unsure.map(|input| Lack::Unsure(input.id.clone())));
        lacking.extend(self.open_notices().into_iter().map(Lack::Notice));
        let places = self.check_places(false);
        let running = places.iter().any(|(check, server)| {
            self.measures.contains_key(&super::measure::Purpose::Check(check.clone(), server.clone()))
                || self
                    .checks
                    .get(&(check.clone(), server.clone()))
                    .is_none_or(|found| found.verdict.is_none())
        });
        if running {
            lacking.push(Lack::Unchecked);
        }
        for (check, server) in places {
            let Some(found) = self.checks.get(&(check.clone(), server.clone())) else { continue };
            if matches!(found.verdict, None | Some(Verdict::Pass)) || found.waived.is_some() {
                continue;
            }
            let shown = found.shown.clone();
            lacking.push(match self.check_facts(&check).map(|facts| facts.severity) {
                Some(Severity::Warn) => Lack::Warned { check, server, shown },
                _ => Lack::Blocked { check, server, shown },
            });
        }
        if let Err(problems) = plan::build(setup, &self.answers) {
            lacking.extend(
                problems.into_iter().map(|problem| Lack::Plan { stage: problem.stage, text: problem.text }),
            );
        }
        lacking
    }

    /// Notices that apply here, must be confirmed, and were not.
    pub fn open_notices(&self) -> Vec<NoticeId> {
        self.notices_shown()
            .filter(|notice| notice.confirm && !self.notices.contains(&notice.id))
            .map(|notice| notice.id.clone())
            .collect()
    }

    /// Notices that apply here. One of which that is unknown is shown; one about servers is left to do at the end.
    pub fn notices_shown(&self) -> impl Iterator<Item = &crate::profile::Notice> {
        let seen = super::view::Seen::new(self, None);
        self.setup.profile.notices.iter().filter(move |notice| {
            let scope = self.scope(&seen, None);
            notice.roles.is_empty()
                && notice
                    .when
                    .as_ref()
                    .is_none_or(|when| when.test(&|name| scope.lookup(name)) != Some(false))
        })
    }

    /// The events that follow from what `viewer` wants.
    ///
    /// # Errors
    /// Why it may not be, as a sentence for the operator.
    pub fn judge(&self, viewer: &ViewerId, intent: &Intent) -> Result<Vec<Event>, String> {
        let viewer = viewer.clone();
        if let Intent::TakePen { by_force } = intent {
            return self.take_pen(viewer, *by_force);
        }
        match intent {
            Intent::LiftBan { .. } => self.holds_pen(&viewer)?,
            _ => self.may_act(&viewer)?,
        }
        match intent {
            Intent::TakePen { .. } => Ok(Vec::new()),
            Intent::Trust { access } => self.judge_trust(&viewer, access),
            Intent::Deny { access } => self.judge_deny(&viewer, access),
            Intent::Answer { input, key, value } => {
                self.preparing("answers are fixed")?;
                let known = self.setup.profile.input(input).ok_or(format!("there is no input `{input}`"))?;
                answers::fits(&self.setup, known, key, value)?;
                Ok(vec![Event::Answered {
                    input: input.clone(),
                    key: key.clone(),
                    value: value.clone(),
                    viewer,
                }])
            }
            Intent::ConfirmNotice { notice } => {
                self.preparing("notices are behind")?;
                self.setup.profile.notice(notice).ok_or(format!("there is no notice `{notice}`"))?;
                Ok(vec![Event::NoticeConfirmed { notice: notice.clone(), viewer }])
            }
            Intent::AgreeUnsure { input } => {
                self.preparing("inputs are fixed")?;
                Ok(vec![Event::UnsureAgreed { input: input.clone(), viewer }])
            }
            Intent::Survey => Ok(vec![Event::SurveyWanted]),
            Intent::Check { check, server } => {
                self.preparing("the checks of the start are behind")?;
                let places = self.check_places(false);
                let fits = |(id, at): &(CheckId, Option<ServerName>)| {
                    check.as_ref().is_none_or(|check| id == check)
                        && server.as_ref().is_none_or(|s| at.as_ref() == Some(s))
                };
                if !places.is_empty() && !places.iter().any(fits) {
                    return Err("there is no such check at the start".to_owned());
                }
                Ok(vec![Event::ChecksWanted { check: check.clone(), server: server.clone() }])
            }
            Intent::Fix { check, server } => self.judge_fix(check, server.as_ref()),
            Intent::Waive { check, server, reason } => {
                self.judge_waive(viewer, check, server.as_ref(), reason)
            }
            Intent::Begin { plan } => self.judge_begin(viewer, plan),
            Intent::Reply { question, choice, text } => self.judge_reply(viewer, *question, *choice, text),
            Intent::Pause { server } => {
                self.known(server.as_ref())?;
                Ok(vec![Event::Paused { server: server.clone(), viewer }])
            }
            Intent::Unpause { server } => {
                self.known(server.as_ref())?;
                Ok(vec![Event::Unpaused { server: server.clone(), viewer }])
            }
            Intent::LeaveOut { server, reason } => {
                self.known(Some(server))?;
                self.judge_leave_out(&viewer, server, reason)
            }
            Intent::LeaveWait { key } => {
                let lane = self.current(key).filter(|lane| lane.step == StepPhase::Waiting);
                let lane = lane.ok_or("this is not being waited for any more; nothing was done")?;
                if !self.may_be_left(lane) {
                    return Err(
                        "the profile requires what is waited for; only its `timeout` ends it".to_owned()
                    );
                }
                Ok(vec![Event::WaitLeft { key: key.clone(), viewer }])
            }
            Intent::Stop => Ok(vec![Event::StopWanted { viewer }]),
            Intent::LiftBan { act, why, evidence } => self.judge_lift(viewer, *act, why, evidence),
        }
    }

    /// Whether a lane waits for something that need not be waited for.
    pub fn may_be_left(&self, lane: &LaneState) -> bool {
        lane.phase == LanePhase::Active
            && lane.step == StepPhase::Waiting
            && self.plan_step(lane).is_some_and(|step| !step.required)
    }

    fn take_pen(&self, viewer: ViewerId, by_force: bool) -> Result<Vec<Event>, String> {
        match &self.pen {
            Some(pen) if *pen == viewer => Ok(Vec::new()),
            Some(pen) if !by_force => {
                Err(format!("{pen} holds the pen; take it over by force if they are gone"))
            }
            _ => Ok(vec![Event::PenTaken { viewer, by_force }]),
        }
    }

    fn holds_pen(&self, viewer: &ViewerId) -> Result<(), String> {
        if self.pen.as_ref().is_some_and(|pen| pen != viewer) {
            return Err("another viewer holds the pen; take it over first".to_owned());
        }
        Ok(())
    }

    /// Whether `viewer` may bring anything about at all.
    pub(super) fn may_act(&self, viewer: &ViewerId) -> Result<(), String> {
        self.holds_pen(viewer)?;
        match &self.closed {
            Some(closed) => Err(format!("the session is closed: {}", closed.why())),
            None => Ok(()),
        }
    }

    fn preparing(&self, what: &str) -> Result<(), String> {
        if self.phase == Phase::Preparing { Ok(()) } else { Err(format!("{what}: the upgrade has begun")) }
    }

    fn known(&self, server: Option<&ServerName>) -> Result<(), String> {
        match server {
            Some(server) if self.setup.server(server).is_none() => {
                Err(format!("the inventory has no server `{server}`"))
            }
            _ => Ok(()),
        }
    }

    fn judge_fix(&self, check: &CheckId, server: Option<&ServerName>) -> Result<Vec<Event>, String> {
        let found = self.checks.get(&(check.clone(), server.cloned()));
        if found.is_none_or(|found| matches!(found.verdict, None | Some(Verdict::Pass))) {
            return Err("there is nothing to be mended: the check did not fail".to_owned());
        }
        if !self.setup.scripts.fixes.contains_key(check) {
            return Err("the profile knows no fix; do what the remedy says, then check again".to_owned());
        }
        let lanes = fix_lanes(self, check, server);
        if lanes.is_empty() {
            return Err("there is nothing left to be mended; check again".to_owned());
        }
        Ok(lanes.into_iter().map(|lane| Event::FixBegun { lane }).collect())
    }

    fn judge_waive(
        &self,
        viewer: ViewerId,
        check: &CheckId,
        server: Option<&ServerName>,
        reason: &str,
    ) -> Result<Vec<Event>, String> {
        self.preparing("the checks of the start are behind")?;
        let facts = self.check_facts(check).ok_or(format!("there is no check `{check}`"))?;
        let found = self.checks.get(&(check.clone(), server.cloned())).and_then(|found| found.verdict);
        match found {
            _ if facts.severity == Severity::Block => {
                Err(format!("\"{}\" blocks; a blocker is never passed", facts.title))
            }
            _ if reason.trim().is_empty() => {
                Err("a warning is waived with a reason only; type one".to_owned())
            }
            None => Err("it was not checked yet".to_owned()),
            Some(Verdict::Pass) => Err("it passed; there is nothing to waive".to_owned()),
            Some(_) => Ok(vec![Event::Waived {
                check: check.clone(),
                server: server.cloned(),
                reason: reason.trim().to_owned(),
                viewer,
            }]),
        }
    }

    fn judge_begin(&self, viewer: ViewerId, hash: &str) -> Result<Vec<Event>, String> {
        self.preparing("the plan is fixed")?;
        let lacking = self.lacking();
        if let Some(first) = lacking.first() {
            let more =
                if lacking.len() > 1 { format!(" (and {} more)", lacking.len() - 1) } else { String::new() };
            return Err(format!("it cannot begin yet: {}{more}", self.lack_text(first)));
        }
        if self.sides.iter().any(|lane| !lane.phase.is_closed()) {
            return Err("a fix is still under way".to_owned());
        }
        match plan::build(&self.setup, &self.answers) {
            Ok(plan) if plan.hash == hash => Ok(vec![Event::PlanFixed { hash: plan.hash, viewer }]),
            Ok(_) => Err("the plan changed since it was shown; look at the summary again".to_owned()),
            Err(_) => Err("no plan can be made".to_owned()),
        }
    }

    /// What is lacking, as a sentence.
    pub fn lack_text(&self, lack: &Lack) -> String {
        let place =
            |server: &Option<ServerName>| server.as_ref().map(|s| format!(" on {s}")).unwrap_or_default();
        let title = |check: &CheckId| {
            self.check_facts(check).map_or(check.to_string(), |facts| facts.title.to_owned())
        };
        match lack {
            Lack::Input { input, key } => {
                let label = self.setup.profile.input(input).map_or(input.as_str(), |input| &input.label);
                let of = if key.is_empty() { String::new() } else { format!(" for {key}") };
                format!("`{input}` ({label}) has no answer{of}")
            }
            Lack::Unsure(input) => {
                let label = self.setup.profile.input(input).map_or(input.as_str(), |input| &input.label);
                format!("`{input}` ({label}) is not vouched for by the vendor and was not agreed to")
            }
            Lack::Notice(notice) => format!("notice `{notice}` was not confirmed"),
            Lack::Unchecked => "the checks have not all been carried out".to_owned(),
            Lack::Blocked { check, server, shown } => {
                format!("\"{}\"{} blocks: {shown}", title(check), place(server))
            }
            Lack::Warned { check, server, shown } => {
                format!("\"{}\"{} warns and was not waived: {shown}", title(check), place(server))
            }
            Lack::Plan { stage, text } => match stage {
                Some(stage) => format!("stage `{stage}`: {text}"),
                None => text.clone(),
            },
            Lack::Banned(ban) => ban.to_string(),
        }
    }

    fn judge_leave_out(
        &self,
        viewer: &ViewerId,
        server: &ServerName,
        reason: &str,
    ) -> Result<Vec<Event>, String> {
        if self.plan.is_none() {
            return Err("the plan is not fixed yet; change the inventory instead".to_owned());
        }
        if reason.trim().is_empty() {
            return Err("a server is left out with a reason only; type one".to_owned());
        }
        if let Some(why) = self.why_not_left_out(Some(server)) {
            return Err(why);
        }
        if self.active_lanes().any(|lane| lane.key.server.as_ref() == Some(server) && lane.is_running()) {
            return Err(format!("a step runs on {server}; what runs is never cut off"));
        }
        Ok(vec![
            Event::LeftOut {
                server: server.clone(),
                reason: reason.trim().to_owned(),
                viewer: viewer.clone(),
            },
            Event::ToDo { text: format!("{server} was left out: {}", reason.trim()) },
        ])
    }

    fn judge_reply(
        &self,
        viewer: ViewerId,
        id: u64,
        choice: Choice,
        text: &str,
    ) -> Result<Vec<Event>, String> {
        let question = self.questions.get(&id).ok_or("this question is no longer open; nothing was done")?;
        let option = question
            .option(choice)
            .ok_or_else(|| format!("`{}` is not one of the choices", choice.as_str()))?;
        if let Some(why) = &option.refused {
            return Err(why.clone());
        }
        let act = choice.forbidden().filter(|act| !question.about.step().is_some_and(|key| frees(key, *act)));
        if let Some(ban) = act.and_then(|act| self.ban(act)) {
            return Err(ban.why.clone());
        }
        let text = text.trim();
        if option.wants_text && text.is_empty() {
            return Err("this needs a text: a reason, or the answer".to_owned());
        }
        let replied = Event::Replied { question: id, choice, text: text.to_owned(), viewer: viewer.clone() };
        let mut events = vec![replied];
        events.extend(self.reply_follows(viewer, question, choice, text)?);
        Ok(events)
    }

    /// What a reply brings about beyond itself.
    fn reply_follows(
        &self,
        viewer: ViewerId,
        question: &Question,
        choice: Choice,
        text: &str,
    ) -> Result<Vec<Event>, String> {
        let told = |key: &StepKey, outcome| Event::StepSettled {
            key: key.clone(),
            outcome,
            known: Known::Told,
            why: if text.is_empty() { "by the operator's word".to_owned() } else { text.to_owned() },
        };
        let failed = |key: &StepKey| Event::StepFailed {
            key: key.clone(),
            cause: super::event::Cause::Told { why: text.to_owned() },
        };
        Ok(match (&question.about, choice) {
            (About::Confirm(key), Choice::Yes) | (About::Settle(key), Choice::Succeeded) => {
                vec![told(key, Outcome::Succeeded)]
            }
            (About::Optional(key), Choice::Skip) => vec![told(key, Outcome::Skipped)],
            (About::Confirm(key), Choice::No)
            | (About::Manual(key) | About::Attended(key), Choice::Cannot)
            | (About::Settle(key), Choice::Failed) => vec![failed(key)],
            (About::Manual(key) | About::Attended(key), Choice::Done)
            | (About::Failure(key), Choice::ByHand) => {
                vec![Event::ProofBegun { key: key.clone(), by_hand: true }]
            }
            (About::Slow(key), Choice::Unknown) => vec![Event::StepUnknown {
                key: key.clone(),
                cause: super::event::Cause::Unclear { what: "it was no longer waited for".to_owned() },
            }],
            (About::Tell(probe), Choice::Tell) => {
                let value = self.read_told(probe, text)?;
                let reading = Reading { known: Known::Told, seen: Measured::Value(value) };
                vec![Event::Read { probe: probe.clone(), asked: self.seq, reading }]
            }
            (About::Tell(probe), Choice::Unknown) => {
                let seen = Measured::Unknown("the operator cannot tell".to_owned());
                vec![Event::Read {
                    probe: probe.clone(),
                    asked: self.seq,
                    reading: Reading { known: Known::Told, seen },
                }]
            }
            (About::Failure(key), Choice::LeaveOut) => {
                let server = key.lane.server.clone().ok_or("this is a step of the whole farm")?;
                self.judge_leave_out(&viewer, &server, text)?
            }
            (About::Failure(key), Choice::Recover) => {
                let rule = self.current(key).and_then(|lane| lane.ruled.clone()).flatten();
                let rule = rule.ok_or("the profile names no recovery")?;
                let round = u32::try_from(self.sides.len()).unwrap_or(u32::MAX).saturating_add(1);
                let script = ScriptRef::Recovery(rule);
                let lane = LaneKey { script, server: key.lane.server.clone(), round, item: None };
                vec![Event::RecoveryBegun { lane, of: key.clone() }]
            }
            (About::Failure(key), Choice::Collect) => {
                let round = u32::try_from(self.sides.len()).unwrap_or(u32::MAX).saturating_add(1);
                let script = ScriptRef::Collect;
                let lane = LaneKey { script, server: key.lane.server.clone(), round, item: None };
                vec![Event::CollectBegun { lane, of: key.clone() }]
            }
            (About::EndCheck(check, server), Choice::Fix) => self.judge_fix(check, server.as_ref())?,
            (About::EndCheck(check, server), Choice::Accept) => {
                let title = self.check_facts(check).map_or(check.to_string(), |facts| facts.title.to_owned());
                let place = server.as_ref().map_or("the farm", |server| server.as_str());
                vec![
                    Event::EndChecksAccepted { viewer },
                    Event::ToDo { text: format!("{place}: \"{title}\" does not hold") },
                ]
            }
            _ => Vec::new(),
        })
    }

    /// The operator's word as a value of the kind that is asked for.
    fn read_told(&self, probe: &ProbeKey, text: &str) -> Result<Value, String> {
        let kind = match probe {
            ProbeKey::Fact(fact, _) => self.fact_kind(fact),
            ProbeKey::Check(..) => Some(FactKind::YesNo),
        };
        super::reading::read_value(text, kind.unwrap_or(FactKind::Text), &self.setup.profile.version.pattern)
            .ok_or_else(|| match kind {
                Some(FactKind::YesNo) => "type yes or no".to_owned(),
                Some(FactKind::Number) => format!("`{text}` is not a number"),
                Some(FactKind::Version) => format!("`{text}` cannot be read as a version"),
                _ => format!("`{text}` cannot be read"),
            })
    }

    pub fn fact_kind(&self, fact: &FactId) -> Option<FactKind> {
        self.setup.profile.fact(fact).map(|fact| fact.kind)
    }

    /// What a check's remedy says.
    pub fn remedy(&self, check: &CheckId, server: Option<&ServerName>) -> Option<String> {
        let seen = super::view::Seen::new(self, None);
        let scope = self.scope(&seen, server.and_then(|server| self.setup.server(server)));
        let remedy = self.setup.profile.check(check)?.remedy.as_ref()?;
        let render = remedy.render(crate::profile::Shell::None, &|name| scope.lookup(name));
        Some(render.unwrap_or_else(|_| remedy.source().to_owned()))
    }

    /// Whether every lane of the plan is behind, so that no server is left half-way.
    pub fn is_halfway(&self, server: &ServerName) -> bool {
        self.active_lanes().any(|lane| {
            lane.key.server.as_ref() == Some(server)
                && matches!(lane.phase, LanePhase::Active | LanePhase::Recovering)
        })
    }

    /// Whether the session ended, for good or to be resumed.
    pub fn close(&self) -> Option<&Close> {
        self.closed.as_ref()
    }
}
