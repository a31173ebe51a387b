//! Cassettes that are damaged: `player.c` replays them with a guard on either side of every buffer it has, through the driver
//! manager and without. Whatever a cassette says, nothing is written outside a buffer, nothing crashes, hangs or takes more than
//! 256 MiB; and what is certainly wrong is refused with its file and line, at replay and by `super8 check`.
//!
//! `cargo xtask fuzz --seconds N --seed S` damages cassettes at random for longer than the test here does.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use super8_tests::c_compiler::compiled;
use super8_tests::configuration::Configuration;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::mutation::{Random, damage};
use super8_tests::products;
use super8_tests::scratch::Scratch;

/// How the player reaches super8.
const WAYS: [&str; 2] = ["manager", "library"];

/// A recorded session of the player's.
struct Session {
    scratch: Scratch,
    format: Format,
    /// What `overflow.c` does in place of the player.
    overflow: Option<&'static str>,
}

impl Session {
    fn new(subject: &str, format: Format) -> Session {
        Session::of(subject, format, None)
    }

    fn of(subject: &str, format: Format, overflow: Option<&'static str>) -> Session {
        let session = Session { scratch: Scratch::new(subject), format, overflow };
        for (name, real) in [("record", Driver::Sqlite.path()), ("replay", PathBuf::from("/nonexistent.so"))] {
            let keys = [("Driver", library()), ("RealDriver", real.display().to_string())];
            Configuration::new(session.scratch.directory(name)).driver("played", &keys).write();
        }
        let recorded = session.run("record", "manager", &session.recorded());
        assert_eq!(recorded.status.code(), Some(0), "{}", shown(&recorded));
        session
    }

    /// The directory of the cassette as it was recorded.
    fn recorded(&self) -> PathBuf {
        self.scratch.join("tape")
    }

    fn run(&self, mode: &str, way: &str, cassette: &Path) -> Output {
        let (library, string) = (library(), "DRIVER={played};Database=:memory:");
        let mut player = Command::new(compiled(self.overflow.map_or("player.c", |_| "overflow.c")));
        match self.overflow {
            Some(what) => player.args([string, what]),
            None => player.args([if way == "library" { library.as_str() } else { way }, string]),
        };
        Configuration::new(self.scratch.directory(mode)).apply(&mut player);
        player.env("SUPER8_MODE", mode).env("SUPER8_CASSETTE", cassette).env("SUPER8_FORMAT", self.format.name());
        player.output().unwrap_or_else(|error| panic!("the player cannot be started: {error}"))
    }

    /// A copy of what was recorded.
    fn copy(&self, name: &str) -> PathBuf {
        let (from, to) = (self.recorded(), self.scratch.join(name).join("tape"));
        let _ = std::fs::remove_dir_all(self.scratch.join(name));
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().flatten() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
        to
    }
}

fn library() -> String {
    Driver::Sqlite.shim().path().display().to_string()
}

fn check(cassette: &Path) -> Output {
    let mut check = Command::new("sh");
    check.args(["-c", "ulimit -v 300000; exec timeout -s ABRT 10 \"$0\" check \"$1\""]);
    check.arg(products::super8()).arg(cassette);
    check.output().unwrap_or_else(|error| panic!("super8 cannot be started: {error}"))
}

fn shown(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// What is wrong with how a replay or a check ended, whatever the cassette.
fn fault(output: &Output) -> Option<String> {
    let text = shown(output);
    let words =
        ["WRITTEN OUTSIDE", "ROWS OF", "SETS OF", "ENDLESS", "panicked at", "internal error", "memory allocation"];
    match words.iter().find(|word| text.contains(**word)) {
        Some(word) => Some((*word).to_owned()),
        None if output.status.signal().is_some() || output.status.code().is_none_or(|code| code > 3) => {
            Some(output.status.to_string())
        }
        None => None,
    }
}

/// Damages the log of a copy: the first of these texts that stands in it, by format.
fn edited(session: &Session, yaml: (&str, &str), ndjson: (&str, &str)) -> PathBuf {
    edited_in(session, &session.format.log("tape"), if session.format == Format::Yaml { yaml } else { ndjson })
}

/// Damages one file of a copy.
fn edited_in(session: &Session, name: &str, (from, to): (&str, &str)) -> PathBuf {
    let copy = session.copy("edited");
    let file = copy.join(name);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "no `{from}` in {}", file.display());
    std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
    copy
}

