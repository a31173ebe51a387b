//! Projects that know nothing of super8, each under the test runner of its language: recorded once with the database, replayed without
//! it in every way people run tests. In every way, a changed value, a statement less and one more fail.
//!
//! These tests take longest. They begin first because of the module's name, so that no processor waits at the end.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use super8_tests::driver::Driver;
use super8_tests::format::Format;
use super8_tests::mutation::Random;
use super8_tests::outcome::Outcome;
use super8_tests::products;
use super8_tests::program::Program;
use super8_tests::server::is_root;
use super8_tests::ways::Stage;

/// Root may write what is read-only; without these capabilities it is a user like any other.
const UNPRIVILEGED: [&str; 2] = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];

/// A project in a language.
pub struct Project {
    /// Its directory below `tests/programs`; none if it stays where it was built.
    pub directory: Option<&'static str>,
    /// The cassettes' name.
    name: &'static str,
    /// How it is recorded.
    record: &'static str,
    pub tests: &'static [&'static str],
    /// A test with which nothing connects if it is run alone.
    idle: Option<&'static str>,
    pub changes: [Change; 3],
    command: fn(&Path, &Selection) -> Program,
    /// How many tests its output says passed, and how many failed.
    counts: fn(&str) -> (usize, usize),
}

/// What a variable makes a test do otherwise.
pub struct Change {
    variable: &'static str,
    pub test: &'static str,
    /// A part of its cassette's name.
    cassette: &'static str,
}

const fn change(variable: &'static str, test: &'static str, cassette: &'static str) -> Change {
    Change { variable, test, cassette }
}

