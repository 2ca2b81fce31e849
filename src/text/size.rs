//! Sizes of files and disks, as profiles write them (`2.4 GB`, `20 GiB`) and as the screen shows them.

const UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// Why a text is no size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    #[error("a size is a number with its unit: `2.4 GB`, `20 GiB`, `512 kB`")]
    Form,
    #[error("this size is more than any disk holds")]
    TooLarge,
}

/// Bytes of what `text` writes: a number, with up to nine decimals, and a unit.
pub fn parse(text: &str) -> Result<u64, SizeError> {
    let start = text.find(|c: char| c.is_ascii_alphabetic()).ok_or(SizeError::Form)?;
    let (number, unit) = (text[..start].trim_end(), &text[start..]);
    let unit = if unit == "KB" { "kB" } else { unit };
    let (_, factor) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or(SizeError::Form)?;
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || decimals.len() > 9 {
        return Err(SizeError::Form);
    }
    let scale = 10u128.pow(u32::try_from(decimals.len()).unwrap_or(0));
    let whole: u128 = whole.parse().map_err(|_| SizeError::TooLarge)?;
    let decimals: u128 = decimals.parse().map_err(|_| SizeError::Form)?;
    let bytes = whole
        .checked_mul(scale)
        .and_then(|whole| (whole + decimals).checked_mul(u128::from(factor)))
        .ok_or(SizeError::TooLarge)?;
    u64::try_from(bytes.div_ceil(scale)).map_err(|_| SizeError::TooLarge)
}

/// `bytes` with at most one decimal, in units of 1000: `2.4 GB`, `20 GB`, `512 B`. Cut, never rounded up: a
/// disk is not shown fuller of space than it is.
pub fn short(bytes: u64) -> String {
    let (unit, factor) = UNITS[..5].iter().rev().find(|(_, factor)| bytes >= *factor).unwrap_or(&UNITS[0]);
    match (bytes / factor, bytes % factor * 10 / factor) {
        (whole, 0) => format!("{whole} {unit}"),
        (whole, tenth) => format!("{whole}.{tenth} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("2.4 GB", 2_400_000_000),
            ("20 GiB", 20 << 30),
            ("0 B", 0),
            ("1.5kB", 1500),
            ("1 KB", 1000),
            ("0.3 KiB", 308),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for text in ["", "GB", "2.4", "2,4 GB", "-1 GB", "1 gb", ".5 GB", "5. GB", "1 ZB", "é GB"] {
            assert_eq!(parse(text), Err(SizeError::Form), "{text}");
        }
        for text in ["99999999999 TB", "340282366920938463463374607431768211456 B"] {
            assert_eq!(parse(text), Err(SizeError::TooLarge), "{text}");
        }
    }

    #[test]
    fn sizes_are_shown_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (512, "512 B"),
            (2_400_000_000, "2.4 GB"),
            (20_000_000_000, "20 GB"),
            (1_999, "1.9 kB"),
        ] {
            assert_eq!(short(bytes), text);
        }
    }
}
