//! How things look.
use ratatui::style::{Color, Modifier, Style};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Dim,
    Title,
    Header,
    HeaderMark,
    Border,
    Focus,
    Selected,
    Ok,
    Warn,
    Fail,
    Running,
    Key,
    Button,
    Disabled,
    Field,
    Banner,
}

#[derive(Clone, Debug, Default)]
pub struct Theme;

impl Theme {
    pub fn style(&self, tone: Tone) -> Style {
        let plain = Style::new();
        match tone {
            Tone::Plain | Tone::Border => plain,
            Tone::Dim | Tone::Disabled => plain.add_modifier(Modifier::DIM),
            Tone::Title | Tone::Button => plain.add_modifier(Modifier::BOLD),
            Tone::Header | Tone::Selected => plain.add_modifier(Modifier::REVERSED),
            Tone::HeaderMark | Tone::Banner => {
                plain.fg(Color::Yellow).add_modifier(Modifier::BOLD | Modifier::REVERSED)
            }
            Tone::Focus | Tone::Key => plain.fg(Color::Cyan).add_modifier(Modifier::BOLD),
            Tone::Ok => plain.fg(Color::Green),
            Tone::Warn => plain.fg(Color::Yellow),
            Tone::Fail => plain.fg(Color::Red).add_modifier(Modifier::BOLD),
            Tone::Running => plain.fg(Color::Cyan),
            Tone::Field => plain.add_modifier(Modifier::UNDERLINED),
        }
    }
}
