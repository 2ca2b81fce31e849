//! Questions to servers: how each is put, and what its answer is.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::links::Links;
use super::services;
use crate::engine::{Ask, Measured, Place, ProbeKey, Raw, Reading, read_fact};
use crate::model::{Known, ServerName};
use crate::profile::{Profile, Shell};
use crate::transport::checks::{self, FileAnswer, Privilege, Writable};
use crate::transport::{Link, LinkError, PortState, Probe, ProbeOutput, connects, http_get, read_clocks};

/// How long the console tries to connect to a port.
const CONNECT: Duration = Duration::from_secs(5);

/// An answer, and what it says of the way to the server.
pub(super) struct Answered {
    pub(super) reading: Reading,
    /// The server that was asked, and why it could not be reached.
    pub(super) reach: Option<(ServerName, Result<(), String>)>,
}

impl From<Reading> for Answered {
    fn from(reading: Reading) -> Self {
        Self { reading, reach: None }
    }
}

/// Asks, and reads the answer. Whatever goes wrong makes the answer unknown, with the reason.
pub(super) async fn ask(profile: &Profile, links: Arc<Links>, probe: &ProbeKey, ask: Ask) -> Answered {
    match ask {
        Ask::Http { url } => match http_get(&url).await {
            Ok(page) => {
                let raw = Raw {
                    status: i32::from(page.status),
                    output: page.body,
                    complaint: String::new(),
                    http: true,
                };
                fact(profile, probe, &raw).into()
            }
            Err(error) => Reading::unknown(error.to_string()).into(),
        },
        Ask::Clocks { servers } => clocks(&links, servers).await.into(),
        Ask::Port { from: Place::Console, address, port } => {
            port_reading(connects(&address, port, CONNECT).await).into()
        }
        Ask::Command { place, script } => {
            shell(
                &links,
                &place,
                |_| script,
                |output| {
                    let raw = Raw {
                        status: output.exit,
                        complaint: String::from_utf8_lossy(&output.stderr).into_owned(),
                        output: output.stdout.clone(),
                        http: false,
                    };
                    if output.truncated {
                        Reading::unknown("answered more than is read")
                    } else {
                        fact(profile, probe, &raw)
                    }
                },
            )
            .await
        }
        Ask::Port { from, address, port } => {
            let script = |shell| checks::port_script(shell, &address, port);
            shell(&links, &from, script, |output| port_reading(checks::port(output))).await
        }
        Ask::FreeSpace { place, path } => {
            shell(
                &links,
                &place,
                |shell| checks::free_space_script(shell, &path),
                |output| {
                    checks::free_space(output)
                        .map_or_else(|| garbage(output), |bytes| seen(Measured::Free(bytes)))
                },
            )
            .await
        }
        Ask::Writable { place, path } => {
            shell(
                &links,
                &place,
                |shell| checks::writable_script(shell, &path),
                |output| match checks::writable(output) {
                    Some(answer) => seen(Measured::Holds(matches!(answer, Writable::Yes))),
                    None => garbage(output),
                },
            )
            .await
        }
        Ask::Privilege { place } => {
            shell(&links, &place, checks::privilege_script, |output| match checks::privilege(output) {
                Some(answer) => seen(Measured::Holds(!matches!(answer, Privilege::None))),
                None => garbage(output),
            })
            .await
        }
        Ask::Terminal { place } => {
            shell(&links, &place, checks::terminal_script, |output| {
                checks::terminal(output).map_or_else(|| garbage(output), |holds| seen(Measured::Holds(holds)))
            })
            .await
        }
        Ask::Services { place, services } => services::states(&links, &place, &services).await,
        Ask::File { place, path, same_as } => file(&links, &place, &path, same_as).await,
    }
}

pub(super) fn seen(seen: Measured) -> Reading {
    Reading { known: Known::Seen, seen }
}

