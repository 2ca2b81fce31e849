//! Runs: exactly once, through every loss.

use std::io;
use std::process::Stdio;

use nofm::transport::{LinkError, RunState};
use rustix::process::{Pid, Signal, kill_process};
use sha2::{Digest as _, Sha256};

use super::*;

/// Prints 3,000 lines over about two seconds, and ends with status 37. Counts its starts.
const SLOW: &str = "echo x >> starts
i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo \"line $i of the output\"; [ $((i % 100)) -ne 0 ] || sleep 0.06; done
exit 37";

fn slow_output() -> Vec<u8> {
    (1..=3000).flat_map(|i| format!("line {i} of the output\n").into_bytes()).collect()
}

fn done(rc: i32) -> RunEnd {
    RunEnd::Done { rc }
}

fn lost(why: &str) -> RunEnd {
    RunEnd::Lost { why: why.to_owned() }
}

#[tokio::test]
async fn eight_starts_at_once_run_it_once() {
    let farm = Farm::new();
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let link = farm.link();
            tokio::spawn(async move { link.start(&id("once"), SLOW, StartOpts::default()).await.unwrap() })
        })
        .collect();
    let mut fresh = 0;
    for start in starts {
        fresh += usize::from(matches!(start.await.unwrap(), Started::Fresh(_)));
    }
    assert_eq!(fresh, 1);
    assert_eq!(farm.follow(&id("once")).await, (done(37), slow_output()));
    let again = farm.link().start(&id("once"), SLOW, StartOpts::default()).await.unwrap();
    assert_eq!(again, Started::Already(RunState::Ended(done(37))));
    assert_eq!(farm.read("starts"), "x\n");
    let left: Vec<_> = fs::read_dir(farm.path("var/lib/nofm/runs")).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// The process that the next test kills: starts a run and writes what it hears to a file.
