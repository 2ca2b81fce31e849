//! A session that is looked at again: any of its events, forwards and backwards.
//!
//! Whoever reviews sees the operator's screen as it was after each event; only the header says where they are, the last
//! line has their keys, and the line above it has the event in words where the event is no change of that screen by
//! the operator. They may also look round by themselves, with the keys of the pages, but nothing can be sent.

mod reel;

use crossterm::event::{KeyCode, KeyEvent};

use super::face::{Face, Go, Left};
use super::follow::Before;
use super::keys::{self, Binding, Command, ctrl, key, letter};
use super::look::Tone;
use super::paint::Canvas;
use super::scene::{Scene, Seat};
use super::view::{Dialog, Page, View};
use crate::engine::Event;
use crate::model::ViewerId;
use crate::words;

pub use reel::Reel;

/// How many events a larger step has.
const MANY: usize = 10;

/// What the reviewer has before them.
#[derive(Debug, Default)]
pub(super) struct Desk {
    /// They look round by themselves.
    pub(super) own: bool,
    /// They asked for their keys.
    help: bool,
    /// What turned pages when they were last shown something.
    before: Option<Before>,
    pub(super) review: Review,
}

/// Where a review is, for drawing.
#[derive(Debug, Default)]
pub(super) struct Review {
    pub(super) at: u64,
    pub(super) of: u64,
    /// The session goes on behind the last one.
    more: bool,
    own: bool,
    help: bool,
    /// Whose screen it is.
    pub(super) viewer: Option<ViewerId>,
    /// The event in words, or what the reviewer is told.
    pub(super) line: Option<String>,
}

/// Keys from event to event. Those of the arrows belong to the page where the reviewer looks round by themselves.
fn steps(review: &Review) -> Vec<Binding> {
    let own = review.own;
    let first = review.at <= 1;
    let last = review.at >= review.of;
    let why = |is: bool, text: &str| is.then(|| text.to_owned());
    let (start, end) = (why(first, "this is the first event"), why(last, "this is the last event"));
    let mut table = Vec::new();
    if own {
        table.push(
            Binding::new([letter('.')], Command::StepOn, "Event", "the next event").unless(end.clone()),
        );
        table.push(
            Binding::new([letter(',')], Command::StepBack, "Back", "the event before").unless(start.clone()),
        );
    } else {
        let on = [key(KeyCode::Right), letter('.'), key(KeyCode::Down)];
        table.push(Binding::new(on, Command::StepOn, "Event", "the next event").unless(end.clone()));
        let back = [key(KeyCode::Left), letter(','), key(KeyCode::Up)];
        table.push(Binding::new(back, Command::StepBack, "Back", "the event before").unless(start.clone()));
        for (keys, command, label, help, why) in [
            ([key(KeyCode::PageDown), letter('+')], Command::TenOn, "", "ten events on", &end),
            ([key(KeyCode::PageUp), letter('-')], Command::TenBack, "", "ten events back", &start),
            ([key(KeyCode::Home), letter('g')], Command::ToStart, "Start", "to the first event", &start),
            ([key(KeyCode::End), letter('e')], Command::ToEnd, "End", "to the last event", &end),
        ] {
            table.push(Binding::new(keys, command, label, help).unless(why.clone()));
        }
    }
    table
}

/// The keys that a reviewer has on pages of their own too.
pub(super) fn bindings(scene: &Scene<'_>) -> Vec<Binding> {
    let Some(review) = scene.review else { return Vec::new() };
    let own = review.own;
    let mut table = if own { steps(review) } else { Vec::new() };
    for (keys, command, label, help) in [
        ([letter('x')], Command::FailureOn, "Failure", "the next failure"),
        ([ctrl('x')], Command::FailureBack, "", "the failure before"),
        ([letter('d')], Command::DecisionOn, "Decision", "the operator's next decision"),
        ([ctrl('d')], Command::DecisionBack, "", "the operator's decision before"),
    ] {
        table.push(Binding::new(keys, command, label, help));
    }
    let (label, help) = if own {
        ("As it was seen", "back to what the operator saw")
    } else {
        ("Look round", "look round by yourself, with the keys of the pages; nothing is sent")
    };
    table.push(Binding::new([key(KeyCode::Tab)], Command::OwnEyes, label, help));
    table
}

/// All keys there are while the operator's screen is shown. `None`: the keys of the page are the reviewer's own.
pub(super) fn table(scene: &Scene<'_>) -> Option<Vec<Binding>> {
    let review = scene.review.filter(|review| !review.own && !review.help)?;
    Some(own_table(scene, review))
}

