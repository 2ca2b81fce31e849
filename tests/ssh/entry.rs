//! Host keys, logins, jump hosts, and servers that do not let anybody in.

use std::process::Command;

use nofm::transport::read_clocks;

use super::*;
use crate::bed::{Form, RealUser};

fn shared(person: &Arc<Person>) -> Arc<Shared> {
    Arc::new(Shared::new(person.clone()))
}

#[tokio::test(flavor = "multi_thread")]
async fn both_forms_of_a_bed_are_reached_and_are_what_they_say() {
    for form in [Form::Loopback, Form::Namespaces] {
        if form == Form::Namespaces && !Bed::namespaces_possible() {
            assert!(!rustix::process::geteuid().is_root(), "root can make namespaces");
            continue;
        }
        let options =
            Options { form: Some(form), servers: 2, balancers: 0, consoles: 0, ..Options::default() };
        let bed = Bed::igel(&options);
        bed.shift_clock("ums-2", 90);
        for server in ["ums-1", "ums-2"] {
            assert_eq!(said(&link(&bed, server), "hostname").await.unwrap(), server);
            let root = bed.root(server);
            assert_eq!(said(&link(&bed, server), "echo $NOFM_ROOT").await.unwrap(), root.to_str().unwrap());
        }
        let clocks = read_clocks(&[link(&bed, "ums-1"), link(&bed, "ums-2")]).await;
        let clocks: Vec<i64> = clocks.into_iter().map(|clock| clock.unwrap().offset_ms).collect();
        assert!(clocks[0].abs() < 5_000 && (clocks[1] - 90_000).abs() < 5_000, "{clocks:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_host_key_is_asked_about_once_and_written_down() {
    let bed = two();
    bed.forget_host_key("ums-1");
    let public = bed.sshd_folder("ums-1").join("host_key.pub");
    let printed = Command::new(crate::bed::bring("ssh-keygen", "openssh-client"))
        .arg("-lf")
        .arg(public)
        .output()
        .unwrap();
    let printed = String::from_utf8(printed.stdout).unwrap();
    let person = Person::who_says([Word::Trusted]);
    let shared = shared(&person);
    let link = link_of(&inventory(&bed, ""), "ums-1", &shared);
    assert_eq!(said(&link, "hostname").await.unwrap(), "ums-1");
    let asked = person.asked();
    let [(server, Access::HostKey { host, kind, fingerprint }, complaint)] = asked.as_slice() else {
        panic!("{asked:?}")
    };
    assert_eq!((server.as_str(), complaint.as_str(), kind.as_str()), ("ums-1", "", "ssh-ed25519"));
    assert!(printed.contains(fingerprint.as_str()), "{fingerprint} is not in {printed}");
    assert!(host.starts_with('[') && fs::read_to_string(bed.known_hosts()).unwrap().contains(host.as_str()));
    // Neither a new connection nor a new session asks again, and OpenSSH itself knows it.
    bed.restart_sshd("ums-1");
    assert_eq!(said(&link, "hostname").await.unwrap(), "ums-1");
    assert_eq!(said(&super::link(&bed, "ums-1"), "hostname").await.unwrap(), "ums-1");
    assert_eq!(bed.ask("ums-1", "hostname"), "ums-1");
    assert_eq!(person.asked().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_key_that_nobody_vouches_for_opens_nothing() {
    let bed = two();
    bed.forget_host_key("ums-1");
    let person = Person::who_says([Word::Denied]);
    let link = link_of(&inventory(&bed, ""), "ums-1", &shared(&person));
    let why = barred(said(&link, "hostname").await);
    assert!(why.contains("was not accepted") && why.contains("SHA256:"), "{why}");
    assert!(!fs::read_to_string(bed.known_hosts()).unwrap().contains("127.0.0.1"));
    assert_eq!(said(&super::link(&bed, "ums-2"), "hostname").await.unwrap(), "ums-2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_or_revoked_key_stops_that_server_until_somebody_mends_it() {
    let bed = two();
    let person = Person::who_says([Word::Trusted]);
    let link = link_of(&inventory(&bed, ""), "ums-1", &shared(&person));
    let right = fs::read_to_string(bed.known_hosts()).unwrap();
    bed.know_wrong_host_key("ums-1");
    let why = barred(said(&link, "hostname").await);
    assert!(why.contains("somebody may be in between") && why.contains("line "), "{why}");
    let key = fs::read_to_string(bed.sshd_folder("ums-1").join("host_key.pub")).unwrap();
    fs::write(bed.known_hosts(), format!("{right}@revoked * {key}")).unwrap();
    let why = barred(said(&link, "hostname").await);
    assert!(why.contains("is revoked by line"), "{why}");
    assert_eq!(said(&super::link(&bed, "ums-2"), "hostname").await.unwrap(), "ums-2");
    // Nobody is asked to pass over that, and once the file is right nothing has to be started anew.
    assert_eq!(person.asked(), []);
    fs::write(bed.known_hosts(), right).unwrap();
    assert_eq!(said(&link, "hostname").await.unwrap(), "ums-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_of_a_known_hosts_file_vouches_for_hosts() {
    let bed = two();
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority");
    let keygen = |args: &[&str]| {
        let output =
            Command::new(crate::bed::bring("ssh-keygen", "openssh-client")).args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    keygen(&["-q", "-t", "ed25519", "-N", "", "-f", authority.to_str().unwrap()]);
    let host_key = bed.sshd_folder("ums-1").join("host_key");
    let ip = bed.sshd_at("ums-1").ip().to_string();
    let sign = ["-q", "-s", authority.to_str().unwrap(), "-I", "ums-1", "-h", "-n", &ip];
    keygen(&[&sign[..], &[host_key.with_extension("pub").to_str().unwrap()]].concat());
    let certificate = host_key.with_file_name("host_key-cert.pub");
    bed.configure("ums-1", &format!("HostCertificate \"{}\"", certificate.display()));
    bed.restart_sshd("ums-1");
    bed.forget_host_key("ums-1");
    let line = fs::read_to_string(authority.with_extension("pub")).unwrap();
    append(bed.known_hosts(), &format!("@cert-authority * {}", line.trim_end()));
    assert_eq!(said(&link(&bed, "ums-1"), "hostname").await.unwrap(), "ums-1");
    // The other server has no certificate, and is known by its key.
    assert_eq!(said(&link(&bed, "ums-2"), "hostname").await.unwrap(), "ums-2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_says_what_was_tried_and_is_tried_anew() {
    let bed = two();
    bed.refuse_login("ums-1");
    bed.banner("ums-1", b"\x1b[2JNo way\x07 in\n");
    bed.restart_sshd("ums-1");
    let link = link(&bed, "ums-1");
    let why = barred(said(&link, "hostname").await);
    assert!(why.contains("is refused") && why.contains("id_ed25519") && why.contains("No way"), "{why}");
    bed.allow_login("ums-1");
    assert_eq!(said(&link, "hostname").await.unwrap(), "ums-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_server_says_before_and_after_the_login_is_only_text() {
    let bed = two();
    bed.banner("ums-1", &vec![b'x'; 1 << 20]);
    bed.restart_sshd("ums-1");
    bed.login_prints("ums-2", b"\x1b]0;owned\x07\x1b[2J\nnofm1 0000\nA done rc=0\n");
    // OpenSSH itself may refuse to send so much: what counts is that it ends, one way or the other.
    match said(&link(&bed, "ums-1"), "hostname").await {
        Ok(name) => assert_eq!(name, "ums-1"),
        Err(error) => assert!(error.is_passing() || error.is_barred(), "{error:?}"),
    }
    assert_eq!(said(&link(&bed, "ums-2"), "printf 'a\\033b'").await.unwrap(), "a\u{1b}b");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_hangs_or_is_slow_is_waited_for_within_limits() {
    let mut bed = two();
    bed.stop_sshd("ums-1");
    let down = link(&bed, "ums-1");
    let error = said(&down, "hostname").await.unwrap_err();
    assert!(matches!(error, LinkError::Unreachable { .. }), "{error:?}");
    bed.start_sshd("ums-1");
    assert_eq!(said(&down, "hostname").await.unwrap(), "ums-1");

    let proxy = bed.behind_proxy("ums-2");
    let config = bed.lab.dir.join("impatient");
    fs::write(&config, "ConnectTimeout 2\n").unwrap();
    let text = fs::read_to_string(&bed.lab.inventory_path).unwrap();
    fs::write(&bed.lab.inventory_path, text.replace("/dev/null", "impatient")).unwrap();
    let link = link(&bed, "ums-2");
    proxy.hang();
    let begun = Instant::now();
    let error = said(&link, "hostname").await.unwrap_err();
    assert!(error.is_passing(), "{error:?}");
    assert!(error.to_string().contains("within 2 s"), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    proxy.admit();
    proxy.slow(Some(20_000), Duration::from_millis(30));
    assert_eq!(said(&link, "hostname").await.unwrap(), "ums-2");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_want_a_dead_server_wait_for_one_try() {
    let mut bed = two();
    let proxy = bed.behind_proxy("ums-1");
    proxy.refuse();
    let link = link(&bed, "ums-1");
    let begun = Instant::now();
    let tries = (0..20).map(|_| {
        let link = link.clone();
        tokio::spawn(async move { said(&link, "hostname").await.is_err() })
    });
    for one in tries.collect::<Vec<_>>() {
        assert!(one.await.unwrap());
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_connection_carries_many_calls() {
    let mut bed = two();
    let proxy = bed.behind_proxy("ums-1");
    let link = link(&bed, "ums-1");
    let calls = (0..40).map(|number| {
        let link = link.clone();
        tokio::spawn(async move { said(&link, &format!("sleep 0.1; echo {number}")).await.unwrap() })
    });
    for (number, call) in calls.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(call.await.unwrap(), number.to_string());
    }
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_reached_through_two_others() {
    let bed = Bed::igel(&Options { servers: 3, balancers: 0, consoles: 0, ..Options::default() });
    let at = |server: &str| bed.sshd_at(server).to_string();
    let jump = format!("jump = [\"{}\", \"{}\"]", at("ums-2"), at("ums-3"));
    let text = fs::read_to_string(&bed.lab.inventory_path).unwrap();
    let text = text.replacen("name      = \"ums-1\"\n", &format!("name      = \"ums-1\"\n{jump}\n"), 1);
    let inventory = Inventory::parse("i", &text, &bed.lab.dir).unwrap_or_else(|wrong| panic!("{wrong}"));
    let shared = Arc::new(Shared::new(Arc::new(Nobody)));
    let link = link_of(&inventory, "ums-1", &shared);
    let client = said(&link, "echo $SSH_CLIENT").await.unwrap();
    let from = bed.sshd_at("ums-3").ip().to_string();
    let direct = said(&super::link(&bed, "ums-1"), "echo $SSH_CLIENT").await.unwrap();
    if bed.form == Form::Namespaces {
        assert!(client.starts_with(&from), "{client:?} does not come from {from}");
        assert_ne!(client.split(' ').next(), direct.split(' ').next());
    }
    assert_eq!(said(&link, "hostname").await.unwrap(), "ums-1");
    // What goes wrong at a jump host names it.
    bed.refuse_login("ums-2");
    let why = barred(
        said(&link_of(&inventory, "ums-1", &Arc::new(Shared::new(Arc::new(Nobody)))), "hostname").await,
    );
    assert!(why.contains("through the jump host"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_of_the_configuration_may_be_the_connection() {
    let bed = two();
    let hop = bed.sshd_at("ums-2");
    let command = format!(
        "exec ssh -F none -i \"{}\" -o UserKnownHostsFile='\"{}\"' -p {} -W \"$1:$2\" {}@{}",
        bed.key().display(),
        bed.known_hosts().display().to_string().replace('\'', r"'\''"),
        hop.port(),
        bed.user("ums-2"),
        hop.ip()
    );
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("through");
    fs::write(&script, command).unwrap();
    let config = bed.lab.dir.join("proxied");
    fs::write(&config, format!("ProxyCommand sh {} %h %p\n", script.display())).unwrap();
    let text = fs::read_to_string(&bed.lab.inventory_path).unwrap();
    fs::write(&bed.lab.inventory_path, text.replace("/dev/null", "proxied")).unwrap();
    assert_eq!(said(&link(&bed, "ums-1"), "hostname").await.unwrap(), "ums-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn sudo_of_the_system_itself_takes_the_password_over_its_input() {
    if !rustix::process::geteuid().is_root() {
        // Nobody else can make a user; the stand-in's sudo says the same elsewhere.
        return;
    }
    let mut bed = two();
    let user = RealUser::new("it's $a \"secret\"");
    bed.log_in_as("ums-1", &user);
    let secret = |text: &str| Word::Secret(nofm::transport::Secret::new(text.to_owned()));
    let person = Person::who_says([secret("wrong"), secret("it's $a \"secret\"")]);
    let link = link_of(&inventory(&bed, ""), "ums-1", &shared(&person));
    assert_eq!(said(&link, "/usr/bin/id -u").await.unwrap(), "0");
    let asked = person.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[1].2.contains("did not take it"), "{asked:?}");
}
