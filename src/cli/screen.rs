//! Whether the full screen can be shown, and how it looks.

use super::args::{GlyphSet, Looks};
use super::say;
use crate::wizard::look::{Env, Glyphs, Theme, Wish};
use crate::wizard::tty::{Terminal, Unfit};

/// The terminal for the full screen. `None`: it is not wanted, or there is none that is fit, which is said in a line.
pub(super) fn find(plain: bool, looks: Looks) -> anyhow::Result<Option<(Terminal, Theme)>> {
    if plain {
        return Ok(None);
    }
    for name in ["NOFM_PLAIN", "ACCESSIBLE"] {
        if std::env::var_os(name).is_some_and(|value| !value.is_empty()) {
            say(&format!("Lines instead of the full screen, as {name} is set."))?;
            return Ok(None);
        }
    }
    let env = Env::read(|name| std::env::var(name).ok());
    let wish = Wish {
        glyphs: looks.glyphs.map(|glyphs| match glyphs {
            GlyphSet::Unicode => Glyphs::Unicode,
            GlyphSet::Ascii => Glyphs::Ascii,
        }),
        colour: looks.no_color.then_some(false),
    };
    match Terminal::find(&env) {
        Ok(terminal) => Ok(Some((terminal, Theme::of(&env, &wish)))),
        // Out of a pipe or into one: whoever does that wants lines and nothing else.
        Err(Unfit::NotATerminal(_)) => Ok(None),
        Err(unfit) => {
            say(&format!("Lines instead of the full screen: {unfit}."))?;
            Ok(None)
        }
    }
}
