//! The requirement rows: each is stated by elements of a profile, shown by rehearsals in memory, and fails
//! without any one of its elements.

mod after;
mod before;
pub mod farm;
mod products;
pub mod rehearsal;
pub mod scenes;
mod servers;
mod without;
mod wizard;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use nofm::profile::Profile;
use serde::Deserialize;

use without::without;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    what: String,
    elements: Vec<String>,
    tests: Vec<String>,
}

type Checker = fn(&Profile) -> Result<(), String>;

macro_rules! checkers {
    ($($module:ident::$name:ident,)*) => { &[$((stringify!($name), $module::$name as Checker)),*] };
}

/// Every rehearsal, by its name.
fn checkers() -> &'static [(&'static str, Checker)] {
    checkers![
        before::the_installer_is_everywhere_first,
        before::orphaned_entries_are_deleted_by_hand,
        before::orphaned_entries_are_deleted_by_command,
        before::the_backup_is_seen_on_the_database_host,
        before::a_backup_out_of_reach_is_told,
        before::an_older_version_is_refused,
        before::clocks_agree_within_a_minute,
        before::lost_changes_are_warned_of_all_the_while,
        before::lost_changes_are_warned_of_with_short_downtime,
        before::a_test_system_is_asked_for,
        before::any_server_may_be_the_first,
        before::the_installer_has_its_rights,
        before::the_licence_is_confirmed_first,
        before::the_requirements_are_confirmed_first,
        before::the_chosen_procedure_is_explained,
        before::the_components_are_those_of_the_inventory,
        before::the_components_are_confirmed_on_each_host,
        before::there_is_room_for_the_installer,
        before::nothing_is_installed_before_the_summary_is_agreed_to,
        before::the_installer_may_run_unattended,
        servers::the_firewall_is_reviewed_where_it_is_active,
        servers::the_firewall_has_a_page_where_there_is_windows,
        servers::each_server_is_seen_in_update_mode,
        servers::a_server_that_misses_update_mode_is_a_failure,
        servers::the_tally_is_confirmed_after_every_server,
        servers::the_tally_is_confirmed_with_short_downtime,
        servers::m_is_what_is_registered,
        servers::the_service_is_set_up_for_ad_native,
        servers::the_service_is_set_up_with_short_downtime,
        servers::without_ad_native_the_service_is_left_alone,
        servers::one_server_after_another,
        servers::one_server_after_another_with_short_downtime,
        servers::a_server_has_to_answer_with_the_new_version,
        servers::the_last_server_renews_the_schema_once,
        servers::every_server_is_waited_for_until_it_is_back,
        servers::all_servers_but_the_first_are_stopped,
        servers::a_server_that_stays_online_holds_the_first_one,
        servers::a_failed_server_is_not_left_out,
        servers::a_failed_last_server_is_not_given_up,
        servers::a_schema_that_is_not_renewed_has_guidance,
        servers::a_schema_that_is_not_renewed_at_once_has_guidance,
        servers::whoever_does_not_return_is_switched_over_by_hand,
        after::further_components_follow_the_servers,
        after::an_older_console_is_a_fault_an_older_load_balancer_a_warning,
        after::a_load_balancer_that_does_not_stop_has_a_remedy,
        after::a_load_balancer_that_stopped_needs_no_remedy,
        after::all_processes_run_at_the_end,
        after::the_productive_database_is_active_at_the_end,
        after::everything_is_updated_running_and_normal_at_the_end,
        wizard::all_prechecks_are_under_way_at_once,
        wizard::a_session_is_reviewed_moment_by_moment,
    ]
}

/// How many rows of each product there are, by the letter of their ids.
const KINDS: [(char, &str, usize); 5] = [
    ('I', "igel_ums_ha", 25),
    ('C', "citrix_provisioning", 17),
    ('A', "ca_identity_manager", 11),
    ('H', "jp1_it_desktop_management", 10),
    ('M', "imprivata_g4", 9),
];
/// Products whose rows are shown by checkers in Rust; the others are shown by scenes.
const OF_CHECKERS: &str = "igel_ums_ha";
const OF_THE_WIZARD: [&str; 6] = ["D1", "D2", "D3", "D4", "D5", "D6"];

