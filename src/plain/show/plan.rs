//! What will be done: every step on every server, in order.

use std::io;

use serde::Serialize;

use super::super::printer::Printer;
use crate::inventory::Server;
use crate::model::{Os, ServerName, StageId, StepId};
use crate::plan::{AnswerBook, Plan, PlanStep, Scope, Setup};
use crate::profile::{Act, At, AtATime, Offer, ServiceAct, Shell, Stage, Template};

/// Lines beyond which servers with the same steps as the one before are not written out.
const LONG: usize = 400;

/// One step on one server.
#[derive(Clone, Debug, Serialize)]
pub struct PlanRow {
    /// Counted from 1 over the whole plan.
    pub number: usize,
    pub stage: StageId,
    pub server: Option<ServerName>,
    pub step: StepId,
    pub title: String,
    pub no_return: bool,
    pub once: bool,
    pub optional: bool,
    /// Where it runs, if that is not the server itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What decides when its turn comes whether it is carried out.
    #[serde(rename = "if", skip_serializing_if = "Vec::is_empty")]
    pub only_if: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// Every step of the plan, in order, with its command where `with_commands`.
pub fn plan_rows(setup: &Setup, answers: &AnswerBook, plan: &Plan, with_commands: bool) -> Vec<PlanRow> {
    let mut rows = Vec::new();
    for (index, lanes) in plan.stages.iter().enumerate() {
        let (Some(stage), Some(script)) = (setup.profile.stages.get(index), setup.scripts.stages.get(index))
        else {
            continue;
        };
        for lane in lanes {
            let server = lane.server.as_ref().and_then(|name| setup.server(name));
            for step in lane.steps.iter().filter_map(|&step| script.steps.get(usize::from(step))) {
                rows.push(PlanRow {
                    number: rows.len() + 1,
                    stage: stage.id.clone(),
                    server: lane.server.clone(),
                    step: step.id.clone(),
                    title: step.title.clone(),
                    no_return: step.step.no_return,
                    once: step.step.once,
                    optional: step.step.optional || step.optional_until.is_some(),
                    at: at_words(&step.at),
                    only_if: open_conditions(setup, answers, server, step),
                    command: with_commands.then(|| command(setup, answers, server, step)),
                });
            }
        }
    }
    rows
}

/// The plan for a person: stages, servers, numbered steps, the point of no return, and what happens on a failure.
pub fn plan(out: &mut Printer, setup: &Setup, answers: &AnswerBook, plan: &Plan) -> io::Result<()> {
    let rows = plan_rows(setup, answers, plan, false);
    let long = rows.len() > LONG;
    let mut rows = rows.into_iter().peekable();
    for (index, lanes) in plan.stages.iter().enumerate() {
        let Some(stage) = setup.profile.stages.get(index) else { continue };
        out.blank()?;
        out.line(&format!(
            "Stage {} of {}: {}{}",
            index + 1,
            plan.stages.len(),
            stage.title,
            pace(stage, lanes.len())
        ))?;
        if lanes.is_empty() {
            out.line("    nothing to do here")?;
        }
        for (turn, lane) in lanes.iter().enumerate() {
            let own: Vec<PlanRow> =
                std::iter::from_fn(|| rows.next_if(|row| row.stage == stage.id && row.server == lane.server))
                    .collect();
            let name = lane.server.as_ref().map_or("the farm", ServerName::as_str);
            let same = turn > 0 && lanes.get(turn - 1).is_some_and(|before| before.steps == lane.steps);
            if long && same {
                let (first, last) =
                    (own.first().map_or(0, |row| row.number), own.last().map_or(0, |row| row.number));
                out.line(&format!(
                    "  {name}: the same steps as the server before, numbers {first} to {last}"
                ))?;
                continue;
            }
            let turn =
                if lanes.len() > 1 { format!(" ({} of {})", turn + 1, lanes.len()) } else { String::new() };
            out.line(&format!("  {name}{turn}"))?;
            for row in &own {
                step(out, row)?;
            }
        }
    }
    on_failure(out, setup, plan)
}

fn step(out: &mut Printer, row: &PlanRow) -> io::Result<()> {
    if row.no_return {
        out.line("      ---- point of no return: from here on there is no simple way back ----")?;
    }
    let mut notes: Vec<String> = Vec::new();
    notes.extend(row.at.iter().cloned());
    notes.extend(row.once.then(|| "once for the whole farm".to_owned()));
    notes.extend(row.optional.then(|| "only if you say so".to_owned()));
    notes.extend(row.only_if.iter().map(|expr| format!("if {expr}")));
    let notes = if notes.is_empty() { String::new() } else { format!("  [{}]", notes.join("; ")) };
    out.hanging(&format!("{:>6}. ", row.number), &format!("{}{notes}", row.title))
}

fn pace(stage: &Stage, count: usize) -> String {
    match stage.at_a_time {
        _ if count < 2 => String::new(),
        AtATime::Number(1) => format!(" ({count} servers, one after another)"),
        AtATime::Number(number) => format!(" ({count} servers, {number} at a time)"),
        AtATime::All => format!(" ({count} servers, all at the same time)"),
    }
}

fn on_failure(out: &mut Printer, setup: &Setup, plan: &Plan) -> io::Result<()> {
    out.blank()?;
    out.text(
        "If a step fails, or nobody can tell whether it worked, no other server is started; what runs is finished. You \
         are asked what to do, with what the vendor allows then:",
    )?;
    let planned = setup.profile.stages.iter().zip(&plan.stages);
    let is_planned =
        |id: &StageId| planned.clone().any(|(stage, lanes)| stage.id == *id && !lanes.is_empty());
    for rule in &setup.profile.failures {
        if !rule.stages.is_empty() && !rule.stages.iter().any(is_planned) {
            continue;
        }
        let stages = setup
            .profile
            .stages
            .iter()
            .filter(|stage| rule.stages.contains(&stage.id) && is_planned(&stage.id));
        let wheres: Vec<String> = stages.map(|stage| format!("\"{}\"", stage.title)).collect();
        let steps: Vec<&str> = rule.steps.iter().map(StepId::as_str).collect();
        let place = match (wheres.is_empty(), steps.is_empty()) {
            (true, true) => "otherwise".to_owned(),
            (false, true) => format!("in {}", wheres.join(", ")),
            (true, false) => format!("at {}", steps.join(", ")),
            (false, false) => format!("in {}, at {}", wheres.join(", "), steps.join(", ")),
        };
        let offers: Vec<&str> = rule.offer.iter().map(|offer| offer_word(*offer)).collect();
        let forbidden: Vec<String> =
            rule.forbid.iter().map(|forbid| format!("forbidden: {}", forbid.act)).collect();
        let forbidden =
            if forbidden.is_empty() { String::new() } else { format!("; {}", forbidden.join(", ")) };
        out.hanging("  - ", &format!("{place}: {}{forbidden}", offers.join(", ")))?;
    }
    Ok(())
}

fn offer_word(offer: Offer) -> &'static str {
    match offer {
        Offer::Retry => "try again",
        Offer::ByHand => "do it by hand",
        Offer::LeaveOut => "leave the server out",
        Offer::Recover => "the vendor's recovery",
        Offer::Hold => "hold",
        Offer::Abort => "end it",
        Offer::Collect => "collect what the vendor's support needs",
    }
}

