//! What lies over a page and has all keys: help, a text to type, a yes or no, what a server printed, a command, the
//! terminal of an installer, a secret. And the answers to questions, which may open some of them.

mod answer;
mod output;
mod secret;
mod show;
mod sure;
mod terminal;
mod typing;

use crossterm::event::KeyCode;

use super::face::{Face, Go};
use super::keys::{self, Binding, Command, key, letter};
use super::view::{Dialog, Sure};

pub(super) use answer::{answer, is_answer};
pub(super) use secret::Typed;
pub(super) use show::{draw, field};
pub(super) use terminal::{TerminalView, draw as terminal, is_alive};
pub(super) use typing::{edit, takes_text, typed};

/// Ctrl-], as the terminal sends it: steps out of an installer's terminal.
pub(super) const STEP_OUT: u8 = 0x1d;

/// The keys while `dialog` lies over the page.
pub(super) fn bindings(dialog: &Dialog) -> Vec<Binding> {
    let moves = || keys::MOVES.to_vec();
    let close = keys::CLOSE;
    match dialog {
        Dialog::Help { .. } => {
            let mut table = moves();
            table.push(Binding::new(
                [key(KeyCode::Esc), key(KeyCode::Enter), key(KeyCode::F(1)), letter('?')],
                Command::Close,
                "Close",
                "close this help",
            ));
            table
        }
        Dialog::Type { .. } => vec![
            Binding::new([key(KeyCode::Enter)], Command::Confirm, "Take it", "take what was typed"),
            Binding::new([key(KeyCode::Esc)], Command::Close, "Drop it", "forget what was typed"),
        ],
        Dialog::Sure { .. } => vec![
            Binding::new(
                [
                    key(KeyCode::Left),
                    key(KeyCode::Right),
                    key(KeyCode::Tab),
                    key(KeyCode::Up),
                    key(KeyCode::Down),
                ],
                Command::OtherPane,
                "Other answer",
                "between yes and no",
            ),
            Binding::new([letter('y')], Command::Yes, "Yes", "yes"),
            Binding::new([letter('n'), key(KeyCode::Esc)], Command::No, "No", "no"),
            Binding::new([key(KeyCode::Enter)], Command::Confirm, "Do it", "take the answer that is marked"),
        ],
        Dialog::Output { .. } => {
            let mut table = vec![
                close,
                Binding::new([letter('/')], Command::Find, "Find", "look for a text, upwards from here"),
                Binding::new([letter('n')], Command::FindNext, "Next", "the next place further up"),
            ];
            table.extend(moves());
            table
        }
        Dialog::Command { .. } => {
            let mut table = vec![close];
            table.extend(moves());
            table
        }
        Dialog::Secret { .. } => vec![
            Binding::new(
                [key(KeyCode::Enter)],
                Command::Confirm,
                "Give it",
                "give what was typed to the runner",
            ),
            Binding::new(
                [key(KeyCode::Esc)],
                Command::Close,
                "Later",
                "forget what was typed; the servers wait",
            ),
        ],
        Dialog::Terminal { .. } => {
            vec![Binding::new(
                [keys::ctrl(']')],
                Command::Close,
                "Leave it",
                "step out; the installer goes on",
            )]
        }
    }
}

/// Carries out what a key of the dialog means.
pub(super) fn act(face: &mut Face, command: Command) -> Go<()> {
    let Some(dialog) = face.view().dialog.clone() else { return Ok(()) };
    let page = usize::from(face.view().size.1.saturating_sub(6)).max(1);
    match dialog {
        Dialog::Help { top } | Dialog::Command { top, .. } => {
            if command == Command::Close {
                face.close();
            } else {
                let to = keys::moved(command, top, show::rows_of(&face.scene()), page);
                face.edit(|view| {
                    if let Some(Dialog::Help { top } | Dialog::Command { top, .. }) = &mut view.dialog {
                        *top = to;
                    }
                });
            }
            Ok(())
        }
        Dialog::Type { wanted, typing } => typing::act(face, command, wanted, typing),
        Dialog::Sure { about, yes } => sure::act(face, command, about, yes),
        Dialog::Output { .. } => {
            output::act(face, command, page);
            Ok(())
        }
        Dialog::Secret { access } => {
            secret::act(face, command, &access);
            Ok(())
        }
        Dialog::Terminal { .. } => {
            if command == Command::Close {
                face.close();
            }
            Ok(())
        }
    }
}

/// Leaving is asked about, and stopping is not the same.
pub(super) fn leave(face: &mut Face) {
    if !face.is_live() || face.state().close().is_some() || face.scene().deserted {
        face.left = Some(if face.scene().deserted {
            super::face::Left::RunnerGone
        } else {
            super::face::Left::Closed
        });
        return;
    }
    face.open(Dialog::Sure { about: Sure::Leave, yes: false });
}
