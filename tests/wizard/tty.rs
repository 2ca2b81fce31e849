//! The terminal, taken and given back, by a program that has nothing else to do.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::tty_child::{LAST_WORDS, hex};
use super::tty_pty::{LIMIT, Pty};

fn begun(part: &str) -> Pty {
    let mut pty = Pty::start(part);
    pty.until_shown("frame 1 of 80 x 24");
    pty.assert_taken();
    pty
}

#[test]
fn the_terminal_is_given_back_as_it_was() {
    for part in ["plain", "without a session"] {
        let mut pty = begun(part);
        pty.type_in(b"q");
        assert!(pty.end().success());
        pty.assert_given_back();
    }
}

#[test]
fn nothing_is_asked_of_the_terminal() {
    let mut pty = begun("plain");
    let written = String::from_utf8_lossy(&pty.written).into_owned();
    for question in ["\x1b[6n", "\x1b[c", "\x1b[0c", "\x1b[>", "$p", "\x1b]", "\x1bP"] {
        assert!(!written.contains(question), "{question:?} is a question");
    }
    pty.type_in(b"q");
    pty.end();
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    for (key, message) in [(b"p", "a fault in the main thread"), (b"t", "a fault in another thread")] {
        let mut pty = begun("plain");
        pty.type_in(key);
        pty.end();
        pty.assert_given_back();
        let written = String::from_utf8_lossy(&pty.written).into_owned();
        let back = written.rfind("\x1b[?1049l").unwrap();
        let told = written.rfind(message).unwrap();
        let words = written.rfind(LAST_WORDS).unwrap();
        assert!(back < told && told < words, "first the terminal, then the fault, then the place: {written}");
    }
}

#[test]
fn a_signal_to_end_gives_the_terminal_back() {
    for (signal, told) in [(Signal::TERM, "Terminate"), (Signal::INT, "Terminate"), (Signal::HUP, "Gone")] {
        let mut pty = begun("plain");
        pty.signal(signal);
        pty.until_logged(told);
        pty.end();
        pty.assert_given_back();
    }
}

#[test]
fn who_is_asked_twice_to_end_does_so() {
    let mut pty = begun("plain");
    pty.type_in(b"d");
    pty.until_logged("deaf");
    pty.signal(Signal::TERM);
    pty.until("the shell's screen", |screen| !screen.alternate_screen());
    pty.assert_given_back();
    assert!(pty.is_running());
    pty.signal(Signal::TERM);
    assert_eq!(pty.end().signal(), Some(Signal::TERM.as_raw()));
    pty.assert_given_back();
}

#[test]
fn a_signal_to_quit_ends_it_at_once() {
    let mut pty = begun("plain");
    pty.signal(Signal::QUIT);
    assert!(!pty.end().success());
    pty.assert_given_back();
}

#[test]
fn control_z_stops_the_job_and_the_shell_continues_it() {
    let mut pty = begun("in a shell");
    let player = pty.player();
    pty.type_in(b"\x1a");
    pty.until_shown("stopped: ");
    pty.assert_given_back();
    assert!(state(player).starts_with('T'), "it is stopped: {}", state(player));
    pty.type_in(b"\n");
    pty.until_shown("Resumed");
    pty.assert_taken();
    pty.type_in(b"q");
    pty.until_shown("over: 0");
    pty.end();
    pty.assert_given_back();
}

#[test]
fn a_stop_from_elsewhere_is_the_same() {
    let mut pty = begun("in a shell");
    let player = pty.player();
    kill_process(player, Signal::TSTP).unwrap();
    pty.until_shown("stopped: ");
    pty.assert_given_back();
    pty.type_in(b"\n");
    pty.until_shown("Resumed");
    pty.assert_taken();
    pty.type_in(b"q");
    pty.until_shown("over: 0");
    pty.end();
}

#[test]
fn where_nobody_could_continue_it_control_z_is_a_key() {
    let mut pty = begun("plain");
    pty.type_in(b"\x1a");
    pty.until_shown("key Control z");
    pty.signal(Signal::TSTP);
    pty.type_in(b"a");
    pty.until_shown("key  a");
    pty.type_in(b"q");
    assert!(pty.end().success());
}

