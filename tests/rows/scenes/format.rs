//! What stands in a file of scenes.

use std::collections::BTreeMap;

use nofm::engine::Measured;
use nofm::model::Value;
use nofm::text::{duration, size};
use serde::Deserialize;

use crate::sim::story::Changes;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub hosts: Vec<Host>,
    #[serde(default)]
    pub inputs: BTreeMap<String, toml::Value>,
    #[serde(default)]
    pub world: World,
    #[serde(default)]
    pub effects: BTreeMap<String, Effect>,
    #[serde(default)]
    pub reactions: Vec<Reaction>,
    pub scenes: Vec<Scene>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    pub name: String,
    pub roles: Vec<String>,
    #[serde(default)]
    pub os: Option<String>,
    #[serde(default)]
    pub access: Option<String>,
    #[serde(default)]
    pub inputs: BTreeMap<String, toml::Value>,
}

/// One text or several.
#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub enum Texts {
    One(String),
    More(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

impl Texts {
    pub fn all(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::More(texts) => texts,
        }
    }
}

/// Changes, as they are written.
#[derive(Deserialize, Default, Clone)]
#[serde(try_from = "toml::Table")]
pub struct World(pub Changes);

#[derive(Deserialize, Clone)]
#[serde(try_from = "toml::Table")]
pub struct Effect {
    pub takes_ms: u64,
    pub status: i32,
    pub output: String,
    pub changes: Changes,
}

#[derive(Deserialize, Clone)]
#[serde(try_from = "toml::Table")]
pub struct Reaction {
    pub when: Vec<(String, String)>,
    pub unless: Vec<(String, String)>,
    pub after_ms: u64,
    pub changes: Changes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    pub name: String,
    #[serde(default)]
    pub hosts: Option<Vec<String>>,
    #[serde(default)]
    pub inputs: BTreeMap<String, toml::Value>,
    #[serde(default)]
    pub world: World,
    #[serde(default)]
    pub effects: BTreeMap<String, Effect>,
    #[serde(default)]
    pub reactions: Vec<Reaction>,
    #[serde(default)]
    pub faults: Vec<String>,
    #[serde(default)]
    pub prepare: Vec<Prepare>,
    #[serde(default)]
    pub questions: Vec<Question>,
    #[serde(default)]
    pub unconfirmed: Vec<String>,
    pub ends: Texts,
    #[serde(default)]
    pub order: Vec<String>,
    #[serde(default)]
    pub runs: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub asks: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub never: Vec<String>,
    #[serde(default)]
    pub together: Vec<Vec<String>>,
    #[serde(default)]
    pub blocked: BTreeMap<String, Texts>,
    #[serde(default)]
    pub warned: BTreeMap<String, Texts>,
    #[serde(default)]
    pub still: Option<BTreeMap<String, Texts>>,
    #[serde(default)]
    pub refused: BTreeMap<String, Texts>,
    #[serde(default)]
    pub lacks: Vec<String>,
    #[serde(default)]
    pub notices: Vec<Notice>,
    #[serde(default)]
    pub unshown: Vec<String>,
    #[serde(default)]
    pub banners: Vec<Banner>,
    #[serde(default)]
    pub tallies: Vec<String>,
    #[serde(default)]
    pub plan: Vec<PlanLine>,
    #[serde(default)]
    pub unplanned: Vec<String>,
    #[serde(default)]
    pub commands: Vec<Command>,
    #[serde(default)]
    pub says: Texts,
    #[serde(default)]
    pub never_says: Texts,
    #[serde(default)]
    pub finish: Texts,
    #[serde(default)]
    pub never_finish: Texts,
    #[serde(default)]
    pub bans: BTreeMap<String, Texts>,
    #[serde(default)]
    pub told: Vec<String>,
    #[serde(default)]
    pub facts: BTreeMap<String, Scalar>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prepare {
    #[serde(default)]
    pub fix: Option<String>,
    #[serde(default)]
    pub waive: Option<String>,
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub world: Option<World>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub about: String,
    #[serde(default)]
    pub says: Texts,
    #[serde(default)]
    pub offers: Vec<String>,
    #[serde(default)]
    pub only: Option<Vec<String>>,
    #[serde(default)]
    pub never_offers: Vec<String>,
    #[serde(default)]
    pub refuses: BTreeMap<String, Texts>,
    #[serde(default)]
    pub stays: Option<String>,
    #[serde(default)]
    pub tally: Texts,
    #[serde(default)]
    pub banner: Texts,
    #[serde(default)]
    pub world: World,
    #[serde(default)]
    pub reply: Option<String>,
    #[serde(default)]
    pub text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    pub id: String,
    #[serde(default)]
    pub page: Option<String>,
    #[serde(default)]
    pub confirm: bool,
    #[serde(default)]
    pub says: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Banner {
    pub says: String,
    pub during: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanLine {
    pub at: String,
    #[serde(default)]
    pub says: Texts,
    #[serde(default)]
    pub never_says: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    pub at: String,
    #[serde(default)]
    pub has: Texts,
    #[serde(default)]
    pub lacks: Texts,
}

/// A text, or what is written without quotes.
#[derive(Deserialize)]
#[serde(try_from = "toml::Value")]
pub struct Scalar(pub String);

impl TryFrom<toml::Value> for Scalar {
    type Error = String;

    fn try_from(value: toml::Value) -> Result<Self, String> {
        scalar(&value).map(Self)
    }
}

/// A value as a command prints it.
fn scalar(value: &toml::Value) -> Result<String, String> {
    Ok(match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        toml::Value::Array(lines) => lines.iter().map(scalar).collect::<Result<Vec<_>, _>>()?.join("\n"),
        other => return Err(format!("`{other}` is neither a text nor a list of lines")),
    })
}

/// An answer to an input.
pub fn answer(value: &toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::text(text),
        toml::Value::Boolean(yes) => Value::YesNo(*yes),
        #[expect(clippy::cast_precision_loss, reason = "an answer to a person's question is small")]
        toml::Value::Integer(number) => Value::Number(*number as f64),
        toml::Value::Float(number) => Value::Number(*number),
        toml::Value::Array(items) => Value::List(items.iter().map(answer).collect::<Result<_, _>>()?),
        other => return Err(format!("`{other}` is no answer")),
    })
}

