//! Writing a host down.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use russh::keys::PublicKey;
use russh::keys::ssh_encoding::base64::{Base64, Encoding as _};

use super::names::{HASH_LEN, hashed};
use super::{KnownHostsError, blob, lookup};

/// Adds the `key` of a host to the file at `path`, which is made where it is missing. `hide` writes a hash in
/// place of the name.
///
/// # Errors
/// When the file cannot be written, or the name would mean other hosts too.
pub fn remember(
    path: &Path,
    name: &str,
    port: u16,
    key: &PublicKey,
    hide: bool,
) -> Result<(), KnownHostsError> {
    // In the file these would be a pattern, a list, a marker, a hash or another field.
    let meant = |c: char| c.is_whitespace() || c.is_control() || ",*?!|#@".contains(c);
    let blob = blob(key);
    if name.is_empty() || name.contains(meant) || blob.is_empty() {
        return Err(KnownHostsError::Name { name: name.to_owned() });
    }
    let failed = |source| KnownHostsError::Io { doing: "writing", path: path.to_owned(), source };
    let name = lookup(name, port);
    let name = if hide {
        let mut salt = [0; HASH_LEN];
        rustix::rand::getrandom(&mut salt, rustix::rand::GetRandomFlags::empty())
            .map_err(|error| failed(error.into()))?;
        format!("|1|{}|{}", Base64::encode_string(&salt), Base64::encode_string(&hashed(&salt, &name)))
    } else {
        name
    };
    let line = format!("{name} {} {}\n", key.algorithm(), Base64::encode_string(&blob));
    append(path, line).map_err(failed)
}

/// Appends `line` by one write, since others may append at the same time.
fn append(path: &Path, mut line: String) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)?;
    if file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            line.insert(0, '\n');
        }
    }
    let written = file.write(line.as_bytes())?;
    if written == line.len() { Ok(()) } else { Err(io::Error::from(io::ErrorKind::WriteZero)) }
}
