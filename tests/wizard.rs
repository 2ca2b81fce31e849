//! The wizard's pictures: sessions that were rehearsed in memory, in files, as a face shows them.

mod access;
mod bans;
mod cells;
mod console;
mod console_access;
mod console_hostile;
mod console_installer;
mod console_losing;
mod console_operators;
mod console_whole;
mod pictures;
mod recorded;
mod reviewing;
mod same;
mod stand_in;
mod svg;
mod tty;
mod tty_child;
mod tty_paint;
mod tty_pty;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use nofm::client::{Follower, Mode};
use nofm::model::ViewerId;
use nofm::wizard::look::{Colours, Glyphs, Theme};
use nofm::wizard::{Face, Reel};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use recorded::Recorded;

/// Columns and rows of the smallest terminal that everything is made for.
const USUAL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (132, 43);

fn operator() -> ViewerId {
    ViewerId::from("operator")
}

/// The operator's face at the end of what was recorded.
fn live(recorded: &Recorded) -> Face {
    let follower =
        Follower::open(&recorded.state_dir, &recorded.session, operator(), Mode::Rest).expect("it opens");
    let mut face = Face::live(follower, false).in_zone(TimeZone::UTC);
    face.take_in().expect("it is read");
    let now_ms = face.state().time.now_ms;
    face.hold(Some(now_ms));
    face
}

/// The session as somebody reviews it.
fn review(recorded: &Recorded) -> Face {
    let reel = Reel::open(&recorded.state_dir, &recorded.session, "reviewer".into()).expect("it opens");
    Face::review(reel, recorded.session.clone(), "reviewer".into()).in_zone(TimeZone::UTC)
}

fn press(face: &mut Face, code: KeyCode) {
    face.key(KeyEvent::new(code, KeyModifiers::NONE)).expect("the key is taken");
}

fn press_ctrl(face: &mut Face, c: char) {
    face.key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL)).expect("the key is taken");
}

fn frame(face: &mut Face, (columns, rows): (u16, u16)) -> Buffer {
    frame_in(face, (columns, rows), &Theme::new(Colours::Sixteen, Glyphs::Unicode))
}

fn frame_in(face: &mut Face, (columns, rows): (u16, u16), theme: &Theme) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    face.draw(&mut buffer, theme);
    buffer
}

/// What stands on the screen, row by row.
fn rows(buffer: &Buffer) -> Vec<String> {
    let row = |y| {
        let mut text = String::new();
        let mut covered = 0;
        for x in buffer.area.left()..buffer.area.right() {
            let symbol = buffer[(x, y)].symbol();
            if covered > 0 {
                covered -= 1;
                continue;
            }
            text.push_str(symbol);
            covered = nofm::text::width::width(symbol).saturating_sub(1);
        }
        text.trim_end().to_owned()
    };
    (buffer.area.top()..buffer.area.bottom()).map(row).collect()
}

fn text(buffer: &Buffer) -> String {
    rows(buffer).join("\n")
}
