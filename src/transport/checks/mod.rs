//! The built-in checks: what is asked on a server, and how the answer is read.
//!
//! Each pair is a script for [`super::Probe`], in the words of the server's shell, and a reader of its output, the same
//! for every shell. Paths of a POSIX shell are below `NOFM_ROOT`, which is empty on a real server; commands come from
//! the PATH. An answer that cannot be read is `None`: unknown.

mod sh;
pub(super) mod windows;

use super::words::shown;
use super::{PortState, ProbeOutput};
pub use crate::profile::ServiceAct;
use crate::profile::Shell;

/// Free space where `path` is, or would be: on the nearest folder above it that exists.
pub fn free_space_script(shell: Shell, path: &str) -> String {
    match shell {
        Shell::PowerShell => windows::free_space(path),
        Shell::Sh | Shell::None => sh::free_space(path),
    }
}

/// Bytes available: from `free BYTES`, or from what `df -Pk` printed.
pub fn free_space(output: &ProbeOutput) -> Option<u64> {
    let text = whole(output)?;
    let number = |word: &str| word.parse::<u64>().ok();
    if let Some(bytes) = text.trim().strip_prefix("free ") {
        return number(bytes);
    }
    // The names of device and folder may hold blanks, so the numbers are found from the percentage between them.
    let words: Vec<&str> = text.lines().rfind(|line| !line.trim().is_empty())?.split_whitespace().collect();
    let at = (4..words.len()).find(|&i| {
        let percent = words[i] == "-" || words[i].strip_suffix('%').is_some_and(|n| n.parse::<u32>().is_ok());
        percent && words[i - 3..i].iter().all(|word| word.parse::<i64>().is_ok())
    })?;
    number(words[at - 1])?.checked_mul(1024)
}

/// Writes a file into folder `path` and removes it; or opens file `path` for writing, changing nothing.
pub fn writable_script(shell: Shell, path: &str) -> String {
    match shell {
        Shell::PowerShell => windows::writable(path),
        Shell::Sh | Shell::None => sh::writable(path),
    }
}

/// Whether a path can be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writable {
    Yes,
    /// With what the server said.
    No(String),
}

pub fn writable(output: &ProbeOutput) -> Option<Writable> {
    match whole(output)?.trim() {
        "writable" => Some(Writable::Yes),
        "refused" => Some(Writable::No(shown(&output.stderr, 200))),
        "absent" => Some(Writable::No("there is no such file or folder".to_owned())),
        _ => None,
    }
}

/// Asks as the login user whether the rights of root, or of an administrator, can be had: set
/// [`super::Probe::as_root`] to false.
pub fn privilege_script(shell: Shell) -> String {
    match shell {
        Shell::PowerShell => windows::privilege(),
        Shell::Sh | Shell::None => sh::privilege(),
    }
}

/// How the rights to change a server are had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    Root,
    /// By `sudo` without a password.
    Sudo,
    Administrator,
    None,
}

pub fn privilege(output: &ProbeOutput) -> Option<Privilege> {
    match whole(output)?.trim() {
        "root" => Some(Privilege::Root),
        "sudo" => Some(Privilege::Sudo),
        "administrator" => Some(Privilege::Administrator),
        "none" => Some(Privilege::None),
        _ => None,
    }
}

/// Whether the terminal of an attended run can be held there.
pub fn terminal_script(shell: Shell) -> String {
    match shell {
        Shell::PowerShell => windows::terminal(),
        Shell::Sh | Shell::None => sh::terminal().to_owned(),
    }
}

pub fn terminal(output: &ProbeOutput) -> Option<bool> {
    match whole(output)?.trim() {
        "holds" => Some(true),
        "lacks" => Some(false),
        _ => None,
    }
}

/// What a server is, and what it has of that which runs need.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that is there or not")]
pub struct Means {
    /// As `uname -srm` tells it, or Windows itself.
    pub system: String,
    /// Root, or an administrator.
    pub is_root: bool,
    /// Whether a step can be detached from the connection.
    pub detaches: bool,
    /// Whether a terminal can be held for an attended step.
    pub holds_terminal: bool,
    /// Whether checksums can be computed.
    pub sums: bool,
}

pub fn means_script(shell: Shell) -> String {
    match shell {
        Shell::PowerShell => windows::means(),
        Shell::Sh | Shell::None => sh::means(),
    }
}

pub fn means(output: &ProbeOutput) -> Option<Means> {
    let text = whole(output)?;
    let mut means = Means::default();
    for line in text.lines() {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("system", system) => means.system = shown(system.as_bytes(), 60),
            ("uid", uid) => means.is_root = uid == "0",
            ("detaches", "") => means.detaches = true,
            ("sums", "") => means.sums = true,
            ("holds", "") => means.holds_terminal = true,
            _ => {}
        }
    }
    (!means.system.is_empty()).then_some(means)
}

