//! What is killed when in one run.

use std::fmt;

use crate::sim::rng::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    Runner,
    /// The client alone; the runner goes on.
    Console,
    /// Every connection to one server.
    Connections,
    /// The processes that serve the connections to one server.
    Sessions,
    /// The whole sshd of one server, which comes back.
    Sshd,
    /// Whoever watches a step on its server; what it started goes on.
    Supervisor,
    /// Everything on one server, which boots anew.
    Reboot,
}

impl Kill {
    pub const ALL: [Self; 7] = [
        Self::Runner,
        Self::Console,
        Self::Connections,
        Self::Sessions,
        Self::Sshd,
        Self::Supervisor,
        Self::Reboot,
    ];
    const ANYWHERE: [Self; 4] = [Self::Runner, Self::Console, Self::Supervisor, Self::Reboot];
    /// The product's own installer does not outlive its server.
    const OF_IGEL: [Self; 6] =
        [Self::Runner, Self::Console, Self::Supervisor, Self::Connections, Self::Sessions, Self::Sshd];

    pub fn told(self) -> &'static str {
        match self {
            Self::Runner => "killed: runner",
            Self::Console => "killed: console",
            Self::Connections => "killed: connections of a server",
            Self::Sessions => "killed: ssh sessions of a server",
            Self::Sshd => "killed: sshd of a server",
            Self::Supervisor => "killed: supervisor of a step",
            Self::Reboot => "killed: a whole server",
        }
    }
}

pub struct Plan {
    pub seed: u64,
    /// The IGEL lab; a farm of two servers and a database else.
    pub igel: bool,
    pub ssh: bool,
    /// How long after the one before, and what.
    pub kills: Vec<(u64, Kill)>,
    pub rng: Rng,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let (igel, ssh) = (seed % 10 >= 8, seed % 2 == 1);
        let kinds: &[Kill] = match (igel, ssh) {
            (true, true) => &Kill::OF_IGEL,
            (true, false) => &Kill::ANYWHERE[..3],
            (false, true) => &Kill::ALL,
            (false, false) => &Kill::ANYWHERE,
        };
        let most = if igel { 800 } else { 1_300 };
        let kills = (0..rng.within(1, 6)).map(|_| (rng.within(20, most), *rng.pick(kinds))).collect();
        Self { seed, igel, ssh, kills, rng }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let farm = if self.igel { "the IGEL lab" } else { "the small farm" };
        let way = if self.ssh { "over ssh" } else { "on this machine" };
        write!(f, "seed {}, {farm} {way}, {:?}", self.seed, self.kills)
    }
}
