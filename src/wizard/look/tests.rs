use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

use super::*;

fn env(pairs: &[(&str, &str)]) -> Env {
    Env::read(|name| pairs.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned()))
}

#[test]
fn colours_are_decided_in_order() {
    let unsaid = Wish::default();
    let wish = |colour| Wish { colour: Some(colour), glyphs: None };
    let xterm = ("TERM", "xterm-256color");
    assert_eq!(env(&[xterm]).colours(&unsaid), Colours::Sixteen);
    assert_eq!(env(&[("TERM", "linux")]).colours(&unsaid), Colours::Eight);
    for term in ["vt100", "vt220", "xterm-mono"] {
        assert_eq!(env(&[("TERM", term)]).colours(&unsaid), Colours::None, "{term}");
    }
    assert_eq!(env(&[xterm, ("CLICOLOR", "0")]).colours(&unsaid), Colours::None);
    assert_eq!(env(&[xterm, ("CLICOLOR", "0"), ("CLICOLOR_FORCE", "1")]).colours(&unsaid), Colours::Sixteen);
    assert_eq!(env(&[("TERM", "vt220"), ("CLICOLOR_FORCE", "1")]).colours(&unsaid), Colours::Eight);
    assert_eq!(env(&[("TERM", "vt220"), ("CLICOLOR_FORCE", "0")]).colours(&unsaid), Colours::None);
    let refused = env(&[xterm, ("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]);
    assert_eq!(refused.colours(&unsaid), Colours::None);
    assert_eq!(refused.colours(&wish(true)), Colours::Sixteen);
    assert_eq!(env(&[xterm, ("NO_COLOR", "")]).colours(&unsaid), Colours::Sixteen);
    assert_eq!(env(&[xterm]).colours(&wish(false)), Colours::None);
}

#[test]
fn glyphs_follow_the_locale_unless_told() {
    let glyphs = |pairs: &[(&str, &str)]| env(pairs).glyphs(&Wish::default());
    assert_eq!(glyphs(&[("LANG", "de_DE.UTF-8")]), Glyphs::Unicode);
    assert_eq!(glyphs(&[("LANG", "C.utf8")]), Glyphs::Unicode);
    assert_eq!(glyphs(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "C")]), Glyphs::Ascii);
    assert_eq!(glyphs(&[("LANG", "de_DE@euro")]), Glyphs::Ascii);
    assert_eq!(glyphs(&[("LC_CTYPE", "en_GB.UTF-8@x"), ("LANG", "C")]), Glyphs::Unicode);
    assert_eq!(glyphs(&[]), Glyphs::Ascii);
    let wish = Wish { glyphs: Some(Glyphs::Unicode), colour: None };
    assert_eq!(env(&[("LC_ALL", "C")]).glyphs(&wish), Glyphs::Unicode);
}

fn finished(theme: &Theme, text: &str, style: Style) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 60, 1));
    buffer.set_string(0, 0, text, style);
    theme.finish(&mut buffer);
    buffer
}

#[test]
fn ascii_is_ascii_and_every_glyph_that_is_drawn_has_a_likeness() {
    let theme = Theme::new(Colours::None, Glyphs::Ascii);
    let buffer = finished(&theme, DRAWN, Style::new());
    for (cell, glyph) in buffer.content.iter().zip(DRAWN.chars()) {
        assert!(cell.symbol().is_ascii() && cell.symbol() != "?", "{glyph} is shown as {}", cell.symbol());
    }
    let foreign = finished(&theme, "Größe 漢字", Style::new());
    assert!(foreign.content.iter().all(|cell| cell.symbol().is_ascii()));
    let kept = finished(&Theme::new(Colours::None, Glyphs::Unicode), DRAWN, Style::new());
    assert_eq!(kept.content.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end(), DRAWN);
}

#[test]
fn without_colour_there_is_bold_and_reverse_alone() {
    let theme = Theme::new(Colours::None, Glyphs::Unicode);
    for tone in Tone::ALL {
        let buffer = finished(&theme, "x", theme.style(tone));
        let cell = &buffer[(0, 0)];
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{tone:?}");
        assert!((Modifier::BOLD | Modifier::REVERSED).contains(cell.modifier), "{tone:?}");
    }
    // A vendor's own selection is still seen.
    let buffer = finished(&theme, "x", Style::new().fg(Color::White).bg(Color::Blue));
    assert_eq!(buffer[(0, 0)].modifier, Modifier::REVERSED);
}

#[test]
fn what_asks_for_attention_differs_from_plain_text_in_every_theme() {
    for colours in [Colours::None, Colours::Eight, Colours::Sixteen] {
        let theme = Theme::new(colours, Glyphs::Unicode);
        for tone in
            [Tone::Selected, Tone::Fail, Tone::Warn, Tone::Focus, Tone::Key, Tone::Banner, Tone::Field]
        {
            assert_ne!(theme.style(tone), theme.style(Tone::Plain), "{tone:?} with {colours:?}");
        }
    }
}

#[test]
fn foreign_colours_become_the_nearest_name() {
    let shown = |colours, colour| {
        let buffer = finished(&Theme::new(colours, Glyphs::Unicode), "x", Style::new().fg(colour));
        (buffer[(0, 0)].fg, buffer[(0, 0)].modifier)
    };
    let plain = Modifier::empty();
    assert_eq!(shown(Colours::Sixteen, Color::Rgb(250, 10, 10)), (Color::LightRed, plain));
    assert_eq!(shown(Colours::Sixteen, Color::Rgb(0, 128, 0)), (Color::Green, plain));
    assert_eq!(shown(Colours::Sixteen, Color::Indexed(9)), (Color::LightRed, plain));
    assert_eq!(shown(Colours::Sixteen, Color::Indexed(255)), (Color::White, plain));
    assert_eq!(shown(Colours::Eight, Color::LightRed), (Color::Red, Modifier::BOLD));
    assert_eq!(shown(Colours::Eight, Color::DarkGray), (Color::Reset, plain));
    for index in 0..=255 {
        for colours in [Colours::Eight, Colours::Sixteen] {
            assert!(!matches!(shown(colours, Color::Indexed(index)).0, Color::Indexed(_) | Color::Rgb(..)));
        }
    }
}