fn take_pairs(table: &mut toml::Table, key: &str) -> Result<Vec<(String, String)>, String> {
    let Some(value) = table.remove(key) else { return Ok(Vec::new()) };
    let toml::Value::Table(pairs) = value else { return Err(format!("`{key}` is a table")) };
    pairs.into_iter().map(|(name, value)| Ok((name, scalar(&value)?))).collect()
}

fn take_list(table: &mut toml::Table, key: &str) -> Result<Vec<String>, String> {
    let Some(value) = table.remove(key) else { return Ok(Vec::new()) };
    let toml::Value::Array(items) = value else { return Err(format!("`{key}` is a list")) };
    items.iter().map(scalar).collect()
}

fn take_ms(table: &mut toml::Table, key: &str, default_ms: u64) -> Result<u64, String> {
    match table.remove(key) {
        None => Ok(default_ms),
        Some(value) => {
            ms(&scalar(&value)?).and_then(|ms| u64::try_from(ms).map_err(|error| error.to_string()))
        }
    }
}

fn ms(text: &str) -> Result<i64, String> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let long = duration::parse(text).map_err(|error| format!("`{text}`: {error}"))?;
    Ok(sign * i64::try_from(long.as_millis()).map_err(|error| error.to_string())?)
}

fn done(table: &toml::Table) -> Result<(), String> {
    match table.keys().next() {
        None => Ok(()),
        Some(key) => Err(format!("there is no key `{key}` here")),
    }
}

