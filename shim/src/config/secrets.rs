//! Keeps secrets out of files: connection strings are scrubbed by keyword, and every other text by value.
//!
//! A connection string shows only the values of harmless keywords ([`super::keywords`]). The values of the others are
//! kept as [`Secrets`] and removed from error messages, reports and log lines, in every form in which drivers write
//! them: as given, without braces, percent-encoded.

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use super8_cassette::text::{hex, hex_byte, percent_encoded};

use super::connection_string::{ConnectionString, Item, quote};
use super::ini::Section;
use super::keywords::{is_harmless, is_secret, is_user};
use super::redact::{MARK, has_assigned_secret, redact_assignments, replace_all, replace_by, text};

/// Shorter values are removed only next to their keyword, because they would be found inside innocent words.
const SHORTEST: usize = 3;
/// The length from which a value of an unknown keyword is taken for a secret in other texts: `FooMode=fast` is none.
const SHORTEST_UNKNOWN: usize = 8;
/// The same for SQL and data.
const SHORTEST_UNKNOWN_IN_DATA: usize = 16;

/// Returns a connection string as it may be written to a cassette: keys, order and harmless values as they were,
/// everything else as [`MARK`]. Bytes that are not UTF-8 are shown as `\xNN`.
pub fn scrub(string: &ConnectionString) -> String {
    // A word without `=` may be the tail of a value that somebody forgot to put in braces.
    let hide = |item: Item<'_>| !item.has_value() || !may_show(item.key(), &item.value());
    text(&string.edit(|item| hide(item).then(|| MARK.as_bytes().to_vec())))
}

/// Returns whether this value may be shown under this key: the key is harmless, and the value hides no credentials.
pub fn may_show(key: &[u8], value: &[u8]) -> bool {
    let value = trim_text(value);
    value.is_empty() || (is_harmless(key) && !hides_credentials(&value) && !hides_credentials(&percent_decoded(&value)))
}

/// Returns the user name that a connection string gives, without braces. Of several keywords the last counts.
pub fn user(string: &ConnectionString) -> Option<String> {
    let item = string.items().rev().find(|item| is_user(item.key()) && !item.value().is_empty())?;
    Some(text(&item.value()))
}

/// Returns the `user_hash` of a cassette: SHA-256 of the user name in UTF-8, in lower-case hex.
pub fn user_hash(user: &str) -> String {
    hex(&Sha256::digest(user.as_bytes()))
}

/// The secrets of a connection, which must not reach any file. It has neither `Debug` nor `Display`, on purpose.
#[derive(Clone, Default)]
pub struct Secrets {
    /// What is removed from messages before the user's name is marked in them, longest first.
    secrets: Vec<String>,
    /// Everything that is removed from messages: the secrets and the user's names, longest first.
    all: Vec<String>,
    /// The keywords of the secrets. What follows one of these in a message is hidden as well.
    keys: Vec<String>,
    /// What is hidden in everything that the process records.
    values: Vec<String>,
}

/// Returns the secrets of a connection string and of what SQLConnect gives besides it.
pub fn secrets(string: &ConnectionString, user: Option<&[u8]>, password: Option<&[u8]>) -> Secrets {
    let mut secrets = Secrets::default();
    secrets.add_string(string);
    if let Some(user) = user {
        secrets.add_user(user);
    }
    if let Some(password) = password {
        secrets.add_password(password);
    }
    secrets
}

impl Secrets {
    /// Adds the values of a connection string.
    pub fn add_string(&mut self, string: &ConnectionString) {
        let mut after_secret = false;
        for item in string.items() {
            let (key, value) = (item.key(), item.value());
            if !item.has_value() {
                // It may be the tail of a secret with a `;` that somebody forgot to put in braces.
                match after_secret {
                    true => self.add_password(key),
                    false => self.add(key, SHORTEST_UNKNOWN, true),
                }
                continue;
            }
            after_secret = is_secret(key);
            if may_show(key, &value) {
                continue;
            }
            self.keys.push(text(key));
            if is_user(key) {
                self.add_user(&value);
                continue;
            }
            let shortest = if after_secret { SHORTEST } else { SHORTEST_UNKNOWN };
            match after_secret {
                true => self.add_password(&value),
                false => {
                    if value.len() >= SHORTEST_UNKNOWN_IN_DATA {
                        self.values.push(trim_text(&value));
                    }
                    self.add(&value, shortest, true);
                }
            }
            if item.raw() != quote(&value, true) {
                self.add(item.raw(), shortest, true);
            }
            // Option strings such as pqopt={password=x host=y}.
            for (key, value) in assignments(&text(&value)) {
                if is_secret(key.as_bytes()) {
                    self.add_password(value.as_bytes());
                } else if is_user(key.as_bytes()) {
                    self.add_user(value.as_bytes());
                }
            }
        }
    }

