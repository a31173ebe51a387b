//! The value of one setting as somebody gave it, and the readers for the kinds of values.

use super::running_test::RunningTest;
use super::{attempts, command};
use std::cell::{Cell, RefCell};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;
use super8_cassette::faults::{self, Fault};
use super8_cassette::text::is_file_name;

/// A value that somebody gave, and the name of its place for error messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The value. It is never empty, because an empty value is the same as none.
    pub value: OsString,
    /// Where it was given: `SUPER8_MODE`, `Super8Mode in the connection string`, `Super8Mode in [shop] of /etc/odbc.ini`.
    pub place: String,
}

/// The error for a setting that cannot be understood or that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError(pub(super) String);

impl fmt::Display for SettingsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

impl SettingsError {
    /// Returns an error with these words.
    pub fn new(problem: impl Into<String>) -> SettingsError {
        SettingsError(problem.into())
    }
}

impl Given {
    /// Returns the error that this value is not what it should be, which `advice` says.
    fn wrong(&self, advice: &str) -> SettingsError {
        SettingsError(format!("{} is {:?}: {advice}", self.place, self.value.to_string_lossy()))
    }

    /// Reads one of a few words, in any case.
    pub(super) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, SettingsError> {
        let text = self.value.to_str().map(str::trim).unwrap_or("\u{fffd}");
        if let Some((_, value)) = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
            return Ok(*value);
        }
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Err(self.wrong(&format!("set it to {}, or leave it out", names.join(" or "))))
    }

    /// Reads a whole number.
    pub(super) fn count(&self) -> Result<usize, SettingsError> {
        let number = self.value.to_str().and_then(|text| text.trim().parse().ok());
        number.ok_or_else(|| self.wrong("write a whole number, 0 or more"))
    }

    /// Reads faults, one on each line.
    pub(super) fn faults(&self) -> Result<Vec<Fault>, SettingsError> {
        let text = self.value.to_str().ok_or_else(|| self.wrong("write UTF-8"))?;
        faults::parse_all(text).map_err(|problem| SettingsError(format!("{}: {problem}", self.place)))
    }

    /// Reads seconds, possibly with a decimal point, up to an hour.
    pub(super) fn seconds(&self) -> Result<Option<Duration>, SettingsError> {
        let seconds = self.value.to_str().and_then(|text| text.trim().parse::<f64>().ok());
        match seconds.filter(|seconds| (0.0..=3600.0).contains(seconds)) {
            Some(seconds) => Ok(Some(Duration::from_secs_f64(seconds))),
            None => Err(self.wrong("write a number of seconds, 0 to 3600, such as 5 or 0.5")),
        }
    }

    /// Reads a name that can be used in a file name: letters, digits, `_`, `-` and `.`, not beginning with a point.
    pub(super) fn plain_name(&self) -> Result<Option<String>, SettingsError> {
        let name = self.value.to_str().map(str::trim).filter(|name| is_file_name(name));
        let advice = "write letters, digits, _, - and . only, 200 at most, the first one not a point";
        name.map(|name| Some(name.to_owned())).ok_or_else(|| self.wrong(advice))
    }

    /// Reads a path and fills in its placeholders.
    pub(crate) fn path(&self) -> Result<Option<PathBuf>, SettingsError> {
        let no_test =
            || Err(self.wrong("%t, the running test, can stand in a cassette's name only; write %c or %{NAME}"));
        self.filled_in_now(&no_test).map(Some)
    }

    /// Returns the cassette of this name, in this process and the test that it runs.
    ///
    /// # Errors
    /// Something cannot be filled in.
    pub(crate) fn cassette(&self) -> Result<Option<CassetteName>, SettingsError> {
        let (found, changes) = (RefCell::new(None), Cell::new(false));
        let test = || {
            let running = RunningTest::of(&|name| std::env::var_os(name)).map_err(|error| self.wrong(&error))?;
            let path = running.path.clone();
            *found.borrow_mut() = Some(running);
            Ok(path)
        };
        let path = self.filled_in_now(&test)?;
        self.filled(&|placeholder| {
            changes.set(changes.get() || matches!(placeholder, Placeholder::Test | Placeholder::Variable(_)));
            Ok(Vec::new())
        })?;
        let again = changes.get().then(|| self.clone());
        let test = found.take().map(|test| TestRun {
            attempt: attempts::attempt(&test),
            id: test.id,
            is_shared: test.is_shared,
        });
        Ok(Some(CassetteName { path, test, again, by_connection: false }))
    }

    fn filled_in_now(&self, test: &dyn Fn() -> Result<Vec<u8>, SettingsError>) -> Result<PathBuf, SettingsError> {
        self.filled(&|placeholder| match placeholder {
            Placeholder::Process => Ok(std::process::id().to_string().into_bytes()),
            Placeholder::Command => Ok(command::of_this_process().into_bytes()),
            Placeholder::Test => test(),
            Placeholder::Variable(name) => match std::env::var_os(OsStr::from_bytes(name))
                .filter(|value| !value.is_empty())
            {
                Some(value) => Ok(value.into_vec()),
                None => {
                    let name = String::from_utf8_lossy(name);
                    Err(self
                        .wrong(&format!("the variable {name} is not set; set {name}, or write %%{{ for the text %{{")))
                }
            },
        })
    }

    /// Returns the path with each placeholder replaced by what `fill` returns for it.
    ///
    /// # Errors
    /// A percent sign begins no placeholder, or `fill` fails.
    pub fn filled(
        &self,
        fill: &dyn Fn(Placeholder<'_>) -> Result<Vec<u8>, SettingsError>,
    ) -> Result<PathBuf, SettingsError> {
        let mut path = Vec::new();
        let mut rest = self.value.as_bytes();
        while let [byte, after @ ..] = rest {
            rest = after;
            if *byte != b'%' {
                path.push(*byte);
                continue;
            }
            match after {
                [b'%', ..] => path.push(b'%'),
                [b'p', ..] => path.append(&mut fill(Placeholder::Process)?),
                [b'c', ..] => path.append(&mut fill(Placeholder::Command)?),
                [b't', ..] => path.append(&mut fill(Placeholder::Test)?),
                [b'{', named @ ..] => {
                    let end = named.iter().position(|byte| *byte == b'}').filter(|end| *end > 0);
                    let Some(end) = end else { return Err(self.unknown(after)) };
                    path.append(&mut fill(Placeholder::Variable(&named[..end]))?);
                    rest = &named[end..];
                }
                _ => return Err(self.unknown(after)),
            }
            rest = &rest[1..];
        }
        Ok(PathBuf::from(OsString::from_vec(path)))
    }

    fn unknown(&self, after: &[u8]) -> SettingsError {
        let found = OsStr::from_bytes(&after[..after.len().min(1)]).to_string_lossy().into_owned();
        self.wrong(&format!(
            "\"%{found}\" means nothing here; write %t for the running test, %c for the command of the process, \
             %{{NAME}} for a variable of the environment, %p for the process id and %% for a percent sign"
        ))
    }
}

