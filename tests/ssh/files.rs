//! Files on their way to servers.

use nofm::transport::{Source, Uploaded};

use super::*;
use crate::bed::Direction;

const LENGTH: usize = 24_000_000;
const SMALL: usize = 6_000_000;
/// Bytes that a server's sshd may have taken in and not handed on when its connection ends.
const LOST: usize = 3_000_000;

fn content() -> Vec<u8> {
    // Nothing that repeats within a piece.
    (0_u32..).map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()[0]).take(LENGTH).collect()
}

async fn source(folder: &Path, length: usize) -> Arc<Source> {
    let path = folder.join("installer.bin");
    fs::write(&path, &content()[..length]).unwrap();
    Arc::new(Source::open(&path).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_transfer_goes_on_at_its_byte() {
    let mut bed = two();
    let proxy = bed.behind_proxy("ums-1");
    let link = link(&bed, "ums-1");
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path(), LENGTH).await;
    // Once the login is behind it.
    assert_eq!(said(&link, "hostname").await.unwrap(), "ums-1");
    let before = proxy.bytes(Direction::ToServer);
    let mut breaks = 0;
    let mut began_at = Vec::new();
    let begun = Instant::now();
    loop {
        if breaks < 3 {
            proxy.cut_after(Direction::ToServer, 2 * LOST);
        }
        let mut first = None;
        let sent =
            link.upload(&source, "/opt/installer.bin", &mut |there| _ = first.get_or_insert(there)).await;
        began_at.extend(first);
        match sent {
            Ok(sent) => {
                assert_eq!(sent, Uploaded::Sent);
                break;
            }
            Err(error) => {
                assert!(error.is_passing(), "{error:?}");
                breaks += 1;
            }
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{began_at:?}");
    }
    assert!(fs::read(bed.root("ums-1").join("opt/installer.bin")).unwrap() == content());
    assert!(
        breaks >= 3 && began_at.is_sorted() && began_at[1..].iter().all(|at| *at > 1_000_000),
        "{began_at:?}"
    );
    let crossed = proxy.bytes(Direction::ToServer) - before;
    let most = LENGTH + breaks * LOST + LENGTH / 20;
    assert!(crossed < most, "{crossed} bytes for a file of {LENGTH}; began at {began_at:?}");
    let again = link.upload(&source, "/opt/installer.bin", &mut |_| {}).await.unwrap();
    assert_eq!(again, Uploaded::AlreadyThere);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_servers_are_given_a_file_that_is_read_once() {
    let bed = Bed::igel(&Options { servers: 4, balancers: 2, consoles: 1, ..Options::default() });
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path(), SMALL).await;
    let names: Vec<String> = bed.servers().into_iter().map(str::to_owned).collect();
    let shared = Arc::new(Shared::new(Arc::new(Nobody)));
    let inventory = inventory(&bed, "");
    let sent = names.iter().map(|name| {
        let (link, source) = (link_of(&inventory, name, &shared), source.clone());
        tokio::spawn(async move { link.upload(&source, "/var/lib/nofm/uploads/i.bin", &mut |_| {}).await })
    });
    for one in sent.collect::<Vec<_>>() {
        assert_eq!(one.await.unwrap().unwrap(), Uploaded::Sent);
    }
    for name in &names {
        let there = fs::read(bed.root(name).join("var/lib/nofm/uploads/i.bin"));
        // In namespaces the folder is a disk of the server's own, which only the server sees.
        if let Ok(there) = there {
            assert!(there == content()[..SMALL], "{name}");
        }
    }
    // The whole of it fits into what is kept.
    assert_eq!(source.reads(), SMALL.div_ceil(256 * 1024));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_one_server_is_told_of_that_one() {
    if !Bed::namespaces_possible() {
        assert!(!rustix::process::geteuid().is_root(), "root can make namespaces");
        return;
    }
    let bed = two();
    bed.fill_disk("ums-1");
    let folder = tempfile::tempdir().unwrap();
    let source = source(folder.path(), SMALL).await;
    let full = link(&bed, "ums-1").upload(&source, "/var/lib/i.bin", &mut |_| {}).await.unwrap_err();
    assert!(matches!(full, LinkError::Refused { .. }), "{full:?}");
    assert!(full.to_string().contains("No space left"), "{full}");
    let fine = link(&bed, "ums-2").upload(&source, "/var/lib/i.bin", &mut |_| {}).await.unwrap();
    assert_eq!(fine, Uploaded::Sent);
}