fn at_words(at: &At) -> Option<String> {
    match at {
        At::Here => None,
        At::Local => Some("on this console".to_owned()),
        At::Peer => Some("on another server in service".to_owned()),
        At::Peers => Some("on all other servers of the stage".to_owned()),
        At::Role(role) => Some(format!("on every server of role {role}")),
        At::One(role) => Some(format!("on one server of role {role}")),
    }
}

/// The conditions that are settled only when the step's turn comes.
fn open_conditions(
    setup: &Setup,
    answers: &AnswerBook,
    server: Option<&Server>,
    step: &PlanStep,
) -> Vec<String> {
    let open = step.when.iter().filter(|when| {
        !Scope::settled(setup, answers, server).with(&when.with).is_settled(when.expr.names())
    });
    open.map(|when| when.expr.source().to_owned()).collect()
}

/// The commands of every step, by number.
pub fn commands(out: &mut Printer, setup: &Setup, answers: &AnswerBook, plan: &Plan) -> io::Result<()> {
    for row in plan_rows(setup, answers, plan, true) {
        let place = row.server.as_ref().map_or("the farm", ServerName::as_str);
        out.line(&format!("{:>6}. {place}: {}", row.number, row.title))?;
        out.verbatim(8, row.command.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

/// What the step does, as far as it can be told before its turn: a value that is still to be measured stands as its
/// placeholder.
fn command(setup: &Setup, answers: &AnswerBook, server: Option<&Server>, step: &PlanStep) -> String {
    let scope = Scope::settled(setup, answers, server).with(&step.with);
    let of_role = |role| setup.inventory.of_role(role).next().map(|server| server.os);
    let os = match &step.at {
        At::Local => Os::Linux,
        At::Role(role) | At::One(role) => of_role(role).unwrap_or(Os::Linux),
        At::Here | At::Peer | At::Peers => server.map_or(Os::Linux, |server| server.os),
    };
    let shell = if os == Os::Windows { Shell::PowerShell } else { Shell::Sh };
    let render = |template: &Template, shell| {
        let text = template.render(shell, &|name| scope.lookup(name));
        text.unwrap_or_else(|_| template.source().to_owned())
    };
    match step.step.act.get(os) {
        None => "nothing is said for this system".to_owned(),
        Some(Act::Run(text) | Act::Attended(text)) => render(text, shell),
        Some(Act::Manual(text)) => format!("by hand: {}", render(text, Shell::None)),
        Some(Act::Confirm(text)) => format!("asks: {}", render(text, Shell::None)),
        Some(Act::Upload(input)) => {
            let value = setup.profile.input(input).and_then(|input| answers.value(input, server));
            format!(
                "copy {} to {}",
                value.map_or_else(|| input.to_string(), |value| value.to_string()),
                crate::plan::UPLOADS
            )
        }
        Some(Act::Service { act, services }) => {
            let names = services.as_ref().map_or_else(
                || "the services of its role".to_owned(),
                |services| services.iter().map(service_name).collect::<Vec<_>>().join(" "),
            );
            let word = match act {
                ServiceAct::Stop => "stop",
                ServiceAct::Start => "start",
                ServiceAct::Restart => "restart",
            };
            format!("{word} {names}")
        }
        Some(Act::Wait(wait)) => format!("wait until {}", wait.until.source()),
        Some(Act::Reboot) => "reboot".to_owned(),
        Some(Act::Collect(paths)) => {
            let paths: Vec<String> = paths.iter().map(|path| render(path, Shell::None)).collect();
            format!("collect {}", paths.join(", "))
        }
        Some(Act::Use { procedure, .. }) => procedure.to_string(),
    }
}

fn service_name(service: &crate::profile::Service) -> String {
    match service {
        crate::profile::Service::Named { name, .. } => name.clone(),
        crate::profile::Service::Matching(regex) => format!("/{regex}/"),
    }
}
