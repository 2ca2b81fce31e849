//! Tones and what they look like.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier, Style};

use super::glyphs::{Glyphs, ascii};
use super::{Env, Wish};

/// What a piece of screen means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    Plain,
    Title,
    /// The line at the head that says where the operator is.
    Header,
    /// What stands out in the header.
    HeaderMark,
    /// What must be seen first: held, read only, a question.
    Banner,
    Border,
    /// The border of the part that gets the keys.
    Focus,
    Selected,
    Ok,
    Warn,
    Fail,
    Running,
    Dim,
    /// A key in the footer or a help text.
    Key,
    Button,
    Disabled,
    /// A field that text is typed into.
    Field,
}

impl Tone {
    pub const ALL: [Self; 17] = [
        Self::Plain,
        Self::Title,
        Self::Header,
        Self::HeaderMark,
        Self::Banner,
        Self::Border,
        Self::Focus,
        Self::Selected,
        Self::Ok,
        Self::Warn,
        Self::Fail,
        Self::Running,
        Self::Dim,
        Self::Key,
        Self::Button,
        Self::Disabled,
        Self::Field,
    ];
}

/// How many colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colours {
    /// None: bold and reverse alone.
    None,
    /// The eight names that even a Linux console tells apart.
    Eight,
    /// The sixteen ANSI names.
    Sixteen,
}

/// What tones look like on one terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    colours: Colours,
    glyphs: Glyphs,
}

impl Theme {
    pub const fn new(colours: Colours, glyphs: Glyphs) -> Self {
        Self { colours, glyphs }
    }

    /// The theme for a terminal in this environment.
    pub fn of(env: &Env, wish: &Wish) -> Self {
        Self::new(env.colours(wish), env.glyphs(wish))
    }

    pub const fn colours(&self) -> Colours {
        self.colours
    }

    pub const fn glyphs(&self) -> Glyphs {
        self.glyphs
    }

    pub const fn style(&self, tone: Tone) -> Style {
        match self.colours {
            Colours::None => bare(tone),
            Colours::Eight | Colours::Sixteen => coloured(tone),
        }
    }

    /// Fits what was drawn to the terminal: to be called once, at the end of a draw.
    pub fn finish(&self, buffer: &mut Buffer) {
        for cell in &mut buffer.content {
            if self.glyphs == Glyphs::Ascii && !cell.symbol().is_ascii() {
                let first = cell.symbol().chars().next().unwrap_or(' ');
                cell.set_symbol(ascii(first));
            }
            self.fit_colours(cell);
        }
    }

    fn fit_colours(&self, cell: &mut Cell) {
        match self.colours {
            Colours::Sixteen => {
                cell.fg = named(cell.fg);
                cell.bg = named(cell.bg);
            }
            Colours::Eight => {
                let foreground = named(cell.fg);
                cell.fg = dark(foreground);
                cell.bg = dark(named(cell.bg));
                if cell.fg != foreground && cell.fg != Color::Reset {
                    cell.modifier |= Modifier::BOLD;
                }
            }
            Colours::None => {
                if !matches!(named(cell.bg), Color::Reset | Color::Black) {
                    cell.modifier |= Modifier::REVERSED;
                }
                cell.fg = Color::Reset;
                cell.bg = Color::Reset;
                cell.modifier &= Modifier::BOLD | Modifier::REVERSED;
            }
        }
    }
}

const fn bare(tone: Tone) -> Style {
    let style = Style::new();
    match tone {
        Tone::Plain | Tone::Border | Tone::Dim | Tone::Disabled | Tone::Ok => style,
        Tone::Title | Tone::Focus | Tone::Warn | Tone::Fail | Tone::Running | Tone::Key | Tone::Field => {
            style.add_modifier(Modifier::BOLD)
        }
        Tone::Header | Tone::Selected | Tone::Button => style.add_modifier(Modifier::REVERSED),
        Tone::HeaderMark | Tone::Banner => style.add_modifier(Modifier::REVERSED.union(Modifier::BOLD)),
    }
}

/// Of the eight names only, so that a Linux console and a terminal of sixteen show the same.
const fn coloured(tone: Tone) -> Style {
    let style = Style::new();
    match tone {
        Tone::Plain | Tone::Border => style,
        Tone::Title => style.add_modifier(Modifier::BOLD),
        Tone::Header => style.fg(Color::Gray).bg(Color::Blue),
        Tone::HeaderMark => style.fg(Color::Gray).bg(Color::Blue).add_modifier(Modifier::BOLD),
        Tone::Banner => style.fg(Color::Black).bg(Color::Yellow),
        Tone::Focus | Tone::Key => style.fg(Color::Cyan).add_modifier(Modifier::BOLD),
        Tone::Selected | Tone::Button => style.add_modifier(Modifier::REVERSED),
        Tone::Ok => style.fg(Color::Green),
        Tone::Warn => style.fg(Color::Yellow),
        Tone::Fail => style.fg(Color::Red).add_modifier(Modifier::BOLD),
        Tone::Running => style.fg(Color::Cyan),
        // Not a grey: in some palettes that is the background.
        Tone::Dim | Tone::Disabled => style.add_modifier(Modifier::DIM),
        Tone::Field => style.add_modifier(Modifier::UNDERLINED),
    }
}

const NAMES: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

/// The ANSI name nearest to a colour that a vendor's program asked for.
fn named(colour: Color) -> Color {
    match colour {
        Color::Indexed(index @ 0..16) => NAMES[usize::from(index)],
        Color::Indexed(index @ 16..=231) => {
            let index = index - 16;
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
            nearest(level(index / 36), level(index / 6 % 6), level(index % 6))
        }
        Color::Indexed(index @ 232..) => {
            let grey = 8 + 10 * (index - 232);
            nearest(grey, grey, grey)
        }
        Color::Rgb(red, green, blue) => nearest(red, green, blue),
        name => name,
    }
}

fn nearest(red: u8, green: u8, blue: u8) -> Color {
    let most = red.max(green).max(blue);
    let least = red.min(green).min(blue);
    if most - least < 32 {
        return match most {
            0..64 => Color::Black,
            64..160 => Color::DarkGray,
            160..224 => Color::Gray,
            224.. => Color::White,
        };
    }
    let middle = least + (most - least) / 2;
    let bit = |part: u8, value: usize| if part > middle { value } else { 0 };
    let name = bit(red, 1) + bit(green, 2) + bit(blue, 4);
    NAMES[if most > 208 { name + 8 } else { name }]
}

/// The name among the first eight that a bright one belongs to.
fn dark(colour: Color) -> Color {
    // As the dark one of black it would not be seen.
    if colour == Color::DarkGray {
        return Color::Reset;
    }
    NAMES.iter().position(|name| *name == colour).map_or(colour, |index| NAMES[index % 8])
}
