//! Attended runs: a terminal on the server.

use nofm::transport::{RunState, Terminal};

use super::*;

const SIZE: StartOpts = StartOpts { terminal: Some(Terminal { cols: 91, rows: 33 }) };

async fn said(farm: &Farm, id: &RunId, what: &str) {
    until(what, || fs::read_to_string(farm.run_file(id, "out")).is_ok_and(|out| out.contains(what)));
    assert_eq!(farm.link().stat(id).await.unwrap(), RunState::Running);
}

#[tokio::test]
async fn a_person_types_and_the_body_reads() {
    let farm = Farm::new();
    let id = id("talk");
    let body = "tty >/dev/null && echo a terminal; stty size; printf 'name: '; read x; echo \"got <$x>\"; read y; stty size; umask; exit 4";
    farm.link().start(&id, body, SIZE).await.unwrap();
    said(&farm, &id, "name: ").await;
    farm.link().type_into(&id, b"J\xc3\xb6rg $(id) '\n").await.unwrap();
    said(&farm, &id, "got <").await;
    farm.link().resize(&id, Terminal { cols: 120, rows: 40 }).await.unwrap();
    farm.link().type_into(&id, b"\n").await.unwrap();
    let (end, out) = farm.follow(&id).await;
    let umask = Command::new("sh").args(["-c", "umask"]).output().unwrap();
    let expected = format!(
        "a terminal\r\n33 91\r\nname: Jörg $(id) '\r\ngot <Jörg $(id) '>\r\n\r\n40 120\r\n{}\r\n",
        text(&umask.stdout).trim()
    );
    assert_eq!((end, text(&out)), (RunEnd::Done { rc: 4 }, expected));
}

#[tokio::test]
async fn the_interrupt_key_reaches_the_body() {
    let farm = Farm::new();
    let id = id("interrupt");
    let body = "trap 'echo interrupted; exit 5' INT; echo ready; while [ -d root ] && [ ! -e stop ]; do sleep 0.05; done";
    farm.link().start(&id, body, SIZE).await.unwrap();
    said(&farm, &id, "ready").await;
    farm.link().type_into(&id, b"\x03").await.unwrap();
    let (end, out) = farm.follow(&id).await;
    assert_eq!(end, RunEnd::Done { rc: 5 });
    assert!(text(&out).contains("interrupted"), "{}", text(&out));
}

#[tokio::test]
async fn a_password_is_kept_nowhere() {
    let farm = Farm::new();
    let id = id("password");
    let body = "stty -echo; printf 'Password: '; read p; stty echo; echo; echo \"${#p} letters\"";
    farm.link().start(&id, body, SIZE).await.unwrap();
    said(&farm, &id, "Password: ").await;
    farm.link().type_into(&id, b"canary-7Fq\n").await.unwrap();
    let (end, out) = farm.follow(&id).await;
    assert_eq!(end, RunEnd::Done { rc: 0 });
    assert!(text(&out).contains("10 letters"), "{}", text(&out));
    let mut looked = Vec::new();
    for entry in fs::read_dir(farm.run_file(&id, "."))
        .unwrap()
        .chain(fs::read_dir(farm.path("var/lib/nofm/runs")).unwrap())
    {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            assert!(!text(&fs::read(entry.path()).unwrap()).contains("canary-7Fq"), "{entry:?}");
            looked.push(entry.file_name().into_string().unwrap());
        }
    }
    assert!(looked.contains(&"out".to_owned()) && looked.contains(&"body".to_owned()), "{looked:?}");
}

#[tokio::test]
async fn what_cannot_be_typed_into_is_refused() {
    let farm = Farm::new();
    let plain = id("plain");
    farm.link()
        .start(&plain, "while [ -d root ] && [ ! -e stop ]; do sleep 0.05; done", StartOpts::default())
        .await
        .unwrap();
    let refused = farm.link().type_into(&plain, b"x").await.unwrap_err();
    assert!(why(&refused).contains("has no terminal"), "{refused}");
    fs::write(farm.path("stop"), "").unwrap();
    farm.follow(&plain).await;
    let refused = farm.link().type_into(&plain, b"x").await.unwrap_err();
    assert!(why(&refused).contains("the run is done rc=0"), "{refused}");
    let refused = farm.link().type_into(&plain, &[b'x'; 4097]).await.unwrap_err();
    assert!(matches!(refused, LinkError::Invalid { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_server_without_a_way_to_hold_terminals_says_so_and_starts_nothing() {
    let farm = Farm::new();
    farm.stand_in("script", "exit 1");
    let refused = farm.link().start(&id("r"), "echo x > ran", SIZE).await.unwrap_err();
    assert!(matches!(refused, LinkError::Missing { .. }), "{refused:?}");
    assert!(why(&refused).contains("script (util-linux)"), "{refused}");
    assert_eq!(farm.link().stat(&id("r")).await.unwrap(), RunState::Absent);
}
