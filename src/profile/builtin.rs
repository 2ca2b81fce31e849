//! The profiles that are compiled in.

/// Id and text of each.
const BUILTIN: &[(&str, &str)] = &[];

/// Every built-in profile: its id and its text.
pub fn all() -> &'static [(&'static str, &'static str)] {
    BUILTIN
}

/// The text of the built-in profile `name`: its id, or its file's name without the ending.
pub fn find(name: &str) -> Option<&'static str> {
    let id = name.replace('-', "_");
    BUILTIN.iter().find(|(known, _)| *known == id).map(|(_, text)| *text)
}
