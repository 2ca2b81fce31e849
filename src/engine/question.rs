//! What the operator is asked. Every answer names the question it answers.

use serde::{Deserialize, Serialize};

use super::key::StepKey;
use super::measure::ProbeKey;
use crate::model::{CheckId, ServerName};
use crate::profile::Forbidden;

/// What a question is about. At most one question about the same thing is open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// A step's `confirm`.
    Confirm(StepKey),
    /// A step to be done by hand.
    Manual(StepKey),
    /// The vendor's own installer, to be gone through in a terminal.
    Attended(StepKey),
    /// An optional step.
    Optional(StepKey),
    /// A fact or a check on the operator's word.
    Tell(ProbeKey),
    /// Whether a step worked of which nothing is known.
    Settle(StepKey),
    /// A step that takes longer than is usual.
    Slow(StepKey),
    /// What to do about a failure.
    Failure(StepKey),
    /// A check at the end that does not pass.
    EndCheck(CheckId, Option<ServerName>),
    /// No server may be taken out of service.
    KeepUp(crate::model::StageId),
    /// What would follow is forbidden: a step, or all of it.
    Barred(Forbidden, Option<StepKey>),
}

/// What may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// Yes; it is so.
    Yes,
    No,
    /// The answer is in the text.
    Tell,
    /// The operator cannot tell.
    Unknown,
    /// It was done.
    Done,
    /// It cannot be done.
    Cannot,
    /// Start the installer in a terminal.
    Start,
    Do,
    Skip,
    Succeeded,
    Failed,
    LookAgain,
    Waive,
    Fix,
    Accept,
    Retry,
    ByHand,
    LeaveOut,
    Recover,
    Hold,
    Abort,
    Collect,
}

impl Choice {
    /// As it is typed and written in answer files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Tell => "tell",
            Self::Unknown => "unknown",
            Self::Done => "done",
            Self::Cannot => "cannot",
            Self::Start => "start",
            Self::Do => "do",
            Self::Skip => "skip",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::LookAgain => "look_again",
            Self::Waive => "waive",
            Self::Fix => "fix",
            Self::Accept => "accept",
            Self::Retry => "retry",
            Self::ByHand => "by_hand",
            Self::LeaveOut => "leave_out",
            Self::Recover => "recover",
            Self::Hold => "hold",
            Self::Abort => "abort",
            Self::Collect => "collect",
        }
    }
}

impl Choice {
    /// The act that a profile may forbid.
    pub fn forbidden(self) -> Option<Forbidden> {
        Some(match self {
            Self::Retry => Forbidden::Retry,
            Self::ByHand => Forbidden::ByHand,
            Self::LeaveOut => Forbidden::LeaveOut,
            Self::Recover => Forbidden::Recover,
            Self::Abort => Forbidden::Abort,
            Self::Collect => Forbidden::Collect,
            _ => return None,
        })
    }
}

/// A choice on a question, and whether it is open to the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub choice: Choice,
    /// What it does.
    pub does: String,
    /// Why it may not be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// A text is asked with it: a reason, or a value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wants_text: bool,
}

impl Answer {
    pub fn new(choice: Choice, does: impl Into<String>) -> Self {
        Self { choice, does: does.into(), refused: None, wants_text: false }
    }

    pub fn with_text(self) -> Self {
        Self { wants_text: true, ..self }
    }

    pub fn refused(self, why: Option<String>) -> Self {
        Self { refused: why, ..self }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The sequence number of the event that asked it; 0 until then.
    pub id: u64,
    pub about: About,
    /// The question itself.
    pub text: String,
    /// What is known that bears on it: causes, the vendor's words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    pub options: Vec<Answer>,
}

impl Question {
    pub fn option(&self, choice: Choice) -> Option<&Answer> {
        self.options.iter().find(|option| option.choice == choice)
    }
}

impl About {
    /// The server it is about.
    pub fn server(&self) -> Option<&ServerName> {
        match self {
            Self::Confirm(key)
            | Self::Manual(key)
            | Self::Attended(key)
            | Self::Optional(key)
            | Self::Settle(key)
            | Self::Slow(key)
            | Self::Failure(key) => key.lane.server.as_ref(),
            Self::Tell(ProbeKey::Fact(_, server) | ProbeKey::Check(_, server))
            | Self::EndCheck(_, server) => server.as_ref(),
            Self::Barred(_, key) => key.as_ref()?.lane.server.as_ref(),
            Self::KeepUp(_) => None,
        }
    }

    /// The step it is about.
    pub fn step(&self) -> Option<&StepKey> {
        match self {
            Self::Confirm(key)
            | Self::Manual(key)
            | Self::Attended(key)
            | Self::Optional(key)
            | Self::Settle(key)
            | Self::Slow(key)
            | Self::Failure(key) => Some(key),
            Self::Barred(_, key) => key.as_ref(),
            Self::Tell(_) | Self::EndCheck(..) | Self::KeepUp(_) => None,
        }
    }
}
