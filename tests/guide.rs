//! What those who write profiles are given: it says what the checker knows, and holds as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output};

use nofm::lab::{self, LabOptions, LabSource};
use nofm::profile::{self, builtin};
use serde_json::Value;

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn nofm(args: &[&str], at: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nofm"))
        .args(args)
        .current_dir(at)
        .env("NOFM_HOME", at.join("home"))
        .output()
        .expect("the program runs")
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What the schema calls a table with this header.
fn definition(header: &str) -> Option<&'static str> {
    let inner = header.trim_matches(['[', ']']);
    let parts: Vec<&str> = inner.split('.').collect();
    Some(match (parts[0], parts.last().copied()?, parts.len()) {
        (_, "steps", _) => "step",
        (_, "forbid", _) => "forbid",
        ("version", ..) => "version",
        ("roles", _, 2) => "role",
        ("inputs", _, 2) => "input",
        ("facts", _, 2) => "fact",
        ("notices", ..) => "notice",
        ("checks", _, 1) => "check",
        ("procedures", _, 2) => "procedure",
        ("stages", _, 1) => "stage",
        ("failures", _, 1) => "failure",
        _ => return None,
    })
}

/// Every key that the checker knows, by kind of table: it names them where it meets one it does not.
fn known_keys() -> BTreeMap<&'static str, BTreeSet<String>> {
    let text = std::fs::read_to_string(folder("tests/profiles/valid/every_key.toml")).expect("the profile");
    let mut known: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let header = line.trim();
        let Some(kind) = header.starts_with('[').then(|| definition(header)).flatten() else { continue };
        let mut lines: Vec<&str> = text.lines().collect();
        lines.insert(number + 1, "zzzzzzzzzzzz = 1");
        let wrong = profile::parse("keys.toml", &lines.join("\n")).expect_err("an unknown key").to_json();
        let problem = wrong
            .as_array()
            .into_iter()
            .flatten()
            .find(|problem| problem.to_string().contains("zzzzzzzzzzzz"))
            .unwrap_or_else(|| panic!("{header}: {wrong}"));
        let help = problem["help"].as_str().unwrap_or_else(|| panic!("{problem}"));
        known.entry(kind).or_default().extend(help.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    known
}

#[test]
fn the_schema_has_the_very_keys_that_the_checker_knows() {
    let home = tempfile::tempdir().expect("a folder");
    let schema: Value = serde_json::from_str(&out(&nofm(&["profile", "schema"], home.path()))).expect("JSON");
    let known = known_keys();
    assert_eq!(known.len(), 11, "{:?}", known.keys());
    for (kind, keys) in known {
        let table = &schema["definitions"][kind];
        let listed: BTreeSet<String> = table["properties"].as_object().expect(kind).keys().cloned().collect();
        assert_eq!(listed, keys, "keys of a {kind}");
        for needed in table["required"].as_array().into_iter().flatten() {
            assert!(listed.contains(needed.as_str().expect("a key")), "{kind}: {needed}");
        }
    }
}

#[test]
fn the_guide_names_every_key_of_the_schema() {
    let home = tempfile::tempdir().expect("a folder");
    let guide = out(&nofm(&["guide", "profile"], home.path()));
    for (kind, keys) in known_keys() {
        for key in keys {
            assert!(guide.contains(&format!("- `{key}`")), "{kind}.{key}");
        }
    }
    assert!(out(&nofm(&["guide"], home.path())).contains("authoring"));
    assert_eq!(nofm(&["guide", "nothing"], home.path()).status.code(), Some(2));
}

#[test]
fn a_new_profile_passes_the_check_and_overwrites_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let new = ["profile", "new", "example_suite", "--product", r#"Example "Suite" \ HA"#];
    out(&nofm(&new, home.path()));
    let checked = out(&nofm(&["profile", "check", "example-suite.toml"], home.path()));
    assert!(checked.contains("no mistakes"), "{checked}");
    let text = std::fs::read_to_string(home.path().join("example-suite.toml")).expect("the profile");
    assert_eq!(profile::parse("new", &text).expect("right").product, r#"Example "Suite" \ HA"#);
    let again = nofm(&new, home.path());
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("--out"));
    assert_eq!(nofm(&["profile", "new", "Example Suite"], home.path()).status.code(), Some(2));
}

/// The blocks of a guide that are set as code, with the language that they are in.
fn blocks(guide: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in guide.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some((language.trim().to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

fn texts_below(path: &Path) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(path).expect("the example").flatten() {
        if entry.path().is_dir() {
            texts.extend(texts_below(&entry.path()));
        } else {
            texts.push(std::fs::read_to_string(entry.path()).expect("a text"));
        }
    }
    texts
}

#[test]
fn what_the_guide_quotes_stands_in_its_example() {
    let guide = std::fs::read_to_string(folder("assets/guide/authoring.md")).expect("the guide");
    let texts = texts_below(&folder("assets/guide/example"));
    let squeezed = |text: &str| {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    let texts: Vec<String> = texts.iter().map(|text| squeezed(text)).collect();
    let quoted: Vec<_> = blocks(&guide).into_iter().filter(|(language, _)| language == "toml").collect();
    assert!(quoted.len() >= 5, "{} blocks", quoted.len());
    for (_, block) in quoted {
        let block = squeezed(&block);
        assert!(texts.iter().any(|text| text.contains(&block)), "in no file of the example:\n{block}");
    }
}

#[test]
fn the_example_is_checked_and_rehearsed() {
    let home = tempfile::tempdir().expect("a folder");
    let profile = folder("assets/guide/example/profile.toml").display().to_string();
    let example = folder("assets/guide/example/lab").display().to_string();
    let lab = ["lab", &profile, "--lab", &example];
    let farm = home.path().join("farm").display().to_string();
    assert!(out(&nofm(&[&lab[..], &["--check"]].concat(), home.path())).contains("answers everything"));
    let rehearsed =
        nofm(&[&lab[..], &["--dir", &farm, "--headless", "--speed", "100"]].concat(), home.path());
    let said = String::from_utf8_lossy(&rehearsed.stdout).into_owned();
    let events = std::fs::read_to_string(Path::new(&farm).join("events.log")).unwrap_or_default();
    let removed = lab::remove(Path::new(&farm));
    assert_eq!(rehearsed.status.code(), Some(0), "{said}\n{events}");
    assert!(!events.contains("MISHAP"), "{events}");
    removed.expect("the farm can be removed");
}

#[test]
fn the_lab_of_every_built_in_profile_answers_all_that_it_asks() {
    for (id, text) in builtin::all() {
        let profile = profile::parse(id, text).unwrap_or_else(|wrong| panic!("{wrong}"));
        let source = LabSource::of(id).unwrap_or_else(|error| panic!("{id}: {error}"));
        let open = lab::unanswered(&profile, &source).unwrap_or_else(|error| panic!("{id}: {error}"));
        // IGEL's farm runs on Linux for real, and what is done by hand there is done with its own commands.
        if *id != "igel_ums_ha" {
            assert!(open.is_empty(), "{id}:\n{}", open.join("\n"));
        }
        assert!(lab::faults(&source).expect("faults").len() >= 5, "{id}");
        let folder = tempfile::tempdir().expect("a folder");
        lab::lay(&source, &LabOptions::new(folder.path().join("farm")))
            .unwrap_or_else(|error| panic!("{id}: {error}"));
    }
}
