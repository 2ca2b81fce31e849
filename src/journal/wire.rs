//! What a session's runner and its clients say to each other: one JSON object a line, over the session's socket.
//!
//! The socket carries no state. It rings when more of the journal is safely on disk, and takes what operators
//! want; everything that is shown is read from the files.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::model::ViewerId;

/// The longest line, in bytes, its line feed included.
pub const LONGEST: usize = 1 << 20;

/// From a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToRunner {
    /// The first line. `want`: the protocol's version.
    Hello { viewer: ViewerId, watch: bool, want: u32 },
    /// `id` is the client's own, and comes back with the answer.
    Intent { id: u64, intent: Value },
    /// Typed into an attended step; in hexadecimal.
    Keys { step: Value, bytes: String },
    /// A word that servers wait for and that stands in no journal. `id` as of an intent.
    Secret { id: u64, access: Value, secret: Sealed },
    /// The size of the terminal an attended step is shown in.
    Size { cols: u16, rows: u16 },
    /// What this viewer looks at now, for those who review the session.
    Looked { view: Value },
}

/// From the runner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToClient {
    /// The journal is on disk up to here.
    Synced {
        seq: u64,
    },
    /// What was wanted is journalled, up to this event.
    Done {
        id: u64,
        seq: u64,
    },
    Refused {
        id: u64,
        why: String,
    },
    /// The runner ends.
    Bye {
        why: String,
    },
}

/// The protocol's version.
pub const VERSION: u32 = 1;

/// The longest secret, in bytes.
pub const SECRET: usize = 1024;

/// A secret on its way: wiped from memory when it is dropped, and never shown. On the wire it is written in
/// hexadecimal, so that reading it leaves no copy behind.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Zeroizing<String>);

impl Sealed {
    /// # Errors
    /// Why it can be no secret, as a sentence that does not hold it.
    pub fn new(text: String) -> Result<Self, &'static str> {
        let text = Zeroizing::new(text);
        if text.is_empty() {
            return Err("nothing was typed");
        }
        if text.len() > SECRET {
            return Err("a secret has at most 1024 bytes");
        }
        if text.chars().any(char::is_control) {
            return Err("a secret is one line, without control characters");
        }
        Ok(Self(text))
    }

    /// The text, for whoever it is meant for.
    pub fn open(mut self) -> String {
        std::mem::take(&mut *self.0)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut hex = Zeroizing::new(String::with_capacity(2 * self.0.len()));
        for digit in self.0.bytes().flat_map(|byte| [byte >> 4, byte & 15]) {
            hex.extend(char::from_digit(u32::from(digit), 16));
        }
        serializer.serialize_str(&hex)
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Hex;
        impl serde::de::Visitor<'_> for Hex {
            type Value = Sealed;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret")
            }

            // What it is made of must not stand in a message, so these are the program's own.
            fn visit_str<E: serde::de::Error>(self, hex: &str) -> Result<Sealed, E> {
                let bad = || E::custom("it cannot be read");
                if hex.len() > 2 * SECRET {
                    return Err(E::custom("a secret has at most 1024 bytes"));
                }
                let mut bytes = Zeroizing::new(Vec::with_capacity(hex.len() / 2));
                for pair in hex.as_bytes().chunks(2) {
                    let digits = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2);
                    bytes.push(digits.and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(bad)?);
                }
                let text = std::str::from_utf8(&bytes).map_err(|_| bad())?;
                Sealed::new(text.to_owned()).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Hex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_through_and_is_not_shown() {
        let secret = Sealed::new("pä\"s\\s w".to_owned()).unwrap();
        let message = ToRunner::Secret { id: 7, access: Value::Null, secret };
        let line = serde_json::to_string(&message).unwrap();
        assert!(!line.contains("s w") && !format!("{message:?}").contains("s w"), "{line} {message:?}");
        let back: ToRunner = serde_json::from_str(&line).unwrap();
        assert_eq!(back, message);
        let ToRunner::Secret { secret, .. } = back else { panic!("{back:?}") };
        assert_eq!(secret.open(), "pä\"s\\s w");
    }

    #[test]
    fn what_can_be_no_secret_is_refused_without_being_said() {
        for bad in ["", "two\nlines", "nul\0", &"x".repeat(SECRET + 1)] {
            assert!(Sealed::new(bad.to_owned()).is_err(), "{bad:?}");
        }
        for bad in ["zz", "7", "0a", "ff", &"61".repeat(SECRET + 1)] {
            let error = serde_json::from_value::<Sealed>(Value::from(bad)).unwrap_err().to_string();
            assert!(!error.contains(bad), "{error}");
        }
        assert!(Sealed::new("x".repeat(SECRET)).is_ok());
    }
}
