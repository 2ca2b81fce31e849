//! The program itself at a terminal of 80 x 24: a real farm of stand-ins, a real runner, keys, and what is seen.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nofm::client::{Follower, Mode};
use nofm::engine::{Event, State};
use nofm::journal::{Reader, SessionDir, StateDir};

use super::tty_pty::Pty;

/// How long anything may take, on a machine that has other things to do.
pub(super) const PATIENCE: Duration = Duration::from_mins(3);
/// How long a key may take until it shows.
const BEAT: Duration = Duration::from_millis(600);

/// The smallest farm there is, and a fast one.
pub(super) const SMALL: [&str; 8] =
    ["--count", "ums=2", "--count", "lb=0", "--count", "console=0", "--speed", "30"];

/// A state folder of its own. What runs on behalf of it ends with it.
pub(super) struct Home {
    folder: tempfile::TempDir,
    others: Vec<Child>,
}

impl Drop for Home {
    fn drop(&mut self) {
        for other in &mut self.others {
            let _ = other.kill();
            let _ = other.wait();
        }
        crate::rehearsals::end_runners(&self.path(""));
        let _ = nofm::lab::remove(&self.lab(""));
    }
}

impl Home {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), others: Vec::new() }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn lab(&self, name: &str) -> PathBuf {
        self.path("labs/igel_ums_ha").join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a file");
    }

    pub(super) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .env("NOFM_HOME", self.folder.path())
            .env("USER", "tester")
            .env("LC_ALL", "C.UTF-8");
        for name in ["NO_COLOR", "NOFM_PLAIN", "ACCESSIBLE", "COLORTERM"] {
            command.env_remove(name);
        }
        command
    }

    /// The full screen, at a terminal of its own.
    pub(super) fn nofm(&self, args: &[&str]) -> Pty {
        Pty::log_in(&self.command(env!("CARGO_BIN_EXE_nofm"), args), PATIENCE)
    }

    /// A rehearsal on the smallest farm, on its first page.
    pub(super) fn rehearse(&self) -> Pty {
        let mut pty = self.nofm(&[&["lab", "igel-ums-ha"], &SMALL[..]].concat());
        pty.until_shown("─ Welcome ─");
        pty
    }

    /// Whoever joins sees a page of the session, not the shell.
    pub(super) fn attach(&self, args: &[&str]) -> Pty {
        let mut pty = self.nofm(&[&["attach"], args].concat());
        pty.until("the full screen", |screen| {
            screen.alternate_screen() && !screen.contents().trim().is_empty()
        });
        pty
    }

    /// The program without a person.
    pub(super) fn headless(&mut self, args: &[&str]) {
        let child = self
            .command(env!("CARGO_BIN_EXE_nofm"), args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("nofm starts");
        self.others.push(child);
    }

    /// The newest session, once it has a runner.
    pub(super) fn session(&self) -> SessionDir {
        let mut newest = None;
        wait_until("a session with a runner", || {
            let found = StateDir::at(self.path("")).and_then(|state| state.sessions()).unwrap_or_default();
            newest = found.into_iter().next();
            newest.as_ref().is_some_and(|session| session.journal_path().exists())
        });
        newest.expect("it was found")
    }

    /// Looks at the session as it is now.
    pub(super) fn state<T>(&self, look: impl Fn(&State) -> T) -> T {
        let state_dir = StateDir::at(self.path("")).expect("the state folder");
        let mut follower = Follower::open(&state_dir, &self.session(), "tester-looks".into(), Mode::Rest)
            .expect("the session is readable");
        while follower.next_event().expect("the journal is readable").is_some() {}
        look(follower.state())
    }

    pub(super) fn wait_for(&self, what: &str, holds: impl Fn(&State) -> bool) {
        wait_until(what, || self.state(&holds));
    }

    /// What is journalled so far.
    pub(super) fn events(&self) -> Vec<Event> {
        let mut reader = Reader::open(&self.session()).expect("a journal");
        let mut events = Vec::new();
        // The last line may be half written.
        while let Ok(Some(entry)) = reader.next_event::<Event>() {
            events.push(entry.event);
        }
        events
    }

    /// What the stand-ins saw happen.
    pub(super) fn seen(&self) -> String {
        fs::read_to_string(self.lab("events.log")).unwrap_or_default()
    }

    /// Something goes wrong on `server` from now on.
    pub(super) fn order(&self, server: &str, faults: &str) {
        fs::write(self.lab(server).join("etc/lab/faults"), faults).expect("the faults of a stand-in");
    }

    /// Lets the installer go on that hangs on `server`.
    pub(super) fn go_on(&self, server: &str) {
        fs::write(self.lab(server).join("etc/lab/go-on"), "").expect("a file of a stand-in");
    }

    /// A file of the farm with `more` behind it.
    pub(super) fn append(&self, name: &str, more: &str) {
        let path = self.lab(name);
        let text = fs::read_to_string(&path).expect("a file of the farm") + more;
        let mode = fs::metadata(&path).expect("its mode").permissions().mode();
        fs::write(&path, text).expect("it is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
    }

    pub(super) fn runner(&self) -> Option<u32> {
        self.session().holder().expect("the lock is readable").map(|holder| holder.pid)
    }
}

pub(super) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub(super) fn contents(pty: &Pty) -> String {
    pty.terminal.screen().contents()
}

/// Types `keys`, and waits until something changes on the screen, or nothing does.
pub(super) fn press(pty: &mut Pty, keys: &str) {
    let before = contents(pty);
    pty.type_in(keys.as_bytes());
    let began = Instant::now();
    while contents(pty) == before && began.elapsed() < BEAT {
        pty.read(Duration::from_millis(20));
    }
}

/// The number that stands before the choice called `word`.
fn number_of(text: &str, word: &str) -> Option<u32> {
    let at = text.find(&format!(" {word}: ")).or_else(|| text.find(&format!(">{word}: ")))?;
    text[..at].chars().next_back()?.to_digit(10)
}

/// Answers the question on the screen.
pub(super) fn choose(pty: &mut Pty, word: &str) {
    let began = Instant::now();
    while let Some(number) = number_of(&contents(pty), word) {
        let marked = format!(">{number} {word}: ");
        press(pty, &number.to_string());
        if pty.shows(&marked) {
            press(pty, "\r");
            if pty.shows("─ Are you sure?") || pty.shows("═ Are you sure?") {
                press(pty, "y");
            }
            if pty.shows("Your answer:") {
                pty.type_in(b"yes\r");
            }
            // It stays on the screen until the runner has it in the journal.
            let began = Instant::now();
            while pty.shows(&marked) && began.elapsed() < Duration::from_secs(5) {
                pty.read(Duration::from_millis(20));
            }
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{word} cannot be chosen:\n{}", contents(pty));
    }
}

/// The page that is shown.
pub(super) fn page(pty: &Pty) -> Option<String> {
    let text = contents(pty);
    let row = text.lines().nth(1)?;
    let title = row.rsplit("┌─ ").next()?;
    let title: String = title.chars().take_while(|c| c.is_alphabetic() || *c == ' ').collect();
    row.contains("─ Steps ─").then(|| title.trim().to_owned())
}

/// Does what the page on the screen asks for, until `there`. Gives the pages before the start that were gone through.
pub(super) fn walk(pty: &mut Pty, there: impl Fn(&str) -> bool) -> Vec<String> {
    let mut pages: Vec<String> = Vec::new();
    let began = Instant::now();
    loop {
        pty.read(Duration::from_millis(20));
        let text = contents(pty);
        if let Some(page) = page(pty)
            && pages.last() != Some(&page)
        {
            pages.push(page);
        }
        if there(&text) {
            return pages;
        }
        assert!(began.elapsed() < PATIENCE, "never there:\n{text}");
        step(pty, &text);
    }
}

fn step(pty: &mut Pty, text: &str) {
    let offered = ["yes", "tell", "start", "retry"].into_iter().find(|word| number_of(text, word).is_some());
    if let Some(word) = offered {
        choose(pty, word);
    } else if text.contains("Space Confirm") || text.contains("Space Agree") {
        press(pty, " ");
    } else if text.lines().any(|row| row.contains("(needs: ") && row.contains(" agreement")) {
        // The rows in between need none.
        press(pty, "j");
    } else if text.contains("[ Next ]  ") || text.contains("F10 Next") {
        // What the operator is told may stand where the buttons do.
        press(pty, "n");
    }
}

/// Through the pages before the start, and begins.
pub(super) fn begin(pty: &mut Pty) {
    walk(pty, |text| text.contains("G BEGIN"));
    press(pty, "g");
    pty.until_shown("Type the word begin to start:");
    pty.type_in(b"begin\r");
    pty.until_shown("servers updated");
}

/// `text` without what only time changes.
pub(super) fn timeless(text: &str) -> String {
    let row = |row: &str| row.chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect::<String>();
    text.lines().map(row).collect::<Vec<_>>().join("\n")
}
