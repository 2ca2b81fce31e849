//! A question of the engine and what may be chosen.

use super::title::choice_word;
use crate::engine::{Answer, Choice, Question};

/// What may be chosen, in the order it is numbered.
pub fn open(question: &Question) -> impl Iterator<Item = &Answer> {
    question.options.iter().filter(|option| option.refused.is_none())
}

/// A choice and what it does.
pub fn option_text(option: &Answer) -> String {
    let asks = if option.wants_text { " (asks for a text)" } else { "" };
    format!("{}: {}{asks}", choice_word(option.choice), option.does)
}

/// What may not be chosen, each with the reason.
pub fn refused(question: &Question) -> impl Iterator<Item = String> {
    question.options.iter().filter_map(|option| {
        let why = option.refused.as_ref()?;
        Some(format!("{}: not possible: {why}", choice_word(option.choice)))
    })
}

/// What the text of a choice is asked for with.
pub fn text_prompt(choice: Choice) -> &'static str {
    if choice == Choice::Tell { "Your answer:" } else { "The reason:" }
}

/// Why a choice cannot be taken back. `None`: it can, or there is nothing to take back.
pub fn no_way_back(choice: Choice) -> Option<&'static str> {
    match choice {
        Choice::Abort => Some("no way back"),
        Choice::LeaveOut => Some("not undone in this session"),
        Choice::Recover => Some("no way back once begun"),
        Choice::Accept | Choice::Skip | Choice::Cannot => Some("stands in the journal"),
        _ => None,
    }
}

/// What is asked before a choice that cannot be taken back. `None`: it needs no second word.
pub fn sure(choice: Choice) -> Option<&'static str> {
    (choice == Choice::Abort).then_some("This ends the upgrade for good. Do you want that?")
}
