//! Finds the running test, as its runner tells it in the environment, and the place that `%t` gives it below a
//! directory.
//!
//! The names are what pytest, cargo-nextest and bats export:
//!
//! - pytest sets `PYTEST_CURRENT_TEST` to the test's id and ` (setup)`, ` (call)` or ` (teardown)`, and unsets it
//!   between tests. `PYTEST_VERSION` (8.2 and later) is set as long as the session lasts.
//! - cargo-nextest (0.9.116 and later) runs each test in a process, with `NEXTEST_BINARY_ID`, `NEXTEST_TEST_NAME` and
//!   `NEXTEST_ATTEMPT`.
//! - bats exports `BATS_TEST_FILENAME`, `BATS_TEST_NAME` and, to all, `BATS_CWD` and `BATS_VERSION`. It does not export
//!   the number of an attempt, but appends a line to the file `$BATS_TEST_TMPDIR.name` for each.
//!
//! A worker's number (`PYTEST_XDIST_WORKER`, slots) is in no name, because it differs from run to run.
//!
//! Under the command, super8's own pytest plugin tells more: `SUPER8_FIXTURE` while a fixture that several tests share
//! is set up or torn down, and in `SUPER8_XDIST_GROUP` what pytest-xdist has added to a test's id
//! (`cli/src/wrap/pytest_plugin.py`).

use super::{Environment, command};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use super8_cassette::text::hex;

/// The variable in which the command's pytest plugin tells which shared fixture is set up or torn down.
pub(super) const FIXTURE: &str = "SUPER8_FIXTURE";
/// The variable in which it tells which fixtures are to be torn down later, one on each line.
pub(super) const LIVE_FIXTURES: &str = "SUPER8_LIVE_FIXTURES";
/// The variable in which it tells what pytest-xdist has added to the running test's id.
pub(super) const XDIST_GROUP: &str = "SUPER8_XDIST_GROUP";

/// The name of what happens outside of tests: while tests are collected, before the first one and after the last.
pub const SETUP: &str = "setup";

/// The test that is running.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningTest {
    /// The runner's own id of the test, in full.
    pub id: String,
    /// A path for the test. No two tests have the same one.
    pub path: Vec<u8>,
    /// Which attempt at the test this is.
    pub attempt: Attempt,
    /// Whether it is not a test but set-up that several tests share. It comes back after the tests, to tear down what
    /// it made.
    pub is_shared: bool,
}

/// Which attempt at a test is running. Runners repeat what failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The number that the runner tells.
    Number(u32),
    /// pytest's plugins repeat a test without telling. Its phase, and when the variable was set, tell one attempt from
    /// the next.
    Phase(Phase),
}

/// The phases of a test under pytest, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // pytest's words
pub enum Phase {
    Setup,
    Call,
    Teardown,
}

impl RunningTest {
    /// Returns the running test.
    ///
    /// # Errors
    /// No runner is known, or it does not tell the test's name.
    pub fn of(environment: Environment<'_>) -> Result<RunningTest, String> {
        let bytes = |name: &str| environment(name).filter(|value| !value.is_empty()).map(OsStringExt::into_vec);
        let number = |name: &str| -> Option<u32> { std::str::from_utf8(&bytes(name)?).ok()?.parse().ok() };
        if let Some(fixture) = bytes(FIXTURE) {
            return Ok(of_fixture(&fixture));
        }
        if let Some(current) = bytes("PYTEST_CURRENT_TEST") {
            return Ok(of_pytest(&current, &|| bytes(XDIST_GROUP)));
        }
        if let (Some(binary), Some(test)) = (bytes("NEXTEST_BINARY_ID"), bytes("NEXTEST_TEST_NAME")) {
            let attempt = number("NEXTEST_ATTEMPT").unwrap_or(1);
            // A stress test begins its attempts anew each time.
            let stress = number("NEXTEST_STRESS_CURRENT").unwrap_or(0);
            return Ok(RunningTest {
                id: text(&[&binary, &b" "[..], &test].concat()),
                path: path(&binary, &test),
                attempt: Attempt::Number(stress.saturating_mul(1000).saturating_add(attempt)),
                is_shared: false,
            });
        }
        if let (Some(file), Some(test)) = (bytes("BATS_TEST_FILENAME"), bytes("BATS_TEST_NAME")) {
            let begun = bytes("BATS_CWD").unwrap_or_default();
            let file = relative(&file, &begun);
            let attempt = bytes("BATS_TEST_TMPDIR").map_or(1, |directory| bats_attempt(&directory));
            return Ok(RunningTest {
                id: text(&[&file, &b"::"[..], &test].concat()),
                path: path(&file, &test),
                attempt: Attempt::Number(attempt),
                is_shared: false,
            });
        }
        let is_pytest = || matches!(command::of_this_process().as_str(), "python-pytest" | "pytest" | "python-py.test");
        let known = ["PYTEST_VERSION", "PYTEST_XDIST_WORKER", "NEXTEST_VERSION", "BATS_VERSION"];
        if known.iter().any(|name| bytes(name).is_some()) || is_pytest() {
            let attempt = Attempt::Number(1);
            return Ok(RunningTest { id: SETUP.to_owned(), path: SETUP.into(), attempt, is_shared: true });
        }
        if bytes("NEXTEST").is_some() {
            return Err("cargo-nextest tells the name of a test from 0.9.116 on: use a newer one".to_owned());
        }
        Err("no test runner is known here, of which %t would be the running test: neither PYTEST_CURRENT_TEST (pytest), nor \
             NEXTEST_BINARY_ID and NEXTEST_TEST_NAME (cargo nextest), nor BATS_TEST_FILENAME and BATS_TEST_NAME (bats) is set; \
             run the program under one of these, or write %c for the command of the process or %{NAME} for a variable"
            .to_owned())
    }
}

