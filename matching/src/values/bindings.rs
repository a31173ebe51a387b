//! Keeps which live value a recorded value stands for. The first value that a program sends where the recording has a volatile
//! value is bound to it. From then on the recorded value means that live one, in every parameter, every SQL text and every result.
//!
//! A value is found again only by an exact list of spellings: see [`super::spellings`]. A value that is not on the list
//! stays as it was recorded.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use csv::ByteRecord;
use parking_lot::{Mutex, RwLock};

use self::table::{Name, Table};
use self::told::{Shared, Told};
pub(crate) use self::uses::{Contradiction, User};
use self::uses::{Renamed, Uses};
pub(crate) use self::words::Refused;
use self::words::{Reading, Words, padded, same_text};
use super8_cassette::process::Processes;
use super8_cassette::volatile_rules::{VolatileRules, since_1970};
use super8_cassette::{ConnectionId, Entry, Key, Value};

/// The live values that recorded values stand for, and the rules that say which values are volatile.
#[derive(Debug, Default)]
pub(crate) struct Bindings {
    reading: Reading,
    table: RwLock<Table>,
    /// Whether anything is bound.
    any: AtomicBool,
    /// The other processes of the run, which play other parts of the cassette.
    shared: Option<Shared>,
    /// Who has used what is bound. `None` if there is one connection alone.
    uses: Option<Mutex<Uses>>,
}

impl Bindings {
    pub(crate) fn new(rules: VolatileRules, recorded_on: &str) -> Bindings {
        let reading = Reading { rules, recorded_on: since_1970(recorded_on), asked_on: None };
        Bindings { reading, ..Bindings::default() }
    }

    /// Shares what is bound with the other processes that play this cassette.
    pub(crate) fn share(&mut self, processes: Arc<dyn Processes>, cassette: &Path) {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        self.shared = Some(Shared::new(processes, cassette, number));
        self.note_uses();
    }

    /// Notes from now on who uses what is bound, because there are others who may have another reading.
    pub(crate) fn note_uses(&mut self) {
        self.uses = Some(Mutex::default());
    }

    fn words<'t>(&'t self, table: &'t Table) -> Words<'t> {
        Words::new(table, &self.reading, self.uses.is_some())
    }

    fn note_used(&self, table: &Table, user: Option<ConnectionId>, used: impl IntoIterator<Item = Name>) {
        if let (Some(user), Some(uses)) = (user, &self.uses) {
            uses.lock().note(table, user, used, self.shared.as_ref());
        }
    }

    /// Returns what would be contradicted if live connections were other recorded ones. The bindings of each bind the recorded values of
    /// its new session to those that they were taken for.
    pub(crate) fn contradictions(&self, moved: &[(ConnectionId, Bindings)]) -> Vec<Contradiction> {
        let Some(uses) = &self.uses else { return Vec::new() };
        let moved: Vec<Renamed> = moved.iter().map(|(live, is)| (*live, is.table.read().renames())).collect();
        let table = self.table.read();
        uses.lock().contradictions(&table, &moved)
    }

    /// Says whether bindings for another session of its user agree with the new meaning of a value that it has used.
    pub(crate) fn agree_with(&self, contradiction: &Contradiction) -> bool {
        contradiction.agrees_with(&self.table.read().renames())
    }

    /// Renames bound values when the program's connections turn out to be other recorded ones than assumed. Each element of `moved` binds
    /// the recorded values of such a connection to those that they were taken for. The other processes are told.
    pub(crate) fn rename(&self, moved: &[(ConnectionId, Bindings)]) {
        let moved: Vec<_> = moved.iter().map(|(_, moved)| moved.table.read()).collect();
        let moved: Vec<&Table> = moved.iter().map(|table| &**table).collect();
        let table = &mut *self.table.write();
        match &self.uses {
            Some(uses) => uses.lock().rename(table, &moved, self.shared.as_ref()),
            None => *table = table.renamed(&moved),
        }
    }

