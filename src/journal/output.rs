//! What the servers print: raw bytes, and beside them when they came.
//!
//! `NAME.idx` holds records of 16 bytes, two little-endian numbers each: an offset into `NAME.log`, and the wall clock
//! in milliseconds since 1970 when the byte there came. Bytes that came within 100 ms share a record.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::JournalError;
use super::atomic::{open_append, sync_folder};
use super::session::SessionDir;

/// Bytes of the disk that no output takes: they are the journal's.
const SPARED: u64 = 4 << 20;
const RECORD: u64 = 16;
type Record = [u8; 16];
/// Milliseconds that one record covers.
const COVERS: i64 = 100;
/// Most bytes that one reading returns.
const WINDOW: u64 = 1 << 20;
/// Bytes read at a time when looking backwards for lines.
const BLOCK: u64 = 8 << 10;

/// Records one output. Not synced until [`OutputLog::sync`]: the server keeps the original until its step has ended.
#[derive(Debug)]
pub struct OutputLog {
    log: File,
    log_path: PathBuf,
    index: File,
    index_path: PathBuf,
    len: u64,
    index_len: u64,
    last_ms: Option<i64>,
    most: u64,
    /// Whether anything was left away since it was opened for want of room.
    is_cut: bool,
}

impl OutputLog {
    /// Opens the output `name`, new or to go on with it, which is to hold at most `most` bytes.
    pub(super) fn open(session: &SessionDir, name: &str, most: u64) -> Result<Self, JournalError> {
        let log_path = session.output_path(name, "log")?;
        let index_path = session.output_path(name, "idx")?;
        let (log, index) = (open_append(&log_path)?, open_append(&index_path)?);
        sync_folder(log_path.parent().unwrap_or(Path::new(".")))?;
        let len = length(&log, &log_path)?;
        let mut this =
            Self { log, log_path, index, index_path, len, index_len: 0, last_ms: None, most, is_cut: false };
        this.mend_index()?;
        Ok(this)
    }

    /// Bytes recorded so far: where to go on after a lost connection or a crash.
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether not all is kept, for want of room on the disk.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Records bytes that came at `at`, and returns how many: fewer than given once the log holds as much as it may, or
    /// where the disk's last room is for the journal. What follows a gap is not recorded.
    ///
    /// # Errors
    /// None of the bytes is recorded then.
    pub fn append(&mut self, bytes: &[u8], at: Timestamp) -> Result<usize, JournalError> {
        if self.is_cut || bytes.is_empty() {
            return Ok(0);
        }
        let about = rustix::fs::fstatvfs(&self.log);
        if about
            .is_ok_and(|about| about.f_bavail.saturating_mul(about.f_frsize) < SPARED + bytes.len() as u64)
        {
            self.is_cut = true;
            return Ok(0);
        }
        match self.write(bytes, at) {
            Err(error) if error.is_full() => {
                self.is_cut = true;
                Ok(0)
            }
            written => written,
        }
    }

    fn write(&mut self, bytes: &[u8], at: Timestamp) -> Result<usize, JournalError> {
        let room = usize::try_from(self.most.saturating_sub(self.len)).unwrap_or(usize::MAX);
        let kept = &bytes[..bytes.len().min(room)];
        if kept.is_empty() {
            return Ok(0);
        }
        let ms = at.as_millisecond();
        let due = self.last_ms.is_none_or(|last| ms < last || ms - last >= COVERS);
        let written = if due { self.append_record(ms) } else { Ok(()) }.and_then(|()| {
            self.log.write_all(kept).map_err(|error| JournalError::io("writing", &self.log_path, error))
        });
        if let Err(error) = written {
            cut(&self.log, &self.log_path, self.len)?;
            cut(&self.index, &self.index_path, self.index_len)?;
            return Err(error);
        }
        if due {
            self.last_ms = Some(ms);
            self.index_len += RECORD;
        }
        self.len += kept.len() as u64;
        Ok(kept.len())
    }

    /// Brings what was recorded to disk: when a step has ended, before the journal says so.
    pub fn sync(&mut self) -> Result<(), JournalError> {
        for (file, path) in [(&self.log, &self.log_path), (&self.index, &self.index_path)] {
            file.sync_data().map_err(|error| JournalError::io("syncing", path, error))?;
        }
        Ok(())
    }

    fn append_record(&mut self, ms: i64) -> Result<(), JournalError> {
        let mut record = Record::default();
        record[..8].copy_from_slice(&self.len.to_le_bytes());
        record[8..].copy_from_slice(&ms.to_le_bytes());
        self.index.write_all(&record).map_err(|error| JournalError::io("writing", &self.index_path, error))
    }