fn rows_of(path: &Path) -> Vec<Row> {
    let rows: Rows =
        toml::from_str(&scenes::read(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    rows.rows
}

fn rows() -> Vec<Row> {
    rows_of(&scenes::tree().join("tests/rows.toml"))
}

impl Row {
    /// The product that it is a row of; `None`: it is one of the wizard.
    fn product(&self) -> Option<&'static str> {
        KINDS.iter().find(|(letter, ..)| self.id.starts_with(*letter)).map(|(_, product, _)| *product)
    }

    fn is_of_checkers(&self) -> bool {
        self.product().is_none_or(|product| product == OF_CHECKERS)
    }
}

fn igel() -> Profile {
    scenes::profile(OF_CHECKERS)
}

fn checker(name: &str) -> Option<Checker> {
    checkers().iter().find(|(known, _)| *known == name).map(|(_, checker)| *checker)
}

/// A rehearsal's outcome; a panic is one of its own.
fn outcome(
    checker: impl FnOnce(&Profile) -> Result<(), String>,
    profile: &Profile,
) -> Result<Result<(), String>, String> {
    catch_unwind(AssertUnwindSafe(|| checker(profile))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("for no reason given").to_owned()
    })
}

/// Whether `FILE::NAME` is a test of that file in this folder.
fn is_test_elsewhere(name: &str) -> bool {
    let Some((file, test)) = name.split_once("::") else { return false };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(format!("{file}.rs"));
    let source = std::fs::read_to_string(path).unwrap_or_default();
    source.contains(&format!("#[test]\nfn {test}()"))
}

#[test]
fn every_row_is_there_with_elements_and_tests_that_exist() {
    let (rows, profile) = (rows(), igel());
    let mut wrong = Vec::new();
    let mut named = BTreeSet::new();
    let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    let there =
        KINDS.iter().filter(|(_, product, _)| *product == OF_CHECKERS || products::READY.contains(product));
    let wanted =
        there.flat_map(|(letter, _, count)| (1..=*count).map(move |number| format!("{letter}{number}")));
    let wanted: Vec<String> = wanted.chain(OF_THE_WIZARD.map(str::to_owned)).collect();
    assert_eq!(ids, wanted, "the rows, in their order");
    for row in &rows {
        assert!(!row.what.is_empty() && !row.tests.is_empty(), "{} says what it is, and has a test", row.id);
        assert_eq!(row.elements.is_empty(), row.product().is_none(), "{}: elements of a profile", row.id);
        if !row.is_of_checkers() {
            continue;
        }
        wrong.extend(
            row.elements.iter().filter_map(|element| {
                without(&profile, element).err().map(|why| format!("{}: {why}", row.id))
            }),
        );
        for test in &row.tests {
            named.insert(test.as_str());
            if checker(test).is_none() && !is_test_elsewhere(test) {
                wrong.push(format!("{}: there is no test `{test}`", row.id));
            }
        }
    }
    let unused = checkers().iter().filter(|(name, _)| !named.contains(name));
    wrong.extend(unused.map(|(name, _)| format!("no row names the rehearsal `{name}`")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rehearsal_shows_its_row() {
    let profile = igel();
    let mut wrong = Vec::new();
    for (name, checker) in checkers() {
        match outcome(*checker, &profile) {
            Ok(Ok(())) => {}
            Ok(Err(why)) => wrong.push(format!("{name}: {why}")),
            Err(panic) => wrong.push(format!("{name} panics: {panic}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn no_row_holds_without_any_one_of_its_elements() {
    let profile = igel();
    let mut wrong = Vec::new();
    // Whoever fails with the whole profile proves nothing.
    let sound: BTreeSet<&str> = checkers()
        .iter()
        .filter(|(_, checker)| outcome(*checker, &profile) == Ok(Ok(())))
        .map(|(name, _)| *name)
        .collect();
    for row in rows().iter().filter(|row| row.is_of_checkers()) {
        for element in &row.elements {
            let less = without(&profile, element).unwrap_or_else(|why| panic!("{}: {why}", row.id));
            let mut fails = false;
            let tests = row.tests.iter().filter(|test| sound.contains(test.as_str()));
            for (name, checker) in tests.filter_map(|test| Some((test, checker(test)?))) {
                match outcome(checker, &less) {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => fails = true,
                    Err(panic) => {
                        wrong.push(format!("{}: {name} panics without `{element}`: {panic}", row.id));
                    }
                }
                if fails {
                    break;
                }
            }
            if !fails {
                wrong.push(format!("{}: nothing fails without `{element}`", row.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
