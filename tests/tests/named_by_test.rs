//! `%t`: a cassette for each test, without a word of set-up in the tests. Whatever way they are run, each finds its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use super8_tests::desk::Desk;
use super8_tests::format::{Format, in_both_formats};
use super8_tests::outcome::Outcome;
use super8_tests::{packages, products, python};

#[track_caller]
fn ended(outcome: &Outcome, code: u8) {
    let expected = format!("exit status: {code}");
    assert_eq!(outcome.status, expected, "{}", String::from_utf8_lossy(&outcome.all()));
}

/// A desk with the tests of a shop in its directory `shop`.
fn shop(subject: &str, format: Format) -> Desk {
    let desk = Desk::new(subject).in_format(format);
    copy(&products::repository().join("tests/programs/python/shop"), &desk.scratch.directory("work/shop"));
    desk
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap_or_default();
    for entry in std::fs::read_dir(from).into_iter().flatten().flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match from.is_dir() {
            true => copy(&from, &to),
            false => drop(std::fs::copy(&from, &to)),
        }
    }
}

/// `super8 VERB tapes/%t -- pytest ARGUMENTS`, in a copy of the shop.
fn pytest(desk: &Desk, directory: &str, verb: &[&str], arguments: &[&str]) -> Command {
    let interpreter = python::interpreter().display().to_string();
    let words = ["tapes/%t", "--", &interpreter, "-m", "pytest", "-q", "-p", "no:cacheprovider"];
    let mut command = desk.super8(&[verb, &words, arguments].concat());
    command.current_dir(desk.scratch.join("work").join(directory));
    let shop = format!("DSN=shop;Database={}", desk.database().display());
    command.envs([("PYTHONDONTWRITEBYTECODE", "1"), ("SHOP", &shop)]);
    command
}

fn run(command: &mut Command, code: u8) -> Outcome {
    let outcome = Outcome::of(command, b"");
    ended(&outcome, code);
    outcome
}

/// The cassettes below a directory, by their paths in it.
fn cassettes(root: &Path) -> Vec<String> {
    fn walk(directory: &Path, found: &mut Vec<PathBuf>) {
        if super8_cassette::Format::of(directory).is_some() {
            return found.push(directory.to_owned());
        }
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            // a recording that is not in its place is hidden
            if entry.path().is_dir() && !entry.file_name().to_string_lossy().starts_with('.') {
                walk(&entry.path(), found);
            }
        }
    }
    let mut found = Vec::new();
    walk(root, &mut found);
    let mut names: Vec<String> =
        found.iter().filter_map(|path| Some(path.strip_prefix(root).ok()?.display().to_string())).collect();
    names.sort();
    names
}

const TESTS: [&str; 8] = [
    "tests/orders/test_fruit.py::test_two_questions",
    "tests/test_fruit.py::test_all_fruit_is_listed",
    "tests/test_fruit.py::test_two_questions",
    "tests/test_fruit.py::TestPrices::test_price[apple-3]",
    "tests/test_fruit.py::TestPrices::test_price[pear-4]",
    "tests/test_fruit.py::TestPrices::test_price[a plum (call)-None]",
    "tests/test_fruit.py::Testprices::test_price",
    "tests/test_fruit.py::test_two_connections",
];

