//! Folders of cassettes. A verb that takes a cassette also takes a folder, and handles each cassette below it:
//! [`Cassettes::find`] finds them.

use crate::exit::Failure;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use super8_cassette::{Format, TraceId, ndjson, parts_directory, parts_of, staging_directory, with_parts_or_alone};

/// One cassette, by itself or below a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The cassette.
    pub path: PathBuf,
    /// Its path relative to the folder.
    pub name: PathBuf,
    /// The cassette and its parts, to be read. Empty if there is only a recording that did not end.
    pub pieces: Vec<PathBuf>,
}

/// The cassettes that a path on the command line names.
pub struct Cassettes {
    /// One cassette, or those below a folder. A path that is neither a cassette nor a folder is here as well, because
    /// opening it gives the error message.
    pub members: Vec<Member>,
    /// Whether the path is a folder.
    pub folder: bool,
    /// Cassettes below a folder that have only a recording that did not end.
    pub unfinished: Vec<PathBuf>,
}

impl Cassettes {
    /// Looks at the path and finds the cassettes.
    ///
    /// # Errors
    /// The folder has no cassette, or cannot be read.
    pub fn find(path: &Path) -> Result<Cassettes, Failure> {
        if !is_folder(path) {
            let member = Member { path: path.to_owned(), name: PathBuf::new(), pieces: with_parts_or_alone(path) };
            return Ok(Cassettes { members: vec![member], folder: false, unfinished: Vec::new() });
        }
        let mut wrong = None;
        let found = below(path, &mut |directory, error| {
            let shown = directory.display();
            wrong.get_or_insert_with(|| Failure::new(format_args!("{shown}: cannot read this directory: {error}")));
        });
        let (members, unfinished): (Vec<_>, Vec<_>) = found.into_iter().partition(|member| !member.pieces.is_empty());
        match wrong {
            Some(failure) => Err(failure),
            None if members.is_empty() => Err(Failure::new(format_args!(
                "{}: there is no cassette in this folder; name a cassette, or a folder that has some",
                path.display()
            ))),
            None => {
                let unfinished = unfinished.into_iter().map(|member| member.path).collect();
                Ok(Cassettes { members, folder: true, unfinished })
            }
        }
    }
}

/// Whether a directory is a folder: it is no cassette, and is not the place of one that has parts or an unfinished
/// first recording.
fn is_folder(path: &Path) -> bool {
    let is_unfinished = || {
        let trace = TraceId::of_directory(path).map(|own| path.join(own.file_name()));
        trace.is_ok_and(|trace| staging_directory(&trace).exists())
    };
    path.is_dir() && parts_of(path).is_empty() && !is_one_cassette(path) && !is_unfinished()
}

/// Whether opening the directory opens one cassette, or says what is wrong with it. False for several traces that are
/// not named after the directory.
fn is_one_cassette(directory: &Path) -> bool {
    match Format::of(directory) {
        None => false,
        Some(Format::Yaml) => true,
        Some(Format::Ndjson) => {
            let traces = ndjson::traces(directory);
            traces.len() == 1 || TraceId::of_directory(directory).is_ok_and(|own| traces.contains(&own))
        }
    }
}

/// Returns the cassettes below a directory, in the order of their names. Includes those that have only a recording that
/// did not end.
pub fn below(folder: &Path, unreadable: &mut impl FnMut(&Path, io::Error)) -> Vec<Member> {
    let mut found = BTreeMap::new();
    walk(folder, &mut found, unreadable);
    let member = |(path, pieces): (PathBuf, Vec<PathBuf>)| {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_owned();
        Member { path, name, pieces }
    };
    found.into_iter().map(member).collect()
}

