//! Host keys and passwords in the dialogue of lines: at a terminal, out of a pipe, and where nobody is.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use nofm::client::{Follower, Mode};
use nofm::engine::Close;
use nofm::inventory::Answers;
use nofm::model::Access;
use nofm::plain::{self, Printer, Reach};
use rustix::process::{Signal, kill_process_group};
use rustix::termios::LocalModes;

use super::access::{key, sudo};
use super::cells::ready;
use super::console::{Home, wait_until};
use super::recorded::Recorded;
use super::stand_in::StandIn;
use super::tty_pty::Pty;

const SECRET: &str = "Correct Horse";

/// The program at a terminal, in the session that `recorded` is.
fn nofm(recorded: &Recorded, program: &str, args: &[&str]) -> Pty {
    let home = Home::new();
    let mut command = home.command(program, args);
    command.env("NOFM_HOME", recorded.state_dir.path());
    Pty::log_in(&command, Duration::from_mins(1))
}

fn echoes(pty: &Pty) -> bool {
    pty.local_modes().contains(LocalModes::ECHO)
}

/// Until the dialogue asks this, and nothing was typed yet.
fn prompted(pty: &mut Pty, text: &str) {
    pty.until(text, |screen| {
        let contents = screen.contents();
        contents.lines().rev().find(|line| !line.trim().is_empty()).is_some_and(|line| line.trim() == text)
    });
}

/// Types `line`, and waits until it shows.
fn answer(pty: &mut Pty, line: &str) {
    prompted(pty, "Choose 1 to 3:");
    let before = pty.written.len();
    pty.type_in(format!("{line}\n").as_bytes());
    wait_until("the echo", || {
        pty.read(Duration::from_millis(20));
        pty.written.len() > before
    });
}

const PASSWORD: &str = "The password of admin (sudo) (Enter alone: not now):";

#[test]
fn lines_ask_for_host_keys_by_number_and_for_a_password_unseen() {
    let recorded = ready();
    let stand_in = StandIn::of(&recorded);
    let keys = ["ums1", "ums2"].map(|host| key(host, "ssh-ed25519"));
    for access in &keys {
        stand_in.knocks(access, &["ums1"], "");
    }
    stand_in.knocks(&sudo(), &["ums1"], "");
    let mut pty = nofm(&recorded, env!("CARGO_BIN_EXE_nofm"), &["attach", "--plain"]);
    pty.until_shown("trust all 2 host keys");
    assert!(
        pty.shows("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"),
        "{:?}",
        pty.terminal.screen().contents()
    );
    answer(&mut pty, "2");
    pty.until_shown("trust it: this host key is the right one");
    answer(&mut pty, "1");
    wait_until("the first key", || stand_in.state().access.len() == 2);
    answer(&mut pty, "2");
    wait_until("the second key", || stand_in.state().access.len() == 1);
    pty.until_shown("type it; it is not shown");
    answer(&mut pty, "1");
    prompted(&mut pty, PASSWORD);
    assert!(!echoes(&pty), "the terminal shows what is typed");
    pty.type_in(format!("{SECRET}\n").as_bytes());
    wait_until("the password", || !stand_in.secrets().is_empty());
    assert_eq!(stand_in.secrets(), [(sudo(), SECRET.to_owned())]);
    wait_until("the echo", || echoes(&pty));
    pty.read(Duration::from_millis(300));
    let written = String::from_utf8_lossy(&pty.written).into_owned();
    let journal = stand_in.journal();
    assert!(!written.contains(SECRET) && !journal.contains(SECRET), "{written}");
    let of = |kind: &str, access: &Access| {
        let host = serde_json::to_string(access).expect("JSON");
        journal.lines().filter(|line| line.contains(kind) && line.contains(&host)).count()
    };
    assert_eq!((of("access_given", &keys[0]), of("access_denied", &keys[1])), (1, 1), "{journal}");
}

/// The dialogue of lines, where it asks for a password. What comes after it keeps the terminal.
fn asked(recorded: &Recorded) -> Pty {
    let script = "trap : INT TERM HUP; \"$0\" attach --plain; echo \"ended $?\"; exec sleep 60";
    let mut pty = nofm(recorded, "sh", &["-c", script, env!("CARGO_BIN_EXE_nofm")]);
    pty.until_shown("type it; it is not shown");
    answer(&mut pty, "1");
    prompted(&mut pty, PASSWORD);
    assert!(!echoes(&pty));
    pty
}

#[test]
fn the_echo_comes_back_however_the_dialogue_ends() {
    let recorded = ready();
    let stand_in = StandIn::of(&recorded);
    stand_in.knocks(&sudo(), &["ums1"], "");
    let mut pty = asked(&recorded);
    pty.type_in(b"half\x03");
    pty.until_shown("ended 4");
    assert!(echoes(&pty), "Ctrl-C");
    for signal in [Signal::TERM, Signal::HUP] {
        let mut pty = asked(&recorded);
        kill_process_group(pty.pid(), signal).expect("it is ours");
        pty.until_shown("ended 4");
        assert!(echoes(&pty), "{signal:?}");
    }
    let mut pty = asked(&recorded);
    // Neither stops nor ends it.
    pty.type_in(b"\x1a\x1c\n");
    pty.until_shown("It was not given: a secret is one line");
    prompted(&mut pty, "Choose 1 to 3:");
    assert!(echoes(&pty));
    assert_eq!(stand_in.secrets(), []);
}

#[test]
fn out_of_a_pipe_no_password_comes() {
    let recorded = ready();
    let stand_in = StandIn::of(&recorded);
    stand_in.knocks(&sudo(), &["ums1"], "");
    let home = Home::new();
    let mut command = home.command("sh", &["-c", "printf '2\\nq\\n1\\n' | \"$0\" attach --plain"]);
    command.arg(env!("CARGO_BIN_EXE_nofm")).env("NOFM_HOME", recorded.state_dir.path());
    let said = command.output().expect("it runs");
    let out = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(out.contains("This is typed at a terminal only") && out.contains("a comes back to it"), "{out}");
    assert_eq!(stand_in.state().access.len(), 1);
}

#[test]
fn without_a_person_it_stops_and_names_everything() {
    let recorded = ready();
    let stand_in = StandIn::of(&recorded);
    stand_in.knocks(&sudo(), &["ums1", "ums2"], "it was not taken");
    stand_in.knocks(&key("ums3", "ssh-rsa"), &["ums3"], "");
    let follower = Follower::open(&recorded.state_dir, &recorded.session, "nobody".into(), Mode::Live);
    let heard = Heard::default();
    let out = Printer::new(Box::new(heard.clone()), None);
    let answers = Answers::default();
    let outcome = plain::headless(follower.expect("it opens"), out, false, &answers, Reach::Checks, false)
        .expect("it ends");
    let said = String::from_utf8(heard.0.lock().expect("one thread").clone()).expect("text");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "a person must decide: host key of ums3 (ssh-rsa) SHA256:ums3",
        "a person must decide: password of admin (sudo), waiting: ums1, ums2; it was not taken",
        "nofm inventory check",
        "NOPASSWD",
    ] {
        assert!(said.contains(part), "{part} is missing in:\n{said}");
    }
    assert!(matches!(outcome.close, Some(Close::Stopped { .. })), "{said}");
}

/// What was printed.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("one thread").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