/// The keys that the reviewer's help lists.
pub(super) fn helped(scene: &Scene<'_>) -> Option<Vec<Binding>> {
    let review = scene.review.filter(|review| review.help)?;
    Some(own_table(scene, review))
}

fn own_table(scene: &Scene<'_>, review: &Review) -> Vec<Binding> {
    let mut table = vec![keys::HELP];
    table.extend(steps(review));
    table.extend(bindings(scene));
    let leave = [key(KeyCode::F(9)), letter('q'), ctrl('c')];
    table.push(Binding::new(leave, Command::Leave, "Quit", "leave the review"));
    table
}

/// A key while the operator's screen is shown.
pub(super) fn pressed(face: &mut Face, table: &[Binding], event: KeyEvent) -> Go<()> {
    let Some(binding) = keys::meant(table, event) else { return Ok(()) };
    match (&binding.why_not, binding.command) {
        (Some(why), _) => say(face, &format!("Not now: {why}")),
        (None, Command::Leave) => face.left = Some(Left::Closed),
        (None, Command::Help) => {
            with(face, |desk| desk.help = true);
            settle(face);
            face.edit(|view| {
                view.behind = None;
                view.dialog = Some(Dialog::Help { top: 0 });
            });
        }
        (None, command) => return steer(face, command),
    }
    Ok(())
}

/// What follows from a key that was the page's or a dialog's.
pub(super) fn after_key(face: &mut Face) {
    let closed = face.view().dialog.is_none();
    if face.reel().is_some_and(|reel| std::mem::take(&mut reel.desk.help) && closed) {
        settle(face);
    } else if !closed {
        let is_help = matches!(face.view().dialog, Some(Dialog::Help { .. }));
        with(face, |desk| desk.help = is_help && !desk.own);
    }
}

/// Whether `command` is one of the reviewer's.
pub(super) fn steers(command: Command) -> bool {
    matches!(
        command,
        Command::StepOn
            | Command::StepBack
            | Command::TenOn
            | Command::TenBack
            | Command::FailureOn
            | Command::FailureBack
            | Command::DecisionOn
            | Command::DecisionBack
            | Command::ToStart
            | Command::ToEnd
            | Command::OwnEyes
    )
}

pub(super) fn steer(face: &mut Face, command: Command) -> Go<()> {
    let Some(reel) = face.reel() else { return Ok(()) };
    let none = match command {
        Command::StepOn => (!reel.on()?).then_some("Nothing else happened after this."),
        Command::StepBack => (!reel.back()?).then_some("Nothing happened before this."),
        Command::TenOn | Command::TenBack => {
            for _ in 0..MANY {
                let moved = if command == Command::TenOn { reel.on()? } else { reel.back()? };
                if !moved {
                    break;
                }
            }
            None
        }
        Command::FailureOn | Command::FailureBack => {
            let on = command == Command::FailureOn;
            let to = reel.failure(on);
            jump(reel, to, on, ["Nothing failed after this.", "Nothing failed before this."])?
        }
        Command::DecisionOn | Command::DecisionBack => {
            let on = command == Command::DecisionOn;
            let to = reel.decision(on);
            jump(reel, to, on, ["Nothing was decided after this.", "Nothing was decided before this."])?
        }
        Command::ToStart => {
            reel.seek(1)?;
            None
        }
        Command::ToEnd => {
            reel.seek(u64::MAX)?;
            None
        }
        Command::OwnEyes => {
            reel.desk.own = !reel.desk.own;
            if reel.desk.own {
                face.edit(|view| {
                    view.dialog = None;
                    view.behind = None;
                    view.note = None;
                });
            }
            None
        }
        _ => None,
    };
    settle(face);
    if let Some(none) = none {
        say(face, none);
    }
    Ok(())
}

