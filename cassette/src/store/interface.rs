//! The interface in front of the formats of a cassette. It knows nothing of modes and nothing of ODBC.

use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::check::{self, Wrong};
use crate::entry::Head;
use crate::{CassetteError, ConnectionId, Entry, ErrorKind, Fields, Key, Metadata, Row, Value};

const RESTORE: &str = "restore it, or record again";

/// Where an entry stands in the log; only the storage that gave it can read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryRef {
    /// Bytes from the start of the log.
    pub offset: u64,
    /// Bytes of the entry.
    pub len: u32,
    /// The line it begins on, from 1.
    pub line: u32,
}

/// The storage of a cassette: entries in order, small documents and rows by name, answers by connection.
///
/// The names of parts are plain: letters, digits, `_`, `-` and `.`, as in `a_1_columns.yml`. An implementation may keep
/// them as files or otherwise. Appending is serialized by the caller, except for rows parts, which are on their own.
pub trait Store: Send + Sync {
    /// The cassette's name as the user gave it, for messages.
    fn name(&self) -> &Path;

    /// The variables that name the cassette to a program, with their values.
    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![("SUPER8_CASSETTE", self.name().display().to_string())]
    }

    /// Encodes an entry as it will stand in the log. Touches nothing, so it needs no lock.
    fn encode(&self, entry: &Entry, out: &mut Vec<u8>);

    /// Encodes a row as it will stand in a rows part. Touches nothing, so it needs no lock.
    fn encode_row(&self, row: &Row, block: &mut RowBlock);

    /// Puts other fields in the place of some in rows that are encoded. `replaced` gets a column, from 0, and its field.
    fn replace_fields(&self, block: &mut RowBlock, replaced: &dyn Fn(usize, &[u8]) -> Option<String>);

    /// The side that grows.
    ///
    /// # Errors
    /// A store that was opened to be read.
    fn growing(&self) -> Result<&Mutex<dyn Growing>, CassetteError>;

    /// Makes the file for the answers of a connection, which the entry of its connect is about to name.
    ///
    /// # Errors
    /// As for [`Store::append`].
    fn begin_info(&self, _connection: ConnectionId) -> Result<(), CassetteError> {
        Ok(())
    }

    /// Appends an answer to those of a connection.
    ///
    /// # Errors
    /// As for [`Store::append`].
    fn append_info(&self, connection: ConnectionId, answer: &Fields) -> Result<(), CassetteError>;

    /// Stores a small document.
    ///
    /// # Errors
    /// As for [`Store::append`].
    fn put(&self, part: &str, document: &Value) -> Result<(), CassetteError>;

    /// A new rows part. Nothing is stored before its first block.
    ///
    /// # Errors
    /// As for [`Store::append`].
    fn rows_part(&self, part: &str) -> Result<Box<dyn RowsPart>, CassetteError>;

    /// As for [`Growing::begin`].
    ///
    /// # Errors
    /// As there; a store that was opened to be read.
    fn begin(&self) -> Result<(), CassetteError> {
        self.growing()?.lock().begin()
    }

    /// As for [`Growing::reserve`].
    ///
    /// # Errors
    /// As there; a store that was opened to be read.
    fn reserve(&self, bytes: usize) -> Result<(), CassetteError> {
        self.growing()?.lock().reserve(bytes)
    }

    /// As for [`Growing::append`].
    ///
    /// # Errors
    /// As there; a store that was opened to be read.
    fn append(&self, encoded: &[u8]) -> Result<(), CassetteError> {
        self.growing()?.lock().append(encoded)
    }

    /// As for [`Growing::note_rows`].
    ///
    /// # Errors
    /// As there; a store that was opened to be read.
    fn note_rows(&self, open: &OpenRun<'_>) -> Result<(), CassetteError> {
        self.growing()?.lock().note_rows(open)
    }

    /// As for [`Growing::give_back`].
    ///
    /// # Errors
    /// As there; a store that was opened to be read.
    fn give_back(&self) -> Result<(), CassetteError> {
        self.growing()?.lock().give_back()
    }

    /// As for [`Growing::complete`].
    ///
    /// # Errors
    /// As there; a store that was opened to be read.
    fn complete(&self) -> Result<(), CassetteError> {
        self.growing()?.lock().complete()
    }

    /// As for [`Growing::publish`].
    ///
    /// # Errors
    /// As there; a store that was opened to be read.
    fn publish(&self) -> Result<(), CassetteError> {
        self.growing()?.lock().publish()
    }

    /// As for [`Growing::discard`].
    ///
    /// # Errors
    /// As there; a store that was opened to be read.
    fn discard(&self, keep: Option<&Path>) -> Result<(), CassetteError> {
        self.growing()?.lock().discard(keep)
    }

    /// The metadata.
    ///
    /// # Errors
    /// No cassette, not a cassette, another schema, an unreadable file: each with its own text.
    fn metadata(&self) -> Result<Metadata, CassetteError>;

    /// Walks over the entries in order, reading no more of each than where and what it is.
    ///
    /// # Errors
    /// An unreadable entry, with file and line; what `visit` returns.
    fn scan(&self, visit: &mut dyn FnMut(EntryRef, Head) -> Result<(), CassetteError>) -> Result<(), CassetteError>;

    /// The same for statements that stand in no log and are served as answers: what a plain driver knows, of a cassette made by hand.
    ///
    /// # Errors
    /// What `visit` returns.
    fn scan_plain(
        &self,
        _visit: &mut dyn FnMut(EntryRef, Head) -> Result<(), CassetteError>,
    ) -> Result<(), CassetteError> {
        Ok(())
    }

    /// Reads one entry.
    ///
    /// # Errors
    /// An unreadable entry, with file and line.
    fn entry(&self, place: EntryRef) -> Result<Entry, CassetteError>;

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

    /// Whether the answers of a connection have a file. Those in a trace need none.
    fn has_info(&self, _connection: ConnectionId) -> bool {
        true
    }

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
    /// As for [`Store::contents`], but a document or rows are not read.
    fn parts(&self) -> Result<Vec<Part>, CassetteError>;

    /// The file and line of an entry, for reports.
    fn locate(&self, place: EntryRef) -> (Arc<Path>, u32);

    /// The line of one of an entry's keys, or the entry's own where the keys have none.
    fn line_of(&self, place: EntryRef, _key: &str) -> u32 {
        place.line
    }

    /// The error for what an entry says under a key.
    fn refuse(&self, place: EntryRef, key: &str, problem: &str) -> CassetteError {
        let (file, _) = self.locate(place);
        CassetteError::new(&file, problem).at_line(self.line_of(place, key).into()).at_path(key)
    }

    /// The error for a part that an entry names under a key, and that cannot be read. One that has its own line stays as it is.
    fn refuse_part(&self, place: EntryRef, key: &str, part: &str, error: &CassetteError) -> CassetteError {
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
    /// As for [`Store::entry`]; an unknown key or word, more rows than there was room for.
    fn checked_entry(&self, place: EntryRef) -> Result<Entry, CassetteError> {
        let entry = self.entry(place)?;
        match check::check(&entry) {
            Ok(()) => Ok(entry),
            Err(wrong) => Err(self.refuse_entry(place, wrong)),
        }
    }

    /// What a command's entry says beyond what is asked, if its bytes begin with what is asked as a recording writes that. So neither has
    /// to be built to be compared. `None` does not say that they differ: the entry may say the same in other bytes.
    fn reply(&self, _place: EntryRef, _asked: &Entry) -> Option<Entry> {
        None
    }

    /// The error for what is wrong with an entry.
    fn refuse_entry(&self, place: EntryRef, wrong: Wrong) -> CassetteError {
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

/// The error for a store that grows and was opened to be read.
pub(super) fn only_read(name: &Path) -> CassetteError {
    CassetteError::new(name, "the cassette was opened to be read, not to be written").advice("open it to record")
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
    /// The lines of its records, in order, and then of those that gave it its name; none if it has the file for itself.
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

/// The side of a store that grows: a recording under way.
pub trait Growing: Send {
    /// Brings the cassette into being, or looks whether it is still where it was.
    ///
    /// # Errors
    /// As for [`Growing::append`].
    fn begin(&mut self) -> Result<(), CassetteError>;

    /// Sets room aside for so many bytes of encoded entries, before what they tell of happens. Appending them does not fail
    /// for want of room then.
    ///
    /// # Errors
    /// As for [`Growing::append`].
    fn reserve(&mut self, bytes: usize) -> Result<(), CassetteError>;

    /// Appends encoded entries to the log. They survive the process once this has returned. The first append brings the
    /// cassette into being if [`Growing::begin`] did not.
    ///
    /// # Errors
    /// What the operating system says; a target that is no cassette; another process that records it.
    fn append(&mut self, encoded: &[u8]) -> Result<(), CassetteError>;

    /// Notes which entry the rows of a part will belong to, of which a block is about to be appended: what is needed to make
    /// that entry if this process is killed before the fetching ends.
    ///
    /// # Errors
    /// As for [`Growing::append`].
    fn note_rows(&mut self, open: &OpenRun<'_>) -> Result<(), CassetteError>;

    /// Gives back the room that was set aside and not used.
    ///
    /// # Errors
    /// As for [`Growing::append`].
    fn give_back(&mut self) -> Result<(), CassetteError>;

    /// Marks everything stored so far as complete, where it is. More may be appended later; the cassette counts as
    /// incomplete from then until the next call.
    ///
    /// # Errors
    /// As for [`Growing::append`].
    fn complete(&mut self) -> Result<(), CassetteError>;

    /// The same, and makes it the cassette under its name.
    ///
    /// # Errors
    /// As for [`Growing::append`].
    fn publish(&mut self) -> Result<(), CassetteError>;

    /// Gives the recording up. What was published stays; what was not goes to the directory `keep`, or away. What is appended later
    /// goes nowhere.
    ///
    /// # Errors
    /// What the operating system says. It is given up all the same.
    fn discard(&mut self, keep: Option<&Path>) -> Result<(), CassetteError>;
}

/// Rows on their way to a part, in the form of their store.
#[derive(Clone, Debug, Default)]
pub struct RowBlock {
    pub(super) bytes: Vec<u8>,
    /// Bytes that the rows have in a rows file, in whatever form they are: both formats write at the same rows.
    pub(super) size: usize,
    /// Where records end in `bytes`, and what the rows since then count. A rows file has no records.
    pub(super) records: Vec<usize>,
    pub(super) record: usize,
}

impl RowBlock {
    /// Rows go to their part when they have this many bytes.
    pub(super) const SIZE: usize = 64 * 1024;

    /// Whether it is time to append the rows to their part.
    pub fn is_full(&self) -> bool {
        self.size >= RowBlock::SIZE
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The rows as they are encoded.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets the rows and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.records.clear();
        (self.size, self.record) = (0, 0);
    }
}

/// A rows part being written, by one thread at a time and without any lock of the cassette.
pub trait RowsPart: Send {
    /// Appends a block of rows.
    ///
    /// # Errors
    /// What the operating system says.
    fn append(&mut self, block: &RowBlock) -> Result<(), CassetteError>;

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

/// A block of the rows that `next` gives, with other fields in the place of some.
pub(super) fn replace_fields(
    store: &dyn Store,
    replaced: &dyn Fn(usize, &[u8]) -> Option<String>,
    mut next: impl FnMut(&mut csv::ByteRecord) -> bool,
) -> RowBlock {
    let (mut record, mut row, mut block) = (csv::ByteRecord::new(), Row::new(), RowBlock::default());
    while next(&mut record) {
        row.clear();
        for (column, field) in record.iter().enumerate() {
            match replaced(column, field) {
                Some(other) => row.push_field(other.as_bytes()),
                None => row.push_field(field),
            }
        }
        store.encode_row(&row, &mut block);
    }
    block
}

/// The name of the part with the answers of a connection.
pub(crate) fn info_part(connection: ConnectionId) -> String {
    format!("{connection}_info.yml")
}

/// The connection whose answers a part of this name has.
pub(crate) fn info_owner(part: &str) -> Option<ConnectionId> {
    part.strip_suffix("_info.yml")?.parse().ok()
}

/// The connection whose answers are in the file that a connect's entry names.
///
/// # Errors
/// A name that no such file has; a file that is not there.
pub fn info_file(storage: &dyn Store, place: EntryRef, name: &str) -> Result<ConnectionId, CassetteError> {
    let key = Key::InfoFile.name();
    let Some(connection) = info_owner(name) else {
        let problem = format!("`{name}` is not the name of a file with the answers about a connection");
        return Err(storage.refuse(place, key, &problem).advice("name one like a_info.yml, or remove this line"));
    };
    match storage.has_info(connection) {
        true => Ok(connection),
        false => {
            let missing = CassetteError::io(Path::new(name), "open", &std::io::Error::from(NotFound));
            Err(storage.refuse_part(place, key, name, &missing))
        }
    }
}

/// Whether a part's name is plain: it cannot leave the cassette, wherever it comes from.
pub(super) fn plain(part: &str) -> bool {
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
