//! The built-in checks against real folders and stand-in commands.

use std::os::unix::fs::symlink;

use nofm::profile::Shell;
use nofm::transport::checks::{self, FileAnswer, Privilege, ServiceAct, ServiceState, Writable};
use nofm::transport::{Probe, ProbeOutput};
use sha2::{Digest as _, Sha256};

use super::*;

async fn ask(farm: &Farm, script: String) -> ProbeOutput {
    farm.link().probe(&Probe::new(script)).await.unwrap()
}

#[tokio::test]
async fn free_space_is_that_of_the_nearest_folder_there_is() {
    let farm = Farm::new();
    fs::create_dir_all(farm.path("opt/product")).unwrap();
    let real =
        checks::free_space(&ask(&farm, checks::free_space_script(Shell::Sh, "/opt/product")).await).unwrap();
    let statvfs = rustix::fs::statvfs(farm.dir.path()).unwrap();
    let expected = statvfs.f_bavail * statvfs.f_frsize;
    assert!(real.abs_diff(expected) < 2_000_000_000, "{real} {expected}");
    farm.stand_in("df", "printf '%s\\n' \"$@\" > asked; echo Filesystem; echo /dev/x 10 5 7 50% /");
    let path = "/opt/product/not/yet/it's there";
    assert_eq!(
        checks::free_space(&ask(&farm, checks::free_space_script(Shell::Sh, path)).await),
        Some(7 * 1024)
    );
    let root = farm.dir.path().display();
    assert_eq!(farm.read("asked"), format!("-Pk\n--\n{root}/opt/product\n"));
    farm.stand_in("df", "echo /dev/x 10 5 7 50% /; exit 1");
    assert_eq!(checks::free_space(&ask(&farm, checks::free_space_script(Shell::Sh, path)).await), None);
}

#[tokio::test]
async fn writable_means_that_it_was_written() {
    let farm = Farm::new();
    let writable = |path: &'static str| {
        let farm = &farm;
        async move { checks::writable(&ask(farm, checks::writable_script(Shell::Sh, path)).await) }
    };
    assert_eq!(writable("/root").await, Some(Writable::Yes));
    assert_eq!(fs::read_dir(farm.path("root")).unwrap().count(), 0, "nothing is left");
    fs::write(farm.path("root/file"), "content").unwrap();
    assert_eq!(writable("/root/file").await, Some(Writable::Yes));
    assert_eq!(farm.read("root/file"), "content");
    // Not even root can make files here.
    symlink("/proc/self", farm.path("fixed")).unwrap();
    assert!(matches!(writable("/fixed").await, Some(Writable::No(why)) if !why.is_empty()));
    assert!(matches!(writable("/none").await, Some(Writable::No(_))));
}

#[tokio::test]
async fn privilege_is_root_or_sudo_or_none() {
    let farm = Farm::new();
    let privilege = || async { checks::privilege(&ask(&farm, checks::privilege_script(Shell::Sh)).await) };
    farm.stand_in("id", "echo 0");
    assert_eq!(privilege().await, Some(Privilege::Root));
    farm.stand_in("id", "echo 1000");
    farm.stand_in("sudo", "echo 0");
    assert_eq!(privilege().await, Some(Privilege::Sudo));
    farm.stand_in("sudo", "exit 1");
    assert_eq!(privilege().await, Some(Privilege::None));
}

#[tokio::test]
async fn a_file_has_size_age_and_sum() {
    let farm = Farm::new();
    let path = "/var/backup of $(it's).db";
    fs::create_dir(farm.path("var")).unwrap();
    let look = || async { checks::file(&ask(&farm, checks::file_script(Shell::Sh, path, true)).await) };
    assert_eq!(look().await, Some(FileAnswer::Absent));
    fs::write(farm.path(&path[1..]), "content").unwrap();
    farm.stand_in("date", "case $1 in +%s) echo $(($(/bin/date +%s) + 7200)) ;; esac");
    let Some(FileAnswer::Present { size, age, sha256 }) = look().await else { panic!("absent") };
    assert_eq!((size, sha256), (7, Some(hex(&Sha256::digest("content")))));
    assert!((7200..7300).contains(&age.unwrap()), "by the server's own clock: {age:?}");
    farm.stand_in("date", "exit 1");
    let found = look().await;
    assert!(matches!(found, Some(FileAnswer::Present { age: None, .. })), "{found:?}");
    for tool in ["openssl", "sha256sum"] {
        let said = ask(&farm, checks::file_script(Shell::Sh, path, true)).await;
        assert!(matches!(checks::file(&said), Some(FileAnswer::Present { sha256: Some(_), .. })), "{said:?}");
        farm.stand_in(tool, "exit 127");
    }
    let said = ask(&farm, checks::file_script(Shell::Sh, "/var", false)).await;
    assert_eq!(checks::file(&said), None, "a folder is no file: {said:?}");
}

#[tokio::test]
async fn services_are_asked_stopped_and_started_in_order() {
    let farm = Farm::new();
    farm.stand_in(
        "systemctl",
        "case $1 in
is-active) case $2 in up) echo active ;; down) echo inactive; exit 3 ;; bad) echo failed; exit 3 ;; esac ;;
show) [ \"$4\" != gone ] || echo LoadState=not-found ;;
*) echo \"$*\" >> acts; [ \"$2\" != stuck ] ;;
esac",
    );
    let names = ["up", "down", "bad", "gone?", "up?"].map(str::to_owned);
    let said = ask(&farm, checks::services_script(Shell::Sh, &names)).await;
    let expected = [
        ServiceState::Running,
        ServiceState::Stopped,
        ServiceState::Failed,
        ServiceState::Missing,
        ServiceState::Running,
    ];
    assert_eq!(checks::services(&names, &said).as_deref(), Some(expected.as_slice()));
    let strange = ["strange".to_owned()];
    assert_eq!(
        checks::services(&strange, &ask(&farm, checks::services_script(Shell::Sh, &strange)).await),
        None
    );

    let names = ["web", "gone?", "database"].map(str::to_owned);
    let (end, _) = farm.run(&checks::service_script(Shell::Sh, ServiceAct::Restart, &names)).await;
    assert_eq!(end, RunEnd::Done { rc: 0 });
    assert_eq!(farm.read("acts"), "stop web\nstop database\nstart database\nstart web\n");
    let names = ["stuck", "web"].map(str::to_owned);
    let id = id("stuck");
    farm.link()
        .start(&id, &checks::service_script(Shell::Sh, ServiceAct::Stop, &names), StartOpts::default())
        .await
        .unwrap();
    assert_eq!(farm.follow(&id).await.0, RunEnd::Done { rc: 1 });
    assert!(farm.read("acts").ends_with("stop stuck\n"), "{}", farm.read("acts"));
}
