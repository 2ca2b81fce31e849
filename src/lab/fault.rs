//! Faults that a lab can have from the start.

use std::fmt;

use super::LabError;
use super::description::{Description, FaultInfo};

/// A fault that was ordered.
#[derive(Clone, Debug)]
pub(super) struct Fault<'d> {
    pub info: &'d FaultInfo,
    /// Happens every time, not just once.
    pub always: bool,
}

impl<'d> Fault<'d> {
    /// `NAME`, or `NAME:always` where that has a meaning.
    pub(super) fn parse(text: &str, description: &'d Description) -> Result<Self, LabError> {
        let (name, always) = text.strip_suffix(":always").map_or((text, false), |name| (name, true));
        let info = description.faults.iter().find(|info| info.name == name && (info.repeats || !always));
        info.map(|info| Self { info, always }).ok_or_else(|| LabError::NoFault {
            name: text.to_owned(),
            known: description.faults.iter().map(|info| info.name.as_str()).collect::<Vec<_>>().join(", "),
        })
    }

    /// The line by which the stand-ins know it.
    pub(super) fn line(&self) -> String {
        format!("{}{}\n", self.info.mark(), if self.always { ":always" } else { "" })
    }
}

impl fmt::Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.info.name)?;
        f.write_str(if self.always { ":always" } else { "" })
    }
}
