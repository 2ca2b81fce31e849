//! Whole upgrades in a world in memory: seeded farms, profiles, faults, crashes and operators, and the laws that
//! the engine keeps whatever happens.
//!
//! A failure names its seed. `NOFM_SIM_SEED=17 cargo test sim` runs that one alone and shows its journal's end,
//! `NOFM_SIM_SEEDS=100000` runs as many.

mod bans;
pub mod digest;
mod directed;
mod generate;
mod laws;
mod operator;
mod products;
pub mod rng;
pub mod session;
pub mod story;
pub mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use operator::{Ended, carry_out};

const SEEDS: u64 = 300;

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}

#[test]
fn every_law_holds_in_random_worlds() {
    let (from, to) = match from_env("NOFM_SIM_SEED") {
        Some(seed) => (seed, seed + 1),
        None => (0, from_env("NOFM_SIM_SEEDS").unwrap_or(SEEDS)),
    };
    let mut ended: BTreeMap<Ended, usize> = BTreeMap::new();
    let mut wrong: Vec<u64> = Vec::new();
    for seed in from..to {
        let Ok((how, session)) = catch_unwind(AssertUnwindSafe(|| carry_out(generate::case(seed), seed)))
        else {
            eprintln!("seed={seed}: rerun with NOFM_SIM_SEED={seed} cargo test sim");
            wrong.push(seed);
            continue;
        };
        *ended.entry(how).or_default() += 1;
        if to - from == 1 {
            eprintln!(
                "{}\n{how:?}, {} events, {} crashes",
                session.tail(),
                session.journal.len(),
                session.crash_count
            );
        }
    }
    assert!(wrong.is_empty(), "{} of {} seeds broke a law: {wrong:?}", wrong.len(), to - from);
    if to - from >= SEEDS {
        // A simulator in which all goes well, or nothing, proves nothing.
        let count = |how| ended.get(&how).copied().unwrap_or(0);
        assert!(
            count(Ended::Done) * 10 > usize::try_from(to).expect("small"),
            "too few upgrades are done: {ended:?}"
        );
        assert!(count(Ended::Failed) > 0 && count(Ended::Stopped) > 0, "no upgrade goes wrong: {ended:?}");
    }
}
