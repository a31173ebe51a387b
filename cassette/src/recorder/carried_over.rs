//! Keeps what a person wrote into the cassette that is recorded again: comments, another layout, a result that must stay,
//! and the marks of volatile values.
//!
//! An entry that comes out the same gets the text of the previous cassette, with the comments before it and in it. An
//! entry with `keep: true` gets it as soon as the same is asked, whatever came back, because its result is the person's.
//!
//! Volatile marks stay with the commands that are still there. A command is still there if the recording has one with the
//! same method and text, at the same place among those with that method and text. Connections and statements may have other
//! ids, because sessions come in any order and a new query shifts the numbers after it. The text is that of the statement
//! (without comments, because tracers write a different one each time), the name of the catalog function, the connection
//! attribute, or the data source or driver.

use std::collections::{HashMap, VecDeque};
use std::fs;

use crate::entry::{Digest, digest};
use crate::schema::Class;
use crate::store::Store;
use crate::store::directory::COMMANDS;
use crate::summary::summary;
use crate::volatile::{self, Volatile};
use crate::yaml::blocks;
use crate::{CassetteError, ConnectionId, Entry, Key, Method, Value, comments};

/// The texts whose entry has not been recorded again yet.
#[derive(Debug, Default)]
pub(super) struct KeptTexts {
    /// By the text that super8 writes for the same entry.
    same: HashMap<Digest, VecDeque<Text>>,
    /// By the inputs of the entry, each with how often the same was asked before.
    results: HashMap<Digest, VecDeque<(usize, Text)>>,
    /// How often the questions of `results` were asked so far.
    asked: HashMap<Digest, usize>,
}

#[derive(Debug)]
struct Text {
    bytes: Vec<u8>,
    /// What a person loses if the entry is not recorded again. `None`: only its layout.
    loss: Option<String>,
}

impl KeptTexts {
    /// Reads the log of a cassette.
    ///
    /// # Errors
    /// Something in it cannot be read.
    pub(super) fn of(previous: &dyn Store) -> Result<KeptTexts, CassetteError> {
        let mut kept = KeptTexts::default();
        let mut places = Vec::new();
        previous.scan(&mut |place, _| {
            places.push(place);
            Ok(())
        })?;
        let is_directory = previous.name().is_dir();
        let log = if is_directory { previous.name().join(COMMANDS) } else { previous.name().to_owned() };
        let text = fs::read(&log).map_err(|error| CassetteError::io(&log, "read", &error))?;
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        let starts: Vec<usize> = places.iter().map(|place| place.line as usize - 1).collect();
        let blocks = match is_directory {
            // text before the first entry belongs to the file, and is kept with it
            true => blocks(&lines, &starts, true),
            false => starts.iter().map(|start| *start..start + 1).collect(),
        };
        let mut counts: HashMap<Digest, usize> = HashMap::new();
        let has_results = memchr::memmem::find(&text, b"keep").is_some();
        for (place, block) in places.iter().zip(blocks) {
            let bytes = lines[block].concat();
            let is_own = bytes.starts_with(if is_directory { b"- method: " } else { b"{" });
            // most entries have nothing that a person wrote
            if is_own && !has_results && !(is_directory && bytes.contains(&b'#')) {
                continue;
            }
            let entry = previous.entry(*place)?;
            let mut own = Vec::new();
            previous.encode(&entry, &mut own);
            let place = format!(
                "{}:{} {}",
                log.file_name().unwrap_or_default().to_string_lossy(),
                place.line,
                summary(&entry, 90)
            );
            let question = question(&entry);
            let count = counts.entry(question).or_default();
            *count += 1;
            if entry.get(Key::Keep) == Some(&Value::Bool(true)) {
                let there = String::from_utf8_lossy(&bytes);
                let comments: Vec<&str> = there.lines().filter_map(comment).collect();
                let what = [&["keep"], &comments[..]].concat().join(" ");
                let loss = Some(format!("{place}: {what}"));
                let text = Text { bytes, loss };
                kept.results.entry(question).or_default().push_back((*count - 1, text));
            } else if bytes != own {
                let written = String::from_utf8_lossy(&own).into_owned();
                let there = String::from_utf8_lossy(&bytes).into_owned();
                let lost = there.lines().find(|line| line.contains('#') && !written.lines().any(|own| own == *line));
                let loss = lost.map(|lost| format!("{place}: {}", comment(lost).unwrap_or_else(|| lost.trim())));
                kept.same.entry(digest(&own)).or_default().push_back(Text { bytes, loss });
            }
        }
        Ok(kept)
    }

