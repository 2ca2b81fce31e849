//! Whether a port takes connections from the console; [`super::checks::port`] asks a server for it.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

/// What is known of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortState {
    Open,
    /// Refused, or no answer in time; why.
    Closed(String),
    /// Nobody could look; why.
    Unknown(String),
}

/// Connects from the console.
pub async fn connects(host: &str, port: u16, limit: Duration) -> PortState {
    match timeout(limit, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => PortState::Open,
        Ok(Err(e)) if e.raw_os_error().is_some() => PortState::Closed(e.to_string()),
        // The name was not found: nothing was asked.
        Ok(Err(e)) => PortState::Unknown(e.to_string()),
        Err(_) => PortState::Closed(format!("no answer within {} s", limit.as_secs())),
    }
}
