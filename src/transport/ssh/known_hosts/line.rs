//! One line of a file of known hosts.

use russh::keys::ssh_encoding::base64::{Base64, Encoding as _};

use super::names::Names;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    /// The key of a host.
    Host,
    /// The key of who signs for hosts.
    Authority,
    /// A key that nothing may be reached by.
    Revoked,
}

#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) marker: Marker,
    pub(super) names: Names,
    /// The type of the key, as in `ssh-ed25519`.
    pub(super) kind: String,
    /// The key as it travels.
    pub(super) blob: Vec<u8>,
}

impl Line {
    /// Reads a line; an empty one or a comment is `None`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, &'static str> {
        let mut fields = text.split([' ', '\t', '\r']).filter(|field| !field.is_empty());
        let Some(mut field) = fields.next().filter(|field| !field.starts_with('#')) else { return Ok(None) };
        let mut marker = Marker::Host;
        if field.starts_with('@') {
            marker = match field {
                "@cert-authority" => Marker::Authority,
                "@revoked" => Marker::Revoked,
                _ => return Err("a marker that is not known"),
            };
            field = fields.next().ok_or("no name of a host")?;
        }
        let names = Names::parse(field).ok_or("no name of a host")?;
        let (kind, blob) = key(&mut fields)?;
        Ok(Some(Self { marker, names, kind, blob }))
    }
}

/// Reads `TYPE BASE64`. The key itself stays closed: a type that we cannot use may be known, or revoked, all the same.
pub(super) fn key<'l>(fields: &mut impl Iterator<Item = &'l str>) -> Result<(String, Vec<u8>), &'static str> {
    let (kind, key) = fields.next().zip(fields.next()).ok_or("no key")?;
    let blob = Base64::decode_vec(key).map_err(|_| "a key that is not base64")?;
    let named = blob.split_first_chunk().and_then(|(length, rest)| {
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        rest.get(..length)
    });
    if named != Some(kind.as_bytes()) {
        return Err("a key of another type than it says");
    }
    if kind.contains("-cert-v") {
        return Err("a certificate instead of a key");
    }
    Ok((kind.to_owned(), blob))
}
