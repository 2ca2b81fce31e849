//! Whole rehearsals by keys alone.

use std::time::Duration;

use nofm::engine::Event;

use super::console::{Home, begin, choose, contents, press, wait_until, walk};
use super::tty_pty::Pty;

/// What stands on the terminal once the full screen is gone.
fn afterwards(pty: &Pty) -> String {
    let written = String::from_utf8_lossy(&pty.written).into_owned();
    written.rsplit("\x1b[?1049l").next().unwrap_or_default().to_owned()
}

#[test]
fn a_rehearsal_from_the_first_page_to_the_last_by_keys_alone() {
    let home = Home::new();
    let mut pty = home.nofm(&[]);
    pty.until_shown("What do you want to do?");
    pty.until_shown("> 1  Rehearse");
    press(&mut pty, "\r");
    pty.until_shown("Rehearse which upgrade?");
    // IGEL's, by its number.
    press(&mut pty, "3");
    pty.until_shown("─ Welcome ─");
    // The farm is as slow as for a person: faster, now.
    let settings = home.lab("lib/settings");
    let text = std::fs::read_to_string(&settings).expect("the settings of the farm");
    let fast = text.replace("speed='1'", "speed='40'").replace("poll='0.5'", "poll='0.1'");
    assert_ne!(text, fast);
    std::fs::write(&settings, fast).expect("they are written");
    let pages = walk(&mut pty, |text| text.contains("G BEGIN"));
    let all =
        ["Welcome", "Licence", "Information", "Components", "Inputs", "Prechecks", "Requirements", "Summary"];
    assert_eq!(pages, all, "every page, in its order");
    begin(&mut pty);
    walk(&mut pty, |text| text.contains("Finished: the upgrade is done"));
    pty.until_shown("4 of 4 servers updated");
    press(&mut pty, "q");
    assert_eq!(pty.end().code(), Some(0));
    pty.assert_given_back();
    let said = afterwards(&pty);
    for text in ["Finished: the upgrade is done", "4 of 4 servers updated", "nofm review "] {
        assert!(said.contains(text), "no {text:?} in:\n{said}");
    }
    let seen = home.seen();
    assert!(!seen.contains("MISHAP"), "{seen}");
    assert_eq!(seen.matches("renewed the schema").count(), 1, "{seen}");
}

#[test]
fn a_failure_in_the_middle_is_answered_by_number_and_gone_past() {
    let home = Home::new();
    let mut pty = home.nofm(&[
        "lab",
        "igel-ums-ha",
        "--count",
        "ums=3",
        "--count",
        "lb=0",
        "--count",
        "console=0",
        "--speed",
        "30",
        "--fault",
        "install-fails-middle",
    ]);
    begin(&mut pty);
    walk(&mut pty, |text| text.contains(" failed ═"));
    let text = contents(&pty);
    for what in ["1 of 3 servers updated (1 FAILED)", "HELD", "X ums-2: ", "exit status 1", " retry: "] {
        assert!(text.contains(what), "no {what:?} on:\n{text}");
    }
    choose(&mut pty, "retry");
    walk(&mut pty, |text| text.contains("Finished: the upgrade is done"));
    pty.until_shown("3 of 3 servers updated");
    press(&mut pty, "q");
    assert_eq!(pty.end().code(), Some(0));
    assert_eq!(home.seen().matches("ums-2 install started").count(), 2, "{}", home.seen());
}

#[test]
fn a_question_takes_no_key_that_came_before_it_could_be_read() {
    let home = Home::new();
    let mut pty = home.rehearse();
    begin(&mut pty);
    let replies =
        |home: &Home| home.events().iter().filter(|event| matches!(event, Event::Replied { .. })).count();
    let before = replies(&home);
    while !pty.shows("Is that what is installed there?") {
        pty.type_in(b"1y\ry");
        pty.read(Duration::from_millis(30));
        if pty.shows("what it printed") {
            press(&mut pty, "\x1b");
        }
    }
    wait_until("the keys are read", || {
        pty.read(Duration::from_millis(200));
        pty.shows("press it again") || pty.shows("Is that what is installed there?")
    });
    assert_eq!(replies(&home), before, "nothing was answered");
    assert!(home.state(|state| state.questions.len() == 1));
    // What covers a question hides it: it is new again once it is gone.
    press(&mut pty, "?");
    pty.until_shown("═ Keys: ");
    std::thread::sleep(Duration::from_millis(500));
    pty.type_in(b"?");
    pty.until("the question", |screen| !screen.contents().contains("═ Keys: "));
    pty.type_in(b"1\r");
    pty.until_shown("That key came before the question could be read");
    assert_eq!(replies(&home), before, "nothing was answered");
    choose(&mut pty, "yes");
    wait_until("the answer", || replies(&home) == before + 1);
}
