//! The interface in front of the two formats of a cassette. It knows nothing of modes and nothing of ODBC.

use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::check::{self, Wrong};
use crate::entry::Head;
use crate::inline::{InlineRow, LastTypes};
use crate::{CassetteError, ConnectionId, Entry, ErrorKind, Fields, Key, Metadata, Row, Value, files};

const RESTORE: &str = "restore it, or record again";

/// The place of an entry in the log. Only the store that returned it can read the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryRef {
    /// The offset from the start of the log, in bytes.
    pub offset: u64,
    /// The length of the entry, in bytes.
    pub len: u32,
    /// The line on which it begins, from 1.
    pub line: u32,
}

/// Stores a cassette: entries in order, small documents and rows by name, answers by connection.
///
/// The names of members are plain: letters, digits, `_`, `-` and `.`, as in `a_1_columns.yml`. A store may keep members as
/// files or in another way. Callers must serialize appends, except to rows members, which are independent.
pub trait Store: Send + Sync {
    /// Returns the cassette's name as the user gave it, for messages.
    fn name(&self) -> &Path;

    /// Returns the variables, with values, that name the cassette to a program.
    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![("SUPER8_CASSETTE", self.name().display().to_string())]
    }

    /// Encodes an entry as it will stand in the log. Changes nothing, so it needs no lock.
    fn encode(&self, entry: &Entry, out: &mut Vec<u8>);

    /// Encodes a row as it will stand in a rows member. Changes nothing, so it needs no lock.
    fn encode_row(&self, row: &Row, block: &mut RowBlock);

    /// Replaces fields in rows that are encoded already. `replaced` gets a column, from 0, and its field.
    fn replace_fields(&self, block: &mut RowBlock, replaced: &dyn Fn(usize, &[u8]) -> Option<String>);

    /// Returns the side that grows.
    ///
    /// # Errors
    /// The store was opened to be read.
    fn growing(&self) -> Result<&Mutex<dyn Growing>, CassetteError>;

    /// Creates the file for the answers of a connection, which the entry of its connect is about to name.
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
    fn put(&self, member: &str, document: &Value) -> Result<(), CassetteError>;

    /// Opens a new rows member. Nothing is stored before its first block.
    ///
    /// # Errors
    /// As for [`Store::append`].
    fn rows_writer(&self, member: &str) -> Result<Box<dyn RowsWriter>, CassetteError>;

    /// Does the same as [`Growing::begin`].
    ///
    /// # Errors
    /// As there, and if the store was opened to be read.
    fn begin(&self) -> Result<(), CassetteError> {
        self.growing()?.lock().begin()
    }

    /// Does the same as [`Growing::reserve`].
    ///
    /// # Errors
    /// As there, and if the store was opened to be read.
    fn reserve(&self, bytes: usize) -> Result<(), CassetteError> {
        self.growing()?.lock().reserve(bytes)
    }

    /// Does the same as [`Growing::append`].
    ///
    /// # Errors
    /// As there, and if the store was opened to be read.
    fn append(&self, encoded: &[u8]) -> Result<(), CassetteError> {
        self.growing()?.lock().append(encoded)
    }

    /// Does the same as [`Growing::note_rows`].
    ///
    /// # Errors
    /// As there, and if the store was opened to be read.
    fn note_rows(&self, open: &OpenRun<'_>) -> Result<(), CassetteError> {
        self.growing()?.lock().note_rows(open)
    }

    /// Does the same as [`Growing::give_back`].
    ///
    /// # Errors
    /// As there, and if the store was opened to be read.
    fn give_back(&self) -> Result<(), CassetteError> {
        self.growing()?.lock().give_back()
    }

    /// Does the same as [`Growing::complete`].
    ///
    /// # Errors
    /// As there, and if the store was opened to be read.
    fn complete(&self) -> Result<(), CassetteError> {
        self.growing()?.lock().complete()
    }

    /// Does the same as [`Growing::publish`].
    ///
    /// # Errors
    /// As there, and if the store was opened to be read.
    fn publish(&self) -> Result<(), CassetteError> {
        self.growing()?.lock().publish()
    }

    /// Does the same as [`Growing::discard`].
    ///
    /// # Errors
    /// As there, and if the store was opened to be read.
    fn discard(&self, keep: Option<&Path>) -> Result<(), CassetteError> {
        self.growing()?.lock().discard(keep)
    }

    /// As for [`Growing::withdraw`].
    ///
    /// # Errors
    /// As there; a store that was opened to be read.
    fn withdraw(&self) -> Result<bool, CassetteError> {
        self.growing()?.lock().withdraw()
    }

    /// The metadata.
    ///
    /// # Errors
    /// There is no cassette, it is not a cassette, its schema is another one, or a file is unreadable. Each case has its own text.
    fn metadata(&self) -> Result<Metadata, CassetteError>;

    /// Walks over the entries in order. Reads of each no more than where it is and what it is.
    ///
    /// # Errors
    /// An entry is unreadable (with file and line), or `visit` returns an error.
    fn scan(&self, visit: &mut dyn FnMut(EntryRef, Head) -> Result<(), CassetteError>) -> Result<(), CassetteError>;

    /// Walks over statements that are in no log and are served as answers: what a plain driver knows, for a cassette written by hand.
    ///
    /// # Errors
    /// `visit` returns an error.
    fn scan_plain(
        &self,
        _visit: &mut dyn FnMut(EntryRef, Head) -> Result<(), CassetteError>,
    ) -> Result<(), CassetteError> {
        Ok(())
    }

    /// Reads one entry.
    ///
    /// # Errors
    /// The entry is unreadable, with file and line.
    fn entry(&self, place: EntryRef) -> Result<Entry, CassetteError>;

    /// Reads a small document.
    ///
    /// # Errors
    /// The name is not plain, or the member is missing or unreadable.
    fn document(&self, member: &str) -> Result<Value, CassetteError>;

    /// Reads the answers of a connection in recorded order, if it has any.
    ///
    /// # Errors
    /// An answer is unreadable, with file and line.
    fn info(&self, connection: ConnectionId) -> Result<Vec<Fields>, CassetteError>;

    /// Says whether the answers of a connection have a file. In a trace they need none.
    fn has_info(&self, _connection: ConnectionId) -> bool {
        true
    }

    /// Opens a rows member.
    ///
    /// # Errors
    /// The name is not plain, or the member is missing.
    fn rows(&self, member: &str) -> Result<Box<dyn RowsSource>, CassetteError>;

    /// Returns the names of what the cassette has beside the log.
    ///
    /// # Errors
    /// An error of the operating system, or something is unreadable, with file and line.
    fn contents(&self) -> Result<Contents, CassetteError>;

    /// Returns where each existing member stands, whether an entry names it or not; sorted by name.
    ///
    /// # Errors
    /// As for [`Store::contents`], except that documents and rows are not read.
    fn members(&self) -> Result<Vec<Member>, CassetteError>;

    /// Returns the file and line of an entry, for reports.
    fn locate(&self, place: EntryRef) -> (Arc<Path>, u32);

    /// Says whether the log that has an entry has this text anywhere: as a key, or in a value.
    ///
    /// # Errors
    /// An error of the operating system.
    fn log_mentions(&self, place: EntryRef, text: &str) -> Result<bool, CassetteError> {
        let (log, _) = self.locate(place);
        let found = files::open(&log).and_then(|mut file| files::mentions(&mut file, text.as_bytes()));
        found.map_err(|error| CassetteError::io(&log, "read", &error))
    }

    /// Returns the line of one of an entry's keys, or that of the entry where keys have no lines of their own.
    fn line_of(&self, place: EntryRef, _key: &str) -> u32 {
        place.line
    }

    /// Makes the error for what an entry says under a key.
    fn refuse(&self, place: EntryRef, key: &str, problem: &str) -> CassetteError {
        let (file, _) = self.locate(place);
        CassetteError::new(&file, problem).at_line(self.line_of(place, key).into()).at_path(key)
    }

    /// Makes the error for a member that an entry names under a key and that cannot be read. An error that has a line
    /// already stays as it is.
    fn refuse_member(&self, place: EntryRef, key: &str, member: &str, error: &CassetteError) -> CassetteError {
        let (file, line) = (self.locate(place).0, self.line_of(place, key).into());
        let refused = match error.kind() {
            ErrorKind::Io(NotFound) => CassetteError::missing(&file, format!("{member} is not there")).advice(RESTORE),
            _ if error.line().is_some() => return error.clone(),
            _ => CassetteError::new(&file, format!("{member} cannot be read: {error}")),
        };
        refused.at_line(line).at_path(key)
    }

    /// Reads one entry that will be played, and checks that it says only what replay understands.
    ///
    /// # Errors
    /// As for [`Store::entry`], and for an unknown key or word, or more rows than there was room for.
    fn checked_entry(&self, place: EntryRef) -> Result<Entry, CassetteError> {
        let entry = self.entry(place)?;
        match check::check(&entry) {
            Ok(()) => Ok(entry),
            Err(wrong) => Err(self.refuse_entry(place, wrong)),
        }
    }

    /// Returns what a command's entry says beyond what is asked, if its bytes begin with what is asked as a recording
    /// writes that. So neither of the two has to be built to be compared. `None` does not mean that they differ: the
    /// entry may say the same in other bytes.
    fn reply(&self, _place: EntryRef, _asked: &Entry) -> Option<Entry> {
        None
    }

    /// Returns the row of a fetch's entry that says nothing else. `None` does not mean that it has none: read the entry then.
    fn inline_row(&self, _place: EntryRef, _last: &mut LastTypes) -> Option<InlineRow> {
        None
    }

    /// Makes the error for what is wrong with an entry.
    fn refuse_entry(&self, place: EntryRef, wrong: Wrong) -> CassetteError {
        let line = self.line_of(place, &wrong.key);
        wrong.error(&self.locate(place).0, line)
    }

    /// Returns the file of a member, and the line of a key in its n-th item or record, from 0. Returns the member's first
    /// line where items cannot be told apart.
    fn locate_item(&self, member: &str, item: usize, _key: &str) -> (PathBuf, u32) {
        let found = self.members().ok().and_then(|members| members.into_iter().find(|known| known.name == member));
        let line = found.as_ref().and_then(|member| member.lines.get(item).or(member.lines.first()).copied());
        (found.map_or_else(|| self.name().to_owned(), |member| member.file), line.unwrap_or(1))
    }
}

