//! What keys do. One table a page handles the keys, fills the footer and the help, so that none can differ.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Everything a key can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Help,
    /// Away with what lies over the page, or back to the question.
    Close,
    Next,
    Back,
    /// Leave the screen; the session goes on.
    Leave,
    /// End the session so that it can be resumed.
    Stop,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Left,
    Right,
    /// The next part of the page gets the keys.
    OtherPane,
    /// What is selected, larger.
    Open,
    /// Tick, or agree.
    Toggle,
    Confirm,
    Yes,
    No,
    Choose(usize),
    Recheck,
    RecheckAll,
    Fix,
    Waive,
    Begin,
    Pause,
    PauseOne,
    LeaveOut,
    /// Not wait any longer for what need not be waited for.
    LeaveWait,
    LiftBan,
    Filter,
    Find,
    FindNext,
    /// Through what stands above the choices of a question.
    ReadUp,
    ReadDown,
    /// Between the question and what it is about.
    Aside,
    Terminal,
    /// What servers wait for that only a person can say.
    Access,
    /// Not now, but later.
    Later,
    Trust,
    TrustAll,
    Deny,
    TakePen,
    StepOn,
    StepBack,
    TenOn,
    TenBack,
    FailureOn,
    FailureBack,
    DecisionOn,
    DecisionBack,
    /// The beginning or the end of a reviewed session.
    ToStart,
    ToEnd,
    /// Between what the operator saw and looking round by oneself.
    OwnEyes,
}

/// Keys that mean the same.
const MOST: usize = 5;

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    keys: [Option<Key>; MOST],
    pub command: Command,
    /// For the footer; empty: it stands in the help only.
    pub label: &'static str,
    /// For the help.
    pub help: &'static str,
    /// Why it cannot be done now.
    pub why_not: Option<String>,
}

/// The table with every key in it once: what comes first has it.
pub fn each_once(table: Vec<Binding>) -> Vec<Binding> {
    let mut taken: Vec<Key> = Vec::new();
    let mut kept = Vec::new();
    for mut binding in table {
        for slot in &mut binding.keys {
            match slot {
                Some(key) if taken.contains(key) => *slot = None,
                Some(key) => taken.push(*key),
                None => {}
            }
        }
        if binding.keys().next().is_some() {
            kept.push(binding);
        }
    }
    kept
}

/// A key with or without Ctrl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub code: KeyCode,
    pub ctrl: bool,
}

pub const fn key(code: KeyCode) -> Key {
    Key { code, ctrl: false }
}

pub const fn letter(c: char) -> Key {
    Key { code: KeyCode::Char(c), ctrl: false }
}

pub const fn ctrl(c: char) -> Key {
    Key { code: KeyCode::Char(c), ctrl: true }
}

impl Key {
    fn is(self, event: KeyEvent) -> bool {
        let same = match (self.code, event.code) {
            // Caps lock must not change what a key does.
            (KeyCode::Char(own), KeyCode::Char(typed)) if !self.ctrl => own == typed.to_ascii_lowercase(),
            (own, typed) => own == typed,
        };
        same && self.ctrl == event.modifiers.contains(KeyModifiers::CONTROL)
            && !event.modifiers.contains(KeyModifiers::ALT)
    }

    /// As the footer writes it.
    pub fn name(self) -> String {
        let name = match self.code {
            KeyCode::F(number) => format!("F{number}"),
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(c) => c.to_uppercase().collect(),
            KeyCode::Up => "Up".to_owned(),
            KeyCode::Down => "Dn".to_owned(),
            KeyCode::Left => "<-".to_owned(),
            KeyCode::Right => "->".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            KeyCode::BackTab => "Shift-Tab".to_owned(),
            other => format!("{other:?}"),
        };
        if self.ctrl { format!("Ctrl-{name}") } else { name }
    }
}

impl Binding {
    pub const fn new<const N: usize>(
        keys: [Key; N],
        command: Command,
        label: &'static str,
        help: &'static str,
    ) -> Self {
        let mut slots = [None; MOST];
        let mut at = 0;
        while at < N {
            slots[at] = Some(keys[at]);
            at += 1;
        }
        Self { keys: slots, command, label, help, why_not: None }
    }