fn jump(reel: &mut Reel, to: Option<u64>, on: bool, none: [&'static str; 2]) -> Go<Option<&'static str>> {
    match to {
        Some(to) => reel.seek(to)?,
        None => return Ok(Some(none[usize::from(!on)])),
    }
    Ok(None)
}

/// Shows the place that the reel is at.
pub(super) fn settle(face: &mut Face) {
    let own_view = face.view().clone();
    let Some(reel) = face.reel() else { return };
    let own = reel.desk.own;
    let viewer = reel.shown().cloned();
    let state = reel.state();
    let (view, seat) = match (&viewer, own) {
        (Some(viewer), false) => {
            let pen = state.pen.as_ref().is_none_or(|pen| pen == viewer);
            (reel.seen().cloned().unwrap_or_default(), Seat::Operator { pen })
        }
        // Nobody looked, so the page is the one where the session was.
        (None, false) => (View { page: Page::of(state), ..View::default() }, Seat::Reviewer),
        (_, true) => {
            let mut view = own_view;
            if let Some(before) = reel.desk.before {
                view.follow(before, state);
            }
            if !view.page.is_preparing() && Page::of(state).is_preparing() {
                view.page = Page::of(state);
            }
            (view, Seat::Reviewer)
        }
    };
    let at = state.time.last.and_then(|stamp| jiff::Timestamp::from_millisecond(stamp.wall_ms).ok());
    let before = Before::of(state);
    let line = line(reel);
    let (at_seq, of, more) = (reel.at(), reel.of(), reel.at_work());
    let desk = &mut reel.desk;
    desk.before = Some(before);
    desk.review =
        Review { at: at_seq, of, more, own, help: desk.help, viewer: viewer.filter(|_| !own), line };
    face.printed().only_until(at);
    face.set_seat(seat);
    face.look_as(view);
}

fn with(face: &mut Face, change: impl FnOnce(&mut Desk)) {
    if let Some(reel) = face.reel() {
        change(&mut reel.desk);
        reel.desk.review.help = reel.desk.help;
    }
}

/// Tells the reviewer something, in place of the event.
fn say(face: &mut Face, text: &str) {
    with(face, |desk| desk.review.line = Some(text.to_owned()));
    face.dirty = true;
}

/// The event that the reviewer is at, in words. `None`: what the operator then looked at says it.
fn line(reel: &Reel) -> Option<String> {
    let state = reel.state();
    let event = reel.event()?;
    let text = match event {
        Event::Looked { viewer, .. } if !reel.desk.own && reel.shown() == Some(viewer) => None,
        Event::Looked { viewer, view } => {
            let page = serde_json::from_value::<View>(view.clone()).map(|view| view.page.title());
            Some(format!("{viewer} looks at: {}", page.unwrap_or("something that is not known here")))
        }
        event => Some(words::line(state, event).unwrap_or_else(|| kind(event))),
    };
    if reel.at() < reel.of() {
        return text;
    }
    let end = if state.close().is_some() {
        ""
    } else if reel.at_work() {
        "The session goes on; this is how far it was when the review was opened. "
    } else {
        "The journal ends here, and no runner is at work: nofm resume goes on. "
    };
    if end.is_empty() {
        text
    } else {
        Some(format!("{end}{}", text.unwrap_or_default()).trim_end().to_owned())
    }
}

/// What kind of event it is, where it has no sentence of its own.
fn kind(event: &Event) -> String {
    let about = match event {
        Event::Read { probe, .. } => return format!("answered: {probe}"),
        Event::StepCleared { key }
        | Event::ProofBegun { key, .. }
        | Event::WaitLeft { key, .. }
        | Event::LookedUp { key, .. }
        | Event::TargetEnded { key, .. }
        | Event::FailureRuled { key, .. }
        | Event::WaitBegun { key }
        | Event::Typed { key, .. } => format!(": {key}"),
        Event::MeasureBegun { purpose } => format!(": {purpose:?}"),
        _ => String::new(),
    };
    let written = serde_json::to_value(event).unwrap_or_default();
    let name = match &written {
        serde_json::Value::Object(fields) => fields.keys().next().map(String::as_str),
        serde_json::Value::String(name) => Some(name.as_str()),
        _ => None,
    };
    format!("{}{about}", name.unwrap_or("event").replace('_', " "))
}

/// Where the review is, over the last row of an installer's terminal.
pub(super) fn strip(scene: &Scene<'_>, row: &mut Canvas<'_>) {
    let Some(review) = scene.review else { return };
    row.clear();
    row.tint(0, Tone::Header);
    let x = row.text(1, 0, &word(review), Tone::HeaderMark) + 2;
    let what = review.line.as_deref().unwrap_or("the installer's terminal, as it was seen");
    row.text(x, 0, &format!("{}  {what}", scene.clock(scene.now_ms)), Tone::Header);
}

/// What the header says of a review.
pub(super) fn word(review: &Review) -> String {
    let more = if review.more { "+" } else { "" };
    format!("REVIEW {}/{}{more} READ ONLY", review.at, review.of)
}
