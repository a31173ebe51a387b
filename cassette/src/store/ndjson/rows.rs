//! Rows as records. Each record has rows of one member: 64 KiB of them, or one longer row.
//!
//! A cell is the text that it has in a rows file, backslash tags included. NULL is `null`.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::json;
use super::line::{self, Line, LineKind, classify};
use super::record::{NULL, RecordWriter};
use super::writing::Writing;
use crate::store::interface::{EntryRef, Growing, RowBlock, RowsSource, RowsWriter};
use crate::store::log::ENTRY_ROOM;
use crate::store::recording::Recording;
use crate::value::float_text;
use crate::{CassetteError, Row, cell, files};

/// Appends a row to a block as a list, with commas between the rows of a record.
pub(super) fn encode_row(row: &Row, block: &mut RowBlock) {
    if block.record > 0 {
        block.bytes.push(b',');
    }
    block.bytes.push(b'[');
    for (field, in_quotes) in row.fields_in_file() {
        let doubled = match in_quotes {
            true => 2 + json::push_unquoted(&field[1..field.len() - 1], &mut block.bytes),
            false => {
                push_field(field, &mut block.bytes);
                0
            }
        };
        block.bytes.push(b',');
        // count it as in a rows file: a comma or line break behind each field
        block.size += field.len() + 1;
        block.record += field.len() + 1 - doubled;
    }
    // drop the comma behind the last field
    block.bytes.pop();
    block.bytes.push(b']');
    block.record += 1;
    if block.record >= RowBlock::SIZE {
        block.records.push(block.bytes.len());
        block.record = 0;
    }
}

/// Appends a row as a list.
pub(super) fn push_fields<'f>(fields: impl Iterator<Item = &'f [u8]>, out: &mut Vec<u8>) {
    out.push(b'[');
    let mut first = true;
    for field in fields {
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        push_field(field, out);
    }
    out.push(b']');
}

fn push_field(field: &[u8], out: &mut Vec<u8>) {
    if field == NULL {
        out.extend_from_slice(b"null");
    } else {
        json::push_utf8(field, out);
    }
}

/// Reads the rows of a block one by one; the closure returns false at the end.
pub(super) fn read_block(block: &RowBlock) -> impl FnMut(&mut csv::ByteRecord) -> bool {
    let mut ends = block.records.iter().copied().chain([block.bytes.len()]);
    let (mut at, mut end, mut unescaped) = (0, 0, Vec::new());
    move |record| {
        record.clear();
        if at == end {
            end = ends.next().unwrap_or(end);
        }
        let taken = line::row(&block.bytes[at..end], record, &mut unescaped);
        at += taken.unwrap_or(0);
        taken.is_some()
    }
}

/// A rows member that grows.
pub(super) struct GrowingRows {
    pub(super) recording: Arc<Mutex<Recording<Writing>>>,
    pub(super) writer: RecordWriter,
    pub(super) member: String,
    /// Whether rows are written under the member's current name.
    pub(super) begun: bool,
}

impl GrowingRows {
    fn append_record(&mut self, rows: &[u8], record: &mut Vec<u8>) -> Result<(), CassetteError> {
        record.clear();
        self.writer.begin_rows(&self.member, record);
        record.extend_from_slice(rows);
        self.writer.end_rows(record);
        let mut recording = self.recording.lock();
        // keep the room that is set aside for entries
        recording.reserve(record.len() + ENTRY_ROOM)?;
        recording.append(record)?;
        self.begun = true;
        Ok(())
    }
}

impl RowsWriter for GrowingRows {
    fn append(&mut self, block: &RowBlock) -> Result<(), CassetteError> {
        let (mut record, mut start) = (Vec::with_capacity(block.bytes.len() + 512), 0);
        for end in &block.records {
            self.append_record(&block.bytes[start..*end], &mut record)?;
            start = *end;
        }
        // a member without rows needs a record as well
        if start < block.bytes.len() || !self.begun {
            self.append_record(&block.bytes[start..], &mut record)?;
        }
        Ok(())
    }

    fn rename(&mut self, member: &str) -> Result<(), CassetteError> {
        if self.begun {
            let mut record = Vec::with_capacity(256);
            self.writer.renamed(&self.member, member, &mut record);
            self.recording.lock().append(&record)?;
        }
        member.clone_into(&mut self.member);
        Ok(())
    }
}

/// A rows member being read, one record at a time.
pub(super) struct RowsOfTrace {
    path: PathBuf,
    file: File,
    records: std::vec::IntoIter<EntryRef>,
    place: Option<EntryRef>,
    bytes: Vec<u8>,
    /// Whether `bytes` is UTF-8, and so every cell of it.
    utf8: bool,
    /// The range of `bytes` with rows in super8's own form that were not returned yet.
    own: Range<usize>,
    unescaped: Vec<u8>,
    /// The rows of a record in another form.
    other: Option<Rows>,
    /// How many rows of the record were returned.
    given: usize,
}

