//! The packages of `cargo xtask package`, installed and used as their users do: nothing of the build directory is in sight.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use super8_tests::compare::assert_same_files;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::server::must;
use super8_tests::{packages, postgres, products, python};

#[track_caller]
pub fn ended(outcome: &Outcome, code: u8) -> String {
    let all = String::from_utf8_lossy(&outcome.all()).into_owned();
    assert_eq!(outcome.status, format!("exit status: {code}"), "{all}");
    all
}

/// The package whose name has this ending; all are made at once, of what the tests run.
pub fn package(ending: &str) -> PathBuf {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    let directory = MADE.get_or_init(|| {
        let into = products::target_directory().join("packages-of-tests");
        let _ = std::fs::remove_dir_all(&into);
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = products::super8().with_file_name("");
        let mut make = Command::new(cargo);
        make.args(["run", "--quiet", "-p", "xtask", "--", "package", "--built"]).arg(built).arg("--into").arg(&into);
        must(make.current_dir(products::repository()));
        into
    });
    let mut all = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let found = all.find(|path| path.display().to_string().ends_with(ending));
    found.unwrap_or_else(|| panic!("there is no package *{ending} in {}", directory.display()))
}

/// An empty directory to install a package in.
pub fn installed(name: &str) -> PathBuf {
    let place = products::target_directory().join("packages-installed").join(name);
    let _ = std::fs::remove_dir_all(&place);
    place
}

/// The interpreter of an environment with the wheel, and with pyodbc and pytest.
pub fn python() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let (wheel, place) = (package(".whl"), installed("python"));
        let base = python::interpreter();
        must(Command::new(&base).args(["-m", "venv", "--without-pip"]).arg(&place));
        let interpreter = place.join("bin/python");
        let mut pip = Command::new(&base);
        pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "--python"]).arg(&interpreter);
        must(pip.args(["install", "--no-index", "--no-deps"]).arg(wheel));
        // What the tests have anyway need not be installed a second time.
        let site = |root: &Path| {
            let mut versions = std::fs::read_dir(root.join("lib")).into_iter().flatten().flatten();
            versions.next().map(|version| version.path().join("site-packages")).unwrap_or_default()
        };
        let path = site(&place).join("tests.pth");
        std::fs::write(&path, format!("{}\n", site(&python::environment()).display())).expect("a .pth file");
        interpreter
    })
}

/// The verdicts on the page of a folder.
pub fn verdicts(desk: &Desk, folder: &str) -> Vec<String> {
    ended(&desk.run(&["show", "--html", "page.html", folder]), 0);
    let page = std::fs::read_to_string(desk.scratch.join("work/page.html")).unwrap_or_default();
    let cells = page.split("</span></td><td><strong").skip(1);
    cells.filter_map(|cell| Some(cell.split_once('>')?.1.split_once('<')?.0.to_owned())).collect()
}

/// A desk with the tests of `programs/python/marked` in its directory.
fn marked(subject: &str, format: Format) -> Desk {
    let desk = Desk::new(subject).in_format(format);
    for file in ["conftest.py", "test_fruit.py", "test_by_hand.py", "test_engine.py"] {
        let text = std::fs::read(products::repository().join("tests/programs/python/marked").join(file));
        desk.scratch.write(&format!("work/{file}"), text.unwrap_or_else(|error| panic!("{file}: {error}")));
    }
    desk
}

pub fn pytest(desk: &Desk, words: &[&str]) -> Command {
    let mut command = Command::new(python());
    command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).args(words);
    desk.at(&mut command);
    command.envs([("PYTHONDONTWRITEBYTECODE", "1"), ("SHOP", "DSN=shop")]);
    command
}

fn run(desk: &Desk, words: &[&str], code: u8) -> String {
    ended(&Outcome::of(&pytest(desk, words), b""), code)
}

/// The same, doing something otherwise than recorded.
fn run_otherwise(desk: &Desk, otherwise: &str, words: &[&str], code: u8) -> String {
    ended(&Outcome::of(pytest(desk, words).env("OTHERWISE", otherwise), b""), code)
}

const FRUIT: &str = "test_fruit.py";
const CASSETTES: [&str; 8] = [
    "by name 100%/prices",
    "test_fruit.py/TestPrices+test_price[a=20plum-None]~",
    "test_fruit.py/TestPrices+test_price[pear-4]~",
    "test_fruit.py/test_an_error_is_swallowed",
    "test_fruit.py/test_may_fail",
    "test_fruit.py/test_pears",
    "test_fruit.py/test_that_is_expected_to_fail",
    "test_fruit.py/test_two_statements",
];

