//! A question on the page: text, what bears on it, choices by number, and what is not open with the reason.

use crossterm::event::KeyCode;

use crate::engine::Question;
use crate::wizard::keys::{self, Binding, Command, key, letter};
use crate::wizard::look::Tone;
use crate::wizard::paint::{Canvas, lines};
use crate::wizard::scene::Scene;
use crate::words;

/// The keys of a question.
pub(in crate::wizard) fn question_bindings(scene: &Scene<'_>) -> Vec<Binding> {
    let why_not = scene.hands_off();
    let mut table: Vec<Binding> =
        keys::CHOICES.iter().map(|binding| binding.clone().unless(why_not.clone())).collect();
    for (code, command, label, help) in [
        (KeyCode::Up, Command::Up, "", "the choice above"),
        (KeyCode::Down, Command::Down, "", "the choice below"),
        (KeyCode::Enter, Command::Confirm, "Do it", "do what is selected"),
    ] {
        table.push(Binding::new([key(code)], command, label, help).unless(why_not.clone()));
    }
    table.push(Binding::new([key(KeyCode::PageUp)], Command::ReadUp, "", "further up in what is said above"));
    table.push(Binding::new([key(KeyCode::PageDown)], Command::ReadDown, "Read on", "further down in it"));
    table.push(Binding::new(
        [key(KeyCode::Esc), letter('a')],
        Command::Aside,
        "Look round",
        "look round first; the question stays",
    ));
    table
}

/// Rows that the question takes in `columns`, its border included.
pub(in crate::wizard) fn rows(question: &Question, columns: u16) -> u16 {
    let inner = columns.saturating_sub(4);
    let mut rows = 3 + lines(&question.text, inner).len();
    rows += question.details.iter().map(|detail| lines(detail, inner.saturating_sub(2)).len()).sum::<usize>();
    rows += question.options.len();
    u16::try_from(rows).unwrap_or(u16::MAX)
}

pub(in crate::wizard) fn question(scene: &Scene<'_>, canvas: &mut Canvas<'_>, question: &Question) {
    let waiting = scene.state.questions.len();
    let more = if waiting > 1 { format!("  ({} more wait)", waiting - 1) } else { String::new() };
    let mut inside = canvas.boxed(&format!("Your answer is needed{more}"), true);
    let height = inside.height();
    let options = u16::try_from(question.options.len()).unwrap_or(u16::MAX);
    // The choices always fit, whatever stands above them.
    let room = height.saturating_sub(options.saturating_add(1)).max(1);
    let mut text = {
        let columns = inside.width();
        inside.part(0, 0, columns, room)
    };
    let mut y = text.hanging(0, 0, "", &question.text, Tone::Title);
    for detail in &question.details {
        y = text.hanging(1, y, "- ", detail, Tone::Plain);
    }
    let y = y.min(room);
    let columns = inside.width();
    choices(scene, &mut inside.part(0, y, columns, height.saturating_sub(y)), question);
}

/// The choices, open ones first as they are numbered, then those that are not and why.
pub(in crate::wizard) fn choices(scene: &Scene<'_>, canvas: &mut Canvas<'_>, question: &Question) -> u16 {
    let chosen = scene.chosen(question);
    let mut y = 0;
    let open = question.options.iter().enumerate().filter(|(_, option)| option.refused.is_none());
    for (number, (index, option)) in open.enumerate() {
        let selected = chosen == Some(index);
        let tone = if selected { Tone::Selected } else { Tone::Plain };
        if selected {
            canvas.tint(y, Tone::Selected);
        }
        let mark = if selected { ">" } else { " " };
        let x = canvas.text(0, y, &format!("{mark}{} ", number + 1), if selected { tone } else { Tone::Key });
        let text = format!("{}: {}", words::choice_word(option.choice), option.does);
        let end = canvas.text(x, y, &text, tone);
        if let Some(back) = words::question::no_way_back(option.choice) {
            let tone = if selected { tone } else { Tone::Warn };
            canvas.text(end + 1, y, &format!("({back})"), tone);
        }
        y += 1;
    }
    for option in &question.options {
        if let Some(why) = &option.refused {
            let text = format!("{}: not now: {why}", words::choice_word(option.choice));
            canvas.text(0, y, &format!(" x {text}"), Tone::Disabled);
            y += 1;
        }
    }
    let hint = match (scene.hands_off(), chosen) {
        (Some(why), _) => why,
        (None, Some(_)) => "Enter does it".to_owned(),
        (None, None) => "choose by number or arrows; Enter then does it".to_owned(),
    };
    canvas.text(1, y, &hint, Tone::Dim);
    y + 1
}
