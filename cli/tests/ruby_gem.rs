//! Cassettes of the super8 gem in its three versions, as its schema and its decision record 005 show them, brought up.

use std::collections::BTreeMap;
use std::path::Path;

use super8_cassette::create;
use super8_cli::import::ruby_gem::GemCassette;

/// The files that come of some files of the gem's, and the notes; or what they are refused with.
fn migrated(files: &[(&str, &str)]) -> Result<(BTreeMap<String, String>, Vec<String>), String> {
    let parent = tempfile::tempdir().unwrap();
    let (old, new) = (parent.path().join("old"), parent.path().join("new"));
    std::fs::create_dir(&old).unwrap();
    for (name, text) in files {
        std::fs::write(old.join(name), text).unwrap();
    }
    let said = |error: super8_cassette::CassetteError| error.to_string().replace(&old.display().to_string(), "old");
    let gem = GemCassette::read(&old).map_err(said)?;
    let done = gem.write(create(&new, gem.metadata.clone()).map_err(said)?).map_err(said)?;
    let read = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap())
    };
    Ok((std::fs::read_dir(&new).unwrap().map(|entry| read(entry.unwrap())).collect(), done.notes))
}

fn noted(notes: &[String], text: &str) -> bool {
    notes.iter().any(|note| note.contains(text))
}

/// The example of the gem's schema, whose rows are text whatever the columns say.
const VERSION_1: &[(&str, &str)] = &[
    (
        "connection.yml",
        "dsn: my_datasource\nserver: db.example.com\ndatabase: PROD_DB\nuser_hash: a1b2c3d4e5f6\nschema: APP\n",
    ),
    (
        "commands.yml",
        r#"- method: run
  sql: "SELECT ID, NAME FROM USERS WHERE STATUS = 'A'"
  params: []
  statement_id: stmt_0

- method: columns
  statement_id: stmt_0
  result:
    - name: ID
      type: 4
      length: 10
    - name: NAME
      type: 1
      length: 50

- method: fetch_all
  statement_id: stmt_0
  rows_file: rows_2.csv

- method: drop
  statement_id: stmt_0
  result: null
"#,
    ),
    ("rows_2.csv", "\"001\",\"Alice\"\n\"002\",\"Bob\"\n"),
];

#[test]
fn the_first_version() {
    let (files, notes) = migrated(VERSION_1).unwrap();
    assert_eq!(
        files["commands.yml"],
        r#"- method: connect
  connection_id: a
  dsn: my_datasource
  kind: ansi
  result:
    server: db.example.com
    database: PROD_DB
    user_hash: a1b2c3d4e5f6
    schema: APP
  info_file: a_info.yml
- method: run
  connection_id: a
  statement_id: 1
  sql: "SELECT ID, NAME FROM USERS WHERE STATUS = 'A'"
- method: columns
  connection_id: a
  statement_id: 1
  columns_file: a_1_columns.yml
- method: fetch_all
  connection_id: a
  statement_id: 1
  "n": 2
  rows_file: a_1_fetch_all.csv
  c_types: [CHAR, CHAR]
- method: drop
  connection_id: a
  statement_id: 1
  result: null
- method: disconnect
  connection_id: a
  result: null
"#
    );
    assert_eq!(files["a_1_fetch_all.csv"], "001,Alice\n002,Bob\n");
    assert_eq!(
        files["a_1_columns.yml"],
        "- name: ID\n  type: 12\n  length: 10\n  display_size: 10\n  desc_length: 10\n\
         - name: NAME\n  type: 1\n  length: 50\n  display_size: 50\n  desc_length: 50\n"
    );
    assert!(files["metadata.yml"].contains("migrated_from: 1\n"), "{}", files["metadata.yml"]);
    assert!(noted(&notes, "a/1: column ID has type 4, but ruby-odbc never gives `001` for it"), "{notes:?}");
    assert!(noted(&notes, "a/1: not recorded of its columns: table, scale, precision, nullable"), "{notes:?}");
}

#[test]
fn statements_that_begin_anew_are_another_connection() {
    let run = "- method: run\n  sql: SELECT 1\n  params: []\n  statement_id: stmt_0\n";
    let (files, notes) = migrated(&[("connection.yml", "dsn: shop\n"), ("commands.yml", &run.repeat(2))]).unwrap();
    let log = &files["commands.yml"];
    assert_eq!(log.matches("method: connect\n").count(), 2, "{log}");
    assert!(log.contains("connection_id: b\n  statement_id: 1\n  sql: \"SELECT 1\""), "{log}");
    assert!(noted(&notes, "b: statements begin anew"), "{notes:?}");
}

