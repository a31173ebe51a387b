//! Opens cassettes to be read, finds those that a name with placeholders stands for, and reads entries and rows.

use crate::exit::Failure;
use crate::folder;
use std::cell::Cell;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::sync_channel;
use super8_cassette::{CassetteError, Entry, EntryRef, Format, Head, Key, Metadata, Store, Value, with_parts};
use super8_matching::PlayedRun;
use super8_shim::config::settings::{Given, Placeholder};

/// A cassette that is only read, and its metadata.
pub struct Opened {
    /// The store.
    pub store: Box<dyn Store>,
    /// Its metadata.
    pub metadata: Metadata,
}

/// Opens the cassette at `path`.
///
/// # Errors
/// There is no cassette, or it has another version.
pub fn open(path: &Path) -> Result<Opened, Failure> {
    let store = super8_cassette::open(path)?;
    let metadata = store.metadata()?;
    Ok(Opened { store, metadata })
}

/// A cassette's name with placeholders, as far as it is known before a process fills it in.
pub struct Named {
    /// The name, with [`ANYTHING`] in the place of what is not known yet.
    path: PathBuf,
    /// Whether the unknown part may have several path components, as the running test (`%t`) has.
    deep: bool,
}

/// Stands for an unknown part. No file name can have this byte.
const ANYTHING: u8 = 0;

impl Named {
    /// Parses a name from a command line and fills in the variables that are set.
    ///
    /// # Errors
    /// A percent sign begins no placeholder.
    pub fn parse(name: &OsStr) -> Result<Named, Failure> {
        let given = Given { value: name.to_owned(), place: "the cassette".to_owned() };
        let deep = Cell::new(false);
        let fill = |placeholder: Placeholder<'_>| {
            Ok(match placeholder {
                Placeholder::Variable(name) => std::env::var_os(OsStr::from_bytes(name))
                    .filter(|value| !value.is_empty())
                    .map_or_else(|| vec![ANYTHING], |value| value.as_bytes().to_vec()),
                Placeholder::Process | Placeholder::Command => vec![ANYTHING],
                Placeholder::Test => {
                    deep.set(true);
                    vec![ANYTHING]
                }
            })
        };
        let path = given.filled(&fill).map_err(Failure::new)?;
        Ok(Named { path, deep: deep.get() })
    }

    /// Returns the cassette's path if nothing is left to be filled in.
    pub fn known(&self) -> Option<&Path> {
        (!self.path.as_os_str().as_bytes().contains(&ANYTHING)).then_some(&self.path)
    }

    /// Whether the name has the running test in it (`%t`).
    pub fn has_test(&self) -> bool {
        self.deep
    }

    /// Returns the existing cassettes whose names this one may become, with their parts.
    pub fn there(&self) -> Vec<PathBuf> {
        if self.deep {
            return below(&self.directory());
        }
        self.matching().iter().flat_map(|path| with_parts(path)).collect()
    }

    /// Returns the path up to the first component that is not known.
    pub fn directory(&self) -> PathBuf {
        let is_known = |component: &Component<'_>| !component.as_os_str().as_bytes().contains(&ANYTHING);
        self.path.components().take_while(is_known).collect()
    }

    fn matching(&self) -> Vec<PathBuf> {
        let mut found = vec![PathBuf::new()];
        for component in self.path.components() {
            let (Component::Normal(name), true) = (component, component.as_os_str().as_bytes().contains(&ANYTHING))
            else {
                found.iter_mut().for_each(|path| path.push(component));
                continue;
            };
            let pieces: Vec<&[u8]> = name.as_bytes().split(|byte| *byte == ANYTHING).collect();
            let of = |directory: &PathBuf| {
                let names = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.file_name());
                let mut names: Vec<_> = names.filter(|name| fits(name.as_bytes(), &pieces)).collect();
                names.sort();
                names.into_iter().map(|name| directory.join(name)).collect::<Vec<_>>()
            };
            found = found.iter().flat_map(of).collect();
        }
        found
    }
}

/// Returns the cassettes below a directory, with their parts. If the directory is a cassette itself, returns that one
/// with its parts.
pub fn below(directory: &Path) -> Vec<PathBuf> {
    if Format::of(directory).is_some() {
        return with_parts(directory);
    }
    // directories that cannot be read are skipped: no cassette in them could be replayed
    let found = folder::below(directory, &mut |_, _| {});
    found.into_iter().flat_map(|member| member.pieces).collect()
}

