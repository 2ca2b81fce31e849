//! What a server answered, as a value of the kind the profile asks for.

use super::measure::{Measured, Reading};
use crate::model::{FactId, Known, Value, VersionPattern};
use crate::profile::{Fact, FactKind, Profile};

/// Bytes of an answer that are looked at.
const ANSWER_MAX: usize = 64 * 1024;

/// What came back for a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// Exit status of a command, or status of an HTTP answer.
    pub status: i32,
    pub output: Vec<u8>,
    /// What a command said on its error output.
    pub complaint: String,
    pub http: bool,
}

/// The reading of `fact` from what came back.
pub fn read_fact(profile: &Profile, id: &FactId, raw: &Raw) -> Reading {
    let Some(fact) = profile.fact(id) else { return Reading::unknown("the profile has no such fact") };
    match value(fact, raw, &profile.version.pattern) {
        Ok(value) => Reading { known: Known::Seen, seen: Measured::Value(value) },
        Err(why) => Reading::unknown(why),
    }
}

fn value(fact: &Fact, raw: &Raw, pattern: &VersionPattern) -> Result<Value, String> {
    let text = String::from_utf8_lossy(&raw.output[..raw.output.len().min(ANSWER_MAX)]).into_owned();
    let complaint = || {
        let said = if raw.complaint.trim().is_empty() { text.trim() } else { raw.complaint.trim() };
        if said.is_empty() {
            String::new()
        } else {
            format!(": {}", crate::text::escape::safe_cut(said, 200))
        }
    };
    if raw.http && !(200..300).contains(&raw.status) {
        return Err(format!("answered HTTP status {}", raw.status));
    }
    if !raw.http && fact.kind == FactKind::YesNo && fact.pick.is_none() && fact.json.is_none() {
        return match raw.status {
            0 => Ok(Value::YesNo(true)),
            1 => Ok(Value::YesNo(false)),
            other => Err(format!("exit status {other}{}", complaint())),
        };
    }
    if !raw.http && raw.status != 0 {
        return Err(format!("exit status {}{}", raw.status, complaint()));
    }
    if raw.output.len() > ANSWER_MAX {
        return Err(format!("answered more than {} KiB", ANSWER_MAX / 1024));
    }
    let picked = match &fact.json {
        Some(path) => json(&text, path)?,
        None => vec![text.trim().to_owned()],
    };
    let picked = match &fact.pick {
        Some(regex) if fact.kind == FactKind::List => picked
            .iter()
            .flat_map(|text| regex.captures_iter(text))
            .filter_map(|groups| groups.get(1).or_else(|| groups.get(0)))
            .map(|group| group.as_str().to_owned())
            .collect(),
        Some(regex) => {
            let text = picked.first().map_or("", String::as_str);
            let groups = regex
                .captures(text)
                .ok_or_else(|| format!("`{}` does not fit the answer{}", regex.as_str(), shown(text)))?;
            vec![groups.get(1).or_else(|| groups.get(0)).map_or("", |group| group.as_str()).to_owned()]
        }
        None => picked,
    };
    if fact.kind == FactKind::List {
        let items =
            picked.iter().flat_map(|text| text.lines()).map(str::trim).filter(|item| !item.is_empty());
        return Ok(Value::List(
            items.map(|item| Value::Text(crate::text::escape::safe_cut(item, 200).into_owned())).collect(),
        ));
    }
    let text = picked.first().map_or("", |text| text.trim());
    if text.is_empty() {
        return Err("answered nothing".to_owned());
    }
    read_value(text, fact.kind, pattern)
        .ok_or_else(|| format!("what was answered cannot be read{}", shown(text)))
}

fn shown(text: &str) -> String {
    format!(": {}", crate::text::escape::safe_cut(text.trim(), 80))
}

/// Walks a dotted path; a list gives each of its items.
fn json(text: &str, path: &str) -> Result<Vec<String>, String> {
    let root: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("answered no JSON ({error}){}", shown(text)))?;
    let mut at = &root;
    for key in path.split('.') {
        let next = match key.parse::<usize>() {
            Ok(index) => at.get(index),
            Err(_) => at.get(key),
        };
        at = next.ok_or_else(|| format!("the answer has no `{path}`"))?;
    }
    let plain = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    Ok(match at {
        serde_json::Value::Array(items) => items.iter().map(plain).collect(),
        other => vec![plain(other)],
    })
}

/// `text` as a value; `None` when it cannot be read as one.
pub fn read_value(text: &str, kind: FactKind, pattern: &VersionPattern) -> Option<Value> {
    let text = text.trim();
    match kind {
        FactKind::Text => Some(Value::Text(crate::text::escape::safe_cut(text, 4096).into_owned())),
        FactKind::Number => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::Number),
        FactKind::Version => pattern.read(&crate::text::escape::safe_cut(text, 100)).map(Value::Version),
        FactKind::YesNo => match text.to_ascii_lowercase().as_str() {
            "yes" | "y" | "true" | "1" => Some(Value::YesNo(true)),
            "no" | "n" | "false" | "0" => Some(Value::YesNo(false)),
            _ => None,
        },
        FactKind::List => Some(Value::List(
            text.split([',', '\n'])
                .map(str::trim)
                .filter(|item| !item.is_empty() && *item != "none")
                .map(|item| Value::Text(crate::text::escape::safe_cut(item, 200).into_owned()))
                .collect(),
        )),
    }
}
