//! Whether a port takes connections, from the console or from a server.

use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::words::{quoted, shown};

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

/// A probe that connects from a server, by whatever is there. [`port_answer`] reads what it says.
pub fn port_script(host: &str, port: u16) -> String {
    format!(
        "host={host} port={port}\n{}",
        r#"case $host in -*) echo unknown a host name cannot start with a dash; exit 0;; esac
if nc -h 2>&1 | grep -q -e '-z'; then
    if nc -z -w 5 "$host" "$port" >/dev/null 2>&1; then echo open; else echo closed; fi
elif command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
    if timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$host" "$port" 2>/dev/null; then echo open; else echo closed; fi
else
    echo unknown the server has neither nc nor bash with timeout
fi"#,
        host = quoted(host),
    )
}

/// What [`port_script`] said.
pub fn port_answer(stdout: &[u8]) -> PortState {
    let text = shown(stdout, 200);
    match text.as_str() {
        "open" => PortState::Open,
        "closed" => PortState::Closed("no connection".to_owned()),
        _ => PortState::Unknown(text.strip_prefix("unknown ").unwrap_or(&text).to_owned()),
    }
}
