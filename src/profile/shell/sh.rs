//! How a POSIX shell reads a command.

use super::{Place, Unit};

/// What the reader is within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    /// A command: the whole, `$(…)` or `(…)`.
    Command,
    Double,
    /// `${…}`
    Braces,
    /// `$((…))`, with the number of parentheses open within.
    Arithmetic(usize),
}

struct Reader<'u> {
    units: &'u [Unit],
    at: usize,
    frames: Vec<Frame>,
    /// Delimiters of the here-documents that begin after this line, and whether tabs before them count.
    pending: Vec<(String, bool)>,
    doubtful: bool,
    places: Vec<Option<Place>>,
}

/// For each hole, why it cannot stand where it does.
pub(super) fn places(units: &[Unit]) -> Vec<Option<Place>> {
    let mut reader = Reader {
        units,
        at: 0,
        frames: vec![Frame::Command],
        pending: Vec::new(),
        doubtful: false,
        places: Vec::new(),
    };
    while reader.at < units.len() {
        reader.step();
    }
    reader.places
}

impl Reader<'_> {
    fn char(&self, ahead: usize) -> Option<char> {
        match self.units.get(self.at + ahead) {
            Some(Unit::Char(c)) => Some(*c),
            _ => None,
        }
    }

    fn starts_with(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.char(i) == Some(c))
    }

    /// The character before the present one, if it is one.
    fn before(&self) -> Option<char> {
        match self.at.checked_sub(1).and_then(|at| self.units.get(at)) {
            Some(Unit::Char(c)) => Some(*c),
            _ => None,
        }
    }

    fn hole(&mut self, place: Option<Place>) {
        let place = place.or(self.doubtful.then_some(Place::Doubtful));
        self.places.push(place);
        self.at += 1;
    }

    fn step(&mut self) {
        let frame = self.frames.last().copied().unwrap_or(Frame::Command);
        let Some(c) = self.char(0) else {
            let place = match frame {
                Frame::Command if self.before() == Some('$') => Some(Place::Escaped),
                Frame::Command => None,
                Frame::Double => Some(Place::Quotes),
                Frame::Braces | Frame::Arithmetic(_) => Some(Place::Expansion),
            };
            return self.hole(place);
        };
        match (frame, c) {
            (_, '\\') => self.escape(),
            (_, '`') => self.backticks(),
            (_, '$') if self.opens() => {}
            (Frame::Command, '\'') => self.single(),
            (Frame::Braces, '\'') if !self.frames.contains(&Frame::Double) => self.single(),
            (Frame::Command | Frame::Braces, '"') => self.push(Frame::Double, 1),
            (Frame::Double, '"') | (Frame::Braces, '}') => self.pop(),
            (Frame::Command, '(') => self.push(Frame::Command, 1),
            (Frame::Command, ')') if self.frames.len() > 1 => self.pop(),
            (Frame::Command, '#') if self.at_word_start() => self.until_newline(),
            (Frame::Command, '<') if self.starts_with("<<<") => self.at += 3,
            (Frame::Command, '<') if self.starts_with("<<") => self.delimiter(),
            (Frame::Command, '\n') if !self.pending.is_empty() => self.here_documents(),
            (Frame::Arithmetic(open), '(') => self.replace(Frame::Arithmetic(open + 1)),
            (Frame::Arithmetic(0), ')') if self.char(1) == Some(')') => {
                self.at += 1;
                self.pop();
            }
            (Frame::Arithmetic(0), ')') => {
                self.doubtful = true;
                self.at += 1;
            }
            (Frame::Arithmetic(open), ')') => self.replace(Frame::Arithmetic(open - 1)),
            _ => self.at += 1,
        }
    }

    fn push(&mut self, frame: Frame, length: usize) {
        self.frames.push(frame);
        self.at += length;
    }

    fn pop(&mut self) {
        self.frames.pop();
        self.at += 1;
    }

    fn replace(&mut self, frame: Frame) {
        self.frames.pop();
        self.push(frame, 1);
    }

    /// Opens `$((`, `$(` or `${`; takes a parameter such as `$$` whole, whose second half opens nothing.
    fn opens(&mut self) -> bool {
        if self.char(1).is_some_and(|c| "$#?!@*-".contains(c)) {
            self.at += 2;
            return true;
        }
        let (frame, length) = if self.starts_with("$((") {
            (Frame::Arithmetic(0), 3)
        } else if self.starts_with("$(") {
            (Frame::Command, 2)
        } else if self.starts_with("${") {
            (Frame::Braces, 2)
        } else {
            return false;
        };
        self.push(frame, length);
        true
    }

    fn escape(&mut self) {
        self.at += 1;
        match self.units.get(self.at) {
            Some(Unit::Hole) => self.hole(Some(Place::Escaped)),
            Some(Unit::Char(_)) => self.at += 1,
            None => {}
        }
    }

    fn single(&mut self) {
        self.doubtful |= self.before() == Some('$');
        self.at += 1;
        while let Some(unit) = self.units.get(self.at) {
            match unit {
                Unit::Hole => self.hole(Some(Place::Quotes)),
                Unit::Char('\'') => {
                    self.at += 1;
                    return;
                }
                Unit::Char(_) => self.at += 1,
            }
        }
    }

    fn backticks(&mut self) {
        self.at += 1;
        while let Some(unit) = self.units.get(self.at) {
            match unit {
                Unit::Hole => self.hole(Some(Place::Backticks)),
                Unit::Char('\\') => self.escape(),
                Unit::Char('`') => {
                    self.at += 1;
                    return;
                }
                Unit::Char(_) => self.at += 1,
            }
        }
    }

    fn at_word_start(&self) -> bool {
        match self.at.checked_sub(1).and_then(|at| self.units.get(at)) {
            None => true,
            Some(Unit::Char(c)) => c.is_whitespace() || matches!(c, ';' | '&' | '|' | '(' | ')'),
            Some(Unit::Hole) => false,
        }
    }

    fn until_newline(&mut self) {
        while let Some(unit) = self.units.get(self.at) {
            match unit {
                Unit::Hole => self.hole(Some(Place::Comment)),
                Unit::Char('\n') => return,
                Unit::Char(_) => self.at += 1,
            }
        }
    }

    /// Reads what ends a here-document: `<<EOF`, `<<-EOF`, `<<'EOF'`. Any other form is too seldom to be
    /// read alike by every shell.
    fn delimiter(&mut self) {
        self.at += 2;
        let tabs = self.char(0) == Some('-');
        self.at += usize::from(tabs);
        while matches!(self.char(0), Some(' ' | '\t')) {
            self.at += 1;
        }
        let mut raw = String::new();
        while let Some(c) = self.char(0).filter(|c| c.is_ascii_alphanumeric() || "_.'\"".contains(*c)) {
            raw.push(c);
            self.at += 1;
        }
        let unquoted = ['\'', '"']
            .iter()
            .find_map(|quote| raw.strip_prefix(*quote)?.strip_suffix(*quote))
            .unwrap_or(&raw);
        let ends = self.char(0).is_none_or(|c| c.is_whitespace() || ";&|<>()".contains(c));
        self.doubtful |= !ends || unquoted.is_empty() || unquoted.contains(['\'', '"']);
        self.pending.push((unquoted.to_owned(), tabs));
    }

    fn here_documents(&mut self) {
        self.at += 1;
        for (delimiter, tabs) in std::mem::take(&mut self.pending) {
            while self.at < self.units.len() {
                let line = self.line();
                let line =
                    line.as_deref().map(|line| if tabs { line.trim_start_matches('\t') } else { line });
                if line == Some(delimiter.as_str()) {
                    break;
                }
            }
        }
    }

    /// A line of a here-document, if it has no hole; the newline is taken.
    fn line(&mut self) -> Option<String> {
        let mut line = Some(String::new());
        while let Some(unit) = self.units.get(self.at) {
            match unit {
                Unit::Hole => {
                    line = None;
                    self.hole(Some(Place::HereDocument));
                }
                Unit::Char(c) => {
                    self.at += 1;
                    if *c == '\n' {
                        break;
                    }
                    if let Some(line) = &mut line {
                        line.push(*c);
                    }
                }
            }
        }
        // A backslash there may join the next line to this one, which then ends nothing.
        self.doubtful |= line.as_deref().is_none_or(|line| line.ends_with('\\'));
        line
    }
}
