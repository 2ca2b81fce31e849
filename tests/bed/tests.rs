//! The bed itself, looked at by the machine's own OpenSSH client.

use std::io::Write as _;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use super::{Bed, Direction, Form, Options, RealUser, Said, lab, sweep, tools, until};

fn bed(form: Form) -> Bed {
    let begun = Instant::now();
    let bed = Bed::igel(&Options { form: Some(form), ..Options::default() });
    println!("{} servers, {form:?}: up after {:.2?}", bed.servers().len(), begun.elapsed());
    bed
}

/// A small bed in each form that is possible here.
fn small() -> Vec<Bed> {
    let both = [Form::Loopback, Form::Namespaces];
    let forms = both.into_iter().filter(|form| *form == Form::Loopback || Bed::namespaces_possible());
    forms
        .map(|form| {
            let few =
                Options { form: Some(form), servers: 2, balancers: 0, consoles: 0, ..Options::default() };
            Bed::igel(&few)
        })
        .collect()
}

#[test]
fn every_server_is_behind_an_sshd_of_its_own() {
    let bed = bed(Form::Loopback);
    sees_itself(&bed);
    let inventory: toml::Table = fs::read_to_string(&bed.lab.inventory_path).unwrap().parse().unwrap();
    let ssh = &inventory["ssh"];
    assert_eq!(ssh["user"].as_str(), Some(bed.user("ums-1")));
    assert_eq!(ssh["port"].as_integer(), Some(bed.address("ums-1").port().into()));
    for (key, path) in [("key", bed.key()), ("known-hosts", bed.known_hosts())] {
        assert_eq!(bed.lab.dir.join(ssh[key].as_str().unwrap()), path);
    }
    for server in inventory["servers"].as_array().unwrap() {
        assert!(server.get("transport").is_none() && server.get("root").is_some(), "{server}");
    }
}

#[test]
fn every_server_has_namespaces_of_its_own() {
    if !Bed::namespaces_possible() {
        // The other form is then the one that all tests use.
        assert!(!rustix::process::geteuid().is_root(), "root can make namespaces");
        return;
    }
    let bed = bed(Form::Namespaces);
    sees_itself(&bed);
    for server in bed.servers() {
        assert_eq!(bed.ask(server, "uname -n"), server);
        for space in ["net", "mnt", "uts", "pid", "ipc"] {
            assert_ne!(bed.ask(server, &format!("readlink /proc/self/ns/{space}")), own(space));
        }
        let links = bed.ask(server, "ls /sys/class/net 2>/dev/null; ip -o link | wc -l");
        assert!(links.ends_with('2'), "{links}");
    }
    // Processes are the server's own, and zombies are waited for.
    let all = bed.ask("ums-1", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/stat | tr '\\0' ' '");
    assert!(all.contains("ums-1") && !all.contains("ums-2"), "{all}");
    // One of them may end while they are listed.
    until("no zombie is left", || !bed.on("ums-1", "cat /proc/[0-9]*/stat").out.contains(") Z "));
    // So is the disk.
    let free = || -> u64 {
        let said = bed.ask("ums-1", "df -Pk \"$NOFM_ROOT/var/lib\"");
        said.lines().last().unwrap().split_whitespace().nth(3).unwrap().parse().unwrap()
    };
    assert_eq!(free(), 256 * 1024);
    let ballast = bed.fill_disk("ums-1");
    assert_eq!(free(), 0);
    assert_ne!(bed.on("ums-1", "echo text >\"$NOFM_ROOT/var/lib/file\"").code, 0);
    bed.ask("ums-2", "echo text >\"$NOFM_ROOT/var/lib/file\"");
    fs::remove_file(ballast).unwrap();
}

fn own(space: &str) -> String {
    fs::read_link(format!("/proc/self/ns/{space}")).unwrap().display().to_string()
}

fn sees_itself(bed: &Bed) {
    let names = bed.servers();
    assert_eq!(names, ["ums-1", "ums-2", "ums-3", "ums-4", "lb-1", "lb-2", "console-1", "db-1"]);
    for server in names {
        let root = bed.root(server);
        let said =
            bed.ask(server, "hostname; pwd; echo \"$NOFM_ROOT\"; echo \"$HOME\"; id -u; command -v date");
        let shown = root.display();
        assert_eq!(said, format!("{server}\n{shown}\n{shown}\n{shown}/root\n0\n{shown}/bin/date"));
        assert!(bed.ask(server, "echo \"$PATH\"").starts_with(&format!("{shown}/bin:/")));
        assert_eq!(bed.ask(server, "cat \"$NOFM_ROOT/proc/sys/kernel/random/boot_id\""), bed.boot_id(server));
    }
    assert!(bed.ask("ums-1", "df -Pk \"$NOFM_ROOT/opt\"").contains("52428800"));
    assert_eq!(bed.ask("ums-1", "systemctl is-active igel-ums-server"), "active");
    bed.shift_clock("ums-2", 90);
    let clock = |server| bed.ask(server, "date +%s").parse::<i64>().unwrap();
    let apart = clock("ums-2") - clock("ums-1");
    assert!((85..=92).contains(&apart), "{apart}");
    // What a server answers on is reached from here.
    let at = bed.sshd_at("ums-1").ip();
    let answers: toml::Table = fs::read_to_string(&bed.lab.answers_path).unwrap().parse().unwrap();
    let port = u16::try_from(answers["inputs"]["rest_port"].as_integer().unwrap()).unwrap();
    TcpStream::connect((at, port)).unwrap();
    let input = Command::new("true").output().unwrap();
    assert!(input.status.success());
    let mut cat =
        bed.ssh("lb-1", "cat; exit 7").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    cat.stdin.take().unwrap().write_all(b"over the input").unwrap();
    let output = cat.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(7), b"over the input".as_slice()));
}

