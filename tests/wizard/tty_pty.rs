//! A terminal for a program under test: a pty, and what would be seen on it.

use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};
use tempfile::TempDir;

use super::tty_child::{FOLDER, PART};

/// How long anything may take before a test fails.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

pub(super) struct Pty {
    master: Option<OwnedFd>,
    /// Kept open, so that the modes can be looked at after the program has ended.
    slave: OwnedFd,
    pub(super) terminal: vt100::Parser,
    /// Everything that was written to the terminal.
    pub(super) written: Vec<u8>,
    child: Child,
    folder: TempDir,
    modes: String,
    limit: Duration,
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 }
}

impl Pty {
    /// Starts this test program once more, to play `part` at a terminal of 80 x 24.
    pub(super) fn start(part: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["wizard::tty_child::plays_its_part", "--exact", "--ignored", "--nocapture"])
            .env(PART, part)
            .env(FOLDER, folder.path());
        Self::run(command, folder, LIMIT)
    }

    /// Starts `program` as it is after a login at a terminal of 80 x 24: in a session of its own. Nothing that is
    /// waited for there may take longer than `limit`.
    pub(super) fn log_in(program: &Command, limit: Duration) -> Self {
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Self::run(command, tempfile::tempdir().unwrap(), limit)
    }

    fn run(mut command: Command, folder: TempDir, limit: Duration) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let slave =
            ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)
                .unwrap();
        tcsetwinsize(&master, size(80, 24)).unwrap();
        let flags = rustix::fs::fcntl_getfl(&master).unwrap();
        rustix::fs::fcntl_setfl(&master, flags | OFlags::NONBLOCK).unwrap();
        let modes = format!("{:?}", tcgetattr(&slave).unwrap());
        let end = || Stdio::from(slave.try_clone().unwrap());
        let child = command
            .env("TERM", "xterm")
            .env("RUST_BACKTRACE", "0")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let terminal = vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0);
        Self { master: Some(master), slave, terminal, written: Vec::new(), child, folder, modes, limit }
    }

    pub(super) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// The process that plays the part, where that is not the one started.
    pub(super) fn player(&mut self) -> Pid {
        let text = self.wait_for_file("pid");
        Pid::from_raw(text.trim().parse().unwrap()).unwrap()
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub(super) fn type_in(&self, bytes: &[u8]) {
        let master = self.master.as_ref().unwrap();
        let mut rest = bytes;
        let began = Instant::now();
        while !rest.is_empty() {
            match rustix::io::write(master, rest) {
                Ok(count) => rest = &rest[count..],
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
            assert!(began.elapsed() < self.limit, "{} bytes are not taken", rest.len());
        }
    }

    pub(super) fn resize(&mut self, columns: u16, rows: u16) {
        self.terminal.screen_mut().set_size(rows.try_into().unwrap(), columns.try_into().unwrap());
        tcsetwinsize(self.master.as_ref().unwrap(), size(columns, rows)).unwrap();
    }

    /// Reads what was written until nothing came for `pause`.
    pub(super) fn read(&mut self, pause: Duration) {
        let Some(master) = &self.master else { return };
        let pause = Timespec::try_from(pause).unwrap();
        let mut chunk = [0; 8192];
        loop {
            let mut ready = [PollFd::new(master, PollFlags::IN)];
            match poll(&mut ready, Some(&pause)) {
                Ok(0) => return,
                // A child that ended meanwhile.
                Err(rustix::io::Errno::INTR) => continue,
                found => drop(found.unwrap()),
            }
            match rustix::io::read(master, &mut chunk) {
                Ok(count) if count > 0 => {
                    self.terminal.process(&chunk[..count]);
                    self.written.extend_from_slice(&chunk[..count]);
                }
                _ => return,
            }
        }
    }

    pub(super) fn until(&mut self, what: &str, holds: impl Fn(&vt100::Screen) -> bool) {
        let began = Instant::now();
        while !holds(self.terminal.screen()) {
            self.read(Duration::from_millis(20));
            let screen = self.terminal.screen();
            assert!(began.elapsed() < self.limit, "{what}: not on the screen:\n{}", screen.contents());
        }
    }

    pub(super) fn until_shown(&mut self, text: &str) {
        self.until(text, |screen| screen.contents().contains(text));
    }

    pub(super) fn shows(&self, text: &str) -> bool {
        self.terminal.screen().contents().contains(text)
    }

    /// What the part wrote down so far.
    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub(super) fn until_logged(&mut self, text: &str) {
        let began = Instant::now();
        while !self.log().contains(text) {
            self.read(Duration::from_millis(20));
            assert!(began.elapsed() < self.limit, "{text}: not among\n{}", self.log());
        }
    }

    pub(super) fn wait_for_file(&mut self, name: &str) -> String {
        let began = Instant::now();
        loop {
            self.read(Duration::from_millis(20));
            match std::fs::read_to_string(self.folder.path().join(name)) {
                Ok(text) if text.ends_with('\n') => return text,
                _ => assert!(began.elapsed() < self.limit, "there is no {name}; log:\n{}", self.log()),
            }
        }
    }

    /// The terminal goes away.
    pub(super) fn hang_up(&mut self) {
        self.master = None;
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub(super) fn end(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            self.read(Duration::from_millis(10));
            if let Some(status) = self.child.try_wait().unwrap() {
                self.read(Duration::from_millis(10));
                return status;
            }
            assert!(began.elapsed() < self.limit, "it does not end; log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn local_modes(&self) -> rustix::termios::LocalModes {
        tcgetattr(&self.slave).unwrap().local_modes
    }

    pub(super) fn modes_now(&self) -> String {
        format!("{:?}", tcgetattr(&self.slave).unwrap())
    }

    pub(super) fn assert_taken(&mut self) {
        self.until("the full screen", |screen| {
            screen.alternate_screen() && screen.bracketed_paste() && screen.hide_cursor()
        });
        assert_ne!(self.modes_now(), self.modes, "raw mode differs from what was before");
    }

    pub(super) fn assert_given_back(&self) {
        let screen = self.terminal.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.bracketed_paste(), "pasted text comes as it is");
        assert!(!screen.hide_cursor(), "the cursor is shown");
        assert_eq!(self.modes_now(), self.modes, "the terminal's modes are as they were");
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // Ends what was started here and nothing else: first the one that plays, if it is another.
        let player = std::fs::read_to_string(self.folder.path().join("pid"));
        let player = player.ok().and_then(|text| Pid::from_raw(text.trim().parse().ok()?));
        if self.is_running() {
            if let Some(player) = player {
                let _ = kill_process(player, Signal::KILL);
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
