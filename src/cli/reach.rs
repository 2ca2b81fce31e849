//! Whether every server of an inventory can be worked on: all are connected to at the same time.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write as _};
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::Mutex;

use super::{exit, say};
use crate::inventory::{Inventory, Reach, Server};
use crate::model::{Access, ServerName};
use crate::plain;
use crate::text::escape::safe;
use crate::text::width;
use crate::transport::checks::{self, Means};
use crate::transport::{Doorkeeper, Link, LinkError, Nobody, Probe, Secret, Shared, Word, read_clocks};

/// One server, as it was found.
#[derive(Debug, Serialize)]
struct Found {
    server: String,
    address: String,
    /// What keeps it from being worked on.
    problem: Option<String>,
    /// What it is and has, where it could be asked.
    means: Option<Means>,
    /// Its clock against this console's, in milliseconds.
    clock_ms: Option<i64>,
}

/// Connects to every server that has a shell, and says in one table what was found.
pub(super) fn run(inventory: &Inventory, as_json: bool) -> anyhow::Result<u8> {
    let asks = !as_json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let door: Arc<dyn Doorkeeper> = if asks { Arc::new(Person::default()) } else { Arc::new(Nobody) };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let found = runtime.block_on(look(inventory, &Arc::new(Shared::new(door))));
    runtime.shutdown_background();
    let wrong = found.iter().filter(|found| found.problem.is_some()).count();
    if as_json {
        say(&plain::json_line(&found))?;
    } else {
        for line in table(&found) {
            say(&line)?;
        }
        say(&format!("\n{} of {} servers can be worked on", found.len() - wrong, found.len()))?;
    }
    Ok(if wrong == 0 { exit::DONE } else { exit::BLOCKED })
}

async fn look(inventory: &Inventory, shared: &Arc<Shared>) -> Vec<Found> {
    let with_shell = inventory.servers.iter().filter(|server| server.reach != Reach::None);
    let links: Vec<(&Server, Result<Link, String>)> =
        with_shell.map(|server| (server, Link::to(server, shared))).collect();
    let good: Vec<Link> = links.iter().filter_map(|(_, link)| link.as_ref().ok().cloned()).collect();
    let looks: Vec<_> =
        good.iter().cloned().map(|link| tokio::spawn(async move { means_of(&link).await })).collect();
    let mut means = Vec::new();
    for look in looks {
        means.push(look.await.unwrap_or_else(|error| Err(error.to_string())));
    }
    // Once all connections stand, so that no handshake counts as a difference.
    let reached: Vec<Link> =
        good.iter().zip(&means).filter(|(_, means)| means.is_ok()).map(|(link, _)| link.clone()).collect();
    let clocks = read_clocks(&reached).await;
    let mut clocks =
        reached.iter().map(|link| link.server().to_owned()).zip(clocks).collect::<HashMap<_, _>>();
    let mut means = means.into_iter();
    let rows = links.into_iter().map(|(server, link)| {
        let found = match link {
            Ok(_) => means.next().unwrap_or_else(|| Err("it was not looked at".to_owned())),
            Err(why) => Err(why),
        };
        let clock = clocks.remove(server.name.as_str()).and_then(Result::ok);
        row(server, found, clock.map(|clock| clock.offset_ms))
    });
    rows.collect()
}

async fn means_of(link: &Link) -> Result<Means, String> {
    let output = match link.probe(&Probe::new(checks::means_script(link.shell()))).await {
        Ok(output) => output,
        Err(
            LinkError::Barred { why, .. }
            | LinkError::Cut { why, .. }
            | LinkError::Refused { why, .. }
            | LinkError::Unreachable { why, .. },
        ) => {
            return Err(why);
        }
        Err(error) => return Err(error.to_string()),
    };
    checks::means(&output).ok_or_else(|| "its answer cannot be read".to_owned())
}

fn row(server: &Server, found: Result<Means, String>, clock_ms: Option<i64>) -> Found {
    let problem = match &found {
        Err(why) => Some(why.clone()),
        Ok(means) if !means.detaches => {
            Some("it lacks setsid (util-linux) or perl, so no step can outlive a connection".to_owned())
        }
        Ok(means) if !means.sums => Some("it lacks sha256sum, shasum, openssl or sha256".to_owned()),
        Ok(_) => None,
    };
    Found {
        server: server.name.to_string(),
        address: server.address.clone(),
        problem,
        means: found.ok(),
        clock_ms,
    }
}

