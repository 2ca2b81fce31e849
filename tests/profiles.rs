//! Profiles, inventories and answer files, right and wrong. Beside each wrong one stands what is said of it.

use std::fs;
use std::path::{Path, PathBuf};

use nofm::inventory::{Answers, Inventory};
use nofm::profile::{self, Profile};
use proptest::prelude::*;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/profiles").join(name)
}

/// Name and text of every TOML file in a folder of the corpus.
fn files(name: &str) -> Vec<(String, String)> {
    let mut files: Vec<_> = fs::read_dir(folder(name))
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a text"))
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no files in {name}");
    files
}

fn every_key() -> Profile {
    let text = fs::read_to_string(folder("valid/every_key.toml")).expect("the profile");
    profile::parse("every_key.toml", &text).unwrap_or_else(|wrong| panic!("{wrong}"))
}

fn snapshot(folder_name: &str, parse: impl Fn(&str, &str) -> String) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder(folder_name));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, text) in files(folder_name) {
        let said = parse(&name, &text);
        settings.bind(|| insta::assert_snapshot!(name.trim_end_matches(".toml"), said));
    }
}

#[test]
fn right_profiles_are_accepted() {
    for (name, text) in files("valid") {
        let parsed = profile::parse(&name, &text).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(format!("{}.toml", parsed.id), name);
    }
}

#[test]
fn every_mistake_in_wrong_profiles_is_shown_at_its_place() {
    snapshot("invalid", |name, text| match profile::parse(name, text) {
        Ok(_) => panic!("{name} has no mistake"),
        Err(wrong) => wrong.to_string(),
    });
}

#[test]
fn every_mistake_in_wrong_inventories_is_shown_at_its_place() {
    let profile = every_key();
    snapshot("inventories", |name, text| match Inventory::parse(name, text, Path::new("/farm")) {
        Ok(inventory) => {
            let wrong = inventory.fit(&profile);
            assert!(!wrong.is_empty(), "{name} has no mistake");
            wrong.to_string()
        }
        Err(wrong) => wrong.to_string(),
    });
}

#[test]
fn every_mistake_in_wrong_answers_is_shown_at_its_place() {
    let profile = every_key();
    snapshot("answers", |name, text| match Answers::parse(name, text, Some(&profile)) {
        Ok(_) => panic!("{name} has no mistake"),
        Err(wrong) => wrong.to_string(),
    });
}

/// Every key that the reference knows is in the valid profile, so that none is forgotten by the parser.
#[test]
fn every_key_of_the_language_is_used() {
    let text = fs::read_to_string(folder("valid/every_key.toml")).expect("the profile");
    let used = keys(&toml::Value::Table(text.parse().expect("TOML")));
    for key in "nofm id product target pattern instead label count os access version registered detect services keep-up \
        kind per default choices help when optional roles unsure at run http value ask json match text page confirm \
        banner title that free-space path need clock-skew port writable privilege file younger min same-as severity \
        phase remedy fix steps at-a-time first last gates soak tally leave-out attended manual upload service wait \
        every progress collect use with on needs done exit has lacks once no-return repeat required expect late \
        timeout tells stages offer after recover undoes then forbid act why lifted-by cite linux unix windows"
        .split_whitespace()
    {
        assert!(used.contains(&key.to_owned()), "`{key}` is not used");
    }
}

fn keys(value: &toml::Value) -> Vec<String> {
    match value {
        toml::Value::Table(table) => {
            table.iter().flat_map(|(key, value)| std::iter::once(key.clone()).chain(keys(value))).collect()
        }
        toml::Value::Array(items) => items.iter().flat_map(keys).collect(),
        _ => Vec::new(),
    }
}

/// Taking any one line out, or breaking it, is either still right or said; nothing panics.
#[test]
fn no_damage_to_a_profile_panics() {
    let (_, text) = files("valid").remove(0);
    let lines: Vec<_> = text.lines().collect();
    let mut refused = 0;
    for index in 0..lines.len() {
        let without: Vec<_> =
            lines.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, line)| *line).collect();
        let without = without.join("\n");
        refused +=
            usize::from(profile::parse("damaged", &without).map_err(|wrong| wrong.to_string()).is_err());
    }
    assert!(refused > lines.len() / 3, "{refused} of {} were refused", lines.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_text_panics(text in any::<String>(), at in 0..2000usize, length in 0..60usize, insert in "[\\[\\]{}'\"=.a-z{} \\\\\n#-]{0,12}") {
        let _ = profile::parse("x", &text).map_err(|wrong| wrong.to_string());
        let _ = Inventory::parse("x", &text, Path::new("/")).map_err(|wrong| wrong.to_string());
        let _ = Answers::parse("x", &text, None).map_err(|wrong| wrong.to_string());
        let (_, mut right) = files("valid").remove(0);
        let start = at * 7 % right.len();
        let end = (start + length).min(right.len());
        if right.is_char_boundary(start) && right.is_char_boundary(end) {
            right.replace_range(start..end, &insert);
        }
        let _ = profile::parse("x", &right).map_err(|wrong| wrong.to_string());
    }
}
