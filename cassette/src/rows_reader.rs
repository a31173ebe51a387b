//! Reads a rows file: CSV as the `csv` crate reads it, plus the rule that one row is one line.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use memchr::{memchr, memchr2};

use crate::cell::{self, CellError};
use crate::error::CassetteError;
use crate::files;
use crate::scan;

const BLOCK: usize = 32 * 1024;
/// The longest row. super8 writes none that is longer.
const LONGEST: usize = files::LARGEST as usize;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads the rows of a rows file one after the other, in constant memory.
///
/// Rows may differ in width, because cells at the end that were never read need not be written. A byte order mark at
/// the start of the file and CRLF line ends are accepted.
pub struct RowsReader<R> {
    reader: R,
    file: PathBuf,
    /// How many rows were read. This is also the line of the last one, because every row is one line.
    rows: u64,
    /// What was read of the file and not yet returned is `block[start..end]`.
    block: Vec<u8>,
    start: usize,
    end: usize,
    /// A field with its quotes undone.
    unquoted: Vec<u8>,
    /// Whether the last row is UTF-8.
    utf8: bool,
}

impl<R: Read> RowsReader<R> {
    /// Reads from the start of a file. `file` is its name for errors.
    pub fn new(reader: R, file: &Path) -> Self {
        let (block, unquoted) = (vec![0; BLOCK], Vec::new());
        RowsReader { reader, file: file.to_owned(), rows: 0, block, start: 0, end: 0, unquoted, utf8: true }
    }

    /// Reads the next row's fields, ready for [`decode`](crate::cell::decode). Returns false at the end of the file.
    ///
    /// Refuses, with its line: a blank line, a line break inside a cell (an unclosed quote), a file that does not end
    /// with a line break (it was cut short), and an unknown tag. What follows a tag, and whether text is UTF-8, is for
    /// `decode` to judge; [`refuse`](Self::refuse) makes its verdict an error with the place.
    pub fn next(&mut self, record: &mut csv::ByteRecord) -> Result<bool, CassetteError> {
        record.clear();
        let Some((length, next)) = self.line_end()? else { return Ok(false) };
        let mut line = &self.block[self.start..self.start + length];
        if self.rows == 0 {
            line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        }
        if files::is_conflict(line) {
            return Err(files::conflict(&self.file, self.rows + 1));
        }
        if line.is_empty() {
            return Err(Fault::Blank.error(&self.file).at_line(self.rows + 1));
        }
        self.rows += 1;
        self.utf8 = simdutf8::basic::from_utf8(line).is_ok();
        let Some(unknown) = split(line, record, &mut self.unquoted) else {
            return Err(Fault::Unclosed.error(&self.file).at_line(self.rows));
        };
        self.start += next;
        if self.start > files::LONG {
            self.block = self.block[self.start..self.end].to_vec();
            (self.start, self.end, self.unquoted) = (0, self.block.len(), Vec::new());
        }
        if unknown {
            for (column, field) in record.iter().enumerate() {
                cell::check_tag(field).map_err(|error| self.refuse(column, &error))?;
            }
        }
        Ok(true)
    }

    /// Returns the file as it was named.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Returns whether every field of the row that was read last is UTF-8. The line was checked as a whole: it is split at
    /// ASCII characters only.
    pub fn is_utf8(&self) -> bool {
        self.utf8
    }

    /// Returns the line (from 1) of the row that was read last.
    pub fn line(&self) -> u64 {
        self.rows
    }

    /// Makes the error for a field (column from 0) of that row that cannot be decoded.
    pub fn refuse(&self, column: usize, error: &CellError) -> CassetteError {
        CassetteError::new(&self.file, error.to_string()).at_line(self.rows).at_path(format!("field {}", column + 1))
    }

    /// Returns the length of the next line without its end, and with it; `None` at the end of the file.
    fn line_end(&mut self) -> Result<Option<(usize, usize)>, CassetteError> {
        let mut seen = 0;
        loop {
            let waiting = &self.block[self.start..self.end];
            match memchr2(b'\n', b'\r', &waiting[seen..]).map(|at| seen + at) {
                Some(at) if waiting[at] == b'\n' => return Ok(Some((at, at + 1))),
                Some(at) => match waiting.get(at + 1) {
                    Some(b'\n') => return Ok(Some((at, at + 2))),
                    Some(_) => return Err(Fault::LoneCr.error(&self.file).at_line(self.rows + 1)),
                    None => seen = at,
                },
                None => seen = waiting.len(),
            }
            if seen > LONGEST {
                return Err(Fault::Long.error(&self.file).at_line(self.rows + 1));
            }
            if self.fill().map_err(|error| CassetteError::io(&self.file, "read", &error))? == 0 {
                return match self.end - self.start {
                    0 => Ok(None),
                    _ => Err(Fault::Torn.error(&self.file).at_line(self.rows + 1)),
                };
            }
        }
    }