    /// Replaces an entry, which is encoded from `begin` on, by the text that the previous cassette has for it.
    pub(super) fn put_back(&mut self, entry: &Entry, begin: usize, out: &mut Vec<u8>) {
        if self.same.is_empty() && self.results.is_empty() {
            return;
        }
        let found = self.result(entry).or_else(|| {
            let same = digest(&out[begin..]);
            let texts = self.same.get_mut(&same)?;
            let text = texts.pop_front();
            if texts.is_empty() {
                self.same.remove(&same);
            }
            text
        });
        if let Some(text) = found {
            out.truncate(begin);
            out.extend_from_slice(&text.bytes);
            if !out.ends_with(b"\n") {
                out.push(b'\n');
            }
        }
    }

    /// Replaces this entry by the previous one if that has `keep: true`.
    fn result(&mut self, entry: &Entry) -> Option<Text> {
        if self.results.is_empty() {
            return None;
        }
        let question = question(entry);
        let texts = self.results.get_mut(&question)?;
        let asked = self.asked.entry(question).or_default();
        *asked += 1;
        // A recorded rows file is the recording's own, and kept text cannot say how many rows it has.
        let is_this = |(before, _): &&(usize, Text)| *before == *asked - 1 && entry.get(Key::RowsFile).is_none();
        texts.front().filter(is_this)?;
        texts.pop_front().map(|(_, text)| text)
    }

    /// Lists what is lost, one line each.
    pub(super) fn lost(&self) -> Vec<String> {
        let results = self.results.values().flatten().map(|(_, text)| text);
        let texts = self.same.values().flatten().chain(results);
        let mut lost: Vec<String> = texts.filter_map(|text| text.loss.clone()).collect();
        lost.sort_unstable();
        lost
    }
}

/// Returns the comment of a line.
fn comment(line: &str) -> Option<&str> {
    match line.trim().starts_with('#') {
        true => Some(line.trim()),
        false => line.rsplit_once(" #").map(|(head, _)| line[head.len()..].trim()),
    }
}

/// Returns a digest of what an entry asks, with its ids.
fn question(entry: &Entry) -> Digest {
    let inputs: Vec<_> = entry.fields.iter().filter(|(key, _)| key.is_input()).collect();
    digest(format!("{:?}", (entry.method.name(), entry.connection, entry.statement, inputs)).as_bytes())
}

/// The lists whose command has not been recorded again yet.
#[derive(Debug, Default)]
pub(super) struct VolatileMarks {
    lists: Vec<Marked>,
    /// The texts of statements.
    texts: HashMap<(ConnectionId, Option<u32>), MarkedText>,
}

/// A list of volatile values, and the command it belongs to.
#[derive(Debug)]
struct Marked {
    method: Method,
    text: MarkedText,
    /// How many commands with this method and text come before.
    before: usize,
    items: Vec<Value>,
    /// File, line and command, for people.
    place: String,
}

/// What identifies a command.
#[derive(Clone, Debug, Default)]
struct MarkedText {
    words: String,
    /// The parts of it that may change.
    volatile: Vec<String>,
}

