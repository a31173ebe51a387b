//! Which files of a cassette's directory are the cassette's. The rest is the user's: a README, a `build_info.yml`.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use super::names;
use crate::ConnectionId;
use crate::files;
use crate::yaml::{self, Items};

/// The connections of a cassette that have files: any short word could be the id of one, so the log is asked.
#[derive(Debug)]
pub(crate) struct Own(HashSet<ConnectionId>);

impl Own {
    /// The files in `directory` by its own log.
    pub(crate) fn of(directory: &Path) -> io::Result<Own> {
        Own::by_logs(directory, &[directory])
    }

    /// The files in `directory` that belong to the log of one of `cassettes`. A log counts as far as it can be read.
    pub(crate) fn by_logs(directory: &Path, cassettes: &[&Path]) -> io::Result<Own> {
        let (mut named, mut own) = (HashSet::new(), HashSet::new());
        for entry in fs::read_dir(directory)? {
            named.extend(names::connection_of(&entry?.file_name()));
        }
        for cassette in cassettes {
            let log = cassette.join(names::COMMANDS);
            let Ok(file) = files::open(&log) else { continue };
            let (mut items, mut bytes) = (Items::new(file, &log), Vec::new());
            while !named.is_empty()
                && let Ok(Some(item)) = items.next(&mut bytes)
                && let Ok(head) = yaml::parse_head(&bytes, &log, item.line)
            {
                own.extend(named.take(&head.connection));
            }
        }
        Ok(Own(own))
    }

    /// Whether a file of this name is the cassette's.
    pub(crate) fn has(&self, name: &OsStr) -> bool {
        name == names::METADATA
            || name == names::COMMANDS
            || name == names::SEQUENCE
            || name == names::ROWS_JOURNAL
            || names::connection_of(name).is_some_and(|connection| self.0.contains(&connection))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let ours = |own: &Own| {
            let all = fs::read_dir(old.path()).unwrap().map(|entry| entry.unwrap().file_name());
            let mut ours: Vec<_> = all.filter(|name| own.has(name)).collect();
            ours.sort();
            ours
        };
        let own = Own::of(old.path()).unwrap();
        assert_eq!(ours(&own), ["a_info.yml", "aa_1_columns.yml", "commands.yml"]);
        let own = Own::by_logs(old.path(), &[old.path(), new.path()]).unwrap();
        assert_eq!(ours(&own), ["a_info.yml", "aa_1_columns.yml", "b_info.yml", "commands.yml"]);
    }
}