fn table(found: &[Found]) -> Vec<String> {
    let heads = ["server", "address", "root", "terminal", "clock", "system"].map(str::to_owned);
    let word = |holds: bool| if holds { "yes" } else { "no" }.to_owned();
    let cells = |found: &Found| {
        let mut cells = vec![safe(&found.server).into_owned(), found.address.clone()];
        if let (None, Some(means)) = (&found.problem, &found.means) {
            let clock = found.clock_ms.map_or("unknown".to_owned(), clock);
            cells.extend([
                word(means.is_root),
                word(means.holds_terminal),
                clock,
                safe(&means.system).into_owned(),
            ]);
        }
        cells
    };
    let rows: Vec<Vec<String>> = found.iter().map(cells).collect();
    let widths: Vec<usize> = (0..heads.len())
        .map(|column| {
            let of_rows = rows.iter().filter_map(|row| row.get(column)).map(|cell| width::width(cell));
            of_rows.chain([width::width(&heads[column])]).max().unwrap_or(0)
        })
        .collect();
    let line = |cells: &[String]| {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell}{}", " ".repeat(width.saturating_sub(width::width(cell)))));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(&heads)];
    for (row, found) in rows.iter().zip(found) {
        match &found.problem {
            Some(why) => lines.push(format!("{}  {}", line(row), safe(why))),
            None => lines.push(line(row)),
        }
    }
    lines
}

fn clock(offset_ms: i64) -> String {
    let tenths = offset_ms / 100;
    let sign = if tenths < 0 { '-' } else { '+' };
    format!("{sign}{}.{} s", tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10)
}

/// Whoever sits at this terminal, asked one thing after another.
#[derive(Debug, Default)]
struct Person {
    asked: Arc<Mutex<HashMap<Access, (String, Word)>>>,
}

impl Doorkeeper for Person {
    fn ask(
        &self,
        server: &ServerName,
        access: Access,
        complaint: &str,
    ) -> Pin<Box<dyn Future<Output = Word> + Send>> {
        let (server, complaint, asked) = (server.clone(), complaint.to_owned(), self.asked.clone());
        Box::pin(async move {
            let mut asked = asked.lock().await;
            // Who asks the same, and has nothing to complain of what was said before, is told the same.
            if let Some((_, word)) =
                asked.get(&access).filter(|(before, _)| complaint.is_empty() || *before == complaint)
            {
                return word.clone();
            }
            let (question, why) = (access.clone(), complaint.clone());
            let word = tokio::task::spawn_blocking(move || put(&server, &question, &why)).await;
            let word = word.ok().and_then(Result::ok).unwrap_or(Word::Denied);
            asked.insert(access, (complaint, word.clone()));
            word
        })
    }
}

/// Puts one question at the terminal.
fn put(server: &ServerName, access: &Access, complaint: &str) -> std::io::Result<Word> {
    let mut err = std::io::stderr();
    if !complaint.is_empty() {
        writeln!(err, "{}", safe(complaint))?;
    }
    let mut line = String::new();
    if !access.is_secret() {
        writeln!(
            err,
            "{}: nobody has vouched for this {}",
            safe(server.as_str()),
            safe(&access.to_string())
        )?;
        write!(err, "Is it the server's own? It is written down then. (yes/no) ")?;
        err.flush()?;
        std::io::stdin().read_line(&mut line)?;
        return Ok(if line.trim() == "yes" { Word::Trusted } else { Word::Denied });
    }
    write!(err, "{} (Enter alone: none): ", safe(&access.to_string()))?;
    err.flush()?;
    let unseen = plain::Unseen::begin(false)?;
    let mut line = zeroize::Zeroizing::new(line);
    std::io::stdin().read_line(&mut line)?;
    drop(unseen);
    let text = line.trim_end_matches('\n');
    // Ctrl-C is typed like any other key here.
    Ok(if text.is_empty() || text.contains('\u{3}') {
        Word::Denied
    } else {
        Word::Secret(Secret::new(text.to_owned()))
    })
}