/// The state of a process, as one letter.
pub(super) fn state(pid: Pid) -> String {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap();
    status.lines().find_map(|line| line.strip_prefix("State:")).unwrap().trim().to_owned()
}

/// How often the threads of a process slept, and the ticks of time they used.
pub(super) fn activity(pid: Pid) -> (u64, u64) {
    let tasks = format!("/proc/{}/task", pid.as_raw_nonzero());
    let mut sleeps = 0;
    let mut ticks = 0;
    for task in std::fs::read_dir(Path::new(&tasks)).unwrap() {
        let task = task.unwrap().path();
        let status = std::fs::read_to_string(task.join("status")).unwrap();
        let switches = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        sleeps += switches.unwrap().trim().parse::<u64>().unwrap();
        let stat = std::fs::read_to_string(task.join("stat")).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        ticks += fields.split_whitespace().skip(11).take(2).map(|n| n.parse::<u64>().unwrap()).sum::<u64>();
    }
    (sleeps, ticks)
}

fn assert_idle(pty: &Pty, when: &str) {
    let (sleeps, ticks) = activity(pty.pid());
    std::thread::sleep(Duration::from_secs(2));
    let (sleeps_after, ticks_after) = activity(pty.pid());
    assert_eq!(sleeps_after - sleeps, 0, "{when}: something woke up");
    assert_eq!(ticks_after - ticks, 0, "{when}: time was used");
}

#[test]
fn nothing_wakes_up_when_nothing_happens() {
    let mut pty = begun("stays");
    std::thread::sleep(Duration::from_millis(300));
    pty.read(Duration::from_millis(50));
    assert_idle(&pty, "at rest");
    let before = pty.written.len();
    pty.read(Duration::from_millis(50));
    assert_eq!(pty.written.len(), before, "nothing is written at rest");
    pty.hang_up();
    pty.until_logged("Gone");
    std::thread::sleep(Duration::from_millis(300));
    assert!(pty.is_running());
    assert_idle(&pty, "with the terminal gone");
    pty.signal(Signal::TERM);
    pty.until_logged("Terminate");
    assert!(pty.end().success());
}

#[test]
fn a_terminal_that_goes_away_ends_it() {
    // The last one is in the middle of a key, and of a paste.
    for typed in [&b""[..], b"\x1b[", b"\x1b[200~some"] {
        let mut pty = begun("plain");
        pty.type_in(typed);
        pty.hang_up();
        assert!(pty.end().success(), "{typed:?}");
        assert!(pty.log().contains("Gone"));
    }
}