/// Which tests are run, and how.
#[derive(Clone, Copy, Debug)]
pub enum Selection {
    All,
    Alone(&'static str),
    Reversed,
    /// In an order that only the seed decides.
    Random(u64),
    Workers(usize),
}

impl Selection {
    /// These tests in their order.
    pub fn ordered(self, tests: &[&'static str]) -> Vec<&'static str> {
        let mut tests = tests.to_vec();
        match self {
            Selection::Reversed => tests.reverse(),
            Selection::Random(seed) => {
                let mut random = Random::new(seed);
                (1..tests.len()).rev().for_each(|at| tests.swap(at, random.below(at + 1)));
            }
            _ => {}
        }
        tests
    }
}

/// The number before a word, in the last line that has one.
fn number(text: &str, word: &str) -> usize {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let found = words.windows(2).rev().filter(|pair| pair[1].starts_with(word)).find_map(|pair| pair[0].parse().ok());
    found.unwrap_or(0)
}

fn pytest(directory: &Path, tests: &[&'static str], selection: &Selection) -> Program {
    let workers = if let Selection::Workers(count) = selection { format!("-n{count}") } else { String::new() };
    match selection {
        Selection::All => Program::pytest(directory, &[]),
        Selection::Alone(test) => Program::pytest(directory, &[test]),
        // pytest runs the tests that it is given in their order
        Selection::Reversed | Selection::Random(_) => Program::pytest(directory, &selection.ordered(tests)),
        Selection::Workers(_) => Program::pytest(directory, &[&workers]),
    }
}

/// On pyodbc: connections and tables for each test, for a class, a file and the whole session; transactions that are rolled back.
pub const BOOKS: Project = Project {
    directory: Some("python/books"),
    name: "%t",
    record: "record",
    tests: &[
        "tests/test_books.py::test_a_book_is_sold[5]",
        "tests/test_books.py::test_a_book_is_sold[7]",
        "tests/test_books.py::test_a_book_is_sold[11]",
        "tests/test_books.py::test_types",
        "tests/test_books.py::test_the_server_is_known",
        "tests/test_books.py::test_a_wrong_statement_is_an_error",
        "tests/test_engine.py::test_one_connection_for_all[0]",
        "tests/test_engine.py::test_one_connection_for_all[1]",
        "tests/test_engine.py::test_one_connection_for_all[2]",
        "tests/test_engine.py::test_one_connection_for_all[3]",
        "tests/test_engine.py::test_a_title[short]",
        "tests/test_engine.py::test_a_title[long]",
        "tests/test_engine.py::test_titles_are_counted[short]",
        "tests/test_engine.py::test_titles_are_counted[long]",
        "tests/test_engine.py::test_a_transaction",
        "tests/test_loans.py::test_nobody_has_a_book",
        "tests/test_loans.py::test_a_loan_is_kept_until_the_end",
        "tests/test_loans.py::test_each_reader_is_counted[1]",
        "tests/test_loans.py::test_each_reader_is_counted[2]",
        "tests/test_loans.py::test_each_reader_is_counted[20]",
        "tests/test_loans.py::test_a_reader_is_there_once",
        "tests/test_loans.py::test_a_loan_is_given_back_in_the_middle",
        "tests/test_readers.py::TestReaders::test_a_name",
        "tests/test_readers.py::TestReaders::test_a_name_is_a_parameter[plain]",
        "tests/test_readers.py::TestReaders::test_a_name_is_a_parameter[quoted]",
        "tests/test_readers.py::TestReaders::test_a_name_is_a_parameter[empty]",
        "tests/test_readers.py::TestReaders::test_many_at_once",
        "tests/test_readers.py::Cards::test_a_card",
        "tests/test_readers.py::Cards::test_cards_of_several_kinds",
        "tests/test_readers.py::test_a_label",
        "tests/test_readers.py::test_two_connections_at_a_time",
    ],
    idle: Some("tests/test_readers.py::test_a_label"),
    changes: [
        change("CHANGED", "tests/test_readers.py::TestReaders::test_many_at_once", "TestReaders+test_many_at_once"),
        change("LEFT_OUT", "tests/test_books.py::test_a_book_is_sold[7]", "test_a_book_is_sold[7]"),
        change("EXTRA", "tests/test_loans.py::test_nobody_has_a_book", "test_nobody_has_a_book"),
    ],
    command: |directory, selection| pytest(directory, BOOKS.tests, selection),
    counts: |output| (number(output, "passed"), number(output, "failed")),
};

/// On SQLAlchemy, with one engine and its pool for all tests, and another engine without one.
pub const STORE: Project = Project {
    directory: Some("python/store"),
    tests: &[
        "tests/test_engines.py::test_several_at_a_time[1]",
        "tests/test_engines.py::test_several_at_a_time[3]",
        "tests/test_engines.py::test_a_connection_of_its_own[0]",
        "tests/test_engines.py::test_a_connection_of_its_own[1]",
        "tests/test_engines.py::test_a_connection_of_its_own[2]",
        "tests/test_engines.py::test_no_statement",
        "tests/test_orders.py::test_an_order_is_kept[1]",
        "tests/test_orders.py::test_an_order_is_kept[2]",
        "tests/test_orders.py::test_an_order_is_kept[3]",
        "tests/test_orders.py::test_an_order_is_changed",
        "tests/test_orders.py::test_an_order_is_taken_back",
        "tests/test_orders.py::test_a_wrong_statement_is_an_error",
        "tests/test_shelves.py::TestFruits::test_they_come_with_their_shelf",
        "tests/test_shelves.py::TestFruits::test_they_are_joined",
        "tests/test_shelves.py::TestFruits::test_one_is_found_by_its_name[apple]",
        "tests/test_shelves.py::TestFruits::test_one_is_found_by_its_name[pear]",
        "tests/test_shelves.py::TestFruits::test_one_is_found_by_its_name[plum]",
        "tests/test_shelves.py::TestFruits::test_they_go_with_their_shelf",
        "tests/test_shelves.py::test_a_shelf_is_there_once",
        "tests/test_shelves.py::test_many_at_once",
        "tests/test_shelves.py::test_nothing_is_left",
    ],
    idle: None,
    changes: [
        change("CHANGED", "tests/test_orders.py::test_an_order_is_changed", "test_an_order_is_changed"),
        change("LEFT_OUT", "tests/test_orders.py::test_an_order_is_kept[2]", "test_an_order_is_kept[2]"),
        change("EXTRA", "tests/test_shelves.py::test_nothing_is_left", "test_nothing_is_left"),
    ],
    command: |directory, selection| pytest(directory, STORE.tests, selection),
    ..BOOKS
};

/// The same, where the pool gives out its connections in turn: which one a test gets depends on those that ran before it.
const ROUND_ROBIN: Project = Project { record: "record --order any", ..STORE };

/// RSpec, which has no variable for the running example: the project sets one.
const LIBRARY: Project = Project {
    directory: Some("ruby/library"),
    name: "%{EXAMPLE}",
    record: "record",
    tests: &[
        "a library lends a book of year 5",
        "a library lends a book of year 7",
        "a library lends a book of year 11",
        "a library counts",
        "a library says what is wrong",
        "the connection of all is asked for number 0",
        "the connection of all is asked for number 1",
        "the connection of all is asked for number 2",
        "the connection of all is asked for number 3",
        "two connections are open at a time",
        "a label needs no database",
        "a label is read as it is written: \"Emma\"",
        "a label is read as it is written: \"O'Hara, and others\"",
        "a shelf is empty",
        "a shelf with two books has them in order",
        "a shelf with two books has none after a rollback",
        "a shelf with two books and one that is lent has the other",
    ],
    idle: None,
    changes: [
        change("CHANGED", "a library counts", "a_library_counts"),
        change("LEFT_OUT", "a library lends a book of year 7", "a_library_lends_a_book_of_year_7"),
        change("EXTRA", "a shelf is empty", "a_shelf_is_empty"),
    ],
    command: |directory, selection| match selection {
        Selection::All | Selection::Reversed => Program::rspec(directory, &[]),
        Selection::Alone(test) => Program::rspec(directory, &[&format!("--example={test}")]),
        Selection::Random(seed) => Program::rspec(directory, &[&format!("--order=rand:{seed}")]),
        Selection::Workers(count) => Program::parallel_rspec(directory, *count),
    },
    counts: |output| {
        let failed = number(output, "failure");
        (number(output, "example") - failed, failed)
    },
};

/// cargo nextest runs each test in a process.
const TILL: Project = Project {
    directory: None,
    name: "%t",
    record: "record",
    tests: &[
        "sales::one_for_five",
        "sales::one_for_seven",
        "sales::one_for_eleven",
        "receipts::are_summed",
        "receipts::are_gone_after_a_rollback",
        "sums",
        "what_is_wrong_is_an_error",
        "two_connections",
        "rows_come_in_blocks",
        "a_failure_that_is_expected",
        "a_text_of_a_fixed_size",
        "no_database_is_needed",
    ],
    idle: Some("no_database_is_needed"),
    changes: [
        change("CHANGED", "sums", "sums"),
        change("LEFT_OUT", "sales::one_for_seven", "sales+one_for_seven"),
        change("EXTRA", "two_connections", "two_connections"),
    ],
    command: |directory, selection| {
        let arguments = match selection {
            Selection::All => Vec::new(),
            Selection::Alone(test) => vec!["-E".to_owned(), format!("test(={test})")],
            Selection::Reversed | Selection::Random(_) => in_nextests_order(directory, &selection.ordered(TILL.tests)),
            Selection::Workers(count) => vec![format!("-j{count}")],
        };
        let arguments = arguments.iter().map(String::as_str).chain(["--no-fail-fast"]);
        Program::nextest(&arguments.collect::<Vec<_>>())
    },
    counts: |output| (number(output, "passed"), number(output, "failed")),
};

/// nextest begins with the tests of the highest priority.
fn in_nextests_order(directory: &Path, tests: &[&str]) -> Vec<String> {
    let rules = tests.iter().zip((0..=100).rev()).map(|(test, priority)| {
        format!("[[profile.default.overrides]]\nfilter = 'test(={test})'\npriority = {priority}\n")
    });
    let file = directory.join("nextest.toml");
    std::fs::write(&file, rules.collect::<String>()).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    vec!["-j1".to_owned(), format!("--config-file={}", file.display())]
}

/// A project in a directory of its own, with its cassettes.
struct Checkout<'p> {
    project: &'p Project,
    directory: PathBuf,
    stage: Stage,
}

impl Checkout<'_> {
    /// Puts the project there.
    fn new(project: &Project, driver: Driver, format: Format) -> Checkout<'_> {
        let name = project.directory.map_or("till", |directory| directory.rsplit('/').next().unwrap_or_default());
        let stage = Stage::new(&format!("{name}_{}", format.name()), driver).in_format(format);
        let directory = stage.scratch.directory("checkout");
        if let Some(project) = project.directory {
            copy(&products::repository().join("tests/programs").join(project), &directory);
        }
        let mut checkout = Checkout { project, directory: PathBuf::new(), stage };
        checkout.is_in(directory);
        checkout
    }

