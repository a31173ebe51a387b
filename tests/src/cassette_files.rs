//! Helpers to look at the files of a cassette: names, bytes, searches.

use crate::conversion::converted;
use crate::scratch::Scratch;
use std::path::{Path, PathBuf};

/// Returns every file below `directory` with its bytes, in the order of their paths.
pub fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    collect(directory, &mut found);
    found.sort();
    found
}

fn collect(directory: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            found.push((path, bytes));
        }
    }
}

/// Returns the names of a cassette's files, sorted.
pub fn names(cassette: &Path) -> Vec<String> {
    let relative = |path: PathBuf| path.strip_prefix(cassette).unwrap_or(&path).display().to_string();
    files(cassette).into_iter().map(|(path, _)| relative(path)).collect()
}

/// Returns the text of a cassette's `commands.yml`; for a trace, of the directory that it converts to.
pub fn commands(cassette: &Path) -> String {
    let path = "commands.yml";
    let read = |directory: &Path| std::fs::read_to_string(directory.join(path));
    as_directory(cassette, |directory| read(directory).unwrap_or_else(|error| panic!("{path}: {error}")))
}

/// Looks at a cassette of either format as a directory of YAML and CSV files.
pub fn as_directory<T>(cassette: &Path, look: impl FnOnce(&Path) -> T) -> T {
    if super8_cassette::Format::of(cassette) != Some(super8_cassette::Format::Ndjson) {
        return look(cassette);
    }
    let scratch = Scratch::new("as-directory");
    let directory = scratch.join("cassette");
    converted(cassette, &directory);
    look(&directory)
}

/// Returns every spelling in which a secret can appear: as it is, percent-encoded (upper, lower, every byte),
/// brace-escaped, UTF-16 in both orders, hex and base64.
pub fn spellings(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let odd = |byte: u8| !byte.is_ascii_alphanumeric();
    let percent = |upper: bool, every: bool| -> Vec<u8> {
        let encode = |byte: u8| match (every || odd(byte), upper) {
            (false, _) => (byte as char).to_string(),
            (true, true) => format!("%{byte:02X}"),
            (true, false) => format!("%{byte:02x}"),
        };
        secret.bytes().map(encode).collect::<String>().into_bytes()
    };
    let hex = |upper: bool| -> Vec<u8> {
        let digits = |byte: u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
        secret.bytes().map(digits).collect::<String>().into_bytes()
    };
    vec![
        ("as it is", secret.as_bytes().to_vec()),
        ("brace-escaped", secret.replace('}', "}}").into_bytes()),
        ("percent, upper case", percent(true, false)),
        ("percent, lower case", percent(false, false)),
        ("percent, every byte, upper case", percent(true, true)),
        ("percent, every byte, lower case", percent(false, true)),
        ("UTF-16, little end first", secret.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("UTF-16, big end first", secret.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("hex, lower case", hex(false)),
        ("hex, upper case", hex(true)),
        ("base64", base64(secret.as_bytes())),
        ("backwards", secret.bytes().rev().collect()),
    ]
}

/// Returns where `secret` is in `files`, in any spelling and letter case.
pub fn leaks(files: &[(PathBuf, Vec<u8>)], secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (spelling, needle) in spellings(secret) {
        let needle = needle.to_ascii_lowercase();
        for (path, bytes) in files {
            if bytes.to_ascii_lowercase().windows(needle.len()).any(|window| window == needle) {
                found.push(format!("{} ({spelling})", path.display()));
            }
        }
    }
    found
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0u32, |bits, place| bits << 8 | u32::from(group.get(place).copied().unwrap_or(0)));
        let used = group.len() + 1;
        text.extend((0..used).map(|place| DIGITS[(bits >> (18 - 6 * place)) as usize & 63]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_found() {
        for (spelling, bytes) in spellings("Ze;7}k") {
            let file = [b"before ".as_slice(), &bytes, b" after"].concat();
            assert!(!leaks(&[("f".into(), file)], "Ze;7}k").is_empty(), "{spelling} is not found");
        }
        assert!(leaks(&[("f".into(), b"harmless".to_vec())], "Ze;7}k").is_empty());
    }

    #[test]
    fn base64_is_what_everybody_writes() {
        assert_eq!(base64(b"light work."), b"bGlnaHQgd29yay4");
    }
}
