//! Fixtures that tests share, under the pytest plugin of the wheel: as under the command they have cassettes of their own, so that
//! tests can be run alone and in any order.

use crate::any_way::{BOOKS, Project, STORE, Selection, copy};
use crate::packages::{cassettes, ended, pytest, python};
use super8_tests::database::Database;
use super8_tests::desk::Desk;
use super8_tests::driver::Driver;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::products;

/// Marks every test of a project.
const MARKS: &str =
    "def pytest_collection_modifyitems(items):\n    for item in items:\n        item.add_marker(\"super8\")\n";

/// The tests of a whole project, in the desk's directory.
struct Suite {
    project: &'static Project,
    desk: Desk,
    database: Database,
    connection_string: String,
    variables: Vec<(&'static str, &'static str)>,
}

impl Suite {
    fn new(project: &'static Project, subject: &str, driver: Driver, format: Format) -> Suite {
        let (desk, database, connection_string) = Desk::on(subject, driver, "whole");
        let directory = products::repository().join("tests/programs").join(project.directory.unwrap_or_default());
        copy(&directory.join("tests"), &desk.scratch.join("work/tests"));
        desk.scratch.write("work/pytest.ini", "[pytest]\n");
        Suite { project, desk: desk.in_format(format), database, connection_string, variables: Vec::new() }
    }

    /// Every test has the mark.
    fn marked(project: &'static Project, subject: &str, driver: Driver, format: Format) -> Suite {
        let suite = Suite::new(project, subject, driver, format);
        suite.desk.scratch.write("work/conftest.py", MARKS);
        suite
    }

    fn pytest(&self, words: &[&str], changes: &[&str]) -> Outcome {
        let mut command = pytest(&self.desk, words);
        command.env("CONNECTION", &self.connection_string).envs(self.variables.iter().copied());
        command.envs(changes.iter().map(|change| (change, "yes")));
        Outcome::of(&command, b"")
    }

    #[track_caller]
    fn passes(&self, words: &[&str]) -> String {
        ended(&self.pytest(words, &[]), 0)
    }

    fn cassettes(&self, directory: &str) -> Vec<String> {
        cassettes(&self.desk.scratch.join("work").join(directory))
    }

    /// From now on there is no driver and no database.
    fn clear(&self) {
        self.database.remove();
        self.desk.clear();
    }