    /// Adds the secrets and user names of a data source's section, which drivers read by themselves.
    pub fn add_section(&mut self, section: &Section) {
        for (key, value) in section.pairs() {
            if is_user(key) {
                self.add_user(value);
            } else if is_secret(key) {
                self.add_password(value);
            }
        }
    }

    /// Returns the values of secret keywords, as given and percent-decoded, and long values of unknown keywords.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Adds a password.
    pub fn add_password(&mut self, password: &[u8]) {
        let plain = trim_text(password);
        let decoded = percent_decoded(&plain).into_owned();
        self.values.push(plain);
        if !self.values.contains(&decoded) {
            self.values.push(decoded);
        }
        self.add(password, SHORTEST, true);
    }

    /// Adds a user name.
    pub fn add_user(&mut self, user: &[u8]) {
        self.add(user, SHORTEST, false);
    }

    fn add(&mut self, value: &[u8], shortest: usize, in_sql: bool) {
        let value = trim_text(value);
        for form in forms(&value).into_iter().filter(|form| form.chars().count() >= shortest) {
            let lists = [Some(&mut self.all), in_sql.then_some(&mut self.secrets)];
            for list in lists.into_iter().flatten() {
                if !list.contains(&form) {
                    let at = list.partition_point(|other| other.len() >= form.len());
                    list.insert(at, form.clone());
                }
            }
        }
    }

    /// Returns an error message, report or log line without secrets and user names, and without anything after `PWD=`
    /// and the like, whoever it belongs to.
    pub fn scrub_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match replace_all(text, &self.all) {
            Cow::Borrowed(text) => redact_assignments(text, &self.keys),
            Cow::Owned(text) => Cow::Owned(redact_assignments(&text, &self.keys).into_owned()),
        }
    }

    /// Returns the same with `mark` in place of the name of `user`, where that is a word of its own.
    pub fn scrub_message<'a>(&self, text: &'a str, user: &str, mark: &str) -> Cow<'a, str> {
        let secrets = replace_all(text, &self.secrets);
        match replace_by(&secrets, user, mark).filter(|_| user.chars().count() >= SHORTEST) {
            Some(marked) => Cow::Owned(self.scrub_text(&marked).into_owned()),
            None => Cow::Owned(self.scrub_text(&secrets).into_owned()),
        }
    }
}

/// Returns every way in which a driver or an application may write a value.
fn forms(value: &str) -> Vec<String> {
    let decoded = percent_decoded(value);
    let mut forms = Vec::new();
    for value in [value, decoded.as_ref()] {
        forms.push(value.to_owned());
        forms.push(value.replace('}', "}}"));
        for upper in [true, false] {
            forms.push(percent_encoded(value.as_bytes(), upper, "%20", b"-_.~"));
            // psqlodbc encodes everything but letters and digits, and a blank as a plus sign.
            forms.push(percent_encoded(value.as_bytes(), upper, "+", b""));
        }
        forms.push(value.replace('\'', "''"));
        forms.push(value.replace('\\', "\\\\").replace('"', "\\\""));
    }
    forms.sort();
    forms.dedup();
    forms
}

/// Returns the value with `%XX` decoded, or the value itself if there is none.
pub fn percent_decoded(value: &str) -> Cow<'_, str> {
    if !value.contains('%') {
        return Cow::Borrowed(value);
    }
    let bytes = value.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes[at..].strip_prefix(b"%").and_then(|rest| rest.first_chunk::<2>());
        match digits.and_then(|digits| hex_byte(*digits)) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    Cow::Owned(text(&decoded))
}

fn trim_text(value: &[u8]) -> String {
    text(super::ini::trim(value))
}

/// Returns whether a value has a password in an option string or address, or a pair that would be hidden if it stood by
/// itself.
fn hides_credentials(value: &str) -> bool {
    has_assigned_secret(value)
        || value.split(';').skip(1).any(|piece| match piece.split_once('=') {
            Some((key, _)) => !is_harmless(key.trim().as_bytes()),
            None => false,
        })
}

/// Returns the `key=value` pairs of an option string, divided by white space or `;`, with values possibly in quotes.
fn assignments(options: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = options;
    while let Some((before, after)) = rest.split_once('=') {
        let key = before.trim_end().rsplit(|letter: char| letter.is_whitespace() || ";,&{".contains(letter)).next();
        let after = after.trim_start();
        let end = match after.chars().next() {
            Some(quote @ ('\'' | '"')) => after[1..].find(quote).map_or(after.len(), |at| at + 2),
            _ => after.find(|letter: char| letter.is_whitespace() || ";,&}".contains(letter)).unwrap_or(after.len()),
        };
        let value = after[..end].trim_matches(['\'', '"']);
        pairs.push((key.unwrap_or_default().to_owned(), value.to_owned()));
        rest = &after[end..];
    }
    pairs
}

#[cfg(test)]
#[path = "secrets_tests.rs"]
mod tests;
