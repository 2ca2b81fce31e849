//! The rows of the products that are told as scenes.

use std::collections::BTreeSet;
use std::path::Path;

use super::scenes::{self, format::File};
use super::{KINDS, Row, is_test_elsewhere, outcome, rows, rows_of, without::without};

/// Products whose rows all have to be there.
pub const READY: [&str; 4] =
    ["citrix_provisioning", "ca_identity_manager", "jp1_it_desktop_management", "imprivata_g4"];

/// The rows of a product: those of the list, and those of a list of its own that is being written (`NOFM_ROWS`).
fn rows_of_product(product: &str) -> Vec<Row> {
    let mut all = rows();
    if let Some(path) = std::env::var_os("NOFM_ROWS") {
        all.extend(rows_of(Path::new(&path)));
    }
    all.into_iter().filter(|row| row.product() == Some(product)).collect()
}

/// Plays all scenes of a product, and each row's scenes once more without any one of its elements.
fn scenes_show_the_rows(product: &str) {
    if !READY.contains(&product) && !scenes::exists(product) {
        return;
    }
    let profile = scenes::profile(product);
    let (file, mut wrong) = scenes::scenes(product, &profile);
    let mut sound = BTreeSet::new();
    for scene in &file.scenes {
        match outcome(|profile| scenes::play(&file, scene, profile), &profile) {
            Ok(Ok(())) => {
                sound.insert(scene.name.as_str());
            }
            Ok(Err(why)) => wrong.push(format!("{}:\n{why}", scene.name)),
            Err(panic) => wrong.push(format!("{} panics: {panic}", scene.name)),
        }
    }
    let rows = rows_of_product(product);
    for row in &rows {
        wrong.extend(unshown(row, &file, &sound, &profile));
    }
    if READY.contains(&product) {
        let count = KINDS.iter().find(|(_, known, _)| *known == product).map_or(0, |(.., count)| *count);
        assert_eq!(rows.len(), count, "the rows of {product}");
        let named: BTreeSet<&str> = rows.iter().flat_map(|row| &row.tests).map(String::as_str).collect();
        let idle = file.scenes.iter().filter(|scene| !named.contains(scene.name.as_str()));
        wrong.extend(idle.map(|scene| format!("no row names the scene `{}`", scene.name)));
    }
    eprintln!(
        "{product}: {} of {} scenes come out as they say, {} rows",
        sound.len(),
        file.scenes.len(),
        rows.len()
    );
    assert!(wrong.is_empty(), "{product}: {} are wrong\n{}", wrong.len(), wrong.join("\n\n"));
}

/// What a row names and is not there, and the elements without which nothing fails.
fn unshown(row: &Row, file: &File, sound: &BTreeSet<&str>, profile: &nofm::profile::Profile) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut own = Vec::new();
    for test in &row.tests {
        match file.scenes.iter().find(|scene| scene.name == *test) {
            Some(scene) => own.extend(sound.contains(scene.name.as_str()).then_some(scene)),
            None if is_test_elsewhere(test)
                || crate::rehearsals::exists(row.product().unwrap_or_default(), test) => {}
            None => wrong.push(format!("{}: there is no scene `{test}`", row.id)),
        }
    }
    for element in &row.elements {
        let less = match without(profile, element) {
            Ok(less) => less,
            Err(why) => {
                wrong.push(format!("{}: {why}", row.id));
                continue;
            }
        };
        let fails = own.iter().any(|scene| match outcome(|less| scenes::play(file, scene, less), &less) {
            Ok(played) => played.is_err(),
            Err(panic) => {
                wrong.push(format!("{}: {} panics without `{element}`: {panic}", row.id, scene.name));
                true
            }
        });
        if !fails {
            wrong.push(format!("{}: nothing fails without `{element}`", row.id));
        }
    }
    wrong
}

#[test]
fn citrix_provisioning() {
    scenes_show_the_rows("citrix_provisioning");
}

#[test]
fn ca_identity_manager() {
    scenes_show_the_rows("ca_identity_manager");
}

#[test]
fn jp1_it_desktop_management() {
    scenes_show_the_rows("jp1_it_desktop_management");
}

#[test]
fn imprivata_g4() {
    scenes_show_the_rows("imprivata_g4");
}
