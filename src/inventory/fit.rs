//! Whether an inventory is one of the product that a profile is about.

use std::ops::Range;

use super::{Inventory, Places, Reach, Server};
use crate::model::{InputId, RoleId, Value};
use crate::profile::{Access, Act, At, Input, InputKind, Per, Profile, Role, Source};
use crate::text::diagnostic::{Diagnostic, Diagnostics, meant, quoted};
use crate::text::toml::listed;

impl Inventory {
    /// Everything that keeps `profile` from being carried out on these servers; empty when nothing does.
    pub fn fit(&self, profile: &Profile) -> Diagnostics {
        let mut list = Vec::new();
        let nowhere = Places::default();
        for (index, server) in self.servers.iter().enumerate() {
            let places = self.source.servers.get(index).unwrap_or(&nowhere);
            roles(server, places, profile, &mut list);
            inputs(self, server, places, profile, &mut list);
        }
        for role in &profile.roles {
            list.extend(self.count(role));
        }
        Diagnostics::new(&self.source.name, &self.source.text, list)
    }

    fn count(&self, role: &Role) -> Option<Diagnostic> {
        let count = self.of_role(&role.id).count();
        let (min, max) = (role.count.min, role.count.max);
        let wanted = match max {
            None => format!("{min} or more"),
            Some(max) if max == min => min.to_string(),
            Some(max) => format!("{min} to {max}"),
        };
        let one_too_many = max.filter(|max| count > *max).map(|max| {
            let index = self
                .servers
                .iter()
                .enumerate()
                .filter(|(_, server)| server.roles.contains(&role.id))
                .nth(max);
            index
                .and_then(|(index, _)| self.source.servers.get(index))
                .map_or(0..0, |places| places.name.clone())
        });
        let span = one_too_many.or_else(|| (count < min).then(|| self.source.farm.clone()))?;
        let message = format!(
            "the farm has {count} of role `{}` ({}), and the profile wants {wanted}",
            role.id, role.label
        );
        Some(
            Diagnostic::new(span, message)
                .help(format!("see `roles`; each server of this role has `roles = [\"{}\", …]`", role.id)),
        )
    }
}

fn roles(server: &Server, places: &Places, profile: &Profile, list: &mut Vec<Diagnostic>) {
    for (index, id) in server.roles.iter().enumerate() {
        let span = places.roles.get(index).cloned().unwrap_or(0..0);
        let Some(role) = profile.role(id) else {
            let known = profile.roles.iter().map(|role| role.id.as_str());
            let help = match meant(id.as_str(), known.clone()) {
                Some(role) => format!("did you mean `{role}`?"),
                None => format!("it has {}", listed(known)),
            };
            list.push(
                Diagnostic::new(span, format!("the profile has no role {}", quoted(id.as_str()))).help(help),
            );
            continue;
        };
        if !role.os.contains(&server.os) {
            let message =
                format!("`{}` cannot run {}: {} is not for it", server.name, server.os.as_str(), role.label);
            let help = format!("role `{id}` runs on {}", listed(role.os.iter().map(|os| os.as_str())));
            list.push(Diagnostic::new(places.os.clone(), message).help(help));
        }
        if server.reach == Reach::None && role.access != Access::None && needs_shell(profile, role) {
            let message =
                format!("`{}` has no shell, and role `{id}` ({}) needs one", server.name, role.label);
            list.push(Diagnostic::new(places.transport.clone(), message).help("write `transport = \"ssh\"`"));
        }
    }
}

/// Whether anything the profile says about this role is carried out on the server itself.
fn needs_shell(profile: &Profile, role: &Role) -> bool {
    let here = |at: &At| matches!(at, At::Here | At::Peer | At::Peers);
    let runs = |act: &Act| {
        matches!(
            act,
            Act::Run(_)
                | Act::Attended(_)
                | Act::Upload(_)
                | Act::Service { .. }
                | Act::Reboot
                | Act::Collect(_)
                | Act::Use { .. }
        )
    };
    let facts = profile.facts.iter().any(|fact| {
        matches!(fact.source, Source::Run(_))
            && fact.roles.contains(&role.id)
            && here(&fact.at)
            && fact.ask.is_none()
    });
    let steps =
        profile.stages.iter().filter(|stage| stage.roles.contains(&role.id)).flat_map(|stage| &stage.steps);
    let mut steps = steps.filter(|step| here(&step.at)).flat_map(|step| step.act.iter());
    facts || steps.any(|(_, act)| runs(act))
}

fn inputs(
    inventory: &Inventory,
    server: &Server,
    places: &Places,
    profile: &Profile,
    list: &mut Vec<Diagnostic>,
) {
    for (id, value) in &server.inputs {
        let span: Range<usize> = places.inputs.get(id).cloned().unwrap_or(0..0);
        let known = profile.inputs.iter().filter(|input| input.per == Per::Server);
        let Some(input) = known.clone().find(|input| input.id == *id) else {
            list.push(Diagnostic::new(span, no_input(profile, id)).help(
                match meant(id.as_str(), known.map(|input| input.id.as_str())) {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => "only inputs with `per = \"server\"` stand in the inventory".to_owned(),
                },
            ));
            continue;
        };
        if let Err(expected) = admits(input, value, Some(inventory)) {
            list.push(
                Diagnostic::new(span, format!("input `{id}` is {expected}"))
                    .help(format!("{}: {expected}", input.label)),
            );
        }
    }
}

fn no_input(profile: &Profile, id: &InputId) -> String {
    if profile.input(id).is_some() {
        format!("input `{id}` is not one of each server")
    } else {
        format!("the profile has no input {}", quoted(id.as_str()))
    }
}

/// Whether `value` may answer `input`.
///
/// # Errors
/// What it must be instead.
pub(super) fn admits(input: &Input, value: &Value, inventory: Option<&Inventory>) -> Result<(), String> {
    let right = match (input.kind, value) {
        (InputKind::YesNo, value) => matches!(value, Value::YesNo(_)),
        (InputKind::Number, value) => matches!(value, Value::Number(_)),
        (InputKind::Hosts, Value::List(items)) => {
            items.iter().all(|item| matches!(item, Value::Text(text) if is_plain(text)))
        }
        (InputKind::Choice, Value::Text(text)) => {
            if !input.choices.iter().any(|(id, _)| id == text) {
                return Err(format!("one of {}", listed(input.choices.iter().map(|(id, _)| id.as_str()))));
            }
            true
        }
        (InputKind::Server, Value::Text(text)) => {
            let of_role = |server: &&Server| {
                input.roles.is_empty() || server.roles.iter().any(|role| input.roles.contains(role))
            };
            if let Some(inventory) = inventory
                && !inventory.servers.iter().filter(of_role).any(|server| server.name == text.as_str())
            {
                return Err(format!(
                    "the name of a server of role {}",
                    listed(input.roles.iter().map(RoleId::as_str))
                ));
            }
            is_plain(text)
        }
        (InputKind::Secret, _) => return Err("a secret, and stands in no file: it is asked for".to_owned()),
        (InputKind::File | InputKind::Path | InputKind::Text | InputKind::Command, Value::Text(text)) => {
            is_plain(text)
        }
        _ => false,
    };
    if right {
        return Ok(());
    }
    Err(match input.kind {
        InputKind::YesNo => "true or false",
        InputKind::Number => "a number",
        InputKind::Hosts => "a list of host names",
        _ => "a text of one line",
    }
    .to_owned())
}

/// Whether `text` is one line that can be shown and put into a command.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}
