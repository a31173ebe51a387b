//! Finds out what the name of a cassette stands for, given only a path: its format, whether it is whole, and the parts
//! of further processes.
//!
//! In a cassette of several processes each further process has a part, a cassette by itself, in the directory
//! `NAME.parts` beside the cassette `NAME` of the first. The recording of a test that failed is in `NAME.failed`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::by_hand::ByHand;
use super::directory::{self, Directory, is_by_hand, is_cassette};
use super::interface::Store;
use super::log::{MakeAppend, WriteAppend};
use super::ndjson::{self, Spans, Trace, TraceId, TraceIdError, traces};
use super::recover::Recovered;
use super::staging::staging;
use crate::schema::Class;
use crate::{CassetteError, Entry, Metadata};

/// The formats that a cassette may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// A directory of YAML and CSV files.
    #[default]
    Yaml,
    /// A file of JSON records for each trace.
    Ndjson,
}

impl Format {
    /// Returns the name that `SUPER8_FORMAT` uses.
    pub const fn name(self) -> &'static str {
        match self {
            Format::Yaml => "yaml",
            Format::Ndjson => "ndjson",
        }
    }

    /// Returns the format with this name.
    pub fn from_name(name: &str) -> Option<Format> {
        [Format::Yaml, Format::Ndjson].into_iter().find(|format| format.name() == name)
    }

    /// Returns the format of the cassette in a directory; `None` if it holds none.
    pub fn of(directory: &Path) -> Option<Format> {
        if is_cassette(directory) {
            return Some(Format::Yaml);
        }
        (!traces(directory).is_empty()).then_some(Format::Ndjson)
    }
}

impl TraceId {
    /// Returns the default id of a trace: the name of its directory.
    ///
    /// # Errors
    /// The name of the directory is no trace id.
    pub fn of_directory(directory: &Path) -> Result<TraceId, TraceIdError> {
        let absolute = std::path::absolute(directory).unwrap_or_default();
        TraceId::new(&absolute.file_name().unwrap_or_default().to_string_lossy())
    }
}

/// Creates a cassette to be written: a trace if the path ends with `.ndjson`, a directory otherwise.
///
/// # Errors
/// The name is no trace id, or the place holds something else.
pub fn create(path: &Path, metadata: Metadata) -> Result<Box<dyn Store>, CassetteError> {
    // only publishing may say that it is complete
    let metadata = Metadata { complete: false, ..metadata };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some(id) = name.strip_suffix(".ndjson") else {
        let append: MakeAppend = Arc::new(|file| Ok(Box::new(WriteAppend::new(file))));
        return Ok(Box::new(Directory::record(path, metadata, append)?));
    };
    let id = TraceId::new(id).map_err(|error| CassetteError::new(path, error.to_string()))?;
    let directory = path.parent().unwrap_or(Path::new(""));
    Ok(Box::new(Trace::record(directory, &id, metadata, &Spans::default())?))
}

/// Opens a cassette of either format for reading: a directory, a trace's file, or a directory that holds a single trace
/// or one that is named after it. Does not check whether it is a whole cassette; reading it does.
///
/// # Errors
/// The directory has several traces, and none is named after it.
pub fn open(path: &Path) -> Result<Box<dyn Store>, CassetteError> {
    if let Some(id) = path.file_name().and_then(|name| TraceId::of_file(name.to_str()?))
        && !path.is_dir()
    {
        return Ok(Box::new(Trace::read(path.parent().unwrap_or(Path::new("")), &id)?));
    }
    if Format::of(path) != Some(Format::Ndjson) {
        return open_directory(path);
    }
    let mut ids = traces(path);
    let own = TraceId::of_directory(path).ok().and_then(|own| ids.iter().position(|id| *id == own));
    match (own, ids.len()) {
        (Some(at), _) => Ok(Box::new(Trace::read(path, &ids.swap_remove(at))?)),
        (None, 1) => Ok(Box::new(Trace::read(path, &ids[0])?)),
        (None, count) => Err(CassetteError::new(path, format!("has {count} traces"))
            .advice(format!("name one of them, such as {}", path.join(ids[0].file_name()).display()))),
    }
}

/// Opens a cassette of the format `yaml` for reading: a recording, or one written by hand.
///
/// # Errors
/// The path is not that of a directory, or something is wrong with a cassette written by hand, with its line.
pub fn open_directory(path: &Path) -> Result<Box<dyn Store>, CassetteError> {
    Ok(match is_by_hand(path) {
        true => Box::new(ByHand::read(path)?),
        false => Box::new(Directory::read(path)?),
    })
}

