//! How a server is reached, with the ssh of this machine and configurations of our own.

use std::fs;
use std::path::{Path, PathBuf};

use nofm::inventory::{Hop, Ssh};
use nofm::transport::{Settings, SettingsError, Strict, resolve};

struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn new(config: &str) -> Self {
        let dir = tempfile::Builder::new().prefix("a home ").tempdir().unwrap();
        let home = Self { dir };
        fs::write(home.path("config"), config.replace("HERE", home.dir.path().to_str().unwrap())).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn ssh(&self) -> Ssh {
        Ssh { config: Some(self.path("config")), ..Ssh::default() }
    }

    fn touch(&self, name: &str) -> PathBuf {
        fs::write(self.path(name), "").unwrap();
        self.path(name)
    }
}

/// The way to a server, as `user@host:port` from outside to inside.
fn way(settings: &Settings) -> Vec<String> {
    let all = settings.jumps.iter().chain([settings]);
    all.map(|at| format!("{}@{}:{}", at.user, at.host, at.port)).collect()
}

fn hop(text: &str) -> Hop {
    Hop::parse(text).unwrap()
}

#[tokio::test]
async fn the_configuration_says_what_the_inventory_does_not() {
    let home = Home::new(
        "Host ums-*\n HostName %h.example\n Port 2222\n User admin\n IdentitiesOnly yes\n HashKnownHosts yes\n \
         StrictHostKeyChecking accept-new\n ConnectTimeout 7\n HostKeyAlias farm\n IdentityAgent none\n \
         IdentityFile \"HERE/%n of %r\"\n IdentityFile \"HERE/missing\"\n UserKnownHostsFile \"HERE/known hosts\" \"HERE/more\"\n \
         GlobalKnownHostsFile \"HERE/global\"\n RevokedHostKeys \"HERE/revoked\"\n ProxyCommand nc -X 5 %h %p\n",
    );
    let key = home.touch("ums-1 of admin");
    let found = resolve("ums-1", &home.ssh()).await.unwrap();
    let expected = Settings {
        host: "ums-1.example".into(),
        port: 2222,
        user: "admin".into(),
        keys: vec![key],
        certificates: vec![],
        only_keys: true,
        agent: None,
        known_as: "farm".into(),
        known_port: 22,
        known_hosts: vec![home.path("known hosts"), home.path("more"), home.path("global")],
        revoked: Some(home.path("revoked")),
        hash_new: true,
        strict: Strict::AcceptNew,
        connect_timeout: Some(std::time::Duration::from_secs(7)),
        jumps: vec![],
        proxy_command: Some("nc -X 5 ums-1.example 2222".into()),
    };
    assert_eq!(found, expected);

    let own = home.touch("own");
    let ssh = Ssh {
        user: Some("root".into()),
        port: Some(22),
        key: vec![own.clone()],
        known_hosts: Some(home.path("farm_hosts")),
        ..home.ssh()
    };
    let found = resolve("ums-1", &ssh).await.unwrap();
    assert_eq!(way(&found), ["root@ums-1.example:22"]);
    assert_eq!(found.keys, [own]);
    assert_eq!(found.known_hosts, [home.path("farm_hosts"), home.path("global")]);
    assert_eq!(found.proxy_command.as_deref(), Some("nc -X 5 ums-1.example 22"));

    let ssh = Ssh { jump: Some(vec![]), ..home.ssh() };
    assert_eq!(resolve("ums-1", &ssh).await.unwrap().proxy_command, None, "no way but the straight one");
}

