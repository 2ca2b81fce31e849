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
use crate::words::summary::StageRows;

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
        say(&plain::json_line(&object(
            &built.hash,
            &missing,
            words::summary::stages(&setup, &answers, &built, args.commands),
        )))?;
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

/// The plan for a program: every step in order, and how long the stages take, in milliseconds.
fn object(hash: &str, unanswered: &[String], stages: Vec<StageRows>) -> serde_json::Value {
    let total = words::summary::total(&stages);
    let times: Vec<_> = stages
        .iter()
        .map(|stage| {
            json!({
                "stage": stage.stage,
                "turns": stage.lanes.len(),
                "expect_ms": stage.estimate.expect_ms,
                "unestimated": stage.estimate.unestimated,
            })
        })
        .collect();
    let steps: Vec<_> =
        stages.into_iter().flat_map(|stage| stage.lanes).flat_map(|lane| lane.steps).collect();
    json!({
        "plan": hash,
        "unanswered": unanswered,
        "steps": steps,
        "stages": times,
        "expect_ms": total.expect_ms,
        "unestimated": total.unestimated,
    })
}
