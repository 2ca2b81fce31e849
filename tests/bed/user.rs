//! A real user who is not root, and the real sudo.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Bed;
use super::tools::{bring, lock, run};

const NAME: &str = "nofmtest";
const RULES: &str = "/etc/sudoers.d/nofmtest";

/// The user of this machine that servers are logged in to; gone when this is dropped. There is one at a time.
pub struct RealUser {
    _lock: File,
}

impl RealUser {
    /// For root: makes the user, who may do everything by sudo with this password.
    pub fn new(password: &str) -> Self {
        bring("sudo", "sudo");
        let user = Self { _lock: lock("user") };
        // What a killed test run left.
        forget();
        run(
            &bring("useradd", "passwd"),
            &["--system", "--no-create-home", "--home-dir", "/", "--shell", "/bin/sh", NAME],
            "",
        );
        run(&bring("chpasswd", "passwd"), &[], &format!("{NAME}:{password}\n"));
        // The farm's commands are found by the PATH, and its folder by the environment.
        let rules = format!(
            "{NAME} ALL=(ALL) ALL\nDefaults:{NAME} !env_reset, !secure_path, !lecture, timestamp_timeout=0\n"
        );
        fs::write(RULES, rules).unwrap();
        fs::set_permissions(RULES, fs::Permissions::from_mode(0o440)).unwrap();
        user
    }
}

impl Drop for RealUser {
    fn drop(&mut self) {
        forget();
    }
}

fn forget() {
    let _ = fs::remove_file(RULES);
    let quiet =
        Command::new(bring("userdel", "passwd")).args(["--force", NAME]).stderr(Stdio::null()).status();
    assert!(quiet.is_ok());
}

impl Bed {
    /// A server's logins are those of the real user, with the machine's own `id` and `sudo`.
    pub fn log_in_as(&mut self, server: &str, _user: &RealUser) {
        for stand_in in ["id", "sudo"] {
            fs::remove_file(self.root(server).join("bin").join(stand_in)).unwrap();
        }
        let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        let folder = self.sshd_folder(server);
        open(folder.parent().unwrap(), 0o711);
        open(&folder, 0o711);
        open(&folder.join("session.sh"), 0o644);
        open(&folder.join("authorized_keys"), 0o644);
        let text = fs::read_to_string(&self.lab.inventory_path).unwrap();
        let (name, user) = (format!("name      = \"{server}\"\n"), format!("user      = \"{NAME}\"\n"));
        fs::write(&self.lab.inventory_path, text.replace(&name, &format!("{name}{user}"))).unwrap();
        self.users.push((server.to_owned(), NAME.to_owned()));
    }
}