    /// Binds what other processes have bound meanwhile, and reads otherwise what they read otherwise. What this process has bound already
    /// stays, so that a process that says something else has the mismatch. Returns what contradicts that which was used.
    pub(crate) fn learn(&self) -> Option<String> {
        let (Some(shared), Some(uses)) = (&self.shared, &self.uses) else { return None };
        let heard = shared.heard();
        if heard.is_empty() {
            return None;
        }
        let table = &mut *self.table.write();
        let wrong = uses.lock().learn(table, heard);
        self.any.store(true, Ordering::Release);
        wrong
    }

    /// Returns a copy with one more rule, to try the rule out.
    pub(crate) fn with_rule(&self, rule: Value) -> Option<Bindings> {
        let mut written = self.reading.rules.written().to_vec();
        written.push(rule);
        let rules = VolatileRules::new(&written).ok()?;
        let (table, any) = (RwLock::new(self.table.read().clone()), AtomicBool::new(self.are_any()));
        let reading = Reading { rules, ..self.reading.clone() };
        Some(Bindings { reading, table, any, ..Bindings::default() })
    }

    /// Returns a copy with the same rules and nothing bound, to compare two places of the same recording.
    pub(crate) fn within_recording(&self) -> Bindings {
        let reading = Reading { asked_on: self.reading.recorded_on, ..self.reading.clone() };
        Bindings { reading, ..Bindings::default() }
    }

    /// Returns a renamed copy of these bindings.
    pub(crate) fn renamed(&self, moved: &Bindings) -> Bindings {
        let table = RwLock::new(self.table.read().renamed(&[&moved.table.read()]));
        let any = AtomicBool::new(self.are_any());
        Bindings { reading: self.reading.clone(), table, any, ..Bindings::default() }
    }

    pub(crate) fn rules(&self) -> &VolatileRules {
        &self.reading.rules
    }

    /// Says whether an entry without marks can be compared as it stands.
    pub(crate) fn are_idle(&self) -> bool {
        self.reading.rules.is_empty() && !self.are_any()
    }

