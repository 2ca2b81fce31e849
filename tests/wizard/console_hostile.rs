//! Whatever servers, inventories and profiles hold: the terminal gets the wizard's own sequences and nothing else.

use std::fs;

use super::console::{Home, begin, choose, contents, press, walk};
use super::tty_pty::Pty;

const TAKEN: &[u8] = b"\x1b[?1049h";
const GIVEN_BACK: &[u8] = b"\x1b[?1049l";

/// What the wizard may switch, once each way.
const MODES: [&str; 6] = ["?1049h", "?1049l", "?2004h", "?2004l", "?25h", "?25l"];

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// The sequences and bytes that are not the wizard's own, of all that was written while it had the terminal.
fn foreign(written: &[u8]) -> Vec<String> {
    let begin = find(written, TAKEN).expect("the terminal was taken");
    let end = find(written, GIVEN_BACK).map_or(written.len(), |at| at + GIVEN_BACK.len());
    let text = std::str::from_utf8(&written[begin..end]).expect("all that is written is UTF-8");
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let Some(after) = rest.strip_prefix("\x1b[") else {
            if c.is_control() || is_invisible(c) {
                found.push(rest.chars().take(20).collect::<String>());
            }
            rest = &rest[c.len_utf8()..];
            continue;
        };
        let long = after.find(|c: char| ('@'..='~').contains(&c)).map_or(after.len(), |at| at + 1);
        let (sequence, next) = after.split_at(long);
        let (body, last) = sequence.split_at(sequence.len().saturating_sub(1));
        let plain = body.chars().all(|c| c.is_ascii_digit() || c == ';');
        let own = match last {
            "m" | "H" | "C" => plain,
            "J" => body == "2",
            _ => MODES.contains(&sequence),
        };
        if !own {
            found.push(format!("ESC [ {sequence}"));
        }
        rest = next;
    }
    found
}

/// Changes the order or the look of what stands beside it, and is not seen itself.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[test]
fn what_is_foreign_is_found() {
    for (written, count) in [
        (&b"\x1b[?1049h\x1b[m\x1b[2J\x1b[1;31mred\x1b[3H\x1b[4C\x1b[?1049l\n"[..], 0),
        (b"\x1b[?1049h\x1b]0;owned\x07", 2),
        (b"\x1b[?1049h\x1b[6n\x1b[?1000h\n", 3),
        ("\x1b[?1049h\u{202e}\u{9b}".as_bytes(), 2),
    ] {
        assert_eq!(foreign(written).len(), count, "{:?}", foreign(written));
    }
}

/// The title that a terminal has, and whether a bell rang: nobody but the shell may change them.
fn assert_untouched(pty: &Pty) {
    let found = foreign(&pty.written);
    assert!(found.is_empty(), "{} foreign: {:?}", found.len(), &found[..found.len().min(10)]);
}

#[test]
fn what_servers_print_is_text() {
    let home = Home::new();
    let mut pty = home.rehearse();
    home.order("ums-1", "hostile-output\n");
    begin(&mut pty);
    pty.until_shown("Is that what is installed there?");
    choose(&mut pty, "yes");
    pty.until_shown("1 of 2 servers updated");
    pty.until_shown("Your answer is needed");
    // All of it, from its beginning to its end.
    press(&mut pty, "\x1b");
    press(&mut pty, "l");
    pty.until_shown("what it printed");
    press(&mut pty, "g");
    pty.until_shown("^[]0;owned^G");
    let text = contents(&pty);
    assert!(text.contains("{{ inputs.version }} $(re"), "as it was printed:\n{text}");
    assert!(text.lines().next().is_some_and(|row| row.starts_with(" nofm ")), "the header stays:\n{text}");
    assert!(text.lines().last().is_some_and(|row| row.contains("Esc Close")), "the keys stay:\n{text}");
    for keys in ["\x1b[6~", "\x1b[6~", "e", "\x1b[5~", "\x1b"] {
        press(&mut pty, keys);
    }
    press(&mut pty, "q");
    pty.until_shown("Leave this screen?");
    press(&mut pty, "y");
    assert_eq!(pty.end().code(), Some(4));
    assert_untouched(&pty);
    pty.assert_given_back();
}

/// Sequences as TOML writes them: a title, colours, a question to the terminal, C1, text the other way round.
const EVIL: &str = r"\u001b]0;owned\u0007\u001b[31mred\u001b[6n\u009b2J\u202egnp\u202c\u200b";

#[test]
fn what_profiles_and_inventories_say_is_text() {
    let home = Home::new();
    for name in ["n1", "n2"] {
        fs::create_dir_all(home.path(name).join("bin")).expect("a server's folder");
        fs::write(home.path(name).join("version"), "1.0\n").expect("its version");
        fs::write(home.path(name).join("ready"), "").expect("its mark");
    }
    let server = |name: &str| {
        format!(
            "[[servers]]\nname = \"{name}\"\nroles = [\"node\"]\ntransport = \"local\"\nroot = \"{name}\"\n"
        )
    };
    let farm = "ferme \u{202e}界 {{ inputs.way }} $(reboot) ü";
    let servers = [server("n1"), server("n2")].concat();
    home.write("inventory.toml", &format!("nofm = 1\nfarm = \"{farm}\"\n{servers}"));
    let asset = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plain/mini.toml");
    let mut profile = fs::read_to_string(asset).expect("a profile");
    for text in [
        "Mini\"\n",
        "Node\"\n",
        "Version to install",
        "As it is written",
        "Quick and short",
        "The licence",
        "Marked as ready",
        "Updating nodes",
        "Install\"\n",
        "updated: go on?",
        "Tell your",
        "mood of the farm?",
    ] {
        assert!(profile.contains(text), "{text}");
        profile = profile.replace(text, &format!("{EVIL}{text}"));
    }
    home.write("profile.toml", &profile.replace("farm.mood == 'good'", "farm.mood == 'yes'"));
    let [profile, inventory] = ["profile.toml", "inventory.toml"].map(|name| home.path(name));
    let mut pty = home.nofm(&["run", "-p", &profile.to_string_lossy(), "-i", &inventory.to_string_lossy()]);
    walk(&mut pty, |text| text.contains("─ Prechecks"));
    pty.until_shown("^[]0;owned^G^[[31mred");
    pty.until_shown("\"ferme \\u{202e}界 {{ inputs.way }} $(reboot) ü\"");
    walk(&mut pty, |text| text.contains("G BEGIN"));
    press(&mut pty, "g");
    pty.until_shown("Type the word begin to start:");
    pty.type_in(b"begin\r");
    walk(&mut pty, |text| text.contains("Finished: the upgrade is done"));
    press(&mut pty, "q");
    assert_eq!(pty.end().code(), Some(0));
    assert_untouched(&pty);
    pty.assert_given_back();
}
