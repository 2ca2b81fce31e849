//! Calls to a Windows server, as they leave and as their answers are read. What PowerShell makes of them is not tried
//! here: a stand-in in sh answers.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use nofm::profile::Shell;
use nofm::transport::{
    Heard, Link, LinkError, Local, Probe, RunEnd, RunId, RunState, Source, StartOpts, Started, Terminal,
    Uploaded, read_clocks,
};

use super::Script;

const PROTOCOL: &str =
    concat!(include_str!("../../assets/run/tools.sh"), include_str!("../../assets/run/nofm-run.sh"));

struct Server {
    dir: tempfile::TempDir,
}

impl Server {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bin/powershell.exe");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::create_dir(dir.path().join("C:")).unwrap();
        fs::write(dir.path().join("protocol"), PROTOCOL).unwrap();
        fs::write(&path, include_str!("powershell.sh")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir }
    }

    fn link(&self) -> Link {
        let local = Local::new("pvs-1", Some(self.dir.path())).with_shell(Shell::PowerShell);
        Link::Local(Arc::new(local))
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }

    fn answers(&self, text: &str) {
        fs::write(self.dir.path().join("answer"), text).unwrap();
    }
}

#[tokio::test]
async fn what_is_sent_is_powershell_and_no_value_stands_on_the_command_line() {
    let server = Server::new();
    server.link().stat(&RunId::new("install-1").unwrap()).await.unwrap();
    let argv = server.read("argv");
    assert!(
        !argv.contains("install") && argv.starts_with("-NoLogo\n-NoProfile\n-NonInteractive\n"),
        "{argv}"
    );
    let encoded = argv.trim().rsplit('\n').next().unwrap();
    let text = server.read("text");
    assert!(text.contains("nofm @('stat', 'install-1')"), "{text}");
    let script = Script::read(&text);
    assert_eq!(script.faults(), [""; 0]);
    // The loader stands in the text as well, for what runs apart from the connection.
    let literals = script.literals();
    let loader = literals.iter().find(|literal| literal.contains("OpenStandardInput")).unwrap();
    let loader = loader[1..loader.len() - 1].replace("''", "'");
    assert_eq!(Script::read(&loader).faults(), [""; 0], "{loader}");
    let utf16: Vec<u8> = loader.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(encoded.len(), utf16.len().div_ceil(3) * 4, "the same one as on the command line");
}

#[tokio::test]
async fn a_question_is_answered_with_both_outputs_and_its_own_exit_status() {
    let server = Server::new();
    let said =
        server.link().probe(&Probe::new("printf 'a\\r\\nb\\r\\n'; echo wrong >&2; exit 3")).await.unwrap();
    assert_eq!((said.exit, said.truncated), (3, false));
    assert_eq!(
        (said.stdout.as_slice(), said.stderr.as_slice()),
        (b"a\nb\n".as_slice(), b"wrong\n".as_slice())
    );
    let much = Probe { bytes: 10, ..Probe::new("echo 0123456789; echo it\\'s '$(x)' >&2") };
    let said = server.link().probe(&much).await.unwrap();
    assert_eq!((said.exit, said.truncated, said.stdout.as_slice()), (0, true, b"0123456789".as_slice()));
    let slow = Probe { time: Duration::from_millis(1), ..Probe::new("sleep 1") };
    assert!(matches!(server.link().probe(&slow).await, Err(LinkError::TimedOut { .. })));
}

#[tokio::test]
async fn answers_that_are_none_are_told_as_such() {
    let server = Server::new();
    let ask = async || server.link().probe(&Probe::new("echo x")).await;
    for bad in ["S end\nA 0 whole\n", "S end\nS end\nA 0\n", "nonsense\n", "O 0 999999999\n"] {
        server.answers(bad);
        assert!(matches!(ask().await, Err(LinkError::Protocol { .. })), "{bad:?}");
    }
    server.answers("X failed Access is denied.\n");
    let Err(LinkError::Refused { why, .. }) = ask().await else { panic!("it was refused") };
    assert_eq!(why, "Access is denied.");
}

#[tokio::test]
async fn exit_statuses_of_windows_are_told_as_they_are() {
    let server = Server::new();
    for rc in [0, 3010, 1641, -1_073_741_819, i32::MAX] {
        server.answers(&format!("A done rc={rc}\n"));
        let state = server.link().stat(&RunId::new("r").unwrap()).await.unwrap();
        assert_eq!(state, RunState::Ended(RunEnd::Done { rc }));
    }
}

#[tokio::test]
async fn a_run_is_started_once_and_followed_to_its_end() {
    let server = Server::new();
    let (link, id) = (server.link(), RunId::new("install-2").unwrap());
    let body = "echo \"it's $(echo here)\"; exit 7\n";
    assert!(matches!(link.start(&id, body, StartOpts::default()).await.unwrap(), Started::Fresh(_)));
    assert!(matches!(link.start(&id, body, StartOpts::default()).await.unwrap(), Started::Already(_)));
    let mut output = Vec::new();
    let mut sink = |heard: Heard<'_>| {
        if let Heard::Output { bytes, .. } = heard {
            output.extend_from_slice(bytes);
        }
        Ok(())
    };
    assert_eq!(link.follow(&id, 0, &mut sink).await.unwrap(), RunEnd::Done { rc: 7 });
    assert_eq!(output, b"it's here\n");
    let other = RunId::new("install-3").unwrap();
    assert_eq!(link.revoke(&other).await.unwrap(), RunState::Ended(RunEnd::Revoked));
}

#[tokio::test]
async fn no_terminal_is_asked_of_a_server_that_holds_none() {
    let server = Server::new();
    server.answers("X missing a terminal that can be held there for an attended step\n");
    let opts = StartOpts { terminal: Some(Terminal { cols: 80, rows: 24 }) };
    let refused = server.link().start(&RunId::new("a").unwrap(), "setup.exe", opts).await;
    assert!(matches!(refused, Err(LinkError::Missing { .. })), "{refused:?}");
}

#[tokio::test]
async fn files_go_there_and_come_back_by_the_names_that_windows_gives_them() {
    let server = Server::new();
    let own = server.dir.path().join("own");
    let content: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
    fs::write(&own, &content).unwrap();
    let source = Arc::new(Source::open(&own).await.unwrap());
    let remote = r"C:\ProgramData\nofm\uploads\it's $(x) setup.exe";
    let link = server.link();
    assert_eq!(link.upload(&source, remote, &mut |_| {}).await.unwrap(), Uploaded::Sent);
    assert_eq!(link.upload(&source, remote, &mut |_| {}).await.unwrap(), Uploaded::AlreadyThere);
    assert!(
        fs::read(server.dir.path().join("C:/ProgramData/nofm/uploads/it's $(x) setup.exe")).unwrap()
            == content
    );
    let back = server.dir.path().join("back");
    let fetched = link.fetch(remote, 1000, &back).await.unwrap();
    assert_eq!((fetched.bytes, fetched.of), (1000, content.len() as u64));
    assert!(fs::read(&back).unwrap() == content[content.len() - 1000..]);
    for bad in ["/etc/passwd", r"C:\..\x", r"\\other\share\x", "C:x"] {
        assert!(matches!(link.fetch(bad, 1, &back).await, Err(LinkError::Invalid { .. })), "{bad}");
    }
}

#[tokio::test]
async fn its_clock_is_read() {
    let server = Server::new();
    let readings = read_clocks(&[server.link()]).await;
    let reading = readings[0].as_ref().unwrap();
    assert!(reading.offset_ms.abs() <= reading.error_ms + 1000, "{reading:?}");
}
