//! A cassette as one append-only file with one JSON object per line: the format `ndjson`,
//! `{directory}/{traceId}.ndjson`.
//!
//! What has a file of its own in the directory format is in records here, under the name of that file.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;

use super::catalogue::{self, Catalogue, Form};
use super::id::TraceId;
use super::line::{self, Line};
use super::record::{RecordWriter, Spans, Stamp};
use super::rows::{GrowingRows, RowsOfTrace, encode_row, read_block};
use super::writing::{self, Writing};
use crate::entry::Head;
use crate::store::interface::{
    Contents, EntryRef, Growing, Member, RowBlock, RowsSource, RowsWriter, Store, only_read, replace_fields,
};
use crate::store::log::LogReader;
use crate::store::recording::Recording;
use crate::store::staging::{staging, unfinished};
use crate::text::is_file_name;
use crate::{CassetteError, ConnectionId, Entry, Fields, Metadata, Row, Value, check, files};

/// A cassette in a trace's file.
///
/// What is recorded grows in a hidden file beside it until it is published. A relative path is resolved against the
/// working directory when this value is made.
pub struct Trace {
    name: Arc<Path>,
    target: PathBuf,
    writer: RecordWriter,
    /// `None` for a cassette that is only read.
    recording: Option<Arc<Mutex<Recording<Writing>>>>,
    reader: LogReader,
    /// What the file has, once it was walked over.
    catalogue: OnceLock<Arc<Catalogue>>,
}

impl Trace {
    /// Makes a reader of the trace with this id in a directory. Whether there is one is found out when it is read.
    ///
    /// # Errors
    /// The path is not that of a directory.
    pub fn read(directory: &Path, id: &TraceId) -> Result<Self, CassetteError> {
        Trace::of(directory, id, &Spans::default())
    }

    /// Returns the file in which a trace is being recorded, or was when its process died, and a reader of it.
    ///
    /// # Errors
    /// The path is not that of a directory.
    pub fn staged(directory: &Path, id: &TraceId) -> Result<(PathBuf, Self), CassetteError> {
        let path = staging(&directory.join(id.file_name()));
        let trace = Trace::of_file(&path, id)?;
        Ok((trace.target.clone(), trace))
    }

    /// Makes a reader of the trace with this id in a file of any name.
    pub(super) fn of_file(path: &Path, id: &TraceId) -> Result<Self, CassetteError> {
        let mut trace = Trace::of(path.parent().unwrap_or(Path::new("")), id, &Spans::default())?;
        trace.target.set_file_name(path.file_name().unwrap_or_default());
        trace.reader = LogReader::of(trace.target.clone());
        trace.name = path.into();
        Ok(trace)
    }

    /// Makes a recording that will be published in a directory. Creates nothing before something is appended.
    ///
    /// # Errors
    /// The path is not that of a directory, the directory holds a cassette of the other format, or the file has records
    /// other than super8's.
    pub fn record(directory: &Path, id: &TraceId, metadata: Metadata, spans: &Spans) -> Result<Self, CassetteError> {
        let mut trace = Trace::of(directory, id, spans)?;
        writing::check_target(&trace.target)?;
        let recording = Recording::new(Writing { writer: trace.writer.clone() }, trace.target.clone(), metadata);
        trace.recording = Some(Arc::new(Mutex::new(recording)));
        Ok(trace)
    }

    fn of(directory: &Path, id: &TraceId, spans: &Spans) -> Result<Self, CassetteError> {
        // the directory of a bare file name is the empty path
        let root = match directory.as_os_str().is_empty() {
            true => std::env::current_dir(),
            false => std::path::absolute(directory),
        };
        let root = root.map_err(|error| CassetteError::io(directory, "find", &error))?;
        let target = root.join(id.file_name());
        Ok(Trace {
            name: directory.join(id.file_name()).into(),
            reader: LogReader::of(target.clone()),
            target,
            writer: RecordWriter { trace: id.as_str().to_owned(), stamp: Stamp::new(spans) },
            recording: None,
            catalogue: OnceLock::new(),
        })
    }

    fn recording(&self) -> Result<&Arc<Mutex<Recording<Writing>>>, CassetteError> {
        self.recording.as_ref().ok_or_else(|| only_read(&self.name))
    }

