//! What processes cost, as the kernel counts it.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// In `/proc` times are told in hundredths of a second, whatever the kernel itself counts in.
const TICK: Duration = Duration::from_millis(10);

/// Of this process, without its children.
pub fn own() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0))
}

/// Of the children of this process that have ended.
pub fn children() -> Duration {
    ticks(&stat("self"), 13..15)
}

/// Of a process, and of those that it waited for.
pub fn tree(pid: u32) -> Duration {
    ticks(&stat(&pid.to_string()), 11..15)
}

/// Of everything on this machine.
pub fn machine() -> Duration {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let words: Vec<_> = text.lines().next().unwrap_or_default().split_whitespace().skip(1).collect();
    // Not idle, nor waiting for a disk.
    let busy = [0, 1, 2, 5, 6].into_iter().filter_map(|word| words.get(word)?.parse::<u32>().ok());
    TICK * busy.sum()
}

/// The numbers of all processes, each with that of its parent.
pub fn parents() -> Vec<(u32, u32)> {
    let all = fs::read_dir("/proc").expect("/proc").flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, stat(&pid.to_string()).get(1)?.parse().ok()?))).collect()
}

/// A line of `/proc/self/status` that tells a size, in KiB.
pub fn memory_kib(line: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    found.and_then(|text| text.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// What is free of the memory of this machine, or would be once it is asked for.
pub fn free_mb() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1000
}

/// The words behind the name of a process, which may hold spaces itself. Of one that is gone there are none.
fn stat(pid: &str) -> Vec<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let rest = text.rsplit_once(") ").map_or("", |(_, rest)| rest);
    rest.split_whitespace().map(str::to_owned).collect()
}

fn ticks(words: &[String], which: std::ops::Range<usize>) -> Duration {
    TICK * words.get(which).unwrap_or_default().iter().filter_map(|word| word.parse::<u32>().ok()).sum()
}