/// The directories below this one that have files, by their paths in it; of a digest only that there is one.
pub fn cassettes(root: &Path) -> Vec<String> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.path().is_dir() {
                true => walk(&entry.path(), found),
                false => found.push(directory.to_owned()),
            }
        }
    }
    let mut found = Vec::new();
    walk(root, &mut found);
    let name = |path: &PathBuf| {
        let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
        name.find('~').map_or(name.clone(), |at| name[..=at].to_owned())
    };
    let mut names: Vec<String> = found.iter().map(name).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn the_wheel_records_and_replays_marked_tests() {
    in_both_formats(|format| {
        let desk = marked("wheel", format);
        let root = desk.scratch.join("work/cassettes");
        // Nothing is recorded unless it is asked for.
        let absent = run(&desk, &[FRUIT, "-k", "pears"], 1);
        assert!(absent.contains("there is no cassette here") && absent.contains("1 error in"), "{absent}");
        assert!(absent.contains("pytest --super8=record test_fruit.py::test_pears"), "{absent}");
        let recorded = run(&desk, &[FRUIT, "--super8=record", "-n2"], 0);
        assert!(recorded.contains("8 passed, 1 skipped, 1 xfailed"), "{recorded}");
        assert_eq!(cassettes(&root), CASSETTES);
        let opened =
            super8_cassette::open(&root.join("test_fruit.py/test_pears")).and_then(|cassette| cassette.metadata());
        assert_eq!(opened.ok().and_then(|metadata| metadata.test).as_deref(), Some("test_fruit.py::test_pears"));
        // Recorded again in the same way it has the same bytes.
        run(&desk, &[FRUIT, "--super8=record"], 0);
        must(Command::new("cp").arg("-r").arg(&root).arg(desk.scratch.join("work/before")));
        run(&desk, &[FRUIT, "--super8=rewrite"], 0);
        assert_same_files("recorded again", &desk.scratch.join("work/before"), &root);
        desk.clear();
        let ways = [&[][..], &["--super8=replay"], &["--super8=once", "-n2"], &["-n3", "--dist=worksteal"]];
        for words in ways {
            let replayed = run(&desk, &[&[FRUIT], words].concat(), 0);
            assert!(replayed.contains("8 passed, 1 skipped, 1 xfailed"), "{replayed}");
        }
        let last = ended(&desk.run(&["unused", "cassettes"]), 0);
        assert!(last.contains("0 of 8 cassettes") && last.contains(" -m pytest -q "), "{last}");
        assert!(last.contains("may not have been a whole one: pytest was given test_fruit.py\n"), "{last}");
        let one = run(&desk, &[FRUIT, "-k", "plum"], 0);
        assert!(one.contains("1 passed"), "{one}");
        let left = ended(&desk.run(&["unused", "cassettes"]), 1);
        assert!(left.contains("7 of 8 cassettes") && left.contains("; pytest left out 9 tests\n"), "{left}");
        assert_eq!(verdicts(&desk, "cassettes"), ["passed"]);

        // From the command, the names are the same: each replays what the other one recorded.
        let super8 = python().with_file_name("super8").display().to_string();
        let python = python().display().to_string();
        let mut wrapped = Command::new(&super8);
        wrapped.args([
            "replay",
            "--allow-leaks",
            "cassettes/%t",
            "--",
            &python,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            FRUIT,
        ]);
        wrapped.args(["-p", "no:super8", "-k", "two or price or may or expected"]);
        desk.at(&mut wrapped);
        let wrapped = Outcome::of(wrapped.env("SHOP", "DSN=shop").env("PYTHONDONTWRITEBYTECODE", "1"), b"");
        ended(&wrapped, 0);
    });
}

/// Whatever a test does otherwise, it fails once, and the report is there once.
#[test]
fn the_wheel_reports_a_mismatch_once() {
    let desk = marked("wheel_mismatch", Format::Yaml);
    run(&desk, &[FRUIT, "--super8=record"], 0);
    desk.clear();
    for workers in [&[][..], &["-n2"]] {
        let words = [&[FRUIT], workers].concat();
        // Rolling back fails as well after it, and is no second failure.
        let changed = run_otherwise(&desk, "pears", &words, 1);
        assert!(changed.contains("1 failed, 7 passed, 1 skipped, 1 xfailed in"), "{changed}");
        assert_eq!(changed.matches("[super8] replay mismatch").count(), 1, "{changed}");
        assert!(changed.contains("pytest --super8=record test_fruit.py::test_pears\n"), "{changed}");

        let swallowed = run_otherwise(&desk, "swallowed", &words, 1);
        assert!(swallowed.contains("8 passed, 1 skipped, 1 xfailed, 1 error in"), "{swallowed}");
        assert_eq!(swallowed.matches("[super8] replay mismatch").count(), 1, "{swallowed}");
        assert_eq!(swallowed.matches("sql, by word").count(), 1, "{swallowed}");

        let left_out = run_otherwise(&desk, "left out", &words, 1);
        assert!(left_out.contains("1 failed") || left_out.contains("1 error"), "{left_out}");
    }
    // The data source of another name is not known, and the one that is recorded is named.
    let misspelt = Outcome::of(pytest(&desk, &[FRUIT, "-k", "pears"]).env("SHOP", "DSN=shpo"), b"");
    let misspelt = ended(&misspelt, 1);
    assert!(misspelt.contains("\nsuper8: the cassettes have connects only to the data source shop\n"), "{misspelt}");
    // A skipped test leaves everything out, and nothing is said of it.
    let skipped = run(&desk, &[FRUIT, "-k", "skipped"], 0);
    assert!(skipped.contains("1 skipped"), "{skipped}");
}

