//! Large cassettes: the verbs that read all of a cassette hold a window of it, however many entries and rows it has; and the page
//! of a long one is there at once.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super8_tests::browser;
use super8_tests::packages;
use super8_tests::products;
use super8_tests::scratch::Scratch;

const METADATA: &str =
    "schema_version: 4\nrecorded_with: \"super8 0.1.0\"\nrecorded_on: \"2026-11-21T05:51:00Z\"\ncomplete: true\n";
const CONNECT: &str = "- method: connect\n  connection_id: a\n  dsn: shop\n  result:\n    database: shop.db\n";

/// A cassette of point queries, each of another text; with `every`, the texts of some differ from those of a cassette without.
fn point_queries(directory: &Path, queries: usize, every: Option<usize>) {
    let mut log = CONNECT.to_owned();
    for number in 1..=queries {
        let own = if every.is_some_and(|every| number % every == 0) { " and 1" } else { "" };
        let of = format!("\n  connection_id: a\n  statement_id: {number}\n");
        let _ = write!(
            log,
            "- method: run{of}  sql: \"select name from fruit where id = {number}{own}\"\n- method: columns{of}  columns_file: \
             a_1_columns.yml\n- method: fetch{of}  result: [\"apple number {number}\"]\n  c_types: [CHAR]\n- method: \
             fetch{of}  result: null\n- method: close{of}  result: null\n"
        );
    }
    files(directory, &[("commands.yml", &log), ("a_1_columns.yml", "- name: name\n  type: 12\n")]);
}

/// A cassette of one query with so many rows of a hundred bytes.
fn many_rows(directory: &Path, rows: usize) {
    let of = "\n  connection_id: a\n  statement_id: 1\n";
    let log = format!(
        "{CONNECT}- method: run{of}  sql: \"select note from fruit\"\n- method: fetch_all{of}  \"n\": {rows}\n  rows_file: \
         a_1_fetch_all.csv\n  c_types: [CHAR]\n"
    );
    let mut text = String::new();
    (0..rows).for_each(|row| _ = writeln!(text, "{row:010} {}", "x".repeat(88)));
    files(directory, &[("commands.yml", &log), ("a_1_fetch_all.csv", &text)]);
}

fn files(directory: &Path, files: &[(&str, &str)]) {
    std::fs::create_dir_all(directory).unwrap();
    for (name, text) in [("metadata.yml", METADATA)].iter().chain(files) {
        std::fs::write(directory.join(name), text).unwrap();
    }
}

/// The most memory, in KiB, that the command had at once, which ends with this exit code.
fn peak(words: &[&str], exit: i32) -> u64 {
    let (peak, code) = run_for_peak(words);
    assert_eq!(code, Some(exit), "{words:?}");
    peak
}

/// The same, and its exit code.
fn run_for_peak(words: &[&str]) -> (u64, Option<i32>) {
    let scratch = Scratch::new("large_peak");
    let told = scratch.join("peak");
    let mut command = Command::new(packages::program("time", "time"));
    command.args(["--quiet", "--format=%M", "--output"]).arg(&told).arg(products::super8()).args(words);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let peak = std::fs::read_to_string(&told).unwrap();
    (peak.trim().parse().unwrap_or_else(|_| panic!("{words:?}: {peak}")), status.code())
}

/// What a verb may take more for ten times as much: windows that fill up.
const MORE: u64 = 10 * 1024;

/// What the documentation says that a verb takes at most.
const MOST: u64 = 40 * 1024;

/// Runs every verb over a cassette of one size and of ten times that; `make` makes one, and one that differs from it.
fn memory_does_not_grow(name: &str, make: &dyn Fn(&Path, usize, bool), size: usize) {
    let scratch = Scratch::new(name);
    let path = |name: &str| scratch.join(name).display().to_string();
    let [small, large] = [size, 10 * size].map(|size| {
        make(&scratch.join("one"), size, false);
        make(&scratch.join("other"), size, true);
        let (one, other, trace, page) = (&*path("one"), &*path("other"), &*path("trace.ndjson"), &*path("page.html"));
        vec![
            ("show", peak(&["show", one], 0)),
            ("show --json", peak(&["show", "--json", "--rows", "5", one], 0)),
            ("show --html", peak(&["show", "--html", page, one], 0)),
            // more than 1 MiB is told
            ("check", peak(&["check", one], 1)),
            ("convert", peak(&["convert", "--replace", one, trace], 0)),
            ("convert back", peak(&["convert", "--replace", trace, &path("back")], 0)),
            ("show a trace", peak(&["show", trace], 0)),
            ("check a trace", peak(&["check", trace], 1)),
            ("diff of equals", peak(&["diff", one, trace], 0)),
            ("diff", peak(&["diff", one, other], 1)),
            ("diff --json", peak(&["diff", "--json", one, other], 1)),
        ]
    });
    for ((verb, small), (_, large)) in small.into_iter().zip(large) {
        println!("{name}, {verb}: {small} KiB, {large} KiB");
        assert!(large < MOST, "{verb}: {large} KiB");
        assert!(small > 0 && large < small + MORE, "{verb}: {small} KiB for {size}, {large} KiB for ten times as much");
    }
}

