//! What of a trace's records does not come back byte by byte: what another tool has written anew, span ids and times.

use std::path::Path;

use csv::ByteRecord;

use super::COMPLETE;
use super::line::{Kind, Line};
use super::lines::Lines;
use super::record::RecordWriter;
use super::rows::{RowsOfTrace, push_row};
use super::spans::Stamp;
use crate::storage::{Place, RowsSource};
use crate::{CassetteError, Value, files};

/// How many of super8's records a copy will not have as they are.
#[derive(Default)]
pub(super) struct Form {
    /// Those in another form than super8's.
    pub(super) edited: u64,
    /// Those with a span id and a time.
    pub(super) spans: u64,
}

/// Reads every record of a file.
///
/// # Errors
/// A record that cannot be read, with its line.
pub(super) fn of(file: &Path, writer: &RecordWriter) -> Result<Form, CassetteError> {
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

fn rows(file: &Path, place: Place, out: &mut Vec<u8>) -> Result<(), CassetteError> {
    let (mut rows, mut row, mut first) = (RowsOfTrace::open(file, vec![place])?, ByteRecord::new(), true);
    while rows.next(&mut row)? {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        push_row(&row, out).map_err(|_| CassetteError::new(file, "a cell is not UTF-8").at_line(rows.line()))?;
    }
    Ok(())
}