    /// These tests alone, all of them reversed and in a random order, and by several workers. `words` go before each.
    #[track_caller]
    fn passes_in_every_order(&self, words: &[&str], alone: &[&'static str]) {
        let with = |more: &[&'static str]| [words, more].concat();
        for test in alone {
            assert!(self.passes(&with(&[test])).contains("1 passed"), "{test}");
        }
        for order in [Selection::All, Selection::Reversed, Selection::Random(1)] {
            self.passes(&with(&order.ordered(self.project.tests)));
        }
        self.passes(&with(&["tests", "-n3"]));
    }
}

/// Neither is the first to use what its fixture has set up.
const ALONE: [&str; 2] =
    ["tests/test_engine.py::test_titles_are_counted[long]", "tests/test_loans.py::test_a_reader_is_there_once"];

/// The cassettes of the fixtures, in the order of their names.
const SHARED: [&str; 4] = [
    "tests/conftest.py/setup-engine",
    "tests/conftest.py/setup-session",
    "tests/conftest.py/setup-titles[long]",
    "tests/conftest.py/setup-titles[short]",
];

#[test]
fn marked_tests_pass_alone_and_in_every_order() {
    in_both_formats(|format| {
        let driver = if format == Format::Yaml { Driver::Sqlite } else { Driver::PostgresUnicode };
        let books = Suite::marked(&BOOKS, "shared_marked", driver, format);
        books.passes(&["--super8=record", "tests"]);
        let recorded = books.cassettes("cassettes");
        for shared in SHARED {
            assert!(recorded.iter().any(|name| name == shared), "{shared} is not in {recorded:#?}");
        }
        // of several workers that set up the same, one is recorded
        if format == Format::Yaml {
            std::fs::remove_dir_all(books.desk.scratch.join("work/cassettes"))
                .unwrap_or_else(|error| panic!("{error}"));
            books.database.fresh();
            books.passes(&["--super8=once", "tests", "-n3", "--dist=loadscope"]);
            assert_eq!(books.cassettes("cassettes"), recorded);
        }
        books.clear();
        books.passes_in_every_order(&["--super8-block"], &ALONE);

        // the command plays what the plugin recorded, with the plugin and without it
        for plugin in [&[][..], &["-p", "no:super8"]] {
            let python = python().display().to_string();
            let words = ["replay", "cassettes/%t", "--", &python, "-m", "pytest", "-q", "-p", "no:cacheprovider"];
            let mut wrapped = books.desk.super8(&[&words, plugin, &["tests"]].concat());
            let wrapped = wrapped.env("CONNECTION", &books.connection_string).env("PYTHONDONTWRITEBYTECODE", "1");
            ended(&Outcome::of(wrapped, b""), 0);
        }

        // one test fails for each change, and is reported once
        let order = Selection::Random(2).ordered(BOOKS.tests);
        let told = ended(&books.pytest(&order, &["CHANGED", "LEFT_OUT", "EXTRA"]), 1);
        assert_eq!(told.matches("\ncassette: ").count() + told.matches("never played in").count(), 3, "{told}");
        for change in &BOOKS.changes {
            assert!(told.contains(change.test), "{}: {told}", change.test);
        }
    });
}

/// What fails in a fixture is told with the test that asks for it first, or with the last one.
#[test]
fn a_shared_fixture_that_does_something_else_fails() {
    let books = Suite::marked(&BOOKS, "shared_changed", Driver::Sqlite, Format::Yaml);
    let tests = "tests/test_engine.py";
    books.passes(&["--super8=record", tests]);
    books.clear();
    let conftest = books.desk.scratch.join("work/tests/conftest.py");
    let text = std::fs::read_to_string(&conftest).unwrap_or_else(|error| panic!("{error}"));
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        books.desk.scratch.write("work/tests/conftest.py", text.replace(from, to));
        ended(&books.pytest(&[tests], &[]), 1)
    };
    let set_up = changed("\"Emma\" if", "\"Anna\" if");
    assert!(set_up.contains("cassettes/tests/conftest.py/setup-titles[short]\n"), "{set_up}");
    assert!(set_up.matches("\ncassette: ").count() == 1 && set_up.contains("2 errors in"), "{set_up}");
    let torn_down = changed("engine.execute(f\"drop table {kind}_titles\")", "pass");
    assert!(torn_down.contains("never played in ") && torn_down.contains("drop table long_titles"), "{torn_down}");
    books.desk.scratch.write("work/cassettes/tests/conftest.py/setup-engine/metadata.yml", "schema_version: 99\n");
    let unreadable = changed("pyodbc.pooling", "pyodbc.pooling");
    assert!(unreadable.contains("setup-engine/metadata.yml") && unreadable.contains("9 errors in"), "{unreadable}");
    assert!(!unreadable.contains("Traceback") && !unreadable.contains("INTERNALERROR"), "{unreadable}");
    assert!(torn_down.contains("8 passed") || torn_down.contains("9 passed"), "{torn_down}");
}

/// SQLAlchemy asks the server what it is on an engine's first connection: a fixture of the session makes it, and what it asks is recorded
/// there.
#[test]
fn marked_tests_on_an_engine_pass_alone_and_in_every_order() {
    let suite = Suite::marked(&STORE, "shared_engine", Driver::MariaDb, Format::Yaml);
    let conftest = suite.desk.scratch.join("work/tests/conftest.py");
    let text = std::fs::read_to_string(&conftest).unwrap_or_else(|error| panic!("{error}"));
    let before = "each.connect().close()\nStock.metadata.create_all(engine)\nengine.dispose()\n";
    let fixture = "@pytest.fixture(scope=\"session\", autouse=True)\ndef tables():\n    each.connect().close()\n    \
        Stock.metadata.create_all(engine)\n    engine.dispose()\n    yield\n    engine.dispose()\n";
    assert!(text.contains(before));
    suite.desk.scratch.write("work/tests/conftest.py", text.replace(before, fixture));
    suite.passes(&["--super8=record", "tests"]);
    suite.clear();
    suite.passes_in_every_order(&["--super8-block"], &["tests/test_shelves.py::test_a_shelf_is_there_once"]);
}

/// Without a mark: variables of the environment name the cassettes, and the plugin tells of the fixtures.
#[test]
fn a_name_by_hand_passes_alone_and_in_every_order() {
    let mut books = Suite::new(&BOOKS, "shared_by_hand", Driver::Sqlite, Format::Yaml);
    books.variables = vec![("SUPER8_MODE", "record"), ("SUPER8_CASSETTE", "tapes/%t")];
    // of several workers that set up the same, one is recorded
    books.passes(&["tests", "-n2", "--dist=loadscope"]);
    let recorded = books.cassettes("tapes");
    for shared in SHARED {
        assert!(recorded.iter().any(|name| name == shared), "{shared} is not in {recorded:#?}");
    }
    books.clear();
    books.variables[0].1 = "replay";
    books.passes_in_every_order(&[], &ALONE);
    let told = ended(&books.pytest(&["tests"], &["CHANGED"]), 1);
    assert!(told.contains("1 failed") && told.contains(BOOKS.changes[0].test), "{told}");
}