#[tokio::test]
async fn jump_hosts_are_followed_outwards() {
    let home = Home::new(
        "Host *\n User me\n\
         Host a\n ProxyJump you@b:2222\n\
         Host b\n ProxyJump c,[fe80::1]:22\n\
         Host c\n ProxyJump d\n\
         Host d\n ProxyCommand nc gate %p\n\
         Host fe80::1 d\n UserKnownHostsFile \"HERE/known\"\n",
    );
    let found = resolve("a", &home.ssh()).await.unwrap();
    assert_eq!(way(&found), ["me@d:22", "me@c:22", "me@fe80::1:22", "you@b:2222", "me@a:22"]);
    assert!(found.jumps.iter().all(|jump| jump.jumps.is_empty()));
    assert_eq!(found.jumps[0].proxy_command.as_deref(), Some("nc gate 22"));
    assert_eq!(found.jumps[2].known_hosts[0], home.path("known"), "each by its own configuration");
    assert_eq!(found.proxy_command, None);

    // What the inventory says stands instead of the configuration's; only its first hop leads on by itself.
    let key = home.touch("key");
    let ssh = Ssh { jump: Some(vec![hop("c"), hop("x@a:2022")]), key: vec![key.clone()], ..home.ssh() };
    let found = resolve("b", &ssh).await.unwrap();
    assert_eq!(way(&found), ["me@d:22", "me@c:22", "x@a:2022", "me@b:22"]);
    assert_ne!(found.jumps[0].keys.first(), Some(&key), "the inventory does not name this one");
    assert_eq!(found.jumps[1].keys.first(), Some(&key));
    let ssh = Ssh { jump: Some(vec![]), ..home.ssh() };
    assert_eq!(way(&resolve("a", &ssh).await.unwrap()), ["me@a:22"]);
}

#[tokio::test]
async fn a_way_without_an_end_is_refused() {
    let home = Home::new(
        "Host a\n ProxyJump b\nHost b\n ProxyJump a\nHost self\n ProxyJump self\n\
         Host h1\n ProxyJump h2\nHost h2\n ProxyJump h3\nHost h3\n ProxyJump h4\nHost h4\n ProxyJump h5\n\
         Host h5\n ProxyJump h6\nHost h6\n ProxyJump h7\nHost h7\n ProxyJump h8\nHost h8\n ProxyJump h9\n\
         Host h9\n ProxyJump h10\n",
    );
    for (address, jump, looks) in [
        ("a", None, "twice"),
        ("self", None, "loop"),
        ("x", Some(vec![hop("y"), hop("z"), hop("y")]), "twice"),
        ("h1", None, "more than 8"),
    ] {
        let error = resolve(address, &Ssh { jump, ..home.ssh() }).await.unwrap_err().to_string();
        assert!(error.contains(looks), "{address}: {error}");
    }
    assert_eq!(way(&resolve("h2", &home.ssh()).await.unwrap()).len(), 9);
    let alone = Ssh { jump: Some(vec![]), ..home.ssh() };
    assert_eq!(resolve("self", &alone).await.unwrap().jumps, []);
}

#[tokio::test]
async fn a_faulty_configuration_is_told_with_its_line() {
    let home = Home::new("Host *\n NoSuchKeyword yes\n");
    let error = resolve("a", &home.ssh()).await.unwrap_err();
    assert!(matches!(error, SettingsError::Failed { .. }), "{error}");
    assert!(error.to_string().contains("line 2"), "{error}");
    let missing = Ssh { config: Some(home.path("missing")), ..Ssh::default() };
    assert!(resolve("a", &missing).await.is_err());
    let key = Ssh { key: vec![home.path("no key")], config: Some("/dev/null".into()), ..Ssh::default() };
    let error = resolve("a", &key).await.unwrap_err().to_string();
    assert!(error.contains("no key"), "{error}");
}

#[tokio::test]
async fn an_address_of_ipv6_keeps_its_zone() {
    let ssh = Ssh { config: Some(Path::new("/dev/null").into()), ..Ssh::default() };
    for (address, host) in [("fe80::1%eth0", "fe80::1%eth0"), ("[::1]", "::1"), ("UMS-1", "ums-1")] {
        let found = resolve(address, &ssh).await.unwrap();
        assert_eq!((found.host.as_str(), found.known_as.as_str()), (host, host));
    }
}
