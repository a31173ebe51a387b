//! The sequence of the records in a trace's file.

use std::fs::File;
use std::path::Path;

use csv::ByteRecord;

use super::line::{Kind, Line};
use super::lines::Lines;
use super::rows::RowsOfTrace;
use crate::CassetteError;
use crate::sequence::{Record, Sequence, Step};
use crate::storage::{Place, RowsSource};

/// What the records of a file are, in their order; those of other protocols are none of ours.
pub(super) fn of(file: &Path) -> Result<Sequence, CassetteError> {
    let open = File::open(file).map_err(|error| CassetteError::io(file, "open", &error))?;
    let (mut lines, mut sequence) = (Lines::new(open, file), Sequence::default());
    while let Some(cut) = lines.next()? {
        let line = Line::read(cut.bytes, file, cut.place.line)?;
        let name = || line.identifier.clone().into_owned();
        let (record, count) = match line.kind()? {
            Kind::Foreign => continue,
            Kind::Header => (Record::Header, 1),
            Kind::Complete => (Record::Complete, 1),
            Kind::Entry => (Record::Entry, 1),
            Kind::Info(connection) => (Record::Answer(connection), 1),
            Kind::Document => (Record::Document(name()), 1),
            Kind::Renamed => (Record::Renamed { from: line.renamed()?, to: name() }, 1),
            Kind::Rows => (Record::Rows(name()), rows(file, cut.place)?),
        };
        sequence.push(Step { record, count, span: line.span() });
    }
    Ok(sequence)
}

/// How many rows a record has.
fn rows(file: &Path, place: Place) -> Result<u64, CassetteError> {
    let (mut rows, mut row, mut count) = (RowsOfTrace::open(file, vec![place])?, ByteRecord::new(), 0);
    while rows.next(&mut row)? {
        count += 1;
    }
    Ok(count)
}