#[test]
fn memory_does_not_grow_with_entries() {
    let make = |directory: &Path, queries, other: bool| point_queries(directory, queries, other.then_some(50));
    memory_does_not_grow("large_entries", &make, 4_000);
}

#[test]
fn memory_does_not_grow_with_rows() {
    let make = |directory: &Path, rows, other: bool| many_rows(directory, rows + usize::from(other));
    memory_does_not_grow("large_rows", &make, 20_000);
}

/// A line of 500 MB, of which nothing is read behind 80 MiB: those are letters, the rest takes no room on the disk.
fn endless_line(file: &Path, begin: &str) {
    let mut open = std::fs::File::create(file).unwrap();
    open.write_all(begin.as_bytes()).unwrap();
    let letters = vec![b'x'; 1 << 20];
    (0..80).for_each(|_| open.write_all(&letters).unwrap());
    open.set_len(500_000_000).unwrap();
}

/// Whoever reads a cassette holds a piece of it several times, so a piece is bounded: a line without an end is refused, with its file and
/// line, in little memory.
#[test]
fn a_line_of_500_mb_is_refused_in_little_memory() {
    const MOST_REFUSED: u64 = 200 * 1024;
    let scratch = Scratch::new("large_line");
    let of = "\n  connection_id: a\n  statement_id: 1\n";
    let log = format!(
        "{CONNECT}- method: run{of}  sql: \"select 1\"\n- method: fetch_all{of}  \"n\": 2\n  rows_file: a_1_fetch_all.csv\n  c_types: \
         [CHAR]\n"
    );
    let (entry, rows, trace) = (scratch.join("entry"), scratch.join("rows"), scratch.join("trace"));
    files(&entry, &[("commands.yml", "")]);
    endless_line(&entry.join("commands.yml"), &format!("{CONNECT}- method: run{of}  sql: \"select "));
    files(&rows, &[("commands.yml", &log), ("a_1_fetch_all.csv", "")]);
    endless_line(&rows.join("a_1_fetch_all.csv"), "one\n");
    let whole = scratch.join("whole");
    point_queries(&whole, 1, None);
    std::fs::create_dir_all(&trace).unwrap();
    let trace = trace.join("trace.ndjson");
    let text = |path: &Path| path.display().to_string();
    assert!(peak(&["convert", &text(&whole), &text(&trace)], 0) > 0);
    let header = std::fs::read_to_string(&trace).unwrap().lines().next().unwrap().to_owned();
    endless_line(&trace, &format!("{header}\n{{\"version\":\""));
    for (cassette, told) in [
        (&entry, "commands.yml:6: unreadable: an item of more than 64 MiB"),
        (&rows, "a_1_fetch_all.csv:2: unreadable: a row of more than 64 MiB"),
        (&trace, "trace.ndjson:2: unreadable: a line of more than 64 MiB"),
    ] {
        let (cassette, copy) = (text(cassette), text(&scratch.join("copy")));
        let output = Command::new(products::super8()).args(["check", &cassette]).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains(told), "{told}: {output:?}");
        for words in [
            vec!["check", &cassette],
            vec!["show", &cassette],
            vec!["diff", &cassette, &text(&whole)],
            vec!["convert", "--replace", &cassette, &copy],
        ] {
            let (most, code) = run_for_peak(&words);
            println!("{}, {}: {most} KiB", words[0], cassette);
            assert!(matches!(code, Some(1 | 2)), "{words:?}: {code:?}");
            assert!(most < MOST_REFUSED, "{words:?}: {most} KiB");
        }
    }
}

