//! After a failure: which of the profile's rules fits, what it allows, and what it forbids.

use super::Decider;
use crate::engine::bans::Ban;
use crate::engine::event::{Cause, Close, Event, Outcome};
use crate::engine::key::{ScriptRef, StepKey};
use crate::engine::measure::Purpose;
use crate::engine::question::{About, Answer, Choice};
use crate::engine::state::{LaneState, State, StepPhase};
use crate::engine::view::Seen;
use crate::model::{Known, StepId};
use crate::plan::PlanStep;
use crate::profile::{Failure, Forbidden, Offer, Severity, Shell};

impl Decider<'_> {
    pub(super) fn failed(&mut self, lane: &LaneState, key: &StepKey, cause: &Cause) {
        let state = self.state;
        if let Some(step) = state.plan_step(lane)
            && !step.required
        {
            let text = format!("{key}: {} ({})", step.title, cause);
            self.record(Event::ToDo { text });
            return self.settle(key, Outcome::Tolerated, Known::Seen, cause.to_string());
        }
        if let ScriptRef::Fix(_) = &key.lane.script {
            return self.failed_fix(lane, key, cause);
        }
        let Some(ruled) = &lane.ruled else {
            if !self.measured(Purpose::Rule(key.clone())) {
                return;
            }
            let rule = state.rule_for(key);
            let bans = rule.map(bans_of).unwrap_or_default();
            return self.record(Event::FailureRuled {
                key: key.clone(),
                rule: rule.map(|rule| rule.id.clone()),
                bans,
            });
        };
        let rule = ruled.as_ref().and_then(|id| state.setup.profile.failure(id));
        let options = state.failure_options(lane, key, cause, rule);
        let mut details = vec![cause.to_string()];
        if let Some(first) = state.failures.iter().find(|f| f.key.lane == key.lane && f.key.step == key.step)
            && first.cause != *cause
        {
            details.push(format!("first cause: {}", first.cause));
        }
        details.extend(rule.and_then(|rule| state.rule_text(rule, key)));
        let forbidden = rule.into_iter().flat_map(|rule| &rule.forbid);
        details.extend(forbidden.map(|forbid| format!("forbidden: {}: {}", forbid.act, forbid.why)));
        let title = state.plan_step(lane).map_or("the checks after it", |step| step.title.as_str());
        let place = key.lane.server.as_ref().map_or("the farm", |server| server.as_str());
        self.ask(About::Failure(key.clone()), format!("{place}: \"{title}\" failed"), details, options);
    }

    /// A fix is the operator's own wish, so it may be given up.
    fn failed_fix(&mut self, lane: &LaneState, key: &StepKey, cause: &Cause) {
        let title = self.state.plan_step(lane).map_or("the fix", |step| step.title.as_str());
        let options = vec![
            Answer::new(Choice::Retry, "carries the step out once more"),
            Answer::new(Choice::ByHand, "you do it by hand; it is looked at afterwards"),
            Answer::new(Choice::Skip, "gives the fix up; the check says how things stand"),
            super::hold(),
        ];
        let place = key.lane.server.as_ref().map_or("the farm", |server| server.as_str());
        self.ask(
            About::Failure(key.clone()),
            format!("{place}: \"{title}\" failed"),
            vec![cause.to_string()],
            options,
        );
    }

    pub(super) fn unknown(&mut self, key: &StepKey, step: &PlanStep, cause: &Cause) {
        let mut options = Vec::new();
        if step.step.done.is_some() {
            options.push(Answer::new(Choice::LookAgain, "looks at the server again"));
        }
        options.extend([
            Answer::new(Choice::Succeeded, "you looked: it worked; counts as told").with_text(),
            Answer::new(Choice::Failed, "you looked: it did not work; the failure rules apply").with_text(),
            super::hold(),
        ]);
        let place = key.lane.server.as_ref().map_or("the farm", |server| server.as_str());
        let text = format!("{place}: whether \"{}\" worked is not known", step.title);
        let details = vec![cause.to_string(), "it is not started again by itself".to_owned()];
        self.ask(About::Settle(key.clone()), text, details, options);
    }
}

impl State {
    /// The first rule that fits. A `when` that is unknown does not fit: a rule may be laxer than the ones below.
    fn rule_for(&self, key: &StepKey) -> Option<&Failure> {
        let (_, key) = self.judged_as(key)?;
        let seen = Seen::new(self, Some(&key.lane));
        let scope = self.scope(&seen, self.server_of(&key.lane));
        self.rules_about(key).into_iter().find(|rule| {
            rule.when.as_ref().is_none_or(|when| when.test(&|name| scope.lookup(name)) == Some(true))
        })
    }