#[test]
fn an_upgrade_of_the_stand_ins_works_wherever_their_processes_are() {
    for bed in small() {
        let installer =
            format!("sh '{}'", crate::lab::installer(&bed.lab).display().to_string().replace('\'', r"'\''"));
        let install = format!("{installer} {}", crate::lab::SILENT);
        for server in ["ums-1", "ums-2"] {
            bed.ask(server, &install);
        }
        until("the first server is told by the last", || {
            bed.events().contains("ums-1 server runs 12.08.130 in mode NORMAL")
        });
        assert!(!bed.events().contains("MISHAP"), "{}", bed.events());
        // One that runs on another server is seen, whoever may see its processes.
        let mut hold = bed.ssh("ums-1", "exec 8>run/installer.lock; flock 8; echo held; sleep 60");
        let mut hold = hold.stdout(Stdio::piped()).spawn().unwrap();
        std::io::Read::read_exact(hold.stdout.as_mut().unwrap(), &mut [0; 4]).unwrap();
        bed.ask("ums-2", &install);
        assert!(bed.events().contains("MISHAP: the installer runs on another host"), "{}", bed.events());
        assert_eq!(bed.on("ums-1", &install).code, 1);
        hold.kill().unwrap();
        hold.wait().unwrap();
    }
}

#[test]
fn power_goes_and_comes_back_with_a_new_boot_id() {
    for mut bed in small() {
        let form = bed.form;
        let before = bed.boot_id("ums-1");
        bed.ask(
            "ums-1",
            "setsid -f sleep 600 >/dev/null 2>&1 </dev/null; mkdir -p var/lib; echo kept >var/lib/kept",
        );
        let mut session = bed.ssh("ums-1", "sleep 600").spawn().unwrap();
        until("the session is there", || bed.processes("ums-1").len() > 6);
        bed.cut_power("ums-1");
        assert_eq!(bed.processes("ums-1"), [], "{form:?}");
        assert!(!bed.processes("ums-2").is_empty());
        let begun = Instant::now();
        assert_eq!(bed.on("ums-1", "true").code, 255);
        assert!(begun.elapsed() < Duration::from_secs(15));
        bed.power_on("ums-1");
        assert_ne!(bed.ask("ums-1", "cat proc/sys/kernel/random/boot_id"), before, "{form:?}");
        assert_eq!(bed.ask("ums-1", "cat var/lib/kept; systemctl is-active igel-ums-server"), "kept\nactive");
        session.kill().unwrap();
        session.wait().unwrap();
        let before = bed.boot_id("db-1");
        bed.reboot("db-1");
        assert_ne!(bed.ask("db-1", "cat proc/sys/kernel/random/boot_id"), before, "{form:?}");
    }
}

