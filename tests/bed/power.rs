//! Power, sshd and clock of one server.

use std::fs::{self, OpenOptions};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::{Bed, sweep, until};

impl Bed {
    /// Switches servers on.
    pub(super) fn up(&mut self, names: &[&str]) {
        if self.network.is_some() {
            return self.namespaces_up(names);
        }
        for name in names {
            if self.lab.ssh.is_some() {
                self.start_sshd(name);
            }
            let root = self.root(name);
            let Some(boot) = &self.lab_server(name).boot else { continue };
            let mut path = root.join("bin").into_os_string();
            path.push(":");
            path.push(std::env::var_os("PATH").unwrap_or_default());
            let mut sh = Command::new("sh");
            sh.args(["-c", boot.as_str()]).current_dir(&root).env("NOFM_ROOT", &root).env("PATH", path);
            assert!(sh.stdin(Stdio::null()).status().unwrap().success(), "{name} does not boot");
        }
    }

    /// Power loss of one server: all its processes are gone at once. With namespaces its peers hear nothing of it; on
    /// loopback the kernel closes its connections.
    pub fn cut_power(&mut self, server: &str) {
        if self.network.is_some() {
            return self.namespaces_off(server);
        }
        let (root, sshd) = (self.root(server), self.sshd_folder(server));
        until("all processes are gone", || sweep::kill(&[&root, &sshd]) == 0);
        let _ = fs::remove_file(sshd.join("pid"));
    }

    /// After [`Bed::cut_power`]: the server boots, with a new boot id.
    pub fn power_on(&mut self, server: &str) {
        self.new_boot_id(server);
        self.up(&[server]);
    }

    /// Power off and on again.
    pub fn reboot(&mut self, server: &str) {
        self.cut_power(server);
        self.power_on(server);
    }

    /// Ends the sshd alone, with its sessions: what runs detached goes on.
    pub fn stop_sshd(&self, server: &str) {
        let folder = self.sshd_folder(server);
        until("no sshd is left", || {
            let sshds = sweep::processes(&[&folder]);
            for pid in &sshds {
                let _ = kill_process(*pid, Signal::KILL);
            }
            sshds.is_empty()
        });
        let _ = fs::remove_file(folder.join("pid"));
    }

    /// After [`Bed::stop_sshd`].
    pub fn start_sshd(&self, server: &str) {
        let folder = self.sshd_folder(server);
        let log = OpenOptions::new().append(true).create(true).open(folder.join("log")).unwrap();
        let mut command = Command::new("setsid");
        if let Some(init) = self.init_of(server) {
            command = Command::new(super::tools::bring("nsenter", "util-linux"));
            command.args(["--all", "--target", &init.as_raw_nonzero().to_string(), "setsid"]);
        }
        command.arg("-f").arg(&self.ssh_of().program);
        command
            .args(["-D", "-e", "-f"])
            .arg(folder.join("sshd_config"))
            .env("NOFM_ROOT", self.root(server))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0);
        assert!(command.status().unwrap().success());
        until("sshd listens", || folder.join("pid").exists());
    }

    /// Reads the configuration anew; sessions go on.
    pub fn restart_sshd(&self, server: &str) {
        self.stop_sshd(server);
        self.start_sshd(server);
    }

    /// The clock of a server is ahead by so many seconds.
    pub fn shift_clock(&self, server: &str, seconds: i64) {
        fs::write(self.root(server).join("etc/lab/clock"), format!("{seconds}\n")).unwrap();
    }

    pub fn boot_id(&self, server: &str) -> String {
        let path = self.root(server).join("proc/sys/kernel/random/boot_id");
        fs::read_to_string(path).unwrap().trim_end().to_owned()
    }

    pub(super) fn new_boot_id(&self, server: &str) {
        let folder = self.root(server).join("proc/sys/kernel/random");
        fs::create_dir_all(&folder).unwrap();
        let id = fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap();
        fs::write(folder.join("boot_id"), id).unwrap();
    }

    /// The processes of a server, sshd and its sessions among them.
    pub fn processes(&self, server: &str) -> Vec<Pid> {
        sweep::processes(&[&self.root(server), &self.sshd_folder(server)])
    }

    /// The sshd of a server and the processes that serve its connections.
    pub fn sshds(&self, server: &str) -> Vec<Pid> {
        sweep::processes(&[&self.sshd_folder(server)])
    }

    fn init_of(&self, server: &str) -> Option<Pid> {
        self.network.as_ref()?;
        let init = fs::read_to_string(self.sshd_folder(server).join("init")).ok()?;
        init.trim().parse().ok().and_then(Pid::from_raw)
    }
}