/// Recorded once; replayed all, each alone, reversed, by two and three workers, in another checkout, with CI set, by `once`.
#[test]
fn a_python_project_needs_no_more_than_the_command() {
    in_both_formats(|format| {
        let desk = shop("named_pytest", format);
        run(&mut pytest(&desk, "shop", &["record"], &[]), 0);
        let tapes = desk.scratch.join("work/shop/tapes");
        let names = cassettes(&tapes);
        assert_eq!(names.len(), TESTS.len(), "{names:#?}");
        for name in ["tests/orders/test_fruit.py/test_two_questions", "tests/test_fruit.py/test_two_questions"] {
            assert!(names.iter().any(|known| known == name), "{names:#?}");
        }
        let ids: Vec<String> = names
            .iter()
            .map(|name| super8_cassette::open(&tapes.join(name)).and_then(|cassette| cassette.metadata()))
            .filter_map(|metadata| metadata.ok()?.test)
            .collect();
        assert!(TESTS.iter().all(|test| ids.iter().any(|id| id == test)), "{ids:#?}");

        desk.clear();
        copy(&desk.scratch.join("work/shop"), &desk.scratch.join("work/elsewhere"));
        let reversed: Vec<&str> = TESTS.into_iter().rev().collect();
        let ways = [&[][..], &reversed, &["-n2"]];
        for arguments in ways.into_iter().chain([&["-n3", "--dist=worksteal"][..]]) {
            run(&mut pytest(&desk, "shop", &["replay"], arguments), 0);
        }
        run(pytest(&desk, "elsewhere", &["replay"], &[]).env("CI", "true"), 0);
        for test in TESTS {
            run(&mut pytest(&desk, "shop", &["replay"], &[test]), 0);
        }
        run(pytest(&desk, "elsewhere", &["once"], &[]).env("CI", "true"), 0);
        // what differs, is left out or comes in addition fails, whatever way the tests are run
        for arguments in ways {
            run(pytest(&desk, "shop", &["replay"], arguments).env("CHANGED", "yes"), 1);
            run(pytest(&desk, "shop", &["replay"], arguments).env("LEFT_OUT", "yes"), 121);
            run(pytest(&desk, "shop", &["replay"], arguments).env("EXTRA", "yes"), 1);
        }
        assert_eq!(cassettes(&tapes), names);
    });
}

/// One connection for all tests: each test's commands are in its own cassette, whichever test made the connection.
#[test]
fn a_connection_goes_on_in_the_cassette_of_the_next_test() {
    in_both_formats(|format| {
        let desk = shop("named_engine", format);
        let tests = ["test_apples", "test_pears", "test_the_cheapest", "test_the_cheapest_after_another_question"];
        let file = "tests/test_engine.py";
        let engine = |verb: &[&str], arguments: &[&str], how: &str, code| {
            run(pytest(&desk, "shop", verb, arguments).env("ENGINE", how), code)
        };
        engine(&["record", "--allow-leaks"], &[file], "shared", 0);
        let names = cassettes(&desk.scratch.join("work/shop/tapes"));
        assert_eq!(names, tests.map(|test| format!("{file}/{test}")));
        desk.clear();
        let alone = tests.map(|test| format!("{file}::{test}"));
        let reversed: Vec<&str> = alone.iter().rev().map(String::as_str).collect();
        let replay = ["replay", "--allow-leaks"];
        engine(&replay, &[file], "shared", 0);
        engine(&replay, &reversed, "shared", 0);
        engine(&replay, &[file, "-n2"], "shared", 0);
        for test in &alone {
            engine(&replay, &[test], "shared", 0);
        }
        engine(&replay, &[file], "changed", 1);
        engine(&replay, &reversed, "changed", 1);
    });
}

/// Fixtures of a wider scope than a test have cassettes of their own, so that every test can be run alone, whichever sets them up.
#[test]
fn what_tests_share_is_set_up_in_a_cassette_of_its_own() {
    const FILE: &str = "tests/test_shared.py";
    in_both_formats(|format| {
        let desk = shop("named_shared", format);
        let shared = |verb: &str, arguments: &[&str], how: &str, code| {
            run(pytest(&desk, "shop", &[verb], arguments).env("SHARED", how), code)
        };
        shared("record", &[FILE], "yes", 0);
        let tapes = desk.scratch.join("work/shop/tapes");
        let names = cassettes(&tapes);
        let has = |name: &str| names.iter().any(|known| known.starts_with(&format!("{FILE}/{name}")));
        for name in ["setup-stock", "TestPrices+setup-price[apple]~", "TestPrices+setup-price[pear]~"] {
            assert!(has(name), "{name}: {names:#?}");
        }
        // those of the class ask nothing themselves
        assert!(has("Counting+setup-setUpClass~") && names[0] == "setup" && names.len() == 8, "{names:#?}");
        let tests = [
            "test_apples_are_there",
            "test_pears_are_not[pear@fruit]",
            "test_the_stock_is_asked_for_in_the_middle",
            "TestPrices::test_they_are_positive[apple]",
            "TestPrices::test_they_are_small[pear]",
            "Counting::test_the_count",
            "Counting::test_the_count_again",
        ];
        let alone = tests.map(|test| format!("{FILE}::{test}"));
        let reversed: Vec<&str> = alone.iter().rev().map(String::as_str).collect();
        // the class is set up a second time
        let mixed = [5, 0, 6, 1, 4, 2, 3].map(|test: usize| alone[test].as_str());
        for test in [0, 2, 4, 5].map(|test: usize| alone[test].as_str()) {
            shared("replay", &[test], "yes", 0);
        }
        for arguments in [&[FILE][..], &reversed, &mixed, &[FILE, "-n2"], &[FILE, "-n3", "--dist=loadgroup"]] {
            shared("replay", arguments, "yes", 0);
        }
        for arguments in [&[FILE][..], &[FILE, "-n2"]] {
            let told = shared("replay", arguments, "changed", 1).errors();
            assert!(told.contains(&format!("{FILE}/setup-stock")) && told.contains("[-5)-]{+7)+}"), "{told}");
        }
        // by several workers, the set-up of one is recorded
        for workers in [&["-n2"][..], &["-n3", "--dist=loadgroup"]] {
            std::fs::remove_dir_all(&tapes).unwrap_or_default();
            shared("record", &[&[FILE], workers].concat(), "yes", 0);
            assert_eq!(cassettes(&tapes), names, "{workers:?}");
            shared("replay", &[FILE], "yes", 0);
            shared("replay", &[FILE, "-n4"], "yes", 0);
        }
        // without the plugin, a fixture is set up as part of the first test
        std::fs::remove_dir_all(&tapes).unwrap_or_default();
        let mut unaware = pytest(&desk, "shop", &["record"], &[FILE, "-p", "no:super8-command"]);
        run(unaware.env("SHARED", "yes"), 0);
        assert!(!cassettes(&tapes).iter().any(|name| name.contains("setup-")), "{:#?}", cassettes(&tapes));
    });
}

