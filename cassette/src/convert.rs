//! Copying a cassette from one format to the other. Entries, answers, documents and rows are data here: nothing knows what
//! they mean, so nothing is lost that a later version adds.

use std::collections::BTreeSet;

use csv::ByteRecord;

use crate::row::write_fields;
use crate::storage::{Cassette, Contents, Place};
use crate::{CassetteError, ConnectionId, Entry, Value};

/// Rows are handed over when they have this many bytes.
const BLOCK: usize = 64 * 1024;

/// What a conversion did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversion {
    /// Entries of the log.
    pub entries: u64,
    /// Answers about connections.
    pub answers: u64,
    /// Documents and rows.
    pub parts: u64,
    /// What the other format has no place for, and what comes out in another form: a line each, for people.
    pub notes: Vec<String>,
}

/// Copies what `from` has to `to`, which was made with `from`'s metadata, and publishes it.
///
/// # Errors
/// An incomplete recording, something unreadable, a target that cannot be written.
pub fn convert(from: &dyn Cassette, to: &dyn Cassette) -> Result<Conversion, CassetteError> {
    if !from.metadata()?.complete {
        return Err(CassetteError::new(from.name(), "the recording is incomplete: it did not end cleanly")
            .advice("recover it with `super8 recover`, or record again"));
    }
    let contents = from.contents()?;
    let mut copy = Copy::of(from, to, &contents);
    copy.done.notes = contents.notes.clone();
    from.scan(&mut |place, head| {
        copy.at(place)?;
        copy.answers(head.connection)
    })?;
    copy.rest()?;
    to.publish()?;
    Ok(copy.done)
}

/// A conversion under way, and what is left to be copied.
pub(crate) struct Copy<'c> {
    from: &'c dyn Cassette,
    to: &'c dyn Cassette,
    documents: BTreeSet<&'c str>,
    rows: BTreeSet<&'c str>,
    infos: BTreeSet<ConnectionId>,
    encoded: Vec<u8>,
    done: Conversion,
}

impl<'c> Copy<'c> {
    pub(crate) fn of(from: &'c dyn Cassette, to: &'c dyn Cassette, contents: &'c Contents) -> Self {
        Copy {
            from,
            to,
            documents: contents.documents.iter().map(String::as_str).collect(),
            rows: contents.rows.iter().map(String::as_str).collect(),
            infos: contents.infos.iter().copied().collect(),
            encoded: Vec::new(),
            done: Conversion::default(),
        }
    }

    /// Copies the entry at a place of the log, and the parts it names.
    pub(crate) fn at(&mut self, place: Place) -> Result<(), CassetteError> {
        let entry = self.from.entry(place)?;
        self.named_parts(&entry)?;
        self.encoded.clear();
        self.to.encode(&entry, &mut self.encoded);
        self.done.entries += 1;
        self.to.append(&self.encoded)
    }

    /// What an entry names comes before it, as it does while recording: any text among its fields that is a part's name.
    fn named_parts(&mut self, entry: &Entry) -> Result<(), CassetteError> {
        for (_, value) in &entry.fields {
            if let Value::Text(name) = value {
                self.document(name)?;
                self.rows(name)?;
            }
        }
        Ok(())
    }

    fn document(&mut self, name: &str) -> Result<(), CassetteError> {
        if self.documents.remove(name) {
            self.to.put(name, &self.from.document(name)?)?;
            self.done.parts += 1;
        }
        Ok(())
    }

    fn rows(&mut self, name: &str) -> Result<(), CassetteError> {
        if !self.rows.remove(name) {
            return Ok(());
        }
        let (mut source, mut part, mut row) = (self.from.rows(name)?, self.to.rows_part(name)?, ByteRecord::new());
        let mut block = Vec::new();
        while source.next(&mut row)? {
            write_fields(row.iter(), &mut block);
            if block.len() >= BLOCK {
                part.append(&block)?;
                block.clear();
            }
        }
        part.append(&block)?;
        self.done.parts += 1;
        Ok(())
    }

    /// Copies the answers about a connection, once.
    pub(crate) fn answers(&mut self, connection: ConnectionId) -> Result<(), CassetteError> {
        if self.infos.remove(&connection) {
            for answer in self.from.info(connection)? {
                self.to.append_info(connection, &answer)?;
                self.done.answers += 1;
            }
        }
        Ok(())
    }

    /// What no entry names.
    fn rest(&mut self) -> Result<(), CassetteError> {
        while let Some(connection) = self.infos.first().copied() {
            self.answers(connection)?;
        }
        while let Some(name) = self.documents.first().copied() {
            self.document(name)?;
        }
        while let Some(name) = self.rows.first().copied() {
            self.rows(name)?;
        }
        Ok(())
    }
}
