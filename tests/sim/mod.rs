//! Whole upgrades in a world in memory: seeded farms, profiles, faults, crashes and operators, and the laws that
//! the engine keeps whatever happens.
//!
//! A failure names its seed, and shows the smallest session found that fails so. `NOFM_SIM_SEED=17 cargo test sim` goes
//! through that seed alone and shows its journal's end, `NOFM_SIM_SEEDS=1000000` through as many, on all processors.

mod bans;
mod directed;
mod due;
mod faults;
mod generate;
mod laws;
mod odd;
mod operator;
mod products;
pub mod rng;
pub mod same;
mod seeds;
pub mod session;
mod shrink;
pub mod story;
pub mod world;

use operator::{Ended, carry_out};

/// With those of the products ten thousand.
const SEEDS: u64 = 8_000;

#[test]
fn every_law_holds_in_random_worlds() {
    let Some(came) = seeds::hold("random plans", SEEDS, |seed| carry_out(generate::case(seed), seed)) else {
        return;
    };
    // A simulator in which all goes well, or nothing, proves nothing.
    let all: u64 = came.ended.values().sum();
    assert!(came.of(Ended::Done) * 10 > all, "too few upgrades are done: {came:?}");
    assert!(came.of(Ended::Failed) > 0 && came.of(Ended::Stopped) > 0, "no upgrade goes wrong: {came:?}");
    for kind in faults::KINDS {
        assert!(came.injected.contains_key(kind), "it never comes to \"{kind}\": {came:?}");
    }
}
