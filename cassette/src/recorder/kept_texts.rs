//! Keeps what a person wrote into the log of the cassette that is recorded again: comments, another layout, a result that must stay.
//!
//! An entry that comes out the same gets the text of the previous cassette, with the comments before it and in it. An
//! entry with `keep: true` gets it as soon as the same is asked, whatever came back, because its result is the person's.

use std::collections::{HashMap, VecDeque};
use std::fs;

use crate::entry::{Digest, digest};
use crate::player::summary::summary;
use crate::store::Store;
use crate::store::directory::COMMANDS;
use crate::yaml::blocks;
use crate::{CassetteError, Entry, Key, Value};

/// The texts that have not found their entry yet.
#[derive(Debug, Default)]
pub(super) struct KeptTexts {
    /// By what super8 writes for the same entry.
    same: HashMap<Digest, VecDeque<Text>>,
    /// By what is asked, each with how often the same was asked before.
    results: HashMap<Digest, VecDeque<(usize, Text)>>,
    /// How often the questions of `results` were asked so far.
    asked: HashMap<Digest, usize>,
}

#[derive(Debug)]
struct Text {
    bytes: Vec<u8>,
    /// What is lost with it, for people. `None`: only its layout.
    loss: Option<String>,
}

impl KeptTexts {
    /// Reads the log of a cassette.
    ///
    /// # Errors
    /// Something in it cannot be read.
    pub(super) fn of(previous: &dyn Store) -> Result<KeptTexts, CassetteError> {
        let mut kept = KeptTexts::default();
        let mut places = Vec::new();
        previous.scan(&mut |place, _| {
            places.push(place);
            Ok(())
        })?;
        let is_directory = previous.name().is_dir();
        let log = if is_directory { previous.name().join(COMMANDS) } else { previous.name().to_owned() };
        let text = fs::read(&log).map_err(|error| CassetteError::io(&log, "read", &error))?;
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        let starts: Vec<usize> = places.iter().map(|place| place.line as usize - 1).collect();
        let blocks = match is_directory {
            // what stands before the first entry belongs to the file and stays with it
            true => blocks(&lines, &starts, true),
            false => starts.iter().map(|start| *start..start + 1).collect(),
        };
        let mut counts: HashMap<Digest, usize> = HashMap::new();
        let has_results = memchr::memmem::find(&text, b"keep").is_some();
        for (place, block) in places.iter().zip(blocks) {
            let bytes = lines[block].concat();
            let is_own = bytes.starts_with(if is_directory { b"- method: " } else { b"{" });
            // most entries need no closer look
            if is_own && !has_results && !(is_directory && bytes.contains(&b'#')) {
                continue;
            }
            let entry = previous.entry(*place)?;
            let mut own = Vec::new();
            previous.encode(&entry, &mut own);
            let place = format!(
                "{}:{} {}",
                log.file_name().unwrap_or_default().to_string_lossy(),
                place.line,
                summary(&entry, 90)
            );
            let question = question(&entry);
            let count = counts.entry(question).or_default();
            *count += 1;
            if entry.get(Key::Keep) == Some(&Value::Bool(true)) {
                let there = String::from_utf8_lossy(&bytes);
                let comments: Vec<&str> = there.lines().filter_map(comment).collect();
                let what = [&["keep"], &comments[..]].concat().join(" ");
                let loss = Some(format!("{place}: {what}"));
                let text = Text { bytes, loss };
                kept.results.entry(question).or_default().push_back((*count - 1, text));
            } else if bytes != own {
                let written = String::from_utf8_lossy(&own).into_owned();
                let there = String::from_utf8_lossy(&bytes).into_owned();
                let lost = there.lines().find(|line| line.contains('#') && !written.lines().any(|own| own == *line));
                let loss = lost.map(|lost| format!("{place}: {}", comment(lost).unwrap_or_else(|| lost.trim())));
                kept.same.entry(digest(&own)).or_default().push_back(Text { bytes, loss });
            }
        }
        Ok(kept)
    }

    /// Replaces an entry, which is encoded from `begin` on, by the text that the previous cassette has for it.
    pub(super) fn put_back(&mut self, entry: &Entry, begin: usize, out: &mut Vec<u8>) {
        if self.same.is_empty() && self.results.is_empty() {
            return;
        }
        let found = self.result(entry).or_else(|| {
            let same = digest(&out[begin..]);
            let texts = self.same.get_mut(&same)?;
            let text = texts.pop_front();
            if texts.is_empty() {
                self.same.remove(&same);
            }
            text
        });
        if let Some(text) = found {
            out.truncate(begin);
            out.extend_from_slice(&text.bytes);
            if !out.ends_with(b"\n") {
                out.push(b'\n');
            }
        }
    }

    /// Takes the text of the previous entry in this one's place, if that entry's result must stay.
    fn result(&mut self, entry: &Entry) -> Option<Text> {
        if self.results.is_empty() {
            return None;
        }
        let question = question(entry);
        let texts = self.results.get_mut(&question)?;
        let asked = self.asked.entry(question).or_default();
        *asked += 1;
        // A recorded rows file is the recording's own, and kept text cannot say how many rows it has.
        let is_this = |(before, _): &&(usize, Text)| *before == *asked - 1 && entry.get(Key::RowsFile).is_none();
        texts.front().filter(is_this)?;
        texts.pop_front().map(|(_, text)| text)
    }

    /// Lists what is lost, one line each.
    pub(super) fn lost(&self) -> Vec<String> {
        let results = self.results.values().flatten().map(|(_, text)| text);
        let texts = self.same.values().flatten().chain(results);
        let mut lost: Vec<String> = texts.filter_map(|text| text.loss.clone()).collect();
        lost.sort_unstable();
        lost
    }
}

/// Returns the comment of a line.
fn comment(line: &str) -> Option<&str> {
    match line.trim().starts_with('#') {
        true => Some(line.trim()),
        false => line.rsplit_once(" #").map(|(head, _)| line[head.len()..].trim()),
    }
}

/// Returns a digest of what an entry asks, with its ids.
fn question(entry: &Entry) -> Digest {
    let inputs: Vec<_> = entry.fields.iter().filter(|(key, _)| key.is_input()).collect();
    digest(format!("{:?}", (entry.method.name(), entry.connection, entry.statement, inputs)).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::comment;

    #[test]
    fn only_the_comment_of_a_line_is_named() {
        assert_eq!(comment("  volatile: [\"params 1\"]  # random"), Some("# random"));
        assert_eq!(comment("  # mine"), Some("# mine"));
        assert_eq!(comment("  keep: true"), None);
    }
}
