//! The report of a mismatch: everything a person needs to see what changed and to decide what to do about it.

use std::fmt::Write;
use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use crate::report::advice;
use crate::report::explain::Case;
use crate::report::headline::{ids, in_words};
use super8_cassette::summary::summary;
use super8_cassette::{Entry, Key, Value, yaml};

/// The time limit of a diff. Diffs of megabytes of text still end in time, but are coarser.
const PATIENCE: Duration = Duration::from_millis(300);

impl Case<'_> {
    /// Returns the report.
    pub(crate) fn report(&self) -> String {
        let mut out = String::with_capacity(2048);
        // writing to a string cannot fail
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let player = self.player;
        writeln!(out, "[super8] replay mismatch: {}", self.kind.name())?;
        let got = self.got(100);
        let (decisive, want) = (self.decisive(), self.want(100));
        let want = want.map_or_else(|| self.nothing_expected().to_owned(), |want| format!("expected {want}"));
        writeln!(out, "{want}, got {got}")?;
        if !decisive.is_empty() {
            writeln!(out, "{decisive}")?;
        }
        writeln!(out, "\ncassette: {}", player.store.name().display())?;
        match &self.expected {
            Some((position, entry)) => {
                let number = player.index.ordinal(*position);
                writeln!(
                    out,
                    "position: command {number} of {} ({}), {}",
                    player.total(),
                    ids(entry),
                    self.at(*position)
                )?;
            }
            None if self.is_any() => {}
            None => writeln!(out, "position: after the last of {} commands", player.total())?,
        }
        writeln!(out, "order: {}", player.order_name())?;
        match (&self.expected, self.rows) {
            (None, _) if self.is_any() => writeln!(out, "\nexpected: {}\n", self.nothing_expected())?,
            (None, _) => writeln!(out, "\nexpected: nothing more\n")?,
            (Some((_, entry)), Some((returned, total))) => {
                let total = total.map_or_else(|| "the".to_owned(), |total| total.to_string());
                let read = returned.unwrap_or(0);
                writeln!(out, "\nexpected: {total} rows of {} to be read first; {read} were\n", ids(entry))?;
            }
            (Some((_, entry)), None) => writeln!(out, "\nexpected:\n{}", inputs(entry))?,
        }
        writeln!(out, "asked:\n{}", inputs(self.asked))?;
        if let Some((_, entry)) = &self.expected
            && self.rows.is_none()
        {
            self.differences(out, entry)?;
        }
        if self.expected.is_some() || !self.is_any() {
            self.neighbours(out)?;
        }
        match &self.nearest {
            Some(nearest) => {
                let (number, what) = (player.index.ordinal(nearest.position), summary(&nearest.entry, 100));
                let (ids, at) = (ids(&nearest.entry), self.at(nearest.position));
                writeln!(out, "\nnearest that would match: command {number} ({ids}), {at}: {what}")?;
            }
            None => {
                writeln!(out, "\nnearest that would match: none; the same is nowhere within 2000 entries")?;
                self.most_alike(out)?;
            }
        }
        match self.by_connection {
            Some(true) => {
                writeln!(out, "order: connection would have passed: it is the next command of its connection")?
            }
            Some(false) => writeln!(out, "order: connection would not have passed")?,
            None => {}
        }
        if self.by_any {
            writeln!(
                out,
                "order: any would have passed: it begins an execution or a transaction that is not played yet"
            )?;
        }
        self.advice(out)
    }

    pub(crate) fn at(&self, position: u32) -> String {
        self.player.place(position)
    }

    fn differences(&self, out: &mut String, expected: &Entry) -> std::fmt::Result {
        if expected.method != self.asked.method {
            writeln!(
                out,
                "difference: method: recorded {}, asked {}",
                expected.method.name(),
                self.asked.method.name()
            )?;
        }
        let (recorded, asked) = (ids(expected), ids(self.asked));
        if recorded != asked && self.asked.method != super8_cassette::Method::Connect {
            writeln!(out, "difference: recorded on {recorded}, asked on {asked}")?;
        }
        if expected.method != self.asked.method {
            return Ok(());
        }
        if let Some(difference) = self.player.comparison.difference(expected, self.asked) {
            writeln!(out, "difference: {}", in_words(&difference, 300))?;
            for another in advice::others(expected, self.asked, &self.player.comparison, &difference) {
                writeln!(out, "difference: {}", in_words(&another, 300))?;
            }
            for note in self.player.comparison.bindings.notes(expected, self.asked) {
                writeln!(out, "volatile: {note}")?;
            }
        }
        for key in [Key::Sql, Key::Params, Key::Attributes, Key::Arguments] {
            let text = |entry: &Entry| entry.get(key).map(as_text).unwrap_or_default();
            let (recorded, asked) = (text(expected), text(self.asked));
            // what a person left out is not compared
            let is_left_out = expected.get(key).is_none() && expected.get(Key::Match).is_some();
            if recorded != asked && !is_left_out {
                diff(out, key.name(), &recorded, &asked)?;
            }
        }
        Ok(())
    }

    /// Writes which recorded command is most like what was asked: where it is, which fields agree, and which words differ.
    fn most_alike(&self, out: &mut String) -> std::fmt::Result {
        let Some(alike) = self.elsewhere() else { return Ok(()) };
        let (number, what) = (self.player.index.ordinal(alike.position), summary(&alike.entry, 100));
        let (ids, at, percent) = (ids(&alike.entry), self.at(alike.position), (alike.ratio * 100.0).floor());
        writeln!(out, "the most like it, {percent} %: command {number} ({ids}), {at}: {what}")?;
        let inputs = Key::ALL.iter().filter(|key| key.is_input()).map(|key| key.name());
        let keys: Vec<&str> = ["method"].into_iter().chain(inputs).collect();
        let text = |entry: &Entry, key: &str| match Key::from_name(key) {
            None => Some(entry.method.name().to_owned()),
            Some(key) => entry.get(key).map(as_text),
        };
        let there = |key: &&&str| text(&alike.entry, key).is_some() || text(self.asked, key).is_some();
        let (same, other): (Vec<&str>, Vec<&str>) =
            keys.iter().filter(there).partition(|key| text(&alike.entry, key) == text(self.asked, key));
        let list = |keys: &[&str]| if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") };
        writeln!(out, "  the same: {}; another: {}", list(&same), list(&other))?;
        for key in other.iter().filter(|key| **key != "method") {
            let (recorded, asked) = (text(&alike.entry, key), text(self.asked, key));
            by_word(out, key, &recorded.unwrap_or_default(), &asked.unwrap_or_default())?;
        }
        Ok(())
    }

    fn neighbours(&self, out: &mut String) -> std::fmt::Result {
        let player = self.player;
        let (before, after) = match &self.expected {
            Some((position, _)) => player.neighbours(*position),
            None => player.neighbours(player.index.len()),
        };
        writeln!(out, "\nrecorded around it:")?;
        let here = self.expected.as_ref().map(|(position, _)| *position);
        for position in before.into_iter().chain(here).chain(after) {
            let slot = player.index.slot(position);
            let mark = if Some(position) == here { ">" } else { " " };
            let what = match player.store.checked_entry(slot.place()) {
                Ok(entry) => format!("{:<6} {}", ids(&entry), summary(&entry, 100)),
                Err(error) => error.to_string(),
            };
            writeln!(out, "{mark} {:>5}  line {:<6} {what}", player.index.ordinal(position), slot.place().line)?;
        }
        Ok(())
    }
}

