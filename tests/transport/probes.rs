//! Probes, and memory that stays small whatever a server sends.

use nofm::transport::Probe;

use super::*;

#[tokio::test]
async fn a_probe_gets_status_and_both_streams_and_nothing_of_ours() {
    let farm = Farm::new();
    let said = farm
        .link()
        .probe(&Probe::new("readlink /proc/$$/fd/0; echo out; echo err >&2; set | grep -c nofm1; exit 3"))
        .await
        .unwrap();
    assert_eq!(
        (said.exit, text(&said.stdout), text(&said.stderr)),
        (3, "/dev/null\nout\n0\n".into(), "err\n".into())
    );
    assert!(!said.truncated);
    let said = farm.link().probe(&Probe::new("kill -9 $$")).await.unwrap();
    assert_eq!(said.exit, 137);
    let said = farm.link().probe(&Probe::new("echo 'unfinished")).await.unwrap();
    assert!(said.exit != 0 && said.stdout.is_empty(), "{said:?}");
    assert!(matches!(farm.link().probe(&Probe::new("a\0b")).await, Err(LinkError::Invalid { .. })));
    let long = format!("# {}\necho end", "x".repeat(300_000));
    assert_eq!(farm.link().probe(&Probe::new(long)).await.unwrap().stdout, b"end\n");
}

#[tokio::test]
async fn garbage_is_kept_as_it_is() {
    let farm = Farm::new();
    let garbage: Vec<u8> = (0..=255).cycle().take(50_000).collect();
    fs::write(farm.path("garbage"), &garbage).unwrap();
    let said = farm.link().probe(&Probe::new("cat garbage")).await.unwrap();
    assert!(said.stdout == garbage && !said.truncated);
}

#[tokio::test]
async fn a_probe_that_never_ends_is_given_up_and_leaves_nothing_behind() {
    let farm = Farm::new();
    let mut probe = Probe::new("sleep 1000 & echo $$ $! > pids; wait");
    probe.time = Duration::from_millis(700);
    let begun = Instant::now();
    let told = farm.link().probe(&probe).await.unwrap_err();
    assert!(matches!(told, LinkError::TimedOut { .. }), "{told:?}");
    assert!(begun.elapsed() < Duration::from_secs(5));
    let pids = farm.read("pids");
    assert_eq!(pids.split_whitespace().count(), 2);
    until("nothing is left", || pids.split_whitespace().all(|pid| !lives(pid)));
    assert!(begun.elapsed() < Duration::from_secs(4), "at once, and not by the limit on the server");
}

#[tokio::test]
async fn a_probe_does_not_wait_for_what_it_left_behind() {
    let farm = Farm::new();
    let begun = Instant::now();
    let said = farm
        .link()
        .probe(&Probe::new("(while [ -d root ] && [ ! -e stop ]; do sleep 0.05; done) & echo answer"))
        .await
        .unwrap();
    assert_eq!(said.stdout, b"answer\n");
    assert!(begun.elapsed() < Duration::from_secs(5));
    fs::write(farm.path("stop"), "").unwrap();
}

#[tokio::test]
async fn the_limit_of_time_stands_on_the_server_too() {
    let farm = Farm::new();
    farm.stand_in("timeout", "printf '%s\\n' \"$*\" >> timeouts; while [ \"$1\" != sh ] && [ \"$1\" != true ]; do shift; done; exec \"$@\"");
    farm.link().probe(&Probe::new("true")).await.unwrap();
    assert!(farm.read("timeouts").contains("-k 5 35 sh -c"), "{}", farm.read("timeouts"));
    farm.stand_in("timeout", "exit 1");
    assert_eq!(farm.link().probe(&Probe::new("echo without")).await.unwrap().stdout, b"without\n");
}

/// The process that the next test measures.
#[tokio::test]
#[ignore = "a process of its own for another test"]
async fn a_reader_of_its_own() {
    let root = std::env::var_os("NOFM_TEST_ROOT").unwrap();
    let link = Link::Local(Arc::new(Local::new("ums-1", Some(Path::new(&root)))));
    let said = link
        .probe(&Probe::new("dd if=/dev/zero bs=1048576 count=100 2>/dev/null; echo; seq 1000000 >&2"))
        .await
        .unwrap();
    assert!(said.truncated && said.stdout.len() == 65_536 && said.stderr.len() == 65_536 && said.exit == 0);
    let id = id("big");
    link.start(&id, "dd if=/dev/zero bs=1048576 count=100 2>/dev/null", StartOpts::default()).await.unwrap();
    let (mut heard, mut most) = (0, 0);
    let mut sink = |what: Heard<'_>| {
        if let Heard::Output { offset, bytes } = what {
            assert_eq!(offset, heard);
            heard += bytes.len() as u64;
            most = most.max(bytes.len());
        }
        Ok(())
    };
    let end = link.follow(&id, 0, &mut sink).await.unwrap();
    assert_eq!((end, heard), (RunEnd::Done { rc: 0 }, 100 * 1_048_576));
    assert!(most <= 262_144, "{most}");
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    fs::write(Path::new(&root).join("peak"), peak.trim().trim_end_matches(" kB")).unwrap();
}

#[test]
fn a_hundred_megabytes_are_read_in_little_memory() {
    let farm = Farm::new();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "transport::probes::a_reader_of_its_own", "--ignored"])
        .env("NOFM_TEST_ROOT", farm.dir.path())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let peak: u64 = farm.read("peak").parse().unwrap();
    assert!(peak < 40_000, "{peak} kB at the most");
}