/// A cassette is closed when its fixture is torn down: a process has few open files, however many classes there are.
#[test]
fn set_up_of_many_classes_takes_few_files() {
    const CLASS: &str = "class TestNUMBER:\n    @classmethod\n    def setup_class(cls):\n        cls.shop = odbc.Connection()\n\n    \
        @classmethod\n    def teardown_class(cls):\n        cls.shop.close()\n\n    \
        def test_it(self):\n        assert self.shop.rows('select NUMBER') == [['NUMBER']]\n\n\n";
    in_both_formats(|format| {
        let desk = shop("named_many", format);
        let classes: String = (0..120).map(|number| CLASS.replace("NUMBER", &number.to_string())).collect();
        desk.scratch.write("work/shop/tests/test_many.py", format!("import odbc\n\n\n{classes}"));
        let interpreter = python::interpreter().display().to_string();
        let few = format!("ulimit -n 100; exec {interpreter} -m pytest -q -p no:cacheprovider tests/test_many.py");
        for verb in ["record", "replay"] {
            let mut command = desk.super8(&[verb, "tapes/%t", "--", "sh", "-c", &few]);
            command.current_dir(desk.scratch.join("work/shop")).env("PYTHONDONTWRITEBYTECODE", "1");
            command.env("SHOP", format!("DSN=shop;Database={}", desk.database().display()));
            let outcome = run(&mut command, 0);
            assert!(outcome.text().contains("120 passed"), "{}", outcome.text());
        }
        assert_eq!(cassettes(&desk.scratch.join("work/shop/tapes")).len(), 240);
    });
}

/// A run of some of the tests leaves cassettes unopened that are not unused.
#[test]
fn a_run_of_selected_tests_is_told_from_a_whole_one() {
    let desk = shop("named_selected", Format::Yaml);
    run(&mut pytest(&desk, "shop", &["record"], &[]), 0);
    let unused = |arguments: &[&str], code: u8| {
        let mut replay = pytest(&desk, "shop", &["replay", "--report", "json", "-o", "run.json"], arguments);
        run(&mut replay, 0);
        let mut command = desk.super8(&["unused", "--run", "run.json", "tapes"]);
        run(command.current_dir(desk.scratch.join("work/shop")), code).text()
    };
    assert!(!unused(&["tests"], 0).contains("whole"));
    for workers in [&[][..], &["-n2"]] {
        let told = unused(&[&["-k", "two"], workers].concat(), 1);
        assert!(told.contains("may not have been a whole one: pytest left out "), "{told}");
        let told = unused(&[&["tests/test_fruit.py"], workers].concat(), 1);
        assert!(told.contains("may not have been a whole one: pytest was given tests/test_fruit.py\n"), "{told}");
    }
}