/// Replays a damaged cassette both ways: it does no harm, and says all of these words.
#[track_caller]
fn refused_at_replay(session: &Session, cassette: &Path, words: &[&str]) {
    for way in WAYS {
        let replayed = session.run("replay", way, cassette);
        let text = shown(&replayed);
        assert_eq!(fault(&replayed), None, "{way}: {text}");
        for word in words {
            assert!(text.contains(word), "{way}: `{word}` is not in: {text}");
        }
    }
}

/// The replay and the check of a cassette name the log, a line and these words.
#[track_caller]
fn refused(session: &Session, cassette: &Path, words: &[&str]) {
    // a place with another file than the log is named by the test
    let place = format!("{}:", session.format.log("tape"));
    let named = words[0].contains("csv:") || words[0].contains("yml:");
    let words: Vec<&str> = words.iter().copied().chain((!named).then_some(place.as_str())).collect();
    refused_at_replay(session, cassette, &words);
    let checked = check(cassette);
    assert_eq!((checked.status.code(), fault(&checked)), (Some(1), None), "{}", shown(&checked));
    for word in words {
        assert!(shown(&checked).contains(word), "check: `{word}` is not in: {}", shown(&checked));
    }
}

#[test]
fn what_is_whole_is_played() {
    in_both_formats(|format| {
        let session = Session::new("damaged_whole", format);
        for way in WAYS {
            let replayed = session.run("replay", way, &session.recorded());
            assert_eq!((replayed.status.code(), fault(&replayed)), (Some(0), None), "{way}: {}", shown(&replayed));
        }
        let checked = check(&session.recorded());
        assert_eq!(checked.status.code(), Some(0), "{}", shown(&checked));
    });
}

