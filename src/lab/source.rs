//! Where a lab's files come from: the program itself, or a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use include_dir::{Dir, include_dir};

use super::LabError;
use super::description::Description;

/// Those of the built-in labs, a folder each, and `common`, which every lab gets.
static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/assets/lab");
const COMMON: &str = "common";
const DESCRIPTION: &str = "lab.toml";

/// All files of a lab together are smaller: it holds scripts.
const SIZE_MOST: u64 = 64 << 20;

/// The files of a lab, by their paths within its folder.
#[derive(Clone, Debug)]
pub struct LabSource {
    /// What it is called in messages.
    name: String,
    files: BTreeMap<String, Vec<u8>>,
}

impl LabSource {
    /// The built-in lab for the profile of that id.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(profile_id: &str) -> Result<Self, LabError> {
        let id = profile_id.replace('-', "_");
        let known = profiles();
        if !known.contains(&id.as_str()) {
            return Err(LabError::NoLab { profile: profile_id.to_owned(), known: known.join(", ") });
        }
        Ok(Self { files: built_in(&id), name: id })
    }

    /// The lab in a folder.
    ///
    /// # Errors
    /// When it cannot be read, or holds more than a lab does.
    pub fn folder(path: &Path) -> Result<Self, LabError> {
        let mut files = BTreeMap::new();
        let mut room = SIZE_MOST;
        read_folder(path, "", &mut room, &mut files)?;
        Ok(Self { name: path.display().to_string(), files })
    }

    /// What every lab gets.
    pub(super) fn common() -> Self {
        Self { name: COMMON.to_owned(), files: built_in(COMMON) }
    }

    pub(super) fn description(&self) -> Result<Description, LabError> {
        Description::parse(&self.file(DESCRIPTION), &self.text(DESCRIPTION)?)
    }

    /// How a file of it is called in messages.
    fn file(&self, path: &str) -> String {
        format!("{}/{path}", self.name)
    }

    /// A file as text.
    pub(super) fn text(&self, path: &str) -> Result<String, LabError> {
        let wrong = |why: &str| LabError::Description { lab: self.file(path), why: why.to_owned() };
        let bytes = self.files.get(path).ok_or_else(|| wrong("there is no such file"))?;
        String::from_utf8(bytes.clone()).map_err(|_| wrong("it is no text in UTF-8"))
    }

    /// The files below the folder `name` of it, by their paths within that.
    pub(super) fn below<'a>(&'a self, name: &str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let prefix = format!("{name}/");
        self.files
            .iter()
            .filter_map(move |(path, bytes)| Some((path.strip_prefix(&prefix)?, bytes.as_slice())))
    }
}

/// The ids of the profiles that have a built-in lab.
pub fn profiles() -> Vec<&'static str> {
    let names = BUILT_IN.dirs().filter_map(|dir| dir.path().file_name()?.to_str());
    names.filter(|name| BUILT_IN.get_file(format!("{name}/{DESCRIPTION}")).is_some()).collect()
}

fn built_in(name: &str) -> BTreeMap<String, Vec<u8>> {
    fn add(dir: &Dir<'_>, base: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
        for file in dir.files() {
            let path = file.path().strip_prefix(base).unwrap_or(file.path());
            files.insert(path.display().to_string(), file.contents().to_vec());
        }
        for dir in dir.dirs() {
            add(dir, base, files);
        }
    }
    let mut files = BTreeMap::new();
    if let Some(dir) = BUILT_IN.get_dir(name) {
        add(dir, dir.path(), &mut files);
    }
    files
}

fn read_folder(
    path: &Path,
    within: &str,
    room: &mut u64,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), LabError> {
    let entries = fs::read_dir(path).map_err(|e| LabError::io("reading the lab in", path, e))?;
    for entry in entries {
        let entry = entry.map_err(|e| LabError::io("reading the lab in", path, e))?;
        let path = entry.path();
        let name = format!("{within}{}", entry.file_name().to_string_lossy());
        // A link may lead anywhere; a lab has no use for one.
        let kind = entry.metadata().map_err(|e| LabError::io("looking at", &path, e))?;
        if kind.is_dir() {
            read_folder(&path, &format!("{name}/"), room, files)?;
        } else if kind.is_file() {
            *room = room.checked_sub(kind.len()).ok_or_else(|| LabError::Description {
                lab: path.display().to_string(),
                why: "the files of a lab are smaller than 64 MiB together".to_owned(),
            })?;
            files.insert(name, fs::read(&path).map_err(|e| LabError::io("reading", &path, e))?);
        }
    }
    Ok(())
}
