use std::process::{Command, Stdio};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::model::{Value, VersionPattern};
use crate::profile::expr::{Complaint, Found, Kind, Name, Names};

struct N(Arc<VersionPattern>);

impl Names for N {
    fn resolve(&self, _: &[&str]) -> Result<Found, Complaint> {
        Ok(Found { name: Name::Item, kind: Kind::Text, parts: 1 })
    }

    fn pattern(&self) -> &Arc<VersionPattern> {
        &self.0
    }
}

fn template(source: &str) -> Template {
    Template::parse(source, &N(Arc::default())).expect("a template")
}

fn count(source: &str, shell: Shell) -> usize {
    misplaced(&template(source), shell).len()
}

#[test]
fn words_of_a_posix_shell_may_be_placeholders() {
    for source in [
        "{{ x }}",
        "cp {{ x }} /opt/{{ x }}/bin",
        "echo \"a\"{{ x }}'b'",
        "a=$(basename {{ x }}); echo \"$a\"",
        "echo \"$(basename {{ x }})\"",
        "echo 'it'\\''s' {{ x }}",
        "cat <<EOF\n\"text '\nEOF\necho {{ x }}",
        "cat <<-'END' && echo {{ x }}\n\tit's\n\tEND\necho {{ x }}",
        "echo a#b {{ x }} # it's a comment\necho {{ x }}",
        "echo ${a:-\"it's\"} {{ x }} $((1 + (2))) {{ x }}",
        "(cd {{ x }} && ls)\necho {{ x }}",
        "echo \\\" {{ x }} \\' {{ x }}",
        "echo `date` {{ x }}",
        "case $a in b) echo {{ x }} ;; esac",
    ] {
        assert_eq!(count(source, Shell::Sh), 0, "{source}");
    }
}

#[test]
fn what_a_posix_shell_does_not_read_as_a_word_may_not_be_one() {
    for source in [
        "echo \"{{ x }}\"",
        "echo '{{ x }}'",
        "echo \"$(echo \"{{ x }}\")\"",
        "echo `basename {{ x }}`",
        "echo \"`basename {{ x }}`\"",
        "cat <<EOF\n{{ x }}\nEOF",
        "cat <<'EOF'\n{{ x }}\nEOF",
        "cat <<EOF\nEOF {{ x }}\nEOF",
        "cat <<{{ x }}\n",
        "echo a # {{ x }}",
        "echo ${a:-{{ x }} }",
        "echo $(( {{ x }} + 1))",
        "echo \\{{ x }}",
        "echo ${{ x }}",
        "echo $'a\\'' {{ x }}",
        "su - db -c 'backup {{ x }}'",
    ] {
        assert_eq!(count(source, Shell::Sh), 1, "{source}");
    }
}

#[test]
fn words_of_powershell_may_be_placeholders() {
    for source in [
        "& {{ x }} /S",
        "Copy-Item {{ x }} -Destination {{ x }}",
        "(Join-Path {{ x }} 'bin').Length",
        "setup.exe /DIR={{ x }} -Path:{{ x }}",
        "\"it's\"; {{ x }}",
        "'a''b' + {{ x }}",
        "Write-Output \"$(Get-Item {{ x }})\"",
        "$a = @'\nit's \"\n'@\nWrite-Output {{ x }}",
        "Write-Output a # it's\nWrite-Output {{ x }}",
        "<# it's #> Write-Output {{ x }}",
        "if ({{ x }} -eq 'a') { exit 1 }",
        "@(Get-Device -Server {{ x }}).Count",
    ] {
        assert_eq!(count(source, Shell::PowerShell), 0, "{source}");
    }
}

#[test]
fn what_powershell_does_not_read_as_a_word_may_not_be_one() {
    for source in [
        "Write-Output \"{{ x }}\"",
        "Write-Output '{{ x }}'",
        "Write-Output ‘{{ x }}’",
        "Write-Output “{{ x }}”",
        "& {{ x }}\\setup.exe",
        "Write-Output 'a'{{ x }}",
        "Write-Output {{ x }}'a'",
        "Write-Output `{{ x }}",
        "$a = @'\n{{ x }}\n'@",
        "$a = @\"\n{{ x }}\n\"@",
        "# {{ x }}",
        "<# {{ x }} #>",
        "icacls --% {{ x }}",
        "Write-Output ${{ x }}",
        "Write-Output \"a\"\"{{ x }}\"",
    ] {
        assert_eq!(count(source, Shell::PowerShell), 1, "{source}");
    }
}