#[test]
fn the_wheel_sets_the_recording_of_a_failed_test_aside() {
    in_both_formats(|format| {
        let desk = marked("wheel_failed", format);
        let (tests, root) = ([FRUIT, "-k", "may_fail", "--super8=record"], desk.scratch.join("work/cassettes"));
        run(&desk, &tests, 0);
        must(Command::new("cp").arg("-r").arg(&root).arg(desk.scratch.join("work/before")));
        run_otherwise(&desk, "fail", &tests, 1);
        let failed = root.join("test_fruit.py/test_may_fail.failed");
        assert!(failed.is_dir(), "{:?}", cassettes(&root));
        std::fs::remove_dir_all(failed).expect("it is ours");
        assert_same_files("the earlier cassette", &desk.scratch.join("work/before"), &root);
        desk.clear();
        run(&desk, &tests[..3], 0);
    });
}

/// A test that passes when it is repeated: what it recorded before is gone, and each attempt is replayed from the beginning.
#[test]
fn the_wheel_keeps_the_attempt_that_passes() {
    in_both_formats(|format| {
        let desk = Desk::new("wheel_repeated").in_format(format);
        desk.scratch.write(
            "work/test_repeated.py",
            "import os\nimport pyodbc\nimport pytest\n\nattempts = []\n\n\n@pytest.mark.super8\ndef test_repeated():\n    \
             attempts.append(1)\n    shop = pyodbc.connect(os.environ['SHOP'], autocommit=True)\n    \
             assert shop.execute('select 4').fetchval() == (5 if len(attempts) == 1 else 4)\n    shop.close()\n",
        );
        let root = desk.scratch.join("work/cassettes");
        run(&desk, &["--super8=record"], 1);
        let (kept, failed) = ("test_repeated.py/test_repeated", "test_repeated.py/test_repeated.failed");
        assert_eq!(cassettes(&root), [failed]);
        let repeated = run(&desk, &["--super8=record", "--reruns", "1"], 0);
        assert!(repeated.contains("1 passed, 1 rerun"), "{repeated}");
        assert_eq!(cassettes(&root), [kept]);
        desk.clear();
        let repeated = run(&desk, &["--reruns", "1"], 0);
        assert!(repeated.contains("1 passed, 1 rerun"), "{repeated}");
    });
}

