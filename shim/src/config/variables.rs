//! super8's environment variables. A variable that begins with `SUPER8_` and is none of them is misspelt, and would
//! silently have no effect.

use super::command::RECORD_AGAIN;
use super::given::SettingsError;
use super::running_test::{FIXTURE, LIVE_FIXTURES, XDIST_GROUP};
use super::settings::Setting;
use crate::per_process::PerProcess;
use crate::platform;
use parking_lot::Mutex;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::sync::Arc;

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

/// The variables of this process, as they are at one moment. It has no `Debug`, because a variable may be a password.
pub struct Variables {
    /// The environment's texts, in its order.
    texts: Vec<CString>,
    /// The names and values, ordered by name. Of a name that occurs twice, the first counts.
    pairs: Vec<(OsString, OsString)>,
}

impl Variables {
    /// Returns the variables as they are now. As long as none of them changes, it is the same value.
    pub fn now() -> Arc<Variables> {
        static LATEST: PerProcess<Mutex<Option<Arc<Variables>>>> = PerProcess::new();
        let mut latest = LATEST.get_or_init(|_| Mutex::default()).lock();
        match &*latest {
            Some(known) if platform::is_environment(&known.texts) => Arc::clone(known),
            _ => Arc::clone(latest.insert(Arc::new(Variables::of(platform::environment())))),
        }
    }

    fn of(texts: Vec<CString>) -> Variables {
        let pair = |text: &CString| {
            let text = text.to_bytes();
            // As in the standard library, a name may begin with an equals sign.
            let equals = text.iter().skip(1).position(|byte| *byte == b'=')? + 1;
            let part = |part: &[u8]| OsStr::from_bytes(part).to_owned();
            Some((part(&text[..equals]), part(&text[equals + 1..])))
        };
        let mut pairs: Vec<(OsString, OsString)> = texts.iter().filter_map(pair).collect();
        pairs.sort_by(|one, other| one.0.cmp(&other.0));
        pairs.dedup_by(|later, first| later.0 == first.0);
        Variables { texts, pairs }
    }

    /// Returns the value of a variable.
    pub fn get(&self, name: &str) -> Option<OsString> {
        let found = self.pairs.binary_search_by(|(known, _)| known.as_os_str().cmp(OsStr::new(name)));
        found.ok().map(|at| self.pairs[at].1.clone())
    }

    fn own(&self) -> impl Iterator<Item = &OsString> {
        self.pairs.iter().map(|(name, _)| name).filter(|name| is_own(name))
    }

    /// Refuses a misspelt variable. `is_mentioned` returns whether a cassette's name mentions a variable, because such
    /// a one may have any name.
    ///
    /// # Errors
    /// There is a misspelt variable; the error names the nearest right one.
    pub fn check(&self, is_mentioned: &dyn Fn(&str) -> bool) -> Result<(), SettingsError> {
        misspelt(self.own(), is_mentioned).next().map_or(Ok(()), Err)
    }

    /// Returns the error for every misspelt variable; [`check`](Variables::check) refuses the first.
    pub fn misspelt(&self, is_mentioned: &dyn Fn(&str) -> bool) -> Vec<SettingsError> {
        misspelt(self.own(), is_mentioned).collect()
    }
}

/// Refuses a misspelt variable of the process as it is now, as [`Variables::check`] does.
///
/// # Errors
/// As there.
pub fn check(is_mentioned: &dyn Fn(&str) -> bool) -> Result<(), SettingsError> {
    Variables::now().check(is_mentioned)
}

fn is_own(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

fn misspelt<'n>(
    names: impl Iterator<Item = &'n OsString>,
    is_mentioned: &dyn Fn(&str) -> bool,
) -> impl Iterator<Item = SettingsError> {
    let known = || Setting::ROWS.iter().map(|row| row.variable).chain(HANDED_DOWN);
    names.map(|name| name.to_string_lossy()).filter_map(move |name| {
        if known().any(|known| known == name) || name.starts_with(OF_TESTS) || is_mentioned(&name) {
            return None;
        }
        let for_users = Setting::ROWS.iter().map(|row| row.variable).chain([LIBRARY_DIR]);
        let nearest = for_users.min_by_key(|known| distance(&name, known)).unwrap_or_default();
        Some(SettingsError::new(format!(
            "{name} is not one of super8's variables: did you mean {nearest}? Correct it, or unset it"
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
    fn variables_are_those_of_the_standard_library() {
        // another test may set a variable between the two calls
        assert!((0..100).any(|_| Arc::ptr_eq(&Variables::now(), &Variables::now())));
        let as_there = || {
            let now = Variables::now();
            std::env::vars_os().all(|(name, value)| now.get(name.to_str().unwrap()) == Some(value))
        };
        assert!((0..100).any(|_| as_there()) && std::env::vars_os().next().is_some());
        let listed = Variables::of([c"B=1", c"A==2", c"B=3", c"no", c"=C=4"].map(CString::from).to_vec());
        let get = |name: &str| listed.get(name).map(|value| value.into_string().unwrap());
        assert_eq!(
            ["A", "B", "=C", "no", ""].map(get),
            [Some("=2"), Some("1"), Some("4"), None, None].map(|value| value.map(str::to_owned))
        );
    }

    #[test]
    fn a_misspelt_variable_is_named_with_the_nearest_right_one() {
        let own = |name: &str| Variables::of(vec![c"PATH=".into(), CString::new(format!("{name}=")).unwrap()]);
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
