//! A command on a connection: its input, its two outputs, its exit status.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::transport::channel::{Channel, Inlet};

/// Pieces of output that wait for their reader before the server is held up.
const QUEUE: usize = 16;

/// What was told by the pump once the command ended.
type Exit = io::Result<i32>;

/// Makes a channel of an SSH channel on which a command was just requested. `permit` is given back when the server
/// has closed it; `ended` tells why the connection is gone.
pub(super) fn channel(
    read: ChannelReadHalf,
    write: ChannelWriteHalf<Msg>,
    permit: OwnedSemaphorePermit,
    ended: impl Fn() -> String + Send + 'static,
) -> Channel {
    let (stdout_tx, stdout) = mpsc::channel(QUEUE);
    let (stderr_tx, stderr) = mpsc::channel(QUEUE);
    let (exit_tx, exit) = oneshot::channel();
    let (held, dropped) = mpsc::channel(1);
    let (open, closed) = oneshot::channel();
    let stdin = write.make_writer();
    let write = Arc::new(write);
    let input = write.clone();
    tokio::spawn(async move {
        let mut pump = Pump { stdout: Some(stdout_tx), stderr: Some(stderr_tx), exit: Some(exit_tx) };
        pump.run(read, dropped).await;
        drop(open);
        if let Some(exit) = pump.exit.take() {
            let _ = exit.send(Err(io::Error::new(io::ErrorKind::ConnectionAborted, ended())));
        }
        // The server may have closed it already.
        let _ = write.close().await;
        drop(permit);
    });
    Channel {
        stdin: Box::new(Input {
            inner: Box::pin(stdin),
            whole: input,
            closed: Some(closed),
            _held: held.clone(),
        }),
        stdout: Box::new(Output { queue: stdout, piece: Bytes::new(), _held: held.clone() }),
        stderr: Box::new(Output { queue: stderr, piece: Bytes::new(), _held: held.clone() }),
        exit: Box::pin(Ending { exit, _held: held }),
    }
}

/// Hands what the server sends to whoever reads it.
struct Pump {
    stdout: Option<mpsc::Sender<Bytes>>,
    stderr: Option<mpsc::Sender<Bytes>>,
    exit: Option<oneshot::Sender<Exit>>,
}

impl Pump {
    /// Until the server closes the channel, or all ends on this side are dropped.
    async fn run(&mut self, mut read: ChannelReadHalf, mut dropped: mpsc::Receiver<Infallible>) {
        loop {
            let message = tokio::select! {
                message = read.wait() => message,
                _ = dropped.recv() => return,
            };
            match message {
                Some(ChannelMsg::Data { data }) => give(&mut self.stdout, data).await,
                Some(ChannelMsg::ExtendedData { data, ext: 1 }) => give(&mut self.stderr, data).await,
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    self.end(Ok(i32::try_from(exit_status).unwrap_or(255)));
                }
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => self.end(Ok(128 + number(&signal_name))),
                Some(ChannelMsg::Failure) => {
                    self.end(Err(io::Error::other("the server does not run commands for this login")));
                    return;
                }
                Some(ChannelMsg::Eof) => {
                    self.stdout = None;
                    self.stderr = None;
                }
                Some(ChannelMsg::Close) | None => return,
                Some(_) => {}
            }
        }
    }

    fn end(&mut self, exit: Exit) {
        if let Some(tell) = self.exit.take() {
            let _ = tell.send(exit);
        }
    }
}

/// What nobody reads any more is dropped, as a closed pipe would.
async fn give(to: &mut Option<mpsc::Sender<Bytes>>, data: Bytes) {
    if let Some(sender) = to
        && sender.send(data).await.is_err()
    {
        *to = None;
    }
}

/// The usual numbers; what a server calls by another name is told as 128.
fn number(signal: &Sig) -> i32 {
    match signal {
        Sig::HUP => 1,
        Sig::INT => 2,
        Sig::QUIT => 3,
        Sig::ILL => 4,
        Sig::ABRT => 6,
        Sig::FPE => 8,
        Sig::KILL => 9,
        Sig::USR1 => 10,
        Sig::SEGV => 11,
        Sig::PIPE => 13,
        Sig::ALRM => 14,
        Sig::TERM => 15,
        Sig::Custom(_) => 0,
    }
}

struct Input {
    inner: Pin<Box<dyn tokio::io::AsyncWrite + Send>>,
    /// The same input, for what need not be copied.
    whole: Arc<ChannelWriteHalf<Msg>>,
    /// Without it, whoever waits for the server to take more would wait for ever once the channel is closed.
    closed: Option<oneshot::Receiver<Infallible>>,
    _held: mpsc::Sender<Infallible>,
}

impl tokio::io::AsyncWrite for Input {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.closed.as_mut().is_none_or(|closed| Pin::new(closed).poll(cx).is_ready()) {
            self.closed = None;
            return Poll::Ready(Err(io::Error::from(io::ErrorKind::BrokenPipe)));
        }
        self.inner.as_mut().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.as_mut().poll_shutdown(cx)
    }
}

impl Inlet for Input {
    fn give(&mut self, piece: Bytes) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send + '_>> {
        Box::pin(async move {
            let broken = || io::Error::from(io::ErrorKind::BrokenPipe);
            let Some(closed) = &mut self.closed else { return Err(broken()) };
            tokio::select! {
                biased;
                _ = closed => {}
                given = self.whole.data_bytes(piece) => return given.map_err(|_| broken()),
            }
            self.closed = None;
            Err(broken())
        })
    }
}

struct Output {
    queue: mpsc::Receiver<Bytes>,
    piece: Bytes,
    _held: mpsc::Sender<Infallible>,
}

impl AsyncRead for Output {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.piece.is_empty() {
            match ready!(self.queue.poll_recv(cx)) {
                Some(piece) => self.piece = piece,
                None => return Poll::Ready(Ok(())),
            }
        }
        let count = into.remaining().min(self.piece.len());
        into.put_slice(&self.piece[..count]);
        self.piece.advance(count);
        Poll::Ready(Ok(()))
    }
}

struct Ending {
    exit: oneshot::Receiver<Exit>,
    _held: mpsc::Sender<Infallible>,
}

impl Future for Ending {
    type Output = Exit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Exit> {
        let exit = ready!(Pin::new(&mut self.exit).poll(cx));
        Poll::Ready(exit.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::ConnectionAborted))))
    }
}
