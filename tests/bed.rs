//! A test bed: a farm whose servers are behind real sshds, where a test can cut power, cables and keys.
//!
//! In the *loopback* form all servers share this machine, and each sshd listens on a loopback address of its own. In
//! the form with *namespaces*, for root, each server has its own network, host name, process numbers and a small disk
//! at `/var/lib`. A bed takes all of it away when it is dropped; what a killed test run left is swept by the next one.

mod faults;
mod namespaces;
mod power;
mod proxy;
mod sweep;
mod tests;
mod tools;
mod user;

use std::fmt::Write as _;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nofm::lab::{self, Lab, LabOptions, LabServer, LabSource, LabSsh};

use namespaces::Network;
pub use proxy::{Direction, Proxy};
pub use tools::{bring, sshd};
pub use user::RealUser;

/// How the servers of a bed are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Loopback,
    Namespaces,
}

pub struct Options {
    /// The best one that is possible where nothing is said.
    pub form: Option<Form>,
    pub servers: usize,
    pub balancers: usize,
    pub consoles: usize,
    pub faults: Vec<&'static str>,
    pub speed: f64,
    /// The size of each server's own disk, where it has one.
    pub disk_mb: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            form: None,
            servers: 4,
            balancers: 2,
            consoles: 1,
            faults: Vec::new(),
            speed: 30.0,
            disk_mb: 256,
        }
    }
}

pub struct Bed {
    pub lab: Lab,
    pub form: Form,
    network: Option<Network>,
    /// By server: where clients are sent to, and the proxy before its other port, where the product has one.
    fronts: Vec<(String, IpAddr, Option<Proxy>)>,
    /// By server: who logs in, where that is not whoever runs the tests.
    users: Vec<(String, String)>,
    folder: PathBuf,
}

/// What a command on a server came to.
#[derive(Debug)]
pub struct Said {
    /// 255 also when the connection failed.
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        Self {
            code: output.status.code().unwrap_or(-1),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }
}

impl Bed {
    /// The farm of the IGEL profile, up and reachable.
    pub fn igel(options: &Options) -> Self {
        let form = options
            .form
            .unwrap_or_else(|| if Self::namespaces_possible() { Form::Namespaces } else { Form::Loopback });
        let folder = sweep::new_folder();
        let mut network = (form == Form::Namespaces).then(Network::new);
        let disk_mb = options.disk_mb;
        let options = LabOptions {
            counts: crate::lab::counts(options.servers, options.balancers, options.consoles),
            faults: options.faults.iter().map(|fault| (*fault).to_owned()).collect(),
            speed: options.speed,
            program: Some(PathBuf::from(env!("CARGO_BIN_EXE_nofm"))),
            ssh: true,
            sshd: Some(sshd().to_owned()),
            network: network.as_ref().map(Network::address),
            ..LabOptions::new(folder.join("the admin's farm"))
        };
        let source = LabSource::of("igel_ums_ha").expect("a built-in lab");
        let lab = match &mut network {
            None => lab::create(&source, &options),
            Some(_) => lab::lay(&source, &options),
        };
        let lab = lab.unwrap_or_else(|e| panic!("{e}"));
        let mut bed = Self { lab, form, network, fronts: Vec::new(), users: Vec::new(), folder };
        for server in &bed.lab.servers {
            bed.new_boot_id(&server.name);
        }
        if bed.network.is_some() {
            let names: Vec<_> = bed.lab.servers.iter().map(|server| server.name.clone()).collect();
            bed.make_disks(disk_mb);
            bed.up(&names.iter().map(String::as_str).collect::<Vec<_>>());
        }
        bed
    }

    /// A farm of any lab, in the loopback form. Without SSH its servers are folders of this machine.
    pub fn of(source: &LabSource, change: impl FnOnce(&mut LabOptions)) -> Self {
        let folder = sweep::new_folder();
        let mut options = LabOptions {
            program: Some(PathBuf::from(env!("CARGO_BIN_EXE_nofm"))),
            ..LabOptions::new(folder.join("the admin's farm"))
        };
        change(&mut options);
        options.sshd = options.ssh.then(|| sshd().to_owned());
        let lab = lab::create(source, &options).unwrap_or_else(|e| panic!("{e}"));
        let bed =
            Self { lab, form: Form::Loopback, network: None, fronts: Vec::new(), users: Vec::new(), folder };
        for server in &bed.lab.servers {
            bed.new_boot_id(&server.name);
        }
        bed
    }

    /// Whether servers can have namespaces of their own here. Found out by making some.
    pub fn namespaces_possible() -> bool {
        namespaces::possible()
    }

    /// The names of all servers, in the order of the inventory.
    pub fn servers(&self) -> Vec<&str> {
        self.lab.servers.iter().map(|server| server.name.as_str()).collect()
    }

