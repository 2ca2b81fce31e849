//! What is sent to Windows servers, read by a grammar of PowerShell, and calls to them, answered by a stand-in.

#![cfg(test)]

mod names;
mod protocol;
mod scripts;

use std::path::{Path, PathBuf};

use tree_sitter::{Node, Parser, Tree};

/// A text as the grammar reads it.
struct Script {
    text: String,
    tree: Tree,
}

impl Script {
    fn read(text: &str) -> Self {
        // PowerShell takes the typographic quotes for plain ones, of which the grammar knows nothing.
        let text = text
            .replace(['\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'], "'")
            .replace(['\u{201c}', '\u{201d}', '\u{201e}'], "\"");
        // It takes the units of sizes in small letters only.
        let units = ["KB", "MB", "GB", "TB"];
        let text = units.iter().fold(text, |text, unit| {
            (0..10).fold(text, |text, digit| {
                text.replace(&format!("{digit}{unit}"), &format!("{digit}{}", unit.to_lowercase()))
            })
        });
        let mut parser = Parser::new();
        parser.set_language(&tree_sitter_powershell::LANGUAGE.into()).expect("the grammar fits the parser");
        let tree = parser.parse(&text, None).expect("nothing ends it early");
        Self { text, tree }
    }

    fn of(&self, node: Node<'_>) -> &str {
        &self.text[node.byte_range()]
    }

    /// Every node, outer ones first.
    fn nodes(&self) -> Vec<Node<'_>> {
        let mut nodes = vec![self.tree.root_node()];
        let mut at = 0;
        while let Some(node) = nodes.get(at).copied() {
            nodes.extend((0..node.child_count()).filter_map(|i| node.child(i)));
            at += 1;
        }
        nodes
    }

    /// What of it is no PowerShell, with its line.
    fn faults(&self) -> Vec<String> {
        let wrong = self.nodes().into_iter().filter(|node| node.is_error() || node.is_missing());
        wrong.map(|node| format!("{}: {:?}", node.start_position().row + 1, self.of(node))).collect()
    }

    /// Its strings in single quotes, as they stand there, in order.
    fn literals(&self) -> Vec<&str> {
        let nodes = self.nodes().into_iter().filter(|node| node.kind() == "verbatim_string_characters");
        let mut found: Vec<_> = nodes.map(|node| (node.start_byte(), self.of(node))).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, text)| text).collect()
    }
}

/// Every script that is sent to a Windows server, by its file's name.
fn scripts() -> Vec<(String, String)> {
    let run = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/run");
    let folders = [run.clone(), run.join("windows")];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).expect("it is there"));
    let paths = files.map(|file| file.expect("an entry").path());
    let mut scripts: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "ps1"))
        .map(|path| (name(&path), std::fs::read_to_string(&path).expect("UTF-8")))
        .collect();
    scripts.sort();
    assert!(scripts.len() > 10, "the scripts are not where they are looked for");
    scripts
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