#[test]
fn a_terminal_that_nobody_reads_holds_nothing_up_and_shows_the_newest_in_the_end() {
    let mut pty = begun("plain");
    pty.type_in(b"f");
    let began = Instant::now();
    // The log tells, as the terminal is not read meanwhile.
    let longest: u64 = loop {
        let log = pty.log();
        if let Some(rest) = log.split("flooded, at most ").nth(1) {
            break rest.split_whitespace().next().unwrap().parse().unwrap();
        }
        assert!(began.elapsed() < LIMIT, "the flood is held up:\n{log}");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(longest < 200, "showing a frame took {longest} ms");
    let before = pty.written.len();
    pty.until_shown("after the flood");
    let written = pty.written.len() - before;
    assert!(written < 200_000, "{written} bytes waited: frames were queued");
    pty.type_in(b"q");
    pty.end();
    pty.assert_given_back();
}

#[test]
fn a_terminal_that_nobody_reads_can_be_left() {
    let mut pty = begun("plain");
    pty.type_in(b"f");
    let began = Instant::now();
    while !pty.log().contains("flooded") {
        assert!(began.elapsed() < LIMIT);
        std::thread::sleep(Duration::from_millis(10));
    }
    pty.type_in(b"q");
    while pty.is_running() {
        assert!(began.elapsed() < LIMIT, "it does not end while nobody reads");
        std::thread::sleep(Duration::from_millis(10));
    }
    // What waited at the terminal is all that can be missing.
    assert!(!pty.modes_now().is_empty());
}

#[test]
fn one_frame_is_one_write() {
    let mut pty = begun("plain");
    pty.type_in(b"w");
    pty.until_logged("writes: ");
    // What the terminal takes in two parts, since nobody reads it just then, is two.
    let log = pty.log();
    let writes = log.lines().find_map(|line| line.strip_prefix("writes: ")?.parse().ok());
    assert!(writes.is_some_and(|writes: u32| (50..55).contains(&writes)), "{log}");
    pty.type_in(b"q");
    pty.end();
}

#[test]
fn another_size_is_told_and_drawn_anew() {
    let mut pty = begun("plain");
    for (columns, rows) in [(100, 30), (40, 10), (80, 24)] {
        pty.resize(columns, rows);
        pty.until_shown(&format!("of {columns} x {rows}: Resize({columns}, {rows})"));
        pty.until("the corner", |screen| {
            (0..3).all(|x| screen.cell(rows - 1, columns - 3 + x).is_some_and(vt100::Cell::has_contents))
        });
    }
    // There and back, faster than it can be followed.
    pty.resize(30, 5);
    pty.resize(80, 24);
    pty.terminal.process(b"\x1b[2J");
    pty.until_shown("of 80 x 24");
    pty.type_in(b"q");
    pty.end();
}

#[test]
fn keys_are_told_as_they_are_typed() {
    let mut pty = begun("plain");
    for (bytes, told) in [
        (&b"a"[..], "key  a"),
        (b"A", "key Shift A"),
        ("ß".as_bytes(), "key  ß"),
        (b"\r", "key  Enter"),
        (b"\x03", "key Control c"),
        (b"\x1b", "key  Esc"),
        (b"\x1b[A", "key  Up"),
        (b"\x1b[[A", "key  F1"),
        (b"\x1bOP", "key  F1"),
        (b"\x1b[21~", "key  F10"),
        (b"\x1b[1;5C", "key Control Right"),
        (b"\x1b[Z", "key Shift Back Tab"),
        (b"\x1bx", "key Alt x"),
        (b"\x7f", "key  Backspace"),
    ] {
        pty.type_in(bytes);
        pty.until_shown(told);
    }
    // In pieces, as a slow line brings them.
    pty.type_in(b"\x1b");
    std::thread::sleep(Duration::from_millis(10));
    pty.type_in(b"[6");
    std::thread::sleep(Duration::from_millis(10));
    pty.type_in(b"~");
    pty.until_shown("key  Page Down");
    pty.type_in(b"q");
    pty.end();
}

#[test]
fn pasted_text_is_text_without_control_characters_and_bounded() {
    let mut pty = begun("plain");
    pty.type_in(b"\x1b[200~q\rone\r\ntwo\x1b[31m\x07\tthree\x1b[201~");
    pty.until_logged(r#"paste of 19: "q\none\ntwo[31m three""#);
    let mut long = b"\x1b[200~".to_vec();
    long.extend(std::iter::repeat_n(b'x', 100_000));
    long.extend(b"\x1b[201~");
    pty.type_in(&long);
    pty.until_logged("paste of 65536: ");
    pty.type_in(b"q");
    assert!(pty.end().success());
}

#[test]
fn raw_bytes_come_exactly_and_none_twice() {
    let mut pty = begun("plain");
    pty.type_in(b"r");
    pty.until("no brackets", |screen| !screen.bracketed_paste());
    let all: Vec<u8> = (0..=255).filter(|byte| *byte != b'$').collect();
    let mut sent = Vec::new();
    for _ in 0..8 {
        sent.extend_from_slice(&all);
    }
    sent.extend_from_slice(b"\x1b[200~\x03\x1a\x1b$");
    pty.type_in(&sent);
    pty.until("brackets again", vt100::Screen::bracketed_paste);
    pty.type_in(b"b");
    pty.until_logged("key  b");
    let came: String = pty.log().lines().filter_map(|line| line.strip_prefix("raw ")).collect();
    assert_eq!(came, hex(&sent));
    pty.type_in(b"q");
    pty.end();
}