/// What the name of a cassette stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Nothing; a recording may begin.
    Absent,
    /// A cassette whose recording ended cleanly.
    Complete,
    /// A recording that did not end cleanly, or is still under way in another process.
    Incomplete {
        /// Where it is: the cassette's directory or file, or the place where it is staged.
        directory: PathBuf,
        /// The last command that was recorded, with its line in the log; `None` if none can be read.
        last: Option<(u32, Entry)>,
    },
}

/// Finds out what there is at `path`, which is a directory or a trace's file.
///
/// # Errors
/// It is something other than a cassette, a cassette of another schema, or unreadable.
pub fn state(path: &Path) -> Result<State, CassetteError> {
    if let Some(id) = path.file_name().and_then(|name| TraceId::of_file(name.to_str()?)).filter(|_| !path.is_dir()) {
        return state_of_trace(path, &id);
    }
    if is_by_hand(path) {
        return Ok(State::Complete);
    }
    let cassette = Directory::read(path)?;
    let metadata = match cassette.metadata() {
        Ok(metadata) => metadata,
        Err(error) => {
            let target = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            let staged = staging(&target);
            let occupied = std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
            if path.is_file() || occupied {
                return Err(error);
            }
            return match is_cassette(&staged) {
                true => Ok(State::Incomplete { last: last_command(&Directory::read(&staged)?), directory: staged }),
                false => Ok(State::Absent),
            };
        }
    };
    match metadata.complete {
        true => Ok(State::Complete),
        false => Ok(State::Incomplete { last: last_command(&cassette), directory: path.to_owned() }),
    }
}

fn state_of_trace(path: &Path, id: &TraceId) -> Result<State, CassetteError> {
    let directory = path.parent().unwrap_or(Path::new(""));
    let (trace, (staged, growing)) = (Trace::read(directory, id)?, Trace::staged(directory, id)?);
    match trace.metadata() {
        Ok(metadata) if metadata.complete => Ok(State::Complete),
        Ok(_) => Ok(State::Incomplete { last: last_command(&trace), directory: path.to_owned() }),
        Err(error) if path.exists() => Err(error),
        Err(_) if staged.is_file() => Ok(State::Incomplete { last: last_command(&growing), directory: staged }),
        Err(error) if directory.is_file() => Err(error),
        Err(_) => Ok(State::Absent),
    }
}

/// Returns the last command of a log that may be torn at its end.
fn last_command(cassette: &dyn Store) -> Option<(u32, Entry)> {
    let mut last = None;
    // an error ends the walk where the log is torn
    let _ = cassette.scan(&mut |place, head| {
        if head.method.class() == Class::Command {
            last = Some(place);
        }
        Ok(())
    });
    last.and_then(|place| Some((place.line, cassette.entry(place).ok()?)))
}

/// Publishes an unpublished recording, in place of the previous cassette. An interrupted recording is first made into a
/// cassette, whose `metadata.yml` then says `complete: true` and `recovered: true`. Returns `None` if there is no such recording.
///
/// # Errors
/// The recording is still under way; it has no whole entry (it is removed then, and the previous cassette stays); something
/// other than its end cannot be read; an error of the operating system.
pub fn recover(path: &Path) -> Result<Option<Recovered>, CassetteError> {
    match ndjson::trace_at(path)? {
        Some(trace) => ndjson::recover(&trace),
        None => directory::recover(path),
    }
}

/// Returns where the unpublished recording of a cassette is, if it has an entry that could be kept.
pub fn unpublished(path: &Path) -> Option<PathBuf> {
    fn has_entry(cassette: &dyn Store) -> bool {
        let mut found = false;
        // one is enough, and an error ends the walk
        let _ = cassette.scan(&mut |_, _| {
            found = true;
            Err(CassetteError::new(cassette.name(), "enough"))
        });
        found
    }
    if let Some((staged, trace)) = ndjson::unpublished(path) {
        return has_entry(&trace).then_some(staged);
    }
    directory::unpublished(path).filter(|staged| Directory::read(staged).is_ok_and(|store| has_entry(&store)))
}

/// Returns the directory for the parts of a cassette.
pub fn parts_directory(cassette: &Path) -> PathBuf {
    let mut name = cassette.file_name().unwrap_or_default().to_owned();
    name.push(".parts");
    cassette.with_file_name(name)
}

/// Returns the existing parts of a cassette, sorted by name, with the number at the end of a name compared as a number.
pub fn parts_of(cassette: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parts_directory(cassette)).into_iter().flatten().flatten();
    // a recording under way is hidden
    let shown = entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    let mut parts: Vec<PathBuf> = shown.map(|entry| entry.path()).filter(|path| Format::of(path).is_some()).collect();
    parts.sort_by_cached_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let numbered = name.rsplit_once('-').and_then(|(stem, number)| Some((stem.to_owned(), number.parse().ok()?)));
        numbered.unwrap_or((name, 0_u32))
    });
    parts
}

