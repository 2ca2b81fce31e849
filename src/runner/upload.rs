//! A file on its way to one server.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::act::{Order, Pause};
use super::input::Input;
use super::watch::Watch;
use crate::engine::End;
use crate::text::escape::safe;
use crate::text::size::short;
use crate::transport::{Link, Source, Uploaded};

/// Sends `source`, over as many connections as it takes; what arrived is not sent again.
pub(super) async fn upload(
    order: &mut Order,
    link: &Link,
    source: &Arc<Source>,
    remote: &str,
    watch: &mut Watch,
    tell: &UnboundedSender<Input>,
) -> End {
    let mut pause = Pause::new();
    loop {
        let mut pace = Pace::new(source.length);
        let mut progress = |there: u64| {
            if let Some(line) = pace.line(there) {
                watch.say(&mut order.log, &line);
            }
        };
        match link.upload(source, remote, &mut progress).await {
            Ok(done) => {
                pause.over(&order.place, tell);
                let done = match done {
                    Uploaded::Sent => "sent, and compared there",
                    Uploaded::AlreadyThere => "was there already",
                };
                watch.say(&mut order.log, &format!("{remote}: {done}, SHA-256 {}", source.sha256));
                return End::Exit(0);
            }
            Err(error) if error.is_passing() => {
                watch.say(&mut order.log, &safe(&error.to_string()));
                pause.after(&order.place, &error, tell).await;
            }
            Err(error) => {
                watch.say(&mut order.log, &safe(&error.to_string()));
                return End::Exit(1);
            }
        }
    }
}

/// How far an upload is, and how fast it goes: a line a second.
struct Pace {
    of: u64,
    /// The first bytes that were told, which were there before.
    first: Option<(Instant, u64)>,
    told: Instant,
}

impl Pace {
    fn new(of: u64) -> Self {
        Self { of, first: None, told: Instant::now() }
    }

    fn line(&mut self, there: u64) -> Option<String> {
        let now = Instant::now();
        let Some((since, before)) = self.first else {
            self.first = Some((now, there));
            return (there > 0).then(|| format!("{} of {} were there already", short(there), short(self.of)));
        };
        if now.duration_since(self.told) < Duration::from_secs(1) {
            return None;
        }
        self.told = now;
        let ms = u64::try_from(now.duration_since(since).as_millis()).unwrap_or(u64::MAX).max(1);
        let speed = there.saturating_sub(before).saturating_mul(1000) / ms;
        let share = there.saturating_mul(100) / self.of.max(1);
        Some(format!("{share} % of {}, {} a second", short(self.of), short(speed)))
    }
}
