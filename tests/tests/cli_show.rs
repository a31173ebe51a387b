//! `super8 show`: the timeline in a pipe, as JSON, and as a page in a real browser. What is shown does not depend on the
//! format it is read from; the cassettes here are directories because they are written by hand.

use std::path::{Path, PathBuf};
use std::process::Command;
use super8_tests::browser::document;
use super8_tests::conversion::converted;
use super8_tests::outcome::Outcome;
use super8_tests::products;
use super8_tests::scratch::Scratch;

/// Two connections whose commands alternate, with text that wants to be markup wherever text may be.
const COMMANDS: &str = r#"- method: connect
  connection_id: a
  dsn: "<script>document.title='stolen'</script>"
  result:
    database: "shop"
- method: connect
  connection_id: b
  driver: "</title><img src=x onerror=\"document.title='stolen'\">"
- method: run
  connection_id: a
  statement_id: 1
  sql: |-
    select '<b>bold</b>', "x" -- </pre></details><script>document.title='stolen'</script>
      from fruit
- method: columns
  connection_id: a
  statement_id: 1
  columns_file: a_1_columns.yml
- method: run
  connection_id: b
  statement_id: 1
  sql: "select * from vegetables"
  return: SQL_ERROR
  diagnostics:
    - sqlstate: HY000
      native: 1
      message: "no such table: <i>vegetables</i>"
- method: fetch_all
  connection_id: a
  statement_id: 1
  rows_file: a_1_fetch_all.csv
  c_types: [CHAR, CHAR]
- method: drop
  connection_id: b
  statement_id: 1
  result: null
- method: disconnect
  connection_id: b
  result: null
- method: disconnect
  connection_id: a
  result: null
"#;
const METADATA: &str = "schema_version: 4\nrecorded_with: \"super8 <0>\"\nrecorded_on: \"2026-11-21T05:51:00Z\"\n\
    complete: true\norder: global\ndriver:\n  library: \"lib<x>.so\"\n  kind: ansi\n";
const COLUMNS: &str = "- name: \"<u>kind</u>\"\n- name: note\n";
const ROWS: &str = "<script>document.title='stolen'</script>,\\N\napple,\"a \"\"b\"\"\"\npear,\\-\n";

fn cassette(subject: &str) -> (Scratch, PathBuf) {
    let scratch = Scratch::new(subject);
    let cassette = scratch.directory("tape<i>");
    let files = [
        ("commands.yml", COMMANDS),
        ("metadata.yml", METADATA),
        ("a_1_columns.yml", COLUMNS),
        ("a_1_fetch_all.csv", ROWS),
    ];
    for (name, text) in files {
        scratch.write(&format!("tape<i>/{name}"), text);
    }
    (scratch, cassette)
}

fn show(words: &[&str], cassette: &Path) -> String {
    let mut command = Command::new(products::super8());
    command.arg("show").args(words).arg(cassette).env("PATH", "/usr/bin:/bin");
    let outcome = Outcome::of(&command, b"");
    assert!(outcome.succeeded(), "{}", String::from_utf8_lossy(&outcome.all()));
    outcome.text()
}

#[test]
fn lanes_in_a_pipe_without_colours() {
    let (_scratch, cassette) = cassette("show_text");
    let text = show(&["--rows", "2"], &cassette);
    assert!(!text.contains('\x1b'), "colours in a pipe:\n{text}");
    let lanes: Vec<&str> = text.lines().skip(3).map(|line| line.get(7..).unwrap_or_default()).collect();
    let starts = ["┬", "│ ┬", "● │ a/1    run", "│ ● b/1    run", "● │ a/1    fetch_all", "│ │", "│ │", "│ ┴ b", "┴"];
    assert_eq!(lanes.len(), starts.len(), "{text}");
    for (line, start) in lanes.iter().zip(starts) {
        assert!(line.starts_with(start), "{line:?} does not begin with {start:?} in\n{text}");
    }
    assert!(text.contains("all 3 rows") && text.contains("apple | a \"b\""), "{text}");
    assert!(text.contains("SQL_ERROR HY000 no such table"), "{text}");
    assert!(!text.contains("drop") && show(&["--all"], &cassette).contains("drop"), "housekeeping is for --all");
}

