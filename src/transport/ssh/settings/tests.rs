use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::inventory::Hop;

const PRINTED: &str = "\
host UMS-1
user admin
hostname ums-1.example
port 2222
identitiesonly yes
hashknownhosts yes
stricthostkeychecking accept-new
hostkeyalias ums
identityagent SSH_AUTH_SOCK
identityfile ~/.ssh/id_rsa
identityfile none
identityfile /keys/%r@%h:%p
certificatefile ~/cert.pub
globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2
userknownhostsfile /home/a b/known hosts ~/.ssh/k
revokedhostkeys none
connecttimeout 7
sendenv LANG
proxyjump me@[10.0.0.1]:22,inner
";

#[test]
fn what_ssh_prints_is_read() {
    let config = Config::read(PRINTED).unwrap();
    let hop =
        |user: Option<&str>, host: &str, port| Hop { user: user.map(Into::into), host: host.into(), port };
    let expected = Config {
        host: "ums-1.example".into(),
        port: 2222,
        user: "admin".into(),
        keys: vec!["~/.ssh/id_rsa".into(), "/keys/%r@%h:%p".into()],
        certificates: vec!["~/cert.pub".into()],
        only_keys: true,
        agent: Some("SSH_AUTH_SOCK".into()),
        alias: Some("ums".into()),
        user_files: vec!["/home/a b/known hosts".into(), "~/.ssh/k".into()],
        global_files: vec!["/etc/ssh/ssh_known_hosts".into(), "/etc/ssh/ssh_known_hosts2".into()],
        revoked: None,
        hash_new: true,
        strict: Strict::AcceptNew,
        connect_timeout: Some(Duration::from_secs(7)),
        jump: vec![hop(Some("me"), "10.0.0.1", Some(22)), hop(None, "inner", None)],
        proxy_command: None,
    };
    assert_eq!(config, expected);
    for (word, strict) in [
        ("true", Strict::Refuse),
        ("yes", Strict::Refuse),
        ("ask", Strict::Ask),
        ("no", Strict::AcceptNew),
        ("off", Strict::AcceptNew),
        ("false", Strict::AcceptNew),
        ("whatever", Strict::Ask),
    ] {
        let text = format!("hostname a\nuser b\nport 1\nstricthostkeychecking {word}\n");
        assert_eq!(Config::read(&text).unwrap().strict, strict, "{word}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for text in [
        "",
        "hostname a\nuser b\n",
        "hostname a\nport 22\n",
        "user b\nport 22\n",
        "hostname a\nuser b\nport 0\n",
        "hostname a\nuser b\nport 65536\n",
        "hostname -oProxyCommand=x\nuser b\nport 22\n",
        "hostname a\nuser b\nport 22\nproxyjump -x\n",
        "hostname a\nuser b\nport 22\nproxyjump a::1:22\n",
    ] {
        assert!(Config::read(text).is_err(), "{text:?}");
    }
}

/// A console whose `ssh` is `script`.
struct Fake {
    folder: tempfile::TempDir,
    console: Console,
}

impl Fake {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("ssh");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let home = folder.path().join("home");
        fs::create_dir_all(home.join(".ssh")).unwrap();
        let console = Console {
            program,
            home,
            user: "me".into(),
            agent: Some("/run/agent".into()),
            limit: Duration::from_secs(5),
        };
        Self { folder, console }
    }

    /// A console without `ssh`.
    fn without() -> Self {
        let mut fake = Self::new("");
        fake.console.program = fake.folder.path().join("no-ssh");
        fake
    }

    fn home(&self, below: &str) -> PathBuf {
        self.console.home.join(below)
    }

    fn touch(&self, below: &str) -> PathBuf {
        let path = self.home(below);
        fs::write(&path, "").unwrap();
        path
    }
}

#[tokio::test]
async fn without_ssh_the_usual_files_count() {
    let fake = Fake::without();
    let rsa = fake.touch(".ssh/id_rsa");
    let ed25519 = fake.touch(".ssh/id_ed25519.pub").with_extension("");
    let settings = fake.console.resolve("[FE80::1]", &Ssh::default()).await.unwrap();
    let expected = Settings {
        host: "fe80::1".into(),
        port: 22,
        user: "me".into(),
        keys: vec![ed25519, rsa],
        certificates: vec![],
        only_keys: false,
        agent: Some("/run/agent".into()),
        known_as: "fe80::1".into(),
        known_port: 22,
        known_hosts: vec![fake.home(".ssh/known_hosts"), "/etc/ssh/ssh_known_hosts".into()],
        revoked: None,
        hash_new: false,
        strict: Strict::Ask,
        connect_timeout: None,
        jumps: vec![],
        proxy_command: None,
    };
    assert_eq!(settings, expected);

    let hop = Hop { user: None, host: "bastion".into(), port: Some(2200) };
    let ssh = Ssh { user: Some("root".into()), port: Some(2222), jump: Some(vec![hop]), ..Ssh::default() };
    let settings = fake.console.resolve("a", &ssh).await.unwrap();
    assert_eq!((settings.port, settings.known_port, settings.user.as_str()), (2222, 2222, "root"));
    assert_eq!((settings.jumps[0].host.as_str(), settings.jumps[0].user.as_str()), ("bastion", "me"));

    let ssh = Ssh { config: Some("/x".into()), ..Ssh::default() };
    let error = fake.console.resolve("a", &ssh).await.unwrap_err();
    assert!(matches!(error, SettingsError::NoProgram { .. }), "{error}");
}

