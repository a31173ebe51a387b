//! Projects that know nothing of super8, each under the test runner of its language: recorded once with the database, replayed without
//! it in every way people run tests. In every way, a changed value, a statement less and one more fail.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use super8_tests::driver::Driver;
use super8_tests::format::Format;
use super8_tests::outcome::Outcome;
use super8_tests::products;
use super8_tests::program::Program;
use super8_tests::server::is_root;
use super8_tests::ways::Stage;

/// Root may write what is read-only; without these capabilities it is a user like any other.
const UNPRIVILEGED: [&str; 2] = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"];

/// A project in a language.
struct Project {
    /// Its directory below `tests/programs`; none if it stays where it was built.
    directory: Option<&'static str>,
    /// The cassettes' name.
    name: &'static str,
    tests: &'static [&'static str],
    /// The command in a directory.
    command: fn(&Path, &[&str]) -> Program,
    /// The words of its output when so many tests pass.
    told: fn(usize) -> String,
    /// The arguments that run one test.
    alone: fn(&'static str) -> Vec<String>,
    /// The arguments and variables for an order of all tests: reversed, or by a seed.
    order: Option<fn(&Project, Order) -> Selection>,
    /// The arguments for several workers.
    workers: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Order {
    Reversed,
    Random(u64),
}

/// Which tests are run, and how.
#[derive(Clone, Debug, Default)]
struct Selection {
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    count: usize,
}

/// An order of these tests that only the seed decides.
fn shuffled(tests: &[&'static str], seed: u64) -> Vec<String> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut tests: Vec<String> = tests.iter().map(|test| (*test).to_owned()).collect();
    for at in (1..tests.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        tests.swap(at, (state % (at as u64 + 1)) as usize);
    }
    tests
}

/// pytest runs the tests that it is given in their order.
fn in_pytests_order(project: &Project, order: Order) -> Selection {
    let arguments = match order {
        Order::Reversed => project.tests.iter().rev().map(|test| (*test).to_owned()).collect(),
        Order::Random(seed) => shuffled(project.tests, seed),
    };
    Selection { arguments, environment: Vec::new(), count: project.tests.len() }
}

const BOOKS: Project = Project {
    directory: Some("python/books"),
    name: "%t",
    tests: &[
        "tests/test_books.py::test_a_book_is_sold[5]",
        "tests/test_books.py::test_a_book_is_sold[7]",
        "tests/test_books.py::test_a_book_is_sold[11]",
        "tests/test_books.py::test_prices",
        "tests/test_books.py::test_types",
        "tests/test_books.py::test_the_server_is_known",
        "tests/test_engine.py::test_one_connection_for_all[0]",
        "tests/test_engine.py::test_one_connection_for_all[1]",
        "tests/test_engine.py::test_one_connection_for_all[2]",
        "tests/test_engine.py::test_one_connection_for_all[3]",
        "tests/test_engine.py::test_a_transaction",
    ],
    command: Program::pytest,
    told: |count| format!("{count} passed"),
    alone: |test| vec![test.to_owned()],
    order: Some(in_pytests_order),
    workers: &["-n2", "-n4"],
};

/// On SQLAlchemy, with one engine and its pool for all tests.
const STORE: Project = Project {
    directory: Some("python/store"),
    tests: &[
        "tests/test_orders.py::test_an_order_is_kept[1]",
        "tests/test_orders.py::test_an_order_is_kept[2]",
        "tests/test_orders.py::test_an_order_is_kept[3]",
        "tests/test_orders.py::test_an_order_is_changed",
        "tests/test_orders.py::test_an_order_is_taken_back",
        "tests/test_orders.py::test_a_wrong_statement_is_an_error",
    ],
    ..BOOKS
};

/// RSpec, which has no variable for the running example: the project sets one.
const LIBRARY: Project = Project {
    directory: Some("ruby/library"),
    name: "%{EXAMPLE}",
    tests: &[
        "lends a book of year 5",
        "lends a book of year 7",
        "lends a book of year 11",
        "counts",
        "says what is wrong",
        "is asked for number 0",
        "is asked for number 1",
        "is asked for number 2",
        "is asked for number 3",
    ],
    command: Program::rspec,
    told: |count| format!("{count} example{}, 0 failures", if count == 1 { "" } else { "s" }),
    alone: |test| vec![format!("--example={test}")],
    order: Some(|project, order| {
        let (arguments, environment) = match order {
            Order::Reversed => (Vec::new(), vec![("REVERSED", "yes".to_owned())]),
            Order::Random(seed) => (vec![format!("--order=rand:{seed}")], Vec::new()),
        };
        Selection { arguments, environment, count: project.tests.len() }
    }),
    workers: &[],
};

/// cargo nextest runs each test in a process, in an order of its own.
const TILL: Project = Project {
    directory: None,
    name: "%t",
    tests: &[
        "sales::one_for_five",
        "sales::one_for_seven",
        "sales::one_for_eleven",
        "sums",
        "what_is_wrong_is_an_error",
        "two_connections",
    ],
    command: |_, arguments| Program::nextest(arguments),
    told: |count| format!("{count} passed"),
    alone: |test| vec!["-E".to_owned(), format!("test(={test})")],
    order: None,
    workers: &["-j1", "-j4"],
};

impl Project {
    fn all(&self) -> Selection {
        Selection { count: self.tests.len(), ..Selection::default() }
    }

    fn ordered(&self, order: Order) -> Option<Selection> {
        self.order.map(|select| select(self, order))
    }

    /// Each test alone, all reversed, in random orders, by several workers.
    fn selections(&self, orders: u64) -> Vec<Selection> {
        let alone = |test: &&'static str| Selection { arguments: (self.alone)(test), count: 1, ..Selection::default() };
        let workers = self.workers.iter().map(|word| self.by(word));
        let random = (0..orders).filter_map(|seed| self.ordered(Order::Random(seed)));
        let all = [self.all()].into_iter().chain(self.tests.iter().map(alone)).chain(self.ordered(Order::Reversed));
        all.chain(random).chain(workers).collect()
    }

    fn by(&self, workers: &str) -> Selection {
        Selection { arguments: vec![workers.to_owned()], ..self.all() }
    }
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

    fn run(&mut self, starter: &[&str], verb: &str, selection: &Selection) -> Outcome {
        let arguments: Vec<&str> = selection.arguments.iter().map(String::as_str).collect();
        let kept = self.stage.environment.len();
        self.stage.environment.extend(selection.environment.iter().cloned());
        self.stage.environment.push(("EXAMPLE", "setup".to_owned()));
        // nextest starts a test in its package's directory, where nothing is to be written
        self.stage.environment.push(("WORK", self.stage.scratch.join("work").display().to_string()));
        let outcome = self.stage.wrapped_by(starter, verb, &(self.project.command)(&self.directory, &arguments));
        self.stage.environment.truncate(kept);
        outcome
    }

    #[track_caller]
    fn passes(&mut self, starter: &[&str], verb: &str, selection: &Selection) {
        let outcome = self.run(starter, verb, selection);
        let told = String::from_utf8_lossy(&outcome.all()).into_owned();
        let passed = outcome.succeeded() && told.contains(&(self.project.told)(selection.count));
        assert!(passed, "{verb} {selection:?} in {}\n{told}", self.directory.display());
    }

    /// One changed value, one statement less and one more: each fails.
    #[track_caller]
    fn changes_fail(&mut self, starter: &[&str], selection: &Selection) {
        for change in ["CHANGED", "LEFT_OUT", "EXTRA"] {
            self.stage.environment.push((change, "yes".into()));
            let outcome = self.run(starter, "replay", selection);
            self.stage.environment.pop();
            assert!(!outcome.succeeded(), "{change} {selection:?}: {}", outcome.text());
        }
    }
}

fn copy(from: &Path, to: &Path) {
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

/// Recorded once; replayed in every way, in so many random orders.
fn in_every_way(project: &Project, driver: Driver, format: Format, orders: u64) {
    let mut checkout = Checkout::new(project, driver, format);
    let all = project.all();
    checkout.passes(&[], "record", &all);
    for selection in project.selections(orders) {
        checkout.passes(&[], "replay", &selection);
    }
    let ordered = [Order::Reversed, Order::Random(7)].into_iter().filter_map(|order| project.ordered(order));
    let workers = project.workers.first().map(|word| project.by(word));
    for selection in [all.clone()].into_iter().chain(ordered).chain(workers) {
        checkout.changes_fail(&[], &selection);
    }

    // another checkout, as CI has it
    let elsewhere = checkout.stage.scratch.join("another/place/of it");
    copy(&checkout.directory, &elsewhere);
    std::fs::remove_dir_all(&checkout.directory).unwrap_or_else(|error| panic!("{error}"));
    checkout.is_in(elsewhere.clone());
    checkout.passes(&[], "replay", &all);
    checkout.stage.environment.push(("CI", "true".to_owned()));
    checkout.passes(&[], "replay", &all);
    checkout.passes(&[], "once", &all);
    checkout.changes_fail(&[], &all);

    // that nobody may write to
    let starter: &[&str] = if is_root() { &UNPRIVILEGED } else { &[] };
    read_only(&elsewhere, true);
    let is_writable = std::process::Command::new("env").args(starter).arg("touch").arg(elsewhere.join("new")).status();
    assert!(is_writable.is_ok_and(|status| !status.success()), "{} can be written", elsewhere.display());
    checkout.passes(starter, "replay", &all);
    checkout.changes_fail(starter, &all);
    read_only(&elsewhere, false);
}

#[test]
fn pytest_on_sqlite() {
    in_every_way(&BOOKS, Driver::Sqlite, Format::Yaml, 20);
}

#[test]
fn pytest_on_sqlite_in_traces() {
    in_every_way(&BOOKS, Driver::Sqlite, Format::Ndjson, 2);
}

#[test]
fn pytest_on_postgres() {
    in_every_way(&BOOKS, Driver::PostgresUnicode, Format::Yaml, 5);
}

#[test]
fn pytest_on_mariadb() {
    in_every_way(&BOOKS, Driver::MariaDb, Format::Yaml, 5);
}

#[test]
fn sqlalchemy_on_mariadb() {
    in_every_way(&STORE, Driver::MariaDb, Format::Yaml, 5);
}

#[test]
fn sqlalchemy_on_mariadb_in_traces() {
    in_every_way(&STORE, Driver::MariaDb, Format::Ndjson, 1);
}

#[test]
fn rspec_on_sqlite() {
    in_every_way(&LIBRARY, Driver::Sqlite, Format::Yaml, 20);
}

#[test]
fn rspec_on_postgres_in_traces() {
    in_every_way(&LIBRARY, Driver::PostgresAnsi, Format::Ndjson, 5);
}

#[test]
fn nextest_on_sqlite() {
    in_every_way(&TILL, Driver::Sqlite, Format::Yaml, 0);
}

#[test]
fn nextest_on_postgres_in_traces() {
    in_every_way(&TILL, Driver::PostgresUnicode, Format::Ndjson, 0);
}
