//! One connection to one host, made when it is wanted, shared by all who want it, made again when it is lost.

use std::fmt;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::ChannelOpenFailure;
use tokio::io::{Join, join};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};

use super::Failure;
use super::exec::channel;
use super::handshake::{self, Handle, Notes};
use super::login;
use super::settings::{self, Settings};
use super::shared::{Shared, lock};
use super::sudo::Way;
use crate::inventory;
use crate::model::{Access, ServerName};
use crate::transport::channel::Channel;

/// How long a host may take to accept a connection, unless the configuration says otherwise.
const CONNECT: Duration = Duration::from_secs(10);
/// The login, a touch of a key on a token included.
const LOGIN: Duration = Duration::from_mins(1);
/// How long the server may take to open a channel.
const OPEN: Duration = Duration::from_secs(15);
/// How long we wait for one of our own sessions to become free.
const FREE: Duration = Duration::from_mins(1);
/// Channels on one connection: OpenSSH allows ten sessions.
const SESSIONS: usize = 9;
/// Pauses between tries to connect.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MOST: Duration = Duration::from_secs(5);

/// The way to one host.
pub(super) struct Connection {
    name: ServerName,
    address: String,
    wishes: inventory::Ssh,
    pub(super) shared: Arc<Shared>,
    settings: OnceCell<Arc<Settings>>,
    state: tokio::sync::Mutex<Attempts>,
}

#[derive(Default)]
struct Attempts {
    live: Option<Arc<Live>>,
    failed: Option<Failed>,
}

struct Failed {
    failure: Failure,
    at: Instant,
    in_turn: u32,
}

/// A connection on which somebody is logged in.
pub(super) struct Live {
    handle: Handle,
    pub(super) user: String,
    notes: Arc<Mutex<Notes>>,
    sessions: Arc<Semaphore>,
    pub(super) root: OnceCell<Way>,
    /// Whether it failed to answer in time: the next who wants it gets a new one, sooner than this one is found dead.
    stale: AtomicBool,
    _under: Under,
}

/// What a connection goes through, and ends with it.
#[expect(dead_code, reason = "kept for as long as the connection, and never looked at")]
enum Under {
    Network,
    /// A `ProxyCommand`.
    Command(Child),
    Jump(Arc<Live>),
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("name", &self.name)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Nothing is connected, or even looked up, before it is wanted.
    pub(super) fn to(
        name: &ServerName,
        address: &str,
        wishes: &inventory::Ssh,
        shared: &Arc<Shared>,
    ) -> Arc<Self> {
        Arc::new(Self {
            name: name.clone(),
            address: address.to_owned(),
            wishes: wishes.clone(),
            shared: shared.clone(),
            settings: OnceCell::new(),
            state: tokio::sync::Mutex::default(),
        })
    }

    /// A jump host, one for all who go through it; `settings` are known already.
    fn hop(&self, settings: &Settings, before: &[Settings]) -> Arc<Self> {
        let word = |hop: &Settings| format!("{}@{}:{}", hop.user, hop.host, hop.port);
        let way: Vec<String> = before.iter().chain([settings]).map(word).collect();
        let mut hops = lock(&self.shared.hops);
        let hop = hops.entry(way.join(",")).or_insert_with(|| {
            let settings = Settings { jumps: before.to_vec(), ..settings.clone() };
            Arc::new(Self {
                name: ServerName::from(settings.host.as_str()),
                address: settings.host.clone(),
                wishes: inventory::Ssh::default(),
                shared: self.shared.clone(),
                settings: OnceCell::new_with(Some(Arc::new(settings))),
                state: tokio::sync::Mutex::default(),
            })
        });
        hop.clone()
    }

    pub(super) fn name(&self) -> &ServerName {
        &self.name
    }

    async fn settings(&self) -> Result<Arc<Settings>, Failure> {
        let resolve = async || settings::resolve(&self.address, &self.wishes).await.map(Arc::new);
        self.settings
            .get_or_try_init(resolve)
            .await
            .cloned()
            .map_err(|error| Failure::Barred(error.to_string()))
    }

    /// The connection, made now if there is none.
    pub(super) async fn live(&self) -> Result<Arc<Live>, Failure> {
        let asked = Instant::now();
        loop {
            match self.attempt(asked).await {
                // A person is waited for with nothing held open, as a server would hang up meanwhile.
                Err(Failure::Needs { access, complaint, key }) => {
                    self.satisfy(access, &complaint).await?;
                    if let Some(key) = key {
                        handshake::remember(&*self.settings().await?, &self.shared, &key);
                    }
                }
                outcome => return outcome,
            }
        }
    }

