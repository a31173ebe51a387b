//! A cassette that cannot be written any more: nothing more goes to the database, and nobody is told that something is kept
//! that is not.

use std::path::{Path, PathBuf};
use std::process::Command;
use super8_tests::desk::Desk;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::{packages, products, python, server};

/// What keeps the cassette from growing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    /// A small file system of its own, which root mounts, or `sudo`: the tests need one of both anyway, for Debian's packages.
    Disk,
    /// RLIMIT_FSIZE; the shell counts blocks of 512 bytes.
    FileSize,
    /// The directory in which the cassette grows is removed.
    Vanished,
}

/// A file system in memory, unmounted in the end.
struct Mounted(PathBuf);

impl Mounted {
    fn small(place: &Path) -> Mounted {
        std::fs::create_dir_all(place).expect("create");
        let done = as_root("mount")
            .args(["-t", "tmpfs", "-o", "size=400k,mode=1777", "tmpfs"])
            .arg(place)
            .output()
            .expect("mount");
        assert!(done.status.success(), "{}: {}", place.display(), String::from_utf8_lossy(&done.stderr));
        Mounted(place.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = as_root("umount").arg("-l").arg(&self.0).status();
    }
}

fn as_root(program: &str) -> Command {
    if server::is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    command
}

fn rows(desk: &Desk) -> String {
    let mut sqlite = Command::new(packages::program("sqlite3", "sqlite3"));
    let counted = sqlite.arg(desk.database()).arg("select count(*) from filled").output().expect("sqlite3");
    String::from_utf8_lossy(&counted.stdout).trim().to_owned()
}

fn fill(desk: &Desk, limit: Limit, how: &str) -> Outcome {
    let script = products::repository().join("tests/programs/python/full_disk.py").display().to_string();
    let (python, cassette) = (python::interpreter().display().to_string(), "small/tape");
    let staged = match desk.format() {
        Format::Yaml => "small/.tape.super8-recording",
        Format::Ndjson => "small/tape",
    };
    let vanishes = if limit == Limit::Vanished { staged } else { "" };
    let super8 = products::super8().display().to_string();
    let run = "exec \"$@\"";
    let shell = if limit == Limit::FileSize { format!("ulimit -f 600; {run}") } else { run.to_owned() };
    let mut command = Command::new("sh");
    command.args(["-c", &shell, "sh", &super8, "record", cassette, "--"]);
    command.args([&python, &script, "DSN=shop", "sqlite", "", how, vanishes]);
    desk.at(&mut command);
    Outcome::of(&command, b"")
}

fn nothing_goes_to_the_database_any_more(limit: Limit) {
    in_both_formats(|format| {
        for how in ["auto", "commit"] {
            let desk = Desk::new("full_disk").in_format(format);
            let place = desk.scratch.directory("work/small");
            let mounted = (limit == Limit::Disk).then(|| Mounted::small(&place));
            let outcome = fill(&desk, limit, how);
            let (text, errors) = (outcome.text(), outcome.errors());
            assert_eq!(outcome.status, "exit status: 122", "{limit:?} {how}\n{text}{errors}");
            let told = text.lines().find_map(|line| line.strip_prefix("in the database: ")).expect("the count");
            assert_eq!(
                told,
                rows(&desk),
                "{limit:?} {how}: the program believes one thing, the database has another\n{text}"
            );
            assert!(told.parse::<u32>().expect("a count") >= 20, "{text}");
            let reason = match limit {
                Limit::Disk => "No space left on device",
                Limit::FileSize => "ulimit -f",
                Limit::Vanished => "was removed or replaced",
            };
            assert!(text.contains(reason) && errors.contains(reason), "{limit:?} {how}\n{text}{errors}");
            // What is said to be kept is.
            let recovered = desk.run(&["recover", "small/tape"]);
            let kept = errors.contains("super8 recover");
            assert_eq!(recovered.status == "exit status: 0", kept, "{errors}{}", recovered.errors());
            assert_eq!(kept, limit != Limit::Vanished, "{errors}");
            if kept {
                let shown = desk.run(&["show", "small/tape"]).text();
                let inserts = shown.matches("insert into filled").count();
                assert!(inserts >= 1, "{shown}");
                assert_eq!(desk.run(&["check", "small/tape"]).text(), "1 checked, nothing found\n");
            }
            drop(mounted);
        }
    });
}

/// A database that a driver connects to is there afterwards, as SQLite has it.
#[test]
fn a_connect_that_cannot_be_recorded_reaches_no_database() {
    in_both_formats(|format| {
        let script = products::repository().join("tests/programs/python/second_connect.py").display().to_string();
        let python = python::interpreter().display().to_string();
        let run = |shell: &str, vanishes: &str| {
            let desk = Desk::new("unrecorded").in_format(format);
            let command =
                ["record", "--allow-leaks", "tape", "--", "sh", "-c", shell, "sh", &python, &script, vanishes];
            let outcome = desk.run(&command);
            (outcome.status.clone(), outcome.text(), outcome.errors())
        };
        let (status, text, errors) = run("exec \"$@\"", "");
        assert!(text.ends_with("second.db is there\n"), "{text}{errors}");
        assert_eq!(status, "exit status: 0", "{errors}");

        let staged =
            if format == Format::Yaml { ".tape.super8-recording" } else { "tape/.tape.ndjson.super8-recording" };
        let (status, text, errors) = run("exec \"$@\"", staged);
        assert!(text.contains("connected to DSN=shop") && text.ends_with("second.db is not there\n"), "{text}{errors}");
        assert!(status == "exit status: 122" && errors.contains("was removed or replaced"), "{status}\n{errors}");
        assert!(text.contains("was removed or replaced") && !errors.contains("super8 recover"), "{text}{errors}");

        // the first byte is too much already
        let (_, text, errors) = run("ulimit -f 0; exec \"$@\"", "");
        assert_eq!(text.matches("ulimit -f").count(), 2, "{text}{errors}");
        assert!(text.ends_with("second.db is not there\n"), "{text}{errors}");
    });
}

/// What a program sends is known before the driver is called, so a statement that no cassette holds does not reach the database.
#[test]
fn a_statement_that_is_too_large() {
    in_both_formats(|format| {
        let long = (format == Format::Yaml).then_some(("long", "direct"));
        for (text, how) in long.into_iter().chain([("escaped", "prepared")]) {
            let desk = Desk::new("too_large").in_format(format);
            let script = products::repository().join("tests/programs/python/too_large.py").display().to_string();
            let python = python::interpreter().display().to_string();
            let words = ["record", "tape", "--", &python, &script, "DSN=shop", "sqlite", "", text, how];
            let outcome = desk.run(&words);
            let (told, errors) = (outcome.text(), outcome.errors());
            assert_eq!(outcome.status, "exit status: 122", "{told}{errors}");
            assert!(told.contains("cannot be recorded: a cassette holds none of more than 63 MiB"), "{told}{errors}");
            assert!(told.contains("failed again") && !told.contains("executed"), "{told}");
            assert_eq!(rows(&desk), "1", "{format:?} {text}: the database has what the cassette cannot have\n{told}");
        }
    });
}

#[test]
fn a_full_disk() {
    nothing_goes_to_the_database_any_more(Limit::Disk);
}

#[test]
fn a_limit_of_the_process() {
    nothing_goes_to_the_database_any_more(Limit::FileSize);
}

#[test]
fn a_directory_that_vanished() {
    nothing_goes_to_the_database_any_more(Limit::Vanished);
}
