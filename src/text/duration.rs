//! Durations as profiles write them (`90s 20m 2h 1d`) and as the screen shows them (`8m41`).

use std::time::Duration;

const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];

/// Why a text is no duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    #[error("a duration is a whole number with its unit: `90s`, `20m`, `2h`, `1d`")]
    Form,
    #[error("this duration is longer than anything waits: at most `1000d`")]
    TooLong,
}

/// The duration that `text` writes: a whole number and one of `s m h d`.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let unit = text.chars().last().ok_or(DurationError::Form)?;
    let (_, seconds) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or(DurationError::Form)?;
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DurationError::Form);
    }
    let total = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds));
    match total {
        Some(total) if total <= 1000 * 86_400 => Ok(Duration::from_secs(total)),
        _ => Err(DurationError::TooLong),
    }
}

/// `duration` in two units at most, in a width that does not change while it runs: `41s`, `8m41`, `1h 02m`,
/// `2d 03h`.
pub fn short(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if minutes == 0 => format!("{seconds}s"),
        () if hours == 0 => format!("{minutes}m{:02}", seconds % 60),
        () if days == 0 => format!("{hours}h {:02}m", minutes % 60),
        () => format!("{days}d {:02}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        for (text, seconds) in [("90s", 90), ("20m", 1200), ("2h", 7200), ("1d", 86_400), ("0s", 0)] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "s", "90", "1.5h", "-1s", "+1s", "1h30m", "20 m", "20µ"] {
            assert_eq!(parse(text), Err(DurationError::Form), "{text}");
        }
        for text in ["1001d", "99999999999999999999h", "18446744073709551615d"] {
            assert_eq!(parse(text), Err(DurationError::TooLong), "{text}");
        }
    }

    #[test]
    fn durations_are_shown_short() {
        for (seconds, text) in [(0, "0s"), (41, "41s"), (521, "8m41"), (3720, "1h 02m"), (183_600, "2d 03h")]
        {
            assert_eq!(short(Duration::from_secs(seconds)), text);
        }
    }
}
