//! What the labs of all products have in common: servers as folders, their addresses, their commands.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sha2::{Digest as _, Sha256};

use super::description::Kind;
use super::{LabError, LabOptions, LabServer, LabSsh};

/// Commands of this machine that the stand-ins cannot do without.
const NEEDED: &[&str] = &["sh", "awk", "flock", "grep", "setsid", "sed", "sleep"];
/// What making a farm behind SSH takes, besides sshd.
const NEEDED_FOR_SSH: &[&str] = &["id", "ssh-keygen"];

/// One server of a farm, to be made.
pub(super) struct Server {
    pub name: String,
    pub kind: Kind,
    pub address: Ipv4Addr,
}

/// Writes a file, and the folders above it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), LabError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|e| LabError::io("making the folder", folder, e))?;
    }
    fs::write(path, bytes).map_err(|e| LabError::io("writing", path, e))
}

/// Writes a file that can be run.
pub(super) fn write_command(path: &Path, bytes: &[u8]) -> Result<(), LabError> {
    write(path, bytes)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .map_err(|e| LabError::io("making executable", path, e))
}

/// Gives the servers addresses that no other lab is likely to have: the second and third number come from the
/// folder's path.
pub(super) fn addresses(dir: &Path, network: Option<Ipv4Addr>) -> impl Iterator<Item = Ipv4Addr> {
    let hash = Sha256::digest(dir.as_os_str().as_encoded_bytes());
    let by_path = Ipv4Addr::new(127, 1 + hash[0] % 250, hash[1], 0);
    let [first, second, third, _] = network.unwrap_or(by_path).octets();
    (1..=254).map(move |last| Ipv4Addr::new(first, second, third, last))
}

/// A port that is free on all addresses: `usual`, or else the first one of `others` that is.
pub(super) fn free_port(servers: &[Server], usual: u16, others: Range<u16>) -> Result<u16, LabError> {
    let mut refused = None;
    let tries = std::iter::once(usual).chain(others);
    for port in tries {
        let taken = servers.iter().find_map(|server| {
            TcpListener::bind((server.address, port)).err().map(|source| (server.address, source))
        });
        match taken {
            None => return Ok(port),
            Some(reason) => refused = Some(reason),
        }
    }
    let (address, source) =
        refused.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, io::Error::from(io::ErrorKind::AddrInUse)));
    Err(LabError::NoPort { address, source })
}

/// Whether this machine has what the stand-ins need.
pub(super) fn check_machine(ssh: bool) -> Result<(), LabError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has = |name: &str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let for_ssh = NEEDED_FOR_SSH.iter().filter(|_| ssh);
    NEEDED.iter().chain(for_ssh).find(|name| !has(name)).map_or(Ok(()), |name| Err(LabError::NoCommand(name)))
}

/// Writes what all stand-ins share: how fast the farm is, and the lab's own words.
pub(super) fn write_settings(
    dir: &Path,
    options: &LabOptions,
    own: &BTreeMap<String, String>,
    port: Option<u16>,
    servers: usize,
) -> Result<(), LabError> {
    let program = match &options.program {
        Some(program) => program.clone(),
        None => std::env::current_exe().map_err(|e| LabError::io("finding the program", dir, e))?,
    };
    let own_path = std::env::var("PATH").unwrap_or_else(|_| "/usr/bin:/bin".to_owned());
    // Forty servers that look for a message five times a second would keep the machine busy.
    let poll = if servers > 14 { 1.0 } else { (1.0 / options.speed).clamp(0.1, 0.5) };
    let mut words = own.clone();
    words.extend([
        ("own_path".to_owned(), own_path),
        ("program".to_owned(), program.display().to_string()),
        ("speed".to_owned(), options.speed.to_string()),
        ("poll".to_owned(), poll.to_string()),
    ]);
    words.extend(port.map(|port| ("port".to_owned(), port.to_string())));
    let mut settings = String::new();
    for (name, value) in words {
        // Writing to a string does not fail.
        let _ = writeln!(settings, "{name}={}", quoted(&value));
    }
    write(&dir.join("lib/settings"), settings.as_bytes())
}

/// Makes a server's folder with what every server has.
pub(super) fn write_server(dir: &Path, server: &Server) -> Result<PathBuf, LabError> {
    let root = dir.join(&server.name);
    for folder in ["bin", "etc/lab", "etc/systemd", "root", "run", "tmp", "var/spool"] {
        let folder = root.join(folder);
        fs::create_dir_all(&folder).map_err(|e| LabError::io("making the folder", &folder, e))?;
    }
    write(&root.join("etc/lab/address"), format!("{}\n", server.address).as_bytes())?;
    write(&root.join("etc/lab/boot"), server.kind.boot.join("\n").as_bytes())?;
    write(&root.join("etc/hostname"), format!("{}\n", server.name).as_bytes())?;
    write(&root.join("log"), b"")?;
    Ok(root)
}

/// A name that no other lab has: what was forbidden on one farm, or who upgrades it, is nothing to another.
pub(super) fn name() -> String {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    let word = RandomState::new().build_hasher().finish();
    format!("lab-{:06x}", word & 0x00ff_ffff)
}

/// The inventory of the farm.
pub(super) fn inventory(farm: &str, servers: &[Server], ssh: Option<&LabSsh>) -> String {
    let mut text = format!("nofm = 1\nfarm = \"{farm}\"\n");
    if let Some(LabSsh { user, port, .. }) = ssh {
        let user = toml::Value::String(user.clone());
        let _ = write!(
            text,
            "\n[ssh]\nuser        = {user}\nport        = {port}\nkey         = \"ssh/id_ed25519\"\nknown-hosts = \"ssh/known_hosts\"\nconfig      = \"/dev/null\"\n"
        );
    }
    for server in servers {
        text.push_str(&super::lay::inventory_entry(server, ssh.is_some()));
    }
    text
}

/// Starts the services of every server, and waits until they are up.
pub(super) fn boot(dir: &Path, servers: &[LabServer]) -> Result<(), LabError> {
    let boots: Vec<_> =
        servers.iter().filter_map(|server| Some((server.name.as_str(), server.boot.as_deref()?))).collect();
    run_on_all(dir, &boots)
}

/// Runs a command on every server named, all at the same time, and waits for each of them.
pub(super) fn run_on_all(dir: &Path, servers: &[(&str, &str)]) -> Result<(), LabError> {
    let start = |server: &str, command: &str| -> io::Result<Child> {
        let root = dir.join(server);
        Command::new("sh")
            .args(["-c", command])
            .current_dir(&root)
            .env("PATH", prefixed_path(&root))
            .env("NOFM_ROOT", &root)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
    };
    // More at a time only wait for each other.
    for few in servers.chunks(8) {
        let children: Vec<_> = few.iter().map(|(server, command)| (server, start(server, command))).collect();
        // All are waited for before the first failure is told: none is left running.
        let outputs: Vec<_> = children
            .into_iter()
            .map(|(server, child)| (server, child.and_then(Child::wait_with_output)))
            .collect();
        for (server, output) in outputs {
            let output = output.map_err(|e| LabError::io("running a command of", &dir.join(server), e))?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                let log = fs::read_to_string(dir.join(server).join("log")).unwrap_or_default();
                let lines: Vec<_> = log.lines().collect();
                let last = lines[lines.len().saturating_sub(10)..].join("\n");
                return Err(LabError::NotStarted {
                    server: (*server).to_owned(),
                    said: format!("{said}\n{last}"),
                });
            }
        }
    }
    Ok(())
}

fn prefixed_path(root: &Path) -> std::ffi::OsString {
    let mut path = root.join("bin").into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}

/// One word of a shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
