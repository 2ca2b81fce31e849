//! Keys of every kind, an agent, and the secrets that only a person has.

use std::process::{Command, Stdio};

use nofm::transport::Secret;

use super::*;

fn secret(text: &str) -> Word {
    Word::Secret(Secret::new(text.to_owned()))
}

/// An inventory whose servers are logged in to with the key in this file.
fn with_key(bed: &Bed, key: &Path) -> Inventory {
    let text = fs::read_to_string(&bed.lab.inventory_path).unwrap();
    let text = text.replace("\"ssh/id_ed25519\"", &format!("{:?}", key.to_str().unwrap()));
    Inventory::parse("inventory.toml", &text, &bed.lab.dir).unwrap_or_else(|wrong| panic!("{wrong}"))
}

/// Makes a key that a server lets in.
fn key(bed: &Bed, folder: &Path, kind: &[&str], passphrase: &str) -> std::path::PathBuf {
    let path = folder.join("key");
    let made = Command::new(crate::bed::bring("ssh-keygen", "openssh-client"))
        .args(["-q", "-N", passphrase, "-C", "tester", "-f", path.to_str().unwrap(), "-t"])
        .args(kind)
        .status();
    assert!(made.unwrap().success());
    let public = fs::read_to_string(path.with_extension("pub")).unwrap();
    append(&bed.sshd_folder("ums-1").join("authorized_keys"), public.trim_end());
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_every_usual_kind_open_a_server() {
    let bed = two();
    for kind in [&["rsa", "-b", "2048"][..], &["ecdsa", "-b", "256"], &["ecdsa", "-b", "521"], &["ed25519"]] {
        let folder = tempfile::tempdir().unwrap();
        let path = key(&bed, folder.path(), kind, "");
        let link = link_of(&with_key(&bed, &path), "ums-1", &Arc::new(Shared::new(Arc::new(Nobody))));
        assert_eq!(said(&link, "hostname").await.unwrap(), "ums-1", "{kind:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_is_asked_for_until_it_opens_the_key_and_then_not_again() {
    let bed = two();
    let folder = tempfile::tempdir().unwrap();
    let path = key(&bed, folder.path(), &["ed25519"], "open sesame");
    let person = Person::who_says([secret("wrong"), secret("open sesame")]);
    let shared = Arc::new(Shared::new(person.clone()));
    let link = link_of(&with_key(&bed, &path), "ums-1", &shared);
    assert_eq!(said(&link, "hostname").await.unwrap(), "ums-1");
    bed.restart_sshd("ums-1");
    assert_eq!(said(&link, "hostname").await.unwrap(), "ums-1");
    let asked = person.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked.iter().all(|(_, access, _)| matches!(access, Access::Passphrase { .. })));
    assert!(asked[0].2.is_empty() && asked[1].2.contains("does not open the key"), "{asked:?}");
    let denied = Arc::new(Shared::new(Person::who_says([Word::Denied])));
    let why = barred(said(&link_of(&with_key(&bed, &path), "ums-1", &denied), "hostname").await);
    assert!(why.contains("nobody gave the passphrase"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_signs_for_a_key_whose_file_is_elsewhere() {
    let bed = two();
    let folder = tempfile::tempdir().unwrap();
    let path = key(&bed, folder.path(), &["ed25519"], "");
    let socket = folder.path().join("agent");
    let mut agent = Command::new(crate::bed::bring("ssh-agent", "openssh-client"))
        .args(["-D", "-a", socket.to_str().unwrap()])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    until("the agent listens", || socket.exists()).await;
    let added = Command::new(crate::bed::bring("ssh-add", "openssh-client"))
        .arg(&path)
        .env("SSH_AUTH_SOCK", &socket)
        .stderr(Stdio::null())
        .status();
    assert!(added.unwrap().success());
    // Only the public half is left here.
    fs::remove_file(&path).unwrap();
    let config = folder.path().join("config");
    fs::write(&config, format!("IdentityAgent {}\n", socket.display())).unwrap();
    let text = fs::read_to_string(&bed.lab.inventory_path).unwrap();
    let text = text
        .replace("\"ssh/id_ed25519\"", &format!("{:?}", path.to_str().unwrap()))
        .replace("\"/dev/null\"", &format!("{:?}", config.to_str().unwrap()));
    let inventory = Inventory::parse("i", &text, &bed.lab.dir).unwrap_or_else(|wrong| panic!("{wrong}"));
    let link = link_of(&inventory, "ums-1", &Arc::new(Shared::new(Arc::new(Nobody))));
    let outcome = said(&link, "hostname").await;
    let _ = agent.kill();
    let _ = agent.wait();
    assert_eq!(outcome.unwrap(), "ums-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn sudo_without_a_password_is_used_and_one_without_rules_is_told() {
    let bed = two();
    bed.need_sudo("ums-1", None);
    assert_eq!(said(&link(&bed, "ums-1"), "id -u").await.unwrap(), "0");
    let login = inventory(&bed, "sudo = false");
    let link_as_login = link_of(&login, "ums-1", &Arc::new(Shared::new(Arc::new(Nobody))));
    assert_ne!(said(&link_as_login, "id -u").await.unwrap(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_password_is_asked_for_all_servers_and_another_where_it_is_not_taken() {
    let bed = two();
    bed.need_sudo("ums-1", Some("first"));
    bed.need_sudo("ums-2", Some("second"));
    let person = Person::who_says([secret("typo"), secret("first"), secret("second")]);
    let shared = Arc::new(Shared::new(person.clone()));
    let inventory = inventory(&bed, "");
    let one = link_of(&inventory, "ums-1", &shared);
    assert_eq!(said(&one, "id -u").await.unwrap(), "0");
    assert_eq!(said(&one, "id -u").await.unwrap(), "0");
    let two = link_of(&inventory, "ums-2", &shared);
    assert_eq!(said(&two, "id -u").await.unwrap(), "0");
    let asked = person.asked();
    let only: Vec<_> = asked
        .iter()
        .map(|(_, access, _)| match access {
            Access::Sudo { only, .. } => only.as_ref().map(ServerName::to_string),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(only, [None, None, Some("ums-2".to_owned())], "{asked:?}");
    assert!(asked[1].2.contains("ums-1 did not take it"), "{asked:?}");
    assert!(asked[2].2.contains("ums-2 did not take it"), "{asked:?}");
    // Nothing that runs there was given it but sudo.
    for server in ["ums-1", "ums-2"] {
        let seen = fs::read_to_string(bed.root(server).join("log")).unwrap_or_default();
        assert!(!seen.contains("first") && !seen.contains("second"), "{seen}");
    }
}
