//! The questions in the words of Windows PowerShell 5.1: texts of `assets/run/windows`, after the variables that they are
//! about.

use crate::transport::words::powershell_quoted as quoted;

pub(in crate::transport) const TOOLS: &str = include_str!("../../../assets/run/windows/tools.ps1");
const FREE_SPACE: &str = include_str!("../../../assets/run/windows/free-space.ps1");
const WRITABLE: &str = include_str!("../../../assets/run/windows/writable.ps1");
const PRIVILEGE: &str = include_str!("../../../assets/run/windows/privilege.ps1");
const MEANS: &str = include_str!("../../../assets/run/windows/means.ps1");
const FILE: &str = include_str!("../../../assets/run/windows/file.ps1");
const SAME_FILE: &str = include_str!("../../../assets/run/windows/same-file.ps1");
const PORT: &str = include_str!("../../../assets/run/windows/port.ps1");
const FILES: &str = include_str!("../../../assets/run/windows/files.ps1");
const FIND_SERVICE: &str = include_str!("../../../assets/run/windows/find-service.ps1");
const SERVICES: &str = include_str!("../../../assets/run/windows/services.ps1");
const BOOT: &str = include_str!("../../../assets/run/windows/boot.ps1");
pub(super) const REBOOT: &str = include_str!("../../../assets/run/windows/reboot.ps1");
pub(super) const SERVICE_LIST: &str = include_str!("../../../assets/run/windows/service-list.ps1");
const SERVICE_ACTS: &str = include_str!("../../../assets/run/windows/service-acts.ps1");

pub(super) fn free_space(path: &str) -> String {
    format!("$path = {}\n{FREE_SPACE}", quoted(path))
}

pub(super) fn writable(path: &str) -> String {
    format!("$path = {}\n{WRITABLE}", quoted(path))
}

pub(super) fn privilege() -> String {
    format!("{TOOLS}\n{PRIVILEGE}")
}

/// Windows has nothing that holds one beyond a connection.
pub(super) fn terminal() -> String {
    "'lacks'".to_owned()
}

pub(super) fn means() -> String {
    format!("{TOOLS}\n{MEANS}")
}

pub(super) fn file(path: &str, sum: bool) -> String {
    format!("$path = {}\n$sum = ${sum}\n{TOOLS}\n{FILE}", quoted(path))
}

/// In a scope of its own, so that the command finds nothing of it.
pub(super) fn same_file(path: &str, sum: &str) -> String {
    format!("& {{\n$path = {}\n$sum = {}\n{TOOLS}\n{SAME_FILE}}}\n", quoted(path), quoted(sum))
}

pub(super) fn port(host: &str, port: u16) -> String {
    format!("$address = {}\n$port = {port}\n{PORT}", quoted(host))
}

pub(super) fn files(path: &str) -> String {
    let mut pattern = String::new();
    for c in path.chars() {
        if matches!(c, '[' | ']' | '`') {
            pattern.push('`');
        }
        pattern.push(c);
    }
    format!("$pattern = {}\n{FILES}", quoted(&pattern))
}

pub(super) fn boot_id() -> String {
    format!("{TOOLS}\n{BOOT}")
}

pub(super) fn services(names: &[String]) -> String {
    format!("$services = {}\n{FIND_SERVICE}\n{SERVICES}", list(names))
}

pub(super) fn service_acts(stop: &[String], start: &[&String]) -> String {
    format!(
        "$stop = {}\n$start = {}\n{FIND_SERVICE}\n{SERVICE_ACTS}",
        list(stop),
        list(start.iter().copied())
    )
}

fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    format!("@({})", names.into_iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "))
}
