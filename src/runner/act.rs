//! Steps on servers: started, followed to their end, and told as events.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;

use super::collect::collect;
use super::input::Input;
use super::links::Links;
use super::probe::reach_of;
use super::reboot::{boot_of, reboot};
use super::services;
use super::upload::upload;
use super::watch::Watch;
use crate::engine::{Before, End, Event, Job, LookUp, Place, Sent, StepKey, Work};
use crate::journal::{OutputLog, SessionDir};
use crate::profile::Shell;
use crate::text::escape::safe;
use crate::transport::checks;
use crate::transport::{
    Heard, Link, LinkError, RunEnd, RunId, RunState, Sources, StartOpts, Started, Terminal,
};

/// The longest pause between two tries to reach a server.
const PAUSE: Duration = Duration::from_secs(30);
/// How long a run may stay claimed before it is called off: a server takes less to put the claim on its disk.
pub(super) const CLAIMED: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(500);

/// All that is needed to carry a step out at one place.
pub(super) struct Order {
    pub(super) key: StepKey,
    pub(super) place: Place,
    pub(super) run: String,
    pub(super) job: Job,
    /// Exit statuses that count as success, of a stand-in for Windows: `sh` keeps only their lowest 8 bits.
    pub(super) exits: Vec<i32>,
    pub(super) has: Option<String>,
    pub(super) lacks: Option<String>,
    pub(super) log: OutputLog,
    pub(super) session: SessionDir,
    /// Whether an earlier runner may have started it.
    pub(super) again: bool,
    /// How large the terminal of an attended step is to begin with.
    pub(super) terminal: Terminal,
}

/// Carries out `order` and tells how it ended. Connections that are lost are made again, for as long as it takes.
pub(super) async fn carry_out(order: Order, links: Arc<Links>, tell: UnboundedSender<Input>) {
    let work = Work::Run { key: order.key.clone(), place: order.place.clone() };
    let (key, place) = (order.key.clone(), order.place.clone());
    let mut watch = Watch::new(&order);
    let end = match (links.to(&order.place), &order.job) {
        (Err(why), _) => End::NotStarted(why),
        (Ok(link), Job::LookUp { what }) => match look_up(&order, what, &link, &tell).await {
            Ok(before) => {
                // Named again once this is journalled, and then carried out.
                let events = vec![Event::LookedUp { key, place, before }];
                let _ = tell.send(Input::Done { work, events });
                return;
            }
            Err(why) => End::NotStarted(why),
        },
        (Ok(link), _) => do_job(order, &link, &links.sources, &mut watch, &tell).await,
    };
    let printed = watch.bytes;
    let cut = |kept| Event::OutputCut { key: key.clone(), place: place.clone(), kept, printed };
    let mut events: Vec<Event> = watch.cut.map(cut).into_iter().collect();
    events.push(Event::TargetEnded {
        key,
        place,
        end,
        tail: watch.tail(),
        bytes: watch.bytes,
        has: watch.has.as_ref().map(|(_, found)| *found),
        lacks: watch.lacks.as_ref().map(|(_, found)| *found),
    });
    // A runner that is ending listens no more; the next one finds the run where it is.
    let _ = tell.send(Input::Done { work, events });
}

/// What the step goes by, for as long as it takes to reach the server.
async fn look_up(
    order: &Order,
    what: &LookUp,
    link: &Link,
    tell: &UnboundedSender<Input>,
) -> Result<Before, String> {
    let mut pause = Pause::new();
    loop {
        let found = match what {
            LookUp::Boot => boot_of(link).await.map(|boot| {
                let why = "what tells this start of it from the next one (its boot id) cannot be read";
                boot.map(Before::Boot).ok_or_else(|| why.to_owned())
            }),
            LookUp::Services(patterns) => {
                services::find(link, patterns).await.map(|found| found.map(Before::Services))
            }
        };
        match found {
            Ok(found) => {
                pause.over(&order.place, tell);
                return found;
            }
            Err(error) if error.is_passing() => pause.after(&order.place, &error, tell).await,
            Err(error) => return Err(error.to_string()),
        }
    }
}

async fn do_job(
    mut order: Order,
    link: &Link,
    sources: &Sources,
    watch: &mut Watch,
    tell: &UnboundedSender<Input>,
) -> End {
    let body = match &order.job {
        Job::LookUp { .. } => {
            return End::NotStarted("it was not looked up what the step goes by".to_owned());
        }
        Job::Reboot { boot } => {
            let boot = boot.clone();
            return reboot(&mut order, link, &boot, watch, tell).await;
        }
        Job::Command { body, tty, files } => match verified(link.shell(), files, sources).await {
            Ok(first) => (checks::command_script(link.shell(), &first, body), *tty),
            Err(why) => return End::NotStarted(why),
        },
        Job::Services { act, services } => match services::words(services) {
            Err(why) => return End::NotStarted(why),
            Ok(names) => (checks::service_script(link.shell(), *act, &names), false),
        },
        Job::Upload { local, remote } => {
            let (local, remote) = (local.clone(), remote.clone());
            return match sources.get(&local).await {
                Ok(source) => upload(&mut order, link, &source, &remote, watch, tell).await,
                Err(error) => End::NotStarted(unreadable(&local, &error)),
            };
        }
        Job::Collect { paths } => {
            let mut say = |text: String| watch.see(format!("{}\n", safe(&text)).as_bytes());
            return collect(&order.session, &order.place, link, paths, &mut say).await;
        }
    };
    let Some(id) = RunId::new(&order.run) else {
        return End::NotStarted(format!("{:?} cannot name a run", order.run));
    };
    let opts = StartOpts { terminal: body.1.then_some(order.terminal) };
    if let Err(end) = begin(&order, link, &id, &body.0, opts, tell).await {
        return end;
    }
    watch.catch_up(&order);
    follow(&mut order, link, &id, watch, tell).await
}