#[test]
fn the_wheel_blocks_what_has_no_cassette() {
    let desk = marked("wheel_block", Format::Yaml);
    let plain = "test_by_hand.py::test_without_a_cassette";
    run(&desk, &[plain], 0);
    for words in [&["--super8-block"][..], &["--super8-block", "--super8=record", "-n1"]] {
        let blocked = run(&desk, &[&[plain], words].concat(), 1);
        assert!(blocked.contains("no-cassette--super8-block: there is no cassette here"), "{blocked}");
        let advice = "Connects outside of a cassette fail (--super8-block): mark the test, @pytest.mark.super8";
        assert!(blocked.contains(advice) && blocked.contains("1 failed in"), "{blocked}");
        assert!(blocked.contains("to record it: pytest --super8=record"), "{blocked}");
    }
    // A connection may say that it is let through.
    let mut through = pytest(&desk, &[plain, "--super8-block"]);
    ended(&Outcome::of(through.env("SHOP", "DSN=shop;Super8Mode=off"), b""), 0);
    run(&desk, &[FRUIT, "--super8=record", "--super8-block"], 0);
    run(&desk, &[FRUIT, "--super8-block"], 0);
    // With the database, and no super8.
    run(&desk, &[FRUIT, "--super8=off", "-k", "named or may_fail"], 0);
    desk.scratch.write(
        "work/test_off.py",
        "import pathlib\n\nimport pyodbc\nimport super8\n\n\ndef test_off():\n    with super8.use_cassette('cassettes/off'):\n        pyodbc.connect('DSN=shop').close()\n    assert not pathlib.Path('cassettes/off').exists()\n",
    );
    run(&desk, &["test_off.py", "--super8=off"], 0);
    // Words of vcrpy: one that means the same, and one that there is no such thing for.
    run(&desk, &[FRUIT, "--super8=all", "-k", "pears"], 0);
    let refused = run(&desk, &["--super8=new_episodes"], 4);
    assert!(refused.contains("there is no new_episodes, because") && refused.contains("record -k NAME"), "{refused}");
    let unknown = run(&desk, &["--super8=recrod"], 4);
    assert!(unknown.contains("'recrod' is no mode: choose one of none, once, replay, record"), "{unknown}");
    let both = ended(&Outcome::of(&pytest(&desk, &["--super8=off", "--super8-block"]), b""), 4);
    assert!(both.contains("forbids it"), "{both}");
    // Two tests that record one cassette are told apart.
    desk.scratch.write(
        "work/test_same.py",
        "import pytest\n\n@pytest.mark.super8('same')\nclass TestSame:\n    def test_one(self, shop): pass\n    def test_two(self, shop): pass\n",
    );
    let same = run(&desk, &["test_same.py", "--super8=record"], 1);
    assert!(same.contains("recorded by test_same.py::TestSame::test_one already"), "{same}");
    assert!(same.contains("1 passed, 1 error in") && !same.contains("KeyError"), "one failure with one report: {same}");
    desk.scratch.write(
        "work/test_two_names.py",
        "import pytest\n\n@pytest.mark.super8('one', 'two')\ndef test_names(): pass\n",
    );
    let names = run(&desk, &["test_two_names.py", "--super8=record"], 1);
    assert!(names.contains("a test has one cassette, and the mark super8 names 2: 'one', 'two'"), "{names}");
}

/// Rules and settings hold for marks and for `use_cassette`, from whatever directory pytest is started.
#[test]
fn the_wheel_reads_rules_and_settings_of_the_project() {
    let desk = marked("wheel_rules", Format::Yaml);
    desk.scratch.write("work/super8.yml", "columns:\n  - name: name\n");
    desk.scratch.write("work/pytest.ini", "[pytest]\nsuper8_cassettes = sub/tapes\n");
    let hook = "def pytest_super8_settings(item):\n    return {'format': 'ndjson'}\n";
    desk.scratch.directory("work/sub");
    desk.scratch.write("work/sub/conftest.py", hook);
    desk.scratch.write("work/sub/test_rules.py", RULES);
    let mut below = pytest(&desk, &["--super8=record"]);
    ended(&Outcome::of(below.current_dir(desk.scratch.join("work/sub")), b""), 0);
    let tapes = desk.scratch.join("work/sub/tapes");
    let marks = ["sub/test_rules.py/test_of_its_own_format", "sub/test_rules.py/test_of_the_format_of_all"];
    assert_eq!(cassettes(&tapes), marks);
    let of_ndjson = |name: &str| {
        let mut files = std::fs::read_dir(tapes.join(name)).into_iter().flatten().flatten();
        files.any(|file| file.path().extension().is_some_and(|extension| extension == "ndjson"))
    };
    assert_eq!(marks.map(of_ndjson), [false, true]);
    let mut grep = Command::new("grep");
    grep.args(["-r", "cherry"]).args([&tapes, &desk.scratch.join("work/sub/cassettes")]);
    let found = grep.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    assert_eq!(found.expect("grep runs"), "");
    assert!(desk.scratch.join("work/sub/cassettes/by_hand").is_dir());
}

const RULES: &str = r#"
import os

import pyodbc
import pytest
import super8


def names():
    connection = pyodbc.connect(os.environ["SHOP"], autocommit=True)
    names = [row[0] for row in connection.execute("select 'che' || 'rry' as name")]
    connection.close()
    return names


@pytest.mark.super8
def test_of_the_format_of_all():
    assert names() == ["cherry"]


@pytest.mark.super8(format="yaml")
def test_of_its_own_format():
    assert names() == ["cherry"]


def test_by_hand():
    @super8.use_cassette
    def by_hand():
        return names()

    assert by_hand() == ["cherry"]
"#;

/// What a test without a cassette did first in the process is not missing in the cassettes of the others.
#[test]
fn the_wheel_records_a_connection_that_an_unmarked_test_opened() {
    let desk = marked("wheel_engine", Format::Ndjson);
    run(&desk, &["test_engine.py", "--super8=record"], 0);
    let root = desk.scratch.join("work/cassettes");
    let names = ["setup-engine", "test_marked", "test_marked_too"].map(|name| format!("test_engine.py/{name}"));
    assert_eq!(cassettes(&root), names);
    desk.clear();
    for tests in ["marked", "marked_too"] {
        run(&desk, &["test_engine.py", "-k", tests, "--super8-block"], 0);
    }
}