/// The example of decision record 005, with the files it speaks of and a prepared statement.
const VERSION_2: &[(&str, &str)] = &[
    (
        "commands.yml",
        r#"---
- method: connect
  connection_id: a
  dsn: server_a
  result:
    server: db.example.com
    database: PROD_DB
    user_hash: a1b2c3d4
- method: connect
  connection_id: b
  dsn: server_b
- method: run
  connection_id: a
  sql: SELECT * FROM table1
  params: []
  statement_id: 1
- method: run
  connection_id: b
  sql: SELECT * FROM table2 WHERE n > ? AND s = ?
  params:
  - 7
  - !binary |-
    w6k=
  statement_id: 1
- method: columns
  connection_id: a
  statement_id: 1
  as_ary: false
  result:
    N: !ruby/object:ODBC::Column
      name: N
      table: TABLE1
      type: 4
      length: 4
      nullable: false
      scale: 0
      precision: 10
      searchable: true
      unsigned: false
      autoincrement:
    S: !ruby/object:ODBC::Column
      name: S
      table: TABLE1
      type: 12
      length: 8
      nullable: true
      scale: 0
      precision: 8
      searchable: true
      unsigned: true
      autoincrement: false
- method: fetch_all
  connection_id: a
  statement_id: 1
  "n": 2
  rows_file: a_1_fetch_all.csv
- method: fetch
  connection_id: b
  statement_id: 1
  result: null
- method: drop
  connection_id: a
  statement_id: 1
"#,
    ),
    ("a_1_fetch_all.csv", "1,\"a \"\"b\"\"\"\n-2,\n3,\"\"\n"),
];

#[test]
fn the_second_version() {
    let (files, notes) = migrated(VERSION_2).unwrap();
    let log = &files["commands.yml"];
    assert!(log.contains("dsn: server_b\n  kind: ansi\n  result: {}\n"), "{log}");
    let prepared = "- method: prepare\n  connection_id: b\n  statement_id: 1\n  sql: \"SELECT * FROM table2 WHERE n > ? AND s = ?\"\n";
    assert!(log.contains(prepared) && log.contains("params: [7, \"é\"]"), "{log}");
    assert_eq!(files["a_1_fetch_all.csv"], "1,\"a \"\"b\"\"\"\n-2,\\N\n3,\n");
    assert!(files["a_1_columns.yml"].starts_with(
        "- name: \"N\"\n  type: 4\n  length: 10\n  scale: 0\n  nullable: 0\n  column_precision: 10\n  display_size: 11\n  unsigned: 0\n  \
         searchable: 3\n  table_name: TABLE1\n  desc_length: 4\n- name: S\n"
    ));
    assert!(noted(&notes, "a/1: not recorded of its columns: autoincrement;"), "{notes:?}");
    assert!(noted(&notes, "b/1: neither columns nor rows are recorded"), "{notes:?}");
    assert!(
        files["metadata.yml"]
            .contains("recorded_with: \"super8 gem\"\ncomplete: true\norder: global\nmigrated_from: 2\n")
    );
}

#[test]
fn the_third_version_with_every_way_of_fetching() {
    let log = r#"---
- {method: connect, connection_id: a, dsn: shop}
- {method: run, connection_id: a, sql: one, params: [], statement_id: 1}
- {method: fetch, connection_id: a, statement_id: 1, result: ["1", x]}
- {method: fetch, connection_id: a, statement_id: 1, result: ["2", null]}
- {method: fetch, connection_id: a, statement_id: 1, result: null}
- {method: close, connection_id: a, statement_id: 1}
- {method: run, connection_id: a, sql: two, params: [], statement_id: 2}
- {method: fetch_hash, connection_id: a, statement_id: 2, result: {N: "1", S: x}}
- {method: run, connection_id: a, sql: three, params: [], statement_id: 3}
- {method: fetch_many, connection_id: a, statement_id: 3, n: 2, rows_file: a_3_fetch_many.csv}
- {method: cancel, connection_id: a, statement_id: 3}
- {method: run, connection_id: a, sql: four, params: [], statement_id: 4}
- {method: each_hash, connection_id: a, statement_id: 4, rows_file: a_4_each_hash.yml}
- {method: run, connection_id: a, sql: five, params: [], statement_id: 5}
- {method: columns, connection_id: a, statement_id: 5, as_ary: true, result: []}
- {method: fetch_all, connection_id: a, statement_id: 5, rows_file: a_5_fetch_all.csv}
"#;
    let files = [
        ("commands.yml", log),
        ("metadata.yml", "---\nschema_version: 3\nrecorded_with: 0.2.1\nrecorded_on: '2025-12-26T10:33:04Z'\n"),
        ("a_3_fetch_many.csv", "1\n2\n"),
        ("a_4_each_hash.yml", "---\n- N: '1'\n- N:\n"),
        ("a_5_fetch_all.csv", ""),
    ];
    let (files, notes) = migrated(&files).unwrap();
    let log = &files["commands.yml"];
    let of = |method: &str| log.matches(&format!("method: {method}\n")).count();
    assert_eq!((of("fetch_all"), of("fetch_many"), of("fetch"), of("columns")), (2, 1, 1, 5), "{log}");
    assert_eq!(files["a_1_fetch_all.csv"], "1,x\n2,\\N\n");
    assert_eq!(files["a_4_fetch_all.csv"], "1\n\\N\n");
    assert!(log.contains("\"n\": 2\n  rows_file: a_3_fetch_many.csv"), "{log}");
    assert!(log.contains("result: [\"1\", x]"), "{log}");
    assert!(files["a_2_columns.yml"].starts_with("- name: \"N\"\n  type: 12\n"), "{}", files["a_2_columns.yml"]);
    assert_eq!(files["a_5_columns.yml"], "[]\n");
    let metadata = &files["metadata.yml"];
    assert!(
        metadata.contains("recorded_with: \"super8 gem 0.2.1\"\nrecorded_on: \"2025-12-26T10:33:04Z\"\n"),
        "{metadata}"
    );
    assert!(noted(&notes, "a/1, a/2, a/3 and 1 more: columns are not recorded"), "{notes:?}");
}

