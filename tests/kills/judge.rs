//! What must hold once an upgrade is done, whatever was killed on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use nofm::client::{Follower, Mode};
use nofm::engine::{About, Cause, Choice, Close, End, Event, Outcome, Place, State, StepKey};
use nofm::journal::{self, SessionDir, StateDir};
use nofm::model::Known;

use super::farm::Farm;
use super::{Tally, add};

/// The session of one run, as its journal tells it.
struct Told {
    events: Vec<Event>,
    recorded: std::path::PathBuf,
}

pub fn judge(farm: &Farm, session: &SessionDir, tally: &mut Tally) {
    let verified = journal::verify(session).expect("the journal is whole and unchanged");
    assert_eq!(verified.torn, None);
    let read = journal::read_all::<Event>(session).expect("the journal is readable");
    let events: Vec<Event> = read.events.into_iter().map(|entry| entry.event).collect();
    let told = Told { events, recorded: session.path().join("output") };
    end_is_right(farm, session);
    for server in farm.updated_servers() {
        told.installed_as_ordered(farm, &server);
        assert!(farm.is_done("install", &server), "{server} does not have the new version");
    }
    if farm.is_igel {
        let seen = farm.bed.events();
        assert!(!seen.contains("MISHAP"), "{seen}");
        assert_eq!(seen.matches("renewed the schema").count(), 1, "{seen}");
    } else {
        assert_eq!(farm.starts("db-1"), 1, "the schema is renewed once");
        assert!(farm.is_done("renew", ""), "the schema is not renewed");
    }
    told.nothing_began_unsaid(farm);
    told.nothing_printed_is_lost(farm, tally);
    told.what_was_lost_was_not_believed(tally);
    told.count(tally);
}

fn end_is_right(farm: &Farm, session: &SessionDir) {
    let root = session.path().ancestors().nth(2).expect("a session is in a state folder");
    let state_dir = StateDir::at(root).expect("the state folder");
    let mut follower = Follower::open(&state_dir, session, "judge".into(), Mode::Rest).expect("readable");
    while follower.next_event().expect("readable").is_some() {}
    let state: &State = follower.state();
    assert_eq!(state.close(), Some(&Close::Done));
    let counted = state.tally().expect("it is counted");
    let all = farm.updated_servers().len();
    assert_eq!((counted.updated, counted.of), (all, all));
}

impl Told {
    /// One installation, and one more for each time that a person ordered it; each was started once, if its supervisor
    /// lived to start it.
    fn installed_as_ordered(&self, farm: &Farm, server: &str) {
        let of_server = |key: &StepKey| {
            key.lane.server.as_ref().is_some_and(|name| *name == *server) && is_installation(key)
        };
        let runs: Vec<&str> =
            self.intended().iter().filter(|(key, ..)| of_server(key)).map(|(_, run, _)| *run).collect();
        let orders = 1 + self.ordered(server);
        assert!(runs.len() <= orders, "{orders} times {server} was to be installed on: {runs:?}");
        let begun =
            runs.iter().filter(|run| farm.out(server, run).is_some_and(|out| !out.is_empty())).count();
        let starts = farm.starts(server);
        assert!((begun..=runs.len()).contains(&starts), "{starts} installations for {begun} of {runs:?}");
    }

    /// How often a person ordered the installation on a server once more.
    fn ordered(&self, server: &str) -> usize {
        let mut asked = BTreeMap::new();
        let mut ordered = 0;
        for event in &self.events {
            match event {
                Event::Asked { question } => {
                    asked.insert(format!("{:?}", question.about), question.about.clone());
                }
                Event::Replied { choice: Choice::Retry, .. } => {
                    // One failure at a time is asked about.
                    let about = asked.values().find_map(|about| match about {
                        About::Failure(key) => Some(key),
                        _ => None,
                    });
                    let key = about.expect("a failure was asked about");
                    let own = key.lane.server.as_ref().is_some_and(|name| *name == server);
                    ordered += usize::from(own && is_installation(key));
                    asked.clear();
                }
                Event::Replied { .. } | Event::Withdrawn { .. } => asked.clear(),
                _ => {}
            }
        }
        ordered
    }