/// Asks for a file: size, age by the server's own clock, and its SHA-256 when `sum` says so.
pub fn file_script(shell: Shell, path: &str, sum: bool) -> String {
    match shell {
        Shell::PowerShell => windows::file(path, sum),
        Shell::Sh | Shell::None => sh::file(path, sum),
    }
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileAnswer {
    Absent,
    Present {
        /// Bytes.
        size: u64,
        /// Seconds since it was last written; below zero when that is in the server's future.
        age: Option<i64>,
        /// In hexadecimal, when it was asked for and could be computed.
        sha256: Option<String>,
    },
}

pub fn file(output: &ProbeOutput) -> Option<FileAnswer> {
    let text = whole(output)?;
    if text.trim() == "absent" {
        return Some(FileAnswer::Absent);
    }
    let find = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    let sha256 = find("sha256").filter(|sum| sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_hexdigit()));
    Some(FileAnswer::Present {
        size: find("size")?.parse().ok()?,
        age: find("age").and_then(|age| age.parse().ok()),
        sha256: sha256.map(str::to_ascii_lowercase),
    })
}

/// What a command begins with that must see the very file whose SHA-256 is `sum`; `path` is as commands name it. Any
/// other file, or one whose checksum nobody can tell, ends the command before it began.
pub fn same_file_script(shell: Shell, path: &str, sum: &str) -> String {
    match shell {
        Shell::PowerShell => windows::same_file(path, sum),
        Shell::Sh | Shell::None => sh::same_file(path, sum),
    }
}

/// A command as a run carries it out: it ends at the first that goes wrong, as far as its shell can tell.
pub fn command_script(shell: Shell, first: &str, command: &str) -> String {
    match shell {
        // Whatever is wrong ends it there from the beginning.
        Shell::PowerShell => format!("{first}{command}\n"),
        Shell::Sh | Shell::None => format!("{first}set -eu\n{command}\n"),
    }
}

/// Asks whether `port` of `host` takes connections from the server.
pub fn port_script(shell: Shell, host: &str, port: u16) -> String {
    match shell {
        Shell::PowerShell => windows::port(host, port),
        Shell::Sh | Shell::None => sh::port(host, port),
    }
}

pub fn port(output: &ProbeOutput) -> PortState {
    let text = shown(&output.stdout, 200);
    match text.as_str() {
        "open" => PortState::Open,
        "closed" => PortState::Closed("no connection".to_owned()),
        _ => PortState::Unknown(text.strip_prefix("unknown ").unwrap_or(&text).to_owned()),
    }
}

/// Asks for the files that fit `path`, of which all but `*` and `?` means itself: one a line.
pub fn files_script(shell: Shell, path: &str) -> String {
    match shell {
        Shell::PowerShell => windows::files(path),
        Shell::Sh | Shell::None => sh::files(path),
    }
}

/// Asks how services stand; a name ending in `?` may be missing.
pub fn services_script(shell: Shell, names: &[String]) -> String {
    match shell {
        Shell::PowerShell => windows::services(names),
        Shell::Sh | Shell::None => sh::services(names),
    }
}

/// How a service stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceState {
    Running,
    Stopped,
    /// It ended in failure, and does not run.
    Failed,
    /// It is not there. Of one that may not be missing, not every system tells that from a stopped one.
    Missing,
    /// On its way, or in a state with another name.
    Other(String),
}

/// One state a service, in the order asked.
pub fn services(names: &[String], output: &ProbeOutput) -> Option<Vec<ServiceState>> {
    let text = whole(output)?;
    let mut lines = text.lines();
    let states = (0..names.len()).map(|number| {
        let state = lines.next()?.strip_prefix(&format!("{number} "))?;
        Some(match state {
            "active" => ServiceState::Running,
            "inactive" => ServiceState::Stopped,
            "failed" => ServiceState::Failed,
            "missing" => ServiceState::Missing,
            "" => return None,
            other => ServiceState::Other(shown(other.as_bytes(), 40)),
        })
    });
    states.collect()
}

/// The body of a run which stops, starts or restarts services, and ends at the first that cannot be. They are given in
/// the order in which they are stopped, and started in reverse.
pub fn service_script(shell: Shell, act: ServiceAct, names: &[String]) -> String {
    let stop: &[String] = if act == ServiceAct::Start { &[] } else { names };
    let start: Vec<&String> = if act == ServiceAct::Stop { Vec::new() } else { names.iter().rev().collect() };
    match shell {
        Shell::PowerShell => windows::service_acts(stop, &start),
        Shell::Sh | Shell::None => sh::service_acts(stop, &start),
    }
}

/// Lists the services that a server could run, those that are stopped too, each with its display name.
pub fn service_list_script(shell: Shell) -> String {
    match shell {
        Shell::PowerShell => windows::SERVICE_LIST.to_owned(),
        Shell::Sh | Shell::None => sh::SERVICE_LIST.to_owned(),
    }
}

/// A service that could run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// As commands call it.
    pub name: String,
    /// As people call it.
    pub title: String,
}

