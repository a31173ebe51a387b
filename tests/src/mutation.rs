//! Damages a cassette as an editor, a merge, a full disk or a stranger may do. The damage depends only on a seed.

use std::io::Write;
use std::path::{Path, PathBuf};

/// Numbers that look random, the same for the same seed (splitmix64).
pub struct Random(u64);

impl Random {
    /// Starts from a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// Returns the next number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ mixed >> 31) % limit as u64) as usize
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "-1",
    "2",
    "7",
    "255",
    "65536",
    "1000000",
    "2147483648",
    "-2147483649",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e308",
];
const WORDS: [&str; 22] = [
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "SQL_ERROR",
    "SQL_NO_DATA",
    "SQL_NEED_DATA",
    "SQL_SUCCESS_WITH_INFO",
    "SQL_STILL_EXECUTING",
    "SQL_PARAM_DATA_AVAILABLE",
    "SLOGN",
    "SLONG",
    "CHAR",
    "WCHAR",
    "BINARY",
    "NUMERIC",
    "INTERVAL_DAY_TO_SECOND",
    "TYPE_TIMESTAMP",
    "a_1_columns.yml",
    "../x",
    "[1, [2, [3]]]",
];
const CELLS: [&str; 14] = [
    "\\N",
    "\\-",
    "\\x00ff",
    "\\x0",
    "\\q",
    "\\>5000:text",
    "\\>-4:",
    "\\>-99999999999:\\x00",
    "\\e\\u{10ffff}",
    "\"",
    "",
    "1e400",
    "999999999999999999999999999999",
    "\u{e9}\u{1f600}",
];
const LINES: [&str; 8] = [
    "",
    "<<<<<<< HEAD",
    "=======",
    "- method: fetch_all",
    "  rows_file: a_1_fetch_all.csv",
    "  row_status: [0, 0, 0, 0, 0, 0, 0, 0]",
    "  rows_fetched: 1000000",
    "  rowset: 100000",
];

/// Damages one file of a cassette in this directory, once or a few times. Returns what it did, in words.
pub fn damage(cassette: &Path, random: &mut Random) -> String {
    (0..1 + random.below(3)).map(|_| damage_once(cassette, random)).collect::<Vec<_>>().join("; ")
}

fn damage_once(cassette: &Path, random: &mut Random) -> String {
    let mut files: Vec<PathBuf> = std::fs::read_dir(cassette)
        .unwrap_or_else(|error| panic!("{}: {error}", cassette.display()))
        .flatten()
        // leaves links alone that earlier damage made: writing to one would write to its target
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.path())
        .collect();
    files.sort();
    if files.is_empty() {
        return "nothing is left".to_owned();
    }
    let file = random.of(&files).clone();
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = std::fs::read(&file).unwrap_or_default();
    let what = match random.below(14) {
        0 if files.len() > 1 => {
            let other = random.of(&files).clone();
            replace_file(&file, &std::fs::read(&other).unwrap_or_default());
            return format!("{name} is a copy of {}", other.display());
        }
        1 => {
            let _ = std::fs::remove_file(&file);
            if random.below(2) == 0 {
                let _ = std::fs::create_dir(&file);
            }
            return format!("{name} is gone");
        }
        2 => {
            let _ = std::fs::remove_file(&file);
            let _ = std::os::unix::fs::symlink(random.of(&["/dev/zero", "../outside", "commands.yml"]), &file);
            return format!("{name} is a link");
        }
        kind => kind,
    };
    let (changed, what) = change(what, bytes, random);
    replace_file(&file, &changed);
    format!("{name}: {what}")
}

/// Replaces a file by a new one, so that nothing is written through a link.
fn replace_file(file: &Path, content: &[u8]) {
    let written = std::fs::remove_file(file)
        .and_then(|()| std::fs::File::create_new(file))
        .and_then(|mut new| new.write_all(content));
    written.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}