    /// What failed within a recovery is judged as what it is a recovery of.
    fn judged_as<'a>(&'a self, key: &'a StepKey) -> Option<(&'a LaneState, &'a StepKey)> {
        let lane = self.current(key)?;
        match &lane.of {
            Some(of) => Some((self.lane(&of.lane)?, of)),
            None => Some((lane, key)),
        }
    }

    /// The rules that are about the step at `key`, whatever their `when` says, down to the first without one.
    pub(in crate::engine) fn rules_about(&self, key: &StepKey) -> Vec<&Failure> {
        let Some((lane, key)) = self.judged_as(key) else { return Vec::new() };
        let stage = self.stage_of(&key.lane);
        let step = self.plan_step(lane);
        let position = stage.and_then(|stage| {
            let stage = self.stages.get(self.stage_index(&stage.id)?)?;
            Some((stage.lane_of(key.lane.server.as_ref())?, stage.lanes.len()))
        });
        let mut rules = Vec::new();
        for rule in &self.setup.profile.failures {
            let stage_fits =
                rule.stages.is_empty() || stage.is_some_and(|stage| rule.stages.contains(&stage.id));
            let step_fits = rule.steps.is_empty()
                || rule.steps.iter().any(|id| step.map_or(key.step == *id, |step| step.is(id)));
            let on_fits = position.is_none_or(|(index, count)| rule.on.fits(index, count));
            let after_fits = rule.after.is_empty() || rule.after.iter().any(|id| self.was_started(id));
            if stage_fits && step_fits && on_fits && after_fits {
                rules.push(rule);
                if rule.when.is_none() {
                    break;
                }
            }
        }
        rules
    }

    /// Whether a step was carried out, or begun, on any server in this round.
    fn was_started(&self, id: &StepId) -> bool {
        self.stages.iter().flat_map(|stage| &stage.lanes).any(|lane| {
            let Some(script) = self.script(&lane.key.script) else { return false };
            let is = |step: &StepId| script.find(step).is_some_and(|step| step.is(id));
            lane.records.iter().any(|record| record.outcome != Outcome::Skipped && is(&record.step))
                || (matches!(
                    lane.step,
                    StepPhase::Running
                        | StepPhase::Waiting
                        | StepPhase::Proving { .. }
                        | StepPhase::Failed(_)
                        | StepPhase::Unknown(_)
                ) && self.plan_step(lane).is_some_and(|step| step.is(id)))
        })
    }

    fn rule_text(&self, rule: &Failure, key: &StepKey) -> Option<String> {
        let seen = Seen::new(self, Some(&key.lane));
        let scope = self.scope(&seen, self.server_of(&key.lane));
        let text = rule.text.as_ref()?;
        Some(
            text.render(Shell::None, &|name| scope.lookup(name)).unwrap_or_else(|_| text.source().to_owned()),
        )
    }

    /// What may be done about a failure, and what may not, with the reasons.
    fn failure_options(
        &self,
        lane: &LaneState,
        key: &StepKey,
        cause: &Cause,
        rule: Option<&Failure>,
    ) -> Vec<Answer> {
        let step = self.plan_step(lane);
        let mut options = Vec::new();
        let waits = lane.waited();
        if waits {
            // Nothing was started that failed, so no rule need offer it, and none forbids it.
            options.push(Answer::new(Choice::LookAgain, "looks again, and waits as long as before"));
        } else if step.is_some_and(|step| step.step.done.is_some()) {
            options.push(Answer::new(Choice::LookAgain, "looks at the server again, starts nothing"));
        }
        if let Cause::Needs { check, verdict, .. } = cause
            && *verdict != crate::model::Verdict::Pass
            && self.setup.profile.check(check).is_some_and(|check| check.severity == Severity::Warn)
        {
            options.push(
                Answer::new(Choice::Waive, "goes on in spite of it, for the reason you give").with_text(),
            );
        }
        let mut offers: Vec<Offer> =
            rule.map_or_else(|| vec![Offer::Hold, Offer::Abort], |rule| rule.offer.clone());
        if is_recovery(key) {
            // A recovery that stands still half-way is worse than one that is tried again.
            for offer in [Offer::ByHand, Offer::Retry] {
                offers.retain(|other| *other != offer);
                offers.insert(0, offer);
            }
        }
        for offer in offers {
            if offer == Offer::Retry && waits {
                continue;
            }
            options.push(self.offer(offer, lane, key, step, rule));
        }
        // A session that nothing at all may be done in would never end: it can always be left for later.
        let is_open = |option: &Answer| option.refused.is_none();
        match options.iter().position(|option| option.choice == Choice::Hold) {
            None => options.push(super::hold()),
            Some(hold) if !options.iter().any(is_open) => options[hold] = super::hold(),
            Some(_) => {}
        }
        options
    }

    fn offer(
        &self,
        offer: Offer,
        lane: &LaneState,
        key: &StepKey,
        step: Option<&PlanStep>,
        rule: Option<&Failure>,
    ) -> Answer {
        let server = key.lane.server.as_ref().map_or("the farm", |server| server.as_str());
        let (answer, act) = match offer {
            Offer::Retry => (Answer::new(Choice::Retry, "carries the step out once more"), Forbidden::Retry),
            Offer::ByHand => (
                Answer::new(Choice::ByHand, "you do it by hand; it is looked at afterwards"),
                Forbidden::ByHand,
            ),
            Offer::LeaveOut => (
                Answer::new(Choice::LeaveOut, format!("{server} keeps what it has; the others go on"))
                    .with_text(),
                Forbidden::LeaveOut,
            ),
            Offer::Recover => {
                let title = rule
                    .and_then(|rule| self.setup.profile.procedure(rule.recover.as_ref()?))
                    .map_or("the vendor's recovery", |procedure| procedure.title.as_str());
                (Answer::new(Choice::Recover, format!("carries out: {title}")), Forbidden::Recover)
            }
            Offer::Hold => (super::hold(), Forbidden::Hold),
            Offer::Abort => (super::abort(), Forbidden::Abort),
            Offer::Collect => (
                Answer::new(
                    Choice::Collect,
                    "brings what the vendor's support needs into the session folder, then asks again",
                ),
                Forbidden::Collect,
            ),
        };
        let banned = self.ban(act).filter(|_| !frees(key, act)).map(|ban| ban.why.clone());
        let why = banned.or_else(|| match offer {
            Offer::Retry => self.why_no_retry(lane, key, step),
            Offer::ByHand if step.is_none() => {
                Some("gates are not carried out but hold; do what is needed, then look again".to_owned())
            }
            Offer::Collect if !self.can_collect(&key.lane) => {
                Some(format!("the profile has no step that collects from {server}"))
            }
            Offer::Recover if lane.of.is_some() => Some("a recovery is under way".to_owned()),
            Offer::LeaveOut => self.why_not_left_out(key.lane.server.as_ref()),
            Offer::Recover if rule.is_none_or(|rule| rule.recover.is_none()) => {
                Some("the profile names no recovery".to_owned())
            }
            _ => None,
        });
        answer.refused(why)
    }

    /// Why no step that ran is started again.
    fn why_no_retry(&self, lane: &LaneState, key: &StepKey, step: Option<&PlanStep>) -> Option<String> {
        let step = step?;
        let ScriptRef::Stage(stage) = &key.lane.script else { return None };
        let started = lane
            .targets
            .iter()
            .any(|target| !matches!(target.end, Some(crate::engine::event::End::NotStarted(_))));
        (step.step.once && started && self.once.contains_key(&(stage.clone(), step.id.clone()))).then(|| {
            "this step may be started once in a round, and it was; only a recovery that undoes it frees it".to_owned()
        })
    }

    /// Why a server may not be left out of what is still to be done.
    pub fn why_not_left_out(&self, server: Option<&crate::model::ServerName>) -> Option<String> {
        if let Some(ban) = self.ban(Forbidden::LeaveOut) {
            return Some(ban.why.clone());
        }
        let Some(server) = server else { return Some("this is a step of the whole farm".to_owned()) };
        for (index, stage) in self.stages.iter().enumerate() {
            let Some(lane) = stage.lane_of(Some(server)).and_then(|lane| stage.lanes.get(lane)) else {
                continue;
            };
            if lane.phase.is_closed() {
                continue;
            }
            let profile = self.setup.profile.stages.get(index)?;
            if let Some(why) = &profile.leave_out {
                return Some(why.clone());
            }
            let script = self.script(&lane.key.script)?;
            let once = lane
                .steps
                .iter()
                .filter_map(|&step| script.steps.get(usize::from(step)))
                .find(|step| step.step.once);
            if let Some(step) = once {
                return Some(format!("{server} is bound to \"{}\", which is carried out once", step.title));
            }
        }
        None
    }
}

fn is_recovery(key: &StepKey) -> bool {
    matches!(key.lane.script, ScriptRef::Recovery(_))
}

/// Whether a ban on `act` is not about the step at `key`: what is forbidden is to repeat what failed, not what mends it.
pub(in crate::engine) fn frees(key: &StepKey, act: Forbidden) -> bool {
    is_recovery(key) && matches!(act, Forbidden::Retry | Forbidden::ByHand)
}

fn bans_of(rule: &Failure) -> Vec<Ban> {
    rule.forbid
        .iter()
        .map(|forbid| Ban {
            act: forbid.act,
            why: forbid.why.clone(),
            lifted_by: forbid.lifted_by.clone(),
            failure: rule.id.clone(),
            origin: None,
        })
        .collect()
}

impl Close {
    /// In words, for a face.
    pub fn why(&self) -> &str {
        match self {
            Self::Done => "done",
            Self::Failed { why } | Self::Stopped { why } => why,
        }
    }
}
