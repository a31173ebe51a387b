//! The names of a cassette's files, and which files of its directory belong to the cassette. All others are the user's:
//! a README, a `build_info.yml`.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::schema::Class;
use crate::store::interface::info_owner;
use crate::store::staging::beside;
use crate::yaml::{self, Items};
use crate::{ConnectionId, Key, Method, files};

/// The file that says what the cassette is.
pub const METADATA: &str = "metadata.yml";
/// The log.
pub const COMMANDS: &str = "commands.yml";
/// The file in which the first version of the super8 gem kept its connection.
pub const GEM_CONNECTION: &str = "connection.yml";

/// A file that super8 used to write into a directory made from a trace. Nothing reads it.
pub(super) const SEQUENCE: &str = "trace_sequence.yml";

/// Returns where the previous cassette stands for a moment, on file systems that cannot exchange two directories.
pub(super) fn previous(target: &Path) -> PathBuf {
    beside(target, "super8-previous")
}

/// Marks the cassette that is about to be replaced, so that nobody takes it for the recording once the two have changed places.
pub(super) const REPLACED: &str = ".super8-replaced";

/// The journal of rows whose entry is not written yet: see [`recover`](mod@crate::store::recover).
pub(super) const ROWS_JOURNAL: &str = ".super8-rows";

/// Returns the rank of a file when a cassette is removed, lowest first. The process may be killed between any two
/// files. A cassette without its metadata is no longer a recording that could be recovered, and as long as it has its
/// log it is one to be cleared away.
pub(super) fn removal(name: &OsStr) -> u8 {
    match name.to_str() {
        Some(METADATA) => 0,
        Some(REPLACED) => 2,
        Some(COMMANDS) => 3,
        _ => 1,
    }
}

/// Returns the connection that a file belongs to, judging by its name. Any short word can be the id of a connection, so
/// only the log can tell for certain ([`FileOwners`]).
pub(super) fn connection_of(name: &OsStr) -> Option<ConnectionId> {
    let (stem, ending) = name.to_str()?.rsplit_once('.')?;
    let mut words = stem.splitn(3, '_');
    let (connection, second, rest) = (words.next()?.parse().ok()?, words.next()?, words.next());
    let number = |text: &str| text.parse::<u32>().is_ok();
    let ours = match (second, rest) {
        ("info", None) => ending == "yml",
        (statement, Some(rest)) if number(statement) => {
            // `fetch_all_2`: a suffix distinguishes the second and later parts with the same name
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

/// Says whether a directory has a file that is named like an info file. Every recording has one.
pub(super) fn has_info_files(directory: &Path) -> bool {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| {
        let name = entry.file_name();
        connection_of(&name).is_some() && name.as_encoded_bytes().ends_with(b"_info.yml")
    })
}

/// The connections of a cassette that have files. They are looked up in the log, because any short word could be the id of one.
#[derive(Debug)]
pub(super) struct FileOwners(HashSet<ConnectionId>);

impl FileOwners {
    /// Finds which files in `directory` its own log names.
    pub(super) fn of(directory: &Path) -> io::Result<FileOwners> {
        FileOwners::by_logs(directory, &[directory])
    }

    /// Finds which files in `directory` belong to the log of any of `cassettes`. Each log is read as far as it is readable.
    pub(super) fn by_logs(directory: &Path, cassettes: &[&Path]) -> io::Result<FileOwners> {
        let (mut named, mut own) = (HashSet::new(), HashSet::new());
        for entry in fs::read_dir(directory)? {
            named.extend(connection_of(&entry?.file_name()));
        }
        for cassette in cassettes {
            let log = cassette.join(COMMANDS);
            let Ok(file) = files::open(&log) else { continue };
            let (mut items, mut bytes) = (Items::new(file, &log), Vec::new());
            while !named.is_empty()
                && let Ok(Some(item)) = items.next(&mut bytes)
                && let Ok(head) = yaml::parse_head(&bytes, &log, item.line)
            {
                own.extend(named.take(&head.connection));
                // a connection that is no longer in the log may have left its answers to others
                let entry = (head.method == Method::Connect).then(|| yaml::parse_entry(&bytes, &log, item.line).ok());
                let file = entry.flatten().and_then(|entry| info_owner(entry.get(Key::InfoFile)?.as_text()?));
                own.extend(file.and_then(|file| named.take(&file)));
            }
        }
        Ok(FileOwners(own))
    }

    /// Says whether a file of this name is the cassette's.
    pub(super) fn has(&self, name: &OsStr) -> bool {
        name == METADATA
            || name == COMMANDS
            || name == SEQUENCE
            || name == ROWS_JOURNAL
            || connection_of(name).is_some_and(|connection| self.0.contains(&connection))
    }
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
    fn a_word_is_a_connection_only_if_the_log_has_it() {
        let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let log = |ids: &[&str]| ids.iter().map(|id| format!("- method: connect\n  connection_id: {id}\n")).collect();
        let log: &dyn Fn(&[&str]) -> String = &log;
        fs::write(old.path().join("commands.yml"), log(&["a", "aa"]) + "- met").unwrap();
        fs::write(new.path().join("commands.yml"), log(&["b"])).unwrap();
        for name in ["a_info.yml", "aa_1_columns.yml", "b_info.yml", "c_1_fetch_all.csv", "build_info.yml", "notes.txt"]
        {
            fs::write(old.path().join(name), "").unwrap();
        }
        let ours = |own: &FileOwners| {
            let all = fs::read_dir(old.path()).unwrap().map(|entry| entry.unwrap().file_name());
            let mut ours: Vec<_> = all.filter(|name| own.has(name)).collect();
            ours.sort();
            ours
        };
        let own = FileOwners::of(old.path()).unwrap();
        assert_eq!(ours(&own), ["a_info.yml", "aa_1_columns.yml", "commands.yml"]);
        let own = FileOwners::by_logs(old.path(), &[old.path(), new.path()]).unwrap();
        assert_eq!(ours(&own), ["a_info.yml", "aa_1_columns.yml", "b_info.yml", "commands.yml"]);
    }
}
