//! Where a cassette is kept: the one interface in front of its formats. It knows nothing of modes and nothing of ODBC.

use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};

use crate::check::{self, Wrong};
use crate::entry::Head;
use crate::metadata::Metadata;
use crate::{CassetteError, ConnectionId, Entry, ErrorKind, Fields, Value};

const RESTORE: &str = "restore it, or record again";

/// Where an entry stands in the log; only the storage that gave it can read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Bytes from the start of the log.
    pub offset: u64,
    /// Bytes of the entry.
    pub len: u32,
    /// The line it begins on, from 1.
    pub line: u32,
}

/// A cassette's storage: entries in order, small documents and rows by name, answers by connection.
///
/// The names of parts are plain: letters, digits, `_`, `-` and `.`, as in `a_1_columns.yml`. An implementation may keep
/// them as files or otherwise. Appending is serialized by the caller, except for rows parts, which are on their own.
pub trait Cassette: Send + Sync {
    /// The cassette's name as the user gave it, for messages.
    fn name(&self) -> &Path;

    /// The variables that name the cassette to a program, with their values.
    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![("SUPER8_CASSETTE", self.name().display().to_string())]
    }

    /// Encodes an entry as it will stand in the log. Touches nothing, so it needs no lock.
    fn encode(&self, entry: &Entry, out: &mut Vec<u8>);

    /// Brings the cassette into being, or looks whether it is still where it was.
    ///
    /// # Errors
    /// As for [`Cassette::append`].
    fn begin(&self) -> Result<(), CassetteError>;

    /// Sets room aside for so many bytes of encoded entries, before what they tell of happens. Appending them does not fail
    /// for want of room then.
    ///
    /// # Errors
    /// As for [`Cassette::append`].
    fn reserve(&self, bytes: usize) -> Result<(), CassetteError>;

    /// Appends encoded entries to the log. They survive the process once this has returned. The first append brings the
    /// cassette into being if [`Cassette::begin`] did not.
    ///
    /// # Errors
    /// What the operating system says; a target that is no cassette; another process that records it.
    fn append(&self, encoded: &[u8]) -> Result<(), CassetteError>;

    /// Appends an answer to those of a connection.
    ///
    /// # Errors
    /// As for [`Cassette::append`].
    fn append_info(&self, connection: ConnectionId, answer: &Fields) -> Result<(), CassetteError>;

    /// Stores a small document.
    ///
    /// # Errors
    /// As for [`Cassette::append`].
    fn put(&self, part: &str, document: &Value) -> Result<(), CassetteError>;

    /// A new rows part. Nothing is stored before its first block.
    ///
    /// # Errors
    /// As for [`Cassette::append`].
    fn rows_part(&self, part: &str) -> Result<Box<dyn RowsPart>, CassetteError>;

    /// Notes which entry the rows of a part will belong to, of which a block is about to be appended: what is needed to make
    /// that entry if this process is killed before the fetching ends.
    ///
    /// # Errors
    /// As for [`Cassette::append`].
    fn note_rows(&self, open: &OpenRun<'_>) -> Result<(), CassetteError>;

    /// Makes what was appended visible to readers in its exact form.
    ///
    /// # Errors
    /// As for [`Cassette::append`].
    fn flush(&self) -> Result<(), CassetteError>;

    /// Marks everything stored so far as complete, where it is. More may be appended later; the cassette counts as
    /// incomplete from then until the next call.
    ///
    /// # Errors
    /// As for [`Cassette::append`].
    fn complete(&self) -> Result<(), CassetteError>;

    /// The same, and makes it the cassette under its name.
    ///
    /// # Errors
    /// As for [`Cassette::append`].
    fn publish(&self) -> Result<(), CassetteError>;

    /// Gives the recording up. What was published stays; what was not goes to the directory `keep`, or away. What is appended later
    /// goes nowhere.
    ///
    /// # Errors
    /// What the operating system says. It is given up all the same.
    fn discard(&self, keep: Option<&Path>) -> Result<(), CassetteError>;

    /// The metadata.
    ///
    /// # Errors
    /// No cassette, not a cassette, another schema, an unreadable file: each with its own text.
    fn metadata(&self) -> Result<Metadata, CassetteError>;

    /// Walks over the entries in order, reading no more of each than where and what it is.
    ///
    /// # Errors
    /// An unreadable entry, with file and line; what `visit` returns.
    fn scan(&self, visit: &mut dyn FnMut(Place, Head) -> Result<(), CassetteError>) -> Result<(), CassetteError>;

    /// Reads one entry.
    ///
    /// # Errors
    /// An unreadable entry, with file and line.
    fn entry(&self, place: Place) -> Result<Entry, CassetteError>;

    /// Reads a small document.
    ///
    /// # Errors
    /// A name that is not plain, a missing or unreadable part.
    fn document(&self, part: &str) -> Result<Value, CassetteError>;

    /// Reads the answers of a connection in recorded order; none if it has none.
    ///
    /// # Errors
    /// An unreadable answer, with file and line.
    fn info(&self, connection: ConnectionId) -> Result<Vec<Fields>, CassetteError>;

    /// Opens a rows part.
    ///
    /// # Errors
    /// A name that is not plain, a missing part.
    fn rows(&self, part: &str) -> Result<Box<dyn RowsSource>, CassetteError>;

    /// The names of what stands beside the log.
    ///
    /// # Errors
    /// What the operating system says; something unreadable, with file and line.
    fn contents(&self) -> Result<Contents, CassetteError>;

    /// Where each part stands that is there, whether an entry names it or not; sorted by name.
    ///
    /// # Errors
    /// As for [`Cassette::contents`], but a document or rows are not read.
    fn parts(&self) -> Result<Vec<Part>, CassetteError>;

    /// The file and line of an entry, for reports.
    fn locate(&self, place: Place) -> (PathBuf, u32);

    /// The line of one of an entry's keys, or the entry's own where the keys have none.
    fn line_of(&self, place: Place, _key: &str) -> u32 {
        place.line
    }

    /// The error for what an entry says under a key.
    fn refuse(&self, place: Place, key: &str, problem: &str) -> CassetteError {
        let (file, _) = self.locate(place);
        CassetteError::new(&file, problem).at_line(self.line_of(place, key).into()).at_path(key)
    }

    /// The error for a part that an entry names under a key, and that cannot be read. One that has its own line stays as it is.
    fn refuse_part(&self, place: Place, key: &str, part: &str, error: &CassetteError) -> CassetteError {
        let (file, line) = (self.locate(place).0, self.line_of(place, key).into());
        let refused = match error.kind() {
            ErrorKind::Io(NotFound) => CassetteError::missing(&file, format!("{part} is not there")).advice(RESTORE),
            _ if error.line().is_some() => return error.clone(),
            _ => CassetteError::new(&file, format!("{part} cannot be read: {error}")),
        };
        refused.at_line(line).at_path(key)
    }

    /// Reads one entry that is to be played: it says nothing but what replay understands.
    ///
    /// # Errors
    /// As for [`Cassette::entry`]; an unknown key or word, more rows than there was room for.
    fn checked_entry(&self, place: Place) -> Result<Entry, CassetteError> {
        let entry = self.entry(place)?;
        match check::check(&entry) {
            Ok(()) => Ok(entry),
            Err(wrong) => Err(self.refuse_entry(place, wrong)),
        }
    }

    /// The error for what is wrong with an entry.
    fn refuse_entry(&self, place: Place, wrong: Wrong) -> CassetteError {
        let line = self.line_of(place, &wrong.key);
        wrong.error(&self.locate(place).0, line)
    }

    /// The file of a part, and the line of a key in its n-th item or record, from 0; the part's first line where they cannot be
    /// told apart.
    fn locate_item(&self, part: &str, item: usize, _key: &str) -> (PathBuf, u32) {
        let found = self.parts().ok().and_then(|parts| parts.into_iter().find(|known| known.name == part));
        let line = found.as_ref().and_then(|part| part.lines.get(item).or(part.lines.first()).copied());
        (found.map_or_else(|| self.name().to_owned(), |part| part.file), line.unwrap_or(1))
    }
}

