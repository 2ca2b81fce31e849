//! What a lab consists of, as its `lab.toml` says it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::LabError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    /// Words for the stand-ins and the answers.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    pub port: Option<Port>,
    pub kinds: Vec<Kind>,
    #[serde(default)]
    pub faults: Vec<FaultInfo>,
}

/// The port on which the farm's servers answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Port {
    /// As on real servers.
    pub usual: u16,
    /// First and last of those that are tried where it is taken.
    pub others: [u16; 2],
}

/// Servers that are alike; they are called `NAME-1`, `NAME-2` and so on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    pub name: String,
    pub label: String,
    /// As the profile calls them.
    pub roles: Vec<String>,
    /// How many there are where nothing else is asked for.
    pub count: usize,
    pub least: usize,
    pub most: usize,
    #[serde(default)]
    pub os: System,
    #[serde(default)]
    pub access: Access,
    /// Commands, by their files in `bin`.
    #[serde(default)]
    pub bin: Vec<String>,
    /// Services, by their files in `units`.
    #[serde(default)]
    pub units: Vec<String>,
    /// Services that the start of a server starts, in this order.
    #[serde(default)]
    pub boot: Vec<String>,
    /// Further files, by their paths on the server.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    #[default]
    Linux,
    /// Its commands are answered by stand-ins.
    Windows,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    #[default]
    Shell,
    /// Nobody but a person gets there.
    None,
}

/// What a fault is, for whoever chooses one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultInfo {
    pub name: String,
    /// What it does.
    pub does: String,
    /// How it ends, and what the operator does about it.
    pub ends: String,
    /// `KIND:first`, `second`, `middle` or `last`; of the whole farm where absent.
    pub on: Option<String>,
    /// What the stand-ins know it by; its name where absent.
    pub mark: Option<String>,
    /// Whether `:always` may be added.
    #[serde(default)]
    pub repeats: bool,
}

impl FaultInfo {
    pub(super) fn mark(&self) -> &str {
        self.mark.as_deref().unwrap_or(&self.name)
    }

    /// The kind and which of its servers it is about.
    pub(super) fn server(&self) -> Option<(&str, Which)> {
        let (kind, which) = self.on.as_deref()?.split_once(':')?;
        Some((kind, Which::parse(which)?))
    }
}

/// Which server of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    First,
    Second,
    Middle,
    Last,
}

impl Which {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "first" => Self::First,
            "second" => Self::Second,
            "middle" => Self::Middle,
            "last" => Self::Last,
            _ => return None,
        })
    }

    /// Its index among `count` servers, where there is one.
    pub(super) fn index(self, count: usize) -> Option<usize> {
        let index = match self {
            Self::First => 0,
            Self::Second => 1,
            Self::Middle => count / 2,
            Self::Last => count.checked_sub(1)?,
        };
        (index < count).then_some(index)
    }
}

impl Description {
    /// Reads the `lab.toml` of the lab that is known as `lab`.
    pub(super) fn parse(lab: &str, text: &str) -> Result<Self, LabError> {
        let wrong = |why: String| LabError::Description { lab: lab.to_owned(), why };
        let description: Self = toml::from_str(text).map_err(|error| wrong(error.to_string()))?;
        description.check().map_err(wrong)?;
        Ok(description)
    }

    fn check(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for kind in &self.kinds {
            if !is_word(&kind.name) || !names.insert(&kind.name) {
                return Err(format!(
                    "the kind `{}` needs a name of its own, of small letters and `-`",
                    kind.name
                ));
            }
            if kind.roles.is_empty()
                || kind.least > kind.most
                || !(kind.least..=kind.most).contains(&kind.count)
            {
                return Err(format!(
                    "the kind `{}` needs a role, and a count between least and most",
                    kind.name
                ));
            }
            if let Some(path) = kind.files.keys().find(|path| !is_inside(path)) {
                return Err(format!("the kind `{}` has a file outside of its servers: {path}", kind.name));
            }
            if let Some(unit) = kind.boot.iter().find(|unit| !kind.units.contains(unit)) {
                return Err(format!(
                    "servers of kind `{}` start `{unit}`, which is none of their units",
                    kind.name
                ));
            }
        }
        for setting in self.settings.keys() {
            if !setting.chars().all(|c| c.is_ascii_lowercase() || c == '_') || OWN.contains(&setting.as_str())
            {
                return Err(format!(
                    "`{setting}` cannot be a setting: small letters and `_`, and none of {OWN:?}"
                ));
            }
        }
        let mut faults = BTreeSet::new();
        for fault in &self.faults {
            if !is_word(&fault.name) || !faults.insert(&fault.name) {
                return Err(format!(
                    "the fault `{}` needs a name of its own, of small letters and `-`",
                    fault.name
                ));
            }
            let known = |name: &str| self.kinds.iter().any(|kind| kind.name == name);
            if fault.on.is_some() && !fault.server().is_some_and(|(kind, _)| known(kind)) {
                return Err(format!(
                    "the fault `{}` is on `{}`; write KIND:first, second, middle or last",
                    fault.name,
                    fault.on.as_deref().unwrap_or_default()
                ));
            }
        }
        Ok(())
    }

    pub(super) fn kind(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }
}

/// What the program itself says to the stand-ins.
const OWN: [&str; 6] = ["own_path", "program", "speed", "poll", "port", "lab"];

fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// Whether a path stays within the folder that it is relative to.
pub(super) fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && std::path::Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str =
        "[[kinds]]\nname = \"app\"\nlabel = \"Servers\"\nroles = [\"app\"]\ncount = 2\nleast = 1\nmost = 5\n";

    #[test]
    fn what_is_wrong_is_said() {
        assert!(Description::parse("x", KIND).is_ok());
        for (more, word) in [
            ("boot = [\"web\"]\n", "none of their units"),
            ("files = { \"../x\" = \"\" }\n", "outside of its servers"),
            ("[settings]\nspeed = \"1\"\n", "cannot be a setting"),
            ("[[faults]]\nname = \"a\"\ndoes = \"\"\nends = \"\"\non = \"db:first\"\n", "write KIND:first"),
            ("colour = \"red\"\n", "unknown field"),
        ] {
            let wrong = Description::parse("x", &format!("{KIND}{more}")).unwrap_err().to_string();
            assert!(wrong.contains(word), "{wrong}");
        }
    }

    #[test]
    fn a_server_is_found_by_its_place_among_its_kind() {
        let indexes =
            |count| [Which::First, Which::Second, Which::Middle, Which::Last].map(|which| which.index(count));
        assert_eq!(indexes(4), [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!(indexes(1), [Some(0), None, Some(0), Some(0)]);
        assert_eq!(indexes(0), [None; 4]);
    }
}
