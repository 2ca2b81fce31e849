//! Starting a runner.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::error::ClientError;
use crate::journal::{SessionDir, StateDir};
use crate::text::escape;

/// How long a runner may take until its socket answers.
const START: Duration = Duration::from_secs(10);
const BETWEEN: Duration = Duration::from_millis(10);
/// Bytes of the log that are shown when it did not start.
const LOG_TAIL: u64 = 2000;

/// Starts a runner for `session`, detached from this terminal, and waits until it answers.
///
/// # Errors
/// When it does not, with what its log says.
pub fn launch(state_dir: &StateDir, session: &SessionDir) -> Result<(), ClientError> {
    let fail = |why: String| ClientError::Launch { session: session.id().clone(), why };
    let socket = state_dir.socket_path(session.id())?;
    let program =
        std::env::current_exe().map_err(|error| fail(format!("this program cannot be found: {error}")))?;
    let mut runner = Command::new(&program)
        .arg("runner")
        .arg(session.path())
        .env("NOFM_HOME", state_dir.path())
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| fail(format!("{} cannot be started: {error}", program.display())))?;
    let began = Instant::now();
    loop {
        // The socket of a runner that died is still there, but nobody answers at it.
        if UnixStream::connect(&socket).is_ok() {
            return Ok(());
        }
        let ended = runner.try_wait().map_err(|error| fail(error.to_string()))?;
        if let Some(status) = ended {
            return Err(fail(format!("it ended at once ({status}).{}", log_tail(session))));
        }
        if began.elapsed() > START {
            let log = log_tail(session);
            return Err(fail(format!(
                "it did not answer within {} s; it may still come: `nofm attach {}`.{log}",
                START.as_secs(),
                session.id()
            )));
        }
        std::thread::sleep(BETWEEN);
    }
}

/// The last lines of the program's own log.
fn log_tail(session: &SessionDir) -> String {
    let path = session.log_path();
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = std::fs::File::open(&path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL)))?;
        let mut bytes = Vec::new();
        file.take(LOG_TAIL).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    match read() {
        Ok(bytes) if !bytes.is_empty() => {
            let text = escape::safe_bytes(&bytes, escape::Newline::Keep);
            let lines: Vec<&str> = text.lines().rev().take(5).collect();
            let lines: Vec<&str> = lines.into_iter().rev().collect();
            format!(" The end of {}:\n{}", path.display(), lines.join("\n"))
        }
        _ => format!(" It left no word in {}.", path.display()),
    }
}
