//! Tests that there is a finding of each kind, at the right place, in both formats.

use super::*;

fn cassette(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let metadata = "schema_version: 4\nrecorded_with: \"super8 0.1.0\"\nrecorded_on: \"2026-11-21T05:51:00Z\"\n\
                    complete: true\norder: global\n";
    std::fs::write(directory.path().join("metadata.yml"), metadata).unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

const RUN: &str = "- method: connect\n  connection_id: a\n  dsn: shop\n- method: run\n  connection_id: a\n  \
                   statement_id: 1\n  sql: \"SELECT 1\"\n- method: fetch_all\n  connection_id: a\n  statement_id: 1\n  \
                   rows_file: a_1_fetch_all.csv\n  c_types: [CHAR]\n";

fn kinds(files: &[(&str, &str)]) -> Vec<(Kind, Option<u64>)> {
    let directory = cassette(files);
    check(directory.path()).into_iter().map(|finding| (finding.kind, finding.line)).collect()
}

#[test]
fn a_good_cassette_has_nothing() {
    assert_eq!(kinds(&[("commands.yml", RUN), ("a_1_fetch_all.csv", "1\n2\n"), ("a_info.yml", "[]\n")]), []);
}

#[test]
fn what_is_wrong_is_found_where_it_is() {
    assert_eq!(kinds(&[("commands.yml", RUN)]), [(Kind::Missing, Some(11))]);
    let rows = ("a_1_fetch_all.csv", "1\n\\q\n");
    assert_eq!(kinds(&[("commands.yml", RUN), rows]), [(Kind::Unreadable, Some(2))]);
    let rows = ("a_1_fetch_all.csv", "1\n");
    assert_eq!(kinds(&[("commands.yml", RUN), rows, ("b_1_fetch_all.csv", "1\n")]), [(Kind::Orphan, None)]);
    let secret = RUN.replace("dsn: shop", "dsn: shop\n  connection_string: \"DSN=shop;Pwd=tiger\"");
    assert_eq!(kinds(&[("commands.yml", &secret), rows]), [(Kind::Secret, Some(1))]);
    let inline = |rows: &str| RUN.replace("rows_file: a_1_fetch_all.csv", rows);
    assert_eq!(kinds(&[("commands.yml", &inline("rows: [[\"1\"], [\"\\\\q\"]]"))]), [(Kind::Unreadable, Some(8))]);
    let many = inline("n: 3\n  rows: [[\"1\"], [\"2\"]]").replace("fetch_all\n", "fetch_many\n");
    assert_eq!(kinds(&[("commands.yml", &many)]), [(Kind::Unreadable, Some(8))]);
    assert_eq!(kinds(&[("commands.yml", &many.replace("n: 3", "n: 2"))]), []);
    let volatile = RUN.replace("\"SELECT 1\"\n", "\"SELECT 1\"\n  volatile: [\"sql 2\", \"sql 1\", \"param 1\"]\n");
    let twice = [(Kind::Volatile, Some(4)), (Kind::Volatile, Some(4))];
    assert_eq!(kinds(&[("commands.yml", &volatile), rows]), twice);
    let again = |value: &str| {
        let run = |sql: &str, more: &str| {
            format!(
                "- method: run\n  connection_id: a\n  statement_id: 2\n  sql: \"{sql}\"\n  params: [{value}]\n{more}  result: null\n"
            )
        };
        RUN.to_owned() + &run("a ?", "  volatile: [\"params 1\"]\n") + &run("b ?", "")
    };
    assert_eq!(kinds(&[("commands.yml", &again("4711")), rows]).len(), 1, "it is not bound");
    assert_eq!(kinds(&[("commands.yml", &again("471100")), rows]), []);
    let fetched = again("4711").replace("b ?", "b").replace("params: [4711]\n  result", "result");
    let fetched = fetched
        + "- method: fetch_all\n  connection_id: a\n  statement_id: 2\n  \"n\": 2\n  rows_file: a_2_fetch_all.csv\n  c_types: [CHAR]\n";
    let found = [("commands.yml", &*fetched), rows, ("a_2_fetch_all.csv", "1\n4711\n")];
    assert_eq!(kinds(&found), [(Kind::Volatile, Some(2))], "it comes back in rows");
    let metadata = "schema_version: 4\norder: global\ncomplete: true\nvolatile:\n  - {position: 1, sql: '^a '}\n";
    let ruled = fetched.replace("  volatile: [\"params 1\"]\n", "");
    let found = [("metadata.yml", metadata), ("commands.yml", &*ruled), rows, ("a_2_fetch_all.csv", "1\n4711\n")];
    assert_eq!(kinds(&found), [(Kind::Volatile, Some(2))], "a rule names it");
    let wide = format!("{}\n", "x".repeat(2 << 20));
    let both = [(Kind::Large, Some(1)), (Kind::Large, None)];
    assert_eq!(kinds(&[("commands.yml", RUN), ("a_1_fetch_all.csv", &wide)]), both, "a row, and the cassette");
    let sql = RUN.replace("SELECT 1", &"x".repeat(300 << 10));
    assert_eq!(kinds(&[("commands.yml", &sql), rows]), [(Kind::Large, Some(4))]);
    assert_eq!(
        kinds(&[("commands.yml", RUN), rows, ("README.md", "why"), (".gitattributes", ""), ("notes.txt", "")]),
        []
    );
    assert_eq!(kinds(&[("commands.yml", RUN), rows, ("b_info.yml", "[]\n")]), [(Kind::Orphan, None)]);
    assert_eq!(check(Path::new("/nonexistent/cassette"))[0].kind, Kind::Unreadable);
}

/// Writes a trace with these records between its header and the mark that it is complete.
fn trace(records: &[&str]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let head = r#"{"version":"4.1","traceId":"x","type":"#;
    let header = r#""metadata","protocol":"odbc","identifier":"metadata.yml","responsePayload":{"schema_version":4,"recorded_with":"super8 0.1.0","order":"global"}}"#;
    let mark = r#""metadata","protocol":"odbc","identifier":"complete","responsePayload":{"complete":true}}"#;
    let lines = [&[header], records, &[mark]].concat();
    let text: String = lines.iter().map(|line| format!("{head}{line}\n")).collect();
    let path = directory.path().join("x.ndjson");
    std::fs::write(&path, text).unwrap();
    (directory, path)
}

const CONNECT: &str = r#""outbound","protocol":"odbc","identifier":"connect a","requestPayload":{"method":"connect","connection_id":"a","dsn":"shop"}}"#;
const ANSWER: &str = r#""metadata","protocol":"odbc","identifier":"a_info.yml","requestPayload":{"function":"SQLGetInfo","info":17},"responsePayload":{"result":"SQLite"}}"#;
const ROWS: &str =
    r#""outbound","protocol":"odbc","identifier":"a_1_fetch_all.csv","responsePayload":{"rows":[["1"],["2"]]}}"#;
const FETCH: &str = r#""outbound","protocol":"odbc","identifier":"fetch_all a/1","requestPayload":{"method":"fetch_all","connection_id":"a","statement_id":1},"responsePayload":{"rows_file":"a_1_fetch_all.csv","c_types":["CHAR"]}}"#;

fn kinds_of(records: &[&str]) -> Vec<(Kind, Option<u64>)> {
    let (_directory, path) = trace(records);
    check(&path).into_iter().map(|finding| (finding.kind, finding.line)).collect()
}

#[test]
fn a_good_trace_has_nothing() {
    assert_eq!(kinds_of(&[CONNECT, ANSWER, ROWS, FETCH]), []);
}

#[test]
fn what_is_wrong_with_a_trace_is_found_on_its_line() {
    assert_eq!(kinds_of(&[CONNECT, FETCH]), [(Kind::Missing, Some(3))]);
    assert_eq!(kinds_of(&[CONNECT, ANSWER, ROWS]), [(Kind::Orphan, Some(4))]);
    assert_eq!(kinds_of(&[ANSWER.replace("a_info", "b_info").as_str(), CONNECT]), [(Kind::Orphan, Some(2))]);
    assert_eq!(kinds_of(&[CONNECT, ROWS, FETCH, ROWS]), [(Kind::Duplicate, Some(5))], "records of another result");
    let secret = ANSWER.replace("SQLite", "ghp_0123456789abcdefghijABCDEFGHIJ012345");
    assert_eq!(kinds_of(&[CONNECT, ANSWER, &secret]), [(Kind::Secret, Some(4))], "the answer's own line");
    let secret = ROWS.replace("\"2\"", "\"AKIAIOSFODNN7EXAMPLE\"");
    assert_eq!(kinds_of(&[CONNECT, &secret, FETCH]), [(Kind::Secret, Some(3))]);
    assert_eq!(kinds_of(&[CONNECT, &ROWS.replace("\"2\"", r#""\\q""#), FETCH]), [(Kind::Unreadable, Some(3))]);
    let long = ROWS.replace("\"2\"", &format!("\"{}\"", "x".repeat(300 << 10)));
    assert_eq!(kinds_of(&[CONNECT, &long, FETCH]), [(Kind::Large, Some(3))], "one row");
    let many = vec![ROWS.replace("\"2\"", &format!("\"{}\"", "x".repeat(100 << 10))); 12];
    let many: Vec<&str> = many.iter().map(String::as_str).chain([CONNECT, FETCH]).collect();
    assert_eq!(kinds_of(&many), [(Kind::Large, None)], "all of them");
    let columns = r#""metadata","protocol":"odbc","identifier":"a_1_columns.yml","responsePayload":[]}"#;
    assert_eq!(kinds_of(&[CONNECT, columns, columns]), [(Kind::Unreadable, Some(4))], "told once");
}

#[test]
fn a_torn_trace_and_its_neighbours() {
    let (directory, path) = trace(&[CONNECT, ROWS, FETCH]);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 20]).unwrap();
    let found: Vec<_> = check(&path).into_iter().map(|finding| (finding.kind, finding.line)).collect();
    assert_eq!(found, [(Kind::Unreadable, None), (Kind::Unreadable, Some(5))], "incomplete, and torn on its line");
    std::fs::write(directory.path().join("y.ndjson"), &text).unwrap();
    assert_eq!(check(directory.path()).len(), 2, "a directory of traces is checked as a whole");
    std::fs::write(&path, &text).unwrap();
    assert_eq!(check(directory.path()), []);
    std::fs::write(staging_directory(&path), &text).unwrap();
    assert_eq!(check(&path)[0].kind, Kind::Orphan, "a recording that did not end");
}
