use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;

use super::Input;
use super::decode::Decoder;
use super::paste::PASTE_MAX;

/// What comes of `parts`, each read by itself, and of waiting in vain after the last.
fn decoded(parts: &[&[u8]]) -> Vec<Input> {
    let mut decoder = Decoder::default();
    let mut came = Vec::new();
    for part in parts {
        decoder.feed(part, &mut |input| came.push(input));
    }
    if decoder.patience().is_some() {
        decoder.expire(&mut |input| came.push(input));
    }
    assert_eq!(decoder.patience(), None, "nothing is waited for any more");
    came
}

fn key(code: KeyCode) -> Input {
    Input::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

#[test]
fn function_keys_of_every_terminal() {
    for (bytes, number) in [
        ("\x1bOP", 1),
        ("\x1b[11~", 1),
        ("\x1b[[A", 1),
        ("\x1b[[E", 5),
        ("\x1b[15~", 5),
        ("\x1bOt", 5),
        ("\x1b[17~", 6),
        ("\x1b[19~", 8),
        ("\x1bOl", 8),
        ("\x1b[20~", 9),
        ("\x1b[21~", 10),
        ("\x1bOx", 10),
        ("\x1b[23~", 11),
        ("\x1b[24~", 12),
    ] {
        assert_eq!(decoded(&[bytes.as_bytes()]), [key(KeyCode::F(number))], "{bytes:?}");
    }
}

#[test]
fn escape_is_a_key_when_nothing_follows_or_another_escape_does() {
    assert_eq!(decoded(&[b"\x1b"]), [key(KeyCode::Esc)]);
    assert_eq!(decoded(&[b"\x1b\x1b"]), [key(KeyCode::Esc), key(KeyCode::Esc)]);
    assert_eq!(decoded(&[b"\x1b\x1b[A"]), [key(KeyCode::Esc), key(KeyCode::Up)]);
}

#[test]
fn what_means_nothing_is_left_out_whole() {
    for bytes in ["\x1b[?1;2c", "\x1b[24;80R", "\x1b[I", "\x1b[<0;3;4M", "\x1b[200;1x", "\x1bOz"] {
        assert_eq!(decoded(&[bytes.as_bytes(), b"a"]), [key(KeyCode::Char('a'))], "{bytes:?}");
    }
    assert_eq!(decoded(&[b"\xff\xc3a"]), [key(KeyCode::Char('a'))]);
}

#[test]
fn a_sequence_without_end_does_not_grow() {
    let mut decoder = Decoder::default();
    let mut came = 0;
    decoder.feed(b"\x1b[", &mut |_| came += 1);
    for _ in 0..10_000 {
        decoder.feed(b"1111111", &mut |_| came += 1);
    }
    assert!(decoder.take().len() < 100);
}

#[test]
fn a_paste_ends_when_its_end_is_lost() {
    assert_eq!(decoded(&[b"\x1b[200~lost", b" end"]), [Input::Paste("lost end".to_owned())]);
    assert_eq!(decoded(&[b"\x1b[200~\x1b[201~a"]), [key(KeyCode::Char('a'))]);
    assert_eq!(decoded(&[b"\x1b[200~a\x1b[20\x1b[201~"]), [Input::Paste("a[20".to_owned())]);
}

#[test]
fn a_long_paste_is_cut_between_characters() {
    let mut bytes = b"\x1b[200~x".to_vec();
    bytes.extend("ä".repeat(PASTE_MAX).bytes());
    bytes.extend(b"\x1b[201~q");
    let came = decoded(&[&bytes]);
    let [Input::Paste(text), last] = came.as_slice() else { panic!("{} events", came.len()) };
    assert!(text.len() == PASTE_MAX - 1 && text.ends_with('ä'));
    assert_eq!(*last, key(KeyCode::Char('q')));
}

#[test]
fn what_has_begun_is_handed_over_as_bytes() {
    let mut decoder = Decoder::default();
    decoder.feed(b"\x1b[1;", &mut |input| panic!("{input:?}"));
    assert_eq!(decoder.take(), b"\x1b[1;");
    assert_eq!(decoder.patience(), None::<Duration>);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn it_does_not_matter_how_bytes_are_cut(
        pieces in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..6),
            prop::sample::select(vec![
                b"\x1b[A".to_vec(), b"\x1b".to_vec(), b"\x1b[200~".to_vec(), b"\x1b[201~".to_vec(),
                b"\x1b[1;5C".to_vec(), b"\x1bOP".to_vec(), "ß漢".as_bytes().to_vec(), b"\x1b[[".to_vec(),
            ]),
        ], 0..12),
        step in 1..5usize,
    ) {
        let bytes = pieces.concat();
        let whole = decoded(&[&bytes]);
        let cut: Vec<&[u8]> = bytes.chunks(step).collect();
        prop_assert_eq!(decoded(&cut), whole);
    }
}
