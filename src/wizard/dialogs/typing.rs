//! A text that is being typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

use crate::engine::Intent;
use crate::wizard::face::{Face, Go, Then};
use crate::wizard::keys::Command;
use crate::wizard::view::{Dialog, Page, Typing, Wanted};
use crate::wizard::{pages, scene::Scene};
use crate::words;

/// Characters that a text may have.
const LONGEST: usize = 4096;

/// Whether what is typed is text.
pub(in crate::wizard) fn takes_text(dialog: Option<&Dialog>) -> bool {
    matches!(dialog, Some(Dialog::Type { .. } | Dialog::Secret { .. }))
}

/// Takes a key into the text. False: it is no key of a text.
pub(in crate::wizard) fn typed(face: &mut Face, event: KeyEvent) -> bool {
    if let Some(Dialog::Secret { .. }) = face.view().dialog {
        return face.type_secret(event);
    }
    let Some(Dialog::Type { mut wanted, mut typing }) = face.view().dialog.clone() else { return false };
    if let KeyCode::Up | KeyCode::Down = event.code
        && let Some(other) = pages::other_ban(&face.scene(), &wanted, event.code == KeyCode::Down)
    {
        wanted = other;
    } else if let Some(list) = pages::candidates(face.state(), &wanted)
        && matches!(event.code, KeyCode::Up | KeyCode::Down)
        && !list.is_empty()
    {
        let at = list.iter().position(|candidate| *candidate == typing.text);
        let to = match (at, event.code) {
            (None, _) => 0,
            (Some(at), KeyCode::Down) => (at + 1) % list.len(),
            (Some(at), _) => (at + list.len() - 1) % list.len(),
        };
        typing.text.clone_from(&list[to]);
        typing.cursor = typing.text.chars().count();
    } else if !edit(&mut typing, event) {
        return false;
    }
    typing.wrong = wrong(&face.scene(), &wanted, &typing.text).filter(|_| !typing.text.is_empty());
    face.open(Dialog::Type { wanted, typing });
    true
}

/// Takes a key into `typing`. False: it is no key of a text.
pub(in crate::wizard) fn edit(typing: &mut Typing, event: KeyEvent) -> bool {
    let Some(request) = request(event) else { return false };
    let mut input = Input::new(std::mem::take(&mut typing.text)).with_cursor(typing.cursor);
    if !matches!(request, InputRequest::InsertChar(_)) || input.value().chars().count() < LONGEST {
        input.handle(request);
    }
    typing.cursor = input.cursor();
    input.value().clone_into(&mut typing.text);
    true
}

fn request(event: KeyEvent) -> Option<InputRequest> {
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    if event.modifiers.contains(KeyModifiers::ALT) {
        return None;
    }
    Some(match (event.code, ctrl) {
        (KeyCode::Char(c), false) => InputRequest::InsertChar(c),
        (KeyCode::Backspace, false) | (KeyCode::Char('h'), true) => InputRequest::DeletePrevChar,
        (KeyCode::Delete, false) => InputRequest::DeleteNextChar,
        (KeyCode::Left, false) => InputRequest::GoToPrevChar,
        (KeyCode::Right, false) => InputRequest::GoToNextChar,
        (KeyCode::Left, true) => InputRequest::GoToPrevWord,
        (KeyCode::Right, true) => InputRequest::GoToNextWord,
        (KeyCode::Home, _) | (KeyCode::Char('a'), true) => InputRequest::GoToStart,
        (KeyCode::End, _) | (KeyCode::Char('e'), true) => InputRequest::GoToEnd,
        (KeyCode::Char('w'), true) => InputRequest::DeletePrevWord,
        (KeyCode::Char('u'), true) => InputRequest::DeleteLine,
        (KeyCode::Char('k'), true) => InputRequest::DeleteTillEnd,
        _ => return None,
    })
}

