//! What servers wait for that only a person can say: over whatever page is shown, until it is said or left for later.

use crossterm::event::KeyCode;

use crate::engine::{Intent, Request};
use crate::model::Access;
use crate::wizard::face::{Face, Go};
use crate::wizard::keys::{self, Binding, Command, key, letter};
use crate::wizard::look::Tone;
use crate::wizard::paint::{Canvas, lines};
use crate::wizard::scene::Scene;
use crate::wizard::view::{Dialog, Sure};
use crate::words;

/// Comes back to what was left for later.
pub(super) const REOPEN: Binding = Binding::new(
    [key(KeyCode::F(4)), letter('v')],
    Command::Access,
    "Access",
    "what servers wait for that only you can say",
);

/// Whether a command says something to the servers that wait.
pub(in crate::wizard) fn is_word(command: Command) -> bool {
    matches!(command, Command::Trust | Command::TrustAll | Command::Deny | Command::Open)
}

pub(super) fn bindings(scene: &Scene<'_>) -> Vec<Binding> {
    let Some((_, access, _)) = scene.knock() else { return Vec::new() };
    let why_not = scene.hands_off();
    let mut table = Vec::new();
    let mut say = |keys: [keys::Key; 1], command, label, help| {
        table.push(Binding::new(keys, command, label, help).unless(why_not.clone()));
    };
    if access.is_secret() {
        say([key(KeyCode::Enter)], Command::Open, "Type it", "type what is selected; it is not shown");
        say(
            [letter('x')],
            Command::Deny,
            "Refuse",
            "give it to no server; those that need it are not reached",
        );
    } else {
        say([letter('y')], Command::Trust, "Trust", "the selected host key is the right one");
        if host_keys(scene).len() > 1 {
            say(
                [letter('a')],
                Command::TrustAll,
                "Trust all",
                "every host key that is listed is the right one",
            );
        }
        say([letter('x')], Command::Deny, "Deny", "the selected host key is not the right one");
    }
    table.push(Binding::new(
        [key(KeyCode::Esc), letter('l')],
        Command::Later,
        "Later",
        "leave it for later; the servers wait, and F4 comes back to it",
    ));
    let mut moves = keys::MOVES.to_vec();
    if scene.state.access.len() > 1
        && let Some(down) = moves.iter_mut().find(|binding| binding.command == Command::Down)
    {
        down.label = "Next one";
    }
    table.extend(moves);
    table
}

fn host_keys(scene: &Scene<'_>) -> Vec<Access> {
    scene.state.access.keys().filter(|access| !access.is_secret()).cloned().collect()
}

pub(super) fn act(face: &mut Face, command: Command) -> Go<()> {
    let scene = face.scene();
    let Some((row, access, _)) = scene.knock() else { return Ok(()) };
    let access = access.clone();
    let all = host_keys(&scene);
    match command {
        Command::Trust => face.post(&Intent::Trust { access: vec![access] }),
        Command::TrustAll => {
            face.open(Dialog::Sure { about: Sure::Trust { access: all }, yes: false });
            Ok(())
        }
        Command::Deny => face.post(&Intent::Deny { access: vec![access] }),
        Command::Open => {
            face.open(Dialog::Secret { access });
            Ok(())
        }
        Command::Later => {
            let newest = face.state().newest_access();
            face.edit(|view| view.later = newest);
            Ok(())
        }
        command => {
            let page = usize::from(face.view().size.1 / 4).max(1);
            let to = keys::moved(command, row, face.state().access.len(), page);
            let selected = face.state().access.keys().nth(to).cloned();
            face.select_access(selected);
            Ok(())
        }
    }
}

/// One row of the list, and the number of the word it belongs to.
struct Row {
    of: usize,
    indent: u16,
    text: String,
    tone: Tone,
}

pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let Some((selected, access, request)) = scene.knock() else { return };
    let count = scene.state.access.len();
    let of = if count > 1 { format!(", {} of {count}", selected + 1) } else { String::new() };
    let mut inside = canvas.boxed(&format!("Your word is needed{of}"), true);
    let (columns, rows) = (inside.width().saturating_sub(2), inside.height());
    let list = rows_of(scene, selected, columns.saturating_sub(1));
    let about = about(scene, access, request, columns);
    // What the selected one is about keeps its place before the list does.
    let below = u16::try_from(about.len() + 1).unwrap_or(u16::MAX).min(rows.saturating_sub(4).max(rows / 2));
    let above = rows.saturating_sub(below).min(u16::try_from(list.len()).unwrap_or(u16::MAX));
    draw_list(&mut inside.part(1, 0, columns, above), &list, selected);
    inside.rule(above);
    let mut part = inside.part(1, above + 1, columns, rows.saturating_sub(above + 1));
    for (y, (text, tone)) in (0..).zip(&about) {
        part.text(0, y, text, *tone);
    }
}

fn rows_of(scene: &Scene<'_>, selected: usize, columns: u16) -> Vec<Row> {
    let mut rows = Vec::new();
    for (of, (access, request)) in scene.state.access.iter().enumerate() {
        let is_it = of == selected;
        let mark = if is_it { ">" } else { " " };
        let title = format!("{mark} {}", words::access::title(access));
        rows.push(Row { of, indent: 0, text: title, tone: if is_it { Tone::Selected } else { Tone::Title } });
        let print = words::access::fingerprint(access).map(|print| (print.to_owned(), Tone::Plain));
        let complaint = Some(&request.complaint).filter(|complaint| !complaint.is_empty());
        let complaint = complaint.map(|complaint| (format!("! {complaint}"), Tone::Warn));
        let waiting = (words::access::waiting(request), Tone::Dim);
        for (text, tone) in print.into_iter().chain([waiting]).chain(complaint) {
            let broken = lines(&text, columns.saturating_sub(4));
            rows.extend(broken.into_iter().map(|text| Row { of, indent: 4, text, tone }));
        }
    }
    rows
}

fn draw_list(canvas: &mut Canvas<'_>, rows: &[Row], selected: usize) {
    let shown = usize::from(canvas.height());
    let first = rows.iter().position(|row| row.of == selected).unwrap_or(0);
    let tall = rows.iter().filter(|row| row.of == selected).count();
    let top = first.saturating_sub(shown.saturating_sub(tall) / 2).min(rows.len().saturating_sub(shown));
    for (y, row) in (0..canvas.height()).zip(rows.iter().skip(top)) {
        if row.tone == Tone::Selected {
            canvas.tint(y, Tone::Selected);
        }
        canvas.text(row.indent, y, &row.text, row.tone);
    }
    canvas.scroll(top, rows.len());
}

/// What the selected one is about, in lines.
fn about(scene: &Scene<'_>, access: &Access, request: &Request, columns: u16) -> Vec<(String, Tone)> {
    let mut about: Vec<(String, Tone)> = Vec::new();
    let mut say =
        |text: &str, tone: Tone| about.extend(lines(text, columns).into_iter().map(|line| (line, tone)));
    say(&words::access::purpose(access), Tone::Plain);
    if let Some(command) = words::access::verify(access) {
        say(&format!("  {command}"), Tone::Key);
        say(words::access::HOST_KEYS, Tone::Plain);
    } else {
        say(words::access::SECRETS, Tone::Plain);
    }
    let since = words::short(scene.now_ms.saturating_sub(request.since_ms));
    let waits = if request.servers.len() == 1 { "The server waits" } else { "The servers wait" };
    say(
        &format!("{waits} since {} ({since}); nothing else is held up.", scene.clock(request.since_ms)),
        Tone::Dim,
    );
    if let Some(why) = scene.hands_off() {
        say(&why, Tone::Warn);
    }
    about
}
