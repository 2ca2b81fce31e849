//! The first page, before there is a session: rehearse, upgrade, join, go on, review.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;

use super::WizardError;
use super::dialogs;
use super::keys::{self, Binding, Command, key, letter};
use super::look::{Theme, Tone};
use super::paint::{Canvas, centred};
use super::tty::{Input, Screen, Terminal};
use super::view::Typing;

/// What there is to choose from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offer {
    pub profiles: Vec<OfferedProfile>,
    /// The newest first.
    pub sessions: Vec<OfferedSession>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct OfferedProfile {
    pub id: String,
    pub product: String,
    /// Whether it can be rehearsed on a stand-in farm.
    pub has_lab: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct OfferedSession {
    pub id: String,
    /// Its farm, when, and how it stands.
    pub text: String,
    pub is_under_way: bool,
    pub is_resumable: bool,
}

/// What the operator wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    Rehearse { profile: String },
    Upgrade { profile: String, inventory: String },
    Join { session: String },
    Resume { session: String },
    Review { session: String },
    Quit,
}

/// Which list is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Top,
    Rehearse,
    Upgrade,
    Inventory,
    Join,
    Resume,
    Review,
}

/// One line of a list: what it is called, what it does, why it cannot be chosen.
struct Row {
    name: String,
    does: String,
    why_not: Option<&'static str>,
}

/// The page without its terminal.
pub struct Start<'o> {
    offer: &'o Offer,
    level: Level,
    row: usize,
    profile: String,
    typing: Typing,
    note: Option<String>,
}

/// Shows the first page until something is chosen. `whole` turns what was typed into the path of a file, or says what
/// is wrong with it.
///
/// # Errors
/// A terminal that cannot be taken.
pub fn start(
    offer: &Offer,
    whole: fn(&str) -> Result<String, String>,
    terminal: Terminal,
    theme: &Theme,
) -> Result<Chosen, WizardError> {
    let screen = Screen::open(terminal, || {})?;
    let mut start = Start::new(offer);
    loop {
        let mut frame = screen.frame();
        frame.cursor = start.draw(&mut frame.buffer, theme);
        screen.show(frame);
        screen.wait(Duration::from_hours(1));
        while let Some(input) = screen.input() {
            let chosen = match input {
                Input::Key(key) => start.key(key, whole),
                Input::Paste(text) => {
                    start.paste(&text, whole);
                    None
                }
                Input::Gone | Input::Terminate => Some(Chosen::Quit),
                Input::Resize(..) | Input::Raw(_) | Input::Resumed => None,
            };
            if let Some(chosen) = chosen {
                return Ok(chosen);
            }
        }
    }
}

impl<'o> Start<'o> {
    pub fn new(offer: &'o Offer) -> Self {
        Self {
            offer,
            level: Level::Top,
            row: 0,
            profile: String::new(),
            typing: Typing::default(),
            note: None,
        }
    }

    fn rows(&self) -> Vec<Row> {
        let row =
            |name: &str, does: &str, why_not| Row { name: name.to_owned(), does: does.to_owned(), why_not };
        let none = |there: bool, why: &'static str| (!there).then_some(why);
        let sessions = &self.offer.sessions;
        let under_way = sessions.iter().any(|session| session.is_under_way);
        let resumable = sessions.iter().any(|session| session.is_resumable);
        let listed = |fits: fn(&OfferedSession) -> bool| {
            sessions
                .iter()
                .filter(move |session| fits(session))
                .map(|session| row(&session.id, &session.text, None))
        };
        match self.level {
            Level::Top => vec![
                row("Rehearse", "on a stand-in farm on this machine; nothing else is touched", None),
                row("Upgrade", "the servers of an inventory of yours, step by step", None),
                row("Join", "a session that is under way", none(under_way, "no session is under way")),
                row("Go on", "with a session that was stopped", none(resumable, "no session was stopped")),
                row(
                    "Review",
                    "a session: every event, forwards and backwards",
                    none(!sessions.is_empty(), "there is no session yet"),
                ),
                row("Quit", "", None),
            ],
            Level::Rehearse | Level::Upgrade => {
                self.profiles().map(|profile| row(&profile.product, &profile.id, None)).collect()
            }
            Level::Inventory => Vec::new(),
            Level::Join => listed(|session| session.is_under_way).collect(),
            Level::Resume => listed(|session| session.is_resumable).collect(),
            Level::Review => listed(|_| true).collect(),
        }
    }

