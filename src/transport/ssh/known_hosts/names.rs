//! The hosts that a line is about: patterns, or one hashed name.

use hmac::{Hmac, KeyInit as _, Mac as _};
use russh::keys::ssh_encoding::base64::{Base64, Encoding as _};
use sha1::Sha1;

/// Bytes of a SHA-1, and of the salt before it.
pub(super) const HASH_LEN: usize = 20;

/// A longer pattern is no name of a host.
const PATTERN_LEN: usize = 1024;

#[derive(Clone, Debug)]
pub(super) enum Names {
    Patterns(Vec<Pattern>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

#[derive(Clone, Debug)]
pub(super) struct Pattern {
    not: bool,
    text: String,
}

impl Names {
    /// Reads the first field of a line.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('|') {
            let (salt, hash) = rest.strip_prefix("1|")?.split_once('|')?;
            let (salt, hash) = (Base64::decode_vec(salt).ok()?, Base64::decode_vec(hash).ok()?);
            let right = salt.len() == HASH_LEN && hash.len() == HASH_LEN;
            return right.then_some(Self::Hashed { salt, hash });
        }
        let patterns = text.split(',').map(|part| {
            let (not, text) = part.strip_prefix('!').map_or((false, part), |text| (true, text));
            (text.len() < PATTERN_LEN).then(|| Pattern { not, text: text.to_ascii_lowercase() })
        });
        Some(Self::Patterns(patterns.collect::<Option<_>>()?))
    }

    /// Whether it is about `name`, which is in small letters. One pattern that says no outweighs all that say yes.
    pub(super) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Hashed { salt, hash } => hashed(salt, name) == *hash,
            Self::Patterns(patterns) => {
                let mut found = false;
                for pattern in patterns {
                    if fits(pattern.text.as_bytes(), name.as_bytes()) {
                        if pattern.not {
                            return false;
                        }
                        found = true;
                    }
                }
                found
            }
        }
    }
}

/// What stands in the file for `name`, salted.
pub(super) fn hashed(salt: &[u8], name: &str) -> Vec<u8> {
    // Any length is a key to HMAC.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(salt) else { return Vec::new() };
    mac.update(name.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Whether `name` fits `pattern`, where `*` stands for any bytes and `?` for one. Takes time in proportion to the
/// product of both lengths at worst: where the rest does not fit, only the last `*` is stretched.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star = None;
    while read < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, read));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == name[read] => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((after, from)) = star else { return false };
                star = Some((after, from + 1));
                at = after;
                read = from + 1;
            }
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_a_person_reads_them() {
        for (patterns, name, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("A.Example", "a.example", true),
            ("*", "", true),
            ("*", "a", true),
            ("?", "", false),
            ("a?c", "abc", true),
            ("a*c*e", "abcdce", true),
            ("a*c*e", "abcdcf", false),
            ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
            ("x,a*", "ab", true),
            ("a*,!ab", "ab", false),
            ("!ab,a*", "ab", false),
            ("!b", "a", false),
            ("", "a", false),
            ("[a]:22", "[a]:22", true),
            ("[*]:2222", "[a]:2222", true),
            ("*", "[a]:2222", true),
        ] {
            let names = Names::parse(patterns).expect("patterns");
            assert_eq!(names.matches(name), expected, "{patterns} {name}");
        }
    }

    #[test]
    fn a_hash_that_is_none_is_refused() {
        for text in ["|", "|1|", "|2|AAAA|AAAA", "|1|AAAA|AAAA", "|1|%|%", "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|"]
        {
            assert!(Names::parse(text).is_none(), "{text}");
        }
    }
}