#[tokio::test]
async fn what_the_inventory_says_wins() {
    let fake = Fake::new(&format!("cat <<'END'\n{PRINTED}END"));
    let key = fake.touch("own key");
    let ssh = Ssh {
        key: vec!["~/own key".into()],
        jump: Some(vec![]),
        known_hosts: Some("~/farm".into()),
        ..Ssh::default()
    };
    let settings = fake.console.resolve("ums-1", &ssh).await.unwrap();
    assert_eq!(settings.keys, [key]);
    assert_eq!(settings.jumps, []);
    assert_eq!(settings.known_hosts[0], fake.home("farm"));
    assert_eq!(settings.known_hosts.len(), 3, "the machine's own files count as well");
    assert_eq!((settings.known_as.as_str(), settings.known_port), ("ums", 22));
    assert_eq!(settings.agent.as_deref(), Some(Path::new("/run/agent")));

    let ssh = Ssh { key: vec!["~/no key".into()], ..ssh };
    let error = fake.console.resolve("ums-1", &ssh).await.unwrap_err().to_string();
    assert!(error.contains("home/no key"), "{error}");
}

#[tokio::test]
async fn an_address_is_never_an_option() {
    let fake = Fake::new("echo called >&2; exit 1");
    for address in ["", "-oProxyCommand=x", "[-x]", "[]", "a b", "a\nb", "me@a", "ssh://a"] {
        let error = fake.console.resolve(address, &Ssh::default()).await.unwrap_err();
        assert!(matches!(error, SettingsError::Address { .. }), "{address:?}: {error}");
    }
}

#[tokio::test]
async fn an_ssh_that_fails_floods_or_hangs_is_told() {
    let said = async |script: &str, limit| {
        let mut fake = Fake::new(script);
        fake.console.limit = limit;
        fake.console.resolve("a", &Ssh::default()).await.unwrap_err()
    };
    let long = Duration::from_secs(20);
    let error = said("printf 'bad \\033[2J\\nline 3\\n' >&2; exit 255", long).await.to_string();
    assert!(error.contains("line 3") && !error.contains('\u{1b}'), "{error}");
    let error = said("yes 'identityfile /x'", long).await;
    assert!(matches!(error, SettingsError::Odd { .. }), "{error}");
    let error = said("exec sleep 30", Duration::from_millis(200)).await;
    assert!(matches!(error, SettingsError::TimedOut { .. }), "{error}");
    let error = said("echo hello", long).await;
    assert!(matches!(error, SettingsError::Odd { .. }), "{error}");
}

#[tokio::test]
async fn a_variable_of_the_environment_is_put_in() {
    let home = std::env::var("HOME").unwrap();
    assert_eq!(variables("$HOME"), home);
    assert_eq!(variables("${HOME}/a${HOME}"), format!("{home}/a{home}"));
    assert_eq!(variables("/a$b/${x"), "/a$b/${x");
}

/// Nobody starts more than eight at a time, however many servers there are.
#[tokio::test]
async fn many_servers_are_asked_for_a_few_at_a_time() {
    let fake = Fake::new(
        "d=${0%/*}/running; mkdir -p \"$d\"; : >\"$d/$$\"; ls \"$d\" | wc -l >>\"$d.counts\"; sleep 0.1; rm \"$d/$$\"
         printf 'hostname a\\nuser b\\nport 22\\n'",
    );
    let ssh = Ssh::default();
    let mut asked = tokio::task::JoinSet::new();
    let console = std::sync::Arc::new(fake.console);
    for _ in 0..30 {
        let (console, ssh) = (console.clone(), ssh.clone());
        asked.spawn(async move { console.resolve("a", &ssh).await.unwrap() });
    }
    assert_eq!(asked.join_all().await.len(), 30);
    let counts = fs::read_to_string(fake.folder.path().join("running.counts")).unwrap();
    let most = counts.lines().map(|line| line.trim().parse::<usize>().unwrap()).max().unwrap();
    assert!((2..=8).contains(&most), "{most}");
}
