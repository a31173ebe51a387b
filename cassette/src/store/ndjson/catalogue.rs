//! Finds out in one walk over its lines what a trace's file has, and where. Also finds which of its records do not come
//! back byte for byte: those that another tool has rewritten, and those with span ids and times.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use csv::ByteRecord;

use super::line::{Kind, Line, LineKind, classify};
use super::lines::{Cut, Lines};
use super::record::{COMPLETE, RecordWriter, Stamp};
use super::rows::{RowsOfTrace, push_fields};
use crate::entry::Head;
use crate::store::interface::{EntryRef, Member, RowsSource, info_member};
use crate::{CassetteError, ConnectionId, ErrorKind, Metadata, Value, files};

/// The end of the file in which the mark of completeness is looked for.
const TAIL: u64 = 4 * 1024;

/// Where the records are that are not entries of the log.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    pub(super) documents: HashMap<String, EntryRef>,
    pub(super) rows: HashMap<String, Vec<EntryRef>>,
    pub(super) infos: BTreeMap<ConnectionId, Vec<EntryRef>>,
    /// The lines of the records that gave rows members their names.
    renamed: HashMap<String, Vec<u32>>,
    /// How many records of other protocols were skipped.
    pub(super) foreign: u64,
    /// The number of bytes up to the end of the last whole record, without its line break.
    pub(super) end: u64,
}

impl Catalogue {
    /// Walks over the file and shows each entry of the log to `visit`. A last line that was cut short ends the walk.
    /// Then the catalogue of everything whole comes with an error of kind [`Torn`](ErrorKind::Torn).
    pub(super) fn walk(
        file: &Path,
        visit: &mut dyn FnMut(EntryRef, Head) -> Result<(), CassetteError>,
    ) -> Result<(Catalogue, Option<CassetteError>), CassetteError> {
        let open = files::open(file).map_err(|error| CassetteError::io(file, "open", &error))?;
        let (mut lines, mut catalogue, mut headers) = (Lines::new(open, file), Catalogue::default(), 0);
        loop {
            let cut = match lines.next() {
                Ok(Some(cut)) => cut,
                Ok(None) => break,
                Err(error) if error.kind() == ErrorKind::Torn => return Ok((catalogue, Some(error))),
                Err(error) => return Err(error),
            };
            match catalogue.take(&cut, file, visit) {
                Ok(Kind::Header) => {
                    headers += 1;
                    if headers > 1 {
                        let problem = "a second header: two cassettes were joined";
                        return Err(CassetteError::new(file, problem)
                            .at_line(cut.place.line.into())
                            .advice("keep one trace in one file"));
                    }
                }
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Torn => return Ok((catalogue, Some(error))),
                Err(error) => return Err(error),
            }
            catalogue.end = cut.place.offset + u64::from(cut.place.len);
        }
        Ok((catalogue, None))
    }

    fn take(
        &mut self,
        cut: &Cut<'_>,
        file: &Path,
        visit: &mut dyn FnMut(EntryRef, Head) -> Result<(), CassetteError>,
    ) -> Result<Kind, CassetteError> {
        let place = cut.place;
        match classify(cut.bytes).filter(|_| cut.ended) {
            Some(LineKind::Entry(head)) => return visit(place, head).map(|()| Kind::Entry),
            Some(LineKind::Rows(member, _)) => {
                self.rows.entry(member.to_owned()).or_default().push(place);
                return Ok(Kind::Rows);
            }
            None => {}
        }
        if files::is_conflict(cut.bytes) {
            return Err(files::conflict(file, place.line.into()));
        }
        let line = match Line::read(cut.bytes, file, place.line) {
            Ok(line) => line,
            Err(error) if cut.ended => return Err(error),
            Err(_) => return Err(torn(file, place)),
        };
        let kind = line.kind()?;
        let name = || line.identifier.clone().into_owned();
        match kind {
            Kind::Header | Kind::Complete => {}
            Kind::Foreign => self.foreign += 1,
            Kind::Entry => visit(place, line.head()?)?,
            Kind::Info(connection) => self.infos.entry(connection).or_default().push(place),
            Kind::Document => {
                if let Some(first) = self.documents.insert(name(), place) {
                    let problem = format!("a second document {}, the first is on line {}", line.identifier, first.line);
                    return Err(CassetteError::new(file, problem).at_line(place.line.into()));
                }
            }
            Kind::Rows => self.rows.entry(name()).or_default().push(place),
            Kind::Renamed => {
                let from = line.renamed()?;
                let mut lines = self.renamed.remove(&from).unwrap_or_default();
                lines.push(place.line);
                self.renamed.insert(name(), lines);
                let rows = self.rows.remove(&from).ok_or_else(|| {
                    let problem = format!("there are no rows {from} to be renamed");
                    CassetteError::new(file, problem).at_line(place.line.into())
                })?;
                if let Some(first) = self.rows.insert(name(), rows).and_then(|there| there.first().copied()) {
                    let identifier = &line.identifier;
                    let problem = format!("{identifier} has rows already, from line {} on", first.line);
                    return Err(CassetteError::new(file, problem).at_line(place.line.into()));
                }
            }
        }
        Ok(kind)
    }
}

