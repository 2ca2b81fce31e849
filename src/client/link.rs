//! The connection to a runner: lines out, and a thread that hands in what comes back.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::Sender;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::journal::wire::{LONGEST, ToClient, ToRunner, VERSION};
use crate::model::ViewerId;

/// How long a runner that does not read may hold this client up.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of a line that are usually enough.
const ROOM: usize = 8 * 1024;

/// What came in while the client waited.
pub(super) enum Heard {
    Message(u32, ToClient),
    /// The connection of that number is over.
    Ended(u32),
    /// Somebody in this process has something to look at.
    Nudge,
}

/// A connection. Dropped, it ends, and its thread with it.
pub(super) struct Link {
    stream: UnixStream,
    /// Counted, so that the last words of an earlier connection are not taken for this one's.
    pub(super) number: u32,
}

impl Link {
    pub(super) fn open(
        path: &Path,
        viewer: &ViewerId,
        watch: bool,
        number: u32,
        tell: Sender<Heard>,
    ) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let from = stream.try_clone()?;
        let mut link = Self { stream, number };
        link.say(&ToRunner::Hello { viewer: viewer.clone(), watch, want: VERSION })?;
        std::thread::Builder::new().name("socket".to_owned()).spawn(move || listen(from, number, &tell))?;
        Ok(link)
    }

    pub(super) fn say(&mut self, message: &ToRunner) -> io::Result<()> {
        // A secret may be in it: it is wiped, and the room is enough for one, so that no piece of it is left behind.
        let mut line = Zeroizing::new(Vec::with_capacity(ROOM));
        serde_json::to_writer(&mut *line, message).map_err(io::Error::other)?;
        line.push(b'\n');
        if line.len() > LONGEST {
            return Err(io::Error::other("what was to be sent is longer than 1 MiB"));
        }
        self.stream.write_all(&line)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Ends the thread's reading. The other side may be gone already.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}

/// Until the connection ends, or nobody listens any more.
fn listen(from: UnixStream, number: u32, tell: &Sender<Heard>) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut from).take(LONGEST as u64).read_until(b'\n', &mut line) {
            Ok(1..) if line.ends_with(b"\n") => {}
            _ => break,
        }
        let message = serde_json::from_slice(&line).unwrap_or_else(|_| ToClient::Bye {
            why: "the runner said something that is not understood".to_owned(),
        });
        let over = matches!(message, ToClient::Bye { .. });
        if tell.send(Heard::Message(number, message)).is_err() || over {
            break;
        }
    }
    // Nobody may be left to tell.
    let _ = tell.send(Heard::Ended(number));
}
