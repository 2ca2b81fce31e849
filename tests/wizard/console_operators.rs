//! More than one viewer of a session.

use std::time::{Duration, Instant};

use nofm::engine::Event;
use nofm::model::ViewerId;

use super::console::{Home, SMALL, begin, choose, contents, press, timeless, walk};
use super::tty_pty::Pty;

/// The page without the header, and without what time alone changes.
fn body(pty: &mut Pty) -> Vec<String> {
    pty.read(Duration::from_millis(100));
    let text = timeless(&contents(pty));
    let row = |row: &str| match row.rfind(" +#") {
        Some(at) if row.contains("servers updated") => row[..at].trim_end().to_owned(),
        _ => row.replace(['■', '·'], " ").trim_end().to_owned(),
    };
    text.lines().skip(1).take(20).map(row).collect()
}

#[test]
fn who_looks_on_sees_the_same_page_and_can_send_nothing() {
    let mut home = Home::new();
    let faults = ["--fault", "install-never-ends"];
    home.headless(&[&["lab", "igel-ums-ha", "--headless"], &SMALL[..], &faults].concat());
    home.session();
    let mut watcher = home.attach(&["--watch"]);
    watcher.until_shown("LOOKING ON");
    watcher.until_shown("1 of 2 servers updated");
    watcher.until_shown("[60%] unpacking");
    // Another operator beside the one at work, who has the pen.
    let mut second = home.attach(&[]);
    second.until_shown("NO PEN");
    second.until_shown("[60%] unpacking");
    let began = Instant::now();
    // Each is drawn in its own moment.
    let (mut seen, mut other) = (body(&mut watcher), body(&mut second));
    while seen != other && began.elapsed() < Duration::from_secs(15) {
        (seen, other) = (body(&mut watcher), body(&mut second));
    }
    assert_eq!(seen.join("\n"), other.join("\n"), "the same page");
    assert!(watcher.shows("1 of 2 servers updated") && second.shows("1 of 2 servers updated"));
    for keys in ["p", "s", "y", "o", "g", "t", "y", "c", "1", "\r"] {
        press(&mut watcher, keys);
    }
    // Enter opened what the server printed.
    watcher.until_shown("what it printed");
    press(&mut watcher, "\x1b");
    watcher.until_shown("1 of 2 servers updated");
    watcher.until_shown("LOOKING ON");
    home.go_on("ums-2");
    watcher.until_shown("2 of 2 servers updated");
    watcher.until_shown("Finished: the upgrade is done");
    watcher.until_shown("LOOKING ON");
    let viewers: Vec<ViewerId> = home
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Paused { viewer, .. }
            | Event::StopWanted { viewer }
            | Event::PenTaken { viewer, .. }
            | Event::LeftOut { viewer, .. }
            | Event::Refused { viewer, .. }
            | Event::Replied { viewer, .. } => Some(viewer),
            _ => None,
        })
        .collect();
    let pid = watcher.pid().as_raw_nonzero().to_string();
    assert!(
        !viewers.is_empty() && viewers.iter().all(|viewer| !viewer.as_str().ends_with(&pid)),
        "{viewers:?}"
    );
    press(&mut watcher, "q");
    assert_eq!(watcher.end().code(), Some(0));
    watcher.assert_given_back();
}

#[test]
fn the_pen_passes_to_who_takes_it_and_the_other_is_told() {
    let home = Home::new();
    let mut first = home.rehearse();
    walk(&mut first, |text| text.contains("─ Information ─"));
    // What is looked at is told a moment later.
    first.read(Duration::from_millis(500));
    let mut second = home.attach(&[]);
    second.until_shown("NO PEN");
    second.until_shown("─ Information ─");
    let holder = format!("tester-{}", first.pid().as_raw_nonzero());
    press(&mut second, " ");
    second.until_shown(&format!("{holder} holds the pen; T takes it over"));
    press(&mut second, "t");
    second.until_shown(&format!("held by: {holder}"));
    press(&mut second, "y");
    first.until_shown("NO PEN");
    second.until("the pen", |screen| !screen.contents().contains("NO PEN"));
    let taker = format!("tester-{}", second.pid().as_raw_nonzero());
    press(&mut first, " ");
    first.until_shown(&format!("{taker} holds the pen; T takes it over"));
    let confirmed = |home: &Home| home.state(|state| state.notices.len());
    let before = confirmed(&home);
    press(&mut first, " ");
    press(&mut first, " ");
    assert_eq!(confirmed(&home), before, "nothing came of it");
    press(&mut second, " ");
    home.wait_for("the notice confirmed", |state| state.notices.len() > before);
    // A question is shown to both, and only one can answer it.
    begin(&mut second);
    second.until_shown("Your answer is needed");
    first.until_shown("Your answer is needed");
    press(&mut first, "1");
    press(&mut first, "\r");
    first.until_shown("holds the pen");
    assert!(home.state(|state| !state.questions.is_empty()), "it is still open");
    choose(&mut second, "yes");
    home.wait_for("the answer", |state| state.questions.is_empty());
}
