//! What an operator looks at. It is journalled, so that whoever reviews the session sees the same screen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::engine::{Phase, State, StepKey};
use crate::model::{Access, CheckId, ServerName};
use crate::profile::Forbidden;

/// The pages, in the order they are gone through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Page {
    #[default]
    Welcome,
    Licence,
    Information,
    Components,
    Inputs,
    Prechecks,
    Requirements,
    Firewall,
    Summary,
    Progress,
    Further,
    Verification,
    Finish,
}

/// Where the operator is on a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spot {
    /// The row that is selected.
    pub row: usize,
    /// The first row that is shown.
    pub top: usize,
    /// The column that is selected, where there are columns.
    pub column: usize,
    /// The first line of the text beside or below.
    pub scroll: usize,
    /// Which part of the page has the keys.
    pub pane: usize,
    /// Whether the selection follows what happens.
    pub still: bool,
}

/// A text that is being typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typing {
    pub text: String,
    /// In characters.
    pub cursor: usize,
    /// Why what was typed cannot be taken.
    pub wrong: Option<String>,
}

/// What a typed text is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// The reason why a warning is waived.
    Waive { check: CheckId, server: Option<ServerName> },
    /// The reason why a server is left out.
    LeaveOut { server: ServerName },
    /// What goes with a choice on a question.
    Reply { question: u64, option: usize },
    /// An answer to an input; `key`: for which server or system.
    Input { input: crate::model::InputId, key: String },
    /// What lifts a ban.
    Evidence { act: Forbidden, why: String },
    /// The word that begins the upgrade.
    Begin { plan: String },
    /// What to look for in what was printed.
    Find,
}

/// What needs a yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sure {
    /// A choice on a question that cannot be taken back.
    Reply {
        question: u64,
        option: usize,
    },
    /// Finish what runs, start nothing new, and end the session so that it can be resumed.
    Stop,
    /// Go on without what need not be waited for.
    LeaveWait {
        key: StepKey,
    },
    /// Leave the screen; the session goes on.
    Leave,
    /// Take the pen from another viewer.
    TakePen,
    Fix {
        check: CheckId,
        server: Option<ServerName>,
    },
    /// These host keys, and no other that came meanwhile.
    Trust {
        access: Vec<Access>,
    },
}

/// What lies over the page and has all keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialog {
    Help {
        top: usize,
    },
    Type {
        wanted: Wanted,
        typing: Typing,
    },
    Sure {
        about: Sure,
        yes: bool,
    },
    /// Everything a run printed. `from_end`: lines below the last one that is shown.
    Output {
        run: String,
        title: String,
        from_end: usize,
        find: String,
    },
    /// The command of a step of the plan.
    Command {
        row: usize,
        top: usize,
    },
    /// The terminal of an attended step.
    Terminal {
        key: StepKey,
    },
    /// A secret that servers wait for is typed; what was typed is no part of this.
    Secret {
        access: Access,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct View {
    pub page: Page,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spots: BTreeMap<Page, Spot>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialog: Option<Dialog>,
    /// What was open before it, and is again when it is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<Box<Dialog>>,
    /// The choice that is selected on the question that is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<(u64, usize)>,
    /// Which of the words that servers wait for is selected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knock: Option<Access>,
    /// They were left for later, up to the one that this event asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub later: Option<u64>,
    /// The operator looks round while a question waits.
    #[serde(default)]
    pub aside: bool,
    /// Of the servers on the progress page only those in this state.
    #[serde(default)]
    pub filter: Filter,
    /// What the operator is told about what they last did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Columns and rows.
    pub size: (u16, u16),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    #[default]
    All,
    Active,
    Trouble,
    Waiting,
    Done,
}

impl Filter {
    pub fn next(self) -> Self {
        match self {
            Self::All => Self::Active,
            Self::Active => Self::Trouble,
            Self::Trouble => Self::Waiting,
            Self::Waiting => Self::Done,
            Self::Done => Self::All,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Active => "active",
            Self::Trouble => "in trouble",
            Self::Waiting => "waiting",
            Self::Done => "done",
        }
    }
}

impl View {
    pub fn spot(&self) -> Spot {
        self.spots.get(&self.page).copied().unwrap_or_default()
    }

    pub fn spot_mut(&mut self) -> &mut Spot {
        self.spots.entry(self.page).or_default()
    }
}

impl Page {
    pub const ALL: [Self; 13] = [
        Self::Welcome,
        Self::Licence,
        Self::Information,
        Self::Components,
        Self::Inputs,
        Self::Prechecks,
        Self::Requirements,
        Self::Firewall,
        Self::Summary,
        Self::Progress,
        Self::Further,
        Self::Verification,
        Self::Finish,
    ];

    /// As the list of steps names it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Welcome => "Welcome",
            Self::Licence => "Licence",
            Self::Information => "Information",
            Self::Components => "Components",
            Self::Inputs => "Inputs",
            Self::Prechecks => "Prechecks",
            Self::Requirements => "Requirements",
            Self::Firewall => "Firewall",
            Self::Summary => "Summary",
            Self::Progress => "Upgrade",
            Self::Further => "Further",
            Self::Verification => "Verification",
            Self::Finish => "Finish",
        }
    }

    /// Whether it belongs to what comes before the start.
    pub fn is_preparing(self) -> bool {
        self < Self::Progress
    }

    /// The page where a session in this state is.
    pub fn of(state: &State) -> Self {
        match (state.close(), state.phase) {
            (Some(_), _) => Self::Finish,
            (None, Phase::Preparing) => Self::Welcome,
            (None, Phase::Running) if super::pages::is_further(state) => Self::Further,
            (None, Phase::Running) => Self::Progress,
            (None, Phase::Ending) => Self::Verification,
        }
    }
}