/// What does not replay any more is recorded again, and nothing else; then all is replayed.
#[test]
fn what_failed_is_recorded_again() {
    in_both_formats(|format| {
        let desk = shop("named_failed", format);
        run(&mut pytest(&desk, "shop", &["record"], &[]), 0);
        let tapes = desk.scratch.join("work/shop/tapes/tests");
        let contents = |name: &str| super8_tests::cassette_files::files(&tapes.join(name));
        let (changed, same) = ("test_fruit.py/test_all_fruit_is_listed", "orders/test_fruit.py/test_two_questions");
        let before = (contents(changed), contents(same));
        // the database has changed as well: what replays is not recorded
        desk.sql("update fruit set name = 'fig' where price = 4");
        let failed = ["replay", "--record-failed"];
        let outcome = run(pytest(&desk, "shop", &failed, &[]).env("CHANGED", "yes"), 0);
        assert!(outcome.errors().contains("test_all_fruit_is_listed: its replay failed"), "{}", outcome.errors());
        assert_eq!(outcome.errors().matches("its replay failed").count(), 1, "{}", outcome.errors());
        let after = (contents(changed), contents(same));
        assert!(before.0 != after.0 && before.1 == after.1);
        desk.clear();
        run(pytest(&desk, "shop", &["replay"], &[]).env("CHANGED", "yes"), 0);
        run(pytest(&desk, "shop", &failed, &[]).env("CHANGED", "yes"), 0);
        // without the database nothing can be recorded, and what was there stays
        run(pytest(&desk, "shop", &failed, &[]).env("EXTRA", "yes"), 1);
        assert!(after == (contents(changed), contents(same)));
        run(pytest(&desk, "shop", &["replay"], &[]).env("CHANGED", "yes"), 0);
    });
}

/// A connection cannot be live in one cassette and replayed in another: those that share one are recorded together.
#[test]
fn what_shares_a_connection_with_a_failed_one_is_recorded_too() {
    in_both_formats(|format| {
        let desk = shop("named_failed_shared", format);
        let shared = |verb: &[&str], how: &str, code| {
            let arguments = ["tests/test_shared.py", "tests/test_fruit.py"];
            run(pytest(&desk, "shop", verb, &arguments).env("SHARED", how), code)
        };
        shared(&["record"], "yes", 0);
        let tapes = desk.scratch.join("work/shop/tapes/tests");
        let contents = |name: &str| super8_tests::cassette_files::files(&tapes.join(name));
        let own = ["test_fruit.py/test_two_questions", "test_shared.py/TestPrices+setup-price[apple]~"].map(|name| {
            let known = cassettes(&tapes).into_iter().find(|known| known.starts_with(name));
            known.unwrap_or_else(|| panic!("no cassette {name}"))
        });
        let before = own.each_ref().map(|name| contents(name));
        // the tests use the connection of the fixture that is another one now
        let told = shared(&["replay", "--record-failed"], "changed", 0).errors();
        assert!(told.contains("setup-stock: its replay failed; it is recorded again"), "{told}");
        assert!(
            told.contains("test_apples_are_there: it shares a connection with those; it is recorded again"),
            "{told}"
        );
        assert!(before == own.each_ref().map(|name| contents(name)), "{own:?} is another one");
        let rows = super8_tests::cassette_files::commands(&tapes.join("test_shared.py/test_apples_are_there"));
        assert!(rows.contains("[\"7\"]") && !rows.contains("'pear'"), "{rows}");
        desk.clear();
        shared(&["replay"], "changed", 0);
        run(pytest(&desk, "shop", &["replay"], &["tests/test_shared.py", "-n2"]).env("SHARED", "changed"), 0);
    });
}

/// A test that fails while it is recorded: no cassette is replaced, and not every one of them is named.
#[test]
fn a_test_that_fails_replaces_nothing() {
    in_both_formats(|format| {
        let desk = shop("named_failing", format);
        desk.sql("update fruit set price = 5 where name = 'apple'");
        let outcome = run(&mut pytest(&desk, "shop", &["record"], &[]), 1);
        assert_eq!(outcome.errors().matches("because the command failed").count(), 3, "{}", outcome.errors());
        assert!(outcome.errors().contains("and 5 more cassettes: not replaced"), "{}", outcome.errors());
        assert!(cassettes(&desk.scratch.join("work/shop/tapes")).is_empty());
        run(&mut pytest(&desk, "shop", &["record", "--keep"], &[]), 1);
        assert_eq!(cassettes(&desk.scratch.join("work/shop/tapes")).len(), TESTS.len());
    });
}

