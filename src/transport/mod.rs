//! Transport: how the runner reaches one server, and the run protocol it speaks there.
//!
//! Everything goes through one kind of channel: a fixed command line, bytes in, two streams of bytes out, an
//! exit status. The scripts travel over the input with every call, so that nothing is installed on a server and
//! nothing that matters stands on a command line. [`Link::Local`] opens such a channel as a process on this
//! machine. A server speaks a POSIX shell or Windows PowerShell 5.1; the protocol and its answers are the same.
//!
//! # Invariants
//! - A run is claimed once: [`Link::start`] may be repeated until it answers, and finds the first.
//! - A body runs only when it arrived whole (length and SHA-256 compared on the server).
//! - A run belongs to the server, not to the connection: dropping any future here, or losing the console,
//!   ends nothing but our own reading. Nothing in this room ends a run.
//! - No answer is never taken for an answer: a lost connection is a [`LinkError`], not a state of the run.
//! - Everything a server sends is bounded and framed; output bytes cannot pass for a frame.
//! - Secrets go over the input ([`Link::type_into`]) and are kept nowhere.
//!
//! # Limits
//! - POSIX servers need `dd`, `ls`, `ln`, `setsid` or `perl`, and `sha256sum`, `shasum`, `openssl` or
//!   `sha256`; an attended run needs `script` of util-linux.
//! - Windows servers need OpenSSH and PowerShell 5.1 in its full language mode, and a login with the rights of an
//!   administrator. They hold no terminal for an attended run. Programs that print in a code page of their own are shown
//!   as if it were UTF-8.
//! - A body that empties its own output file (`> /dev/stdout`) loses on the server what was there; the reader is
//!   told ([`Heard::Rewound`]). When it also printed more than before between two looks, that is not seen.
//! - A body ended by signal N is told as exit status 128 + N, as shells do.
//! - The supervisor killed by hand makes a run lost even when its body goes on: that is for a probe or the operator to settle.
//! - A run whose starter died between claim and launch stays claimed; [`Link::revoke`] settles it.

mod channel;
pub mod checks;
mod clock;
mod door;
mod error;
mod files;
mod http;
mod local;
mod port;
mod powershell;
mod probe;
mod run;
mod source;
mod ssh;
mod talk;
mod words;

pub use channel::Link;
pub use clock::{ClockReading, clocks_agree, read_clocks};
pub use door::{Doorkeeper, Nobody, Secret, Word};
pub use error::LinkError;
pub use files::{Fetched, Uploaded};
pub use http::{Page, http_get};
pub use local::Local;
pub use port::{PortState, connects};
pub use probe::{Probe, ProbeOutput};
pub use run::{Heard, RunEnd, RunId, RunState, StartOpts, Started, Terminal};
pub use source::{Source, Sources};
pub use ssh::{
    CertificateVerdict, KnownHosts, KnownHostsError, Settings, SettingsError, Shared, Ssh, Strict, Verdict,
    remember, resolve,
};
