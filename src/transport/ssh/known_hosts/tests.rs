use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

const RSA: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCxcCK+S9bOMGpKjIJh8hIMc+AiMir+1mCjzrfMP6PbNx6DQ85XjG6cZmo2MTtxGDp9aG+Ghk693DZ1EJWAhgjXFb/pHdvTM4CjlYprURjwgTdgtjoNL64827WOfhlHd77N8R4wGD4JR321sl+WNQgIK4qV75Hd68bq2mBb5FIXHw==";
const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBOxJnLojlhxdqO4kY1f3ITLBXRN2r7cnX/t/fjKaQRAJU5ugHgAdydpiglfrOuWzr7YoF3hCjJmoZXSumrSjbB4=";

/// A key like no other with another number.
fn ed25519(number: u8) -> PublicKey {
    from_blob(&[b"ssh-ed25519", &[number; 32]])
}

fn from_blob(fields: &[&[u8]]) -> PublicKey {
    let mut blob = Vec::new();
    for field in fields {
        blob.extend(u32::try_from(field.len()).unwrap().to_be_bytes());
        blob.extend(*field);
    }
    PublicKey::from_bytes(&blob).unwrap()
}

fn line(key: &PublicKey) -> String {
    key.to_openssh().unwrap()
}

fn hosts(text: impl AsRef<[u8]>) -> KnownHosts {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    fs::write(&file, text).unwrap();
    KnownHosts::read(&[file]).unwrap()
}

/// The verdict in a word, with the line.
fn judged(hosts: &KnownHosts, name: &str, port: u16, key: &PublicKey) -> String {
    match hosts.check(name, port, key) {
        Verdict::Known { line, .. } => format!("known {line}"),
        Verdict::Unknown => "unknown".to_owned(),
        Verdict::Changed { line, .. } => format!("changed {line}"),
        Verdict::Revoked { line, .. } => format!("revoked {line}"),
    }
}

#[test]
fn every_form_of_a_line_is_understood() {
    let (one, other) = (line(&ed25519(1)), line(&ed25519(2)));
    for (text, name, port, expected) in [
        (format!("a {one}"), "a", 22, "known 1"),
        (format!("a {one}"), "A", 22, "known 1"),
        (format!("A {one}"), "a", 22, "known 1"),
        (format!("a {one}"), "b", 22, "unknown"),
        (format!("a {other}"), "a", 22, "changed 1"),
        (format!("b,a {one}"), "a", 22, "known 1"),
        (format!("*.x,!b.x {one}"), "a.x", 22, "known 1"),
        (format!("*.x,!b.x {one}"), "b.x", 22, "unknown"),
        (format!("a? {one}"), "ab", 22, "known 1"),
        (format!("fe80::1%eth0 {one}"), "fe80::1%eth0", 22, "known 1"),
        (format!("# {one}\n\n \t\n\ta\t{one}   a comment, with words\r\n"), "a", 22, "known 4"),
        (format!("a {other}\na {one}"), "a", 22, "known 2"),
        (format!("a {one}\na {other}"), "a", 22, "known 1"),
        // Ports.
        (format!("[a]:2222 {one}"), "a", 2222, "known 1"),
        (format!("[a]:2222 {one}"), "a", 22, "unknown"),
        (format!("[a]:2222 {one}"), "a", 2223, "unknown"),
        (format!("[fe80::1]:2222 {one}"), "fe80::1", 2222, "known 1"),
        (format!("a {one}"), "a", 2222, "known 1"),
        (format!("a {other}"), "a", 2222, "unknown"),
        (format!("a {one}\n[a]:2222 {other}"), "a", 2222, "changed 2"),
        // Revoked.
        (format!("a {one}\n@revoked a {one}"), "a", 22, "revoked 2"),
        (format!("a {one}\n@revoked * {one}"), "a", 2222, "revoked 2"),
        (format!("@revoked a {one}"), "a", 2222, "revoked 1"),
        (format!("a {one}\n@revoked b {one}"), "a", 22, "known 1"),
        (format!("a {one}\n@revoked * {other}"), "a", 22, "known 1"),
        (format!("@revoked * {other}"), "a", 22, "unknown"),
        // A key that signs is no key of a host.
        (format!("@cert-authority a {one}"), "a", 22, "unknown"),
        (format!("@cert-authority a {one}\na {other}"), "a", 22, "changed 2"),
        // Another type alone.
        (format!("a {RSA}"), "a", 22, "changed 1"),
        (format!("a {RSA}\na {ECDSA}\na {one}"), "a", 22, "known 3"),
        (format!("a {RSA}\na {other}"), "a", 22, "changed 2"),
    ] {
        let hosts = hosts(&text);
        assert_eq!(judged(&hosts, name, port, &ed25519(1)), expected, "{text}");
        assert_eq!(hosts.skipped(), 0, "{text}");
    }
}

