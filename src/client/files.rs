//! Files on this machine that an operator names.

/// The whole path of a file that is there to be read, from what was typed.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn whole_path(typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    let path = std::path::absolute(typed).map_err(|error| format!("`{typed}` is no path: {error}"))?;
    let about = std::fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    if !about.is_file() {
        return Err(format!("{} is no file", path.display()));
    }
    std::fs::File::open(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    path.into_os_string()
        .into_string()
        .map_err(|_| "the path holds bytes that are no text; rename the file".to_owned())
}