#[test]
fn the_right_form_is_shown() {
    let problems = misplaced(&template("echo \"dir={{ x }}/log\""), Shell::Sh);
    assert_eq!(problems[0].span, 10..17);
    assert!(
        problems[0].help.as_deref().is_some_and(|help| help.contains("\"dir=\"{{ x }}\"/log\"")),
        "{problems:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// Whatever command the reader lets through, a real shell never runs what stands in the value.
    #[test]
    fn no_command_that_is_let_through_runs_its_value(pieces in prop::collection::vec(prop::sample::select(vec![
        "{{ x }}", "{{ x }}", "'", "\"", "$(", ")", "`", "\\", " ", "\n", "echo ", "#", "${a:-", "}", "$((", "))",
        "<<EOF", "\nEOF\n", "$", "a", ";", "(", "$'", "<<-'EOF'", "case a in a)", ";; esac",
    ]), 1..14)) {
        let command = template(&pieces.concat());
        if !misplaced(&command, Shell::Sh).is_empty() {
            return Ok(());
        }
        let folder = tempfile::tempdir().expect("a folder");
        let run = format!(": >{}/ran", folder.path().display());
        let hostile = format!("'; {run}; \"$({run})\" `{run}` \\' \" #\n{run}\nEOF\n{run}\n");
        let rendered = command.render(Shell::Sh, &|_| Some(Value::text(&hostile))).expect("known");
        Command::new("sh").arg("-c").arg(rendered).current_dir(folder.path()).stdin(Stdio::null())
            .stdout(Stdio::null()).stderr(Stdio::null()).status().expect("sh runs");
        prop_assert!(!folder.path().join("ran").exists(), "{}", command.source());
    }
}

/// The strings in single quotes of a command, as a real grammar reads it; `None` where it is no PowerShell.
fn literals(text: &str) -> Option<Vec<String>> {
    // The grammar knows nothing of typographic quotes, which PowerShell takes for plain ones.
    let text = text.replace(['‘', '’', '‚', '‛'], "'").replace(['“', '”', '„'], "\"");
    let mut parser = tree_sitter::Parser::new();
    parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).expect("the grammar fits the parser");
    let tree = parser.parse(&text, None).expect("nothing ends it early");
    let (mut nodes, mut found) = (vec![tree.root_node()], Vec::new());
    while let Some(node) = nodes.pop() {
        if node.is_error() || node.is_missing() {
            return None;
        }
        if node.kind() == "verbatim_string_characters" {
            found.push((node.start_byte(), text[node.byte_range()].to_owned()));
        }
        nodes.extend((0..node.child_count()).filter_map(|i| node.child(i)));
    }
    found.sort_unstable();
    Some(found.into_iter().map(|(_, text)| text).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    /// Whatever command the reader lets through, PowerShell reads each value as one string.
    #[test]
    fn no_powershell_that_is_let_through_reads_its_value_as_anything_else(
        pieces in prop::collection::vec(prop::sample::select(vec![
            " {{ x }} ", " {{ x }}\n", "'", "\"", "$(", ")", "`", " ", "\n", "Get-Item ", " # ", "${a}", "@'\n", "\n'@\n",
            "a", "; ", "(", " -Path ", "@(", "<# ", " #>", " = ", "$a", ", ", "{ ", " }", "‘", "“",
        ]), 1..12),
    ) {
        let command = template(&pieces.concat());
        if !misplaced(&command, Shell::PowerShell).is_empty() {
            return Ok(());
        }
        let render = |value: &str| command.render(Shell::PowerShell, &|_| Some(Value::text(value))).expect("known");
        let Some(plain) = literals(&render("x")) else { return Ok(()) };
        let value = "'; calc #\"$(calc)` ‘’ “ }) <# \n'@\n";
        let quoted = literals(&crate::text::quote::powershell(value).expect("no NUL")).expect("a string").concat();
        let expected: Vec<String> =
            plain.into_iter().map(|one| if one == "'x'" { quoted.clone() } else { one }).collect();
        prop_assert_eq!(literals(&render(value)), Some(expected), "{}", command.source());
    }
}
