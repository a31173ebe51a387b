//! One item of `commands.yml` (or of an info file): a method, where it happened, and its fields in written order.

use sha2::{Digest as _, Sha256};

use crate::{Key, Method, Value, words};

/// A connection's number in its cassette: 0 is `a`, 25 is `z`, 26 is `aa`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u32);

impl std::fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (mut letters, mut rest) = (Vec::new(), self.0 as u64 + 1);
        while rest > 0 {
            rest -= 1;
            letters.push(b'a' + (rest % 26) as u8);
            rest /= 26;
        }
        letters.iter().rev().try_for_each(|letter| write!(f, "{}", *letter as char))
    }
}

impl std::str::FromStr for ConnectionId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        ConnectionId::from_letters(text.as_bytes())
            .ok_or_else(|| format!("`{text}` is not a connection id (a, b, ..., z, aa, ab, ...)"))
    }
}

impl ConnectionId {
    /// Returns the connection with these letters.
    pub(crate) fn from_letters(letters: &[u8]) -> Option<ConnectionId> {
        let number = letters.iter().try_fold(0u64, |sum, letter| match letter {
            b'a'..=b'z' if sum <= u64::from(u32::MAX) => Some(sum * 26 + u64::from(letter - b'a') + 1),
            _ => None,
        })?;
        u32::try_from(number.checked_sub(1)?).ok().map(ConnectionId)
    }
}

/// The fields of an entry, or of an answer about a connection, in written order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(Key, Value)>);

impl Fields {
    /// Makes fields without any field.
    pub const fn new() -> Fields {
        Fields(Vec::new())
    }

    /// Returns the value of a field.
    pub fn get(&self, key: Key) -> Option<&Value> {
        self.0.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// Adds a field at the end.
    pub fn add(&mut self, key: Key, value: impl Into<Value>) {
        self.0.push((key, value.into()));
    }
}

impl std::ops::Deref for Fields {
    type Target = Vec<(Key, Value)>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl std::ops::DerefMut for Fields {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl From<Vec<(Key, Value)>> for Fields {
    fn from(fields: Vec<(Key, Value)>) -> Self {
        Fields(fields)
    }
}

impl<const N: usize> From<[(Key, Value); N]> for Fields {
    fn from(fields: [(Key, Value); N]) -> Self {
        Fields(fields.into())
    }
}

impl FromIterator<(Key, Value)> for Fields {
    fn from_iter<I: IntoIterator<Item = (Key, Value)>>(fields: I) -> Self {
        Fields(fields.into_iter().collect())
    }
}

impl Extend<(Key, Value)> for Fields {
    fn extend<I: IntoIterator<Item = (Key, Value)>>(&mut self, fields: I) {
        self.0.extend(fields);
    }
}

impl IntoIterator for Fields {
    type Item = (Key, Value);
    type IntoIter = std::vec::IntoIter<(Key, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'f> IntoIterator for &'f Fields {
    type Item = &'f (Key, Value);
    type IntoIter = std::slice::Iter<'f, (Key, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// One item of the log.
///
/// `fields` holds everything but the three leading keys, in written order: inputs, then `result` or a file key, then
/// `return` (only if it is not SQL_SUCCESS) and `diagnostics`.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What was done.
    pub method: Method,
    /// The connection on which it was done.
    pub connection: ConnectionId,
    /// The statement of the connection; `None` for what concerns the connection itself.
    pub statement: Option<u32>,
    /// The remaining fields in written order.
    pub fields: Fields,
}

impl Entry {
    /// Makes an entry without fields.
    pub fn new(method: Method, connection: ConnectionId, statement: Option<u32>) -> Self {
        Entry { method, connection, statement, fields: Fields::new() }
    }

    /// Returns the same entry with one more field.
    #[must_use]
    pub fn with(mut self, key: Key, value: impl Into<Value>) -> Self {
        self.fields.add(key, value);
        self
    }

    /// Returns which of the threads that used the connection did this, from 1.
    pub fn thread(&self) -> u16 {
        let number = self.get(Key::Thread).and_then(Value::as_int);
        number.and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0).unwrap_or(1)
    }

    /// Returns the value of a field.
    pub fn get(&self, key: Key) -> Option<&Value> {
        self.fields.get(key)
    }

    /// Iterates over the files of the cassette that the entry names.
    pub fn files(&self) -> impl Iterator<Item = (Key, &str)> {
        let files = self.fields.iter().filter(|(key, _)| key.is_file());
        files.filter_map(|(key, value)| Some((*key, value.as_text()?)))
    }

    /// Returns the return code it reports; SQL_ERROR for a word that is not a return code.
    pub fn return_code(&self) -> i16 {
        words::return_code(self.get(Key::Return)).unwrap_or(words::ERROR)
    }

    /// Says whether it reports a failure, as opposed to success, no data, or a need for data.
    pub fn failed(&self) -> bool {
        matches!(self.return_code(), words::ERROR | words::INVALID_HANDLE)
    }

    /// Says whether it reports success, with or without information.
    pub fn succeeded(&self) -> bool {
        matches!(self.return_code(), words::SUCCESS | words::SUCCESS_WITH_INFO)
    }

    /// Says whether it reports anything but a plain success.
    pub fn has_outcome(&self) -> bool {
        self.get(Key::Return).or_else(|| self.get(Key::Diagnostics)).is_some()
    }
}

/// The leading keys of an entry, which are enough to know what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// What was done.
    pub method: Method,
    /// The connection on which it was done.
    pub connection: ConnectionId,
    /// The statement of the connection, if there is one.
    pub statement: Option<u32>,
    /// The thread of the connection; 1 if the entry names none.
    pub thread: u16,
}

/// Distinguishes connects that may get different replies, by data source or driver and by connection string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectIdentity(Digest);

/// Stands for a text: enough bytes of its SHA-256 that a second text with the same bytes is out of the question.
pub(crate) type Digest = [u8; 16];

/// Returns the digest of some bytes.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    let whole = Sha256::digest(bytes);
    std::array::from_fn(|at| whole[at])
}

/// Returns the identity of a connect entry.
pub fn connect_identity(entry: &Entry) -> ConnectIdentity {
    let named = [Key::Dsn, Key::Driver, Key::ConnectionString].map(|key| entry.get(key));
    ConnectIdentity(digest(format!("{named:?}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_ids_are_letters_and_back() {
        for (number, letters) in [(0, "a"), (25, "z"), (26, "aa"), (701, "zz"), (702, "aaa"), (u32::MAX, "mwlqkwv")] {
            assert_eq!(ConnectionId(number).to_string(), letters);
            assert_eq!(letters.parse(), Ok(ConnectionId(number)));
        }
        for other in ["", "A", "a1", "mwlqkww", "zzzzzzzzzz"] {
            assert!(other.parse::<ConnectionId>().is_err(), "{other}");
        }
        for number in 0..100_000 {
            assert_eq!(ConnectionId(number).to_string().parse(), Ok(ConnectionId(number)));
        }
    }
}