    /// The project is there, together with its cassettes.
    fn is_in(&mut self, directory: PathBuf) {
        self.stage.put_cassette(directory.join("tapes").join(self.project.name));
        self.directory = directory;
    }

    fn run(&mut self, starter: &[&str], verb: &str, selection: &Selection, changes: &[&Change]) -> Outcome {
        let kept = self.stage.environment.len();
        let variables = changes.iter().map(|change| (change.variable, "yes".to_owned()));
        self.stage.environment.extend(variables);
        self.stage.environment.push(("EXAMPLE", "setup".to_owned()));
        // nextest starts a test in its package's directory, where nothing is to be written
        self.stage.environment.push(("WORK", self.stage.scratch.join("work").display().to_string()));
        if self.project.record.ends_with("any") {
            self.stage.environment.push(("FIFO", "yes".to_owned()));
        }
        if let Selection::Reversed = selection {
            self.stage.environment.push(("REVERSED", "yes".to_owned()));
        }
        let outcome = self.stage.wrapped_by(starter, verb, &(self.project.command)(&self.directory, selection));
        self.stage.environment.truncate(kept);
        outcome
    }

    #[track_caller]
    fn passes(&mut self, starter: &[&str], verb: &str, selection: &Selection) {
        let outcome = self.run(starter, verb, selection, &[]);
        let told = String::from_utf8_lossy(&outcome.all()).into_owned();
        let count = if let Selection::Alone(_) = selection { 1 } else { self.project.tests.len() };
        let is_idle = matches!(selection, Selection::Alone(test) if self.project.idle == Some(test));
        let is_right = if is_idle { outcome.status == "exit status: 119" } else { outcome.succeeded() };
        let passed = is_right && (self.project.counts)(&told) == (count, 0);
        assert!(passed, "{verb} {selection:?} in {}\n{told}", self.directory.display());
    }