    /// The folder that stands for a server's file system.
    pub fn root(&self, server: &str) -> PathBuf {
        self.lab.dir.join(server)
    }

    /// The folder of a server's sshd: configuration, host key, authorized keys, log.
    pub fn sshd_folder(&self, server: &str) -> PathBuf {
        LabSsh::folder(&self.lab.dir, server)
    }

    /// Who logs in to a server.
    pub fn user(&self, server: &str) -> &str {
        let own = self.users.iter().find(|(name, _)| name == server);
        own.map_or(&self.ssh_of().user, |(_, user)| user)
    }

    pub fn key(&self) -> &Path {
        &self.ssh_of().key
    }

    pub fn known_hosts(&self) -> &Path {
        &self.ssh_of().known_hosts
    }

    /// Where a server's sshd itself listens.
    pub fn sshd_at(&self, server: &str) -> SocketAddr {
        SocketAddr::new(self.lab_server(server).address.into(), self.ssh_of().port)
    }

    /// Where clients are sent to: the sshd, or the proxy before it.
    pub fn address(&self, server: &str) -> SocketAddr {
        let front = self.fronts.iter().find(|(name, ..)| name == server);
        front.map_or_else(|| self.sshd_at(server), |(_, ip, _)| SocketAddr::new(*ip, self.ssh_of().port))
    }

    /// A command on a server, by the machine's own OpenSSH client.
    pub fn ssh(&self, server: &str, command: &str) -> Command {
        let at = self.address(server);
        let mut ssh = Command::new(tools::bring("ssh", "openssh-client"));
        ssh.args([
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "ConnectTimeout=10",
        ])
        .args(["-o", "GlobalKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"])
        .arg("-o")
        .arg(format!("UserKnownHostsFile=\"{}\"", self.known_hosts().display()))
        .arg("-i")
        .arg(self.key())
        .args(["-p", &at.port().to_string(), &format!("{}@{}", self.user(server), at.ip()), command])
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null());
        ssh
    }

    pub fn on(&self, server: &str, command: &str) -> Said {
        self.ssh(server, command).output().unwrap().into()
    }

    /// Runs a command that must succeed, and returns what it printed.
    pub fn ask(&self, server: &str, command: &str) -> String {
        let said = self.on(server, command);
        assert_eq!(said.code, 0, "{server}: {command}: {}", said.err);
        said.out
    }

    /// What happened on the farm, as the stand-ins tell it.
    pub fn events(&self) -> String {
        fs::read_to_string(self.lab.dir.join("events.log")).unwrap()
    }

    /// Puts a proxy before a server. The inventory sends clients to it from now on; what the product itself answers
    /// on passes unhindered.
    pub fn behind_proxy(&mut self, server: &str) -> Proxy {
        let direct = self.sshd_at(server);
        let answers: toml::Table = fs::read_to_string(&self.lab.answers_path).unwrap().parse().unwrap();
        let rest = answers["inputs"].get("rest_port").map(|port| {
            let port = port.as_integer().and_then(|port| u16::try_from(port).ok());
            SocketAddr::new(direct.ip(), port.unwrap())
        });
        let ports: Vec<u16> = std::iter::once(direct).chain(rest).map(|at| at.port()).collect();
        let ip = proxy::free_address(&ports);
        let proxy = Proxy::new(SocketAddr::new(ip, direct.port()), direct);
        let aside = rest.map(|rest| Proxy::new(SocketAddr::new(ip, rest.port()), rest));
        self.fronts.push((server.to_owned(), ip, aside));
        let known = fs::read_to_string(self.known_hosts()).unwrap();
        let (old, new) = (format!("[{}]:", direct.ip()), format!("[{ip}]:"));
        let mut lines = known.clone();
        for line in known.lines().filter(|line| line.starts_with(&old)) {
            writeln!(lines, "{}", line.replace(&old, &new)).unwrap();
        }
        fs::write(self.known_hosts(), lines).unwrap();
        let text = fs::read_to_string(&self.lab.inventory_path).unwrap();
        let text = text.replace(&format!("\"{}\"", direct.ip()), &format!("\"{ip}\""));
        fs::write(&self.lab.inventory_path, text).unwrap();
        proxy
    }

    fn ssh_of(&self) -> &LabSsh {
        self.lab.ssh.as_ref().unwrap()
    }

    fn lab_server(&self, server: &str) -> &LabServer {
        let found = self.lab.servers.iter().find(|known| known.name == server);
        found.unwrap_or_else(|| panic!("no server {server}"))
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        if let Some(network) = &mut self.network {
            network.down();
        }
        sweep::remove(&self.folder);
    }
}

/// Waits for at most half a minute.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