    /// Takes away the records that a crash left incomplete, or that name bytes it took.
    fn mend_index(&mut self) -> Result<(), JournalError> {
        let mut records = length(&self.index, &self.index_path)? / RECORD;
        while records > 0 {
            let (offset, ms) = record(&self.index, &self.index_path, records - 1)?;
            if offset < self.len {
                self.last_ms = Some(ms);
                break;
            }
            records -= 1;
        }
        self.index_len = records * RECORD;
        cut(&self.index, &self.index_path, self.index_len)
    }
}

/// Reads one output, also while it is being recorded.
#[derive(Debug)]
pub struct OutputReader {
    log: File,
    log_path: PathBuf,
    index: File,
    index_path: PathBuf,
}

impl OutputReader {
    /// # Errors
    /// [`JournalError::is_missing`] when nothing was recorded under `name`.
    pub fn open(session: &SessionDir, name: &str) -> Result<Self, JournalError> {
        let open = |path: &Path| File::open(path).map_err(|error| JournalError::io("opening", path, error));
        let (log_path, index_path) = (session.output_path(name, "log")?, session.output_path(name, "idx")?);
        Ok(Self { log: open(&log_path)?, index: open(&index_path)?, log_path, index_path })
    }

    /// Bytes there are now.
    pub fn size(&self) -> Result<u64, JournalError> {
        length(&self.log, &self.log_path)
    }

    /// The bytes from offset `from` up to `to`, as far as there are any; at most 1 MiB at once.
    pub fn window(&self, from: u64, to: u64) -> Result<Vec<u8>, JournalError> {
        let to = to.min(self.size()?).min(from.saturating_add(WINDOW));
        self.read(from, to)
    }

    /// The last `lines` lines of what stands before offset `to`, and the offset where they begin; at most 1 MiB, even if
    /// that begins inside a line.
    pub fn tail(&self, to: u64, lines: usize) -> Result<(u64, Vec<u8>), JournalError> {
        let to = to.min(self.size()?);
        let floor = to.saturating_sub(WINDOW);
        let (mut from, mut wanted) = (to, lines);
        let mut start = if lines == 0 { to } else { floor };
        while from > floor && wanted > 0 {
            let block_start = from.saturating_sub(BLOCK).max(floor);
            let block = self.read(block_start, from)?;
            // A line feed at the very end ends the last line and begins none.
            let ends = block.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
            for at in ends.map(|(at, _)| block_start + at as u64 + 1).filter(|at| *at < to) {
                wanted -= 1;
                if wanted == 0 {
                    start = at;
                    break;
                }
            }
            from = block_start;
        }
        Ok((start, self.read(start, to)?))
    }

    /// How many bytes had come at `at`, to within 100 ms. After a clock was set back, to within that.
    pub fn size_at(&self, at: Timestamp) -> Result<u64, JournalError> {
        let wanted = at.as_millisecond();
        let (mut low, mut high) = (0, length(&self.index, &self.index_path)? / RECORD);
        let mut size = self.size()?;
        while low < high {
            let middle = low + (high - low) / 2;
            let (offset, ms) = record(&self.index, &self.index_path, middle)?;
            if ms > wanted {
                high = middle;
                size = size.min(offset);
            } else {
                low = middle + 1;
            }
        }
        Ok(size)
    }

    fn read(&self, from: u64, to: u64) -> Result<Vec<u8>, JournalError> {
        let length = usize::try_from(to.saturating_sub(from)).unwrap_or(0);
        let mut bytes = vec![0; length];
        self.log
            .read_exact_at(&mut bytes, from)
            .map_err(|error| JournalError::io("reading", &self.log_path, error))?;
        Ok(bytes)
    }
}

fn record(index: &File, path: &Path, number: u64) -> Result<(u64, i64), JournalError> {
    let mut bytes = Record::default();
    index
        .read_exact_at(&mut bytes, number * RECORD)
        .map_err(|error| JournalError::io("reading", path, error))?;
    let (mut offset, mut ms) = ([0; 8], [0; 8]);
    offset.copy_from_slice(&bytes[..8]);
    ms.copy_from_slice(&bytes[8..]);
    Ok((u64::from_le_bytes(offset), i64::from_le_bytes(ms)))
}

fn length(file: &File, path: &Path) -> Result<u64, JournalError> {
    Ok(file.metadata().map_err(|error| JournalError::io("looking at", path, error))?.len())
}

fn cut(file: &File, path: &Path, to: u64) -> Result<(), JournalError> {
    file.set_len(to).map_err(|error| JournalError::io("shortening", path, error))
}
