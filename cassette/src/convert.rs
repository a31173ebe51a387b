//! Copying a cassette from one format to the other. Entries, answers, documents and rows are data here: nothing knows what
//! they mean, so nothing is lost that a later version adds.

use std::collections::{BTreeMap, BTreeSet};

use csv::ByteRecord;

use crate::row::write_fields;
use crate::sequence::{Record, Sequence, Step};
use crate::storage::{Cassette, Contents, Place, RowsPart, RowsSource};
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
    let usual = usual(from, &contents)?;
    let sequence = from.sequence()?.unwrap_or_else(|| usual.clone());
    let mut copy = Copy::of(from, to, &contents);
    copy.done.notes = contents.notes.clone();
    if sequence != usual {
        to.keep(&sequence)?;
    }
    copy.along(&sequence)?;
    to.publish()?;
    Ok(copy.done)
}

/// The sequence that a copy has by itself: what an entry names before it, the answers about a connection behind its first
/// entry, what nothing names at the end.
fn usual(from: &dyn Cassette, contents: &Contents) -> Result<Sequence, CassetteError> {
    let (mut sequence, mut left) = (Sequence::default(), Left::of(from, contents));
    sequence.push(Step::of(Record::Header, 1));
    from.scan(&mut |place, head| {
        left.named_by(&from.entry(place)?)?.into_iter().for_each(|step| sequence.push(step));
        sequence.push(Step::of(Record::Entry, 1));
        left.answers(head.connection)?.into_iter().for_each(|step| sequence.push(step));
        Ok(())
    })?;
    left.rest()?.into_iter().for_each(|step| sequence.push(step));
    sequence.push(Step::of(Record::Complete, 1));
    Ok(sequence)
}

/// What of a cassette has no place in the copy yet, its entries not counted.
struct Left<'c> {
    from: &'c dyn Cassette,
    documents: BTreeSet<&'c str>,
    rows: BTreeSet<&'c str>,
    infos: BTreeSet<ConnectionId>,
    /// Rows that have a place already, in one step or several.
    planned: BTreeSet<&'c str>,
}

impl<'c> Left<'c> {
    fn of(from: &'c dyn Cassette, contents: &'c Contents) -> Self {
        Left {
            from,
            documents: contents.documents.iter().map(String::as_str).collect(),
            rows: contents.rows.iter().map(String::as_str).collect(),
            infos: contents.infos.iter().copied().collect(),
            planned: BTreeSet::new(),
        }
    }

    /// Takes what an entry names: any text among its fields that is a part's name.
    fn named_by(&mut self, entry: &Entry) -> Result<Vec<Step>, CassetteError> {
        let mut steps = Vec::new();
        for (_, value) in &entry.fields {
            if let Value::Text(name) = value {
                steps.extend(self.part(name)?);
            }
        }
        Ok(steps)
    }

    /// Takes a document or rows, in records of bounded size.
    fn part(&mut self, name: &str) -> Result<Vec<Step>, CassetteError> {
        if self.documents.remove(name) {
            return Ok(vec![Step::of(Record::Document(name.to_owned()), 1)]);
        }
        if !self.rows.remove(name) {
            return Ok(Vec::new());
        }
        let (mut source, mut row, mut bytes) = (self.from.rows(name)?, ByteRecord::new(), Vec::new());
        let (mut counts, mut count) = (Vec::new(), 0);
        while source.next(&mut row)? {
            write_fields(row.iter(), &mut bytes);
            count += 1;
            if bytes.len() >= BLOCK {
                counts.push(std::mem::take(&mut count));
                bytes.clear();
            }
        }
        if count > 0 || counts.is_empty() {
            counts.push(count);
        }
        Ok(counts.into_iter().map(|count| Step::of(Record::Rows(name.to_owned()), count)).collect())
    }

