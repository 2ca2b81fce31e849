//! A cable between a client and a server, which a test can cut, crimp and measure.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// From whom to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    ToServer,
    ToClient,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Door {
    #[default]
    Open,
    /// Takes connections and says nothing on them.
    Hanging,
    /// Takes no connection at all.
    Shut,
}

#[derive(Default)]
struct Cable {
    door: Door,
    gone: bool,
    frozen: bool,
    latency: Duration,
    /// Bytes a second.
    rate: Option<usize>,
    /// What may still pass in each direction before everything is cut.
    left: [Option<usize>; 2],
    passed: [usize; 2],
    taken: usize,
    /// Both ends of every connection.
    open: Vec<TcpStream>,
}

#[derive(Default)]
struct Shared {
    cable: Mutex<Cable>,
    changed: Condvar,
}

/// A TCP proxy with faults to order. Dropping it ends its connections.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Listens at `address` and passes on to `server`.
    pub fn new(address: SocketAddr, server: SocketAddr) -> Self {
        let shared = Arc::new(Shared::default());
        let listener = listen(address);
        let address = listener.local_addr().unwrap();
        let own = Arc::clone(&shared);
        thread::spawn(move || accept(listener, address, server, &own));
        Self { address, shared }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every connection ends now; new ones are taken.
    pub fn cut(&self) {
        self.shared.cut(&mut self.lock());
    }

    /// Every connection ends once `bytes` more have passed in one direction, over all connections.
    pub fn cut_after(&self, direction: Direction, bytes: usize) {
        self.lock().left[direction as usize] = Some(bytes);
    }

    /// New connections are refused; open ones go on. Holds from the return of this call on.
    pub fn refuse(&self) {
        self.set_door(Door::Shut);
        super::until("the door is shut", || TcpStream::connect(self.address).is_err());
    }

    /// New connections are taken and never answered; open ones go on.
    pub fn hang(&self) {
        self.set_door(Door::Hanging);
    }

    /// New connections are passed on again.
    pub fn admit(&self) {
        self.set_door(Door::Open);
    }

    /// Nothing passes any more, and nobody is told; new connections are taken.
    pub fn freeze(&self) {
        self.lock().frozen = true;
    }

    pub fn thaw(&self) {
        self.lock().frozen = false;
        self.shared.changed.notify_all();
    }

    /// At most so many bytes a second on each connection and direction; each piece comes later by `latency`.
    pub fn slow(&self, rate: Option<usize>, latency: Duration) {
        let mut cable = self.lock();
        (cable.rate, cable.latency) = (rate, latency);
    }

    /// How many connections were taken so far.
    pub fn connections(&self) -> usize {
        self.lock().taken
    }

    /// How many bytes have passed so far.
    pub fn bytes(&self, direction: Direction) -> usize {
        self.lock().passed[direction as usize]
    }

    fn set_door(&self, door: Door) {
        self.lock().door = door;
    }

    fn lock(&self) -> MutexGuard<'_, Cable> {
        self.shared.cable.lock().unwrap()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let mut cable = self.lock();
        cable.gone = true;
        self.shared.cut(&mut cable);
    }
}

impl Shared {
    fn cut(&self, cable: &mut Cable) {
        for stream in cable.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        cable.left = [None; 2];
        self.changed.notify_all();
    }

    /// Passes what one end sends on to the other, as the cable lets it.
    fn pump(&self, mut from: TcpStream, mut to: TcpStream, direction: Direction) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let mut piece = match from.read(&mut buffer)? {
                0 => return to.shutdown(Shutdown::Write),
                count => &buffer[..count],
            };
            let latency = self.cable.lock().unwrap().latency;
            thread::sleep(latency);
            while !piece.is_empty() {
                let (most, pause) = self.allowance(direction, piece.len());
                to.write_all(&piece[..most])?;
                piece = &piece[most..];
                self.count(direction, most);
                thread::sleep(pause);
            }
        }
    }

    /// Waits until something may pass; how much, and how long that takes.
    fn allowance(&self, direction: Direction, wanted: usize) -> (usize, Duration) {
        let mut cable = self.cable.lock().unwrap();
        while cable.frozen && !cable.gone {
            cable = self.changed.wait(cable).unwrap();
        }
        let most = wanted.min(cable.left[direction as usize].unwrap_or(wanted));
        let Some(rate) = cable.rate else { return (most, Duration::ZERO) };
        // Twenty pieces a second.
        let most = most.min((rate / 20).max(1));
        (most, Duration::from_micros((most * 1_000_000 / rate) as u64))
    }

    fn count(&self, direction: Direction, bytes: usize) {
        let mut cable = self.cable.lock().unwrap();
        cable.passed[direction as usize] += bytes;
        if let Some(left) = &mut cable.left[direction as usize] {
            *left = left.saturating_sub(bytes);
            if *left == 0 {
                self.cut(&mut cable);
            }
        }
    }
}

fn listen(address: SocketAddr) -> TcpListener {
    let listener = TcpListener::bind(address).unwrap_or_else(|e| panic!("{address}: {e}"));
    listener.set_nonblocking(true).unwrap();
    listener
}

fn accept(listener: TcpListener, address: SocketAddr, server: SocketAddr, shared: &Arc<Shared>) {
    let mut listener = Some(listener);
    loop {
        let door = {
            let cable = shared.cable.lock().unwrap();
            if cable.gone {
                return;
            }
            cable.door
        };
        match (door, &listener) {
            (Door::Shut, _) => listener = None,
            (_, None) => listener = Some(listen(address)),
            (_, Some(open)) => {
                if let Ok((client, _)) = open.accept() {
                    take(client, door, server, shared);
                    continue;
                }
            }
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn take(client: TcpStream, door: Door, server: SocketAddr, shared: &Arc<Shared>) {
    let _ = (client.set_nonblocking(false), client.set_nodelay(true));
    let mut cable = shared.cable.lock().unwrap();
    cable.taken += 1;
    cable.open.push(client.try_clone().unwrap());
    if door == Door::Hanging {
        return;
    }
    drop(cable);
    let shared = Arc::clone(shared);
    // A server that is off answers late or never, which is nothing to the next client.
    thread::spawn(move || {
        let Ok(upstream) = TcpStream::connect(server) else {
            let _ = client.shutdown(Shutdown::Both);
            return;
        };
        let _ = upstream.set_nodelay(true);
        shared.cable.lock().unwrap().open.push(upstream.try_clone().unwrap());
        let (up, back) = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
        let other = Arc::clone(&shared);
        // A server that was killed may reset its connections, which ends those of its clients.
        thread::spawn(move || {
            if other.pump(upstream, back.try_clone().unwrap(), Direction::ToClient).is_err() {
                let _ = back.shutdown(Shutdown::Both);
            }
        });
        if shared.pump(client, up.try_clone().unwrap(), Direction::ToServer).is_err() {
            let _ = up.shutdown(Shutdown::Both);
        }
    });
}

/// A loopback address at which these ports are free, and which no other proxy has.
pub fn free_address(ports: &[u16]) -> IpAddr {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_mul(7).wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed));
        // Farms are at 127.1 to 127.250.
        let [.., third, last] = number.to_be_bytes();
        let ip = IpAddr::V4(Ipv4Addr::new(127, 251, third, last.clamp(1, 254)));
        if ports.iter().all(|port| TcpListener::bind((ip, *port)).is_ok()) {
            return ip;
        }
    }
}
