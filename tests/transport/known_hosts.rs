//! What we make of files of known hosts, beside what OpenSSH makes of them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use nofm::transport::{CertificateVerdict, KnownHosts, Verdict, remember};
use russh::keys::{Certificate, PublicKey};

/// A folder with keys made by `ssh-keygen`.
struct Keys {
    dir: tempfile::TempDir,
}

impl Keys {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Makes a key called `name`, of `kind`.
    fn make(&self, name: &str, kind: &str) -> PublicKey {
        let path = self.path(name);
        keygen(&["-q", "-t", kind, "-N", "", "-C", "a comment", "-f", path.to_str().unwrap()]);
        self.public(name)
    }

    fn public(&self, name: &str) -> PublicKey {
        let text = fs::read_to_string(self.path(&format!("{name}.pub"))).unwrap();
        PublicKey::from_openssh(&text).unwrap()
    }

    /// A certificate of `host`'s key, signed by `ca` with the `options` of `ssh-keygen`.
    fn certify(&self, ca: &str, host: &str, options: &[&str]) -> Certificate {
        let (ca, key) = (self.path(ca), self.path(&format!("{host}.pub")));
        let mut arguments = vec!["-q", "-s", ca.to_str().unwrap(), "-I", "id"];
        arguments.extend(options);
        arguments.push(key.to_str().unwrap());
        keygen(&arguments);
        let text = fs::read_to_string(self.path(&format!("{host}-cert.pub"))).unwrap();
        Certificate::from_openssh(&text).unwrap()
    }

    fn known_hosts(&self, text: &str) -> PathBuf {
        let path = self.path("known_hosts");
        fs::write(&path, text).unwrap();
        path
    }
}

