//! The program under test: this program once more, at a terminal of its own.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyModifiers};
use nofm::wizard::look::Env;
use nofm::wizard::tty::{Input, Screen, Terminal};
use ratatui::style::Style;

pub(super) const PART: &str = "NOFM_TEST_TTY_PART";
pub(super) const FOLDER: &str = "NOFM_TEST_TTY_FOLDER";
pub(super) const LAST_WORDS: &str = "the session lies at its place";

const FOR_EVER: Duration = Duration::from_hours(1);

#[test]
#[ignore = "is run by other tests in a process of its own"]
fn plays_its_part() {
    let Ok(part) = std::env::var(PART) else { return };
    if part == "in a shell" {
        own_terminal();
        return shell();
    }
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    std::fs::write(folder.join("pid"), format!("{}\n", std::process::id())).unwrap();
    if part != "below a shell" && part != "without a session" {
        own_terminal();
    }
    let player = Player { folder, screen: open(), count: 0, last: String::new() };
    player.play(&part);
    // The test harness would still write to the terminal, which may be gone.
    std::process::exit(0);
}

/// As it is after a login: a session of its own, with this terminal.
fn own_terminal() {
    rustix::process::setsid().unwrap();
    rustix::process::ioctl_tiocsctty(rustix::stdio::stdin()).unwrap();
}

/// A shell with job control, as an operator has it.
fn shell() {
    let program = std::env::current_exe().unwrap();
    let script = format!(
        "'{}' wizard::tty_child::plays_its_part --exact --ignored --nocapture
        echo; echo \"stopped: $?\"; read line; fg; echo \"over: $?\"",
        program.display()
    );
    let mut shell = Command::new("sh");
    shell.args(["-mc", &script]).env(PART, "below a shell");
    shell.status().unwrap();
}

fn open() -> Screen {
    let env = Env::read(|name| std::env::var(name).ok());
    let screen = Screen::open(Terminal::find(&env).unwrap(), || {}).unwrap();
    screen.set_last_words(LAST_WORDS);
    screen
}

struct Player {
    folder: PathBuf,
    screen: Screen,
    count: u32,
    last: String,
}

impl Player {
    fn log(&self, line: &str) {
        let path = self.folder.join("log");
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn draw(&mut self) {
        self.count += 1;
        let mut frame = self.screen.frame();
        let (columns, rows) = self.screen.size();
        let text = format!("frame {} of {columns} x {rows}: {}", self.count, self.last);
        frame.buffer.set_stringn(0, 0, text, usize::from(columns), Style::new());
        frame.buffer.set_string(columns - 3, rows - 1, "end", Style::new());
        self.screen.show(frame);
    }

    fn play(mut self, part: &str) {
        self.draw();
        self.log("begins");
        loop {
            self.screen.wait(FOR_EVER);
            while let Some(input) = self.screen.input() {
                self.last = say(&input);
                self.log(&self.last);
                match input {
                    Input::Key(key) if key.modifiers == KeyModifiers::NONE => match key.code {
                        KeyCode::Char('q') => return,
                        KeyCode::Char('p') => panic!("a fault in the main thread"),
                        KeyCode::Char('t') => fault_elsewhere(),
                        KeyCode::Char('r') => self.screen.set_raw(true),
                        KeyCode::Char('f') => self.flood(),
                        KeyCode::Char('w') => self.count_writes(),
                        KeyCode::Char('d') => self.deaf(),
                        _ => {}
                    },
                    Input::Raw(bytes) if bytes.contains(&b'$') => self.screen.set_raw(false),
                    Input::Gone if part != "stays" => return,
                    Input::Terminate => return,
                    _ => {}
                }
                self.draw();
            }
        }
    }

    /// Draws far more than a terminal that is not read takes.
    fn flood(&mut self) {
        let mut longest = Duration::ZERO;
        for now in 0..3_000 {
            let mut frame = self.screen.frame();
            let (columns, rows) = self.screen.size();
            for row in 1..rows {
                let line = format!("{now:>7}").repeat(usize::from(columns) / 7);
                frame.buffer.set_stringn(0, row, line, usize::from(columns), Style::new());
            }
            let began = Instant::now();
            self.screen.show(frame);
            longest = longest.max(began.elapsed());
        }
        self.log(&format!("flooded, at most {} ms", longest.as_millis()));
        self.last = "after the flood".to_owned();
    }

    /// Shows frames one by one, and counts how often the thread at the terminal wrote.
    fn count_writes(&mut self) {
        let thread = terminal_thread();
        std::thread::sleep(Duration::from_millis(200));
        let before = writes(&thread);
        for now in 0..50u32 {
            let mut frame = self.screen.frame();
            for row in 0..24u16 {
                frame.buffer.set_string(0, row, format!("{}", now + u32::from(row)).repeat(20), Style::new());
            }
            self.screen.show(frame);
            let began = Instant::now();
            while writes(&thread) < before + u64::from(now) + 1 {
                assert!(began.elapsed() < Duration::from_secs(10), "frame {now} is not written");
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        self.log(&format!("writes: {}", writes(&thread) - before));
    }

    /// Hears nothing any more.
    fn deaf(&mut self) {
        self.log("deaf");
        std::thread::sleep(FOR_EVER);
    }
}

fn fault_elsewhere() {
    let thread = std::thread::spawn(|| panic!("a fault in another thread"));
    assert!(thread.join().is_err());
}

fn say(input: &Input) -> String {
    match input {
        Input::Raw(bytes) => format!("raw {}", hex(bytes)),
        Input::Paste(text) => format!("paste of {}: {:?}", text.len(), &text[..text.len().min(60)]),
        Input::Key(key) => format!("key {} {}", key.modifiers, key.code),
        other => format!("{other:?}"),
    }
}

fn terminal_thread() -> PathBuf {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    threads
        .map(|thread| thread.unwrap().path())
        .find(|thread| std::fs::read_to_string(thread.join("comm")).is_ok_and(|name| name == "terminal\n"))
        .expect("the thread at the terminal")
}

/// Calls of `write(2)` of a thread.
fn writes(thread: &std::path::Path) -> u64 {
    let text = std::fs::read_to_string(thread.join("io")).unwrap();
    text.lines().find_map(|line| line.strip_prefix("syscw: ")).unwrap().parse().unwrap()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
