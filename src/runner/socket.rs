//! The session's socket: clients come and go, and none of them can hold the runner up.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::{self, UnboundedSender};
use zeroize::{Zeroize as _, Zeroizing};

use super::error::RunnerError;
use super::input::Input;
use crate::journal::Synced;
use crate::journal::wire::{LONGEST, ToClient, ToRunner, VERSION};
use crate::model::ViewerId;

/// Answers that may wait for a client that does not read; one more and it is let go.
const QUEUE: usize = 256;
/// The longest line, in bytes, that says what a viewer looks at.
const VIEW: usize = 64 * 1024;

/// What is said to a client. The token is dropped once it was written, or cannot be any more: a runner that ends
/// waits for those of its answers.
pub(super) struct Said {
    pub(super) message: ToClient,
    pub(super) token: Option<mpsc::Sender<()>>,
}

impl From<ToClient> for Said {
    fn from(message: ToClient) -> Self {
        Self { message, token: None }
    }
}

/// Listens at `path` and hands what clients say to `tell`.
pub(super) fn listen(path: &Path, tell: UnboundedSender<Input>, synced: Synced) -> Result<(), RunnerError> {
    let fail = |source| RunnerError::Listen { path: path.to_owned(), source };
    // The lock says that nobody else listens: what is here is a dead runner's.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(fail)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(fail)?;
    tokio::spawn(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(serve(stream, tell.clone(), synced.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a client could not be taken");
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                }
            }
        }
    });
    Ok(())
}

/// Whether the other side is this user or root.
fn is_ours(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

async fn serve(stream: UnixStream, tell: UnboundedSender<Input>, synced: Synced) {
    if !is_ours(&stream) {
        tracing::warn!("a client of another user was turned away");
        return;
    }
    let (read, mut write) = stream.into_split();
    let (answer, mut answers) = mpsc::channel::<Said>(QUEUE);
    let writer = tokio::spawn(async move {
        while let Some(Said { message, token }) = answers.recv().await {
            let Ok(mut line) = serde_json::to_vec(&message) else { continue };
            line.push(b'\n');
            if write.write_all(&line).await.is_err() {
                break;
            }
            drop(token);
        }
    });
    let bell = tokio::spawn(ring(synced, answer.clone()));
    if let Some(viewer) = listen_to(read, &tell, &answer).await {
        let _ = tell.send(Input::Left { viewer });
    }
    bell.abort();
    drop(answer);
    let _ = writer.await;
}

/// Rings whenever more is on disk.
async fn ring(mut synced: Synced, answer: mpsc::Sender<Said>) {
    loop {
        let seq = synced.seq();
        if answer.send(ToClient::Synced { seq }.into()).await.is_err()
            || synced.reached(seq + 1).await.is_err()
        {
            return;
        }
    }
}

/// Reads what a client says until it leaves. Gives its name, once it said so.
async fn listen_to(
    read: tokio::net::unix::OwnedReadHalf,
    tell: &UnboundedSender<Input>,
    answer: &mpsc::Sender<Said>,
) -> Option<ViewerId> {
    let mut reader = BufReader::new(read);
    let mut viewer: Option<(ViewerId, bool)> = None;
    let mut line = Zeroizing::new(Vec::new());
    loop {
        // A secret may be in it.
        line.zeroize();
        let mut limited = (&mut reader).take(LONGEST as u64);
        match limited.read_until(b'\n', &mut line).await {
            Ok(1..) if line.ends_with(b"\n") => {}
            // Gone, or a line that is too long to be meant.
            _ => break,
        }
        let Ok(message) = serde_json::from_slice::<ToRunner>(&line) else {
            let _ = answer.try_send(bye("that line is not understood"));
            break;
        };
        match (message, &viewer) {
            (ToRunner::Hello { want, .. }, _) if want != VERSION => {
                let why =
                    format!("this runner speaks version {VERSION}, not {want}; use the nofm that started it");
                let _ = answer.try_send(bye(why));
                break;
            }
            (ToRunner::Hello { viewer: name, watch, .. }, None) => {
                let _ = tell.send(Input::Came { viewer: name.clone() });
                viewer = Some((name, watch));
            }
            (ToRunner::Intent { id, .. } | ToRunner::Secret { id, .. }, Some((_, true))) => {
                let why = "this viewer only looks on".to_owned();
                let _ = answer.try_send(ToClient::Refused { id, why }.into());
            }
            (ToRunner::Intent { id, intent }, Some((viewer, false))) => {
                match serde_json::from_value(intent) {
                    Ok(intent) => {
                        let input =
                            Input::Intent { viewer: viewer.clone(), id, intent, answer: answer.clone() };
                        let _ = tell.send(input);
                    }
                    Err(error) => {
                        let why = format!("that is not understood: {error}");
                        let _ = answer.try_send(ToClient::Refused { id, why }.into());
                    }
                }
            }
            (ToRunner::Keys { step, bytes }, Some((viewer, false))) => {
                if let (Ok(key), Some(bytes)) = (serde_json::from_value(step), unhex(&bytes)) {
                    let _ = tell.send(Input::Keys { viewer: viewer.clone(), key, bytes });
                }
            }
            (ToRunner::Secret { id, access, secret }, Some((viewer, false))) => {
                match serde_json::from_value(access) {
                    Ok(access) => {
                        let (viewer, answer) = (viewer.clone(), answer.clone());
                        let _ = tell.send(Input::Secret { viewer, id, access, secret, answer });
                    }
                    Err(error) => {
                        let why = format!("that is not understood: {error}");
                        let _ = answer.try_send(ToClient::Refused { id, why }.into());
                    }
                }
            }
            (ToRunner::Size { cols, rows }, Some((viewer, false))) => {
                let _ = tell.send(Input::Size { viewer: viewer.clone(), cols, rows });
            }
            (ToRunner::Keys { .. } | ToRunner::Size { .. }, Some(_)) => {}
            (ToRunner::Looked { view }, Some((viewer, _))) => {
                if line.len() <= VIEW {
                    let _ = tell.send(Input::Looked { viewer: viewer.clone(), view });
                }
            }
            _ => {
                let _ = answer.try_send(bye("say hello first, and once"));
                break;
            }
        }
    }
    viewer.map(|(viewer, _)| viewer)
}

fn bye(why: impl Into<String>) -> Said {
    ToClient::Bye { why: why.into() }.into()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
