//! Cassettes copied from one format into the other.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::files;
use super8_cassette::{Append, Cassette, Directory, MakeAppend, Spans, Trace, TraceId, WriteAppend, convert, open};

/// Appending as the directory does it.
pub fn plain() -> MakeAppend {
    Arc::new(|file| Ok(Box::new(WriteAppend::new(file)) as Box<dyn Append>))
}

/// The lines of the trace `x` in a directory.
pub fn text(directory: &Path) -> String {
    fs::read_to_string(directory.join("x.ndjson")).unwrap()
}

/// Copies a cassette to a trace or a directory.
pub fn converted(from: &dyn Cassette, to: &Path) -> Vec<String> {
    let metadata = from.metadata().unwrap();
    let target: Box<dyn Cassette> = match to.extension() {
        Some(_) => {
            let id = TraceId::of_file(to.file_name().unwrap().to_str().unwrap()).unwrap();
            Box::new(Trace::record(to.parent().unwrap(), &id, metadata, &Spans::default()).unwrap())
        }
        None => Box::new(Directory::record(to, metadata, plain()).unwrap()),
    };
    convert(from, &*target).unwrap().notes
}

/// The trace becomes a directory, and that the same trace again; the directory's files.
pub fn comes_back(directory: &Path) -> BTreeMap<String, String> {
    let scratch = tempfile::tempdir().unwrap();
    let (there, back) = (scratch.path().join("there"), scratch.path().join("back"));
    assert_eq!(converted(&*open(directory).unwrap(), &there), [""; 0]);
    assert_eq!(converted(&*open(&there).unwrap(), &back.join("x.ndjson")), [""; 0]);
    assert_eq!(text(&back), text(directory));
    // and the directory again
    let again = scratch.path().join("again");
    converted(&*open(&back).unwrap(), &again);
    assert_eq!(files(&again), files(&there));
    files(&there)
}
