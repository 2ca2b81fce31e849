//! The files a session is made from: read, checked, and every mistake told.

use std::path::{Path, PathBuf};

use super::exit::Faulty;
use crate::inventory::{Answers, Inventory};
use crate::plan::{SessionFile, Source};
use crate::profile::{self, Profile, builtin};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// A profile with the text it was read from.
pub(super) struct ReadProfile {
    pub(super) source: Source,
    pub(super) profile: Profile,
}

/// The text of the profile that `wanted` names: a file, or a built-in one.
pub(super) fn profile_source(wanted: &str) -> Result<Source, Faulty> {
    if let Some(text) = builtin::find(wanted) {
        let name = format!("{} (built in)", wanted.replace('-', "_"));
        return Ok(Source { name, text: text.to_owned() });
    }
    let path = Path::new(wanted);
    if !path.exists() {
        let known: Vec<&str> = builtin::all().iter().map(|(id, _)| *id).collect();
        return Err(Faulty(format!(
            "there is no file `{wanted}`, and no built-in profile of that name; built in are: {}",
            known.join(", ")
        )));
    }
    Ok(Source { name: wanted.to_owned(), text: text_of(path)? })
}

/// The checked profile that `wanted` names.
pub(super) fn profile(wanted: &str) -> Result<ReadProfile, Faulty> {
    let source = profile_source(wanted)?;
    let profile = profile::parse(&source.name, &source.text)?;
    Ok(ReadProfile { source, profile })
}

/// An inventory with the text it was read from and the folder its paths are below.
pub(super) struct ReadInventory {
    pub(super) source: Source,
    pub(super) inventory: Inventory,
    pub(super) base: PathBuf,
}

/// The text of the inventory at `path`, and the folder its paths are below.
pub(super) fn inventory_source(path: &Path) -> Result<(Source, PathBuf), Faulty> {
    let source = Source { name: path.display().to_string(), text: text_of(path)? };
    let whole = std::path::absolute(path).map_err(|error| Faulty(format!("{}: {error}", path.display())))?;
    Ok((source, whole.parent().unwrap_or(Path::new("/")).to_owned()))
}

/// The checked inventory at `path`.
pub(super) fn inventory(path: &Path) -> Result<ReadInventory, Faulty> {
    let (source, base) = inventory_source(path)?;
    let inventory = Inventory::parse(&source.name, &source.text, &base)?;
    Ok(ReadInventory { source, inventory, base })
}

/// The answers at `path` for `profile`; none where there is no path.
pub(super) fn answers(path: Option<&Path>, profile: &Profile) -> Result<Answers, Faulty> {
    match path {
        None => Ok(Answers::default()),
        Some(path) => Ok(Answers::parse(&path.display().to_string(), &text_of(path)?, Some(profile))?),
    }
}

/// Everything a session is made from, read and found fitting.
pub(super) struct Papers {
    pub(super) profile: ReadProfile,
    pub(super) inventory: ReadInventory,
    pub(super) answers: Answers,
}

impl Papers {
    pub(super) fn read(farm: &super::args::Farm) -> Result<Self, Faulty> {
        Self::from(&farm.profile, &farm.inventory, farm.answers.as_deref())
    }

    pub(super) fn from(profile: &str, inventory: &Path, answers: Option<&Path>) -> Result<Self, Faulty> {
        let profile = self::profile(profile)?;
        let inventory = self::inventory(inventory)?;
        inventory.inventory.fit(&profile.profile).none_or()?;
        let answers = self::answers(answers, &profile.profile)?;
        Ok(Self { profile, inventory, answers })
    }

    /// As it is kept with a session. `speed`: by how much a rehearsal's farm is faster than the vendor's.
    pub(super) fn session_file(&self, speed: f64, rehearsal: bool) -> SessionFile {
        SessionFile {
            nofm_session: 1,
            speed,
            rehearsal,
            profile: self.profile.source.clone(),
            inventory: self.inventory.source.clone(),
            base: self.inventory.base.clone(),
        }
    }
}

/// The text of a file, which may not be larger than anybody writes.
pub(super) fn text_of(path: &Path) -> Result<String, Faulty> {
    let fail = |what: String| Faulty(format!("reading {}: {what}", path.display()));
    let about = std::fs::metadata(path).map_err(|error| fail(error.to_string()))?;
    if !about.is_file() {
        return Err(fail("it is no file".to_owned()));
    }
    if about.len() > LARGEST {
        return Err(fail(format!("it is larger than {}", crate::text::size::short(LARGEST))));
    }
    let bytes = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| {
        fail(format!("it is no UTF-8 text, from byte {} on", error.utf8_error().valid_up_to()))
    })
}
