//! What a session's runner and its clients say to each other: one JSON object a line, over the session's socket.
//!
//! The socket carries no state. It rings when more of the journal is safely on disk, and takes what operators
//! want; everything that is shown is read from the files.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::ViewerId;

/// The longest line, in bytes, its line feed included.
pub const LONGEST: usize = 1 << 20;

/// From a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToRunner {
    /// The first line. `want`: the protocol's version.
    Hello { viewer: ViewerId, watch: bool, want: u32 },
    /// `id` is the client's own, and comes back with the answer.
    Intent { id: u64, intent: Value },
    /// Typed into an attended step; in hexadecimal.
    Keys { step: Value, bytes: String },
    /// The size of the terminal an attended step is shown in.
    Size { cols: u16, rows: u16 },
    /// What this viewer looks at now, for those who review the session.
    Looked { view: Value },
}

/// From the runner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToClient {
    /// The journal is on disk up to here.
    Synced {
        seq: u64,
    },
    /// What was wanted is journalled, up to this event.
    Done {
        id: u64,
        seq: u64,
    },
    Refused {
        id: u64,
        why: String,
    },
    /// The runner ends.
    Bye {
        why: String,
    },
}

/// The protocol's version.
pub const VERSION: u32 = 1;