/// Makes the error for a call of the growing side of a store that was opened to be read.
pub(super) fn only_read(name: &Path) -> CassetteError {
    CassetteError::new(name, "the cassette was opened to be read, not to be written").advice("open it to record")
}

/// What a cassette has beside its log. Each list is sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The names of its documents.
    pub documents: Vec<String>,
    /// The names of its rows members.
    pub rows: Vec<String>,
    /// The connections about which answers were recorded.
    pub infos: Vec<ConnectionId>,
    /// What a copy of it will lack or have in another form: one line each, for people.
    pub notes: Vec<String>,
}

/// A document, rows, or the answers of a connection, and where they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name as entries have it; for answers the name of their file in a directory.
    pub name: String,
    /// The file.
    pub file: PathBuf,
    /// The lines of its records in order, followed by those that gave it its name; empty if it has the file for itself.
    pub lines: Vec<u32>,
    /// The size in bytes of its longest record, or of its file.
    pub bytes: u64,
}

/// What is known of a run of rows before it ends.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenRun<'r> {
    /// The number of the run, counted over the recording in the order in which runs were opened.
    pub run: u64,
    /// The member that holds its rows until it ends.
    pub member: &'r str,
    /// The entry that the run would have if it ended here, without the number of its rows. It has only the outcomes
    /// that were not noted before.
    pub entry: Entry,
}

