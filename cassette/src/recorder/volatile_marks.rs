//! Keeps what a person marked as volatile in the cassette that is recorded again. The marks stay with the commands that
//! are still there.
//!
//! A command is still there if the recording has one with the same method and text, at the same place among those with
//! that method and text. Connections and statements may have other ids, because sessions come in any order and a new
//! query shifts the numbers after it. The text is that of the statement (without comments, because tracers write a
//! different one each time), the name of the catalog function, the connection attribute, or the data source or driver.

use std::collections::HashMap;

use crate::entry::{Digest, digest};
use crate::player::summary::summary;
use crate::player::{Volatile, volatile_parts, volatile_replaced, without_comments};
use crate::schema::Class;
use crate::store::Store;
use crate::{CassetteError, ConnectionId, Entry, Key, Method, Value};

/// The lists that have not found their command yet.
#[derive(Debug, Default)]
pub(super) struct VolatileMarks {
    lists: Vec<Marked>,
    /// The texts of statements.
    texts: HashMap<(ConnectionId, Option<u32>), Text>,
}

/// A list of volatile values, and the command it belongs to.
#[derive(Debug)]
struct Marked {
    method: Method,
    text: Text,
    /// How many commands with this method and text come before.
    before: usize,
    items: Vec<Value>,
    /// File, line and command, for people.
    place: String,
}

/// What identifies a command.
#[derive(Clone, Debug, Default)]
struct Text {
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
    fn text(&mut self, entry: &Entry) -> Text {
        let place = (entry.connection, entry.statement);
        let own = [Key::Sql, Key::Function, Key::Attribute, Key::Dsn, Key::Driver]
            .into_iter()
            .find_map(|key| entry.get(key)?.as_text());
        let Some(own) = own else { return self.texts.get(&place).cloned().unwrap_or_default() };
        let volatile = volatile_parts(entry).into_iter().map(str::to_owned).collect();
        let text = Text { words: without_comments(own), volatile };
        self.texts.insert(place, text.clone());
        text
    }
}

impl Text {
    /// Returns what stands in place of the volatile parts, as [`volatile_replaced`] does.
    fn replaced<'s>(&'s self, new: &'s Text) -> Option<Vec<(&'s str, &'s str)>> {
        let parts: Vec<&str> = self.volatile.iter().map(String::as_str).collect();
        volatile_replaced(&self.words, &new.words, &parts)
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
