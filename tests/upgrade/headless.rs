//! The program itself, without a person, on a stand-in farm of its own.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A state folder; the labs in it are removed with it.
struct Home {
    folder: tempfile::TempDir,
}

struct Said {
    code: i32,
    out: String,
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = nofm::lab::remove(&self.lab());
    }
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn lab(&self) -> PathBuf {
        self.folder.path().join("labs/igel_ums_ha")
    }

    fn nofm(&self, args: &[&str]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_nofm"))
            .args(args)
            .env("NOFM_HOME", self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("nofm starts");
        let out =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Said { code: output.status.code().unwrap_or(-1), out }
    }
}

#[test]
fn the_procedure_with_short_downtime_comes_to_its_end_once_the_disk_has_space() {
    let home = Home::new();
    let blocked = home.nofm(&["lab", "igel-ums-ha", "--headless", "--fault", "disk-full", "--speed", "20"]);
    assert_eq!(blocked.code, 3, "{}", blocked.out);
    let lab = home.lab();
    fs::remove_file(lab.join("ums-2/etc/lab/disk-full")).expect("the fault of that server");
    let answers = fs::read_to_string(lab.join("answers.toml")).expect("the answers");
    let short = answers.replace("\"without_downtime\"", "\"short_downtime\"");
    assert_ne!(answers, short);
    let file = home.folder.path().join("short.toml");
    fs::write(&file, short).expect("an answer file");
    let (inventory, file) = (lab.join("inventory.toml"), file);
    let done = home.nofm(&[
        "run",
        "-p",
        "igel-ums-ha",
        "-i",
        &inventory.to_string_lossy(),
        "--answers",
        &file.to_string_lossy(),
        "--headless",
    ]);
    assert_eq!(done.code, 0, "{}", done.out);
    assert!(done.out.contains("4 of 4 servers updated"), "{}", done.out);
    let seen = fs::read_to_string(lab.join("events.log")).expect("what the stand-ins saw");
    assert!(!seen.contains("MISHAP"), "{seen}");
    assert_eq!(seen.matches("renewed the schema").count(), 1, "{seen}");
}
