//! What the vendor forbids after a failure, who said so, and what lifts it.

use crate::engine::{About, Ban, Question, State};

/// What the evidence is asked for with.
pub const PROMPT: &str = "What shows that this is so? It stands in the journal and with the farm:";

/// What is forbidden and why, and how that comes to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BanRow {
    pub text: String,
    pub way_out: String,
    /// Why it cannot be lifted here. `None`: it can, with evidence.
    pub why_not: Option<&'static str>,
}

pub fn row(ban: &Ban) -> BanRow {
    BanRow { text: capital(&ban.to_string()), way_out: capital(&ban.way_out()), why_not: why_not_lifted(ban) }
}

/// Everything that is forbidden now.
pub fn rows(state: &State) -> impl Iterator<Item = BanRow> {
    state.bans.iter().map(row)
}

/// What can be lifted with evidence.
pub fn liftable(state: &State) -> impl Iterator<Item = &Ban> {
    state.bans.iter().filter(|ban| why_not_lifted(ban).is_none())
}

/// Why no evidence lifts it.
pub fn why_not_lifted(ban: &Ban) -> Option<&'static str> {
    ban.lifted_by.is_none().then_some("the vendor names nothing that lifts it")
}

/// What bears on a question, without what it forbids: that is told by [`rows`], as it stands now.
pub fn details(question: &Question) -> impl Iterator<Item = &String> {
    let rule = matches!(question.about, About::Failure(_));
    question.details.iter().filter(move |detail| !(rule && detail.starts_with("forbidden: ")))
}

/// What is to be shown beside a question. One that a ban itself is the reason for says it already.
pub fn beside(state: &State, question: &Question) -> Vec<BanRow> {
    match question.about {
        About::Failure(_) => rows(state).collect(),
        _ => Vec::new(),
    }
}

/// As a sentence of its own, with the way in which a run without a person can lift it.
pub fn without_a_person(ban: &Ban) -> String {
    let way = ban.lifted_by.as_ref().map(|_| format!("; see `[bans] {}` of the answer file", ban.act.word()));
    format!("{ban}; {}{}", ban.way_out(), way.unwrap_or_default())
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
