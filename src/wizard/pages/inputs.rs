//! What the profile asks for: a row for each answer, typed in a dialog that says at once what does not fit.

use crossterm::event::KeyCode;

use super::list::{self, counted};
use super::sheet::Sheet;
use crate::client::whole_path;
use crate::engine::{About, Intent, ProbeKey, State};
use crate::model::{InputId, Value};
use crate::profile::{FactKind, Input, InputKind};
use crate::text::width::width;
use crate::wizard::face::{Face, Go};
use crate::wizard::keys::{self, Binding, Command, key, letter};
use crate::wizard::look::Tone;
use crate::wizard::paint::{Canvas, centred};
use crate::wizard::scene::Scene;
use crate::wizard::view::{Dialog, Typing, Wanted};
use crate::words::inputs::{self, InputRow, Origin};

/// An answer as it is listed.
#[derive(Debug)]
pub(in crate::wizard) struct InputLine {
    row: InputRow,
    /// The vendor does not vouch for it: whether the operator agreed.
    agreed: Option<bool>,
}

impl InputLine {
    fn is_open(&self) -> bool {
        self.row.is_missing || self.agreed == Some(false)
    }

    fn mark(&self) -> (&'static str, Tone) {
        match (self.row.is_missing, self.agreed) {
            (true, _) => ("!", Tone::Fail),
            (_, Some(false)) => ("?", Tone::Warn),
            (_, Some(true)) => ("+", Tone::Ok),
            _ => (" ", Tone::Plain),
        }
    }

    fn from(&self) -> &'static str {
        match (self.row.is_missing, self.row.from) {
            (true, _) => "MISSING",
            (_, Origin::Nowhere) => "",
            (_, Origin::Operator) => "typed",
            (_, from) => from.word().unwrap_or_default(),
        }
    }
}

/// Every answer that is of any use here.
fn all(scene: &Scene<'_>) -> std::sync::Arc<Vec<InputLine>> {
    let state = scene.state;
    scene.story.tables.inputs.get(&scene.story.news, || {
        let asked = |id: &InputId| {
            let input = state.setup.profile.input(id)?;
            state.answers.asks(&state.setup, input).then_some(input)
        };
        let rows = inputs::rows(state).into_iter();
        rows.filter_map(|row| {
            let unsure = asked(&row.input)?.unsure;
            Some(InputLine { agreed: unsure.then(|| state.unsure.contains(&row.input)), row })
        })
        .collect()
    })
}

pub(super) fn why_not_next(scene: &Scene<'_>) -> Option<String> {
    let all = all(scene);
    let missing = all.iter().filter(|line| line.row.is_missing).count();
    let unsure = all.iter().filter(|line| line.agreed == Some(false)).count();
    let mut needs: Vec<String> = Vec::new();
    needs.extend((missing > 0).then(|| counted(missing, "answer", "answers")));
    needs.extend((unsure > 0).then(|| counted(unsure, "agreement", "agreements")));
    (!needs.is_empty()).then(|| needs.join(", "))
}

fn selected(scene: &Scene<'_>, all: &[InputLine]) -> usize {
    let spot = scene.view.spot();
    // Until the operator moves, what is open is selected.
    let open = (!spot.still).then(|| all.iter().position(InputLine::is_open)).flatten();
    open.unwrap_or(spot.row).min(all.len().saturating_sub(1))
}

pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas<'_>) {
    let all = all(scene);
    let (columns, rows) = (canvas.width(), canvas.height());
    let row = selected(scene, &all);
    let detail = all.get(row).map(|line| detail(scene.state, line, columns));
    let wanted = detail.as_ref().map_or(0, |sheet| u16::try_from(sheet.len()).unwrap_or(u16::MAX));
    let below = if rows < 6 { 0 } else { wanted.min(rows / 2) };
    let list = rows.saturating_sub(below + u16::from(below > 0));
    answer_rows(&mut canvas.part(0, 0, columns, list), &all, row);
    if let (Some(sheet), true) = (detail, below > 0) {
        canvas.rule(list);
        sheet.draw(&mut canvas.part(0, list + 1, columns, below), 0);
    }
}

