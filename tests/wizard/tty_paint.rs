//! What is written for a frame: the terminal shows it, in few bytes.

use std::collections::HashSet;

use nofm::wizard::look::{Colours, Glyphs, Theme, Tone};
use nofm::wizard::tty::{Frame, Painter};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

/// A terminal of that many rows and columns.
fn parser(rows: u16, columns: u16) -> vt100::Parser {
    vt100::Parser::new(rows.try_into().unwrap(), columns.try_into().unwrap(), 0)
}

fn blank(columns: u16, rows: u16) -> Frame {
    Frame { buffer: Buffer::empty(Rect::new(0, 0, columns, rows)), cursor: None }
}

fn number(colour: Color) -> vt100::Color {
    let names = [
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
    names
        .iter()
        .position(|name| *name == colour)
        .map_or(vt100::Color::Default, |index| vt100::Color::Idx(u8::try_from(index).unwrap()))
}

fn assert_shows(screen: &vt100::Screen, frame: &Frame) {
    let area = frame.buffer.area;
    for y in 0..area.height {
        let mut x = 0;
        while x < area.width {
            let drawn = &frame.buffer[(x, y)];
            let shown = screen.cell(y, x).unwrap();
            let symbol = if shown.has_contents() { shown.contents() } else { " " };
            assert_eq!(symbol, drawn.symbol(), "at column {x}, row {y}");
            assert_eq!(shown.fgcolor(), number(drawn.fg), "foreground at {x}, {y}");
            assert_eq!(shown.bgcolor(), number(drawn.bg), "background at {x}, {y}");
            for (modifier, is_set) in [
                (Modifier::BOLD, shown.bold()),
                (Modifier::DIM, shown.dim()),
                (Modifier::UNDERLINED, shown.underline()),
                (Modifier::REVERSED, shown.inverse()),
            ] {
                assert_eq!(is_set, drawn.modifier.contains(modifier), "{modifier:?} at {x}, {y}");
            }
            x += if shown.is_wide() { 2 } else { 1 };
        }
    }
    assert_eq!(screen.hide_cursor(), frame.cursor.is_none());
    if let Some((x, y)) = frame.cursor {
        assert_eq!(screen.cursor_position(), (y, x));
    }
}

const COLOURS: [Color; 8] = [
    Color::Reset,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Black,
    Color::Gray,
    Color::DarkGray,
    Color::LightCyan,
];

fn a_style() -> impl Strategy<Value = Style> {
    (0..COLOURS.len(), 0..COLOURS.len(), 0..8u8).prop_map(|(fg, bg, bits)| {
        let mut style = Style::reset().fg(COLOURS[fg]).bg(COLOURS[bg]);
        // Bold and dim exclude each other, at this terminal and at others.
        for (bit, modifier) in [(1, Modifier::BOLD), (2, Modifier::UNDERLINED), (4, Modifier::REVERSED)] {
            if bits & bit != 0 {
                style = style.add_modifier(modifier);
            }
        }
        if bits == 0 { style.add_modifier(Modifier::DIM) } else { style }
    })
}

type Text = (u16, u16, String, Style);

fn some_texts() -> impl Strategy<Value = (Vec<Text>, Option<(u16, u16)>)> {
    let text = (0..30u16, 0..8u16, "[a-z ─║■äµ漢]{0,12}", a_style());
    (prop::collection::vec(text, 0..12), prop::option::of((0..30u16, 0..8u16)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_terminal_shows_the_last_of_any_frames(frames in prop::collection::vec(some_texts(), 1..6)) {
        let mut terminal = parser(8, 30);
        let mut painter = Painter::new(30, 8);
        for (texts, cursor) in frames {
            let mut frame = blank(30, 8);
            frame.cursor = cursor;
            for (x, y, text, style) in texts {
                frame.buffer.set_stringn(x, y, text, 30, style);
            }
            let mut bytes = Vec::new();
            painter.paint(frame.clone(), &mut bytes);
            terminal.process(&bytes);
            assert_shows(terminal.screen(), &frame);
            bytes.clear();
            painter.paint(frame.clone(), &mut bytes);
            prop_assert!(bytes.is_empty(), "the same frame once more wrote {bytes:?}");
        }
    }
}

#[test]
fn a_repaint_shows_the_frame_whatever_was_there() {
    let mut terminal = parser(4, 20);
    let mut painter = Painter::new(20, 4);
    let mut frame = blank(20, 4);
    frame.buffer.set_string(3, 1, "what counts", Style::new().fg(Color::Red));
    frame.cursor = Some((5, 2));
    let mut bytes = Vec::new();
    painter.paint(frame.clone(), &mut bytes);
    terminal.process(&bytes);
    terminal.process(b"\x1b[31;44m\x1b[HBroadcast message from root\r\n\r\nthe end is near\x1b[?25l");
    bytes.clear();
    painter.repaint(&mut bytes);
    terminal.process(&bytes);
    assert_shows(terminal.screen(), &frame);
}

#[test]
fn no_control_character_reaches_the_terminal_out_of_a_cell() {
    let mut frame = blank(6, 1);
    for (x, symbol) in ["\x1b", "\u{9b}", "\n", "\x1b[2J", "", "\x7f"].into_iter().enumerate() {
        frame.buffer[(u16::try_from(x).unwrap(), 0)].set_symbol(symbol);
    }
    let mut bytes = Vec::new();
    Painter::new(6, 1).paint(frame, &mut bytes);
    let mut terminal = parser(1, 6);
    terminal.process(&bytes);
    assert_eq!(terminal.screen().contents(), "???? ?");
}

#[test]
fn a_wide_glyph_that_does_not_fit_is_left_out() {
    let mut frame = blank(4, 2);
    frame.buffer[(3, 0)].set_symbol("漢");
    frame.buffer[(1, 1)].set_symbol("\u{200b}");
    frame.buffer[(2, 1)].set_symbol("x");
    let mut bytes = Vec::new();
    Painter::new(4, 2).paint(frame, &mut bytes);
    let mut terminal = parser(2, 4);
    terminal.process(&bytes);
    assert_eq!(terminal.screen().contents(), "\n  x");
}

/// A page as it is during an upgrade, of line `now` of a log.
fn page(theme: &Theme, now: usize) -> Frame {
    let mut frame = blank(80, 24);
    let buffer = &mut frame.buffer;
    buffer.set_stringn(
        0,
        0,
        format!("{:<80}", "nofm  16 of 41 servers updated"),
        80,
        theme.style(Tone::Header),
    );
    for row in 1..23u16 {
        let server = usize::from(row) + now / 40;
        let tone = [Tone::Ok, Tone::Running, Tone::Warn, Tone::Fail, Tone::Plain][server % 5];
        buffer.set_stringn(0, row, format!("│ + ums-{server:02}  done"), 30, theme.style(tone));
        let line = format!(
            "14:{:02}:{:02} unpacking package {} of 8123",
            now / 60 % 60,
            now % 60,
            now + usize::from(row)
        );
        buffer.set_stringn(30, row, line, 50, theme.style(Tone::Plain));
    }
    frame
}

fn changed(before: &Frame, after: &Frame) -> usize {
    before.buffer.content.iter().zip(&after.buffer.content).filter(|(one, other)| one != other).count()
}

#[test]
fn a_changed_cell_costs_at_most_eight_bytes_and_a_frame_sixty_four() {
    for colours in [Colours::None, Colours::Eight, Colours::Sixteen] {
        let theme = Theme::new(colours, Glyphs::Unicode);
        let mut painter = Painter::new(80, 24);
        let mut bytes = Vec::new();
        let mut before = blank(80, 24);
        for now in 0..2_000 {
            let frame = page(&theme, now * 7);
            bytes.clear();
            painter.paint(frame.clone(), &mut bytes);
            let cells = changed(&before, &frame);
            assert!(
                bytes.len() <= 8 * cells + 64,
                "{colours:?}, frame {now}: {} bytes for {cells} cells",
                bytes.len()
            );
            before = frame;
        }
    }
}

#[test]
fn a_clock_that_ticks_costs_its_own_digits() {
    let mut painter = Painter::new(80, 24);
    let mut bytes = Vec::new();
    let mut frame = blank(80, 24);
    frame.buffer.set_string(60, 0, "14:59:58", Style::new());
    painter.paint(frame.clone(), &mut bytes);
    bytes.clear();
    frame.buffer.set_string(60, 0, "14:59:59", Style::new());
    painter.paint(frame, &mut bytes);
    assert_eq!(bytes, b"\x1b[1;68H9");
}

#[test]
fn memory_is_used_again() {
    let theme = Theme::new(Colours::Sixteen, Glyphs::Unicode);
    let mut painter = Painter::new(80, 24);
    let mut bytes = Vec::with_capacity(32 * 1024);
    let capacity = bytes.capacity();
    let mut places = HashSet::new();
    let mut spare = vec![Buffer::empty(Rect::new(0, 0, 80, 24))];
    for now in 0..1_000 {
        let mut frame = Frame { buffer: spare.pop().unwrap(), cursor: None };
        frame.buffer.reset();
        frame.buffer.merge(&page(&theme, now).buffer);
        places.insert(frame.buffer.content.as_ptr());
        bytes.clear();
        spare.push(painter.paint(frame, &mut bytes));
    }
    assert!(places.len() <= 2, "{} buffers were used for one frame after the other", places.len());
    assert_eq!(bytes.capacity(), capacity);
}
