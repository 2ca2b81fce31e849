//! Clocks, HTTP and ports.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::thread;

use nofm::model::Verdict;
use nofm::profile::Shell;
use nofm::transport::{PortState, Probe, checks, clocks_agree, connects, http_get, read_clocks};

use super::*;

#[tokio::test]
async fn a_clock_that_is_off_is_seen_and_how_far() {
    let (right, wrong, mute) = (Farm::new(), Farm::new(), Farm::new());
    wrong.stand_in(
        "date",
        "n=$(/bin/date +%s); case $1 in +%s.%N) echo $((n + 90)).N ;; *) echo $((n + 90)) ;; esac",
    );
    mute.stand_in("date", "echo tomorrow");
    let links = [right.link(), wrong.link(), mute.link()];
    let readings = read_clocks(&links).await;
    let first = *readings[0].as_ref().unwrap();
    let second = *readings[1].as_ref().unwrap();
    assert!(first.offset_ms.abs() <= first.error_ms && first.error_ms < 1_000, "{first:?}");
    assert!((second.offset_ms - 90_000).abs() <= second.error_ms && second.error_ms < 2_000, "{second:?}");
    assert!(why(readings[2].as_ref().unwrap_err()).contains("tomorrow"));
    let known: Vec<_> = readings.iter().map(|reading| reading.as_ref().ok().copied()).collect();
    assert_eq!(clocks_agree(&known[..2], Duration::from_mins(1)), Verdict::Fail);
    assert_eq!(clocks_agree(&known[..2], Duration::from_secs(100)), Verdict::Pass);
    assert_eq!(clocks_agree(&known, Duration::from_secs(100)), Verdict::Unknown);
}

/// A server on this machine which answers every request by `answer`, given the path. Its port.
fn serve(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream: TcpStream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.push(byte[0]);
            }
            let head = text(&head);
            // The client may have read enough.
            let _ = stream.write_all(&answer(head.split(' ').nth(1).unwrap_or_default()));
        }
    });
    port
}

fn page(status: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let mut page =
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n{more}\r\n", body.len())
            .into_bytes();
    page.extend_from_slice(body);
    page
}

#[tokio::test]
async fn http_answers_are_bounded_and_every_status_is_an_answer() {
    let port = serve(|path| match path {
        "/ok" => page("200 OK", "", b"{\"mode\":\"normal\"}"),
        "/once" => page("302 Found", "Location: /ok\r\n", b""),
        "/loop" => page("302 Found", "Location: /loop\r\n", b""),
        "/big" => {
            // More is promised than ever comes.
            let mut page = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec();
            page.resize(3_000_000, b'x');
            page
        }
        "/garbage" => b"\x1b[2J\0\0 what\r\n\r\n".to_vec(),
        _ => page("503 Service Unavailable", "", b"starting"),
    });
    let get = |path: &str| {
        let url = format!("http://127.0.0.1:{port}{path}");
        async move { http_get(&url).await }
    };
    let ok = get("/ok").await.unwrap();
    assert_eq!(
        (ok.status, ok.body.as_slice(), ok.truncated),
        (200, b"{\"mode\":\"normal\"}".as_slice(), false)
    );
    assert_eq!(get("/once").await.unwrap().status, 200);
    let starting = get("/").await.unwrap();
    assert_eq!((starting.status, starting.body.as_slice()), (503, b"starting".as_slice()));
    let big = get("/big").await.unwrap();
    assert_eq!((big.body.len(), big.truncated), (1_048_576, true));
    assert!(get("/loop").await.is_err());
    let garbage = get("/garbage").await.unwrap_err().to_string();
    assert!(garbage.contains("127.0.0.1") && !garbage.chars().any(char::is_control), "{garbage:?}");
    assert!(matches!(http_get("no url").await, Err(LinkError::Invalid { .. })));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert!(matches!(http_get(&format!("http://{closed}/")).await, Err(LinkError::Unreachable { .. })));
}

#[tokio::test]
async fn a_page_that_never_comes_is_given_up() {
    let port = serve(|_| {
        thread::sleep(Duration::from_mins(1));
        Vec::new()
    });
    let begun = Instant::now();
    let told = http_get(&format!("http://127.0.0.1:{port}/")).await.unwrap_err();
    assert!(matches!(told, LinkError::TimedOut { .. }), "{told:?}");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_certificate_of_the_servers_own_making_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "1",
            "-subj",
            "/CN=elsewhere",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(made.success());
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new("openssl")
        .args(["s_server", "-quiet", "-www", "-accept", &port.to_string(), "-cert"])
        .arg(&cert)
        .arg("-key")
        .arg(&key)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    until("the server listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    let got = http_get(&format!("https://127.0.0.1:{port}/")).await;
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(got.unwrap().status, 200);
}

#[tokio::test]
async fn a_port_is_open_or_closed_from_here_and_from_a_server() {
    let farm = Farm::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = listener.local_addr().unwrap().port();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let limit = Duration::from_secs(5);
    assert_eq!(connects("127.0.0.1", open, limit).await, PortState::Open);
    assert!(matches!(connects("127.0.0.1", closed, limit).await, PortState::Closed(_)));
    assert!(matches!(connects("no such host.invalid", open, limit).await, PortState::Unknown(_)));
    let ask = |host: &'static str, port| {
        let link = farm.link();
        async move {
            checks::port(&link.probe(&Probe::new(checks::port_script(Shell::Sh, host, port))).await.unwrap())
        }
    };
    assert_eq!(ask("127.0.0.1", open).await, PortState::Open);
    assert!(matches!(ask("127.0.0.1", closed).await, PortState::Closed(_)));
    assert!(matches!(ask("-e sh", open).await, PortState::Unknown(_)));
    farm.stand_in("nc", "case $1 in -h) echo usage: nc -z ;; *) echo \"$*\" > asked; exit 1 ;; esac");
    assert!(matches!(ask("127.0.0.1", open).await, PortState::Closed(_)));
    assert_eq!(farm.read("asked"), format!("-z -w 5 127.0.0.1 {open}\n"));
    farm.stand_in("nc", "exit 1");
    farm.stand_in("timeout", "exit 1");
    farm.stand_in("bash", "exit 1");
    assert!(!matches!(ask("127.0.0.1", open).await, PortState::Open));
    let nothing = farm.link().probe(&Probe::new("")).await.unwrap();
    assert!(matches!(checks::port(&nothing), PortState::Unknown(_)));
}