fn answer_rows(canvas: &mut Canvas<'_>, all: &[InputLine], row: usize) {
    if all.is_empty() {
        canvas.text(0, 0, "This profile asks for nothing.", Tone::Dim);
        return;
    }
    let columns = canvas.width().saturating_sub(1);
    let fit = usize::from(canvas.height());
    let top = centred(row, fit, all.len());
    // What it is called matters more here than its value, which stands below in full.
    let labels = all.iter().map(|line| width(&line.row.label)).max().unwrap_or(0) + 3;
    let label = u16::try_from(labels).unwrap_or(u16::MAX).min(columns * 6 / 10);
    for (y, (index, line)) in all.iter().enumerate().skip(top).take(fit).enumerate() {
        let y = u16::try_from(y).unwrap_or(u16::MAX);
        let (mark, tone) = line.mark();
        let selected = index == row;
        let tone = if selected { Tone::Selected } else { tone };
        let mut part = canvas.part(0, y, columns, 1);
        if selected {
            part.tint(0, Tone::Selected);
        }
        let end = part.right(0, line.from(), if selected { tone } else { Tone::Dim });
        let sign = if selected { ">" } else { " " };
        part.cell(0, 0, label, &format!("{sign}{mark} {}", line.row.label), tone);
        part.cell(label + 1, 0, end.saturating_sub(label + 2), &line.row.value, tone);
    }
    canvas.scroll(top, all.len());
}

fn detail(state: &State, line: &InputLine, columns: u16) -> Sheet {
    let row = &line.row;
    let mut sheet = Sheet::new(columns);
    sheet.say(&row.label, Tone::Title);
    sheet.item(Some(("Now", Tone::Dim)), 5, &row.value, Tone::Plain);
    match line.agreed {
        Some(false) => sheet.say(
            "The vendor does not vouch for this. Look whether it is right here: Space agrees to it, Enter changes it.",
            Tone::Warn,
        ),
        Some(true) => sheet.say("The vendor does not vouch for this; you agreed to it.", Tone::Dim),
        None if row.is_missing => sheet.say("An answer is needed: press Enter.", Tone::Warn),
        None => {}
    }
    if let Some(input) = state.setup.profile.input(&row.input) {
        if let Some(help) = &input.help {
            sheet.say(help.trim(), Tone::Plain);
        }
        sheet.cite(0, input.cite.as_deref());
    }
    sheet
}

pub(super) fn bindings(scene: &Scene<'_>) -> Vec<Binding> {
    let all = all(scene);
    let line = all.get(selected(scene, &all));
    let fixed = list::why_fixed(scene);
    let nothing = line.is_none().then(|| "nothing is selected".to_owned());
    let mut table = vec![
        Binding::new([key(KeyCode::Enter)], Command::Open, "Change", "type another answer")
            .unless(fixed.clone().or(nothing)),
    ];
    if all.iter().any(|line| line.agreed.is_some()) {
        let why_not = match line.map(|line| (line.agreed, line.row.is_missing)) {
            Some((Some(false), false)) => None,
            Some((Some(false), true)) => Some("it has no answer yet; press Enter".to_owned()),
            Some((Some(true), _)) => Some("you agreed to it already".to_owned()),
            _ => Some("this needs no agreement".to_owned()),
        };
        table.push(
            Binding::new(
                [letter(' ')],
                Command::Toggle,
                "Agree",
                "agree to what the vendor does not vouch for, on all its systems and servers",
            )
            .unless(fixed.or(why_not)),
        );
    }
    table.extend(keys::MOVES);
    table
}

