//! The names of a cassette's files, and of the directory beside it in which a recording is staged.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::entry::Class;
use crate::{ConnectionId, Method};

/// The file that says what the cassette is.
pub(crate) const METADATA: &str = "metadata.yml";
/// The command log.
pub(crate) const COMMANDS: &str = "commands.yml";

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

/// Whether a file of this name belongs to the format. Others (a README, `.gitattributes`) are the user's own.
pub(crate) fn is_ours(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    if name == METADATA || name == COMMANDS {
        return true;
    }
    let Some((stem, ending)) = name.rsplit_once('.') else { return false };
    let mut words = stem.splitn(3, '_');
    let (connection, second, rest) = (words.next().unwrap_or_default(), words.next(), words.next());
    if connection.parse::<ConnectionId>().is_err() {
        return false;
    }
    let number = |text: &str| text.parse::<u32>().is_ok();
    match (second, rest, ending) {
        (Some("info"), None, "yml") => true,
        (Some(statement), Some(rest), _) if number(statement) => {
            // `fetch_all_2`: a suffix tells the second and later parts of the same name apart
            let kind = rest.rsplit_once('_').filter(|(_, suffix)| number(suffix)).map_or(rest, |(kind, _)| kind);
            match ending {
                "yml" => matches!(kind, "columns" | "parameters"),
                "csv" => Method::from_name(kind).is_some_and(|method| method.class() == Class::Command),
                _ => false,
            }
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_own_files() {
        for ours in [
            "metadata.yml",
            "commands.yml",
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
            assert!(is_ours(OsStr::new(ours)), "{ours}");
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
            assert!(!is_ours(OsStr::new(foreign)), "{foreign}");
        }
    }

    #[test]
    fn stages_beside_the_target() {
        assert_eq!(staging(Path::new("/t/cassettes/x")), Path::new("/t/cassettes/.x.super8-recording"));
    }
}