    /// Returns where the file is now.
    fn path(&self) -> PathBuf {
        self.recording.as_ref().map_or_else(|| self.target.clone(), |recording| recording.lock().root().to_path_buf())
    }

    /// Returns what the file has. Walks over a growing file each time.
    fn catalogue(&self) -> Result<Arc<Catalogue>, CassetteError> {
        match self.catalogue.get() {
            Some(known) => Ok(Arc::clone(known)),
            None => self.walk(&mut |_, _| Ok(())).map(|(catalogue, _)| catalogue),
        }
    }

    /// Walks over the file. Returns what is whole of it, and what is wrong with its last line.
    fn walk(
        &self,
        visit: &mut dyn FnMut(EntryRef, Head) -> Result<(), CassetteError>,
    ) -> Result<(Arc<Catalogue>, Option<CassetteError>), CassetteError> {
        let (catalogue, torn) = Catalogue::walk(&self.path(), visit)?;
        let catalogue = Arc::new(catalogue);
        if self.recording.is_none() {
            let _ = self.catalogue.set(Arc::clone(&catalogue));
        }
        Ok((catalogue, torn))
    }

    /// Reads a record.
    fn record_at<T>(
        &self,
        place: EntryRef,
        read: impl FnOnce(&Line<'_>) -> Result<T, CassetteError>,
    ) -> Result<T, CassetteError> {
        self.bytes_at(place, |bytes, path| read(&Line::read(bytes, path, place.line)?))
    }

    /// Reads a line.
    fn bytes_at<T>(
        &self,
        place: EntryRef,
        read: impl FnOnce(&[u8], &Path) -> Result<T, CassetteError>,
    ) -> Result<T, CassetteError> {
        let bytes = match &self.recording {
            None => self.reader.read(place)?,
            Some(_) => LogReader::of(self.path()).read(place)?,
        };
        read(&bytes, bytes.log())
    }

    fn check(&self, member: &str) -> Result<(), CassetteError> {
        if is_file_name(member) {
            return Ok(());
        }
        let shown: String = member.chars().take(80).flat_map(char::escape_default).collect();
        Err(CassetteError::new(&self.name, format!("`{shown}` is not the name of a file"))
            .advice("a cassette that names a path is not to be trusted"))
    }

    fn absent(&self, member: &str) -> CassetteError {
        CassetteError::missing(&self.name, format!("has no record of {member}")).advice("restore it, or record again")
    }

    /// Makes the error that says why there is no cassette.
    fn missing(&self) -> CassetteError {
        let directory = self.target.parent().unwrap_or(Path::new("/"));
        let staged = staging(&self.target);
        let others = traces(directory);
        let advice = if staged.is_file() {
            unfinished(&staged, &self.name)
        } else if let [first, ..] = &others[..] {
            let count = others.len();
            format!(
                "the directory has {count} other traces ({first}, ...): set SUPER8_TRACE_ID to the one to be played"
            )
        } else {
            "record it first, or correct the name of its directory or SUPER8_TRACE_ID".to_owned()
        };
        CassetteError::new(&self.name, "there is no cassette here").advice(advice)
    }
}

/// Returns the ids of the traces in a directory, sorted; none if the directory cannot be read.
pub fn traces(directory: &Path) -> Vec<TraceId> {
    let names = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut ids: Vec<TraceId> = names.filter_map(|name| TraceId::of_file(name.to_str()?)).collect();
    ids.sort();
    ids
}

impl Store for Trace {
    fn name(&self) -> &Path {
        &self.name
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let directory = self.name.parent().unwrap_or(Path::new("")).display().to_string();
        let format = ("SUPER8_FORMAT", "ndjson".to_owned());
        vec![format, ("SUPER8_CASSETTE", directory), ("SUPER8_TRACE_ID", self.writer.trace.clone())]
    }

    fn encode(&self, entry: &Entry, out: &mut Vec<u8>) {
        self.writer.entry(entry, out);
    }

    fn encode_row(&self, row: &Row, block: &mut RowBlock) {
        encode_row(row, block);
    }

    fn replace_fields(&self, block: &mut RowBlock, replaced: &dyn Fn(usize, &[u8]) -> Option<String>) {
        *block = replace_fields(self, replaced, read_block(block));
    }

