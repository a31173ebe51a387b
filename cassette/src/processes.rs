//! A cassette of several processes: each further one has its part, a cassette by itself, in the directory `NAME.parts` beside the
//! cassette `NAME` of the first.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{CassetteError, Format};

/// The directory with the parts of a cassette.
pub fn parts_directory(cassette: &Path) -> PathBuf {
    let mut name = cassette.file_name().unwrap_or_default().to_owned();
    name.push(".parts");
    cassette.with_file_name(name)
}

/// The parts of a cassette that are there, sorted by name, the number behind it as a number; none if it has none.
pub fn parts_of(cassette: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parts_directory(cassette)).into_iter().flatten().flatten();
    // a recording that is under way is hidden
    let shown = entries.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    let mut parts: Vec<PathBuf> = shown.map(|entry| entry.path()).filter(|path| Format::of(path).is_some()).collect();
    parts.sort_by_cached_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let numbered = name.rsplit_once('-').and_then(|(stem, number)| Some((stem.to_owned(), number.parse().ok()?)));
        numbered.unwrap_or((name, 0_u32))
    });
    parts
}

/// The directory of a cassette, of which the path may name a trace's file.
pub fn directory_of(cassette: &Path) -> &Path {
    let is_trace = cassette.extension().is_some_and(|end| end == "ndjson") && !cassette.is_dir();
    cassette.parent().filter(|_| is_trace).unwrap_or(cassette)
}

/// The cassette that a directory is a part of, by its name.
pub fn cassette_of_part(part: &Path) -> Option<PathBuf> {
    let parts = part.parent()?;
    let name = parts.file_name()?.to_str()?.strip_suffix(".parts")?;
    Some(parts.with_file_name(name))
}

/// Removes the parts of a cassette that `stays` does not name: those of processes that the command does not have any more.
///
/// # Errors
/// What the operating system says.
pub fn remove_parts(cassette: &Path, stays: &dyn Fn(&Path) -> bool) -> Result<(), CassetteError> {
    for part in parts_of(cassette).iter().filter(|part| !stays(part)) {
        fs::remove_dir_all(part).map_err(|error| CassetteError::io(part, "remove", &error))?;
    }
    // it stays where it is not empty
    let _ = fs::remove_dir(parts_directory(cassette));
    Ok(())
}

/// A cassette and its parts. It has none by itself where the process that was to record it ended before it did anything.
pub fn with_parts(cassette: &Path) -> Vec<PathBuf> {
    let own = (Format::of(cassette).is_some() || cassette.is_file()).then(|| cassette.to_owned());
    own.into_iter().chain(parts_of(directory_of(cassette))).collect()
}

/// What [`with_parts`] gives, and the cassette alone if there is none: opening it says why.
pub fn with_parts_or_alone(cassette: &Path) -> Vec<PathBuf> {
    let all = with_parts(cassette);
    if all.is_empty() { vec![cassette.to_owned()] } else { all }
}

/// The parts of a cassette that are there, or are being recorded or were when their process ended.
pub fn parts_with_recordings(cassette: &Path) -> Vec<PathBuf> {
    let directory = parts_directory(directory_of(cassette));
    let entries = fs::read_dir(&directory).into_iter().flatten().flatten();
    let mut parts: Vec<PathBuf> = entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let staged = name.strip_prefix('.').and_then(|name| name.strip_suffix(".super8-recording"));
            directory.join(staged.unwrap_or(&name))
        })
        .collect();
    parts.sort();
    parts.dedup();
    parts
}

/// Where the part of a cassette stands in another one: of a trace's file it is a trace's file.
pub fn same_part(part: &Path, other: &Path) -> PathBuf {
    let directory = directory_of(other);
    let place = parts_directory(directory).join(part.file_name().unwrap_or_default());
    if directory == other {
        return place;
    }
    let mut trace = part.file_name().unwrap_or_default().to_owned();
    trace.push(".ndjson");
    place.join(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_in_the_order_of_their_numbers() {
        let parent = tempfile::tempdir().unwrap();
        let cassette = parent.path().join("shop");
        for name in ["isql-10", "isql-2", "isql", "perl-a.t", ".isql-3.super8-recording", "notes"] {
            let part = parts_directory(&cassette).join(name);
            fs::create_dir_all(&part).unwrap();
            let file = if name == "notes" { "README" } else { "metadata.yml" };
            fs::write(part.join(file), "").unwrap();
        }
        let names = |paths: Vec<PathBuf>| -> Vec<String> {
            paths.iter().map(|path| path.strip_prefix(parent.path()).unwrap().display().to_string()).collect()
        };
        let expected = ["isql", "isql-2", "isql-10", "perl-a.t"].map(|name| format!("shop.parts/{name}"));
        assert_eq!(names(with_parts(&cassette)), expected);
        assert_eq!(cassette_of_part(&parts_directory(&cassette).join("isql-2")), Some(cassette.clone()));
        assert_eq!(cassette_of_part(&cassette), None);
        assert!(parts_of(Path::new("/nonexistent")).is_empty());
    }
}
