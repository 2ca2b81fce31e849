//! The wizard without its terminal: events and keys in, frames and intents out.

mod word;

use std::collections::VecDeque;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;

use super::dialogs::{TerminalView, Typed};
use super::follow::Before;
use super::keys::{self, Command};
use super::look::Theme;
use super::printed::Printed;
use super::review::Reel;
use super::scene::{Scene, Seat};
use super::story::Story;
use super::view::{Dialog, Page, Sure, View};
use super::{WizardError, dialogs, draw, pages};
use crate::client::{Follower, Reply, Runner, Sent, whole_path};
use crate::engine::{Intent, Phase, State, StepKey};
use crate::inventory::Answers;
use crate::model::ViewerId;

pub(super) type Go<T> = Result<T, WizardError>;

/// A question takes no answer until it was on the screen for this long, in milliseconds: what was typed before was
/// meant for something else.
const GUARD_MS: u64 = 400;
/// How long somebody who joins waits for what the others look at.
const JOIN: Duration = Duration::from_millis(40);
/// What takes longer than this is said.
const BUSY: Duration = Duration::from_millis(100);

/// Where the session comes from.
pub(super) enum Source {
    Live(Box<Follower>),
    Review(Box<Reel>),
}

/// What happens once the runner took an intent.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Then {
    Nothing,
    Page(Page),
    Terminal(StepKey),
}

/// Why the wizard is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// The operator left; the session goes on.
    Away,
    /// The session is closed and the operator has read the last page.
    Closed,
    /// Nobody is at work on the session any more.
    RunnerGone,
}

pub struct Face {
    source: Source,
    view: View,
    story: Story,
    printed: Printed,
    seat: Seat,
    viewer: ViewerId,
    watch: bool,
    zone: jiff::tz::TimeZone,
    /// The session time that is shown, where it is not that of now.
    held: Option<u64>,
    session: (String, String),
    pending: VecDeque<(Sent, Then)>,
    /// What is asked on the screen, and since when it is.
    asked: Option<(word::Asked, u64)>,
    /// A secret that is being typed. It is no part of the view, which is journalled.
    secret: Typed,
    /// What was journalled last of what this viewer looks at.
    told: Option<View>,
    pub(super) left: Option<Left>,
    /// Something changed since the last frame.
    pub(super) dirty: bool,
    deserted: bool,
    busy: Option<&'static str>,
    terminal: Option<TerminalView>,
}

impl Face {
    /// The face of a session that is under way.
    pub fn live(follower: Follower, watch: bool) -> Self {
        let viewer = follower.viewer().clone();
        let session = follower.session().clone();
        let seat = if watch { Seat::Watcher } else { Seat::Operator { pen: true } };
        Self::new(Source::Live(Box::new(follower)), session, seat, viewer, watch)
    }

    /// The face of a session that is reviewed.
    pub fn review(reel: Reel, session: crate::journal::SessionDir, viewer: ViewerId) -> Self {
        let mut face = Self::new(Source::Review(Box::new(reel)), session, Seat::Reviewer, viewer, true);
        super::review::settle(&mut face);
        face
    }

    /// Shows a reviewed session as it was after the event `seq`.
    ///
    /// # Errors
    /// A journal that is not as it was written.
    pub fn seek(&mut self, seq: u64) -> Go<()> {
        if let Source::Review(reel) = &mut self.source {
            reel.seek(seq)?;
            super::review::settle(self);
        }
        Ok(())
    }

    fn new(
        source: Source,
        session: crate::journal::SessionDir,
        seat: Seat,
        viewer: ViewerId,
        watch: bool,
    ) -> Self {
        let names = (session.id().to_string(), session.path().display().to_string());
        Self {
            source,
            view: View::default(),
            story: Story::default(),
            printed: Printed::new(session),
            seat,
            viewer,
            watch,
            zone: jiff::tz::TimeZone::system(),
            held: None,
            session: names,
            pending: VecDeque::new(),
            asked: None,
            secret: Typed::default(),
            told: None,
            left: None,
            dirty: true,
            deserted: false,
            busy: None,
            terminal: None,
        }
    }

    /// Tells times of day in `zone`.
    pub fn in_zone(mut self, zone: jiff::tz::TimeZone) -> Self {
        self.zone = zone;
        self
    }

