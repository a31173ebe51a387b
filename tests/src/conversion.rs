//! Cassettes made into the other format and back: nothing may be lost on the way.

use crate::compare::{assert_same_files, difference};
use crate::scratch::Scratch;
use std::path::Path;
use super8_cassette::ndjson::traces;
use super8_cassette::{CassetteError, Conversion, Format, convert, create, open};

/// Copies a cassette, to a trace if the name ends with `.ndjson`, and to a directory otherwise; the notes.
pub fn converted(from: &Path, to: &Path) -> Vec<String> {
    let copied = || -> Result<Conversion, CassetteError> {
        let from = open(from)?;
        let to = create(to, from.metadata()?)?;
        convert(&*from, &*to)
    };
    copied().unwrap_or_else(|error| panic!("{error}")).notes
}

/// Panics unless a cassette's directory, or every trace in it, comes back byte by byte from the other format.
pub fn assert_there_and_back(what: &str, cassette: &Path) {
    let scratch = Scratch::new("there-and-back");
    let (there, back) = (scratch.join("there"), scratch.join("back"));
    if Format::of(cassette) == Some(Format::Yaml) {
        let there = there.with_extension("ndjson");
        let notes = [converted(cassette, &there), converted(&there, &back)].concat();
        assert!(notes.is_empty(), "{what}: {notes:?}");
        return assert_same_files(what, cassette, &back);
    }
    for id in traces(cassette) {
        let (from, there, back) = (cassette.join(id.file_name()), there.join(id.as_str()), back.join(id.file_name()));
        let notes = [converted(&from, &there), converted(&there, &back)].concat();
        assert!(notes.is_empty(), "{what}: {notes:?}");
        let [before, after] = [&from, &back].map(|path| std::fs::read(path).unwrap_or_default());
        let shown = || difference(("before", &before), ("after", &after));
        assert!(!before.is_empty() && before == after, "{what}: {} is another one\n{}", from.display(), shown());
    }
}
