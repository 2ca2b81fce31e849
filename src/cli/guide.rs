//! Guides for those who write profiles, and what they begin with.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde_json::Value;

use super::exit::{self, Faulty};
use super::say;
use crate::model::is_name;
use crate::profile;

const AUTHORING: &str = include_str!("../../assets/guide/authoring.md");
const PROFILE: &str = include_str!("../../assets/guide/profile.md");
const SCHEMA: &str = include_str!("../../assets/guide/profile.schema.json");
const NEW: &str = include_str!("../../assets/guide/new-profile.toml");

/// The tables of a profile, as their headers are written, and what the schema calls them.
const TABLES: &[(&str, &str)] = &[
    ("[version]", "version"),
    ("[roles.ID]", "role"),
    ("[inputs.ID]", "input"),
    ("[facts.ID]", "fact"),
    ("[[notices]]", "notice"),
    ("[[checks]]", "check"),
    ("[procedures.ID]", "procedure"),
    ("[[stages]]", "stage"),
    ("[[stages.steps]], [[procedures.ID.steps]]", "step"),
    ("[[failures]]", "failure"),
    ("[[failures.forbid]]", "forbid"),
];

pub(super) fn run(topic: Option<&str>) -> anyhow::Result<u8> {
    match topic {
        None => say("nofm guide authoring   from a vendor's document to a rehearsed profile\n\
             nofm guide profile     every key and name of the profile language")?,
        Some("authoring") => print(AUTHORING)?,
        Some("profile") => {
            print(PROFILE)?;
            print(&keys()?)?;
        }
        Some(other) => bail!(Faulty(format!("there is no guide `{other}`; there are: authoring, profile"))),
    }
    Ok(exit::DONE)
}

pub(super) fn schema() -> anyhow::Result<u8> {
    print(SCHEMA)?;
    Ok(exit::DONE)
}

/// Writes a profile to begin with, which passes the check as it is.
pub(super) fn new(id: &str, product: Option<&str>, out: Option<PathBuf>) -> anyhow::Result<u8> {
    if !is_name(id) {
        bail!(Faulty(format!(
            "`{id}` cannot be a profile's id: small letters, digits and `_`, such as `example_suite`"
        )));
    }
    let product = product.map_or_else(|| id.replace('_', " "), str::to_owned);
    if product.is_empty() || product.chars().any(char::is_control) {
        bail!(Faulty("the product's name is one line of text".to_owned()));
    }
    // It stands in a basic string.
    let quoted = product.replace('\\', r"\\").replace('"', "\\\"");
    // Quotes are fine in a comment, too.
    let text = NEW.replace("@ID@", id).replace("@PRODUCT@", &quoted);
    let path = out.unwrap_or_else(|| PathBuf::from(format!("{}.toml", id.replace('_', "-"))));
    profile::parse(&path.display().to_string(), &text).map_err(Faulty::from)?;
    let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!(Faulty(format!("{} is there already; give another file with --out", path.display())))
        }
        opened => opened.with_context(|| format!("making {}", path.display()))?,
    };
    file.write_all(text.as_bytes()).with_context(|| format!("writing {}", path.display()))?;
    say(&format!(
        "{} is written, and passes `nofm profile check` as it is. `nofm guide authoring` says how to go on.",
        path.display()
    ))?;
    Ok(exit::DONE)
}

fn print(text: &str) -> std::io::Result<()> {
    std::io::stdout().write_all(text.as_bytes())
}

/// Every key of every table, as the schema has them.
fn keys() -> anyhow::Result<String> {
    let schema: Value = serde_json::from_str(SCHEMA).context("reading the built-in schema")?;
    let mut text = String::new();
    for (header, name) in TABLES {
        let table = &schema["definitions"][name];
        let needed: Vec<&str> =
            table["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        // Writing to a string does not fail.
        let _ = write!(text, "### {header}\n\n");
        for (key, value) in table["properties"].as_object().into_iter().flatten() {
            let mark = if needed.contains(&key.as_str()) { " (required)" } else { "" };
            let words: Vec<&str> =
                value["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let words =
                if words.is_empty() { String::new() } else { format!(" One of: {}.", words.join(", ")) };
            let about = value["description"].as_str().unwrap_or_default();
            let _ = writeln!(text, "- `{key}`{mark}: {about}{words}");
        }
        text.push('\n');
    }
    Ok(text)
}
