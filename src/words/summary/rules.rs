//! What is offered when a step fails, as the vendor rules it.

use crate::model::{FailureId, StageId, StepId};
use crate::plan::{Plan, Setup};
use crate::profile::Offer;

/// What happens on every failure, whatever the rules below say.
pub const ON_FAILURE: &str = "If a step fails, or nobody can tell whether it worked, no other server is started; what \
                              runs is finished. You are asked what to do, with what the vendor allows then:";

/// A rule for the failures at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleRow {
    pub rule: FailureId,
    /// `in "Update", at install`, or `otherwise`.
    pub place: String,
    /// What may be chosen then.
    pub offers: Vec<&'static str>,
    /// What may not.
    pub forbidden: Vec<String>,
}

impl RuleRow {
    /// The rule in one line.
    pub fn text(&self) -> String {
        let forbidden: String =
            self.forbidden.iter().map(|act| format!("forbidden: {act}")).collect::<Vec<_>>().join(", ");
        let forbidden = if forbidden.is_empty() { forbidden } else { format!("; {forbidden}") };
        format!("{}: {}{forbidden}", self.place, self.offers.join(", "))
    }
}

/// The rules that may come into play in `plan`, in the order they are tried.
pub fn rules(setup: &Setup, plan: &Plan) -> Vec<RuleRow> {
    let planned = setup.profile.stages.iter().zip(&plan.stages);
    let is_planned =
        |id: &StageId| planned.clone().any(|(stage, lanes)| stage.id == *id && !lanes.is_empty());
    let fits = setup
        .profile
        .failures
        .iter()
        .filter(|rule| rule.stages.is_empty() || rule.stages.iter().any(is_planned));
    fits.map(|rule| {
        let stages = setup
            .profile
            .stages
            .iter()
            .filter(|stage| rule.stages.contains(&stage.id) && is_planned(&stage.id));
        let wheres: Vec<String> = stages.map(|stage| format!("\"{}\"", stage.title)).collect();
        let steps: Vec<&str> = rule.steps.iter().map(StepId::as_str).collect();
        let place = match (wheres.is_empty(), steps.is_empty()) {
            (true, true) => "otherwise".to_owned(),
            (false, true) => format!("in {}", wheres.join(", ")),
            (true, false) => format!("at {}", steps.join(", ")),
            (false, false) => format!("in {}, at {}", wheres.join(", "), steps.join(", ")),
        };
        RuleRow {
            rule: rule.id.clone(),
            place,
            offers: rule.offer.iter().map(|offer| offer_word(*offer)).collect(),
            forbidden: rule.forbid.iter().map(|forbid| forbid.act.to_string()).collect(),
        }
    })
    .collect()
}

/// What an offer is called.
pub fn offer_word(offer: Offer) -> &'static str {
    match offer {
        Offer::Retry => "try again",
        Offer::ByHand => "do it by hand",
        Offer::LeaveOut => "leave the server out",
        Offer::Recover => "the vendor's recovery",
        Offer::Hold => "hold",
        Offer::Abort => "end it",
        Offer::Collect => "collect what the vendor's support needs",
    }
}