impl RowsOfTrace {
    /// Opens the rows at these places of a trace's file.
    pub(super) fn open(path: &Path, records: Vec<EntryRef>) -> Result<RowsOfTrace, CassetteError> {
        Ok(RowsOfTrace {
            path: path.to_owned(),
            file: files::open(path).map_err(|error| CassetteError::io(path, "open", &error))?,
            records: records.into_iter(),
            place: None,
            bytes: Vec::new(),
            utf8: true,
            own: 0..0,
            unescaped: Vec::new(),
            other: None,
            given: 0,
        })
    }

    /// Reads the next record. Returns false if there is none.
    fn read(&mut self) -> Result<bool, CassetteError> {
        let Some(place) = self.records.next() else { return Ok(false) };
        let failed = |error: io::Error| CassetteError::io(&self.path, "read", &error).at_line(place.line.into());
        self.bytes.resize(place.len as usize, 0);
        self.file.read_exact_at(&mut self.bytes, place.offset).map_err(failed)?;
        self.utf8 = simdutf8::basic::from_utf8(&self.bytes).is_ok();
        (self.place, self.given, self.other) = (Some(place), 0, None);
        match classify(&self.bytes) {
            Some(LineKind::Rows(_, rows)) => self.own = rows,
            _ => self.read_otherwise(place)?,
        }
        Ok(true)
    }

    /// Reads the record as JSON, whatever its form.
    fn read_otherwise(&mut self, place: EntryRef) -> Result<(), CassetteError> {
        let line = Line::read(&self.bytes, &self.path, place.line)?;
        let raw = line.response()?;
        let read = serde_json::from_str(raw.get());
        self.other = Some(read.map_err(|error| line.malformed(raw, &error, "responsePayload"))?);
        self.own = 0..0;
        Ok(())
    }

    /// Reads the next row of the record. Returns false if there is none.
    fn next_of_record(&mut self, row: &mut csv::ByteRecord) -> Result<bool, CassetteError> {
        if !self.own.is_empty() {
            if let Some(taken) = line::row(&self.bytes[self.own.clone()], row, &mut self.unescaped) {
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

    fn is_utf8(&self) -> bool {
        self.utf8
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
        while list.next_element_seed(RowSeed(&mut rows))?.is_some() {
            rows.ends.push(rows.cells.len());
        }
        Ok(rows)
    }
}

/// Reads one row and adds it to those before it.
struct RowSeed<'r>(&'r mut Rows);

impl<'de> de::DeserializeSeed<'de> for RowSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
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

/// Reads one cell and adds it to the text of those before it.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::write_row;
    use crate::{Cell, RowsReader};
    use proptest::prelude::*;

    fn cells() -> impl Strategy<Value = Option<Vec<u8>>> {
        prop_oneof![
            Just(None),
            "\\PC{0,12}|[\"\\\\, a\n\t\\[\\]]{0,9}".prop_map(|text| Some(text.into_bytes())),
            prop::collection::vec(any::<u8>(), 0..9).prop_map(Some),
            (20_000..70_000_usize).prop_map(|length| Some(vec![b'x'; length])),
        ]
    }

    fn records(mut next: impl FnMut(&mut csv::ByteRecord) -> bool) -> Vec<csv::ByteRecord> {
        let (mut record, mut records) = (csv::ByteRecord::new(), Vec::new());
        while next(&mut record) {
            records.push(record.clone());
        }
        records
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn both_formats_have_the_same_rows_in_the_same_blocks(
            rows in prop::collection::vec(prop::collection::vec(cells(), 0..5), 1..12),
        ) {
            let (mut block, mut csv) = (RowBlock::default(), Vec::new());
            for cells in rows {
                let mut row = Row::new();
                for (column, cell) in cells.iter().enumerate() {
                    row.set(column, cell.as_deref().map_or(Cell::Null, Cell::Text));
                }
                encode_row(&row, &mut block);
                write_row(&row, &mut csv);
            }
            prop_assert_eq!(block.size, csv.len());
            let mut reader = RowsReader::new(&csv[..], Path::new("x.csv"));
            prop_assert_eq!(records(read_block(&block)), records(|record| reader.next(record).unwrap()));
            // a record takes rows until it has 64 KiB
            let ends = block.records.iter().copied().chain([block.bytes.len()]);
            for (start, end) in [0].into_iter().chain(block.records.iter().copied()).zip(ends) {
                let list = [b"[", &block.bytes[start..end], b"]"].concat();
                prop_assert!(serde_json::from_slice::<Vec<Vec<Option<String>>>>(&list).is_ok());
            }
        }
    }
}
