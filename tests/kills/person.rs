//! An operator who looks at the servers and says what is so, where nothing else can tell.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nofm::client::{Follower, Mode, Runner};
use nofm::engine::{About, Choice, Intent, Phase, ProbeKey};
use nofm::journal::{SessionDir, StateDir};

use super::farm::{Farm, IGEL_VERSIONS};

const PATIENCE: Duration = Duration::from_secs(20);
/// How long before the start something may take to be asked.
const IDLE: Duration = Duration::from_secs(1);

pub struct Person {
    follower: Follower,
    /// Questions that were answered; who was refused does not insist.
    answered: BTreeSet<u64>,
    began: Instant,
}

impl Person {
    /// Starts a runner and follows it. `None`: it was killed before it answered.
    pub fn start(state_dir: &StateDir, session: &SessionDir) -> (Option<Self>, Child) {
        let mut runner = Command::new(env!("CARGO_BIN_EXE_nofm"))
            .arg("runner")
            .arg(session.path())
            .env("NOFM_HOME", state_dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("a runner starts");
        let began = Instant::now();
        loop {
            if let Ok(follower) = Follower::open(state_dir, session, "person".into(), Mode::Live) {
                return (Some(Self { follower, answered: BTreeSet::new(), began }), runner);
            }
            if runner.try_wait().expect("it is waited for").is_some() {
                return (None, runner);
            }
            assert!(began.elapsed() < PATIENCE, "the runner does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Answers what is asked. False: there is no runner any more, or nothing for a person to look at.
    pub fn answers(&mut self, farm: &Farm) -> bool {
        self.follower.wait(Duration::from_millis(5)).expect("the session is followed");
        while self.follower.next_event().expect("the journal is readable").is_some() {}
        if self.follower.state().close().is_some() || self.follower.runner() == Runner::Gone {
            return false;
        }
        let state = self.follower.state();
        let open: Vec<_> = state.questions.values().cloned().collect();
        let idle = open.is_empty() && state.phase == Phase::Preparing && state.measures.is_empty();
        if idle && self.began.elapsed() > IDLE {
            return false;
        }
        for question in open {
            if self.answered.contains(&question.id) {
                continue;
            }
            let Some((choice, text)) = word(&question.about, farm) else { continue };
            self.answered.insert(question.id);
            let text = text.to_owned();
            // The runner may be killed in this very moment.
            let _ = self.follower.send(&Intent::Reply { question: question.id, choice, text });
        }
        true
    }
}

/// `None`: it cannot be told yet.
fn word(about: &About, farm: &Farm) -> Option<(Choice, &'static str)> {
    match about {
        About::Settle(key) => {
            let server = key.lane.server.as_ref().expect("all steps are of a server").as_str();
            // In this order: it may come to its end in between.
            let at_work = is_at_work(farm, key.step.as_str(), server);
            match (farm.is_done(key.step.as_str(), server), at_work) {
                (true, _) => Some((Choice::Succeeded, "the new version is there")),
                (false, true) => None,
                (false, false) => Some((Choice::Failed, "it was cut off")),
            }
        }
        // It was cut off before it did anything, and may be ordered once only.
        About::Failure(key) if key.step == "renew" => {
            farm.renew_by_hand();
            Some((Choice::ByHand, ""))
        }
        About::Failure(_) => Some((Choice::Retry, "")),
        About::Confirm(_) => Some((Choice::Yes, "")),
        About::Tell(ProbeKey::Fact(fact, Some(server))) if fact.as_str().contains("version") => {
            let new = farm.is_done("install", server.as_str());
            Some((Choice::Tell, if new { IGEL_VERSIONS[1] } else { IGEL_VERSIONS[0] }))
        }
        About::Tell(_) => Some((Choice::Tell, "yes")),
        other => panic!("nobody expected to be asked this: {other:?}"),
    }
}

/// Whether what a step started may still be at work.
pub fn is_at_work(farm: &Farm, step: &str, server: &str) -> bool {
    farm.is_at_work(if step == "renew" { "db-1" } else { server })
}
