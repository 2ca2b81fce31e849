//! The built-in checks: what is asked on a server, and how the answer is read.
//!
//! Each pair is a script for [`super::Probe`] and a reader of its output. Paths are below `NOFM_ROOT`, which is
//! empty on a real server; commands come from the PATH. An answer that cannot be read is `None`: unknown.

use super::ProbeOutput;
use super::words::{quoted, shown};

const TOOLS: &str = include_str!("../../assets/run/tools.sh");

/// Free space where `path` is, or would be: the nearest folder above it that exists.
pub fn free_space_script(path: &str) -> String {
    format!(
        "p=\"${{NOFM_ROOT-}}\"{path}\n{}",
        r#"while [ ! -e "$p" ]; do
    case $p in */*) p=${p%/*} ;; *) break ;; esac
done
# What may not be looked into passes for absent, and may be on another disk.
[ -x "${p:-/}" ] || [ ! -d "$p" ] || exit 1
LC_ALL=C df -Pk -- "${p:-/}""#,
        path = quoted(path)
    )
}

/// Bytes available, from what `df -Pk` printed.
pub fn free_space(output: &ProbeOutput) -> Option<u64> {
    let text = whole(output)?;
    // The names of device and folder may hold blanks, so the numbers are found from the percentage between them.
    let words: Vec<&str> = text.lines().rfind(|line| !line.trim().is_empty())?.split_whitespace().collect();
    let number = |word: &str| word.parse::<u64>().ok();
    let at = (4..words.len()).find(|&i| {
        let percent = words[i] == "-" || words[i].strip_suffix('%').is_some_and(|n| n.parse::<u32>().is_ok());
        percent && words[i - 3..i].iter().all(|word| word.parse::<i64>().is_ok())
    })?;
    number(words[at - 1])?.checked_mul(1024)
}

/// Writes a file into folder `path` and removes it; or opens file `path` for writing, changing nothing.
pub fn writable_script(path: &str) -> String {
    format!(
        "p=\"${{NOFM_ROOT-}}\"{path}\n{}",
        r#"set -C
if [ -d "$p" ]; then
    t=$p/.nofm-write-test.$$
    trap 'rm -f -- "$t"' EXIT
    if printf 'test\n' >"$t"; then echo writable; else echo refused; fi
elif [ -e "$p" ]; then
    if (: >>"$p"); then echo writable; else echo refused; fi
else
    echo absent
fi"#,
        path = quoted(path)
    )
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

/// Asks as the login user whether root's rights can be had: set [`super::Probe::as_root`] to false.
pub fn privilege_script() -> String {
    "if [ \"$(id -u)\" = 0 ]; then echo root; \
     elif [ \"$(sudo -n id -u 2>/dev/null)\" = 0 ]; then echo sudo; else echo none; fi"
        .to_owned()
}

/// How root's rights are had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privilege {
    Root,
    /// By `sudo` without a password.
    Sudo,
    None,
}

pub fn privilege(output: &ProbeOutput) -> Option<Privilege> {
    match whole(output)?.trim() {
        "root" => Some(Privilege::Root),
        "sudo" => Some(Privilege::Sudo),
        "none" => Some(Privilege::None),
        _ => None,
    }
}

/// Whether the terminal of an attended run can be held there.
pub fn terminal_script() -> &'static str {
    "if script -q -e -c true /dev/null </dev/null >/dev/null 2>&1; then echo holds; else echo lacks; fi"
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
    /// As `uname -srm` tells it.
    pub system: String,
    pub is_root: bool,
    /// Whether a step can be detached from the connection.
    pub detaches: bool,
    /// Whether a terminal can be held for an attended step.
    pub holds_terminal: bool,
    /// Whether checksums can be computed.
    pub sums: bool,
}

pub fn means_script() -> String {
    format!(
        "{TOOLS}\nprintf 'system %s\\n' \"$(uname -srm)\"\nprintf 'uid %s\\n' \"$(id -u)\"\n\
         if nofm_has setsid || nofm_has perl; then echo detaches; fi\n\
         if nofm_sha256 /dev/null; then echo sums; fi\n{}",
        terminal_script()
    )
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
pub fn file_script(path: &str, sum: bool) -> String {
    let sum = if sum { r#"nofm_sha256 "$p" && echo "sha256 $nofm_sum""# } else { "" };
    format!(
        "p=\"${{NOFM_ROOT-}}\"{path}\n{TOOLS}\n{}\n{sum}\nexit 0",
        r#"if [ ! -e "$p" ] && [ ! -L "$p" ]; then
    # A folder that may not be looked into would pass for one that holds nothing.
    d=$p
    while [ "$d" ] && [ ! -e "$d" ]; do d=${d%/*}; done
    if [ -z "$d" ] || [ -x "$d" ]; then echo absent; fi
    exit 0
fi
[ -f "$p" ] && [ -r "$p" ] || { echo "no file that can be read" >&2; exit 1; }
nofm_size "$p" && echo "size $nofm_size"
m=$(stat -L -c %Y -- "$p" 2>/dev/null || stat -L -f %m -- "$p" 2>/dev/null || perl -e 'print((stat shift)[9])' -- "$p" 2>/dev/null)
n=$(date +%s)
[ -z "$m" ] || [ -z "$n" ] || echo "age $((n - m))""#,
        path = quoted(path)
    )
}

/// What a command begins with that must see the very file whose SHA-256 is `sum`; `path` is as commands name it. Any
/// other file, or one whose checksum nobody can tell, ends the command before it began.
pub fn same_file_script(path: &str, sum: &str) -> String {
    format!(
        "(\n{TOOLS}\np={path}\n[ -f \"$p\" ] || {{ echo \"$p is not there: it has to be copied to this server again\"; exit 1; }}\n\
         nofm_sha256 \"$p\" || {{ echo \"whether $p is the file that was sent cannot be told: sha256sum, shasum or openssl is needed\"; exit 1; }}\n\
         [ \"$nofm_sum\" = {sum} ] || {{ echo \"$p is not the file that was sent: its SHA-256 is $nofm_sum and should be {sum}; nothing was started\"; exit 1; }}\n\
         ) || exit 97\n",
        path = quoted(path),
    )
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

/// A service and whether it may be missing: `name` or `name?`.
fn service(name: &str) -> (&str, bool) {
    name.strip_suffix('?').map_or((name, false), |name| (name, true))
}

/// `missing NAME` is true where there is no such service.
const MISSING: &str = r#"missing() { [ "$(systemctl show -p LoadState "$1" 2>/dev/null)" = LoadState=not-found ]; }
"#;

/// Asks how services stand; a name ending in `?` may be missing.
pub fn services_script(names: &[String]) -> String {
    let mut script = format!("command -v systemctl >/dev/null || exit 127\n{MISSING}");
    for (number, name) in names.iter().enumerate() {
        let (name, optional) = service(name);
        let name = quoted(name);
        let ask = format!("echo \"{number} $(systemctl is-active {name} 2>/dev/null)\"\n");
        if optional {
            script.extend([
                "if missing ",
                &name,
                "; then echo ",
                &number.to_string(),
                " missing; else ",
                &ask,
                "fi\n",
            ]);
        } else {
            script += &ask;
        }
    }
    script
}

/// How a service stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceState {
    Running,
    Stopped,
    /// It ended in failure, and does not run.
    Failed,
    /// An optional service that is not there.
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

/// What is done to services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceAct {
    Stop,
    Start,
    Restart,
}

/// The body of a run which stops, starts or restarts services in the order given, and ends at the first that
/// cannot be. A restart stops them in the order given and starts them in reverse.
pub fn service_script(act: ServiceAct, names: &[String]) -> String {
    let mut script = format!("set -eu\n{MISSING}");
    let (stop, start) = match act {
        ServiceAct::Stop => (true, None),
        ServiceAct::Start => (false, Some(names.iter().collect::<Vec<_>>())),
        ServiceAct::Restart => (true, Some(names.iter().rev().collect())),
    };
    for name in names.iter().filter(|_| stop) {
        script += &act_on("stop", name);
    }
    for name in start.into_iter().flatten() {
        script += &act_on("start", name);
    }
    script
}

fn act_on(verb: &str, name: &str) -> String {
    let (name, optional) = service(name);
    let name = quoted(name);
    let act = format!("echo {verb} {name}\nsystemctl {verb} {name}\n");
    if optional { format!("if missing {name}; then :; else\n{act}fi\n") } else { act }
}

/// Lists the services that a server could run, those that are stopped too, each with its display name.
pub fn service_list_script() -> &'static str {
    // Files alone would lack what was made of a template, and what is loaded alone what is stopped.
    r#"command -v systemctl >/dev/null || exit 127
set -ef
files=$(systemctl list-unit-files --type=service --plain --no-legend --no-pager)
loaded=$(systemctl list-units --all --type=service --plain --no-legend --no-pager --full)
names=$(printf '%s\n' "$files" "$loaded" | awk '$1 ~ /\.service$/ && $1 !~ /@\.service$/ { print $1 }' | sort -u)
[ -n "$names" ] || exit 0
systemctl show --no-pager -p Id -p Description -p LoadState -- $names"#
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
pub fn boot_id_script() -> String {
    format!("{TOOLS}\nnofm_boot\n[ -z \"$nofm_boot\" ] || printf 'boot %s\\n' \"$nofm_boot\"")
}

/// `None`: it cannot be told, or the server is about to go down or to come up.
pub fn boot_id(output: &ProbeOutput) -> Option<String> {
    let text = whole(output)?;
    let id = text.lines().find_map(|line| line.strip_prefix("boot "))?.trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (!id.is_empty() && id.len() <= 120 && id.bytes().all(plain)).then(|| id.to_owned())
}

/// The body of a run which restarts the server. Its exit status tells no more than whether that was accepted.
pub fn reboot_script() -> &'static str {
    // What ends all processes ends this one too, which is no failure. A stand-in has no other way to be restarted than
    // its own: the machine that it stands on is not meant.
    r#"trap '' HUP INT TERM
if [ -n "${NOFM_ROOT-}" ]; then
    "$NOFM_ROOT/bin/systemctl" reboot
elif command -v systemctl >/dev/null 2>&1; then
    systemctl reboot
else
    shutdown -r now
fi"#
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
