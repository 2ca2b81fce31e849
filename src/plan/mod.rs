//! Profile × inventory × answers → stages, servers, steps: three fixed levels.
//!
//! A [`Plan`] is a pure function of what goes into it, and its hash is what an operator agrees to. Steps are
//! kept once a stage, not once a server; commands are rendered when somebody looks or a step starts.
//!
//! Knows neither time nor how a step is run. Facts reach it through the [`Facts`] trait alone.

pub mod answers;
mod build;
mod collection;
mod scope;
mod script;
mod session_file;
mod setup;

pub use answers::AnswerBook;
pub use build::{Lane, Plan, PlanProblem, build, is_attended, stage_servers};
pub use collection::{Collection, For};
pub use scope::{Facts, NoFacts, Scope, uploads, version_fact};
pub use script::{PlanStep, Script, Scripts, When, With};
pub use session_file::{SessionFile, SessionFileError, Source};
pub use setup::Setup;