fn keygen(arguments: &[&str]) {
    let output =
        Command::new(crate::bed::bring("ssh-keygen", "openssh-client")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The lines of `file` that `ssh-keygen` finds for a host.
fn found(file: &Path, name: &str) -> Vec<usize> {
    let output = Command::new(crate::bed::bring("ssh-keygen", "openssh-client"))
        .args(["-F", name, "-f", file.to_str().unwrap()])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let number =
        |line: &str| line.split("found: line ").nth(1)?.split_ascii_whitespace().next()?.parse().ok();
    text.lines().filter_map(number).collect()
}

fn read(file: &Path) -> KnownHosts {
    KnownHosts::read(&[file.to_owned()]).unwrap()
}

fn text(key: &PublicKey) -> String {
    key.to_openssh().unwrap()
}

/// Every pattern against every name, plain and hashed, as `ssh-keygen -F` sees it.
#[test]
fn the_hosts_of_a_line_are_those_that_openssh_finds() {
    let keys = Keys::new();
    let key = keys.make("host", "ed25519");
    let names = ["a", "A", "ab", "abc", "a.example", "b.example", "10.0.0.1", "10.0.0.11", "fe80::1", "a-b"];
    let patterns = [
        "a",
        "A",
        "a,ab",
        "a?",
        "?",
        "a*",
        "*",
        "*.example",
        "*.example,!b.example",
        "!b.example,*.example",
        "!a",
        "10.0.0.?",
        "10.0.0.1*",
        "*,!10.*",
        "a**b",
        "*a*b*",
        "fe80::1",
        "[a]:2222",
        "[*]:2222",
        "[a*]:*",
        "[10.0.0.1]:2222,a",
        "[fe80::1]:2222",
        "[a]",
        "[a]:22",
    ];
    for patterns in patterns {
        let file = keys.known_hosts(&format!("{patterns} {}\n", text(&key)));
        let hosts = read(&file);
        for name in names {
            for port in [22, 2222] {
                let lookup = if port == 22 { name.to_owned() } else { format!("[{name}]:{port}") };
                let theirs = !found(&file, &lookup).is_empty();
                // Without the port, as ssh looks the second time.
                let theirs = theirs || !found(&file, name).is_empty();
                let ours = matches!(hosts.check(name, port, &key), Verdict::Known { line: 1, .. });
                assert_eq!(ours, theirs, "`{patterns}` and {lookup}");
            }
        }
    }
}

#[test]
fn a_file_that_openssh_hashed_says_the_same() {
    let keys = Keys::new();
    let made = ["ed25519", "ecdsa", "rsa"].map(|kind| keys.make(kind, kind));
    let mut lines = String::new();
    for key in &made {
        for name in ["a", "b.example", "[c]:2222", "fe80::1"] {
            let _ = writeln!(lines, "{name} {}", text(key));
        }
    }
    let file = keys.known_hosts(&lines);
    keygen(&["-q", "-H", "-f", file.to_str().unwrap()]);
    let hashed = fs::read_to_string(&file).unwrap();
    assert!(hashed.lines().all(|line| line.starts_with("|1|")), "{hashed}");
    let hosts = read(&file);
    assert_eq!(hosts.skipped(), 0);
    for (name, port, lookup) in [
        ("A", 22, "a"),
        ("b.example", 22, "b.example"),
        ("c", 2222, "[c]:2222"),
        ("fe80::1", 22, "fe80::1"),
        ("c", 22, "c"),
        ("d", 22, "d"),
    ] {
        let lines = found(&file, lookup);
        for (index, key) in made.iter().enumerate() {
            let ours = match hosts.check(name, port, key) {
                Verdict::Known { line, .. } => Some(line),
                Verdict::Unknown => None,
                other => panic!("{other:?}"),
            };
            assert_eq!(ours, lines.get(index).copied(), "{name} {port}");
        }
    }
    let stranger = keys.make("stranger", "ed25519");
    assert!(matches!(hosts.check("a", 22, &stranger), Verdict::Changed { line: 1, .. }));
    assert_eq!(hosts.algorithms("a", 22), ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"]);
}

#[test]
fn what_we_write_down_is_found_by_openssh() {
    let keys = Keys::new();
    let file = keys.path("new/known_hosts");
    for (index, kind) in ["ed25519", "ecdsa", "rsa"].iter().enumerate() {
        let key = keys.make(kind, kind);
        for hide in [false, true] {
            let name = format!("Host-{index}{hide}");
            remember(&file, &name, 22, &key, hide).unwrap();
            remember(&file, &name, 2222, &key, hide).unwrap();
            let name = name.to_lowercase();
            assert_eq!(found(&file, &name).len(), 1, "{name}");
            assert_eq!(found(&file, &format!("[{name}]:2222")).len(), 1, "{name}");
        }
    }
}

#[test]
fn a_certificate_counts_for_its_hosts_in_its_time_and_from_its_authority_only() {
    let keys = Keys::new();
    let [ca, other_ca, old_ca] = [("ca", "ed25519"), ("other-ca", "ecdsa"), ("old-ca", "rsa")]
        .map(|(name, kind)| keys.make(name, kind));
    let host = keys.make("host", "ed25519");
    let file = keys.known_hosts(&format!(
        "# ours\n@cert-authority *.example,!x.example {}\n@cert-authority *.example {}\n",
        text(&ca),
        text(&old_ca)
    ));
    let hosts = read(&file);
    let now = SystemTime::now();
    let judge = |options: &[&str], name: &str, port| {
        hosts.check_certificate(name, port, &keys.certify("ca", "host", options), now)
    };
    let trusted = CertificateVerdict::Trusted { file: file.clone(), line: 2 };
    let right = ["-h", "-n", "a.example,b.example", "-V", "-1d:+1d"];
    assert_eq!(judge(&right, "a.example", 22), trusted);
    assert_eq!(judge(&right, "B.Example", 22), trusted);
    assert_eq!(judge(&right, "a.example", 2222), trusted);
    assert_eq!(judge(&["-h", "-n", "a.example"], "a.example", 22), trusted, "for ever");
    assert_eq!(judge(&right, "x.example", 22), CertificateVerdict::NoAuthority);
    assert_eq!(judge(&right, "a.elsewhere", 22), CertificateVerdict::NoAuthority);

    let refused = |verdict| match verdict {
        CertificateVerdict::Refused(why) => why,
        other => panic!("{other:?}"),
    };
    for (options, name, why) in [
        (&right[..], "c.example", "other hosts"),
        (&["-h", "-n", "*.example"], "a.example", "other hosts"),
        (&["-h"], "a.example", "names no host"),
        (&["-n", "a.example"], "a.example", "of a user"),
        (&["-h", "-n", "a.example", "-V", "-2d:-1d"], "a.example", "expired"),
        (&["-h", "-n", "a.example", "-V", "+1d:+2d"], "a.example", "not valid yet"),
        (&["-h", "-n", "a.example", "-O", "critical:x=y"], "a.example", "critical option"),
    ] {
        let said = refused(judge(options, name, 22));
        assert!(said.contains(why), "{options:?}: {said}");
    }
    let valid = keys.certify("ca", "host", &right);
    let later = now + Duration::from_hours(48);
    assert_eq!(refused(hosts.check_certificate("a.example", 22, &valid, later)), "it has expired");

    let foreign = keys.certify("other-ca", "host", &right);
    assert_eq!(hosts.check_certificate("a.example", 22, &foreign, now), CertificateVerdict::NoAuthority);
    let rsa = keys.certify("old-ca", "host", &right);
    let trusted = CertificateVerdict::Trusted { file: file.clone(), line: 3 };
    assert_eq!(hosts.check_certificate("a.example", 22, &rsa, now), trusted);
    let sha1 = [&["-t", "ssh-rsa"][..], &right].concat();
    let sha1 = keys.certify("old-ca", "host", &sha1);
    assert!(refused(hosts.check_certificate("a.example", 22, &sha1, now)).contains("not safe"));

    // One bit of the signature.
    let mut bytes = valid.to_bytes().unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    let forged = Certificate::from_bytes(&bytes).unwrap();
    assert!(refused(hosts.check_certificate("a.example", 22, &forged, now)).contains("signature"));

    for revoked in [&ca, &host] {
        let lines = fs::read_to_string(&file).unwrap();
        let file = keys.path("revoked_hosts");
        fs::write(&file, format!("{lines}@revoked * {}\n", text(revoked))).unwrap();
        let verdict = read(&file).check_certificate("a.example", 22, &valid, now);
        assert_eq!(verdict, CertificateVerdict::Revoked { file, line: 4 });
    }
    assert!(hosts.has_authority("a.example", 2222) && !hosts.has_authority("x.elsewhere", 22));
    let key = hosts.check("a.example", 22, &other_ca);
    assert_eq!(key, Verdict::Unknown, "who signs is no host");
}