/// A piece just below the bound is held four times at most, by whoever copies or compares it.
#[test]
fn a_piece_of_60_mb_is_copied_and_compared_in_little_memory() {
    const MOST_COPIED: u64 = 288 * 1024;
    let scratch = Scratch::new("large_piece");
    let of = "\n  connection_id: a\n  statement_id: 1\n";
    let long = "x".repeat(60_000_000);
    let [entry, rows] = ["entry", "rows"].map(|name| scratch.join(name));
    files(&entry, &[("commands.yml", &format!("{CONNECT}- method: run{of}  sql: \"select {long}\"\n"))]);
    let log = format!(
        "{CONNECT}- method: run{of}  sql: \"select 1\"\n- method: fetch_all{of}  \"n\": 2\n  rows_file: a_1_fetch_all.csv\n  c_types: \
         [CHAR]\n"
    );
    files(&rows, &[("commands.yml", &log), ("a_1_fetch_all.csv", &format!("{long}\ny\n"))]);
    drop(long);
    let path = |name: &str| scratch.join(name).display().to_string();
    let (trace, back, trace_of_rows) = (path("entry.ndjson"), path("back"), path("rows.ndjson"));
    let (entry, rows) = (path("entry"), path("rows"));
    for words in [
        vec!["convert", &entry, &trace],
        vec!["convert", &trace, &back],
        vec!["diff", &entry, &trace],
        vec!["convert", &rows, &trace_of_rows],
    ] {
        let most = peak(&words, 0);
        println!("{words:?}: {most} KiB");
        assert!(most < MOST_COPIED, "{words:?}: {most} KiB");
    }
}

/// Time until the page is ready, as a multiple of that of [`PLAIN_SEARCH`].
const MOST_TO_OPEN: f64 = 4.0;
/// Time of a search, as a multiple of that of [`PLAIN_SEARCH`].
const MOST_TO_SEARCH: f64 = 5.0;

/// A page that builds as many entries as the large cassette has, writes and reads them as JSON, and looks for a text in each of
/// them. It gives its times as the page of `super8 show --html` does.
const PLAIN_SEARCH: &str = r#"<!doctype html><meta charset="utf-8"><output id="count" title=""></output><script>
const made = Array.from({ length: 100001 }, (_, at) => [at, 0, 1, "select * from t where id = " + at]);
const steps = JSON.parse(JSON.stringify(made));
const begun = performance.now();
const found = steps.filter((step) => step.join(" ").toLowerCase().includes("id = 1999"));
const count = document.getElementById("count");
count.textContent = found.length + " of " + steps.length;
count.title = (performance.now() - begun).toFixed(1) + " ms";
document.documentElement.dataset.ready = performance.now().toFixed(1);
</script>"#;

/// A reader waits a second for the page of a hundred thousand entries, and a tenth of one for a search in it, on an idle
/// machine. The test compares both with what the same browser needs for [`PLAIN_SEARCH`], because a busy machine slows both.
#[test]
fn the_page_of_a_hundred_thousand_entries_is_there_at_once() {
    let scratch = Scratch::new("large_page");
    let (cassette, page, plain) = (scratch.join("tape"), scratch.join("page.html"), scratch.join("plain.html"));
    point_queries(&cassette, 20_000, None);
    assert!(peak(&["show", "--html", &page.display().to_string(), &cassette.display().to_string()], 0) > 0);
    assert!(std::fs::metadata(&page).unwrap().len() < 8 << 20);
    std::fs::write(&plain, PLAIN_SEARCH).unwrap();
    let milliseconds = |page: &Path, fragment: &str, told: &str, attribute: &str| {
        let document = browser::document_at_once(page, fragment);
        assert!(document.contains(told), "{told}: {}", &document[document.len().saturating_sub(3000)..]);
        let value = document.split_once(attribute).unwrap().1;
        value.split(['"', ' ']).next().unwrap().parse::<f64>().unwrap()
    };
    let (ready, searched) = ("data-ready=\"", "<output id=\"count\" title=\"");
    for (fragment, told, attribute, most) in [
        ("", ">60001 of 100001<", ready, MOST_TO_OPEN),
        ("q=id%20%3D%201999", ">20 of 100001<", searched, MOST_TO_SEARCH),
    ] {
        // one browser after the other, so that both meet the same load; the least of each counts
        let both = (0..3).map(|_| {
            (milliseconds(&page, fragment, told, attribute), milliseconds(&plain, "", ">11 of 100001<", attribute))
        });
        let (ours, bare) =
            both.fold((f64::INFINITY, f64::INFINITY), |least, both| (least.0.min(both.0), least.1.min(both.1)));
        println!("#{fragment}: {ours} ms, plain {bare} ms: {:.2}", ours / bare);
        assert!(ours < bare * most, "#{fragment}: {ours} ms is more than {most} times {bare} ms");
    }
}
