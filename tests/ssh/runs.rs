//! Runs over connections that break: started once, followed to their end, with every byte they printed.

use nofm::transport::{Heard, RunEnd, RunId, RunState, StartOpts, Started, Terminal};

use super::*;

fn id(text: &str) -> RunId {
    RunId::new(text).unwrap()
}

/// Repeats `call` until it answers, as a runner does.
async fn insist<T, F: Future<Output = Result<T, LinkError>>>(mut call: impl FnMut() -> F) -> T {
    let begun = Instant::now();
    loop {
        match call().await {
            Ok(answer) => return answer,
            Err(error) => assert!(error.is_passing(), "{error:?}"),
        }
        assert!(begun.elapsed() < Duration::from_mins(1));
    }
}

/// Follows a run to its end over as many connections as it takes.
async fn follow(link: &Link, id: &RunId) -> (RunEnd, Vec<u8>, usize) {
    let (mut out, mut tries) = (Vec::new(), 0);
    let begun = Instant::now();
    loop {
        tries += 1;
        let from = out.len() as u64;
        let mut hear = |heard: Heard<'_>| {
            if let Heard::Output { offset, bytes } = heard {
                assert_eq!(offset, out.len() as u64);
                out.extend_from_slice(bytes);
            }
            Ok(())
        };
        match link.follow(id, from, &mut hear).await {
            Ok(end) => return (end, out, tries),
            Err(error) => assert!(error.is_passing(), "{error:?}"),
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{} bytes", out.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_at_any_moment_costs_no_byte_and_starts_nothing_twice() {
    let mut bed = two();
    let proxy = bed.behind_proxy("ums-1");
    let link = link(&bed, "ums-1");
    let body = "echo began >>\"$NOFM_ROOT/began\"; i=0; while [ $i -lt 3000 ]; do echo \"line $i of the output\"; i=$((i + 1)); \
                [ $((i % 300)) != 0 ] || sleep 1; done";
    let run = id("cut-1");
    let (over, mut ended) = tokio::sync::oneshot::channel::<()>();
    let cutter = tokio::spawn(async move {
        // Moments without a rule that the connection could keep in step with.
        for pause in [3, 40, 170, 900, 11, 1200, 90, 700, 250, 1500].into_iter().cycle() {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(pause)) => proxy.cut(),
                _ = &mut ended => break,
            }
        }
        proxy
    });
    let started = insist(|| link.start(&run, body, StartOpts::default())).await;
    assert!(matches!(started, Started::Fresh(_) | Started::Already(_)), "{started:?}");
    let (end, out, tries) = follow(&link, &run).await;
    drop(over);
    let proxy = cutter.await.unwrap();
    assert_eq!(end, RunEnd::Done { rc: 0 });
    let out = String::from_utf8(out).unwrap();
    assert_eq!(out.lines().count(), 3000);
    for (number, line) in out.lines().enumerate() {
        assert_eq!(line, format!("line {number} of the output"));
    }
    assert_eq!(fs::read_to_string(bed.root("ums-1").join("began")).unwrap(), "began\n");
    assert!(tries > 2 && proxy.connections() > 2, "{tries} tries over {} connections", proxy.connections());
    assert_eq!(link.stat(&run).await.unwrap(), RunState::Ended(RunEnd::Done { rc: 0 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_sshd_ends_no_run() {
    let bed = two();
    let link = link(&bed, "ums-1");
    let run = id("killed-1");
    let body = "echo one; while [ ! -e \"$NOFM_ROOT/go-on\" ]; do sleep 0.1; done; echo two";
    link.start(&run, body, StartOpts::default()).await.unwrap();
    // Every process of sshd, that of this very session too.
    bed.stop_sshd("ums-1");
    let error = said(&link, "hostname").await.unwrap_err();
    assert!(error.is_passing(), "{error:?}");
    bed.start_sshd("ums-1");
    assert_eq!(insist(|| link.stat(&run)).await, RunState::Running);
    fs::write(bed.root("ums-1").join("go-on"), "").unwrap();
    let (end, out, _) = follow(&link, &run).await;
    assert_eq!((end, out.as_slice()), (RunEnd::Done { rc: 0 }, b"one\ntwo\n".as_slice()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebooted_server_says_that_the_run_is_lost() {
    let mut bed = two();
    let link = link(&bed, "ums-1");
    let run = id("reboot-1");
    link.start(&run, "echo before; sleep 600", StartOpts::default()).await.unwrap();
    bed.reboot("ums-1");
    let (end, out, _) = follow(&link, &run).await;
    assert_eq!(end, RunEnd::Lost { why: "reboot".to_owned() });
    assert_eq!(out, b"before\n");
    // Starting it again finds that it was: whether it is done is for somebody else to say.
    let again = link.start(&run, "echo again", StartOpts::default()).await.unwrap();
    assert!(matches!(again, Started::Already(RunState::Ended(RunEnd::Lost { .. }))), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_stays_on_the_server_while_the_console_comes_and_goes() {
    let mut bed = two();
    let proxy = bed.behind_proxy("ums-1");
    let link = link(&bed, "ums-1");
    let run = id("attended-1");
    let body = "stty size; printf 'name? '; read -r name; printf 'password? '; stty -echo; read -r word; stty echo; \
                echo; echo \"hello $name, ${#word}\"; stty size";
    let opts = StartOpts { terminal: Some(Terminal { cols: 100, rows: 30 }) };
    link.start(&run, body, opts).await.unwrap();
    let there = || fs::read(bed.root("ums-1").join("var/lib/nofm/runs/attended-1/out")).unwrap_or_default();
    let shows = |text: &str| String::from_utf8_lossy(&there()).contains(text);
    until("the first question", || shows("name? ")).await;
    link.type_into(&run, b"nofm\r").await.unwrap();
    until("the second question", || shows("password? ")).await;
    proxy.cut();
    insist(|| link.resize(&run, Terminal { cols: 120, rows: 40 })).await;
    proxy.cut();
    insist(|| link.stat(&run)).await;
    link.type_into(&run, b"secret\r").await.unwrap();
    let (end, out, _) = follow(&link, &run).await;
    assert_eq!(end, RunEnd::Done { rc: 0 });
    let out = String::from_utf8_lossy(&out);
    assert!(out.contains("30 100") && out.contains("hello nofm, 6") && out.contains("40 120"), "{out:?}");
    assert!(!out.contains("secret"), "{out:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_just_falls_silent_is_noticed() {
    let mut bed = two();
    let proxy = bed.behind_proxy("ums-1");
    let link = link(&bed, "ums-1");
    assert_eq!(said(&link, "hostname").await.unwrap(), "ums-1");
    proxy.freeze();
    let begun = Instant::now();
    let mut probe = Probe::new("hostname");
    probe.time = Duration::from_secs(3);
    let error = link.probe(&probe).await.unwrap_err();
    assert!(error.is_passing(), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(45), "{:?}", begun.elapsed());
    proxy.thaw();
}