#[test]
fn what_cannot_be_brought_up_is_refused_with_its_place() {
    let refused = |log: &str| {
        let log = format!("- method: connect\n  connection_id: a\n  dsn: shop\n{log}");
        migrated(&[("commands.yml", &log), ("x.csv", "1,2\n1\n"), ("metadata.yml", "schema_version: 3\n")]).unwrap_err()
    };
    let on = |method: &str, more: &str| format!("- method: {method}\n  connection_id: a\n  statement_id: 1\n{more}");
    let run = |more: &str| on("run", &format!("  sql: x\n{more}"));
    for (log, expected) in [
        (on("fetch_first", ""), "commands.yml:4: method: `fetch_first` is not a method"),
        (on("drop", ""), "commands.yml:4: statement_id: statement 1 was never run"),
        (run("").repeat(2), "commands.yml:8: statement_id: statement 1 is run twice"),
        (run("").replace("_id: a", "_id: b"), "commands.yml:4: connection_id: `b` was never connected"),
        (run("  params:\n  - !ruby/object:ODBC::Date {}\n"), "commands.yml:4: params[0]: is a Ruby object"),
        (run("") + &on("fetch_all", "  rows_file: ../x\n"), "is not the name of a file in this cassette"),
        (
            run("") + &on("fetch_all", "  rows_file: x.csv\n"),
            "commands.yml:8: a row has 1 cells, where there are 2 columns",
        ),
        (run("") + &on("columns", "  result: 1\n"), "commands.yml:8: result: is neither a list nor a hash"),
        (
            run("")
                + &on("columns", "  result: [{name: A, type: 12}, {name: B, type: 12}]\n")
                + &on("fetch", "  result: ['1', '2']\n")
                + &on("fetch_many", "  n: 9\n  rows_file: x.csv\n"),
            "commands.yml:16: a row has 1 cells",
        ),
        (
            run("") + &on("fetch_many", "  rows_file: x.csv\n") + &on("fetch_many", "  rows_file: x.csv\n"),
            "rows_file: x.csv has the rows of an earlier command, too",
        ),
    ] {
        let refused = refused(&log);
        assert!(refused.contains(expected), "{log}{refused}");
    }
}

#[test]
fn what_is_none_of_the_gems_is_refused() {
    let log = ("commands.yml", "- method: run\n  sql: x\n  statement_id: 1\n");
    for (files, expected) in [
        (vec![], "old: is not a cassette of the super8 gem: commands.yml is missing"),
        (vec![log], "the key `connection_id` is missing"),
        (vec![log, ("metadata.yml", "schema_version: 4\n")], "is up to date"),
        (vec![log, ("metadata.yml", "schema_version: 5\n")], "upgrade super8"),
        (vec![log, ("metadata.yml", "schema_version: 0\n")], "has no schema 0"),
        (vec![log, ("metadata.yml", "recorded_with: x\n")], "schema_version: is not a number"),
    ] {
        let refused = migrated(&files).unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    }
    assert!(GemCassette::read(Path::new("/nowhere")).unwrap_err().to_string().contains("commands.yml is missing"));
}
