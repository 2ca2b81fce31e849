//! What a frame of the progress page costs: its time, its bytes, the memory behind it; and how long the first one takes.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent};
use jiff::Timestamp;
use nofm::client::{Follower, Mode};
use nofm::engine::Event;
use nofm::journal::{self, StateDir, Writer};
use nofm::model::ViewerId;
use nofm::plan::{SessionFile, Source};
use nofm::wizard::Face;
use nofm::wizard::look::{Colours, Glyphs, Theme};
use nofm::wizard::tty::{Frame, Painter};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Lines that each server printed.
const LINES: usize = 10_000;
/// Frames that are measured.
const FRAMES: usize = 1_000;
/// Lines that come in a millisecond under load.
const LOAD: usize = 100;

/// Prints a table.
pub fn run() {
    println!(
        "\nsize     servers  load        median      p99   cells  bytes  bytes/cell   key to bytes  memory"
    );
    for servers in [10, 200, 2_000] {
        session(servers);
    }
    first_page();
}

fn session(servers: usize) {
    let (profile, setup, events) = super::engine::session(servers, "8");
    let folder = tempfile::tempdir().expect("a folder");
    let state_dir = StateDir::at(folder.path()).expect("a state folder");
    let mut inventory = "nofm = 1\nfarm = \"bench\"\n".to_owned();
    for server in &setup.inventory.servers {
        let _ = write!(
            inventory,
            "[[servers]]\nname = \"{}\"\naddress = \"{}\"\nroles = [\"server\"]\nos = \"linux\"\ntransport = \"ssh\"\n",
            server.name, server.address
        );
    }
    let source = |name: &str, text: String| Source { name: name.into(), text };
    let file = SessionFile {
        nofm_session: 1,
        speed: 1.0,
        rehearsal: false,
        profile: source("bench.toml", profile),
        inventory: source("inventory.toml", inventory),
        base: folder.path().to_owned(),
    };
    let session = state_dir.create_session(&"bench-1".into(), &file.to_toml()).expect("a session");
    let now = Timestamp::now();
    let mut writer = Writer::create(session.lock(now).expect("ours"), "0.1.0", now).expect("a journal");
    // Half-way: the installer runs on eight servers.
    let is_install =
        |event: &Event| matches!(event, Event::StepIntended { key, .. } if key.step == "install");
    let installs = |index: &usize| is_install(&events[*index].1);
    let half = (0..events.len()).filter(installs).nth(servers / 2).expect("half of them");
    let line = "Unpacking product-core (2.0) over (1.0), file 12,345 of 67,890 ...........\n";
    let mut first: Option<String> = None;
    for (stamp, event) in &events[..=half] {
        let at = now + Duration::from_millis(stamp.mono_ms);
        writer.submit(journal::Stamp::new(at, 1, stamp.mono_ms), event).expect("written");
        if let Event::StepIntended { targets, .. } = event {
            let run = &targets[0].run;
            if let Some(first) = &first {
                // The same bytes under another name: only what is read costs memory.
                for ending in ["log", "idx"] {
                    let path = |name: &str| session.path().join("output").join(format!("{name}.{ending}"));
                    std::fs::hard_link(path(first), path(run)).expect("linked");
                }
            } else {
                let mut log = writer.output_log(run, 1 << 40).expect("a log");
                log.append(line.repeat(LINES).as_bytes(), at).expect("written");
                first = Some(run.clone());
            }
        }
    }
    writer.close().expect("on disk");
    for (columns, rows) in [(80, 24), (200, 60)] {
        for load in [false, true] {
            frames(&state_dir, &session, (columns, rows), servers, load, first.as_deref().expect("a run"));
        }
    }
}