/// Every service that was listed and is there to be started, each once.
pub fn service_list(output: &ProbeOutput) -> Option<Vec<Listed>> {
    let text = whole(output)?;
    let mut found: Vec<Listed> = Vec::new();
    for block in text.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let find = |key: &str| block.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let name = find("Id")?;
        let name = name.strip_suffix(".service").unwrap_or(name);
        // What is masked or gone is there in name only.
        let there = find("LoadState")? == "loaded" && !name.is_empty();
        if there && !found.iter().any(|known| known.name == name) {
            found.push(Listed { name: name.to_owned(), title: find("Description")?.to_owned() });
        }
    }
    Some(found)
}

/// Asks what tells this start of the server from every other.
pub fn boot_id_script(shell: Shell) -> String {
    match shell {
        Shell::PowerShell => windows::boot_id(),
        Shell::Sh | Shell::None => sh::boot_id(),
    }
}

/// `None`: it cannot be told, or the server is about to go down or to come up.
pub fn boot_id(output: &ProbeOutput) -> Option<String> {
    let text = whole(output)?;
    let id = text.lines().find_map(|line| line.strip_prefix("boot "))?.trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (!id.is_empty() && id.len() <= 120 && id.bytes().all(plain)).then(|| id.to_owned())
}

/// The body of a run which restarts the server. Its exit status tells no more than whether that was accepted.
pub fn reboot_script(shell: Shell) -> &'static str {
    match shell {
        Shell::PowerShell => windows::REBOOT,
        Shell::Sh | Shell::None => sh::REBOOT,
    }
}

/// The output of a probe that ended well and was kept whole.
fn whole(output: &ProbeOutput) -> Option<String> {
    let good = output.exit == 0 && !output.truncated;
    good.then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn said(stdout: &str) -> ProbeOutput {
        ProbeOutput {
            exit: 0,
            stdout: stdout.into(),
            stderr: Vec::new(),
            truncated: false,
            took: Duration::ZERO,
        }
    }

    #[test]
    fn free_space_is_read_whatever_the_names() {
        let head = "Filesystem 1024-blocks Used Available Capacity Mounted on\n";
        let read = |line: &str| free_space(&said(&format!("{head}{line}\n")));
        assert_eq!(read("/dev/sda1 1000 900 100 90% /"), Some(102_400));
        assert_eq!(read("//nas/my share 10 1000 900 100 90% /mnt/100% full"), Some(102_400));
        assert_eq!(read("overlay 1000 900 0 100% /x 1 2 3 4%"), Some(0));
        assert_eq!(read("none 0 0 0 - /proc"), Some(0));
        assert_eq!(free_space(&said("free 53687091200\r\n")), Some(53_687_091_200));
        assert_eq!(free_space(&said("free lots\n")), None);
        assert_eq!(read("df: no such file"), None);
        assert_eq!(free_space(&said(head)), None);
        assert_eq!(free_space(&said("")), None);
        assert_eq!(free_space(&ProbeOutput { exit: 1, ..said("/dev/sda1 1 1 1 1% /") }), None);
    }

    #[test]
    fn services_are_listed_once_and_only_those_that_are_there() {
        let listed = "Id=one.service\nDescription=The One\nLoadState=loaded\n\n\
            LoadState=loaded\nId=one.service\nDescription=The One\n\n\
            Id=two.service\nDescription=\nLoadState=masked\n\n\
            Id=three@x.service\nDescription=Three = x\nLoadState=loaded\n";
        let listed = service_list(&said(listed)).unwrap();
        let names: Vec<_> = listed.iter().map(|one| (one.name.as_str(), one.title.as_str())).collect();
        assert_eq!(names, [("one", "The One"), ("three@x", "Three = x")]);
        assert_eq!(service_list(&said("")), Some(Vec::new()));
        assert_eq!(service_list(&said("Id=one.service\nLoadState=loaded\n")), None);
    }

    #[test]
    fn a_start_that_cannot_be_told_is_none() {
        assert_eq!(boot_id(&said("boot 1-a_b\n")).as_deref(), Some("1-a_b"));
        for bad in ["", "boot ", "boot a b", "boot \u{1b}[2J", "A"] {
            assert_eq!(boot_id(&said(bad)), None, "{bad:?}");
        }
    }

    #[test]
    fn half_an_answer_is_none() {
        assert_eq!(writable(&said("")), None);
        assert_eq!(privilege(&said("rootabaga")), None);
        assert_eq!(file(&said("age 4\n")), None);
        let names = ["a".to_owned(), "b".to_owned()];
        assert_eq!(services(&names, &said("0 active\n")), None);
        assert_eq!(services(&names, &said("0 active\n1 \n")), None);
        let both = Some(vec![ServiceState::Running, ServiceState::Other("activating".to_owned())]);
        assert_eq!(services(&names, &said("0 active\n1 activating\n")), both);
    }
}