    /// One try, for all who wait for it.
    async fn attempt(&self, asked: Instant) -> Result<Arc<Live>, Failure> {
        let mut state = self.state.lock().await;
        if let Some(live) = state.live.as_ref().filter(|live| live.is_good()) {
            return Ok(live.clone());
        }
        state.live = None;
        let mut in_turn = 0;
        if let Some(failed) = &state.failed {
            // Whoever waited while that try was made shares what came of it.
            if failed.at >= asked
                && let Some(failure) = failed.failure.shared()
            {
                return Err(failure);
            }
            in_turn = failed.in_turn;
            let pause = PAUSE_FIRST.saturating_mul(1 << in_turn.min(6)).min(PAUSE_MOST);
            sleep((failed.at + pause).saturating_duration_since(Instant::now())).await;
        }
        match self.connect().await {
            Ok(live) => {
                state.failed = None;
                state.live = Some(live.clone());
                Ok(live)
            }
            Err(failure) => {
                if let Some(failure) = failure.shared() {
                    state.failed = Some(Failed { failure, at: Instant::now(), in_turn: in_turn + 1 });
                }
                Err(failure)
            }
        }
    }

    async fn connect(&self) -> Result<Arc<Live>, Failure> {
        let settings = self.settings().await?;
        match settings.jumps.split_last() {
            None => {
                if let Some(command) = &settings.proxy_command {
                    let (stream, child) = piped(command)?;
                    return self.log_in(stream, &settings, Under::Command(child)).await;
                }
                let limit = settings.connect_timeout.unwrap_or(CONNECT);
                self.log_in(tcp(&settings, limit).await?, &settings, Under::Network).await
            }
            Some((last, before)) => {
                let hop = self.hop(last, before);
                let through = |failure: Failure| failure.via(&last.host);
                let via = Box::pin(hop.live()).await.map_err(through)?;
                let port = u32::from(settings.port);
                let opened =
                    via.handle.channel_open_direct_tcpip(settings.host.clone(), port, "127.0.0.1", 0);
                let limit = settings.connect_timeout.unwrap_or(CONNECT);
                let channel = match timeout(limit, opened).await {
                    Ok(Ok(channel)) => channel,
                    Ok(Err(error)) => return Err(no_channel(&error).via(&last.host)),
                    Err(_) => return Err(Failure::Passing(silent(&settings, limit)).via(&last.host)),
                };
                self.log_in(channel.into_stream(), &settings, Under::Jump(via)).await
            }
        }
    }

    async fn log_in<S>(&self, stream: S, settings: &Arc<Settings>, under: Under) -> Result<Arc<Live>, Failure>
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let _turn = self.shared.handshakes.acquire().await;
        let (mut handle, notes) = handshake::shake(stream, settings, &self.shared).await?;
        match timeout(LOGIN, login::log_in(&mut handle, settings, &self.shared)).await {
            Ok(Ok(())) => {}
            Ok(Err(Failure::Barred(why))) => {
                // Why somebody may not come in stands there more often than anywhere else.
                let banner = lock(&notes).banner.trim().to_owned();
                let said =
                    if banner.is_empty() { String::new() } else { format!("; the server says: {banner}") };
                return Err(Failure::Barred(format!("{why}{said}")));
            }
            Ok(Err(failure)) => return Err(failure),
            Err(_) => {
                return Err(Failure::Passing(format!("the login took longer than {} s", LOGIN.as_secs())));
            }
        }
        Ok(Arc::new(Live {
            handle,
            user: settings.user.clone(),
            notes,
            sessions: Arc::new(Semaphore::new(SESSIONS)),
            root: OnceCell::new(),
            stale: AtomicBool::new(false),
            _under: under,
        }))
    }

    /// Asks a person for what the way lacks.
    pub(super) async fn satisfy(&self, access: Access, complaint: &str) -> Result<(), Failure> {
        self.shared.ask(&self.name, access, complaint).await
    }
}

