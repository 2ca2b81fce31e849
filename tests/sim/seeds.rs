//! Many seeds on all processors, and the smallest session of one that breaks a law.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::operator::Ended;
use super::rng::{played, recorded};
use super::session::Session;
use super::shrink::{PATIENCE, shrink};

/// How often it is said how far it is, in seeds.
const SAID_EVERY: u64 = 10_000;

/// What came of many seeds.
#[derive(Debug, Default)]
pub struct Came {
    pub ended: BTreeMap<Ended, u64>,
    pub injected: BTreeMap<&'static str, u64>,
    events: u64,
    wrong: BTreeMap<u64, String>,
}

impl Came {
    pub fn of(&self, ended: Ended) -> u64 {
        self.ended.get(&ended).copied().unwrap_or(0)
    }

    fn add(&mut self, ended: Ended, session: &Session) {
        *self.ended.entry(ended).or_default() += 1;
        self.events += session.journal.len() as u64;
        for (kind, count) in &session.world.injected {
            *self.injected.entry(kind).or_default() += count;
        }
    }
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Whether one seed alone is gone through, which then tells more.
pub fn is_single() -> bool {
    from_env("NOFM_SIM_SEED").is_some()
}

/// Goes through `count` seeds, or as many as the environment says. What came of them, unless it was one alone.
///
/// # Panics
/// Where one breaks a law; what it shows of that is the smallest session found that breaks it too.
pub fn hold(name: &str, count: u64, play: impl Fn(u64) -> (Ended, Session) + Sync) -> Option<Came> {
    if let Some(seed) = from_env("NOFM_SIM_SEED") {
        let (how, session) = play(seed);
        let (events, crashes) = (session.journal.len(), session.crash_count);
        eprintln!("{}\n{how:?}, {events} events, {crashes} crashes", session.tail());
        return None;
    }
    let count = from_env("NOFM_SIM_SEEDS").unwrap_or(count);
    let (next, came) = (AtomicU64::new(0), Mutex::new(Came::default()));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= count {
                        return;
                    }
                    if seed > 0 && seed.is_multiple_of(SAID_EVERY) {
                        eprintln!("{name}: {seed} of {count} seeds");
                    }
                    let outcome = catch_unwind(AssertUnwindSafe(|| play(seed)));
                    let mut came = came.lock().unwrap_or_else(PoisonError::into_inner);
                    match outcome {
                        Ok((ended, session)) => came.add(ended, &session),
                        Err(panic) => {
                            came.wrong.insert(seed, message(panic.as_ref()));
                        }
                    }
                }
            });
        }
    });
    let came = came.into_inner().unwrap_or_else(PoisonError::into_inner);
    eprintln!("{name}: {count} seeds, {} events, {:?}, {:?}", came.events, came.ended, came.injected);
    if let Some((seed, why)) = came.wrong.first_key_value() {
        smallest(*seed, &play);
        let others: Vec<_> = came.wrong.keys().collect();
        panic!(
            "{name}: {} of {count} seeds break a law: {others:?}\nrerun with NOFM_SIM_SEED={seed}: {why}",
            came.wrong.len()
        );
    }
    Some(came)
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// The plain words of a message: those that are the same whatever the seed.
fn words(message: &str) -> String {
    let plain = message.lines().next().unwrap_or_default().split_whitespace();
    plain.filter(|word| word.chars().all(|c| c.is_ascii_alphabetic())).collect::<Vec<_>>().join(" ")
}

/// Looks for the smallest session that breaks the law that `seed` breaks, and shows it.
fn smallest(seed: u64, play: &impl Fn(u64) -> (Ended, Session)) {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let run = || catch_unwind(AssertUnwindSafe(|| play(seed))).err().map(|panic| message(panic.as_ref()));
    let (why, tape) = recorded(run);
    let Some(why) = why else {
        std::panic::set_hook(hook);
        return;
    };
    let wanted = words(&why);
    let long = tape.len();
    let tape = shrink(tape, PATIENCE, |tape| played(tape, run).is_some_and(|why| words(&why) == wanted));
    std::panic::set_hook(hook);
    super::session::tell_of_panics(true);
    let why = played(&tape, run).unwrap_or_default();
    super::session::tell_of_panics(false);
    eprintln!("seed={seed}: the smallest found draws {} numbers of {long}: {tape:?}\n{why}", tape.len());
}
