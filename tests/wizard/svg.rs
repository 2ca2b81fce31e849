//! A picture of the screen for the README: drawn by the same function as every frame, written as SVG.
//!
//! `NOFM_PICTURE=1 cargo test --locked the_readme_picture` writes it anew.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::pictures::failed;
use super::{frame, live};

/// Pixels of a cell.
const CELL: (usize, usize) = (9, 18);
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/guide/failure.svg");

#[test]
fn the_readme_picture_shows_what_is_drawn() {
    let recorded = failed();
    let drawn = recorded.neutral(&svg(&frame(&mut live(&recorded), (100, 30))));
    if std::env::var_os("NOFM_PICTURE").is_some() {
        std::fs::write(PATH, &drawn).expect("the picture is written");
    }
    let kept = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(
        kept == drawn,
        "{PATH} is old: NOFM_PICTURE=1 cargo test --locked the_readme_picture draws it anew"
    );
}

fn svg(buffer: &Buffer) -> String {
    let (width, height) = (usize::from(buffer.area.width) * CELL.0, usize::from(buffer.area.height) * CELL.1);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#1c1f24\"/>\n\
         <g font-family=\"DejaVu Sans Mono, Menlo, Consolas, monospace\" font-size=\"15\" xml:space=\"preserve\">"
    );
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let first = &buffer[(x, y)];
            let mut text = String::new();
            let begin = x;
            while x < buffer.area.width && looks(&buffer[(x, y)]) == looks(first) {
                text.push_str(buffer[(x, y)].symbol());
                x += 1;
            }
            run(&mut out, (usize::from(begin), usize::from(y)), usize::from(x - begin), first, &text);
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

fn looks(cell: &Cell) -> (Color, Color, Modifier) {
    (cell.fg, cell.bg, cell.modifier)
}

fn run(out: &mut String, (x, y): (usize, usize), cells: usize, cell: &Cell, text: &str) {
    let (mut front, mut back) = (shade(cell.fg, "#d5d8dd"), shade(cell.bg, "#1c1f24"));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut front, &mut back);
    }
    let (left, top, wide) = (x * CELL.0, y * CELL.1, cells * CELL.0);
    if back != "#1c1f24" {
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"{}\" fill=\"{back}\"/>",
            CELL.1
        );
    }
    if text.trim().is_empty() {
        return;
    }
    let weight = if cell.modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        out,
        "<text x=\"{left}\" y=\"{}\" textLength=\"{wide}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{front}\"{weight}>{text}</text>",
        top + 14
    );
}

fn shade(color: Color, usual: &'static str) -> &'static str {
    match color {
        Color::Black => "#1c1f24",
        Color::Red | Color::LightRed => "#f2777a",
        Color::Green | Color::LightGreen => "#99cc99",
        Color::Yellow | Color::LightYellow => "#ffcc66",
        Color::Blue | Color::LightBlue => "#6699cc",
        Color::Magenta | Color::LightMagenta => "#cc99cc",
        Color::Cyan | Color::LightCyan => "#66cccc",
        Color::DarkGray => "#8a8f98",
        Color::White => "#ffffff",
        _ => usual,
    }
}
