//! The names of a cassette's files, and of the directory beside it in which a recording is staged.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::schema::Class;
use crate::{ConnectionId, Method};

/// The file that says what the cassette is.
pub const METADATA: &str = "metadata.yml";
/// The command log.
pub const COMMANDS: &str = "commands.yml";
/// The file in which the first version of the super8 gem kept its connection.
pub const GEM_CONNECTION: &str = "connection.yml";

/// A file that super8 used to write into a directory made of a trace. Nothing reads it.
pub(crate) const SEQUENCE: &str = "trace_sequence.yml";

/// The file with the answers of a connection.
pub(crate) fn info(connection: ConnectionId) -> String {
    format!("{connection}_info.yml")
}

/// Where a recording of `target` is staged: beside it, hidden, with a name that says what it is.
pub fn staging(target: &Path) -> PathBuf {
    beside(target, "super8-recording")
}

/// Where the previous cassette stands for a moment on file systems that cannot exchange two directories.
pub(crate) fn previous(target: &Path) -> PathBuf {
    beside(target, "super8-previous")
}

fn beside(target: &Path, ending: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{ending}"))
}

/// What marks the cassette that is about to be replaced, so that nobody takes it for the recording once the two have
/// changed places.
pub(crate) const REPLACED: &str = ".super8-replaced";

/// The journal of rows whose entry is not written yet: see [`rows_journal`](crate::rows_journal).
pub(crate) const ROWS_JOURNAL: &str = ".super8-rows";

/// The place of a file when a cassette is removed, least first. A process may be killed between any two: without its
/// metadata it is no recording any more that could be recovered, and as long as it has its log it is one to be cleared away.
pub(crate) fn removal(name: &OsStr) -> u8 {
    match name.to_str() {
        Some(METADATA) => 0,
        Some(REPLACED) => 2,
        Some(COMMANDS) => 3,
        _ => 1,
    }
}

/// The connection a file belongs to by its name. Any short word can be the id of a connection: the log knows
/// ([`Own`](super::own::Own)).
pub(crate) fn connection_of(name: &OsStr) -> Option<ConnectionId> {
    let (stem, ending) = name.to_str()?.rsplit_once('.')?;
    let mut words = stem.splitn(3, '_');
    let (connection, second, rest) = (words.next()?.parse().ok()?, words.next()?, words.next());
    let number = |text: &str| text.parse::<u32>().is_ok();
    let ours = match (second, rest) {
        ("info", None) => ending == "yml",
        (statement, Some(rest)) if number(statement) => {
            // `fetch_all_2`: a suffix tells the second and later parts of the same name apart
            let kind = rest.rsplit_once('_').filter(|(_, suffix)| number(suffix)).map_or(rest, |(kind, _)| kind);
            match ending {
                "yml" => matches!(kind, "columns" | "parameters"),
                "csv" => Method::from_name(kind).is_some_and(|method| method.class() == Class::Command),
                _ => false,
            }
        }
        _ => false,
    };
    ours.then_some(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_files_of_connections() {
        for ours in [
            "a_info.yml",
            "zz_info.yml",
            "a_1_columns.yml",
            "a_1_columns_2.yml",
            "b_12_parameters.yml",
            "a_1_fetch_all.csv",
            "a_1_fetch_all_2.csv",
            "aa_10_fetch_many.csv",
            "a_3_execute.csv",
        ] {
            assert!(connection_of(OsStr::new(ours)).is_some(), "{ours}");
        }
        for foreign in [
            "README.md",
            ".gitattributes",
            "notes.yml",
            "a_notes.yml",
            "a_1_notes.csv",
            "1_1_columns.yml",
            "a_x_columns.yml",
            "a_1_columns.csv",
            "a_info.yml.orig",
            "commands.yml~",
            "A_info.yml",
        ] {
            assert_eq!(connection_of(OsStr::new(foreign)), None, "{foreign}");
        }
    }

    #[test]
    fn is_no_recording_from_the_first_file_on_and_one_to_clear_away_until_the_last() {
        let mut names = ["commands.yml", "a_info.yml", ".super8-replaced", "metadata.yml", "README.md"];
        names.sort_by_key(|name| removal(OsStr::new(name)));
        assert_eq!(names, ["metadata.yml", "a_info.yml", "README.md", ".super8-replaced", "commands.yml"]);
    }

    #[test]
    fn stages_beside_the_target() {
        assert_eq!(staging(Path::new("/t/cassettes/x")), Path::new("/t/cassettes/.x.super8-recording"));
    }
}
