//! The glyphs that every console has, and what stands for them where there is only ASCII.

/// Which characters may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyphs {
    /// Light and double box lines, bars, arrows: what a Linux console's fonts have, besides foreign text as it comes.
    Unicode,
    /// ASCII alone.
    Ascii,
}

/// What a program's own pages may draw with besides ASCII; all of it is in the fonts of a Linux console.
pub const DRAWN: &str = "─│┌┐└┘├┤┬┴┼═║╔╗╚╝╠╣╦╩╬■█░▒▲▼←↑→↓•·°±≥≤";

/// The ASCII character that stands for `glyph`.
pub(super) fn ascii(glyph: char) -> &'static str {
    match glyph {
        '─' | '━' | '╌' | '┄' | '╴' | '╶' | '–' | '‐' | '‑' | '−' => "-",
        '═' | '—' => "=",
        '│' | '║' | '┃' | '╎' | '┆' | '╵' | '╷' => "|",
        '■' | '█' | '▓' | '▀' | '▄' | '▌' | '▐' => "#",
        '░' | '▒' | '·' | '…' => ".",
        '▲' | '↑' => "^",
        '▼' | '↓' => "v",
        '←' | '◄' | '◀' | '‹' | '«' | '≤' => "<",
        '→' | '►' | '▶' | '›' | '»' | '≥' => ">",
        '•' | '●' | '◆' | '×' => "*",
        '○' | '°' => "o",
        '±' => "~",
        '‘' | '’' => "'",
        '“' | '”' | '„' => "\"",
        '✗' | '✘' => "x",
        '\u{a0}' => " ",
        // Ticks, and every other box line: a corner or a crossing.
        '✓' | '✔' | '√' | '\u{2500}'..='\u{257f}' => "+",
        _ => "?",
    }
}