    fn growing(&self) -> Result<&Mutex<dyn Growing>, CassetteError> {
        self.recording().map(|recording| &**recording as _)
    }

    fn append_info(&self, connection: ConnectionId, answer: &Fields) -> Result<(), CassetteError> {
        let mut record = Vec::with_capacity(512);
        self.writer.info(connection, answer, &mut record);
        self.append(&record)
    }

    fn put(&self, member: &str, document: &Value) -> Result<(), CassetteError> {
        self.check(member)?;
        let mut record = Vec::with_capacity(2048);
        self.writer.document(member, document, &mut record);
        self.append(&record)
    }

    fn rows_writer(&self, member: &str) -> Result<Box<dyn RowsWriter>, CassetteError> {
        self.check(member)?;
        let (recording, writer) = (Arc::clone(self.recording()?), self.writer.clone());
        Ok(Box::new(GrowingRows { recording, writer, member: member.to_owned(), begun: false }))
    }

    fn metadata(&self) -> Result<Metadata, CassetteError> {
        match files::open(&self.path()) {
            Ok(file) => catalogue::metadata(&self.name, file),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Err(self.missing())
            }
            Err(error) => Err(CassetteError::io(&self.name, "open", &error)),
        }
    }

    fn scan(&self, visit: &mut dyn FnMut(EntryRef, Head) -> Result<(), CassetteError>) -> Result<(), CassetteError> {
        match self.walk(visit)? {
            (_, None) => Ok(()),
            (_, Some(torn)) => Err(torn),
        }
    }

    fn entry(&self, place: EntryRef) -> Result<Entry, CassetteError> {
        self.bytes_at(place, |bytes, path| line::entry(bytes, path, place.line))
    }

    fn document(&self, member: &str) -> Result<Value, CassetteError> {
        self.check(member)?;
        let place = self.catalogue()?.documents.get(member).copied().ok_or_else(|| self.absent(member))?;
        self.record_at(place, |line| line.document())
    }

    fn info(&self, connection: ConnectionId) -> Result<Vec<Fields>, CassetteError> {
        let catalogue = self.catalogue()?;
        let places = catalogue.infos.get(&connection).into_iter().flatten();
        let mut bytes = 0;
        let read = |place: &EntryRef| {
            bytes += u64::from(place.len);
            if bytes > files::LARGEST {
                let problem = format!("the answers about a connection have more than {} bytes", files::LARGEST);
                return Err(CassetteError::new(&self.name, problem).at_line(place.line.into()));
            }
            let answer = self.record_at(*place, |line| line.answer())?;
            check::check_answer(&answer).map_err(|wrong| wrong.error(&self.name, place.line))?;
            Ok(answer)
        };
        places.map(read).collect()
    }

    fn rows(&self, member: &str) -> Result<Box<dyn RowsSource>, CassetteError> {
        self.check(member)?;
        let records = self.catalogue()?.rows.get(member).cloned().ok_or_else(|| self.absent(member))?;
        Ok(Box::new(RowsOfTrace::open(&self.path(), records)?))
    }

    fn contents(&self) -> Result<Contents, CassetteError> {
        let catalogue = self.catalogue()?;
        let mut contents = Contents {
            documents: catalogue.documents.keys().cloned().collect(),
            rows: catalogue.rows.keys().cloned().collect(),
            infos: catalogue.infos.keys().copied().collect(),
            notes: Vec::new(),
        };
        contents.documents.sort_unstable();
        contents.rows.sort_unstable();
        let Form { edited, spans } = catalogue::form(&self.path(), &self.writer)?;
        for (count, what) in [
            (catalogue.foreign, "records of other protocols are left out: they are not ODBC's"),
            (spans, "records have span ids and times, which are left out"),
            (edited, "records were edited: what they say is kept, their form and keys that are not super8's are not"),
        ] {
            if count > 0 {
                contents.notes.push(format!("{count} {what}"));
            }
        }
        Ok(contents)
    }

    fn members(&self) -> Result<Vec<Member>, CassetteError> {
        Ok(self.catalogue()?.members(&self.name))
    }

    fn locate(&self, place: EntryRef) -> (Arc<Path>, u32) {
        (Arc::clone(&self.name), place.line)
    }
}
