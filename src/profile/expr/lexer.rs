//! An expression cut into tokens.

use std::ops::Range;

use super::names::Problem;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'s> {
    Word(&'s str),
    Text(String),
    Number(f64),
    Symbol(&'static str),
    End,
}

/// Longest first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 27] = [
    "==", "!=", "<=", ">=", "//", "**", "&&", "||", "(", ")", "[", "]", "{", "}", ",", ".", ":", "|", "~",
    "+", "-", "*", "/", "%", "<", ">", "=",
];

/// The tokens of `source` with their places; the last one is [`Token::End`].
pub(super) fn tokens(source: &str) -> Result<Vec<(Token<'_>, Range<usize>)>, Problem> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(c) = source[at..].chars().next() {
        let rest = &source[at..];
        let (token, length) = if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        } else if c.is_ascii_alphabetic() || c == '_' {
            let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            (Token::Word(&rest[..length]), length)
        } else if c.is_ascii_digit() {
            number(rest, at)?
        } else if c == '\'' || c == '"' {
            text(rest, at, c)?
        } else if let Some(symbol) = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            (Token::Symbol(symbol), symbol.len())
        } else {
            let problem =
                Problem::new(at..at + c.len_utf8(), format!("`{}` means nothing here", c.escape_debug()));
            return Err(if c == '!' { problem.help("write `not`") } else { problem });
        };
        tokens.push((token, at..at + length));
        at += length;
    }
    tokens.push((Token::End, source.len()..source.len()));
    Ok(tokens)
}

fn number(rest: &str, at: usize) -> Result<(Token<'_>, usize), Problem> {
    let whole = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let decimals = rest[whole..]
        .strip_prefix('.')
        .map_or(0, |tail| tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len()));
    let length = if decimals == 0 { whole } else { whole + 1 + decimals };
    let again =
        rest[length..].chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    match rest[..length].parse::<f64>() {
        Ok(number) if !again && number.is_finite() => Ok((Token::Number(number), length)),
        _ => {
            let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
            Err(Problem::new(at..at + length, "this is no number")
                .help("a version is written version('12.8.130'), a text in quotes"))
        }
    }
}

fn text(rest: &str, at: usize, quote: char) -> Result<(Token<'_>, usize), Problem> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((i, c)) = chars.next() {
        match c {
            c if c == quote => return Ok((Token::Text(text), i + 1)),
            '\\' => match chars.next() {
                Some((_, c @ ('\\' | '\'' | '"'))) => text.push(c),
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, c)) => {
                    let problem = Problem::new(at + i..at + i + 1 + c.len_utf8(), "this escape is not known");
                    return Err(problem.help(r"a backslash itself is written \\"));
                }
                None => break,
            },
            c => text.push(c),
        }
    }
    Err(Problem::new(at..at + rest.len(), format!("this text does not end: {quote} is missing")))
}
