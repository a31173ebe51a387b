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
}

impl Session {
    fn new(subject: &str, format: Format) -> Session {
        let session = Session { scratch: Scratch::new(subject), format };
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
        let library = library();
        let mut player = Command::new(compiled("player.c"));
        player.args([if way == "library" { library.as_str() } else { way }, "DRIVER={played};Database=:memory:"]);
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
    let copy = session.copy("edited");
    let log = copy.join(session.format.log("tape"));
    let (from, to) = if session.format == Format::Yaml { yaml } else { ndjson };
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.contains(from), "no `{from}` in {}", log.display());
    std::fs::write(&log, text.replacen(from, to, 1)).unwrap();
    copy
}

/// The replay and the check of a cassette name the log, a line and these words.
#[track_caller]
fn refused(session: &Session, cassette: &Path, words: &[&str]) {
    let log = session.format.log("tape");
    let place = match words[0].contains('/') {
        true => words[0].to_owned(),
        false => format!("{log}:"),
    };
    for way in WAYS {
        let replayed = session.run("replay", way, cassette);
        let text = shown(&replayed);
        assert_eq!(fault(&replayed), None, "{way}: {text}");
        for word in words.iter().copied().chain([place.trim_start_matches('/')]) {
            assert!(text.contains(word.trim_start_matches('/')), "{way}: `{word}` is not in: {text}");
        }
    }
    let checked = shown(&check(cassette));
    for word in words.iter().copied().chain([place.trim_start_matches('/')]) {
        assert!(checked.contains(word.trim_start_matches('/')), "check: `{word}` is not in: {checked}");
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
        refused(&session, &typed, &["`SLOGN` is no C type", "did you mean `SLONG`?"]);
        let returned = edited(
            &session,
            ("return: SQL_ERROR", "return: SQL_EROR"),
            (r#""return":"SQL_ERROR""#, r#""return":"SQL_EROR""#),
        );
        refused(&session, &returned, &["`SQL_EROR` is no return code", "did you mean `SQL_ERROR`?"]);
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
    refused(&session, &marked, &["/a_15_fetch_all.csv:1", "a merge conflict marker"]);
    let misfit = change(&|text| text.replacen("3,", "three,", 1));
    refused(&session, &misfit, &["/a_15_fetch_all.csv:4", "field 1", "`three` is no SLONG"]);
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
}

/// Cassettes damaged at random. `SUPER8_FUZZ_SECONDS` and `SUPER8_FUZZ_SEED` say how long, and from which seed on.
#[test]
fn damage_of_any_kind_does_no_harm() {
    let number = |name: &str, usual: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (seconds, first) = (number("SUPER8_FUZZ_SECONDS", 15), number("SUPER8_FUZZ_SEED", 1));
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