    /// Shows the session as it was at the session time `at_ms`, whatever became of it since; `None`: as it is now.
    pub fn hold(&mut self, at_ms: Option<u64>) {
        self.held = at_ms;
        self.deserted &= at_ms.is_none();
    }

    pub fn state(&self) -> &State {
        match &self.source {
            Source::Live(follower) => follower.state(),
            Source::Review(reel) => reel.state(),
        }
    }

    pub fn view(&self) -> &View {
        &self.view
    }

    pub(super) fn story(&self) -> &Story {
        match &self.source {
            Source::Live(_) => &self.story,
            Source::Review(reel) => reel.story(),
        }
    }

    pub(super) fn reel(&mut self) -> Option<&mut Reel> {
        match &mut self.source {
            Source::Live(_) => None,
            Source::Review(reel) => Some(reel),
        }
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.source, Source::Live(_))
    }

    fn now_ms(&self) -> u64 {
        if let Some(held) = self.held {
            return held;
        }
        match &self.source {
            // After the end no time passes any more.
            Source::Live(follower) if follower.state().close().is_some() => follower.state().time.now_ms,
            Source::Live(follower) => follower.now_ms(),
            Source::Review(reel) => reel.state().time.now_ms,
        }
    }

    pub(super) fn scene(&self) -> Scene<'_> {
        let review = match &self.source {
            Source::Live(_) => None,
            Source::Review(reel) => Some(reel.review()),
        };
        Scene {
            review,
            state: self.state(),
            story: self.story(),
            view: &self.view,
            printed: &self.printed,
            seat: &self.seat,
            viewer: review.and_then(|review| review.viewer.as_ref()).unwrap_or(&self.viewer),
            now_ms: self.now_ms(),
            zone: &self.zone,
            session: &self.session,
            busy: self.busy,
            terminal: self.terminal.as_ref(),
            deserted: self.deserted,
            typed: self.secret.count(),
        }
    }

    /// Takes in what happened since. True: there is something new.
    pub fn take_in(&mut self) -> Go<bool> {
        let mut news = false;
        if let Source::Live(follower) = &mut self.source {
            loop {
                let before = Before::of(follower.state());
                let Some(entry) = follower.next_event()? else { break };
                self.story.apply(follower.state(), &entry.event);
                // What others look at changes nothing on this screen.
                news |= !matches!(entry.event, crate::engine::Event::Looked { .. });
                news |= self.view.follow(before, follower.state());
            }
            let gone = self.held.is_none()
                && follower.runner() == Runner::Gone
                && follower.state().close().is_none();
            news |= gone != self.deserted;
            self.deserted = gone;
            news |= self.view.drop_stale(follower.state());
        } else {
            return Ok(false);
        }
        let pen = self.state().pen.as_ref().is_none_or(|pen| *pen == self.viewer);
        if let Seat::Operator { pen: held } = &mut self.seat
            && *held != pen
        {
            *held = pen;
            news = true;
        }
        news |= self.answered()?;
        self.forget_secret();
        self.dirty |= news;
        Ok(news)
    }

    /// Waits until something happened in a session that is under way, or `most` has passed.
    ///
    /// # Errors
    /// When it cannot be told whether there is a runner.
    pub fn listen(&mut self, most: Duration) -> Go<()> {
        match &mut self.source {
            Source::Live(follower) => Ok(follower.wait(most)?),
            Source::Review(_) => Ok(()),
        }
    }

    /// What became of what was posted.
    fn answered(&mut self) -> Go<bool> {
        let mut news = false;
        while let Some((sent, then)) = self.pending.pop_front() {
            let Source::Live(follower) = &mut self.source else { return Ok(false) };
            let Some(reply) = follower.reply(&sent) else {
                let late = sent.age() > BUSY;
                self.pending.push_front((sent, then));
                let busy = late.then_some("waiting for the runner ...");
                news |= self.busy != busy;
                self.busy = busy;
                return Ok(news);
            };
            news = true;
            match reply {
                Reply::Done { .. } => self.done(then)?,
                Reply::Refused { why } => self.note(&why),
                Reply::Lost => {
                    self.note("The runner went away before it answered; look at where things stand.");
                }
            }
        }
        news |= self.busy.take().is_some();
        Ok(news)
    }

    fn done(&mut self, then: Then) -> Go<()> {
        match then {
            Then::Nothing => {}
            Then::Page(page) => return pages::enter(self, page),
            Then::Terminal(key) => self.open(Dialog::Terminal { key }),
        }
        Ok(())
    }

    /// Whether something was posted that has no answer yet.
    pub(super) fn is_waiting(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Changes what the operator looks at.
    pub(super) fn edit(&mut self, change: impl FnOnce(&mut View)) {
        change(&mut self.view);
        self.forget_secret();
        self.dirty = true;
    }

    pub(super) fn open(&mut self, dialog: Dialog) {
        self.edit(|view| view.dialog = Some(dialog));
    }

    /// Opens `dialog` over the one that is open, which comes back after it.
    pub(super) fn open_over(&mut self, dialog: Dialog) {
        self.edit(|view| {
            view.behind = view.dialog.take().map(Box::new);
            view.dialog = Some(dialog);
        });
    }

    /// Closes what lies over the page.
    pub(super) fn close(&mut self) {
        self.edit(|view| view.dialog = view.behind.take().map(|behind| *behind));
    }

    /// Tells the operator something about what they did last.
    pub(super) fn note(&mut self, text: &str) {
        self.edit(|view| view.note = Some(text.to_owned()));
    }

    /// Tells the runner what the operator wants.
    pub(super) fn post(&mut self, intent: &Intent) -> Go<()> {
        self.post_then(intent, Then::Nothing)
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is the last word of acts that may fail")]
    pub(super) fn post_then(&mut self, intent: &Intent, then: Then) -> Go<()> {
        let taking = matches!(intent, Intent::TakePen { .. });
        if let Some(why) = self.scene().hands_off().filter(|_| self.watch || !taking) {
            self.note(&why);
            return Ok(());
        }
        if matches!(then, Then::Terminal(_)) {
            // Before it starts: what an installer draws first must fit already.
            self.tell_size((self.view.size.0, self.view.size.1.saturating_sub(1)));
        }
        let Source::Live(follower) = &mut self.source else { return Ok(()) };
        match follower.post(intent) {
            Ok(sent) => self.pending.push_back((sent, then)),
            Err(error) => self.note(&error.to_string()),
        }
        Ok(())
    }

    /// A key: what it means stands in the table of what is shown.
    pub fn key(&mut self, event: KeyEvent) -> Go<()> {
        self.take_in()?;
        if let Some(table) = super::review::table(&self.scene()) {
            return super::review::pressed(self, &table, event);
        }
        self.view.note = None;
        self.pressed(event)?;
        super::review::after_key(self);
        Ok(())
    }

    fn pressed(&mut self, event: KeyEvent) -> Go<()> {
        if dialogs::takes_text(self.view.dialog.as_ref()) && dialogs::typed(self, event) {
            self.dirty = true;
            return Ok(());
        }
        let command = {
            let scene = self.scene();
            let bindings = pages::bindings(&scene);
            match keys::meant(&bindings, event) {
                Some(binding) => match &binding.why_not {
                    None => Ok(binding.command),
                    Some(why) => Err(why.clone()),
                },
                None => return Ok(()),
            }
        };
        self.dirty = true;
        match command {
            Ok(command) => self.carry_out(command),
            Err(why) => {
                self.note(&format!("Not now: {why}"));
                Ok(())
            }
        }
    }

    /// Text that was pasted goes into what is being typed, and nowhere else.
    pub fn paste(&mut self, text: &str) -> Go<()> {
        if dialogs::takes_text(self.view.dialog.as_ref()) {
            for c in text.chars().filter(|c| !c.is_control()).take(4096) {
                dialogs::typed(self, KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
            }
            self.dirty = true;
        }
        Ok(())
    }

    fn carry_out(&mut self, command: Command) -> Go<()> {
        if self.view.dialog.is_some() {
            return dialogs::act(self, command);
        }
        let asks = pages::asks(&self.scene());
        match command {
            Command::Help => self.open(Dialog::Help { top: 0 }),
            Command::Leave => dialogs::leave(self),
            Command::TakePen => {
                let about = Sure::TakePen;
                self.open(Dialog::Sure { about, yes: false });
            }
            Command::Next => return pages::turn(self, true),
            Command::Back => return pages::turn(self, false),
            Command::ReadUp | Command::ReadDown => self.edit(|view| {
                let spot = view.spot_mut();
                let to = if command == Command::ReadDown {
                    spot.scroll + 3
                } else {
                    spot.scroll.saturating_sub(3)
                };
                spot.scroll = to.min(200);
            }),
            Command::Aside => self.edit(|view| view.aside = !view.aside),
            command if asks && dialogs::is_answer(command) => {
                if self.is_guarded() {
                    self.note("That key came before the question could be read; press it again.");
                    return Ok(());
                }
                return dialogs::answer(self, command);
            }
            Command::Access => self.edit(|view| view.later = None),
            Command::LiftBan => pages::lift_ban(self),
            command if self.reel().is_some() && super::review::steers(command) => {
                return super::review::steer(self, command);
            }
            command if self.scene().shows_access() && pages::is_word(command) && self.is_guarded() => {
                self.note("That key came before this could be read; press it again.");
            }
            command => return pages::act(self, command),
        }
        Ok(())
    }

    /// Draws a frame, and says where the cursor stands.
    pub fn draw(&mut self, buffer: &mut Buffer, theme: &Theme) -> Option<(u16, u16)> {
        match &mut self.source {
            Source::Live(follower) => self.story.count(follower.state()),
            Source::Review(reel) => reel.count(),
        }
        self.view.size = (buffer.area.width, buffer.area.height);
        let asked = self.asked_now();
        if self.asked.as_ref().map(|(shown, _)| shown) != asked.as_ref() {
            self.asked = asked.map(|asked| (asked, self.now_ms()));
        }
        self.feed_terminal();
        self.dirty = false;
        let cursor = draw::draw(&self.scene(), buffer, theme);
        theme.finish(buffer);
        cursor
    }

    /// Keeps the terminal that is open up with what its installer prints. True: it printed something.
    pub(super) fn feed_terminal(&mut self) -> bool {
        let Some(Dialog::Terminal { key }) = &self.view.dialog else {
            self.terminal = None;
            return false;
        };
        let key = key.clone();
        let size = (self.view.size.0, self.view.size.1.saturating_sub(1));
        if self.terminal.as_ref().is_none_or(|terminal| !terminal.is_of(&key)) {
            self.terminal = TerminalView::of(self.state(), &key, size);
            if self.terminal.is_some() {
                self.tell_size(size);
            }
        }
        let Some(terminal) = &mut self.terminal else { return false };
        terminal.feed(&self.printed, size)
    }

    /// Tells the runner how large the terminal is that the installer is shown in.
    pub(super) fn tell_size(&mut self, size: (u16, u16)) {
        if self.scene().hands_off().is_none()
            && let Source::Live(follower) = &mut self.source
            && let Err(error) = follower.resize(size.0, size.1)
        {
            tracing::debug!(%error, "the size of the terminal is not told");
        }
    }

    /// The attended step whose terminal has the keys, where this viewer may type.
    pub(super) fn typing_into(&self) -> Option<StepKey> {
        match &self.view.dialog {
            Some(Dialog::Terminal { key }) if self.is_live() && self.scene().hands_off().is_none() => {
                Some(key.clone())
            }
            _ => None,
        }
    }

    /// Passes on what was typed into the installer's terminal. Ctrl-] steps out.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> Go<()> {
        let Some(key) = self.typing_into() else { return Ok(()) };
        let (typed, leave) = match bytes.iter().position(|byte| *byte == dialogs::STEP_OUT) {
            Some(at) => (&bytes[..at], true),
            None => (bytes, false),
        };
        let typed = match &self.terminal {
            Some(terminal) => terminal.as_expected(typed),
            None => typed.to_vec(),
        };
        if !typed.is_empty()
            && let Source::Live(follower) = &mut self.source
        {
            follower.type_into(&key, &typed)?;
        }
        if leave {
            self.close();
        }
        Ok(())
    }

    /// Whether this viewer looks at something else than the journal says.
    pub(super) fn has_looked(&self) -> bool {
        self.told.as_ref() != Some(&self.view)
    }

    /// Has what this viewer looks at journalled.
    pub fn tell_view(&mut self) {
        if let Source::Live(follower) = &mut self.source
            && follower.runner() == Runner::Connected
            && follower.state().close().is_none()
            && let Ok(view) = serde_json::to_value(&self.view)
        {
            // What is only looked at must not stop anything.
            if let Err(error) = follower.looked(view) {
                tracing::debug!(%error, "what is looked at is not journalled");
            }
        }
        self.told = Some(self.view.clone());
    }

    /// Reads what happened so far, and begins where the session is: on the page where it was looked at last, or the
    /// one that fits.
    pub(super) fn begin(&mut self) -> Go<()> {
        self.take_in()?;
        if self.state().pen.as_ref().is_some_and(|pen| *pen != self.viewer) {
            // Somebody else is there; what they look at is on its way.
            for _ in 0..2 {
                self.listen(JOIN)?;
                self.take_in()?;
            }
        }
        let page = Page::of(self.state());
        let last = self.story.last_viewer.as_ref().and_then(|viewer| self.story.looks.get(viewer)).cloned();
        match last {
            Some(last) if last.page.is_preparing() == page.is_preparing() => {
                let same = last.page == page || page.is_preparing();
                self.look_as(View {
                    page: if same { last.page } else { page },
                    // What was half typed there is not this viewer's.
                    dialog: last.dialog.filter(|dialog| matches!(dialog, Dialog::Terminal { .. })),
                    behind: None,
                    note: None,
                    // Who joins was not asked yet.
                    later: None,
                    ..last
                });
            }
            _ => self.edit(|view| view.page = page),
        }
        Ok(())
    }

    /// Gives the answers that were given beforehand. What cannot be taken is told.
    pub(super) fn give(&mut self, answers: &Answers) -> Go<()> {
        let setup = self.state().setup.clone();
        if self.state().phase != Phase::Preparing || self.scene().hands_off().is_some() {
            return Ok(());
        }
        let (values, mut wrong) = crate::words::inputs::from_file(&setup, answers, whole_path);
        let Source::Live(follower) = &mut self.source else { return Ok(()) };
        for (input, key, value) in values {
            if follower.state().answers.given(&input, &key) == Some(&value) {
                continue;
            }
            let answer = Intent::Answer { input: input.clone(), key, value };
            if let Reply::Refused { why } = follower.send(&answer)? {
                wrong.push(format!("the answer to `{input}`: {why}"));
            }
        }
        if !wrong.is_empty() {
            self.note(&wrong.join("; "));
        }
        Ok(())
    }

    /// The terminal has another size.
    pub(super) fn resized(&mut self, columns: u16, rows: u16) {
        self.edit(|view| view.size = (columns, rows));
        if self.typing_into().is_some() {
            self.tell_size((columns, rows.saturating_sub(1)));
        }
    }

    /// Sleeps until there is something to do, or `most` has passed.
    pub(super) fn wait(&mut self, screen: &super::tty::Screen, most: Duration) -> Go<()> {
        match &mut self.source {
            Source::Live(follower) => follower.wait(most)?,
            Source::Review(_) => screen.wait(most),
        }
        Ok(())
    }

    /// The session's follower, for what is said when the screen is gone.
    pub(super) fn into_follower(self) -> Go<Follower> {
        match self.source {
            Source::Live(follower) => Ok(*follower),
            Source::Review(_) => Err(WizardError::Reviewed),
        }
    }

    /// Whether something on the screen changes with time alone, and how soon it is looked at again.
    pub fn pulse(&self) -> Option<Duration> {
        if !self.is_live() || self.state().close().is_some() {
            return None;
        }
        if self.is_waiting() {
            return Some(Duration::from_millis(50));
        }
        if let Some(Dialog::Terminal { .. }) = self.view.dialog {
            return Some(Duration::from_millis(30));
        }
        if self.view.page.is_preparing() {
            // The prechecks say how old each outcome is.
            return (self.view.page == Page::Prechecks).then_some(Duration::from_secs(1));
        }
        let runs = self.state().active_lanes().any(crate::engine::LaneState::is_running);
        Some(if runs { Duration::from_millis(200) } else { Duration::from_secs(1) })
    }

    /// Looks at the session as another one does, from the same event on.
    pub(super) fn look_as(&mut self, view: View) {
        self.edit(|own| {
            let size = own.size;
            *own = view;
            own.size = size;
        });
    }

    pub(super) fn set_seat(&mut self, seat: Seat) {
        self.seat = seat;
    }

    pub(super) fn printed(&mut self) -> &mut Printed {
        &mut self.printed
    }
}
