//! Job control: whose terminal this is, and whether somebody continues a program that is stopped.
//!
//! Group and session are read from `/proc`, not by the system calls of their names: for a process whose session was
//! begun outside its PID namespace (a container, `nsenter`) these answer 0, which the libraries take for impossible.

use std::fs;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, getpid, getppid, kill_current_process_group, kill_process};
use rustix::termios::tcgetpgrp;

/// Whether somebody is there who lets this program go on once it is stopped: a shell that does job control. In a
/// process group without one, SIGTSTP is discarded by the kernel, and so it is here.
pub(super) fn can_go_on() -> bool {
    let parent = getppid().and_then(group_and_session);
    match (group_and_session(getpid()), parent) {
        (Some((group, session)), Some((_, around))) => group != session && around == session,
        _ => false,
    }
}

/// Stops the job this program is part of, until somebody continues it.
pub(super) fn stop() {
    // What was started together stops together, or the shell would wait for the rest of it. This program handles
    // that signal itself, and so needs one of its own.
    let _ = kill_current_process_group(Signal::TSTP);
    let _ = kill_process(getpid(), Signal::STOP);
}

/// Whether standard input is the terminal of this program's own session.
pub(super) fn is_controlling() -> bool {
    // The kernel tells the foreground group of no other terminal. `OPNOTSUPP` is a group that has no number here.
    matches!(tcgetpgrp(rustix::stdio::stdin()), Ok(_) | Err(Errno::OPNOTSUPP))
}

fn group_and_session(pid: Pid) -> Option<(u32, u32)> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// `pid (name) state parent group session …`, where the name may hold anything (proc(5)).
fn parse(stat: &str) -> Option<(u32, u32)> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut numbers = rest.split_whitespace().skip(2);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_and_session_are_found_behind_any_name() {
        assert_eq!(parse("7 (a) S 1 (b)) S 3 41 0 34816"), Some((41, 0)));
        assert_eq!(parse("7 (a) S 3"), None);
        assert!(group_and_session(getpid()).is_some());
    }
}
