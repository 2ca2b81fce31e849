//! The command of a step before its turn has come.

use crate::inventory::Server;
use crate::model::Os;
use crate::plan::{AnswerBook, PlanStep, Scope, Setup, uploads};
use crate::profile::{Act, At, Service, ServiceAct, Shell, Template};

/// What the step does, as far as it can be told before its turn: a value that is still to be measured stands as its
/// placeholder.
pub(super) fn text(setup: &Setup, answers: &AnswerBook, server: Option<&Server>, step: &PlanStep) -> String {
    let scope = Scope::settled(setup, answers, server).with(&step.with);
    let place = match &step.at {
        At::Local => None,
        At::Role(role) | At::One(role) => setup.inventory.of_role(role).next(),
        At::Here | At::Peer | At::Peers => server,
    };
    let os = place.map_or(Os::Linux, |server| server.os);
    let shell = place.map_or(Shell::Sh, Server::shell);
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
                uploads(shell)
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

fn service_name(service: &Service) -> String {
    match service {
        Service::Named { name, .. } => name.clone(),
        Service::Matching(regex) => format!("/{regex}/"),
    }
}
