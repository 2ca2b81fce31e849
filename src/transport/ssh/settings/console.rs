//! Asking the `ssh` of this console for its configuration.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;
use tokio::sync::Semaphore;

use super::SettingsError;
use super::config::Config;
use crate::transport::words::shown;

/// A configuration may run commands of its own.
const LIMIT: Duration = Duration::from_secs(10);

/// No configuration of one host comes near it.
const PRINTED: u64 = 256 << 10;

/// Nor what it says besides, the names of the files it reads included.
pub(super) const SAID: u64 = 32 << 10;

/// Processes at a time, over all servers.
static ASKING: Semaphore = Semaphore::const_new(8);

/// This machine, as far as it decides how a server is reached.
pub(super) struct Console {
    pub(super) program: PathBuf,
    pub(super) home: PathBuf,
    pub(super) user: String,
    /// The socket of the agent that runs already.
    pub(super) agent: Option<PathBuf>,
    pub(super) limit: Duration,
}

/// What the configuration is asked for.
pub(super) struct Wanted<'w> {
    pub(super) host: &'w str,
    pub(super) port: Option<u16>,
    pub(super) user: Option<&'w str>,
    /// The way there is known: what the configuration says of it does not count, nor that it leads in a circle.
    pub(super) direct: bool,
}

impl Console {
    pub(super) fn here() -> Result<Self, SettingsError> {
        let word = |name| std::env::var(name).ok().filter(|word| !word.is_empty());
        let user = word("USER").or_else(|| word("LOGNAME"));
        let user = user.or_else(|| rustix::process::getuid().is_root().then(|| "root".to_owned()));
        Ok(Self {
            program: PathBuf::from("ssh"),
            home: etcetera::home_dir().map_err(|_| SettingsError::NoHome)?,
            user: user.unwrap_or_default(),
            agent: std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).map(PathBuf::from),
            limit: LIMIT,
        })
    }

    /// A path of the inventory.
    pub(super) fn file(&self, path: &Path) -> PathBuf {
        path.strip_prefix("~").map_or_else(|_| path.to_owned(), |rest| self.home.join(rest))
    }

    /// The configuration for one host, from the user's own file or from `file`, whatever is known already. With it, what
    /// else `ssh` says; `verbosely` it names the files it reads.
    pub(super) async fn ask_anew(
        &self,
        wanted: &Wanted<'_>,
        file: Option<&Path>,
        verbosely: bool,
    ) -> Result<(Config, Vec<u8>), SettingsError> {
        let host = || wanted.host.to_owned();
        let mut command = Command::new(&self.program);
        command.arg(if verbosely { "-vG" } else { "-G" });
        if let Some(file) = file {
            command.arg("-F").arg(self.file(file));
        }
        if wanted.direct {
            command.args(["-o", "ProxyJump=none"]);
        }
        if let Some(port) = wanted.port {
            command.arg("-p").arg(port.to_string());
        }
        if let Some(user) = wanted.user {
            command.args(["-l", user]);
        }
        command.args(["--", wanted.host]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Never closed, and so never an error.
        let _turn = ASKING.acquire().await;
        let answered = tokio::time::timeout(self.limit, run(command.kill_on_drop(true))).await;
        match answered {
            Err(_) => Err(SettingsError::TimedOut { host: host(), after: self.limit }),
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => match file {
                Some(file) => Err(SettingsError::NoProgram { path: file.to_owned() }),
                None => Ok((self.usual(wanted)?, Vec::new())),
            },
            Ok(Err(source)) => Err(SettingsError::Start { host: host(), source }),
            Ok(Ok(Answer { right: false, mut errors, .. })) => {
                // ssh ends its lines as a terminal wants them.
                errors.retain(|byte| *byte != b'\r');
                Err(SettingsError::Failed { host: host(), said: shown(&errors, 300) })
            }
            Ok(Ok(Answer { text, .. })) if text.len() as u64 > PRINTED => {
                Err(SettingsError::Odd { host: host(), why: "more than 256 KiB".to_owned() })
            }
            Ok(Ok(Answer { text, errors, .. })) => Config::read(&String::from_utf8_lossy(&text))
                .map(|config| (config, errors))
                .map_err(|why| SettingsError::Odd { host: host(), why }),
        }
    }

    /// Where no `ssh` is installed.
    fn usual(&self, wanted: &Wanted<'_>) -> Result<Config, SettingsError> {
        let user = wanted.user.unwrap_or(&self.user);
        if user.is_empty() {
            return Err(SettingsError::NoUser { host: wanted.host.to_owned() });
        }
        Ok(Config::usual(wanted.host, wanted.port, user))
    }
}

struct Answer {
    right: bool,
    text: Vec<u8>,
    errors: Vec<u8>,
}

async fn run(command: &mut Command) -> io::Result<Answer> {
    let mut child = command.spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (text, errors) = tokio::try_join!(bounded(stdout, PRINTED + 1), bounded(stderr, SAID))?;
    if text.len() as u64 > PRINTED {
        // Dropping the process ends it: nobody reads the rest.
        return Ok(Answer { right: true, text, errors });
    }
    let right = child.wait().await?.success();
    Ok(Answer { right, text, errors })
}

async fn bounded(pipe: Option<impl AsyncRead + Unpin>, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(most).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}