#[test]
fn json_has_every_entry() {
    let (_scratch, cassette) = cassette("show_json");
    let json: serde_json::Value = serde_json::from_str(&show(&["--json", "--rows", "1"], &cassette))
        .unwrap_or_else(|error| panic!("no JSON: {error}"));
    let entries = json["entries"].as_array().cloned().unwrap_or_default();
    assert_eq!(entries.len(), 9);
    assert_eq!((&entries[2]["line"], &entries[2]["number"], &entries[3]["number"]), (&9.into(), &3.into(), &().into()));
    assert_eq!((&entries[5]["row_count"], &entries[5]["columns"][1]), (&3.into(), &"note".into()));
    assert_eq!(json["metadata"]["driver"]["kind"], "ansi");
}

/// Only where an entry stands is another matter.
#[test]
fn a_trace_is_shown_as_the_directory_is() {
    let (scratch, cassette) = cassette("show_trace");
    let trace = scratch.join("tape.ndjson");
    converted(&cassette, &trace);
    let lanes = |path: &Path| -> Vec<String> {
        let text = show(&["--all", "--rows", "9"], path);
        text.lines().skip(3).map(|line| line.get(7..).unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(lanes(&trace), lanes(&cassette));
    let entries = |path: &Path| {
        let json: serde_json::Value = serde_json::from_str(&show(&["--json", "--rows", "9"], path)).unwrap_or_default();
        let mut entries = json["entries"].as_array().cloned().unwrap_or_default();
        for entry in &mut entries {
            entry.as_object_mut().map(|entry| entry.remove("line"));
        }
        entries
    };
    assert_eq!(entries(&trace), entries(&cassette));
    assert_eq!(entries(&trace).len(), 9);
}

#[test]
fn scrolls_and_operations_on_rows_are_told_like_fetches() {
    let (scratch, cassette) = cassette("show_scroll");
    let more = "- method: fetch_scroll\n  connection_id: a\n  statement_id: 1\n  orientation: absolute\n  offset: 3\n  \
        result: [7, pear]\n  c_types: [SLONG, CHAR]\n\
        - method: set_pos\n  connection_id: a\n  statement_id: 1\n  operation: update\n  row: 2\n  values:\n    - [2, changed]\n  \
        row_status: [null, 2]\n";
    scratch.write("tape<i>/commands.yml", COMMANDS.to_owned() + more);
    let text = show(&[], &cassette);
    assert!(text.contains("absolute 3  → 1 row"), "{text}");
    assert!(text.contains("update row 2, values [[2, \"changed\"]]\n"), "{text}");
}

#[test]
fn a_broken_cassette_is_an_error_with_its_line() {
    let (scratch, cassette) = cassette("show_broken");
    scratch.write("tape<i>/commands.yml", COMMANDS.replace("method: fetch_all", "method: fetch_none"));
    let mut command = Command::new(products::super8());
    let outcome = Outcome::of(command.arg("show").arg(&cassette), b"");
    assert_eq!(outcome.status, "exit status: 2");
    assert!(outcome.errors().contains("commands.yml:28"), "{}", outcome.errors());
}

/// How often a part occurs.
fn count(document: &str, part: &str) -> usize {
    document.matches(part).count()
}

/// The entry that begins on a line of the log, with its attributes.
fn entry(document: &str, line: u32) -> &str {
    drawn(document, line).unwrap_or_else(|| panic!("no entry of line {line}"))
}

fn drawn(document: &str, line: u32) -> Option<&str> {
    let id = format!("id=\"l{line}\"");
    document.split("<details class=").find(|part| part.lines().next().is_some_and(|head| head.contains(&id)))
}

fn is_hidden(document: &str, line: u32) -> bool {
    drawn(document, line).is_none()
}

#[test]
fn a_page_in_a_browser() {
    let (scratch, cassette) = cassette("show_html");
    let page = scratch.join("tape.html");
    show(&["--html", &page.display().to_string()], &cassette);
    let text = std::fs::read_to_string(&page).unwrap_or_default();
    for outside in ["http://", "https://", "src=", "@import", "url("] {
        assert!(!text.replace("src=x onerror", "").contains(outside), "the page fetches something: {outside}");
    }

    // Nothing of the cassette became markup or ran.
    let plain = document(&page, "");
    assert!(plain.contains("<title>tape&lt;i&gt; · super8</title>"), "the title: {}", &plain[..600]);
    assert_eq!((count(&plain, "<script"), count(&plain, "<img"), count(&plain, "<u>")), (2, 0, 0), "data and script");
    assert!(plain.contains("&lt;script&gt;document.title='stolen'&lt;/script&gt;"));
    // The script ran: commands are shown, answers and housekeeping are not.
    assert!(plain.contains(">7 of 9<"), "{}", &plain[plain.len().saturating_sub(3000)..]);
    assert!(!is_hidden(&plain, 9) && is_hidden(&plain, 15) && is_hidden(&plain, 33) && !is_hidden(&plain, 37));
    // The interleaving: two lanes in the drawing and beside the entries.
    assert_eq!(count(&plain, "<g class="), 2);
    assert_eq!(count(entry(&plain, 19), "<i class="), 2);

    // Nothing of an entry is drawn before it is opened; then all of it is.
    assert!(!entry(&plain, 9).contains("<pre"), "{}", entry(&plain, 9));
    let opened = document(&page, "l28");
    let rows = entry(&opened, 28);
    assert!(
        rows.contains("<th>&lt;u&gt;kind&lt;/u&gt;</th>") && rows.contains("<td>apple</td><td>a \"b\"</td>"),
        "{rows}"
    );
    assert!(rows.contains("NULL</td>") && rows.contains("not read</td>"), "{rows}");
    assert!(
        opened.contains("<summary>commands.yml:28</summary>") && opened.contains("rows_file: \"a_1_fetch_all.csv\"")
    );
    let failed = document(&page, "l19");
    assert!(
        entry(&failed, 19).contains("</code> <span class=\"native\">1</span> no such table: &lt;i&gt;"),
        "{failed}"
    );
    let opened = document(&page, "l9");
    assert!(entry(&opened, 9).split('>').next().is_some_and(|head| head.contains("open")), "{}", entry(&opened, 9));

    let found = document(&page, "q=VEGETABLES%20select");
    assert!(found.contains(">1 of 9<") && !is_hidden(&found, 19) && is_hidden(&found, 9), "searching finds one entry");
    let is_open =
        |document: &str, line: u32| entry(document, line).split('>').next().is_some_and(|head| head.contains("open"));
    assert!(!is_open(&found, 19), "what is found stands in the line: {}", entry(&found, 19));
    assert_eq!(marks(&found), 3, "twice in the SQL, once in the message: {}", entry(&found, 19));
    // what is found inside an entry is opened
    let found = document(&page, "q=a%20%22b%22");
    assert!(is_open(&found, 28) && entry(&found, 28).contains("<td>a \"b\"</td>"), "{}", entry(&found, 28));
    assert!(marks(&found) > 1);
    let none = document(&page, "q=nowhere");
    assert!(none.contains(">0 of 9<") && marks(&none) == 0 && none.contains(">Nothing matches.<"));
    show(&["--rows", "1", "--html", &page.display().to_string()], &cassette);
    let none = document(&page, "q=nowhere");
    assert!(none.contains("Nothing matches. Of long results the page has the first rows:"), "it may be in a later row");
}

/// How many places the page marks as found.
fn marks(document: &str) -> usize {
    let after = document.split("data-marks=\"").nth(1);
    after.and_then(|text| text.split('"').next()?.parse().ok()).unwrap_or_default()
}

/// An execution shows the text that was prepared, and the sets of an array, which are in a file; a fetch shows its statement.
#[test]
fn a_page_with_a_prepared_statement_and_a_file_of_parameters() {
    let (scratch, cassette) = cassette("show_sets");
    let log = "- method: connect\n  connection_id: a\n  dsn: shop\n- method: prepare\n  connection_id: a\n  statement_id: 1\n  \
        sql: \"insert into fruit values (?, ?)\"\n- method: execute\n  connection_id: a\n  statement_id: 1\n  params_file: \
        a_1_execute.csv\n  types: [integer, text]\n- method: run\n  connection_id: a\n  statement_id: 2\n  sql: \"select name \
        from basket\"\n- method: fetch\n  connection_id: a\n  statement_id: 2\n  result: [fig]\n  c_types: [CHAR]\n";
    scratch.write("tape<i>/commands.yml", log);
    let sets: Vec<String> = (1..=20).map(|number| format!("{number},fruit<{number}>\n")).collect();
    scratch.write("tape<i>/a_1_execute.csv", sets.concat());
    let page = scratch.join("tape.html");
    show(&["--html", &page.display().to_string()], &cassette);
    let found = document(&page, "q=insert%20fruit%3C17%3E");
    assert!(found.contains(">1 of 5<"), "{found}");
    let execute = entry(&found, 8);
    assert!(
        execute.contains("<span class=\"asked\">insert into fruit values (?, ?)  a_1_execute.csv</span>"),
        "{execute}"
    );
    assert!(
        execute.contains("<th>parameter 2</th>") && execute.contains("<td>17</td><td>fruit&lt;17&gt;</td>"),
        "{execute}"
    );
    assert!(execute.contains("insert into fruit values (?, ?)</pre>"), "{execute}");
    let fetch = document(&page, "l17");
    assert!(
        entry(&fetch, 17).contains("<pre class=\"sql before\">select name from basket</pre>"),
        "{}",
        entry(&fetch, 17)
    );
    // no more than the first sets are in the page
    show(&["--rows", "5", "--html", &page.display().to_string()], &cassette);
    let less = document(&page, "l8");
    assert!(entry(&less, 8).contains("<p>15 more in a_1_execute.csv</p>"), "{}", entry(&less, 8));
}

/// What many queries have in common stands in the page once: a query costs it little more than its own values.
#[test]
fn a_page_of_many_queries_is_small() {
    let (scratch, cassette) = cassette("show_many");
    let mut log = COMMANDS.to_owned();
    let query = |number: usize| {
        format!(
            "- method: run\n  connection_id: a\n  statement_id: {number}\n  sql: \"SELECT name, price, colour FROM fruit JOIN \
             basket ON basket.fruit = fruit.id WHERE basket.customer = ? ORDER BY name\"\n  params: [{number}]\n- method: fetch\n  \
             connection_id: a\n  statement_id: {number}\n  result: [\"fruit {number}\", {number}]\n  c_types: [CHAR, SLONG]\n- \
             method: fetch\n  connection_id: a\n  statement_id: {number}\n  result: null\n"
        )
    };
    log.extend((2..2002).map(query));
    scratch.write("tape<i>/commands.yml", log);
    let page = scratch.join("tape.html");
    show(&["--html", &page.display().to_string()], &cassette);
    let bytes = std::fs::metadata(&page).map_or(0, |file| file.len());
    assert!(bytes < 2000 * 230, "{bytes} bytes for 2000 queries");
    assert!(!is_hidden(&document(&page, ""), 43));
    let found = document(&page, "q=fruit%201999");
    let line = 43 + 14 * 1997;
    assert!(found.contains(" of 6009<") && is_hidden(&found, 43) && !is_hidden(&found, line), "line {line}");
}