/// Starts a run, or finds it started, and sees to it that it is not stuck in between.
async fn begin(
    order: &Order,
    link: &Link,
    id: &RunId,
    body: &str,
    opts: StartOpts,
    tell: &UnboundedSender<Input>,
) -> Result<(), End> {
    let place = &order.place;
    let mut pause = Pause::new();
    let mut maybe = order.again;
    // Starting is safe to repeat until it answers: the server finds the first.
    let mut state = loop {
        match link.start(id, body, opts).await {
            Ok(Started::Fresh(state) | Started::Already(state)) => break state,
            Err(error) if error.is_passing() || error.is_barred() && maybe => {
                maybe = true;
                pause.after(place, &error, tell).await;
            }
            // A refusal tells of this try only.
            Err(error) if maybe => return Err(End::Lost(error.to_string())),
            Err(error) => return Err(End::NotStarted(error.to_string())),
        }
    };
    // A run that stays claimed has lost who was to launch it: called off, it can never begin behind our back.
    let claimed = tokio::time::Instant::now();
    while state == RunState::Claimed {
        let answer = if claimed.elapsed() < CLAIMED {
            tokio::time::sleep(LOOK).await;
            link.stat(id).await
        } else {
            tracing::warn!(run = %id, server = link.server(), "a run that was claimed and never began is called off");
            link.revoke(id).await
        };
        match answer {
            Ok(found) => state = found,
            Err(error) if error.is_passing() || error.is_barred() => pause.after(place, &error, tell).await,
            // It may begin yet, and nobody can keep it from doing so.
            Err(error) => return Err(End::Lost(error.to_string())),
        }
    }
    pause.over(place, tell);
    Ok(())
}

/// Follows a run to its end. Connections that are lost are made again.
pub(super) async fn follow(
    order: &mut Order,
    link: &Link,
    id: &RunId,
    watch: &mut Watch,
    tell: &UnboundedSender<Input>,
) -> End {
    let mut pause = Pause::new();
    loop {
        // Not what was kept: where there was no room, that is less.
        let from = watch.bytes.max(order.log.len());
        let log = &mut order.log;
        let mut hear = |heard: Heard<'_>| match heard {
            Heard::Output { bytes, .. } => {
                watch.see(bytes);
                log.append(bytes, Timestamp::now()).map(|_| ()).map_err(std::io::Error::other)
            }
            Heard::Rewound { .. } | Heard::State(_) | Heard::Alive => Ok(()),
        };
        match link.follow(id, from, &mut hear).await {
            Ok(end) => {
                pause.over(&order.place, tell);
                watch.cut = order.log.is_cut().then(|| order.log.len());
                if let Err(error) = order.log.sync() {
                    tracing::warn!(%error, run = %order.run, "the output could not be synced");
                }
                return match end {
                    RunEnd::Done { rc } => {
                        let meant = order.exits.iter().find(|exit| **exit > 255 && **exit % 256 == rc);
                        End::Exit(meant.copied().unwrap_or(rc))
                    }
                    RunEnd::Lost { why } => End::Lost(why),
                    RunEnd::Revoked => End::NotStarted(
                        "whoever was to start it was gone before it began, so it was called off; nothing was done"
                            .to_owned(),
                    ),
                };
            }
            // Once it is started, nothing but its own end is its end: not even a server that says it knows no
            // such run, which then is lost.
            Err(LinkError::Refused { why, .. }) => return End::Lost(why),
            Err(error) => pause.after(&order.place, &error, tell).await,
        }
    }
}

/// What a command begins with, so that it sees the very files that were sent.
async fn verified(shell: Shell, files: &[Sent], sources: &Sources) -> Result<String, String> {
    let mut script = String::new();
    for Sent { local, remote } in files {
        let source = sources.get(local).await.map_err(|error| unreadable(local, &error))?;
        script.push_str(&checks::same_file_script(shell, remote, &source.sha256));
    }
    Ok(script)
}

fn unreadable(local: &Path, error: &std::io::Error) -> String {
    format!("reading {} on the console: {error}", local.display())
}

/// The pauses between tries to reach a server, which grow, and what is told of them.
pub(super) struct Pause {
    next: Duration,
    lost: bool,
}

impl Pause {
    pub(super) fn new() -> Self {
        Self { next: Duration::from_millis(250), lost: false }
    }

    pub(super) async fn after(&mut self, place: &Place, error: &LinkError, tell: &UnboundedSender<Input>) {
        tracing::warn!(%error, "a server cannot be reached; trying again");
        if !self.lost
            && let Some(reach) = reach_of(place, Err(error))
        {
            self.lost = true;
            let _ = tell.send(Input::Reach(reach));
        }
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(PAUSE);
    }

    /// The server answered. That is told whoever found it out of reach: an earlier runner may have.
    pub(super) fn over(&mut self, place: &Place, tell: &UnboundedSender<Input>) {
        self.next = Duration::from_millis(250);
        self.lost = false;
        if let Some(reach) = reach_of(place, Ok(())) {
            let _ = tell.send(Input::Reach(reach));
        }
    }
}