    /// Says whether any value is bound.
    pub(crate) fn are_any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Returns what the recorded entry says in this run. The error is a value that cannot stand for the recorded one.
    pub(crate) fn expected<'r>(&self, recorded: &'r Entry, asked: &Entry) -> Result<Cow<'r, Entry>, Refused> {
        let table = self.table.read();
        let mut words = self.words(&table);
        let expected = words.entry(recorded, asked);
        match words.refused {
            Some(refused) => Err(refused),
            None => Ok(expected),
        }
    }

    /// Binds the values that a played entry leaves open. `place` says where the entry stands.
    pub(crate) fn bind(&self, recorded: &Entry, asked: &Entry, place: impl FnOnce() -> String) {
        let user = Some(asked.connection);
        let found = |table: &Table| {
            let mut words = self.words(table);
            words.entry(recorded, asked);
            (words.new, words.used.take())
        };
        {
            let table = self.table.read();
            let (new, used) = found(&table);
            if new.is_empty() {
                self.note_used(&table, user, used);
                return;
            }
        }
        // another player of the cassette may have bound one of them meanwhile
        let table = &mut *self.table.write();
        let (new, used) = found(table);
        let place = place();
        if let Some(shared) = &self.shared {
            let of_process = format!("{place} of process {}", super8_cassette::process::id());
            Told::all(&new, shared, &of_process).iter().for_each(|told| shared.tell(told));
        }
        self.note_used(table, user, used.into_iter().chain(new.names()));
        table.adopt(new, &place);
        self.any.store(true, Ordering::Release);
    }

    /// Returns notes about the bound values of a recorded entry that differs from what is asked.
    pub(crate) fn notes(&self, recorded: &Entry, asked: &Entry) -> Vec<String> {
        let table = self.table.read();
        let mut words = self.words(&table);
        words.entry(recorded, asked);
        let mut notes: Vec<String> = Vec::new();
        for note in words.notes {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        notes
    }

    /// Puts the live values into the reply of an entry. `user` is the live connection that gets them.
    pub(crate) fn replied(&self, mut entry: Entry, user: Option<ConnectionId>) -> Entry {
        if self.are_any() {
            let table = self.table.read();
            let words = self.words(&table);
            for (key, value) in entry.fields.iter_mut().filter(|(key, _)| key.is_reply()) {
                if *key != Key::Return {
                    words.reply(value);
                }
            }
            self.note_used(&table, user, words.used.take());
        }
        entry
    }

    /// Puts the live values into the inline rows of an entry, in the columns that rules `same` name.
    pub(crate) fn with_cells(&self, mut entry: Entry, same: &[SameColumn]) -> Entry {
        if same.is_empty() {
            return entry;
        }
        let table = self.table.read();
        let words = self.words(&table);
        let in_row = |row: &mut Value| {
            let Value::List(cells) = row else { return };
            for named in same {
                let Some(cell) = cells.get_mut(named.column) else { continue };
                let live = same_text(cell).and_then(|was| words.known_by(Some(named.rule), &was).map(str::to_owned));
                match (live, &mut *cell) {
                    (Some(live), Value::Text(text)) => *text = padded(&live, text, text.trim_end_matches(' ')),
                    (Some(live), Value::Int(number)) => *number = live.parse().unwrap_or(*number),
                    (Some(live), Value::Float(number)) => *number = live.parse().unwrap_or(*number),
                    _ => {}
                }
            }
        };
        for (key, value) in entry.fields.iter_mut() {
            match (*key, value) {
                (Key::Rows, Value::List(rows)) => rows.iter_mut().for_each(in_row),
                (Key::Result, row) => in_row(row),
                _ => {}
            }
        }
        entry
    }

    /// Puts the live values into a recorded document. `None` if that changes nothing.
    pub(crate) fn document(&self, document: &Value, user: Option<ConnectionId>) -> Option<Value> {
        if !self.are_any() {
            return None;
        }
        let mut live = document.clone();
        let table = self.table.read();
        let words = self.words(&table);
        words.reply(&mut live);
        self.note_used(&table, user, words.used.take());
        (live != *document).then_some(live)
    }

    /// Puts the live values into a recorded row. `same` are the columns that rules `same` name. `changed` is called for
    /// each cell that changes, with its column from 0, its old field and its new one. `user` is the live connection that gets them.
    pub(crate) fn row(
        &self,
        record: &mut ByteRecord,
        same: &[SameColumn],
        user: Option<ConnectionId>,
        mut changed: impl FnMut(usize, &[u8], &[u8]),
    ) {
        let table = self.table.read();
        let words = self.words(&table);
        let mut scratch = Vec::new();
        let live = |at: usize, field: &[u8], scratch: &mut Vec<u8>| {
            let named = same.iter().filter(|named| named.column == at);
            let found = named.filter_map(|named| words.same_field(named.rule, field, scratch)).next();
            found.or_else(|| words.field(field, scratch)).filter(|live| live != field)
        };
        let fields = record.iter().enumerate();
        let found = fields.filter_map(|(at, field)| Some((at, live(at, field, &mut scratch)?)));
        let found: Vec<(usize, Vec<u8>)> = found.collect();
        self.note_used(&table, user, words.used.take());
        if found.is_empty() {
            return;
        }
        let (mut row, mut found) = (ByteRecord::new(), found.iter().peekable());
        for (at, field) in record.iter().enumerate() {
            match found.next_if(|(column, _)| *column == at) {
                Some((_, live)) => {
                    changed(at, field, live);
                    row.push_field(live);
                }
                None => row.push_field(field),
            }
        }
        *record = row;
    }
}

/// A column, from 0, and the rule `same` that names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SameColumn {
    pub(crate) column: usize,
    pub(crate) rule: usize,
}

mod table;
#[cfg(test)]
mod tests;
mod told;
mod uses;
mod words;
