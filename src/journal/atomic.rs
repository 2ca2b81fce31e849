//! Files that are replaced as a whole, and folders that nobody else writes to.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::JournalError;

/// Writes `path` so that after a crash it holds either what it held before or all of `bytes`: a file beside it is
/// written, synced, renamed over it, and the folder synced. Mode 0600.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), JournalError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let written = create(&beside, bytes).and_then(|()| {
        std::fs::rename(&beside, path)
            .map_err(|error| JournalError::io("renaming a new file to", path, error))
    });
    if written.is_err() {
        // What went wrong is told; that the leftover stays is no further harm.
        let _ = std::fs::remove_file(&beside);
    }
    written?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

fn create(path: &Path, bytes: &[u8]) -> Result<(), JournalError> {
    let wrong = |error| JournalError::io("writing", path, error);
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).map_err(wrong)?;
    file.write_all(bytes).map_err(wrong)?;
    file.sync_all().map_err(wrong)
}

/// Makes what was created or renamed in a folder survive a power cut.
pub(super) fn sync_folder(path: &Path) -> Result<(), JournalError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| JournalError::io("syncing", path, error))
}

/// Opens a file of a session to append to it, created with mode 0600 where it is missing.
pub(super) fn open_append(path: &Path) -> Result<File, JournalError> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| JournalError::io("opening", path, error))
}

/// Reads a text file of at most `most` bytes.
pub(super) fn read_text(path: &Path, most: u64) -> Result<String, JournalError> {
    let wrong = |error| JournalError::io("reading", path, error);
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(wrong)?;
    let malformed = |what: String| JournalError::Malformed { path: path.to_owned(), what };
    if bytes.len() as u64 > most {
        return Err(malformed(format!("longer than {most} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| malformed("is no UTF-8 text".to_owned()))
}

/// Creates a folder with mode 0700, or makes sure that the one there is no link and that nobody but its owner, this
/// user, writes to it. Root may use anybody's.
pub(super) fn private_folder(path: &Path) -> Result<(), JournalError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(JournalError::io("creating", path, error)),
    }
    let about = path.symlink_metadata().map_err(|error| JournalError::io("looking at", path, error))?;
    let me = rustix::process::geteuid();
    let what = if !about.is_dir() {
        "it is no folder".to_owned()
    } else if about.uid() != me.as_raw() && !me.is_root() {
        format!("it belongs to user {}, and this program runs as user {}", about.uid(), me.as_raw())
    } else if about.mode() & 0o022 != 0 {
        "others may write to it: take that right away with `chmod go-w`".to_owned()
    } else {
        return Ok(());
    };
    Err(JournalError::NotPrivate { path: path.to_owned(), what })
}