#[test]
fn every_type_of_key_is_known() {
    let sk = from_blob(&[b"sk-ssh-ed25519@openssh.com", &[7; 32], b"ssh:"]);
    for key in
        [PublicKey::from_openssh(RSA).unwrap(), PublicKey::from_openssh(ECDSA).unwrap(), sk, ed25519(1)]
    {
        let hosts = hosts(format!("a {}", line(&key)));
        assert_eq!(judged(&hosts, "a", 22, &key), "known 1", "{}", key.algorithm());
        assert_eq!(hosts.algorithms("a", 22), [key.algorithm().as_str()]);
    }
}

#[test]
fn the_types_that_are_known_are_asked_for_in_their_order() {
    let key = line(&ed25519(1));
    let hosts = hosts(format!(
        "a {ECDSA}\na {key}\n*,!b {RSA}\na {ECDSA}\n@revoked a {key}\n[c]:2222 {key}\nd ssh-new AAAAB3NzaC1uZXc=\n"
    ));
    let all = ["ecdsa-sha2-nistp256", "ssh-ed25519", "ssh-rsa"];
    assert_eq!(hosts.algorithms("a", 22), all);
    assert_eq!(hosts.algorithms("b", 22), [""; 0]);
    assert_eq!(hosts.algorithms("c", 2222), ["ssh-rsa", "ssh-ed25519"]);
    assert_eq!(hosts.algorithms("d", 22), ["ssh-rsa", "ssh-new"]);
}

#[test]
fn a_line_that_makes_no_sense_is_skipped_and_the_next_is_read() {
    let key = line(&ed25519(1));
    let blob = key.split(' ').nth(1).unwrap();
    for wrong in [
        "a".to_owned(),
        "a ssh-ed25519".to_owned(),
        format!("a ssh-rsa {blob}"),
        format!("a ssh-ed25519 {}", &blob[..blob.len() - 3]),
        "a ssh-ed25519 !!!!".to_owned(),
        "a ssh-ed25519 AAAA".to_owned(),
        "a ssh-ed25519 //////8=".to_owned(),
        format!("@unknown a {key}"),
        format!("@revoked @cert-authority a {key}"),
        "@revoked".to_owned(),
        format!("|1|AAAA|AAAA {key}"),
        format!("|2|x|y {key}"),
        "a 1024 35 123456789".to_owned(),
        format!("{} {key}", "a".repeat(2000)),
    ] {
        let hosts = hosts(format!("{wrong}\nb {key}"));
        assert_eq!(hosts.skipped(), 1, "{wrong}");
        assert_eq!(judged(&hosts, "b", 22, &ed25519(1)), "known 2", "{wrong}");
        assert_eq!(judged(&hosts, "a", 22, &ed25519(1)), "unknown", "{wrong}");
    }
    let mut text = b"# \xff\xfe\n".to_vec();
    text.extend(format!("a {key} ").as_bytes());
    text.extend(b"\xff\0\n");
    assert_eq!(judged(&hosts(text), "a", 22, &ed25519(1)), "known 2");
}