#[test]
fn the_wheel_has_use_cassette() {
    let desk = marked("wheel_by_hand", Format::Ndjson);
    run(&desk, &["test_by_hand.py", "--super8=once"], 0);
    let root = desk.scratch.join("work/cassettes/by hand");
    for name in ["context", "decorator", "coroutine", "generator"] {
        assert!(root.join(name).is_dir(), "{:?}", cassettes(&root));
    }
    desk.clear();
    let replayed = run(&desk, &["test_by_hand.py", "-k", "context or decorated", "--super8-block"], 0);
    assert!(replayed.contains("5 passed"), "{replayed}");
    // Without pytest, and with a data source that only the cassette knows.
    desk.scratch.write("work/alone.py", "from test_by_hand import *\ntest_a_context()\nprint(price.__name__)\n");
    let mut alone = Command::new(python());
    desk.at(alone.arg("alone.py"));
    ended(&Outcome::of(alone.env("SHOP", "DSN=shop"), b""), 0);
}

/// The other kind of driver, and so the other library.
#[test]
fn the_wheel_records_and_replays_postgres() {
    let desk = marked("wheel_postgres", Format::Yaml);
    let server = postgres::server();
    {
        let _turn = postgres::one_at_a_time();
        server.fresh("wheel_postgres");
    }
    let port = server.port.to_string();
    let source =
        [("Driver", "PostgreSQL"), ("Servername", "127.0.0.1"), ("Port", &port), ("Database", "wheel_postgres")];
    let configuration = desk.configuration().driver("PostgreSQL", &[("Driver", Driver::PostgresUnicode.library())]);
    configuration.source("shop", &source).write();
    let shop = format!("DSN=shop;UID={};PWD={{{}}}", postgres::USER, postgres::PASSWORD.replace('}', "}}"));
    let run = |words: &[&str]| ended(&Outcome::of(pytest(&desk, words).env("SHOP", &shop), b""), 0);
    run(&[FRUIT, "test_by_hand.py", "--super8=record"]);
    desk.clear();
    let replayed = run(&[FRUIT, "-n2"]);
    assert!(replayed.contains("8 passed, 1 skipped, 1 xfailed"), "{replayed}");
}

/// Where the gem is installed.
pub fn gem_home() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let home = installed("gems");
        let mut gem = Command::new(packages::program("gem", "ruby"));
        gem.args(["install", "--quiet", "--local", "--no-document", "--install-dir"]).arg(&home);
        must(gem.arg(package(".gem")));
        home
    })
}

/// A desk with the scripts of `programs/ruby/marked` in its directory.
fn marked_ruby(subject: &str, format: Format) -> Desk {
    let desk = Desk::new(subject).in_format(format);
    for file in ["fruit_spec.rb", "by_hand.rb"] {
        let text = std::fs::read(products::repository().join("tests/programs/ruby/marked").join(file));
        desk.scratch.write(&format!("work/{file}"), text.unwrap_or_else(|error| panic!("{file}: {error}")));
    }
    desk
}

/// A program of Ruby's, which finds the gem and ruby-odbc.
fn ruby(desk: &Desk, words: &[&str], variables: &[(&str, &str)]) -> Outcome {
    let program = if words[0].ends_with("_spec.rb") { ("rspec", "ruby-rspec") } else { ("ruby", "ruby") };
    let mut command = Command::new(packages::program(program.0, program.1));
    command.args(words);
    desk.at(&mut command);
    command.env("GEM_HOME", gem_home()).env("LD_PRELOAD", "libodbc.so.2");
    Outcome::of(command.envs(variables.iter().copied()), b"")
}

