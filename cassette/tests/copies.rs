//! A cassette in one format becomes one in the other and comes back: nothing is lost, and what cannot be kept is named.

mod reel;

use std::fs;

use reel::copy::converted;
use reel::session::record;
use reel::*;
use super8_cassette::{Value, convert, open};

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

#[test]
fn the_sequence_of_a_trace_outlives_edits_of_its_directory() {
    let parent = tempfile::tempdir().unwrap();
    let tracing = tracer(parent.path());
    let connection = connected(&tracing, "shop");
    tracing.command(&run(connection, 1, "SELECT id")).unwrap();
    let answer = vec![("function".to_owned(), "SQLGetInfo".into()), ("info".to_owned(), 17.into())];
    tracing.info(connection, Value::Map(answer)).unwrap();
    result(&tracing, connection, 1, &[&["1"], &["2"]]);
    tracing.disconnect(connection).unwrap();
    let directory = parent.path().join("x");
    converted(&*open(parent.path()).unwrap(), &directory);
    let sequence = "- metadata.yml: 1\n- commands.yml: 2\n- a_info.yml: 1\n- a_1_fetch_all.csv: 2\n- commands.yml: 1\n- complete: 1\n";
    assert_eq!(files(&directory)["trace_sequence.yml"], sequence);
    // an entry, a row, an answer, a document more, and a file that is not there any more
    let append = |name: &str, text: &str| {
        let before = fs::read_to_string(directory.join(name)).unwrap_or_default();
        fs::write(directory.join(name), before + text).unwrap();
    };
    append("commands.yml", "- method: cancel\n  connection_id: a\n  statement_id: 1\n  result: null\n");
    append("a_1_fetch_all.csv", "3\n");
    append("a_info.yml", "- function: SQLGetInfo\n  info: 18\n  result: \"3.40\"\n");
    append("a_1_columns.yml", "- name: id\n");
    append(
        "trace_sequence.yml",
        "- a_9_fetch_all.csv: 7\n- a_9_columns.yml: 1\n- a_9_fetch_many.csv: a_9_fetch_all.csv\n",
    );
    let edited = files(&directory);
    let back = parent.path().join("edited").join("x.ndjson");
    assert_eq!(converted(&*open(&directory).unwrap(), &back), [""; 0]);
    let (again, mut expected) = (parent.path().join("again"), edited.clone());
    converted(&*open(&back).unwrap(), &again);
    let mut found = files(&again);
    assert!(found.remove("trace_sequence.yml").is_some() && expected.remove("trace_sequence.yml").is_some());
    assert_eq!(found, expected, "nothing is lost");
    fs::write(directory.join("trace_sequence.yml"), "- 1\n").unwrap();
    let problem = convert(&*open(&directory).unwrap(), &*open(&back).unwrap()).unwrap_err().to_string();
    assert!(
        problem.contains("trace_sequence.yml: [0]: an item is") && problem.contains("remove the file"),
        "{problem}"
    );
    // what is recorded there next is no trace's copy
    record(&recorder(&directory));
    assert!(!files(&directory).contains_key("trace_sequence.yml"));
}
