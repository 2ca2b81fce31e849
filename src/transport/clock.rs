//! How far the clocks of servers are apart, and how well that is known.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::LinkError;
use super::channel::Link;
use super::talk::{Frame, SILENCE, Talk};
use crate::model::Verdict;

/// How often a clock is read; the quickest answer counts, being the most exact.
const ROUNDS: usize = 5;

/// A server's clock against this console's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockReading {
    /// Server minus console, in milliseconds.
    pub offset_ms: i64,
    /// The true offset is at most this many milliseconds off.
    pub error_ms: i64,
}

/// The console's clock, read once: a jump of it between two servers would pass for a difference between them.
#[derive(Clone, Copy)]
struct Console {
    wall: Duration,
    since: Instant,
}

impl Console {
    fn read() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { wall, since: Instant::now() }
    }

    fn now(&self) -> Duration {
        self.wall + self.since.elapsed()
    }
}

/// Reads the clocks of several servers together, in the order given.
pub async fn read_clocks(links: &[Link]) -> Vec<Result<ClockReading, LinkError>> {
    let console = Console::read();
    let tasks: Vec<_> = links
        .iter()
        .map(|link| {
            let (link, server) = (link.clone(), link.server().to_owned());
            (server, tokio::spawn(async move { read_clock(&link, console).await }))
        })
        .collect();
    let mut readings = Vec::with_capacity(tasks.len());
    for (server, task) in tasks {
        let reading = task.await.unwrap_or_else(|e| {
            Err(LinkError::Unreachable { server, doing: "reading the clock", why: e.to_string() })
        });
        readings.push(reading);
    }
    readings
}

/// Whether no two clocks differ by more than `limit`. Unknown when a clock is missing, or when the readings are
/// too coarse to tell; a difference that is certain fails even so.
pub fn clocks_agree(readings: &[Option<ClockReading>], limit: Duration) -> Verdict {
    let limit = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
    let known: Vec<_> = readings.iter().flatten().collect();
    let pairs = || known.iter().enumerate().flat_map(|(i, a)| known[i + 1..].iter().map(move |b| (a, b)));
    let apart = |a: &ClockReading, b: &ClockReading| a.offset_ms.saturating_sub(b.offset_ms).saturating_abs();
    let blur = |a: &ClockReading, b: &ClockReading| a.error_ms.saturating_add(b.error_ms);
    if pairs().any(|(a, b)| apart(a, b).saturating_sub(blur(a, b)) > limit) {
        Verdict::Fail
    } else if known.len() < readings.len()
        || known.is_empty()
        || pairs().any(|(a, b)| apart(a, b).saturating_add(blur(a, b)) > limit)
    {
        Verdict::Unknown
    } else {
        Verdict::Pass
    }
}

async fn read_clock(link: &Link, console: Console) -> Result<ClockReading, LinkError> {
    let mut talk = Talk::open(link, "reading the clock", true, &["clock"]).await?;
    match talk.frame(SILENCE).await? {
        Frame::State(words) if words == "ready" => {}
        frame => return Err(talk.misfit(&format!("{frame:?}"))),
    }
    let mut best: Option<ClockReading> = None;
    for _ in 0..ROUNDS {
        let asked = console.now();
        // A connection that fails here fails to answer as well.
        let _ = talk.send(b"now\n").await;
        let said = match talk.frame(SILENCE).await? {
            Frame::State(words) => words,
            frame => return Err(talk.misfit(&format!("{frame:?}"))),
        };
        let (server, step) = parse(&said).ok_or_else(|| talk.misfit(&said))?;
        let reading = reading(asked, console.now(), server, step);
        if best.is_none_or(|best| reading.error_ms < best.error_ms) {
            best = Some(reading);
        }
    }
    talk.end_input().await;
    best.ok_or_else(|| talk.misfit("no reading"))
}

/// A reading from the moments before the question and after the answer. The server's clock shows whole steps,
/// so it stood anywhere from `server` to one step later.
fn reading(asked: Duration, answered: Duration, server: Duration, step: Duration) -> ClockReading {
    let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    let least = ms(server).saturating_sub(ms(answered));
    let most = ms(server + step).saturating_sub(ms(asked));
    let offset_ms = least + most.saturating_sub(least) / 2;
    ClockReading { offset_ms, error_ms: most.saturating_sub(offset_ms).saturating_add(1) }
}

/// `date +%s.%N`; where `%N` is not known the rest is no number, and the seconds are all there is.
fn parse(said: &str) -> Option<(Duration, Duration)> {
    let (seconds, rest) = said.trim().split_once('.').unwrap_or((said.trim(), ""));
    let seconds = Duration::from_secs(seconds.parse::<u32>().ok()?.into());
    let exact = rest.len() == 9 && rest.bytes().all(|b| b.is_ascii_digit());
    Some(match exact.then(|| rest.parse().ok()).flatten() {
        Some(nanos) => (seconds + Duration::from_nanos(nanos), Duration::ZERO),
        None => (seconds, Duration::from_secs(1)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset_ms: i64, error_ms: i64) -> ClockReading {
        ClockReading { offset_ms, error_ms }
    }

    #[test]
    fn whole_seconds_are_known_to_a_second_and_garbage_is_no_time() {
        let second = Duration::from_secs(1);
        assert_eq!(parse("1700000000.N\n"), Some((Duration::from_secs(1_700_000_000), second)));
        assert_eq!(parse("1700000000"), Some((Duration::from_secs(1_700_000_000), second)));
        let exact = Duration::new(1_700_000_000, 5);
        assert_eq!(parse("1700000000.000000005"), Some((exact, Duration::ZERO)));
        assert_eq!(parse("soon"), None);
        assert_eq!(parse("-5"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn the_true_offset_lies_within_the_error() {
        // The server is 5,000 ms ahead; it read its clock 10 ms after it was asked, and showed whole seconds.
        let console = Duration::from_millis(1_700_000_000_700);
        let server = Duration::from_secs(1_700_000_005);
        let got = reading(console, console + Duration::from_millis(40), server, Duration::from_secs(1));
        assert!((got.offset_ms - 5_000).abs() <= got.error_ms, "{got:?}");
        assert!(got.error_ms < 600, "{got:?}");
    }

    #[test]
    fn clocks_agree_only_when_all_are_known_and_near() {
        let limit = Duration::from_mins(1);
        assert_eq!(clocks_agree(&[Some(at(-20_000, 10)), Some(at(30_000, 10))], limit), Verdict::Pass);
        assert_eq!(clocks_agree(&[Some(at(-40_000, 10)), Some(at(30_000, 10))], limit), Verdict::Fail);
        assert_eq!(clocks_agree(&[Some(at(-40_000, 10)), Some(at(30_000, 10)), None], limit), Verdict::Fail);
        assert_eq!(clocks_agree(&[Some(at(0, 10)), None], limit), Verdict::Unknown);
        assert_eq!(clocks_agree(&[Some(at(0, 600)), Some(at(59_500, 10))], limit), Verdict::Unknown);
        assert_eq!(clocks_agree(&[], limit), Verdict::Unknown);
    }
}
