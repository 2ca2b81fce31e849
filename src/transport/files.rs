//! Files to a server and from it, whole or not at all.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt as _;

use super::LinkError;
use super::channel::Link;
use super::source::Source;
use super::talk::{Frame, SILENCE, Talk};
use crate::profile::Shell;

/// How an upload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uploaded {
    Sent,
    /// The very file was there.
    AlreadyThere,
}

/// What was fetched of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Bytes kept here: the end of the file where it has more.
    pub bytes: u64,
    /// Bytes the file had on the server.
    pub of: u64,
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Link {
    /// Copies `source` to `remote`, an absolute path on the server, and compares its SHA-256 there. It appears under
    /// its name only when it is whole; what arrived before a connection broke is not sent again. `progress` is told
    /// the bytes that are there.
    pub async fn upload(
        &self,
        source: &Arc<Source>,
        remote: &str,
        progress: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Uploaded, LinkError> {
        let doing = "uploading a file";
        self.check_path(doing, remote)?;
        let console = |e: io::Error| self.console(doing, source.path(), &e);
        let mode = if source.executable { "700" } else { "600" };
        let length = source.length.to_string();
        let mut talk =
            Talk::open(self, doing, false, &["put", remote, &length, &source.sha256, mode]).await?;
        // The server reads its copy through before it answers.
        let patience = SILENCE + Duration::from_secs(source.length / 5_000_000);
        let mut sent = match talk.frame(patience).await? {
            Frame::Answer(_) => return Ok(Uploaded::AlreadyThere),
            Frame::State(words) => match words.strip_prefix("send ").and_then(|at| at.parse().ok()) {
                Some(at) if at <= source.length => at,
                _ => return Err(talk.misfit(&words)),
            },
            frame => return Err(talk.misfit(&format!("{frame:?}"))),
        };
        let reader = source.reader();
        loop {
            progress(sent);
            let piece = source.piece(sent).await.map_err(console)?;
            if piece.is_empty() {
                break;
            }
            let length = piece.len() as u64;
            match tokio::time::timeout(SILENCE, talk.send_piece(piece)).await {
                Ok(Ok(())) => {}
                // The server stopped reading, and says why.
                Ok(Err(_)) => break,
                Err(_) => {
                    let server = self.server().to_owned();
                    return Err(LinkError::TimedOut { server, doing, after: SILENCE });
                }
            }
            sent += length;
        }
        drop(reader);
        talk.end_input().await;
        talk.answer(patience).await.map(|_| Uploaded::Sent)
    }

    /// Copies the last `most` bytes of file `remote` on the server to `into`, which appears only when it is whole.
    pub async fn fetch(&self, remote: &str, most: u64, into: &Path) -> Result<Fetched, LinkError> {
        let doing = "fetching a file";
        self.check_path(doing, remote)?;
        let console = |e: io::Error| self.console(doing, into, &e);
        let mut talk = Talk::open(self, doing, true, &["get", remote, &most.to_string()]).await?;
        let part = part_of(into);
        let mut options = OpenOptions::new();
        let mut file =
            options.write(true).create(true).truncate(true).mode(0o600).open(&part).await.map_err(console)?;
        let got = receive(&mut talk, most, &mut file).await;
        let kept = match got {
            Ok(Ok(fetched)) => file.sync_all().await.map(|()| fetched).map_err(console),
            Ok(Err(e)) => Err(console(e)),
            Err(e) => Err(e),
        };
        drop(file);
        match kept {
            Ok(fetched) => fs::rename(&part, into).await.map(|()| fetched).map_err(console),
            Err(e) => {
                // The reason for the failure is the one to tell.
                let _ = fs::remove_file(&part).await;
                Err(e)
            }
        }
    }

    /// A path the server is asked for: absolute, without `..`, on one line.
    fn check_path(&self, doing: &'static str, path: &str) -> Result<(), LinkError> {
        let good = match self.shell() {
            Shell::PowerShell => is_windows_file(path),
            Shell::Sh | Shell::None => {
                path.starts_with('/')
                    && !path.ends_with('/')
                    && !path.contains(|c: char| c.is_control())
                    && path.split('/').all(|part| part != "..")
            }
        };
        good.then_some(()).ok_or_else(|| LinkError::Invalid {
            server: self.server().to_owned(),
            doing,
            why: format!("{path:?} is no absolute path of a file without `..`"),
        })
    }

    fn console(&self, doing: &'static str, path: &Path, e: &io::Error) -> LinkError {
        LinkError::Console {
            server: self.server().to_owned(),
            doing,
            source: io::Error::new(e.kind(), format!("{}: {e}", path.display())),
        }
    }
}

/// A file on a drive: `C:\folder\file`.
fn is_windows_file(path: &str) -> bool {
    let mut parts = path.split('\\');
    let drive = parts.next().is_some_and(|drive| {
        drive.len() == 2 && drive.ends_with(':') && drive.as_bytes()[0].is_ascii_alphabetic()
    });
    let special = |c: char| c.is_control() || "/:*?\"<>|".contains(c);
    let mut parts = parts.peekable();
    // Windows takes blanks and dots away from the end of a name.
    drive
        && parts.peek().is_some()
        && parts.all(|part| !part.is_empty() && !part.contains(special) && !part.ends_with(['.', ' ']))
}

fn part_of(into: &Path) -> PathBuf {
    let mut name = into.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    into.with_file_name(name)
}

/// Writes the frames of `get` to `file`, never more than `most` bytes.
async fn receive(talk: &mut Talk, most: u64, file: &mut File) -> Result<io::Result<Fetched>, LinkError> {
    let (mut bytes, mut of) = (0, None);
    loop {
        match (talk.frame(SILENCE).await?, of) {
            (Frame::State(words), None) => {
                let size = words.strip_prefix("size ").and_then(|size| size.parse::<u64>().ok());
                of = Some(size.ok_or_else(|| talk.misfit(&words))?);
            }
            (Frame::Output { bytes: piece, .. }, Some(_)) if bytes + piece.len() as u64 <= most => {
                bytes += piece.len() as u64;
                if let Err(e) = file.write_all(&piece).await {
                    return Ok(Err(e));
                }
            }
            (Frame::Answer(_), Some(of)) if bytes == of.min(most) => {
                return Ok(file.flush().await.map(|()| Fetched { bytes, of }));
            }
            (frame, _) => {
                let said = match frame {
                    Frame::Output { .. } => "more output than asked for".to_owned(),
                    frame => format!("{frame:?}"),
                };
                return Err(talk.misfit(&said));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_windows_file;

    #[test]
    fn only_a_file_on_a_drive_is_a_file_of_windows() {
        for good in [r"C:\a", r"d:\it's here\$(x)\b.exe", r"C:\ProgramData\nofm\uploads\ü"] {
            assert!(is_windows_file(good), "{good}");
        }
        for bad in [
            "",
            "C:",
            r"C:\",
            r"C:a",
            r"\\server\share\a",
            r"C:\..\a",
            r"C:\a\",
            r"C:\a:b",
            r"C:\a*",
            "C:\\a\n",
            r"C:\a/b",
            "/a",
            r"CD:\a",
        ] {
            assert!(!is_windows_file(bad), "{bad}");
        }
    }
}