fn change(kind: usize, mut bytes: Vec<u8>, random: &mut Random) -> (Vec<u8>, String) {
    if bytes.is_empty() {
        return (b"\0".to_vec(), "a zero byte".to_owned());
    }
    let at = random.below(bytes.len());
    match kind {
        3 => {
            bytes[at] ^= 1 << random.below(8);
            (bytes, format!("a bit of byte {at}"))
        }
        4 => {
            bytes.truncate(at);
            (bytes, format!("cut at byte {at}"))
        }
        5 => {
            bytes.insert(at, *random.of(&[0u8, b'\n', b'"', b'\\', b',', b'{', b'[', 0xff, b'\r']));
            (bytes, format!("a byte more at {at}"))
        }
        _ => change_lines(kind, &bytes, random),
    }
}

fn change_lines(kind: usize, bytes: &[u8], random: &mut Random) -> (Vec<u8>, String) {
    let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (at, other) = (random.below(lines.len()), random.below(lines.len()));
    let what = match kind {
        6 => {
            lines.remove(at);
            format!("line {} removed", at + 1)
        }
        7 => {
            lines.swap(at, other);
            format!("lines {} and {} swapped", at + 1, other + 1)
        }
        8 => {
            let again = lines[at].clone();
            lines.insert(other, again);
            format!("line {} again at {}", at + 1, other + 1)
        }
        9 => {
            lines.insert(at, random.of(&LINES).as_bytes().to_vec());
            format!("a line more at {}", at + 1)
        }
        10 => replace(&mut lines, at, random, |byte| byte.is_ascii_digit(), &NUMBERS),
        11 => replace(&mut lines, at, random, |byte| byte.is_ascii_uppercase() || byte == b'_', &WORDS),
        12 => replace(&mut lines, at, random, |byte| !matches!(byte, b',' | b'"' | b':' | b' ' | b'[' | b']'), &CELLS),
        _ => {
            // cuts off what follows a key
            let colon = lines[at].iter().position(|byte| *byte == b':').unwrap_or(lines[at].len());
            lines[at].truncate(colon);
            lines[at].extend_from_slice(b": ");
            lines[at].extend_from_slice(random.of(&WORDS).as_bytes());
            format!("line {} says something else", at + 1)
        }
    };
    (lines.join(&b'\n'), what)
}

/// Replaces one run of bytes of this kind in a line by another word.
fn replace(lines: &mut [Vec<u8>], at: usize, random: &mut Random, kind: impl Fn(u8) -> bool, words: &[&str]) -> String {
    let line = &lines[at];
    let begins = |index: &usize| kind(line[*index]) && (*index == 0 || !kind(line[index - 1]));
    let runs: Vec<usize> = (0..line.len()).filter(begins).collect();
    if runs.is_empty() {
        return format!("line {} left alone", at + 1);
    }
    let start = *random.of(&runs);
    let end = (start..line.len()).find(|index| !kind(line[*index])).unwrap_or(line.len());
    let word = random.of(words);
    lines[at] = [&line[..start], word.as_bytes(), &line[end..]].concat();
    format!("line {}: `{word}` at {start}", at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn nothing_outside_the_cassette_is_touched() {
        let scratch = Scratch::new("mutation");
        let outside = scratch.join("outside");
        std::fs::write(&outside, "as it was\n").unwrap();
        let mut links = 0;
        for seed in 0..3000 {
            let cassette = scratch.join("tape");
            let _ = std::fs::remove_dir_all(&cassette);
            std::fs::create_dir(&cassette).unwrap();
            for name in ["commands.yml", "a_info.yml"] {
                std::fs::write(cassette.join(name), "- method: connect\n  connection_id: a\n").unwrap();
            }
            links += usize::from(damage(&cassette, &mut Random::new(seed)).contains("is a link; "));
            assert_eq!(std::fs::read_to_string(&outside).unwrap(), "as it was\n", "seed {seed}");
        }
        assert!(links > 100, "links that were damaged further: {links}");
    }
}
