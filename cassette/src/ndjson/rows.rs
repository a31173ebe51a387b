//! Rows as records: each has rows of one part, 64 KiB of them or one that is longer.
//!
//! A cell is the text it is in a rows file, backslash tags included, and NULL is `null`.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::fast_path::{self, LineKind};
use super::json;
use super::line::Line;
use super::record::RecordWriter;
use super::writing::Writing;
use crate::storage::{Place, RowsPart, RowsSource};
use crate::value::float_text;
use crate::{CassetteError, RowsReader, cell, files};

/// A record takes rows until it has this many bytes of a rows file.
const BLOCK: usize = 64 * 1024;
/// NULL as it stands in a rows file.
pub(super) const NULL: &[u8] = b"\\N";

/// A rows part that grows.
pub(super) struct GrowingRows {
    pub(super) writing: Arc<Mutex<Writing>>,
    pub(super) writer: RecordWriter,
    pub(super) part: String,
    /// Rows are written under the name the part has.
    pub(super) begun: bool,
}

impl RowsPart for GrowingRows {
    fn append(&mut self, block: &[u8]) -> Result<(), CassetteError> {
        let (mut reader, mut row) = (RowsReader::new(block, Path::new(&self.part)), csv::ByteRecord::new());
        let (mut record, mut rows) = (Vec::with_capacity(block.len().min(BLOCK) * 5 / 4 + 512), 0);
        while reader.next(&mut row)? {
            if rows == 0 {
                self.writer.begin_rows(&self.part, &mut record);
            } else {
                record.push(b',');
            }
            push_row(&row, &mut record).map_err(|column| {
                CassetteError::new(Path::new(&self.part), "the cell is not UTF-8")
                    .at_line(reader.line())
                    .at_path(format!("field {}", column + 1))
            })?;
            rows += row.as_slice().len() + row.len() + 1;
            if rows >= BLOCK {
                self.writer.end_rows(&mut record);
                self.writing.lock().append_rows(&record)?;
                self.begun = true;
                record.clear();
                rows = 0;
            }
        }
        if rows == 0 && block.is_empty() && !self.begun {
            // a part without rows is one as well
            self.writer.begin_rows(&self.part, &mut record);
        }
        if !record.is_empty() {
            self.writer.end_rows(&mut record);
            self.writing.lock().append_rows(&record)?;
            self.begun = true;
        }
        Ok(())
    }

    fn rename(&mut self, part: &str) -> Result<(), CassetteError> {
        if self.begun {
            let mut record = Vec::with_capacity(256);
            self.writer.renamed(&self.part, part, &mut record);
            self.writing.lock().append(&record)?;
        }
        part.clone_into(&mut self.part);
        Ok(())
    }
}

/// Appends a row as a list; the column (from 0) of a cell that is not UTF-8.
pub(super) fn push_row(row: &csv::ByteRecord, out: &mut Vec<u8>) -> Result<(), usize> {
    out.push(b'[');
    for (column, field) in row.iter().enumerate() {
        if column > 0 {
            out.push(b',');
        }
        if field == NULL {
            out.extend_from_slice(b"null");
        } else {
            json::push_text(std::str::from_utf8(field).map_err(|_| column)?, out);
        }
    }
    out.push(b']');
    Ok(())
}

/// A rows part being read, a record at a time.
pub(super) struct RowsOfTrace {
    path: PathBuf,
    file: File,
    records: std::vec::IntoIter<Place>,
    place: Option<Place>,
    bytes: Vec<u8>,
    /// What of `bytes` are rows in super8's own form that were not given out yet.
    own: Range<usize>,
    unescaped: Vec<u8>,
    /// The rows of a record in another form.
    other: Option<Rows>,
    /// Rows of the record that were given out.
    given: usize,
}

impl RowsOfTrace {
    /// The rows at these places of a trace's file.
    pub(super) fn open(path: &Path, records: Vec<Place>) -> Result<RowsOfTrace, CassetteError> {
        Ok(RowsOfTrace {
            path: path.to_owned(),
            file: files::open(path).map_err(|error| CassetteError::io(path, "open", &error))?,
            records: records.into_iter(),
            place: None,
            bytes: Vec::new(),
            own: 0..0,
            unescaped: Vec::new(),
            other: None,
            given: 0,
        })
    }

