//! A cassette in one format becomes one in the other and comes back: nothing is lost, and what cannot be kept is named.

use std::fs;

use crate::support::copy::converted;
use crate::support::session::record;
use crate::support::*;
use super8_cassette::open;

#[test]
fn there_and_back_again() {
    let parent = tempfile::tempdir().unwrap();
    let (directory, back) = (parent.path().join("one"), parent.path().join("two"));
    record(&recorder(&directory));
    fs::write(directory.join("a_2_columns.yml"), "- name: \"nobody names this\"\n").unwrap();
    let trace = parent.path().join("t").join("x.ndjson");
    assert_eq!(converted(&*open(&directory).unwrap(), &trace), [""; 0]);
    assert_eq!(converted(&*open(&trace).unwrap(), &back), [""; 0]);
    assert_eq!(files(&back), files(&directory));
    // and what was recorded as a trace becomes what is recorded as a directory, but for the time
    record(&tracer(&parent.path().join("recorded")));
    let third = parent.path().join("three");
    converted(&*open(&parent.path().join("recorded")).unwrap(), &third);
    let (mut mine, mut theirs) = (files(&third), files(&directory));
    theirs.remove("a_2_columns.yml");
    for all in [&mut mine, &mut theirs] {
        let metadata = all.get_mut("metadata.yml").unwrap();
        *metadata = metadata.lines().filter(|line| !line.starts_with("recorded_on")).collect();
    }
    assert_eq!(mine, theirs);
}

#[test]
fn what_a_person_edited_is_kept_and_named() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("one");
    record(&recorder(&directory));
    let log = fs::read_to_string(directory.join("commands.yml")).unwrap();
    fs::write(directory.join("commands.yml"), format!("# reviewed\n{}", log.replacen("shop", "'shop'", 1))).unwrap();
    let rows = fs::read_to_string(directory.join("a_3_fetch_all.csv")).unwrap();
    fs::write(directory.join("a_3_fetch_all.csv"), rows.replacen('x', "\"x\"", 1)).unwrap();
    let metadata = fs::read_to_string(directory.join("metadata.yml")).unwrap();
    fs::write(directory.join("metadata.yml"), format!("{metadata}reviewed_by: Ada\n")).unwrap();
    fs::write(directory.join("README.md"), "mine").unwrap();
    let trace = parent.path().join("t").join("x.ndjson");
    let notes = converted(&*open(&directory).unwrap(), &trace).join("\n");
    assert!(
        notes.starts_with("a_3_fetch_all.csv was edited") && notes.contains("\ncommands.yml was edited"),
        "{notes}"
    );
    assert!(notes.ends_with("README.md is not the cassette's: it stays where it is"), "{notes}");
    let back = parent.path().join("two");
    // in the trace an edit is named as well
    let whole = fs::read_to_string(&trace).unwrap();
    let edited = whole.replacen("\"method\":\"connect\"", "\"method\" : \"connect\"", 2);
    fs::write(&trace, edited.replacen("]}}\n", "]},\"reviewed\":true}\n", 1)).unwrap();
    let notes = converted(&*open(&trace).unwrap(), &back);
    assert!(notes.len() == 1 && notes[0].starts_with("3 records were edited"), "{notes:?}");
    let found = files(&back);
    assert_eq!(found["commands.yml"], log);
    assert_eq!(found["a_3_fetch_all.csv"], rows);
    assert!(found["metadata.yml"].ends_with("reviewed_by: Ada\n"), "{}", found["metadata.yml"]);
}

/// super8 used to write such a file into a directory made of a trace.
#[test]
fn a_trace_sequence_of_old_is_passed_over() {
    let parent = tempfile::tempdir().unwrap();
    let (directory, copy) = (parent.path().join("one"), parent.path().join("two"));
    record(&recorder(&directory));
    let expected = files(&directory);
    let old = directory.join("trace_sequence.yml");
    fs::write(&old, "- metadata.yml: 1\n- commands.yml: [\n").unwrap();
    assert!(player(&directory).connect(&connect(A, "shop")).is_ok());
    let trace = parent.path().join("t").join("x.ndjson");
    assert_eq!(converted(&*open(&directory).unwrap(), &trace), [""; 0]);
    assert_eq!(converted(&*open(&trace).unwrap(), &copy), [""; 0]);
    assert_eq!(files(&copy), expected);
    record(&recorder(&directory));
    let but_metadata = |mut files: std::collections::BTreeMap<String, String>| {
        // it may have been another second
        files.remove("metadata.yml");
        files
    };
    assert_eq!(but_metadata(files(&directory)), but_metadata(expected), "recording again removes it");
    assert!(!old.exists());
}
