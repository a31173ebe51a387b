//! Checks that docs/safety.md lists every shipped source file in which `unsafe` is allowed, and no other.

use std::collections::BTreeSet;
use std::path::Path;

fn sources(directory: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn the_page_lists_the_files_with_unsafe() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for part in [
        "shim/src",
        "shim/ansi/src",
        "shim/unicode/src",
        "client/src",
        "cli/src",
        "cassette/src",
        "matching/src",
        "packages/rust/src",
    ] {
        sources(&root.join(part), &mut files);
    }
    let opens =
        |path: &Path| std::fs::read_to_string(path).unwrap().lines().any(|line| line == "#![allow(unsafe_code)]");
    let name = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
    let rooms: BTreeSet<String> = files.iter().filter(|path| opens(path)).map(|path| name(path)).collect();
    let page = std::fs::read_to_string(root.join("docs/safety.md")).unwrap();
    let parts = ["shim/", "client/", "cli/", "cassette/", "packages/"];
    let of_a_part = |word: &&str| parts.iter().any(|part| word.starts_with(part)) && word.ends_with(".rs");
    let listed: BTreeSet<String> = page.split('`').filter(of_a_part).map(str::to_owned).collect();
    assert!(!rooms.is_empty());
    assert_eq!(rooms, listed, "files with unsafe code (left), files in docs/safety.md (right)");
}
