//! nofm walks an administrator through upgrading a multi-server installation the way its vendor prescribes.
//!
//! # The rooms
//! Ground floor first; a room uses rooms on lower floors only (`tests/tidy.rs` sees to it).
//!
//! | floor | room | what lives there | what it must not know |
//! |---|---|---|---|
//! | 0 | [`model`] | ids, versions, values, verdicts, provenance, the tally | I/O, clocks, formats |
//! | 0 | [`text`] | foreign text made safe, widths, durations, sizes, quoting | everything else |
//! | 1 | [`profile`] | the language: TOML to a checked profile or all its diagnostics; expressions | servers, terminals |
//! | 2 | [`inventory`] | servers, roles, addresses; whether they fit a profile; answers given beforehand | |
//! | 3 | [`plan`] | profile × inventory × answers → stages, servers, steps | time, how a step is run |
//! | 4 | [`engine`] | events, state, `apply`, `decide`; gates, budgets, recovery, what is forbidden | I/O, clocks |
//! | 5 | [`journal`] | session folder: append, sync, chain, read, output logs, locks | what an event means |
//! | 5 | [`transport`] | reach a server; the run protocol | plans |
//! | 6 | [`runner`] | the one loop: linearise inputs, journal first, fold, decide, act | pixels |
//! | 6 | [`client`] | follow a session: read the journal, fold, send intents | transports, pixels |
//! | 6 | [`lab`] | stand-in farms for rehearsal and tests, with faults to inject | |
//! | 7 | [`plain`] | the state as lines or JSON | |
//! | 7 | [`wizard`] | the full screen: pages, panes, keys, the terminal itself | transports, files |
//! | 8 | [`cli`] | the command line and its exit codes | |

pub mod cli;
pub mod client;
pub mod engine;
pub mod inventory;
pub mod journal;
pub mod lab;
pub mod model;
pub mod plain;
pub mod plan;
pub mod profile;
pub mod runner;
pub mod text;
pub mod transport;
pub mod wizard;
