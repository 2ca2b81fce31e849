//! The console is lost, and the upgrade goes on.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::console::{Home, PATIENCE, begin, choose, contents, press, timeless, wait_until, walk};
use super::tty::{activity, state};
use super::tty_pty::Pty;

/// The upgrade of the first server, which stands still at 60 % until it may go on.
fn hanging(home: &Home, pty: &mut Pty) {
    home.order("ums-1", "install-never-ends:always\n");
    home.order("ums-2", "install-never-ends:always\n");
    begin(pty);
    pty.until_shown("Is that what is installed there?");
    choose(pty, "yes");
    pty.until_shown("[60%] unpacking");
}

/// Whoever joins now sees this page.
fn page_of(home: &Home) -> (Pty, String) {
    let mut pty = home.attach(&[]);
    pty.until_shown("Your answer is needed");
    pty.read(Duration::from_millis(300));
    let page = timeless(&contents(&pty));
    (pty, page)
}

fn lines(home: &Home) -> usize {
    std::fs::read_to_string(home.session().journal_path()).expect("the journal").lines().count()
}

#[test]
fn the_upgrade_outlives_every_way_to_lose_the_console() {
    let home = Home::new();
    let mut pty = home.rehearse();
    hanging(&home, &mut pty);
    let runner = home.runner().expect("a runner");
    // Killed outright, the terminal stays as it was; nobody could do better.
    pty.signal(Signal::KILL);
    assert_eq!(pty.end().code(), None);
    home.go_on("ums-1");
    home.wait_for("the question after the first server", |state| !state.questions.is_empty());
    let (mut pty, page) = page_of(&home);
    assert!(page.contains("# of # servers updated"), "{page}");
    assert!(contents(&pty).contains("1 of 2 servers updated"), "{}", contents(&pty));
    // The terminal goes away, twice: by a signal, and by itself.
    pty.signal(Signal::HUP);
    assert!(pty.end().code().is_some(), "it ends by itself");
    pty.assert_given_back();
    let (mut pty, again) = page_of(&home);
    assert_eq!(again, page, "the same page as before");
    walk(&mut pty, |text| text.contains("═ ums-2  Update the server") && text.contains("[60%]"));
    let before = lines(&home);
    pty.hang_up();
    assert!(pty.end().code().is_some(), "it ends by itself");
    home.go_on("ums-2");
    home.wait_for("the question after the second server", |state| !state.questions.is_empty());
    assert!(lines(&home) > before, "the journal grows");
    let (mut pty, _) = page_of(&home);
    pty.until_shown("2 of 2 servers updated");
    walk(&mut pty, |text| text.contains("Finished: the upgrade is done"));
    assert_eq!(
        home.state(|state| state.time.last.map(|stamp| stamp.epoch)),
        Some(1),
        "one runner from first to last"
    );
    assert_ne!(runner, pty.pid().as_raw_nonzero().get().unsigned_abs());
    press(&mut pty, "q");
    assert_eq!(pty.end().code(), Some(0));
    pty.assert_given_back();
    assert_eq!(home.seen().matches("install started").count(), 2, "{}", home.seen());
}

#[test]
fn a_stopped_console_costs_nothing_and_catches_up() {
    let home = Home::new();
    let mut first = home.rehearse();
    hanging(&home, &mut first);
    first.signal(Signal::TERM);
    first.end();
    first.assert_given_back();
    // At a shell with job control.
    let script = format!(
        "'{}' attach; echo; echo \"stopped: $?\"; read line; fg; echo \"over: $?\"",
        env!("CARGO_BIN_EXE_nofm")
    );
    let mut pty = Pty::log_in(&home.command("sh", &["-mc", &script]), PATIENCE);
    pty.until_shown("[60%] unpacking");
    pty.assert_taken();
    let client = child_of(pty.pid());
    pty.type_in(b"\x1a");
    pty.until_shown("stopped: ");
    pty.assert_given_back();
    assert!(state(client).starts_with('T'), "{}", state(client));
    let before = activity(client);
    home.go_on("ums-1");
    home.wait_for("the question after the first server", |state| !state.questions.is_empty());
    assert_eq!(activity(client), before, "what is stopped does nothing");
    pty.type_in(b"\n");
    pty.until_shown("Your answer is needed");
    pty.until_shown("1 of 2 servers updated");
    pty.assert_taken();
    press(&mut pty, "q");
    pty.until_shown("Leave this screen?");
    press(&mut pty, "y");
    pty.until_shown("over: 4");
    pty.end();
    pty.assert_given_back();
}

/// The one child of a process.
fn child_of(parent: Pid) -> Pid {
    let number = parent.as_raw_nonzero();
    let path = format!("/proc/{number}/task/{number}/children");
    let mut child = None;
    wait_until("a child", || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        child = text.split_whitespace().next().and_then(|pid| Pid::from_raw(pid.parse().ok()?));
        child.is_some()
    });
    child.expect("it was found")
}

#[test]
fn a_terminal_that_nobody_reads_holds_nothing_up() {
    let home = Home::new();
    let mut pty = home.rehearse();
    home.order("ums-1", "big-output\ninstall-never-ends\n");
    begin(&mut pty);
    pty.until_shown("Is that what is installed there?");
    choose(&mut pty, "yes");
    pty.until_shown("unpacking");
    // From here on nobody reads. Each of these draws everything anew: more than a terminal takes.
    pty.type_in(&b"\x0c".repeat(40));
    let session = home.session();
    let printed = || -> u64 {
        let folder = std::fs::read_dir(session.path().join("output")).expect("a folder");
        folder.flatten().map(|file| file.metadata().map_or(0, |meta| meta.len())).sum()
    };
    // The installer prints 100 MB meanwhile, as fast as it can.
    let mut most = 0;
    wait_until("what the installer prints is kept", || {
        let now = printed();
        let grew = now > most;
        most = most.max(now);
        most > 8 << 20 && !grew
    });
    home.wait_for("the step still runs", |state| {
        state.active_lanes().any(nofm::engine::LaneState::is_running)
    });
    let (sleeps, ticks) = activity(pty.pid());
    std::thread::sleep(Duration::from_secs(2));
    let (sleeps_after, ticks_after) = activity(pty.pid());
    // The clock on the page asks for a look a few times a second, and for nothing else.
    assert!(sleeps_after - sleeps < 150, "it woke up {} times", sleeps_after - sleeps);
    assert!(ticks_after - ticks < 20, "it used {} hundredths of a second", ticks_after - ticks);
    home.go_on("ums-1");
    home.wait_for("the question after the server", |state| {
        !state.questions.is_empty() && state.tally().is_some_and(|tally| tally.updated == 1)
    });
    // Somebody reads again, and sees what is the case now.
    pty.until_shown("Your answer is needed");
    pty.until_shown("1 of 2 servers updated");
    kill_process(pty.pid(), Signal::TERM).expect("it runs");
    pty.end();
    pty.assert_given_back();
}
