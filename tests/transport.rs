//! The transport room with real processes, each against a folder that stands for a server.

#![cfg(test)]

mod attended;
mod checks;
mod files;
mod known_hosts;
mod network;
mod probes;
mod runs;
mod settings;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nofm::transport::{Heard, Link, LinkError, Local, RunEnd, RunId, StartOpts, Started};

/// A folder that stands for a server. What waits there waits no longer than the folder is there.
struct Farm {
    dir: tempfile::TempDir,
}

impl Farm {
    fn new() -> Self {
        // A name that every unquoted use of the path would stumble over.
        let dir = tempfile::Builder::new().prefix("it's a $(server) ").tempdir().unwrap();
        let farm = Self { dir };
        for folder in ["bin", "root"] {
            fs::create_dir(farm.path(folder)).unwrap();
        }
        farm
    }

    fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    fn link(&self) -> Link {
        Link::Local(Arc::new(Local::new("ums-1", Some(self.dir.path()))))
    }

    /// A command of this server, found before the real one.
    fn stand_in(&self, name: &str, script: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap_or_default()
    }

    fn run_file(&self, id: &RunId, name: &str) -> PathBuf {
        self.path("var/lib/nofm/runs").join(id.as_str()).join(name)
    }

    /// Start, and follow to the end.
    async fn run(&self, body: &str) -> (RunEnd, Vec<u8>) {
        let id = id("s-1");
        let started = self.link().start(&id, body, StartOpts::default()).await.unwrap();
        assert!(matches!(started, Started::Fresh(_)), "{started:?}");
        self.follow(&id).await
    }

    async fn follow(&self, id: &RunId) -> (RunEnd, Vec<u8>) {
        let mut out = Vec::new();
        let end = self.link().follow(id, 0, &mut |heard| keep(&mut out, &heard)).await.unwrap();
        (end, out)
    }

    /// Makes one call of the protocol without the library, with `input` as it may arrive.
    fn raw(&self, words: &[&str], input: &[u8]) -> Output {
        let script =
            concat!(include_str!("../assets/run/tools.sh"), include_str!("../assets/run/nofm-run.sh"));
        let mut child = Command::new("sh")
            .args(["-c", "s=$NOFM_SCRIPT; e=marker; eval \"$s\"; nofm \"$@\"", "sh"])
            .args(words)
            .env("NOFM_ROOT", self.dir.path())
            .env("NOFM_SCRIPT", script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // A refusal may come before all is read.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }
}

impl Drop for Farm {
    /// Lets what still runs come to its end, which would write into the folder while it is removed.
    fn drop(&mut self) {
        fs::write(self.path("stop"), "").ok();
        let Ok(runs) = fs::read_dir(self.path("var/lib/nofm/runs")) else { return };
        for run in runs.flatten() {
            let Ok(line) = fs::read_to_string(run.path().join("supervisor")) else { continue };
            let begun = Instant::now();
            while line.split(' ').next().is_some_and(lives) && begun.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

fn id(text: &str) -> RunId {
    RunId::new(text).unwrap()
}

fn keep(out: &mut Vec<u8>, heard: &Heard<'_>) -> std::io::Result<()> {
    match heard {
        Heard::Output { offset, bytes } => {
            assert_eq!(*offset, out.len() as u64);
            out.write_all(bytes)
        }
        _ => Ok(()),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Waits until `what` holds, for at most 20 s.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(20), "not within 20 s: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether process `pid` does anything.
fn lives(pid: &str) -> bool {
    fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat"))
        .is_ok_and(|stat| !stat.rsplit(") ").next().unwrap_or_default().starts_with(['Z', 'X']))
}

fn why(error: &LinkError) -> String {
    let text = error.to_string();
    assert!(text.contains("ums-1"), "an error names its server: {text}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