    /// Replays so; then with a changed value, a statement less and one more, a test each: these fail, and no others.
    #[track_caller]
    fn passes_and_changes_fail(&mut self, starter: &[&str], selection: &Selection) {
        self.passes(starter, "replay", selection);
        let is_run = |change: &&Change| !matches!(selection, Selection::Alone(test) if *test != change.test);
        let changes: Vec<&Change> = self.project.changes.iter().filter(is_run).collect();
        if changes.is_empty() {
            return;
        }
        let outcome = self.run(starter, "replay", selection, &changes);
        let told = String::from_utf8_lossy(&outcome.all()).into_owned();
        let what = || format!("changed {selection:?} in {}: {}\n{told}", self.directory.display(), outcome.status);
        let failed = changes.len();
        let count = if let Selection::Alone(_) = selection { 1 } else { self.project.tests.len() };
        assert!(!outcome.succeeded(), "{}", what());
        assert_eq!((self.project.counts)(&told), (count - failed, failed), "{}", what());
        let found = reports(&told, &self.directory.join("tapes"));
        let expected = |cassette: &String| changes.iter().any(|change| cassette.contains(change.cassette));
        assert!(found.len() == changes.len() && found.iter().all(expected), "{found:?}: {}", what());
    }
}

/// The cassettes below a directory that are said not to have been played as they were recorded.
fn reports(told: &str, tapes: &Path) -> BTreeSet<String> {
    let below = format!("{}/", tapes.display());
    let named = told.lines().filter_map(|line| line.trim().strip_prefix("cassette: ")?.strip_prefix(&below));
    named.map(str::to_owned).collect()
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap_or_else(|error| panic!("{}: {error}", to.display()));
    let entries = std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    for entry in entries.flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy(&from, &to),
            false => drop(std::fs::copy(&from, &to).unwrap_or_else(|error| panic!("{}: {error}", to.display()))),
        }
    }
}

/// Takes the right to write from everything, or gives it back.
fn read_only(directory: &Path, is_read_only: bool) {
    let (directories, files) = if is_read_only { (0o555, 0o444) } else { (0o755, 0o644) };
    let mode = if directory.is_dir() { directories } else { files };
    let set = |mode| std::fs::set_permissions(directory, std::fs::Permissions::from_mode(mode));
    if !is_read_only {
        set(mode).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    }
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        read_only(&entry.path(), is_read_only);
    }
    set(mode).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
}