/// Returns the directory of a cassette. The path may be that of a trace's file.
pub fn directory_of(cassette: &Path) -> &Path {
    let is_trace = cassette.extension().is_some_and(|end| end == "ndjson") && !cassette.is_dir();
    cassette.parent().filter(|_| is_trace).unwrap_or(cassette)
}

/// Returns the cassette that a directory is a part of, judging by its path.
pub fn cassette_of_part(part: &Path) -> Option<PathBuf> {
    let parts = part.parent()?;
    let name = parts.file_name()?.to_str()?.strip_suffix(".parts")?;
    Some(parts.with_file_name(name))
}

/// Removes the parts of a cassette that `stays` does not accept: those of processes that the command does not have any more.
///
/// # Errors
/// An error of the operating system.
pub fn remove_parts(cassette: &Path, stays: &dyn Fn(&Path) -> bool) -> Result<(), CassetteError> {
    for part in parts_of(cassette).iter().filter(|part| !stays(part)) {
        fs::remove_dir_all(part).map_err(|error| CassetteError::io(part, "remove", &error))?;
    }
    // a directory that is not empty stays
    let _ = fs::remove_dir(parts_directory(cassette));
    Ok(())
}

/// Returns the directory for the recording of a test that failed.
pub fn failed_directory(cassette: &Path) -> PathBuf {
    let mut name = cassette.file_name().unwrap_or_default().to_owned();
    name.push(".failed");
    cassette.with_file_name(name)
}

/// Removes the recording of a test that failed, because its cassette has been recorded since. The cassette is a directory or the
/// file of a trace. Whatever else is in the directory of what failed stays.
///
/// # Errors
/// An error of the operating system.
pub fn remove_failed(cassette: &Path) -> Result<(), CassetteError> {
    let directory = directory_of(cassette);
    let failed = failed_directory(directory);
    if directory == cassette {
        return directory::remove_recording(&failed);
    }
    let trace = failed.join(cassette.file_name().unwrap_or_default());
    if !trace.is_file() {
        return Ok(());
    }
    fs::remove_file(&trace).map_err(|error| CassetteError::io(&trace, "remove", &error))?;
    // a directory that is not empty stays
    let _ = fs::remove_dir(&failed);
    Ok(())
}

/// Returns a cassette and its parts. The cassette itself is missing if the process that should have recorded it ended
/// before it did anything.
pub fn with_parts(cassette: &Path) -> Vec<PathBuf> {
    let own = (Format::of(cassette).is_some() || cassette.is_file()).then(|| cassette.to_owned());
    own.into_iter().chain(parts_of(directory_of(cassette))).collect()
}

/// Returns what [`with_parts`] returns, or the cassette itself if nothing exists, so that opening it says why.
pub fn with_parts_or_alone(cassette: &Path) -> Vec<PathBuf> {
    let all = with_parts(cassette);
    if all.is_empty() { vec![cassette.to_owned()] } else { all }
}

/// Returns the parts of a cassette, including those that are being recorded or whose recording was interrupted.
pub fn parts_with_recordings(cassette: &Path) -> Vec<PathBuf> {
    let directory = parts_directory(directory_of(cassette));
    let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
    let mut parts: Vec<PathBuf> = entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let staged = name.strip_prefix('.').and_then(|name| name.strip_suffix(".super8-recording"));
            directory.join(staged.unwrap_or(&name))
        })
        .collect();
    parts.sort();
    parts.dedup();
    parts
}