impl Catalogue {
    /// Returns where each member stands. `file` is the name for messages.
    pub(super) fn members(&self, file: &Path) -> Vec<Member> {
        let member = |name: String, places: &[EntryRef]| Member {
            name,
            file: file.to_owned(),
            lines: places.iter().map(|place| place.line).collect(),
            bytes: places.iter().map(|place| place.len.into()).max().unwrap_or(0),
        };
        let documents = self.documents.iter().map(|(name, place)| member(name.clone(), &[*place]));
        let rows = self.rows.iter().map(|(name, places)| {
            let mut member = member(name.clone(), places);
            member.lines.extend(self.renamed.get(name).into_iter().flatten());
            member
        });
        let infos = self.infos.iter().map(|(connection, places)| member(info_member(*connection), places));
        let mut members: Vec<Member> = documents.chain(rows).chain(infos).collect();
        members.sort_by(|one, other| one.name.cmp(&other.name));
        members
    }
}

fn torn(file: &Path, place: EntryRef) -> CassetteError {
    CassetteError::torn(file, "the last record breaks off: the process that wrote it was ended")
        .at_line(place.line.into())
        .advice("everything before it is whole; record again, or `super8 recover` it")
}

/// Reads the metadata from the file's first record. Whether it is complete depends on the last record being the mark of completeness.
pub(super) fn metadata(file: &Path, open: File) -> Result<Metadata, CassetteError> {
    let mut lines = Lines::new(&open, file);
    let Some(cut) = lines.next()? else {
        return Err(CassetteError::torn(file, "the file is empty").advice("record again"));
    };
    let not_ours = || {
        CassetteError::new(file, "not a cassette of super8: it does not begin with the header of one")
            .at_line(cut.place.line.into())
            .advice("records of Softprobe become a cassette with `super8 convert`")
    };
    let line = match Line::read(cut.bytes, file, cut.place.line) {
        Ok(line) => line,
        Err(_) if !cut.ended => return Err(torn(file, cut.place)),
        Err(error) => return Err(error),
    };
    if line.kind()? != Kind::Header {
        return Err(not_ours());
    }
    let mut pairs = line.header()?;
    let complete = mark(&open, file)?;
    pairs.push((COMPLETE.to_owned(), Value::Bool(complete.is_some())));
    // whatever else the mark says
    pairs.extend(complete.into_iter().flatten().filter(|(key, _)| key != COMPLETE));
    Metadata::from_value(&Value::Map(pairs), file)
}

/// Returns what the mark of completeness says, if the last line is one.
fn mark(mut open: &File, file: &Path) -> Result<Option<Vec<(String, Value)>>, CassetteError> {
    let failed = |error: io::Error| CassetteError::io(file, "read", &error);
    let length = open.seek(SeekFrom::End(0)).map_err(failed)?;
    let start = open.seek(SeekFrom::Start(length.saturating_sub(TAIL))).map_err(failed)?;
    let mut tail = Vec::new();
    open.take(length - start).read_to_end(&mut tail).map_err(failed)?;
    let last = tail.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let read = Line::read(last, file, 0).and_then(|line| Ok((line.kind()?, line.header()?)));
    Ok(read.ok().filter(|(kind, _)| *kind == Kind::Complete).map(|(_, pairs)| pairs))
}

/// How many of super8's records a copy will change.
#[derive(Default)]
pub(super) struct Form {
    /// Records in a form other than super8's.
    pub(super) edited: u64,
    /// Records with a span id and a time.
    pub(super) spans: u64,
}

/// Reads every record of a file and counts those that a copy will change.
///
/// # Errors
/// A record cannot be read, with its line.
pub(super) fn form(file: &Path, writer: &RecordWriter) -> Result<Form, CassetteError> {
    let open = files::open(file).map_err(|error| CassetteError::io(file, "open", &error))?;
    let (mut lines, mut own, mut form) = (Lines::new(open, file), Vec::new(), Form::default());
    let mut writer = writer.clone();
    while let Some(cut) = lines.next()? {
        let line = Line::read(cut.bytes, file, cut.place.line)?;
        let kind = line.kind()?;
        if kind == Kind::Foreign {
            continue;
        }
        let span = line.span();
        form.spans += u64::from(span.is_some());
        writer.stamp = span.map_or(Stamp::None, Stamp::Same);
        own.clear();
        match kind {
            Kind::Foreign => {}
            Kind::Header => writer.header(&Value::Map(line.header()?), &mut own),
            Kind::Complete => {
                let other = line.header()?.iter().any(|(key, _)| key != COMPLETE);
                writer.complete(other, &mut own);
            }
            Kind::Entry => writer.entry(&line.entry()?, &mut own),
            Kind::Info(connection) => writer.info(connection, &line.answer()?, &mut own),
            Kind::Document => writer.document(&line.identifier, &line.document()?, &mut own),
            Kind::Renamed => writer.renamed(&line.renamed()?, &line.identifier, &mut own),
            Kind::Rows => {
                writer.begin_rows(&line.identifier, &mut own);
                rows(file, cut.place, &mut own)?;
                writer.end_rows(&mut own);
            }
        }
        form.edited += u64::from(own.strip_suffix(b"\n") != Some(cut.bytes));
    }
    Ok(form)
}

fn rows(file: &Path, place: EntryRef, out: &mut Vec<u8>) -> Result<(), CassetteError> {
    let (mut rows, mut row, mut first) = (RowsOfTrace::open(file, vec![place])?, ByteRecord::new(), true);
    while rows.next(&mut row)? {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        push_fields(row.iter(), out);
    }
    Ok(())
}