/// Returns an entry as a cassette has it, without its reply.
fn inputs(entry: &Entry) -> String {
    let is_usual = |key: &Key, value: &Value| *key == Key::Match && value.as_text() == Some("exact");
    let shown = |(key, value): &&(Key, Value)| !key.is_reply() && *key != Key::Unordered && !is_usual(key, value);
    let fields = entry.fields.iter().filter(shown).cloned().collect();
    let mut out = Vec::new();
    yaml::emit_entry(&Entry { fields, ..entry.clone() }, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Returns a value as lines: a text as it is, a list or map with one element per line.
fn as_text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => {
            let mut out = Vec::new();
            yaml::emit_document(other, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        }
    }
}

/// Writes the differing lines with two lines around them, and the differing words if the texts are not too long to read.
fn diff(out: &mut String, key: &str, recorded: &str, asked: &str) -> std::fmt::Result {
    writeln!(out, "\n{key}, by line (- recorded, + asked):")?;
    let lines = TextDiff::configure().timeout(PATIENCE).diff_lines(recorded, asked);
    for (at, group) in lines.grouped_ops(2).iter().enumerate() {
        if at > 0 {
            writeln!(out, "  ...")?;
        }
        for change in group.iter().flat_map(|operation| lines.iter_changes(operation)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            writeln!(out, "{sign} {}", change.value().trim_end_matches(['\n', '\r']))?;
        }
    }
    by_word(out, key, recorded, asked)
}

/// Writes the differing words, if the texts are not too long to read.
fn by_word(out: &mut String, key: &str, recorded: &str, asked: &str) -> std::fmt::Result {
    if recorded.len().max(asked.len()) > 64 * 1024 {
        return Ok(());
    }
    writeln!(out, "\n{key}, by word ([-recorded-] {{+asked+}}):")?;
    let words = TextDiff::configure().timeout(PATIENCE).diff_words(recorded, asked);
    for operation in words.ops() {
        let side = |tag: ChangeTag| -> String {
            let changes = words.iter_changes(operation).filter(|change| change.tag() == tag);
            changes.map(|change| change.value().to_owned()).collect()
        };
        let (gone, come, same) = (side(ChangeTag::Delete), side(ChangeTag::Insert), side(ChangeTag::Equal));
        out.push_str(&same);
        if !gone.is_empty() {
            write!(out, "[-{gone}-]")?;
        }
        if !come.is_empty() {
            write!(out, "{{+{come}+}}")?;
        }
    }
    writeln!(out)
}