/// An attempt at a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestRun {
    /// The runner's own id of the test.
    pub id: String,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// Whether it is not a test but set-up that several tests share.
    pub is_shared: bool,
}

/// The name of a cassette, with its placeholders filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CassetteName {
    /// The cassette's directory.
    pub path: PathBuf,
    /// The test that the cassette is named after.
    pub test: Option<TestRun>,
    /// The name as it was given, if the cassette may become another one while a connection is open.
    pub again: Option<Given>,
    /// Whether the connection string gives the name. Then what a test framework inserts later changes nothing.
    pub by_connection: bool,
}

impl<P: Into<PathBuf>> From<P> for CassetteName {
    fn from(path: P) -> CassetteName {
        CassetteName { path: path.into(), ..CassetteName::default() }
    }
}

/// A placeholder in a path, which is filled in when the path is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder<'a> {
    /// `%p`, the process id.
    Process,
    /// `%c`, the command of the process.
    Command,
    /// `%t`, the running test, which gives several components of a path.
    Test,
    /// `%{NAME}`, a variable of the environment.
    Variable(&'a [u8]),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(value: &str) -> Given {
        Given { value: value.into(), place: "SUPER8_X".to_owned() }
    }

    #[test]
    fn the_process_id_and_the_percent_sign_are_filled_in() {
        let pid = std::process::id();
        assert_eq!(given("c/%p-100%%").path(), Ok(Some(format!("c/{pid}-100%").into())));
        for wrong in ["c/%q", "c/%", "c/%{", "c/%{}", "%{X"] {
            let message = given(wrong).path().unwrap_err().to_string();
            assert!(message.contains("SUPER8_X") && message.contains("%%"), "{message}");
        }
    }

    #[test]
    fn commands_and_variables_are_filled_in_and_a_missing_variable_is_named() {
        let filled = given("%{HOME}/%c/x").path().unwrap().unwrap().display().to_string();
        let home = std::env::var("HOME").unwrap();
        assert_eq!(filled, format!("{home}/{}/x", command::of_this_process()));
        let message = given("c/%{SUPER8_NO_SUCH}").path().unwrap_err().to_string();
        assert!(message.contains("variable SUPER8_NO_SUCH is not set"), "{message}");
    }

    #[test]
    fn a_test_is_part_of_a_cassettes_name_only() {
        let message = given("log/%t").path().unwrap_err().to_string();
        assert!(message.contains("cassette's name only"), "{message}");
        assert_eq!(given("tapes/x").cassette(), Ok(Some("tapes/x".into())));
    }

    #[test]
    fn seconds_are_seconds() {
        assert_eq!(given("2.5").seconds(), Ok(Some(Duration::from_millis(2500))));
        assert_eq!(given(" 0 ").seconds(), Ok(Some(Duration::ZERO)));
        for wrong in ["-1", "3601", "five", "NaN", "inf", "5s"] {
            assert!(given(wrong).seconds().is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_cannot_leave_a_directory() {
        assert_eq!(given("4bf92f35.a-b_c").plain_name(), Ok(Some("4bf92f35.a-b_c".to_owned())));
        for wrong in ["..", ".x", "a/b", "a b", "\u{e4}", " "] {
            assert!(given(wrong).plain_name().is_err(), "{wrong}");
        }
    }
}