pub(super) fn garbage(output: &ProbeOutput) -> Reading {
    let said = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let said =
        crate::text::escape::safe_bytes(&said[..said.len().min(400)], crate::text::escape::Newline::Show);
    let said = crate::text::escape::safe_cut(said.trim(), 120).into_owned();
    Reading::unknown(format!("the answer cannot be read (exit status {}): {said}", output.exit))
}

fn fact(profile: &Profile, probe: &ProbeKey, raw: &Raw) -> Reading {
    match probe {
        ProbeKey::Fact(fact, _) => read_fact(profile, fact, raw),
        ProbeKey::Check(..) => Reading::unknown("a check is not asked for like a fact"),
    }
}

fn port_reading(state: PortState) -> Reading {
    match state {
        PortState::Open => seen(Measured::Holds(true)),
        PortState::Closed(_) => seen(Measured::Holds(false)),
        PortState::Unknown(why) => Reading::unknown(why),
    }
}

pub(super) async fn shell(
    links: &Links,
    place: &Place,
    script: impl FnOnce(Shell) -> String,
    read: impl FnOnce(&ProbeOutput) -> Reading,
) -> Answered {
    let link = match links.to(place) {
        Ok(link) => link,
        Err(why) => return Reading::unknown(why).into(),
    };
    let outcome = link.probe(&Probe::new(script(link.shell()))).await;
    let reach = reach_of(place, outcome.as_ref().map(|_| ()));
    let reading = match &outcome {
        Ok(output) => read(output),
        Err(error) => Reading::unknown(error.to_string()),
    };
    Answered { reading, reach }
}

/// What an answer, or its absence, says of the way to the server.
pub(super) fn reach_of(
    place: &Place,
    outcome: Result<(), &LinkError>,
) -> Option<(ServerName, Result<(), String>)> {
    let Place::Server(server) = place else { return None };
    match outcome {
        Ok(()) => Some((server.clone(), Ok(()))),
        Err(error) if error.is_passing() || error.is_barred() => {
            Some((server.clone(), Err(error.to_string())))
        }
        Err(_) => None,
    }
}

async fn clocks(links: &Links, servers: Vec<ServerName>) -> Reading {
    let mut offsets: BTreeMap<ServerName, Option<i64>> = BTreeMap::new();
    let mut asked: Vec<(ServerName, Link)> = Vec::new();
    for server in servers {
        match links.to(&Place::Server(server.clone())) {
            Ok(link) => asked.push((server, link)),
            Err(_) => {
                offsets.insert(server, None);
            }
        }
    }
    // A connection that breaks in between is no reason to ask a person: it is made again once.
    for _ in 0..2 {
        let links: Vec<Link> = asked.iter().map(|(_, link)| link.clone()).collect();
        let readings = read_clocks(&links).await;
        let mut again = Vec::new();
        for ((server, link), reading) in asked.into_iter().zip(readings) {
            if reading.as_ref().is_err_and(LinkError::is_passing) {
                again.push((server.clone(), link));
            }
            offsets.insert(server, reading.ok().map(|reading| reading.offset_ms));
        }
        asked = again;
        if asked.is_empty() {
            break;
        }
    }
    seen(Measured::Clocks(offsets))
}

async fn file(links: &Links, place: &Place, path: &str, same_as: Option<PathBuf>) -> Answered {
    let expected = match &same_as {
        None => None,
        Some(local) => match links.sources.get(local).await {
            Ok(source) => Some(source.sha256.clone()),
            Err(error) => {
                return Reading::unknown(format!("reading {} on the console: {error}", local.display()))
                    .into();
            }
        },
    };
    let sum = same_as.is_some();
    shell(
        links,
        place,
        |shell| checks::file_script(shell, path, sum),
        |output| match checks::file(output) {
            None => garbage(output),
            Some(FileAnswer::Absent) => {
                seen(Measured::File { exists: false, age_s: None, size: None, sha256: None, expected })
            }
            Some(FileAnswer::Present { size, age, sha256 }) => {
                seen(Measured::File { exists: true, age_s: age, size: Some(size), sha256, expected })
            }
        },
    )
    .await
}
