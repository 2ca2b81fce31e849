//! Lines to the operator. Everything goes through here, so that nothing foreign reaches the terminal as it is.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::text::escape::{Newline, safe, safe_with};
use crate::text::width;

/// Columns where the terminal's width is not known.
pub const WIDTH: usize = 100;

/// Where lines go. Never colours anything.
pub struct Printer {
    out: Box<dyn Write>,
    width: usize,
    /// Whether lines are broken at the width. A pipe gets each event on one line.
    is_terminal: bool,
    zone: TimeZone,
    day: Option<Date>,
    /// Something is asked on a line that nobody has ended yet.
    asking: bool,
}

impl Printer {
    /// `width`: columns of the terminal, where there is one.
    pub fn new(out: Box<dyn Write>, width: Option<usize>) -> Self {
        Self {
            out,
            width: width.unwrap_or(WIDTH).clamp(40, WIDTH),
            is_terminal: width.is_some(),
            zone: TimeZone::system(),
            day: None,
            asking: false,
        }
    }

    /// Begins at the start of a line.
    fn fresh(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.asking) { writeln!(self.out) } else { Ok(()) }
    }

    /// What was asked last got its line end by the Enter that answered it.
    pub(super) fn answered(&mut self) {
        self.asking = false;
    }

    /// A line of its own, never broken.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        self.fresh()?;
        writeln!(self.out, "{}", safe(text))?;
        self.out.flush()
    }

    pub(super) fn blank(&mut self) -> io::Result<()> {
        self.fresh()?;
        writeln!(self.out)
    }

    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        self.fresh()?;
        let text = safe(text);
        writeln!(self.out, "\n{text}\n{}", "-".repeat(width::width(&text).min(self.width)))?;
        self.out.flush()
    }

    /// Prose, broken at the terminal's width; line ends stay.
    pub(super) fn text(&mut self, text: &str) -> io::Result<()> {
        self.hanging("", text)
    }

    /// Prose behind a mark; the lines that follow stand under its beginning.
    pub(super) fn hanging(&mut self, mark: &str, text: &str) -> io::Result<()> {
        self.fresh()?;
        let mark = safe(mark);
        let indent = width::width(&mark);
        let text = safe_with(text.trim_end(), Newline::Keep);
        let columns = self.width.saturating_sub(indent).max(20);
        for (index, line) in width::wrap(&text, columns).iter().enumerate() {
            let line = line.trim_end();
            if index == 0 {
                writeln!(self.out, "{mark}{line}")?;
            } else if line.is_empty() {
                writeln!(self.out)?;
            } else {
                writeln!(self.out, "{:indent$}{line}", "")?;
            }
        }
        self.out.flush()
    }

    /// Text whose line ends count, such as a command: indented, and never broken.
    pub(super) fn verbatim(&mut self, indent: usize, text: &str) -> io::Result<()> {
        self.fresh()?;
        for line in safe_with(text.trim_end(), Newline::Keep).lines() {
            writeln!(self.out, "{:indent$}{line}", "")?;
        }
        self.out.flush()
    }

    /// A line with the time in front. A day that begins is said.
    pub(super) fn stamped(&mut self, wall_ms: i64, text: &str) -> io::Result<()> {
        let at = Timestamp::from_millisecond(wall_ms).unwrap_or_default().to_zoned(self.zone.clone());
        if self.day.replace(at.date()) != Some(at.date()) {
            self.line(&format!("{} ({})", at.date(), at.time_zone().iana_name().unwrap_or("local time")))?;
        }
        // One event, one line: what has several is read as one.
        let (time, text) = (at.strftime("%H:%M:%S"), text.replace('\n', " "));
        if self.is_terminal {
            self.hanging(&format!("{time}  "), &text)
        } else {
            self.line(&format!("{time}  {text}"))
        }
    }

    /// Asks for a line, which is typed behind it.
    pub(super) fn prompt(&mut self, text: &str) -> io::Result<()> {
        self.fresh()?;
        self.asking = true;
        write!(self.out, "{} ", safe(text))?;
        self.out.flush()
    }

    /// A line that holds what a program reads, already free of anything that is not visible.
    pub(super) fn json(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{line}")?;
        self.out.flush()
    }

    /// Bytes of an attended step's terminal, as they are.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.flush()
    }
}