/// By two workers it is recorded as by one.
#[test]
fn workers_record_the_same() {
    in_both_formats(|format| {
        let desk = shop("named_workers", format);
        run(&mut pytest(&desk, "shop", &["record"], &["-n2"]), 0);
        let names = cassettes(&desk.scratch.join("work/shop/tapes"));
        assert_eq!(names.len(), TESTS.len(), "{names:#?}");
        desk.clear();
        run(&mut pytest(&desk, "shop", &["replay"], &[]), 0);
        run(&mut pytest(&desk, "shop", &["replay"], &["-n3"]), 0);
    });
}

/// A test that is repeated begins anew each time: the attempt that passes is what stays.
#[test]
fn the_attempt_that_passes_is_kept() {
    in_both_formats(|format| {
        let desk = shop("named_attempts", format);
        let attempts = desk.scratch.directory("attempts");
        let repeated = |verb: &[&str], code| {
            let arguments = ["--reruns", "3", "tests/test_attempts.py"];
            run(pytest(&desk, "shop", verb, &arguments).env("ATTEMPTS", &attempts), code)
        };
        repeated(&["record", "--allow-leaks"], 0);
        let numbers = ["test_fails_at_first", "test_connects_in_its_call_only"]
            .map(|test| std::fs::read_to_string(attempts.join(test)).unwrap_or_default());
        assert_eq!(numbers, ["2", "3"]);
        desk.clear();
        // as the attempts that passed
        for (test, before) in [("test_fails_at_first", "1"), ("test_connects_in_its_call_only", "2")] {
            desk.scratch.write(&format!("attempts/{test}"), before);
        }
        repeated(&["replay"], 0);
        // an attempt that is repeated at replay is played from the beginning
        desk.scratch.write("attempts/test_fails_at_first", "0");
        desk.scratch.write("attempts/test_connects_in_its_call_only", "2");
        let again = repeated(&["replay"], 120);
        assert!(again.text().contains("2 passed, 1 rerun"), "{}", again.text());
    });
}

/// What cargo-nextest sets for each attempt at a test, which is a process with those that it starts.
#[test]
fn each_test_of_nextest_has_its_cassette() {
    in_both_formats(|format| {
        let desk = Desk::new("named_nextest").in_format(format);
        let test = |name: &str, attempt: u32, sql: &[&str]| {
            let programs: Vec<String> = sql.iter().map(|sql| format!("echo \"{sql}\" | isql -b shop")).collect();
            let variables =
                format!("NEXTEST_TEST_NAME={name} NEXTEST_ATTEMPT={attempt} NEXTEST_BINARY_ID=shop::bin/till");
            format!("env {variables} sh -c '{}'", programs.join("; "))
        };
        let passing = ["select count(*) from fruit", "select max(price) from fruit"];
        let failing = ["select 1", "select 2", "select 3"];
        let run_of = |tests: &[String]| tests.join("; ");
        let first = run_of(&[
            test("sums::adds", 1, &passing),
            test("sums::flaky", 1, &failing),
            test("sums::flaky", 2, &passing),
            test("Sums::adds", 1, &["select min(price) from fruit"]),
        ]);
        ended(&desk.run(&["record", "tapes/%t", "--", "sh", "-c", &first]), 0);
        let names = cassettes(&desk.scratch.join("work/tapes"));
        assert!(names.iter().any(|name| name == "shop+bin/till/sums+flaky"), "{names:#?}");
        // three tests, and the second programs of two of them: nothing is left of the attempt that failed
        assert_eq!(names.len(), 5, "{names:#?}");
        desk.clear();
        let second = run_of(&[test("sums::flaky", 1, &passing), test("sums::adds", 1, &passing)]);
        ended(&desk.run(&["replay", "tapes/%t", "--", "sh", "-c", &second]), 0);
        let repeated = run_of(&[test("sums::flaky", 1, &passing), test("sums::flaky", 2, &passing)]);
        ended(&desk.run(&["replay", "tapes/%t", "--", "sh", "-c", &repeated]), 0);
        let swapped = run_of(&[test("sums::adds", 1, &["select min(price) from fruit"])]);
        ended(&desk.run(&["replay", "tapes/%t", "--", "sh", "-c", &format!("{swapped}; true")]), 120);
    });
}