/// Returns a fixture, from the number of its set-up and its id.
fn of_fixture(fixture: &[u8]) -> RunningTest {
    let blank = fixture.iter().position(|byte| *byte == b' ').unwrap_or(0);
    let number = std::str::from_utf8(&fixture[..blank]).ok().and_then(|number| number.parse().ok());
    let id = fixture[blank..].trim_ascii_start();
    let (file, name) = file_and_test(id);
    RunningTest { id: text(id), path: path(file, name), attempt: Attempt::Number(number.unwrap_or(1)), is_shared: true }
}

/// Returns whether set-up that tests share is torn down, so that nothing more is done for it. What is outside of tests
/// comes back until the end.
pub fn is_torn_down(id: &str, environment: Environment<'_>) -> bool {
    let live = environment(LIVE_FIXTURES).unwrap_or_default();
    id != SETUP && !live.to_string_lossy().lines().any(|live| live == id)
}

/// Returns a test under pytest. `group` returns what pytest-xdist added to its id, and is called only for an id with an
/// `@`.
fn of_pytest(current: &[u8], group: &dyn Fn() -> Option<Vec<u8>>) -> RunningTest {
    let phases = [(&b" (setup)"[..], Phase::Setup), (b" (call)", Phase::Call), (b" (teardown)", Phase::Teardown)];
    let cut = phases.iter().find_map(|(ending, phase)| Some((current.strip_suffix(*ending)?, *phase)));
    let (id, phase) = cut.unwrap_or((current, Phase::Call));
    let group = if id.contains(&b'@') { group() } else { None };
    let id = group.and_then(|group| id.strip_suffix(group.as_slice())).unwrap_or(id);
    let (file, test) = file_and_test(id);
    RunningTest { id: text(id), path: path(file, test), attempt: Attempt::Phase(phase), is_shared: false }
}

fn file_and_test(id: &[u8]) -> (&[u8], &[u8]) {
    let end = id.windows(2).position(|pair| pair == b"::");
    end.map_or((id, &b""[..]), |end| (&id[..end], &id[end + 2..]))
}

/// Returns a file's path relative to the directory in which bats was called, which is the same in every checkout.
fn relative(file: &[u8], directory: &[u8]) -> Vec<u8> {
    let (file, directory) = (Path::new(std::ffi::OsStr::from_bytes(file)), std::ffi::OsStr::from_bytes(directory));
    let mut up = Vec::new();
    for above in Path::new(directory).ancestors() {
        if let Ok(rest) = file.strip_prefix(above) {
            return [&up, rest.as_os_str().as_bytes()].concat();
        }
        up.extend(b"../");
    }
    file.as_os_str().as_bytes().to_vec()
}

