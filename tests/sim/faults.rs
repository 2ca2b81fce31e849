//! What goes wrong around the engine, drawn from a seed: runners, servers, connections, clocks, answers, the disk.

use nofm::engine::{Event, Place};
use nofm::model::ServerName;

use super::due::Due;
use super::rng::Rng;
use super::session::{Crashed, Crashes, Session};
use super::world::FactAt;

/// What becomes of the journal's disk.
#[derive(Clone, Copy, Debug)]
pub enum Disk {
    /// No room for the event: the reserve takes the last words, and somebody makes room.
    Full,
    /// What was not synced yet is gone, and so is the runner.
    Broken,
}

/// Everything that goes wrong, for the tests that it all does.
pub const KINDS: [&str; 17] = [
    "a disk that is nearly full",
    "a runner that dies",
    "a runner that dies as it opens",
    "a tail of the journal that is lost",
    "a full disk",
    "a broken disk",
    "a server without power",
    "a start that never arrived",
    "a start whose answer was lost",
    "a start sent twice",
    "an answer that comes twice",
    "an end that comes twice",
    "a clock that jumps",
    "a fact that is not so",
    "no answer",
    "a step that goes wrong",
    "all is well again",
];

/// Draws what goes wrong in `session`, and when all of it heals.
pub fn disturb(session: &mut Session, rng: &mut Rng) {
    session.crashes = match rng.within(0, 9) {
        0..=4 => Crashes::Never,
        5 => Crashes::Always,
        _ => Crashes::Percent(rng.within(1, 20)),
    };
    session.loses_tails = rng.chance(60) && !matches!(session.crashes, Crashes::Always);
    session.repeats = if rng.chance(50) { rng.within(1, 10) } else { 0 };
    if rng.chance(20) {
        session.world.clock_error_ms = -3_600_000;
    }
    let names: Vec<ServerName> =
        session.setup.inventory.servers.iter().map(|server| server.name.clone()).collect();
    let hour_ms = 3_600_000;
    for _ in 0..rng.within(0, 2) {
        if rng.chance(50) {
            let (at_ms, for_ms) = (rng.within(5_000, 900_000), rng.within(1_000, 300_000));
            let server = rng.pick(&names).clone();
            session.due(at_ms, Due::Away { server: server.clone(), for_ms });
            session.due(at_ms + for_ms, Due::Back(server));
        }
        if rng.chance(40) {
            let (at_ms, for_ms) = (rng.within(5_000, 900_000), rng.within(20_000, 400_000));
            let server = rng.pick(&names).clone();
            session.due(at_ms, Due::PowerOff { server: server.clone(), for_ms });
            session.due(at_ms + for_ms, Due::PowerOn(server));
        }
        if rng.chance(30) {
            let ms = *rng.pick(&[hour_ms, -hour_ms, 61_000]);
            let server = rng.chance(50).then(|| rng.pick(&names).clone());
            session.due(rng.within(1_000, 900_000), Due::ClockJumps { server, ms });
        }
        if rng.chance(30) {
            lie(session, rng);
        }
        if rng.chance(20) {
            let (at_ms, for_ms) = (rng.within(5_000, 900_000), rng.within(1_000, 400_000));
            session.due(at_ms, Due::Room(false));
            session.due(at_ms + for_ms, Due::Room(true));
        }
        if rng.chance(15) {
            let fault = *rng.pick(&[Disk::Full, Disk::Broken]);
            let at = usize::try_from(rng.within(5, 600)).expect("small");
            session.disk.insert(at, fault);
        }
    }
    session.due(rng.within(60_000, 3 * hour_ms.unsigned_abs()), Due::Heals);
}

/// A fact says for a while what it says elsewhere, or will say later.
fn lie(session: &mut Session, rng: &mut Rng) {
    let known: Vec<FactAt> = session.world.facts.keys().cloned().collect();
    if known.is_empty() {
        return;
    }
    let at = rng.pick(&known).clone();
    let like = known.iter().filter(|(fact, _)| *fact == at.0);
    let mut words: Vec<String> = like.map(|at| session.world.facts[at].clone()).collect();
    words.extend(["yes", "no", "2.0", "0"].map(str::to_owned));
    let from_ms = rng.within(0, 900_000);
    let word = rng.pick(&words).clone();
    session.world.lies.insert(at, (word, from_ms, from_ms + rng.within(1_000, 600_000)));
}

/// How a start fares at a place of which nothing is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Sent once more when the server is heard of again.
    NotArrived,
    /// It runs, which nobody hears of before then.
    Unheard,
    /// It runs, and is sent again nevertheless.
    Again,
}

impl Start {
    pub fn drawn(rng: &mut Rng) -> Self {
        *rng.pick(&[Self::NotArrived, Self::Unheard, Self::Again])
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::NotArrived => "a start that never arrived",
            Self::Unheard => "a start whose answer was lost",
            Self::Again => "a start sent twice",
        }
    }
}

impl Session {
    /// What of this comes about by itself, at its time.
    pub(super) fn befall(&mut self, due: Due) -> Result<(), Crashed> {
        match due {
            Due::Away { server, for_ms } => {
                let until_ms = self.world.now_ms + for_ms;
                self.world.away.insert(server.clone(), until_ms);
                self.is_lost(server)
            }
            Due::PowerOff { server, for_ms } => {
                self.world.inject("a server without power");
                let until_ms = self.world.now_ms + for_ms;
                self.world.cut_power(&server, until_ms);
                self.is_lost(server)
            }
            Due::PowerOn(server) => {
                self.world.power_on(&server);
                self.is_back(server)
            }
            Due::ClockJumps { server, ms } => {
                self.world.inject("a clock that jumps");
                match server {
                    Some(server) => *self.world.clocks.entry(server).or_default() += ms,
                    None => self.world.clock_error_ms += ms,
                }
                Ok(())
            }
            Due::Room(true) if self.state.room_low.is_some() => {
                self.append(Event::RoomBack { free: 1 << 30 })
            }
            Due::Room(false) if self.state.room_low.is_none() => {
                self.world.inject("a disk that is nearly full");
                self.append(Event::RoomLow { free: 1 << 20, path: "/state".into() })
            }
            Due::Heals => {
                self.world.inject("all is well again");
                self.heal();
                self.befall(Due::Room(true))?;
                let lost: Vec<ServerName> = self.state.lost.keys().cloned().collect();
                lost.into_iter().try_for_each(|server| self.is_back(server))
            }
            _ => Ok(()),
        }
    }

    /// The place of which nothing is heard, and until when.
    pub(super) fn unheard(&self, place: &Place) -> Option<u64> {
        self.world.away_until(place).map(|until_ms| until_ms - self.world.now_ms + 1)
    }
}
