//! SSH: how a server is to be reached, and whether it is the one it says it is.

mod known_hosts;
mod settings;

pub use known_hosts::{CertificateVerdict, KnownHosts, KnownHostsError, Verdict, remember};
pub use settings::{Settings, SettingsError, Strict, resolve};