#[test]
fn files_are_read_together_and_errors_name_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let [user, global, missing] = ["user", "global", "missing"].map(|name| folder.path().join(name));
    fs::write(&user, format!("a {}\n", line(&ed25519(2)))).unwrap();
    fs::write(&global, format!("# \na {}\n", line(&ed25519(1)))).unwrap();
    let hosts = KnownHosts::read(&[missing, user, global.clone()]).unwrap();
    assert_eq!(hosts.check("a", 22, &ed25519(1)), Verdict::Known { file: global, line: 2 });

    let Verdict::Changed { fingerprint, kind, .. } = hosts.check("a", 22, &ed25519(3)) else { panic!() };
    assert_eq!(fingerprint, ed25519(2).fingerprint(russh::keys::HashAlg::Sha256).to_string());
    assert_eq!(kind, "ssh-ed25519");

    let error = KnownHosts::read(&[folder.path().to_owned()]).unwrap_err().to_string();
    assert!(error.contains(folder.path().to_str().unwrap()), "{error}");

    let large = folder.path().join("large");
    fs::File::create(&large).unwrap().set_len(LARGEST + 1).unwrap();
    let error = KnownHosts::read(&[large]).unwrap_err();
    assert!(matches!(error, KnownHostsError::TooLarge { .. }), "{error}");
    KnownHosts::read(&["/dev/null".into()]).unwrap();
}

#[test]
fn a_list_of_revoked_keys_counts_for_every_host_and_has_to_be_whole() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("revoked");
    let mut hosts = hosts(format!("a {}", line(&ed25519(1))));
    assert!(hosts.revoke(&list).is_err(), "it is missing");
    for text in ["SSHKRL\n\0", "not a key", "ssh-ed25519 AAAA"] {
        fs::write(&list, text).unwrap();
        assert!(hosts.revoke(&list).is_err(), "{text:?}");
    }
    fs::write(&list, format!("# old\n\n{} of last year\n", line(&ed25519(1)))).unwrap();
    hosts.revoke(&list).unwrap();
    assert_eq!(hosts.check("a", 22, &ed25519(1)), Verdict::Revoked { file: list, line: 3 });
}

#[test]
fn a_host_that_was_written_down_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new/known_hosts");
    let old = format!("old {}", line(&ed25519(9)));
    remember(&file, "First", 22, &ed25519(1), false).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("first {}\n", line(&ed25519(1))));

    fs::write(&file, &old).unwrap();
    remember(&file, "Second", 2222, &ed25519(2), false).unwrap();
    remember(&file, "Third", 22, &ed25519(3), true).unwrap();
    remember(&file, "Fourth", 2222, &PublicKey::from_openssh(RSA).unwrap(), true).unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.starts_with(&format!("{old}\n[second]:2222 ssh-ed25519 ")), "{text}");
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(!text.contains("third") && !text.contains("fourth"), "{text}");
    let hosts = KnownHosts::read(&[file]).unwrap();
    assert_eq!(judged(&hosts, "old", 22, &ed25519(9)), "known 1");
    assert_eq!(judged(&hosts, "second", 2222, &ed25519(2)), "known 2");
    assert_eq!(judged(&hosts, "third", 22, &ed25519(3)), "known 3");
    assert_eq!(judged(&hosts, "third", 22, &ed25519(4)), "changed 3");
    assert_eq!(judged(&hosts, "fourth", 2222, &PublicKey::from_openssh(RSA).unwrap()), "known 4");
    assert_eq!(hosts.skipped(), 0);
}

#[test]
fn no_name_is_written_that_would_mean_other_hosts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    for name in ["", "*", "a,b", "a b", "a\nb", "|1|a|b", "#a", "@revoked", "!a", "a?"] {
        for hide in [false, true] {
            assert!(remember(&file, name, 22, &ed25519(1), hide).is_err(), "{name:?}");
        }
    }
    assert!(!file.exists());
}

#[test]
fn hosts_that_are_written_down_at_the_same_time_all_stand_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let file = &file;
            scope.spawn(move || {
                for host in 0..20 {
                    remember(file, &format!("h{number}-{host}"), 22, &ed25519(number), host % 2 == 0)
                        .unwrap();
                }
            });
        }
    });
    let hosts = KnownHosts::read(&[file]).unwrap();
    assert_eq!(hosts.skipped(), 0);
    for number in 0..8 {
        for host in 0..20 {
            let name = format!("h{number}-{host}");
            assert!(matches!(hosts.check(&name, 22, &ed25519(number)), Verdict::Known { .. }), "{name}");
        }
    }
}
