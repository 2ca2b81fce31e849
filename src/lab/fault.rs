//! Faults that a lab can have from the start.

use std::fmt;
use std::str::FromStr;

use super::LabError;

/// What a fault is, for whoever chooses one.
#[derive(Clone, Copy, Debug)]
pub struct FaultInfo {
    pub name: &'static str,
    /// What it does.
    pub does: &'static str,
    /// How it ends, and what the operator does about it.
    pub ends: &'static str,
    /// Whether `:always` may be added.
    pub repeats: bool,
}

/// A fault that was ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub name: &'static str,
    /// Happens every time, not just once.
    pub always: bool,
}

macro_rules! faults {
    ($($name:literal $repeats:literal $does:literal $ends:literal)*) => {
        pub(super) const ALL: &[FaultInfo] =
            &[$(FaultInfo { name: $name, does: $does, ends: $ends, repeats: $repeats }),*];
    };
}

faults! {
    "orphan" false
        "the database lists a server that does not exist"
        "the precheck stops; its fix deletes the entry"
    "clock" false
        "the clock of the second server is 90 s ahead"
        "the precheck stops; its fix sets the clock and restarts the services"
    "disk-full" false
        "the second server has 10 MB free"
        "the precheck stops until there is space: delete etc/lab/disk-full in that server's folder"
    "pending-requests" false
        "three jobs are pending"
        "the precheck warns; its fix waits until they are finished, which they are half a minute after the first look"
    "backup-missing" false
        "there is no backup of the database"
        "the precheck stops; its fix makes one"
    "install-fails-first" true
        "the installation fails half way on the first server"
        "a second attempt succeeds"
    "install-fails-middle" true
        "the installation fails half way on a server in the middle"
        "a second attempt succeeds"
    "install-fails-last" true
        "the installation fails half way on the last server, before the schema is renewed"
        "a second attempt succeeds"
    "install-never-ends" true
        "the installer of the second server hangs at 60 %"
        "it is late, and never killed; it goes on once there is a file etc/lab/go-on in that server's folder"
    "not-normal" false
        "the second server does not return to normal mode when the schema is renewed"
        "by hand on that server: umsadmin-cli server end-update-mode"
    "balancer-not-stopping" true
        "the first load balancer does not stop when the installer wants it to"
        "the recovery ends its process; a second attempt succeeds"
    "hostile-output" false
        "the installer of the first server prints escape sequences, bytes that are no text, and a very long line"
        "nothing comes of it"
    "big-output" false
        "the installer of the first server prints 100 MB"
        "nothing comes of it"
}

impl Fault {
    pub(super) fn needs_balancer(&self) -> bool {
        self.name == "balancer-not-stopping"
    }
}

impl FromStr for Fault {
    type Err = LabError;

    /// `NAME`, or `NAME:always` where that has a meaning.
    fn from_str(text: &str) -> Result<Self, LabError> {
        let (name, always) = text.strip_suffix(":always").map_or((text, false), |name| (name, true));
        ALL.iter()
            .find(|info| info.name == name && (info.repeats || !always))
            .map(|info| Self { name: info.name, always })
            .ok_or_else(|| LabError::NoFault {
                name: text.to_owned(),
                known: ALL.iter().map(|info| info.name).collect::<Vec<_>>().join(", "),
            })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        f.write_str(if self.always { ":always" } else { "" })
    }
}
