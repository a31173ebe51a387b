//! Decides what is done on a connection: the mode `once` replays a complete cassette, records one that does not exist, and
//! refuses anything else; and `super8 replay --record-failed` records some cassettes while others are replayed.

use super::location::log_name;
use crate::config::Environment;
use crate::config::sources::runs_in_ci;
use crate::config::variables::RECORDED_ANEW;
use crate::per_process::PerProcess;
use crate::verdict;
use once_cell::sync::Lazy;
use parking_lot::Mutex;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use super8_cassette::{Entry, Key, State, Value, directory_of, parts_of, state};

/// What is done on a connection: the mode, after `once` has looked at the cassette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Calls are forwarded.
    Forward,
    /// Calls are forwarded and recorded.
    Record,
    /// Calls are answered from the cassette.
    Replay,
}

/// Decides what `once` does with the cassette at `path`, which the user calls `shown`.
///
/// # Errors
/// The recording is incomplete; there is none and this is CI; or something else is at the path.
pub(super) fn action(path: &Path, shown: &Path, environment: Environment<'_>) -> Result<Action, String> {
    let shown = shown.display();
    match state(path).map_err(|error| error.to_string())? {
        State::Complete => Ok(Action::Replay),
        State::Absent if !parts_of(directory_of(path)).is_empty() => Ok(Action::Replay),
        State::Absent if runs_in_ci(environment) => Err(format!(
            "{shown}: there is no cassette here, and nothing is recorded where CI is set; record it at your desk \
             (super8 record {shown} -- COMMAND) and commit it, or unset CI"
        )),
        State::Absent => Ok(Action::Record),
        State::Incomplete { last, .. } => Err(format!(
            "{shown}: the recording is incomplete, it ends {}; record it again (super8 record {shown} -- COMMAND), or keep \
             what there is (super8 recover {shown})",
            last.map_or_else(
                || "before its first command".to_owned(),
                |(line, entry)| after(&log_name(path), line, &entry)
            ),
        )),
    }
}

fn after(log: &str, line: u32, entry: &Entry) -> String {
    const SHOWN: usize = 60;
    let sql = entry.get(Key::Sql).and_then(Value::as_text).unwrap_or_default();
    let words = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = words.chars().take(SHOWN).collect();
    let more = if short.len() < words.len() { "..." } else { "" };
    let quoted = if short.is_empty() { String::new() } else { format!(" \"{short}{more}\"") };
    let place = entry.statement.map_or_else(|| entry.connection.to_string(), |id| format!("{}/{id}", entry.connection));
    format!("after {log}:{line} {place} {}{quoted}", entry.method.name())
}

static NAMED: Lazy<Vec<PathBuf>> = Lazy::new(|| {
    let file = std::env::var_os(RECORDED_ANEW).filter(|file| !file.is_empty());
    let names = file.and_then(|file| std::fs::read(file).ok()).unwrap_or_default();
    let named = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    named.map(|name| PathBuf::from(OsStr::from_bytes(name))).collect()
});

/// The cassettes that were already reported because they share a connection.
static ADVISED: PerProcess<Mutex<Vec<PathBuf>>> = PerProcess::new();

/// Reports that a connection cannot go on from a recorded cassette in a replayed one, or the other way round: the
/// replayed one of the two has to be recorded as well.
pub(super) fn share_a_connection(replayed: &Path) {
    if NAMED.is_empty() {
        return;
    }
    let mut advised = ADVISED.get().lock();
    if !advised.iter().any(|known| known == replayed) {
        advised.push(replayed.to_owned());
        verdict::shares(replayed);
    }
}

/// Returns whether the cassette in this directory is to be recorded although the mode is replay.
pub(super) fn is_recorded(directory: &Path) -> bool {
    NAMED.iter().any(|named| named == directory)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::locations::tests::directory;
    use std::ffi::OsString;

    fn at_desk(_: &str) -> Option<OsString> {
        None
    }

    fn in_ci(name: &str) -> Option<OsString> {
        (name == "CI").then(|| OsString::from("true"))
    }

    #[test]
    fn absent_is_recorded_but_not_in_ci() {
        let path = directory("once_absent").join("c");
        assert_eq!(action(&path, Path::new("x"), &at_desk), Ok(Action::Record));
        let refused = action(&path, Path::new("x"), &in_ci).unwrap_err();
        assert!(refused.contains("CI is set") && refused.contains("super8 record"), "{refused}");
    }

    #[test]
    fn complete_is_replayed_and_incomplete_refused_with_its_last_command() {
        let path = directory("once_incomplete");
        let metadata = |complete| format!("schema_version: 4\ncomplete: {complete}\n");
        std::fs::write(
            path.join("commands.yml"),
            "- method: run\n  connection_id: a\n  statement_id: 2\n  sql: SELECT\n",
        )
        .unwrap();
        std::fs::write(path.join("metadata.yml"), metadata(true)).unwrap();
        assert_eq!(action(&path, Path::new("x"), &in_ci), Ok(Action::Replay));
        std::fs::write(path.join("metadata.yml"), metadata(false)).unwrap();
        let refused = action(&path, Path::new("x"), &at_desk).unwrap_err();
        for part in ["commands.yml:1 a/2 run \"SELECT\"", "super8 record", "super8 recover"] {
            assert!(refused.contains(part), "{refused}");
        }
    }
}