/// Whether a name has these pieces, in this order, with anything between them.
fn fits(name: &[u8], pieces: &[&[u8]]) -> bool {
    // names that begin with a dot are recordings that are under way
    if name.starts_with(b".") && !pieces.first().is_some_and(|first| first.starts_with(b".")) {
        return false;
    }
    let [first, middle @ .., last] = pieces else { return pieces.first() == Some(&name) };
    let Some(mut rest) = name.strip_prefix(*first).and_then(|rest| rest.strip_suffix(*last)) else { return false };
    middle.iter().all(|piece| {
        let at = (0..=rest.len().saturating_sub(piece.len())).find(|at| rest[*at..].starts_with(piece));
        at.is_some_and(|at| {
            rest = &rest[at + piece.len()..];
            true
        })
    })
}

/// Returns the total size of a cassette's files, for the progress bar.
pub fn bytes(path: &Path) -> u64 {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    match std::fs::read_dir(path) {
        Ok(files) => files.flatten().map(|file| length(&file.path())).sum(),
        Err(_) => length(path),
    }
}

/// How many entries the scanning thread may be ahead of the reader.
const AHEAD: usize = 1000;

/// The entries of a cassette one by one, as [`Store::scan`] finds them.
pub type Entries<'e> = &'e mut dyn Iterator<Item = Result<(EntryRef, Head), CassetteError>>;

/// Gives `read` an iterator over the entries of a cassette, so that two cassettes can be walked over side by side. A
/// thread scans the log, at most `AHEAD` entries ahead of the reader.
///
/// # Errors
/// What `read` returns.
pub fn with_entries<R>(store: &dyn Store, read: impl FnOnce(Entries<'_>) -> R) -> R {
    std::thread::scope(|scope| {
        let (found, entries) = sync_channel(AHEAD);
        scope.spawn(move || {
            // the reader has stopped: this error only ends the scan
            let enough = || CassetteError::new(store.name(), "is not read to its end");
            let visited = store.scan(&mut |place, head| found.send(Ok((place, head))).map_err(|_| enough()));
            let _ = visited.or_else(|error| found.send(Err(error)));
        });
        read(&mut entries.into_iter())
    })
}

/// Returns the rows of an entry as replay reads them; `None` if it has none.
///
/// # Errors
/// The rows cannot be read.
pub fn rows(store: &dyn Store, place: EntryRef, entry: Entry) -> Result<Option<PlayedRun>, CassetteError> {
    let inline = matches!(entry.get(Key::Result), Some(Value::List(_)));
    if inline || entry.get(Key::Rows).is_some() || entry.get(Key::RowsFile).is_some() {
        PlayedRun::of(store, place, entry).map(Some)
    } else {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_stands_for_what_is_there() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["one/isql", "one/perl-a.t", "two/isql", "isql"] {
            std::fs::create_dir_all(parent.path().join(name)).unwrap();
        }
        let named = |name: &str| Named::parse(parent.path().join(name).as_os_str()).unwrap();
        let shown = |found: Vec<PathBuf>| -> Vec<String> {
            found.into_iter().map(|path| path.strip_prefix(parent.path()).unwrap().display().to_string()).collect()
        };
        let there = |name: &str| shown(named(name).matching());
        assert_eq!(there("one/%c"), ["one/isql", "one/perl-a.t"]);
        assert_eq!(there("%{SUPER8_NO_SUCH}/%c"), ["one/isql", "one/perl-a.t", "two/isql"]);
        assert_eq!(there("o%{SUPER8_NO_SUCH}e/perl-%c.t"), ["one/perl-a.t"]);
        assert_eq!(named("100%%").known(), Some(parent.path().join("100%").as_path()));
        assert!(named("one/%p").known().is_none() && Named::parse("c/%q".as_ref()).is_err());
        for cassette in ["one/isql", "one/isql.parts/isql-2", "one/.x.super8-recording", "two/a/b"] {
            std::fs::create_dir_all(parent.path().join(cassette)).unwrap();
            std::fs::write(parent.path().join(cassette).join("metadata.yml"), "").unwrap();
        }
        assert_eq!(shown(named("one/%c").there()), ["one/isql", "one/isql.parts/isql-2"]);
        assert_eq!(shown(named("%t-x").there()), ["one/isql", "one/isql.parts/isql-2", "two/a/b"]);
        assert_eq!(named("one/x%t/y").directory(), parent.path().join("one"));
        let pieces: [&[u8]; 3] = [b"a", b"bc", b"a"];
        assert!(fits(b"abca", &pieces) && fits(b"a1bc2a", &pieces) && !fits(b"aa", &pieces) && !fits(b"a", &pieces));
    }
}