#[test]
fn the_gem_records_and_replays_examples() {
    in_both_formats(|format| {
        let desk = marked_ruby("gem", format);
        let rspec = |variables: &[(&str, &str)], code| ended(&ruby(&desk, &["fruit_spec.rb"], variables), code);
        let absent = rspec(&[("SUPER8_MODE", "none")], 1);
        assert!(absent.contains("there is no cassette here") && absent.contains("7 examples, 5 failures"), "{absent}");
        assert!(absent.contains("to record it: SUPER8_MODE=record rspec ./fruit_spec.rb:"), "{absent}");
        assert!(rspec(&[], 0).contains("7 examples, 0 failures"));
        let root = desk.scratch.join("work/spec/cassettes");
        let of_ndjson = format == Format::Ndjson;
        let expected = ["A_shop/has_pears", "A_shop/leaves_out", "A_shop/may_fail", "A_shop/swallows_an_error"];
        let mut expected: Vec<&str> =
            expected.into_iter().chain(["A_shop/with_plums_100_/has_no_plums", "by name/pears"]).collect();
        expected.sort_unstable();
        assert_eq!(cassettes(&root), expected, "{of_ndjson}");

        // The recording of an example that fails is set aside.
        must(Command::new("cp").arg("-r").arg(&root).arg(desk.scratch.join("work/before")));
        let failed = [("SUPER8_MODE", "record"), ("OTHERWISE", "fail")];
        let words = ["fruit_spec.rb", "-e", "may fail"];
        ended(&ruby(&desk, &words, &failed), 1);
        std::fs::remove_dir_all(root.join("A_shop/may_fail.failed")).expect("what the failed example recorded");
        assert_same_files("the earlier cassette", &desk.scratch.join("work/before"), &root);

        desk.clear();
        assert!(rspec(&[("CI", "true")], 0).contains("7 examples, 0 failures"));
        let last = ended(&desk.run(&["unused", "spec/cassettes"]), 0);
        assert!(last.contains("rspec fruit_spec.rb (") && !last.contains("not have been a whole one"), "{last}");
        assert_eq!(verdicts(&desk, "spec/cassettes"), ["passed"; 6]);
        for (otherwise, report) in [("pears", "select 5"), ("swallowed", "select 7"), ("left out", "nothing connected")]
        {
            let told = rspec(&[("OTHERWISE", otherwise)], 1);
            assert!(told.contains("7 examples, 1 failure\n") && told.contains(report), "{otherwise}: {told}");
        }
        // what connected to nothing opened nothing
        let misspelt = rspec(&[("OTHERWISE", "misspelt")], 1);
        let told = misspelt.matches("super8: the cassettes have connects only to the data source shop\n").count();
        assert_eq!(told, 5, "{misspelt}");
        rspec(&[("OTHERWISE", "left out")], 1);
        let last = ended(&desk.run(&["unused", "spec/cassettes"]), 1);
        assert!(last.contains("may not have been a whole one: the command ended with exit code 1"), "{last}");
        assert_eq!(verdicts(&desk, "spec/cassettes").iter().filter(|verdict| *verdict == "passed").count(), 5);
    });
}

/// An example that passes when it is repeated, whichever of rspec-retry and super8 is around the other.
#[test]
fn the_gem_keeps_the_attempt_that_passes() {
    in_both_formats(|format| {
        for required in [["rspec/retry", "super8/rspec"], ["super8/rspec", "rspec/retry"]] {
            let desk = Desk::new("gem_repeated").in_format(format);
            let required = required.map(|name| format!("require '{name}'\n")).concat();
            desk.scratch.write(
                "work/repeated_spec.rb",
                required
                    + "require 'odbc'\nattempts = 0\nRSpec.describe 'A shop', :super8, retry: 2 do\n  it 'is repeated' do\n    \
                       attempts += 1\n    shop = ODBC.connect('shop')\n    query = shop.run('select 4')\n    row = query.fetch\n    \
                       query.drop\n    shop.disconnect\n    expect(row).to eq([attempts == 1 ? 5 : 4])\n  end\nend\n",
            );
            let rspec = |variables: &[(&str, &str)], code| ended(&ruby(&desk, &["repeated_spec.rb"], variables), code);
            let root = desk.scratch.join("work/spec/super8_cassettes");
            rspec(&[("RSPEC_RETRY_RETRY_COUNT", "1")], 1);
            assert_eq!(cassettes(&root), ["A_shop/is_repeated.failed"]);
            rspec(&[], 0);
            assert_eq!(cassettes(&root), ["A_shop/is_repeated"]);
            desk.clear();
            rspec(&[("CI", "true")], 0);
            rspec(&[("CI", "true"), ("RSPEC_RETRY_RETRY_COUNT", "1")], 1);
        }
    });
}

#[test]
fn the_gem_has_use_cassette() {
    let desk = marked_ruby("gem_by_hand", Format::Yaml);
    let told = "4\nnil\na failure\ntrue\ntrue\n";
    let run = |mode: &str| ruby(&desk, &["-W0", "by_hand.rb", mode], &[]);
    let recorded = run("record");
    ended(&recorded, 0);
    assert_eq!(recorded.text(), told);
    assert_eq!(cassettes(&desk.scratch.join("work/spec/super8_cassettes")), ["pears", "plums"]);
    desk.clear();
    let replayed = run("replay");
    ended(&replayed, 0);
    assert_eq!(replayed.text(), told);
    let super8 = gem_home().join("bin/super8");
    let mut shown = Command::new(super8);
    desk.at(shown.args(["show", "spec/super8_cassettes/pears"]).env("GEM_HOME", gem_home()));
    let shown = Outcome::of(shown.env("GEM_HOME", gem_home()), b"");
    assert!(ended(&shown, 0).contains("select 4 where"));
}