    /// The keys that mean it, the one for the footer first.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        self.keys.iter().flatten().copied()
    }

    /// Its key as the footer writes it.
    pub fn key_name(&self) -> String {
        match self.command {
            Command::Choose(1) => "1-9".to_owned(),
            _ => self.keys().next().map(Key::name).unwrap_or_default(),
        }
    }

    /// Stays in the table, but says why it cannot be done now.
    pub fn unless(self, why_not: Option<String>) -> Self {
        Self { why_not, ..self }
    }
}

/// What `event` means on a page with this table.
pub fn meant(bindings: &[Binding], event: KeyEvent) -> Option<&Binding> {
    bindings.iter().find(|binding| binding.keys().any(|key| key.is(event)))
}

pub const HELP: Binding =
    Binding::new([key(KeyCode::F(1)), letter('?')], Command::Help, "Help", "every key of this page");
pub const CLOSE: Binding =
    Binding::new([key(KeyCode::Esc)], Command::Close, "Close", "close what lies over the page");
pub const NEXT: Binding =
    Binding::new([key(KeyCode::F(10)), letter('n')], Command::Next, "Next", "on to the next page");
pub const BACK: Binding =
    Binding::new([key(KeyCode::F(8)), letter('b')], Command::Back, "Back", "back to the page before");
pub const LEAVE: Binding = Binding::new(
    [key(KeyCode::F(9)), letter('q'), ctrl('c')],
    Command::Leave,
    "Quit",
    "leave, or stop the session so that it can be resumed",
);

/// Through a list or a text.
pub const MOVES: [Binding; 6] = [
    Binding::new([key(KeyCode::Up), letter('k')], Command::Up, "", "up"),
    Binding::new([key(KeyCode::Down), letter('j')], Command::Down, "", "down"),
    Binding::new([key(KeyCode::PageUp)], Command::PageUp, "", "a page up"),
    Binding::new([key(KeyCode::PageDown)], Command::PageDown, "", "a page down"),
    Binding::new([key(KeyCode::Home), letter('g')], Command::First, "", "to the first"),
    Binding::new([key(KeyCode::End), letter('e')], Command::Last, "", "to the last"),
];

/// The choices of a question, by number.
pub const CHOICES: [Binding; 9] = {
    const fn choice(keys: [Key; 1], number: usize) -> Binding {
        Binding::new(keys, Command::Choose(number), "", "select this choice; Enter then does it")
    }
    [
        Binding::new([letter('1')], Command::Choose(1), "Choose", "select this choice; Enter then does it"),
        choice([letter('2')], 2),
        choice([letter('3')], 3),
        choice([letter('4')], 4),
        choice([letter('5')], 5),
        choice([letter('6')], 6),
        choice([letter('7')], 7),
        choice([letter('8')], 8),
        choice([letter('9')], 9),
    ]
};

/// The row that `command` leads to, of `total`, from `row`.
pub fn moved(command: Command, row: usize, total: usize, page: usize) -> usize {
    let last = total.saturating_sub(1);
    match command {
        Command::Up => row.saturating_sub(1),
        Command::Down => row + 1,
        Command::PageUp => row.saturating_sub(page),
        Command::PageDown => row + page,
        Command::First => 0,
        Command::Last => last,
        _ => row,
    }
    .min(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_mean_the_same_with_caps_lock_and_nothing_with_alt() {
        let shifted = KeyEvent::new(KeyCode::Char('N'), KeyModifiers::SHIFT);
        assert_eq!(meant(&[NEXT], shifted).map(|binding| binding.command), Some(Command::Next));
        let alt = KeyEvent::new(KeyCode::Char('n'), KeyModifiers::ALT);
        assert_eq!(meant(&[NEXT], alt), None);
        let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(meant(&[LEAVE], ctrl_c).map(|binding| binding.command), Some(Command::Leave));
    }
}