#[tokio::test]
#[ignore = "a process of its own for another test"]
async fn a_runner_of_its_own() {
    let root = std::env::var_os("NOFM_TEST_ROOT").unwrap();
    let root = Path::new(&root);
    let link = Link::Local(Arc::new(Local::new("ums-1", Some(root))));
    let started = link.start(&id("slow"), SLOW, StartOpts::default()).await.unwrap();
    let from = fs::metadata(root.join("heard")).map_or(0, |about| about.len());
    let mut file = fs::OpenOptions::new().create(true).append(true).open(root.join("heard")).unwrap();
    fs::write(root.join("started"), format!("{started:?}\n")).unwrap();
    link.follow(&id("slow"), from, &mut |heard| match heard {
        Heard::Output { bytes, .. } => file.write_all(bytes),
        _ => Ok(()),
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_killed_console_harms_nothing_and_misses_nothing() {
    let farm = Farm::new();
    let runner = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "transport::runs::a_runner_of_its_own", "--ignored"])
            .env("NOFM_TEST_ROOT", farm.dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let heard = || fs::metadata(farm.path("heard")).map_or(0, |about| about.len());
    for least in [1_000, 20_000] {
        let mut first = runner();
        until("some output", || heard() >= least);
        first.kill().unwrap();
        first.wait().unwrap();
    }
    assert!((20_000..60_000).contains(&heard()), "the run was to be cut in the middle, not at {}", heard());
    assert!(farm.read("started").starts_with("Already(Running)"), "{}", farm.read("started"));
    let mut out = fs::read(farm.path("heard")).unwrap();
    let end =
        farm.link().follow(&id("slow"), out.len() as u64, &mut |heard| keep(&mut out, &heard)).await.unwrap();
    assert_eq!(end, done(37));
    assert!(out == slow_output(), "{} bytes differ", out.len());
    assert_eq!(farm.read("starts"), "x\n");
}

#[tokio::test]
async fn following_in_pieces_gives_the_same_bytes() {
    let farm = Farm::new();
    let id = id("pieces");
    farm.link().start(&id, SLOW, StartOpts::default()).await.unwrap();
    let (mut out, mut cuts) = (Vec::new(), 0);
    let end = loop {
        let from = out.len();
        let mut sink = |heard: Heard<'_>| {
            keep(&mut out, &heard)?;
            let far = out.len() > from + 9_000;
            if far { Err(io::Error::other("cut")) } else { Ok(()) }
        };
        match farm.link().follow(&id, from as u64, &mut sink).await {
            Ok(end) => break end,
            Err(LinkError::Console { .. }) => cuts += 1,
            Err(e) => panic!("{e}"),
        }
    };
    assert!(cuts >= 2, "{cuts} cuts");
    assert_eq!((end, out), (done(37), slow_output()));
}

fn supervisor(farm: &Farm, id: &RunId) -> (String, Pid) {
    let line = fs::read_to_string(farm.run_file(id, "supervisor")).unwrap();
    let pid = line.split(' ').next().unwrap().to_owned();
    let number = Pid::from_raw(pid.parse().unwrap()).unwrap();
    (pid, number)
}

/// Runs until the file `stop` is there.
const WAITING: &str =
    "echo x >> starts; while [ -d root ] && [ ! -e stop ]; do sleep 0.05; done; echo stopped";

#[tokio::test]
async fn a_killed_supervisor_makes_the_run_lost_and_never_doubled() {
    let farm = Farm::new();
    let id = id("lost");
    farm.link().start(&id, WAITING, StartOpts::default()).await.unwrap();
    until("the body runs", || farm.read("starts") == "x\n");
    let (pid, number) = supervisor(&farm, &id);
    kill_process(number, Signal::KILL).unwrap();
    until("the supervisor is gone", || !lives(&pid));
    assert_eq!(farm.follow(&id).await.0, lost("supervisor-gone"));
    let again = farm.link().start(&id, WAITING, StartOpts::default()).await.unwrap();
    assert_eq!(again, Started::Already(RunState::Ended(lost("supervisor-gone"))));
    assert_eq!(farm.link().revoke(&id).await.unwrap(), RunState::Ended(lost("supervisor-gone")));
    fs::write(farm.path("stop"), "").unwrap();
    assert_eq!(farm.read("starts"), "x\n");
}

#[tokio::test]
async fn a_supervisor_bears_every_signal_that_can_be_borne() {
    let farm = Farm::new();
    let id = id("signals");
    farm.link().start(&id, WAITING, StartOpts::default()).await.unwrap();
    let (_, number) = supervisor(&farm, &id);
    for signal in [Signal::HUP, Signal::INT, Signal::PIPE, Signal::TERM, Signal::QUIT] {
        kill_process(number, signal).unwrap();
    }
    assert_eq!(farm.link().stat(&id).await.unwrap(), RunState::Running);
    fs::write(farm.path("stop"), "").unwrap();
    assert_eq!(farm.follow(&id).await, (done(0), b"stopped\n".to_vec()));
}

#[tokio::test]
async fn a_reboot_a_reused_number_and_a_zombie_are_no_running_supervisor() {
    let farm = Farm::new();
    let boot = farm.path("proc/sys/kernel/random");
    fs::create_dir_all(&boot).unwrap();
    fs::write(boot.join("boot_id"), "first\n").unwrap();
    let ended = id("ended");
    farm.link().start(&ended, "exit 3", StartOpts::default()).await.unwrap();
    assert_eq!(farm.follow(&ended).await.0, done(3));
    let id = id("waiting");
    farm.link().start(&id, WAITING, StartOpts::default()).await.unwrap();
    let stat = || async { farm.link().stat(&id).await.unwrap() };

    fs::write(boot.join("boot_id"), "second\n").unwrap();
    assert_eq!(stat().await, RunState::Ended(lost("reboot")));
    assert_eq!(farm.link().stat(&ended).await.unwrap(), RunState::Ended(done(3)));
    fs::write(boot.join("boot_id"), "first\n").unwrap();
    assert_eq!(stat().await, RunState::Running);

    let file = farm.run_file(&id, "supervisor");
    let line = fs::read_to_string(&file).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    fs::write(&file, format!("{} 1{} first\n", words[0], words[1])).unwrap();
    assert_eq!(stat().await, RunState::Ended(lost("supervisor-gone")));

    let mut zombie = Command::new("true").spawn().unwrap();
    until("a zombie", || !lives(&zombie.id().to_string()));
    let stat_line = fs::read_to_string(format!("/proc/{}/stat", zombie.id())).unwrap();
    let born = stat_line.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap();
    fs::write(&file, format!("{} {born} first\n", zombie.id())).unwrap();
    assert_eq!(stat().await, RunState::Ended(lost("supervisor-gone")));
    zombie.wait().unwrap();
    fs::write(&file, line).unwrap();
}

#[tokio::test]
async fn what_is_revoked_never_starts_and_what_started_is_not_revoked() {
    let farm = Farm::new();
    let link = farm.link();
    let never = id("never");
    assert_eq!(link.stat(&never).await.unwrap(), RunState::Absent);
    assert_eq!(link.revoke(&never).await.unwrap(), RunState::Ended(RunEnd::Revoked));
    let late = link.start(&never, "echo x >> starts", StartOpts::default()).await.unwrap();
    assert_eq!(late, Started::Already(RunState::Ended(RunEnd::Revoked)));
    assert_eq!(farm.follow(&never).await.0, RunEnd::Revoked);
    assert_eq!(farm.read("starts"), "");

    let going = id("going");
    link.start(&going, WAITING, StartOpts::default()).await.unwrap();
    assert_eq!(link.revoke(&going).await.unwrap(), RunState::Running);
    fs::write(farm.path("stop"), "").unwrap();
    assert_eq!(farm.follow(&going).await.0, done(0));
    assert_eq!(link.revoke(&going).await.unwrap(), RunState::Ended(done(0)));
    assert_eq!(farm.read("starts"), "x\n");
}

#[tokio::test]
async fn a_claimed_run_that_is_revoked_never_starts() {
    let farm = Farm::new();
    let id = id("claimed");
    // The supervisor is held right before the point of no return.
    farm.stand_in("sync", "case $* in *supervisor*) echo x > \"$NOFM_ROOT/held\"; while [ -d \"$NOFM_ROOT\" ] && [ ! -e \"$NOFM_ROOT/stop\" ]; do sleep 0.05; done ;; esac");
    let starting = {
        let (link, id) = (farm.link(), id.clone());
        tokio::spawn(async move { link.start(&id, "echo x >> starts", StartOpts::default()).await.unwrap() })
    };
    while !farm.path("held").exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(farm.link().stat(&id).await.unwrap(), RunState::Claimed);
    let (pid, _) = supervisor(&farm, &id);
    assert_eq!(farm.link().revoke(&id).await.unwrap(), RunState::Ended(RunEnd::Revoked));
    fs::write(farm.path("stop"), "").unwrap();
    until("the supervisor went home", || !lives(&pid));
    assert_eq!(starting.await.unwrap(), Started::Fresh(RunState::Ended(RunEnd::Revoked)));
    assert_eq!(farm.follow(&id).await.0, RunEnd::Revoked);
    assert_eq!(farm.read("starts"), "");
}

#[tokio::test]
async fn start_and_revoke_at_once_have_one_winner() {
    let farm = Farm::new();
    for n in 0..12 {
        let id = id(&format!("race-{n}"));
        let (link, other) = (farm.link(), farm.link());
        let body = format!("echo {n} >> ran");
        let (start, revoke) = tokio::join!(link.start(&id, &body, StartOpts::default()), other.revoke(&id));
        let (start, revoke) = (start.unwrap(), revoke.unwrap());
        let (end, _) = farm.follow(&id).await;
        let ran = farm.read("ran").lines().any(|line| line == n.to_string());
        match end {
            RunEnd::Revoked => assert!(!ran, "{start:?} {revoke:?}"),
            RunEnd::Done { rc: 0 } => {
                assert!(ran && revoke != RunState::Ended(RunEnd::Revoked), "{start:?} {revoke:?}");
            }
            other => panic!("{other:?} after {start:?} {revoke:?}"),
        }
    }
}

#[test]
fn a_body_that_is_torn_or_changed_on_the_way_never_runs() {
    let farm = Farm::new();
    let body = "echo x >> starts\n";
    let (length, sum) = (body.len().to_string(), hex(&Sha256::digest(body)));
    let start = |input: &[u8]| text(&farm.raw(&["start", "torn", &length, &sum], input).stdout);
    for cut in 0..body.len() {
        let said = start(&body.as_bytes()[..cut]);
        assert!(said.starts_with("X torn"), "{said}");
    }
    let said = start(b"echo y >> starts\n");
    assert!(said.starts_with("X differs"), "{said}");
    assert_eq!(fs::read_dir(farm.path("var/lib/nofm/runs")).unwrap().count(), 0);
    assert!(start(body.as_bytes()).starts_with("A fresh"));
    until("it ran", || farm.read("starts") == "x\n");
}

#[test]
fn names_that_could_lead_elsewhere_are_refused_on_both_sides() {
    let farm = Farm::new();
    let long = "x".repeat(121);
    for bad in ["", ".", "..", ".x", "../etc", "a/b", "a b", "a;id", "$(id)", "a\nb", "é", "*", &long] {
        assert_eq!(RunId::new(bad), None, "{bad:?}");
        for verb in ["stat", "start", "revoke", "follow", "type", "resize"] {
            let said = text(&farm.raw(&[verb, bad, "1", "1"], b"").stdout);
            assert!(said.starts_with("X badid"), "{verb} {bad:?}: {said}");
        }
    }
    assert!(!farm.path("var").exists());
    assert!(RunId::new(&"x".repeat(120)).is_some() && RunId::new("A-z_0.9").is_some());
}

#[tokio::test]
async fn a_signal_that_ends_the_body_is_told_as_128_and_its_number() {
    for (signal, rc) in [("KILL", 137), ("TERM", 143), ("SEGV", 139)] {
        let farm = Farm::new();
        let (end, out) = farm.run(&format!("echo before; kill -{signal} $$; echo after")).await;
        assert_eq!((end, text(&out).as_str()), (done(rc), "before\n"), "{signal}");
    }
}

#[tokio::test]
async fn the_output_may_hold_anything() {
    let farm = Farm::new();
    let nasty = b"A done rc=0\nX denied no\nS lost why=reboot\nK\nR 0\nO 0 5\nhello\nnofm1 x\n\0\0\x1b[2J\x1b]0;t\x07\r\n\xff\xfe no newline";
    let all: Vec<u8> = (0..40).flat_map(|_| nasty.iter().copied()).collect();
    fs::write(farm.path("nasty"), &all).unwrap();
    let body = "i=0; while [ $i -lt 40 ]; do i=$((i+1)); dd if=nasty bs=113 count=1 skip=0 2>/dev/null; sleep 0.01; done; cat nasty";
    let (end, out) = farm.run(body).await;
    let mut expected: Vec<u8> = (0..40).flat_map(|_| all[..113].to_vec()).collect();
    expected.extend_from_slice(&all);
    assert_eq!(end, done(0));
    assert!(out == expected, "{} of {} bytes", out.len(), expected.len());
}

#[tokio::test]
async fn a_body_runs_as_on_a_server_and_not_as_in_the_console() {
    let farm = Farm::new();
    let (end, out) = farm
        .run("umask; pwd; echo \"$NOFM_ROOT\"; echo \"$HOME\"; echo \"$PATH\"; env; cat; echo err >&2; trap")
        .await;
    let (out, root) = (text(&out), farm.dir.path().display().to_string());
    assert_eq!(end, done(0));
    let lines: Vec<&str> = out.lines().collect();
    let umask = Command::new("sh").args(["-c", "umask"]).output().unwrap();
    assert_eq!(lines[0], text(&umask.stdout).trim(), "files of the product must not become private");
    assert_eq!(lines[1..4], [root.as_str(), &root, &format!("{root}/root")]);
    assert!(lines[4].starts_with(&format!("{root}/bin:")), "{}", lines[4]);
    assert!(lines.last() == Some(&"err"), "both streams, and no trap of ours: {out}");
    assert!(!out.contains("CARGO"), "the console's environment: {out}");
}

#[tokio::test]
async fn a_daemon_left_behind_does_not_hold_the_run_open() {
    let farm = Farm::new();
    let begun = Instant::now();
    let (end, out) =
        farm.run("(while [ -d root ] && [ ! -e stop ]; do sleep 0.05; done; echo late) & echo $!").await;
    assert_eq!(end, done(0));
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(lives(&text(&out)), "nothing that a body started is ended");
    fs::write(farm.path("stop"), "").unwrap();
}

#[tokio::test]
async fn a_body_that_empties_its_output_is_noticed() {
    let farm = Farm::new();
    let id = id("emptied");
    let body = "i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo before; done; sleep 1.5; echo after > /dev/stdout; echo end";
    farm.link().start(&id, body, StartOpts::default()).await.unwrap();
    let (mut rewound, mut out) = (0, Vec::new());
    let end = farm
        .link()
        .follow(&id, 0, &mut |heard| {
            if heard == (Heard::Rewound { offset: 0 }) {
                assert_eq!(out, b"before\n".repeat(200));
                out.clear();
                rewound += 1;
            }
            keep(&mut out, &heard)
        })
        .await
        .unwrap();
    assert_eq!((end, rewound, text(&out).as_str()), (done(0), 1, "after\nend\n"));
}

#[tokio::test]
async fn root_is_had_by_sudo_or_the_refusal_says_what_to_do() {
    let farm = Farm::new();
    let link = Link::Local(Arc::new(Local::new("ums-1", Some(farm.dir.path())).as_root(true)));
    farm.stand_in("id", "echo 1000");
    farm.stand_in("sudo", "echo 'sudo: a password is required' >&2; exit 1");
    let refused = link.start(&id("r"), "true", StartOpts::default()).await.unwrap_err();
    assert!(matches!(refused, LinkError::Refused { .. }), "{refused:?}");
    assert!(why(&refused).contains("a password is required; log in as root"), "{refused}");
    assert!(!farm.path("var").exists());

    farm.stand_in("sudo", "printf '%s\\n' \"$*\" >> sudo.log; shift; exec \"$@\"");
    link.start(&id("r"), "echo secret-body", StartOpts::default()).await.unwrap();
    assert_eq!(farm.follow(&id("r")).await, (done(0), b"secret-body\n".to_vec()));
    let logged = farm.read("sudo.log");
    assert!(logged.starts_with("-n sh -c"), "{logged}");
    assert!(!logged.contains("secret-body") && logged.len() < 2_000, "what sudo writes to the log: {logged}");
}

#[tokio::test]
async fn a_login_that_prints_text_is_borne_and_one_that_prints_only_that_is_told() {
    let farm = Farm::new();
    farm.stand_in(
        "sh",
        "[ -n \"$GREETED\" ] || { echo Welcome; printf 'A done rc=0\\nX denied\\nprompt$ '; echo motd >&2; }; GREETED=1; export GREETED; exec /bin/sh \"$@\"",
    );
    let (end, out) = farm.run("echo hello").await;
    assert_eq!((end, out), (done(0), b"hello\n".to_vec()));

    farm.stand_in("sh", "printf 'This account is \\033[1mnot available\\033[0m.\\n'");
    let told = farm.link().stat(&id("s-1")).await.unwrap_err();
    assert!(why(&told).contains("This account is") && told.is_passing(), "{told:?}");
    farm.stand_in("sh", "exec cat /dev/zero");
    let told = farm.link().stat(&id("s-1")).await.unwrap_err();
    assert!(matches!(told, LinkError::Protocol { .. }), "{told:?}");
    farm.stand_in("sh", "exit 0");
    let told = farm.link().stat(&id("s-1")).await.unwrap_err();
    assert!(matches!(told, LinkError::Unreachable { .. }), "{told:?}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_refused_with_what_to_do() {
    let farm = Farm::new();
    fs::create_dir_all(farm.path("var/lib")).unwrap();
    fs::write(farm.path("var/lib/nofm"), "in the way").unwrap();
    let refused = farm.link().start(&id("r"), "true", StartOpts::default()).await.unwrap_err();
    assert!(why(&refused).contains("log in as root"), "{refused}");
}