    /// Reads more of the file. Returns how many bytes it read.
    fn fill(&mut self) -> io::Result<usize> {
        self.block.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.end == self.block.len() {
            let more = files::growth(self.end, BLOCK);
            self.block.reserve_exact(more);
            self.block.resize(self.end + more, 0);
        }
        loop {
            match self.reader.read(&mut self.block[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => {
                    self.end += *read.as_ref().unwrap_or(&0);
                    return read;
                }
            }
        }
    }
}

/// Splits a line into its fields, as the `csv` crate does. Returns whether a field begins with an unknown tag; `None` if a
/// quote is never closed.
fn split(line: &[u8], record: &mut csv::ByteRecord, unquoted: &mut Vec<u8>) -> Option<bool> {
    let (mut commas, mut start, mut unknown) = (Commas::from(line, 0), 0, false);
    loop {
        let end = match line.get(start) {
            Some(b'"') => {
                let end = line.len() - unquote(&line[start + 1..], unquoted)?.len();
                unknown |= cell::check_tag(unquoted).is_err();
                record.push_field(unquoted);
                commas = Commas::from(line, end + 1);
                end
            }
            first => {
                let end = commas.next().unwrap_or(line.len());
                let field = &line[start..end];
                unknown |= first == Some(&b'\\') && cell::check_tag(field).is_err();
                record.push_field(field);
                end
            }
        };
        if end == line.len() {
            return Some(unknown);
        }
        start = end + 1;
    }
}

/// The places of the commas in a line, from one of its bytes on. Most fields end before `memchr` gets under way, so this
/// looks at words of eight bytes itself, and calls `memchr` in long fields.
struct Commas<'l> {
    line: &'l [u8],
    /// Where the word after the current one begins.
    next: usize,
    /// The commas of the current word that were not returned yet, as the high bits of their bytes.
    marks: u64,
}

impl<'l> Commas<'l> {
    fn from(line: &'l [u8], start: usize) -> Self {
        Commas { line, next: start, marks: 0 }
    }

    #[inline]
    fn next(&mut self) -> Option<usize> {
        const LONG: usize = 32;
        let begin = self.next;
        while self.marks == 0 {
            let rest = self.line.get(self.next..)?;
            match rest.first_chunk::<8>() {
                Some(word) if self.next < begin + LONG => {
                    self.marks = scan::equal(u64::from_le_bytes(*word), b',');
                    self.next += 8;
                }
                _ => {
                    let at = self.next + memchr(b',', rest)?;
                    self.next = at + 1;
                    return Some(at);
                }
            }
        }
        let at = self.next - 8 + (self.marks.trailing_zeros() / 8) as usize;
        self.marks &= self.marks - 1;
        Some(at)
    }
}

/// Finds a byte. Most fields end before `memchr` gets under way, so it first looks at a few words itself.
#[inline]
fn find(byte: u8, line: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = line.get(at..).and_then(|rest| rest.first_chunk::<8>()).filter(|_| at < 32) {
        match scan::has(u64::from_le_bytes(*word), byte) {
            0 => at += 8,
            marks => return Some(at + marks.trailing_zeros() as usize / 8),
        }
    }
    memchr(byte, &line[at..]).map(|found| at + found)
}

/// Undoes the quotes of a field. `quoted` begins behind the opening quote. Returns what stands behind the field.
fn unquote<'a>(quoted: &'a [u8], field: &mut Vec<u8>) -> Option<&'a [u8]> {
    field.clear();
    let mut rest = quoted;
    loop {
        let quote = find(b'"', rest)?;
        match rest.get(quote + 1) {
            Some(b'"') => {
                field.extend_from_slice(&rest[..=quote]);
                rest = &rest[quote + 2..];
            }
            // What follows a closing quote belongs to the field, and quotes in it are no longer special.
            _ => {
                field.extend_from_slice(&rest[..quote]);
                rest = &rest[quote + 1..];
                let end = find(b',', rest).unwrap_or(rest.len());
                field.extend_from_slice(&rest[..end]);
                return Some(&rest[end..]);
            }
        }
    }
}

/// Why a line is no row.
#[derive(Clone, Copy)]
enum Fault {
    Blank,
    Long,
    LoneCr,
    Torn,
    Unclosed,
}

