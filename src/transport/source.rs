//! Files on this console that servers are given: read once for all of them, and hashed once.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use sha2::{Digest as _, Sha256};
use tokio::sync::Mutex;

use super::files::hex;

/// Bytes read at once.
pub(super) const PIECE: usize = 256 * 1024;
/// Pieces kept for those who come a little later: 16 MiB a file.
const KEPT: usize = 64;

/// The files of this console that a session sends.
#[derive(Debug, Default)]
pub struct Sources {
    known: Mutex<HashMap<PathBuf, Arc<Source>>>,
}

/// One file, as it was when it was hashed.
#[derive(Debug)]
pub struct Source {
    file: File,
    path: PathBuf,
    stamp: Stamp,
    /// In hexadecimal.
    pub sha256: String,
    pub length: u64,
    pub executable: bool,
    pieces: Mutex<VecDeque<(u64, Bytes)>>,
    readers: AtomicUsize,
    reads: AtomicUsize,
}

/// What changes when a file does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(about: &std::fs::Metadata) -> Self {
        Self {
            device: about.dev(),
            inode: about.ino(),
            length: about.len(),
            modified: (about.mtime(), about.mtime_nsec()),
        }
    }
}

impl Sources {
    /// The file at `path`: the one known already, unless it changed since.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn get(&self, path: &Path) -> io::Result<Arc<Source>> {
        // Held while it is hashed, so that all who want it at the same time wait for one.
        let mut known = self.known.lock().await;
        let now = Stamp::of(&tokio::fs::metadata(path).await?);
        if let Some(source) = known.get(path).filter(|source| source.stamp == now) {
            return Ok(source.clone());
        }
        let source = Arc::new(Source::open(path).await?);
        known.insert(path.to_owned(), source.clone());
        Ok(source)
    }
}

impl Source {
    /// Opens and hashes a file.
    ///
    /// # Errors
    /// When it cannot be read, or is no file.
    pub async fn open(path: &Path) -> io::Result<Self> {
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || Self::open_blocking(path)).await.map_err(io::Error::other)?
    }

    fn open_blocking(path: PathBuf) -> io::Result<Self> {
        let file = File::open(&path)?;
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let (mut hash, mut length) = (Sha256::new(), 0);
        let mut piece = vec![0; PIECE];
        loop {
            let read = file.read_at(&mut piece, length)?;
            if read == 0 {
                break;
            }
            hash.update(&piece[..read]);
            length += read as u64;
        }
        Ok(Self {
            stamp: Stamp::of(&about),
            file,
            path,
            sha256: hex(&hash.finalize()),
            length,
            executable: about.permissions().mode() & 0o100 != 0,
            pieces: Mutex::default(),
            readers: AtomicUsize::new(0),
            reads: AtomicUsize::new(0),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How often the file was read from: once a piece where all its readers keep together.
    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }

    /// The bytes from `offset` on, up to the next whole piece; none at the end.
    pub(super) async fn piece(self: &Arc<Self>, offset: u64) -> io::Result<Bytes> {
        let number = offset / PIECE as u64;
        let mut pieces = self.pieces.lock().await;
        let kept = pieces.iter().find(|(kept, _)| *kept == number).map(|(_, piece)| piece.clone());
        let piece = if let Some(piece) = kept {
            piece
        } else {
            let oldest = if pieces.len() == KEPT { pieces.pop_front() } else { None };
            // Memory that nobody sends from any more is used again.
            let room = oldest.and_then(|(_, piece)| piece.try_into_mut().ok()).unwrap_or_default();
            let source = self.clone();
            let read = tokio::task::spawn_blocking(move || source.read(number, room));
            let piece = read.await.map_err(io::Error::other)??;
            pieces.push_back((number, piece.clone()));
            piece
        };
        let within = usize::try_from(offset % PIECE as u64).unwrap_or(0).min(piece.len());
        Ok(piece.slice(within..))
    }

    fn read(&self, number: u64, mut room: BytesMut) -> io::Result<Bytes> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let from = number * PIECE as u64;
        let want = usize::try_from(self.length.saturating_sub(from)).unwrap_or(PIECE).min(PIECE);
        room.resize(want, 0);
        self.file.read_exact_at(&mut room, from)?;
        Ok(room.freeze())
    }

    /// Counts a reader; with the last one gone nothing is kept in memory.
    pub(super) fn reader(self: &Arc<Self>) -> Reader {
        self.readers.fetch_add(1, Ordering::AcqRel);
        Reader(self.clone())
    }
}

pub(super) struct Reader(Arc<Source>);

impl Drop for Reader {
    fn drop(&mut self) {
        if self.0.readers.fetch_sub(1, Ordering::AcqRel) == 1
            && let Ok(mut pieces) = self.0.pieces.try_lock()
        {
            pieces.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_read_once_by_readers_that_keep_together_and_hashed_anew_once_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, vec![7; 3 * PIECE + 5]).unwrap();
        let sources = Sources::default();
        let source = sources.get(&path).await.unwrap();
        assert_eq!(sources.get(&path).await.unwrap().sha256, source.sha256);
        let (one, two) = (source.reader(), source.reader());
        let mut offset = 0;
        loop {
            let piece = source.piece(offset).await.unwrap();
            assert_eq!(source.piece(offset).await.unwrap(), piece);
            if piece.is_empty() {
                break;
            }
            offset += piece.len() as u64;
        }
        assert_eq!((offset, source.reads()), (3 * PIECE as u64 + 5, 4));
        assert_eq!(source.piece(PIECE as u64 + 3).await.unwrap().len(), PIECE - 3);
        drop((one, two));
        assert!(source.pieces.lock().await.is_empty());
        std::fs::write(&path, b"other").unwrap();
        assert_ne!(sources.get(&path).await.unwrap().sha256, source.sha256);
    }
}
