//! A restart of a server: ordered once, then the server is asked until it answers after another start than before.
//!
//! What told the start before it from every other stands in the journal before anything is ordered, and the order is a
//! run: whoever takes over after a crash finds either of them, and a server that was started anew meanwhile.

use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{Instant, sleep};

use super::act::{CLAIMED, Order, Pause, follow};
use super::input::Input;
use super::watch::Watch;
use crate::engine::End;
use crate::transport::checks;
use crate::transport::{Link, LinkError, Probe, RunEnd, RunId, RunState, StartOpts};

/// How often the server is asked whether it is back.
const EVERY: Duration = Duration::from_secs(1);
/// An exit status above it tells of a signal: the restart ends what ordered it, too.
const SIGNAL: i32 = 128;

/// What tells this start of the server from every other. `None`: it does not tell, or not now.
pub(super) async fn boot_of(link: &Link) -> Result<Option<String>, LinkError> {
    let output = link.probe(&Probe::new(checks::boot_id_script(link.shell()))).await?;
    Ok(checks::boot_id(&output))
}

/// Restarts the server that was started as `before`, and waits until it is back, for as long as it takes: when that is
/// too long is the operator's to judge.
pub(super) async fn reboot(
    order: &mut Order,
    link: &Link,
    before: &str,
    watch: &mut Watch,
    tell: &UnboundedSender<Input>,
) -> End {
    let Some(id) = RunId::new(&order.run) else {
        return End::NotStarted(format!("{:?} cannot name a run", order.run));
    };
    let body = checks::reboot_script(link.shell());
    let mut pause = Pause::new();
    let mut ordered = None;
    // Whether it may have been ordered, here or by an earlier runner.
    let mut maybe = order.again;
    loop {
        match boot_of(link).await {
            Ok(Some(boot)) if boot != before => {
                pause.over(&order.place, tell);
                watch.say(&mut order.log, &format!("it is back: boot id {boot}, before {before}"));
                return End::Exit(0);
            }
            Ok(Some(_)) => match ordered {
                None => match link.start(&id, body, StartOpts::default()).await {
                    Ok(_) => {
                        ordered = Some(Instant::now());
                    }
                    Err(error) if error.is_passing() || error.is_barred() && maybe => {
                        maybe = true;
                        pause.after(&order.place, &error, tell).await;
                    }
                    Err(error) if maybe => return End::Lost(error.to_string()),
                    Err(error) => return End::NotStarted(error.to_string()),
                },
                Some(since) => match link.stat(&id).await {
                    // It was refused, or could not be ordered.
                    Ok(RunState::Ended(RunEnd::Done { rc })) if (1..=SIGNAL).contains(&rc) => {
                        return follow(order, link, &id, watch, tell).await;
                    }
                    Ok(RunState::Ended(RunEnd::Revoked)) => {
                        return follow(order, link, &id, watch, tell).await;
                    }
                    Ok(RunState::Claimed) if since.elapsed() > CLAIMED => {
                        if let Err(error) = link.revoke(&id).await {
                            pause.after(&order.place, &error, tell).await;
                        }
                    }
                    Ok(_) => {}
                    Err(error) => pause.after(&order.place, &error, tell).await,
                },
            },
            // About to go down, or to come up.
            Ok(None) => {}
            Err(error) => pause.after(&order.place, &error, tell).await,
        }
        sleep(EVERY).await;
    }
}
