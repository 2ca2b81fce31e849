//! Scripts and commands with awkward values: each is read whole, and each value is one string and nothing else.

use nofm::model::{Os, Value};
use nofm::profile::{Act, InputKind, Name, Procedure, Shell, Source, Stage, Step, Template, builtin, parse};
use nofm::text::quote;
use nofm::transport::checks::{self, ServiceAct};
use proptest::prelude::*;

use super::{Script, scripts};

const AWKWARD: &[&str] = &[
    "it's",
    "''",
    "‘a’ ‚b‛",
    "“a” \"b\"",
    "'; Remove-Item C:\\ -Recurse #",
    "$(exit 5) $env:PATH ${x} @('a')",
    "`n `' `",
    "a\nb\r\n'@\n",
    "%PATH% ^& | > < --% & {",
    "C:\\Program Files\\x\\",
    "*[a]?",
    "",
    "ü \u{1f600} \u{202e}",
];

#[test]
fn every_script_is_read_whole() {
    for (name, text) in scripts() {
        assert_eq!(Script::read(&text).faults(), [""; 0], "{name}");
    }
}

#[test]
fn a_fault_is_seen() {
    for wrong in ["if ($a) {", "'a", "Get-Item -Path (", "foreach ($a in) { }"] {
        assert!(!Script::read(wrong).faults().is_empty(), "{wrong}");
    }
}

/// What is sent to ask or to act, with `value` wherever a value goes.
fn filled(value: &str) -> Vec<String> {
    let shell = Shell::PowerShell;
    let names = [value.to_owned(), format!("{value}?")];
    vec![
        checks::free_space_script(shell, value),
        checks::writable_script(shell, value),
        checks::file_script(shell, value, true),
        checks::same_file_script(shell, value, value),
        checks::port_script(shell, value, 443),
        checks::services_script(shell, &names),
        checks::service_script(shell, ServiceAct::Restart, &names),
    ]
}

#[test]
fn a_value_within_a_script_is_one_string_and_changes_nothing_else() {
    for value in AWKWARD {
        let quoted = Script::read(&quote::powershell(value).expect("no NUL"));
        for (script, plain) in filled(value).iter().zip(filled("x")) {
            let (script, plain) = (Script::read(script), Script::read(&plain));
            assert_eq!(script.faults(), [""; 0], "{value:?}");
            let (literals, plain) = (script.literals(), plain.literals());
            assert_eq!(literals.len(), plain.len(), "{value:?}");
            for (literal, plain) in literals.iter().zip(plain) {
                match plain {
                    "'x'" => assert_eq!(*literal, quoted.text, "{value:?}"),
                    "'x?'" => assert!(literal.ends_with("?'"), "{value:?}: {literal}"),
                    other => assert_eq!(*literal, other, "{value:?}"),
                }
            }
        }
        let pattern = checks::files_script(Shell::PowerShell, value);
        assert_eq!(Script::read(&pattern).literals().len(), 1, "{value:?}");
    }
}

#[test]
fn scripts_without_values_are_read_whole() {
    let shell = Shell::PowerShell;
    let scripts = [
        checks::privilege_script(shell),
        checks::terminal_script(shell),
        checks::means_script(shell),
        checks::service_list_script(shell),
        checks::boot_id_script(shell),
        checks::reboot_script(shell).to_owned(),
        checks::command_script(
            shell,
            &checks::same_file_script(shell, "C:\\a", "00"),
            "setup.exe /S\nexit 3010",
        ),
    ];
    for script in scripts {
        assert_eq!(Script::read(&script).faults(), [""; 0], "{script}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn a_quoted_value_is_one_string_wherever_a_word_may_stand(
        text in any::<String>(),
        specials in "['\"‘’‚‛“”„`$(){}@#;|&<>%^\\\\ \\n-]{0,24}",
        before in prop::sample::select(vec!["Get-Item -Path ", "& ", "$a = ", "if ($a -eq ", "Write-Output 'b', "]),
    ) {
        let value = format!("{text}{specials}").replace('\0', "");
        let after = if before.starts_with("if") { ") { exit 1 }" } else { "" };
        let with = |value: &str| format!("{before}{}{after}\nWrite-Output 'end'\n", quote::powershell(value).expect("no NUL"));
        let (script, plain) = (Script::read(&with(&value)), Script::read(&with("x")));
        prop_assert_eq!(script.faults(), Vec::<String>::new());
        let quoted = Script::read(&quote::powershell(&value).expect("no NUL")).text;
        let expected: Vec<_> = plain.literals().into_iter().map(|one| if one == "'x'" { quoted.as_str() } else { one }).collect();
        prop_assert_eq!(script.literals(), expected);
    }
}

/// Every command that a profile has for Windows, with where it stands.
fn commands(profile: &nofm::profile::Profile) -> Vec<(String, Template)> {
    let mut found = Vec::new();
    for fact in &profile.facts {
        if let Source::Run(run) = &fact.source {
            found.extend(run.get(Os::Windows).map(|text| (format!("facts.{}", fact.id), text.clone())));
        }
    }
    let stages = profile.stages.iter().map(|Stage { id, steps, .. }| (format!("stages.{id}"), steps));
    let procedures =
        profile.procedures.iter().map(|Procedure { id, steps, .. }| (format!("procedures.{id}"), steps));
    for (place, steps) in stages.chain(procedures) {
        for Step { id, act, .. } in steps {
            if let Some(Act::Run(text) | Act::Attended(text)) = act.get(Os::Windows) {
                found.push((format!("{place}.{id}"), text.clone()));
            }
        }
    }
    found
}

#[test]
fn the_windows_commands_of_every_profile_are_powershell_whatever_the_values() {
    let mut count = 0;
    for (id, text) in builtin::all() {
        let profile = parse(id, text).unwrap_or_else(|wrong| panic!("{wrong}"));
        // What runs on the console is for sh.
        let windows = profile.roles.iter().any(|role| role.os.contains(&Os::Windows));
        for (place, template) in commands(&profile).into_iter().filter(|_| windows) {
            let render = |value: &str| {
                let lookup = |name: &Name| {
                    let kind = match name {
                        Name::Input(id) => profile.input(id).map(|input| input.kind),
                        _ => None,
                    };
                    Some(match (name, kind) {
                        (Name::Command(_), _) => Value::text("C:\\vendor\\setup.exe /S"),
                        (_, Some(InputKind::Number)) => Value::Number(3.0),
                        (_, Some(InputKind::YesNo)) => Value::YesNo(true),
                        (_, Some(InputKind::Hosts)) => Value::texts([value]),
                        _ => Value::text(value),
                    })
                };
                template.render(Shell::PowerShell, &lookup)
            };
            // What wants a value of another kind has none that could be awkward.
            let Ok(plain) = render("x") else { continue };
            let plain = Script::read(&plain);
            assert_eq!(plain.faults(), [""; 0], "{id}: {place}: {}", plain.text);
            count += 1;
            for value in AWKWARD {
                let script = Script::read(&render(value).expect("as before"));
                assert_eq!(script.faults(), [""; 0], "{id}: {place}: {value:?}");
                assert_eq!(script.literals().len(), plain.literals().len(), "{id}: {place}: {value:?}");
            }
        }
    }
    assert!(count > 5, "only {count} commands were looked at");
}
