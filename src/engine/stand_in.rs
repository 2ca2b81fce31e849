//! What is run in a rehearsal in place of a Windows command, or of what a person does by hand: the lab's own stand-in,
//! found by where the command stands in the profile.

use std::fmt::Write as _;

use super::command::shell;
use super::key::{Place, ScriptRef, StepKey};
use super::state::State;
use crate::model::{Os, Value};
use crate::plan::{PlanStep, Scope};
use crate::profile::{Act, RenderError, Shell, Template};
use crate::text::quote;

/// What does a manual step in place of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hand {
    /// The folder of the stand-in server.
    pub root: std::path::PathBuf,
    pub script: String,
}

impl State {
    /// Whether stand-ins answer for the commands at `place`.
    pub(super) fn is_stood_in_for(&self, place: &Place) -> bool {
        let Place::Server(name) = place else { return false };
        self.setup.server(name).is_some_and(|server| server.stand_in.is_some() && server.os == Os::Windows)
    }

    /// The call of the stand-in for a command of a step, where one answers for it.
    pub(super) fn stand_in_for(
        &self,
        key: &StepKey,
        text: &Template,
        place: &Place,
    ) -> Result<Option<String>, String> {
        if !self.is_stood_in_for(place) {
            return Ok(None);
        }
        self.called(key, text, Some(place), shell(self.os_at(place)), NEEDED).map(Some)
    }

    /// What does the manual step `key` in place of a person; `None` where a person does it.
    pub fn hand(&self, key: &StepKey) -> Option<Hand> {
        let server = match &key.lane.server {
            Some(name) => self.setup.server(name)?,
            None => self.setup.inventory.servers.iter().find(|server| server.stand_in.is_some())?,
        };
        let root = server.stand_in.clone()?;
        let Some(Act::Manual(text)) = self.act_of(key) else { return None };
        let script = self.called(key, text, None, Shell::None, LEFT_TO_PEOPLE).ok()?;
        Some(Hand { root, script })
    }

    fn called(
        &self,
        key: &StepKey,
        text: &Template,
        place: Option<&Place>,
        shell: Shell,
        missing: &str,
    ) -> Result<String, String> {
        let step =
            self.current(key).and_then(|lane| self.plan_step(lane)).ok_or("the step is not in turn")?;
        let seen = super::view::Seen::new(self, Some(&key.lane));
        let scope = self.scope_at(&seen, key, place)?;
        call(&address(key, step), text, shell, missing, &scope).map_err(|error| error.to_string())
    }
}

/// What happens where the lab has no stand-in: a command was not carried out, a person's word is taken.
pub(super) const NEEDED: &str = "{ echo \"this lab has no $stand_in\" >&2; exit 127; }";
const LEFT_TO_PEOPLE: &str = "exit 0";

/// Where a step stands in the profile.
fn address(key: &StepKey, step: &PlanStep) -> String {
    let id = &step.step.id;
    match (step.from.last(), &key.lane.script) {
        (Some(procedure), _) => format!("procedures.{procedure}.{id}"),
        (None, ScriptRef::Stage(stage)) => format!("stages.{stage}.{id}"),
        (None, script) => format!("{script}.{id}"),
    }
}

/// A script that calls the stand-in at `address` with the values of the command's placeholders, and the whole command.
pub(super) fn call(
    address: &str,
    text: &Template,
    shell: Shell,
    missing: &str,
    scope: &Scope<'_>,
) -> Result<String, RenderError> {
    let mut script = format!(
        "stand_in=\"${{NOFM_ROOT:?}}/../stand-ins/{address}\"\n\
         [ -x \"$stand_in\" ] || {missing}\n"
    );
    let mut export = |name: &str, value: &str| {
        // What holds a NUL is no word of a shell; rendering the command refuses it too.
        if let Ok(value) = quote::sh(value) {
            // Writing to a string does not fail.
            let _ = writeln!(script, "export {name}={value}");
        }
    };
    for name in text.names() {
        // Whether the command can do without it, rendering it tells.
        let Some(value) = scope.lookup(name) else { continue };
        let variable: String =
            name.to_string().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        export(&variable, &plain(&value));
    }
    let command = text.render(shell, &|name| scope.lookup(name))?;
    export("command", &command);
    script.push_str("exec \"$stand_in\"\n");
    Ok(script)
}

/// A list is one line an element.
fn plain(value: &Value) -> String {
    match value {
        Value::List(items) => items.iter().map(plain).collect::<Vec<_>>().join("\n"),
        value => value.to_string(),
    }
}