/// A test of the super8 gem's, as it was, with its cassette, migrated.
#[test]
fn the_gem_replaces_the_super8_gem() {
    let desk = marked_ruby("gem_migrated", Format::Yaml);
    desk.clear();
    let gem = products::repository().join("tests/tests/gem");
    let migrated =
        desk.run(&["migrate", "--to", "spec/super8_cassettes/orders", &gem.join("v3").display().to_string()]);
    ended(&migrated, 0);
    let session = products::repository().join("tests/programs/ruby/gem_session.rb");
    let test = format!(
        "require 'super8'\n\
         Super8.configure {{ |config| config.encoding = 'ibm437' }}\n\
         Super8.use_cassette('orders', mode: :playback) {{ load '{}' }}\n",
        session.display()
    );
    desk.scratch.write("work/old_test.rb", test);
    let replayed = ruby(&desk, &["-W0", "old_test.rb"], &[]);
    ended(&replayed, 0);
    let played = std::fs::read_to_string(gem.join("played-by-the-gem.txt"));
    assert_eq!(replayed.text(), played.expect("what the gem played"));
}

/// The tests of `super8-test` that need the command around them, as cargo builds them.
fn tests_of_the_crate() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["test", "--quiet", "-p", "super8-test", "--test", "fruit", "--no-run", "--message-format=json"]);
        cargo.arg("--target-dir").arg(products::target_directory());
        let told = must(cargo.current_dir(products::repository()));
        let executable = told.rsplit_once("\"executable\":\"").and_then(|(_, rest)| rest.split_once('"'));
        executable.unwrap_or_else(|| panic!("cargo names no executable:\n{told}")).0.into()
    })
}

/// `super8 run`, as cargo's runner, with these tests.
fn crate_tests(desk: &Desk, words: &[&str]) -> Command {
    let mut tests =
        desk.super8(&["run", "--cassettes", "cassettes", "--", &tests_of_the_crate().display().to_string()]);
    tests.args(words).env("CARGO_PKG_NAME", "super8-test");
    tests
}

/// As cargo runs them, all in one process, and as nextest does, in a process for each.
#[test]
fn the_crate_records_and_replays_tests() {
    in_both_formats(|format| {
        let desk = Desk::new("crate").in_format(format);
        let run = |words: &[&str], variables: &[(&str, &str)], code| {
            ended(&Outcome::of(crate_tests(&desk, words).envs(variables.iter().copied()), b""), code)
        };
        let root = desk.scratch.join("work/cassettes");
        let absent = run(&[], &[("SUPER8_TEST_MODE", "none")], 101);
        assert!(absent.contains("there is no cassette here") && absent.contains("2 passed; 4 failed"), "{absent}");
        assert!(absent.contains("to record it: SUPER8_MODE=record cargo test -p super8-test"), "{absent}");
        assert!(run(&[], &[], 0).contains("6 passed"));
        let names = ["by_name", "fails", "fruit/nested/one_in_another", "fruit/pears", "fruit/plums", "inner"];
        assert_eq!(cassettes(&root), names);

        // The recording of a test that returns an error is set aside.
        must(Command::new("cp").arg("-r").arg(&root).arg(desk.scratch.join("work/before")));
        let failed = run(&["may_fail"], &[("SUPER8_TEST_MODE", "record"), ("OTHERWISE", "fail")], 101);
        assert!(failed.contains("no such table"), "{failed}");
        assert!(root.join("fails.failed").is_dir(), "{:?}", cassettes(&root));
        // It goes when the test passes, here in another process, as with nextest's retries.
        run(&["may_fail"], &[("SUPER8_TEST_MODE", "record")], 0);
        assert_same_files("the earlier cassette", &desk.scratch.join("work/before"), &root);

        desk.clear();
        assert!(run(&[], &[("CI", "true")], 0).contains("6 passed"));
        for test in ["may_fail", "an_error_is_swallowed", "no_database", "nested::one_in_another", "pears", "plums"] {
            assert!(run(&["--exact", test], &[("CI", "true")], 0).contains("1 passed"), "{test}");
        }
        run(&[], &[("CI", "true")], 0);
        let last = ended(&desk.run(&["unused", "cassettes"]), 0);
        assert!(last.contains("0 of 6 cassettes") && !last.contains("not have been a whole one"), "{last}");
        assert_eq!(verdicts(&desk, "cassettes"), ["passed"; 6]);
        for (otherwise, report) in [
            ("pears", "replay mismatch: differs"),
            ("swallowed", "replay mismatch: differs"),
            ("left out", "never played"),
        ] {
            let told = run(&[], &[("OTHERWISE", otherwise)], 101);
            assert!(told.contains("5 passed; 1 failed") && told.contains(report), "{otherwise}: {told}");
        }
    });
}

