//! A session that is not what it was, or that this program would carry on otherwise, is not resumed: nothing of it is
//! touched, and the reason is said.

use std::fs;
use std::path::PathBuf;

use nofm::journal::{SessionDir, StateDir};

use super::Farm;
use crate::journal::damage::{bodies, chained};

/// A session that stopped at a failure, and its files as they were written.
struct Stopped {
    farm: Farm,
    session: SessionDir,
    journal: String,
    setup: String,
}

impl Stopped {
    fn new() -> Self {
        let farm = Farm::new();
        // It fails as long as this is a folder: `rm` cannot take it away.
        fs::create_dir(farm.path("n1/fail")).expect("a folder");
        let said = farm.run_headless();
        assert_eq!(said.code, 4, "{}\n{}", said.out, said.err);
        let state_dir = StateDir::at(farm.path("home")).expect("the state folder");
        let session = state_dir.sessions().expect("sessions").remove(0);
        let read = |path: PathBuf| fs::read_to_string(path).expect("a file of the session");
        let (journal, setup) = (read(session.journal_path()), read(session.setup_path()));
        Self { farm, session, journal, setup }
    }

    fn put(&self, journal: &str, setup: &str) {
        fs::write(self.session.journal_path(), journal).expect("a journal");
        fs::write(self.session.setup_path(), setup).expect("a setup");
    }

    fn farms(&self) -> usize {
        fs::read_dir(self.farm.path("home/farms")).map_or(0, Iterator::count)
    }

    /// With these files, `resume` ends with `code` and says `words`, and a runner does nothing either.
    fn is_refused(&self, journal: &str, setup: &str, code: i32, words: &[&str]) {
        assert!(journal != self.journal || setup != self.setup, "nothing was changed for {words:?}");
        self.put(journal, setup);
        let farms = self.farms();
        let said = self.farm.nofm(&["resume", "--headless", "--answers", "answers.toml"]);
        assert_eq!(said.code, code, "{words:?}: {}\n{}", said.out, said.err);
        for words in words {
            assert!(said.err.contains(words), "{words}: {}", said.err);
        }
        assert!(!said.err.contains("starting the runner"), "{}", said.err);
        let path = self.session.path().to_str().expect("a plain path");
        let runner = self.farm.nofm(&["runner", path]);
        assert_ne!(runner.code, 0, "{words:?}: {}", runner.err);
        let now = fs::read_to_string(self.session.journal_path()).expect("the journal");
        assert!(now == journal, "{words:?}: something was journalled");
        assert_eq!(self.farms(), farms, "{words:?}: a farm was taken");
        let attach = self.farm.nofm(&["attach", self.session.id().as_str(), "--plain"]);
        assert_eq!(attach.code, 2, "{words:?}: {}", attach.err);
    }

    /// `review` ends with `code` for the files as they are now.
    fn review_ends(&self, code: i32) {
        let said = self.farm.nofm(&["review", self.session.id().as_str(), "--plain"]);
        assert_eq!(said.code, code, "{}", said.err);
    }
}

#[test]
fn a_session_that_is_not_as_it_was_or_not_understood_is_not_resumed() {
    let stopped = Stopped::new();
    let (journal, setup) = (stopped.journal.as_str(), stopped.setup.as_str());
    let lines: Vec<&str> = journal.lines().collect();
    let middle = lines.len() / 2;
    let whole = |lines: &[&str]| lines.join("\n") + "\n";

    let other = ["is not the file this session was started with", "put back the one it was started with"];
    stopped.is_refused(journal, &setup.replace("Marked as ready", "Marked as Ready"), 5, &other);
    stopped.is_refused(journal, &setup.replace("mini", "maxi"), 5, &other);
    stopped.is_refused(journal, "[[[", 5, &other);
    stopped.review_ends(5);

    let changed = "damaged or changed, and is not used: put back a copy";
    let at = format!("line {}", middle + 1);
    let mut removed = lines.clone();
    removed.remove(middle);
    stopped.is_refused(&whole(&removed), setup, 5, &[&at, changed]);
    let mut swapped = lines.clone();
    swapped.swap(middle, middle + 1);
    stopped.is_refused(&whole(&swapped), setup, 5, &[&at, changed]);
    stopped.is_refused(&journal.replacen("\"n1\"", "\"n2\"", 1), setup, 5, &[changed]);
    stopped.review_ends(5);

    let newer = journal.replacen("\"nofm_journal\":1", "\"nofm_journal\":2", 1);
    stopped.is_refused(&newer, setup, 2, &["is in format 2", "use nofm"]);
    stopped.review_ends(2);
    let future = chained(bodies(&journal.replacen("\"opened\":{", "\"foreseen\":{", 1)));
    stopped.is_refused(&future, setup, 2, &["does not know what it says", "`foreseen`", "use that"]);
    stopped.review_ends(2);

    stopped.put(journal, setup);
    fs::remove_dir(stopped.farm.path("n1/fail")).expect("a folder");
    let said = stopped.farm.nofm(&["resume", "--headless", "--answers", "answers.toml"]);
    assert_eq!(said.code, 0, "as it was, it goes on: {}\n{}", said.out, said.err);
}

#[test]
fn a_session_whose_plan_this_program_makes_otherwise_is_not_resumed() {
    let stopped = Stopped::new();
    let own = format!("\"program\":\"{}\"", env!("CARGO_PKG_VERSION"));
    let fixed = stopped.journal.lines().find(|line| line.contains("\"plan_fixed\"")).expect("a plan");
    let (before, rest) = fixed.split_once("\"hash\":\"").expect("its hash");
    let (_, behind) = rest.split_once('"').expect("its end");
    let other = format!("{before}\"hash\":\"{}\"{behind}", "0".repeat(64));
    let journal = stopped.journal.replace(fixed, &other).replace(&own, "\"program\":\"9.8.7\"");
    let journal = chained(bodies(&journal));
    let words = ["its plan was made by nofm 9.8.7", "makes another one", "nothing was touched", "nofm run"];
    stopped.is_refused(&journal, &stopped.setup, 2, &words);
    assert_eq!(stopped.farm.version("n1"), "1.0");
    let listed = stopped.farm.nofm(&["sessions"]);
    assert!(listed.out.contains("only nofm 9.8.7 resumes it"), "{}", listed.out);
}
