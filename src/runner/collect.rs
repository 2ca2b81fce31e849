//! Files of a server, brought into the session folder: what a `collect` step names, within bounds.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::engine::{End, Place};
use crate::journal::SessionDir;
use crate::profile::Shell;
use crate::transport::checks;
use crate::transport::{Fetched, Link, LinkError, Probe};

/// How much of a file is taken, from its end.
const FILE: u64 = 64 << 20;
/// How much one step takes.
const STEP: u64 = 512 << 20;
/// How many files one step takes.
const FILES: usize = 200;
/// How often a server that cannot be reached is tried: what is collected must not hold an upgrade up for ever.
const TRIES: u32 = 3;
const BETWEEN: Duration = Duration::from_secs(1);

/// Brings `paths` of `place` below `collected` in the session folder, where each has the path that it has on the
/// server; `say` is told what came of each. A file that was collected before gives way.
pub(super) async fn collect(
    session: &SessionDir,
    place: &Place,
    link: &Link,
    paths: &[String],
    say: &mut (dyn FnMut(String) + Send),
) -> End {
    let into = session.path().join("collected").join(place.to_string().replace(['/', '\\'], "_"));
    let (mut failed, mut left, mut count) = (0, STEP, 0);
    for path in paths {
        let found = match files(link, path).await {
            Ok(found) => found,
            Err(why) => {
                failed += 1;
                say(format!("{path}: {why}"));
                continue;
            }
        };
        for file in found {
            count += 1;
            if left == 0 || count > FILES {
                failed += 1;
                say(format!("{file}: not taken: one step takes {FILES} files and {} MiB", STEP >> 20));
                continue;
            }
            match fetch(link, &file, left.min(FILE), &into).await {
                Ok(got) => {
                    left = left.saturating_sub(got.bytes);
                    say(format!("{file}: {} of {} bytes", got.bytes, got.of));
                }
                Err(why) => {
                    failed += 1;
                    say(why);
                }
            }
        }
    }
    End::Exit(i32::from(failed > 0))
}

async fn fetch(link: &Link, file: &str, most: u64, into: &Path) -> Result<Fetched, String> {
    let own = below(into, link.shell(), file)
        .ok_or_else(|| format!("{file}: no absolute path of a file without `..`"))?;
    let folder = own.parent().unwrap_or(into);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| format!("{file}: making {}: {error}", folder.display()))?;
    again(|| link.fetch(file, most, &own)).await.map_err(|error| format!("{file}: {error}"))
}

/// Where a file of the server is kept: `C:\logs\a` of Windows as `C/logs/a`.
fn below(into: &Path, shell: Shell, file: &str) -> Option<PathBuf> {
    let parts: Vec<&str> = match shell {
        Shell::PowerShell => {
            let (drive, rest) = file.split_once(":\\")?;
            std::iter::once(drive).chain(rest.split(['\\', '/'])).collect()
        }
        Shell::Sh | Shell::None => file.strip_prefix('/')?.split('/').collect(),
    };
    let parts: Vec<&str> = parts.into_iter().filter(|part| !matches!(*part, "" | ".")).collect();
    (!parts.is_empty() && !parts.iter().any(|part| *part == ".." || part.contains('/')))
        .then(|| parts.iter().fold(into.to_owned(), |at, part| at.join(part)))
}

/// The files that `path` means: itself, or those that fit where it has `*` or `?`.
async fn files(link: &Link, path: &str) -> Result<Vec<String>, String> {
    let Some(wild) = path.find(['*', '?']) else { return Ok(vec![path.to_owned()]) };
    let probe = Probe::new(checks::files_script(link.shell(), path));
    let output = again(|| link.probe(&probe)).await.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    // A name with a line feed in it must not lead to anything that was not named.
    let named = |line: &&str| starts_with(line, &path[..wild], link.shell());
    let found: Vec<String> = text.lines().filter(named).map(str::to_owned).collect();
    if output.truncated {
        return Err("more files fit than are looked at".to_owned());
    }
    if found.is_empty() { Err("no file fits".to_owned()) } else { Ok(found) }
}

/// Windows tells a path as the files are named, in whatever case they were asked for.
fn starts_with(line: &str, prefix: &str, shell: Shell) -> bool {
    match shell {
        Shell::PowerShell => line.to_lowercase().starts_with(&prefix.to_lowercase()),
        Shell::Sh | Shell::None => line.starts_with(prefix),
    }
}

async fn again<T, F: Future<Output = Result<T, LinkError>>>(
    mut ask: impl FnMut() -> F,
) -> Result<T, LinkError> {
    let mut tries = 1;
    loop {
        match ask().await {
            Err(error) if error.is_passing() && tries < TRIES => tokio::time::sleep(BETWEEN * tries).await,
            other => return other,
        }
        tries += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_kept_below_the_folder_or_not_at_all() {
        let into = Path::new("/s");
        assert_eq!(below(into, Shell::Sh, "/var/log/a b"), Some(PathBuf::from("/s/var/log/a b")));
        for bad in ["var/log", "/", "/../etc", "/a/../../b"] {
            assert_eq!(below(into, Shell::Sh, bad), None, "{bad}");
        }
        let windows = |file| below(into, Shell::PowerShell, file);
        assert_eq!(windows(r"C:\Program Files\a.log"), Some(PathBuf::from("/s/C/Program Files/a.log")));
        for bad in [
            r"C:a",
            "C:",
            "/etc/passwd",
            r"..:\a",
            r"C:\..\a",
            r"C:\a\..\..\b",
            r"C:\a/../b",
            r"/:\a",
            r"a/../../b:\c",
        ] {
            assert_eq!(windows(bad), None, "{bad}");
        }
    }

    #[test]
    fn windows_names_files_in_their_own_case() {
        let line = r"C:\ProgramData\x.log";
        assert!(starts_with(line, r"c:\programdata\", Shell::PowerShell));
        assert!(!starts_with(line, r"c:\windows\", Shell::PowerShell));
        assert!(!starts_with("/Var/x", "/var/", Shell::Sh));
    }
}
