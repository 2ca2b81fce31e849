//! The vendor's own installer in its terminal.

use nofm::engine::Event;
use rustix::process::Signal;

use super::console::{Home, begin, choose, contents, press, walk};
use super::tty_pty::Pty;

/// The stand-in installer says before every page how large its terminal is, in colours and wide characters.
const TELLING: &str = r#"
page() {
    say
    printf '\033[1;31mred\033[0m \033[7minverse\033[0m 界面|\n'
    say "size: $(stty size)"
    say "-- UMS $new Setup, page $1 of 6: $2 --"
}
enter_to() {
    printf '%s ' "$1"
    read -r answer || [ "${2-}" != needed ] || cancelled
    say "taken: [$answer]"
}
"#;

/// A farm whose installer is gone through by a person.
fn attended(home: &Home) -> Pty {
    let mut pty = home.rehearse();
    home.append("lib/pages.sh", TELLING);
    walk(&mut pty, |text| text.contains("─ Inputs ─"));
    press(&mut pty, "g");
    while !contents(&pty).lines().any(|row| row.contains("> ") && row.contains("How the installer runs")) {
        press(&mut pty, "j");
    }
    press(&mut pty, "\r");
    pty.until_shown("═ Type ═");
    pty.type_in(&[0x7f; 40]);
    press(&mut pty, "attended\r");
    begin(&mut pty);
    pty.until_shown("Is that what is installed there?");
    choose(&mut pty, "yes");
    walk(&mut pty, |text| text.contains("every key goes to the installer"));
    pty
}

#[test]
fn an_installer_in_its_terminal_takes_every_key_and_outlives_the_screen() {
    let home = Home::new();
    let mut pty = attended(&home);
    pty.until_shown("Do you accept it? (yes/no)");
    pty.until_shown("size: 23 80");
    let cell = |pty: &Pty, text: &str| {
        let screen = pty.terminal.screen();
        let rows: Vec<String> = screen.rows(0, 80).collect();
        let (y, row) = rows.iter().enumerate().find(|(_, row)| row.contains(text)).expect("a row");
        let before = &row[..row.find(text).expect("it is there")];
        let x = nofm::text::width::width(before);
        let position = (u16::try_from(y).expect("a row"), u16::try_from(x).expect("a column"));
        screen.cell(position.0, position.1).expect("a cell").clone()
    };
    assert_eq!(cell(&pty, "red").fgcolor(), vt100::Color::Idx(1));
    assert!(cell(&pty, "inverse").inverse());
    assert!(cell(&pty, "界").is_wide());
    assert_eq!(cell(&pty, "|").contents(), "|", "what follows wide glyphs stands at its place");
    pty.type_in(b"yes\r");
    pty.until_shown("page 2 of 6");
    // Out, and in again: what was drawn is still there.
    press(&mut pty, "\x1d");
    pty.until("the page", |screen| !screen.contents().contains("Ctrl-] steps out"));
    pty.until_shown("0 of 2 servers updated");
    press(&mut pty, "i");
    pty.until_shown("Ctrl-] steps out");
    pty.until_shown("page 2 of 6");
    pty.resize(100, 30);
    pty.until("the line below", |screen| {
        screen.rows(0, 100).nth(29).is_some_and(|row| row.contains("Ctrl-] steps out"))
    });
    // Keys that mean something elsewhere, and none of them does here.
    pty.type_in("q ? 界 9\r".as_bytes());
    pty.until_shown("taken: [q ? 界 9]");
    pty.until_shown("size: 29 100");
    pty.until_shown("page 3 of 6");
    // The screen is lost; the installer is not.
    pty.signal(Signal::KILL);
    pty.end();
    let mut pty = home.attach(&[]);
    pty.until_shown("every key goes to the installer");
    pty.until_shown("page 3 of 6");
    pty.type_in(b"\r");
    pty.until_shown("size: 23 80");
    pty.until_shown("Does this host fulfil the requirements?");
    pty.type_in(b"yes\r");
    pty.until_shown("page 5 of 6");
    pty.type_in(b"\r");
    pty.until_shown("Start the installation?");
    pty.type_in(b"yes\r");
    pty.until_shown("Press Enter to confirm.");
    pty.type_in(b"\r");
    pty.until_shown("Press Enter to close.");
    pty.type_in(b"\r");
    pty.until_shown("Your answer is needed");
    pty.until_shown("1 of 2 servers updated");
    assert_eq!(home.seen().matches("ums-1 install started").count(), 1, "{}", home.seen());
    let typed = |event| match event {
        Event::Typed { count, .. } => count,
        _ => 0,
    };
    let count: u64 = home.events().into_iter().map(typed).sum();
    let all = ["yes\r", "q ? 界 9\r", "\r", "yes\r", "\r", "yes\r", "\r", "\r"];
    assert_eq!(count, all.concat().len() as u64, "every byte once, and none that was not for it");
}
