//! `nofm plan`: what would be done. No server is looked at.

use serde_json::json;

use super::args::PlanArgs;
use super::exit::{self, Faulty};
use super::files::Papers;
use super::{printer, say};
use crate::client::whole_path;
use crate::model::SessionId;
use crate::plain;
use crate::plan::{self, AnswerBook, Setup};
use crate::words;

pub(super) fn run(args: &PlanArgs) -> anyhow::Result<u8> {
    let papers = Papers::read(&args.farm)?;
    let (profile, inventory) = (papers.profile.profile, papers.inventory.inventory);
    let setup = Setup::new(SessionId::from("plan"), profile, inventory, 1.0);
    let (values, wrong) = words::inputs::from_file(&setup, &papers.answers, whole_path);
    if !wrong.is_empty() {
        return Err(Faulty(wrong.join("\n")).into());
    }
    let mut answers = AnswerBook::default();
    for (input, key, value) in values {
        answers.set(input, &key, value);
    }
    let missing: Vec<String> = answers
        .missing(&setup)
        .into_iter()
        .map(
            |(input, key)| {
                if key.is_empty() { input.id.to_string() } else { format!("{} for {key}", input.id) }
            },
        )
        .collect();
    let built = plan::build(&setup, &answers).map_err(|problems| {
        let mut text: Vec<String> = problems.into_iter().map(|problem| problem.text).collect();
        if !missing.is_empty() {
            text.push(format!("these have no answer yet; give them with --answers: {}", missing.join(", ")));
        }
        Faulty(format!("no plan can be made: {}", text.join("\n")))
    })?;
    if args.json {
        let rows = words::summary::rows(&setup, &answers, &built, args.commands);
        say(&plain::json_line(&json!({ "plan": built.hash, "unanswered": missing, "steps": rows })))?;
        return Ok(exit::DONE);
    }
    let mut out = printer();
    plain::plan(&mut out, &setup, &answers, &built)?;
    if args.commands {
        plain::commands(&mut out, &setup, &answers, &built)?;
    }
    if !missing.is_empty() {
        say(&format!("Still to be answered before the start: {}", missing.join(", ")))?;
    }
    Ok(exit::DONE)
}