/// The Debian package in a directory, and known to a dpkg of its own.
#[test]
fn the_debian_package_has_what_it_says() {
    let desk = Desk::new("deb");
    let (deb, root) = (package(".deb"), desk.scratch.directory("root"));
    must(Command::new("dpkg-deb").arg("-x").args([&deb, &root]));
    let architecture = std::env::consts::ARCH;
    let drivers = format!("usr/lib/{architecture}-linux-gnu/odbc");
    for file in [
        "usr/bin/super8",
        &format!("{drivers}/libsuper8.so"),
        &format!("{drivers}/libsuper8a.so"),
        "usr/include/super8.h",
        "usr/share/man/man1/super8.1.gz",
        "usr/share/man/man1/super8-record.1.gz",
        "usr/share/bash-completion/completions/super8",
        "usr/share/zsh/vendor-completions/_super8",
        "usr/share/fish/vendor_completions.d/super8.fish",
        "usr/share/doc/super8-odbc/copyright",
        "usr/share/doc/super8-odbc/docs/tutorial.md",
    ] {
        assert!(root.join(file).is_file(), "{file} is not in the package");
    }
    let fields = must(Command::new("dpkg-deb").arg("-f").args([&deb]));
    assert!(fields.contains("Package: super8-odbc") && fields.contains("libc6 (>= "), "{fields}");
    let scripts = must(Command::new("dpkg-deb").arg("-I").arg(&deb));
    assert!(!scripts.contains("postinst"), "it registers nothing by itself: {scripts}");

    // The command finds its libraries, and the driver manager loads them.
    let super8 = root.join("usr/bin/super8").display().to_string();
    let run = |words: &[&str]| {
        let mut command = Command::new(&super8);
        desk.at(command.args(words));
        let outcome = Outcome::of(&command, b"select price from fruit where name = 'pear'\n");
        ended(&outcome, 0);
        outcome.text()
    };
    let recorded = run(&["record", "tape", "--", "isql", "-b", "-v", "shop"]);
    assert!(recorded.contains("| 4 "), "{recorded}");
    let installed = run(&["install", "SQLite3"]);
    assert!(installed.contains(&format!("{drivers}/libsuper8a.so")), "{installed}");
    desk.clear();
    assert_eq!(run(&["replay", "tape", "--", "isql", "-b", "-v", "shop"]), recorded);

    // dpkg installs and removes it.
    if super8_tests::server::is_root() {
        let admin = desk.scratch.directory("admin/var/lib/dpkg/info");
        for name in ["status", "available"] {
            desk.scratch.write(&format!("admin/var/lib/dpkg/{name}"), "");
        }
        let dpkg = |words: &[&str]| {
            let mut dpkg = Command::new("dpkg");
            dpkg.arg("--root").arg(desk.scratch.join("admin")).args(["--force-depends", "--force-not-root"]);
            must(dpkg.args(words))
        };
        dpkg(&["--install", &deb.display().to_string()]);
        assert!(desk.scratch.join("admin/usr/bin/super8").is_file() && admin.join("super8-odbc.md5sums").is_file());
        assert_eq!(dpkg(&["--verify", "super8-odbc"]), "");
        dpkg(&["--purge", "super8-odbc"]);
        assert!(!desk.scratch.join("admin/usr/bin/super8").exists());
    }
}

#[test]
fn the_archive_works_where_it_is_unpacked() {
    let desk = Desk::new("tar");
    let prefix = desk.scratch.directory("prefix");
    let mut tar = Command::new("tar");
    must(tar.arg("--extract").arg("--strip-components=1").arg("-C").arg(&prefix).arg("-f").arg(package(".tar.xz")));
    let super8 = prefix.join("bin/super8").display().to_string();
    let mut record = Command::new(super8);
    desk.at(record.args(["record", "tape", "--", "isql", "-b", "shop"]));
    ended(&Outcome::of(&record, b"select 1\n"), 0);
    let page = Command::new("sh")
        .args(["-c", "zcat \"$1\" | grep -c 'super8 run'", "sh"])
        .arg(prefix.join("share/man/man1/super8-run.1.gz"))
        .output();
    assert!(page.is_ok_and(|page| page.status.success()), "the manual has no page for `super8 run`");
    // zsh has this directory in its path if it is below /usr/local
    let functions = prefix.join("share/zsh/site-functions").display().to_string();
    let asked =
        "fpath=($1 $fpath); autoload -U compinit; compinit -u -D; print $_comps[super8]; autoload +X -U _super8";
    let known =
        Outcome::of(Command::new(packages::program("zsh", "zsh")).args(["-f", "-c", asked, "zsh", &functions]), b"");
    assert_eq!((known.text().as_str(), known.errors().as_str()), ("_super8\n", ""));
}