impl Fault {
    fn error(self, file: &Path) -> CassetteError {
        match self {
            Fault::Blank => CassetteError::new(file, "a blank line, and every row is one line")
                .advice("remove it, or write `\"\"` for a row with one empty cell"),
            Fault::Long => CassetteError::new(file, "a row of more than 64 MiB").advice("record fewer rows or bytes"),
            Fault::LoneCr => CassetteError::new(file, "a carriage return without a line feed")
                .advice("write it as \\r in a cell that begins with \\e"),
            Fault::Torn => CassetteError::torn(file, "the last line does not end with a line break: the file was cut")
                .advice("record again, or end the line if nothing is missing"),
            Fault::Unclosed => CassetteError::new(file, "a line break inside a cell, or a quote that is never closed")
                .advice("write a line break as \\e...\\n, and close the quote"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(bytes: &[u8]) -> Result<Vec<Vec<String>>, String> {
        let mut reader = RowsReader::new(bytes, Path::new("a_1_fetch_all.csv"));
        let (mut record, mut rows) = (csv::ByteRecord::new(), Vec::new());
        while reader.next(&mut record).map_err(|error| error.to_string())? {
            rows.push(record.iter().map(|field| String::from_utf8(field.to_vec()).unwrap()).collect());
        }
        Ok(rows)
    }

    #[test]
    fn rows_of_different_widths_crlf_and_a_byte_order_mark() {
        let expected = Ok(vec![vec!["1".to_owned(), "a,\"b\"".to_owned()], vec![String::new()]]);
        assert_eq!(rows(b"1,\"a,\"\"b\"\"\"\n\"\"\n"), expected);
        assert_eq!(rows(b"\xef\xbb\xbf1,\"a,\"\"b\"\"\"\r\n\"\"\r\n"), expected);
        assert_eq!(rows(b""), Ok(vec![]));
    }

    #[test]
    fn what_the_csv_crate_lets_pass_is_refused_with_its_line() {
        let cases: &[(&[u8], &str)] = &[
            (b"1\n\n2\n", ":2: a blank line"),
            (b"1\r\n\r\n2\r\n", ":2: a blank line"),
            (b"\n", ":1: a blank line"),
            (b"1\n2\r3\n", ":2: a carriage return"),
            (b"1\n2\r", ":2: the last line"),
            (b"1\n\"2\n3\n", ":2: a line break inside"),
            (b"1\n\"2", ":2: the last line"),
            (b"1\n2,\\q\n", ":2: field 2: `\\q`"),
        ];
        for (bytes, expected) in cases {
            let error = rows(bytes).unwrap_err();
            assert!(error.starts_with(&format!("a_1_fetch_all.csv{expected}")), "{error}");
        }
    }

    #[test]
    fn lines_are_split_as_the_csv_crate_splits_them() {
        let mut seed = 1u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) % below
        };
        let mut builder = csv::ReaderBuilder::new();
        builder.has_headers(false).flexible(true);
        let (mut ours, mut theirs, mut unquoted) = (csv::ByteRecord::new(), csv::ByteRecord::new(), Vec::new());
        for round in 0..50_000 {
            // short lines of special letters, and long fields
            let (length, plain) = if round % 2 == 0 { (12, 0) } else { (150, random(40)) };
            let mut line: Vec<u8> =
                (0..1 + random(length)).map(|_| b"\"\",,ab \\x"[random(8 + plain).min(8) as usize]).collect();
            line.push(b'\n');
            ours.clear();
            let split = split(&line[..line.len() - 1], &mut ours, &mut unquoted);
            assert!(builder.from_reader(&line[..]).read_byte_record(&mut theirs).unwrap());
            let text = String::from_utf8_lossy(&line);
            match split {
                Some(_) => assert_eq!(ours.iter().collect::<Vec<_>>(), theirs.iter().collect::<Vec<_>>(), "{text}"),
                None => assert_eq!(theirs.as_slice().last(), Some(&b'\n'), "{text}"),
            }
        }
    }

    #[test]
    fn a_row_is_utf8_if_its_line_is() {
        let mut reader = RowsReader::new(&b"\xc3\xa9,\"\xc3\xa9\"\n1,\xff\n\xc3,\xa9\nx\n"[..], Path::new("x.csv"));
        let mut record = csv::ByteRecord::new();
        for expected in [true, false, false, true] {
            assert!(reader.next(&mut record).unwrap());
            assert_eq!(reader.is_utf8(), expected, "{record:?}");
            assert_eq!(record.iter().all(|field| std::str::from_utf8(field).is_ok()), expected);
        }
    }

    #[test]
    fn a_field_that_cannot_be_decoded_gets_its_place() {
        let mut reader = RowsReader::new(&b"1\n2,\xff\n"[..], Path::new("x.csv"));
        let mut record = csv::ByteRecord::new();
        while reader.next(&mut record).unwrap() {
            if let Some(field) = record.get(1) {
                let error = cell::decode(field, &mut Vec::new()).unwrap_err();
                let error = reader.refuse(1, &error).to_string();
                assert!(error.starts_with("x.csv:2: field 2: byte 1 of the cell is not UTF-8"), "{error}");
                return;
            }
        }
        panic!("the second row was not read");
    }

    #[test]
    fn line_ends_are_understood_wherever_a_block_ends() {
        struct Dribble<'a>(&'a [u8]);
        impl Read for Dribble<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = buffer.len().min(self.0.len()).min(1);
                buffer[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }
        let mut reader = RowsReader::new(Dribble(b"1,2\r\n3,4\r\n\r\n"), Path::new("x"));
        let mut record = csv::ByteRecord::new();
        assert!(reader.next(&mut record).unwrap());
        assert!(reader.next(&mut record).unwrap());
        assert_eq!((record.iter().collect::<Vec<_>>(), reader.line()), (vec![&b"3"[..], b"4"], 2));
        assert_eq!(reader.next(&mut record).unwrap_err().line(), Some(3));
    }
}