#[test]
fn each_test_of_bats_has_its_cassette() {
    in_both_formats(|format| {
        let desk = Desk::new("named_bats").in_format(format);
        let _ = packages::program("bats", "bats");
        copy(&products::repository().join("tests/programs/bats"), &desk.scratch.directory("work/test"));
        ended(&desk.run(&["record", "tapes/%t", "--", "bats", "test"]), 0);
        let names = cassettes(&desk.scratch.join("work/tapes"));
        for name in ["setup", "test/fruit.bats/test_apples_have_a_price", "test/fruit.bats/test_two_programs"] {
            assert!(names.iter().any(|known| known == name), "{names:#?}");
        }
        desk.clear();
        let replay = |arguments: &[&str], price: &str, code| {
            let mut command = desk.super8(&[&["replay", "tapes/%t", "--", "bats"], arguments].concat());
            ended(&Outcome::of(command.env("PRICE", price), b""), code);
        };
        replay(&["test"], "price is null", 0);
        // what is done before the tests of a file is done for one of them as well
        replay(&["-f", "two", "test/fruit.bats"], "price is null", 0);
        replay(&["test"], "price > 3", 1);
    });
}

/// Where no runner tells a test, the connect says what was looked for; nothing is recorded.
#[test]
fn without_a_runner_it_is_an_error() {
    in_both_formats(|format| {
        let desk = Desk::new("named_nowhere").in_format(format);
        let outcome = desk.run(&["record", "tapes/%t", "--", "sh", "-c", "echo 'select 1' | isql -v -b shop; true"]);
        let told = String::from_utf8_lossy(&outcome.all()).into_owned();
        assert!(told.contains("PYTEST_CURRENT_TEST") && told.contains("NEXTEST_TEST_NAME"), "{told}");
        assert!(!desk.scratch.join("work/tapes").exists());
        // and the wrapper, where nothing is recorded yet
        let outcome = desk.run(&["replay", "tapes/%t", "--", "true"]);
        ended(&outcome, 125);
        assert!(outcome.errors().contains("there is no cassette in"), "{}", outcome.errors());
    });
}

/// A cassette that stands under another test's name is refused, at replay and when it is recorded over.
#[test]
fn a_cassette_of_another_test_is_refused() {
    in_both_formats(|format| {
        let desk = shop("named_copied", format);
        run(&mut pytest(&desk, "shop", &["record"], &[]), 0);
        let tapes = desk.scratch.join("work/shop/tapes/tests");
        let own = tapes.join("test_fruit.py/test_two_questions");
        std::fs::remove_dir_all(&own).unwrap_or_default();
        copy(&tapes.join("orders/test_fruit.py/test_two_questions"), &own);
        for verb in ["replay", "record"] {
            let outcome = run(&mut pytest(&desk, "shop", &[verb], &["tests/test_fruit.py::test_two_questions"]), 1);
            let told = String::from_utf8_lossy(&outcome.all()).into_owned();
            let other = "is the cassette of the test tests/orders/test_fruit.py::test_two_questions";
            assert!(told.contains(other), "{verb}: {told}");
        }
    });
}

/// `prove` with a cassette for each test file.
#[test]
fn each_file_of_prove_has_its_cassette() {
    in_both_formats(|format| {
        let desk = Desk::new("named_prove").in_format(format);
        let _ = packages::program("prove", "perl");
        copy(&products::repository().join("tests/programs/perl/prove"), &desk.scratch.directory("work/t"));
        let prove = ["prove", "t/", "::", "DSN=shop"];
        ended(&desk.run(&[&["record", "tapes/%c", "--"][..], &prove].concat()), 0);
        assert_eq!(cassettes(&desk.scratch.join("work/tapes")), ["perl-pears.t", "perl-plums.t"]);
        desk.clear();
        ended(&desk.run(&[&["replay", "tapes/%c", "--"][..], &prove].concat()), 0);
        ended(&desk.run(&["replay", "tapes/%c", "--", "prove", "-j2", "t/plums.t", "t/pears.t", "::", "DSN=shop"]), 0);
        ended(&desk.run(&["replay", "tapes/%c", "--", "prove", "t/plums.t", "::", "DSN=shop"]), 0);
    });
}
