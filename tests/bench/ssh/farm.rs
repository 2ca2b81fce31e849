//! Servers that are nothing but an sshd each, with a loopback address and a host key of its own.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::cpu;
use super::tools::{bring, run, sshd};

const PREFIX: &str = "nofm-bench-";

pub struct Farm {
    folder: TempDir,
    sshds: Vec<Child>,
    port: u16,
}

impl Farm {
    /// Starts it, and waits until every server answers.
    pub fn new(servers: u32) -> Self {
        // In memory, where there is such a place, so that no disk is measured.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        forget_stale(&place);
        let prefix = format!("{PREFIX}{}-", std::process::id());
        let folder = tempfile::Builder::new().prefix(&prefix).tempdir_in(place).expect("a folder");
        let mut farm = Self { folder, sshds: Vec::new(), port: free_port() };
        let client = farm.key("client");
        fs::write(farm.path("authorized_keys"), &client).expect("room");
        fs::create_dir(farm.path("home")).expect("room");
        let mut known = String::new();
        let port = farm.port;
        for server in 0..servers {
            let address = address(server);
            let host_key = farm.key(&format!("host-{server}"));
            let _ = write!(known, "[{address}]:{port} {host_key}");
            farm.start(server);
        }
        fs::write(farm.path("known_hosts"), known).expect("room");
        let begun = Instant::now();
        for server in 0..servers {
            while TcpStream::connect((address(server), port)).is_err() {
                assert!(begun.elapsed() < Duration::from_mins(1), "an sshd does not listen");
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        farm
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The inventory of the first `count` servers, in a file.
    pub fn inventory(&self, count: u32) -> PathBuf {
        let file = self.path(&format!("inventory-{count}.toml"));
        fs::write(&file, self.inventory_text(count)).expect("room");
        file
    }

    /// What all servers have cost since they were started, told once nobody is logged in any more.
    pub fn cpu(&self) -> Duration {
        let begun = Instant::now();
        let ours: Vec<u32> = self.sshds.iter().map(Child::id).collect();
        while cpu::parents().iter().any(|(_, parent)| ours.contains(parent)) {
            assert!(begun.elapsed() < Duration::from_mins(1), "somebody stays logged in");
            std::thread::sleep(Duration::from_millis(50));
        }
        ours.iter().map(|pid| cpu::tree(*pid)).sum()
    }

    fn start(&mut self, server: u32) {
        let path = |name: &str| format!("\"{}\"", self.path(name).display());
        let config = self.path(&format!("sshd_config-{server}"));
        // The login shell of whoever runs this may do much at every start, and that is not to be measured.
        let text = format!(
            "ListenAddress {}:{}\nHostKey {}\nAuthorizedKeysFile {}\nSetEnv HOME={}\nPidFile none\n\
             AuthenticationMethods publickey\nPermitRootLogin prohibit-password\nStrictModes no\nUsePAM no\n\
             UseDNS no\nPrintMotd no\nPrintLastLog no\nMaxStartups 1000\nMaxSessions 1000\nLogLevel ERROR\n",
            address(server),
            self.port,
            path(&format!("host-{server}")),
            path("authorized_keys"),
            path("home"),
        );
        fs::write(&config, text).expect("room");
        if server == 0 && rustix::process::geteuid().is_root() {
            // Installing sshd does not make it, starting the service does.
            fs::create_dir_all("/run/sshd").expect("root may");
        }
        let log = File::create(self.path(&format!("log-{server}"))).expect("room");
        let mut command = Command::new(sshd());
        command.args(["-D", "-e", "-f"]).arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.sshds.push(command.spawn().expect("sshd starts"));
    }

    /// Makes a key, and returns its public line.
    fn key(&self, name: &str) -> String {
        let path = self.path(name);
        let keygen = bring("ssh-keygen", "openssh-client");
        run(&keygen, &["-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", &path.to_string_lossy()], "");
        fs::read_to_string(path.with_extension("pub")).expect("it was made")
    }

    fn inventory_text(&self, count: u32) -> String {
        let path = |name: &str| toml::Value::String(self.path(name).display().to_string());
        let user = run(&bring("id", "coreutils"), &["-un"], "");
        let mut text = format!(
            "nofm = 1\nfarm = \"bench\"\n\n[ssh]\nuser = \"{}\"\nport = {}\nkey = {}\nknown-hosts = {}\n\
             config = \"/dev/null\"\nsudo = false\n",
            user.trim(),
            self.port,
            path("client"),
            path("known_hosts")
        );
        for server in 0..count {
            let address = address(server);
            let _ = write!(
                text,
                "\n[[servers]]\nname = \"s-{server}\"\naddress = \"{address}\"\nos = \"linux\"\nroles = [\"r\"]\n"
            );
        }
        text
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        for sshd in &mut self.sshds {
            let _ = sshd.kill();
        }
        for sshd in &mut self.sshds {
            let _ = sshd.wait();
        }
    }
}

/// Takes away what was left by those that were killed: it may fill the memory of this machine.
fn forget_stale(place: &Path) {
    for folder in fs::read_dir(place).expect("a folder").flatten() {
        let name = folder.file_name().to_string_lossy().into_owned();
        let owner = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir_all(folder.path());
        }
    }
}

fn address(server: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 83, 0, 1)) + server)
}

/// One that nobody on this machine listens on at the moment.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}
