//! The house rules that a machine can see.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines after which a file has to be split.
const LINES_MAX: usize = 700;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(below: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(below).expect("the folder is readable") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Every source file with its room, as the path below `src` has it.
fn sources() -> Vec<(String, PathBuf, String)> {
    let src = root().join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    files.sort();
    files
        .into_iter()
        .filter_map(|path| {
            let below = path.strip_prefix(&src).expect("below src").to_owned();
            let mut parts = below.components();
            let room = parts.next()?.as_os_str().to_string_lossy().into_owned();
            parts.next()?;
            let text = fs::read_to_string(&path).expect("UTF-8");
            Some((room, path, text))
        })
        .collect()
}

/// The table of rooms at the head of `lib.rs`: room → floor.
fn floors() -> BTreeMap<String, u32> {
    let text = fs::read_to_string(root().join("src/lib.rs")).expect("lib.rs");
    text.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("//! |")?.split('|').map(str::trim);
            let floor = cells.next()?.parse().ok()?;
            let room = cells.next()?.strip_prefix("[`")?.strip_suffix("`]")?;
            Some((room.to_owned(), floor))
        })
        .collect()
}

/// The code of a line, without what stands behind `//`.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or(line)
}

/// Rooms named behind `crate::` in a line of code.
fn rooms_named(line: &str) -> Vec<String> {
    code(line)
        .split("crate::")
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect())
        .collect()
}

#[test]
fn every_room_stands_in_the_table_and_every_room_of_the_table_is_there() {
    let floors = floors();
    let text = fs::read_to_string(root().join("src/lib.rs")).expect("lib.rs");
    let declared: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(declared.len() > 10, "the rooms are declared as `pub mod`: {declared:?}");
    for room in &declared {
        assert!(floors.contains_key(*room), "room `{room}` is missing in the table of lib.rs");
    }
    assert_eq!(
        floors.len(),
        declared.len(),
        "the table of lib.rs names rooms that are not there: {floors:?}"
    );
}

#[test]
fn rooms_use_lower_floors_only() {
    let floors = floors();
    let mut wrong = Vec::new();
    for (room, path, text) in sources() {
        let own = floors[&room];
        for (number, line) in text.lines().enumerate() {
            for used in rooms_named(line) {
                match floors.get(&used) {
                    Some(floor) if used != room && *floor >= own => {
                        wrong.push(format!("{}:{}: `{room}` uses `{used}`", path.display(), number + 1));
                    }
                    Some(_) => {}
                    None => wrong.push(format!("{}:{}: `{used}` is no room", path.display(), number + 1)),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports that run upwards or sideways:\n{}", wrong.join("\n"));
}

/// `rooms` are rooms, or single files by the end of their path.
fn only_in(rooms: &[&str], words: &[&str], what: &str) {
    let mut wrong = Vec::new();
    for (room, path, text) in sources() {
        if rooms.iter().any(|place| *place == room || path.ends_with(place)) {
            continue;
        }
        let mut in_tests = false;
        for (number, line) in text.lines().enumerate() {
            in_tests |= line.trim() == "#[cfg(test)]";
            if !in_tests && !path.ends_with("tests.rs") && words.iter().any(|word| code(line).contains(word))
            {
                wrong.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{what} outside {}:\n{}", rooms.join(", "), wrong.join("\n"));
}

#[test]
fn clocks_are_read_where_things_happen_only() {
    let rooms = ["transport", "runner", "client", "lab", "plain", "cli", "wizard/run.rs"];
    only_in(&rooms, &["Instant::now", "SystemTime::now", "Timestamp::now", "Zoned::now"], "clocks are read");
}

#[test]
fn files_are_opened_in_the_rooms_for_them_only() {
    // The full screen opens its own terminal and reads who started it, and nothing else.
    let rooms =
        ["journal", "transport", "runner", "client", "lab", "cli", "wizard/tty/fit.rs", "wizard/tty/job.rs"];
    only_in(&rooms, &["std::fs", "fs::", "File::", "OpenOptions"], "files are opened");
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter(|(_, _, text)| text.lines().count() > LINES_MAX)
        .map(|(_, path, text)| format!("{} ({} lines)", path.display(), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "files over {LINES_MAX} lines: {}", long.join(", "));
}

#[test]
fn every_room_says_what_it_is_for() {
    for room in floors().keys() {
        let path = root().join("src").join(room).join("mod.rs");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(text.starts_with("//! "), "{} does not begin with what the room is for", path.display());
    }
}

#[test]
fn the_top_level_is_as_given() {
    let known = [
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "README.md",
        "assets",
        "profiles",
        "src",
        "target",
        "tests",
    ];
    for entry in fs::read_dir(root()).expect("the folder is readable") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        assert!(
            name.starts_with('.') || known.contains(&name.as_str()),
            "`{name}` does not belong at the top level"
        );
    }
    let cargo = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    let manifest: toml::Table = cargo.parse().expect("TOML");
    for library in ["ratatui", "crossterm", "tokio", "serde", "toml", "tracing-appender", "anyhow"] {
        assert!(manifest["dependencies"].get(library).is_some(), "`{library}` is one of the given libraries");
    }
}

#[test]
fn nothing_is_left_undone() {
    for (_, path, text) in sources() {
        for word in ["todo!", "unimplemented!", "FIXME", "XXX"] {
            assert!(!text.contains(word), "{} holds `{word}`", path.display());
        }
    }
}