    /// Takes the answers about a connection.
    fn answers(&mut self, connection: ConnectionId) -> Result<Option<Step>, CassetteError> {
        if !self.infos.remove(&connection) {
            return Ok(None);
        }
        let count = self.from.info(connection)?.len() as u64;
        Ok((count > 0).then(|| Step::of(Record::Answer(connection), count)))
    }

    /// Takes what a step of a sequence is of; false if there is nothing of the kind.
    fn plan(&mut self, record: &Record, part: &str) -> bool {
        match record {
            Record::Document(name) => self.documents.remove(name.as_str()),
            Record::Rows(_) | Record::Renamed { .. } => {
                self.planned.extend(self.rows.take(part));
                self.planned.contains(part)
            }
            Record::Answer(connection) => {
                self.infos.remove(connection);
                true
            }
            Record::Header | Record::Entry | Record::Complete => true,
        }
    }

    /// Takes everything.
    fn rest(&mut self) -> Result<Vec<Step>, CassetteError> {
        let mut steps = Vec::new();
        while let Some(connection) = self.infos.first().copied() {
            steps.extend(self.answers(connection)?);
        }
        while let Some(name) = self.documents.first().or(self.rows.first()).copied() {
            steps.extend(self.part(name)?);
        }
        Ok(steps)
    }
}

/// A conversion under way.
pub struct Copy<'c> {
    from: &'c dyn Cassette,
    to: &'c dyn Cassette,
    left: Left<'c>,
    answers: BTreeMap<ConnectionId, std::vec::IntoIter<Value>>,
    rows: BTreeMap<String, OpenRows>,
    encoded: Vec<u8>,
    done: Conversion,
}

/// Rows of which some may have been copied.
struct OpenRows {
    source: Box<dyn RowsSource>,
    part: Box<dyn RowsPart>,
}

impl<'c> Copy<'c> {
    /// Nothing is copied yet.
    pub fn of(from: &'c dyn Cassette, to: &'c dyn Cassette, contents: &'c Contents) -> Self {
        let (answers, rows, done) = (BTreeMap::new(), BTreeMap::new(), Conversion::default());
        Copy { from, to, left: Left::of(from, contents), answers, rows, encoded: Vec::new(), done }
    }

    /// Copies everything in this sequence. What it does not know, because a person edited the cassette, is copied as usual.
    fn along(&mut self, sequence: &Sequence) -> Result<(), CassetteError> {
        let mut steps = sequence.steps();
        let span_of = |step: Option<&(&Step, &str)>, record| {
            step.filter(|(step, _)| step.record == record).and_then(|(step, _)| step.span.clone())
        };
        // the mark at the end comes with publishing, and the header with the first thing that is appended
        let (header, mark) = (span_of(steps.first(), Record::Header), span_of(steps.last(), Record::Complete));
        steps.pop_if(|(step, _)| step.record == Record::Complete);
        steps.retain(|(step, part)| self.left.plan(&step.record, part));
        self.to.announce(header.as_ref());
        self.to.append(&[])?;
        let (from, mut steps) = (self.from, steps.into_iter());
        let (mut entries, mut span) = (0, None);
        from.scan(&mut |place, _| {
            while entries == 0 {
                match steps.next() {
                    Some((Step { record: Record::Entry, count, span: of_entry }, _)) => {
                        (entries, span) = (*count, of_entry.as_ref())
                    }
                    Some((step, part)) => self.follow(step, part)?,
                    None => (entries, span) = (u64::MAX, None),
                }
            }
            entries -= 1;
            let entry = self.entry(place)?;
            self.to.announce(span);
            self.append(&entry)
        })?;
        steps.try_for_each(|(step, part)| self.follow(step, part))?;
        self.rest()?;
        self.to.announce(mark.as_ref());
        Ok(())
    }

