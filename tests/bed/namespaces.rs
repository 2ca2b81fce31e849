//! Servers in namespaces of their own, on a bridge of this machine.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use super::tools::{bring, run};
use super::{Bed, until};

/// What the first process of a server does: `$1` is its sshd's folder, `$2` sshd, `$3` its address, `$4` what it boots.
const INIT: &str = r#"
read -r pid rest </proc/self/stat && echo "$pid" >"$1/init.new" && mv "$1/init.new" "$1/init"
mount -t proc proc /proc
echo "${NOFM_ROOT##*/}" >/proc/sys/kernel/hostname
until ip link set eth0 up 2>/dev/null; do sleep 0.01; done
ip addr add "$3/24" dev eth0 && ip link set lo up
"$2" -D -e -f "$1/sshd_config" >>"$1/log" 2>&1 &
cd "$NOFM_ROOT" && { [ -z "$4" ] || PATH=$NOFM_ROOT/bin:$PATH HOME=$NOFM_ROOT/root sh -c "$4"; } && : >"$1/up"
while :; do sleep 3600 & wait "$!"; done
"#;

const SPACES: [&str; 8] =
    ["--net", "--mount", "--uts", "--pid", "--ipc", "--fork", "--kill-child", "--propagation=private"];

/// The names of all that belongs to a process begin so.
fn prefix(pid: u32) -> String {
    format!("nf{pid:x}-")
}

fn ip(batch: &str) {
    run(&bring("ip", "iproute2"), &["-batch", "-"], batch);
}

/// Whether namespaces, a bridge and a cable can be made.
pub fn possible() -> bool {
    static POSSIBLE: OnceLock<bool> = OnceLock::new();
    *POSSIBLE.get_or_init(|| {
        let quiet = |command: &mut Command| {
            let done = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
            done.is_ok_and(|status| status.success())
        };
        let name = format!("{}try", prefix(std::process::id()));
        rustix::process::geteuid().is_root()
            && quiet(Command::new(bring("unshare", "util-linux")).args(SPACES).args([
                "sh",
                "-c",
                "mount -t proc proc /proc && mount -t tmpfs tmpfs /tmp",
            ]))
            && quiet(Command::new(bring("ip", "iproute2")).args(["link", "add", &name, "type", "bridge"]))
            && quiet(Command::new(bring("ip", "iproute2")).args(["link", "del", &name]))
    })
}

/// Deletes the bridges and cables of every process that is `gone`.
pub fn forget(gone: impl Fn(u32) -> bool) {
    for name in fs::read_dir("/sys/class/net").unwrap().flatten().map(|entry| entry.file_name()) {
        let name = name.to_string_lossy();
        let owner = name.strip_prefix("nf").and_then(|rest| rest.split_once('-'));
        // Another test run may be sweeping too.
        if owner.and_then(|(pid, _)| u32::from_str_radix(pid, 16).ok()).is_some_and(&gone) {
            let _ = Command::new(bring("ip", "iproute2")).args(["link", "del", &name]).status();
        }
    }
}

/// The bridge of a bed, and the servers that are on.
pub struct Network {
    bridge: String,
    address: Ipv4Addr,
    /// By server: the process that holds its namespaces, and the end of its cable.
    on: Vec<(String, Child, String)>,
}

impl Network {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let bridge = format!("{}b{count:x}", prefix(std::process::id()));
        let address = free_network(std::process::id().wrapping_mul(31).wrapping_add(count * 7));
        let [a, b, c, _] = address.octets();
        // Nothing but these servers is to hear of the bridge.
        ip(&format!("link add {bridge} type bridge\n"));
        let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{bridge}/disable_ipv6"), "1");
        ip(&format!("addr add {a}.{b}.{c}.254/24 dev {bridge}\nlink set {bridge} up\n"));
        Self { bridge, address, on: Vec::new() }
    }

    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Everything off, and the bridge away.
    pub fn down(&mut self) {
        let mut batch = format!("link del {}\n", self.bridge);
        for (_, mut child, cable) in self.on.drain(..) {
            let _ = child.kill();
            let _ = child.wait();
            // It goes with its namespace, but some time later.
            let _ = writeln!(batch, "link del {cable}");
        }
        // Some may be gone already; the others are to go all the same.
        let ip = Command::new(bring("ip", "iproute2"))
            .args(["-force", "-batch", "-"])
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        if let Ok(mut ip) = ip {
            let _ = ip.stdin.take().map(|mut input| input.write_all(batch.as_bytes()));
            let _ = ip.wait();
        }
    }
}

