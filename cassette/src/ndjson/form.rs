//! Which records of a trace's file another tool has written anew: those that are not, byte by byte, what is written for them.

use std::fs::File;
use std::path::Path;

use csv::ByteRecord;

use super::COMPLETE;
use super::line::{Kind, Line};
use super::lines::Lines;
use super::record::Author;
use super::rows::{RowsOfTrace, push_row};
use super::spans::Stamp;
use crate::storage::{Place, RowsSource};
use crate::{CassetteError, Value};

/// How many records of ours are in another form than ours.
pub(super) fn others(file: &Path, author: &Author) -> Result<u64, CassetteError> {
    let open = File::open(file).map_err(|error| CassetteError::io(file, "open", &error))?;
    let (mut lines, mut own, mut others) = (Lines::new(open, file), Vec::new(), 0);
    let author = Author { stamp: Stamp::default(), ..author.clone() };
    while let Some(cut) = lines.next()? {
        let line = Line::read(cut.bytes, file, cut.place.line)?;
        let kind = line.kind()?;
        if kind == Kind::Foreign {
            continue;
        }
        author.stamp.announce(line.span().as_ref());
        own.clear();
        match kind {
            Kind::Foreign => {}
            Kind::Header => author.header(&Value::Map(line.header()?), &mut own),
            Kind::Complete => {
                let other = line.header()?.iter().any(|(key, _)| key != COMPLETE);
                author.complete(other, &mut own);
            }
            Kind::Entry => author.entry(&line.entry()?, &mut own),
            Kind::Info(connection) => author.info(connection, &line.answer()?, &mut own),
            Kind::Document => author.document(&line.identifier, &line.document()?, &mut own),
            Kind::Renamed => author.renamed(&line.renamed()?, &line.identifier, &mut own),
            Kind::Rows => {
                author.begin_rows(&line.identifier, &mut own);
                rows(file, cut.place, &mut own)?;
                author.end_rows(&mut own);
            }
        }
        others += u64::from(own.strip_suffix(b"\n") != Some(cut.bytes));
    }
    Ok(others)
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
