//! Random numbers that are the same for the same seed, on every machine and in every version; and the tape of all that
//! were drawn, so that a session can be gone through again with fewer and smaller ones.

use std::cell::RefCell;

/// `SplitMix64`: small, and good enough to draw faults with.
#[derive(Clone, Debug)]
pub struct Rng(u64);

/// What becomes of the numbers that this thread draws.
enum Tape {
    Blank,
    Records(Vec<u64>),
    /// Its numbers come instead of drawn ones, then zeros.
    Plays(Vec<u64>, usize),
}

thread_local! {
    static TAPE: RefCell<Tape> = const { RefCell::new(Tape::Blank) };
}

/// Records what `act` draws. It is on the tape as well where `act` panics and somebody above catches that.
pub fn recorded<T>(act: impl FnOnce() -> T) -> (T, Vec<u64>) {
    TAPE.set(Tape::Records(Vec::new()));
    let came = act();
    match TAPE.replace(Tape::Blank) {
        Tape::Records(tape) => (came, tape),
        _ => unreachable!("nobody else changes tapes meanwhile"),
    }
}

/// Has `act` draw what is on `tape`, and zeros once that ends: a zero is always the simplest there is.
pub fn played<T>(tape: &[u64], act: impl FnOnce() -> T) -> T {
    TAPE.set(Tape::Plays(tape.to_vec(), 0));
    let came = act();
    TAPE.set(Tape::Blank);
    came
}

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66_D1CE_B00C)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One of `0..below`.
    fn draw(&mut self, below: u64) -> u64 {
        let fresh = self.next() % below;
        TAPE.with_borrow_mut(|tape| match tape {
            Tape::Blank => fresh,
            Tape::Records(draws) => {
                draws.push(fresh);
                fresh
            }
            Tape::Plays(draws, at) => {
                let old = draws.get(*at).copied().unwrap_or(0);
                *at += 1;
                old % below
            }
        })
    }

    /// One of `low..=high`.
    pub fn within(&mut self, low: u64, high: u64) -> u64 {
        low + self.draw(high - low + 1)
    }

    pub fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.draw(100) >= 100 - percent
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let index = usize::try_from(self.draw(of.len() as u64)).expect("a list is shorter than that");
        &of[index]
    }

    /// Each of `of` in half of the cases.
    pub fn some<T: Clone>(&mut self, of: &[T]) -> Vec<T> {
        of.iter().filter(|_| self.chance(50)).cloned().collect()
    }
}
