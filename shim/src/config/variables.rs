//! super8's environment variables. A variable that begins with `SUPER8_` and is none of them is misspelt, and would
//! silently have no effect.

use super::command::RECORD_AGAIN;
use super::given::SettingsError;
use super::running_test::{FIXTURE, LIVE_FIXTURES, XDIST_GROUP};
use super::settings::Setting;
use std::ffi::{OsStr, OsString};

/// Names the file of the verdict; see [`crate::verdict`].
pub const VERDICT: &str = "SUPER8_VERDICT";
/// The descriptor on which that file is open, as `NUMBER:DEVICE:INODE`, because a program may have closed it and opened
/// another file under its number.
pub const VERDICT_FD: &str = "SUPER8_VERDICT_FD";

/// Names the file in which the processes of a run are counted; see [`crate::run`].
pub const RUN: &str = "SUPER8_RUN";
/// The number of the descriptor on which that file is open, for a process that cannot open the path.
pub const RUN_FD: &str = "SUPER8_RUN_FD";

/// Names the directory of `super8 run`, in which the processes note what became of their cassettes, and which of them
/// records what several tests share. Nobody waits for a verdict there.
pub const SESSION: &str = "SUPER8_SESSION";

/// Names the directory in which the command finds its libraries.
pub const LIBRARY_DIR: &str = "SUPER8_LIBRARY_DIR";

/// Names the file in which `super8 replay --record-failed` lists the cassettes that are recorded while others are
/// replayed.
pub const RECORDED_ANEW: &str = "SUPER8_RECORDED_ANEW";

/// Returns a variable of this process.
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

const PREFIX: &str = "SUPER8_";
/// The variables that the command hands down to its processes.
const HANDED_DOWN: [&str; 10] =
    [RUN, RUN_FD, VERDICT_FD, SESSION, RECORD_AGAIN, LIBRARY_DIR, RECORDED_ANEW, FIXTURE, LIVE_FIXTURES, XDIST_GROUP];
/// The variables of super8's own tests.
const OF_TESTS: &str = "SUPER8_TEST_";

/// The variables of this process that begin as super8's do, as they are at one moment.
pub struct OwnVariables(Vec<(OsString, OsString)>);

impl OwnVariables {
    /// Returns the variables as they are now.
    pub fn now() -> OwnVariables {
        OwnVariables(std::env::vars_os().filter(|(name, _)| is_own(name)).collect())
    }

    /// Returns the value of a variable.
    pub fn get(&self, name: &str) -> Option<OsString> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// Refuses a misspelt variable. `is_mentioned` returns whether a cassette's name mentions a variable, because such
    /// a one may have any name.
    ///
    /// # Errors
    /// There is a misspelt variable; the error names the nearest right one.
    pub fn check(&self, is_mentioned: &dyn Fn(&str) -> bool) -> Result<(), SettingsError> {
        misspelt(self.0.iter().map(|(name, _)| name), is_mentioned).next().map_or(Ok(()), Err)
    }

    /// Returns the error for every misspelt variable; [`check`](OwnVariables::check) refuses the first.
    pub fn misspelt(&self, is_mentioned: &dyn Fn(&str) -> bool) -> Vec<SettingsError> {
        misspelt(self.0.iter().map(|(name, _)| name), is_mentioned).collect()
    }
}

/// Refuses a misspelt variable of the process as it is now, as [`OwnVariables::check`] does.
///
/// # Errors
/// As there.
pub fn check(is_mentioned: &dyn Fn(&str) -> bool) -> Result<(), SettingsError> {
    OwnVariables::now().check(is_mentioned)
}

fn is_own(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

fn misspelt<'n>(
    names: impl Iterator<Item = &'n OsString>,
    is_mentioned: &dyn Fn(&str) -> bool,
) -> impl Iterator<Item = SettingsError> {
    let known = || Setting::ROWS.iter().map(|row| row.variable).chain(HANDED_DOWN);
    names.filter(|name| is_own(name)).map(|name| name.to_string_lossy()).filter_map(move |name| {
        if known().any(|known| known == name) || name.starts_with(OF_TESTS) || is_mentioned(&name) {
            return None;
        }
        let for_users = Setting::ROWS.iter().map(|row| row.variable).chain([LIBRARY_DIR]);
        let nearest = for_users.min_by_key(|known| distance(&name, known)).unwrap_or_default();
        Some(SettingsError::new(format!(
            "{name} is no variable of super8's: did you mean {nearest}? Correct it, or unset it"
        )))
    })
}

/// Returns how many letters have to be inserted, removed or replaced to turn one word into the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, theirs) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *theirs);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_variable_is_named_with_the_nearest_right_one() {
        let own = |name: &str| OwnVariables(vec![("PATH".into(), "".into()), (name.into(), "".into())]);
        let check = |name: &str| own(name).check(&|name| name == "SUPER8_TENANT");
        for (wrong, right) in [
            ("SUPER8_CASETTE", "SUPER8_CASSETTE"),
            ("SUPER8_CASSETTES", "SUPER8_CASSETTE"),
            ("SUPER8_TRACEID", "SUPER8_TRACE_ID"),
            ("SUPER8_ODER", "SUPER8_ORDER"),
            ("SUPER8_MODUS", "SUPER8_MODE"),
            ("SUPER8_LIBRARIES_DIR", "SUPER8_LIBRARY_DIR"),
        ] {
            let message = check(wrong).unwrap_err().to_string();
            assert!(message.starts_with(wrong) && message.contains(&format!("mean {right}?")), "{message}");
        }
        for right in ["SUPER8_MODE", "SUPER8_RUN_FD", "SUPER8_TEST_KEEP", "SUPER8_TENANT", "super8_mode", "MY_SUPER8_X"]
        {
            assert_eq!(check(right), Ok(()), "{right}");
        }
    }
}
