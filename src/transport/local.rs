//! A server that is this machine, or a folder of it that stands for a server.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};

use super::channel::{Call, Channel, Identity};
use super::powershell;
use crate::profile::Shell;

/// Where the tools of a server are, besides what the console's own PATH names.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How to run commands on this machine.
#[derive(Debug)]
pub struct Local {
    name: String,
    root: Option<PathBuf>,
    as_root: bool,
    shell: Shell,
}

impl Local {
    /// `root` is the folder that stands for the server's file system, with its `bin` first on the PATH; `None` is
    /// this machine itself. Only this machine itself is asked to make us root: a stand-in belongs to whoever
    /// rehearses.
    pub fn new(name: &str, root: Option<&Path>) -> Self {
        let root = root.filter(|root| *root != Path::new("/")).map(|root| {
            // A relative path would mean another place once the folder is entered.
            std::path::absolute(root).unwrap_or_else(|_| root.to_owned())
        });
        Self { name: name.to_owned(), as_root: root.is_none(), root, shell: Shell::Sh }
    }

    /// Whether calls become root by `sudo -n` where this user is not root.
    #[must_use]
    pub fn as_root(mut self, as_root: bool) -> Self {
        self.as_root = as_root;
        self
    }

    /// The shell that runs what is sent: `sh`, unless it is said.
    #[must_use]
    pub fn with_shell(mut self, shell: Shell) -> Self {
        self.shell = shell;
        self
    }

    pub(super) fn shell(&self) -> Shell {
        self.shell
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn open(&self, call: &Call) -> io::Result<Channel> {
        let identity = if call.as_root && self.as_root { Identity::Root } else { Identity::Login };
        let argv = match self.shell {
            Shell::PowerShell => powershell::argv().to_vec(),
            Shell::Sh | Shell::None => call.argv(&identity),
        };
        let ours = call.ours;
        let mut command = Command::new(&argv[0]);
        command
            .args(&argv[1..])
            .env_clear()
            .envs(["LANG", "TERM"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        self.place(&mut command);
        let mut child = command.spawn()?;
        let missing = || io::Error::other("the process has no pipe");
        let channel = Channel {
            stdin: Box::new(child.stdin.take().ok_or_else(missing)?),
            stdout: Box::new(child.stdout.take().ok_or_else(missing)?),
            stderr: Box::new(child.stderr.take().ok_or_else(missing)?),
            exit: {
                let mut process = Process { child, ours };
                Box::pin(async move { process.wait().await })
            },
        };
        Ok(channel)
    }

    /// Sets folder, PATH and home as the server has them.
    fn place(&self, command: &mut Command) {
        let own = std::env::var_os("PATH").unwrap_or_default();
        let mut path = OsString::new();
        if let Some(root) = &self.root {
            path.push(root.join("bin"));
            path.push(":");
            command.current_dir(root).env("NOFM_ROOT", root).env("HOME", root.join("root"));
        } else if let Some(home) = std::env::var_os("HOME") {
            command.current_dir("/").env("HOME", home);
        }
        if !own.is_empty() {
            path.push(own);
            path.push(":");
        }
        path.push(PATH);
        command.env("PATH", path);
    }
}

/// The process behind a channel, with all that it started, unless that left its group.
struct Process {
    child: Child,
    ours: bool,
}

impl Process {
    async fn wait(&mut self) -> io::Result<i32> {
        let status = self.child.wait().await?;
        Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // `id` is none once the process was waited for: its number may be another's by now.
        let pid = self.child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        if let (true, Some(pid)) = (self.ours, pid) {
            // Nothing to be done where the group is gone already.
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}