/// More rows, states or a larger count than the program asked for: nothing is written behind its arrays.
#[test]
fn more_rows_than_the_program_asked_for_are_refused() {
    in_both_formats(|format| {
        let session = Session::new("damaged_rowset", format);
        let scroll = ("  orientation: first\n", r#""orientation":"first","#);
        let with = |yaml: &str, ndjson: &str| {
            edited(
                &session,
                (scroll.0, &format!("  orientation: first\n  {yaml}\n")),
                (scroll.1, &format!("{}{ndjson},", scroll.1)),
            )
        };
        let counted = with("rows_fetched: 1000000", r#""rows_fetched":1000000"#);
        refused(&session, &counted, &["says 1000000 rows, and the program asked for 4"]);
        let states = with("row_status: [0, 0, 0, 0, 0, 0]", r#""row_status":[0,0,0,0,0,0]"#);
        refused(&session, &states, &["is of 6 rows, and the program asked for 4"]);
        let sets = edited(
            &session,
            ("  params_processed: 3\n", "  params_processed: 4000\n"),
            (r#""params_processed":3"#, r#""params_processed":4000"#),
        );
        refused(&session, &sets, &["says 4000 sets, and the program asked for 3"]);
    });
    let session = Session::new("damaged_scroll_rows", Format::Yaml);
    let copy = edited(
        &session,
        ("\"n\": 4\n  rows_file: a_16_fetch_scroll.csv", "\"n\": 40\n  rows_file: a_16_fetch_scroll.csv"),
        ("", ""),
    );
    let rows = copy.join("a_16_fetch_scroll.csv");
    let text = std::fs::read_to_string(&rows).unwrap();
    std::fs::write(&rows, text.repeat(10)).unwrap();
    refused(&session, &copy, &["there are more rows than the 4 that the program asked for"]);
}

/// A program with arrays of four rows and 64 KiB behind them that a cassette would write to.
#[test]
fn a_scroll_of_more_rows_than_the_arrays_have() {
    in_both_formats(|format| {
        let session = Session::of("damaged_overflow_scroll", format, Some("scroll"));
        let asked = ("  orientation: absolute\n", r#""orientation":"absolute","#);
        let rows: Vec<String> = (0..2000).map(|row| format!("[{row}]")).collect();
        let states = vec!["0"; 2000].join(", ");
        for (key, value, words) in [
            ("rows_fetched", "1000000", "says 1000000 rows, and the program asked for 4"),
            ("row_status", &*format!("[{states}]"), "is of 2000 rows, and the program asked for 4"),
            ("rows", &format!("[{}]", rows.join(", ")), "is of 2000 rows, and the program asked for 4"),
        ] {
            let copy = edited(
                &session,
                (asked.0, &format!("{}  {key}: {value}\n", asked.0)),
                (asked.1, &format!("{}\"{key}\":{value},", asked.1)),
            );
            refused(&session, &copy, &[words]);
        }
    });
}

/// The same of sets of parameters.
#[test]
fn a_command_of_more_sets_than_the_arrays_have() {
    in_both_formats(|format| {
        let session = Session::of("damaged_overflow_arrays", format, Some("arrays"));
        let states = vec!["0"; 4000].join(", ");
        let processed = ("  params_processed: 3\n", r#""params_processed":3"#);
        for (key, value, words) in [
            ("params_processed", "4000", "says 4000 sets, and the program asked for 3"),
            ("param_status", &*format!("[{states}]"), "is of 4000 sets, and the program asked for 3"),
        ] {
            let copy = edited(
                &session,
                (processed.0, &format!("  {key}: {value}\n")),
                (processed.1, &format!(r#""{key}":{value}"#)),
            );
            refused(&session, &copy, &[words]);
        }
    });
}

/// Words nobody knows are told with the nearest right one.
#[test]
fn unknown_words_are_refused() {
    in_both_formats(|format| {
        let session = Session::new("damaged_words", format);
        let typed = edited(
            &session,
            ("c_types: [SLONG", "c_types: [SLOGN"),
            (r#""c_types":["SLONG""#, r#""c_types":["SLOGN""#),
        );
        refused(&session, &typed, &["`SLOGN` is not a known C type", "did you mean `SLONG`?"]);
        let returned = edited(
            &session,
            ("return: SQL_ERROR", "return: SQL_EROR"),
            (r#""return":"SQL_ERROR""#, r#""return":"SQL_EROR""#),
        );
        refused(&session, &returned, &["`SQL_EROR` is not a known return code", "did you mean `SQL_ERROR`?"]);
        let key = edited(&session, ("  orientation:", "  orientaton:"), (r#""orientation":"#, r#""orientaton":"#));
        refused(&session, &key, &["`orientaton` is not a known key of fetch_scroll", "did you mean `orientation`?"]);
    });
}

/// The answers about a connection and the columns of a result are read as strictly as the log.
#[test]
fn unknown_words_in_answers_and_columns_are_refused() {
    in_both_formats(|format| {
        let session = Session::new("damaged_answers", format);
        let yaml = format == Format::Yaml;
        let log = format.log("tape");
        let (answers, columns) = if yaml { ("a_info.yml", "a_14_columns_2.yml") } else { (&*log, &*log) };
        let told = |name: &str, yaml_edit: (&str, &str), ndjson_edit: (&str, &str), words: &[&str]| {
            let copy = edited_in(&session, name, if yaml { yaml_edit } else { ndjson_edit });
            let place = format!("{name}:");
            refused(&session, &copy, &[&[place.as_str()], words].concat());
        };
        let key = ["`inof` is not a known key of an answer", "did you mean `info`?"];
        told(answers, ("  info: 17", "  inof: 17"), (r#""info":17"#, r#""inof":17"#), &key);
        let function = ["`SQLGetInof` is not a known ODBC function", "did you mean `SQLGetInfo`?"];
        told(
            answers,
            ("function: SQLGetInfo", "function: SQLGetInof"),
            (r#""function":"SQLGetInfo""#, r#""function":"SQLGetInof""#),
            &function,
        );
        let supported = ["`SQLBindCool` is not a known ODBC function", "did you mean `SQLBindCol`?"];
        told(answers, (" SQLBindCol,", " SQLBindCool,"), (r#""SQLBindCol","#, r#""SQLBindCool","#), &supported);
        let number = "result: 18446744073709551615";
        told(
            answers,
            ("result: SQLite\n", &format!("{number}\n")),
            (r#""result":"SQLite""#, r#""result":18446744073709551615"#),
            &["result: is not a 64-bit number"],
        );
        let (text, product) = (("result: SQLite\n", "result: 42\n"), (r#""result":"SQLite""#, r#""result":42"#));
        let copy = edited_in(&session, answers, if yaml { text } else { product });
        let asked = "result: is a number, and the program asks for text";
        refused_at_replay(&session, &copy, &[&format!("{answers}:"), asked]);
        let named = ["name: is a number in place of text"];
        told(columns, ("- name: id", "- name: 7"), (r#"{"name":"id""#, r#"{"name":7"#), &named);
        let typed = ["type: is text in place of a number"];
        told(columns, ("  type: 4\n", "  type: integer\n"), (r#""type":4,"#, r#""type":"integer","#), &typed);
        let field = ["`nmae` is not a known field of a column", "did you mean `name`?"];
        told(columns, ("- name: id", "- nmae: id"), (r#"{"name":"id""#, r#"{"nmae":"id""#), &field);
    });
}

/// A rows file that lost a line, blanks or its content, or has what git leaves of a conflict.
#[test]
fn rows_files_that_were_changed_are_refused() {
    let session = Session::new("damaged_rows", Format::Yaml);
    let name = "a_15_fetch_all.csv";
    let change = |change: &dyn Fn(String) -> String| {
        let copy = session.copy("rows");
        let text = std::fs::read_to_string(copy.join(name)).unwrap();
        assert!(text.contains(",\" name1\","), "a cell that begins with a blank is quoted: {text}");
        std::fs::write(copy.join(name), change(text)).unwrap();
        copy
    };
    refused(&session, &change(&|_| String::new()), &["n says 11 rows, and there are none"]);
    let shorter = change(&|text| text.split_inclusive('\n').skip(1).collect());
    refused(&session, &shorter, &["n says 11 rows, and there are only 10"]);
    let marked = change(&|text| format!("<<<<<<< HEAD\n{text}"));
    refused(&session, &marked, &["a_15_fetch_all.csv:1", "a merge conflict marker"]);
    let misfit = change(&|text| text.replacen("3,", "three,", 1));
    refused(&session, &misfit, &["a_15_fetch_all.csv:4", "field 1", "`three` is not a valid SLONG"]);
    let copy = session.copy("rows");
    std::fs::remove_file(copy.join(name)).unwrap();
    refused(&session, &copy, &[&format!("rows_file: {name} is not there; restore it, or record again")]);
    let converted = session.scratch.join("converted.ndjson");
    let output = Command::new(products::super8()).arg("convert").arg(&copy).arg(&converted).output().unwrap();
    assert!(!output.status.success() && !converted.exists(), "{}", shown(&output));
    assert!(shown(&output).contains(&format!("rows_file: {name} is not there")), "{}", shown(&output));
}

/// What takes blanks off the ends of lines, as editors and hooks do, changes nothing.
#[test]
fn blanks_at_the_ends_of_lines_may_be_removed() {
    let session = Session::new("damaged_blanks", Format::Yaml);
    let copy = session.copy("blanks");
    for entry in std::fs::read_dir(&copy).unwrap().flatten() {
        let text = std::fs::read_to_string(entry.path()).unwrap();
        let trimmed: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        std::fs::write(entry.path(), trimmed).unwrap();
    }
    let [whole, trimmed] =
        [&session.recorded(), &copy].map(|cassette| shown(&session.run("replay", "manager", cassette)));
    assert_eq!(whole, trimmed);
    assert!(shown(&check(&copy)).contains("nothing found"), "{}", shown(&check(&copy)));
}

/// An array of more than 16 sets of parameters stands in a file of its own.
#[test]
fn parameter_files_that_were_changed_are_refused() {
    let session = Session::new("damaged_sets", Format::Yaml);
    let log = std::fs::read_to_string(session.recorded().join("commands.yml")).unwrap();
    let name = log.lines().find_map(|line| line.trim().strip_prefix("params_file: ")).unwrap();
    let change = |change: &dyn Fn(String) -> String| {
        let copy = session.copy("sets");
        let text = std::fs::read_to_string(copy.join(name)).unwrap();
        std::fs::write(copy.join(name), change(text)).unwrap();
        copy
    };
    let shorter = change(&|text| text.split_inclusive('\n').skip(1).collect());
    refused(&session, &shorter, &["says 20 sets, and the program asked for 19"]);
    let misfit = change(&|text| text.replacen("203,", "2o3,", 1));
    refused(&session, &misfit, &[&format!("{name}:4"), "field 1: there is no value of type integer"]);
    let copy = session.copy("sets");
    std::fs::remove_file(copy.join(name)).unwrap();
    refused(&session, &copy, &[&format!("params_file: {name} is not there; restore it, or record again")]);
}

/// A plain fetch does not say in advance for how many rows: what it says of more than the program has room for is refused.
#[test]
fn a_fetch_that_failed_says_no_more_than_there_is_room_for() {
    let session = Session::new("damaged_failure", Format::Yaml);
    let log = std::fs::read_to_string(session.recorded().join("commands.yml")).unwrap();
    let begin = log.find("- method: fetch_all\n  connection_id: a\n  statement_id: 15\n").unwrap();
    let end = begin + log[begin + 1..].find("\n- ").unwrap() + 2;
    let failed = |said: &str| {
        let copy = session.copy("failed");
        let entry = format!(
            "- method: fetch\n  connection_id: a\n  statement_id: 15\n  {said}\n  result: null\n  return: SQL_ERROR\n"
        );
        std::fs::write(copy.join("commands.yml"), [&log[..begin], &entry, &log[end..]].concat()).unwrap();
        std::fs::remove_file(copy.join("a_15_fetch_all.csv")).unwrap();
        copy
    };
    let states = "row_status: [0, 0, 0, 0, 0, 5]";
    refused_at_replay(&session, &failed(states), &["commands.yml:", "is of 6 rows, and the program asked for 4"]);
    let count = "rows_fetched: 1000000";
    refused_at_replay(&session, &failed(count), &["commands.yml:", "says 1000000 rows, and the program asked for 4"]);
    let known = format!("rowset: 4\n  {count}");
    refused(&session, &failed(&known), &["says 1000000 rows, and the program asked for 4"]);
    let larger = failed("rowset: 40\n  rows_fetched: 30");
    refused_at_replay(&session, &larger, &["commands.yml:", "says 30 rows, and the program asked for 4"]);
}

/// What the recorded driver always wrote to a row counter stands among the answers. At the end of data it may be any number up to the
/// rowset, which is said with it and which the program decides.
#[test]
fn a_row_counter_among_the_answers_fits_the_rowset() {
    let session = Session::new("damaged_counter", Format::Yaml);
    let told = |about: &str, count: &str| {
        let copy = session.copy("counter");
        let text = std::fs::read_to_string(copy.join("a_info.yml")).unwrap();
        let place = format!("a_info.yml:{}", text.lines().count() + 3);
        let fact = format!("- function: SQLFetch\n  about: {about}\n  result: {count}\n");
        std::fs::write(copy.join("a_info.yml"), text + &fact).unwrap();
        (copy, place)
    };
    for (about, count) in
        [("rows_fetched_with_rows", "1000000"), ("rows_fetched_at_end", "-1"), ("rows_fetched_at_end", "1000000")]
    {
        let (copy, place) = told(about, count);
        refused(&session, &copy, &[&place, &format!("says {count} rows, which no row counter says there")]);
    }
    let (copy, place) = told("rows_fetched_at_end", "1000000\n  rowset: 1000000");
    refused_at_replay(&session, &copy, &[&place, "says 1000000, and the program asked for 4"]);
}

/// Only regular files of the cassette's own directory are opened, whoever reads it.
#[test]
fn links_and_devices_are_refused() {
    let session = Session::new("damaged_links", Format::Yaml);
    let outside = session.scratch.join("outside");
    std::fs::write(&outside, "a secret\n").unwrap();
    for name in ["metadata.yml", "commands.yml", "a_info.yml", "a_14_columns.yml", "a_15_fetch_all.csv"] {
        for (kind, word) in [("link", "it is a link"), ("device", "it is a link"), ("fifo", "it is not a regular file")]
        {
            let copy = session.copy("links");
            let file = copy.join(name);
            std::fs::remove_file(&file).unwrap();
            match kind {
                "link" => std::os::unix::fs::symlink(&outside, &file).unwrap(),
                "device" => std::os::unix::fs::symlink("/dev/zero", &file).unwrap(),
                _ => assert!(Command::new("mkfifo").arg(&file).status().unwrap().success()),
            }
            refused_at_replay(&session, &copy, &[name, word]);
            assert!(shown(&check(&copy)).contains(word), "{name}, {kind}: {}", shown(&check(&copy)));
            let copied = session.scratch.join("copied.ndjson");
            let (from, to) = (copy.to_string_lossy().into_owned(), copied.to_string_lossy().into_owned());
            let whole = session.recorded().to_string_lossy().into_owned();
            for words in [vec!["show", &from], vec!["diff", &whole, &from], vec!["convert", &from, &to]] {
                let mut command = Command::new("timeout");
                command.args(["-s", "ABRT", "10"]).arg(products::super8()).args(&words);
                let output = command.output().unwrap();
                assert_eq!(fault(&output), None, "{words:?}, {name}, {kind}: {}", shown(&output));
                assert!(!shown(&output).contains("a secret"), "{words:?}, {name}: {}", shown(&output));
                if words[0] == "convert" {
                    assert!(!output.status.success() && shown(&output).contains(word), "{name}: {}", shown(&output));
                }
            }
        }
    }
}

/// isql fetches, and asks for results, until it is told that there are no more.
#[test]
fn a_program_that_loops_until_it_is_told_that_there_is_no_more_ends() {
    let desk = Desk::new("damaged_isql");
    let isql = ["--", "isql", "-b", "-v", "-d,", "shop"];
    let query = "select name from fruit order by name\n";
    assert_eq!(desk.run_with(&[&["record", "tape"], &isql[..]].concat(), query).status, "exit status: 0");
    let rows = desk.scratch.join("work/tape/a_1_fetch_all.csv");
    let text = std::fs::read_to_string(&rows).unwrap();
    std::fs::write(&rows, text + "\n").unwrap();
    desk.clear();
    let replayed = desk.run_with(&[&["replay", "tape"], &isql[..]].concat(), query);
    assert_eq!(replayed.status, "exit status: 120", "{}{}", replayed.text(), replayed.errors());
    assert!(replayed.errors().contains("a_1_fetch_all.csv:4: a blank line"), "{}", replayed.errors());
    assert!(replayed.text().len() < 4000, "{} bytes", replayed.text().len());
}

/// What a driver manager may ask while it connects is read before: there are some that crash when they are told of an error.
#[test]
fn an_info_file_that_cannot_be_read_fails_the_connect() {
    let session = Session::new("damaged_info", Format::Yaml);
    let with = |change: &dyn Fn(&Path)| {
        let copy = session.copy("info");
        change(&copy.join("a_info.yml"));
        copy
    };
    let refuse = |copy: PathBuf, words: &[&str]| {
        for way in WAYS {
            let replayed = session.run("replay", way, &copy);
            assert_eq!((replayed.status.code(), fault(&replayed)), (Some(1), None), "{way}: {}", shown(&replayed));
            words.iter().for_each(|word| assert!(shown(&replayed).contains(word), "{word}: {}", shown(&replayed)));
        }
        words.iter().for_each(|word| assert!(shown(&check(&copy)).contains(word), "{}", shown(&check(&copy))));
    };
    let text = std::fs::read_to_string(session.recorded().join("a_info.yml")).unwrap();
    let marked = format!("<<<<<<< HEAD\n{text}");
    refuse(with(&|file| std::fs::write(file, &marked).unwrap()), &["a_info.yml:1", "a merge conflict marker"]);
    refuse(with(&|file| std::fs::write(file, "- function: \"SQL").unwrap()), &["a_info.yml:1"]);
    let directory = |file: &Path| {
        std::fs::remove_file(file).unwrap();
        std::fs::create_dir(file).unwrap();
    };
    refuse(with(&directory), &["a_info.yml", "it is a directory"]);
    let link = |file: &Path| {
        std::fs::remove_file(file).unwrap();
        std::os::unix::fs::symlink("/dev/zero", file).unwrap();
    };
    refuse(with(&link), &["a_info.yml", "it is a link"]);
    let remove = |file: &Path| std::fs::remove_file(file).unwrap();
    refuse(with(&remove), &["commands.yml:", "info_file: a_info.yml is not there", "restore it"]);
    let copied = session.scratch.join("copied.ndjson");
    let converted = Command::new(products::super8()).arg("convert").arg(with(&remove)).arg(&copied).output().unwrap();
    assert!(
        !converted.status.success() && shown(&converted).contains("a_info.yml is not there"),
        "{}",
        shown(&converted)
    );
    let rename = |file: &Path| {
        let log = file.with_file_name("commands.yml");
        let text = std::fs::read_to_string(&log).unwrap();
        std::fs::write(&log, text.replace("info_file: a_info.yml", "info_file: notes.yml")).unwrap();
    };
    refuse(
        with(&rename),
        &["commands.yml:", "`notes.yml` is not the name of a file with the answers about a connection"],
    );
}

/// The same in a program that only reads rows: it is told at the connect, and ends as it likes.
#[test]
fn a_program_that_reads_rows_is_told_of_an_info_file_that_cannot_be_read() {
    let session = Session::of("damaged_simple", Format::Yaml, Some("rows"));
    let text = std::fs::read_to_string(session.recorded().join("a_info.yml")).unwrap();
    for (damaged, words) in [
        (format!("<<<<<<< HEAD\n{text}"), "a_info.yml:1"),
        ("- function: \"SQL".to_owned(), "a_info.yml:1"),
        (format!("{text}- [\n"), "a_info.yml:"),
    ] {
        let copy = session.copy("info");
        std::fs::write(copy.join("a_info.yml"), damaged).unwrap();
        let replayed = session.run("replay", "manager", &copy);
        assert_eq!((replayed.status.code(), fault(&replayed)), (Some(1), None), "{}", shown(&replayed));
        assert!(shown(&replayed).contains("SQLDriverConnect -> -1"), "{}", shown(&replayed));
        assert!(shown(&replayed).contains(words) && shown(&check(&copy)).contains(words), "{}", shown(&replayed));
    }
}

/// Cassettes damaged at random. `SUPER8_FUZZ_SECONDS` and `SUPER8_FUZZ_SEED` say how long, and from which seed on.
#[test]
fn damage_of_any_kind_does_no_harm() {
    let number = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (seconds, first) = (number("SUPER8_FUZZ_SECONDS", 6), number("SUPER8_FUZZ_SEED", 1));
    in_both_formats(|format| {
        let session = Session::new("damaged_fuzz", format);
        let (begin, mut seed, mut played) = (Instant::now(), first, 0);
        while begin.elapsed() < Duration::from_secs(seconds) || played == 0 {
            let copy = session.copy("damaged");
            let done = damage(&copy, &mut Random::new(seed));
            let way = WAYS[(seed % 2) as usize];
            let outputs = [session.run("replay", way, &copy), check(&copy)];
            for (output, what) in outputs.iter().zip([way, "check"]) {
                if let Some(fault) = fault(output) {
                    let kept = std::env::temp_dir().join(format!("super8-fuzz-{}-{seed}", format.name()));
                    let _ = std::fs::rename(copy.parent().unwrap_or(&copy), &kept);
                    panic!(
                        "{fault} by {what} in {format:?}, seed {seed} ({done}), kept in {}; again: cargo xtask fuzz --seconds 1 --seed {seed}\n{}",
                        kept.display(),
                        shown(output)
                    );
                }
            }
            (seed, played) = (seed + 1, played + 1);
        }
        println!("{played} damaged cassettes in {format:?}, seeds {first} to {}", seed - 1);
    });
}
