//! Converts cassettes to the other format and back, and asserts that nothing is lost.

use crate::compare::{assert_same_files, difference};
use crate::outcome::Outcome;
use crate::products;
use crate::scratch::Scratch;
use std::path::Path;
use std::process::Command;
use super8_cassette::ndjson::traces;
use super8_cassette::{CassetteError, Conversion, Format, convert, create, open};

/// Copies a cassette to a trace if the name ends with `.ndjson`, otherwise to a directory. Returns the notes.
pub fn converted(from: &Path, to: &Path) -> Vec<String> {
    let copied = || -> Result<Conversion, CassetteError> {
        let from = open(from)?;
        let to = create(to, from.metadata()?)?;
        convert(&*from, &*to)
    };
    copied().unwrap_or_else(|error| panic!("{error}")).notes
}

/// Panics unless a cassette's directory, or every trace in it, comes back from the other format: a directory byte by
/// byte, a trace with the same meaning. Converting that trace again must give the same bytes in both formats.
pub fn assert_there_and_back(what: &str, cassette: &Path) {
    let scratch = Scratch::new("there-and-back");
    let copy = |from: &Path, to: &str| {
        let to = scratch.join(to);
        let notes = converted(from, &to);
        assert!(notes.is_empty(), "{what}: {notes:?}");
        to
    };
    if Format::of(cassette) == Some(Format::Yaml) {
        let trace = copy(cassette, "there.ndjson");
        return assert_same_files(what, cassette, &copy(&trace, "back"));
    }
    for id in traces(cassette) {
        let (original, name) = (cassette.join(id.file_name()), |place: &str| format!("{place}/{}", id.file_name()));
        let directory = copy(&original, &format!("{id}-there"));
        let trace = copy(&directory, &name("back"));
        assert_same_meaning(what, &original, &trace);
        let directory_again = copy(&trace, &format!("{id}-again"));
        assert_same_files(what, &directory, &directory_again);
        let trace_again = copy(&directory_again, &name("again"));
        let [before, after] = [&trace, &trace_again].map(|path| std::fs::read(path).unwrap_or_default());
        let shown = || difference(("before", &before), ("after", &after));
        assert!(!before.is_empty() && before == after, "{what}: {} is another one\n{}", trace.display(), shown());
    }
}

/// Panics unless `super8 diff` finds no difference.
fn assert_same_meaning(what: &str, one: &Path, other: &Path) {
    let mut diff = Command::new(products::super8());
    let outcome = Outcome::of(diff.arg("diff").args([one, other]), b"");
    assert!(outcome.succeeded(), "{what}: {}{}", outcome.text(), outcome.errors());
}