    fn profiles(&self) -> impl Iterator<Item = &'o OfferedProfile> {
        let rehearse = self.level == Level::Rehearse;
        self.offer.profiles.iter().filter(move |profile| profile.has_lab || !rehearse)
    }

    fn title(&self) -> &'static str {
        match self.level {
            Level::Top => "What do you want to do?",
            Level::Rehearse => "Rehearse which upgrade?",
            Level::Upgrade => "Upgrade which product?",
            Level::Inventory => "Which servers?",
            Level::Join => "Join which session?",
            Level::Resume => "Go on with which session?",
            Level::Review => "Review which session?",
        }
    }

    fn bindings(&self) -> Vec<Binding> {
        let mut table = vec![
            Binding::new([key(KeyCode::Enter)], Command::Open, "Choose", "what is marked"),
            Binding::new([key(KeyCode::Esc), letter('b')], Command::Back, "Back", "to the list before"),
        ];
        if self.level == Level::Top {
            table.truncate(1);
        }
        if self.level == Level::Inventory {
            table[1] = Binding::new([key(KeyCode::Esc)], Command::Back, "Back", "to the list before");
            return table;
        }
        table.extend(keys::MOVES);
        table.extend(keys::CHOICES);
        table.push(Binding::new(
            [letter('q'), key(KeyCode::F(9)), keys::ctrl('c')],
            Command::Leave,
            "Quit",
            "leave",
        ));
        table
    }

    /// Takes a key in. Gives what was chosen, once something is.
    pub fn key(&mut self, event: KeyEvent, whole: fn(&str) -> Result<String, String>) -> Option<Chosen> {
        self.note = None;
        if self.level == Level::Inventory && dialogs::edit(&mut self.typing, event) {
            self.typing.wrong = None;
            return None;
        }
        let bindings = self.bindings();
        let command = keys::meant(&bindings, event)?.command;
        let total = self.rows().len();
        match command {
            Command::Leave => return Some(Chosen::Quit),
            Command::Back => {
                self.enter(if self.level == Level::Inventory { Level::Upgrade } else { Level::Top });
            }
            Command::Choose(number) if number <= total => {
                self.row = number - 1;
                return self.open(whole);
            }
            Command::Open => return self.open(whole),
            command => self.row = keys::moved(command, self.row, total, 10),
        }
        None
    }

    fn paste(&mut self, text: &str, whole: fn(&str) -> Result<String, String>) {
        if self.level == Level::Inventory {
            for c in text.chars().filter(|c| !c.is_control()).take(4096) {
                self.key(KeyEvent::from(KeyCode::Char(c)), whole);
            }
        }
    }

    fn enter(&mut self, level: Level) {
        self.level = level;
        self.row = 0;
    }

    fn open(&mut self, whole: fn(&str) -> Result<String, String>) -> Option<Chosen> {
        let rows = self.rows();
        if let Some(why) = rows.get(self.row).and_then(|row| row.why_not) {
            self.note = Some(format!("Not now: {why}."));
            return None;
        }
        let name = rows.get(self.row).map(|row| row.name.clone());
        match self.level {
            Level::Top => {
                let levels = [Level::Rehearse, Level::Upgrade, Level::Join, Level::Resume, Level::Review];
                match levels.get(self.row) {
                    Some(level) => self.enter(*level),
                    None => return Some(Chosen::Quit),
                }
                None
            }
            Level::Rehearse => {
                let profile = self.profiles().nth(self.row)?.id.clone();
                Some(Chosen::Rehearse { profile })
            }
            Level::Upgrade => {
                let profile = self.profiles().nth(self.row)?.id.clone();
                self.profile = profile;
                self.enter(Level::Inventory);
                None
            }
            Level::Inventory => match whole(&self.typing.text) {
                Ok(inventory) => Some(Chosen::Upgrade { profile: self.profile.clone(), inventory }),
                Err(wrong) => {
                    self.typing.wrong = Some(wrong);
                    None
                }
            },
            Level::Join => Some(Chosen::Join { session: name? }),
            Level::Resume => Some(Chosen::Resume { session: name? }),
            Level::Review => Some(Chosen::Review { session: name? }),
        }
    }

    /// Draws the page, and says where the cursor stands.
    pub fn draw(&self, buffer: &mut Buffer, theme: &Theme) -> Option<(u16, u16)> {
        buffer.reset();
        let mut canvas = Canvas::new(buffer, theme);
        let cursor = self.page(&mut canvas);
        theme.finish(buffer);
        cursor
    }

    fn page(&self, canvas: &mut Canvas<'_>) -> Option<(u16, u16)> {
        let (columns, rows) = (canvas.width(), canvas.height());
        canvas.tint(0, Tone::Header);
        canvas.text(
            1,
            0,
            &format!(
                "nofm {}  upgrades of server farms, as their vendors prescribe",
                env!("CARGO_PKG_VERSION")
            ),
            Tone::Header,
        );
        let mut part = canvas.part(0, 1, columns, rows.saturating_sub(3));
        let mut inside = part.boxed(self.title(), true);
        let mut cursor = None;
        if self.level == Level::Inventory {
            let y = inside.hanging(
                1,
                1,
                "",
                "The file of your inventory (nofm inventory check tells what is wrong with one):",
                Tone::Plain,
            );
            cursor = dialogs::field(&mut inside, y + 1, &self.typing);
            if let Some(wrong) = &self.typing.wrong {
                inside.hanging(1, y + 3, "! ", wrong, Tone::Warn);
            }
        } else {
            self.list(&mut inside);
        }
        let last = rows.saturating_sub(1);
        if let Some(note) = &self.note {
            canvas.text(1, last.saturating_sub(1), &format!("! {note}"), Tone::Warn);
        }
        super::draw::footer(&self.bindings(), &mut canvas.below(last));
        cursor
    }

    fn list(&self, canvas: &mut Canvas<'_>) {
        let rows = self.rows();
        let each: u16 = if self.level == Level::Top && canvas.height() > 13 { 2 } else { 1 };
        let shown = usize::from(canvas.height().saturating_sub(1) / each).max(1);
        let top = centred(self.row, shown, rows.len());
        let names = rows.iter().map(|row| crate::text::width::width(&row.name)).max().unwrap_or(0);
        for (index, row) in rows.iter().enumerate().skip(top).take(shown) {
            let y = u16::try_from(index - top).unwrap_or(u16::MAX).saturating_mul(each).saturating_add(1);
            let marked = index == self.row;
            let tone = match (&row.why_not, marked) {
                (_, true) => Tone::Selected,
                (Some(_), _) => Tone::Disabled,
                (None, _) => Tone::Plain,
            };
            if marked {
                canvas.tint(y, Tone::Selected);
            }
            let number = if index < 9 { (index + 1).to_string() } else { " ".to_owned() };
            let mark = if marked { ">" } else { " " };
            let x = canvas.text(0, y, &format!(" {mark} {number}  {}", row.name), tone);
            let column = u16::try_from(names).unwrap_or(u16::MAX).saturating_add(8).max(x + 2);
            let does = row.why_not.map_or_else(|| row.does.clone(), |why| format!("({why})"));
            canvas.text(column, y, &does, tone);
        }
        canvas.scroll(top, rows.len());
    }
}
