//! A tiny HTTP/1.1 server over the files of a folder: what a stand-in server answers with.
//!
//! `GET` and `HEAD` only, one request a connection, no listing, no link out of the folder. It is made for a
//! loopback address and a rehearsal, not for a network.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// The longest request head that is read, in bytes.
const HEAD: u64 = 8 * 1024;
/// The largest file that is sent, in bytes.
const BODY: u64 = 1024 * 1024;
/// Connections served at the same time; one more is closed at once.
const AT_ONCE: usize = 64;
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves the files below `dir` until the process is ended. Once it listens, `pid_file` is written: the number of
/// this process and, to tell it from a later one of that number, its start time as `/proc` has it.
///
/// # Errors
/// When the address cannot be listened on, or the folder or the file cannot be used.
pub fn run(address: IpAddr, port: u16, dir: &Path, pid_file: Option<&Path>) -> io::Result<()> {
    let dir = fs::canonicalize(dir)?;
    let listener = TcpListener::bind((address, port))?;
    if let Some(path) = pid_file {
        write_pid(path)?;
    }
    let busy = AtomicUsize::new(0);
    thread::scope(|scope| {
        for stream in listener.incoming() {
            // A connection that failed before it was taken is the other side's affair.
            let Ok(stream) = stream else { continue };
            if busy.fetch_add(1, Ordering::Relaxed) >= AT_ONCE {
                busy.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let (dir, busy) = (&dir, &busy);
            scope.spawn(move || {
                // Whoever hung up early gets no answer; there is nobody to tell.
                let _ = answer(&stream, dir);
                busy.fetch_sub(1, Ordering::Relaxed);
            });
        }
    });
    Ok(())
}

fn write_pid(path: &Path) -> io::Result<()> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The second field is a name in brackets that may hold anything; the start time is the 22nd.
    let born = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(19));
    let born = born.ok_or_else(|| io::Error::other("/proc/self/stat has no start time"))?;
    let new = path.with_extension("new");
    fs::write(&new, format!("{} {born}\n", std::process::id()))?;
    fs::rename(new, path)
}

fn answer(stream: &TcpStream, dir: &Path) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let Some(head) = read_head(stream)? else { return reply(stream, "400 Bad Request", b"", true) };
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let with_body = match method {
        "GET" => true,
        "HEAD" => false,
        _ => return reply(stream, "405 Method Not Allowed", b"", true),
    };
    match find(dir, target) {
        Some(body) => reply(stream, "200 OK", &body, with_body),
        None => reply(stream, "404 Not Found", b"", with_body),
    }
}

/// The head of the request; `None` when it is none, or too long.
fn read_head(stream: &TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut input = stream.take(HEAD);
    let mut piece = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match input.read(&mut piece)? {
            0 => return Ok(None),
            count => head.extend_from_slice(&piece[..count]),
        }
    }
    Ok(String::from_utf8(head).ok())
}

/// The file that a request names, if it is one below `dir`.
fn find(dir: &Path, target: &str) -> Option<Vec<u8>> {
    let path = target.split(['?', '#']).next()?.strip_prefix('/')?;
    let plain = |part: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(known)
    };
    if !path.split('/').all(plain) {
        return None;
    }
    let path: PathBuf = fs::canonicalize(dir.join(path)).ok()?;
    if !path.starts_with(dir) || !path.is_file() {
        return None;
    }
    let mut body = Vec::new();
    File::open(path).ok()?.take(BODY + 1).read_to_end(&mut body).ok()?;
    (body.len() as u64 <= BODY).then_some(body)
}

fn reply(mut stream: &TcpStream, status: &str, body: &[u8], with_body: bool) -> io::Result<()> {
    let kind = if body.starts_with(b"{") { "application/json" } else { "application/octet-stream" };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut message = head.into_bytes();
    if with_body {
        message.extend_from_slice(body);
    }
    stream.write_all(&message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_folder_is_found() {
        let base = std::env::temp_dir().join(format!("nofm-serve-{}", std::process::id()));
        let dir = base.join("web");
        fs::create_dir_all(dir.join("v3")).unwrap();
        fs::write(dir.join("v3/status"), "{}").unwrap();
        fs::write(base.join("secret"), "no").unwrap();
        std::os::unix::fs::symlink(base.join("secret"), dir.join("link")).unwrap();
        let dir = fs::canonicalize(dir).unwrap();
        assert_eq!(find(&dir, "/v3/status?x=1").as_deref(), Some(b"{}".as_slice()));
        for target in
            ["/../secret", "/v3/../../secret", "/link", "/v3", "/", "", "v3/status", "//v3/status", "/%2e"]
        {
            assert_eq!(find(&dir, target), None, "{target}");
        }
        fs::remove_dir_all(base).unwrap();
    }
}