/// The side of a store that grows: a recording under way.
pub trait Growing: Send {
    /// Creates the cassette, or checks whether it is still where it was.
    ///
    /// # Errors
    /// As for [`Growing::append`].
    fn begin(&mut self) -> Result<(), CassetteError>;

    /// Sets room aside for this many bytes of encoded entries, before what they record happens. Appending them then
    /// does not fail for lack of room.
    ///
    /// # Errors
    /// As for [`Growing::append`].
    fn reserve(&mut self, bytes: usize) -> Result<(), CassetteError>;

    /// Appends encoded entries to the log. Once this has returned, they survive the process. The first append creates
    /// the cassette if [`Growing::begin`] has not.
    ///
    /// # Errors
    /// An error of the operating system, the target is no cassette, or another process records it.
    fn append(&mut self, encoded: &[u8]) -> Result<(), CassetteError>;

    /// Notes which entry the rows of a member will belong to, before a block of them is appended. From this note the
    /// entry can be made if the process is killed before the fetching ends.
    ///
    /// # Errors
    /// As for [`Growing::append`].
    fn note_rows(&mut self, open: &OpenRun<'_>) -> Result<(), CassetteError>;

    /// Gives back the room that was set aside and not used.
    ///
    /// # Errors
    /// As for [`Growing::append`].
    fn give_back(&mut self) -> Result<(), CassetteError>;

    /// Marks everything stored so far as complete, where it is. More may be appended later; from then until the next
    /// call the cassette counts as incomplete.
    ///
    /// # Errors
    /// As for [`Growing::append`].
    fn complete(&mut self) -> Result<(), CassetteError>;

    /// Completes the recording and publishes it under its name.
    ///
    /// # Errors
    /// As for [`Growing::append`].
    fn publish(&mut self) -> Result<(), CassetteError>;

    /// Gives the recording up. What was published stays. What was not is moved to the directory `keep`, or removed.
    /// Whatever is appended later is dropped.
    ///
    /// # Errors
    /// An error of the operating system. The recording is given up all the same.
    fn discard(&mut self, keep: Option<&Path>) -> Result<(), CassetteError>;

    /// Gives the recording up, because of what it says; false if it stands in its place already, where it stays.
    ///
    /// # Errors
    /// As for [`Growing::discard`].
    fn withdraw(&mut self) -> Result<bool, CassetteError>;
}

/// Rows on their way to a member, in the form of their store.
#[derive(Clone, Debug, Default)]
pub struct RowBlock {
    pub(super) bytes: Vec<u8>,
    /// The size in bytes that the rows have in a rows file, whatever their form. So both formats write blocks at the same rows.
    pub(super) size: usize,
    /// Where records end in `bytes`; `record` is the size of the rows since then. A rows file has no records.
    pub(super) records: Vec<usize>,
    pub(super) record: usize,
}

impl RowBlock {
    /// Rows go to their member when they have this many bytes.
    pub(super) const SIZE: usize = 64 * 1024;

