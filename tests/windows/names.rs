//! The names in the scripts: commands that Windows PowerShell 5.1 has, and variables that somebody sets.

use std::collections::BTreeSet;

use super::{Script, scripts};

/// The commands of the modules that come with it, and are loaded by themselves.
const CMDLETS: &str = include_str!("cmdlets.txt");

/// Variables that PowerShell sets, and that nobody else may set.
const AUTOMATIC: &[&str] = &[
    "$_",
    "$args",
    "$error",
    "$executioncontext",
    "$false",
    "$foreach",
    "$home",
    "$host",
    "$input",
    "$matches",
    "$myinvocation",
    "$null",
    "$pid",
    "$profile",
    "$psboundparameters",
    "$pscmdlet",
    "$psculture",
    "$pshome",
    "$psitem",
    "$psscriptroot",
    "$pscommandpath",
    "$psversiontable",
    "$pwd",
    "$sender",
    "$shellid",
    "$stacktrace",
    "$switch",
    "$this",
    "$true",
];

/// What stands before the text of a script, from whoever sends it.
const GIVEN: &[&str] = &[
    "$nofmbytes",
    "$nofmin",
    "$nofmloader",
    "$nofmmarker",
    "$path",
    "$sum",
    "$services",
    "$stop",
    "$start",
    "$address",
    "$port",
    "$pattern",
];

struct Found {
    functions: BTreeSet<String>,
    set: BTreeSet<String>,
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

/// Variables within the node that an assignment, a loop or a parameter sets.
fn set_by<'t>(script: &'t Script, node: tree_sitter::Node<'t>) -> Vec<tree_sitter::Node<'t>> {
    let within = |node: tree_sitter::Node<'t>| {
        let range = node.byte_range();
        script.nodes().into_iter().filter(move |inner| {
            inner.kind() == "variable" && range.start <= inner.start_byte() && inner.end_byte() <= range.end
        })
    };
    match node.kind() {
        "left_assignment_expression" | "script_parameter" => within(node)
            // `$a.b = …` and `$a[b] = …` set nothing of that name.
            .filter(|variable| {
                let mut outer = variable.parent();
                while let Some(parent) = outer.filter(|parent| parent.id() != node.id()) {
                    if matches!(parent.kind(), "member_access" | "element_access") {
                        return false;
                    }
                    outer = parent.parent();
                }
                true
            })
            .collect(),
        "foreach_statement" => within(node).min_by_key(tree_sitter::Node::start_byte).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn found(scripts: &[(String, Script)]) -> Found {
    let mut found = Found { functions: BTreeSet::new(), set: BTreeSet::new() };
    for (_, script) in scripts {
        for node in script.nodes() {
            if node.kind() == "function_name" {
                found.functions.insert(lower(script.of(node)));
            }
            found.set.extend(set_by(script, node).into_iter().map(|variable| lower(script.of(variable))));
        }
    }
    found
}

fn read() -> Vec<(String, Script)> {
    scripts().into_iter().map(|(name, text)| (name, Script::read(&text))).collect()
}

#[test]
fn every_command_is_one_of_powershell_or_of_the_scripts() {
    let scripts = read();
    let own = found(&scripts).functions;
    let known: BTreeSet<String> = CMDLETS.lines().map(lower).collect();
    let mut used = BTreeSet::new();
    for (name, script) in &scripts {
        for node in script.nodes().into_iter().filter(|node| node.kind() == "command_name") {
            let command = lower(script.of(node));
            assert!(
                known.contains(&command) || own.contains(&command),
                "{name}:{}: PowerShell 5.1 has no {command}",
                node.start_position().row + 1
            );
            used.insert(command);
        }
    }
    assert!(used.contains("get-ciminstance") && used.contains("start-sleep"), "{used:?}");
    let unused: Vec<_> = own.iter().filter(|one| !used.contains(*one) && *one != "nofm").collect();
    assert!(unused.is_empty(), "nobody calls {unused:?}");
}

#[test]
fn every_variable_is_set_by_somebody_who_may() {
    let scripts = read();
    let set = found(&scripts).set;
    assert!(set.contains("$nofmout") && set.contains("$text") && set.contains("$part"), "{set:?}");
    for variable in &set {
        assert!(!AUTOMATIC.contains(&variable.as_str()), "{variable} is PowerShell's own");
    }
    for (name, script) in &scripts {
        for node in script.nodes().into_iter().filter(|node| node.kind() == "variable") {
            let variable = lower(script.of(node)).replace(['{', '}'], "");
            let is_known = AUTOMATIC.contains(&variable.as_str())
                || GIVEN.contains(&variable.as_str())
                || set.contains(&variable)
                || variable.starts_with("$env:");
            assert!(is_known, "{name}:{}: nobody sets {variable}", node.start_position().row + 1);
        }
    }
}
