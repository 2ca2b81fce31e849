//! Programs that a bed needs, found on this machine or brought to it.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

const POLICY: &str = "/usr/sbin/policy-rc.d";

/// An sshd, whatever it takes.
pub fn sshd() -> &'static Path {
    static SSHD: OnceLock<PathBuf> = OnceLock::new();
    SSHD.get_or_init(|| {
        if find("sshd").is_none() && !rustix::process::geteuid().is_root() {
            return unpacked_sshd();
        }
        bring("sshd", "openssh-server")
    })
}

/// A program of this machine, which is installed where it is missing.
pub fn bring(tool: &str, package: &str) -> PathBuf {
    if let Some(path) = find(tool) {
        return path;
    }
    let _lock = lock("tools");
    // Another test may have brought it meanwhile.
    find(tool).or_else(|| install(package).and_then(|()| find(tool))).unwrap_or_else(|| {
        panic!("this test needs `{tool}`: install the package {package}, or run the tests as root where apt-get can")
    })
}

/// One at a time, also among test runs.
pub fn lock(what: &str) -> File {
    let file = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{what}.lock"))).unwrap();
    file.lock().unwrap();
    file
}

fn find(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let more = ["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin", "/bin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(more).map(|folder| folder.join(tool)).find(|file| file.is_file())
}

fn install(package: &str) -> Option<()> {
    if !rustix::process::geteuid().is_root() || find("apt-get").is_none() {
        return None;
    }
    // A service that an installation starts would take a port of this machine.
    let ours = !Path::new(POLICY).exists();
    if ours {
        fs::write(POLICY, "#!/bin/sh\nexit 101\n").ok()?;
        fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755)).ok()?;
    }
    // Where one of the sources cannot be read, the others may do.
    apt(Path::new("/"), &["update"]);
    let done = apt(Path::new("/"), &["install", "-y", "--no-install-recommends", package]);
    if ours {
        let _ = fs::remove_file(POLICY);
    }
    done.then_some(())
}

fn apt(dir: &Path, args: &[&str]) -> bool {
    Command::new("apt-get")
        .args(["-q", "-o", "DPkg::Lock::Timeout=300"])
        .args(args)
        .current_dir(dir)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// An sshd that is only unpacked below the target folder, for whom cannot install it.
pub fn unpacked_sshd() -> PathBuf {
    let _lock = lock("tools");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sshd");
    let program = dir.join("sshd");
    if program.is_file() {
        return program;
    }
    fs::create_dir_all(&dir).unwrap();
    assert!(
        apt(&dir, &["download", "openssh-server", "libwrap0"]),
        "this test needs `sshd`: install the package openssh-server"
    );
    for file in fs::read_dir(&dir).unwrap().flatten().map(|entry| entry.path()) {
        if file.extension().is_some_and(|ending| ending == "deb") {
            assert!(Command::new("dpkg").arg("-x").arg(&file).arg(&dir).status().unwrap().success());
        }
    }
    let real = dir.join("usr/sbin/sshd");
    let text = format!(
        "#!/bin/sh\nfor dir in '{0}'/usr/lib/* '{0}'/lib/*; do\n    LD_LIBRARY_PATH=${{LD_LIBRARY_PATH-}}:$dir\ndone\n\
         export LD_LIBRARY_PATH\nexec '{0}/usr/sbin/sshd' \"$@\"\n",
        dir.display()
    );
    assert!(real.is_file(), "the package holds no {}", real.display());
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

/// Runs a program to its end, with `input`; panics when it fails.
pub fn run(tool: &Path, args: &[&str], input: &str) -> String {
    use std::io::Write as _;
    let mut child = Command::new(tool)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {args:?}: {err}\n{input}", tool.display());
    String::from_utf8_lossy(&output.stdout).into_owned()
}
