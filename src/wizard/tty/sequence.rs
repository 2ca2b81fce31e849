//! One key out of bytes, as terminals send them.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The longest escape sequence that is waited for; what has no end by then is left out.
const LONGEST: usize = 64;

/// What the bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A key of that many bytes.
    Key(usize, KeyEvent),
    /// That many bytes that mean nothing here.
    Nothing(usize),
    /// The beginning of pasted text.
    Paste(usize),
    /// It is not whole yet.
    Unfinished,
}

const fn key(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
    KeyEvent::new(code, modifiers)
}

/// Reads what `bytes`, which are not empty, begin with.
pub(super) fn find(bytes: &[u8]) -> Found {
    match bytes {
        [0x1b] => Found::Unfinished,
        [0x1b, b'[', rest @ ..] => control_sequence(rest),
        [0x1b, b'O', rest @ ..] => single_shift(rest),
        // Escape, and then a sequence of its own.
        [0x1b, 0x1b, ..] => Found::Key(1, key(KeyCode::Esc, KeyModifiers::NONE)),
        [0x1b, rest @ ..] => match character(rest) {
            Found::Key(length, found) => {
                Found::Key(length + 1, key(found.code, found.modifiers | KeyModifiers::ALT))
            }
            Found::Nothing(length) => Found::Nothing(length + 1),
            other => other,
        },
        _ => character(bytes),
    }
}

/// What unfinished bytes mean if nothing follows them.
pub(super) fn alone(bytes: &[u8]) -> Option<KeyEvent> {
    match bytes {
        [0x1b] => Some(key(KeyCode::Esc, KeyModifiers::NONE)),
        [0x1b, b'['] => Some(key(KeyCode::Char('['), KeyModifiers::ALT)),
        [0x1b, b'O'] => Some(key(KeyCode::Char('O'), KeyModifiers::ALT | KeyModifiers::SHIFT)),
        _ => None,
    }
}

/// A key that sends one character.
fn character(bytes: &[u8]) -> Found {
    let plain = |code| Found::Key(1, key(code, KeyModifiers::NONE));
    let control = |letter| Found::Key(1, key(KeyCode::Char(letter), KeyModifiers::CONTROL));
    match bytes[0] {
        b'\r' => plain(KeyCode::Enter),
        b'\t' => plain(KeyCode::Tab),
        // Which of the two the key sends differs from terminal to terminal.
        0x7f | 0x08 => plain(KeyCode::Backspace),
        0 => control(' '),
        byte @ 0x01..=0x1a => control(char::from(byte - 1 + b'a')),
        byte @ 0x1c..=0x1f => control(char::from(byte - 0x1c + b'4')),
        first => {
            let length = match first {
                0..0x80 => 1,
                0xc2..0xe0 => 2,
                0xe0..0xf0 => 3,
                0xf0..0xf5 => 4,
                _ => return Found::Nothing(1),
            };
            match std::str::from_utf8(&bytes[..length.min(bytes.len())]) {
                Ok(text) => text.chars().next().map_or(Found::Nothing(length), |one| {
                    let shift = if one.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
                    Found::Key(length, key(KeyCode::Char(one), shift))
                }),
                Err(error) if error.error_len().is_none() => Found::Unfinished,
                Err(_) => Found::Nothing(1),
            }
        }
    }
}

/// What follows `ESC O`.
fn single_shift(rest: &[u8]) -> Found {
    let Some(last) = rest.first() else { return Found::Unfinished };
    // The keypad's keys are those that a VT100 has for F5 to F10.
    let code = match last {
        b't' => KeyCode::F(5),
        b'u' => KeyCode::F(6),
        b'v' => KeyCode::F(7),
        b'l' => KeyCode::F(8),
        b'w' => KeyCode::F(9),
        b'x' => KeyCode::F(10),
        b'M' => KeyCode::Enter,
        last => match letter(*last) {
            Some(code) => code,
            None => return Found::Nothing(3),
        },
    };
    Found::Key(3, key(code, KeyModifiers::NONE))
}

/// What follows `ESC [`.
fn control_sequence(rest: &[u8]) -> Found {
    if let [b'[', function, ..] = rest {
        return match function {
            // The Linux console.
            b'A'..=b'E' => Found::Key(4, key(KeyCode::F(function - b'A' + 1), KeyModifiers::NONE)),
            _ => Found::Nothing(4),
        };
    }
    let Some(end) = rest.iter().position(|byte| !(0x20..0x40).contains(byte)) else {
        return if rest.len() > LONGEST { Found::Nothing(rest.len() + 2) } else { Found::Unfinished };
    };
    let (parameters, last) = (&rest[..end], rest[end]);
    let length = end + 3;
    match last {
        b'[' if end == 0 => return Found::Unfinished,
        0x40..=0x7e => {}
        // No part of a sequence, so the sequence ended before it.
        _ => return Found::Nothing(length - 1),
    }
    let mut numbers = parameters.split(|byte| *byte == b';').map(number);
    let first = numbers.next().flatten();
    let modifiers = numbers.next().flatten().map_or(KeyModifiers::NONE, modifiers);
    let code = match (last, first) {
        (b'~', Some(200)) => return Found::Paste(length),
        (b'~', Some(first)) => numbered(first),
        (b'Z', _) => return Found::Key(length, key(KeyCode::BackTab, modifiers | KeyModifiers::SHIFT)),
        (last, None | Some(1)) => letter(last),
        _ => None,
    };
    code.map_or(Found::Nothing(length), |code| Found::Key(length, key(code, modifiers)))
}

fn number(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn letter(last: u8) -> Option<KeyCode> {
    Some(match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'R' => KeyCode::F(3),
        b'S' => KeyCode::F(4),
        _ => return None,
    })
}

fn numbered(first: u16) -> Option<KeyCode> {
    let function = |number: u16| u8::try_from(number).ok().map(KeyCode::F);
    match first {
        1 | 7 => Some(KeyCode::Home),
        2 => Some(KeyCode::Insert),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        // The VT220 left gaps between its groups of keys.
        11..=15 => function(first - 10),
        17..=21 => function(first - 11),
        23..=26 => function(first - 12),
        28 | 29 => function(first - 13),
        31..=34 => function(first - 14),
        _ => None,
    }
}

/// What xterm sends for modifiers: 1 and a bit for each.
fn modifiers(number: u16) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    for (bit, one) in [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)] {
        if bits & bit != 0 {
            modifiers |= one;
        }
    }
    modifiers
}
