//! Who is asked when only a person can open the way to a server.

use std::fmt;
use std::pin::Pin;

use zeroize::Zeroizing;

use crate::model::{Access, ServerName};

/// A password or a passphrase: wiped from memory when it is dropped, and never shown.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// What a person said.
#[derive(Clone, Debug)]
pub enum Word {
    /// The host key is the right one.
    Trusted,
    Secret(Secret),
    /// Neither now nor later in this session, unless asked anew.
    Denied,
}

/// Asks a person, for as long as it takes. Several servers may wait for one word: asking for the same [`Access`]
/// again joins them.
pub trait Doorkeeper: Send + Sync + fmt::Debug {
    /// `complaint`: why the word given before was of no use (a password that the server did not take); empty at
    /// the first time.
    fn ask(
        &self,
        server: &ServerName,
        access: Access,
        complaint: &str,
    ) -> Pin<Box<dyn Future<Output = Word> + Send>>;
}

/// Where nobody can be asked.
#[derive(Debug)]
pub struct Nobody;

impl Doorkeeper for Nobody {
    fn ask(&self, _: &ServerName, _: Access, _: &str) -> Pin<Box<dyn Future<Output = Word> + Send>> {
        Box::pin(std::future::ready(Word::Denied))
    }
}