/// Returns the number of the attempt: bats appends the test's name to this file at each.
fn bats_attempt(directory: &[u8]) -> u32 {
    let file = [directory, b".name"].concat();
    let lines = std::fs::read(Path::new(std::ffi::OsStr::from_bytes(&file))).unwrap_or_default();
    let attempts = lines.iter().filter(|byte| **byte == b'\n').count();
    u32::try_from(attempts).unwrap_or(1).max(1)
}

fn text(id: &[u8]) -> String {
    String::from_utf8_lossy(id).into_owned()
}

/// Returns the path of the directories of the test's file, and the test in it.
fn path(file: &[u8], test: &[u8]) -> Vec<u8> {
    let mut path = Vec::new();
    for (at, directory) in file.split(|byte| *byte == b'/').enumerate() {
        // The name `setup` is reserved.
        let own = if at == 0 && directory == SETUP.as_bytes() { "=73etup".into() } else { component(directory) };
        path.extend_from_slice(own.as_bytes());
        path.push(b'/');
    }
    path.extend_from_slice(component(test).as_bytes());
    path
}

/// Returns a name as one component of a path. No other name has the same one, not even on a file system that does not
/// tell capitals from small letters.
///
/// Letters, digits and `_-.,[]` stay, `::` becomes `+`, and everything else becomes `=` and two hexadecimal digits. A
/// name with capitals, one that is too long, and one that means something to super8 get a part of their digest behind a
/// `~`.
fn component(name: &[u8]) -> Cow<'static, str> {
    /// File names have up to 255 bytes, and a recording stands beside its cassette under a longer name.
    const LONGEST: usize = 180;
    if name.is_empty() {
        return Cow::Borrowed("=");
    }
    let mut encoded = String::with_capacity(name.len() + 16);
    let mut rest = name;
    while let [byte, after @ ..] = rest {
        let ends = encoded.is_empty() || after.is_empty();
        match byte {
            b':' if after.first() == Some(&b':') => {
                encoded.push('+');
                rest = &after[1..];
                continue;
            }
            b'.' if ends => encoded.push_str("=2e"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b',' | b'[' | b']' => {
                encoded.push(char::from(*byte));
            }
            _ => encoded.push_str(&format!("={byte:02x}")),
        }
        rest = after;
    }
    let reserved = [".parts", ".failed"].iter().any(|ending| encoded.ends_with(ending));
    if encoded.len() <= LONGEST && !reserved && !encoded.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Owned(encoded);
    }
    encoded.truncate(LONGEST);
    encoded.push('~');
    let digest = Sha256::digest(name);
    encoded.push_str(&hex(&digest[..6]));
    Cow::Owned(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::ffi::OsString;

    fn running(variables: &[(&str, &str)]) -> Result<RunningTest, String> {
        RunningTest::of(&|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        })
    }

    fn pytest(id: &str) -> (String, String) {
        let test = running(&[("PYTEST_CURRENT_TEST", &format!("{id} (call)")), ("NEXTEST_TEST_NAME", "x")]).unwrap();
        (test.id, String::from_utf8(test.path).unwrap())
    }

    #[test]
    fn a_test_has_a_directory_for_its_file_and_a_readable_name() {
        for (id, path) in [
            ("tests/test_orders.py::test_total", "tests/test_orders.py/test_total"),
            ("test_a.py::test_x[1.5-a]", "test_a.py/test_x[1.5-a]"),
            ("test_a.py::test_x[a b/c (call)]", "test_a.py/test_x[a=20b=2fc=20=28call=29]"),
            ("test_a.py::test_x (setup)", "test_a.py/test_x=20=28setup=29"),
            ("../t.py::.hidden.", "=2e=2e/t.py/=2ehidden=2e"),
            ("setup::setup", "=73etup/setup"),
            ("t.py", "t.py/="),
            ("/t.py::t::u", "=/t.py/t+u"),
        ] {
            assert_eq!(pytest(id), (id.to_owned(), path.to_owned()));
        }
        assert_eq!(pytest("t.py::TestTotal::test_sum").1, "t.py/TestTotal+test_sum~ecc237d6570b");
    }

    #[test]
    fn no_two_tests_meet() {
        let long = "x".repeat(1000);
        let ids = [
            "t.py::a::b",
            "t.py::a+b",
            "t.py::a=2bb",
            "t.py/a::b",
            "t.py::a/b",
            "t.py::a:b",
            "t.py::A::b",
            "t.py::a::B",
            "T.py::a::b",
            "t.py::a.parts",
            "t.py::a",
            "t.py::a ",
            "t.py::a.",
            "t.py::\u{e4}",
            "t.py::\u{c4}",
            "t.py::a~b",
            &format!("t.py::{long}1"),
            &format!("t.py::{long}2"),
        ];
        let paths: Vec<String> = ids.iter().map(|id| pytest(id).1).collect();
        let folded: HashSet<String> = paths.iter().map(|path| path.to_lowercase()).collect();
        assert_eq!(folded.len(), ids.len(), "{paths:#?}");
        for path in &paths {
            assert!(path.split('/').all(|component| component.len() <= 200 && !component.starts_with('.')), "{path}");
            assert!(!path.ends_with(".parts"), "{path}");
        }
    }

    #[test]
    fn each_runner_tells_its_test() {
        let phase = |value: &str| running(&[("PYTEST_CURRENT_TEST", value)]).unwrap().attempt;
        assert_eq!(phase("t.py::t (setup)"), Attempt::Phase(Phase::Setup));
        assert_eq!(phase("t.py::t (teardown)"), Attempt::Phase(Phase::Teardown));

        let variables = [("NEXTEST_BINARY_ID", "shop::bin/till"), ("NEXTEST_TEST_NAME", "sums::adds")];
        let test = running(&[&variables[..], &[("NEXTEST_ATTEMPT", "2"), ("NEXTEST_STRESS_CURRENT", "none")]].concat());
        let expected = ("shop::bin/till sums::adds".to_owned(), b"shop+bin/till/sums+adds".to_vec());
        let (attempt, is_shared) = (Attempt::Number(2), false);
        assert_eq!(test, Ok(RunningTest { id: expected.0, path: expected.1, attempt, is_shared }));

        let variables = [("BATS_TEST_NAME", "test_it_adds"), ("BATS_CWD", "/home/ada/shop")];
        let at = |file: &str| running(&[&variables[..], &[("BATS_TEST_FILENAME", file)]].concat()).unwrap();
        assert_eq!(at("/home/ada/shop/test/till.bats").id, "test/till.bats::test_it_adds");
        assert_eq!(at("/home/ada/other/till.bats").id, "../other/till.bats::test_it_adds");
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("7.name"), "test_it_adds\ntest_it_adds\n").unwrap();
        assert_eq!(bats_attempt(directory.path().join("7").as_os_str().as_bytes()), 2);
    }

    #[test]
    fn the_plugin_tells_of_shared_fixtures_and_groups() {
        let test = ("PYTEST_CURRENT_TEST", "tests/test_a.py::test_x[a@b]@g (call)");
        let of = |more: (&str, &str)| running(&[test, more]).unwrap();
        assert_eq!(of(("SUPER8_XDIST_GROUP", "@g")).id, "tests/test_a.py::test_x[a@b]");
        for none in ["", "@other"] {
            assert_eq!(of(("SUPER8_XDIST_GROUP", none)).id, "tests/test_a.py::test_x[a@b]@g");
        }
        let fixture = of(("SUPER8_FIXTURE", "2 tests/conftest.py::setup-stock[a b]"));
        let expected = ("tests/conftest.py::setup-stock[a b]", &b"tests/conftest.py/setup-stock[a=20b]"[..]);
        assert_eq!((fixture.id.as_str(), fixture.path.as_slice()), expected);
        assert!(fixture.is_shared && fixture.attempt == Attempt::Number(2));
        let live = |name: &str| (name == "SUPER8_LIVE_FIXTURES").then(|| OsString::from("a\nb c"));
        let torn_down = ["a", "b c", "b", "setup"].map(|id| is_torn_down(id, &live));
        assert_eq!(torn_down, [false, false, true, false]);
    }

    #[test]
    fn outside_of_a_test_it_is_set_up_and_without_a_runner_an_error() {
        for known in ["PYTEST_VERSION", "PYTEST_XDIST_WORKER", "BATS_VERSION", "NEXTEST_VERSION"] {
            let test = running(&[(known, "1")]).unwrap();
            assert!(test.is_shared && test.path == b"setup", "{known}");
        }
        let message = running(&[]).unwrap_err();
        for name in ["PYTEST_CURRENT_TEST", "NEXTEST_TEST_NAME", "BATS_TEST_NAME", "%c"] {
            assert!(message.contains(name), "{message}");
        }
        assert!(running(&[("NEXTEST", "1")]).unwrap_err().contains("0.9.116"));
    }
}