/// Why `text` cannot be taken for what is wanted.
pub(super) fn wrong(scene: &Scene<'_>, wanted: &Wanted, text: &str) -> Option<String> {
    let text = text.trim();
    match wanted {
        Wanted::Input { input, key } => pages::read_input(scene.state, input, key, text).err(),
        Wanted::Begin { .. } if text != "begin" => Some("type the word begin in full".to_owned()),
        Wanted::Find | Wanted::Begin { .. } => None,
        _ if text.is_empty() => Some("type something, or Esc".to_owned()),
        _ => None,
    }
}

/// What is asked for.
pub(super) fn prompt(scene: &Scene<'_>, wanted: &Wanted) -> Vec<String> {
    let state = scene.state;
    match wanted {
        Wanted::Waive { check, server } => vec![
            format!("Waive \"{}\" on {}", words::check_title(state, check), words::place(server.as_ref())),
            "The reason, which stands in the journal and the report:".to_owned(),
        ],
        Wanted::LeaveOut { server } => vec![
            format!("Leave {server} out of this upgrade"),
            "The reason, which stands in the journal and the report:".to_owned(),
        ],
        Wanted::Reply { question, option } => {
            let found = state.questions.get(question);
            let option = found.and_then(|found| found.options.get(*option));
            vec![
                found.map(|found| found.text.clone()).unwrap_or_default(),
                option
                    .map(|option| words::question::text_prompt(option.choice).to_owned())
                    .unwrap_or_default(),
            ]
        }
        Wanted::Input { input, key } => pages::input_prompt(state, input, key),
        Wanted::Evidence { .. } => {
            let Some(row) = pages::asked_about(scene, wanted).map(words::bans::row) else {
                return Vec::new();
            };
            let count = words::bans::liftable(state).count();
            let others = (count > 1).then(|| format!("{count} can be lifted: Up and Dn show another."));
            let prompt = words::bans::PROMPT.to_owned();
            [row.text, row.way_out].into_iter().chain(others).chain([prompt]).collect()
        }
        Wanted::Begin { .. } => {
            vec!["From here on servers are changed.".to_owned(), "Type the word begin to start:".to_owned()]
        }
        Wanted::Find => vec!["Look for:".to_owned()],
    }
}

pub(super) fn act(face: &mut Face, command: Command, wanted: Wanted, mut typing: Typing) -> Go<()> {
    match command {
        Command::Close => face.close(),
        Command::Confirm => {
            if let Some(wrong) = wrong(&face.scene(), &wanted, &typing.text) {
                typing.wrong = Some(wrong);
                face.open(Dialog::Type { wanted, typing });
                return Ok(());
            }
            return take(face, wanted, typing.text.trim().to_owned());
        }
        _ => {}
    }
    Ok(())
}

fn take(face: &mut Face, wanted: Wanted, text: String) -> Go<()> {
    let intent = match wanted {
        Wanted::Waive { check, server } => Intent::Waive { check, server, reason: text },
        Wanted::LeaveOut { server } => Intent::LeaveOut { server, reason: text },
        Wanted::Reply { question, option } => {
            let choice = face.state().questions.get(&question).and_then(|found| found.options.get(option));
            let Some(choice) = choice.map(|option| option.choice) else { return Ok(()) };
            Intent::Reply { question, choice, text }
        }
        Wanted::Input { input, key } => match pages::read_input(face.state(), &input, &key, &text) {
            Ok(Some(value)) => Intent::Answer { input, key, value },
            // Nothing typed, and the default stands.
            Ok(None) => {
                face.close();
                return Ok(());
            }
            Err(_) => return Ok(()),
        },
        Wanted::Evidence { act, why } => Intent::LiftBan { act, why, evidence: text },
        Wanted::Begin { plan } => {
            face.close();
            return face.post_then(&Intent::Begin { plan }, Then::Page(Page::Progress));
        }
        Wanted::Find => {
            super::output::find(face, &text);
            return Ok(());
        }
    };
    face.close();
    face.post(&intent)
}
