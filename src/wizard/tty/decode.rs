//! From bytes to keys and pasted text.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::event::Input;
use super::paste::Paste;
use super::sequence::{Found, alone, find};

/// How long the rest of a key is waited for. Escape alone is a key when nothing follows it for so long.
const KEY: Duration = Duration::from_millis(50);
/// How long the rest of a paste is waited for, so that a paste whose end was lost does not swallow what is typed.
const PASTE: Duration = Duration::from_secs(2);

/// Whether this key stops the program.
pub(super) fn is_suspend(key: KeyEvent) -> bool {
    key.code == KeyCode::Char('z') && key.modifiers == KeyModifiers::CONTROL
}

#[derive(Default)]
pub(super) struct Decoder {
    /// The beginning of a key.
    begun: Vec<u8>,
    paste: Option<Paste>,
}

impl Decoder {
    /// Takes what was read and hands on what it means.
    pub(super) fn feed(&mut self, bytes: &[u8], tell: &mut impl FnMut(Input)) {
        let mut bytes = bytes;
        while !bytes.is_empty() {
            if let Some(paste) = &mut self.paste {
                let Some(end) = bytes.iter().position(|byte| paste.push(*byte)) else { return };
                bytes = &bytes[end + 1..];
                self.end_paste(tell);
            } else {
                self.begun.extend_from_slice(bytes);
                bytes = &[];
                let done = self.keys(tell);
                let rest = self.begun.split_off(done);
                if self.paste.is_some() {
                    self.begun.clear();
                    return self.feed(&rest, tell);
                }
                self.begun = rest;
            }
        }
    }

    /// Decodes what has begun up to what is unfinished or pasted. Gives the number of bytes that are done with.
    fn keys(&mut self, tell: &mut impl FnMut(Input)) -> usize {
        let mut done = 0;
        while done < self.begun.len() {
            match find(&self.begun[done..]) {
                Found::Key(length, key) => {
                    done += length;
                    tell(Input::Key(key));
                }
                Found::Nothing(length) => done += length,
                Found::Paste(length) => {
                    self.paste = Some(Paste::default());
                    return done + length;
                }
                Found::Unfinished => break,
            }
        }
        done.min(self.begun.len())
    }

    fn end_paste(&mut self, tell: &mut impl FnMut(Input)) {
        if let Some(text) = self.paste.take().map(Paste::into_text).filter(|text| !text.is_empty()) {
            tell(Input::Paste(text));
        }
    }

    /// How long to wait for more before [`Self::expire`]. `None`: nothing has begun.
    pub(super) fn patience(&self) -> Option<Duration> {
        if self.paste.is_some() { Some(PASTE) } else { (!self.begun.is_empty()).then_some(KEY) }
    }

    /// Nothing more came in time.
    pub(super) fn expire(&mut self, tell: &mut impl FnMut(Input)) {
        self.end_paste(tell);
        if let Some(key) = alone(&self.begun) {
            tell(Input::Key(key));
        }
        self.begun.clear();
    }

    /// What has begun, as it came, for somebody who wants bytes.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.begun);
        if let Some(paste) = self.paste.take() {
            bytes.extend_from_slice(&paste.into_bytes());
        }
        bytes
    }
}
