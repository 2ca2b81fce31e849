//! From a tape that breaks a law to one that is as short and as plain as can be found, and breaks it still.

use std::time::{Duration, Instant};

/// How long a smaller tape is looked for.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The smallest tape found within `most` for which `fails` holds, as it does for `tape`.
pub fn shrink(tape: Vec<u64>, most: Duration, mut fails: impl FnMut(&[u64]) -> bool) -> Vec<u64> {
    let until = Instant::now() + most;
    let mut best = tape;
    loop {
        let before = best.clone();
        cut_ends(&mut best, until, &mut fails);
        without_parts(&mut best, until, &mut fails);
        plainer(&mut best, until, &mut fails);
        if best == before || Instant::now() >= until {
            return best;
        }
    }
}

/// Takes `smaller` for the best one where it fails too.
fn keep(best: &mut Vec<u64>, smaller: Vec<u64>, fails: &mut impl FnMut(&[u64]) -> bool) -> bool {
    let better = fails(&smaller);
    if better {
        *best = smaller;
    }
    better
}

fn cut_ends(best: &mut Vec<u64>, until: Instant, fails: &mut impl FnMut(&[u64]) -> bool) {
    let mut part = best.len() / 2;
    while part > 0 && Instant::now() < until {
        let shorter = best[..best.len() - part.min(best.len())].to_vec();
        if !keep(best, shorter, fails) {
            part /= 2;
        }
    }
}

fn without_parts(best: &mut Vec<u64>, until: Instant, fails: &mut impl FnMut(&[u64]) -> bool) {
    let mut part = best.len() / 4;
    while part > 0 {
        let mut at = 0;
        while at < best.len() && Instant::now() < until {
            let mut shorter = best.clone();
            shorter.drain(at..(at + part).min(best.len()));
            if !keep(best, shorter, fails) {
                at += part;
            }
        }
        part /= 2;
    }
}

fn plainer(best: &mut Vec<u64>, until: Instant, fails: &mut impl FnMut(&[u64]) -> bool) {
    let mut part = best.len() / 4;
    while part > 0 {
        for at in (0..best.len()).step_by(part) {
            let end = (at + part).min(best.len());
            if best[at..end].iter().all(|draw| *draw == 0) || Instant::now() >= until {
                continue;
            }
            let mut zeroed = best.clone();
            zeroed[at..end].fill(0);
            keep(best, zeroed, fails);
        }
        part /= 2;
    }
    for at in 0..best.len() {
        while best[at] > 0 && Instant::now() < until {
            let mut halved = best.clone();
            halved[at] /= 2;
            if !keep(best, halved, fails) {
                break;
            }
        }
    }
}

#[test]
fn what_breaks_an_artificial_law_is_found_in_a_long_tape() {
    let fails = |tape: &[u64]| tape.windows(2).any(|pair| pair[0] >= 40 && pair[1] == 3);
    let mut tape: Vec<u64> = (0..500).map(|number| number * 7 % 31).collect();
    tape[217] = 99;
    tape[218] = 3;
    assert!(fails(&tape));
    let smallest = shrink(tape, PATIENCE, fails);
    assert_eq!((smallest.len(), smallest[1]), (2, 3), "{smallest:?}");
    assert!((40..80).contains(&smallest[0]), "{smallest:?}");
}

#[test]
fn the_numbers_of_a_tape_come_again_and_then_zeros() {
    use super::rng::{Rng, played, recorded};
    let draws = || {
        let mut rng = Rng::new(7);
        (rng.within(5, 900), rng.chance(50), *rng.pick(&["a", "b", "c"]), rng.within(3, 9))
    };
    let (drawn, tape) = recorded(draws);
    assert_eq!(tape.len(), 4);
    assert_eq!(played(&tape, draws), drawn);
    assert_eq!(played(&[], draws), (5, false, "a", 3));
    assert_eq!(played(&[1], draws), (6, false, "a", 3));
}