#[test]
fn an_sshd_alone_ends_and_starts_while_its_server_works_on() {
    for bed in small() {
        bed.ask("ums-1", "setsid -f sh -c 'sleep 0.5; echo done >worked' >/dev/null 2>&1 </dev/null");
        let mut session = bed.ssh("ums-1", "sleep 600").spawn().unwrap();
        thread::sleep(Duration::from_millis(300));
        bed.stop_sshd("ums-1");
        assert_eq!(session.wait().unwrap().code(), Some(255));
        assert_eq!(bed.on("ums-1", "true").code, 255);
        bed.start_sshd("ums-1");
        until("it worked on", || bed.root("ums-1").join("worked").exists());
        assert_eq!(bed.ask("ums-1", "cat worked; systemctl is-active igel-ums-server"), "done\nactive");
    }
}

#[test]
fn keys_and_logins_are_refused_as_ordered() {
    for bed in small() {
        let fails = |said: &str| {
            let answer = bed.on("ums-1", "true");
            assert!(answer.code == 255 && answer.err.contains(said), "{said}: {answer:?}");
        };
        bed.forget_host_key("ums-1");
        fails("Host key verification failed");
        bed.know_wrong_host_key("ums-1");
        fails("REMOTE HOST IDENTIFICATION HAS CHANGED");
        bed.know_host_key("ums-1");
        bed.ask("ums-1", "true");
        bed.change_host_key("ums-1");
        fails("REMOTE HOST IDENTIFICATION HAS CHANGED");
        bed.know_host_key("ums-1");
        bed.refuse_login("ums-1");
        fails("Permission denied (publickey)");
        bed.allow_login("ums-1");
        bed.ask("ums-1", "true");
        let loudly = || {
            let ssh = bed.ssh("ums-1", "echo still here");
            // Of an option that is given twice the client takes the first.
            let said =
                Command::new(ssh.get_program()).args(["-o", "LogLevel=INFO"]).args(ssh.get_args()).output();
            Said::from(said.unwrap())
        };
        bed.banner("ums-1", &b"a line of a banner\n".repeat(10_000));
        let said = loudly();
        assert_eq!((said.code, said.out.as_str()), (0, "still here"));
        assert!(said.err.lines().filter(|line| line.contains("a line of a banner")).count() >= 10_000);
        // sshd sends one of 1 MB in one packet, which is longer than this client takes.
        bed.banner("ums-1", &b"a line of a banner\n".repeat(55_000));
        assert_eq!(loudly().code, 255);
        bed.banner("ums-1", b"short\n");
        bed.login_prints("ums-1", b"\x1b[2Jwelcome\n");
        assert_eq!(bed.ask("ums-1", "echo here"), "\x1b[2Jwelcome\nhere");
        bed.ask("ums-2", "true");
    }
}

