//! What can be wrong with a login: keys, banners, what a login prints, sudo.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::tools::{bring, run};
use super::{Bed, sweep};

impl Bed {
    /// `known_hosts` says nothing of this server.
    pub fn forget_host_key(&self, server: &str) {
        self.know(server, None);
    }

    /// `known_hosts` has another key for this server than it shows, as if someone stood between.
    pub fn know_wrong_host_key(&self, server: &str) {
        let key = new_key(&self.sshd_folder(server).join("other_key"));
        self.know(server, Some(&key));
    }

    /// The server has a new host key, as after an installation from scratch; `known_hosts` has the old one.
    pub fn change_host_key(&self, server: &str) {
        new_key(&self.sshd_folder(server).join("host_key"));
        self.restart_sshd(server);
    }

    /// `known_hosts` has the key that the server shows.
    pub fn know_host_key(&self, server: &str) {
        let path = self.sshd_folder(server).join("host_key.pub");
        self.know(server, Some(&fs::read_to_string(path).unwrap()));
    }

    fn know(&self, server: &str, key: Option<&str>) {
        let at = self.address(server);
        let host = format!("[{}]:{} ", at.ip(), at.port());
        let text = fs::read_to_string(self.known_hosts()).unwrap();
        let mut lines = String::new();
        for line in text.lines().filter(|line| !line.starts_with(&host)) {
            writeln!(lines, "{line}").unwrap();
        }
        if let Some(key) = key {
            writeln!(lines, "{host}{}", key.trim_end()).unwrap();
        }
        fs::write(self.known_hosts(), lines).unwrap();
    }

    /// The server does not take the farm's key any more.
    pub fn refuse_login(&self, server: &str) {
        fs::write(self.sshd_folder(server).join("authorized_keys"), "").unwrap();
    }

    pub fn allow_login(&self, server: &str) {
        let own = fs::read_to_string(self.key().with_extension("pub")).unwrap();
        fs::write(self.sshd_folder(server).join("authorized_keys"), own).unwrap();
    }

    /// The server shows this before the login.
    pub fn banner(&self, server: &str, text: &[u8]) {
        let folder = self.sshd_folder(server);
        fs::write(folder.join("banner"), text).unwrap();
        let path = folder.join("banner").display().to_string();
        self.configure(server, &format!("Banner \"{path}\""));
    }

    /// Adds a setting to the configuration of the server's sshd, before all others.
    pub fn configure(&self, server: &str, setting: &str) {
        let path = self.sshd_folder(server).join("sshd_config");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{setting}\n{text}")).unwrap();
        self.restart_sshd(server);
    }

    /// Each login on the server prints this first, to the output and to the error stream.
    pub fn login_prints(&self, server: &str, text: &[u8]) {
        let folder = self.sshd_folder(server);
        fs::write(folder.join("greeting"), text).unwrap();
        let session = folder.join("session.sh");
        let greeting = folder.join("greeting").display().to_string().replace('\'', r"'\''");
        let text = fs::read_to_string(&session).unwrap();
        fs::write(&session, format!("cat '{greeting}'\ncat '{greeting}' >&2\n{text}")).unwrap();
    }

    /// Logins on the server are not root, and become so by `sudo` with this password, or without one. It behaves as
    /// sudo does that remembers nothing: `-n` fails where a password is needed, `-S` reads it, three times at most.
    pub fn need_sudo(&self, server: &str, password: Option<&str>) {
        let root = self.root(server);
        write_command(&root.join("bin/sudo"), SUDO);
        write_command(&root.join("bin/id"), ID);
        fs::write(root.join("etc/lab/sudo"), password.map(|word| format!("{word}\n")).unwrap_or_default())
            .unwrap();
    }

    /// Fills the server's own disk at `/var/lib` to the last byte, and returns the file that does it.
    pub fn fill_disk(&self, server: &str) -> std::path::PathBuf {
        assert!(self.network.is_some(), "on loopback the servers share the disk of this machine");
        let path = self.root(server).join("var/lib/ballast");
        let mut file = fs::File::create(&path).unwrap();
        let full = std::io::copy(&mut std::io::repeat(b'x'), &mut file).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull, "{full}");
        path
    }

    /// Whether anything of this bed still runs.
    pub fn is_quiet(&self) -> bool {
        sweep::processes(&[&self.lab.dir]).is_empty()
    }
}

/// Makes a key in place of what is there, and returns its public line.
fn new_key(path: &Path) -> String {
    let _ = (fs::remove_file(path), fs::remove_file(path.with_extension("pub")));
    let keygen = bring("ssh-keygen", "openssh-client");
    run(&keygen, &["-q", "-t", "ed25519", "-N", "", "-C", "bed", "-f", &path.display().to_string()], "");
    fs::read_to_string(path.with_extension("pub")).unwrap()
}

/// Writes a file that can be run.
pub fn write_command(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

const ID: &str = r#"#!/bin/sh
case ${NOFM_BED_ROOT-}:${1-} in
yes:-u | yes:-g) echo 0 ;;
yes:-un | yes:-nu) echo root ;;
yes:*) echo "uid=0(root) gid=0(root) groups=0(root)" ;;
*:-u | *:-g) echo 1000 ;;
*:-un | *:-nu) echo admin ;;
*) echo "uid=1000(admin) gid=1000(admin) groups=1000(admin)" ;;
esac
"#;

const SUDO: &str = r#"#!/bin/sh
prompt="[sudo] password for admin: " never= input= validate=
while [ $# -gt 0 ]; do
    case $1 in
    -n | --non-interactive) never=1 ;;
    -S | --stdin) input=1 ;;
    -nS | -Sn) never=1 input=1 ;;
    -p | --prompt) prompt=$2 && shift ;;
    --prompt=*) prompt=${1#*=} ;;
    -u | -g) shift ;;
    -k | -K) [ $# -gt 1 ] || exit 0 ;;
    -v | --validate) validate=1 ;;
    --) shift && break ;;
    -*) ;;
    *) break ;;
    esac
    shift
done
[ -z "$validate" ] || set -- true
[ $# -gt 0 ] || { echo "usage: sudo command" >&2; exit 1; }
word=
read -r word <"$NOFM_ROOT/etc/lab/sudo"
if [ -n "$word" ]; then
    [ -z "$never" ] || { echo "sudo: a password is required" >&2; exit 1; }
    [ -n "$input" ] || {
        echo "sudo: a terminal is required to read the password; either use the -S option to read from standard input" \
            "or configure an askpass helper" >&2
        echo "sudo: a password is required" >&2
        exit 1
    }
    left=3
    while :; do
        printf %s "$prompt" >&2
        # A shell reads byte by byte: what follows is left for the command.
        IFS= read -r typed || { echo "sudo: no password was provided" >&2; echo "sudo: a password is required" >&2; exit 1; }
        [ "$typed" != "$word" ] || break
        left=$((left - 1))
        [ "$left" -gt 0 ] || { echo "sudo: 3 incorrect password attempts" >&2; exit 1; }
        echo "Sorry, try again." >&2
    done
fi
NOFM_BED_ROOT=yes
export NOFM_BED_ROOT
exec "$@"
"#;