pub(super) fn act(face: &mut Face, command: Command) -> Go<()> {
    let (all, row) = {
        let scene = face.scene();
        let all = all(&scene);
        let row = selected(&scene, &all);
        (all, row)
    };
    let Some(line) = all.get(row) else { return Ok(()) };
    let (input, key) = (line.row.input.clone(), line.row.key.clone());
    match command {
        Command::Open => {
            let text = offered(face.state(), &input, &key);
            let typing = Typing { cursor: text.chars().count(), text, wrong: None };
            face.open(Dialog::Type { wanted: Wanted::Input { input, key }, typing });
        }
        Command::Toggle => {
            face.edit(|view| view.spot_mut().row = row);
            return face.post(&Intent::AgreeUnsure { input });
        }
        command => {
            face.edit(|view| view.spot_mut().row = row);
            if list::select(face, command, all.len()) {
                face.edit(|view| view.spot_mut().still = true);
            }
        }
    }
    Ok(())
}

/// What stands in the field to begin with: the present answer, unless it is secret.
fn offered(state: &State, input: &InputId, key: &str) -> String {
    let Some(input) = state.setup.profile.input(input) else { return String::new() };
    match inputs::present(state, input, key) {
        Some(value) if input.kind != InputKind::Secret => inputs::typed_text(&value),
        _ => String::new(),
    }
}

/// What may be chosen for what is being typed; `None`: any text.
pub(in crate::wizard) fn candidates(state: &State, wanted: &Wanted) -> Option<Vec<String>> {
    let yes_no = || Some(vec!["yes".to_owned(), "no".to_owned()]);
    let input = match wanted {
        Wanted::Input { input, .. } => input,
        Wanted::Reply { question, .. } => {
            let About::Tell(probe) = &state.questions.get(question)?.about else { return None };
            let kind = match probe {
                ProbeKey::Fact(fact, _) => state.fact_kind(fact)?,
                ProbeKey::Check(..) => FactKind::YesNo,
            };
            return if kind == FactKind::YesNo { yes_no() } else { None };
        }
        _ => return None,
    };
    let input = state.setup.profile.input(input)?;
    if input.kind == InputKind::YesNo {
        return yes_no();
    }
    let names: Vec<String> =
        inputs::candidates(&state.setup, input).into_iter().map(|candidate| candidate.name).collect();
    (!names.is_empty()).then_some(names)
}

/// What was typed, as an answer. `None`: nothing was typed, and what there is stays.
///
/// # Errors
/// What would be right, as a sentence.
pub(in crate::wizard) fn read_input(
    state: &State,
    input: &InputId,
    key: &str,
    text: &str,
) -> Result<Option<Value>, String> {
    let Some(input) = state.setup.profile.input(input) else {
        return Err(format!("the profile has no input `{input}`"));
    };
    let present = inputs::present(state, input, key);
    // Of an answer that may be left open the empty field means just that.
    if text.is_empty() && (present.is_some() != input.optional) {
        return Ok(None);
    }
    inputs::read(&state.setup, input, key, text, whole_path).map(Some)
}

/// What is asked for, in paragraphs.
pub(in crate::wizard) fn input_prompt(state: &State, input: &InputId, key: &str) -> Vec<String> {
    let Some(input) = state.setup.profile.input(input) else { return Vec::new() };
    let mut prompt = vec![inputs::label(input, key)];
    prompt.extend(input.help.as_ref().map(|help| help.trim().to_owned()));
    prompt.extend(input.cite.as_ref().map(|cite| format!("(vendor: {cite})")));
    prompt.extend(form(state, input));
    if input.optional {
        prompt.push("It may be left open.".to_owned());
    }
    prompt
}

/// In which form the answer is given.
fn form(state: &State, input: &Input) -> Vec<String> {
    match input.kind {
        InputKind::Choice => {
            let choices = inputs::candidates(&state.setup, input);
            let labels = choices.into_iter().map(|choice| choice.label);
            labels.chain(["Up and Down choose.".to_owned()]).collect()
        }
        InputKind::Server => vec!["A server of the inventory: Up and Down choose.".to_owned()],
        InputKind::YesNo => vec!["Answer yes or no: Up and Down choose.".to_owned()],
        kind => inputs::form(kind).map(str::to_owned).into_iter().collect(),
    }
}
