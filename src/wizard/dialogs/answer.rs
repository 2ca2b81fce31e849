//! Answers to the question on the page: a number or the arrows select, Enter does it.

use super::sure::then;
use crate::engine::Intent;
use crate::wizard::face::{Face, Go};
use crate::wizard::keys::Command;
use crate::wizard::view::{Dialog, Sure, Typing, Wanted};
use crate::words;

/// Whether a command is meant for the question.
pub(in crate::wizard) fn is_answer(command: Command) -> bool {
    matches!(command, Command::Choose(_) | Command::Up | Command::Down | Command::Confirm)
}

pub(in crate::wizard) fn answer(face: &mut Face, command: Command) -> Go<()> {
    let Some(question) = face.scene().question().cloned() else { return Ok(()) };
    // Open ones only, as they are numbered.
    let open: Vec<usize> = question
        .options
        .iter()
        .enumerate()
        .filter(|(_, option)| option.refused.is_none())
        .map(|(index, _)| index)
        .collect();
    let chosen = face.scene().chosen(&question);
    let at = chosen.and_then(|chosen| open.iter().position(|index| *index == chosen));
    let select = |to: usize| open.get(to).map(|index| (question.id, *index));
    match command {
        Command::Choose(number) => match select(number - 1) {
            Some(choice) => face.edit(|view| view.choice = Some(choice)),
            None => face.note(&format!("The choices have the numbers 1 to {}.", open.len())),
        },
        Command::Down | Command::Up => {
            let last = open.len().saturating_sub(1);
            let to = match (at, command) {
                (None, Command::Down) => 0,
                (None, _) => last,
                (Some(at), Command::Down) => (at + 1).min(last),
                (Some(at), _) => at.saturating_sub(1),
            };
            face.edit(|view| view.choice = select(to));
        }
        _ => match chosen.and_then(|index| Some((index, question.options.get(index)?.clone()))) {
            None => face.note("Choose first: a number, or the arrows."),
            Some((index, option)) => {
                let reply = (question.id, index);
                if option.wants_text {
                    let wanted = Wanted::Reply { question: reply.0, option: reply.1 };
                    face.open(Dialog::Type { wanted, typing: Typing::default() });
                } else if words::question::sure(option.choice).is_some() {
                    let about = Sure::Reply { question: reply.0, option: reply.1 };
                    face.open(Dialog::Sure { about, yes: false });
                } else {
                    let after = then(face, question.id, option.choice);
                    let intent =
                        Intent::Reply { question: question.id, choice: option.choice, text: String::new() };
                    face.post_then(&intent, after)?;
                }
            }
        },
    }
    Ok(())
}
