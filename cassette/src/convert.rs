//! Copies a cassette from one format to the other. Entries, answers, documents and rows are only data here: nothing
//! knows what they mean, so nothing that a later version adds is lost.

use std::collections::{BTreeSet, HashSet};
use std::io;

use csv::ByteRecord;

use crate::cell;
use crate::files;
use crate::store::{Contents, EntryRef, RowBlock, Store, info_file};
use crate::{CassetteError, ConnectionId, ErrorKind, Key, Row};

/// What a conversion did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversion {
    /// How many entries of the log it copied.
    pub entries: u64,
    /// How many answers about connections it copied.
    pub answers: u64,
    /// How many documents and rows members it copied.
    pub members: u64,
    /// What the other format has no place for, and what comes out in another form: one line each, for people.
    pub notes: Vec<String>,
}

/// Copies everything in `from` to `to`, which was made with `from`'s metadata, and publishes it.
///
/// The copy has the order of a recording: what an entry names comes before the entry, the answers about a connection
/// behind its first entry, and what nothing names at the end.
///
/// # Errors
/// The recording is incomplete, something is unreadable, or the target cannot be written.
pub fn convert(from: &dyn Store, to: &dyn Store) -> Result<Conversion, CassetteError> {
    convert_watched(from, to, &|_| {})
}

/// Does the same, and calls `copied` with the number of bytes copied since the last call.
///
/// # Errors
/// As for [`convert`].
pub fn convert_watched(from: &dyn Store, to: &dyn Store, copied: &dyn Fn(u64)) -> Result<Conversion, CassetteError> {
    if !from.metadata()?.complete {
        return Err(CassetteError::new(from.name(), "the recording is incomplete: it did not end cleanly")
            .advice("recover it with `super8 recover`, or record again"));
    }
    let contents = from.contents()?;
    let mut copy = Copy { copied, ..Copy::of(from, to, &contents) };
    // a recording without entries is a cassette too
    to.append(&[])?;
    from.scan(&mut |place, head| {
        copy.entry(place)?;
        copy.answers(head.connection)
    })?;
    let Copy { done, .. } = copy.rest()?;
    to.publish()?;
    Ok(Conversion { notes: contents.notes, ..done })
}

/// A copy under way. Each thing is copied once.
pub struct Copy<'c> {
    from: &'c dyn Store,
    to: &'c dyn Store,
    /// What was not copied yet, apart from the entries.
    documents: BTreeSet<&'c str>,
    rows: BTreeSet<&'c str>,
    infos: BTreeSet<ConnectionId>,
    /// The members that entries have named so far.
    named: HashSet<String>,
    encoded: Vec<u8>,
    done: Conversion,
    copied: &'c dyn Fn(u64),
}

impl<'c> Copy<'c> {
    /// Begins a copy.
    pub fn of(from: &'c dyn Store, to: &'c dyn Store, contents: &'c Contents) -> Self {
        Copy {
            from,
            to,
            documents: contents.documents.iter().map(String::as_str).collect(),
            rows: contents.rows.iter().map(String::as_str).collect(),
            infos: contents.infos.iter().copied().collect(),
            named: HashSet::new(),
            encoded: Vec::new(),
            done: Conversion::default(),
            copied: &|_| {},
        }
    }

    /// Copies the entry at a place of the log, and before it the members that it names.
    ///
    /// # Errors
    /// Something is unreadable, a member does not exist, or the target cannot be written.
    pub fn entry(&mut self, place: EntryRef) -> Result<(), CassetteError> {
        let entry = self.from.entry(place)?;
        for (key, name) in entry.files() {
            if !self.named.insert(name.to_owned()) {
                continue;
            }
            let copied = match key {
                Key::InfoFile => info_file(self.from, place, name).and_then(|connection| {
                    self.to.begin_info(connection)?;
                    self.answers(connection)
                }),
                Key::ColumnsFile => self.document(name),
                _ => self.rows(name),
            };
            copied.map_err(|error| match error.kind() {
                ErrorKind::Io(io::ErrorKind::NotFound) => self.from.refuse_member(place, key.name(), name, &error),
                _ => error,
            })?;
        }
        self.encoded.clear();
        self.to.encode(&entry, &mut self.encoded);
        self.done.entries += 1;
        (self.copied)(place.len.into());
        self.to.append(&self.encoded)
    }

    /// Copies the answers about a connection.
    ///
    /// # Errors
    /// As for [`Copy::entry`].
    pub fn answers(&mut self, connection: ConnectionId) -> Result<(), CassetteError> {
        if self.infos.remove(&connection) {
            for answer in self.from.info(connection)? {
                self.to.append_info(connection, &answer)?;
                self.done.answers += 1;
            }
        }
        Ok(())
    }

    fn document(&mut self, name: &str) -> Result<(), CassetteError> {
        self.documents.remove(name);
        self.to.put(name, &self.from.document(name)?)?;
        self.done.members += 1;
        Ok(())
    }

    fn rows(&mut self, name: &str) -> Result<(), CassetteError> {
        self.rows.remove(name);
        let (mut source, mut target) = (self.from.rows(name)?, self.to.rows_writer(name)?);
        let (mut record, mut row, mut block, mut begun) = (ByteRecord::new(), Row::new(), RowBlock::default(), false);
        while source.next(&mut record)? {
            row.clear();
            for (column, field) in record.iter().enumerate() {
                cell::check_utf8(field).map_err(|error| {
                    CassetteError::new(source.file(), error.to_string())
                        .at_line(source.line())
                        .at_path(format!("field {}", column + 1))
                })?;
                row.push_field(field);
            }
            let is_long = record.as_slice().len() > files::LONG;
            if is_long {
                record = ByteRecord::new();
            }
            self.to.encode_row(&row, &mut block);
            if is_long {
                row = Row::new();
            }
            if block.is_full() {
                target.append(&block)?;
                (self.copied)(block.bytes().len() as u64);
                begun = true;
                block.clear();
            }
            if is_long {
                block = RowBlock::default();
            }
        }
        if !begun || !block.is_empty() {
            target.append(&block)?;
        }
        self.done.members += 1;
        Ok(())
    }

    /// Copies what is left apart from the entries.
    fn rest(mut self) -> Result<Self, CassetteError> {
        while let Some(connection) = self.infos.first().copied() {
            self.answers(connection)?;
        }
        while let Some(name) = self.documents.first().copied() {
            self.document(name)?;
        }
        while let Some(name) = self.rows.first().copied() {
            self.rows(name)?;
        }
        Ok(self)
    }
}