/// What a cassette has beside its log, each list sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The names of its documents.
    pub documents: Vec<String>,
    /// The names of its rows parts.
    pub rows: Vec<String>,
    /// The connections that were told something.
    pub infos: Vec<ConnectionId>,
    /// What a copy of it will not have, or not in the same form: a line each, for people.
    pub notes: Vec<String>,
}

/// A document, rows, or the answers of a connection, and where they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name, as entries have it; of answers the name of their file in a directory.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// The lines of its records, in order; none if it has the file for itself.
    pub lines: Vec<u32>,
    /// Bytes of the longest record, or of the file.
    pub bytes: u64,
}

/// What is known of a run of rows before it ends.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenRun<'r> {
    /// Counts the runs of a recording in the order in which they were opened.
    pub run: u64,
    /// The part in which its rows stand until it ends.
    pub part: &'r str,
    /// Its entry as for a run that ends here, without the number of its rows. Of its outcomes only those that were not noted
    /// before.
    pub entry: Entry,
}

/// A rows part being written, by one thread at a time and without any lock of the cassette.
pub trait RowsPart: Send {
    /// Appends a block of encoded rows.
    ///
    /// # Errors
    /// What the operating system says.
    fn append(&mut self, block: &[u8]) -> Result<(), CassetteError>;

    /// Gives the part another name.
    ///
    /// # Errors
    /// What the operating system says.
    fn rename(&mut self, part: &str) -> Result<(), CassetteError>;
}

/// A rows part being read.
pub trait RowsSource: Send {
    /// The next row's encoded cells; false at the end.
    ///
    /// # Errors
    /// An unreadable row, with file and line.
    fn next(&mut self, row: &mut csv::ByteRecord) -> Result<bool, CassetteError>;

    /// The file the rows stand in.
    fn file(&self) -> &Path;

    /// The line (from 1) of the file in which the row just read stands.
    fn line(&self) -> u64;
}

/// Whether a part's name is plain: it cannot leave the cassette, wherever it comes from.
pub(crate) fn plain(part: &str) -> bool {
    let character = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !part.is_empty() && part.len() <= 200 && part.bytes().all(character) && !part.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn only_plain_names_are_parts() {
        assert!(plain("a_1_fetch_all.csv") && plain("aa_12_fetch_many_2.csv") && plain("a_info.yml"));
        for hostile in ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", ".hidden", "a b", "a\0", "ä.csv"] {
            assert!(!plain(hostile), "{hostile}");
        }
    }
}
