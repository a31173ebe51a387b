//! `super8 convert` at the command line: there and back, Softprobe's records, what is refused.

use std::process::Command;
use super8_tests::cassette_files::{files, names};
use super8_tests::compare::assert_same_files;
use super8_tests::outcome::Outcome;
use super8_tests::products::{self, repository};
use super8_tests::scratch::Scratch;

fn convert(words: &[&str]) -> Outcome {
    let mut command = Command::new(products::super8());
    command.arg("convert").args(words).env("NO_COLOR", "1");
    Outcome::of(&command, b"")
}

fn text(path: &std::path::Path) -> String {
    path.display().to_string()
}

#[test]
fn a_cassette_becomes_a_trace_and_a_cassette_again() {
    let scratch = Scratch::new("cli_convert");
    let from = repository().join("cassettes/c-postgres");
    let (there, back) = (scratch.join("t/one.ndjson"), scratch.join("back"));
    for (from, to) in [(&from, &there), (&there, &back)] {
        let done = convert(&[&text(from), &text(to)]);
        assert!(done.succeeded() && done.text().contains(" entries, "), "{}", done.text() + &done.errors());
        assert_eq!(done.text().lines().count(), 1, "nothing is left out: {}", done.text());
    }
    assert_same_files("there and back", &from, &back);

    let again = convert(&[&text(&from), &text(&there)]);
    assert!(!again.succeeded() && again.errors().contains("--replace"), "{}", again.errors());
    assert!(convert(&[&text(&from), &text(&there), "--replace", "--json"]).text().contains("\"notes\": []"));
    let foreign = scratch.write("foreign.ndjson", "years of work\n");
    let refused = convert(&[&text(&from), &text(&foreign), "--replace"]);
    assert!(!refused.succeeded() && refused.errors().contains("nothing was touched"), "{}", refused.errors());
    let nothing = convert(&[&text(&scratch.join("nowhere")), &text(&scratch.join("x"))]);
    assert!(!nothing.succeeded() && nothing.errors().contains("there is no cassette here"), "{}", nothing.errors());
    assert!(!scratch.join("x").exists());
}

/// A rows file that is lost would be rows that nobody misses in the copy.
#[test]
fn a_cassette_without_one_of_its_files_is_not_copied() {
    let scratch = Scratch::new("cli_convert_lost");
    let (from, to) = (scratch.join("from"), scratch.join("to.ndjson"));
    let whole = repository().join("cassettes/c-postgres");
    let mut lost = 0;
    for name in names(&whole).iter().filter(|name| name.ends_with(".csv") || name.ends_with("_columns.yml")) {
        let _ = std::fs::remove_dir_all(&from);
        std::fs::create_dir(&from).unwrap();
        files(&whole).iter().for_each(|(file, bytes)| {
            std::fs::write(from.join(file.file_name().unwrap()), bytes).unwrap();
        });
        std::fs::remove_file(from.join(name)).unwrap();
        let refused = convert(&[&text(&from), &text(&to)]);
        assert!(!refused.succeeded(), "{name}: {}", refused.text());
        assert!(refused.errors().contains(&format!("{name} is not there; restore it")), "{name}: {}", refused.errors());
        assert!(refused.errors().contains("commands.yml:") && !to.exists(), "{name}: {}", refused.errors());
        lost += 1;
    }
    assert!(lost > 1, "{lost}");
}

#[test]
fn a_bare_name_is_a_file_of_the_working_directory() {
    let scratch = Scratch::new("cli_convert_bare");
    let from = text(&repository().join("cassettes/c-postgres"));
    for words in [["convert", &from, "one.ndjson"], ["convert", "one.ndjson", "back"]] {
        let mut command = Command::new(products::super8());
        command.args(words).current_dir(scratch.path());
        let done = Outcome::of(&command, b"");
        assert!(done.succeeded(), "{words:?}: {}", done.errors());
    }
    assert_same_files("there and back", &repository().join("cassettes/c-postgres"), &scratch.join("back"));
}

#[test]
fn what_records_of_softprobe_do_not_say_is_listed() {
    let scratch = Scratch::new("cli_import");
    let from = repository().join("tests/tests/softprobe/product.ndjson");
    let to = scratch.join("product");
    let done = convert(&["--dsn", "shop", "--user", "ada", &text(&from), &text(&to)]);
    assert!(done.succeeded(), "{}", done.errors());
    for expected in
        ["line 2: column name: text", "the SQLSTATE of the error", "the connection is to shop with the user ada"]
    {
        assert!(done.text().contains(expected), "{expected} is not said:\n{}", done.text());
    }
    let log = super8_tests::cassette_files::commands(&to);
    assert!(log.contains("sql: \"SELECT name FROM product WHERE id = ?\"\n  params: [2]\n"), "{log}");
    assert!(log.contains("dsn: shop") && log.contains("user_hash: ") && !log.contains("ada"), "{log}");
}

/// That what the flags make of records is what a client asks for, is shown in `imported.rs`.
#[test]
fn what_a_client_does_is_told_by_flags() {
    let scratch = Scratch::new("cli_import_flags");
    let from = text(&repository().join("tests/tests/softprobe/softprobe-js.ndjson"));
    let methods = |name: &str, words: &[&str]| {
        let to = scratch.join(name);
        let done = convert(&[words, &[&from, &text(&to)]].concat());
        assert!(done.succeeded(), "{}", done.errors());
        let log = super8_tests::cassette_files::commands(&to);
        ["run", "prepare", "execute", "more_results"]
            .map(|method| log.matches(&format!("- method: {method}\n")).count())
    };
    let [queries, ..] = methods("plain", &[]);
    assert!(queries > 0);
    let [direct, prepared, executed, none] = methods("parameters", &["--calls", "prepare-parameters"]);
    assert!(direct > 0 && prepared > 0 && direct + prepared == queries && executed == prepared && none == 0);
    assert_eq!(methods("isql", &["--calls", "prepare,more-results"]), [0, queries, queries, queries]);
    assert_eq!(methods("twice", &["--calls=prepare", "--calls=more-results"]), [0, queries, queries, queries]);

    let plain = text(&scratch.join("plain"));
    for (words, why) in [
        (vec!["--calls", "guess"], "prepare-parameters"),
        (vec!["--like", &plain, "--dsn", "shop"], "cannot be used with"),
        (vec!["--like", &plain], "a statement is run here"),
        (vec!["--like", "/nonexistent/tape"], "there is no cassette here"),
    ] {
        let to = scratch.join("refused");
        let refused = convert(&[&words[..], &[&from, &text(&to)]].concat());
        assert!(!refused.succeeded() && refused.errors().contains(why), "{words:?}: {}", refused.errors());
        assert!(!to.exists(), "{words:?}");
    }
}
