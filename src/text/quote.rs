//! Values made single words of a shell's command line, whatever stands in them.

/// Why a value cannot stand in a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value holds a NUL character, which no command line can carry")]
pub struct NulError;

/// `text` as one word for a POSIX shell. Always in quotes: a bare `2` before `>` would be a redirection.
pub fn sh(text: &str) -> Result<String, NulError> {
    refuse_nul(text)?;
    Ok(format!("'{}'", text.replace('\'', r"'\''")))
}

/// `text` as a string of PowerShell. PowerShell takes the typographic quotes for quotes too.
///
/// Windows PowerShell 5.1 does not escape a `"` when it hands an argument to a program that is no cmdlet;
/// no quoting here can make up for that.
pub fn powershell(text: &str) -> Result<String, NulError> {
    refuse_nul(text)?;
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        if is_powershell_quote(c) {
            quoted.push(c);
        }
        quoted.push(c);
    }
    quoted.push('\'');
    Ok(quoted)
}

/// Whether PowerShell reads `c` as a single quote.
pub fn is_powershell_quote(c: char) -> bool {
    matches!(c, '\'' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{201b}')
}

fn refuse_nul(text: &str) -> Result<(), NulError> {
    if text.contains('\0') { Err(NulError) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_posix_shell_gives_back_what_was_quoted(text in any::<String>(), specials in r#"[ '"\\$`\n\t;&|<>(){}*?~#!=-]{0,20}"#) {
            let text = format!("{text}{specials}").replace('\0', "");
            let output = Command::new("sh").arg("-c").arg(format!("printf %s {}", sh(&text).expect("no NUL")))
                .output().expect("sh runs");
            prop_assert_eq!(String::from_utf8_lossy(&output.stdout), text);
        }

        #[test]
        fn within_powershell_quotes_every_quote_is_doubled(text in any::<String>(), specials in "['‘’‚‛`$\"]{0,20}") {
            let text = format!("{text}{specials}").replace('\0', "");
            let quoted = powershell(&text).expect("no NUL");
            let mut inside = quoted.strip_prefix('\'').and_then(|q| q.strip_suffix('\'')).expect("quotes").chars();
            let mut read = String::new();
            while let Some(c) = inside.next() {
                if is_powershell_quote(c) {
                    prop_assert_eq!(inside.next().map(is_powershell_quote), Some(true));
                }
                read.push(c);
            }
            prop_assert_eq!(read, text);
        }
    }

    #[test]
    fn nul_is_refused() {
        assert_eq!(sh("a\0b"), Err(NulError));
        assert_eq!(powershell("a\0b"), Err(NulError));
    }
}