/// A network that no route of this machine leads to, but for the default one.
fn free_network(seed: u32) -> Ipv4Addr {
    let routes = fs::read_to_string("/proc/net/route").unwrap_or_default();
    let number = |text: &str| u32::from_str_radix(text, 16).unwrap_or_default().swap_bytes();
    let taken: Vec<(u32, u32)> = routes
        .lines()
        .skip(1)
        .filter_map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            Some((number(words.get(1)?), number(words.get(7)?)))
        })
        .filter(|(_, mask)| *mask != 0)
        .collect();
    let free =
        |network: u32| !taken.iter().any(|(to, mask)| (network & mask) == *to || (to & !0xff) == network);
    (0..16384)
        .map(|step| (seed.wrapping_add(step * 97)) % 16384)
        .map(|number| u32::from(Ipv4Addr::new(10, 64, 0, 0)) + (number << 8))
        .find(|network| free(*network))
        .map_or_else(|| panic!("no network of 10.64.0.0/10 is free"), Ipv4Addr::from)
}

impl Bed {
    /// Gives every server a disk at `/var/lib`, which outlives its power.
    pub(super) fn make_disks(&self, size_mb: usize) {
        for server in &self.lab.servers {
            let place = self.root(&server.name).join("var/lib");
            fs::create_dir_all(&place).unwrap();
            let data = std::ffi::CString::new(format!("size={size_mb}m,mode=755")).unwrap();
            let flags = rustix::mount::MountFlags::empty();
            rustix::mount::mount("tmpfs", &place, "tmpfs", flags, Some(data.as_c_str())).unwrap();
            // What is on that disk is told by the machine, the rest by the stand-in.
            let df = self.root(&server.name).join("bin/df");
            fs::rename(&df, df.with_file_name("df.stand-in")).unwrap();
            super::faults::write_command(&df, DF);
        }
    }

    /// Switches servers on, all at the same time, and waits until they are up.
    pub(super) fn namespaces_up(&mut self, names: &[&str]) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        for name in names {
            let child = self.init(name);
            let cable = format!("{}v{:x}", prefix(std::process::id()), COUNT.fetch_add(1, Ordering::Relaxed));
            self.network.as_mut().unwrap().on.push(((*name).to_owned(), child, cable));
        }
        let mut batch = String::new();
        let network = self.network.as_ref().unwrap();
        for (name, _, cable) in network.on.iter().filter(|(name, ..)| names.contains(&name.as_str())) {
            let file = self.sshd_folder(name).join("init");
            until("a server has its namespaces", || file.exists());
            let pid = fs::read_to_string(file).unwrap();
            let (pid, bridge) = (pid.trim(), &network.bridge);
            // As a real one a server comes back with the address that everybody remembers of its network card.
            let [a, b, c, d] = self.lab_server(name).address.octets();
            let card = format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}");
            writeln!(batch, "link add {cable} type veth peer name eth0 address {card} netns {pid}").unwrap();
            writeln!(batch, "link set {cable} master {bridge} up").unwrap();
        }
        ip(&batch);
        for name in names {
            let folder = self.sshd_folder(name);
            until(&format!("{name} is up"), || folder.join("up").exists() && folder.join("pid").exists());
        }
    }

    fn init(&self, name: &str) -> Child {
        let (folder, server) = (self.sshd_folder(name), self.lab_server(name));
        for left in ["init", "up", "pid"] {
            let _ = fs::remove_file(folder.join(left));
        }
        let log = OpenOptions::new().append(true).create(true).open(folder.join("boot.log")).unwrap();
        Command::new(bring("unshare", "util-linux"))
            .args(SPACES)
            .args(["sh", "-c", INIT, "init"])
            .arg(&folder)
            .arg(&self.ssh_of().program)
            .args([server.address.to_string().as_str(), server.boot.as_deref().unwrap_or_default()])
            .env("NOFM_ROOT", self.root(name))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap()
    }

    /// The cable first: whoever talks to the server hears nothing of its end, as it is with real power.
    pub(super) fn namespaces_off(&mut self, name: &str) {
        let init = fs::read_to_string(self.sshd_folder(name).join("init")).unwrap();
        let network = self.network.as_mut().unwrap();
        let place = network.on.iter().position(|(on, ..)| on == name).expect("it is on");
        let (_, mut child, cable) = network.on.remove(place);
        ip(&format!("link del {cable}\n"));
        let init = init.trim().parse().ok().and_then(Pid::from_raw).expect("a process number");
        // Its parent is not waited for yet, so that the number is still that of the init.
        kill_process(init, Signal::KILL).unwrap();
        child.wait().unwrap();
    }
}

const DF: &str = r#"#!/bin/sh
set -eu
. "${NOFM_ROOT:?}/../lib/lab.sh"
path=/
for path do :; done
case $path/ in "$NOFM_ROOT"/var/lib/*) exec df "$@" ;; esac
exec "$NOFM_ROOT/bin/df.stand-in" "$@"
"#;
