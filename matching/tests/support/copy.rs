//! Cassettes copied from one format into the other.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::files;
use super8_cassette::{Append, Directory, Entry, MakeAppend, Spans, Store, Trace, TraceId, WriteAppend, convert, open};

/// Appending as the directory does it.
pub fn plain() -> MakeAppend {
    Arc::new(|file| Ok(Box::new(WriteAppend::new(file)) as Box<dyn Append>))
}

/// The lines of the trace `x` in a directory.
pub fn text(directory: &Path) -> String {
    fs::read_to_string(directory.join("x.ndjson")).unwrap()
}

/// Copies a cassette to a trace or a directory.
pub fn converted(from: &dyn Store, to: &Path) -> Vec<String> {
    let metadata = from.metadata().unwrap();
    let target: Box<dyn Store> = match to.extension() {
        Some(_) => {
            let id = TraceId::of_file(to.file_name().unwrap().to_str().unwrap()).unwrap();
            Box::new(Trace::record(to.parent().unwrap(), &id, metadata, &Spans::default()).unwrap())
        }
        None => Box::new(Directory::record(to, metadata, plain()).unwrap()),
    };
    convert(from, &*target).unwrap().notes
}

/// What a cassette says, whatever its format: its entries, and its answers, documents and rows by name.
fn meaning(cassette: &dyn Store) -> (Vec<Entry>, BTreeMap<String, String>) {
    let (mut entries, mut parts) = (Vec::new(), BTreeMap::new());
    let contents = cassette.contents().unwrap();
    let scanned = cassette.scan(&mut |place, _| {
        entries.push(cassette.entry(place)?);
        Ok(())
    });
    scanned.unwrap();
    for name in &contents.documents {
        parts.insert(name.clone(), format!("{:?}", cassette.document(name).unwrap()));
    }
    for connection in contents.infos {
        let answers = cassette.info(connection).unwrap();
        // a directory has a file for none as well
        if !answers.is_empty() {
            parts.insert(connection.to_string(), format!("{answers:?}"));
        }
    }
    for name in &contents.rows {
        let (mut source, mut row, mut rows) = (cassette.rows(name).unwrap(), csv::ByteRecord::new(), Vec::new());
        while source.next(&mut row).unwrap() {
            rows.push(row.iter().map(<[u8]>::to_vec).collect::<Vec<_>>());
        }
        parts.insert(name.clone(), format!("{rows:?}"));
    }
    (entries, parts)
}

/// The trace becomes a directory, and that a trace again: both say what it says, and are made byte by byte the same again.
/// The notes on what did not come along.
pub fn comes_back(directory: &Path) -> Vec<String> {
    let scratch = tempfile::tempdir().unwrap();
    let (there, back) = (scratch.path().join("there"), scratch.path().join("back"));
    let original = open(directory).unwrap();
    let notes = converted(&*original, &there);
    let copy = |from: &Path, to: &Path| assert_eq!(converted(&*open(from).unwrap(), to), [""; 0]);
    copy(&there, &back.join("x.ndjson"));
    for cassette in [&there, &back] {
        assert_eq!(meaning(&*open(cassette).unwrap()), meaning(&*original), "{}", cassette.display());
    }
    let again = scratch.path().join("again");
    copy(&back, &again);
    assert_eq!(files(&again), files(&there));
    let third = scratch.path().join("third");
    copy(&again, &third.join("x.ndjson"));
    assert_eq!(text(&third), text(&back));
    notes
}
