//! What the environment and the command line say about the terminal.

use super::{Colours, Glyphs};

/// The variables that tell about the terminal, as they were handed to the program. An empty one counts as unset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env {
    pub term: Option<String>,
    pub no_color: Option<String>,
    pub clicolor: Option<String>,
    pub clicolor_force: Option<String>,
    pub lc_all: Option<String>,
    pub lc_ctype: Option<String>,
    pub lang: Option<String>,
}

/// What the operator asked for on the command line. `None`: decide by the environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    pub glyphs: Option<Glyphs>,
    pub colour: Option<bool>,
}

impl Env {
    /// Asks `get` for each variable by its name.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| get(name).filter(|value| !value.is_empty());
        Self {
            term: get("TERM"),
            no_color: get("NO_COLOR"),
            clicolor: get("CLICOLOR"),
            clicolor_force: get("CLICOLOR_FORCE"),
            lc_all: get("LC_ALL"),
            lc_ctype: get("LC_CTYPE"),
            lang: get("LANG"),
        }
    }

    /// Whether text is UTF-8 there: the first of the three that is set decides.
    pub fn is_utf8(&self) -> bool {
        let locale = self.lc_all.as_ref().or(self.lc_ctype.as_ref()).or(self.lang.as_ref());
        locale.is_some_and(|locale| {
            let charset = locale.split('.').nth(1).unwrap_or("").split('@').next().unwrap_or("");
            charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
        })
    }

    /// The glyphs to use. A wish counts more than the locale.
    pub fn glyphs(&self, wish: &Wish) -> Glyphs {
        wish.glyphs.unwrap_or(if self.is_utf8() { Glyphs::Unicode } else { Glyphs::Ascii })
    }

    /// The colours to use at a terminal. The order is: command line, `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR`, and
    /// then what a terminal of this name can show.
    pub fn colours(&self, wish: &Wish) -> Colours {
        let can = self.can_show();
        let forced = if can == Colours::None { Colours::Eight } else { can };
        match wish.colour {
            Some(true) => return forced,
            Some(false) => return Colours::None,
            None => {}
        }
        let set = |value: &Option<String>| value.as_deref().is_some_and(|value| !value.is_empty());
        if set(&self.no_color) {
            Colours::None
        } else if set(&self.clicolor_force) && self.clicolor_force.as_deref() != Some("0") {
            forced
        } else if self.clicolor.as_deref() == Some("0") {
            Colours::None
        } else {
            can
        }
    }

    fn can_show(&self) -> Colours {
        let term = self.term.as_deref().unwrap_or("");
        let family = term.split('-').next().unwrap_or("");
        let digits = family.strip_prefix("vt").unwrap_or("");
        let is_vt = !digits.is_empty() && digits.starts_with(|first: char| first.is_ascii_digit());
        if is_vt || term.ends_with("-m") || term.ends_with("-mono") || family == "dumb" || family.is_empty() {
            Colours::None
        } else if matches!(family, "linux" | "ansi" | "cons25" | "pcansi") {
            Colours::Eight
        } else {
            Colours::Sixteen
        }
    }
}