impl VolatileMarks {
    /// Reads the lists of a cassette.
    ///
    /// # Errors
    /// Something in it cannot be read.
    pub(super) fn of(previous: &dyn Store) -> Result<VolatileMarks, CassetteError> {
        let (mut marks, mut places, mut counts) =
            (VolatileMarks::default(), Vec::new(), HashMap::<Digest, usize>::new());
        previous.scan(&mut |place, head| {
            places.extend((head.method.class() == Class::Command).then_some(place));
            Ok(())
        })?;
        for place in places {
            let entry = previous.entry(place)?;
            let text = marks.text(&entry);
            let same = digest(format!("{:?}", (entry.method.name(), &text.words)).as_bytes());
            let count = counts.entry(same).or_default();
            if let Some(items) = entry.get(Key::Volatile) {
                let items = items.as_list().unwrap_or(std::slice::from_ref(items)).to_vec();
                let (file, line) = previous.locate(place);
                let file = file.file_name().unwrap_or_default().to_string_lossy();
                let place = format!("{file}:{line} {}", summary(&entry, 90));
                marks.lists.push(Marked { method: entry.method, text, before: *count, items, place });
            }
            *count += 1;
        }
        marks.texts.clear();
        Ok(marks)
    }

    /// Returns the command with the list that belongs to it, if there is one.
    pub(super) fn marked(&mut self, entry: &Entry) -> Option<Entry> {
        if self.lists.is_empty() {
            return None;
        }
        let (text, mut found) = (self.text(entry), None);
        for (at, list) in self.lists.iter_mut().enumerate().filter(|(_, list)| list.method == entry.method) {
            let Some(new) = list.text.replaced(&text) else { continue };
            match list.before.checked_sub(1) {
                Some(before) => list.before = before,
                None => found = found.or_else(|| Some((at, list.renewed(&new)))),
            }
        }
        let (at, items) = found?;
        self.lists.remove(at);
        let mut entry = entry.clone();
        let replies = entry.fields.iter().position(|(key, _)| key.is_reply());
        let place = replies.unwrap_or(entry.fields.len());
        entry.fields.insert(place, (Key::Volatile, Value::List(items)));
        Some(entry)
    }

    /// Lists the marks whose command was not recorded again, one line each.
    pub(super) fn lost(&self) -> Vec<String> {
        let line = |list: &Marked| {
            let items = list.items.iter().map(|item| item.as_text().map_or_else(|| format!("{item:?}"), str::to_owned));
            format!("{}: {}", list.place, items.collect::<Vec<_>>().join(", "))
        };
        self.lists.iter().map(line).collect()
    }

    /// Returns the text of a command: its own, or its statement's.
    fn text(&mut self, entry: &Entry) -> MarkedText {
        let place = (entry.connection, entry.statement);
        let own = [Key::Sql, Key::Function, Key::Attribute, Key::Dsn, Key::Driver]
            .into_iter()
            .find_map(|key| entry.get(key)?.as_text());
        let Some(own) = own else { return self.texts.get(&place).cloned().unwrap_or_default() };
        let volatile = volatile::parts(entry).into_iter().map(str::to_owned).collect();
        let text = MarkedText { words: comments::without(own), volatile };
        self.texts.insert(place, text.clone());
        text
    }
}

impl MarkedText {
    /// Returns what the new text has in place of the volatile parts, as [`volatile_replaced`] does.
    fn replaced<'s>(&'s self, new: &'s MarkedText) -> Option<Vec<(&'s str, &'s str)>> {
        let parts: Vec<&str> = self.volatile.iter().map(String::as_str).collect();
        volatile::replaced(&self.words, &new.words, &parts)
    }
}

impl Marked {
    /// Returns the items with old parts of the text replaced by those that the new text has in their place.
    fn renewed(&self, new: &[(&str, &str)]) -> Vec<Value> {
        let mut items: Vec<Value> = Vec::with_capacity(self.items.len());
        for item in &self.items {
            let part = item.as_text().and_then(Volatile::parse);
            let of_part = |(old, _): &&(&str, &str)| part == Some(Volatile::Sql(old));
            let mut renewed: Vec<Value> =
                new.iter().filter(of_part).map(|(_, now)| Value::from(format!("sql {now}"))).collect();
            if renewed.is_empty() {
                renewed.push(item.clone());
            }
            renewed.into_iter().for_each(|item| {
                if !items.contains(&item) {
                    items.push(item);
                }
            });
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_comment_of_a_line_is_named() {
        assert_eq!(comment("  volatile: [\"params 1\"]  # random"), Some("# random"));
        assert_eq!(comment("  # mine"), Some("# mine"));
        assert_eq!(comment("  keep: true"), None);
    }
}