#[test]
fn sudo_asks_as_sudo_does() {
    let bed = small().remove(0);
    bed.need_sudo("ums-1", Some("opensesame"));
    assert_eq!(bed.ask("ums-1", "id -u; id -un"), "1000\nadmin");
    let said = bed.on("ums-1", "sudo -n id -u");
    assert_eq!((said.code, said.err.as_str()), (1, "sudo: a password is required"));
    let asks = |typed: &str| {
        let mut sudo = bed.ssh("ums-1", "sudo -S -p 'word?' sh -c 'id -u; cat'");
        let sudo = sudo.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = sudo.spawn().unwrap();
        child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        Said::from(child.wait_with_output().unwrap())
    };
    let said = asks("opensesame\nthe rest");
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, "0\nthe rest", "word?"));
    let said = asks("one\nopensesame\n");
    assert_eq!((said.code, said.err.as_str()), (0, "word?Sorry, try again.\nword?"));
    let said = asks("one\ntwo\nthree\nopensesame\n");
    assert!(said.code == 1 && said.err.ends_with("sudo: 3 incorrect password attempts"), "{said:?}");
    assert!(asks("").err.contains("sudo: no password was provided"));
    bed.need_sudo("ums-1", None);
    assert_eq!(bed.ask("ums-1", "sudo -n id -u"), "0");
}

#[test]
fn the_real_sudo_takes_the_password_of_a_real_user() {
    if !rustix::process::geteuid().is_root() {
        // Only root makes users; the stand-in is what there is then.
        return sudo_asks_as_sudo_does();
    }
    let user = RealUser::new("opensesame");
    let mut bed = small().pop().unwrap();
    bed.log_in_as("ums-1", &user);
    assert_eq!(bed.ask("ums-1", "id -un"), bed.user("ums-1"));
    assert_eq!(bed.ask("ums-2", "id -un"), "root");
    let said = bed.on("ums-1", "sudo -n true");
    assert!(said.code == 1 && said.err.contains("sudo: a password is required"), "{said:?}");
    let mut sudo = bed.ssh("ums-1", "sudo -S -p 'word?' sh -c 'id -u; pwd; hostname; cat'");
    let sudo = sudo.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = sudo.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"wrong\nopensesame\nthe rest").unwrap();
    let said = Said::from(child.wait_with_output().unwrap());
    let root = bed.root("ums-1");
    assert_eq!(said.out, format!("0\n{}\nums-1\nthe rest", root.display()), "{}", said.err);
    assert_eq!(said.err.matches("word?").count(), 2, "{}", said.err);
}

#[test]
fn a_proxy_counts_slows_hangs_and_cuts() {
    for mut bed in small() {
        let proxy = bed.behind_proxy("ums-1");
        assert_eq!(bed.address("ums-1"), proxy.address());
        let inventory = fs::read_to_string(&bed.lab.inventory_path).unwrap();
        assert!(inventory.contains(&format!("\"{}\"", proxy.address().ip())), "{inventory}");
        assert_eq!(bed.ask("ums-1", "hostname"), "ums-1");
        assert_eq!(proxy.connections(), 1);
        let read = |bed: &Bed| bed.ssh("ums-1", "head -c 1000000 /dev/zero; sleep 0.2").output().unwrap();
        let passed = proxy.bytes(Direction::ToClient);
        assert!(read(&bed).status.success() && proxy.bytes(Direction::ToClient) > passed + 1_000_000);

        proxy.cut_after(Direction::ToClient, 500_000);
        let passed = proxy.bytes(Direction::ToClient);
        let output = read(&bed);
        assert!(
            output.status.code() == Some(255) && output.stdout.len() < 500_000,
            "{}",
            output.stdout.len()
        );
        assert_eq!(proxy.bytes(Direction::ToClient), passed + 500_000);

        proxy.refuse();
        assert!(bed.on("ums-1", "true").err.contains("Connection refused"));
        proxy.admit();
        until("it admits again", || bed.on("ums-1", "true").code == 0);

        proxy.hang();
        let begun = Instant::now();
        let ssh = bed.ssh("ums-1", "true");
        // Of an option that is given twice the client takes the first.
        let ssh =
            Command::new(ssh.get_program()).args(["-o", "ConnectTimeout=1"]).args(ssh.get_args()).output();
        assert!(ssh.unwrap().status.code() == Some(255) && begun.elapsed() < Duration::from_secs(5));
        proxy.admit();

        let mut session = bed.ssh("ums-1", "echo here; sleep 600").stdout(Stdio::piped()).spawn().unwrap();
        std::io::Read::read_exact(session.stdout.as_mut().unwrap(), &mut [0; 4]).unwrap();
        proxy.freeze();
        thread::sleep(Duration::from_millis(200));
        assert!(session.try_wait().unwrap().is_none());
        proxy.thaw();
        proxy.cut();
        assert_eq!(session.wait().unwrap().code(), Some(255));

        proxy.slow(Some(1_000_000), Duration::from_millis(1));
        let begun = Instant::now();
        assert!(read(&bed).status.success());
        assert!(begun.elapsed() > Duration::from_millis(900), "{:?}", begun.elapsed());
    }
}