    /// Reads the next record; false if there is none.
    fn read(&mut self) -> Result<bool, CassetteError> {
        let Some(place) = self.records.next() else { return Ok(false) };
        let failed = |error: io::Error| CassetteError::io(&self.path, "read", &error).at_line(place.line.into());
        self.bytes.resize(place.len as usize, 0);
        self.file.read_exact_at(&mut self.bytes, place.offset).map_err(failed)?;
        (self.place, self.given, self.other) = (Some(place), 0, None);
        match fast_path::classify(&self.bytes) {
            Some(LineKind::Rows(_, rows)) => self.own = rows,
            _ => self.read_otherwise(place)?,
        }
        Ok(true)
    }

    /// Reads the record as JSON of whatever form.
    fn read_otherwise(&mut self, place: Place) -> Result<(), CassetteError> {
        let line = Line::read(&self.bytes, &self.path, place.line)?;
        let raw = line.response()?;
        let read = serde_json::from_str(raw.get());
        self.other = Some(read.map_err(|error| line.malformed(raw, &error, "responsePayload"))?);
        self.own = 0..0;
        Ok(())
    }

    /// The next row of the record; false if there is none.
    fn next_of_record(&mut self, row: &mut csv::ByteRecord) -> Result<bool, CassetteError> {
        if !self.own.is_empty() {
            if let Some(taken) = fast_path::row(&self.bytes[self.own.clone()], row, &mut self.unescaped) {
                self.own.start += taken;
                return Ok(true);
            }
            row.clear();
            if let Some(place) = self.place {
                self.read_otherwise(place)?;
            }
        }
        let Some(rows) = self.other.as_ref().filter(|rows| self.given < rows.ends.len()) else { return Ok(false) };
        rows.row(self.given).for_each(|field| row.push_field(field));
        Ok(true)
    }
}

impl RowsSource for RowsOfTrace {
    fn next(&mut self, row: &mut csv::ByteRecord) -> Result<bool, CassetteError> {
        row.clear();
        while !self.next_of_record(row)? {
            if !self.read()? {
                return Ok(false);
            }
        }
        for (column, field) in row.iter().enumerate() {
            cell::check_tag(field).map_err(|error| {
                CassetteError::new(&self.path, error.to_string())
                    .at_line(self.line())
                    .at_path(format!("responsePayload.rows[{}][{column}]", self.given))
            })?;
        }
        self.given += 1;
        Ok(true)
    }

    fn file(&self) -> &Path {
        &self.path
    }

    fn line(&self) -> u64 {
        self.place.map_or(0, |place| place.line.into())
    }
}

/// The rows of a record, in three allocations.
#[derive(Default)]
struct Rows {
    text: Vec<u8>,
    /// Where each cell ends in `text`.
    cells: Vec<usize>,
    /// Where each row ends in `cells`.
    ends: Vec<usize>,
}

impl Rows {
    fn row(&self, number: usize) -> impl Iterator<Item = &[u8]> {
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        (start..self.ends[number]).map(|cell| {
            let from = if cell == 0 { 0 } else { self.cells[cell - 1] };
            &self.text[from..self.cells[cell]]
        })
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Payload)
    }
}

struct Payload;

impl<'de> Visitor<'de> for Payload {
    type Value = Rows;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map with `rows`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rows, A::Error> {
        let mut found = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "rows" => found = Some(map.next_value_seed(List)?),
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        found.ok_or_else(|| de::Error::missing_field("rows"))
    }
}

struct List;

impl<'de> de::DeserializeSeed<'de> for List {
    type Value = Rows;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Rows, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List {
    type Value = Rows;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Rows, A::Error> {
        let mut rows = Rows::default();
        while list.next_element_seed(Row(&mut rows))?.is_some() {
            rows.ends.push(rows.cells.len());
        }
        Ok(rows)
    }
}

/// One row, into those before it.
struct Row<'r>(&'r mut Rows);

impl<'de> de::DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row, which is a list of cells")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(CellText(&mut self.0.text))?.is_some() {
            self.0.cells.push(self.0.text.len());
        }
        Ok(())
    }
}

/// One cell, into the text of those before it.
struct CellText<'t>(&'t mut Vec<u8>);

impl<'de> de::DeserializeSeed<'de> for CellText<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl Visitor<'_> for CellText<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a cell: null, a number or text")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.extend_from_slice(NULL);
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.0.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.0.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.0.extend_from_slice(float_text(number).as_bytes());
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