/// How many of the ways a project is replayed in.
struct Extent {
    /// One test of so many is run alone, and each that has a change.
    one_alone_of: usize,
    /// Random orders.
    orders: u64,
}

const EVERY_WAY: Extent = Extent { one_alone_of: 1, orders: 10 };
/// For a second format or driver.
const SOME_WAYS: Extent = Extent { one_alone_of: 4, orders: 2 };

/// Recorded once; replayed in every way, and in every way with the changes.
fn in_every_way(project: &Project, driver: Driver, format: Format, extent: &Extent) {
    let mut checkout = Checkout::new(project, driver, format);
    checkout.passes(&[], project.record, &Selection::All);
    let is_changed = |test: &str| project.changes.iter().any(|change| change.test == test);
    let is_alone = |(at, test): &(usize, &&'static str)| at % extent.one_alone_of == 0 || is_changed(test);
    let alone = project.tests.iter().enumerate().filter(is_alone).map(|(_, test)| Selection::Alone(test));
    let ordered = [Selection::Reversed].into_iter().chain((0..extent.orders).map(Selection::Random));
    for selection in
        [Selection::All, Selection::Workers(2), Selection::Workers(4)].into_iter().chain(alone).chain(ordered)
    {
        checkout.passes_and_changes_fail(&[], &selection);
    }

    // another checkout, as CI has it
    let elsewhere = checkout.stage.scratch.join("another/place/of it");
    copy(&checkout.directory, &elsewhere);
    std::fs::remove_dir_all(&checkout.directory).unwrap_or_else(|error| panic!("{error}"));
    checkout.is_in(elsewhere.clone());
    checkout.passes_and_changes_fail(&[], &Selection::All);
    checkout.stage.environment.push(("CI", "true".to_owned()));
    checkout.passes_and_changes_fail(&[], &Selection::All);
    checkout.passes(&[], "once", &Selection::All);

    // that nobody may write to
    let starter: &[&str] = if is_root() { &UNPRIVILEGED } else { &[] };
    read_only(&elsewhere, true);
    let is_writable = std::process::Command::new("env").args(starter).arg("touch").arg(elsewhere.join("new")).status();
    assert!(is_writable.is_ok_and(|status| !status.success()), "{} can be written", elsewhere.display());
    checkout.passes_and_changes_fail(starter, &Selection::All);
    read_only(&elsewhere, false);
}

#[test]
fn pytest_on_sqlite() {
    in_every_way(&BOOKS, Driver::Sqlite, Format::Yaml, &EVERY_WAY);
}

#[test]
fn pytest_on_sqlite_in_traces() {
    in_every_way(&BOOKS, Driver::Sqlite, Format::Ndjson, &SOME_WAYS);
}

#[test]
fn pytest_on_postgres() {
    in_every_way(&BOOKS, Driver::PostgresUnicode, Format::Yaml, &EVERY_WAY);
}

#[test]
fn pytest_on_mariadb() {
    in_every_way(&BOOKS, Driver::MariaDb, Format::Yaml, &SOME_WAYS);
}

#[test]
fn sqlalchemy_on_mariadb() {
    in_every_way(&STORE, Driver::MariaDb, Format::Yaml, &EVERY_WAY);
}

#[test]
fn sqlalchemy_on_mariadb_in_any_order_in_traces() {
    in_every_way(&ROUND_ROBIN, Driver::MariaDb, Format::Ndjson, &SOME_WAYS);
}

#[test]
fn rspec_on_sqlite() {
    in_every_way(&LIBRARY, Driver::Sqlite, Format::Yaml, &EVERY_WAY);
}

#[test]
fn rspec_on_postgres_in_traces() {
    in_every_way(&LIBRARY, Driver::PostgresAnsi, Format::Ndjson, &SOME_WAYS);
}

#[test]
fn nextest_on_sqlite() {
    in_every_way(&TILL, Driver::Sqlite, Format::Yaml, &EVERY_WAY);
}

#[test]
fn nextest_on_postgres_in_traces() {
    in_every_way(&TILL, Driver::PostgresUnicode, Format::Ndjson, &SOME_WAYS);
}
