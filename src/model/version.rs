//! Versions of products and how they compare.

use std::cmp::Ordering;
use std::fmt;

use regex::Regex;
use serde::{Deserialize, Serialize};

/// How a product writes its versions: a pattern whose groups compare as numbers from left to right.
#[derive(Clone, Debug)]
pub struct VersionPattern(Regex);

impl Default for VersionPattern {
    /// Dotted numbers, up to six of them, at the start of the text.
    fn default() -> Self {
        Self::new(r"^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:\.(\d+))?(?:\.(\d+))?(?:\.(\d+))?")
            .expect("the built-in pattern is a valid expression")
    }
}

impl VersionPattern {
    /// # Errors
    /// When `pattern` is no regular expression.
    pub fn new(pattern: &str) -> Result<Self, regex::Error> {
        Regex::new(pattern).map(Self)
    }

    /// The version in `text`. `None` when it does not match: such a version is unknown and never compares.
    pub fn read(&self, text: &str) -> Option<Version> {
        let text = text.trim();
        let groups = self.0.captures(text)?;
        let parts = groups
            .iter()
            .skip(1)
            .map(|group| group.map_or(Some(0), |digits| digits.as_str().parse().ok()))
            .collect::<Option<Vec<u64>>>()?;
        (!parts.is_empty()).then(|| Version { text: text.to_owned(), parts })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// A version that was read. Two versions are equal when their numbers are, however they are written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Version {
    text: String,
    parts: Vec<u64>,
}

impl Version {
    /// The version as the product writes it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Number `index` from the left, counted from 0; 0 where the version is shorter.
    pub fn part(&self, index: usize) -> u64 {
        self.parts.get(index).copied().unwrap_or(0)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (0..self.parts.len().max(other.parts.len()))
            .map(|i| self.part(i).cmp(&other.part(i)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shorter_version_counts_as_filled_up_with_zeros() {
        let pattern = VersionPattern::default();
        assert_eq!(pattern.read("12.8"), pattern.read("12.08.0"));
        assert!(pattern.read("12.10.100") > pattern.read("12.9.200"));
    }

    #[test]
    fn a_version_that_cannot_be_read_is_none_and_not_an_old_one() {
        let pattern = VersionPattern::default();
        assert_eq!(pattern.read("unknown"), None);
        assert_eq!(pattern.read(""), None);
        assert_eq!(pattern.read("99999999999999999999999.1"), None);
    }

    #[test]
    fn the_groups_of_a_pattern_are_the_numbers() {
        let pattern = VersionPattern::new(r"^(\d+)\.(\d+) SP(\d+)").expect("valid");
        assert!(pattern.read("12.5 SP4") < pattern.read("12.6 SP1"));
    }
}