    /// Says whether it is time to append the rows to their member.
    pub fn is_full(&self) -> bool {
        self.size >= RowBlock::SIZE
    }

    /// Says whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns the encoded rows.
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

/// A rows member being written, by one thread at a time and without any lock of the cassette.
pub trait RowsWriter: Send {
    /// Appends a block of rows.
    ///
    /// # Errors
    /// An error of the operating system.
    fn append(&mut self, block: &RowBlock) -> Result<(), CassetteError>;

    /// Renames the member.
    ///
    /// # Errors
    /// An error of the operating system.
    fn rename(&mut self, member: &str) -> Result<(), CassetteError>;
}

/// A rows member being read.
pub trait RowsSource: Send {
    /// Reads the next row's encoded cells into `row`. Returns false at the end.
    ///
    /// # Errors
    /// A row is unreadable, with file and line.
    fn next(&mut self, row: &mut csv::ByteRecord) -> Result<bool, CassetteError>;

    /// Returns whether every cell of the row that was read last is UTF-8.
    fn is_utf8(&self) -> bool;

    /// Returns the file that has the rows.
    fn file(&self) -> &Path;

    /// Returns the line (from 1) of the row that was read last.
    fn line(&self) -> u64;
}

/// Encodes the rows that `next` reads into a new block, with some fields replaced.
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

/// Returns the name of the member with the answers of a connection.
pub fn info_member(connection: ConnectionId) -> String {
    format!("{connection}_info.yml")
}

/// Returns the connection whose answers a member of this name has.
pub(crate) fn info_owner(member: &str) -> Option<ConnectionId> {
    member.strip_suffix("_info.yml")?.parse().ok()
}

/// Returns the connection whose answers are in the file that a connect's entry names.
///
/// # Errors
/// The name is not that of such a file, or the file does not exist.
pub fn info_file(store: &dyn Store, place: EntryRef, name: &str) -> Result<ConnectionId, CassetteError> {
    let key = Key::InfoFile.name();
    let Some(connection) = info_owner(name) else {
        let problem = format!("`{name}` is not the name of a file with the answers about a connection");
        return Err(store.refuse(place, key, &problem).advice("name one like a_info.yml, or remove this line"));
    };
    match store.has_info(connection) {
        true => Ok(connection),
        false => {
            let missing = CassetteError::io(Path::new(name), "open", &std::io::Error::from(NotFound));
            Err(store.refuse_member(place, key, name, &missing))
        }
    }
}