    /// Copies what a step other than entries says, of the part that has this name in the end.
    fn follow(&mut self, step: &Step, part: &str) -> Result<(), CassetteError> {
        let span = step.span.as_ref();
        match &step.record {
            Record::Header | Record::Entry => {}
            Record::Answer(connection) => {
                if !self.answers.contains_key(connection) {
                    self.answers.insert(*connection, self.from.info(*connection)?.into_iter());
                }
                let answers = self.answers.get_mut(connection).into_iter().flatten();
                for answer in answers.take(usize::try_from(step.count).unwrap_or(usize::MAX)) {
                    self.to.announce(span);
                    self.to.append_info(*connection, &answer)?;
                    self.done.answers += 1;
                }
            }
            Record::Document(name) => {
                self.to.announce(span);
                self.to.put(name, &self.from.document(name)?)?;
                self.done.parts += 1;
            }
            Record::Rows(name) => {
                if !self.rows.contains_key(part) {
                    let (source, target) = (self.from.rows(part)?, self.to.rows_part(name)?);
                    self.rows.insert(part.to_owned(), OpenRows { source, part: target });
                    self.done.parts += 1;
                }
                if let Some(open) = self.rows.get_mut(part) {
                    self.to.announce(span);
                    open.copy(step.count, usize::MAX)?;
                }
            }
            Record::Renamed { to, .. } => {
                if let Some(open) = self.rows.get_mut(part) {
                    self.to.announce(span);
                    open.part.rename(to)?;
                }
            }
            Record::Complete => {
                self.to.announce(span);
                self.to.mark()?;
            }
        }
        Ok(())
    }

    /// Copies the entry at a place of the log, and what it names.
    ///
    /// # Errors
    /// Something unreadable, a target that cannot be written.
    pub fn at(&mut self, place: Place) -> Result<(), CassetteError> {
        let entry = self.entry(place)?;
        self.append(&entry)
    }

    /// Reads the entry at a place of the log. What it names is copied before it, as it is recorded.
    fn entry(&mut self, place: Place) -> Result<Entry, CassetteError> {
        let entry = self.from.entry(place)?;
        let named = self.left.named_by(&entry)?;
        self.usual(named)?;
        Ok(entry)
    }

    fn append(&mut self, entry: &Entry) -> Result<(), CassetteError> {
        self.encoded.clear();
        self.to.encode(entry, &mut self.encoded);
        self.done.entries += 1;
        self.to.append(&self.encoded)
    }

    /// Copies the answers about a connection.
    ///
    /// # Errors
    /// As for [`Copy::at`].
    pub fn answers(&mut self, connection: ConnectionId) -> Result<(), CassetteError> {
        let answers = self.left.answers(connection)?;
        self.usual(answers)
    }

    fn usual(&mut self, steps: impl IntoIterator<Item = Step>) -> Result<(), CassetteError> {
        steps.into_iter().try_for_each(|step| match &step.record {
            Record::Rows(name) => self.follow(&step, name),
            _ => self.follow(&step, ""),
        })
    }

    /// What is left of everything.
    fn rest(&mut self) -> Result<(), CassetteError> {
        for open in self.rows.values_mut() {
            while open.copy(u64::MAX, BLOCK)? {}
        }
        for (connection, answers) in &mut self.answers {
            for answer in answers {
                self.to.append_info(*connection, &answer)?;
                self.done.answers += 1;
            }
        }
        let steps = self.left.rest()?;
        self.usual(steps)
    }
}

impl OpenRows {
    /// Copies the next rows, at most `count` of them and no more once they have so many bytes; false if there are none left.
    fn copy(&mut self, count: u64, bytes: usize) -> Result<bool, CassetteError> {
        let (mut block, mut row, mut copied) = (Vec::new(), ByteRecord::new(), 0);
        while copied < count && block.len() < bytes && self.source.next(&mut row)? {
            write_fields(row.iter(), &mut block);
            copied += 1;
        }
        if copied > 0 || count == 0 {
            self.part.append(&block)?;
        }
        Ok(copied > 0)
    }
}
