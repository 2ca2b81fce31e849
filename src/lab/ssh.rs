//! Servers behind SSH: a real sshd for each of them, run by whoever makes the farm.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::farm::{self, Server, quoted, write};
use super::{Lab, LabError, LabOptions};

const SESSION: &str = include_str!("../../assets/lab/common/session.sh");

/// Where sshd is, besides the PATH: it is seldom on that of a user.
const PLACES: &[&str] = &["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/lib/openssh", "/usr/lib/ssh"];
const PORT: u16 = 2222;
/// How long an sshd may take until it listens.
const PATIENCE: Duration = Duration::from_secs(20);

/// How the servers of a farm are reached over SSH.
#[derive(Clone, Debug)]
pub struct LabSsh {
    /// The sshd that serves.
    pub program: PathBuf,
    pub user: String,
    pub port: u16,
    /// The key that every server takes.
    pub key: PathBuf,
    pub known_hosts: PathBuf,
}

impl LabSsh {
    /// The folder with all that makes a server one behind SSH: `sshd_config`, `host_key`, `session.sh`,
    /// `authorized_keys`, `log`, and the `pid` of its sshd.
    pub fn folder(lab: &Path, server: &str) -> PathBuf {
        lab.join("ssh").join(server)
    }
}

/// Writes keys and configurations for all servers.
pub(super) fn lay(dir: &Path, servers: &[Server], options: &LabOptions) -> Result<LabSsh, LabError> {
    let program = match &options.sshd {
        Some(program) => program.clone(),
        None => find()?,
    };
    let ssh = LabSsh {
        program,
        user: run("id", &["-un"])?.trim().to_owned(),
        // On addresses that this machine does not have yet nothing can be taken.
        port: if options.network.is_some() { PORT } else { farm::free_port(servers, PORT, 2223..2323)? },
        key: dir.join("ssh/id_ed25519"),
        known_hosts: dir.join("ssh/known_hosts"),
    };
    fs::DirBuilder::new()
        .mode(0o700)
        .create(dir.join("ssh"))
        .map_err(|e| LabError::io("making the folder", &dir.join("ssh"), e))?;
    let own = make_key(&ssh.key)?;
    // Writing to a string does not fail.
    let mut known = String::new();
    for server in servers {
        let folder = LabSsh::folder(dir, &server.name);
        write(&folder.join("session.sh"), SESSION.as_bytes())?;
        write(&folder.join("authorized_keys"), own.as_bytes())?;
        let host_key = make_key(&folder.join("host_key"))?;
        let _ = write!(known, "[{}]:{} {host_key}", server.address, ssh.port);
        write(&folder.join("sshd_config"), config(dir, server, ssh.port).as_bytes())?;
    }
    write(&ssh.known_hosts, known.as_bytes())?;
    if let Some(server) = servers.first() {
        check(&ssh.program, &LabSsh::folder(dir, &server.name).join("sshd_config"))?;
    }
    Ok(ssh)
}

/// Starts the sshd of every server, and waits until all of them listen.
pub(super) fn start(lab: &Lab, ssh: &LabSsh) -> Result<(), LabError> {
    let mut children = Vec::new();
    for server in &lab.servers {
        let folder = LabSsh::folder(&lab.dir, &server.name);
        let log = folder.join("log");
        let open = || OpenOptions::new().append(true).create(true).mode(0o600).open(&log);
        let streams = open().and_then(|out| Ok((out.try_clone()?, out)));
        let (out, err): (File, File) = streams.map_err(|e| LabError::io("opening", &log, e))?;
        // Both streams go to the log for as long as it runs: `process` knows it by that, since sshd writes its title
        // over the environment.
        let child = Command::new("setsid")
            .arg(&ssh.program)
            .args(["-D", "-e", "-f"])
            .arg(folder.join("sshd_config"))
            .env("NOFM_ROOT", lab.dir.join(&server.name))
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(|e| LabError::io("starting", &ssh.program, e))?;
        children.push((server, folder, child));
    }
    let begun = Instant::now();
    for (server, folder, mut child) in children {
        while !folder.join("pid").exists() {
            let ended = child.try_wait().map_err(|e| LabError::io("starting", &ssh.program, e))?;
            if ended.is_some() || begun.elapsed() > PATIENCE {
                let said = fs::read_to_string(folder.join("log")).unwrap_or_default();
                return Err(LabError::NotStarted { server: server.name.clone(), said });
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
    Ok(())
}

fn config(dir: &Path, server: &Server, port: u16) -> String {
    let root = dir.join(&server.name);
    let folder = LabSsh::folder(dir, &server.name);
    let path = |name: &str| word(&folder.join(name).display().to_string());
    let own_path = std::env::var("PATH").unwrap_or_default();
    let root_text = root.display().to_string();
    let settings = [
        word(&format!("NOFM_ROOT={root_text}")),
        word(&format!("HOME={root_text}/root")),
        word(&format!("PATH={root_text}/bin:{own_path}:{}", PLACES[..3].join(":"))),
    ];
    // The command is given to the login shell of the user, whichever that is.
    let session = quoted(&folder.join("session.sh").display().to_string());
    [
        format!("ListenAddress {}:{port}", server.address),
        format!("HostKey {}", path("host_key")),
        format!("PidFile {}", path("pid")),
        // The one path in which sshd looks for placeholders.
        format!("AuthorizedKeysFile {}", path("authorized_keys").replace('%', "%%")),
        format!("SetEnv {}", settings.join(" ")),
        format!("ForceCommand exec sh {session}"),
        "AuthenticationMethods publickey\nPermitRootLogin prohibit-password\nPasswordAuthentication no\n\
         KbdInteractiveAuthentication no\nStrictModes no\nUsePAM no\nUseDNS no\nX11Forwarding no\nPrintMotd no\n\
         PrintLastLog no\nMaxStartups 1000\nMaxSessions 1000\n"
            .to_owned(),
    ]
    .join("\n")
}

/// One word of a configuration of sshd.
fn word(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Makes a key without a passphrase, and returns its public line.
fn make_key(path: &Path) -> Result<String, LabError> {
    let text = path.display().to_string();
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", "nofm-lab", "-f", &text])?;
    let public = path.with_extension("pub");
    fs::read_to_string(&public).map_err(|e| LabError::io("reading", &public, e))
}

/// Lets sshd read a configuration without starting, and makes the one folder that root's sshd wants to have.
fn check(program: &Path, config: &Path) -> Result<(), LabError> {
    let (program, config) = (program.display().to_string(), config.display().to_string());
    let checked = run(&program, &["-t", "-f", &config]);
    let Err(LabError::Failed { said, .. }) = &checked else { return checked.map(drop) };
    let missing = said.lines().find_map(|line| line.strip_prefix("Missing privilege separation directory: "));
    let Some(missing) = missing else { return checked.map(drop) };
    fs::DirBuilder::new()
        .mode(0o755)
        .recursive(true)
        .create(missing)
        .map_err(|e| LabError::io("making the folder that sshd needs", Path::new(missing), e))?;
    run(&program, &["-t", "-f", &config]).map(drop)
}

/// What a command of this machine prints.
fn run(name: &str, args: &[&str]) -> Result<String, LabError> {
    let failed = |said: String| LabError::Failed { command: name.to_owned(), said };
    let output = Command::new(name).args(args).stdin(Stdio::null()).output();
    let output = output.map_err(|e| failed(e.to_string()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

fn find() -> Result<PathBuf, LabError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(PLACES.iter().map(PathBuf::from))
        .map(|folder| folder.join("sshd"))
        .find(|file| file.is_absolute() && file.is_file())
        .ok_or(LabError::NoSshd)
}