fn file(value: &toml::Value) -> Result<Option<Measured>, String> {
    let table = match value {
        toml::Value::String(gone) if gone == "gone" => return Ok(None),
        toml::Value::Table(table) => table,
        other => return Err(format!("`{other}` is no file: it is `{{ age, size }}` or \"gone\"")),
    };
    let mut table = table.clone();
    let age_ms = match table.remove("age") {
        None => Some(60_000),
        Some(value) => Some(ms(&scalar(&value)?)?),
    };
    let size = match table.remove("size") {
        None => 1_000_000,
        Some(value) => size::parse(&scalar(&value)?).map_err(|error| error.to_string())?,
    };
    let same = match table.remove("sha256") {
        None => true,
        Some(value) => scalar(&value)? == "same",
    };
    done(&table)?;
    Ok(Some(Measured::File {
        exists: true,
        age_s: age_ms.map(|ms| ms / 1_000),
        size: Some(size),
        sha256: Some(if same { "one" } else { "other" }.to_owned()),
        expected: Some("one".to_owned()),
    }))
}

/// Takes the changes out of a table.
fn changes(table: &mut toml::Table) -> Result<Changes, String> {
    let mut changes = Changes {
        facts: take_pairs(table, "facts")?,
        adds: take_pairs(table, "adds")?,
        removes: take_pairs(table, "removes")?,
        told: take_pairs(table, "told")?,
        ..Changes::default()
    };
    // What is said of one host comes behind what is said of all.
    changes.facts.sort_by_key(|(at, _)| at.contains('@'));
    if let Some(files) = table.remove("files") {
        let toml::Value::Table(files) = files else { return Err("`files` is a table".to_owned()) };
        for (at, value) in files {
            changes.files.push((at.clone(), file(&value).map_err(|why| format!("{at}: {why}"))?));
        }
    }
    for (at, text) in take_pairs(table, "free")? {
        let bytes = size::parse(&text).map_err(|error| format!("`{text}`: {error}"))?;
        changes.free.push((at, bytes));
    }
    for (host, text) in take_pairs(table, "clocks")? {
        changes.clocks.push((host, ms(&text)?));
    }
    for (key, runs) in [("down", false), ("up", true)] {
        changes.services.extend(take_list(table, key)?.into_iter().map(|at| (at, runs)));
    }
    for (check, word) in take_pairs(table, "checks")? {
        changes.holds.push((check, word == "yes"));
    }
    Ok(changes)
}

impl TryFrom<toml::Table> for World {
    type Error = String;

    fn try_from(mut table: toml::Table) -> Result<Self, String> {
        let changes = changes(&mut table)?;
        done(&table)?;
        Ok(Self(changes))
    }
}

impl TryFrom<toml::Table> for Effect {
    type Error = String;

    fn try_from(mut table: toml::Table) -> Result<Self, String> {
        let changes = changes(&mut table)?;
        let takes_ms = take_ms(&mut table, "takes", 1_000)?;
        let status = match table.remove("status") {
            None => 0,
            Some(value) => scalar(&value)?.parse().map_err(|_| format!("`{value}` is no exit status"))?,
        };
        let output = table.remove("output").map_or(Ok(String::new()), |value| scalar(&value))?;
        done(&table)?;
        Ok(Self { takes_ms, status, output, changes })
    }
}

impl TryFrom<toml::Table> for Reaction {
    type Error = String;

    fn try_from(mut table: toml::Table) -> Result<Self, String> {
        let changes = changes(&mut table)?;
        let when = take_pairs(&mut table, "when")?;
        let unless = take_pairs(&mut table, "unless")?;
        let after_ms = take_ms(&mut table, "after", 0)?;
        done(&table)?;
        if when.is_empty() {
            return Err("a reaction needs `when`".to_owned());
        }
        Ok(Self { when, unless, after_ms, changes })
    }
}