#[test]
fn nothing_is_left_of_a_bed() {
    for bed in small() {
        let folder = bed.folder.clone();
        let lab = bed.lab.dir.clone();
        // A session of a client that stays: its sshd goes too.
        let mut session = bed.ssh("ums-1", "trap '' TERM HUP; sleep 600").spawn().unwrap();
        until("the session is there", || bed.processes("ums-1").len() > 6);
        if bed.form == Form::Loopback {
            // As `nofm lab --remove` does it.
            assert!(lab::remove(&lab).unwrap() > 10);
            assert!(bed.is_quiet());
        }
        drop(bed);
        assert!(!folder.exists());
        let left = fs::read_to_string("/proc/self/mounts").unwrap();
        assert!(!left.contains(&folder.display().to_string()), "{left}");
        assert_eq!(sweep::processes(&[&folder]), []);
        assert_eq!(session.wait().unwrap().code(), Some(255));
    }
}

#[test]
fn a_bed_of_a_killed_test_run_is_swept_away() {
    for bed in small() {
        let folder = bed.folder.clone();
        // As if it were that of process 4,000,000,000, which no system has; so is a bridge of such a name.
        let bridge = "nfee6b2800-b0";
        if bed.form == Form::Namespaces {
            tools::run(&tools::bring("ip", "iproute2"), &["link", "add", bridge, "type", "bridge"], "");
        }
        let stale = std::env::temp_dir().join("nofm-bed-4000000000-1-0");
        fs::create_dir(&stale).unwrap();
        fs::create_dir(stale.join("ums-1")).unwrap();
        let mut left =
            Command::new("sleep").arg("600").env("NOFM_ROOT", stale.join("ums-1")).spawn().unwrap();
        until("it is seen", || sweep::processes(&[&stale]).len() == 1);
        sweep::stale();
        assert!(!stale.exists() && folder.exists());
        assert!(!std::path::Path::new("/sys/class/net").join(bridge).exists());
        assert!(!left.wait().unwrap().success());
        bed.ask("ums-1", "true");
    }
}

#[test]
fn an_sshd_that_was_only_unpacked_serves_too() {
    let sshd = tools::unpacked_sshd();
    let options = lab::LabOptions {
        ssh: true,
        sshd: Some(sshd),
        program: Some(env!("CARGO_BIN_EXE_nofm").into()),
        counts: crate::lab::counts(2, 0, 0),
        speed: 30.0,
        ..lab::LabOptions::new(sweep::new_folder().join("farm"))
    };
    let lab =
        lab::create(&lab::LabSource::of("igel_ums_ha").unwrap(), &options).unwrap_or_else(|e| panic!("{e}"));
    let folder = lab.dir.parent().unwrap().to_owned();
    let bed = Bed { lab, form: Form::Loopback, network: None, fronts: Vec::new(), users: Vec::new(), folder };
    assert_eq!(bed.ask("ums-2", "hostname"), "ums-2");
}