fn walk(directory: &Path, found: &mut BTreeMap<PathBuf, Vec<PathBuf>>, unreadable: &mut impl FnMut(&Path, io::Error)) {
    let mut names = Vec::new();
    match std::fs::read_dir(directory) {
        Ok(entries) => {
            for entry in entries {
                match entry {
                    Ok(entry) => names.push(entry.file_name()),
                    Err(error) => unreadable(directory, error),
                }
            }
        }
        Err(error) => unreadable(directory, error),
    }
    names.sort();
    for name in &names {
        let path = directory.join(name);
        if let Some(hidden) = name.as_bytes().strip_prefix(b".") {
            if let Some(name) = hidden.strip_suffix(b".super8-recording") {
                found.entry(directory.join(OsStr::from_bytes(name))).or_default();
            }
            continue;
        }
        if is_one_cassette(&path) {
            // a part belongs to its cassette
            let whole = cassette_of_parts(directory).unwrap_or_else(|| path.clone());
            found.entry(whole).or_default().push(path);
        } else if name.to_str().and_then(TraceId::of_file).is_some() && path.is_file() {
            found.entry(path.clone()).or_default().push(path);
        } else if path.is_dir() && !path.is_symlink() {
            walk(&path, found, unreadable);
        }
    }
    if let Some(cassette) = cassette_of_parts(directory)
        && let Some(pieces) = found.get_mut(&cassette)
    {
        // `parts_of` orders numbered parts by number
        pieces.retain(|piece| *piece == cassette);
        pieces.extend(parts_of(&cassette));
    }
}

/// Returns the cassette whose parts are in this directory, by the directory's name.
fn cassette_of_parts(directory: &Path) -> Option<PathBuf> {
    let name = directory.file_name()?.as_bytes().strip_suffix(b".parts")?;
    let cassette = directory.with_file_name(OsStr::from_bytes(name));
    (parts_directory(&cassette) == directory).then_some(cassette)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(found: Vec<Member>, root: &Path) -> Vec<(String, Vec<String>)> {
        let shown = |path: &Path| path.strip_prefix(root).unwrap_or(path).display().to_string();
        found
            .into_iter()
            .map(|member| (member.name.display().to_string(), member.pieces.iter().map(|piece| shown(piece)).collect()))
            .collect()
    }

    #[test]
    fn cassettes_are_found_at_every_depth_with_their_parts() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let recordings = [".b.super8-recording", "a/.new.super8-recording"];
        let cassettes = ["b", "b.parts/isql-10", "b.parts/isql-2", "a/deep/x", "c.parts/only"];
        let cassettes = cassettes.into_iter().chain(recordings);
        for cassette in cassettes {
            std::fs::create_dir_all(root.join(cassette)).unwrap();
            std::fs::write(root.join(cassette).join("metadata.yml"), "").unwrap();
        }
        for trace in ["t/one.ndjson", "t/two.ndjson", "single/one.ndjson", "own/own.ndjson", "own/other.ndjson"] {
            std::fs::create_dir_all(root.join(trace).parent().unwrap()).unwrap();
            std::fs::write(root.join(trace), "").unwrap();
        }
        std::fs::create_dir_all(root.join("empty/deep")).unwrap();
        std::os::unix::fs::symlink(root, root.join("circle")).unwrap();
        std::os::unix::fs::symlink(root.join("a/deep/x"), root.join("linked")).unwrap();
        let Ok(Cassettes { members, folder: true, unfinished }) = Cassettes::find(root) else { panic!("no folder") };
        let whole = |name: &str| (name.to_owned(), vec![name.to_owned()]);
        let of = |name: &str, pieces: &[&str]| (name.to_owned(), pieces.iter().map(ToString::to_string).collect());
        let expected = [
            whole("a/deep/x"),
            of("b", &["b", "b.parts/isql-2", "b.parts/isql-10"]),
            of("c", &["c.parts/only"]),
            whole("linked"),
            whole("own"),
            whole("single"),
            whole("t/one.ndjson"),
            whole("t/two.ndjson"),
        ];
        assert_eq!(names(members, root), expected);
        assert_eq!(unfinished, [root.join("a/new")]);
        for cassette in ["b", "c", "single", "own", "t/one.ndjson", "nowhere"] {
            assert!(Cassettes::find(&root.join(cassette)).is_ok_and(|found| !found.folder), "{cassette}");
        }
        assert!(Cassettes::find(&root.join("t")).is_ok_and(|found| found.folder && found.members.len() == 2));
        let Err(failure) = Cassettes::find(&root.join("empty")) else { panic!("cassettes in an empty folder") };
        assert!(failure.to_string().contains("empty: there is no cassette in this folder"), "{failure}");
    }
}