fn frames(
    state_dir: &StateDir,
    session: &journal::SessionDir,
    (columns, rows): (u16, u16),
    servers: usize,
    load: bool,
    run: &str,
) {
    let follower = Follower::open(state_dir, session, ViewerId::from("bench"), Mode::Rest).expect("it opens");
    let mut face = Face::live(follower, false);
    face.take_in().expect("read");
    let theme = Theme::new(Colours::Sixteen, Glyphs::Unicode);
    let stop = Arc::new(AtomicBool::new(false));
    let feeder = load.then(|| feed(session.path().join("output").join(format!("{run}.log")), stop.clone()));
    let mut painter = Painter::new(columns, rows);
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    let mut shown = buffer.clone();
    let (mut times, mut keys) = (Vec::new(), Vec::new());
    let (mut cells, mut bytes) = (0, 0);
    let mut out = Vec::new();
    for index in 0..FRAMES {
        if index % 10 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        let pressed = index % 50 == 49;
        let begin = Instant::now();
        if pressed {
            face.key(KeyEvent::from(KeyCode::Down)).expect("taken");
        }
        buffer.resize(Rect::new(0, 0, columns, rows));
        let cursor = face.draw(&mut buffer, &theme);
        let drawn = begin.elapsed();
        if index > 0 {
            cells += shown.diff(&buffer).len();
        }
        shown.clone_from(&buffer);
        out.clear();
        let begin = Instant::now();
        buffer = painter.paint(Frame { buffer, cursor }, &mut out);
        let painted = begin.elapsed();
        if index > 0 {
            bytes += out.len();
        }
        if pressed { &mut keys } else { &mut times }.push(drawn + painted);
    }
    stop.store(true, Ordering::Release);
    if let Some(feeder) = feeder {
        feeder.join().expect("it ends");
    }
    times.sort();
    keys.sort();
    let frames = FRAMES - 1;
    println!(
        "{:>3}x{:<3} {servers:>8}  {:<10} {:>6} us {:>5} us {:>7} {:>6} {:>11.1} {:>11} us {:>4} MB",
        columns,
        rows,
        if load { "100k/s" } else { "none" },
        times[times.len() / 2].as_micros(),
        times[times.len() * 99 / 100].as_micros(),
        cells / frames,
        bytes / frames,
        per(bytes, cells),
        keys[keys.len() / 2].as_micros(),
        resident_mb(),
    );
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of whole numbers far below 2^52")]
fn per(bytes: usize, cells: usize) -> f64 {
    bytes as f64 / cells.max(1) as f64
}

/// A hundred lines a millisecond into a log that is shown.
fn feed(path: std::path::PathBuf, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        use std::io::Write as _;
        let mut log = std::fs::OpenOptions::new().append(true).open(path).expect("the log");
        let mut number = 0;
        while !stop.load(Ordering::Acquire) {
            let mut text = String::new();
            for _ in 0..LOAD {
                number += 1;
                let _ =
                    writeln!(text, "Unpacking product-core (2.0) over (1.0), file {number} of 67,890 ...");
            }
            log.write_all(text.as_bytes()).expect("written");
            std::thread::sleep(Duration::from_millis(1));
        }
    })
}

/// From the start of the program to its first page, in a terminal of its own.
fn first_page() {
    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
    let home = tempfile::tempdir().expect("a folder");
    let mut times = Vec::new();
    for _ in 0..20 {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).expect("a terminal");
        grantpt(&master).expect("ours");
        unlockpt(&master).expect("open");
        let slave = ioctl_tiocgptpeer(&master, flags).expect("its other end");
        let size = rustix::termios::Winsize { ws_col: 80, ws_row: 24, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&master, size).expect("a size");
        let end = || std::process::Stdio::from(slave.try_clone().expect("another"));
        let begin = Instant::now();
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_nofm"))
            .env("NOFM_HOME", home.path())
            .env("TERM", "xterm")
            .env("LANG", "C.UTF-8")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .expect("it starts");
        let mut seen = Vec::new();
        let mut buffer = [0; 4096];
        while !seen.windows(6).any(|part| part == b"Choose") {
            let count = rustix::io::read(&master, &mut buffer).expect("it prints");
            assert!(count > 0, "it ended without its first page");
            seen.extend_from_slice(&buffer[..count]);
        }
        times.push(begin.elapsed());
        child.kill().expect("it ends");
        child.wait().expect("it ended");
    }
    times.sort();
    println!(
        "\nfrom the start of the program to its first page: median {:.1} ms",
        times[10].as_secs_f64() * 1e3
    );
}

fn resident_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
