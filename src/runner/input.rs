//! What the loop of the runner takes in.

use tokio::sync::{mpsc, oneshot};

use super::socket::Said;
use crate::engine::{Event, Intent, ProbeKey, Reading, StepKey, Work};
use crate::journal::wire::Sealed;
use crate::model::{Access, ServerName, ViewerId};
use crate::transport::Word;

/// Everything that comes in.
pub(super) enum Input {
    /// Work came to its end.
    Done {
        work: Work,
        events: Vec<Event>,
    },
    Answered {
        work: Work,
        probe: ProbeKey,
        asked: u64,
        reading: Reading,
        reach: Option<Reach>,
    },
    Reach(Reach),
    /// A server that was looked for answers.
    Found {
        server: ServerName,
    },
    Intent {
        viewer: ViewerId,
        id: u64,
        intent: Intent,
        answer: mpsc::Sender<Said>,
    },
    /// A stand-in has done what an operator said is done by hand, or could not.
    ByHand {
        question: u64,
        failed: Option<String>,
        viewer: ViewerId,
        id: u64,
        intent: Intent,
        answer: mpsc::Sender<Said>,
    },
    /// A server waits for a person.
    Access {
        server: ServerName,
        access: Access,
        complaint: String,
        reply: oneshot::Sender<Word>,
    },
    /// Somebody who waited for it does so no longer.
    AccessLeft {
        access: Access,
    },
    Secret {
        viewer: ViewerId,
        id: u64,
        access: Access,
        secret: Sealed,
        answer: mpsc::Sender<Said>,
    },
    Keys {
        viewer: ViewerId,
        key: StepKey,
        bytes: Vec<u8>,
    },
    Size {
        viewer: ViewerId,
        cols: u16,
        rows: u16,
    },
    Looked {
        viewer: ViewerId,
        view: serde_json::Value,
    },
    Came {
        viewer: ViewerId,
    },
    Left {
        viewer: ViewerId,
    },
}

/// A server, and why it could not be reached.
pub(super) type Reach = (ServerName, Result<(), String>);
