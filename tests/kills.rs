//! Real upgrades by the real program, with whatever takes part in them killed at moments drawn from a seed: nothing is
//! begun twice, nothing that was printed is lost, and what nobody could see is never taken for success.
//!
//! A failure names its seed and keeps its folder. `NOFM_KILL_SEED=17 cargo test --locked kills -- --nocapture` kills by
//! the same plan again, `NOFM_KILL_RUNS=300` carries out as many and prints what was killed how often.

mod drive;
mod farm;
mod judge;
mod person;
mod plan;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use plan::Plan;

const RUNS: u64 = 20;
/// How many are carried out at the same time.
const AT_ONCE: usize = 3;

/// What happened how often.
type Tally = BTreeMap<&'static str, u64>;

fn add(tally: &mut Tally, what: &'static str) {
    *tally.entry(what).or_default() += 1;
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

/// Carries out one run and adds up what happened; whether it went as it must.
fn goes_well(plan: Plan, tally: &Mutex<Tally>) -> bool {
    let (began, told, seed) = (Instant::now(), plan.to_string(), plan.seed);
    let Ok(happened) = catch_unwind(AssertUnwindSafe(|| drive::carry_out(plan))) else {
        eprintln!("{told}: again with NOFM_KILL_SEED={seed} cargo test --locked kills -- --nocapture");
        return false;
    };
    eprintln!("{told}: {:.1} s", began.elapsed().as_secs_f64());
    let mut tally = tally.lock().expect("nobody panics with it");
    for (what, count) in happened {
        *tally.entry(what).or_default() += count;
    }
    true
}

#[test]
fn nothing_is_lost_or_done_twice_whatever_is_killed() {
    let (from, to) = match from_env("NOFM_KILL_SEED") {
        Some(seed) => (seed, seed + 1),
        None => (0, from_env("NOFM_KILL_RUNS").unwrap_or(RUNS)),
    };
    let (next, began) = (AtomicU64::new(from), Instant::now());
    let (tally, wrong) = (Mutex::new(Tally::new()), Mutex::new(Vec::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= to {
                break;
            }
            if !goes_well(Plan::of(seed), &tally) {
                wrong.lock().expect("nobody panics with it").push(seed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let (tally, wrong) = (tally.into_inner().expect("whole"), wrong.into_inner().expect("whole"));
    eprintln!("{} runs in {:.0} s", to - from, began.elapsed().as_secs_f64());
    for (what, count) in &tally {
        eprintln!("{count:>6}  {what}");
    }
    assert!(wrong.is_empty(), "{} of {} runs went wrong: {wrong:?}", wrong.len(), to - from);
    if to - from >= RUNS {
        // Where nothing is killed, nothing is shown.
        let counts: Vec<u64> =
            plan::Kill::ALL.iter().filter_map(|kill| tally.get(kill.told()).copied()).collect();
        assert!(
            counts.len() >= 5 && counts.iter().sum::<u64>() >= to - from,
            "too little was killed: {tally:?}"
        );
    }
}