/// Returns where the part of one cassette stands in another. If that is a trace's file, so is the part.
pub fn same_part(part: &Path, other: &Path) -> PathBuf {
    let directory = directory_of(other);
    let place = parts_directory(directory).join(part.file_name().unwrap_or_default());
    if directory == other {
        return place;
    }
    let mut trace = part.file_name().unwrap_or_default().to_owned();
    trace.push(".ndjson");
    place.join(trace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConnectionId, Key, Method};

    #[test]
    fn a_copy_is_complete_when_it_is_published_and_not_before() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["x", "x.ndjson"] {
            let whole = Metadata { complete: true, ..Metadata::now(None, None) };
            let copy = create(&parent.path().join(name), whole).unwrap();
            let mut entry = Vec::new();
            copy.encode(&Entry::new(Method::Connect, ConnectionId(0), None).with(Key::Dsn, "shop"), &mut entry);
            copy.append(&entry).unwrap();
            assert!(!copy.metadata().unwrap().complete, "{name}");
            copy.publish().unwrap();
            assert!(copy.metadata().unwrap().complete, "{name}");
        }
    }

    use crate::{Order, RecordOptions, Recorder};

    fn record(directory: &Path) -> std::sync::Arc<Recorder> {
        let recorder = Recorder::open(RecordOptions {
            directory: directory.to_owned(),
            order: Order::Global,
            inline_rows: 1,
            metadata: Metadata::now(None, None),
            append: None,
        });
        let recorder = recorder.unwrap();
        let connection = recorder.connection();
        recorder.command(&Entry::new(Method::Connect, connection, None).with(Key::Dsn, "shop")).unwrap();
        recorder.command(&Entry::new(Method::Run, connection, Some(1)).with(Key::Sql, "SELECT 1")).unwrap();
        recorder
    }

    fn last_method(state: &State) -> Option<Method> {
        match state {
            State::Incomplete { last, .. } => last.as_ref().map(|(_, entry)| entry.method),
            _ => None,
        }
    }

    #[test]
    fn absent_growing_complete_and_interrupted_are_told_apart() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("x");
        assert_eq!(state(&path), Ok(State::Absent));
        std::fs::create_dir(&path).unwrap();
        assert_eq!(state(&path), Ok(State::Absent), "an empty directory is a place for a recording");

        let recorder = record(&path);
        let growing = state(&path).unwrap();
        assert_eq!(last_method(&growing), Some(Method::Run));
        assert!(matches!(growing, State::Incomplete { directory, .. } if directory != path));
        recorder.publish().unwrap();
        assert_eq!(state(&path), Ok(State::Complete));
        recorder.command(&Entry::new(Method::Commit, ConnectionId(0), None)).unwrap();
        let resumed = state(&path).unwrap();
        assert_eq!(last_method(&resumed), Some(Method::Commit));
        assert!(matches!(resumed, State::Incomplete { directory, .. } if directory == path));
    }

    #[test]
    fn so_are_the_states_of_a_trace() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("traces").join("x.ndjson");
        assert_eq!(state(&path), Ok(State::Absent));
        let (directory, id) = (parent.path().join("traces"), TraceId::new("x").unwrap());
        let trace = Trace::record(&directory, &id, Metadata::now(None, None), &crate::Spans::default()).unwrap();
        let recorder = Recorder::with_store(Box::new(trace), Order::Global, 1);
        let connection = recorder.connection();
        recorder.command(&Entry::new(Method::Connect, connection, None).with(Key::Dsn, "shop")).unwrap();
        let growing = state(&path).unwrap();
        assert_eq!(last_method(&growing), Some(Method::Connect));
        assert!(matches!(growing, State::Incomplete { directory, .. } if directory != path));
        recorder.publish().unwrap();
        assert_eq!(state(&path), Ok(State::Complete));
        recorder.command(&Entry::new(Method::Commit, connection, None)).unwrap();
        let resumed = state(&path).unwrap();
        assert_eq!(last_method(&resumed), Some(Method::Commit));
        assert!(matches!(resumed, State::Incomplete { directory, .. } if directory == path));
        std::fs::write(&path, "years of work").unwrap();
        assert!(state(&path).is_err());
    }

    #[test]
    fn what_is_no_cassette_is_an_error() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::write(parent.path().join("thesis.txt"), "").unwrap();
        assert!(state(parent.path()).unwrap_err().to_string().contains("not a cassette"));
        assert!(state(&parent.path().join("thesis.txt")).is_err());
    }

    #[test]
    fn parts_come_in_the_order_of_their_numbers() {
        let parent = tempfile::tempdir().unwrap();
        let cassette = parent.path().join("shop");
        for name in ["isql-10", "isql-2", "isql", "perl-a.t", ".isql-3.super8-recording", "notes"] {
            let part = parts_directory(&cassette).join(name);
            fs::create_dir_all(&part).unwrap();
            let file = if name == "notes" { "README" } else { "metadata.yml" };
            fs::write(part.join(file), "").unwrap();
        }
        let names = |paths: Vec<PathBuf>| -> Vec<String> {
            paths.iter().map(|path| path.strip_prefix(parent.path()).unwrap().display().to_string()).collect()
        };
        let expected = ["isql", "isql-2", "isql-10", "perl-a.t"].map(|name| format!("shop.parts/{name}"));
        assert_eq!(names(with_parts(&cassette)), expected);
        assert_eq!(cassette_of_part(&parts_directory(&cassette).join("isql-2")), Some(cassette.clone()));
        assert_eq!(cassette_of_part(&cassette), None);
        assert!(parts_of(Path::new("/nonexistent")).is_empty());
    }
}