    /// Each run with its step and its place.
    fn intended(&self) -> Vec<(&StepKey, &str, &Place)> {
        let intended = self.events.iter().filter_map(|event| match event {
            Event::StepIntended { key, targets, .. } => Some((key, targets)),
            _ => None,
        });
        intended
            .flat_map(|(key, targets)| {
                targets.iter().map(move |target| (key, target.run.as_str(), &target.place))
            })
            .collect()
    }

    /// Whatever a server knows to have run was journalled before, once.
    fn nothing_began_unsaid(&self, farm: &Farm) {
        let intended = self.intended();
        let runs: BTreeSet<&str> = intended.iter().map(|(_, run, _)| *run).collect();
        assert_eq!(runs.len(), intended.len(), "a run was intended twice");
        for server in farm.bed.servers() {
            for run in farm.runs(server) {
                assert!(runs.contains(run.as_str()), "{server} has the run {run}, which nobody intended");
            }
        }
    }

    /// What was followed to its end is recorded byte for byte, and of anything else its beginning.
    fn nothing_printed_is_lost(&self, farm: &Farm, tally: &mut Tally) {
        for (key, run, place) in self.intended() {
            let Place::Server(server) = place else { continue };
            // A file that is copied is no run of the server.
            let Some(out) = farm.out(server.as_str(), run) else { continue };
            let recorded = fs::read(self.recorded.join(format!("{run}.log"))).expect("what was printed");
            let ended = self.events.iter().find_map(|event| match event {
                Event::TargetEnded { key: of, place: at, end, bytes, .. } if of == key && at == place => {
                    Some((end, *bytes))
                }
                _ => None,
            });
            let (end, bytes) = ended.unwrap_or_else(|| panic!("{key} never ended"));
            assert_eq!(bytes, recorded.len() as u64, "{run}: what is said of its length");
            if let End::Exit(status) = end {
                assert_eq!(*status, 0, "{run}");
                assert!(recorded == out, "{run}: {} bytes recorded, {} printed", recorded.len(), out.len());
                if !farm.is_igel && key.step == "install" {
                    assert!(recorded == farm.printed, "{run}: printed {} bytes", farm.printed.len());
                }
                add(tally, "outputs byte for byte");
            } else {
                assert!(out.starts_with(&recorded), "{run}: what was recorded is not its beginning");
                add(tally, "outputs as far as could be seen");
            }
        }
    }

    /// What nobody saw the end of counts as done only where the servers, or a person, say so.
    fn what_was_lost_was_not_believed(&self, tally: &mut Tally) {
        for (at, event) in self.events.iter().enumerate() {
            let Event::TargetEnded { key, end: End::Lost(_), .. } = event else { continue };
            add(tally, "steps whose end nobody saw");
            let about = self.events[at..].iter().filter(|event| match event {
                Event::StepSettled { key: of, .. }
                | Event::StepUnknown { key: of, .. }
                | Event::StepFailed { key: of, .. } => of == key,
                _ => false,
            });
            let mut unknown = false;
            for event in about {
                match event {
                    Event::StepUnknown { .. } => unknown = true,
                    Event::StepSettled { outcome, known, .. } => {
                        assert_eq!(*outcome, Outcome::Succeeded);
                        let seen = *known == Known::Seen || (*known == Known::Told && unknown);
                        assert!(seen, "{key} was believed: {known:?}");
                        add(
                            tally,
                            if *known == Known::Seen {
                                "settled by the servers"
                            } else {
                                "settled by a person"
                            },
                        );
                    }
                    Event::StepFailed { cause, .. } => {
                        assert!(unknown && matches!(cause, Cause::Told { .. }), "{key} failed: {cause:?}");
                        add(tally, "failed by a person's word");
                    }
                    _ => {}
                }
            }
            if unknown {
                add(tally, "steps shown as unknown");
            }
        }
    }

    fn count(&self, tally: &mut Tally) {
        let opened = self.events.iter().filter(|event| matches!(event, Event::Opened { .. })).count();
        *tally.entry("runners").or_default() += opened as u64;
        for event in &self.events {
            match event {
                Event::TornTail { .. } => add(tally, "torn journals"),
                Event::ReachLost { .. } => add(tally, "servers out of reach"),
                Event::StepFailed { cause, key } if !matches!(cause, Cause::Told { .. }) => {
                    eprintln!("{key} failed: {cause:?}");
                    add(tally, "steps that failed otherwise");
                }
                _ => {}
            }
        }
    }
}

fn is_installation(key: &StepKey) -> bool {
    key.step.as_str().contains("install")
}
