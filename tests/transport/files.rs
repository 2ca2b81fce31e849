//! Upload and fetch: whole or not at all.

use std::os::unix::fs::symlink;

use std::sync::Arc;

use nofm::transport::{self, Fetched, Uploaded};
use sha2::{Digest as _, Sha256};

use super::*;

struct Source {
    dir: tempfile::TempDir,
    bytes: Vec<u8>,
}

impl Source {
    fn new(length: usize) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
        fs::write(dir.path().join("installer.bin"), &bytes).unwrap();
        Self { dir, bytes }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("installer.bin")
    }

    fn sum(&self) -> String {
        hex(&Sha256::digest(&self.bytes))
    }

    async fn open(&self) -> Arc<transport::Source> {
        Arc::new(transport::Source::open(&self.path()).await.unwrap())
    }

    async fn to(&self, farm: &Farm, remote: &str) -> Result<Uploaded, LinkError> {
        farm.link().upload(&self.open().await, remote, &mut |_| {}).await
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_is_sent_once_and_known_again() {
    let (farm, source) = (Farm::new(), Source::new(3_000_000));
    fs::set_permissions(source.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut told = Vec::new();
    let remote = "/opt/my media/it's installer.bin";
    let opened = source.open().await;
    assert_eq!((opened.length, &opened.sha256), (3_000_000, &source.sum()));
    let sent = farm.link().upload(&opened, remote, &mut |bytes| told.push(bytes)).await.unwrap();
    assert_eq!(sent, Uploaded::Sent);
    assert_eq!(told.last(), Some(&3_000_000));
    assert!(told.is_sorted() && told.len() > 3);
    let there = farm.path(&remote[1..]);
    assert!(fs::read(&there).unwrap() == source.bytes);
    assert_eq!(fs::metadata(&there).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(source.to(&farm, remote).await.unwrap(), Uploaded::AlreadyThere);
    fs::write(&there, vec![0; 3_000_000]).unwrap();
    assert_eq!(source.to(&farm, remote).await.unwrap(), Uploaded::Sent);
    assert!(fs::read(&there).unwrap() == source.bytes);
    assert_eq!(names(&farm.path("opt/my media")), ["it's installer.bin"]);
}

/// What is left of a file that did not arrive whole.
fn parts(folder: &Path) -> Vec<String> {
    names(folder).into_iter().filter(|name| name.contains(".nofm-part") && !name.contains(".who")).collect()
}

#[tokio::test]
async fn a_copy_that_differs_takes_no_place() {
    let (farm, source) = (Farm::new(), Source::new(1_000_000));
    fs::create_dir(farm.path("opt")).unwrap();
    fs::write(farm.path("opt/x"), "old").unwrap();
    let opened = source.open().await;
    // The file changes under the hands of whoever sends it.
    fs::write(source.path(), vec![1; 1_000_000]).unwrap();
    let refused = farm.link().upload(&opened, "/opt/x", &mut |_| {}).await.unwrap_err();
    assert!(matches!(refused, LinkError::Refused { .. }), "{refused:?}");
    assert!(why(&refused).contains("SHA-256"), "{refused}");
    assert_eq!(farm.read("opt/x"), "old");
    assert_eq!(names(&farm.path("opt")), ["x"]);
}

#[tokio::test]
async fn what_arrived_before_a_connection_broke_is_not_sent_again() {
    let (farm, source) = (Farm::new(), Source::new(1_000_000));
    fs::create_dir(farm.path("opt")).unwrap();
    fs::write(farm.path("opt/x"), "old").unwrap();
    let put = ["put", "/opt/x", "1000000", &source.sum(), "600"];
    let mut there = 0;
    for more in [0, 1, 300_000, 699_000] {
        let said = farm.raw(&put, &source.bytes[there..there + more]);
        let said = text(&said.stdout);
        assert!(said.contains(&format!("S send {there}\n")), "{said}");
        there += more;
        assert!(said.contains(&format!("\nX torn {there} of 1000000 ")), "{said}");
        assert_eq!(farm.read("opt/x"), "old");
    }
    assert_eq!(parts(&farm.path("opt")).len(), 1);
    let mut told = Vec::new();
    let sent = farm.link().upload(&source.open().await, "/opt/x", &mut |bytes| told.push(bytes)).await;
    assert_eq!(sent.unwrap(), Uploaded::Sent);
    assert_eq!((told.first(), told.last()), (Some(&999_001), Some(&1_000_000)));
    assert!(fs::read(farm.path("opt/x")).unwrap() == source.bytes);
    assert_eq!(names(&farm.path("opt")), ["x"]);
}

#[tokio::test]
async fn a_part_that_does_not_fit_is_sent_anew() {
    let (farm, source) = (Farm::new(), Source::new(500_000));
    fs::create_dir(farm.path("opt")).unwrap();
    let put = ["put", "/opt/x", "500000", &source.sum(), "600"];
    farm.raw(&put, &[9; 1000]);
    let torn = source.to(&farm, "/opt/x").await.unwrap_err();
    assert!(torn.is_passing(), "{torn:?}");
    assert_eq!(source.to(&farm, "/opt/x").await.unwrap(), Uploaded::Sent);
    assert!(fs::read(farm.path("opt/x")).unwrap() == source.bytes);
    assert_eq!(names(&farm.path("opt")), ["x"]);
}

#[tokio::test]
async fn who_still_receives_is_left_alone() {
    let (farm, source) = (Farm::new(), Source::new(500_000));
    fs::create_dir(farm.path("opt")).unwrap();
    let part = farm.path(&format!("opt/.x.nofm-part.{}", source.sum()));
    fs::write(&part, &source.bytes[..1000]).unwrap();
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let born = stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap();
    let who = farm.path(&format!("opt/.x.nofm-part.{}.who", source.sum()));
    fs::write(who, format!("{} {born}\n", std::process::id())).unwrap();
    let mut told = Vec::new();
    let sent = farm.link().upload(&source.open().await, "/opt/x", &mut |bytes| told.push(bytes)).await;
    assert_eq!((sent.unwrap(), told.first()), (Uploaded::Sent, Some(&0)));
    assert!(fs::read(farm.path("opt/x")).unwrap() == source.bytes);
}

#[tokio::test]
async fn a_full_disk_is_told_and_leaves_nothing() {
    let (farm, source) = (Farm::new(), Source::new(2_000_000));
    // The real program and the real error of a full disk.
    farm.stand_in("cat", "exec /bin/cat \"$@\" > /dev/full");
    let refused = source.to(&farm, "/opt/x").await.unwrap_err();
    assert!(matches!(refused, LinkError::Refused { .. }), "{refused:?}");
    assert!(why(&refused).contains("No space left on device"), "{refused}");
    assert_eq!(names(&farm.path("opt")), Vec::<String>::new());
}

#[tokio::test]
async fn no_path_leads_out_of_the_server() {
    let (farm, source) = (Farm::new(), Source::new(10));
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    symlink(outside.path(), farm.path("away")).unwrap();
    symlink(outside.path().join("secret"), farm.path("link")).unwrap();
    fs::create_dir(farm.path("folder")).unwrap();
    let here = tempfile::tempdir().unwrap();
    for path in ["../x", "x", "/a/../../x", "/folder/", "/a\nb", "/away/secret", "/link", "/folder"] {
        let sent = source.to(&farm, path).await;
        // A link as the last part is replaced by the file, not followed: refused all the same.
        assert!(
            matches!(sent, Err(LinkError::Refused { .. } | LinkError::Invalid { .. })),
            "{path}: {sent:?}"
        );
        let got = farm.link().fetch(path, 100, &here.path().join("got")).await;
        assert!(matches!(got, Err(LinkError::Refused { .. } | LinkError::Invalid { .. })), "{path}: {got:?}");
    }
    assert_eq!(names(outside.path()), ["secret"]);
    assert_eq!(fs::read_to_string(outside.path().join("secret")).unwrap(), "secret");
    assert_eq!(names(here.path()), Vec::<String>::new());
}

#[tokio::test]
async fn the_end_of_a_file_is_fetched_as_far_as_allowed() {
    let (farm, source) = (Farm::new(), Source::new(700_001));
    let here = tempfile::tempdir().unwrap();
    let into = here.path().join("got");
    fs::write(farm.path("log"), &source.bytes).unwrap();
    for most in [10_000_000, 700_001, 700_000, 262_145, 1, 0] {
        let got = farm.link().fetch("/log", most, &into).await.unwrap();
        let bytes = most.min(700_001);
        assert_eq!(got, Fetched { bytes, of: 700_001 });
        let start = source.bytes.len() - usize::try_from(bytes).unwrap();
        assert!(fs::read(&into).unwrap() == source.bytes[start..], "{most}");
    }
    assert_eq!(fs::metadata(&into).unwrap().permissions().mode() & 0o777, 0o600);
    let absent = farm.link().fetch("/none", 1, &into).await.unwrap_err();
    assert!(why(&absent).contains("there is no /none"), "{absent}");
    assert!(Command::new("mkfifo").arg(farm.path("fifo")).status().unwrap().success());
    let fifo = farm.link().fetch("/fifo", 1, &into).await.unwrap_err();
    assert!(why(&fifo).contains("no file that can be read"), "{fifo}");
    assert_eq!(names(here.path()), ["got"]);
}