impl Failure {
    /// What those who waited for the same try are told; a question to a person each of them puts anew, and joins.
    fn shared(&self) -> Option<Self> {
        match self {
            Self::Passing(why) => Some(Self::Passing(why.clone())),
            Self::Cut(why) => Some(Self::Cut(why.clone())),
            Self::Barred(why) => Some(Self::Barred(why.clone())),
            Self::Needs { .. } => None,
        }
    }

    /// Tells at which jump host it went wrong.
    fn via(self, hop: &str) -> Self {
        let told = |why: String| format!("through the jump host {hop}: {why}");
        match self {
            Self::Passing(why) => Self::Passing(told(why)),
            Self::Cut(why) => Self::Cut(told(why)),
            Self::Barred(why) => Self::Barred(told(why)),
            needs @ Self::Needs { .. } => needs,
        }
    }
}

impl Live {
    fn is_good(&self) -> bool {
        !self.handle.is_closed() && !self.stale.load(Ordering::Relaxed)
    }

    /// Starts a command line.
    pub(super) async fn exec(self: &Arc<Self>, command: String) -> Result<Channel, Failure> {
        let permit = self.session().await?;
        let begun = Instant::now();
        let opened = loop {
            match timeout(OPEN, self.handle.channel_open_session()).await {
                Ok(Ok(channel)) => break channel,
                // It allows fewer than we think: one of ours may end.
                Ok(Err(russh::Error::ChannelOpenFailure(
                    ChannelOpenFailure::ResourceShortage | ChannelOpenFailure::ConnectFailed,
                ))) if begun.elapsed() < OPEN => sleep(PAUSE_FIRST).await,
                Ok(Err(error)) => return Err(self.lost(&error)),
                Err(_) => {
                    self.stale.store(true, Ordering::Relaxed);
                    return Err(Failure::Passing(format!("no channel within {} s", OPEN.as_secs())));
                }
            }
        };
        let (read, write) = opened.split();
        write.exec(true, command).await.map_err(|error| self.lost(&error))?;
        let live = self.clone();
        Ok(channel(read, write, permit, move || live.ended()))
    }

    async fn session(&self) -> Result<OwnedSemaphorePermit, Failure> {
        match timeout(FREE, self.sessions.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => {
                Err(Failure::Passing(format!("all {SESSIONS} sessions of the connection are in use")))
            }
        }
    }

    fn ended(&self) -> String {
        match &lock(&self.notes).ended {
            Some(why) => format!("the connection was lost: {why}"),
            None => "the connection ended before the answer".to_owned(),
        }
    }

    fn lost(&self, error: &russh::Error) -> Failure {
        match error {
            russh::Error::ChannelOpenFailure(_) => no_channel(error),
            _ => Failure::Cut(self.ended()),
        }
    }
}

async fn tcp(settings: &Settings, limit: Duration) -> Result<TcpStream, Failure> {
    match timeout(limit, TcpStream::connect((settings.host.as_str(), settings.port))).await {
        Ok(Ok(stream)) => {
            // Keys typed into an attended step would wait for each other.
            let _ = stream.set_nodelay(true);
            Ok(stream)
        }
        Ok(Err(error)) => Err(Failure::Passing(format!("{} port {}: {error}", settings.host, settings.port))),
        Err(_) => Err(Failure::Passing(silent(settings, limit))),
    }
}

/// Starts a command of the ssh configuration whose input and output are the connection.
fn piped(command: &str) -> Result<(Join<ChildStdout, ChildStdin>, Child), Failure> {
    let failed = |why: String| Failure::Barred(format!("starting the ProxyCommand `{command}`: {why}"));
    let mut child = Command::new("sh")
        .args(["-c", &format!("exec {command}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    match (child.stdout.take(), child.stdin.take()) {
        (Some(output), Some(input)) => Ok((join(output, input), child)),
        _ => Err(failed("it has no pipes".to_owned())),
    }
}

fn silent(settings: &Settings, limit: Duration) -> String {
    format!("{} port {}: no answer within {} s", settings.host, settings.port, limit.as_secs())
}

fn no_channel(error: &russh::Error) -> Failure {
    match error {
        russh::Error::ChannelOpenFailure(ChannelOpenFailure::AdministrativelyProhibited) => {
            Failure::Barred("the server forbids it (AllowTcpForwarding, PermitOpen)".to_owned())
        }
        russh::Error::ChannelOpenFailure(reason) => {
            Failure::Passing(format!("the server opens no channel: {reason:?}"))
        }
        error => Failure::Passing(error.to_string()),
    }
}
